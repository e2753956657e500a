//! Refunding, and asking what became of a refund.

use yuanfen_core::Again;

use super::{Operations, Row, STATUSES, absent, already, declined};

const REFUND: Operations = &["refund"];
const QUERY: Operations = &["query_refund"];
const ABNORMAL: Operations = &["apply_abnormal_refund"];

const REFUNDING: &str = "v3 sheet, section 17.3";

pub(super) const ROWS: &[Row] = &[
    already(
        REFUND,
        "REFUND_FEE_MISMATCH",
        "this refund number was used with other amounts, or the order's total is another: query the refund",
        REFUNDING,
    ),
    declined(
        REFUND,
        "TRADE_OVERDUE",
        "the order was paid more than 365 days ago and cannot be refunded",
        REFUNDING,
    ),
    declined(
        REFUND,
        "NOT_ENOUGH",
        "the merchant's balance is too low: top it up, then repeat with the same refund number",
        "v3 sheet, section 10.4",
    )
    .with_again(Again::WhenMended),
    declined(
        REFUND,
        "USER_ACCOUNT_ABNORMAL",
        "the payer's account cannot take the refund: agree on another way with the payer",
        REFUNDING,
    ),
    absent(
        REFUND,
        "RESOURCE_NOT_EXISTS",
        "no such order under this merchant: check the order's number",
        REFUNDING,
    ),
    absent(
        REFUND,
        "ORDER_NOT_EXIST",
        "no such order under this merchant: check the order's number",
        STATUSES,
    ),
    declined(
        ABNORMAL,
        "NOT_ENOUGH",
        "the merchant's balance is too low: top it up, then repeat it for the same refund",
        REFUNDING,
    )
    .with_again(Again::WhenMended),
    declined(
        ABNORMAL,
        "USER_ACCOUNT_ABNORMAL",
        "that card or its owner cannot take the money: query the refund, then name another card or the merchant's",
        REFUNDING,
    )
    .with_again(Again::WhenMended),
    declined(
        ABNORMAL,
        "TRADE_OVERDUE",
        "it is too late to send the money of this refund: agree on another way with the payer",
        REFUNDING,
    ),
    absent(
        ABNORMAL,
        "RESOURCE_NOT_EXISTS",
        "no such refund under this merchant: check its id, which is the platform's, and its number",
        REFUNDING,
    ),
    absent(
        QUERY,
        "RESOURCE_NOT_EXISTS",
        "no such refund under this merchant; after an unknown outcome, repeat the refund under the same number only",
        "v3 sheet, section 10.4",
    ),
    absent(
        QUERY,
        "ORDER_NOT_EXIST",
        "no such refund under this merchant; after an unknown outcome, repeat the refund under the same number only",
        STATUSES,
    ),
];
