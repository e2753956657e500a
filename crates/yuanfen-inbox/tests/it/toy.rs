//! A route made up for these tests: an inbox knows no provider, and must do with any source.

use bytes::Bytes;
use http::{Request, Response, StatusCode};
use serde_json::{Value, json};
use yuanfen_core::{
    EventKey, Facts, Fen, Hint, Lookup, Notice, NotificationSource, OpenError, OrderNo, PayAmount, ProtocolError,
    ProtocolErrorKind, RefundNo, RemoteId, SignatureError, Transition, UnixTime, Verdict, Verified, Verify,
};
use yuanfen_inbox::{PendingOrder, PendingRefund};

pub const ROUTE: &str = "toy";
pub const ACCOUNT: &str = "M1";

/// Its signature is the word `genuine`; what it says is the body.
#[derive(Debug)]
pub struct Toy;

impl Verify for Toy {
    fn verify(&self, _text: &[u8], signature: &str) -> Result<(), SignatureError> {
        if signature == "genuine" {
            Ok(())
        } else {
            Err(SignatureError::Mismatch)
        }
    }
}

impl NotificationSource for Toy {
    type Event = Value;

    fn route(&self) -> &'static str {
        ROUTE
    }

    fn account(&self) -> &str {
        ACCOUNT
    }

    fn kept_headers(&self) -> &'static [&'static str] {
        &["x-signature"]
    }

    fn open_notification(&self, request: &Request<Bytes>, _now: UnixTime) -> Result<Notice<Value>, OpenError> {
        let body = request.body();
        let signature = request
            .headers()
            .get("x-signature")
            .and_then(|value| value.to_str().ok());
        if signature == Some("hint") {
            let mut names = std::str::from_utf8(body).unwrap().split(" or ").map(lookup);
            let hint = Hint::new(ROUTE, names.next().unwrap());
            return Ok(Notice::Hint(match names.next() {
                Some(alias) => hint.or(alias),
                None => hint,
            }));
        }
        let signature = signature.ok_or(SignatureError::Missing { part: "x-signature" })?;
        let proven = Verified::check(self, body, signature, ())?;
        let read = |()| serde_json::from_slice(body).map_err(|_| ProtocolError::new(ProtocolErrorKind::Format));
        Ok(Notice::Settles(proven.try_map(read)?))
    }

    fn key(&self, event: &Value) -> EventKey {
        let transition = Transition::from_name(event["transition"].as_str().unwrap()).unwrap();
        let subject = event["refund"].as_str().or(event["order"].as_str());
        EventKey::new(ROUTE, ACCOUNT, subject.unwrap(), transition)
    }

    fn facts(&self, event: &Value) -> Facts {
        let mut facts = Facts::new(event["end_state"].as_str().unwrap_or("SUCCESS"));
        facts.amount = event["amount"].as_i64().map(Fen::new);
        let order_no = event["order_no"].as_str().or(event["order"].as_str());
        facts.order_no = order_no.map(str::to_owned);
        facts.refund_no = event["refund_no"].as_str().map(str::to_owned);
        facts.remote_id = event["remote_id"].as_str().map(str::to_owned);
        facts.currency = event["currency"].as_str().map(str::to_owned);
        facts.merchant = event["merchant"].as_str().map(str::to_owned);
        facts.app = event["app"].as_str().map(str::to_owned);
        facts
    }

    fn is_over(&self, event: &Value) -> bool {
        event["goes_on"] != true && self.key(event).transition.is_end()
    }

    fn acknowledge(&self, verdict: Verdict) -> Response<Bytes> {
        let mut response = Response::new(Bytes::from_static(b"taken"));
        if verdict != Verdict::Accepted {
            *response.status_mut() = StatusCode::INTERNAL_SERVER_ERROR;
        }
        response
    }
}

/// What a hint names: an order of that number, or `refund:` or `remote:` and a number. Another name may follow after `or`.
fn lookup(text: &str) -> Lookup {
    match text.split_once(':') {
        Some(("refund", number)) => Lookup::Refund(RefundNo::new(number).unwrap()),
        Some(("remote", id)) => Lookup::RemoteOrder(RemoteId::new(id).unwrap()),
        _ => Lookup::Order(OrderNo::new(text).unwrap()),
    }
}

/// A genuine notice that an order was paid. Two of them never have the same bytes.
pub fn paid(order: &str, fen: i64) -> Request<Bytes> {
    signed(&json!({ "order": order, "amount": fen, "transition": "order-paid" }))
}

/// A genuine notice that a refund of order `A1` came to its end.
pub fn refunded(refund: &str, fen: i64) -> Request<Bytes> {
    signed(&json!({ "refund": refund, "order": "A1", "amount": fen, "transition": "refund-succeeded" }))
}

/// An unsigned notice that names something and settles nothing.
pub fn hint(name: &str) -> Request<Bytes> {
    request("hint", name)
}

pub fn signed(event: &Value) -> Request<Bytes> {
    let mut event = event.clone();
    event["delivery"] = fresh().into();
    request("genuine", &event.to_string())
}

pub fn request(signature: &str, body: &str) -> Request<Bytes> {
    Request::post("/notify?shop=1")
        .header("x-signature", signature)
        .header("cookie", "not for the inbox")
        .body(Bytes::copy_from_slice(body.as_bytes()))
        .unwrap()
}

fn fresh() -> u64 {
    static NEXT: std::sync::atomic::AtomicU64 = std::sync::atomic::AtomicU64::new(1);
    NEXT.fetch_add(1, std::sync::atomic::Ordering::Relaxed)
}

/// A genuine notice about what the platform calls `subject`, which names our numbers as facts.
pub fn remote(subject: &str, ours: &Value) -> Request<Bytes> {
    let mut event = json!({ "order": subject, "amount": 100, "transition": "order-paid" });
    event.as_object_mut().unwrap().extend(ours.as_object().unwrap().clone());
    signed(&event)
}

/// What the shop expects of an order of that amount.
pub fn order(number: &str, fen: i64) -> PendingOrder {
    let amount = PayAmount::from_fen(fen).unwrap();
    PendingOrder::new(ROUTE, ACCOUNT, OrderNo::new(number).unwrap(), amount, None)
}

/// What the shop expects of a refund of that amount of order `A1`.
pub fn refund(number: &str, fen: i64) -> PendingRefund {
    let (refund_no, order_no) = (RefundNo::new(number).unwrap(), OrderNo::new("A1").unwrap());
    PendingRefund::new(ROUTE, ACCOUNT, refund_no, order_no, PayAmount::from_fen(fen).unwrap())
}
