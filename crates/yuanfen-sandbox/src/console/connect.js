// Where a shop connects: base addresses, TLS under the real host names, the proxy.

import { h } from "./dom.js";
import { t } from "./i18n.js";
import { accountName, code, copyable, row, snippet, waiting } from "./parts.js";
import { data, failures } from "./store.js";

/** What stands behind the sandbox's address, by route. */
const PREFIXES = { starpos: "/starpos", fshows: "/fshows", mpgateway: "/mpgateway" };

export function connect() {
  const { state } = data;
  return h("section", { class: "page", "aria-labelledby": "connect-title" },
    h("h1", { id: "connect-title", tabindex: "-1" }, t("nav.connect")), h("p", { class: "intro" }, t("connect.intro")),
    state === undefined ? waiting(failures.state) : h("div", { class: "two" }, plain(state), tls(state), proxy(state), more(state)));
}

const card = (id, title, ...content) =>
  h("section", { class: "card", "aria-labelledby": id }, h("h2", { id }, title), ...content);

function plain(state) {
  const routes = ["wechat-v3", "wechat-v2", "starpos", "fshows", "mpgateway"];
  return card("plain-title", t("connect.plain"), h("p", { class: "explain muted" }, t("connect.plain.explain")),
    h("dl", { class: "pairs" }, routes.map((route) => {
      const address = `${state.base_url}${PREFIXES[route] ?? ""}`;
      return row(accountName(route), copyable(address, t("copy.what", { what: accountName(route) })));
    })));
}

function tls({ tls: listener }) {
  if (!listener) return card("tls-title", t("connect.tls"), h("p", { class: "muted" }, t("connect.tls.off")));
  return card("tls-title", t("connect.tls"), h("p", { class: "explain muted" }, t("connect.tls.explain")),
    h("dl", { class: "pairs" },
      row(t("connect.listen"), copyable(listener.listen, t("copy.what", { what: t("connect.listen") }))),
      row(t("connect.names"), h("ul", { class: "plain" }, (listener.server_names ?? []).map((name) => h("li", {}, code(name)))))));
}

function proxy({ connect_proxy: listener }) {
  if (!listener) return card("proxy-title", t("connect.proxy"), h("p", { class: "muted" }, t("connect.proxy.off")));
  return card("proxy-title", t("connect.proxy"), h("p", { class: "explain muted" }, t("connect.proxy.explain")),
    snippet(`export HTTPS_PROXY=${listener.url}\nexport SSL_CERT_FILE=./sandbox/ca.pem NODE_EXTRA_CA_CERTS=./sandbox/ca.pem`, t("connect.proxy.lines")));
}

const more = (state) => card("more-title", t("connect.more"), h("dl", { class: "pairs" },
  row(t("connect.credentials"), code("credentials.json")),
  row(t("connect.seed"), state.seed !== undefined && state.seed !== null ? copyable(String(state.seed), t("copy.what", { what: t("connect.seed") })) : t("connect.seed.none")),
  row(t("connect.api"), h("a", { href: "/openapi.json" }, "/openapi.json"))),
  h("p", { class: "explain muted" }, t("connect.more.explain")));
