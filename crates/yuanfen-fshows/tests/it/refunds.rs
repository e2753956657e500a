//! Refunds: what is sent, and answers that no page describes, taken for no more than they say.

use yuanfen_core::{
    Advice, BuildError, ErrorKind, Fate, Observation, OperationExt as _, OrderNo, RefundNo, RefusalKind, RemoteId,
    RuleBroken, Settle, SettleStep, SettleVerdict, Standing, UnixTime,
};
use yuanfen_fshows::ops::{OrderKey, QueryRefund, Refund, RefundRecord, RefundStatus};
use yuanfen_fshows::settle;

use crate::{NOW, account, ambient, content, form, now, open, order_no, refused, reply, word};

pub(crate) const REFUND_NO: &str = "REFUND_20990101_0001";

fn refund_no() -> RefundNo {
    RefundNo::new(REFUND_NO).unwrap()
}

pub(crate) fn by_order_no() -> OrderKey {
    OrderKey::Liquidator(order_no())
}

fn refund() -> Refund {
    Refund::new(by_order_no(), refund_no())
}

fn query() -> QueryRefund {
    QueryRefund::by_refund_no(by_order_no(), refund_no())
}

pub(crate) fn success(value: &str) -> String {
    format!("{{\"return_value\":{value},\"success\":true}}")
}

fn refunded(value: &str) -> Result<RefundRecord, String> {
    open(&refund(), success(value)).map_err(|error| word(&error))
}

pub(crate) fn queried(value: &str) -> Result<RefundRecord, String> {
    open(&query(), success(value)).map_err(|error| word(&error))
}

/// A record that names our refund, and these members.
pub(crate) fn of_ours(members: &str) -> String {
    format!("{{\"out_refund_no\":\"{REFUND_NO}\",{members}}}")
}

fn failure(code: &str) -> String {
    format!("{{\"success\":false,\"error_code\":\"{code}\",\"error_message\":\"m\"}}")
}

#[test]
fn sends_the_order_and_the_refunds_number_and_no_amount() {
    let sent: Vec<_> = content(&refund())
        .unwrap()
        .iter()
        .map(|(n, v)| format!("{n}={v}"))
        .collect();
    assert_eq!(
        sent,
        ["out_trade_no=DEMO_20990101_0001", "out_refund_no=REFUND_20990101_0001"]
    );
    let remote = || OrderKey::Platform(RemoteId::new("2099").unwrap());
    let fields = content(&Refund::new(remote(), refund_no())).unwrap();
    assert_eq!(
        (fields.get("trade_no"), fields.get("out_trade_no")),
        (Some("2099"), None)
    );
    let fields = content(&QueryRefund::by_platform_refund_no(
        remote(),
        RemoteId::new("77").unwrap(),
    ))
    .unwrap();
    let sent: Vec<_> = fields.iter().collect();
    assert_eq!(sent, [("trade_no", "2099"), ("refund_no", "77")]);
    for (request, method) in [
        (
            refund().request(&account(), &ambient()),
            "fshows.liquidation.pay.refund",
        ),
        (
            query().request(&account(), &ambient()),
            "fshows.liquidation.pay.refund.query",
        ),
    ] {
        let request = request.unwrap();
        assert_eq!(request.uri().path(), "/gateway");
        assert_eq!(form(&request).get("method"), Some(method));
    }
}

