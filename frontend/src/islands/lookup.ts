import { fragment } from '../request';
import { Options } from './options';

/** A select with search: options come from the server, the value travels in the hidden field. */
export function mount(element: HTMLElement): void {
  const input = element.querySelector<HTMLInputElement>('[role=combobox]')!;
  const value = element.querySelector<HTMLInputElement>('input[type=hidden]')!;
  const list = element.querySelector<HTMLElement>('[role=listbox]')!;
  let timer = 0;
  let asked: AbortController | undefined;
  const shown = (open: boolean) => { list.hidden = !open; input.setAttribute('aria-expanded', String(open)); };
  const choose = (option: HTMLElement) => {
    value.value = option.dataset.value ?? '';
    input.value = option.dataset.text ?? option.textContent?.trim() ?? '';
    shown(false);
    value.dispatchEvent(new Event('change', { bubbles: true }));
  };
  const options = new Options(input, list, choose);
  const search = async () => {
    asked?.abort();
    asked = new AbortController();
    const join = element.dataset.url!.includes('?') ? '&' : '?';
    try {
      list.replaceChildren(await fragment(`${element.dataset.url}${join}q=${encodeURIComponent(input.value.trim())}`, asked.signal));
    } catch { return; }
    if (!options.all().length) list.append(Object.assign(document.createElement('li'), { className: 'none', textContent: element.dataset.none }));
    shown(true);
    options.select(options.all()[0]);
  };
  input.addEventListener('input', () => {
    value.value = '';
    window.clearTimeout(timer);
    timer = window.setTimeout(() => void search(), 120);
  });
  input.addEventListener('keydown', (event) => {
    if (event.key === 'Escape') { event.preventDefault(); return shown(false); }
    if (list.hidden && event.key === 'ArrowDown') { event.preventDefault(); return void search(); }
    if (!list.hidden) options.key(event);
  });
  input.addEventListener('blur', () => shown(false));
}
