// Where the caller's text parts from the sandbox's: both, around the place, with what differs marked.

import { h, icon } from "./dom.js";
import { has, t } from "./i18n.js";
import { inline } from "./markdown.js";
import { visible } from "./visible.js";

/** How many characters around the place are shown. */
const AROUND = 80;

/** What two texts share at their beginning and end; what is between differs. In whole characters. */
export function partOf(ours, theirs) {
  const [left, right] = [[...ours], [...theirs]];
  const shorter = Math.min(left.length, right.length);
  let start = 0;
  while (start < shorter && left[start] === right[start]) start += 1;
  let end = 0;
  while (end < shorter - start && left[left.length - 1 - end] === right[right.length - 1 - end]) end += 1;
  return { left, right, start, end };
}

export function divergence({ what, mistakes, field, at, ours, theirs }) {
  // The sandbox says it in English; other languages have words for each mistake.
  const words = mistakes.every((name) => has(`mistake.${name}`)) ? mistakes.map((name) => t(`mistake.${name}`)) : [what];
  return h("div", { class: "divergence" },
    h("h4", {}, t("divergence")),
    h("ul", { class: "plain" }, words.map((mistake) => h("li", { class: "mistake" }, icon("warn"), h("span", {}, inline(mistake), field && [" ", h("code", {}, field)])))),
    ours === theirs ? h("p", {}, t("divergence.same")) : texts(ours, theirs, at));
}

function texts(ours, theirs, at) {
  const { left, right, start, end } = partOf(ours, theirs);
  const one = (title, text, kind) => {
    const [from, to] = [Math.max(0, start - AROUND), Math.min(text.length, text.length - end + AROUND)];
    const part = text.slice(start, text.length - end).join("");
    return h("figure", {}, h("figcaption", {}, title),
      h("pre", { class: "text", tabindex: "0", role: "region", "aria-label": title },
        from > 0 && h("span", { class: "muted" }, "… "), visible(text.slice(from, start).join("")),
        part === "" ? h("mark", { class: `differs ${kind} is-nothing` }, t("divergence.nothing")) : h("mark", { class: `differs ${kind}` }, visible(part)),
        visible(text.slice(text.length - end, to).join("")), to < text.length && h("span", { class: "muted" }, " …")));
  };
  return [
    h("div", { class: "texts" }, one(t("divergence.ours"), left, "is-ours"), one(t("divergence.theirs"), right, "is-theirs")),
    typeof at === "number" && h("p", { class: "muted small-text" }, t("divergence.at", { at })),
  ];
}
