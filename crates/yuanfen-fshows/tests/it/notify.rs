//! Call-backs: proven before anything in them is typed, and never more than a hint.

use std::error::Error;

use bytes::Bytes;
use http::Request;
use yuanfen_core::{Fen, Lookup, Notice, NotificationSource as _, Transition, Verdict};
use yuanfen_fshows::notify::{Callback, CallbackState};
use yuanfen_fshows::ops::{AlipayStatus, QueryOrder};
use yuanfen_sign::legacy::{LegacyRsaSigningKey, RsaDigest};
use yuanfen_testkit::mutate::{Change, Message, Outcome, Place, expect_twins};
use yuanfen_testkit::{expect_kept, oracle};

use crate::{MERCHANT_KEY, PLATFORM_KEY, account, ambient, now, open_word, order_no};

const WECHAT: &[(&str, &str)] = &[
    ("out_trade_no", "DEMO_20990101_0001"),
    ("transaction_id", "2099010112000100000000000001"),
    ("openid", crate::OPENID),
    ("total_fee", "0.01"),
    ("time_end", "20990101120001"),
];
pub(crate) const ALIPAY: &[(&str, &str)] = &[
    ("out_trade_no", "DEMO_20990101_0001"),
    ("trade_no", "2099010112000100000000000001"),
    ("trade_status", "TRADE_SUCCESS"),
    ("total_amount", "43.9"),
];
pub(crate) const JD: &[(&str, &str)] = &[
    ("out_trade_no", "DEMO_20990101_0001"),
    ("trade_no", "2099010112000100000000000001"),
    ("status", "0"),
    ("pay_time", "2099-01-01 12:00:02"),
    ("total_fee", "0.0100"),
];
pub(crate) const BESTPAY: &[(&str, &str)] = &[
    ("out_trade_no", "DEMO_20990101_0001"),
    ("trade_no", "2099010112000100000000000001"),
    ("retn_code", "0000"),
    ("total_fee", "0.01"),
];

pub(crate) fn with<'a>(pairs: &[(&'a str, &'a str)], name: &'a str, value: Option<&'a str>) -> Vec<(&'a str, &'a str)> {
    let mut changed: Vec<_> = pairs.iter().filter(|(other, _)| *other != name).copied().collect();
    changed.extend(value.map(|value| (name, value)));
    changed
}

/// A body signed by that key over the oracle's text.
fn body_by(key: &str, digest: RsaDigest, pairs: &[(&str, &str)]) -> String {
    use yuanfen_core::Sign as _;
    let map: oracle::Map = pairs.iter().map(|(n, v)| ((*n).to_owned(), (*v).to_owned())).collect();
    let text = oracle::fshows_callback_text(&map, false);
    let sign = LegacyRsaSigningKey::parse(key, digest)
        .unwrap()
        .sign(text.as_bytes(), &ambient())
        .unwrap();
    let mut pairs = pairs.to_vec();
    pairs.extend([("sign", sign.as_str()), ("sign_type", "RSA")]);
    yuanfen_form::write(&yuanfen_core::Fields::try_from(pairs.as_slice()).unwrap())
}

fn body(pairs: &[(&str, &str)]) -> String {
    body_by(PLATFORM_KEY, RsaDigest::Sha1, pairs)
}

fn request(body: impl Into<Bytes>) -> Request<Bytes> {
    Request::post("/notify").body(body.into()).unwrap()
}

fn open(body: impl Into<Bytes>) -> Result<Notice<Callback>, String> {
    account()
        .open_notification(&request(body), now())
        .map_err(|error| open_word(&error))
}

fn callback(body: &str) -> Callback {
    account().open_callback(body.as_bytes()).unwrap().into_inner()
}

pub(crate) fn said(pairs: &[(&str, &str)]) -> Callback {
    callback(&body(pairs))
}

