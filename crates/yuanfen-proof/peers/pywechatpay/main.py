"""https://pypi.org/project/pywechatpay/, on requests. Its host is fixed; requests goes through HTTPS_PROXY and trusts
REQUESTS_CA_BUNDLE."""

import json
import os
import re
import sys

sys.path.insert(0, os.path.join(os.path.dirname(__file__), "..", "common"))

from cryptography import x509  # noqa: E402
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat  # noqa: E402
from harness import Adapter, NotOffered, walk  # noqa: E402
from pywechatpay.core import WechatPay  # noqa: E402


class V3(Adapter):
    def __init__(self, sandbox):
        super().__init__(sandbox)
        account = self.account
        # It takes one key of the platform, which it does not choose by serial, and asks for no key by its id.
        certificate = x509.load_pem_x509_certificate(sandbox.text(account["platform_certificate_path"]).encode())
        key = certificate.public_key().public_bytes(Encoding.PEM, PublicFormat.SubjectPublicKeyInfo).decode()
        self.api = WechatPay(
            mchid=account["mchid"],
            mch_serial_no=account["merchant_serial"],
            mch_private_key_string=sandbox.text(account["merchant_private_key_path"]),
            wechat_public_key_string=key,
            notify_url="http://127.0.0.1:9/",
            apiv3_key=account["apiv3_key"],
            offi_appid=account["appid"],
        )

    def create(self, order_no, total, description, notify_url):
        made = self.api.pay_transactions_jsapi(
            description, order_no, total, self.account["openid"], notify_url=notify_url,
        )
        return made["package"].removeprefix("prepay_id=")

    def query(self, order_no):
        found = self.api.pay_transactions_out_trade_no(order_no)
        return found["trade_state"], found.get("amount", {}).get("total")

    def read_notice(self, notice):
        headers, body = notice["headers"], notice["body"].decode("utf-8")
        timestamp, nonce, signature = (headers[f"Wechatpay-{name}"] for name in ("Timestamp", "Nonce", "Signature"))
        assert self.api.verify(timestamp, nonce, body, signature), "the signature"
        resource = json.loads(body)["resource"]
        fact = self.api.decrypt_response(resource["nonce"], resource["ciphertext"], resource["associated_data"])
        return {"order_no": fact["out_trade_no"], "total": fact["amount"]["total"], "state": fact["trade_state"]}

    def refund(self, order_no, refund_no, total, amount, notify_url):
        raise NotOffered("this version has orders and their query alone")

    def query_refund(self, refund_no):
        raise NotOffered("this version has orders and their query alone")

    def close(self, order_no):
        raise NotOffered("this version has orders and their query alone")

    def bill(self, kind, date, gzip):
        raise NotOffered("this version has orders and their query alone")

    def upload_image(self, path):
        raise NotOffered("this version has orders and their query alone")

    def sign_request(self, request):
        header = self.api.authorization(
            request["method"], request["target"], request["body"], request["timestamp"], request["nonce"],
        )
        return re.search(r'signature="([^"]+)"', header)[1]

    def sign_pay_parameters(self, parameters):
        parts = [parameters[part] for part in ("appId", "timeStamp", "nonceStr", "package")]
        return self.api.sign(self.api.generate_sign_str(parts))


walk("pywechatpay", {"wechat-v3": V3})
