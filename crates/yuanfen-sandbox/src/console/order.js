// One order: the payer's phone beside payment, refunds, parts, notices and calls.

import { h, icon } from "./dom.js";
import { yuan } from "./format.js";
import { t } from "./i18n.js";
import * as api from "./api.js";
import { exchangeTable } from "./exchanges.js";
import { noticeList, noticesOf } from "./notices.js";
import { accountName, attempt, code, copyable, moment, row, state, waiting, wordOr } from "./parts.js";
import { phone } from "./phone.js";
import { data, load, look } from "./store.js";

export function orderDetail(account, number) {
  const found = look(api.path("api", "orders", account, number));
  return h("section", { class: "detail", "aria-labelledby": "detail-title", key: `order ${account} ${number}` },
    h("a", { class: "back", href: "#/orders" }, icon("back"), t("nav.orders")),
    h("h2", { id: "detail-title", tabindex: "-1" }, number),
    found.value === undefined ? waiting(found.failure) : about(found.value));
}

function about(order) {
  return [
    h("p", { class: "lead" }, h("span", { class: "amount" }, yuan(order.amount_fen)), state(order.state),
      h("span", { class: "muted" }, `${accountName(order.account)} · ${wordOr(`scene.${order.scene}`, order.scene)}`)),
    h("div", { class: "order-columns" }, phone(order), h("div", { class: "facts" },
      facts(order), refunds(order), parts(order), notices(order), calls(order))),
  ];
}

function facts(order) {
  return block(t("order.facts"), h("dl", { class: "pairs" },
    row(t("description"), order.description),
    row(t("placed"), moment(order.created_at)),
    row(t("expires"), order.expires_at && moment(order.expires_at)),
    row(t("paid-at"), order.paid_at && moment(order.paid_at)),
    row(t("transaction"), order.transaction_id && copyable(order.transaction_id, t("copy.what", { what: t("transaction") }))),
    row(t("payer"), order.payer && code(order.payer)),
    row(t("whole"), order.whole && h("a", { href: `#/orders/${order.account}/${encodeURIComponent(order.whole)}` }, order.whole)),
    row(t("notify-url"), order.notify_url && code(order.notify_url)),
    row(t("code-url"), order.code_url && copyable(order.code_url, t("copy.what", { what: t("code-url") })))));
}

const block = (title, ...content) => h("section", { class: "block" }, h("h3", {}, title), ...content);

function refunds(order) {
  if (order.refunds.length === 0) return null;
  const settle = (refund, end) => () =>
    attempt(async () => {
      await api.post(api.path("api", "refunds", order.account, refund.refund_no, end));
      await load("orders");
    }, t("refund.settled"));
  const buttons = (refund) => ({ processing: ["succeed", "close", "abnormal"], abnormal: ["succeed", "close"] }[refund.state] ?? [])
    .map((end) => h("button", { type: "button", class: "small", onclick: settle(refund, end) }, t(`refund.${end}`)));
  return block(t("refunds"), h("ul", { class: "plain refunds" }, order.refunds.map((refund) =>
    h("li", { key: refund.refund_no },
      h("div", { class: "spread" }, h("span", { class: "strong" }, refund.refund_no), h("span", { class: "number" }, yuan(refund.amount_fen))),
      h("div", { class: "spread" }, h("span", {}, state(refund.state)), h("span", { class: "buttons" }, buttons(refund)))))));
}

/** The numbers of the orders that are paid with this one. */
function parts(order) {
  if (order.parts.length === 0) return null;
  return block(t("parts"), h("ul", { class: "plain" }, order.parts.map((number) =>
    h("li", { key: number }, h("a", { href: `#/orders/${order.account}/${encodeURIComponent(number)}` }, number)))));
}

function notices(order) {
  const found = noticesOf(data.notices ?? [], (notice) =>
    notice.account === order.account && notice.order_no === order.order_no);
  return block(t("nav.notices"), found.length > 0 ? noticeList(found, false)
    : h("p", { class: "muted" }, t(order.notify_url ? "order.no-notices" : "order.no-notify-url")));
}

function calls(order) {
  const named = look(`/api/exchanges?limit=50&about=${encodeURIComponent(order.order_no)}`).value ?? [];
  const found = named.filter((exchange) => exchange.platform === order.platform);
  return block(t("nav.exchanges"), found.length > 0 ? exchangeTable(found, undefined, t("order.calls", { number: order.order_no }))
    : h("p", { class: "muted" }, t("order.no-calls")));
}
