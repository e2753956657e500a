#!/usr/bin/env python3
"""Writes the calls of this folder. The signatures come from openssl and hashlib, not from any code of this workspace.

Each file is one HTTP/1.1 request; the test turns the line ends of the head into CRLF and sends the rest as it is.
"""
import base64
import hashlib
import hmac
import os
import subprocess
import urllib.parse

HERE = os.path.dirname(os.path.abspath(__file__))
KEY = os.path.join(HERE, "../../src/keys/wechat-merchant-key.pem")
SERIAL = "59D2EB1C0F6A4D3387B1A0C4E5F60718293A4B5C"
NOW = 1760000000
API_KEY = "ThrowAwaySandboxApiKeyOfWechatV2"
PROVIDER_KEY = "ThrowAwaySandboxApiKeyOfProvider"


def openssl(text):
    run = subprocess.run(["openssl", "dgst", "-sha256", "-sign", KEY], input=text, capture_output=True, check=True)
    return base64.b64encode(run.stdout).decode()


def put(name, head, body=b""):
    with open(os.path.join(HERE, name + ".http"), "wb") as file:
        file.write("\n".join(head).encode() + b"\n\n" + body)


def v3(name, method, target, body="", at=NOW, order=None, spoil=False, extra=(), drop=(), sent=None):
    body = body.encode()
    nonce = "593BEC0C930BF1AFEB40B4A08C8FB242"
    text = f"{method}\n{target}\n{at}\n{nonce}\n".encode() + body + b"\n"
    values = {"mchid": "1900000001", "nonce_str": nonce, "timestamp": str(at), "serial_no": SERIAL}
    values["signature"] = openssl(b"x" + text if spoil else text)
    order = order or ["mchid", "nonce_str", "timestamp", "serial_no", "signature"]
    header = "WECHATPAY2-SHA256-RSA2048 " + ",".join(f'{name}="{values[name]}"' for name in order)
    body = body if sent is None else sent.encode()
    head = [f"{method} {target} HTTP/1.1", "Host: sandbox", f"Authorization: {header}"]
    head += ["Accept: application/json", "User-Agent: hand"]
    if method == "POST":
        head += ["Content-Type: application/json", f"Content-Length: {len(body)}"]
    head += list(extra) + ["Connection: close"]
    put(name, [line for line in head if line.split(":")[0] not in drop], body)


def v2(name, path, fields, sign=None, digest="md5", key=API_KEY, sent=lambda n, v: v):
    kept = sorted((n, v) for n, v in fields if v != "")
    text = "&".join(f"{n}={v}" for n, v in kept) + "&key=" + key
    if digest == "md5":
        made = hashlib.md5(text.encode()).hexdigest().upper()
    else:
        made = hmac.new(key.encode(), text.encode(), hashlib.sha256).hexdigest().upper()
    fields = [(n, sent(n, v)) for n, v in fields] + [("sign", made if sign is None else sign(made))]
    body = ("<xml>" + "".join(f"<{n}><![CDATA[{v}]]></{n}>" for n, v in fields) + "</xml>").encode()
    put(name, [f"POST {path} HTTP/1.1", "Host: sandbox", "Content-Type: text/xml; charset=utf-8",
               f"Content-Length: {len(body)}", "Connection: close"], body)


ORDER = ('{"appid":"wx5a6d0b0c5a1e4d21","mchid":"1900000001","description":"麻婆豆腐","out_trade_no":"AB|12_-*",'
         '"notify_url":"http://127.0.0.1:9/notify","amount":{"total":100,"currency":"CNY"},'
         '"payer":{"openid":"oSandbox_Payer-0123456789abc"}}')
PLACE = "/v3/pay/transactions/jsapi"
v3("v3-place", "POST", PLACE, ORDER)
v3("v3-place-other-order-of-parameters", "POST", PLACE, ORDER,
   order=["signature", "timestamp", "mchid", "serial_no", "nonce_str"])
