//! The table of codes, held to section 9 of the sheet, and what its rows make of a signed refusal.

use std::collections::BTreeSet;

use yuanfen_core::{Advice, Again, CodeMeaning, Effect, Error, Fate, Operation, OperationExt as _, RefusalKind};
use yuanfen_wechat_v2::Account;
use yuanfen_wechat_v2::codes::{Code, meaning, rows};
use yuanfen_wechat_v2::ops::{Micropay, PlaceOrder, QueryOrder, QueryRefund, Refund, ReverseOrder, routes};

use crate::far_side::{PLACED, QUERIED, account, answer, changed, now, order, query, why};

use Advice::{Query, Repeat, Stop};
use Fate::{Already, Refused, Unknown};

/// Section 9 of the sheet, line by line: the calls, the codes of one line, and its actions.
///
/// **R** repeat the identical call; **Q** outcome unknown, query first; **N** new order number needed; **F** fix the request
/// or configuration; **P** tell the payer; **S** stop, treat as (already) done; and **q** where the sheet says to query beside
/// something else.
type Line = (&'static [&'static str], &'static [&'static str], &'static str);

const REFUNDS: &[&str] = &["refund", "refund_v2"];
const QUERIES: &[&str] = &["query_refund", "query_refund_v2"];

const SECTION_9: &[Line] = &[
    (&["place_order"], &["SYSTEMERROR"], "R"),
    (&["place_order"], &["ORDERPAID"], "Sq"),
    (&["place_order"], &["ORDERCLOSED"], "N"),
    (&["place_order"], &["OUT_TRADE_NO_USED"], "qN"),
    (&["place_order"], &["INVALID_REQUEST"], "FN"),
    (&["place_order"], &["NOTENOUGH"], "P"),
    (
        &["place_order"],
        &[
            "NOAUTH",
            "APPID_NOT_EXIST",
            "MCHID_NOT_EXIST",
            "APPID_MCHID_NOT_MATCH",
            "LACK_PARAMS",
            "PARAM_ERROR",
            "SIGNERROR",
            "XML_FORMAT_ERROR",
            "REQUIRE_POST_METHOD",
            "POST_DATA_EMPTY",
            "NOT_UTF8",
        ],
        "F",
    ),
    (&["query_order"], &["SYSTEMERROR"], "R"),
    (&["query_order"], &["ORDERNOTEXIST"], "S"),
    (&["close_order"], &["SYSTEMERROR"], "R"),
    (&["close_order"], &["ORDERPAID"], "Sq"),
    (&["close_order"], &["ORDERCLOSED"], "S"),
    (&["close_order"], &["ORDERNOTEXIST"], "S"),
    (&["close_order"], &["TRADE_STATE_ERROR"], "q"),
    (
        &["close_order"],
        &["SIGNERROR", "REQUIRE_POST_METHOD", "XML_FORMAT_ERROR"],
        "F",
    ),
    (&["micropay"], &["SYSTEMERROR", "BANKERROR"], "Q"),
    (&["micropay"], &["USERPAYING"], "Q"),
    (&["micropay"], &["ORDERPAID"], "Sq"),
    (&["micropay"], &["ORDERCLOSED", "ORDERREVERSED"], "N"),
    (
        &["micropay"],
        &["AUTHCODEEXPIRE", "AUTH_CODE_ERROR", "AUTH_CODE_INVALID"],
        "PN",
    ),
    (&["micropay"], &["NOTENOUGH", "NOTSUPORTCARD"], "PN"),
    (&["micropay"], &["BUYER_MISMATCH"], "N"),
    (&["micropay"], &["OUT_TRADE_NO_USED"], "qN"),
    (&["micropay"], &["TRADE_ERROR"], "PN"),
    (
        &["micropay"],
        &[
            "INVALID_REQUEST",
            "PARAM_ERROR",
            "NOAUTH",
            "APPID_NOT_EXIST",
            "MCHID_NOT_EXIST",
            "APPID_MCHID_NOT_MATCH",
            "LACK_PARAMS",
            "SIGNERROR",
            "XML_FORMAT_ERROR",
            "REQUIRE_POST_METHOD",
            "POST_DATA_EMPTY",
            "NOT_UTF8",
        ],
        "F",
    ),
    (&["reverse_order"], &["SYSTEMERROR"], "R"),
    (&["reverse_order"], &["USERPAYING"], "R"),
    (&["reverse_order"], &["REVERSE_EXPIRE"], "S"),
    // "query; F": the two that are about the order's state are asked about, the four about the form also mended.
    (&["reverse_order"], &["TRADE_ERROR", "INVALID_REQUEST"], "Q"),
    (
        &["reverse_order"],
        &[
            "INVALID_TRANSACTIONID",
            "PARAM_ERROR",
            "SIGNERROR",
            "REQUIRE_POST_METHOD",
        ],
        "QF",
    ),
    (REFUNDS, &["SYSTEMERROR", "BIZERR_NEED_RETRY"], "R"),
    (REFUNDS, &["FREQUENCY_LIMITED", "INVALID_REQ_TOO_MUCH"], "R"),
    (REFUNDS, &["NOTENOUGH"], "F"),
    (REFUNDS, &["TRADE_OVERDUE"], "S"),
    (REFUNDS, &["USER_ACCOUNT_ABNORMAL"], "S"),
    (REFUNDS, &["TRADE_STATE_ERROR", "ERROR"], "Q"),
    (
        REFUNDS,
        &[
            "ORDERNOTEXIST",
            "INVALID_TRANSACTIONID",
            "PARAM_ERROR",
            "APPID_NOT_EXIST",
            "MCHID_NOT_EXIST",
            "APPID_MCHID_NOT_MATCH",
            "LACK_PARAMS",
            "SIGNERROR",
            "XML_FORMAT_ERROR",
            "REQUIRE_POST_METHOD",
            "POST_DATA_EMPTY",
            "NOT_UTF8",
        ],
        "F",
    ),
    (QUERIES, &["SYSTEMERROR"], "R"),
    (QUERIES, &["REFUNDNOTEXIST"], "S"),
    (
        QUERIES,
        &[
            "INVALID_TRANSACTIONID",
            "PARAM_ERROR",
            "APPID_NOT_EXIST",
            "MCHID_NOT_EXIST",
            "APPID_MCHID_NOT_MATCH",
            "LACK_PARAMS",
            "SIGNERROR",
            "XML_FORMAT_ERROR",
            "REQUIRE_POST_METHOD",
            "POST_DATA_EMPTY",
            "NOT_UTF8",
        ],
        "F",
    ),
    (
        &["download_trade_bill"],
        &["SYSTEMERROR", "CompressGZip Error", "UnCompressGZip Error"],
        "R",
    ),
    (&["download_trade_bill"], &["Bill Creating"], "R"),
    (
        &["download_trade_bill"],
        &["No Bill Exist", "NO Bill Exist", "20002"],
        "S",
    ),
    (
        &["download_trade_bill"],
        &[
            "invalid bill_type",
            "data format error",
            "missing parameter",
            "SIGN ERROR",
        ],
        "F",
    ),
    (&["download_fund_flow_bill"], &["SYSTEMERROR"], "R"),
    (&["download_fund_flow_bill"], &["BILL_CREATING"], "R"),
    (&["download_fund_flow_bill"], &["NO_BILL_EXIST"], "S"),
    (&["download_fund_flow_bill"], &["PARAM_ERROR"], "F"),
];

