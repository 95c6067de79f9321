import { locale } from '../locale';
import type { Stop } from '../islands';
import { Refusal, send } from '../request';

const PAUSE = 800;
const AGAIN = 4000;
const OURS = new Set(['csrf', 'revision']); // these say something about the form and are no part of the draft
type Texts = Record<string, string>;
interface Kept { version: number; fields?: Texts }

/**
 * Keeps a form's draft on the server while it is being typed: data-autosave is the address (PUT), data-version the
 * version last seen. Fields may stand anywhere on the page (form="…"). Only what changed is sent; what somebody else
 * changed meanwhile comes back, and where both changed the same field, both texts are shown and nothing is lost.
 * Nothing is kept in the browser: on a shared computer the next user must find nothing.
 */
export function mount(element: HTMLElement): Stop {
  const form = element as HTMLFormElement;
  const state = form.querySelector<HTMLElement>('[data-saved-state]') ?? document.querySelector<HTMLElement>('[data-saved-state]');
  let timer = 0;
  let kept = snapshot(form);
  let saving = false;
  let leaves = false;
  const conflicts = new Set<string>();
  const tell = (name: string, more = '') => {
    if (!state) return;
    state.dataset.state = name;
    state.textContent = `${state.dataset[name] ?? ''}${more}`;
  };
  const later = (wait: number) => { window.clearTimeout(timer); timer = window.setTimeout(() => void save(), wait); };
  const save = async () => {
    const now = snapshot(form);
    const changed = differing(now, kept);
    if (saving || conflicts.size || !Object.keys(changed).length) return;
    saving = true;
    tell('saving');
    try {
      const answer = await send<Kept>('PUT', form.dataset.autosave!, { ...hidden(form), ...changed }, { 'If-Match': `"${form.dataset.version}"` });
      form.dataset.version = String(answer.version);
      kept = { ...kept, ...changed };
      for (const [name, text] of Object.entries(answer.fields ?? {})) if (!(name in changed)) adopt(name, text);
      tell('saved', ` ${new Date().toLocaleTimeString(locale(), { hour: '2-digit', minute: '2-digit' })}`);
      if (Object.keys(differing(snapshot(form), kept)).length) later(PAUSE);
    } catch (error) {
      refused(error);
    } finally {
      saving = false;
    }
  };
  const refused = (error: unknown) => {
    const lost = error instanceof Refusal && error.status === 412;
    tell(lost ? 'conflict' : navigator.onLine ? 'failed' : 'offline', error instanceof Refusal && !lost ? `. ${error.message}` : '');
    if (lost) conflict(error.problem.details as { version?: number; fields?: Texts } | undefined);
    else if (!(error instanceof Refusal && error.status < 500)) later(AGAIN);
    form.dispatchEvent(new CustomEvent('autosave:refused', { bubbles: true, detail: error }));
  };
  const adopt = (name: string, text: string) => {
    const field = form.elements.namedItem(name) as HTMLInputElement | HTMLTextAreaElement | null;
    if (!field || field.value !== kept[name]) return;
    field.value = text;
    kept[name] = text;
  };
  const conflict = (theirs: { version?: number; fields?: Texts } | undefined) => {
    for (const [name, text] of Object.entries(theirs?.fields ?? {})) {
      const box = document.querySelector<HTMLElement>(`[data-conflict="${CSS.escape(name)}"]`);
      if (!box) continue;
      conflicts.add(name);
      box.querySelector('[data-theirs]')!.textContent = text;
      box.hidden = false;
      const settle = (take: boolean) => () => {
        const field = form.elements.namedItem(name) as HTMLTextAreaElement;
        if (take) field.value = text;
        kept[name] = text;
        form.dataset.version = String(theirs!.version);
        box.hidden = true;
        conflicts.delete(name);
        field.focus();
        if (conflicts.size) return;
        if (Object.keys(differing(snapshot(form), kept)).length) void save(); // says itself when it is saved
        else tell('saved');
      };
      box.querySelector<HTMLElement>('[data-take]')!.onclick = settle(true);
      box.querySelector<HTMLElement>('[data-keep]')!.onclick = settle(false);
      box.querySelector<HTMLElement>('[data-take]')!.focus();
    }
  };
  const mine = (event: Event) => (event.target as HTMLInputElement).form === form;
  const typed = (event: Event) => { if (mine(event)) later(PAUSE); };
  const left = (event: Event) => { if (mine(event)) later(0); };
  const submits = () => {
    const revision = form.elements.namedItem('revision') as HTMLInputElement | null;
    if (revision) revision.value = form.dataset.version!;
    leaves = true;
    window.clearTimeout(timer);
  };
  const leaving = (event: BeforeUnloadEvent) => {
    if (leaves || !Object.keys(differing(snapshot(form), kept)).length) return;
    void save();
    event.preventDefault();
  };
  const online = () => later(0);
  document.addEventListener('input', typed);
  document.addEventListener('change', typed);
  document.addEventListener('focusout', left);
  form.addEventListener('submit', submits);
  addEventListener('beforeunload', leaving);
  addEventListener('online', online);
  return () => {
    window.clearTimeout(timer);
    document.removeEventListener('input', typed);
    document.removeEventListener('change', typed);
    document.removeEventListener('focusout', left);
    removeEventListener('beforeunload', leaving);
    removeEventListener('online', online);
  };
}

function snapshot(form: HTMLFormElement): Texts {
  return Object.fromEntries([...new FormData(form)].filter((pair): pair is [string, string] => !OURS.has(pair[0]) && typeof pair[1] === 'string'));
}

function differing(now: Texts, before: Texts): Texts {
  return Object.fromEntries(Object.entries(now).filter(([name, text]) => text !== before[name]));
}

/** What the server needs with every save, such as which note this is. */
function hidden(form: HTMLFormElement): Texts {
  const fields = [...form.elements].filter((field): field is HTMLInputElement => field instanceof HTMLInputElement && field.type === 'hidden');
  return Object.fromEntries(fields.filter((field) => field.name && !OURS.has(field.name)).map((field) => [field.name, field.value]));
}
