// What to do where no order is yet: one order, placed from a terminal.

import { h } from "./dom.js";
import { t } from "./i18n.js";
import { empty, snippet } from "./parts.js";
import { data } from "./store.js";

/** A native order of WeChat Pay v2: its signature is a digest, so that a shell can make it. */
export const placeByShell = (base) => `cd sandbox    # where credentials.json is
given() { jq -r ".wechat_v2.$1" credentials.json; }
text="appid=$(given appid)&body=noodles&mch_id=$(given mch_id)&nonce_str=$RANDOM&notify_url=http://127.0.0.1:8080/notify&out_trade_no=FIRST$RANDOM&product_id=1&spbill_create_ip=127.0.0.1&total_fee=990&trade_type=NATIVE"
sign=$(printf '%s' "$text&key=$(given api_key)" | openssl md5 -r | cut -c 1-32 | tr a-f A-F)
fields=$(printf '%s' "$text&sign=$sign" | sed -E 's/([a-z_]+)=([^&]*)&?/<\\1>\\2<\\/\\1>/g')
curl "${base}/pay/unifiedorder" -H 'Content-Type: text/xml' -d "<xml>$fields</xml>"`;

export function firstCall() {
  const base = data.state?.base_url ?? "http://127.0.0.1:8600";
  return empty(t("orders.none"), h("p", {}, t("orders.none.next")), snippet(placeByShell(base), t("orders.none.call")),
    h("p", { class: "muted" }, t("orders.none.sdk"), " ", h("a", { href: "#/connect" }, t("nav.connect"))));
}
