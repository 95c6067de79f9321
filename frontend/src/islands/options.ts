/** A list of options that the arrow keys walk while the focus stays in the field. */
export class Options {
  constructor(private readonly input: HTMLInputElement, private readonly list: HTMLElement, private readonly choose: (option: HTMLElement) => void) {
    list.addEventListener('pointerdown', (event) => event.preventDefault());
    list.addEventListener('click', (event) => {
      const option = (event.target as Element).closest<HTMLElement>('[role=option]');
      if (option) choose(option);
    });
  }

  all(): HTMLElement[] {
    return [...this.list.querySelectorAll<HTMLElement>('[role=option]:not([hidden])')];
  }

  current(): HTMLElement | undefined {
    return this.all().find((option) => option.getAttribute('aria-selected') === 'true');
  }

  select(option: HTMLElement | undefined): void {
    for (const each of this.all()) each.setAttribute('aria-selected', String(each === option));
    if (option) {
      option.id ||= `${this.list.id}-${this.all().indexOf(option)}`;
      this.input.setAttribute('aria-activedescendant', option.id);
      option.scrollIntoView({ block: 'nearest' });
    } else this.input.removeAttribute('aria-activedescendant');
  }

  /** True when the key was one of the list's. */
  key(event: KeyboardEvent): boolean {
    const all = this.all();
    const at = all.indexOf(this.current()!);
    const step = { ArrowDown: 1, ArrowUp: -1 }[event.key];
    if (step && all.length) this.select(all[(at + step + all.length) % all.length]);
    else if (event.key === 'Enter' && at >= 0) this.choose(all[at]!);
    else return false;
    event.preventDefault();
    return true;
  }
}
