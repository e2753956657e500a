//! The table of codes: complete and consistent.

use std::collections::BTreeSet;

use yuanfen_core::{Advice, Again, CodeMeaning, Fate, Opens as _, RefusalKind, Route, Verified};
use yuanfen_wechat_v3::codes::{InternalNumber, meaning, meaning_anywhere, rows};
use yuanfen_wechat_v3::ops::routes;
use yuanfen_wechat_v3::{Code, Reply};

use crate::far_side::{account, now, reply};

fn route(operation: &str) -> Route {
    let found = routes().into_iter().find(|info| info.route.operation == operation);
    found.unwrap_or_else(|| panic!("no call {operation}")).route
}

fn advice(operation: &str, status: u16, code: &str) -> Advice {
    let route = route(operation);
    let meaning = meaning(&route, status, code);
    Advice::of(meaning.fate, route.effect, meaning.again)
}

/// The codes that the sheet lists for each call, sections 10.2, 13.5, 14, 15, 16, 17.3, 18.3 and 6.1.
#[test]
fn has_every_documented_code_of_every_call() {
    const ORDERING: &str = "USERPAYING PARAM_ERROR INVALID_REQUEST APPID_MCHID_NOT_MATCH MCH_NOT_EXISTS ORDER_CLOSED SIGN_ERROR \
                            NO_AUTH OUT_TRADE_NO_USED RULE_LIMIT TRADE_ERROR ACCOUNT_ERROR NOT_ENOUGH ORDER_NOT_EXIST \
                            FREQUENCY_LIMITED SYSTEM_ERROR BANK_ERROR OPENID_MISMATCH INVALID_TRANSACTIONID ORDER_PAID";
    let table = [
        ("place_jsapi_order", ORDERING),
        ("place_app_order", ORDERING),
        ("place_native_order", ORDERING),
        ("place_h5_order", ORDERING),
        ("pay_by_code", ORDERING),
        ("pay_by_code", "AUTH_CODE_INVALID AUTH_CODE_ERROR AUTHCODEEXPIRE"),
        (
            "query_order",
            "ORDER_NOT_EXIST ORDERNOTEXIST ORDER_CLOSED PARAM_ERROR SYSTEM_ERROR SYSTEMERROR SIGN_ERROR RESOURCE_NOT_EXISTS",
        ),
        (
            "close_order",
            "ORDER_PAID ORDER_CLOSED ORDER_NOT_EXIST SYSTEM_ERROR SIGN_ERROR",
        ),
        (
            "reverse_order",
            "USERPAYING SYSTEM_ERROR ORDER_NOT_EXIST RESOURCE_NOT_EXISTS PARAM_ERROR SIGN_ERROR NO_AUTH NOT_ENOUGH",
        ),
        (
            "refund",
            "PARAM_ERROR INVALID_REQUEST REFUND_FEE_MISMATCH TRADE_OVERDUE NOT_ENOUGH NOTENOUGH USER_ACCOUNT_ABNORMAL NO_AUTH \
             NOAUTH MCH_NOT_EXISTS RESOURCE_NOT_EXISTS SIGN_ERROR SYSTEM_ERROR FREQUENCY_LIMITED",
        ),
        ("query_refund", "RESOURCE_NOT_EXISTS PARAM_ERROR SYSTEM_ERROR"),
        (
            "apply_abnormal_refund",
            "PARAM_ERROR INVALID_REQUEST TRADE_OVERDUE NOT_ENOUGH USER_ACCOUNT_ABNORMAL NO_AUTH MCH_NOT_EXISTS \
             RESOURCE_NOT_EXISTS SIGN_ERROR SYSTEM_ERROR FREQUENCY_LIMITED",
        ),
        (
            "request_trade_bill",
            "NO_STATEMENT_EXIST STATEMENT_CREATING PARAM_ERROR",
        ),
        ("request_fund_flow_bill", "NO_STATEMENT_EXIST STATEMENT_CREATING"),
        (
            "request_sub_merchant_fund_flow_bill",
            "NO_STATEMENT_EXIST STATEMENT_CREATING NO_AUTH",
        ),
        (
            "request_ecommerce_fund_flow_bill",
            "NO_STATEMENT_EXIST STATEMENT_CREATING NO_AUTH",
        ),
        ("place_combined_jsapi_order", ORDERING),
        ("place_combined_app_order", ORDERING),
        ("place_combined_native_order", ORDERING),
        ("place_combined_h5_order", ORDERING),
        (
            "query_combined_order",
            "ORDER_NOT_EXIST RESOURCE_NOT_EXISTS ORDER_CLOSED PARAM_ERROR",
        ),
        (
            "close_combined_order",
            "ORDER_PAID ORDER_CLOSED ORDER_NOT_EXIST SYSTEM_ERROR",
        ),
        (
            "upload_image",
            "PARAM_ERROR SIGN_ERROR NO_AUTH FREQUENCY_LIMITED SYSTEM_ERROR",
        ),
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

/// Everything that the table says of the calls of an order, written a second time from the sheet: what may have been done,
/// and whether the same request may be sent again. What stands in one of the two and not in the other is found.
#[test]
fn says_of_every_code_of_an_order_what_the_sheet_says() {
    use Again::{AfterQuery, ByEffect, Later, No, WhenMended};
    use Fate::{Already, Refused, Unknown};
    const PLACING: [&str; 8] = [
        "place_jsapi_order",
        "place_app_order",
        "place_native_order",
        "place_h5_order",
        "place_combined_jsapi_order",
        "place_combined_app_order",
        "place_combined_native_order",
        "place_combined_h5_order",
    ];
    const ASKING: [&str; 2] = ["query_order", "query_combined_order"];
    const CLOSING: [&str; 2] = ["close_order", "close_combined_order"];
    type Said = (&'static [&'static str], &'static str, Fate, Again);
    let table: &[Said] = &[
        (&PLACING, "ORDER_PAID", Already, No),
        (&PLACING, "OUT_TRADE_NO_USED", Already, No),
        (&PLACING, "ORDER_CLOSED", Refused, No),
        (&PLACING, "RULE_LIMIT", Refused, No),
        (&PLACING, "TRADE_ERROR", Refused, No),
        (&PLACING, "ACCOUNT_ERROR", Refused, No),
        (&PLACING, "NOT_ENOUGH", Refused, No),
        (&PLACING, "ORDER_NOT_EXIST", Refused, WhenMended),
        (&PLACING, "OPENID_MISMATCH", Refused, WhenMended),
        (&PLACING, "INVALID_TRANSACTIONID", Refused, WhenMended),
        (&PLACING, "USERPAYING", Unknown, ByEffect),
        (&ASKING, "ORDER_NOT_EXIST", Refused, No),
        (&ASKING, "RESOURCE_NOT_EXISTS", Refused, No),
        (&ASKING, "ORDER_CLOSED", Refused, No),
        (&CLOSING, "ORDER_PAID", Already, No),
        (&CLOSING, "ORDER_CLOSED", Already, No),
        (&CLOSING, "ORDER_NOT_EXIST", Refused, Later),
        (&CLOSING, "TRADE_ERROR", Refused, AfterQuery),
        (&["pay_by_code"], "USERPAYING", Unknown, ByEffect),
        (&["pay_by_code"], "SYSTEM_ERROR", Unknown, ByEffect),
        (&["pay_by_code"], "BANK_ERROR", Unknown, ByEffect),
        (&["pay_by_code"], "ORDER_PAID", Already, No),
        (&["pay_by_code"], "OUT_TRADE_NO_USED", Already, No),
        (&["pay_by_code"], "ORDER_CLOSED", Refused, No),
        (&["pay_by_code"], "AUTH_CODE_INVALID", Refused, No),
        // The names of the older API: of what is wrong with a code itself the pages of this one print none.
        (&["pay_by_code"], "AUTH_CODE_ERROR", Refused, No),
        (&["pay_by_code"], "AUTHCODEEXPIRE", Refused, No),
        (&["pay_by_code"], "NOT_ENOUGH", Refused, No),
        (&["pay_by_code"], "RULE_LIMIT", Refused, No),
        (&["pay_by_code"], "TRADE_ERROR", Refused, No),
        (&["pay_by_code"], "ACCOUNT_ERROR", Refused, No),
        (&["pay_by_code"], "ORDER_NOT_EXIST", Refused, WhenMended),
        (&["pay_by_code"], "OPENID_MISMATCH", Refused, WhenMended),
        (&["pay_by_code"], "INVALID_TRANSACTIONID", Refused, WhenMended),
        (&["reverse_order"], "USERPAYING", Unknown, Later),
        (&["reverse_order"], "SYSTEM_ERROR", Unknown, ByEffect),
        (&["reverse_order"], "BANK_ERROR", Unknown, ByEffect),
        (&["reverse_order"], "ORDER_CLOSED", Already, No),
        (&["reverse_order"], "ORDER_NOT_EXIST", Refused, No),
        (&["reverse_order"], "RESOURCE_NOT_EXISTS", Refused, No),
        (&["reverse_order"], "NOT_ENOUGH", Refused, WhenMended),
        (&[], "PARAM_ERROR", Refused, WhenMended),
        (&[], "INVALID_REQUEST", Refused, WhenMended),
        (&[], "SIGN_ERROR", Refused, WhenMended),
        (&[], "NO_AUTH", Refused, WhenMended),
        (&[], "APPID_MCHID_NOT_MATCH", Refused, WhenMended),
        (&[], "MCH_NOT_EXISTS", Refused, WhenMended),
        (&[], "FREQUENCY_LIMITED", Unknown, Later),
        (&[], "FREQUENCY_LIMIT_EXCEED", Unknown, Later),
        (&[], "RATELIMIT_EXCEEDED", Unknown, Later),
        (&[], "SYSTEM_ERROR", Unknown, ByEffect),
        (&[], "BANK_ERROR", Unknown, ByEffect),
        (&[], "SERVICE_UNAVAILABLE", Unknown, ByEffect),
    ];
    let calls: Vec<&str> = table.iter().flat_map(|(calls, ..)| *calls).copied().collect();
    let ours = rows().filter(|row| row.operations.is_empty() || row.operations.iter().any(|call| calls.contains(call)));
    for row in ours {
        let said = (row.operations, row.code, row.meaning.fate, row.meaning.again);
        assert!(table.contains(&said), "no such line in the test: {said:?}");
    }
    for (operations, code, fate, again) in table {
        let anywhere = meaning_anywhere(400, code);
        let found: Vec<_> = match operations {
            [] => vec![anywhere],
            calls => calls.iter().map(|call| meaning(&route(call), 400, code)).collect(),
        };
        for meaning in found {
            assert_eq!((meaning.fate, meaning.again), (*fate, *again), "{operations:?} {code}");
        }
    }
}

/// The status decides where the documents name no code, or disagree on it.
#[test]
fn reads_the_status_where_no_row_knows_the_code() {
    let kind = |status| meaning(&route("pay_by_code"), status, "BRAND_NEW");
    assert_eq!(kind(429).kind, RefusalKind::Throttled);
    for status in [500, 502, 503, 504, 599] {
        assert_eq!(
            (kind(status).fate, kind(status).again),
            (Fate::Unknown, Again::ByEffect)
        );
    }
    assert_eq!(
        (kind(501).fate, kind(501).kind),
        (Fate::Refused, RefusalKind::Configuration)
    );
    assert_eq!(kind(400), CodeMeaning::unknown(yuanfen_core::Effect::QueryFirst));
    // A caller's mistake that comes as a 500 is no failure of the platform.
    assert_eq!(
        meaning(&route("place_h5_order"), 500, "OPENID_MISMATCH").fate,
        Fate::Refused
    );
}

/// Section 10.3: what stands behind the last hyphen of `Request-ID`.
#[test]
fn reads_the_internal_number_of_a_request_id() {
    let sentence = |id: &str| InternalNumber::of(id).and_then(InternalNumber::sentence);
    for number in [
        268_512_771_u64,
        268_447_840,
        268_435_461,
        268_435_464,
        270_924_358,
        268_449_538,
        268_498_689,
        268_447_914,
        268_443_699,
        268_443_715,
        268_447_843,
        268_447_845,
        268_443_705,
        268_443_704,
        268_443_701,
        268_448_010,
        268_449_641,
        268_501_013,
        268_498_688,
        268_445_527,
    ] {
        let id = format!("08F78BB5AB0610D302188F8A4F20A0A0-{number}");
        assert_eq!(InternalNumber::of(&id).map(InternalNumber::get), Some(number));
        assert!(sentence(&id).is_some(), "{number}");
    }
    assert_eq!(
        sentence("a-b-268449641"),
        Some("the order must be reversed, not closed")
    );
    for none in [
        "",
        "08F78B",
        "08F78B-0",
        "08F78B-",
        "08F78B-12x",
        "08F78B-+1",
        "1-99999999999999999999999",
    ] {
        assert_eq!(InternalNumber::of(none), None, "{none}");
    }
    assert_eq!(
        InternalNumber::of("x-7").map(|number| (number.to_string(), number.sentence())),
        Some(("7".to_owned(), None))
    );
    let mut answer = reply(404, r#"{"code":"ORDER_NOT_EXIST","message":"x"}"#);
    answer
        .headers_mut()
        .insert("request-id", "08F78B-268512771".parse().unwrap());
    let opened = Verified::<Reply>::open(&account(), &answer, now()).unwrap();
    assert_eq!(
        opened.get().internal_number().and_then(InternalNumber::sentence),
        Some("the order does not exist")
    );
    let refusal = opened.get().object(&route("query_order")).unwrap_err();
    let yuanfen_core::OpenError::Business(refusal) = refusal else {
        panic!("{refusal:?}")
    };
    assert_eq!(
        refusal
            .remote_request_id
            .as_deref()
            .and_then(InternalNumber::of)
            .map(InternalNumber::get),
        Some(268_512_771)
    );
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
        assert!(row.meaning.source.starts_with("v3 sheet, section"), "{}", row.code);
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
        ("close_order", 404, "ORDER_NOT_EXIST", Advice::RepeatLater),
        ("close_order", 403, "TRADE_ERROR", Advice::QueryFirst),
        ("pay_by_code", 500, "SYSTEM_ERROR", Advice::QueryFirst),
        ("pay_by_code", 400, "AUTH_CODE_INVALID", Advice::Stop),
        ("reverse_order", 500, "SYSTEM_ERROR", Advice::QueryFirst),
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
