//! Asking what became of refunds: by four numbers, ten at a time (section 6.5 of the sheet).

use yuanfen_core::{Fen, Fields, WireText as _};

use super::checks::lengths;
use super::message::{Caller, Refusal, put};
use super::orders::payment_named;
use super::promotions;
use super::refunds::{Coupons, RECEIVER, UNSETTLED, put_coupons, put_order, status_of, succeeded_at};
use crate::bills::Shares;
use crate::book::{Order, Payment, Refund};
use crate::platforms::Desk;

/// How long after the payment its refunds are found without the platform's number of it, in seconds: a year and a half.
const ASKED_FOR: i64 = 548 * 86_400;

/// How many refunds a query answers at most.
const PAGE: usize = 10;

const TEXTS: &[(&str, usize)] = &[
    ("refund_id", 32),
    ("out_refund_no", 64),
    ("transaction_id", 32),
    ("out_trade_no", 32),
];

/// The refunds that an answer shows.
struct Found {
    order: Order,
    shown: Vec<Refund>,
    /// How many the whole order has, where the order was asked for.
    all: Option<usize>,
}

pub(super) fn query(
    fields: &Fields,
    caller: &Caller<'_>,
    coupons: Coupons,
    desk: &mut Desk<'_>,
) -> Result<Fields, Refusal> {
    lengths(fields, TEXTS)?;
    let missing = || Refusal::new("REFUNDNOTEXIST", "退款订单查询失败");
    let found = match by_refund(fields, caller, desk) {
        Some(found) => found.ok_or_else(missing)?,
        None => by_order(fields, caller, desk).map_err(|refusal| match refusal.code {
            "ORDERNOTEXIST" => missing(),
            _ => refusal,
        })?,
    };
    let Found { order, shown, all } = found;
    let payment = order.payment.as_ref().ok_or_else(missing)?;
    if fields.filled("transaction_id").is_none() && desk.now().since(payment.at) > ASKED_FOR {
        return Err(missing());
    }
    let mut reply = caller.reply(desk);
    put_order(&mut reply, &order, payment);
    if let Some(all) = all {
        put(&mut reply, "total_refund_count", &all.to_string());
    }
    put(&mut reply, "refund_count", &shown.len().to_string());
    for (index, refund) in shown.iter().enumerate() {
        put_record(&mut reply, &order, payment, refund, index, coupons, desk);
    }
    Ok(reply)
}

/// By a number of the refund, if the call has one; and whether there is such a refund.
fn by_refund(fields: &Fields, caller: &Caller<'_>, desk: &Desk<'_>) -> Option<Option<Found>> {
    let (account, sub) = (caller.account(), caller.sub.merchant_id.as_deref());
    let (refund_id, refund_no) = (fields.filled("refund_id"), fields.filled("out_refund_no"));
    if refund_id.is_none() && refund_no.is_none() {
        return None;
    }
    let found = match refund_id {
        Some(refund_id) => desk.book.by_refund_id(account, refund_id),
        None => desk.book.by_refund(account, refund_no.unwrap_or_default()),
    };
    let found = found.filter(|(order, _)| order.detail("sub_mch_id") == sub);
    let found = found.map(|(order, refund)| (desk.told(order), refund));
    Some(found.map(|(order, refund)| Found {
        shown: order.refund(&refund.refund_no).into_iter().cloned().collect(),
        order: order.into_owned(),
        all: None,
    }))
}

fn by_order(fields: &Fields, caller: &Caller<'_>, desk: &mut Desk<'_>) -> Result<Found, Refusal> {
    let order = payment_named(fields, caller, desk)?;
    let order = desk.told(&order).into_owned();
    let all = order.refunds.len();
    if all == 0 {
        return Err(Refusal::new("REFUNDNOTEXIST", "退款订单查询失败"));
    }
    let offset = match fields.filled("offset") {
        None => 0,
        Some(offset) => offset.parse().map_err(|_| Refusal::field("offset"))?,
    };
    if offset >= all {
        return Err(Refusal::field("offset"));
    }
    let shown = order.refunds.iter().skip(offset).take(PAGE).cloned().collect();
    Ok(Found {
        order,
        shown,
        all: Some(all),
    })
}

fn put_record(
    reply: &mut Fields,
    order: &Order,
    payment: &Payment,
    refund: &Refund,
    index: usize,
    coupons: Coupons,
    desk: &Desk<'_>,
) {
    let shares = Shares::of(order, payment, Some(refund));
    let mut numbered = |family: &str, value: &str| put(reply, &format!("{family}_{index}"), value);
    numbered("out_refund_no", &refund.refund_no);
    numbered("refund_id", &refund.refund_id);
    numbered("refund_channel", desk.open_value("ORIGINAL"));
    numbered("refund_fee", &refund.amount.to_text());
    if shares.given_up > Fen::ZERO {
        numbered("settlement_refund_fee", &shares.settled.to_text());
    }
    numbered("refund_status", status_of(refund));
    numbered("refund_account", refund.detail("refund_account").unwrap_or(UNSETTLED));
    numbered("refund_recv_accout", RECEIVER);
    if let Some(at) = succeeded_at(refund) {
        numbered("refund_success_time", &at);
    }
    if shares.coupons > Fen::ZERO {
        let back = shares.by_coupon(payment);
        match coupons {
            Coupons::Numbered => {
                numbered("coupon_refund_fee", &shares.coupons.to_text());
                put_coupons(reply, &format!("_{index}"), &back);
            }
            Coupons::Json => {
                if let Some(detail) = promotions::of_refund(&back) {
                    numbered("promotion_detail", &detail);
                }
            }
        }
    }
}
