/** The few things the page does with its elements. */

/** The element with this id. */
export const at = (id) => document.getElementById(id);

/** An element with text or children in it, and attributes. */
export function make(tag, content = '', attributes = {}) {
  const made = document.createElement(tag);
  for (const [name, value] of Object.entries(attributes)) made.setAttribute(name, value);
  made.append(...[content].flat());
  return made;
}

/** Sets the text, if it is another: what did not change is not read out again. */
export function say(id, text) {
  const element = at(id);
  if (element.textContent !== text) element.textContent = text;
}

/** Puts a list in place of what is there, if it is another; `none` stands for an empty one. */
export function fill(id, items, none) {
  const shown =
    items.length > 0 || none === undefined ? items : [make('li', none, { class: 'empty' })];
  const list = at(id);
  const same =
    list.children.length === shown.length &&
    shown.every((item, n) => item.outerHTML === list.children[n].outerHTML);
  if (!same) list.replaceChildren(...shown);
}

/** Turns something; what is refused is said. */
export async function control(name, body) {
  const response = await fetch(`/control/${name}`, {
    method: 'POST',
    headers: { 'content-type': 'application/json' },
    body: JSON.stringify(body),
  }).catch(() => undefined);
  const { error = 'The head-end does not answer.' } = response ? await response.json() : {};
  say('answer', response?.ok ? '' : error);
}
