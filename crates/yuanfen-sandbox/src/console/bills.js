// Bills: which days there are, files to download, and bills made before their time.

import { h, icon } from "./dom.js";
import { beijing } from "./format.js";
import { t } from "./i18n.js";
import * as api from "./api.js";
import { accountName, attempt, empty, waiting } from "./parts.js";
import { data, failures, load } from "./store.js";

export function bills() {
  return h("section", { class: "page", "aria-labelledby": "bills-title" },
    h("h1", { id: "bills-title", tabindex: "-1" }, t("nav.bills")), h("p", { class: "intro" }, t("bills.intro")),
    make(), data.bills === undefined ? waiting(failures.bills) : list());
}

function make() {
  const send = (event) => {
    event.preventDefault();
    const { value } = event.target.elements.date;
    void attempt(async () => {
      await api.post("/api/bills", { date: value });
      await load("bills");
    }, t("bills.made", { date: value }));
  };
  const today = data.state ? beijing(data.state.now).date : "";
  return h("form", { class: "inline-form", onsubmit: send },
    h("label", { class: "field" }, h("span", {}, t("bills.date")), h("input", { name: "date", type: "date", required: true, value: today, max: today || null })),
    h("button", { type: "submit", class: "primary" }, t("bills.make")));
}

function list() {
  if (data.bills.length === 0) return empty(t("bills.none"), h("p", {}, t("bills.none.next")));
  return h("table", { class: "rows plain-rows" },
    h("caption", { class: "spoken" }, t("nav.bills")),
    h("thead", {}, h("tr", {}, h("th", { scope: "col" }, t("bills.date")), h("th", { scope: "col" }, t("route")), h("th", { scope: "col" }, t("bills.files")))),
    h("tbody", {}, data.bills.map((bill) => h("tr", { key: `${bill.date} ${bill.account}` },
      h("th", { scope: "row" }, bill.date, h("span", { class: "second" }, t(bill.is_ready ? "bills.ready" : "bills.not-ready"))), h("td", {}, accountName(bill.account)),
      h("td", { class: "buttons" }, bill.kinds.map((kind) => file(bill, kind)))))));
}

function file(bill, kind) {
  const name = `${bill.account}-${kind}-${bill.date}.csv`;
  return h("a", { class: "button small", href: api.path("api", "bills", bill.account, kind, bill.date), download: name,
    "aria-label": `${t(`bills.${kind}`)}, ${accountName(bill.account)}, ${bill.date}` }, icon("download"), t(`bills.${kind}`));
}
