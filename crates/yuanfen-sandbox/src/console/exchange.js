// One call: what came, what was answered, the text that the signature was checked over, and what the check came to.

import { h, icon } from "./dom.js";
import { has, t } from "./i18n.js";
import { divergence } from "./divergence.js";
import { message } from "./message.js";
import { accountName, copyButton, faultText, moment, row, status, verdict, waiting, wordOr } from "./parts.js";
import { look } from "./store.js";
import { visible } from "./visible.js";

export function exchangeDetail(number) {
  const found = look(`/api/exchanges/${encodeURIComponent(number)}`);
  return h("section", { class: "detail", "aria-labelledby": "detail-title", key: `exchange ${number}` },
    h("a", { class: "back", href: "#/exchanges" }, icon("back"), t("nav.exchanges")),
    h("h2", { id: "detail-title", tabindex: "-1" }, t("exchange.title", { number })),
    found.value === undefined ? waiting(found.failure) : about(found.value));
}

function about(exchange) {
  return [
    h("p", { class: "lead" }, h("span", { class: "strong" }, exchange.operation), status(exchange.status), verdict(exchange.signature)),
    h("dl", { class: "pairs" },
      row(t("route"), accountName(exchange.platform)),
      row(t("time"), moment(exchange.at)),
      row(t("call"), h("code", { class: "wrap" }, `${exchange.method} ${exchange.path}${exchange.query ? `?${exchange.query}` : ""}`)),
      exchange.trust && row(t("trust"), wordOr(`trust.${exchange.trust}`, exchange.trust)),
      exchange.faults.length > 0 ? row(t("nav.faults"), h("span", { class: "fault" }, icon("faults"), exchange.faults.map(faultText).join(", "))) : null),
    signature(exchange),
    message(t("request"), exchange.request),
    message(t("response"), exchange.response),
  ];
}

/** The verdict with what to do about it, the two texts where they part, and the text that was checked. */
function signature(exchange) {
  const { signature: name, canonical_text: checked, platform } = exchange;
  const rules = `signature.rules.${platform}`;
  const isBad = !["holds", "not-checked"].includes(name);
  return h("section", { class: `block signature signature-${name}` }, h("h3", {}, t("signature")),
    h("p", { class: "explain" }, wordOr(`verdict.${name}.what`, "")),
    // Where the mistake is known there is nothing to search for.
    isBad && (exchange.divergence ? divergence(exchange.divergence) : h("p", { class: "explain" }, wordOr(`verdict.${name}.do`, ""))),
    isBad && has(rules) && h("p", { class: "explain muted" }, t(rules)),
    checked !== null && checked !== undefined && [
      h("h4", {}, t("canonical"), copyButton(checked, t("copy.what", { what: t("canonical") }))),
      h("pre", { class: "text canonical", tabindex: "0", role: "region", "aria-label": t("canonical") }, visible(checked)),
      h("p", { class: "muted small-text" }, t("canonical.marks")),
    ]);
}