v3("v3-place-other-amount", "POST", PLACE, ORDER.replace('"total":100', '"total":101'))
v3("v3-place-unknown-member", "POST", PLACE, ORDER.replace('"amount"', '"surprise":1,"amount"'))
v3("v3-place-null-member", "POST", PLACE, ORDER.replace('"amount"', '"attach":null,"amount"'))
v3("v3-place-emoji", "POST", PLACE, ORDER.replace("麻婆豆腐", "🍲"))
v3("v3-place-decimal-amount", "POST", PLACE, ORDER.replace("100,", "100.0,"))
v3("v3-place-other-merchant", "POST", PLACE, ORDER.replace("1900000001", "1900000002"))
v3("v3-place-rewritten-body", "POST", PLACE, ORDER, sent=ORDER.replace('"mchid":', '"mchid": '))
v3("v3-place-wrong-signature", "POST", PLACE, ORDER, spoil=True)
v3("v3-place-300-seconds-old", "POST", PLACE, ORDER, at=NOW - 300)
v3("v3-place-301-seconds-old", "POST", PLACE, ORDER, at=NOW - 301)
v3("v3-place-301-seconds-ahead", "POST", PLACE, ORDER, at=NOW + 301)
v3("v3-place-without-accept", "POST", PLACE, ORDER, drop=["Accept"])
v3("v3-place-without-user-agent", "POST", PLACE, ORDER, drop=["User-Agent"])
v3("v3-place-without-authorization", "POST", PLACE, ORDER, drop=["Authorization"])
v3("v3-place-parameter-twice", "POST", PLACE, ORDER,
   order=["mchid", "mchid", "nonce_str", "timestamp", "serial_no", "signature"])
v3("v3-query", "GET", "/v3/pay/transactions/out-trade-no/AB%7C12_-%2A?mchid=1900000001")
v3("v3-query-under-public-key", "GET", "/v3/pay/transactions/out-trade-no/AB%7C12_-%2A?mchid=1900000001",
   extra=["Wechatpay-Serial: PUB_KEY_ID_0119000000012024010100000000000001"])
v3("v3-query-without-merchant", "GET", "/v3/pay/transactions/out-trade-no/AB%7C12_-%2A")
v3("v3-close", "POST", "/v3/pay/transactions/out-trade-no/AB%7C12_-%2A/close", '{"mchid":"1900000001"}')
v3("v3-certificates", "GET", "/v3/certificates")
v3("v3-get-on-a-posting-path", "GET", PLACE)

UNIFIED = [("appid", "wx5a6d0b0c5a1e4d21"), ("mch_id", "1900000001"), ("device_info", ""),
           ("nonce_str", "5K8264ILTKCH16CQ2502SI8ZNMTM67VS"), ("body", "麻婆豆腐双拼饭"), ("attach", "a < b & c"),
           ("out_trade_no", "20251009_1"), ("total_fee", "100"), ("spbill_create_ip", "127.0.0.1"),
           ("notify_url", "http://127.0.0.1:9/notify"), ("trade_type", "JSAPI"),
           ("openid", "oSandbox_Payer-0123456789abc")]


def change(name, value):
    return [(n, value if n == name else v) for n, v in UNIFIED]


v2("v2-place", "/pay/unifiedorder", UNIFIED)
v2("v2-place-hmac", "/pay/unifiedorder", UNIFIED + [("sign_type", "HMAC-SHA256")], digest="hmac")
v2("v2-place-md5-under-hmac", "/pay/unifiedorder", UNIFIED + [("sign_type", "HMAC-SHA256")])
v2("v2-place-lower-case", "/pay/unifiedorder", UNIFIED, sign=str.lower)
v2("v2-place-unsigned", "/pay/unifiedorder", UNIFIED, sign=lambda _: "")
v2("v2-place-without-openid", "/pay/unifiedorder", change("openid", ""))
v2("v2-place-native", "/pay/unifiedorder", change("trade_type", "NATIVE") + [("product_id", "P1")])
v2("v2-place-zero", "/pay/unifiedorder", change("total_fee", "0"))
v2("v2-place-other-amount", "/pay/unifiedorder", change("total_fee", "101"))
QUERY = [("appid", "wx5a6d0b0c5a1e4d21"), ("mch_id", "1900000001"), ("nonce_str", "5K8264ILTKCH16CQ2502SI8ZNMTM67VS"),
         ("out_trade_no", "20251009_1")]
