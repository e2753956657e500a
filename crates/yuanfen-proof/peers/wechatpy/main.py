"""https://pypi.org/project/wechatpy/, on requests: its address is a public attribute of the class, and requests goes through
HTTPS_PROXY and trusts REQUESTS_CA_BUNDLE."""

import os
import sys

import xmltodict

sys.path.insert(0, os.path.join(os.path.dirname(__file__), "..", "common"))

from harness import Adapter, NotOffered, walk  # noqa: E402
from wechatpy.pay import WeChatPay  # noqa: E402
from wechatpy.pay.utils import calculate_signature  # noqa: E402


class V2(Adapter):
    unchecked = "it checks the signatures of notices, not those of answers"

    def __init__(self, sandbox):
        super().__init__(sandbox)
        account = self.account

        class Pay(WeChatPay):
            API_BASE_URL = sandbox.base_url + "/"

        self.api = Pay(
            appid=account["appid"],
            api_key=account["api_key"],
            mch_id=account["mch_id"],
            mch_cert=sandbox.path(account["merchant_certificate_path"]),
            mch_key=sandbox.path(account["merchant_private_key_path"]),
            timeout=20,
        )

    def create(self, order_no, total, description, notify_url):
        return self.api.order.create(
            trade_type="JSAPI",
            body=description,
            total_fee=total,
            notify_url=notify_url,
            client_ip="127.0.0.1",
            user_id=self.account["openid"],
            out_trade_no=order_no,
        )["prepay_id"]

    def query(self, order_no):
        found = self.api.order.query(out_trade_no=order_no)
        return found["trade_state"], found.get("total_fee")

    def read_notice(self, notice):
        if notice["about"] == "refund":
            # Refund notices have no signature; who can decrypt them holds the key.
            fact = self.api.parse_refund_notify_result(notice["body"])
            return {"refund_no": fact["out_refund_no"], "amount": fact["refund_fee"], "state": fact["refund_status"]}
        fact = self.api.parse_payment_result(notice["body"])
        return {"order_no": fact["out_trade_no"], "total": fact["total_fee"], "state": fact["result_code"]}

    def refund(self, order_no, refund_no, total, amount, notify_url):
        self.api.refund.apply(total, amount, refund_no, out_trade_no=order_no, notify_url=notify_url)

    def query_refund(self, refund_no):
        found = self.api.refund.query(out_refund_no=refund_no)
        return found["refund_status_0"], found["refund_fee_0"]

    def close(self, order_no):
        self.api.order.close(order_no)

    def bill(self, kind, date, gzip):
        if gzip:
            raise NotOffered("it reads every answer as UTF-8 text, which a gzip file does not survive")
        day = date.replace("-", "")
        text = self.api.tools.download_bill(day) if kind == "trade" else self.api.tools.download_fundflow(day)
        # Text only: the Digest header of a fund-flow bill is not handed out.
        return text.encode("utf-8"), None

    def sign_request(self, request):
        fields = xmltodict.parse(request["xml"])["xml"]
        fields.pop("sign")
        return calculate_signature(fields, self.api.api_key)

    def sign_pay_parameters(self, parameters):
        prepay_id = parameters["package"].removeprefix("prepay_id=")
        return self.api.jsapi.get_jsapi_signature(prepay_id, parameters["timeStamp"], parameters["nonceStr"])


walk("wechatpy", {"wechat-v2": V2})
