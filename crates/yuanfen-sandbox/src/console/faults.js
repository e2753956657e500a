// The fault plan: its rules, one more by form, and scenarios to choose.

import { h, icon } from "./dom.js";
import { has, languageNow, t } from "./i18n.js";
import * as api from "./api.js";
import { blocks } from "./markdown.js";
import { ACCOUNTS, accountName, attempt, empty, faultText, waiting } from "./parts.js";
import { changed, data, failures, load } from "./store.js";

const draft = { kind: "lose-reply" };

const rules = () => data.faults.rules;

async function setPlan(plan, words) {
  await attempt(async () => {
    await api.put("/api/faults", plan);
    await load("faults");
  }, words);
}

export function faults() {
  return h("section", { class: "page", "aria-labelledby": "faults-title" },
    h("h1", { id: "faults-title", tabindex: "-1" }, t("nav.faults")), h("p", { class: "intro" }, t("faults.intro")),
    data.faults === undefined ? waiting(failures.faults) : [
      plan(),
      h("div", { class: "two" }, h("section", { class: "card", "aria-labelledby": "add-title" }, h("h2", { id: "add-title" }, t("faults.add")), form()),
        h("section", { class: "card", "aria-labelledby": "scenarios-title" }, h("h2", { id: "scenarios-title" }, t("scenarios")), scenarios())),
    ]);
}

function plan() {
  if (rules().length === 0) return empty(t("faults.none"), h("p", {}, t("faults.none.next")));
  const without = (index) => () => setPlan(rules().filter((_, other) => other !== index), t("faults.removed"));
  return h("section", { class: "card", "aria-labelledby": "plan-title" },
    h("div", { class: "spread" }, h("h2", { id: "plan-title" }, t("faults.plan", { count: rules().length })),
      h("button", { type: "button", id: "faults-clear", onclick: clear }, t("faults.clear"))),
    h("ol", { class: "plain rules" }, rules().map((rule, index) => h("li", { key: `${index} ${JSON.stringify(rule)}`, class: "spread" },
      h("span", {}, h("span", { class: "fault strong" }, icon("faults"), faultText(rule.kind)), h("span", { class: "second" }, where(rule)),
        h("span", { class: "second" }, t("faults.count", data.faults.counts[index]))),
      h("button", { type: "button", class: "icon-button", "aria-label": t("faults.remove", { fault: faultText(rule.kind) }), onclick: without(index) }, icon("cross"))))));
}

async function clear() {
  await attempt(async () => {
    await api.remove("/api/faults");
    await load("faults");
  }, t("faults.cleared"));
  // The button is gone with the plan.
  document.getElementById("faults-title")?.focus();
}

/** Where and how often a rule strikes, in words. */
function where(rule) {
  const on = rule.account || rule.platform ? accountName(rule.account ?? rule.platform) : t("faults.everywhere");
  const during = rule.operation ?? t("faults.every-operation");
  const skip = rule.skip > 0 ? t("faults.after", { count: rule.skip }) : null;
  const times = rule.times === undefined || rule.times === null ? t("faults.always") : t("faults.times", { count: rule.times });
  const odds = rule.permille === undefined || rule.permille === null ? null : `${rule.permille} ‰`;
  const order = rule.order_no ?? (rule.order_no_prefix && `${rule.order_no_prefix}…`) ?? null;
  return [on, during, order, skip, times, odds].filter((part) => part !== null).join(" · ");
}

/** Names of faults, each with what it takes: a number (`delay-ms=N`), an amount (`FEN`), a code (`CODE`) or nothing. */
const kinds = () => (data.words?.faults ?? []).map((spelling) => {
  const [name, takes] = spelling.split("=");
  return { name, takes };
});

function operations() {
  const seen = (data.exchanges ?? []).map((exchange) => exchange.operation);
  return [...new Set([...seen, "pay-notice", "refund-notice"])].filter((name) => name !== "unknown").sort();
}