v2("v2-query", "/pay/orderquery", QUERY)
v2("v2-close", "/pay/closeorder", QUERY)

IDS = QUERY[:3]
HMAC = [("sign_type", "HMAC-SHA256")]
# The first code that a sandbox with the seed 1 shows.
CODE = "159051853007042695"
CHARGE = IDS + [("body", "tea, hot"), ("attach", "a < b & c"), ("out_trade_no", "T_1"), ("total_fee", "99"),
                ("spbill_create_ip", "127.0.0.1"), ("auth_code", CODE)]
v2("v2-micropay", "/pay/micropay", CHARGE)
v2("v2-micropay-hmac", "/pay/micropay", CHARGE + HMAC, digest="hmac")
v2("v2-reverse", "/secapi/pay/reverse", IDS + [("out_trade_no", "T_1")])
v2("v2-code-to-openid", "/tools/authcodetoopenid", IDS + [("auth_code", CODE)])
REFUND = IDS + [("out_trade_no", "T_1"), ("out_refund_no", "R@1"), ("total_fee", "99"), ("refund_fee", "33")]
v2("v2-refund", "/secapi/pay/refund", REFUND)
v2("v2-refund-second-edition", "/secapi/pay/refundv2", REFUND)
v2("v2-refund-query", "/pay/refundquery", IDS + [("out_refund_no", "R@1")])
v2("v2-refund-query-second-edition", "/pay/refundqueryv2", IDS + [("out_refund_no", "R@1")])
BILL = IDS + [("bill_date", "20251009"), ("bill_type", "ALL")]
v2("v2-bill", "/pay/downloadbill", BILL)
v2("v2-bill-wrong-signature", "/pay/downloadbill", BILL, sign=lambda made: made[::-1])
v2("v2-fund-flow", "/pay/downloadfundflow", IDS + [("bill_date", "20251009"), ("account_type", "Basic")] + HMAC,
   digest="hmac")
v2("v2-comments", "/billcommentsp/batchquerycomment",
   IDS + [("begin_time", "20251009000000"), ("end_time", "20251010000000"), ("offset", "0")] + HMAC, digest="hmac")
LINK = ("weixin://wxpay/bizpayurl?sign=AB12&appid=wx5a6d0b0c5a1e4d21&mch_id=1900000001&product_id=P1"
        "&time_stamp=1760000000&nonce_str=n")
v2("v2-short-link", "/tools/shorturl", IDS + [("long_url", LINK)],
   sent=lambda n, v: urllib.parse.quote(v, safe="") if n == "long_url" else v)
v2("v2-report", "/payitil/report",
   IDS + [("interface_url", "https://api.mch.weixin.qq.com/pay/micropay"), ("execute_time_", "480"),
          ("return_code", "SUCCESS"), ("result_code", "FAIL"), ("err_code", "USERPAYING"), ("user_ip", "127.0.0.1")])
PROVIDER = [("appid", "wx7c1d2e3f4a5b6c7d"), ("mch_id", "1900000101"), ("sub_appid", "wx8d2e3f4a5b6c7d8e"),
            ("sub_mch_id", "1900000111"), ("nonce_str", "5K8264ILTKCH16CQ2502SI8ZNMTM67VS")]
ORDERED = [("sub_openid", v) if n == "openid" else (n, v) for n, v in UNIFIED if n not in dict(PROVIDER)]
v2("v2-provider-place", "/pay/unifiedorder", PROVIDER + ORDERED, key=PROVIDER_KEY)
v2("v2-provider-query", "/pay/orderquery", PROVIDER + QUERY[3:], key=PROVIDER_KEY)
v2("v2-provider-place-under-the-merchants-key", "/pay/unifiedorder", PROVIDER + ORDERED)
