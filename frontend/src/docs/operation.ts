import { h } from './page';
import { fields, kind, type Components, type Schema } from './schema';
import { trying } from './trying';

export interface Parameter { name: string; in: string; required?: boolean; description?: string; schema?: Schema }
type Content = Record<string, { schema?: Schema; example?: unknown }>;
export interface Operation {
  operationId: string; summary: string; description?: string; tags: string[]; parameters?: Parameter[]; security?: unknown[];
  requestBody?: { content: Content }; responses: Record<string, { description: string; content?: Content }>;
}

/** One operation, closed; its inside is made when it is opened for the first time. */
export function shown(method: string, path: string, operation: Operation, components: Components): HTMLDetailsElement {
  const summary = h('summary', {}, h('span', { class: `method ${method}` }, method.toUpperCase()), h('code', {}, path), h('span', { class: 'said' }, operation.summary));
  const details = h('details', { id: operation.operationId, class: 'operation' }, summary);
  details.addEventListener('toggle', () => {
    if (!details.open || details.childElementCount > 1) return;
    details.append(inside(method, path, operation, components));
  });
  return details;
}

function inside(method: string, path: string, operation: Operation, components: Components): HTMLElement {
  const content = Object.values(operation.requestBody?.content ?? {})[0];
  return h('div', { class: 'stack inside' },
    h('p', { class: 'muted' }, operation.security ? (operation.description ?? '').replaceAll('`', '') : 'Open to everybody.'),
    Boolean(operation.parameters?.length) && section('Parameters', parameters(operation.parameters!, components)),
    content?.schema && section('Body', fields(content.schema, components)),
    content?.example !== undefined && section('Example', h('pre', { tabindex: '0', 'aria-label': 'Example' }, JSON.stringify(content.example, null, 2))),
    section('Answers', answers(operation, components)),
    section('Try it', trying(method, path, operation)));
}

function section(title: string, content: HTMLElement): HTMLElement {
  return h('section', { class: 'stack' }, h('h3', {}, title), content);
}

function parameters(all: Parameter[], components: Components): HTMLElement {
  const rows = all.map((each) => h('tr', {}, h('th', { scope: 'row' }, h('code', {}, each.name), Boolean(each.required) && h('span', { class: 'chip plain' }, 'needed')), h('td', {}, each.in), h('td', {}, each.schema ? kind(each.schema, components) : ''), h('td', {}, each.description ?? '')));
  return h('div', { class: 'table-scroll', tabindex: '0', role: 'group', 'aria-label': 'Parameters' }, h('table', {}, h('tbody', {}, ...rows)));
}

function answers(operation: Operation, components: Components): HTMLElement {
  const list = h('ul', { class: 'answers' });
  for (const [status, answer] of Object.entries(operation.responses)) {
    const [media, content] = Object.entries(answer.content ?? {})[0] ?? [];
    const line = h('span', {}, h('strong', {}, status), ` ${answer.description} `, media && h('code', {}, media));
    const schema = content?.schema;
    list.append(h('li', {}, schema && status < '300' ? later(line, () => fields(schema, components)) : line));
  }
  return list;
}

function later(line: HTMLElement, make: () => HTMLElement): HTMLElement {
  const details = h('details', {}, h('summary', {}, line));
  details.addEventListener('toggle', () => details.open && details.childElementCount === 1 && details.append(make()));
  return details;
}