/// Rows that section 9 does not have: its families on calls of section 6.10 and 6.9, which it leaves out, and on the
/// close and query, where it names three of them and none. What is wrong with a request's ids or form is wrong on every
/// call.
const WIDENED: &[Line] = &[
    (
        &[
            "query_order",
            "close_order",
            "download_fund_flow_bill",
            "exchange_auth_code",
            "shorten_link",
            "query_comments",
        ],
        &[
            "APPID_NOT_EXIST",
            "MCHID_NOT_EXIST",
            "APPID_MCHID_NOT_MATCH",
            "LACK_PARAMS",
            "PARAM_ERROR",
            "SIGNERROR",
            "XML_FORMAT_ERROR",
            "REQUIRE_POST_METHOD",
            "POST_DATA_EMPTY",
            "NOT_UTF8",
        ],
        "F",
    ),
    (
        &["exchange_auth_code", "shorten_link", "query_comments"],
        &["SYSTEMERROR"],
        "R",
    ),
    (
        &["exchange_auth_code"],
        &["AUTHCODEEXPIRE", "AUTH_CODE_ERROR", "AUTH_CODE_INVALID"],
        "P",
    ),
];

/// The one row of an operation and a code, whether this crate has the operation already or not. Texts of a bill are
/// written differently from page to page.
fn found(operation: &str, code: &str) -> CodeMeaning {
    let same = |known: &str| known == code || operation == "download_trade_bill" && known.eq_ignore_ascii_case(code);
    let mut found = rows().filter(|row| row.operations.contains(&operation) && same(row.code));
    let row = found.next().unwrap_or_else(|| panic!("no row for {operation} {code}"));
    assert!(found.next().is_none(), "{operation} {code} twice");
    row.meaning
}