/// No call-back names the account, and one platform key signs for every account.
#[test]
fn a_call_back_of_any_wallet_is_a_signed_hint_to_query_the_order() {
    let odd = with(WECHAT, "status", Some("0"));
    for pairs in [WECHAT, ALIPAY, JD, BESTPAY, &odd] {
        match open(body(pairs)).unwrap() {
            Notice::Hint(hint) => {
                assert_eq!(hint.lookup, Lookup::Order(order_no()));
                assert!(hint.is_signed);
                assert!(QueryOrder::of_hint(&hint).is_some());
            }
            other => panic!("{other:?}"),
        }
    }
    // A status that WeChat does not send says nothing.
    assert_eq!(said(&odd).state, CallbackState::Wechat);
}

#[test]
fn the_marks_of_two_wallets_are_refused() {
    for (name, value) in [("trade_status", "TRADE_SUCCESS"), ("retn_code", "0000")] {
        let two = with(WECHAT, name, Some(value));
        assert_eq!(open(body(&two)).unwrap_err(), "field trade_status", "{name}");
    }
    assert_eq!(
        open(body(&with(ALIPAY, "retn_code", Some("0000")))).unwrap_err(),
        "field trade_status"
    );
    // An empty mark is none.
    assert_eq!(
        said(&with(ALIPAY, "retn_code", Some(""))).state,
        CallbackState::Alipay(AlipayStatus::Success)
    );
}

#[test]
fn every_status_has_its_transition() {
    for (pairs, name, value, transition) in [
        (ALIPAY, "trade_status", "TRADE_SUCCESS", Transition::OrderPaid),
        (ALIPAY, "trade_status", "TRADE_FINISHED", Transition::OrderPaid),
        (ALIPAY, "trade_status", "WAIT_BUYER_PAY", Transition::Other),
        (ALIPAY, "trade_status", "TRADE_CLOSED", Transition::Other),
        (ALIPAY, "trade_status", "trade_success", Transition::Other),
        // In a query 2 is paid and 0 is not.
        (JD, "status", "0", Transition::OrderPaid),
        (JD, "status", "1", Transition::OrderFailed),
        (JD, "status", "2", Transition::Other),
        (JD, "status", "00", Transition::Other),
        (BESTPAY, "retn_code", "0000", Transition::OrderPaid),
        (BESTPAY, "retn_code", "0001", Transition::Other),
        (BESTPAY, "retn_code", "0", Transition::Other),
    ] {
        let event = said(&with(pairs, name, Some(value)));
        let key = account().key(&event);
        assert_eq!(key.transition, transition, "{name} {value}");
        assert_eq!((&*key.route, key.account.as_str()), ("fshows", "20990101000000001"));
        assert_eq!(key.subject, "DEMO_20990101_0001");
        // Past refunding it is still the payment that was told of before.
        let end_state = if value == "TRADE_FINISHED" {
            "TRADE_SUCCESS"
        } else {
            value
        };
        assert_eq!(account().facts(&event).end_state, end_state);
    }
}

#[test]
fn facts_have_the_exact_amount_of_each_wallet() {
    for (pairs, name, text, fen) in [
        (ALIPAY, "total_amount", "43.9", 4390),
        (JD, "total_fee", "0.0100", 1),
        (BESTPAY, "total_fee", "100000000.00", 10_000_000_000),
    ] {
        let event = said(&with(pairs, name, Some(text)));
        let facts = account().facts(&event);
        assert_eq!(facts.amount, Some(Fen::new(fen)));
        assert_eq!(facts.order_no.as_deref(), Some("DEMO_20990101_0001"));
        assert_eq!(facts.remote_id.as_deref(), Some("2099010112000100000000000001"));
        for wrong in ["0.001", "1e2", "", "+1", "1 ", "43,9"] {
            assert_eq!(
                open(body(&with(pairs, name, Some(wrong)))).unwrap_err(),
                format!("field {name}")
            );
        }
        assert_eq!(
            open(body(&with(pairs, name, None))).unwrap_err(),
            format!("field {name}")
        );
    }
    // Alipay's amount under the other wallets' name does not count.
    let other = with(&with(ALIPAY, "total_amount", None), "total_fee", Some("43.9"));
    assert_eq!(open(body(&other)).unwrap_err(), "field total_amount");
}

