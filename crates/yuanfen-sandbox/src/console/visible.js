// Text of which every byte counts, with marks for what an eye would miss.

import { h } from "./dom.js";

const NAMES = { "\n": "↵", "\t": "⇥", "\r": "␍", "\u00a0": "NBSP", "\u200b": "ZWSP", "\ufeff": "BOM", "\u3000": "U+3000" };
// Blanks before a line's end count too, and nobody sees them.
const UNSEEN = /[\u0000-\u001f\u007f-\u00a0\u00ad\u200b-\u200f\u2028-\u202f\u2060-\u206f\u3000\ufeff\ufff9-\uffff]| (?=\n|$)/gu;

function nameOf(mark) {
  if (mark === " ") return "·";
  const point = mark.codePointAt(0);
  if (mark in NAMES) return NAMES[mark];
  return point < 0x20 ? String.fromCodePoint(0x2400 + point) : `U+${point.toString(16).toUpperCase().padStart(4, "0")}`;
}

/** The text as nodes. The marks are not selected, so what is copied is the text itself. */
export function visible(text) {
  const nodes = [];
  let from = 0;
  for (const match of text.matchAll(UNSEEN)) {
    nodes.push(text.slice(from, match.index), h("span", { class: "unseen", "data-mark": nameOf(match[0]) }));
    if (match[0] === "\n" || match[0] === " ") nodes.push(match[0]);
    from = match.index + match[0].length;
  }
  nodes.push(text.slice(from));
  return nodes.filter((node) => node !== "");
}
