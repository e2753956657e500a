//! Plain pushes: hints and nothing more, whatever they say.

use bytes::Bytes;
use http::Request;
use yuanfen_core::{Hint, Lookup, Notice, NotificationSource as _, OpenError, OrderNo, RefundNo, RemoteId, Verdict};
use yuanfen_starpos::ops::{OrderKey, QueryOrder};
use yuanfen_testkit::expect_kept;

use crate::{MERCHANT, OPENID, account, body, now, protocol_word, signature_word, with};

pub(crate) const PUSH: &[(&str, &str)] = &[
    ("BalDate", "20240102"),
    ("AgentId", "00001"),
    ("TxnLogId", "T20240102030405001"),
    ("BusinessId", MERCHANT),
    ("SDTermNo", "00000001"),
    ("TxnCode", "N007"),
    ("PayChannel", "2"),
    ("TxnDate", "20240102"),
    ("TxnTime", "030405"),
    ("TxnAmt", "43.9"),
    ("TxnStatus", "1"),
    ("BankType", ""),
    ("OfficeId", "4200000000202401020000000001"),
    ("ChannelId", "SHOP20240102000001"),
    ("UserId", OPENID),
    ("logNo", "202401020000000002"),
    ("attach", "中文"),
    ("CrdFlg", ""),
];

pub(crate) fn request(body: impl Into<Bytes>) -> Request<Bytes> {
    Request::post("/push").body(body.into()).unwrap()
}

pub(crate) fn refused(error: &OpenError) -> String {
    match error {
        OpenError::Protocol(error) => protocol_word(&error.kind),
        OpenError::Signature(error) => signature_word(error).to_owned(),
        other => panic!("{other:?}"),
    }
}

fn open(body: impl Into<Bytes>) -> Result<Hint, String> {
    match account().open_notification(&request(body), now()) {
        Ok(Notice::Hint(hint)) => Ok(hint),
        Ok(other) => panic!("a plain push settles nothing: {other:?}"),
        Err(error) => Err(refused(&error)),
    }
}

fn log_no() -> RemoteId {
    RemoteId::new("202401020000000002").unwrap()
}

fn order(number: &str) -> Hint {
    let ours = Lookup::Order(OrderNo::new(number).unwrap());
    Hint::new("starpos", ours).or(Lookup::RemoteOrder(log_no()))
}

fn expected() -> Hint {
    order("T20240102030405001")
}

#[test]
fn a_plain_push_is_a_hint_to_our_number_and_to_its_serial() {
    let hint = open(body(PUSH)).unwrap();
    assert_eq!(hint, expected());
    // The one that the answer repeats.
    assert_eq!(QueryOrder::of_hint(&hint).unwrap().key, OrderKey::Log(log_no()));
}

/// Sheet, section 9.1: "by `logNo` / `TxnLogId` / `ChannelId`"; a payment may have been sent without a `tradeNo`.
#[test]
fn what_we_call_it_is_the_number_of_its_call_or_else_of_its_order_or_else_unknown() {
    let nameless = Hint::new("starpos", Lookup::RemoteOrder(log_no()));
    let shop = || order("SHOP20240102000001");
    for (call, channel, hint) in [
        (Some("T1"), Some("S1"), order("T1")),
        (Some("T1"), None, order("T1")),
        (None, Some("SHOP20240102000001"), shop()),
        (Some(""), Some("SHOP20240102000001"), shop()),
        // Not a number of ours.
        (Some("202401020000000002"), Some("SHOP20240102000001"), shop()),
        (Some("202401020000000002"), None, nameless.clone()),
        (None, None, nameless.clone()),
        (Some("no number"), None, nameless),
    ] {
        let push = with(PUSH, &[("TxnLogId", call), ("ChannelId", channel)]);
        assert_eq!(open(body(&push)).unwrap(), hint, "{call:?} {channel:?}");
    }
}

#[test]
fn a_plain_push_of_a_refund_is_a_hint_to_the_refund_and_to_no_order() {
    let refund = |call| with(PUSH, &[("TxnCode", Some("L005")), ("TxnLogId", call)]);
    let ours = Lookup::Refund(RefundNo::new("R1").unwrap());
    let expected = Hint::new("starpos", ours).or(Lookup::RemoteOrder(log_no()));
    let hint = open(body(&refund(Some("R1")))).unwrap();
    assert_eq!(hint, expected);
    assert!(QueryOrder::of_hint(&hint).is_none());
    // The order number of a refund is its payment's: nothing is asked for by it.
    for call in [None, Some("202401020000000002")] {
        let hint = open(body(&refund(call))).unwrap();
        assert_eq!(hint, Hint::new("starpos", Lookup::RemoteOrder(log_no())));
    }
    let failed = with(&refund(Some("R1")), &[("TxnStatus", Some("0"))]);
    assert_eq!(open(body(&failed)).unwrap(), expected);
}

#[test]
fn every_kind_of_plain_push_is_a_hint_also_an_unknown_one() {
    for kind in [
        "N001", "N002", "N007", "L009", "L020", "L030", "4433040", "2010060", "X999",
    ] {
        assert_eq!(
            open(body(&with(PUSH, &[("TxnCode", Some(kind))]))).unwrap(),
            expected(),
            "{kind}"
        );
    }
    for status in ["0", "2", "failed"] {
        assert_eq!(
            open(body(&with(PUSH, &[("TxnStatus", Some(status))]))).unwrap(),
            expected()
        );
    }
}