#[test]
fn what_a_call_back_must_have_is_named_when_it_is_missing() {
    assert_eq!(
        open(body(&with(JD, "out_trade_no", None))).unwrap_err(),
        "field out_trade_no"
    );
    assert_eq!(
        open(body(&with(JD, "status", None))).unwrap_err(),
        "field transaction_id"
    );
    assert_eq!(said(&with(JD, "trade_no", None)).trade_no, None);
}

#[test]
fn a_signature_that_is_absent_or_anothers_is_refused() {
    let good = body(JD);
    let bare = good.split("&sign=").next().unwrap().to_owned();
    assert_eq!(open(bare.clone()).unwrap_err(), "missing-signature");
    assert_eq!(open(format!("{bare}&sign=")).unwrap_err(), "missing-signature");
    assert_eq!(open(format!("{bare}&sign=AAAA")).unwrap_err(), "mismatch");
    assert_eq!(open(format!("{bare}&sign=no+base64")).unwrap_err(), "mismatch");
    assert_eq!(
        open(body_by(MERCHANT_KEY, RsaDigest::Sha1, JD)).unwrap_err(),
        "mismatch"
    );
    let sha256 = body_by(PLATFORM_KEY, RsaDigest::Sha256, JD);
    assert_eq!(open(sha256.clone()).unwrap_err(), "mismatch");
    let switched = account().with_digest(RsaDigest::Sha256);
    assert!(switched.open_notification(&request(sha256), now()).is_ok());
    assert!(switched.open_notification(&request(good), now()).is_err());
}

#[test]
fn a_repeated_parameter_is_refused_and_an_empty_one_changes_nothing() {
    let good = body(JD);
    for (name, value) in [
        ("status", "0"),
        ("total_fee", "100"),
        ("sign", "x"),
        ("sign_type", "RSA"),
    ] {
        let twice = format!("{good}&{name}={value}");
        let error = account().open_callback(twice.as_bytes()).unwrap_err();
        assert_eq!(open_word(&error), "format");
        // The codec says what is wrong and where, in bytes.
        let cause = error.source().and_then(Error::source).unwrap().to_string();
        assert!(cause.contains("a name stands twice (byte "), "{cause}");
    }
    let event = said(JD);
    assert_eq!(callback(&format!("{good}&unheard_of=&retn_code=")), event);
    assert_eq!(open(format!("{good}&unheard_of=1")).unwrap_err(), "mismatch");
    // What proves nothing decides nothing.
    assert_eq!(callback(&good.replace("sign_type=RSA", "sign_type=RSA2")), event);
}

#[test]
fn a_kept_empty_value_is_accepted_only_where_the_rules_allow_it() {
    use yuanfen_core::Sign as _;
    use yuanfen_fshows::{CallbackRules, EmptyValues};
    let pairs = with(BESTPAY, "retn_info", Some(""));
    let map: oracle::Map = pairs.iter().map(|(n, v)| ((*n).to_owned(), (*v).to_owned())).collect();
    let key = LegacyRsaSigningKey::parse(PLATFORM_KEY, RsaDigest::Sha1).unwrap();
    for keep in [false, true] {
        let text = oracle::fshows_callback_text(&map, keep);
        let sign = key.sign(text.as_bytes(), &ambient()).unwrap();
        let mut signed = pairs.clone();
        signed.push(("sign", &sign));
        let body = yuanfen_form::write(&yuanfen_core::Fields::try_from(signed.as_slice()).unwrap());
        for (values, accepted) in [
            (EmptyValues::EitherWay, true),
            (EmptyValues::Drop, !keep),
            (EmptyValues::Keep, keep),
        ] {
            let mut rules = CallbackRules::default();
            rules.empty_values = values;
            let opened = account().with_callback_rules(rules).open_callback(body.as_bytes());
            assert_eq!(opened.is_ok(), accepted, "{keep} {values:?}");
        }
    }
}

