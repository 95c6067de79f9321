import { locale } from '../locale';
/** Rows under the arrow keys, Enter opens, columns sort in place, a field filters what is shown. */
export function mount(element: HTMLElement): void {
  const body = element.querySelector('tbody')!;
  const rows = () => [...body.rows].filter((row) => !row.hidden);
  for (const row of body.rows) if (row.dataset.href) row.tabIndex = -1;
  const first = rows().find((row) => row.dataset.href);
  if (first) first.tabIndex = 0;

  body.addEventListener('keydown', (event) => {
    const row = (event.target as Element).closest('tr');
    if (!row || row !== event.target) return;
    if (event.key === 'Enter' && row.dataset.href) location.assign(row.dataset.href);
    const all = rows();
    const to = { ArrowDown: all.indexOf(row) + 1, ArrowUp: all.indexOf(row) - 1, Home: 0, End: all.length - 1 }[event.key];
    if (to === undefined || !all[to]) return;
    event.preventDefault();
    row.tabIndex = -1;
    all[to].tabIndex = 0;
    all[to].focus();
  });
  body.addEventListener('click', (event) => {
    const row = (event.target as Element).closest('tr');
    if (row?.dataset.href && !(event.target as Element).closest('a, button, input, label') && !getSelection()?.toString()) location.assign(row.dataset.href);
  });
  element.querySelector<HTMLInputElement>('[data-filter]')?.addEventListener('input', (event) => {
    const words = (event.target as HTMLInputElement).value.toLowerCase().split(/\s+/).filter(Boolean);
    for (const row of body.rows) row.hidden = !words.every((word) => row.textContent!.toLowerCase().includes(word));
  });
  for (const button of element.querySelectorAll<HTMLElement>('[data-sort]')) button.addEventListener('click', () => sort(button.closest('th')!, body));
}

function sort(head: HTMLTableCellElement, body: HTMLTableSectionElement): void {
  const up = head.getAttribute('aria-sort') !== 'ascending';
  for (const other of head.parentElement!.children) other.removeAttribute('aria-sort');
  head.setAttribute('aria-sort', up ? 'ascending' : 'descending');
  const compare = new Intl.Collator(locale(), { numeric: true }).compare;
  const key = (row: HTMLTableRowElement) => row.cells[head.cellIndex]?.dataset.value ?? row.cells[head.cellIndex]?.textContent?.trim() ?? '';
  body.append(...[...body.rows].sort((a, b) => (up ? 1 : -1) * compare(key(a), key(b))));
}
