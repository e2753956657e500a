// All orders as they change, and beside them the one that is looked at.

import { h, icon } from "./dom.js";
import { yuan } from "./format.js";
import { t } from "./i18n.js";
import { firstCall } from "./first_call.js";
import { orderDetail } from "./order.js";
import { ACCOUNTS, STATES, accountName, empty, moment, state, waiting, wordOr } from "./parts.js";
import { changed, data, failures, loadMore, mayHaveMore } from "./store.js";

const filter = { text: "", account: "", state: "" };

export const orderLink = (order) => `#/orders/${order.account}/${encodeURIComponent(order.order_no)}`;

const matches = (order) =>
  (filter.account === "" || order.account === filter.account) &&
  (filter.state === "" || order.state === filter.state) &&
  [order.order_no, order.description, order.transaction_id, order.payer]
    .some((text) => text?.toLowerCase().includes(filter.text.toLowerCase()) ?? false);

export function orders([account, number]) {
  const chosen = number === undefined ? undefined : { account, number };
  return h("div", { class: chosen ? "split has-detail" : "split" },
    h("section", { class: "list", "aria-labelledby": "orders-title" },
      h("h1", { id: "orders-title", tabindex: "-1" }, t("nav.orders")), list(chosen)),
    chosen && orderDetail(account, number));
}

function list(chosen) {
  if (data.orders === undefined) return waiting(failures.orders);
  if (data.orders.length === 0) return firstCall();
  const shown = data.orders.filter(matches);
  return [
    filters(),
    h("p", { class: "count muted", role: "status" }, t("orders.count", { shown: shown.length, all: data.orders.length })),
    shown.length === 0
      ? empty(t("orders.none-match"), h("button", { type: "button", onclick: clearFilter }, t("filter.clear")))
      : table(shown, chosen),
    mayHaveMore("orders") && h("button", { type: "button", class: "more", onclick: () => loadMore("orders") }, t("more")),
  ];
}

function clearFilter() {
  Object.assign(filter, { text: "", account: "", state: "" });
  changed();
}

function choice(name, label, values, words) {
  const choose = (event) => {
    filter[name] = event.target.value;
    changed();
  };
  return h("label", { class: "field" }, h("span", { class: "spoken" }, label),
    h("select", { value: filter[name], onchange: choose },
      h("option", { value: "" }, t("filter.all", { what: label })),
      values.map((value) => h("option", { value }, words(value)))));
}

function filters() {
  const type = (event) => {
    filter.text = event.target.value;
    changed();
  };
  return h("search", { class: "filters" },
    h("label", { class: "field search" }, icon("search"), h("span", { class: "spoken" }, t("search")),
      h("input", { id: "search", type: "search", placeholder: t("orders.search"), value: filter.text, oninput: type })),
    choice("account", t("route"), ACCOUNTS, accountName),
    choice("state", t("state"), STATES, (name) => wordOr(`state.${name}`, name)));
}

function table(shown, chosen) {
  return h("table", { class: "rows" },
    h("caption", { class: "spoken" }, t("orders.caption")),
    h("thead", {}, h("tr", {},
      h("th", { scope: "col" }, t("order")),
      h("th", { scope: "col", class: "number" }, t("amount")),
      h("th", { scope: "col", class: "not-narrow" }, t("state")),
      h("th", { scope: "col", class: "wide" }, t("route")),
      h("th", { scope: "col", class: "wide" }, t("placed")))),
    h("tbody", {}, shown.map((order) => tableRow(order, chosen))));
}

function tableRow(order, chosen) {
  const isChosen = chosen?.account === order.account && chosen.number === order.order_no;
  return h("tr", { key: `${order.account} ${order.order_no}`, class: isChosen ? "chosen" : null },
    h("th", { scope: "row" },
      h("a", { class: "row-link", href: orderLink(order), "aria-current": isChosen ? "true" : null }, order.order_no),
      h("span", { class: "second" }, order.description || " "),
      h("span", { class: "narrow" }, state(order.state))),
    h("td", { class: "number" }, yuan(order.amount_fen)),
    h("td", { class: "not-narrow" }, state(order.state)),
    h("td", { class: "wide" }, accountName(order.account), h("span", { class: "second" }, wordOr(`scene.${order.scene}`, order.scene))),
    h("td", { class: "wide" }, moment(order.created_at)));
}
