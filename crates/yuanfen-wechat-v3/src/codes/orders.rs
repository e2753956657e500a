//! Placing an order, querying it, closing it.

use yuanfen_core::{Again, Fate, RefusalKind};

use super::{Operations, Row, STATUSES, absent, already, declined, mend, row};

const PLACE: Operations = &[
    "place_jsapi_order",
    "place_app_order",
    "place_native_order",
    "place_h5_order",
    "place_combined_jsapi_order",
    "place_combined_app_order",
    "place_combined_native_order",
    "place_combined_h5_order",
];
const QUERY: Operations = &["query_order", "query_combined_order"];
const CLOSE: Operations = &["close_order", "close_combined_order"];

const PLACING: &str = "v3 sheet, section 13.5";
const QUERYING: &str = "v3 sheet, section 14";
const CLOSING: &str = "v3 sheet, section 15";

pub(super) const ROWS: &[Row] = &[
    already(
        PLACE,
        "ORDER_PAID",
        "this order is paid: query it, and do not ask the payer again",
        STATUSES,
    ),
    already(
        PLACE,
        "OUT_TRADE_NO_USED",
        "this number was used with other parameters or on another endpoint: query it; for a change, close it and use a new \
         number",
        "v3 sheet, section 10.4",
    ),
    declined(
        PLACE,
        "ORDER_CLOSED",
        "this order is closed: use a new order number",
        PLACING,
    ),
    declined(
        PLACE,
        "RULE_LIMIT",
        "a business rule forbids it: read the platform's message",
        PLACING,
    ),
    declined(
        PLACE,
        "TRADE_ERROR",
        "the trade cannot be made: read the platform's message",
        PLACING,
    ),
    declined(
        PLACE,
        "ACCOUNT_ERROR",
        "the payer's account cannot be used: let the payer pay another way",
        PLACING,
    ),
    declined(
        PLACE,
        "NOT_ENOUGH",
        "the payer's balance is too low: let the payer choose another means",
        PLACING,
    ),
    mend(
        PLACE,
        "ORDER_NOT_EXIST",
        "the platform misses an order: check which endpoint and merchant number were used",
        PLACING,
    ),
    mend(
        PLACE,
        "OPENID_MISMATCH",
        "the open id belongs to another app: obtain it under the app id of the order (sent as 500; do not repeat)",
        PLACING,
    ),
    mend(
        PLACE,
        "INVALID_TRANSACTIONID",
        "a transaction id is wrong (sent as 500; do not repeat)",
        PLACING,
    ),
    row(
        PLACE,
        "USERPAYING",
        Fate::Unknown,
        RefusalKind::Pending,
        "the payer is typing: query until it is decided",
        PLACING,
    ),
    absent(
        QUERY,
        "ORDER_NOT_EXIST",
        "no such order under this merchant; right after placing one, query again once or twice; combined orders and their parts \
         have a query of their own",
        QUERYING,
    ),
    absent(
        QUERY,
        "RESOURCE_NOT_EXISTS",
        "no such order under this merchant; right after placing one, query again once or twice; combined orders and their parts \
         have a query of their own",
        STATUSES,
    ),
    declined(
        QUERY,
        "ORDER_CLOSED",
        "this order is closed and no longer queried",
        QUERYING,
    ),
    already(
        CLOSE,
        "ORDER_PAID",
        "this order is paid and was not closed: query it, and refund it if it shall not stand",
        CLOSING,
    ),
    already(CLOSE, "ORDER_CLOSED", "this order is closed already", CLOSING),
    absent(
        CLOSE,
        "ORDER_NOT_EXIST",
        "no such order under this merchant; wait five minutes after placing one before closing it",
        CLOSING,
    )
    .with_again(Again::Later),
    declined(
        CLOSE,
        "TRADE_ERROR",
        "this order cannot be closed in its state: query it",
        STATUSES,
    )
    .with_again(Again::AfterQuery),
];
