//! Payment codes: charging them, reversing what came of it, and whose they are.

use yuanfen_core::{Again, Fate, RefusalKind};

use super::{Operations, Row, already, declined, mend, pending, row, unclear};

const PAY: &[&str] = &["micropay"];
const REVERSE: &[&str] = &["reverse_order"];
const CODES: &[&str] = &["micropay", "exchange_auth_code"];
const SMALL: &[&str] = &["exchange_auth_code", "shorten_link", "query_comments"];

/// The reversal itself was refused, but it was asked for because nobody knew about the payment, and nobody does now.
const fn irreversible(operations: Operations, code: &'static str, kind: RefusalKind, sentence: &'static str) -> Row {
    let again = match kind {
        RefusalKind::Configuration => Again::WhenMended,
        _ => Again::AfterQuery,
    };
    row(operations, code, Fate::Unknown, kind, sentence).with_again(again)
}

pub(super) const ROWS: &[Row] = &[
    unclear(
        PAY,
        "SYSTEMERROR",
        "the platform failed and the payer may have paid: query, and reverse if it stays unclear",
    ),
    unclear(
        PAY,
        "BANKERROR",
        "the bank failed and the payer may have paid: query, and reverse if it stays unclear",
    ),
    pending(
        PAY,
        "USERPAYING",
        "the payer is typing the password: query every ten seconds, and reverse if it stays unclear",
    ),
    already(
        PAY,
        "ORDERPAID",
        "this order is paid: query it, and do not ask the payer again",
    ),
    declined(PAY, "ORDERCLOSED", "this order is closed: use a new order number"),
    declined(PAY, "ORDERREVERSED", "this order was reversed: use a new order number"),
    declined(
        CODES,
        "AUTHCODEEXPIRE",
        "the code is too old: let the payer show a new one, and use a new order number",
    ),
    declined(
        CODES,
        "AUTH_CODE_ERROR",
        "the code is wrong: let the payer show a new one, and use a new order number",
    ),
    declined(
        CODES,
        "AUTH_CODE_INVALID",
        "what was scanned is no payment code: scan the payer's code, and use a new order number",
    ),
    declined(
        PAY,
        "NOTENOUGH",
        "the payer's balance is too low: let the payer choose another card and show a new code, and use a new order number",
    ),
    declined(
        PAY,
        "NOTSUPORTCARD",
        "the card cannot be used here: let the payer choose another and show a new code, and use a new order number",
    ),
    declined(
        PAY,
        "BUYER_MISMATCH",
        "this number was begun by another payer: use a new order number",
    ),
    already(
        PAY,
        "OUT_TRADE_NO_USED",
        "this order number is in use: query it, and use a new order number for this payment",
    ),
    declined(
        PAY,
        "TRADE_ERROR",
        "the payment failed: tell the payer what the platform says, and use a new order number",
    ),
    mend(
        PAY,
        "INVALID_REQUEST",
        "the request does not fit the order or the merchant: read the platform's message",
    ),
    unclear(
        REVERSE,
        "SYSTEMERROR",
        "the platform failed: reverse again as long as `recall` says so",
    )
    .with_again(Again::Now),
    pending(
        REVERSE,
        "USERPAYING",
        "the payer is typing the password: wait, and reverse again",
    )
    .with_again(Again::Later),
    declined(
        REVERSE,
        "REVERSE_EXPIRE",
        "the order is older than seven days: refund it instead",
    ),
    irreversible(
        REVERSE,
        "TRADE_ERROR",
        RefusalKind::Unclear,
        "this order cannot be reversed in its state: query it",
    ),
    irreversible(
        REVERSE,
        "INVALID_REQUEST",
        RefusalKind::Unclear,
        "this order cannot be reversed so: query it, and read the platform's message",
    ),
    irreversible(
        REVERSE,
        "INVALID_TRANSACTIONID",
        RefusalKind::Configuration,
        "the platform does not know this transaction id: query the order, and reverse it under its right number",
    ),
    irreversible(
        REVERSE,
        "PARAM_ERROR",
        RefusalKind::Configuration,
        "a parameter is wrong and nothing was reversed: query the order, mend the request, and reverse again",
    ),
    irreversible(
        REVERSE,
        "SIGNERROR",
        RefusalKind::Configuration,
        "the platform computed another signature and reversed nothing: query the order, compare with `yuanfen sign`, and \
         reverse again",
    ),
    irreversible(
        REVERSE,
        "REQUIRE_POST_METHOD",
        RefusalKind::Configuration,
        "the call was not a POST and reversed nothing: query the order, and look for a proxy or redirect in between",
    ),
    unclear(SMALL, "SYSTEMERROR", "the platform failed: ask again"),
];
