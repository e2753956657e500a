"""The walk that every peer in Python takes, and what stands around it: credentials, hooks, the shop's listener, one JSON
line for each step. `../README.md` has the contract; `harness.js` is the same for Node.js."""

import gzip as gzip_format
import hashlib
import json
import os
import re
import secrets
import threading
import urllib.error
import urllib.parse
import urllib.request
from functools import cache
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from importlib.metadata import version
from pathlib import Path

TOTAL = 990
REFUND = 330
NOTICE_WAIT_SECONDS = 15
# The sandbox is reached without the proxy that the SDK goes through.
DIRECT = urllib.request.build_opener(urllib.request.ProxyHandler({}))


class NotOffered(Exception):
    """What an SDK cannot do. It is listed with its reason, and neither passes nor fails."""


def expect(found, wanted):
    assert found == wanted, f"{found!r} and not {wanted!r}"


class Sandbox:
    """Where the sandbox is and what it gave out."""

    def __init__(self):
        path = Path(os.environ["PEER_CREDENTIALS"]).resolve()
        self.folder = path.parent
        self.credentials = json.loads(path.read_text("utf-8"))
        self.route = os.environ["PEER_ROUTE"]
        self.mode = os.environ["PEER_MODE"]
        self.variant = os.environ["PEER_VARIANT"]
        section = self.route.replace("-", "_")
        self.account = self.credentials[section]
        emitted = json.loads(Path(os.environ["PEER_EMITTED"]).read_text("utf-8"))[section]
        self.emitted = emitted.get(self.variant, emitted)

    def path(self, name):
        """The path of a file that `credentials.json` names."""
        return str(self.folder / name)

    def text(self, name):
        return (self.folder / name).read_text("utf-8")

    @property
    def base_url(self):
        """Where an SDK with a base address is pointed at: the plain port, the TLS port, or nowhere else than it would go."""
        if self.mode == "plain":
            return self.account["base_url"]
        if self.mode == "tls":
            return "https://localhost:" + self.credentials["tls"]["listen"].rsplit(":", 1)[1]
        return "https://api.mch.weixin.qq.com"

    def hook(self, name, values):
        """Calls a hook of `credentials.json` with its blanks filled in."""
        hook = self.credentials["admin"][name]

        def filled(text):
            return re.sub(r"\{(\w+)\}", lambda blank: str(values.get(blank[1], blank[0])), text)

        def member(value):
            whole = re.fullmatch(r"\{(\w+)\}", value) if isinstance(value, str) else None
            if whole:
                return values.get(whole[1], value)
            return filled(value) if isinstance(value, str) else value

        body = {key: member(value) for key, value in (hook.get("json") or {}).items()}
        return self.admin(hook["method"], filled(hook["url"]), body, hook.get("headers"))

    def admin(self, method, url, body=None, headers=None):
        url = urllib.parse.urljoin(self.credentials["admin"]["url"], url)
        data = json.dumps(body).encode() if body is not None else None
        headers = {"Content-Type": "application/json", **(headers or {})}
        try:
            with DIRECT.open(urllib.request.Request(url, data, headers, method=method)) as answer:
                return json.loads(answer.read() or b"null")
        except urllib.error.HTTPError as error:
            raise AssertionError(f"the sandbox's {method} {url} says {error.code} {error.read().decode()}") from error

    def settle(self, hook, values):
        return self.hook(f"{hook}_{'v2' if self.route == 'wechat-v2' else 'v3'}", values)

    def today(self):
        """The day on the platform's clock, on which bills are asked for."""
        return self.admin("GET", "/api/state")["now"][:10]


class Shop:
    """The shop's listener. A notice is read by the SDK before it is answered, as in life."""

    def __init__(self, adapter, xml):
        self.adapter, self.xml = adapter, xml
        self.notices, self.arrived = {}, threading.Condition()
        shop = self

        class Handler(BaseHTTPRequestHandler):
            def do_POST(self):
                shop.receive(self)

            def log_message(self, *_):
                pass

        self.server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self.url = f"http://127.0.0.1:{self.server.server_port}"
        threading.Thread(target=self.server.serve_forever, daemon=True).start()

    def receive(self, request):
        body = request.rfile.read(int(request.headers.get("content-length", 0)))
        notice = {"about": request.path[1:], "headers": request.headers, "body": body, "error": None}
        try:
            notice["read"] = self.adapter.read_notice(notice)
        except Exception as error:  # whatever an SDK raises is its refusal
            notice["error"] = error
        word = "FAIL" if notice["error"] else "SUCCESS"
        answer = f"<xml><return_code>{word}</return_code></xml>" if self.xml else json.dumps({"code": word, "message": ""})
        request.send_response(500 if notice["error"] and not self.xml else 200)
        request.send_header("content-type", "text/xml" if self.xml else "application/json")
        request.send_header("content-length", str(len(answer)))
        request.end_headers()
        request.wfile.write(answer.encode())
        with self.arrived:
            # Later attempts of a notice that was refused do not cover up the first.
            self.notices.setdefault(notice["about"], notice)
            self.arrived.notify_all()

    def notice(self, about):
        with self.arrived:
            came = self.arrived.wait_for(lambda: about in self.notices, NOTICE_WAIT_SECONDS)
        assert came, f"no notice came within {NOTICE_WAIT_SECONDS} s"
        if self.notices[about]["error"]:
            raise self.notices[about]["error"]
        return self.notices[about]


