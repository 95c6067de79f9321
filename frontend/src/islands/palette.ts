import { fragment } from '../request';
import { Options } from './options';

/** Ctrl-K: pages and actions at once, what else the server knows while typing. The newest question wins. */
export function mount(element: HTMLElement): void {
  const dialog = element as HTMLDialogElement;
  const input = dialog.querySelector<HTMLInputElement>('input[type=search]')!;
  const list = dialog.querySelector<HTMLElement>('[role=listbox]')!;
  const places = [...list.children] as HTMLElement[];
  const open = (option: HTMLElement) => { dialog.close(); location.assign(option.dataset.href!); };
  const options = new Options(input, list, open);
  let asked: AbortController | undefined;
  let timer = 0;

  const show = (found: Node[]) => {
    const words = plain(input.value);
    for (const place of places) place.hidden = !plain(place.textContent ?? '').includes(words);
    const shown = new Set(places.filter((place) => !place.hidden).map((place) => place.dataset.href));
    list.replaceChildren(...places, ...found.filter((each) => !shown.has((each as HTMLElement).dataset.href)));
    if (!options.all().length) list.append(nothing(dialog.dataset.empty!));
    options.select(options.all()[0]);
  };
  const search = async () => {
    asked?.abort();
    asked = new AbortController();
    const q = input.value.trim();
    if (q.length < 2) return show([]);
    try {
      show([...(await fragment(`${dialog.dataset.url}?q=${encodeURIComponent(q)}`, asked.signal)).children]);
    } catch (error) {
      if ((error as Error).name !== 'AbortError') show([]);
    }
  };
  input.addEventListener('input', () => {
    show([...list.querySelectorAll('[data-found]')]);
    window.clearTimeout(timer);
    timer = window.setTimeout(() => void search(), 120);
  });
  input.addEventListener('keydown', (event) => {
    if (event.key === 'Escape') { event.preventDefault(); dialog.close(); } // a search field would only empty itself
    else options.key(event);
  });
  dialog.addEventListener('close', () => { input.value = ''; show([]); });
  show([]);
}

function plain(text: string): string {
  return text.normalize('NFD').replace(/\p{M}/gu, '').toLowerCase().trim();
}

function nothing(text: string): HTMLElement {
  const item = document.createElement('li');
  item.className = 'none';
  item.textContent = text;
  return item;
}
