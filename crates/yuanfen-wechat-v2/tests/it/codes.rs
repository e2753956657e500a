//! The table of codes: complete against the sheet, and what its rows make of a signed refusal.

use std::collections::BTreeSet;

use yuanfen_core::{Advice, Again, Error, Fate, Operation, OperationExt as _, RefusalKind};
use yuanfen_wechat_v2::Account;
use yuanfen_wechat_v2::codes::{Code, TABLE, meaning};
use yuanfen_wechat_v2::ops::{PlaceOrder, QueryOrder, Refund, routes};

use crate::far_side::{PLACED, QUERIED, account, answer, changed, now, order, query, why};

use Advice::{Query, Repeat, Stop};
use Fate::{Already, Refused, Unknown};

/// Section 9 of the sheet: code, what may have happened, what to do.
const PLACE: &[(&str, Fate, Advice)] = &[
    ("SYSTEMERROR", Unknown, Repeat),
    ("ORDERPAID", Already, Query),
    ("ORDERCLOSED", Refused, Stop),
    ("OUT_TRADE_NO_USED", Already, Query),
    ("INVALID_REQUEST", Refused, Stop),
    ("NOTENOUGH", Refused, Stop),
    ("NOAUTH", Refused, Stop),
    ("APPID_NOT_EXIST", Refused, Stop),
    ("MCHID_NOT_EXIST", Refused, Stop),
    ("APPID_MCHID_NOT_MATCH", Refused, Stop),
    ("LACK_PARAMS", Refused, Stop),
    ("PARAM_ERROR", Refused, Stop),
    ("SIGNERROR", Refused, Stop),
    ("XML_FORMAT_ERROR", Refused, Stop),
    ("REQUIRE_POST_METHOD", Refused, Stop),
    ("POST_DATA_EMPTY", Refused, Stop),
    ("NOT_UTF8", Refused, Stop),
];

const ASK: &[(&str, Fate, Advice)] = &[("SYSTEMERROR", Unknown, Repeat), ("ORDERNOTEXIST", Refused, Stop)];

fn refusal<O: Operation<Provider = Account>>(operation: &O, good: &[(&str, &str)], code: &str) -> Error
where
    O::Reply: std::fmt::Debug,
{
    let pairs = changed(
        good,
        &[
            ("result_code", Some("FAIL")),
            ("err_code", Some(code)),
            ("err_code_des", Some("words of the platform")),
        ],
    );
    operation.reply(&account(), &answer(&pairs), now()).unwrap_err()
}

fn check(error: &Error, code: &str, fate: Fate, advice: Advice) {
    let refusal = error.refusal().unwrap();
    assert_eq!((&*refusal.code, &*refusal.message), (code, "words of the platform"));
    assert!(refusal.verified, "{code}: signed");
    assert_eq!((error.fate(), error.advice()), (fate, advice), "{code}");
}

#[test]
fn tells_of_every_code_on_an_order_what_to_do() {
    for (code, fate, advice) in PLACE {
        check(&refusal(&order(), PLACED, code), code, *fate, *advice);
    }
}

#[test]
fn tells_of_every_code_on_a_query_what_to_do() {
    for (code, fate, advice) in ASK {
        check(&refusal(&query(), QUERIED, code), code, *fate, *advice);
    }
    let missing = refusal(&query(), QUERIED, "ORDERNOTEXIST");
    assert_eq!(missing.refusal().unwrap().meaning.kind, RefusalKind::NotFound);
}

#[test]
fn concludes_nothing_from_a_code_without_a_row() {
    for code in ["BRAND_NEW", "systemerror", "USERPAYING", ""] {
        let written = refusal(&order(), PLACED, code);
        check(&written, code, Unknown, Repeat);
        assert_eq!(written.refusal().unwrap().meaning.kind, RefusalKind::Unclear);
        check(&refusal(&query(), QUERIED, code), code, Refused, Stop);
    }
    // Codes of the other call count for nothing here.
    check(
        &refusal(&order(), PLACED, "ORDERNOTEXIST"),
        "ORDERNOTEXIST",
        Unknown,
        Repeat,
    );
}

#[test]
fn takes_a_result_code_of_another_word_for_a_refusal_of_unknown_end() {
    let pairs = changed(PLACED, &[("result_code", Some("PENDING"))]);
    let error = order().reply(&account(), &answer(&pairs), now()).unwrap_err();
    assert_eq!((&*why(&error), error.fate()), ("refused ", Unknown));
}

#[test]
fn has_one_row_for_each_code_of_each_call_and_all_of_the_sheets() {
    let mut seen = BTreeSet::new();
    for (operations, code, row) in TABLE {
        assert!(!operations.is_empty());
        for operation in *operations {
            let routes = routes();
            let known = routes.iter().any(|info| info.route.operation == *operation);
            assert!(known, "{operation}");
            assert!(seen.insert((*operation, *code)), "{operation} {code} twice");
        }
        assert!(!row.sentence.is_empty() && row.source.contains("section 9"), "{code}");
    }
    for (code, ..) in PLACE {
        assert!(seen.contains(&("place_order", *code)), "{code}");
    }
    for (code, ..) in ASK {
        assert!(seen.contains(&("query_order", *code)), "{code}");
    }
    // The family about ids and formats is the same on every call.
    let placed: Vec<_> = seen
        .iter()
        .filter(|(operation, _)| *operation == "place_order")
        .collect();
    assert_eq!(placed.len(), PLACE.len(), "a row that the sheet does not have");
}

#[test]
fn names_codes_that_are_in_the_table() {
    for code in [
        Code::SystemError,
        Code::OrderPaid,
        Code::OrderClosed,
        Code::OrderNotExist,
        Code::RefundNotExist,
        Code::NeedRetry,
        Code::TradeOverdue,
        Code::UserAccountAbnormal,
        Code::TradeStateError,
        Code::OutTradeNoUsed,
        Code::NotEnough,
        Code::InvalidRequest,
        Code::NoAuth,
        Code::ParamError,
        Code::SignError,
    ] {
        assert!(TABLE.iter().any(|(_, row, _)| *row == code.as_str()), "{code}");
        assert_eq!(Code::from(code.as_str()), code);
    }
    assert_eq!(Code::from("NEW").as_str(), "NEW");
    let place = meaning(&PlaceOrder::ROUTE, "SYSTEMERROR");
    let query = meaning(&QueryOrder::ROUTE, "SYSTEMERROR");
    assert_ne!(place.sentence, query.sentence, "one code, two calls, two things to do");
}

/// Section 9 of the sheet: a refund that the merchant's balance does not cover is sent again with its number once there
/// is money; an order that the payer's balance does not cover is not.
#[test]
fn a_refund_short_of_balance_keeps_its_number_and_an_order_does_not() {
    assert_eq!(meaning(&Refund::ROUTE, "NOTENOUGH").again, Again::WhenMended);
    assert_eq!(meaning(&PlaceOrder::ROUTE, "NOTENOUGH").again, Again::No);
}
