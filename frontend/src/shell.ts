import './styles/all.css';
import './icons.svg?url';
import './favicon.svg?url';
import './htmx';
import 'htmx.org/dist/ext/hx-csp.js';
import './typed';
import { listenForKeys } from './keys';
import { listenForNews } from './live';
import { mountIslands } from './islands';
import { lockWhenIdle } from './lock';

// The <html> element is never swapped: what it says about the look is copied from the new body.
function copyLook(): void {
  const { lang, theme } = document.body.dataset;
  const root = document.documentElement;
  if (root.lang === lang && root.dataset.theme === theme) return;
  if (lang) root.lang = lang;
  if (theme) root.dataset.theme = theme;
  document.dispatchEvent(new Event('look'));
}

// Of a row that scrolls sideways, the page that one is on is in view.
function showHere(): void {
  for (const row of document.querySelectorAll<HTMLElement>('.sections, .tabs')) {
    const here = row.querySelector('[aria-current]')?.getBoundingClientRect();
    if (here) row.scrollLeft += here.left - row.getBoundingClientRect().left - (row.clientWidth - here.width) / 2;
  }
}

function afterSwap(): void {
  copyLook();
  showHere();
  mountIslands();
  document.querySelector<HTMLElement>('[data-focus]')?.focus();
}

document.addEventListener('htmx:after:swap', afterSwap);
document.addEventListener('click', (event) => {
  const opener = (event.target as Element).closest<HTMLElement>('[data-open]');
  if (opener) (document.getElementById(opener.dataset.open!) as HTMLDialogElement | null)?.showModal();
  if (event.target instanceof HTMLDialogElement) event.target.close();
  if ((event.target as Element).closest('[data-print]')) print();
});
matchMedia('(prefers-color-scheme: dark)').addEventListener('change', () => document.dispatchEvent(new Event('look')));
// Back after signing out must not show the chart that the browser kept in memory.
window.addEventListener('pageshow', (event) => event.persisted && location.reload());
showHere();
listenForKeys();
listenForNews();
lockWhenIdle();
mountIslands();
