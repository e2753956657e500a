//! Tests of fshows: requests, unsigned replies, signed call-backs, the cashier page.
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::indexing_slicing,
    clippy::disallowed_methods,
    missing_docs,
    reason = "tests"
)]

mod codes;
mod debug;
mod fields;
mod finding;
mod notify;
mod pages;
mod properties;
mod refunds;
mod replies;
mod twins;
mod vectors;

use bytes::Bytes;
use http::{Request, Response};
use yuanfen_core::{
    BaseUrl, Error, ErrorKind, Fields, FixedAmbient, Limits, Object, OpenError, Operation, OperationExt as _, OrderNo,
    PayAmount, SignatureError, UnixTime,
};
use yuanfen_fshows::ops::{PayWechatPage, QueryOrder};
use yuanfen_fshows::{Account, TEST_BASE};
use yuanfen_testkit::{Vectors, protocol_word};

const MERCHANT_KEY: &str = include_str!("../keys/merchant-1024-pkcs8.pem");
const PLATFORM_KEY: &str = include_str!("../keys/platform-1024-pkcs8.pem");
const PLATFORM_PUBLIC: &str = include_str!("../keys/platform-1024-pub.pem");
const OPENID: &str = "oUpF8uMuAJO_M2pxb1Q9zNjWeS6o";
const NOW: i64 = 1_704_135_845;

/// The samples and replies of this crate.
fn vectors() -> Vectors {
    Vectors::of_crate(env!("CARGO_MANIFEST_DIR")).unwrap()
}

/// The sheet's T1 to T5, which are the envelope's.
fn envelope() -> Vectors {
    Vectors::of_crate(concat!(env!("CARGO_MANIFEST_DIR"), "/../yuanfen-envelope")).unwrap()
}

fn account() -> Account {
    let base = BaseUrl::parse(TEST_BASE).unwrap();
    Account::new("20990101000000001", MERCHANT_KEY, PLATFORM_PUBLIC, &base).unwrap()
}

fn ambient() -> FixedAmbient {
    FixedAmbient::at(NOW)
}

fn now() -> UnixTime {
    UnixTime::from_seconds(NOW)
}

fn order_no() -> OrderNo {
    OrderNo::new("DEMO_20990101_0001").unwrap()
}

fn pay() -> PayWechatPage {
    PayWechatPage::official_account(
        "20990101000000000001",
        order_no(),
        PayAmount::from_yuan_text("0.01").unwrap(),
        "测试店-收款 A&B=1+2",
        OPENID,
        "203.0.113.7".parse().unwrap(),
    )
}

fn query() -> QueryOrder {
    QueryOrder::by_order_no(order_no())
}

fn form(request: &Request<Bytes>) -> Fields {
    yuanfen_form::read(request.body(), &Limits::DEFAULT).unwrap()
}

/// The content of a request, as flat fields.
fn content<O: Operation<Provider = Account>>(operation: &O) -> Result<Fields, Error> {
    operation.request(&account(), &ambient()).map(|request| {
        let form = form(&request);
        let content = form.get("content").unwrap();
        Object::parse(content.as_bytes(), &Limits::DEFAULT)
            .unwrap()
            .to_fields()
            .unwrap()
    })
}

fn reply(status: u16, body: impl Into<Bytes>) -> Response<Bytes> {
    Response::builder().status(status).body(body.into()).unwrap()
}

fn open<O: Operation<Provider = Account>>(operation: &O, body: impl Into<Bytes>) -> Result<O::Reply, Error> {
    operation.reply(&account(), &reply(200, body), now())
}

fn refused<O: Operation<Provider = Account>>(operation: &O, response: &Response<Bytes>) -> String {
    match operation.reply(&account(), response, now()) {
        Err(error) => word(&error),
        Ok(_) => panic!("opened"),
    }
}

fn word(error: &Error) -> String {
    match error.kind() {
        ErrorKind::Protocol(error) => protocol_word(&error.kind),
        ErrorKind::Business(refusal) => format!("refusal {}", refusal.code),
        other => panic!("{other:?}"),
    }
}

fn open_word(error: &OpenError) -> String {
    match error {
        OpenError::Protocol(error) => protocol_word(&error.kind),
        OpenError::Signature(SignatureError::Missing { .. }) => "missing-signature".to_owned(),
        OpenError::Signature(SignatureError::Mismatch) => "mismatch".to_owned(),
        other => panic!("{other:?}"),
    }
}