#[test]
fn every_twin_is_refused_or_says_the_same() {
    let good = body(JD);
    let message = Message::new(good.clone());
    let tally = expect_twins(&message, |mutant| {
        Outcome::of(
            account().open_callback(&mutant.body).map(|event| {
                let event = event.into_inner();
                (
                    event.order_no,
                    event.state,
                    event.trade_no,
                    event.amount,
                    format!("{:?}", event.extra),
                )
            }),
            |error| match open_word(error) {
                field if field.starts_with("field") => "field".to_owned(),
                other => other,
            },
        )
    });
    tally.expect_reasons(&["format", "mismatch", "missing-signature"]);
    assert!(tally.refused("mismatch") > 500);
    // What may change without anybody noticing: the unsigned `sign_type`, and the case of escapes' digits.
    let from = good.find("sign_type").unwrap() - 1;
    tally.expect_same_only(|mutation| match mutation.place {
        Place::Body(at) => at >= from || mutation.change == Change::Case,
        _ => false,
    });
}

#[test]
fn what_is_no_call_back_is_said_to_be_none() {
    for (text, expected) in [
        // An empty form is a form; what it lacks is a signature.
        ("", "missing-signature"),
        ("<html></html>", "html"),
        ("{\"out_trade_no\":\"1\"}", "format"),
        ("a=%zz", "format"),
        ("a=%ff", "format"),
    ] {
        assert_eq!(open(text).unwrap_err(), expected, "{text:?}");
    }
}

#[test]
fn json_call_backs_are_read_where_they_are_asked_for() {
    use yuanfen_core::Sign as _;
    use yuanfen_fshows::{CallbackBody, CallbackRules};
    let map: oracle::Map = JD.iter().map(|(n, v)| ((*n).to_owned(), (*v).to_owned())).collect();
    let key = LegacyRsaSigningKey::parse(PLATFORM_KEY, RsaDigest::Sha1).unwrap();
    let sign = key
        .sign(oracle::fshows_callback_text(&map, false).as_bytes(), &ambient())
        .unwrap();
    let mut object: serde_json::Map<String, serde_json::Value> =
        JD.iter().map(|(n, v)| ((*n).to_owned(), (*v).into())).collect();
    object.insert("sign".to_owned(), sign.into());
    let body = serde_json::Value::Object(object).to_string();
    assert!(account().open_callback(body.as_bytes()).is_err());
    let mut rules = CallbackRules::default();
    rules.body = CallbackBody::FormOrJson;
    let lenient = account().with_callback_rules(rules);
    assert_eq!(*lenient.open_callback(body.as_bytes()).unwrap().get(), said(JD));
}

#[test]
fn acknowledgements_are_plain_text() {
    let accepted = account().acknowledge(Verdict::Accepted);
    assert_eq!(
        (accepted.status().as_u16(), accepted.body().as_ref()),
        (200, b"success".as_slice())
    );
    assert!(
        accepted.headers()["content-type"]
            .to_str()
            .unwrap()
            .starts_with("text/plain")
    );
    let rejected = account().acknowledge(Verdict::Rejected);
    assert_eq!(rejected.body().as_ref(), b"fail");
    assert!(!rejected.status().is_success());
    let own = account().with_acknowledgement("<xml/>").acknowledge(Verdict::Accepted);
    assert_eq!(own.body().as_ref(), b"<xml/>");
}

#[cfg(feature = "test-util")]
#[test]
fn a_forged_call_back_is_one_that_opens() {
    let key = LegacyRsaSigningKey::parse(PLATFORM_KEY, RsaDigest::Sha1).unwrap();
    let forged = yuanfen_fshows::test_util::forge_callback(&key, JD, &ambient()).unwrap();
    let opened = account().open_callback(forged.body()).unwrap();
    assert_eq!(*opened.get(), said(JD));
    assert!(matches!(
        account().open_notification(&forged, now()),
        Ok(Notice::Hint(_))
    ));
}

#[test]
fn a_stored_call_back_is_the_same_hint_without_any_header() {
    let account = account();
    assert!(account.kept_headers().is_empty());
    for pairs in [WECHAT, ALIPAY, JD, BESTPAY] {
        expect_kept(&account, &request(body(pairs)), now());
    }
}