function form() {
  const kind = kinds().find(({ name }) => name === draft.kind) ?? { name: draft.kind };
  const choose = (event) => {
    draft.kind = event.target.value;
    changed();
  };
  const number = (name, label, hint, props = {}) => h("label", { class: "field" }, h("span", {}, label),
    h("input", { name, type: "number", inputmode: "numeric", step: "1", min: "0", placeholder: hint, ...props }));
  const description = `fault.${kind.name}`;
  return h("form", { class: "form", onsubmit: add },
    h("label", { class: "field" }, h("span", {}, t("fault.kind")),
      h("select", { name: "kind", id: "fault-kind", value: draft.kind, onchange: choose }, kinds().map(({ name }) => h("option", { value: name }, name)))),
    valueField(kind, number),
    has(description) && h("p", { class: "explain" }, t(description)),
    h("label", { class: "field" }, h("span", {}, t("route")), h("select", { name: "account" },
      h("option", { value: "" }, t("faults.everywhere")),
      ACCOUNTS.map((value) => h("option", { value }, accountName(value))))),
    h("label", { class: "field" }, h("span", {}, t("operation")),
      h("input", { name: "operation", list: "operations", placeholder: t("faults.every-operation"), autocomplete: "off" })),
    h("label", { class: "field" }, h("span", {}, t("fault.order")), h("input", { name: "order_no", placeholder: t("fault.any-order"), autocomplete: "off" })),
    h("datalist", { id: "operations" }, operations().map((value) => h("option", { value }))),
    h("div", { class: "three" }, number("skip", t("fault.skip"), "0"), number("times", t("fault.times"), t("faults.always")),
      number("permille", t("fault.permille"), "1000", { max: "1000" })),
    h("button", { type: "submit", class: "primary", id: "fault-add" }, icon("plus"), t("faults.add")));
}

function valueField({ name, takes }, number) {
  if (takes === undefined) return null;
  const label = t(`fault.${name}.value`);
  // Clocks alone run behind.
  if (takes !== "CODE") return number("value", label, "", { key: name, required: true, min: { FEN: "1", N: name === "skew-seconds" ? null : "0" }[takes] });
  return h("label", { class: "field", key: name }, h("span", {}, label), h("input", { name: "value", required: true, autocomplete: "off", list: "codes" }),
    h("datalist", { id: "codes" }, (data.words?.codes ?? []).map((value) => h("option", { value }))));
}

async function add(event) {
  event.preventDefault();
  const fields = event.target.elements;
  const whole = (name) => (fields[name]?.value ? Number(fields[name].value) : undefined);
  const takesCode = kinds().some(({ name, takes }) => name === fields.kind.value && takes === "CODE");
  const value = takesCode ? fields.value.value.trim() : whole("value");
  const rule = {
    kind: value === undefined ? fields.kind.value : { [fields.kind.value]: value },
    account: fields.account.value || undefined,
    order_no: fields.order_no.value.trim() || undefined,
    operation: fields.operation.value.trim() || undefined,
    skip: whole("skip"), times: whole("times"), permille: whole("permille"),
  };
  await setPlan([...rules(), rule], t("faults.added"));
}

function scenarios() {
  if (data.scenarios === undefined) return waiting(failures.scenarios);
  const chosen = data.state?.scenario?.name;
  return [
    h("p", { class: "explain muted" }, t("scenarios.explain")),
    h("ul", { class: "plain scenarios" }, data.scenarios.map((scenario) => h("li", { key: scenario.name },
      h("details", {}, h("summary", {}, h("span", { class: "strong" }, said(scenario.title)), scenario.name === chosen && h("span", { class: "tag" }, t("scenarios.chosen"))),
        h("p", {}, said(scenario.summary)),
        h("div", { class: "buttons" }, h("button", { type: "button", onclick: () => play(scenario) }, t("scenarios.choose"), h("span", { class: "spoken" }, ` ${said(scenario.title)}`))),
        scenario.page && h("div", { class: "prose" }, blocks(page(scenario.page))))))),
  ];
}

const said = (words) => words[languageNow()];

/** A page is in English down to its second heading, and in Chinese from there; the heading is the scenario's title. */
function page(text) {
  const [english, chinese] = text.split(/^## /m);
  return (languageNow() === "zh" && chinese ? chinese : english).replace(/^.*\n/, "");
}

async function play({ name, title }) {
  await attempt(async () => {
    await api.post(api.path("api", "scenarios", name, "play"));
    await Promise.all([load("faults"), load("state"), load("settings")]);
  }, t("scenarios.set", { name: said(title) }));
}
