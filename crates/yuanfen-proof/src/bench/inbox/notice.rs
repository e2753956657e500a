//! Notices that cost nothing to verify and to read, of the size that WeChat Pay's have, and the rows that they become.

use std::hash::{BuildHasher as _, RandomState};
use std::sync::atomic::{AtomicU64, Ordering};

use bytes::Bytes;
use http::{Request, Response};
use yuanfen_core::{
    EventKey, Facts, Fen, Notice, NotificationSource, OpenError, OrderNo, PayAmount, SignatureError, Transition,
    UnixTime, Verdict, Verified, Verify,
};
use yuanfen_inbox::{KeptRequest, PendingOrder};

use crate::Error;

const ROUTE: &str = "bench";
const ACCOUNT: &str = "1900007291";
const FEN: i64 = 100;
/// Where notices go; the order's number follows, so that nobody has to read a body for it.
const PATH: &str = "/notify/";
/// What APIv3 signs a notice with.
const HEADERS: [&str; 4] = [
    "wechatpay-serial",
    "wechatpay-signature",
    "wechatpay-timestamp",
    "wechatpay-nonce",
];
/// An APIv3 notice of a payment has about a thousand bytes, most of them ciphertext.
const BODY_BYTES: usize = 1024;

/// The platform's side: every notice is genuine, and nothing is computed to find that out.
#[derive(Debug)]
pub(super) struct Free;

impl Verify for Free {
    fn verify(&self, _text: &[u8], _signature: &str) -> Result<(), SignatureError> {
        Ok(())
    }
}

impl NotificationSource for Free {
    type Event = String;

    fn route(&self) -> &'static str {
        ROUTE
    }

    fn account(&self) -> &str {
        ACCOUNT
    }

    fn kept_headers(&self) -> &'static [&'static str] {
        &HEADERS
    }

    fn open_notification(&self, request: &Request<Bytes>, _now: UnixTime) -> Result<Notice<String>, OpenError> {
        let path = request.uri().path();
        let number = path.strip_prefix(PATH).unwrap_or(path).to_owned();
        Ok(Notice::Settles(Verified::check(self, request.body(), "", number)?))
    }

    fn key(&self, number: &String) -> EventKey {
        EventKey::new(ROUTE, ACCOUNT, number, Transition::OrderPaid)
    }

    fn facts(&self, number: &String) -> Facts {
        let mut facts = Facts::new("SUCCESS");
        facts.amount = Some(Fen::new(FEN));
        facts.currency = Some("CNY".to_owned());
        facts.order_no = Some(number.clone());
        facts.remote_id = Some("4200000833202011221234567890".to_owned());
        facts.merchant = Some(ACCOUNT.to_owned());
        facts.app = Some("wxd678efh567hg6787".to_owned());
        facts
    }

    fn acknowledge(&self, _verdict: Verdict) -> Response<Bytes> {
        Response::new(Bytes::new())
    }
}

/// A notice that an order was paid.
pub(super) fn paid(number: &str) -> Result<Request<Bytes>, Error> {
    // Each has bytes of its own, as it has when it comes over a socket.
    let body = Bytes::from(vec![b'c'; BODY_BYTES]);
    Ok(Request::post(format!("{PATH}{number}"))
        .header("wechatpay-serial", "PUB_KEY_ID_0119000072912024101100000000000000")
        .header("wechatpay-signature", "s".repeat(344))
        .header("wechatpay-timestamp", "1790000000")
        .header("wechatpay-nonce", "TN55wO9Pba5yENl8TN55wO9Pba5yENl8")
        .header("content-type", "application/json")
        .header("user-agent", "Mozilla/4.0")
        .body(body)?)
}

/// What a shop expects to hear of that order.
pub(super) fn order(number: &str) -> Result<PendingOrder, Error> {
    let amount = PayAmount::new(Fen::new(FEN))?;
    Ok(PendingOrder::new(ROUTE, ACCOUNT, OrderNo::new(number)?, amount, None))
}

/// Numbers as shops make them that draw them at random: no two the same, and none near the one before, so that every
/// insert goes to another place of an index.
pub(super) fn numbers(count: usize) -> impl Iterator<Item = String> {
    static NEXT: AtomicU64 = AtomicU64::new(0);
    let scatter = RandomState::new();
    (0..count).map(move |_| {
        let next = NEXT.fetch_add(1, Ordering::Relaxed);
        format!("{:016x}{next:016x}", scatter.hash_one(next))
    })
}

/// What the inbox writes of a notice, for a bare insert of the same bytes.
pub(super) struct Row {
    pub(super) key: EventKey,
    pub(super) facts: Facts,
    pub(super) received_at: UnixTime,
    pub(super) method: String,
    pub(super) uri: String,
    pub(super) headers: String,
    pub(super) body: Bytes,
}

impl Row {
    pub(super) fn of(request: &Request<Bytes>, now: UnixTime) -> Result<Self, Error> {
        let Notice::Settles(number) = Free.open_notification(request, now)? else {
            return Err("the notice settles nothing".into());
        };
        let kept = KeptRequest::of(request, Free.kept_headers());
        Ok(Self {
            key: Free.key(number.get()),
            facts: Free.facts(number.get()),
            received_at: now,
            method: kept.method.to_string(),
            uri: kept.uri.to_string(),
            headers: kept.headers_text(),
            body: kept.body,
        })
    }
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use super::*;

    #[test]
    fn no_number_comes_twice() {
        let numbers: BTreeSet<String> = numbers(1000).chain(numbers(1000)).collect();
        assert_eq!(numbers.len(), 2000);
        assert!(numbers.iter().all(|number| number.len() == 32));
    }

    #[test]
    fn a_row_has_what_the_inbox_keeps_of_a_notice() {
        let now = UnixTime::from_seconds(1_790_000_000);
        let row = Row::of(&paid("20261122").unwrap(), now).unwrap();
        assert_eq!(row.key.to_string(), "bench/1900007291/order-paid/20261122");
        assert_eq!(row.uri, "/notify/20261122");
        assert_eq!(row.body.len(), BODY_BYTES);
        assert!(!row.headers.contains("user-agent"), "{}", row.headers);
        assert_eq!(row.headers.matches("wechatpay-").count(), 4);
    }
}
