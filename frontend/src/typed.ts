import htmx from './htmx';

type Field = HTMLInputElement | HTMLTextAreaElement;

/** What somebody has typed stays when the page around it is morphed: the new field takes over what the old one was given. */
function keepTyped(old: Element, detail: { newNode: Element }): void {
  const fresh = detail.newNode;
  if (!isField(old) || !isField(fresh) || old.value === old.defaultValue) return;
  if (old instanceof HTMLTextAreaElement) fresh.textContent = old.defaultValue;
  else if (old.hasAttribute('value')) fresh.setAttribute('value', old.defaultValue);
  else fresh.removeAttribute('value');
}

function isField(element: Element): element is Field {
  const texts = 'textarea, input:not([type=checkbox], [type=radio], [type=file], [type=hidden], [type=submit], [type=button])';
  return element.matches?.(texts);
}

htmx.registerExtension('keep-typed', { htmx_before_morph_node: keepTyped });
