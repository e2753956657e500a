//! The table of codes: complete and consistent.

use std::collections::BTreeSet;

use yuanfen_core::{Advice, Again, CodeMeaning, Fate, RefusalKind, Route};
use yuanfen_wechat_v3::Code;
use yuanfen_wechat_v3::codes::{meaning, meaning_anywhere, rows};
use yuanfen_wechat_v3::ops::routes;

fn route(operation: &str) -> Route {
    let found = routes().into_iter().find(|info| info.route.operation == operation);
    found.unwrap_or_else(|| panic!("no call {operation}")).route
}

fn advice(operation: &str, status: u16, code: &str) -> Advice {
    let route = route(operation);
    let meaning = meaning(&route, status, code);
    Advice::of(meaning.fate, route.effect, meaning.again)
}

/// The codes that the sheet lists for each call, sections 10.2, 13.5, 14, 15, 17.3, 18.3 and 6.1.
#[test]
fn has_every_documented_code_of_every_call() {
    let table = [
        (
            "place_jsapi_order",
            "USERPAYING PARAM_ERROR INVALID_REQUEST APPID_MCHID_NOT_MATCH MCH_NOT_EXISTS ORDER_CLOSED SIGN_ERROR NO_AUTH \
             OUT_TRADE_NO_USED RULE_LIMIT TRADE_ERROR ACCOUNT_ERROR NOT_ENOUGH ORDER_NOT_EXIST FREQUENCY_LIMITED SYSTEM_ERROR \
             BANK_ERROR OPENID_MISMATCH INVALID_TRANSACTIONID ORDER_PAID",
        ),
        (
            "query_order",
            "ORDER_NOT_EXIST ORDERNOTEXIST ORDER_CLOSED PARAM_ERROR SYSTEM_ERROR SYSTEMERROR SIGN_ERROR RESOURCE_NOT_EXISTS",
        ),
        (
            "close_order",
            "ORDER_PAID ORDER_CLOSED ORDER_NOT_EXIST SYSTEM_ERROR SIGN_ERROR",
        ),
        (
            "refund",
            "PARAM_ERROR INVALID_REQUEST REFUND_FEE_MISMATCH TRADE_OVERDUE NOT_ENOUGH NOTENOUGH USER_ACCOUNT_ABNORMAL NO_AUTH \
             NOAUTH MCH_NOT_EXISTS RESOURCE_NOT_EXISTS SIGN_ERROR SYSTEM_ERROR FREQUENCY_LIMITED",
        ),
        ("query_refund", "RESOURCE_NOT_EXISTS PARAM_ERROR SYSTEM_ERROR"),
        (
            "request_trade_bill",
            "NO_STATEMENT_EXIST STATEMENT_CREATING PARAM_ERROR",
        ),
        ("request_fund_flow_bill", "NO_STATEMENT_EXIST STATEMENT_CREATING"),
        ("download_certificates", "RESOURCE_NOT_EXISTS SYSTEM_ERROR SIGN_ERROR"),
    ];
    for (operation, codes) in table {
        let route = route(operation);
        for code in codes.split_whitespace() {
            let meaning = meaning(&route, 400, code);
            assert_ne!(meaning, CodeMeaning::unknown(route.effect), "{operation} {code}");
        }
    }
}

#[test]
fn every_row_is_about_calls_that_exist_and_stands_once() {
    let calls: BTreeSet<_> = routes().iter().map(|info| info.route.operation).collect();
    let mut seen = BTreeSet::new();
    for row in rows() {
        for operation in row.operations {
            assert!(calls.contains(operation), "{operation}");
            assert!(seen.insert((*operation, row.code)), "{operation} {} twice", row.code);
        }
        if row.operations.is_empty() {
            assert!(seen.insert(("", row.code)), "{} twice", row.code);
        }
        assert!(row.meaning.source.starts_with("v3 sheet, section "), "{}", row.code);
        assert!(
            row.meaning.sentence.len() > 20 && !row.meaning.sentence.ends_with('.'),
            "{}",
            row.code
        );
        assert_eq!(Code::of(row.code).as_str(), row.code);
        assert!(
            !matches!(Code::of(row.code), Code::Unknown(_)),
            "{} has no name",
            row.code
        );
        let fits = match row.meaning.kind {
            RefusalKind::Already => row.meaning.fate == Fate::Already,
            RefusalKind::Throttled | RefusalKind::Unclear | RefusalKind::Pending => row.meaning.fate == Fate::Unknown,
            _ => row.meaning.fate == Fate::Refused,
        };
        assert!(fits, "{}: {:?} is {:?}", row.code, row.meaning.kind, row.meaning.fate);
    }
}

