//! Placing, querying and closing an order.

use yuanfen_core::Again;

use super::{Row, absent, already, declined, mend, unclear};

const PLACE: &[&str] = &["place_order"];
const QUERY: &[&str] = &["query_order"];
const CLOSE: &[&str] = &["close_order"];

pub(super) const ROWS: &[Row] = &[
    unclear(
        PLACE,
        "SYSTEMERROR",
        "the platform failed: repeat the identical order under the same number",
    ),
    already(
        PLACE,
        "ORDERPAID",
        "this order is paid: query it, and do not ask the payer again",
    ),
    declined(PLACE, "ORDERCLOSED", "this order is closed: use a new order number"),
    already(
        PLACE,
        "OUT_TRADE_NO_USED",
        "this order number is in use: query it; unless it is your own order with these parameters, use a new number",
    ),
    mend(
        PLACE,
        "INVALID_REQUEST",
        "the number exists with other parameters: restore them, or close the order and use a new number",
    ),
    declined(
        PLACE,
        "NOTENOUGH",
        "the payer's balance is too low: let the payer choose another card",
    ),
    unclear(QUERY, "SYSTEMERROR", "the platform failed: query again"),
    absent(
        QUERY,
        "ORDERNOTEXIST",
        "no such order under this merchant; right after placing one, query again once or twice",
    ),
    unclear(
        CLOSE,
        "SYSTEMERROR",
        "the platform failed: close it again under the same number",
    ),
    already(
        CLOSE,
        "ORDERPAID",
        "this order is paid and was not closed: query it, and refund it if it shall not stand",
    ),
    already(CLOSE, "ORDERCLOSED", "this order is closed already"),
    absent(
        CLOSE,
        "ORDERNOTEXIST",
        "no such order under this merchant, so there is nothing to close; wait five minutes after placing one",
    ),
    declined(
        CLOSE,
        "TRADE_STATE_ERROR",
        "this order cannot be closed in its state: query it",
    )
    .with_again(Again::AfterQuery),
];
