import { mountIslands } from '../islands';
import { fragment } from '../request';

/** A button that adds one more empty row to a list of a form. */
export function mount(element: HTMLElement): void {
  element.addEventListener('click', async () => {
    const list = document.getElementById(element.dataset.rows!)!;
    const numbers = [...list.querySelectorAll<HTMLInputElement>('input, select')].map((field) => Number(field.name.split('.')[1] ?? 0));
    list.append(await fragment(`${element.dataset.url}${Math.max(-1, ...numbers) + 1}`));
    list.lastElementChild?.querySelector<HTMLElement>('input, select')?.focus();
    mountIslands();
  });
}
