/** A button that opens the browser's print dialogue. */
export function mount(element: HTMLElement): void {
  element.addEventListener('click', () => print());
}
