// The clock, and what is agreed with the platforms beside the wire.

import { h } from "./dom.js";
import { beijing, duration } from "./format.js";
import { has, t } from "./i18n.js";
import * as api from "./api.js";
import { accountName, attempt, code, copyable, row, waiting } from "./parts.js";
import { data, failures, load, readAt } from "./store.js";

const HOUR = 3600;
const DAY = 24 * HOUR;
/** Bills are ready at ten o'clock, Beijing's time. */
const READY = 10 * HOUR;
const BEIJING = 8 * HOUR;

/** What the sandbox's clock shows now, as far as the page can tell without asking. */
export function sandboxNow() {
  if (!data.state) return null;
  const since = data.state.clock_is_real === false ? 0 : Date.now() - readAt.state;
  return new Date(Date.parse(data.state.now) + since);
}

/** Seconds from `now` to ten o'clock tomorrow in Beijing. */
export function untilTenTomorrow(now) {
  const seconds = Math.floor(now.getTime() / 1000);
  const today = (seconds + BEIJING) % DAY;
  return DAY - today + READY;
}

function advance(seconds) {
  return attempt(async () => {
    await api.post("/api/clock/advance", { seconds });
    await load("state");
  }, t("clock.advanced", { by: duration(seconds) }));
}

export function clock() {
  return h("section", { class: "page", "aria-labelledby": "clock-title" },
    h("h1", { id: "clock-title", tabindex: "-1" }, t("clock.title")),
    data.state === undefined ? waiting(failures.state) : h("div", { class: "two" }, h("div", { class: "stack" }, time(), keys()), settings()));
}

function time() {
  const { clock_ahead_seconds: ahead, real_now: real } = data.state;
  const steps = [[300, "clock.five-minutes"], [HOUR, "clock.hour"], [DAY, "clock.day"]];
  const send = (event) => {
    event.preventDefault();
    void advance(Number(event.target.elements.minutes.value) * 60);
  };
  const { date, time: shown } = beijing(sandboxNow());
  return h("section", { class: "card", "aria-labelledby": "time-title" }, h("h2", { id: "time-title" }, t("clock.now")),
    h("p", { class: "big-time" }, h("span", { class: "muted" }, date), " ", h("span", { "data-tick": "time" }, shown)),
    h("dl", { class: "pairs" },
      row(t("clock.real"), `${beijing(real).date} ${beijing(real).time}`),
      row(t("clock.ahead"), Math.abs(ahead) < 2 ? t("clock.level") : duration(ahead))),
    h("p", { class: "explain muted" }, t("clock.explain")),
    h("div", { class: "buttons" }, steps.map(([seconds, words]) => h("button", { type: "button", onclick: () => advance(seconds) }, t(words))),
      h("button", { type: "button", onclick: () => advance(untilTenTomorrow(sandboxNow())) }, t("clock.ten-tomorrow"))),
    h("form", { class: "inline-form", onsubmit: send },
      h("label", { class: "field" }, h("span", {}, t("clock.minutes")),
        h("input", { name: "minutes", type: "number", min: "1", step: "1", value: "30", required: true, inputmode: "numeric" })),
      h("button", { type: "submit" }, t("clock.advance"))));
}

function keys() {
  const rotate = () => attempt(async () => {
    await api.post("/api/platform-certificate/rotate");
    await load("state");
  }, t("keys.rotated"));
  const only = data.settings?.wechat_v3_public_key_only === true;
  const choose = (event) => {
    const on = event.target.checked;
    void attempt(async () => {
      await api.post("/api/public-key-mode", { on });
      await load("settings");
    }, t(on ? "keys.public-on" : "keys.public-off"));
  };
  return h("section", { class: "card", "aria-labelledby": "keys-title" }, h("h2", { id: "keys-title" }, t("keys")),
    h("p", { class: "explain muted" }, t("keys.explain")),
    h("dl", { class: "pairs" }, row(t("keys.serial"), copyable(data.state.platform_serial, t("copy.what", { what: t("keys.serial") })))),
    h("div", { class: "buttons" }, h("button", { type: "button", id: "rotate", onclick: rotate }, t("keys.rotate"))),
    h("label", { class: "check" }, h("input", { type: "checkbox", role: "switch", id: "public-key-only", checked: only, onchange: choose }), t("keys.public-only")),
    h("p", { class: "explain muted" }, t("keys.public-explain")));
}

/** Every setting that the sandbox has, by the kind of its value. */
function settings() {
  if (data.settings === undefined) return h("section", { class: "card" }, h("h2", {}, t("settings")), waiting(failures.settings));
  const names = Object.keys(data.settings).filter((name) => name !== "wechat_v3_public_key_only");
  return h("section", { class: "card", "aria-labelledby": "settings-title" }, h("h2", { id: "settings-title" }, t("settings")),
    h("p", { class: "explain muted" }, t("settings.explain")),
    h("div", { class: "form" }, names.map((name) => setting(name, data.settings[name]))));
}

function setting(name, value) {
  const label = has(`setting.${name}`) ? t(`setting.${name}`) : code(name);
  const set = (next) => attempt(async () => {
    await api.put("/api/settings", { [name]: next });
    await load("settings");
  }, t("settings.set"));
  if (typeof value === "boolean") {
    return h("label", { class: "check", key: name }, h("input", { type: "checkbox", role: "switch", checked: value, onchange: (event) => void set(event.target.checked) }), label);
  }
  if (name === "starpos_push") {
    return h("label", { class: "field", key: name }, h("span", {}, label),
      h("select", { value, onchange: (event) => void set(event.target.value) },
        ["plain", "encrypted", "encrypted-as-printed"].map((variant) => h("option", { value: variant }, variant))));
  }
  if (name === "wechat_refund_balances_fen") return balances(name, label, value, set);
  const isNumber = typeof value === "number";
  return h("label", { class: "field", key: name }, h("span", {}, label),
    h("input", { type: isNumber ? "number" : "text", min: isNumber ? "0" : null, value: value ?? "", autocomplete: "off",
      onchange: (event) => void set(isNumber ? Number(event.target.value) : event.target.value) }));
}

/** What each account holds to refund from, in fen; nothing in the field is without end. */
function balances(name, label, value, set) {
  return h("fieldset", { key: name }, h("legend", {}, label), Object.entries(value).map(([account, fen]) =>
    h("label", { class: "field", key: account }, h("span", {}, accountName(account)),
      h("input", { type: "number", min: "0", step: "1", value: fen ?? "", placeholder: t("settings.no-end"),
        onchange: (event) => void set({ [account]: event.target.value === "" ? null : Number(event.target.value) }) }))));
}
