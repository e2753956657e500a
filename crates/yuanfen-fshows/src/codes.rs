//! What a code means on which call: fshows sheet, section 12. Data, reviewed as data.

use yuanfen_core::{CodeMeaning, Fate, RefusalKind, Route, open_enum};

open_enum! {
    /// `error_code`, as far as this version names it.
    pub enum Code {
        /// The payer is typing the password.
        Paying = "100",
        /// The signature is wrong.
        Signature = "-100",
        /// A parameter is wrong.
        Parameter = "-101",
        /// The method is not open to this liquidator.
        Permission = "-102",
        /// Something; the message says what.
        General = "-103",
        /// The platform failed.
        Server = "-200",
        /// The order number is in use.
        DuplicateOrder = "-206",
        /// No such order.
        OrderNotFound = "-207",
        /// Too many calls.
        TooOften = "-221",
        /// The wallet's side failed.
        Upstream = "-300",
        /// The payment failed.
        PaymentFailed = "-301",
        /// The refund failed.
        RefundFailed = "-302",
    }
}

const SHEET: &str = "fshows sheet, section 12";
const ANY: &[&str] = &["pay_wechat_page", "query_order", "refund", "query_refund"];
const BUT_REFUND: &[&str] = &["pay_wechat_page", "query_order", "query_refund"];
const REFUND: &[&str] = &["refund"];
const QUERY_REFUND: &[&str] = &["query_refund"];
const PAY: &[&str] = &["pay_wechat_page"];
const QUERY: &[&str] = &["query_order"];

/// One row: on which calls, which code, what it means.
type Row = (&'static [&'static str], &'static str, CodeMeaning);

const fn row(fate: Fate, kind: RefusalKind, sentence: &'static str) -> CodeMeaning {
    CodeMeaning::new(fate, kind, sentence, SHEET)
}

const fn fix(sentence: &'static str) -> CodeMeaning {
    row(Fate::Refused, RefusalKind::Configuration, sentence)
}

/// Every row there is.
pub const TABLE: &[Row] = &[
    (
        PAY,
        "100",
        row(
            Fate::Unknown,
            RefusalKind::Pending,
            "the payer is typing the password: query until it is decided",
        ),
    ),
    (
        QUERY,
        "100",
        row(
            Fate::Unknown,
            RefusalKind::Pending,
            "the payer is typing the password: query again in a while",
        ),
    ),
    (
        ANY,
        "-100",
        fix("the platform computed another signature: compare with `yuanfen sign`, and check the private key"),
    ),
    (ANY, "-101", fix("a parameter is wrong: the message may name it")),
    (
        ANY,
        "-102",
        fix("this method is not open to this liquidator: ask the platform"),
    ),
    (
        BUT_REFUND,
        "-103",
        row(
            Fate::Refused,
            RefusalKind::Declined,
            "the platform refused in its own words: read the message",
        ),
    ),
    (ANY, "-104", fix("the login is over: ask the platform")),
    (
        PAY,
        "-200",
        row(
            Fate::Unknown,
            RefusalKind::Unclear,
            "the platform failed: query before anything else",
        ),
    ),
    (
        QUERY,
        "-200",
        row(Fate::Unknown, RefusalKind::Unclear, "the platform failed: query again"),
    ),
    (
        ANY,
        "-201",
        fix("the platform does not know this liquidator: check app id and host"),
    ),
    (ANY, "-202", fix("the platform does not know this merchant")),
    (ANY, "-203", fix("the platform does not know this sub-merchant number")),
    (ANY, "-204", fix("the platform does not know this shop")),
    (ANY, "-205", fix("the platform does not know this channel number")),
    (
        PAY,
        "-206",
        row(
            Fate::Already,
            RefusalKind::Already,
            "this order number is in use: query it before anything else",
        ),
    ),
    (
        QUERY,
        "-207",
        row(
            Fate::Refused,
            RefusalKind::NotFound,
            "no such order; right after placing one, query again in a while",
        ),
    ),
    (ANY, "-208", fix("the platform does not know this wallet")),
    (
        BUT_REFUND,
        "-220",
        row(
            Fate::Refused,
            RefusalKind::Declined,
            "this is not allowed in the order's state",
        ),
    ),
    (
        ANY,
        "-221",
        row(
            Fate::Refused,
            RefusalKind::Throttled,
            "too many calls: the same call later",
        ),
    ),
    (ANY, "-222", fix("the kind of payment is wrong")),
    (ANY, "-223", fix("the platform could not read the content")),
    (
        ANY,
        "-224",
        row(
            Fate::Refused,
            RefusalKind::Declined,
            "the platform lacks a setting for this merchant",
        ),
    ),
    (
        PAY,
        "-300",
        row(
            Fate::Unknown,
            RefusalKind::Unclear,
            "the wallet's side failed: query before anything else",
        ),
    ),
    (
        QUERY,
        "-300",
        row(
            Fate::Unknown,
            RefusalKind::Unclear,
            "the wallet's side failed: query again",
        ),
    ),
    (
        PAY,
        "-301",
        row(Fate::Refused, RefusalKind::Declined, "the payment failed"),
    ),
    (
        REFUND,
        "-103",
        row(
            Fate::Unknown,
            RefusalKind::Unclear,
            "the platform answered in its own words, which may say that it is refunded: query the refund",
        ),
    ),
    (
        REFUND,
        "-200",
        row(
            Fate::Unknown,
            RefusalKind::Unclear,
            "the platform failed: query the refund before anything else",
        ),
    ),
    (
        REFUND,
        "-206",
        row(
            Fate::Already,
            RefusalKind::Already,
            "this refund number is in use: query it before anything else",
        ),
    ),
    (
        REFUND,
        "-207",
        row(Fate::Refused, RefusalKind::NotFound, "no such order: check its number"),
    ),
    (
        REFUND,
        "-216",
        row(
            Fate::Refused,
            RefusalKind::Declined,
            "the balance is too low for the refund",
        ),
    ),
    (
        REFUND,
        "-220",
        row(
            Fate::Unknown,
            RefusalKind::Unclear,
            "this is not allowed in the order's state, perhaps because it is refunded: query the refund",
        ),
    ),
    (
        REFUND,
        "-300",
        row(
            Fate::Unknown,
            RefusalKind::Unclear,
            "the wallet's side failed: query the refund before anything else",
        ),
    ),
    (
        REFUND,
        "-302",
        row(Fate::Refused, RefusalKind::Declined, "the refund failed"),
    ),
    (
        QUERY_REFUND,
        "-200",
        row(Fate::Unknown, RefusalKind::Unclear, "the platform failed: query again"),
    ),
    (
        QUERY_REFUND,
        "-207",
        row(
            Fate::Refused,
            RefusalKind::Unclear,
            "the platform does not find it, and whether that means the order or the refund is not published",
        ),
    ),
    (
        QUERY_REFUND,
        "-300",
        row(
            Fate::Unknown,
            RefusalKind::Unclear,
            "the wallet's side failed: query again",
        ),
    ),
];

/// What a code means on a call. A code without a row is never concluded from: after a write its fate is unknown.
#[must_use]
pub fn meaning(route: &Route, code: &str) -> CodeMeaning {
    TABLE
        .iter()
        .find(|(operations, candidate, _)| *candidate == code && operations.contains(&route.operation))
        .map_or_else(|| CodeMeaning::unknown(route.effect), |(_, _, meaning)| *meaning)
}
