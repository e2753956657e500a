//! The notice to `backurl`, and its answer.

use http::Request;
use yuanfen_core::{Fen, Notice, NotificationSource as _, OpenError, Transition, UnixTime, Verdict};
use yuanfen_mpgateway::codes::ResultCode;
use yuanfen_mpgateway::notify::ResultNotice;
use yuanfen_mpgateway::{Account, PaidCodes, test_util};
use yuanfen_testkit::{Value, expect_kept, json};

use crate::far_side::{
    MERCHANT, ORDER_NO, QUERY_ID, account, ambient, changed, form, notice, noticed, now, posted, signed, word,
};

fn open(account: &Account, changes: &[(&str, Value)]) -> Result<ResultNotice, OpenError> {
    let opened = account.open_notification(&notice(&changed(noticed(), changes)), now())?;
    match opened {
        Notice::Settles(event) => Ok(event.into_inner()),
        other => panic!("{other:?}"),
    }
}

fn refused(body: impl Into<bytes::Bytes>) -> String {
    word(&account().open_notification(&posted(body), now()).unwrap_err())
}

#[test]
fn opens_a_notice() {
    let event = open(&account(), &[("new_member", json!([1]))]).unwrap();
    assert_eq!(event.result, ResultCode::Settled);
    assert_eq!(event.result_message.as_deref(), Some("支付成功！"));
    assert_eq!(event.query_id.as_str(), QUERY_ID);
    assert_eq!(event.order_no.as_str(), ORDER_NO);
    assert_eq!((event.amount, &*event.merchant), (Fen::new(100), MERCHANT));
    // 2024-01-02 03:05:06 in Beijing.
    assert_eq!(event.paid_at, Some(UnixTime::from_seconds(1_704_135_906)));
    assert_eq!((event.extra.get("new_member"), event.extra.len()), (Some("[1]"), 1));
    assert_eq!(event.raw, changed(noticed(), &[("new_member", json!([1]))]).to_string());
}

#[test]
fn takes_a_payment_and_its_settlement_for_two_transitions_of_one_order() {
    let account = account();
    let paid = open(&account, &[("resultcode", json!("1002")), ("paytime", json!(""))]).unwrap();
    let settled = open(&account, &[]).unwrap();
    let (first, second) = (account.key(&paid), account.key(&settled));
    assert_eq!(
        (first.transition, second.transition),
        (Transition::OrderPaid, Transition::OrderSettled)
    );
    assert_ne!(first, second);
    for key in [&first, &second] {
        assert_eq!(
            (&*key.route, &*key.account, &*key.subject),
            ("mpgateway", MERCHANT, ORDER_NO)
        );
    }
    // The same notice once more is the same event with the same facts.
    let again = open(&account, &[("resultmsg", json!("again"))]).unwrap();
    assert_eq!(
        (account.key(&again), account.facts(&again)),
        (second, account.facts(&settled))
    );

    let facts = account.facts(&paid);
    assert_eq!((facts.amount, facts.currency), (Some(Fen::new(100)), None));
    assert_eq!(
        (facts.order_no.as_deref(), facts.remote_id.as_deref()),
        (Some(ORDER_NO), Some(QUERY_ID))
    );
    assert_eq!((facts.merchant.as_deref(), facts.app), (Some(MERCHANT), None));
    assert_eq!(facts.end_state, "1002");
}

#[test]
fn reports_what_a_code_means_and_no_payment_that_the_account_does_not_count() {
    let strict = account().with_paid_codes(PaidCodes::SettledOnly);
    let mut subjects = std::collections::BTreeSet::new();
    for (code, transition, strictly) in [
        ("0000", Transition::OrderSettled, Transition::OrderSettled),
        ("1001", Transition::Other, Transition::Other),
        ("1002", Transition::OrderPaid, Transition::Other),
        ("1003", Transition::OrderFailed, Transition::OrderFailed),
        ("1004", Transition::Other, Transition::Other),
        ("2002", Transition::Other, Transition::Other),
    ] {
        for (account, expected) in [(account(), transition), (strict.clone(), strictly)] {
            let event = open(&account, &[("resultcode", json!(code))]).unwrap();
            let key = account.key(&event);
            assert_eq!(key.transition, expected, "{code}");
            if expected == Transition::Other {
                subjects.insert(key.subject);
            } else {
                assert_eq!(key.subject, ORDER_NO);
            }
        }
    }
    assert_eq!(
        subjects.len(),
        4,
        "states without a transition do not contradict each other: {subjects:?}"
    );
}

