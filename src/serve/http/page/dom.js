// Elements from plain values. Text is always text and never markup.

/** Makes an element: attributes, properties and listeners by name, then children. */
export function h(name, given = {}, ...children) {
  const element = document.createElement(name);
  for (const [key, value] of Object.entries(given)) set(element, key, value);
  add(element, children);
  return element;
}

const PROPERTIES = new Set(["value", "checked", "disabled", "hidden", "htmlFor", "selected", "open"]);

function set(element, key, value) {
  if (value === undefined || value === null || value === false) {
    if (PROPERTIES.has(key)) element[key] = key === "value" ? "" : false;
    return;
  }
  if (key.startsWith("on")) element.addEventListener(key.slice(2), value);
  else if (key === "class") element.className = value;
  else if (key === "style") Object.entries(value).forEach(([name, one]) => element.style.setProperty(name, one));
  else if (key === "data") Object.assign(element.dataset, value);
  else if (PROPERTIES.has(key)) element[key] = value;
  else element.setAttribute(key, value === true ? "" : value);
}

function add(element, children) {
  for (const child of children.flat(Infinity)) {
    if (child === undefined || child === null || child === false || child === "") continue;
    element.append(child instanceof Node ? child : String(child));
  }
}

/** Replaces what is in an element, and leaves it alone where it would look the same: focus, selection and readers stay. */
export function fill(element, ...children) {
  const made = document.createElement(element.localName);
  add(made, children);
  if (made.innerHTML === element.innerHTML) return;
  const focused = element.contains(document.activeElement) ? document.activeElement.dataset.focus : undefined;
  element.replaceChildren(...made.childNodes);
  if (focused) element.querySelector(`[data-focus="${CSS.escape(focused)}"]`)?.focus({ preventScroll: true });
}

/** Sets the text of an element where it differs. */
export function say(element, text) {
  const told = String(text);
  if (element.textContent !== told) element.textContent = told;
}

/** Tells those who listen instead of looking. */
export function announce(text) {
  say(document.getElementById("said"), text);
}
