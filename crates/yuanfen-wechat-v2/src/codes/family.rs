//! What is wrong with the ids or the form of a request, on whichever call: nothing was done.

use super::{Operations, Row, mend};

/// Every call whose answer has `err_code`, but the reversal, which has rows of its own.
const ANY: Operations = &[
    "place_order",
    "query_order",
    "close_order",
    "micropay",
    "refund",
    "refund_v2",
    "query_refund",
    "query_refund_v2",
    "download_fund_flow_bill",
    "exchange_auth_code",
    "shorten_link",
    "query_comments",
];
/// The same without the refund queries, where it may also say that there are no more pages.
const UNPAGED: Operations = &[
    "place_order",
    "query_order",
    "close_order",
    "micropay",
    "refund",
    "refund_v2",
    "download_fund_flow_bill",
    "exchange_auth_code",
    "shorten_link",
    "query_comments",
];
const PAYMENTS: Operations = &["place_order", "micropay"];

pub(super) const ROWS: &[Row] = &[
    mend(
        PAYMENTS,
        "NOAUTH",
        "this merchant may not use this call: apply for it in the merchant console",
    ),
    mend(ANY, "LACK_PARAMS", "a required parameter is missing"),
    mend(ANY, "APPID_NOT_EXIST", "the platform does not know this app id"),
    mend(
        ANY,
        "MCHID_NOT_EXIST",
        "the platform does not know this merchant number",
    ),
    mend(
        ANY,
        "APPID_MCHID_NOT_MATCH",
        "app id and merchant number are not bound to each other",
    ),
    mend(
        UNPAGED,
        "PARAM_ERROR",
        "a parameter is wrong: read the platform's message",
    ),
    mend(
        ANY,
        "SIGNERROR",
        "the platform computed another signature: compare with `yuanfen sign`",
    ),
    mend(ANY, "XML_FORMAT_ERROR", "the platform could not read the message"),
    mend(
        ANY,
        "REQUIRE_POST_METHOD",
        "the call was not a POST: look for a proxy or redirect in between",
    ),
    mend(
        ANY,
        "POST_DATA_EMPTY",
        "the body did not arrive: look for a proxy or redirect in between",
    ),
    mend(ANY, "NOT_UTF8", "the message did not arrive as UTF-8"),
];
