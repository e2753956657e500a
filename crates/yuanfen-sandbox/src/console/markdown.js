// As much of Markdown as the sandbox's own pages use: headings, paragraphs, bold words and code. It becomes elements
// with text in them; nothing else does.

import { h } from "./dom.js";

/** A line's worth of text: `code` and **bold** stand out. */
export const inline = (text) => text.split(/(`[^`]+`|\*\*[^*]+\*\*)/).map((part) => {
  if (part.startsWith("`") && part.length > 2) return h("code", {}, part.slice(1, -1));
  if (part.startsWith("**") && part.length > 4) return h("strong", {}, part.slice(2, -2));
  return part;
});

/** Lines of a paragraph are one line, and without a blank between two Chinese characters. */
const joined = (text) => text.replace(/(?<=[\u2e80-\u9fff\uff00-\uffef])\n(?=[\u2e80-\u9fff\uff00-\uffef])/g, "").replace(/\n/g, " ");

export const blocks = (text) => text.split(/\n\s*\n/).map((block) => block.trim()).filter(Boolean)
  .map((block) => (/^#+ /.test(block) ? h("p", { class: "strong" }, inline(block.replace(/^#+ /, ""))) : h("p", {}, inline(joined(block)))));
