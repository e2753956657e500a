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
KEYS = os.path.join(HERE, "../../src/keys")
# Who signs on APIv3: number, certificate serial, private key.
MERCHANT = ("1900000001", "59D2EB1C0F6A4D3387B1A0C4E5F60718293A4B5C", "wechat-merchant-key.pem")
SP = ("1900000101", "6AE3FC2D107B5E4498C2B1D5F60718293A4B5C6D", "wechat-provider-key.pem")
NOW = 1760000000
API_KEY = "ThrowAwaySandboxApiKeyOfWechatV2"
PROVIDER_KEY = "ThrowAwaySandboxApiKeyOfProvider"


def openssl(text, key):
    command = ["openssl", "dgst", "-sha256", "-sign", os.path.join(KEYS, key)]
    run = subprocess.run(command, input=text, capture_output=True, check=True)
    return base64.b64encode(run.stdout).decode()


def put(name, head, body=b""):
    with open(os.path.join(HERE, name + ".http"), "wb") as file:
        file.write("\n".join(head).encode() + b"\n\n" + body)


def v3(name, method, target, body="", at=NOW, order=None, spoil=False, extra=(), drop=(), sent=None, who=MERCHANT,
       kind="application/json", instead=()):
    body = body.encode()
    nonce = "593BEC0C930BF1AFEB40B4A08C8FB242"
    text = f"{method}\n{target}\n{at}\n{nonce}\n".encode() + body + b"\n"
    values = {"mchid": who[0], "nonce_str": nonce, "timestamp": str(at), "serial_no": who[1]}
    values["signature"] = openssl(b"x" + text if spoil else text, who[2])
    order = order or ["mchid", "nonce_str", "timestamp", "serial_no", "signature"]
    header = "WECHATPAY2-SHA256-RSA2048 " + ",".join(f'{name}="{values[name]}"' for name in order)
    body = body if sent is None else sent if isinstance(sent, bytes) else sent.encode()
    head = [f"{method} {target} HTTP/1.1", "Host: sandbox", f"Authorization: {header}"]
    head += ["Accept: application/json", "User-Agent: hand"]
    if method == "POST":
        head += [f"Content-Type: {kind}", f"Content-Length: {len(body)}"]
    head += list(extra) + ["Connection: close"]
    head = [line for line in head if line.split(":")[0] not in drop]
    put(name, head[:2] + list(instead) + head[2:], body)


def v2(name, path, fields, sign=None, digest="md5", key=API_KEY, sent=lambda n, v: v, kind="text/xml; charset=utf-8",
       loose=False):
    kept = sorted((n, v) for n, v in fields if v != "")
    text = "&".join(f"{n}={v}" for n, v in kept) + "&key=" + key
    if digest == "md5":
        made = hashlib.md5(text.encode()).hexdigest().upper()
    else:
        made = hmac.new(key.encode(), text.encode(), hashlib.sha256).hexdigest().upper()
    fields = [(n, sent(n, v)) for n, v in fields] + [("sign", made if sign is None else sign(made))]
    if loose:
        inside = "".join(f"  <{n}>{v}</{n}>\r\n" for n, v in fields)
        body = ("\ufeff<?xml version=\"1.0\" encoding=\"UTF-8\"?>\r\n<xml>\r\n" + inside + "</xml>\r\n").encode()
    else:
        body = ("<xml>" + "".join(f"<{n}><![CDATA[{v}]]></{n}>" for n, v in fields) + "</xml>").encode()
    kind = [] if kind is None else [f"Content-Type: {kind}"]
    put(name, [f"POST {path} HTTP/1.1", "Host: sandbox", *kind, f"Content-Length: {len(body)}", "Connection: close"],
        body)


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

# What SDKs write in more than one way. `curl`, Python's `json` and Java's libraries differ in all of these.
LOOSE = ORDER.replace('":', '": ').replace(',"', ',\n  "') + "\n"
v3("v3-place-loose", "POST", PLACE, LOOSE)
ESCAPED = ORDER.replace("麻婆豆腐", "\\u9ebb\\u5a46\\u8C46\\u8150").replace("http://", "http:\\/\\/")
v3("v3-place-escaped", "POST", PLACE, ESCAPED)
NUMBER = "/v3/pay/transactions/out-trade-no/"
OF_MERCHANT = "?mchid=1900000001"
v3("v3-query-raw-number", "GET", NUMBER + "AB|12_-*" + OF_MERCHANT)
v3("v3-query-small-escapes", "GET", NUMBER + "AB%7c12_-%2a" + OF_MERCHANT)
v3("v3-query-half-escaped", "GET", NUMBER + "AB%7C12_-*" + OF_MERCHANT)
v3("v3-query-without-accept", "GET", NUMBER + "AB%7C12_-%2A" + OF_MERCHANT, drop=["Accept"])
for name, lines in [
    ("any", ["Accept: */*"]),
    ("java", ["Accept: text/html, image/gif, image/jpeg, *; q=.2, */*; q=.2"]),
    ("axios", ["Accept: application/json, text/plain, */*"]),
    ("twice", ["Accept: text/plain", "Accept: application/json"]),
]:
    v3(f"v3-query-accept-{name}", "GET", NUMBER + "AB%7C12_-%2A" + OF_MERCHANT, drop=["Accept"], instead=lines)
