//! What codes mean on which call.

use std::collections::BTreeSet;

use yuanfen_core::{Advice, Effect, Fate, Operation as _, RefusalKind, Repeat, ReplyTrust};
use yuanfen_fshows::codes::{Code, TABLE, meaning};
use yuanfen_fshows::ops::{PayWechatPage, QueryOrder, routes};
use yuanfen_fshows::settle;

use crate::{open, pay, query};

#[test]
fn what_each_code_does_to_the_money_and_what_comes_next() {
    for (code, pay_fate, pay_advice, query_kind) in [
        ("100", Fate::Unknown, Advice::QueryFirst, RefusalKind::Pending),
        ("-100", Fate::Refused, Advice::Stop, RefusalKind::Configuration),
        ("-101", Fate::Refused, Advice::Stop, RefusalKind::Configuration),
        ("-200", Fate::Unknown, Advice::QueryFirst, RefusalKind::Unclear),
        ("-206", Fate::Already, Advice::Query, RefusalKind::Unclear),
        ("-207", Fate::Unknown, Advice::QueryFirst, RefusalKind::NotFound),
        ("-221", Fate::Refused, Advice::RepeatLater, RefusalKind::Throttled),
        ("-300", Fate::Unknown, Advice::QueryFirst, RefusalKind::Unclear),
        ("-301", Fate::Refused, Advice::Stop, RefusalKind::Unclear),
        ("-999", Fate::Unknown, Advice::QueryFirst, RefusalKind::Unclear),
        ("", Fate::Unknown, Advice::QueryFirst, RefusalKind::Unclear),
    ] {
        let body = format!("{{\"success\":false,\"error_code\":\"{code}\"}}");
        let error = open(&pay(), body.clone()).unwrap_err();
        assert_eq!((error.fate(), error.advice()), (pay_fate, pay_advice), "{code}");
        let error = open(&query(), body).unwrap_err();
        assert_eq!(error.refusal().unwrap().meaning.kind, query_kind, "{code}");
    }
}

#[test]
fn every_row_stands_once_for_a_call_that_there_is() {
    let operations: BTreeSet<_> = routes().iter().map(|info| info.route.operation).collect();
    let mut seen = BTreeSet::new();
    for (rows, code, meaning) in TABLE {
        for operation in *rows {
            assert!(operations.contains(operation), "{operation}");
            assert!(seen.insert((operation, code)), "{operation} {code} stands twice");
        }
        assert!(!meaning.sentence.is_empty() && meaning.source.contains("section 12"));
    }
    // Every code that has a name has a row.
    for code in [
        Code::Paying,
        Code::Signature,
        Code::Parameter,
        Code::Permission,
        Code::General,
        Code::Server,
        Code::DuplicateOrder,
        Code::OrderNotFound,
        Code::TooOften,
        Code::Upstream,
        Code::PaymentFailed,
        Code::RefundFailed,
    ] {
        assert!(TABLE.iter().any(|(_, other, _)| *other == code.as_str()), "{code}");
        assert_eq!(Code::from(code.as_str()), code);
    }
    assert!(matches!(Code::from("-999"), Code::Unknown(_)));
}

#[test]
fn a_code_without_a_row_is_never_concluded_from() {
    assert_eq!(meaning(&PayWechatPage::ROUTE, "-999").fate, Fate::Unknown);
    assert_eq!(meaning(&QueryOrder::ROUTE, "-999").fate, Fate::Refused);
}

#[test]
fn the_calls_and_their_answers_are_what_they_say() {
    let found: Vec<_> = routes()
        .iter()
        .map(|info| (info.route.operation, info.route.effect, info.reply))
        .collect();
    assert_eq!(
        found,
        [
            ("pay_wechat_page", Effect::QueryFirst, ReplyTrust::Unsigned),
            ("query_order", Effect::Read, ReplyTrust::Unsigned),
            ("refund", Effect::QueryFirst, ReplyTrust::Unsigned),
            ("query_refund", Effect::Read, ReplyTrust::Unsigned),
        ]
    );
    for rule in [settle::ORDER, settle::REFUND] {
        assert_eq!((rule.repeat, rule.repeats), (Repeat::Never, 0));
    }
}