def taken(request):
    """A request of our client: what it is signed over, and its signature. On version 2 that is the XML alone."""
    if isinstance(request, str):
        return {"xml": request, "signature": re.search(r"<sign>(?:<!\[CDATA\[)?([0-9A-F]+)", request)[1]}
    fields = dict(re.findall(r'(\w+)="([^"]*)"', request["authorization"]))
    return {**request, "nonce": fields["nonce_str"], "timestamp": fields["timestamp"], "signature": fields["signature"]}


def forged(notice):
    """The same notice with one character of what is signed changed."""
    text = notice["body"].decode("utf-8")
    if '"ciphertext"' in text:
        changed = re.sub(r'("ciphertext":\s*")(.)', lambda m: m[1] + ("B" if m[2] == "A" else "A"), text)
    else:
        changed = re.sub(r"(<total_fee>(?:<!\[CDATA\[)?)(\d)", lambda m: m[1] + ("8" if m[2] == "9" else "9"), text)
    assert changed != text, "the notice has nothing to change"
    return {**notice, "body": changed.encode()}


class Adapter:
    """What the walk asks of an SDK. A member may raise `NotOffered` with a reason."""

    unchecked = None
    """Why the SDK takes an answer whose signature does not hold, where it does."""

    def __init__(self, sandbox):
        self.sandbox, self.account = sandbox, sandbox.account

    def create(self, order_no, total, description, notify_url):
        """Places an order; gives its `code_url` or `prepay_id`."""
        raise NotImplementedError

    def query(self, order_no):
        """Gives `(state, total)`, `total` being `None` where the answer has none."""
        raise NotImplementedError

    def read_notice(self, notice):
        """Verifies and reads a notice, with the SDK's own functions; raises where the SDK refuses it."""
        raise NotImplementedError

    def refund(self, order_no, refund_no, total, amount, notify_url):
        raise NotImplementedError

    def query_refund(self, refund_no):
        """Gives `(state, amount)`."""
        raise NotImplementedError

    def close(self, order_no):
        raise NotImplementedError

    def bill(self, kind, date, gzip):
        """Gives the file's bytes as they came and `(algorithm, hex)` or `None`."""
        raise NotImplementedError

    def upload_image(self, path):
        """Uploads a picture, on version 3; gives its `media_id`."""
        raise NotImplementedError

    def sign_request(self, request):
        """Gives the SDK's signature over a request of ours, whose nonce and time it takes."""
        raise NotImplementedError

    def sign_pay_parameters(self, parameters):
        """Gives the SDK's signature over pay parameters of ours."""
        raise NotImplementedError


