// The payer's phone, drawn: what the payer of an order sees, and what they do.

import { h, icon } from "./dom.js";
import { beijing, yuan } from "./format.js";
import { t } from "./i18n.js";
import * as api from "./api.js";
import { accountName, attempt, moment, say } from "./parts.js";
import { load } from "./store.js";

/** The phone's frame around a screen. */
export function frame(label, at, ...screen) {
  return h("div", { class: "phone", role: "group", "aria-label": label },
    h("div", { class: "phone-bar", "aria-hidden": "true" }, h("span", {}, at), h("span", { class: "phone-ear" }), h("span", { class: "phone-bars" })),
    h("div", { class: "phone-screen" }, ...screen));
}

export function phone(order) {
  const screens = {
    unpaid: cashier, "payer-typing": typing, closed: over, revoked: over, "payment-failed": failed,
  };
  const at = order.paid_at ?? order.created_at;
  return frame(t("phone.label", { number: order.order_no }), beijing(at).time.slice(0, 5), (screens[order.state] ?? paid)(order));
}

/** A text as a QR code, which the sandbox draws. */
export const qr = (text, label) =>
  h("img", { class: "qr", src: `/console/qr.svg?text=${encodeURIComponent(text)}`, alt: label, width: 164, height: 164 });

/** Does what the payer does, and reads the order again at once: the event stream would tell, a moment later. */
function act(order, what) {
  return () => attempt(async () => {
    await api.post(api.path("api", "orders", order.account, order.order_no, what));
    await load("orders");
  }, t(`phone.did.${what}`));
}

const button = (order, what, kind = "phone-second") =>
  h("button", { type: "button", class: kind, id: `phone-${what}`, key: what, onclick: act(order, what) },
    what === "pay" ? t("phone.pay", { amount: yuan(order.amount_fen) }) : t(`phone.${what}`));

const heading = (order) => [
  h("p", { class: "phone-shop" }, accountName(order.account)),
  h("p", { class: "phone-what" }, order.description || order.order_no),
  h("p", { class: "phone-amount" }, yuan(order.amount_fen)),
];

function cashier(order) {
  return [
    order.code_url ? [h("p", { class: "phone-hint" }, t("phone.scan")), qr(order.code_url, t("phone.qr", { number: order.order_no }))]
      : h("p", { class: "phone-hint" }, t("phone.asked")),
    heading(order),
    h("div", { class: "phone-buttons" }, button(order, "pay", "phone-pay"),
      ["fail", "cancel"].map((what) => button(order, what))),
  ];
}

function typing(order) {
  return [
    h("p", { class: "phone-hint" }, t("phone.typing")),
    heading(order),
    h("p", { class: "phone-password", "aria-hidden": "true" }, [1, 2, 3, 4, 5, 6].map((place) => h("span", { class: place < 4 ? "full" : "" }))),
    h("div", { class: "phone-buttons" }, button(order, "pay", "phone-pay"), ["type", "fail", "cancel"].map((what) => button(order, what))),
  ];
}

function paid(order) {
  const isBack = order.state === "refunded";
  return [
    h("div", { class: isBack ? "phone-mark" : "phone-mark is-paid" }, icon(isBack ? "refunded" : "check")),
    h("p", { class: "phone-result" }, t(isBack ? "phone.refunded" : "phone.paid")),
    heading(order),
    h("p", { class: "phone-hint" }, moment(order.paid_at)),
    order.state !== "refunded" && comment(order),
  ];
}

const over = (order) => [
  h("div", { class: "phone-mark" }, icon("closed")),
  h("p", { class: "phone-result" }, t(`phone.${order.state}`)),
  heading(order),
];

const failed = (order) => [
  h("div", { class: "phone-mark is-bad" }, icon("cross")),
  h("p", { class: "phone-result" }, t("phone.failed")),
  heading(order),
  h("p", { class: "phone-hint" }, t("phone.failed-hint")),
];

/** What the payer says of it afterwards; v2's shops can fetch it. */
function comment(order) {
  if (order.platform !== "wechat-v2") return null;
  const send = (event) => {
    event.preventDefault();
    const form = event.target;
    void attempt(async () => {
      const text = form.elements.words.value;
      await api.post(api.path("api", "orders", order.account, order.order_no, "comment"), { stars: Number(form.elements.stars.value), text });
      form.reset();
      say(t("phone.commented"));
    });
  };
  return h("details", { class: "phone-more" }, h("summary", {}, t("phone.comment")),
    h("form", { onsubmit: send },
      h("label", {}, t("phone.stars"), h("select", { name: "stars" }, [5, 4, 3, 2, 1].map((stars) => h("option", { value: stars }, stars)))),
      h("label", {}, t("phone.words"), h("input", { name: "words", required: true, maxlength: 200 })),
      h("button", { type: "submit", class: "phone-second" }, t("phone.comment.send"))));
}
