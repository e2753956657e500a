// Single keys, which can be turned off, and the list of them.

import { h, icon, show } from "./dom.js";
import { t } from "./i18n.js";

const REMEMBERED = "yuanfen.keys";
const areOn = () => localStorage.getItem(REMEMBERED) !== "off";

/** Keys and what they are for, as the list has them. */
const LIST = [
  [["1", "…", "8"], "key.views"], [["/"], "key.search"], [["j"], "key.next"], [["k"], "key.previous"],
  [["Enter"], "key.open"], [["Esc"], "key.back"], [["p"], "key.pay"], [["l"], "key.language"], [["t"], "key.theme"], [["?"], "key.help"],
];

export function showShortcuts() {
  const dialog = document.getElementById("shortcuts");
  const choose = (event) => localStorage.setItem(REMEMBERED, event.target.checked ? "on" : "off");
  show(dialog, h("div", { class: "spread" }, h("h2", { id: "shortcuts-title" }, t("shortcuts")),
    h("button", { type: "button", class: "icon-button", "aria-label": t("close"), onclick: () => dialog.close() }, icon("cross"))),
  h("dl", { class: "keys" }, LIST.map(([keys, words]) => h("div", {}, h("dt", {}, keys.map((key) => h("kbd", {}, key))), h("dd", {}, t(words))))),
  h("label", { class: "check" }, h("input", { type: "checkbox", role: "switch", checked: areOn(), onchange: choose }), t("keys.single")));
  dialog.setAttribute("aria-labelledby", "shortcuts-title");
  // A modal dialog keeps the focus, and gives it back when it closes.
  dialog.showModal();
}

const isTyping = (target) => target.closest("input, textarea, select, [contenteditable]") !== null;

function step(by) {
  const links = [...document.querySelectorAll(".list .row-link")];
  const at = links.findIndex((row) => row === document.activeElement || row.getAttribute("aria-current") === "true");
  links[Math.min(Math.max(at + by, 0), links.length - 1)]?.focus();
}

export function listenToKeys({ names, place, speak, switchTheme }) {
  addEventListener("keydown", (event) => {
    if (event.ctrlKey || event.altKey || event.metaKey || event.isComposing || document.querySelector("dialog[open]")) return;
    if (event.key === "Escape") return leave(place());
    if (isTyping(event.target) || !areOn()) return;
    const view = names[Number(event.key) - 1];
    const act = view !== undefined ? () => { location.hash = `#/${view}`; } : {
      "?": showShortcuts, "/": () => document.getElementById("search")?.focus(), j: () => step(1), k: () => step(-1),
      p: () => document.getElementById("phone-pay")?.click(), l: speak, t: switchTheme,
    }[event.key];
    if (act === undefined) return;
    event.preventDefault();
    act();
  });
}

/** Out of a field, then out of the detail. */
function leave({ name, args }) {
  if (isTyping(document.activeElement)) document.activeElement.blur();
  else if (args.length > 0) location.hash = `#/${name}`;
}