#[test]
fn knows_both_spellings_of_a_code() {
    for (old, new) in [
        ("SYSTEMERROR", Code::SystemError),
        ("SYSTEM_ERROR", Code::SystemError),
        ("ORDERNOTEXIST", Code::OrderNotExist),
        ("NOAUTH", Code::NoAuth),
        ("BANKERROR", Code::BankError),
    ] {
        assert_eq!(Code::of(old), new);
    }
    assert_eq!(Code::of("BRAND_NEW").as_str(), "BRAND_NEW");
    assert_ne!(Code::of("SYSTEM_ERRORS"), Code::SystemError);
}

/// What a caller is told to do, where money is at stake.
#[test]
fn advises_as_the_sheet_says() {
    for (operation, status, code, wanted) in [
        ("place_jsapi_order", 500, "SYSTEM_ERROR", Advice::Repeat),
        ("place_jsapi_order", 500, "OPENID_MISMATCH", Advice::Stop),
        ("place_jsapi_order", 500, "INVALID_TRANSACTIONID", Advice::Stop),
        ("place_jsapi_order", 403, "OUT_TRADE_NO_USED", Advice::Query),
        ("place_jsapi_order", 400, "ORDER_PAID", Advice::Query),
        ("place_jsapi_order", 401, "SIGN_ERROR", Advice::Stop),
        ("place_jsapi_order", 429, "ANY", Advice::RepeatLater),
        ("refund", 500, "SYSTEM_ERROR", Advice::QueryFirst),
        ("refund", 429, "FREQUENCY_LIMITED", Advice::QueryFirst),
        ("refund", 400, "REFUND_FEE_MISMATCH", Advice::Query),
        ("refund", 403, "NOT_ENOUGH", Advice::Stop),
        ("refund", 403, "BRAND_NEW", Advice::QueryFirst),
        ("close_order", 400, "ORDER_PAID", Advice::Query),
        ("query_order", 404, "ORDER_NOT_EXIST", Advice::Stop),
        ("query_order", 502, "BRAND_NEW", Advice::Repeat),
        ("request_trade_bill", 400, "STATEMENT_CREATING", Advice::RepeatLater),
        ("request_trade_bill", 400, "NO_STATEMENT_EXIST", Advice::Stop),
    ] {
        assert_eq!(advice(operation, status, code), wanted, "{operation} {code}");
    }
}

/// The same code on other calls is another matter.
#[test]
fn a_code_means_what_it_means_on_its_call() {
    let kind = |operation, code| meaning(&route(operation), 404, code).kind;
    assert_eq!(kind("query_refund", "RESOURCE_NOT_EXISTS"), RefusalKind::NotFound);
    assert_eq!(
        kind("download_certificates", "RESOURCE_NOT_EXISTS"),
        RefusalKind::Configuration
    );
    assert_eq!(meaning_anywhere(404, "RESOURCE_NOT_EXISTS").fate, Fate::Unknown);
    assert_eq!(meaning_anywhere(401, "SIGN_ERROR").kind, RefusalKind::Configuration);
    assert_eq!(meaning_anywhere(429, "").kind, RefusalKind::Throttled);
}

/// v3 sheet, section 10.4: "`NOT_ENOUGH`: top up and repeat with the same number".
#[test]
fn a_refund_short_of_balance_keeps_its_number_and_an_order_does_not() {
    assert_eq!(meaning(&route("refund"), 403, "NOT_ENOUGH").again, Again::WhenMended);
    assert_eq!(meaning(&route("place_jsapi_order"), 403, "NOT_ENOUGH").again, Again::No);
}