/// What a row must say for an action of the sheet.
fn agrees(action: char, meaning: &CodeMeaning) -> bool {
    let says = |text: &str| meaning.sentence.contains(text);
    match action {
        // Something about it allows the same call again, at once, later, or as the call's own nature allows.
        'R' => {
            matches!(meaning.again, Again::Now | Again::Later | Again::ByEffect)
                && (meaning.fate == Unknown || matches!(meaning.kind, RefusalKind::Throttled | RefusalKind::NotYet))
        }
        'Q' => meaning.fate == Unknown,
        'q' => says("query") && Advice::of(meaning.fate, Effect::QueryFirst, meaning.again) != Stop,
        'N' => says("new order number") || says("new number"),
        'F' => meaning.again == Again::WhenMended,
        'P' => says("payer") && meaning.fate == Refused && meaning.again == Again::No,
        'S' => meaning.again == Again::No && meaning.fate != Unknown,
        other => panic!("no such action: {other}"),
    }
}

#[test]
fn holds_every_row_of_section_9_and_says_what_it_says() {
    for (operations, codes, actions) in SECTION_9.iter().chain(WIDENED) {
        for operation in *operations {
            for code in *codes {
                let meaning = found(operation, code);
                for action in actions.chars() {
                    assert!(agrees(action, &meaning), "{operation} {code} {action}: {meaning:?}");
                }
                // Only what the sheet calls unknown is: whoever reads "unknown" must ask, and pays for asking.
                let open = actions.contains(['Q', 'R']) && meaning.kind != RefusalKind::Throttled;
                let open = open && meaning.kind != RefusalKind::NotYet;
                assert_eq!(meaning.fate == Unknown, open, "{operation} {code}: {meaning:?}");
                assert!(meaning.source.contains("section 9"), "{code}");
            }
        }
    }
}

#[test]
fn holds_no_row_that_the_sheet_does_not_have_and_none_twice() {
    let mut expected = BTreeSet::new();
    for (operations, codes, _) in SECTION_9.iter().chain(WIDENED) {
        for operation in *operations {
            // One spelling stands in the table.
            let codes = codes.iter().filter(|code| **code != "NO Bill Exist");
            expected.extend(codes.map(|code| (*operation, *code)));
        }
    }
    let mut seen = BTreeSet::new();
    for row in rows() {
        assert!(!row.operations.is_empty() && !row.meaning.sentence.is_empty());
        for operation in row.operations {
            assert!(seen.insert((*operation, row.code)), "{operation} {} twice", row.code);
        }
    }
    assert_eq!(seen, expected);
}

#[test]
fn is_about_the_calls_of_this_crate_and_leaves_out_only_what_answers_without_codes() {
    let calls: BTreeSet<_> = routes().iter().map(|info| info.route.operation).collect();
    let named: BTreeSet<_> = rows().flat_map(|row| row.operations).copied().collect();
    assert!(named.is_subset(&calls), "{named:?}");
    // The report's answer has codes of its transport alone.
    assert_eq!(calls.difference(&named).collect::<Vec<_>>(), [&"report"]);
}

#[test]
fn reads_the_texts_of_a_bill_in_any_case_and_codes_in_their_own() {
    let kind = |operation: &str, code: &str| {
        let row = rows().find(|row| row.operations.contains(&operation)).unwrap();
        let mut route = QueryOrder::ROUTE;
        route.operation = row.operations.iter().find(|known| **known == operation).unwrap();
        meaning(&route, code).kind
    };
    assert_eq!(kind("download_trade_bill", "NO Bill Exist"), RefusalKind::Nothing);
    assert_eq!(kind("download_trade_bill", "bill creating"), RefusalKind::NotYet);
    assert_eq!(kind("download_fund_flow_bill", "NO_BILL_EXIST"), RefusalKind::Nothing);
    assert_eq!(kind("download_fund_flow_bill", "no_bill_exist"), RefusalKind::Unclear);
}

