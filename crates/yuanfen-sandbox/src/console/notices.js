// Each notice with its attempts: when, what the shop answered, and when it is tried again.

import { h, icon } from "./dom.js";
import { t } from "./i18n.js";
import * as api from "./api.js";
import { message } from "./message.js";
import { accountName, empty, faultText, moment, waiting, wordOr } from "./parts.js";
import { changed, data, failures, loadMore, mayHaveMore } from "./store.js";

/** Attempts come newest first; a notice is its attempts, latest first, under the number they share. */
export function noticesOf(attempts, belongs) {
  const notices = new Map();
  for (const attempt of attempts.filter(belongs)) {
    const key = `${attempt.account} ${attempt.notice_id} ${attempt.url}`;
    if (!notices.has(key)) notices.set(key, []);
    notices.get(key).push(attempt);
  }
  return [...notices];
}

const OUTCOMES = { acknowledged: "check", refused: "cross", "not-delivered": "warn" };

export function notices() {
  return h("section", { class: "page", "aria-labelledby": "notices-title" },
    h("h1", { id: "notices-title", tabindex: "-1" }, t("nav.notices")), h("p", { class: "intro" }, t("notices.intro")), content());
}

function content() {
  if (data.notices === undefined) return waiting(failures.notices);
  if (data.notices.length === 0) {
    return empty(t("notices.none"), h("p", {}, t("notices.none.next")), h("a", { class: "button", href: "#/orders" }, t("notices.none.link")));
  }
  return [
    noticeList(noticesOf(data.notices, () => true), true),
    mayHaveMore("notices") && h("button", { type: "button", class: "more", onclick: () => loadMore("notices") }, t("more")),
  ];
}

/** Notices under each other; with the order that each is about where that is not on the page already. */
export function noticeList(found, withOrder) {
  return h("ul", { class: "plain notices" }, found.map(([key, attempts]) => {
    const [last] = attempts;
    return h("li", { key, class: "notice" },
      h("div", { class: "spread" },
        h("span", { class: "strong" }, wordOr(`notice.${last.operation}`, last.operation),
          withOrder && [" · ", h("a", { href: `#/orders/${last.account}/${encodeURIComponent(last.order_no)}` }, last.order_no)]),
        outcome(last)),
      h("p", { class: "muted to" }, accountName(last.account), " → ", h("code", {}, last.url)),
      h("ol", { class: "attempts", reversed: true }, attempts.map((attempt) => attemptRow(attempt))),
      last.next_at && h("p", { class: "next" }, icon("clock"), t("notices.next"), " ", moment(last.next_at)));
  }));
}

const outcome = ({ outcome: name, status }) =>
  h("span", { class: `outcome outcome-${name}` }, icon(OUTCOMES[name] ?? "dash"), wordOr(`outcome.${name}`, name), status ? ` · ${status}` : "");

function attemptRow(attempt) {
  return h("li", { key: attempt.number },
    h("div", { class: "spread" }, h("span", {}, t("notices.attempt", { number: attempt.attempt }), " · ", moment(attempt.at)), outcome(attempt)),
    attempt.faults.length > 0 && h("p", { class: "fault" }, icon("faults"), attempt.faults.map(faultText).join(", ")),
    attempt.outcome === "not-delivered" ? h("p", { class: "small-text" }, attempt.answer) : answer(attempt.answer),
    h("details", { ontoggle: () => read(attempt.number) }, h("summary", {}, t("notices.sent")), sent(attempt.number)));
}

function answer(text) {
  if (!text) return h("p", { class: "muted small-text" }, t("notices.no-answer"));
  return h("p", { class: "small-text" }, t("notices.answer"), " ", h("code", {}, text));
}

/** Attempts as they went over the wire, by number; they never change. */
const whole = new Map();

function read(number) {
  if (whole.has(number)) return;
  whole.set(number, undefined);
  api.get(`/api/notices/${number}`).then((found) => whole.set(number, found), () => whole.delete(number)).finally(changed);
}

/** Nothing until somebody unfolds it. */
function sent(number) {
  if (!whole.has(number)) return null;
  return whole.get(number) ? message(t("request"), whole.get(number).request) : waiting();
}