#[test]
fn takes_numbers_at_their_limits_and_refuses_one_past_them_and_other_characters() {
    let broken = |order: OrderKey, number: &str| {
        let refund = Refund::new(order, RefundNo::new(number).unwrap());
        let error = content(&refund).unwrap_err();
        assert_eq!(error.fate(), Fate::NotSent);
        match error.kind() {
            ErrorKind::Build(BuildError::Rule(broken)) => broken.clone(),
            other => panic!("{other:?}"),
        }
    };
    for length in [1, 32] {
        let number = "R".repeat(length);
        let refund = Refund::new(by_order_no(), RefundNo::new(&number).unwrap());
        assert_eq!(content(&refund).unwrap().get("out_refund_no"), Some(&*number));
    }
    assert!(matches!(
        broken(by_order_no(), &"R".repeat(33)),
        RuleBroken::TooLong {
            field: "out_refund_no",
            length: 33,
            max: 32,
            ..
        }
    ));
    assert!(matches!(
        broken(by_order_no(), "R-1"),
        RuleBroken::Character {
            field: "out_refund_no",
            position: 1,
            ..
        }
    ));
    let order = OrderKey::Liquidator(OrderNo::new("A-1").unwrap());
    assert!(matches!(
        broken(order, "R"),
        RuleBroken::Character {
            field: "out_trade_no",
            ..
        }
    ));
    let order = |length: usize| OrderKey::Platform(RemoteId::new("9".repeat(length)).unwrap());
    assert!(content(&Refund::new(order(64), refund_no())).is_ok());
    assert!(matches!(
        broken(order(65), "R"),
        RuleBroken::TooLong {
            field: "trade_no",
            max: 64,
            ..
        }
    ));
    for (length, fits) in [(64, true), (65, false)] {
        let query = QueryRefund::by_platform_refund_no(by_order_no(), RemoteId::new("7".repeat(length)).unwrap());
        assert_eq!(content(&query).is_ok(), fits, "refund_no of {length}");
    }
}

