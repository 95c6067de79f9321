/** The session's token, from where htmx reads it too. */
export function csrf(): string {
  const said = document.body.getAttribute('hx-headers:inherited') ?? '{}';
  return (JSON.parse(said) as Record<string, string>)['X-CSRF-Token'] ?? '';
}

export class Refusal extends Error {
  constructor(readonly status: number, readonly problem: Problem) {
    super(problem.detail || problem.title);
  }
}

export interface Problem {
  code: string;
  title: string;
  detail?: string;
  errors?: { path: string; message: string }[];
  details?: Record<string, unknown>;
}

/** JSON there and back. A refusal is thrown with its problem; without a network fetch itself throws. */
export async function send<T>(method: string, url: string, body?: unknown, headers: Record<string, string> = {}): Promise<T> {
  const answer = await fetch(url, {
    method,
    headers: { Accept: 'application/json', 'Content-Type': 'application/json', 'X-CSRF-Token': csrf(), ...headers },
    ...(body === undefined ? {} : { body: JSON.stringify(body) }),
  });
  if (answer.status === 401) location.assign(`/sign-in?next=${encodeURIComponent(location.pathname)}`);
  if (!answer.ok) throw new Refusal(answer.status, (await answer.json()) as Problem);
  return (answer.status === 204 ? undefined : await answer.json()) as T;
}

/** Markup that our own server escaped, as nodes; DOMParser is no script sink. */
export async function fragment(url: string, signal?: AbortSignal): Promise<DocumentFragment> {
  const answer = await fetch(url, { headers: { 'HX-Request-Type': 'partial', Accept: 'text/html' }, ...(signal ? { signal } : {}) });
  const made = document.createDocumentFragment();
  if (answer.ok) made.append(...parse(await answer.text()));
  return made;
}

function parse(text: string): Node[] {
  const policy = (window as unknown as { trustedTypes?: { createPolicy: Function } }).trustedTypes;
  const trusted = policy ? (ours ??= policy.createPolicy('htmx', { createHTML: (html: string) => html })).createHTML(text) : text;
  return [...new DOMParser().parseFromString(trusted as string, 'text/html').body.childNodes];
}
let ours: { createHTML(html: string): string } | undefined;
