//! The book: orders as the platforms have them, and what payers and refunds do.

use bytes::Bytes;
use http::Response;
use serde_json::{Value, json};
use yuanfen_core::{Rfc3339, UnixTime};

use super::answer::{Wrong, answer};
use super::ask::{self, Ask};
use super::payer;
use crate::book::{BookError, Order, OrderState, RefundState};
use crate::{Account, FarSide};

/// Newest first.
pub(super) fn list(far_side: &FarSide, ask: &Ask<'_>) -> Result<Response<Bytes>, Wrong> {
    let account: Option<Account> = match ask.query("account") {
        None => None,
        Some(name) => Some(ask::account(name).ok_or_else(|| Wrong::form(ask::no_account()))?),
    };
    let page = ask.page()?;
    let orders = far_side.latest_orders(account, page.before, page.limit);
    Ok(answer(&orders.iter().map(|found| order(found)).collect()))
}

pub(super) fn show(far_side: &FarSide, ask: &Ask<'_>) -> Result<Response<Bytes>, Wrong> {
    let found = far_side.order(ask.account()?, ask.part("order_no"));
    Ok(answer(&order(&found.ok_or(BookError::UnknownOrder)?)))
}

pub(super) fn pay(far_side: &FarSide, ask: &Ask<'_>) -> Result<Response<Bytes>, Wrong> {
    Ok(answer(&order(&far_side.pay(ask.account()?, ask.part("order_no"))?)))
}

pub(super) fn pay_late(far_side: &FarSide, ask: &Ask<'_>) -> Result<Response<Bytes>, Wrong> {
    Ok(answer(&order(
        &far_side.pay_late(ask.account()?, ask.part("order_no"))?,
    )))
}

pub(super) fn cancel(far_side: &FarSide, ask: &Ask<'_>) -> Result<Response<Bytes>, Wrong> {
    Ok(answer(&order(&far_side.cancel(ask.account()?, ask.part("order_no"))?)))
}

pub(super) fn fail(far_side: &FarSide, ask: &Ask<'_>) -> Result<Response<Bytes>, Wrong> {
    Ok(answer(&order(&far_side.fail(ask.account()?, ask.part("order_no"))?)))
}

pub(super) fn keep_typing(far_side: &FarSide, ask: &Ask<'_>) -> Result<Response<Bytes>, Wrong> {
    Ok(answer(&order(
        &far_side.keep_typing(ask.account()?, ask.part("order_no"))?,
    )))
}

pub(super) fn comment(far_side: &FarSide, ask: &Ask<'_>) -> Result<Response<Bytes>, Wrong> {
    let said: payer::Said = ask.json("a comment")?;
    let commented = far_side.comment(ask.account()?, ask.part("order_no"), said.stars, said.text)?;
    Ok(answer(&order(&commented)))
}

pub(super) fn succeed_refund(far_side: &FarSide, ask: &Ask<'_>) -> Result<Response<Bytes>, Wrong> {
    settle(far_side, ask, RefundState::Succeeded)
}

pub(super) fn close_refund(far_side: &FarSide, ask: &Ask<'_>) -> Result<Response<Bytes>, Wrong> {
    settle(far_side, ask, RefundState::Closed)
}

pub(super) fn strand_refund(far_side: &FarSide, ask: &Ask<'_>) -> Result<Response<Bytes>, Wrong> {
    settle(far_side, ask, RefundState::Abnormal)
}

fn settle(far_side: &FarSide, ask: &Ask<'_>, end: RefundState) -> Result<Response<Bytes>, Wrong> {
    let settled = far_side.settle_refund(ask.account()?, ask.part("refund_no"), end)?;
    Ok(answer(&order(&settled)))
}

/// An order as the console has it.
pub(super) fn order(order: &Order) -> Value {
    let refunds = order.refunds.iter().map(|refund| {
        json!({
            "refund_no": refund.refund_no,
            "refund_id": refund.refund_id,
            "amount_fen": refund.amount,
            "state": refund_state(refund.state),
            "created_at": moment(refund.created_at),
            "settled_at": refund.settled_at.map(moment),
        })
    });
    let payment = order.payment.as_ref();
    let payer = payment.map(|payment| &payment.payer).or(order.payer.as_ref());
    json!({
        "number": order.number,
        "account": order.account.to_string(),
        "platform": order.account.platform,
        "order_no": order.order_no,
        "description": order.detail("description"),
        "amount_fen": order.amount,
        "state": order_state(order.state()),
        "scene": scene(order),
        "code_url": order.detail("code_url"),
        "created_at": moment(order.placed_at),
        "expires_at": order.expires_at.map(moment),
        "paid_at": payment.map(|payment| moment(payment.at)),
        "closed_at": order.closed_at.map(moment),
        "transaction_id": payment.map(|payment| &payment.transaction_id),
        "payer": payer,
        "notify_url": order.notify_url,
        "refunds": Value::Array(refunds.collect()),
        "parts": order.parts,
        "whole": order.whole,
    })
}

fn moment(time: UnixTime) -> String {
    Rfc3339(time).to_string()
}

const fn order_state(state: OrderState) -> &'static str {
    match state {
        OrderState::Unpaid => "unpaid",
        OrderState::Paid => "paid",
        OrderState::Closed => "closed",
        OrderState::Refunding => "refunding",
        OrderState::Refunded => "refunded",
        OrderState::PayerTyping => "payer-typing",
        OrderState::PaymentFailed => "payment-failed",
        OrderState::Revoked => "revoked",
    }
}

const fn refund_state(state: RefundState) -> &'static str {
    match state {
        RefundState::Processing => "processing",
        RefundState::Succeeded => "succeeded",
        RefundState::Closed => "closed",
        RefundState::Abnormal => "abnormal",
    }
}

/// How the payer gets to the cashier. StarPos and fshows have the page in WeChat alone; mpgateway calls scanning `Sao`.
fn scene(order: &Order) -> &'static str {
    match order.detail("trade_type").or_else(|| order.detail("action")) {
        Some("NATIVE") => "native",
        Some("APP") => "app",
        Some("MWEB" | "WxH5") => "h5",
        Some("MICROPAY") => "code",
        Some(action) if action.ends_with("Sao") => "native",
        Some(action) if action.ends_with("Code") => "code",
        _ => "jsapi",
    }
}
