// Pieces that several views show: states, platforms, moments, what can be copied, what to do where nothing is.

import { beijing } from "./format.js";
import { h, icon } from "./dom.js";
import { has, t } from "./i18n.js";
import { changed } from "./store.js";

export const ACCOUNTS = [
  "wechat-v3", "wechat-v2", "starpos", "fshows", "mpgateway", "wechat-v3-provider", "wechat-v2-provider",
];
export const STATES = [
  "unpaid", "payer-typing", "paid", "refunding", "refunded", "closed", "payment-failed", "revoked",
];

const STATE_ICONS = {
  unpaid: "unpaid", paid: "paid", closed: "closed", refunding: "refunding", refunded: "refunded",
  "payer-typing": "typing", "payment-failed": "cross", revoked: "refunded",
  processing: "refunding", succeeded: "refunded", abnormal: "warn",
};

/** The words for `name` where there are any, else the name as the sandbox has it. */
export const wordOr = (key, name) => (has(key) ? t(key) : name);

export const accountName = (account) => wordOr(`account.${account}`, account ?? t("account.none"));

/** A state by shape, words and color. */
export function state(name) {
  return h("span", { class: `state state-${name}` }, icon(STATE_ICONS[name] ?? "dash"), wordOr(`state.${name}`, name));
}

/** What the check of a signature came to. */
export function verdict(name) {
  const look = { holds: "check", "not-checked": "dash" }[name] ?? "cross";
  return h("span", { class: `verdict verdict-${name}` }, icon(look), wordOr(`verdict.${name}`, name));
}

/** A fault as the plan writes it: a name, or a name with its number. */
export function faultText(kind) {
  if (typeof kind === "string") return kind;
  const [[name, value]] = Object.entries(kind);
  return `${name}=${typeof value === "object" ? JSON.stringify(value) : value}`;
}

/** A status; where the connection was cut there is none. */
export function status(code) {
  if (code === null) return h("span", { class: "status is-bad" }, icon("cross"), t("status.cut"));
  return h("span", { class: code < 400 ? "status" : "status is-bad" }, code);
}

/** A moment in Beijing's time; the date where `withDate`. */
export function moment(at, withDate = true) {
  if (at === null || at === undefined) return h("span", { class: "muted" }, "–");
  const { date, time } = beijing(at);
  return h("time", { datetime: at, title: `${date} ${time} ${t("time.beijing")}` },
    withDate && h("span", { class: "date" }, `${date.slice(5)} `), time);
}

/** `value` under a term, for a `dl`; nothing where there is no value. */
export function row(term, ...value) {
  if (value.every((part) => part === null || part === undefined)) return null;
  return h("div", {}, h("dt", {}, term), h("dd", {}, ...value));
}

/** What the sandbox calls it, in the type for such names. */
export const code = (text) => h("code", {}, text);

export function copyButton(text, label) {
  const copy = async (event) => {
    const button = event.currentTarget;
    try {
      await navigator.clipboard.writeText(text);
    } catch {
      // Browsers give the clipboard to this machine's pages and to https alone.
      complain(t("copy.failed"));
      return;
    }
    say(t("copied"));
    button.dataset.done = "";
    setTimeout(() => delete button.dataset.done, 1200);
  };
  return h("button", { type: "button", class: "icon-button copy", "aria-label": label ?? t("copy"), title: t("copy"), onclick: copy },
    icon("copy"));
}

/** A text to take along, such as a number or a command. */
export function copyable(text, label) {
  return h("span", { class: "copyable" }, code(text), copyButton(text, label));
}

export function snippet(text, label) {
  return h("div", { class: "snippet" },
    h("pre", { tabindex: "0", role: "region", "aria-label": label }, text), copyButton(text, t("copy.what", { what: label })));
}

/** What to do next where nothing is yet. */
export function empty(title, ...words) {
  return h("div", { class: "empty" }, h("p", { class: "empty-title" }, title), ...words);
}

export function waiting(failure) {
  return failure === undefined
    ? h("p", { class: "waiting muted" }, t("loading"))
    : h("p", { class: "waiting problem" }, icon("warn"), t("failed", { why: failure }));
}

/** Tells a screen reader, and nobody else. */
export function say(words) {
  const spoken = document.getElementById("spoken");
  // The same words twice are said twice only if they are new nodes.
  spoken.replaceChildren(h("p", {}, words));
}

/** Shows what went wrong, until it is put away. */
export function complain(words) {
  const toasts = document.getElementById("toasts");
  const toast = h("div", { class: "toast" }, icon("warn"), h("p", {}, words),
    h("button", { type: "button", class: "icon-button", "aria-label": t("dismiss"), onclick: () => toast.remove() }, icon("cross")));
  toasts.append(toast);
  while (toasts.childElementCount > 3) toasts.firstElementChild.remove();
}

/** Does something that the sandbox may refuse, with its button held meanwhile. */
export async function attempt(action, done) {
  const button = document.activeElement;
  button?.setAttribute("aria-busy", "true");
  try {
    const result = await action();
    if (done !== undefined) say(done);
    return result;
  } catch (error) {
    complain(t("refused", { why: error.message }));
    return undefined;
  } finally {
    button?.removeAttribute("aria-busy");
    // A switch shows what is, also where the sandbox refused.
    changed();
  }
}