#[test]
fn a_signature_does_not_make_a_plain_push_more_than_a_hint() {
    let sign = yuanfen_testkit::oracle::starpos_sign(&crate::map(PUSH.iter().copied()), crate::KEY);
    assert_eq!(
        open(body(&with(PUSH, &[("signValue", Some(&sign))]))).unwrap(),
        expected()
    );
}

#[test]
fn pushes_are_read_in_gbk_and_in_utf8() {
    let text = body(PUSH);
    let (gbk, _, lossy) = encoding_rs::GBK.encode(&text);
    assert!(!lossy && std::str::from_utf8(&gbk).is_err());
    assert_eq!(open(gbk.into_owned()).unwrap(), expected());
    assert_eq!(open(text).unwrap(), expected());
}

#[test]
fn a_push_about_another_merchant_or_organization_is_foreign() {
    let other = with(PUSH, &[("BusinessId", Some("000000000000002"))]);
    assert_eq!(open(body(&other)).unwrap_err(), "foreign BusinessId");
    let other = with(PUSH, &[("AgentId", Some("00002"))]);
    assert_eq!(open(body(&other)).unwrap_err(), "foreign AgentId");
}

#[test]
fn what_a_push_must_have_is_named_when_it_is_missing() {
    for name in ["logNo", "TxnCode", "TxnStatus", "TxnAmt", "BusinessId"] {
        for value in [None, Some("")] {
            assert_eq!(
                open(body(&with(PUSH, &[(name, value)]))).unwrap_err(),
                format!("field {name}")
            );
        }
    }
    for name in [
        "AgentId",
        "ChannelId",
        "OfficeId",
        "UserId",
        "attach",
        "BankType",
        "SDTermNo",
    ] {
        assert_eq!(open(body(&with(PUSH, &[(name, None)]))).unwrap(), expected(), "{name}");
    }
}

#[test]
fn an_amount_that_is_none_is_refused() {
    for wrong in ["43.905", "1e2", "+1", "43,9", "四", " 1", ".5", "1."] {
        assert_eq!(
            open(body(&with(PUSH, &[("TxnAmt", Some(wrong))]))).unwrap_err(),
            "field TxnAmt",
            "{wrong}"
        );
    }
}

#[test]
fn what_is_no_push_is_said_to_be_none() {
    for (text, expected) in [
        ("", "empty"),
        ("<html></html>", "html"),
        ("[]", "not-json"),
        ("logNo=1&TxnCode=N007", "not-json"),
        ("{\"logNo\":\"1\",\"logNo\":\"2\"}", "not-json"),
        ("{}", "field logNo"),
        ("{\"logNo\":{}}", "field logNo"),
    ] {
        assert_eq!(open(text).unwrap_err(), expected, "{text:?}");
    }
}

#[test]
fn acknowledgements_are_the_documented_bytes() {
    let accepted = account().acknowledge(Verdict::Accepted);
    assert_eq!(accepted.status(), 200);
    assert_eq!(accepted.headers()["content-type"], "application/json");
    assert_eq!(
        accepted.body(),
        &Bytes::from_static(br#"{"RspCode":"000000","RspDes":"success"}"#)
    );
    let rejected = account().acknowledge(Verdict::Rejected);
    assert_eq!(rejected.status(), 200);
    let text = std::str::from_utf8(rejected.body()).unwrap();
    let fields: serde_json::Value = serde_json::from_str(text).unwrap();
    let code = fields["RspCode"].as_str().unwrap();
    // Six characters, and not the six zeros.
    assert!(code.len() == 6 && code != "000000");
    assert!(fields["RspDes"].as_str().unwrap().len() <= 64);
}

#[cfg(not(feature = "encrypted-push"))]
#[test]
fn an_encrypted_push_without_the_feature_is_told_as_one_that_does_not_open() {
    let text = "{\"Datas\":\"00\",\"signValue\":\"x\"}";
    assert_eq!(open(text).unwrap_err(), "decrypt");
}

#[cfg(feature = "test-util")]
#[test]
fn a_forged_push_is_one_that_opens() {
    let fields = [
        ("logNo", "1"),
        ("TxnCode", "N007"),
        ("TxnStatus", "1"),
        ("TxnAmt", "0.01"),
        ("attach", "中"),
    ];
    let forged = yuanfen_starpos::test_util::forge_push(&account(), &fields).unwrap();
    let opened = account().open_notification(&forged, now()).unwrap();
    let hint = Hint::new("starpos", Lookup::RemoteOrder(RemoteId::new("1").unwrap()));
    assert!(matches!(opened, Notice::Hint(found) if found == hint));
    assert!(yuanfen_starpos::test_util::forge_push(&account(), &[("AgentId", "x")]).is_err());
}

#[test]
fn a_stored_push_is_the_same_hint_without_any_header() {
    let account = account();
    assert!(account.kept_headers().is_empty());
    let in_gbk = encoding_rs::GBK.encode(&body(PUSH)).0.into_owned();
    for body in [body(PUSH).into_bytes(), in_gbk] {
        expect_kept(&account, &request(body), now());
    }
}
