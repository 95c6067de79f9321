import { locale } from '../locale';
/** Days from the first record to now; it snaps to moments at which something was recorded, and loads on release. */
export function mount(element: HTMLElement): void {
  const form = element as HTMLFormElement;
  const range = form.querySelector<HTMLInputElement>('[type=range]')!;
  const output = form.querySelector('output')!;
  const hidden = form.querySelector<HTMLInputElement>('[data-moment]')!;
  const first = Date.parse(form.dataset.first!);
  const last = Date.parse(form.dataset.last!);
  const stops = (JSON.parse(form.dataset.stops ?? '[]') as string[]).map((stop) => Date.parse(stop)).sort((a, b) => a - b);
  const moment = new Intl.DateTimeFormat(locale(), { dateStyle: 'medium', timeStyle: 'short' });
  const span = last - first || 1;
  const max = Number(range.max);

  const at = (): number => {
    if (range.value === range.max) return last;
    const wanted = first + (Number(range.value) / max) * span;
    const near = stops.reduce((best, stop) => (Math.abs(stop - wanted) < Math.abs(best - wanted) ? stop : best), Infinity);
    return Math.abs(near - wanted) < span / 100 ? near : wanted;
  };
  const show = () => {
    const text = range.value === range.max ? form.dataset.now! : moment.format(at());
    output.textContent = text;
    range.setAttribute('aria-valuetext', text);
  };
  if (form.dataset.at) range.value = String(((Date.parse(form.dataset.at) - first) / span) * max);
  range.addEventListener('input', show);
  range.addEventListener('keydown', (event) => {
    const step = { PageUp: 1, PageDown: -1 }[event.key];
    if (!step || !stops.length) return;
    event.preventDefault();
    const here = at();
    const next = step > 0 ? stops.find((stop) => stop > here + 60_000) : stops.findLast((stop) => stop < here - 60_000);
    range.value = next === undefined ? (step > 0 ? range.max : '0') : String(((next - first) / span) * max);
    show();
    range.dispatchEvent(new Event('change'));
  });
  range.addEventListener('change', () => {
    const now = range.value === range.max;
    hidden.value = now ? '' : new Date(at()).toISOString();
    hidden.disabled = now;
    form.requestSubmit();
  });
}
