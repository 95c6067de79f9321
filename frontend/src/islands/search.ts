/** From the field into its results: the arrow goes down into them, Enter opens the first. */
export function mount(element: HTMLElement): void {
  const field = element.querySelector<HTMLInputElement>('input[type=search]')!;
  const first = () => element.querySelector<HTMLElement>('tbody tr[data-href], .people-list a');
  field.addEventListener('keydown', (event) => {
    const target = first();
    if (!target || (event.key !== 'ArrowDown' && event.key !== 'Enter')) return;
    event.preventDefault();
    if (event.key === 'ArrowDown') target.focus();
    else location.assign(target.dataset.href ?? (target as HTMLAnchorElement).href);
  });
}