def walk(name, adapters):
    """Takes the walk with one SDK. `adapters` has a class for each route that the SDK speaks."""
    sandbox = Sandbox()
    adapter = adapters[sandbox.route](sandbox)
    shop = Shop(adapter, sandbox.route == "wechat-v2")
    seed = secrets.token_hex(8)
    order_no, other_no, refund_no = f"peer{seed}a", f"peer{seed}b", f"peer{seed}r"
    line = {"peer": name, "version": version(name), "route": sandbox.route, "mode": sandbox.mode, "variant": sandbox.variant}

    def step(title, act):
        try:
            ok, detail = True, act() or ""
        except NotOffered as reason:
            ok, detail = None, str(reason)
        except Exception as error:  # the step failed, whatever it was
            ok, detail = False, f"{type(error).__name__}: {error}"[:600]
        print(json.dumps({**line, "step": title, "ok": ok, "detail": detail}, ensure_ascii=False), flush=True)
        return ok

    def place(number):
        made = adapter.create(number, TOTAL, '面条 & "tea" <a>', f"{shop.url}/pay")
        assert re.match(r"weixin://|wx|prepay", made), f"neither a code_url nor a prepay_id: {made}"
        return made

    def expect_order(number, wanted):
        state, total = adapter.query(number)
        expect(state, wanted)
        if total is not None:
            expect(int(total), TOTAL)
        return f"{number} is {state}"

    def pay():
        mchid = sandbox.account.get("mchid") or sandbox.account.get("mch_id")
        sandbox.settle("pay", {"out_trade_no": order_no, "total": TOTAL, "mchid": mchid})
        return "by the hook of credentials.json"

    def pay_notice():
        assert paid, "the order was not paid"
        read = shop.notice("pay")["read"]
        expect((read["order_no"], int(read["total"])), (order_no, TOTAL))
        return "verified and read by the SDK"

    def forged_answer():
        if adapter.unchecked:
            raise NotOffered(adapter.unchecked)
        spoiled = {"kind": "corrupt-signature", "platform": sandbox.route, "operation": "query-order", "order_no": order_no}
        sandbox.admin("PUT", "/api/faults", [spoiled])
        try:
            found = adapter.query(order_no)
        except Exception as error:  # whatever an SDK raises is its refusal
            return f"refused by the SDK: {type(error).__name__}: {error}"
        finally:
            sandbox.admin("PUT", "/api/faults", [])
        raise AssertionError(f"the SDK took a forged answer: {found}")

    def forged_notice():
        real = shop.notices.get("pay")
        assert real and not real["error"], "there was no good notice to forge one of"
        notice = forged(real)
        try:
            read = adapter.read_notice(notice)
        except NotOffered:
            raise
        except Exception as error:  # whatever an SDK raises is its refusal
            return f"refused by the SDK: {type(error).__name__}: {error}"
        raise AssertionError(f"the SDK took a forged notice: {read}")

    def refund():
        adapter.refund(order_no, refund_no, TOTAL, REFUND, f"{shop.url}/refund")
        sandbox.settle("settle_refund", {"out_refund_no": refund_no})
        return f"{REFUND} of {TOTAL} fen"

    def refund_notice():
        if refunded is None:
            raise NotOffered("it places no refunds")
        assert refunded, "nothing was refunded"
        read = shop.notice("refund")["read"]
        expect((read["refund_no"], int(read["amount"]), read["state"]), (refund_no, REFUND, "SUCCESS"))
        return "verified and read by the SDK"

    def query_refund():
        state, amount = adapter.query_refund(refund_no)
        expect((state, int(amount)), ("SUCCESS", REFUND))
        return f"{refund_no} is {state}"

    def close():
        place(other_no)
        adapter.close(other_no)
        return expect_order(other_no, "CLOSED")

    @cache
    def bill_day():
        """Bills of today are made at once; in life they come tomorrow."""
        date = sandbox.today()
        sandbox.admin("POST", "/api/bills", {"date": date})
        return date

    def bill(kind, gzip):
        content, digest = adapter.bill(kind, bill_day(), gzip)
        if gzip:
            expect(content[:2].hex(), "1f8b")
        plain = gzip_format.decompress(content) if gzip else content
        assert order_no.encode() in plain or refund_no.encode() in plain, "the bill lacks the order"
        if digest is None:
            return f"{len(plain)} bytes; this bill has no hash on the wire, or the SDK drops it"
        algorithm, value = digest
        expect(value.lower(), hashlib.new(algorithm.lower(), plain).hexdigest())
        return f"{len(plain)} bytes, {algorithm} holds"

    def upload_image():
        path = sandbox.folder / "noodles.png"
        path.write_bytes(bytes.fromhex("89504e470d0a1a0a"))
        assert re.fullmatch(r"\w+", adapter.upload_image(path)), "no media_id"
        return "taken, and the answer read"

    def our_requests():
        for request in map(taken, sandbox.emitted["requests"]):
            expect(adapter.sign_request(request), request["signature"])
        return "signed again by the SDK, with the same signatures"

    def our_pay_parameters():
        parameters = dict(sandbox.emitted["pay_parameters"])
        signature = parameters.pop("paySign")
        expect(adapter.sign_pay_parameters(parameters), signature)
        return "signed again by the SDK, with the same signature"

    step("create", lambda: place(order_no))
    step("query-unpaid", lambda: expect_order(order_no, "NOTPAY"))
    paid = step("pay", pay)
    step("query-paid", lambda: expect_order(order_no, "SUCCESS"))
    step("forged-answer", forged_answer)
    step("pay-notice", pay_notice)
    step("forged-notice", forged_notice)
    refunded = step("refund", refund)
    step("refund-notice", refund_notice)
    step("query-refund", query_refund)
    step("close", close)
    for kind in ("trade", "fund-flow"):
        for gzip in (False, True):
            step(f"{kind}-bill{'-gzip' if gzip else ''}", lambda kind=kind, gzip=gzip: bill(kind, gzip))
    if sandbox.route == "wechat-v3":
        step("upload-image", upload_image)
    step("our-requests", our_requests)
    step("our-pay-parameters", our_pay_parameters)
    shop.server.shutdown()