#[test]
fn reads_what_is_expected_in_both_spellings_and_keeps_the_raw_value() {
    for value in [
        r#"{"out_trade_no":"DEMO_20990101_0001","trade_no":"2099","out_refund_no":"REFUND_20990101_0001","refund_no":"77","refund_status":4,"refund_fee":0.01}"#,
        r#"{"outTradeNo":"DEMO_20990101_0001","tradeNo":2099,"outRefundNo":"REFUND_20990101_0001","refundNo":77,"refundStatus":"4","refund_fee":0.01}"#,
    ] {
        for record in [refunded(value).unwrap(), queried(value).unwrap()] {
            assert_eq!(record.order_no, Some(order_no()));
            assert_eq!(record.trade_no.as_ref().map(RemoteId::as_str), Some("2099"));
            assert_eq!(record.refund_no, Some(refund_no()));
            assert_eq!(record.platform_refund_no.as_ref().map(RemoteId::as_str), Some("77"));
            assert_eq!(record.status, Some(RefundStatus::Refunded));
            assert_eq!(record.extra.iter().collect::<Vec<_>>(), [("refund_fee", "0.01")]);
            assert_eq!(record.value.raw(), Some(value));
        }
    }
    // The name that says more wins over `status`.
    let record = queried(r#"{"refund_status":"3","status":"1"}"#).unwrap();
    assert_eq!(record.status, Some(RefundStatus::Refunding));
    assert_eq!(record.extra.get("status"), Some("\"1\""));
    // Two spellings that disagree are not guessed between.
    let wrong = queried(r#"{"refund_status":"3","refundStatus":"4"}"#).unwrap_err();
    assert_eq!(wrong, "field return_value.refundStatus");
    // What is no object is kept, and says nothing.
    for value in ["\"退款成功\"", "\"\"", "null", "[]", "1", "{}"] {
        let record = refunded(value).unwrap();
        assert_eq!(record.status, None, "{value}");
        assert_eq!(record.standing(), Standing::Pending, "{value}");
        assert_eq!(record.value.raw(), Some(value).filter(|raw| *raw != "null"));
    }
    assert!(open(&refund(), "{\"success\":true}").unwrap().value.raw().is_none());
}

#[test]
fn an_absent_or_unknown_status_settles_nothing() {
    for (status, standing) in [
        ("4", Standing::Succeeded),
        ("3", Standing::Accepted),
        ("5", Standing::Pending),
        ("0", Standing::Pending),
        ("1", Standing::Pending),
        ("2", Standing::Pending),
        ("6", Standing::Pending),
        ("7", Standing::Pending),
        ("04", Standing::Pending),
        ("SUCCESS", Standing::Pending),
        ("", Standing::Pending),
    ] {
        for name in ["refund_status", "refundStatus", "status"] {
            let record = queried(&of_ours(&format!("\"{name}\":\"{status}\""))).unwrap();
            assert_eq!(record.standing(), standing, "{name} {status}");
        }
    }
}

#[test]
fn a_status_that_names_no_refund_settles_nothing() {
    // Nobody signed it, and a lone `status` may as well be the order's.
    for status in ["3", "4"] {
        for name in ["refund_status", "refundStatus", "status"] {
            for beside in [
                "",
                ",\"out_refund_no\":\"\"",
                ",\"out_refund_no\":null",
                ",\"out_trade_no\":\"DEMO_20990101_0001\"",
                ",\"trade_no\":\"2099\"",
                // A number that was not asked by may be of any refund.
                ",\"refund_no\":\"77\"",
            ] {
                let value = format!("{{\"{name}\":\"{status}\"{beside}}}");
                for record in [refunded(&value).unwrap(), queried(&value).unwrap()] {
                    assert_eq!(record.standing(), Standing::Pending, "{value}");
                    assert!(record.status.is_some(), "what came is shown all the same: {value}");
                }
            }
        }
    }
}

#[test]
fn a_status_counts_beside_the_number_that_was_asked_by() {
    for (status, standing) in [("3", Standing::Accepted), ("4", Standing::Succeeded)] {
        let ours = of_ours(&format!("\"refund_status\":{status}"));
        assert_eq!(refunded(&ours).unwrap().standing(), standing);
        assert_eq!(queried(&ours).unwrap().standing(), standing);
        let by_platform = QueryRefund::by_platform_refund_no(by_order_no(), RemoteId::new("77").unwrap());
        for (number, standing) in [
            ("\"refund_no\":\"77\"", standing),
            ("\"refundNo\":77", standing),
            // Our number is news here, and proves nothing about theirs.
            ("\"out_refund_no\":\"REFUND_20990101_0001\"", Standing::Pending),
        ] {
            let value = format!("{{{number},\"refund_status\":\"{status}\"}}");
            let record = open(&by_platform, success(&value)).unwrap();
            assert_eq!(record.standing(), standing, "{value}");
        }
    }
}

#[test]
fn refuses_a_record_of_another_order_or_refund() {
    for (field, value) in [
        ("out_trade_no", r#"{"out_trade_no":"OTHER"}"#),
        ("out_trade_no", r#"{"outTradeNo":"OTHER"}"#),
        ("out_refund_no", r#"{"out_refund_no":"OTHER"}"#),
    ] {
        assert_eq!(refunded(value).unwrap_err(), format!("foreign {field}"));
        assert_eq!(queried(value).unwrap_err(), format!("foreign {field}"));
    }
    let order = OrderKey::Platform(RemoteId::new("2099").unwrap());
    let query = QueryRefund::by_platform_refund_no(order, RemoteId::new("77").unwrap());
    for (value, expected) in [
        (r#"{"trade_no":"2098"}"#, Some("foreign trade_no")),
        (r#"{"refund_no":"78"}"#, Some("foreign refund_no")),
        // Numbers that were not asked by are news.
        (
            r#"{"trade_no":"2099","refund_no":"77","out_trade_no":"A","out_refund_no":"B"}"#,
            None,
        ),
    ] {
        let found = open(&query, success(value)).err().map(|error| word(&error));
        assert_eq!(found.as_deref(), expected);
    }
}

#[test]
fn tells_of_every_code_what_may_have_happened() {
    for (code, fate, advice) in [
        ("-100", Fate::Refused, Advice::Stop),
        ("-101", Fate::Refused, Advice::Stop),
        ("-102", Fate::Refused, Advice::Stop),
        ("-103", Fate::Unknown, Advice::QueryFirst),
        ("-200", Fate::Unknown, Advice::QueryFirst),
        ("-206", Fate::Already, Advice::Query),
        ("-207", Fate::Refused, Advice::Stop),
        ("-216", Fate::Refused, Advice::Stop),
        ("-220", Fate::Unknown, Advice::QueryFirst),
        ("-221", Fate::Refused, Advice::RepeatLater),
        ("-300", Fate::Unknown, Advice::QueryFirst),
        ("-301", Fate::Unknown, Advice::QueryFirst),
        ("-302", Fate::Refused, Advice::Stop),
        ("-999", Fate::Unknown, Advice::QueryFirst),
        ("100", Fate::Unknown, Advice::QueryFirst),
        ("", Fate::Unknown, Advice::QueryFirst),
    ] {
        let error = open(&refund(), failure(code)).unwrap_err();
        assert_eq!((error.fate(), error.advice()), (fate, advice), "{code}");
        assert_eq!(error.refusal().unwrap().code, code);
        // No code of the query is an absence.
        let error = open(&query(), failure(code)).unwrap_err();
        assert_ne!(error.refusal().unwrap().meaning.kind, RefusalKind::NotFound, "{code}");
    }
}

#[test]
fn an_answer_that_is_none_leaves_a_refund_unknown() {
    let good = success("{}");
    for (status, body, expected) in [
        (200, "", "empty"),
        (200, "<html></html>", "html"),
        (200, "[]", "format"),
        (200, r#"{"return_value":{}}"#, "field success"),
        (200, r#"{"success":true,"success":false}"#, "format"),
        (202, &*good, "status 202"),
        (204, "", "status 204"),
        (301, "", "status 301"),
        (429, &good, "status 429"),
        (500, &good, "status 500"),
        (502, "", "status 502"),
    ] {
        let response = reply(status, body.to_owned());
        assert_eq!(refused(&refund(), &response), expected);
        let error = refund().reply(&account(), &response, now()).unwrap_err();
        assert_eq!(
            (error.fate(), error.advice()),
            (Fate::Unknown, Advice::QueryFirst),
            "{expected}"
        );
    }
}

#[test]
fn a_refund_without_its_reply_is_asked_for_and_never_sent_again() {
    let done = SettleVerdict::Happened;
    for (answers, verdict, seconds) in [
        (&[success(&of_ours(r#""status":4"#))][..], done(Standing::Succeeded), 1),
        (&[success(&of_ours(r#""status":3"#))], done(Standing::Accepted), 1),
        (
            &[failure("-207"), success("\"\""), success(&of_ours(r#""status":"4""#))],
            done(Standing::Succeeded),
            21,
        ),
        (
            &[const { String::new() }; 9].map(|_| failure("-207")),
            SettleVerdict::StillUnknown,
            180,
        ),
        (
            &[const { String::new() }; 9].map(|_| success(&of_ours(r#""status":5"#))),
            SettleVerdict::StillUnknown,
            180,
        ),
    ] {
        let mut at = UnixTime::from_seconds(NOW);
        let lost = refund().reply(&account(), &reply(504, ""), at).unwrap_err();
        let mut settle = Settle::new(&settle::REFUND, lost.fate(), at);
        let mut answers = answers.iter();
        let found = loop {
            let observation = match settle.step(at) {
                SettleStep::Done(verdict) => break verdict,
                SettleStep::Wait(time) => {
                    at = UnixTime::from_seconds(at.seconds() + i64::try_from(time.as_secs()).unwrap());
                    Observation::Waited
                }
                SettleStep::Query => match open(&query(), answers.next().expect("one query too many").clone()) {
                    Ok(record) => Observation::Stands(record.standing()),
                    Err(_) => Observation::QueryFailed,
                },
                other => panic!("{other:?}"),
            };
            settle.observe(observation);
        };
        assert_eq!((found, at.seconds() - NOW), (verdict, seconds));
        assert!(answers.next().is_none(), "one query too few");
    }
}
