import { csrf } from './request';

const TELL_EVERY = 120_000;
let seen = Date.now();
let told = Date.now();

/** Nobody has touched this screen for a while: lock it. Whoever types is told of, even without a request. */
export function lockWhenIdle(): void {
  const after = Number(document.body.dataset.lockAfter) * 1000;
  if (!after) return;
  for (const kind of ['pointerdown', 'keydown', 'wheel', 'touchstart']) {
    document.addEventListener(kind, (event) => event.isTrusted && touched(), { passive: true });
  }
  setInterval(() => Date.now() - seen >= after && lock(), 5000);
}

function touched(): void {
  seen = Date.now();
  if (seen - told < TELL_EVERY) return;
  told = seen;
  void fetch('/awake', { method: 'POST', headers: { 'X-CSRF-Token': csrf() } }).then((answer) => answer.status === 403 && leave());
}

function lock(): void {
  void fetch('/lock', { method: 'POST', headers: { 'X-CSRF-Token': csrf() }, redirect: 'manual' }).finally(leave);
}

function leave(): void {
  location.assign(`/locked?next=${encodeURIComponent(location.pathname)}`);
}
