// The page: its frame, which view is shown, keys, and what is told as it happens.

import { h, icon, show } from "./dom.js";
import { beijing, duration, yuan } from "./format.js";
import { applyLanguage, languageNow, setLanguage, t } from "./i18n.js";
import { bills } from "./bills.js";
import { clock, sandboxNow } from "./clock.js";
import { connect } from "./connect.js";
import { exchanges } from "./exchanges.js";
import { faults } from "./faults.js";
import { notices } from "./notices.js";
import { orders } from "./orders.js";
import { accountName, say } from "./parts.js";
import { payer } from "./payer.js";
import { listenToKeys, showShortcuts } from "./shortcuts.js";
import { changed, data, link, lookAway, onChange, start } from "./store.js";

const VIEWS = { orders, payer, exchanges, notices, faults, bills, clock, connect };
export const NAMES = Object.keys(VIEWS);

/** What the address names: `#/orders/wechat-v3/A1` is the view `orders` with two arguments. */
function place() {
  const [, name, ...args] = location.hash.split("/").map((part) => {
    try {
      return decodeURIComponent(part);
    } catch {
      // Somebody typed a percent sign.
      return part;
    }
  });
  return name in VIEWS ? { name, args } : { name: "orders", args: [] };
}

let menuIsOpen = false;

function shell() {
  const { name, args } = place();
  return [
    h("a", { class: "skip", href: "#main", onclick: toMain }, t("skip")),
    head(),
    link.is === "lost" && h("div", { class: "banner", role: "alert", key: "lost" }, icon("warn"), h("p", {}, t("lost"))),
    h("nav", { id: "nav", class: menuIsOpen ? "nav is-open" : "nav", "aria-label": t("views") },
      h("ul", { class: "plain" }, NAMES.map((view, index) => h("li", {},
        h("a", { href: `#/${view}`, "aria-current": view === name ? "page" : null, "aria-keyshortcuts": String(index + 1) },
          icon(view), h("span", {}, t(`nav.${view}`)), badge(view)))))),
    h("main", { id: "main", tabindex: "-1", key: name }, VIEWS[name](args)),
  ];
}

function toMain(event) {
  event.preventDefault();
  document.getElementById("main").focus();
}

/** What wants to be looked at, by view. */
function badge(view) {
  const rules = data.faults?.rules.length ?? 0;
  if (view === "faults" && rules > 0) return h("span", { class: "badge", title: t("faults.plan", { count: rules }) }, rules);
  if (view === "orders" && data.orders?.length > 0) return h("span", { class: "badge quiet" }, data.orders.length);
  return null;
}

function head() {
  const ahead = data.state?.clock_ahead_seconds ?? 0;
  const now = sandboxNow();
  const other = languageNow() === "en" ? "zh" : "en";
  const toggleMenu = () => {
    menuIsOpen = !menuIsOpen;
    changed();
  };
  return h("header", { class: "head" },
    h("button", { type: "button", class: "icon-button menu", "aria-label": t("views"), "aria-expanded": String(menuIsOpen), "aria-controls": "nav", onclick: toggleMenu }, icon("menu")),
    h("p", { class: "brand" }, h("a", { href: "#/orders" }, h("span", { class: "brand-name" }, "Yuanfen ", h("span", { lang: "zh-Hans" }, "元分")), h("span", { class: "brand-what" }, t("sandbox")))),
    h("div", { class: "status-line" },
      h("span", { class: `link link-${link.is}` }, t(`link.${link.is}`)),
      now && h("a", { class: "clock", href: "#/clock" }, h("span", { class: "spoken" }, t("clock.now")), h("span", { "data-tick": "time" }, beijing(now).time),
        Math.abs(ahead) > 1 && h("span", { class: "ahead" }, `${ahead > 0 ? "+" : ""}${duration(ahead)}`))),
    h("div", { class: "tools" },
      h("button", { type: "button", id: "language", class: "quiet-button", lang: other === "en" ? "en" : "zh-Hans", onclick: () => speak(other) }, other === "en" ? "English" : "中文"),
      h("button", { type: "button", id: "theme", class: "icon-button", "aria-label": t("theme"), title: t("theme"), onclick: switchTheme }, icon("theme")),
      h("button", { type: "button", id: "help", class: "icon-button", "aria-label": t("shortcuts"), title: t("shortcuts"), onclick: () => showShortcuts() }, "?")));
}

function speak(language) {
  setLanguage(language);
  changed();
}

/** The other of dark and light, remembered; before the first choice it is what the system says. */
function switchTheme() {
  const root = document.documentElement;
  const isDark = (root.dataset.theme ?? (matchMedia("(prefers-color-scheme: dark)").matches ? "dark" : "light")) === "dark";
  root.dataset.theme = isDark ? "light" : "dark";
  localStorage.setItem("yuanfen.theme", root.dataset.theme);
}

/** Orders that were there before; `null` until the first list has come. */
let known = null;

function tellNewOrders() {
  if (!data.orders) return;
  const keys = new Map(data.orders.map((order) => [`${order.account} ${order.order_no}`, order]));
  if (known !== null) {
    const fresh = [...keys].filter(([key]) => !known.has(key)).map(([, order]) => order);
    if (fresh.length === 1) {
      const [order] = fresh;
      say(t("orders.new", { number: order.order_no, amount: yuan(order.amount_fen), route: accountName(order.account) }));
    } else if (fresh.length > 1) say(t("orders.new-many", { count: fresh.length }));
  }
  known = new Set(keys.keys());
}

let drawing = 0;

/** Draws once for all changes of a moment. */
function redraw(what) {
  if (what === "orders") tellNewOrders();
  if (drawing !== 0) return;
  drawing = requestAnimationFrame(() => {
    drawing = 0;
    show(document.getElementById("app"), shell());
  });
}

/** After a walk to another place: what was looked at is put away, and the heading of the new place has the focus. */
function arrive() {
  menuIsOpen = false;
  const { args } = place();
  lookAway();
  show(document.getElementById("app"), shell());
  document.querySelector(args.length > 0 ? "#detail-title" : "main h1")?.focus({ preventScroll: args.length > 0 });
  if (args.length === 0 || matchMedia("(max-width: 999px)").matches) scrollTo(0, 0);
}

function tick() {
  const now = sandboxNow();
  if (now === null) return;
  for (const element of document.querySelectorAll("[data-tick=time]")) element.textContent = beijing(now).time;
}

applyLanguage();
onChange(redraw);
listenToKeys({ names: NAMES, place, speak: () => speak(languageNow() === "en" ? "zh" : "en"), switchTheme });
addEventListener("hashchange", arrive);
setInterval(tick, 1000);
show(document.getElementById("app"), shell());
start();