v3("v3-query-accept-xml", "GET", NUMBER + "AB%7C12_-%2A" + OF_MERCHANT, drop=["Accept"], instead=["Accept: text/xml"])
v3("v3-query-with-content-type", "GET", NUMBER + "AB%7C12_-%2A" + OF_MERCHANT, extra=["Content-Type: application/json"])
v3("v3-query-empty-serial", "GET", NUMBER + "AB%7C12_-%2A" + OF_MERCHANT, extra=["Wechatpay-Serial:"])
v3("v3-query-unknown-serial", "GET", NUMBER + "AB%7C12_-%2A" + OF_MERCHANT,
   extra=["Wechatpay-Serial: 59D2EB1C0F6A4D3387B1A0C4E5F60718293A4B5C"])
v3("v3-query-by-id", "GET", "/v3/pay/transactions/id/4200000000202510090000000000?mchid=1900000001")
v3("v3-provider-query-by-id", "GET", "/v3/pay/partner/transactions/id/4200000000202510090000000000"
   "?sp_mchid=1900000101&sub_mchid=1900000111", who=SP)
v3("v3-download-bill", "GET", "/v3/billdownload/file?token=nobodys-token%2B%3D")
v3("v3-unknown-path", "GET", "/v3/pay/transactions/nowhere/1")

# The other operations of APIv3, for the merchant itself and in partner form.
OWN_IDS = '"appid":"wx5a6d0b0c5a1e4d21","mchid":"1900000001"'
SP_IDS = ('"sp_appid":"wx7c1d2e3f4a5b6c7d","sp_mchid":"1900000101",'
          '"sub_appid":"wx8d2e3f4a5b6c7d8e","sub_mchid":"1900000111"')
SHAPES = [("v3", MERCHANT, OWN_IDS, "/v3/pay/transactions"), ("v3-provider", SP, SP_IDS, "/v3/pay/partner/transactions")]
NOTIFY = '"notify_url":"http://127.0.0.1:9/notify"'
SCENE = '"scene_info":{"payer_client_ip":"203.0.113.7","h5_info":{"type":"Wap"}}'
# The first code that a sandbox with the seed 1 shows.
CODE = "159051853007042695"
# The platform's number of the refund that these calls ask for, in a sandbox with the seed 1.
REFUND_ID = "5030202510097315585723397949"
PUBLIC_KEY_ID = "PUB_KEY_ID_0119000000012024010100000000000001"


