// Words in the reader's language, changed without a reload.

import en from "./en.js";
import zh from "./zh.js";

const WORDS = { en, zh };
const REMEMBERED = "yuanfen.language";
/** The mark that a document carries, which screen readers choose their voice by. */
const TAGS = { en: "en", zh: "zh-Hans" };

let language = guess();

function guess() {
  const remembered = localStorage.getItem(REMEMBERED);
  if (remembered in WORDS) return remembered;
  return navigator.languages.some((tag) => tag.toLowerCase().startsWith("zh")) ? "zh" : "en";
}

export const languageNow = () => language;

export function setLanguage(to) {
  language = to;
  localStorage.setItem(REMEMBERED, to);
  applyLanguage();
}

/** Sets the document's mark and title. */
export function applyLanguage() {
  document.documentElement.lang = TAGS[language];
  document.title = t("title");
}

/** Whether there are words for that. */
export const has = (key) => key in WORDS[language];

/** The words for `key`, with `{name}` filled in; a key without words is shown as it is, so that it is noticed. */
export function t(key, values = {}) {
  const words = WORDS[language][key] ?? key;
  return words.replace(/\{(\w+)\}/g, (_, name) => String(values[name] ?? ""));
}
