//! What codes mean, and how orders are settled.

use yuanfen_core::{Effect, Fate, Operation as _, OperationExt as _, RefusalKind, Repeat, ReplyTrust, RouteInfo};
use yuanfen_starpos::codes::{Code, TradeResult, meaning};
use yuanfen_starpos::ops::{PayOfficialAccount, QueryOfficialAccount, QueryOrder, routes};
use yuanfen_starpos::settle;

use crate::{account, now, pay, unsigned};

#[test]
fn a_refused_read_is_refused_and_a_refused_write_unknown() {
    for route in [QueryOfficialAccount::ROUTE, QueryOrder::ROUTE] {
        assert_eq!(route.effect, Effect::Read);
        assert_eq!(meaning(Some(&route), "ABC").fate, Fate::Refused);
    }
    assert_eq!(PayOfficialAccount::ROUTE.effect, Effect::QueryFirst);
    let found = meaning(Some(&PayOfficialAccount::ROUTE), "ABC");
    assert_eq!((found.fate, found.kind), (Fate::Unknown, RefusalKind::Unclear));
    assert_eq!(meaning(None, "ABC").fate, Fate::Refused);
    for meaning in [meaning(None, ""), found] {
        assert!(!meaning.sentence.is_empty() && meaning.source.contains("section"));
    }
}

#[test]
fn the_letters_and_the_code_are_those_of_the_sheet() {
    assert_eq!(Code::from("000000"), Code::Accepted);
    assert_eq!(Code::from("00000").as_str(), "00000");
    for (letter, result) in [
        ("S", TradeResult::Success),
        ("F", TradeResult::Failed),
        ("A", TradeResult::Waiting),
        ("Z", TradeResult::Undecided),
        ("D", TradeResult::Revoked),
    ] {
        assert_eq!(TradeResult::from(letter), result);
        assert_eq!(result.as_str(), letter);
    }
    assert!(matches!(TradeResult::from("s"), TradeResult::Unknown(_)));
}

#[test]
fn every_call_is_listed_once_with_what_proves_its_answer() {
    let found: Vec<_> = routes()
        .into_iter()
        .map(|info: RouteInfo| (info.route.operation, info.route.path, info.route.effect, info.reply))
        .collect();
    assert_eq!(
        found,
        [
            (
                "query_official_account",
                "/pubSigQry.json",
                Effect::Read,
                ReplyTrust::Signed
            ),
            (
                "pay_official_account",
                "/pubSigPay.json",
                Effect::QueryFirst,
                ReplyTrust::Unsigned
            ),
            (
                "query_order",
                "/sdkQryBarcodePay.json",
                Effect::Read,
                ReplyTrust::Signed
            ),
            (
                "refund",
                "/sdkRefundBarcodePay.json",
                Effect::QueryFirst,
                ReplyTrust::Signed
            ),
            (
                "query_refund",
                "/sdkQryBarcodePay.json",
                Effect::Read,
                ReplyTrust::Signed
            ),
        ]
    );
    assert!(
        routes()
            .iter()
            .all(|info| info.route.provider == "starpos" && info.route.method == http::Method::POST)
    );
}

#[test]
fn neither_a_payment_nor_a_refund_is_sent_again() {
    for rule in [settle::ORDER, settle::REFUND] {
        assert_eq!(rule.repeat, Repeat::Never);
        assert_eq!(rule.repeats, 0);
    }
}

#[test]
fn the_words_of_a_refusal_are_the_gateways_own() {
    let response = unsigned(&[("returnCode", "ABC123"), ("message", "%E4%BD%99%E9%A2%9D\u{7}")]);
    let error = pay().reply(&account(), &response, now()).unwrap_err();
    assert_eq!(error.refusal().unwrap().message, "余额\u{7}");
    // A control character of a stranger does not reach a log.
    assert!(!error.refusal().unwrap().to_string().contains('\u{7}'));
}
