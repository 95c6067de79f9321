import './styles/all.css';
import './styles/docs.css';
import { h } from './docs/page';
import { shown, type Operation } from './docs/operation';
import type { Components } from './docs/schema';

interface Described { info: { title: string; version: string; description: string }; paths: Record<string, Record<string, Operation>>; components: { schemas: Components } }

const ORDER = ['patients', 'appointments', 'visits', 'notes', 'records', 'prescriptions', 'staff', 'organisations', 'identity', 'audit', 'system', 'commands'];
const main = document.getElementById('main')!;

async function begin(): Promise<void> {
  const answer = await fetch(main.dataset.url!);
  if (!answer.ok) throw new Error(String(answer.status));
  const described = (await answer.json()) as Described;
  const groups = grouped(described);
  const filter = h('input', { id: 'filter', type: 'search', autocomplete: 'off', spellcheck: 'false', placeholder: 'A path, a method or a word' });
  const token = h('input', { id: 'token', type: 'password', autocomplete: 'off', spellcheck: 'false' });
  const count = h('p', { class: 'muted', 'aria-live': 'polite' });
  main.replaceChildren(
    h('header', { class: 'stack' }, h('h1', {}, `${described.info.title} API`), h('p', { class: 'muted' }, `Version ${described.info.version}. ${described.info.description}`),
      h('p', {}, h('a', { href: main.dataset.url!, download: 'openapi.json' }, 'The same as OpenAPI 3.1'))),
    h('div', { class: 'form' },
      h('div', { class: 'field' }, h('label', { for: 'filter' }, 'Find'), filter),
      h('div', { class: 'field' }, h('label', { for: 'token' }, 'Token'), token, h('p', { class: 'hint' }, 'Left empty, requests use the session of this browser. It is kept nowhere.'))),
    count, ...groups.map(({ section }) => section));
  const look = () => {
    let found = 0;
    const words = filter.value.toLowerCase().split(/\s+/).filter(Boolean);
    for (const { section, operations } of groups) {
      let here = 0;
      for (const { element, text } of operations) here += Number(!(element.hidden = !words.every((word) => text.includes(word))));
      section.hidden = here === 0;
      if (words.length) section.open = true;
      found += here;
    }
    count.textContent = `${found} operations`;
  };
  filter.addEventListener('input', look);
  look();
  const linked = document.getElementById(location.hash.slice(1));
  if (linked instanceof HTMLDetailsElement) {
    linked.closest<HTMLDetailsElement>('details.group')!.open = linked.open = true;
    linked.scrollIntoView();
  }
}

function grouped(described: Described) {
  const tags = new Map<string, { element: HTMLElement; text: string }[]>();
  for (const [path, methods] of Object.entries(described.paths)) {
    for (const [method, operation] of Object.entries(methods)) {
      const element = shown(method, path, operation, described.components.schemas);
      const text = `${method} ${path} ${operation.summary} ${operation.description ?? ''}`.toLowerCase();
      const tag = operation.tags[0] ?? 'other';
      tags.set(tag, [...(tags.get(tag) ?? []), { element, text }]);
    }
  }
  const rank = (tag: string) => (ORDER.indexOf(tag) + 1 || ORDER.length + 1);
  return [...tags].sort(([one], [two]) => rank(one) - rank(two)).map(([tag, operations]) => {
    const title = h('summary', {}, h('h2', {}, tag), h('span', { class: 'count' }, String(operations.length)));
    return { section: h('details', { class: 'group card' }, title, ...operations.map(({ element }) => element)), operations };
  });
}

begin().catch(() => main.replaceChildren(h('h1', {}, 'Salerno API'), h('p', { class: 'field-error', role: 'alert' }, 'The description could not be read. Reload the page.')));
