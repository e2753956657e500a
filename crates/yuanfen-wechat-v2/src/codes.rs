//! What a code means on which call: v2 sheet, section 9. Data, reviewed as data.

use yuanfen_core::{CodeMeaning, Fate, RefusalKind, Route, open_enum};

open_enum! {
    /// `err_code`, as far as this version names it.
    pub enum Code {
        /// The platform failed; the outcome is unknown.
        SystemError = "SYSTEMERROR",
        /// The order is paid.
        OrderPaid = "ORDERPAID",
        /// The order is closed.
        OrderClosed = "ORDERCLOSED",
        /// No such order.
        OrderNotExist = "ORDERNOTEXIST",
        /// The order number is in use.
        OutTradeNoUsed = "OUT_TRADE_NO_USED",
        /// The payer's balance is too low.
        NotEnough = "NOTENOUGH",
        /// The request contradicts the order's state or an earlier request.
        InvalidRequest = "INVALID_REQUEST",
        /// The merchant may not use this call.
        NoAuth = "NOAUTH",
        /// A parameter is wrong.
        ParamError = "PARAM_ERROR",
        /// The signature is wrong.
        SignError = "SIGNERROR",
    }
}

/// One row: on which calls, which code, what it means.
type Row = (&'static [&'static str], &'static str, CodeMeaning);

const PLACE: &[&str] = &["place_order"];
const QUERY: &[&str] = &["query_order"];
const ANY: &[&str] = &["place_order", "query_order"];
const SHEET: &str = "v2 sheet, section 9";

const fn fix(sentence: &'static str) -> CodeMeaning {
    CodeMeaning::new(Fate::Refused, RefusalKind::Configuration, sentence, SHEET)
}

const fn row(fate: Fate, kind: RefusalKind, sentence: &'static str) -> CodeMeaning {
    CodeMeaning::new(fate, kind, sentence, SHEET)
}

/// Every row there is.
pub const TABLE: &[Row] = &[
    (
        PLACE,
        "SYSTEMERROR",
        row(
            Fate::Unknown,
            RefusalKind::Unclear,
            "the platform failed: repeat the identical order under the same number",
        ),
    ),
    (
        PLACE,
        "ORDERPAID",
        row(
            Fate::Already,
            RefusalKind::Already,
            "this order is paid: query it, and do not ask the payer again",
        ),
    ),
    (
        PLACE,
        "ORDERCLOSED",
        row(
            Fate::Refused,
            RefusalKind::Declined,
            "this order is closed: use a new order number",
        ),
    ),
    (
        PLACE,
        "OUT_TRADE_NO_USED",
        row(
            Fate::Already,
            RefusalKind::Already,
            "this order number is in use: query it; unless it is your own order with these parameters, use a new number",
        ),
    ),
    (
        PLACE,
        "INVALID_REQUEST",
        fix("the number exists with other parameters: restore them, or close the order and use a new number"),
    ),
    (
        PLACE,
        "NOTENOUGH",
        row(
            Fate::Refused,
            RefusalKind::Declined,
            "the payer's balance is too low: let the payer choose another card",
        ),
    ),
    (PLACE, "LACK_PARAMS", fix("a required parameter is missing")),
    (
        PLACE,
        "NOAUTH",
        fix("this merchant may not use this call: apply for it in the merchant console"),
    ),
    (
        QUERY,
        "SYSTEMERROR",
        row(Fate::Unknown, RefusalKind::Unclear, "the platform failed: query again"),
    ),
    (
        QUERY,
        "ORDERNOTEXIST",
        row(
            Fate::Refused,
            RefusalKind::NotFound,
            "no such order under this merchant; right after placing one, query again once or twice",
        ),
    ),
    (ANY, "APPID_NOT_EXIST", fix("the platform does not know this app id")),
    (
        ANY,
        "MCHID_NOT_EXIST",
        fix("the platform does not know this merchant number"),
    ),
    (
        ANY,
        "APPID_MCHID_NOT_MATCH",
        fix("app id and merchant number are not bound to each other"),
    ),
    (
        ANY,
        "PARAM_ERROR",
        fix("a parameter is wrong: read the platform's message"),
    ),
    (
        ANY,
        "SIGNERROR",
        fix("the platform computed another signature: compare with `yuanfen sign`"),
    ),
    (ANY, "XML_FORMAT_ERROR", fix("the platform could not read the message")),
    (
        ANY,
        "REQUIRE_POST_METHOD",
        fix("the call was not a POST: look for a proxy or redirect in between"),
    ),
    (
        ANY,
        "POST_DATA_EMPTY",
        fix("the body did not arrive: look for a proxy or redirect in between"),
    ),
    (ANY, "NOT_UTF8", fix("the message did not arrive as UTF-8")),
];

/// What a code means on a call. A code without a row is never concluded from: after a write its fate is unknown.
#[must_use]
pub fn meaning(route: &Route, code: &str) -> CodeMeaning {
    TABLE
        .iter()
        .find(|(operations, candidate, _)| *candidate == code && operations.contains(&route.operation))
        .map_or_else(|| CodeMeaning::unknown(route.effect), |(_, _, meaning)| *meaning)
}
