import type { Stop } from '../islands';

/** A form that acts as soon as something is chosen; its button is for those without scripts. */
export function mount(element: HTMLElement): Stop {
  const form = element as HTMLFormElement;
  const go = () => form.requestSubmit();
  for (const button of form.querySelectorAll<HTMLElement>('[type=submit]')) button.hidden = true;
  form.addEventListener('change', go);
  return () => form.removeEventListener('change', go);
}
