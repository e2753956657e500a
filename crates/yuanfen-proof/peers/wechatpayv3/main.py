"""https://pypi.org/project/wechatpayv3/, on requests. Its host is fixed; requests goes through HTTPS_PROXY and trusts
REQUESTS_CA_BUNDLE."""

import json
import os
import sys

sys.path.insert(0, os.path.join(os.path.dirname(__file__), "..", "common"))

from harness import Adapter, NotOffered, walk  # noqa: E402
from wechatpayv3 import WeChatPay, WeChatPayType  # noqa: E402


def good(answer):
    code, message = answer
    assert code < 300, f"{code} {message}"
    return json.loads(message) if message else None


class V3(Adapter):
    def __init__(self, sandbox):
        super().__init__(sandbox)
        account, keys = self.account, {}
        if sandbox.variant == "public-key":
            keys = {
                "public_key": sandbox.text(account["platform_public_key_path"]),
                "public_key_id": account["platform_public_key_id"],
            }
        # Without these it fetches the platform's certificates.
        self.api = WeChatPay(
            wechatpay_type=WeChatPayType.NATIVE,
            mchid=account["mchid"],
            private_key=sandbox.text(account["merchant_private_key_path"]),
            cert_serial_no=account["merchant_serial"],
            apiv3_key=account["apiv3_key"],
            appid=account["appid"],
            **keys,
        )

    def create(self, order_no, total, description, notify_url):
        return good(self.api.pay(
            description=description, out_trade_no=order_no, amount={"total": total}, notify_url=notify_url,
        ))["code_url"]

    def query(self, order_no):
        found = good(self.api.query(out_trade_no=order_no))
        return found["trade_state"], found.get("amount", {}).get("total")

    def read_notice(self, notice):
        read = self.api.callback(notice["headers"], notice["body"])
        assert read, "the SDK says nothing where it does not agree"
        fact = read["resource"]
        return {
            "order_no": fact["out_trade_no"],
            "total": fact["amount"]["total"],
            "refund_no": fact.get("out_refund_no"),
            "amount": fact["amount"].get("refund"),
            "state": fact.get("refund_status") or fact.get("trade_state"),
        }

    def refund(self, order_no, refund_no, total, amount, notify_url):
        good(self.api.refund(
            out_refund_no=refund_no,
            out_trade_no=order_no,
            amount={"refund": amount, "total": total, "currency": "CNY"},
            notify_url=notify_url,
        ))

    def query_refund(self, refund_no):
        found = good(self.api.query_refund(refund_no))
        return found["status"], found["amount"]["refund"]

    def close(self, order_no):
        good(self.api.close(order_no))

    def bill(self, kind, date, gzip):
        if not gzip:
            raise NotOffered("it always sends tar_type, which has GZIP for its one value")
        told = good(self.api.trade_bill(date) if kind == "trade" else self.api.fundflow_bill(date))
        code, content = self.api.download_bill(told["download_url"])
        assert code == 200, content
        return content, (told["hash_type"], told["hash_value"])

    def upload_image(self, path):
        raise NotOffered("its Content-Type names no boundary, which the platform's documents demand")

    def sign_request(self, request):
        return self.api.sign([request[part] for part in ("method", "target", "timestamp", "nonce", "body")])

    def sign_pay_parameters(self, parameters):
        return self.api.sign([parameters[part] for part in ("appId", "timeStamp", "nonceStr", "package")])


walk("wechatpayv3", {"wechat-v3": V3})
