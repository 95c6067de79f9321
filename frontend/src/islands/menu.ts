import type { Stop } from '../islands';

/** A <details> that closes like a menu: by Escape, by a click elsewhere, by leaving it; arrows move inside. */
export function mount(element: HTMLElement): Stop {
  const menu = element as HTMLDetailsElement;
  const summary = menu.querySelector('summary')!;
  const items = () => [...menu.querySelectorAll<HTMLElement>('[role=menuitem]')];
  const outside = (event: Event) => { if (!menu.contains(event.target as Node)) menu.open = false; };
  const keys = (event: KeyboardEvent) => {
    if (event.key === 'Escape') { menu.open = false; summary.focus(); return; }
    const step = { ArrowDown: 1, ArrowUp: -1 }[event.key];
    if (!step) return;
    event.preventDefault();
    menu.open = true;
    const all = items();
    const at = all.indexOf(document.activeElement as HTMLElement);
    all[(at + step + all.length) % all.length]?.focus();
  };
  menu.addEventListener('keydown', keys);
  document.addEventListener('pointerdown', outside);
  document.addEventListener('focusin', outside);
  return () => {
    document.removeEventListener('pointerdown', outside);
    document.removeEventListener('focusin', outside);
  };
}
