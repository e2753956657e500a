// What went over the wire in one direction: headers, and a body that can be read or looked at byte by byte.

import { h } from "./dom.js";
import { pretty } from "./format.js";
import { t } from "./i18n.js";
import { copyButton } from "./parts.js";
import { changed } from "./store.js";
import { visible } from "./visible.js";

/** Whether bodies are shown as they came. */
const shown = { raw: false };

/** What went over the wire in one direction; `null` where the connection was cut. */
export function message(title, sent) {
  if (!sent) return h("section", { class: "block" }, h("h3", {}, title), h("p", { class: "muted" }, t("exchange.cut")));
  const type = sent.headers.find(([name]) => name.toLowerCase() === "content-type")?.[1] ?? "";
  return h("section", { class: "block" }, h("h3", {}, title),
    sent.headers.length > 0 && h("details", { open: true }, h("summary", {}, t("headers.count", { count: sent.headers.length })),
      h("table", { class: "headers" }, h("caption", { class: "spoken" }, `${title}: ${t("headers")}`),
        h("tbody", {}, sent.headers.map(([name, value], index) =>
          h("tr", { key: `${name} ${index}` }, h("th", { scope: "row" }, name), h("td", {}, value)))))),
    bodyBlock(title, sent.body, type));
}

/** A body is a text, or base64 of bytes that are none; a long one is cut. */
function bodyBlock(title, { text, base64, length, is_cut: isCut }, type) {
  if (length === 0) return h("p", { class: "muted" }, t("body.none"));
  const nice = base64 ? null : pretty(text, type);
  const choose = (raw) => () => {
    shown.raw = raw;
    changed();
  };
  return [
    h("div", { class: "spread body-bar" },
      h("span", { class: "muted small-text" }, t(base64 ? "body.bytes" : "body.text", { length })),
      nice !== null && h("span", { class: "switch", role: "group", "aria-label": t("body.form") },
        h("button", { type: "button", "aria-pressed": String(!shown.raw), onclick: choose(false) }, t("body.pretty")),
        h("button", { type: "button", "aria-pressed": String(shown.raw), onclick: choose(true) }, t("body.raw"))),
      copyButton(base64 ?? text, t("copy.what", { what: `${title}: ${t("body")}` }))),
    h("pre", { class: "text", tabindex: "0", role: "region", "aria-label": `${title}: ${t("body")}` },
      nice !== null && !shown.raw ? nice : base64 ?? visible(text)),
    isCut && h("p", { class: "muted small-text" }, t("body.cut")),
  ];
}
