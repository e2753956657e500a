//! Closing an order: after a query, not within five minutes, never a paid one.

use yuanfen_core::{
    Advice, Again, BuildError, ClientAuth, Effect, Error, Fate, Operation as _, OperationExt as _, OrderNo,
    RefusalKind, RuleBroken, UnixTime,
};
use yuanfen_wechat_v2::ops::{CloseOrder, ClosedOrder, QueriedOrder};
use yuanfen_wechat_v2::{SignType, TradeType};

use crate::far_side::{
    APP_ID, MERCHANT, NOW, ORDER_NO, QUERIED, account, ambient, answer, changed, hmac_account, now, query, response,
    sent, signed, why, xml,
};
use crate::fields::refused;

type Changes<'a> = &'a [(&'a str, Option<&'a str>)];

const CLOSED: &[(&str, &str)] = &[
    ("return_code", "SUCCESS"),
    ("return_msg", "OK"),
    ("appid", APP_ID),
    ("mch_id", MERCHANT),
    ("nonce_str", "BFK89FC6rxKCOjLX"),
    ("result_code", "SUCCESS"),
    ("result_msg", "OK"),
];

fn close() -> CloseOrder {
    CloseOrder::new(OrderNo::new(ORDER_NO).unwrap())
}

fn closed(changes: Changes<'_>) -> Result<ClosedOrder, Error> {
    close().reply(&account(), &answer(&changed(CLOSED, changes)), now())
}

#[test]
fn sends_the_number_and_nothing_else() {
    let request = close().request(&account(), &ambient()).unwrap();
    assert_eq!(request.uri(), "https://api.mch.weixin.qq.com/pay/closeorder");
    assert_eq!(request.extensions().get::<ClientAuth>(), None);
    let fields = sent(&request);
    let names: Vec<_> = fields.keys().map(String::as_str).collect();
    assert_eq!(
        names,
        ["appid", "mch_id", "nonce_str", "out_trade_no", "sign", "sign_type"]
    );
    assert_eq!(fields["out_trade_no"], ORDER_NO);
    assert_eq!(CloseOrder::ROUTE.effect, Effect::Repeatable);
}

#[test]
fn takes_a_number_of_at_most_32_characters() {
    let of = |text: &str| CloseOrder::new(OrderNo::new(text).unwrap());
    for text in ["@".to_owned(), "a_-|*@Z9".to_owned(), "9".repeat(32)] {
        let fields = sent(&of(&text).request(&account(), &ambient()).unwrap());
        assert_eq!(fields["out_trade_no"], text);
    }
    let long = refused(&of(&"9".repeat(33)));
    assert!(matches!(
        long,
        BuildError::Rule(RuleBroken::TooLong {
            field: "out_trade_no",
            ..
        })
    ));
    let outside = refused(&of("a.b"));
    assert!(matches!(
        outside,
        BuildError::Rule(RuleBroken::Character {
            field: "out_trade_no",
            ..
        })
    ));
}

#[test]
fn waits_five_minutes_after_the_order_where_it_is_told_when_that_was() {
    let mut close = close();
    for (seconds, accepted) in [(300, true), (299, false), (0, false), (-1, false), (i64::MAX, true)] {
        close.placed_at = Some(UnixTime::from_seconds(NOW.saturating_sub(seconds)));
        match close.request(&account(), &ambient()) {
            // What it is told is not sent.
            Ok(request) => assert!(accepted && sent(&request).len() == 6, "{seconds}"),
            Err(_) => {
                assert!(!accepted, "{seconds}");
                let error = refused(&close);
                assert!(
                    matches!(
                        error,
                        BuildError::Time {
                            field: "out_trade_no",
                            ..
                        }
                    ),
                    "{error:?}"
                );
                assert!(error.to_string().contains("five minutes"), "{error}");
            }
        }
    }
}

fn queried(state: &str, trade_type: &str) -> QueriedOrder {
    let changes = [("trade_state", Some(state)), ("trade_type", Some(trade_type))];
    query()
        .reply(&account(), &answer(&changed(QUERIED, &changes)), now())
        .unwrap()
}