#[test]
fn refuses_what_nobody_signed() {
    let (resp, sign) = signed(&noticed().to_string());
    let (tampered, _) = signed(&changed(noticed(), &[("txnamt", json!(1))]).to_string());
    for (body, word) in [
        (form([("resp", &*resp), ("sign", "")]), "missing-signature"),
        (form([("resp", &*resp)]), "missing-signature"),
        (form([("sign", &*sign)]), "missing resp"),
        (form([("resp", ""), ("sign", &sign)]), "missing resp"),
        (form([("resp", &*tampered), ("sign", &*sign)]), "mismatch"),
        (
            form([("resp", &*resp), ("sign", "c5cc6254ec1d4547f6ac083ee200cc63")]),
            "mismatch",
        ),
        (String::new(), "missing resp"),
        ("other=1".to_owned(), "missing resp"),
        ("<html></html>".to_owned(), "html"),
        (json!({ "resp": resp, "sign": sign }).to_string(), "format"),
        (format!("resp={resp}&resp={resp}&sign={sign}"), "format"),
        (format!("resp={resp}&sign=%zz"), "format"),
    ] {
        assert_eq!(refused(body.clone()), word, "{body}");
    }
    assert_eq!(refused("a".repeat(10 << 20)), "format");
    // An unsigned failure is no notice either.
    let (failed, _) = signed(&json!({ "respcode": "90" }).to_string());
    assert_eq!(refused(form([("resp", &*failed), ("sign", "")])), "missing-signature");
}

#[test]
fn accepts_a_signature_in_the_other_case() {
    let (resp, sign) = signed(&noticed().to_string());
    let body = form([("resp", &*resp), ("sign", &*sign.to_uppercase())]);
    assert!(account().open_notification(&posted(body), now()).is_ok());
}

#[test]
fn looks_into_the_query_when_the_body_has_none_of_it() {
    let (resp, sign) = signed(&noticed().to_string());
    let query = form([("resp", &*resp), ("sign", &*sign)]);
    let request = |body: &str| {
        Request::post(format!("https://shop.example/notify?{query}"))
            .body(bytes::Bytes::from(body.to_owned()))
            .unwrap()
    };
    for body in ["", "other=1"] {
        assert!(account().open_notification(&request(body), now()).is_ok(), "{body}");
    }
    // The body comes first: what it has of the two is not completed from elsewhere.
    for body in ["resp=x", "sign=x", "resp=&sign="] {
        assert!(account().open_notification(&request(body), now()).is_err(), "{body}");
    }
}

#[test]
fn refuses_a_notice_of_another_merchant() {
    let error = open(&account(), &[("merid", json!("00000002"))]).unwrap_err();
    assert_eq!(word(&error), "foreign merid");
}

#[test]
fn refuses_a_signed_notice_that_lacks_what_it_must_have() {
    for name in ["resultcode", "queryid", "txnamt", "merid", "orderid"] {
        for absent in [Value::Null, json!("")] {
            let error = open(&account(), &[(name, absent)]).unwrap_err();
            assert_eq!(word(&error), format!("field {name}"));
        }
    }
    for (name, value) in [
        ("txnamt", json!("1.00")),
        ("txnamt", json!(1.5)),
        ("resultcode", json!(0)),
        ("orderid", json!("has blank")),
        ("queryid", json!(1)),
    ] {
        assert_eq!(
            word(&open(&account(), &[(name, value)]).unwrap_err()),
            format!("field {name}")
        );
    }
    for amount in [json!(100), json!("100")] {
        assert_eq!(open(&account(), &[("txnamt", amount)]).unwrap().amount, Fen::new(100));
    }
    assert_eq!(open(&account(), &[("paytime", Value::Null)]).unwrap().paid_text, None);
}

#[test]
fn acknowledges_with_four_zeros_and_nothing_else() {
    let accepted = account().acknowledge(Verdict::Accepted);
    assert_eq!((accepted.status().as_u16(), &accepted.body()[..]), (200, &b"0000"[..]));
    assert_eq!(accepted.headers()["content-type"], "text/plain; charset=utf-8");
    let rejected = account().acknowledge(Verdict::Rejected);
    assert_eq!(
        (rejected.status().as_u16(), &rejected.body()[..]),
        (400, &b"not taken"[..])
    );
}

#[test]
fn forges_notices_that_the_account_accepts() {
    let request = test_util::forge_notice(&account(), &noticed().to_string(), &ambient()).unwrap();
    assert_eq!(request.method(), http::Method::POST);
    assert_eq!(
        request.body(),
        notice(&noticed()).body(),
        "as the gateway would make it"
    );
}

#[test]
fn a_stored_notice_opens_to_the_same_without_any_header_from_its_body_or_its_address() {
    let account = account();
    assert!(account.kept_headers().is_empty());
    expect_kept(&account, &notice(&noticed()), now());
    let (resp, sign) = signed(&noticed().to_string());
    let address = format!("/notify?{}", form([("resp", &*resp), ("sign", &*sign)]));
    let asked = Request::get(address).body(bytes::Bytes::new()).unwrap();
    expect_kept(&account, &asked, now());
}
