// Elements from data, and trees that change in place. Text enters as text nodes only: nothing here parses markup, so
// what a shop wrote into an order is shown and never run.

const SVG = "http://www.w3.org/2000/svg";
/** What an element was made from, so that a later tree can be compared with it. */
const made = new WeakMap();

function make(node, props, children) {
  const record = { key: undefined, value: undefined, checked: undefined, on: {} };
  made.set(node, record);
  for (const [name, value] of Object.entries(props ?? {})) {
    if (name === "key") record.key = String(value);
    else if (name === "checked") record.checked = node.checked = value;
    else if (value === undefined || value === null || value === false) continue;
    else if (name.startsWith("on")) record.on[name] = node[name] = value;
    else if (name !== "value") node.setAttribute(name, value === true ? "" : value);
  }
  append(node, children);
  // After the children: a select has no value before it has options.
  if (props?.value !== undefined) record.value = node.value = String(props.value);
  return node;
}

function append(node, children) {
  for (const child of children) {
    if (Array.isArray(child)) append(node, child);
    else if (child instanceof Node) node.appendChild(child);
    else if (child !== undefined && child !== null && child !== false) node.appendChild(new Text(String(child)));
  }
}

/** An element. `on…` are handlers, `key` names it among its siblings, `value` is what a field begins with. */
export function h(tag, props, ...children) {
  return make(document.createElement(tag), props, children);
}

/** The same of a drawing. */
export function s(tag, props, ...children) {
  return make(document.createElementNS(SVG, tag), props, children);
}

/** A drawing from the page's own sheet; it says nothing that the text beside it does not say. */
export function icon(name) {
  return s("svg", { class: "icon", "aria-hidden": "true", focusable: "false" }, s("use", { href: `#i-${name}` }));
}

const keyOf = (node) => made.get(node)?.key;

/** Makes the children of `parent` what `children` are. Nodes that stay keep focus, scroll position and what was typed. */
export function show(parent, ...children) {
  const fresh = document.createElement(parent.nodeName);
  append(fresh, children);
  morphChildren(parent, fresh);
}

function morph(old, fresh) {
  if (old.nodeType === Node.TEXT_NODE) {
    if (old.data !== fresh.data) old.data = fresh.data;
    return;
  }
  morphAttributes(old, fresh);
  const before = made.get(old);
  const after = made.get(fresh);
  if (before && after) {
    for (const name of Object.keys(before.on)) if (!(name in after.on)) old[name] = null;
    for (const [name, handler] of Object.entries(after.on)) old[name] = handler;
  }
  // What is chosen stays chosen while options come and go.
  const chosen = old.nodeName === "SELECT" ? (old.options.length > 0 ? old.value : fresh.value) : undefined;
  morphChildren(old, fresh);
  if (chosen !== undefined) old.value = chosen;
  if (before && after) {
    // A field keeps what was typed until the data behind it is another.
    if (after.value !== undefined && after.value !== before.value) old.value = after.value;
    if (after.checked !== undefined) old.checked = after.checked;
    made.set(old, after);
  }
}

function morphAttributes(old, fresh) {
  for (const { name } of [...old.attributes]) {
    // Whether something is unfolded is the reader's choice.
    if (name !== "open" && !fresh.hasAttribute(name)) old.removeAttribute(name);
  }
  for (const { name, value } of fresh.attributes) {
    if (name !== "open" && old.getAttribute(name) !== value) old.setAttribute(name, value);
  }
}

const alike = (old, fresh) =>
  old.nodeType === fresh.nodeType && old.nodeName === fresh.nodeName && keyOf(old) === keyOf(fresh);

function morphChildren(parent, fresh) {
  const wanted = new Set([...fresh.childNodes].map(keyOf).filter((key) => key !== undefined));
  const known = new Map();
  for (const child of parent.childNodes) if (keyOf(child) !== undefined) known.set(keyOf(child), child);
  let cursor = parent.firstChild;
  for (const child of [...fresh.childNodes]) {
    // What goes is taken away first: moving what stays would take the focus from it.
    while (cursor && keyOf(cursor) !== undefined && !wanted.has(keyOf(cursor))) cursor = dropped(cursor);
    const key = keyOf(child);
    const match = key === undefined ? cursor : known.get(key);
    if (match && alike(match, child)) {
      if (match === cursor) cursor = cursor.nextSibling;
      else parent.insertBefore(match, cursor);
      morph(match, child);
    } else {
      parent.insertBefore(child, cursor);
      if (key === undefined && cursor && keyOf(cursor) === undefined) cursor = dropped(cursor);
    }
  }
  while (cursor) cursor = dropped(cursor);
}

function dropped(node) {
  const next = node.nextSibling;
  node.remove();
  return next;
}