/// What a caller is told: the row, and what the call's own nature makes of it.
const TOLD: &[(&str, &str, Fate, Advice)] = &[
    ("place_order", "SYSTEMERROR", Unknown, Repeat),
    ("place_order", "ORDERPAID", Already, Query),
    ("place_order", "INVALID_REQUEST", Refused, Stop),
    ("query_order", "SYSTEMERROR", Unknown, Repeat),
    ("query_order", "ORDERNOTEXIST", Refused, Stop),
    ("micropay", "USERPAYING", Unknown, Advice::QueryFirst),
    ("micropay", "SYSTEMERROR", Unknown, Advice::QueryFirst),
    ("micropay", "TRADE_ERROR", Refused, Stop),
    ("micropay", "OUT_TRADE_NO_USED", Already, Query),
    ("reverse_order", "TRADE_ERROR", Unknown, Advice::QueryFirst),
    ("reverse_order", "PARAM_ERROR", Unknown, Advice::QueryFirst),
    ("reverse_order", "SYSTEMERROR", Unknown, Advice::QueryFirst),
    ("reverse_order", "REVERSE_EXPIRE", Refused, Stop),
    ("refund", "SYSTEMERROR", Unknown, Advice::QueryFirst),
    ("refund", "FREQUENCY_LIMITED", Refused, Advice::RepeatLater),
    ("refund", "NOTENOUGH", Refused, Stop),
    ("query_refund", "PARAM_ERROR", Refused, Stop),
];

#[test]
fn advises_on_each_call_as_repeating_it_allows() {
    for (operation, code, fate, advice) in TOLD {
        let route = routes()
            .into_iter()
            .map(|info| info.route)
            .find(|route| route.operation == *operation)
            .unwrap();
        let meaning = meaning(&route, code);
        assert_eq!(meaning, found(operation, code));
        let told = Advice::of(meaning.fate, route.effect, meaning.again);
        assert_eq!((meaning.fate, told), (*fate, *advice), "{operation} {code}");
    }
}

#[test]
fn one_code_is_another_thing_on_another_call() {
    let of = |route: &yuanfen_core::Route, code| meaning(route, code);
    assert_eq!(of(&Micropay::ROUTE, "TRADE_ERROR").fate, Refused);
    assert_eq!(of(&ReverseOrder::ROUTE, "TRADE_ERROR").fate, Unknown);
    assert_eq!(of(&Refund::ROUTE, "TRADE_ERROR").kind, RefusalKind::Unclear);
    assert_eq!(found("place_order", "ORDERCLOSED").fate, Refused);
    assert_eq!(found("close_order", "ORDERCLOSED").fate, Already);
    assert_eq!(of(&QueryRefund::ROUTE, "ORDERPAID"), CodeMeaning::unknown(Effect::Read));
}

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
fn tells_of_a_signed_refusal_what_its_row_says() {
    for (operation, code, fate, advice) in TOLD {
        match *operation {
            "place_order" => check(&refusal(&order(), PLACED, code), code, *fate, *advice),
            "query_order" => check(&refusal(&query(), QUERIED, code), code, *fate, *advice),
            _ => {}
        }
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
    for info in routes() {
        let effect = info.route.effect;
        let expected = if effect == Effect::Read { Refused } else { Unknown };
        assert_eq!(
            meaning(&info.route, "BRAND_NEW").fate,
            expected,
            "{}",
            info.route.operation
        );
    }
}

#[test]
fn takes_a_result_code_of_another_word_for_a_refusal_of_unknown_end() {
    let pairs = changed(PLACED, &[("result_code", Some("PENDING"))]);
    let error = order().reply(&account(), &answer(&pairs), now()).unwrap_err();
    assert_eq!((&*why(&error), error.fate()), ("refused ", Unknown));
}

#[test]
fn names_every_code_of_the_table() {
    // `ERROR` says no more than that there was one, and the texts of a bill are no codes.
    let unnamed: BTreeSet<_> = rows()
        .filter(|row| format!("{:?}", Code::from(row.code)).contains("Unknown"))
        .map(|row| row.code)
        .collect();
    assert_eq!(
        unnamed.into_iter().collect::<Vec<_>>(),
        [
            "20002",
            "Bill Creating",
            "CompressGZip Error",
            "ERROR",
            "No Bill Exist",
            "SIGN ERROR",
            "UnCompressGZip Error",
            "data format error",
            "invalid bill_type",
            "missing parameter",
        ]
    );
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
