import htmx from './htmx';

/** One stream per page. It says which room changed; whoever shows that room looks again, with its own permissions. */
export function listenForNews(): void {
  const url = document.body.dataset.live;
  if (!url || !document.querySelector('[data-live-topic]')) return;
  const source = new EventSource(url);
  for (const topic of shown()) source.addEventListener(topic, () => tell(topic));
  source.addEventListener('missed', () => tell(''));
  addEventListener('pagehide', () => source.close(), { once: true });
}

function shown(): Set<string> {
  const elements = [...document.querySelectorAll<HTMLElement>('[data-live-topic]')];
  return new Set(elements.flatMap((element) => element.dataset.liveTopic!.split(' ')));
}

function tell(topic: string): void {
  for (const element of document.querySelectorAll<HTMLElement>('[data-live-topic]')) {
    const topics = element.dataset.liveTopic!.split(' ');
    if (topic === '' || topics.includes(topic)) htmx.trigger(element, 'live', { topic });
  }
}

// What a stream sets off is no sign of a person: it must not keep a session alive.
document.addEventListener('htmx:config:request', (event) => {
  const { ctx } = (event as CustomEvent<{ ctx: { sourceEvent?: Event; request: { headers: Record<string, string> } } }>).detail;
  if (ctx.sourceEvent?.type === 'live') ctx.request.headers['X-Background'] = '1';
});
