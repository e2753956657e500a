//! Tests of StarPos: requests, replies, pushes. Replies are signed by the testkit's oracle, which shares no code with
//! the crate.
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::indexing_slicing,
    clippy::disallowed_methods,
    missing_docs,
    reason = "tests"
)]

mod charset;
mod codes;
mod debug;
#[cfg(feature = "encrypted-push")]
mod encrypted;
mod fields;
mod finding;
mod notify;
mod properties;
mod refunds;
mod replies;
mod shifts;
mod twins;
mod vectors;

use bytes::Bytes;
use http::{Request, Response};
use yuanfen_core::{
    Error, ErrorKind, Fields, FixedAmbient, Limits, Object, Operation, OperationExt as _, OrderNo, PayAmount,
    ProtocolErrorKind, SignatureError, UnixTime,
};
use yuanfen_starpos::Account;
use yuanfen_starpos::ops::{PayOfficialAccount, Payer};
use yuanfen_testkit::oracle::{self, Map};
use yuanfen_testkit::{Vectors, json};

/// The key of the sheet's vectors.
const KEY: &str = "00112233445566778899AABBCCDDEEFF";
const MERCHANT: &str = "000000000000001";
const OPENID: &str = "oUpF8uMuAJO_M2pxb1Q9zNjWeS6o";
const CODE: &str = "081cKxGa1aBcdE0LmNFa1XyzAB0cKxGX";
/// 2024-01-02 03:04:05 at +08:00, the time of the sheet's vectors.
const NOW: i64 = 1_704_135_845;

fn vectors() -> Vectors {
    Vectors::of_crate(env!("CARGO_MANIFEST_DIR")).unwrap()
}

fn account() -> Account {
    Account::new("00001", MERCHANT, "00000001", KEY).unwrap()
}

fn ambient() -> FixedAmbient {
    FixedAmbient::at(NOW)
}

fn now() -> UnixTime {
    UnixTime::from_seconds(NOW)
}

fn pay() -> PayOfficialAccount {
    PayOfficialAccount::new(
        OrderNo::new("SHOP20240102000001").unwrap(),
        PayAmount::from_fen(100).unwrap(),
        Payer::Code(CODE.to_owned()),
    )
}

/// What a request carries.
fn sent(request: &Request<Bytes>) -> Fields {
    Object::parse(request.body(), &Limits::DEFAULT)
        .unwrap()
        .to_fields()
        .unwrap()
}

fn request<O: Operation<Provider = Account>>(operation: &O) -> Result<Fields, Error> {
    operation.request(&account(), &ambient()).map(|request| sent(&request))
}

fn map<'a>(pairs: impl IntoIterator<Item = (&'a str, &'a str)>) -> Map {
    pairs
        .into_iter()
        .map(|(name, value)| (name.to_owned(), value.to_owned()))
        .collect()
}

/// The same pairs with some replaced or added, and those without a value left out.
fn with<'a>(pairs: &[(&'a str, &'a str)], changes: &[(&'a str, Option<&'a str>)]) -> Vec<(&'a str, &'a str)> {
    let mut changed: Vec<_> = pairs
        .iter()
        .filter(|(name, _)| !changes.iter().any(|(other, _)| other == name))
        .copied()
        .collect();
    changed.extend(
        changes
            .iter()
            .filter_map(|(name, value)| value.map(|value| (*name, value))),
    );
    changed
}

/// The pairs as a flat JSON object, in their order.
fn body(pairs: &[(&str, &str)]) -> String {
    let members: Vec<String> = pairs
        .iter()
        .map(|(name, value)| format!("{}:{}", json!(name), json!(value)))
        .collect();
    format!("{{{}}}", members.join(","))
}

/// A reply as the gateway signs it: over what `message` decodes to.
fn signed(pairs: &[(&str, &str)]) -> Response<Bytes> {
    let sign = oracle::starpos_sign(&decoded(pairs), KEY);
    let mut pairs = pairs.to_vec();
    pairs.push(("signValue", &sign));
    reply(200, body(&pairs))
}

fn unsigned(pairs: &[(&str, &str)]) -> Response<Bytes> {
    reply(200, body(pairs))
}

/// The tests' own messages are encoded nowhere but in `%E4%BA%A4%E6%98%93%E6%88%90%E5%8A%9F`.
fn decoded(pairs: &[(&str, &str)]) -> Map {
    map(pairs.iter().map(|(name, value)| {
        let decoded = if *name == "message" && *value == ENCODED {
            "交易成功"
        } else {
            value
        };
        (*name, decoded)
    }))
}

const ENCODED: &str = "%E4%BA%A4%E6%98%93%E6%88%90%E5%8A%9F";

fn reply(status: u16, body: impl Into<Bytes>) -> Response<Bytes> {
    Response::builder().status(status).body(body.into()).unwrap()
}

/// One word for how a call failed, as the vector format spells it.
fn word(error: &Error) -> String {
    match error.kind() {
        ErrorKind::Protocol(error) => protocol_word(&error.kind),
        ErrorKind::Signature(error) => signature_word(error).to_owned(),
        ErrorKind::Business(refusal) => format!("refusal {}", refusal.code),
        other => panic!("{other:?}"),
    }
}

fn protocol_word(kind: &ProtocolErrorKind) -> String {
    match kind {
        ProtocolErrorKind::Format => "not-json".to_owned(),
        other => yuanfen_testkit::protocol_word(other),
    }
}

fn signature_word(error: &SignatureError) -> &'static str {
    match error {
        SignatureError::Missing { .. } => "missing-signature",
        SignatureError::Mismatch => "mismatch",
        other => panic!("{other:?}"),
    }
}
