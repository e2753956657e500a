//! Refunding, and querying refunds.

use yuanfen_core::Again;

use super::{Row, absent, declined, mend, throttled, unclear};

const REFUND: &[&str] = &["refund", "refund_v2"];
const QUERY: &[&str] = &["query_refund", "query_refund_v2"];
const BOTH: &[&str] = &["refund", "refund_v2", "query_refund", "query_refund_v2"];

pub(super) const ROWS: &[Row] = &[
    unclear(
        REFUND,
        "SYSTEMERROR",
        "the platform failed: query the refund, and repeat it with the same refund number",
    ),
    unclear(
        REFUND,
        "BIZERR_NEED_RETRY",
        "the platform could not finish: query the refund, and repeat it with the same refund number",
    ),
    throttled(
        REFUND,
        "FREQUENCY_LIMITED",
        "too many refunds: repeat it with the same refund number in a minute or later",
    ),
    throttled(
        REFUND,
        "INVALID_REQ_TOO_MUCH",
        "too many failing refunds: repeat it with the same refund number in a minute or later",
    ),
    declined(
        REFUND,
        "NOTENOUGH",
        "the merchant's balance is too low: top it up or name another account, then repeat with the same refund number",
    )
    .with_again(Again::WhenMended),
    declined(
        REFUND,
        "TRADE_OVERDUE",
        "the order was paid more than a year ago: refund in another way",
    ),
    declined(
        REFUND,
        "USER_ACCOUNT_ABNORMAL",
        "the payer's account cannot take the refund: agree on another way with the payer",
    ),
    unclear(
        REFUND,
        "TRADE_STATE_ERROR",
        "the order's state does not fit, often because it is refunded: query the refund",
    ),
    unclear(
        REFUND,
        "ERROR",
        "read the platform's message; often the order is refunded already: query the refund",
    ),
    absent(
        REFUND,
        "ORDERNOTEXIST",
        "no such order under this merchant: check its number",
    )
    .with_again(Again::WhenMended),
    unclear(QUERY, "SYSTEMERROR", "the platform failed: query the refund again"),
    absent(
        QUERY,
        "REFUNDNOTEXIST",
        "no such refund: after an unknown outcome repeat the refund with the same refund number",
    ),
    mend(
        BOTH,
        "INVALID_TRANSACTIONID",
        "the platform does not know this transaction id",
    ),
    mend(
        QUERY,
        "PARAM_ERROR",
        "a parameter is wrong, or `offset` is beyond the last refund: read the platform's message",
    ),
];
