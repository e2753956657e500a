// Every call, and beside the log the one that is looked at.

import { h, icon } from "./dom.js";
import { t } from "./i18n.js";
import { exchangeDetail } from "./exchange.js";
import { ACCOUNTS, accountName, empty, faultText, moment, snippet, status, verdict, waiting } from "./parts.js";
import { changed, data, failures, loadMore, mayHaveMore } from "./store.js";

const filter = { text: "", platform: "", trouble: false };
const TROUBLES = ["missing", "unknown-key", "stale", "mismatch"];

/** Whether a developer wants to look at it first: the signature did not hold, or the platform said no. */
const isTrouble = (exchange) => TROUBLES.includes(exchange.signature) || exchange.status === null || exchange.status >= 400;

const matches = (exchange) =>
  (filter.platform === "" || exchange.platform === filter.platform) &&
  (!filter.trouble || isTrouble(exchange)) &&
  [exchange.operation, exchange.path, exchange.order_no, String(exchange.number)]
    .some((text) => text?.toLowerCase().includes(filter.text.toLowerCase()) ?? false);

export function exchanges([number]) {
  return h("div", { class: number === undefined ? "split" : "split has-detail" },
    h("section", { class: "list", "aria-labelledby": "exchanges-title" },
      h("h1", { id: "exchanges-title", tabindex: "-1" }, t("nav.exchanges")), list(number)),
    number !== undefined && exchangeDetail(number));
}

function list(number) {
  if (data.exchanges === undefined) return waiting(failures.exchanges);
  if (data.exchanges.length === 0) return noneYet();
  const shown = data.exchanges.filter(matches);
  return [
    filters(),
    h("p", { class: "count muted", role: "status" }, t("exchanges.count", { shown: shown.length, all: data.exchanges.length })),
    shown.length === 0 ? empty(t("exchanges.none-match")) : exchangeTable(shown, number, t("exchanges.caption")),
    mayHaveMore("exchanges") && h("button", { type: "button", class: "more", onclick: () => loadMore("exchanges") }, t("more")),
  ];
}

function noneYet() {
  const base = data.state?.base_url ?? "http://127.0.0.1:8600";
  const call = `curl -i ${base}/v3/certificates -H 'Accept: application/json' -H 'User-Agent: my-shop/1'`;
  return empty(t("exchanges.none"), h("p", {}, t("exchanges.none.next")), snippet(call, t("exchanges.none.call")));
}

function filters() {
  const set = (name, read) => (event) => {
    filter[name] = read(event.target);
    changed();
  };
  return h("search", { class: "filters" },
    h("label", { class: "field search" }, icon("search"), h("span", { class: "spoken" }, t("search")),
      h("input", { id: "search", type: "search", placeholder: t("exchanges.search"), value: filter.text, oninput: set("text", (field) => field.value) })),
    h("label", { class: "field" }, h("span", { class: "spoken" }, t("route")),
      h("select", { value: filter.platform, onchange: set("platform", (field) => field.value) },
        h("option", { value: "" }, t("filter.all", { what: t("route") })),
        ACCOUNTS.filter((account) => !account.endsWith("-provider")).map((value) => h("option", { value }, accountName(value))))),
    h("label", { class: "check" },
      h("input", { type: "checkbox", checked: filter.trouble, onchange: set("trouble", (field) => field.checked) }), t("exchanges.trouble")));
}

/** The log as a table; beside the order that it is about, and on its own. */
export function exchangeTable(shown, chosen, caption) {
  return h("table", { class: "rows" },
    h("caption", { class: "spoken" }, caption),
    h("thead", {}, h("tr", {},
      h("th", { scope: "col" }, t("operation")),
      h("th", { scope: "col" }, t("answer")),
      h("th", { scope: "col", class: "not-narrow" }, t("signature")),
      h("th", { scope: "col", class: "wide" }, t("time")))),
    h("tbody", {}, shown.map((exchange) => {
      const isChosen = String(exchange.number) === chosen;
      return h("tr", { key: exchange.number, class: isChosen ? "chosen" : null },
        h("th", { scope: "row" },
          h("a", { class: "row-link", href: `#/exchanges/${exchange.number}`, "aria-current": isChosen ? "true" : null },
            h("span", { class: "muted" }, `${exchange.number} `), exchange.operation),
          h("span", { class: "second path" }, `${exchange.method} ${exchange.path}`),
          h("span", { class: "narrow" }, verdict(exchange.signature))),
        h("td", {}, status(exchange.status), exchange.faults.length > 0 && h("span", { class: "second fault" }, icon("faults"), exchange.faults.map(faultText).join(", "))),
        h("td", { class: "not-narrow" }, verdict(exchange.signature)),
        h("td", { class: "wide" }, moment(exchange.at, false), h("span", { class: "second" }, accountName(exchange.platform))));
    })));
}
