//! Bills. The trade bill has texts where the fund-flow bill has codes.

use yuanfen_core::{Fate, RefusalKind};

use super::{Row, mend, row, unclear};

pub(super) const TRADE_BILL: &str = "download_trade_bill";
const TRADE: &[&str] = &[TRADE_BILL];
const FUND_FLOW: &[&str] = &["download_fund_flow_bill"];
const BOTH: &[&str] = &[TRADE_BILL, "download_fund_flow_bill"];

const fn not_yet(operations: super::Operations, code: &'static str) -> Row {
    row(
        operations,
        code,
        Fate::Refused,
        RefusalKind::NotYet,
        "the bill is being made: ask again after 10:00 Beijing time",
    )
}

const fn nothing(operations: super::Operations, code: &'static str) -> Row {
    row(
        operations,
        code,
        Fate::Refused,
        RefusalKind::Nothing,
        "that day has no bill: nothing was traded",
    )
}

pub(super) const ROWS: &[Row] = &[
    unclear(BOTH, "SYSTEMERROR", "the platform failed: ask for the bill again"),
    unclear(
        TRADE,
        "CompressGZip Error",
        "the platform failed to compress: ask for the bill again",
    ),
    unclear(
        TRADE,
        "UnCompressGZip Error",
        "the platform failed to decompress: ask for the bill again",
    ),
    not_yet(TRADE, "Bill Creating"),
    nothing(TRADE, "No Bill Exist"),
    // `error_code` of the same.
    nothing(TRADE, "20002"),
    mend(
        TRADE,
        "invalid bill_type",
        "the platform does not know this kind of bill",
    ),
    mend(TRADE, "data format error", "a value is not of its form: check the day"),
    mend(TRADE, "missing parameter", "a required parameter is missing"),
    mend(
        TRADE,
        "SIGN ERROR",
        "the platform computed another signature: compare with `yuanfen sign`",
    ),
    not_yet(FUND_FLOW, "BILL_CREATING"),
    nothing(FUND_FLOW, "NO_BILL_EXIST"),
];
