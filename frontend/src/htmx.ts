// htmx as a module: the extensions look for window.htmx, and imports are hoisted, so it is set in a file of its own.
import htmx from 'htmx.org/dist/htmx.esm.js';

(window as unknown as { htmx: unknown }).htmx = htmx;
export default htmx as {
  process(element: Element): void;
  registerExtension(name: string, hooks: Record<string, unknown>): void;
  trigger(target: Element, event: string, detail?: unknown): void;
  ajax(method: string, url: string, options: Record<string, unknown>): Promise<void>;
};
