//! The gateway's side, made of the testkit's oracle and other people's codecs: nothing here is ours.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use bytes::Bytes;
use http::{Request, Response};
use yuanfen_core::{
    Address, BaseUrl, Error, ErrorKind, FixedAmbient, OpenError, OrderNo, PayAmount, SignatureError, UnixTime,
};
use yuanfen_mpgateway::Account;
use yuanfen_mpgateway::ops::{QueryOrder, SubmitOrder};
use yuanfen_testkit::{Value, json, oracle, protocol_word};

pub(crate) const MERCHANT: &str = "00000001";
pub(crate) const KEY: &str = "testkey-0123456789abcdef";
pub(crate) const BASE: &str = "https://pay.example";
pub(crate) const OPENID: &str = "oUpF8uMuAJO_M2pxb1Q9zNjWeS6o";
pub(crate) const ORDER_NO: &str = "TEST20240102030405";
pub(crate) const QUERY_ID: &str = "H0000000000000000000000001";
pub(crate) const PAY_ID: &str = "PAYID-TEST-0001";

pub(crate) const NOW: i64 = 1_704_135_845;

pub(crate) fn now() -> UnixTime {
    UnixTime::from_seconds(NOW)
}

pub(crate) fn ambient() -> FixedAmbient {
    FixedAmbient::at(NOW)
}

pub(crate) fn account() -> Account {
    Account::new(MERCHANT, KEY, BaseUrl::parse(BASE).unwrap()).unwrap()
}

pub(crate) fn order_no() -> OrderNo {
    OrderNo::new(ORDER_NO).unwrap()
}

pub(crate) fn amount() -> PayAmount {
    PayAmount::from_fen(100).unwrap()
}

pub(crate) fn back_url() -> Address {
    Address::parse("backurl", "https://shop.example/notify").unwrap()
}

pub(crate) fn order() -> SubmitOrder {
    SubmitOrder::official_account(order_no(), amount(), back_url(), OPENID)
}

pub(crate) fn query() -> QueryOrder {
    QueryOrder::by_order_no(order_no())
}

/// An object with some members replaced or added, or removed (`null`).
pub(crate) fn changed(mut object: Value, changes: &[(&str, Value)]) -> Value {
    let members = object.as_object_mut().unwrap();
    for (name, value) in changes {
        if value.is_null() {
            members.remove(*name).expect("there is nothing to remove");
        } else {
            members.insert((*name).to_owned(), value.clone());
        }
    }
    object
}

pub(crate) fn submitted() -> Value {
    json!({
        "respcode": "00",
        "respmsg": "成功！",
        "txnamt": 100,
        "merid": MERCHANT,
        "orderid": ORDER_NO,
        "queryid": QUERY_ID,
        "formaction": PAY_ID,
    })
}

pub(crate) fn queried() -> Value {
    json!({
        "respcode": "00",
        "respmsg": "成功！",
        "resultcode": "0000",
        "resultmsg": "支付成功！",
        "txnamt": 100,
        "merid": MERCHANT,
        "orderid": ORDER_NO,
        "queryid": QUERY_ID,
        "paytime": "2024-01-02 03:05:06",
    })
}

pub(crate) fn canceled() -> Value {
    json!({
        "respcode": "00",
        "respmsg": "成功！",
        "txnamt": 100,
        "merid": MERCHANT,
        "orderid": ORDER_NO,
        "queryid": QUERY_ID,
    })
}

pub(crate) fn noticed() -> Value {
    json!({
        "resultcode": "0000",
        "resultmsg": "支付成功！",
        "txnamt": 100,
        "merid": MERCHANT,
        "orderid": ORDER_NO,
        "queryid": QUERY_ID,
        "paytime": "2024-01-02 03:05:06",
    })
}

/// `resp` and `sign` of a payload, as the gateway computes them.
pub(crate) fn signed(payload: &str) -> (String, String) {
    let resp = oracle::mpgateway_base64(payload);
    let sign = oracle::mpgateway_sign(&resp, KEY);
    (resp, sign)
}

pub(crate) fn response(status: u16, body: impl Into<Bytes>) -> Response<Bytes> {
    Response::builder().status(status).body(body.into()).unwrap()
}

pub(crate) fn outer(resp: &str, sign: &str) -> String {
    json!({ "resp": resp, "sign": sign }).to_string()
}

/// A signed answer with status 200.
pub(crate) fn answer(payload: &Value) -> Response<Bytes> {
    let (resp, sign) = signed(&payload.to_string());
    response(200, outer(&resp, &sign))
}

pub(crate) fn form<'a>(pairs: impl IntoIterator<Item = (&'a str, &'a str)>) -> String {
    form_urlencoded::Serializer::new(String::new())
        .extend_pairs(pairs)
        .finish()
}

/// What the gateway posts to `backurl`.
pub(crate) fn posted(body: impl Into<Bytes>) -> Request<Bytes> {
    Request::post("https://shop.example/notify").body(body.into()).unwrap()
}

pub(crate) fn notice(payload: &Value) -> Request<Bytes> {
    let (resp, sign) = signed(&payload.to_string());
    posted(form([("resp", &*resp), ("sign", &*sign)]))
}

/// The payload of a request, read by other codecs, its signature checked.
pub(crate) fn sent(request: &Request<Bytes>) -> Value {
    serde_json::from_slice(&payload_of(request.body())).unwrap()
}

/// The payload of a form or query.
pub(crate) fn payload_of(form: &[u8]) -> Vec<u8> {
    let pairs: Vec<(String, String)> = form_urlencoded::parse(form).into_owned().collect();
    let [(first, req), (second, sign)] = &pairs[..] else {
        panic!("two fields: {pairs:?}")
    };
    assert_eq!((&**first, &**second), ("req", "sign"));
    assert_eq!(*sign, oracle::mpgateway_sign(req, KEY));
    STANDARD.decode(req).unwrap()
}

/// A word for each way in which a message does not open.
pub(crate) fn word(error: &OpenError) -> String {
    match error {
        OpenError::Signature(error) => of_signature(error),
        OpenError::Protocol(error) => protocol_word(&error.kind),
        OpenError::Business(refusal) => format!("refused {}", refusal.code),
        other => panic!("{other:?}"),
    }
}

/// The same for a whole call.
pub(crate) fn why(error: &Error) -> String {
    match error.kind() {
        ErrorKind::Signature(error) => of_signature(error),
        ErrorKind::Protocol(error) => protocol_word(&error.kind),
        ErrorKind::Business(refusal) => format!("refused {}", refusal.code),
        other => panic!("{other:?}"),
    }
}

fn of_signature(error: &SignatureError) -> String {
    match error {
        SignatureError::Missing { part: "sign" } => "missing-signature".to_owned(),
        SignatureError::Missing { part } => format!("missing {part}"),
        SignatureError::Mismatch => "mismatch".to_owned(),
        other => panic!("{other:?}"),
    }
}
