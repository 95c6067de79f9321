const WAIT = 900;
const MODIFIERS = new Set(['Control', 'Meta', 'Shift', 'Alt']);

/** Keys of the whole product: Ctrl-K, ?, and sequences like "g t" that elements name in data-key. */
export function listenForKeys(): void {
  let first = '';
  let since = 0;
  document.addEventListener('keydown', (event) => {
    if ((event.ctrlKey || event.metaKey) && event.key.toLowerCase() === 'k') return open(event, 'palette');
    if ((typing(event.target) && !event.ctrlKey && !event.metaKey) || event.altKey) return;
    if (MODIFIERS.has(event.key)) return;
    const named = name(event);
    const sequence = Date.now() - since < WAIT && !named.startsWith('Ctrl+') ? `${first} ${named}` : named;
    first = named;
    since = Date.now();
    if (named === '?') return open(event, 'keys');
    const target = document.querySelector<HTMLElement>(`[data-key="${CSS.escape(sequence)}"]`);
    if (!target || document.querySelector('dialog[open]')) return;
    event.preventDefault();
    if (target instanceof HTMLInputElement) target.focus();
    else target.click();
  });
}

function name(event: KeyboardEvent): string {
  return `${event.ctrlKey || event.metaKey ? 'Ctrl+' : ''}${event.key.length === 1 ? event.key.toLowerCase() : event.key}`;
}

function typing(target: EventTarget | null): boolean {
  const element = target as HTMLElement | null;
  return !!element?.closest?.('input:not([type=checkbox], [type=radio], [type=range]), textarea, select, [contenteditable]');
}

function open(event: KeyboardEvent, id: string): void {
  event.preventDefault();
  const dialog = document.getElementById(id) as HTMLDialogElement | null;
  if (dialog && !dialog.open) dialog.showModal();
}
