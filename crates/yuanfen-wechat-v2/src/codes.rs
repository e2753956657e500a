//! What a code means on which call: v2 sheet, section 9. Data, reviewed as data.

use yuanfen_core::{Again, CodeMeaning, Fate, RefusalKind, Route, open_enum};

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
        /// No such refund.
        RefundNotExist = "REFUNDNOTEXIST",
        /// The platform asks to try again.
        NeedRetry = "BIZERR_NEED_RETRY",
        /// The order was paid too long ago to be refunded.
        TradeOverdue = "TRADE_OVERDUE",
        /// The payer's account cannot take the refund.
        UserAccountAbnormal = "USER_ACCOUNT_ABNORMAL",
        /// The order's state does not fit.
        TradeStateError = "TRADE_STATE_ERROR",
        /// The order number is in use.
        OutTradeNoUsed = "OUT_TRADE_NO_USED",
        /// The payer's balance is too low; of a refund, the merchant's.
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
const REFUND: &[&str] = &["refund"];
const QUERY_REFUND: &[&str] = &["query_refund"];
const REFUNDS: &[&str] = &["refund", "query_refund"];
const ANY: &[&str] = &["place_order", "query_order", "refund", "query_refund"];
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
    (
        REFUND,
        "SYSTEMERROR",
        row(
            Fate::Unknown,
            RefusalKind::Unclear,
            "the platform failed: query the refund, and repeat it with the same refund number",
        ),
    ),
    (
        REFUND,
        "BIZERR_NEED_RETRY",
        row(
            Fate::Unknown,
            RefusalKind::Unclear,
            "the platform could not finish: query the refund, and repeat it with the same refund number",
        ),
    ),
    (
        REFUND,
        "FREQUENCY_LIMITED",
        row(
            Fate::Refused,
            RefusalKind::Throttled,
            "too many refunds: repeat it with the same refund number in a minute or later",
        ),
    ),
    (
        REFUND,
        "INVALID_REQ_TOO_MUCH",
        row(
            Fate::Refused,
            RefusalKind::Throttled,
            "too many failing refunds: repeat it with the same refund number in a minute or later",
        ),
    ),
    (
        REFUND,
        "NOTENOUGH",
        row(
            Fate::Refused,
            RefusalKind::Declined,
            "the merchant's balance is too low: top it up or name another account, then repeat with the same refund number",
        )
        .with_again(Again::WhenMended),
    ),
    (
        REFUND,
        "TRADE_OVERDUE",
        row(
            Fate::Refused,
            RefusalKind::Declined,
            "the order was paid more than a year ago: refund in another way",
        ),
    ),
    (
        REFUND,
        "USER_ACCOUNT_ABNORMAL",
        row(
            Fate::Refused,
            RefusalKind::Declined,
            "the payer's account cannot take the refund: agree on another way with the payer",
        ),
    ),
    (
        REFUND,
        "TRADE_STATE_ERROR",
        row(
            Fate::Unknown,
            RefusalKind::Unclear,
            "the order's state does not fit, often because it is refunded: query the refund",
        ),
    ),
    (
        REFUND,
        "ERROR",
        row(
            Fate::Unknown,
            RefusalKind::Unclear,
            "read the platform's message; often the order is refunded already: query the refund",
        ),
    ),
    (
        REFUND,
        "ORDERNOTEXIST",
        row(
            Fate::Refused,
            RefusalKind::NotFound,
            "no such order under this merchant: check its number",
        ),
    ),
    (
        QUERY_REFUND,
        "SYSTEMERROR",
        row(
            Fate::Unknown,
            RefusalKind::Unclear,
            "the platform failed: query the refund again",
        ),
    ),
    (
        QUERY_REFUND,
        "REFUNDNOTEXIST",
        row(
            Fate::Refused,
            RefusalKind::NotFound,
            "no such refund: after an unknown outcome repeat the refund with the same refund number",
        ),
    ),
    (
        REFUNDS,
        "INVALID_TRANSACTIONID",
        fix("the platform does not know this transaction id"),
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