def mgf1(seed, length):
    blocks = (hashlib.sha1(seed + counter.to_bytes(4, "big")).digest() for counter in range(length // 20 + 1))
    return b"".join(blocks)[:length]


def oaep(text):
    """RSAES-OAEP with SHA-1 under the platform's public key, with a seed that never changes."""
    command = ["openssl", "rsa", "-pubin", "-in", os.path.join(KEYS, "wechat-public.pem"), "-modulus", "-noout"]
    modulus = int(subprocess.run(command, capture_output=True, check=True).stdout.decode().split("=")[1], 16)
    size, seed, text = 256, bytes(range(20)), text.encode()
    block = hashlib.sha1(b"").digest() + bytes(size - len(text) - 42) + b"\x01" + text
    masked = bytes(a ^ b for a, b in zip(block, mgf1(seed, len(block))))
    seed = bytes(a ^ b for a, b in zip(seed, mgf1(masked, 20)))
    number = pow(int.from_bytes(b"\x00" + seed + masked, "big"), 65537, modulus)
    return base64.b64encode(number.to_bytes(size, "big")).decode()


def combined(name, who, parts, rest=""):
    app = "wx5a6d0b0c5a1e4d21" if who is MERCHANT else "wx7c1d2e3f4a5b6c7d"
    body = (f'{{"combine_appid":"{app}","combine_mchid":"{who[0]}","combine_out_trade_no":"WHOLE@1",{NOTIFY},'
            f'"sub_orders":[{",".join(parts)}]{rest}}}')
    v3(name, "POST", "/v3/combine-transactions/" + name.rsplit("-", 1)[1], body, who=who)


def part(who, number, amount, subs):
    return (f'{{"mchid":"{who[0]}",{subs}"out_trade_no":"{number}",'
            f'"amount":{{"total_amount":{amount},"currency":"CNY"}},"attach":"a","description":"麻婆豆腐"}}')


for name, who, ids, path in SHAPES:
    order = f'{{{ids},"description":"麻婆豆腐","out_trade_no":"ORDER_1",{NOTIFY},"amount":{{"total":100}}'
    partner = who is SP
    sub = '"sub_mchid":"1900000111",' if partner else ""
    payer = '"payer":{"sub_openid":"oSubSandbox_Payer-0123456789abc"}'
    if partner:
        v3(f"{name}-place", "POST", f"{path}/jsapi", f"{order},{payer}}}", who=who)
        v3(f"{name}-query", "GET", f"{path}/out-trade-no/ORDER_1?sp_mchid=1900000101&sub_mchid=1900000111", who=who)
        v3(f"{name}-close", "POST", f"{path}/out-trade-no/ORDER_1/close",
           '{"sp_mchid":"1900000101","sub_mchid":"1900000111"}', who=who)
    for product in ["native", "app"]:
        v3(f"{name}-place-{product}", "POST", f"{path}/{product}", order + "}", who=who)
    v3(f"{name}-place-h5", "POST", f"{path}/h5", f"{order},{SCENE}}}", who=who)
    charge = (f'{{{ids},"description":"tea","out_trade_no":"TILL_1","payer":{{"auth_code":"{CODE}"}},'
              '"amount":{"total":99,"currency":"CNY"},"scene_info":{"device_ip":"203.0.113.8","store_info":{"out_id":"S1"}}}')
    v3(f"{name}-code-payment", "POST", f"{path}/codepay", charge, who=who)
    v3(f"{name}-reverse", "POST", f"{path}/out-trade-no/TILL_1/reverse", f"{{{ids}}}", who=who)
    v3(f"{name}-refund", "POST", "/v3/refund/domestic/refunds",
       f'{{{sub}"out_trade_no":"TILL_1","out_refund_no":"R@1",{NOTIFY},'
       '"amount":{"refund":33,"total":99,"currency":"CNY"}}', who=who)
    v3(f"{name}-abnormal-refund", "POST", f"/v3/refund/domestic/refunds/{REFUND_ID}/apply-abnormal-refund",
       f'{{{sub}"out_refund_no":"R@1","type":"USER_BANK_CARD","bank_type":"CMB_DEBIT",'
       f'"bank_account":"{oaep("6225880000000000")}","real_name":"{oaep("张三")}"}}', who=who,
       extra=[f"Wechatpay-Serial: {PUBLIC_KEY_ID}"])
    subs = sub + '"sub_appid":"wx8d2e3f4a5b6c7d8e",' if partner else ""
    parts = [part(who, "PART_1", 60, subs), part(who, "PART_2", 40, subs)]
    combined(f"{name}-combined-jsapi", who, parts, ',"combine_payer_info":{"openid":"oSandbox_Payer-0123456789abc"}')
    combined(f"{name}-combined-native", who, parts)
    combined(f"{name}-combined-app", who, parts)
    combined(f"{name}-combined-h5", who, parts, "," + SCENE)
    whole = "/v3/combine-transactions/out-trade-no/WHOLE%401"
    v3(f"{name}-combined-query", "GET", whole, who=who)
    app = "wx7c1d2e3f4a5b6c7d" if partner else "wx5a6d0b0c5a1e4d21"
    named = ",".join(f'{{"mchid":"{who[0]}",{sub}"out_trade_no":"PART_{n}"}}' for n in (1, 2))
    v3(f"{name}-combined-close", "POST", whole + "/close", f'{{"combine_appid":"{app}","sub_orders":[{named}]}}', who=who)
DAY = "bill_date=2025-10-09&algorithm=AEAD_AES_256_GCM"
v3("v3-provider-sealed-bill", "GET", f"/v3/bill/sub-merchant-fundflowbill?{DAY}&sub_mchid=1900000111", at=NOW + 86400,
   who=SP)
v3("v3-provider-sealed-bill-of-all", "GET", f"/v3/ecommerce/bill/fundflowbill?{DAY}&tar_type=GZIP", at=NOW + 86400,
   who=SP)


def upload(name, path, filename, kind, who=MERCHANT, swap=False, meta_type="\r\nContent-Type: application/json",
           meta_name="meta"):
    content = bytes(range(256))
    meta = f'{{ "filename": "{filename}", "sha256": "{hashlib.sha256(content).hexdigest()}" }}'
    parts = [f'Content-Disposition: form-data; name="{meta_name}"{meta_type}\r\n\r\n{meta}'.encode(),
             f'Content-Disposition: form-data; name="file"; filename="{filename}"\r\nContent-Type: {kind}\r\n\r\n'.encode()
             + content]
    parts = parts[::-1] if swap else parts
    body = b"".join(b"--b0undary\r\n" + part + b"\r\n" for part in parts) + b"--b0undary--\r\n"
    v3(name, "POST", path, meta, sent=body, who=who, kind="multipart/form-data; boundary=b0undary")


upload("v3-upload-image", "/v3/merchant/media/upload", "店.png", "image/png")
upload("v3-upload-image-file-first", "/v3/merchant/media/upload", "a.png", "image/png", swap=True)
upload("v3-upload-image-untyped-meta", "/v3/merchant/media/upload", "a.png", "image/png", meta_type="")
upload("v3-upload-image-without-meta", "/v3/merchant/media/upload", "a.png", "image/png", meta_name="data")
upload("v3-upload-video", "/v3/merchant/media/video_upload", "a.mp4", "video/mp4")
upload("v3-upload-marketing-image", "/v3/marketing/favor/media/image-upload", "a.bmp", "image/bmp")
upload("v3-upload-complaint-image", "/v3/merchant-service/images/upload", "a.jpg", "image/jpeg")
upload("v3-provider-upload-image", "/v3/merchant/media/upload", "a.png", "image/png", who=SP)

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
# The same message in the ways that XML allows: another order, blanks between the elements, a prolog, a BOM, no CDATA.
v2("v2-query-reversed", "/pay/orderquery", list(reversed(QUERY)))
v2("v2-query-naming-md5", "/pay/orderquery", QUERY + [("sign_type", "MD5")])
v2("v2-query-naming-hmac", "/pay/orderquery", QUERY + HMAC, digest="hmac")
v2("v2-query-application-xml", "/pay/orderquery", QUERY, kind="application/xml; charset=UTF-8")
v2("v2-query-without-type", "/pay/orderquery", QUERY, kind=None)
v2("v2-query-loose", "/pay/orderquery", QUERY, loose=True)
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

# What was done already, what cannot be, and what is not ready: the same numbers with other parameters, and bills a second
# before ten o'clock of the next morning and at it.
for name, number, refunded, total in [("other-amount", "R@1", 34, 99), ("other-total", "R@2", 33, 98),
                                      ("of-the-rest", "R@2", 66, 99), ("of-too-much", "R@3", 67, 99)]:
    v3(f"v3-refund-{name}", "POST", "/v3/refund/domestic/refunds",
       f'{{"out_trade_no":"TILL_1","out_refund_no":"{number}",{NOTIFY},'
       f'"amount":{{"refund":{refunded},"total":{total},"currency":"CNY"}}}}')
    fields = [("out_trade_no", "T_1"), ("out_refund_no", number), ("total_fee", total), ("refund_fee", refunded)]
    v2(f"v2-refund-{name}", "/secapi/pay/refund", IDS + [(n, str(v)) for n, v in fields])
v3("v3-refund-query", "GET", "/v3/refund/domestic/refunds/R%401")
v3("v3-till-query", "GET", "/v3/pay/transactions/out-trade-no/TILL_1?mchid=1900000001")
v3("v3-till-close", "POST", "/v3/pay/transactions/out-trade-no/TILL_1/close", '{"mchid":"1900000001"}')
v2("v2-till-query", "/pay/orderquery", IDS + [("out_trade_no", "T_1")])
v2("v2-till-close", "/pay/closeorder", IDS + [("out_trade_no", "T_1")])
v2("v2-refund-list", "/pay/refundquery", IDS + [("out_trade_no", "T_1"), ("offset", "1")])
for name, at in [("-a-second-early", NOW + 61599), ("", NOW + 61600)]:
    v3(f"v3-trade-bill{name}", "GET", "/v3/bill/tradebill?bill_date=2025-10-09", at=at)
    v3(f"v3-fund-flow-bill{name}", "GET", "/v3/bill/fundflowbill?bill_date=2025-10-09", at=at)
