import { h } from './page';
import type { Operation, Parameter } from './operation';

const SHOWN = 200_000;

/** Sends the request as it is filled in, with the token that stands at the top or with this browser's session. */
export function trying(method: string, path: string, operation: Operation): HTMLElement {
  const prefix = operation.operationId;
  const parameters = (operation.parameters ?? []).map((each) => ({ each, input: field(prefix, each) }));
  const [media, content] = Object.entries(operation.requestBody?.content ?? {})[0] ?? [];
  const body = content && h('textarea', { id: `${prefix}-body`, rows: '10', spellcheck: 'false' }, content.example === undefined ? '{}' : JSON.stringify(content.example, null, 2));
  const answer = h('div', { class: 'answer', 'aria-live': 'polite' });
  const form = h('form', { class: 'stack try' },
    h('div', { class: 'form' }, ...parameters.map(({ each, input }) => labelled(each.name, input, each.description))),
    body && labelled('Body', body),
    h('div', { class: 'actions' }, h('button', { class: 'button primary', type: 'submit' }, h('span', {}, 'Send'))), answer);
  form.addEventListener('submit', (event) => {
    event.preventDefault();
    void send(method, path, parameters, media, body?.value, answer);
  });
  return form;
}

function field(prefix: string, each: Parameter): HTMLInputElement {
  return h('input', { id: `${prefix}-${each.in}-${each.name}`, type: 'text', autocomplete: 'off', spellcheck: 'false', required: Boolean(each.required), placeholder: each.schema?.format ?? '' });
}

function labelled(name: string, input: HTMLElement, hint = ''): HTMLElement {
  return h('div', { class: input instanceof HTMLTextAreaElement ? 'field wide' : 'field' }, h('label', { for: input.id }, name), input, hint !== '' && h('p', { class: 'hint' }, hint));
}

async function send(
  method: string, path: string, parameters: { each: Parameter; input: HTMLInputElement }[], media: string | undefined, body: string | undefined, answer: HTMLElement,
): Promise<void> {
  let url = path;
  const query = new URLSearchParams();
  const headers: Record<string, string> = { Accept: 'application/json, text/plain;q=0.5, */*;q=0.1' };
  for (const { each, input } of parameters) {
    if (each.in === 'path') url = url.replace(`{${each.name}}`, encodeURIComponent(input.value));
    else if (input.value && each.in === 'query') query.append(each.name, input.value);
    else if (input.value) headers[each.name] = input.value;
  }
  if (media && body !== undefined) headers['Content-Type'] = media;
  const token = document.querySelector<HTMLInputElement>('#token')?.value.trim();
  if (token) headers.Authorization = `Bearer ${token}`;
  const csrf = document.body.dataset.csrf;
  if (csrf && !token) headers['X-CSRF-Token'] = csrf;
  const since = performance.now();
  try {
    const found = await fetch(query.size ? `${url}?${query}` : url, { method: method.toUpperCase(), headers, body: media ? body ?? null : null, credentials: token ? 'omit' : 'same-origin' });
    const text = await found.text();
    const told = [...found.headers].filter(([name]) => ['etag', 'location', 'content-type', 'retry-after', 'x-request-id'].includes(name));
    answer.replaceChildren(
      h('p', {}, h('strong', {}, `${found.status} ${found.statusText}`), ` · ${Math.round(performance.now() - since)} ms`),
      h('pre', { tabindex: '0', 'aria-label': 'Headers' }, told.map(([name, value]) => `${name}: ${value}`).join('\n')),
      h('pre', { tabindex: '0', 'aria-label': 'Answer' }, pretty(text)),
    );
  } catch {
    answer.replaceChildren(h('p', { class: 'field-error' }, 'The server did not answer.'));
  }
}

function pretty(text: string): string {
  try {
    return JSON.stringify(JSON.parse(text), null, 2).slice(0, SHOWN);
  } catch {
    return text.slice(0, SHOWN);
  }
}
