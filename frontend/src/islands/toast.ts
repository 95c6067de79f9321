import type { Stop } from '../islands';

const SHOWN = 7000;

/** Leaves by itself unless it must stay or somebody is reading it. */
export function mount(element: HTMLElement): Stop {
  let timer = 0;
  const start = () => { if (!('stay' in element.dataset)) timer = window.setTimeout(() => element.remove(), SHOWN); };
  const hold = () => window.clearTimeout(timer);
  element.addEventListener('pointerenter', hold);
  element.addEventListener('focusin', hold);
  element.addEventListener('pointerleave', start);
  element.addEventListener('click', (event) => (event.target as Element).closest('[data-dismiss]') && window.setTimeout(() => element.remove()));
  start();
  return hold;
}

export interface Choice { label: string; act: () => void }

/** Say something from a script; lines are kept. Choices, such as taking it back, are offered beneath. */
export function say(text: string, options: { danger?: boolean; choices?: Choice[] } = {}): void {
  const template = document.getElementById('toast-template') as HTMLTemplateElement;
  const toast = template.content.firstElementChild!.cloneNode(true) as HTMLElement;
  const words = toast.querySelector('p')!;
  words.textContent = text;
  if (options.danger) { toast.classList.add('danger'); toast.dataset.stay = ''; }
  const row = document.createElement('div');
  row.className = 'toast-choices';
  for (const choice of options.choices ?? []) {
    const button = document.createElement('button');
    button.type = 'button';
    button.className = 'button small quiet';
    button.textContent = choice.label;
    button.dataset.dismiss = '';
    button.addEventListener('click', choice.act);
    row.append(button);
  }
  if (row.childElementCount) {
    const box = document.createElement('div');
    words.replaceWith(box);
    box.append(words, row);
  }
  document.getElementById('toasts')!.append(toast);
  mount(toast);
}
