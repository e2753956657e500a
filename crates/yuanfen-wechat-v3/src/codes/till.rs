//! Payments by code, and undoing them.

use yuanfen_core::{Again, Fate, RefusalKind};

use super::{Operations, Row, STATUSES, absent, already, declined, mend, row};

const PAY: Operations = &["pay_by_code"];
const REVERSE: Operations = &["reverse_order"];

const CHARGING: &str = "v3 sheet, sections 13.5 and 16.2";
const REVERSING: &str = "v3 sheet, section 16.3";

const fn unclear(operations: Operations, code: &'static str, sentence: &'static str, source: &'static str) -> Row {
    row(operations, code, Fate::Unknown, RefusalKind::Unclear, sentence, source)
}

const fn pending(operations: Operations, code: &'static str, sentence: &'static str, source: &'static str) -> Row {
    row(operations, code, Fate::Unknown, RefusalKind::Pending, sentence, source)
}

pub(super) const ROWS: &[Row] = &[
    pending(
        PAY,
        "USERPAYING",
        "the payer is typing the password: query every five seconds, and reverse if it stays unclear",
        CHARGING,
    ),
    unclear(
        PAY,
        "SYSTEM_ERROR",
        "the platform failed and the payer may have paid: wait five seconds and query, and reverse if it stays unclear",
        CHARGING,
    ),
    unclear(
        PAY,
        "BANK_ERROR",
        "the bank failed and the payer may have paid: wait five seconds and query, and reverse if it stays unclear",
        CHARGING,
    ),
    already(
        PAY,
        "ORDER_PAID",
        "this order is paid: query it, and do not ask the payer again",
        STATUSES,
    ),
    already(
        PAY,
        "OUT_TRADE_NO_USED",
        "this order number is in use: query it, and use a new order number for this payment",
        CHARGING,
    ),
    declined(
        PAY,
        "ORDER_CLOSED",
        "this order is closed or reversed: use a new order number",
        CHARGING,
    ),
    declined(
        PAY,
        "AUTH_CODE_INVALID",
        "what was scanned is no payment code: scan the payer's code, and use a new order number",
        CHARGING,
    ),
    declined(
        PAY,
        "AUTHCODEEXPIRE",
        "the code is too old: let the payer show a new one, and use a new order number",
        CHARGING,
    ),
    declined(
        PAY,
        "AUTH_CODE_ERROR",
        "the code is wrong or was used: let the payer show a new one, and use a new order number",
        CHARGING,
    ),
    declined(
        PAY,
        "NOT_ENOUGH",
        "the payer's balance is too low: let the payer choose another card and show a new code, and use a new order number",
        CHARGING,
    ),
    declined(
        PAY,
        "RULE_LIMIT",
        "a business rule forbids it: tell the payer what the platform says",
        CHARGING,
    ),
    declined(
        PAY,
        "TRADE_ERROR",
        "the payment failed: tell the payer what the platform says, and use a new order number",
        CHARGING,
    ),
    declined(
        PAY,
        "ACCOUNT_ERROR",
        "the payer's account cannot be used: let the payer pay another way",
        CHARGING,
    ),
    mend(
        PAY,
        "ORDER_NOT_EXIST",
        "the platform misses an order: check which endpoint and merchant number were used",
        CHARGING,
    ),
    mend(
        PAY,
        "OPENID_MISMATCH",
        "the open id belongs to another app (sent as 500; do not repeat)",
        CHARGING,
    ),
    mend(
        PAY,
        "INVALID_TRANSACTIONID",
        "a transaction id is wrong (sent as 500; do not repeat)",
        CHARGING,
    ),
    pending(
        REVERSE,
        "USERPAYING",
        "the payer is typing the password: wait, and reverse again",
        STATUSES,
    )
    .with_again(Again::Later),
    unclear(
        REVERSE,
        "SYSTEM_ERROR",
        "the platform failed and it may be reversed or not: reverse again, then query",
        REVERSING,
    ),
    unclear(
        REVERSE,
        "BANK_ERROR",
        "the bank failed and it may be reversed or not: reverse again, then query",
        REVERSING,
    ),
    already(
        REVERSE,
        "ORDER_CLOSED",
        "this order is closed or reversed already",
        STATUSES,
    ),
    absent(
        REVERSE,
        "ORDER_NOT_EXIST",
        "no such order under this merchant, so there is nothing to reverse: query it once or twice before believing it",
        STATUSES,
    ),
    absent(
        REVERSE,
        "RESOURCE_NOT_EXISTS",
        "no such order under this merchant, so there is nothing to reverse: query it once or twice before believing it",
        STATUSES,
    ),
    declined(
        REVERSE,
        "NOT_ENOUGH",
        "it is paid and the merchant's balance is too low to give it back: top it up, then reverse again",
        STATUSES,
    )
    .with_again(Again::WhenMended),
];
