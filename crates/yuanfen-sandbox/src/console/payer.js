// A payer with a phone in hand: orders that wait for one, and the code that a till scans.

import { h, icon } from "./dom.js";
import { beijing, yuan } from "./format.js";
import { t } from "./i18n.js";
import * as api from "./api.js";
import { sandboxNow } from "./clock.js";
import { orderLink } from "./orders.js";
import { accountName, attempt, copyButton, empty, state, waiting, wordOr } from "./parts.js";
import { frame, qr } from "./phone.js";
import { changed, data, failures } from "./store.js";

/** A payment code lives a minute. */
const LIFE = 60_000;
const PLATFORMS = ["wechat-v3", "wechat-v2"];
let till = null;

export function payer() {
  return h("section", { class: "page", "aria-labelledby": "payer-title" },
    h("h1", { id: "payer-title", tabindex: "-1" }, t("nav.payer")), h("p", { class: "intro" }, t("payer.intro")),
    h("div", { class: "payer-columns" }, wallet(), h("div", {}, codeForm(), waitingOrders())));
}

function wallet() {
  const now = sandboxNow() ?? new Date();
  const screen = till === null
    ? [h("p", { class: "phone-hint" }, t("payer.no-code"))]
    : [
      h("p", { class: "phone-hint" }, t("payer.show")), qr(till.code, t("payer.qr")),
      h("p", { class: "phone-code" }, h("span", { id: "payment-code" }, till.code.replace(/(\d{4})(?=\d)/g, "$1 ")), copyButton(till.code, t("copy.what", { what: t("payer.code") }))),
      h("p", { class: "phone-hint" }, `${accountName(till.platform)} · ${wordOr(`reaction.${till.reaction}`, till.reaction)}`),
      h("p", { class: "phone-hint" }, now - till.at < LIFE ? t("payer.lives") : t("payer.over")),
    ];
  return frame(t("payer.phone"), beijing(now).time.slice(0, 5), ...screen);
}

function codeForm() {
  const send = (event) => {
    event.preventDefault();
    const { platform, reaction } = event.target.elements;
    void attempt(async () => {
      const { code } = await api.post(api.path("api", "payment-codes", platform.value), { reaction: reaction.value });
      till = { code, platform: platform.value, reaction: reaction.value, at: sandboxNow() ?? new Date() };
      changed();
    }, t("payer.shown"));
  };
  return h("section", { class: "card", "aria-labelledby": "till-title" }, h("h2", { id: "till-title" }, t("payer.till")),
    h("p", { class: "explain muted" }, t("payer.till.explain")),
    h("form", { class: "form", onsubmit: send },
      h("label", { class: "field" }, h("span", {}, t("route")), h("select", { name: "platform" }, PLATFORMS.map((value) => h("option", { value }, accountName(value))))),
      h("label", { class: "field" }, h("span", {}, t("payer.reaction")), h("select", { name: "reaction" },
        (data.words?.reactions ?? []).map((value) => h("option", { value }, wordOr(`reaction.${value}`, value))))),
      h("button", { type: "submit", class: "primary" }, icon("key"), t("payer.make"))));
}

function waitingOrders() {
  const open = (data.orders ?? []).filter((order) => ["unpaid", "payer-typing"].includes(order.state));
  return h("section", { class: "card", "aria-labelledby": "open-title" }, h("h2", { id: "open-title" }, t("payer.open")),
    data.orders === undefined ? waiting(failures.orders)
      : open.length === 0 ? empty(t("payer.none-open"))
        : h("ul", { class: "plain open-orders" }, open.slice(0, 20).map((order) => h("li", { key: `${order.account} ${order.order_no}` },
          h("a", { href: orderLink(order), class: "spread" },
            h("span", {}, h("span", { class: "strong" }, order.order_no), h("span", { class: "second" }, order.description || accountName(order.account))),
            h("span", { class: "number" }, yuan(order.amount_fen)), state(order.state))))));
}
