//! The platform's side, made of the testkit's oracle and an XML writer of its own: nothing here is ours.

use std::collections::BTreeMap;

use bytes::Bytes;
use http::{Request, Response};
use yuanfen_core::{Address, Error, ErrorKind, FixedAmbient, OpenError, OrderNo, PayAmount, SignatureError, UnixTime};
use yuanfen_testkit::{oracle, protocol_word};
use yuanfen_wechat_v2::ops::{PlaceOrder, QueryOrder};
use yuanfen_wechat_v2::{Account, SignType};

pub(crate) const APP_ID: &str = "wx2421b1c4370ec43b";
pub(crate) const MERCHANT: &str = "10000100";
pub(crate) const KEY: &str = "192006250b4c09247ec02edce69f6a2d";
pub(crate) const OPENID: &str = "oUpF8uMuAJO_M2pxb1Q9zNjWeS6o";
pub(crate) const ORDER_NO: &str = "SHOP20231115000001";
pub(crate) const PREPAY_ID: &str = "wx201411101639507cbf6ffd8b0779950874";
pub(crate) const TRANSACTION_ID: &str = "1008450740201411110005820873";

/// 2023-11-15 06:13:20 in Beijing.
pub(crate) const NOW: i64 = 1_700_000_000;

pub(crate) type Pairs = Vec<(String, String)>;

pub(crate) fn now() -> UnixTime {
    UnixTime::from_seconds(NOW)
}

pub(crate) fn ambient() -> FixedAmbient {
    FixedAmbient::at(NOW)
}

pub(crate) fn account() -> Account {
    Account::new(APP_ID, MERCHANT, KEY).unwrap()
}

pub(crate) fn hmac_account() -> Account {
    account().with_sign_type(SignType::HmacSha256)
}

pub(crate) fn notify_url() -> Address {
    Address::parse_plain("notify_url", "https://shop.example/wechat/notify").unwrap()
}

pub(crate) fn order() -> PlaceOrder {
    PlaceOrder::jsapi(
        OrderNo::new(ORDER_NO).unwrap(),
        PayAmount::from_fen(1200).unwrap(),
        "shop - noodles",
        "203.0.113.7".parse().unwrap(),
        notify_url(),
        OPENID,
    )
}

pub(crate) fn query() -> QueryOrder {
    QueryOrder::by_order_no(OrderNo::new(ORDER_NO).unwrap())
}

/// Pairs with some of them replaced, added (new names) or removed (`None`).
pub(crate) fn changed(pairs: &[(&str, &str)], changes: &[(&str, Option<&str>)]) -> Pairs {
    let mut pairs: Pairs = pairs
        .iter()
        .map(|(name, value)| ((*name).to_owned(), (*value).to_owned()))
        .collect();
    for (name, value) in changes {
        let position = pairs.iter().position(|(candidate, _)| candidate == name);
        match (position, value) {
            (Some(at), Some(value)) => pairs.get_mut(at).unwrap().1 = (*value).to_owned(),
            (Some(at), None) => drop(pairs.remove(at)),
            (None, Some(value)) => pairs.push(((*name).to_owned(), (*value).to_owned())),
            (None, None) => panic!("there is no `{name}` to remove"),
        }
    }
    pairs
}

pub(crate) const PLACED: &[(&str, &str)] = &[
    ("return_code", "SUCCESS"),
    ("return_msg", "OK"),
    ("appid", APP_ID),
    ("mch_id", MERCHANT),
    ("nonce_str", "6ekxnSXWqNR7ACg0"),
    ("result_code", "SUCCESS"),
    ("prepay_id", PREPAY_ID),
    ("trade_type", "JSAPI"),
];

pub(crate) const QUERIED: &[(&str, &str)] = &[
    ("return_code", "SUCCESS"),
    ("return_msg", "OK"),
    ("appid", APP_ID),
    ("mch_id", MERCHANT),
    ("nonce_str", "6ekxnSXWqNR7ACg0"),
    ("result_code", "SUCCESS"),
    ("trade_state", "SUCCESS"),
    ("trade_state_desc", "支付成功"),
    ("out_trade_no", ORDER_NO),
    ("transaction_id", TRANSACTION_ID),
    ("openid", OPENID),
    ("trade_type", "JSAPI"),
    ("bank_type", "CMC"),
    ("total_fee", "1200"),
    ("cash_fee", "1200"),
    ("time_end", "20231115061500"),
];

pub(crate) const PAID: &[(&str, &str)] = &[
    ("return_code", "SUCCESS"),
    ("appid", APP_ID),
    ("mch_id", MERCHANT),
    ("nonce_str", "5d2b6c2a8db53831f7eda20af46e531c"),
    ("result_code", "SUCCESS"),
    ("openid", OPENID),
    ("is_subscribe", "Y"),
    ("trade_type", "JSAPI"),
    ("bank_type", "CFT"),
    ("total_fee", "1200"),
    ("cash_fee", "1200"),
    ("transaction_id", TRANSACTION_ID),
    ("out_trade_no", ORDER_NO),
    ("attach", "table & 4"),
    ("time_end", "20231115061500"),
];

/// The fields with their signature behind them, as the platform computes it.
pub(crate) fn signed(pairs: &Pairs, sign_type: SignType) -> Pairs {
    let map: oracle::Map = pairs.iter().cloned().collect();
    let signature = match sign_type {
        SignType::Md5 => oracle::v2_md5(&map, KEY),
        SignType::HmacSha256 => oracle::v2_hmac(&map, KEY),
        other => panic!("{other:?}"),
    };
    let mut pairs = pairs.clone();
    pairs.push(("sign".to_owned(), signature));
    pairs
}

/// An XML message, every value escaped.
pub(crate) fn xml(pairs: &[(String, String)]) -> Vec<u8> {
    let mut text = "<xml>".to_owned();
    for (name, value) in pairs {
        let value = value.replace('&', "&amp;").replace('<', "&lt;").replace('>', "&gt;");
        text += &format!("<{name}>{value}</{name}>");
    }
    (text + "</xml>").into_bytes()
}

pub(crate) fn response(status: u16, body: impl Into<Bytes>) -> Response<Bytes> {
    Response::builder().status(status).body(body.into()).unwrap()
}

/// A signed answer with status 200.
pub(crate) fn answer(pairs: &Pairs) -> Response<Bytes> {
    response(200, xml(&signed(pairs, SignType::Md5)))
}

/// What the platform posts to the notify address.
pub(crate) fn posted(body: impl Into<Bytes>) -> Request<Bytes> {
    Request::post("https://shop.example/wechat/notify")
        .body(body.into())
        .unwrap()
}

/// The fields of a request, read by another XML parser.
pub(crate) fn sent(request: &Request<Bytes>) -> BTreeMap<String, String> {
    let text = std::str::from_utf8(request.body()).unwrap();
    let document = roxmltree::Document::parse(text).unwrap();
    let root = document.root_element();
    assert_eq!(root.tag_name().name(), "xml");
    let mut fields = BTreeMap::new();
    for element in root.children() {
        assert!(element.is_element(), "text between the fields");
        let value = element.text().unwrap_or_default().to_owned();
        let twice = fields.insert(element.tag_name().name().to_owned(), value);
        assert_eq!(twice, None, "a field twice");
    }
    fields
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
        SignatureError::Malformed { part } => format!("malformed {part}"),
        SignatureError::Mismatch => "mismatch".to_owned(),
        other => panic!("{other:?}"),
    }
}
