import { fragment } from '../request';
import { Options } from './options';

const PAUSE = 120;
const SHORTEST = 2;

/**
 * A text field that offers what the server knows (data-url, ?q=) and takes what is typed all the same. A chosen
 * option's value goes into the hidden field where there is one; data-then="submit" sends the form at once.
 */
export function mount(element: HTMLElement): void {
  const input = element.querySelector<HTMLInputElement>('[role=combobox]')!;
  const value = element.querySelector<HTMLInputElement>('input[type=hidden]');
  const list = element.querySelector<HTMLElement>('[role=listbox]')!;
  let timer = 0;
  let asked: AbortController | undefined;
  const shown = (open: boolean) => {
    list.hidden = !open;
    input.setAttribute('aria-expanded', String(open));
    if (!open) input.removeAttribute('aria-activedescendant');
  };
  const stop = () => { window.clearTimeout(timer); asked?.abort(); shown(false); };
  const choose = (option: HTMLElement) => {
    stop();
    input.value = option.dataset.text ?? option.dataset.value ?? '';
    if (value) value.value = option.dataset.value ?? '';
    input.dispatchEvent(new Event('change', { bubbles: true }));
    if (element.dataset.then === 'submit') input.form?.requestSubmit();
  };
  const options = new Options(input, list, choose);
  const search = async () => {
    asked?.abort();
    const q = input.value.trim();
    if (q.length < SHORTEST) return shown(false);
    asked = new AbortController();
    try {
      list.replaceChildren(await fragment(`${element.dataset.url}?q=${encodeURIComponent(q)}`, asked.signal));
    } catch { return; }
    shown(options.all().length > 0 && document.activeElement === input);
    options.select(element.dataset.then === 'submit' ? options.all()[0] : undefined);
  };
  input.addEventListener('input', () => {
    if (value) value.value = '';
    window.clearTimeout(timer);
    timer = window.setTimeout(() => void search(), PAUSE);
  });
  input.addEventListener('keydown', (event) => {
    if (event.key === 'Escape' && !list.hidden) { event.preventDefault(); event.stopPropagation(); return stop(); }
    if (list.hidden && event.key === 'ArrowDown') { event.preventDefault(); return void search(); }
    if (!list.hidden && !event.ctrlKey && !event.metaKey) options.key(event);
  });
  input.addEventListener('blur', stop);
}