#[test]
fn closes_after_a_query_only_what_the_query_called_unpaid() {
    for (state, kind, refused) in [
        ("NOTPAY", "JSAPI", None),
        ("PAYERROR", "NATIVE", None),
        ("SUCCESS", "JSAPI", Some("trade_state")),
        ("REFUND", "JSAPI", Some("trade_state")),
        ("CLOSED", "APP", Some("trade_state")),
        ("REVOKED", "JSAPI", Some("trade_state")),
        ("USERPAYING", "JSAPI", Some("trade_state")),
        ("ACCEPT", "JSAPI", Some("trade_state")),
        ("BRAND_NEW", "JSAPI", Some("trade_state")),
        ("NOTPAY", "MICROPAY", Some("trade_type")),
    ] {
        match CloseOrder::after_query(&queried(state, kind)) {
            Ok(close) => assert_eq!((close.order_no.as_str(), refused), (ORDER_NO, None), "{state}"),
            Err(error) => assert_eq!((error.field(), true), (refused, refused.is_some()), "{state} {kind}"),
        }
    }
    assert_eq!(TradeType::from("MICROPAY"), TradeType::Micropay);
}

#[test]
fn opens_a_closed_order_whatever_its_words() {
    let answered = closed(&[("new_field", Some("x"))]).unwrap();
    assert_eq!(answered.words.as_deref(), Some("OK"));
    assert_eq!((answered.extra.get("new_field"), answered.extra.len()), (Some("x"), 1));
    assert_eq!(closed(&[("result_msg", None)]).unwrap().words, None);
    let hmac = response(200, xml(&signed(&changed(CLOSED, &[]), SignType::HmacSha256)));
    assert!(close().reply(&hmac_account(), &hmac, now()).is_ok());
}

#[test]
fn an_answer_without_proof_leaves_it_open_and_it_is_closed_again() {
    let good = signed(&changed(CLOSED, &[]), SignType::Md5);
    for (status, body, word) in [
        (200, xml(&changed(CLOSED, &[])), "missing-signature"),
        (200, xml(&changed(CLOSED, &[("sign", Some(""))])), "missing-signature"),
        (
            200,
            xml(&changed(CLOSED, &[("sign", Some(&"0".repeat(32)))])),
            "mismatch",
        ),
        (
            200,
            xml(&signed(&changed(CLOSED, &[]), SignType::HmacSha256)),
            "mismatch",
        ),
        (
            200,
            b"<xml><return_code>FAIL</return_code><return_msg>x</return_msg></xml>".to_vec(),
            "refused FAIL",
        ),
        (200, Vec::new(), "empty"),
        (200, b"<html></html>".to_vec(), "html"),
        (502, xml(&good), "status 502"),
    ] {
        let error = close().reply(&account(), &response(status, body), now()).unwrap_err();
        assert_eq!(why(&error), word);
        assert_eq!(
            (error.fate(), error.advice()),
            (Fate::Unknown, Advice::Repeat),
            "{word}"
        );
    }
    for (field, value) in [("appid", "wx0"), ("mch_id", "10000101")] {
        assert_eq!(
            why(&closed(&[(field, Some(value))]).unwrap_err()),
            format!("foreign {field}")
        );
    }
}

/// Section 9 on a close.
#[test]
fn never_takes_a_paid_order_for_a_closed_one() {
    let no = |code: &str| closed(&[("result_code", Some("FAIL")), ("err_code", Some(code))]).unwrap_err();
    for (code, fate, advice, again) in [
        ("ORDERPAID", Fate::Already, Advice::Query, Again::No),
        ("ORDERCLOSED", Fate::Already, Advice::Query, Again::No),
        ("ORDERNOTEXIST", Fate::Refused, Advice::Stop, Again::No),
        (
            "TRADE_STATE_ERROR",
            Fate::Refused,
            Advice::QueryFirst,
            Again::AfterQuery,
        ),
        ("SYSTEMERROR", Fate::Unknown, Advice::Repeat, Again::Now),
        ("SIGNERROR", Fate::Refused, Advice::Stop, Again::WhenMended),
        ("BRAND_NEW", Fate::Unknown, Advice::Repeat, Again::Now),
    ] {
        let error = no(code);
        assert_eq!(
            (error.fate(), error.advice(), error.again()),
            (fate, advice, again),
            "{code}"
        );
        assert!(error.refusal().unwrap().verified);
    }
    let paid = no("ORDERPAID");
    let sentence = paid.refusal().unwrap().meaning.sentence;
    assert!(sentence.contains("paid and was not closed"), "{sentence}");
    assert_eq!(
        no("ORDERNOTEXIST").refusal().unwrap().meaning.kind,
        RefusalKind::NotFound
    );
}
