export type Stop = () => void;
export type Mount = (element: HTMLElement) => Stop | void;

const loaders: Record<string, () => Promise<{ mount: Mount }>> = {
  autosave: () => import('./islands/autosave'),
  calendar: () => import('./islands/calendar'),
  lookup: () => import('./islands/lookup'),
  menu: () => import('./islands/menu'),
  palette: () => import('./islands/palette'),
  passkey: () => import('./islands/passkey'),
  plot: () => import('./islands/plot'),
  print: () => import('./islands/print'),
  rows: () => import('./islands/rows'),
  search: () => import('./islands/search'),
  'submit-on-change': () => import('./islands/submit-on-change'),
  suggest: () => import('./islands/suggest'),
  table: () => import('./islands/table'),
  timeslider: () => import('./islands/timeslider'),
  toast: () => import('./islands/toast'),
};
const mounted = new Map<HTMLElement, Stop | void>();

/** Bring every island of the page to life, and stop those that have left it. */
export function mountIslands(): void {
  for (const [element, stop] of mounted) {
    if (element.isConnected) continue;
    mounted.delete(element);
    stop?.();
  }
  for (const element of document.querySelectorAll<HTMLElement>('[data-island]')) {
    const load = loaders[element.dataset.island!];
    if (!load || mounted.has(element)) continue;
    mounted.set(element, undefined);
    void load().then(({ mount }) => element.isConnected && mounted.set(element, mount(element)));
  }
}
