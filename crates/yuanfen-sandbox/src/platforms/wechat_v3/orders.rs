//! Orders as a platform shows and closes them (sections 14 and 15 of the sheet).

use http::StatusCode;
use serde_json::{Value, json};
use yuanfen_core::{Rfc3339, UnixTime};

use super::caller::{Merchant, OWN_NUMBER, PARTNER_NUMBERS, ids_of};
use super::schema::read;
use super::{Answer, Refusal, query_of};
use crate::bills::Shares;
use crate::book::{BookError, Order, OrderState, Payment};
use crate::keys;
use crate::platforms::{Call, Desk};

/// How old an order must be before it is closed, in seconds, where the platform insists.
const CLOSABLE_AFTER: i64 = 300;

/// By which number an order is named.
#[derive(Clone, Copy)]
pub(super) enum Named<'a> {
    /// The merchant's.
    Ours(&'a str),
    /// The platform's.
    Theirs(&'a str),
}

/// The order of that number, if this call can ask for it. The parts of a combined order are asked for together, by
/// another call.
pub(super) fn find<'d>(named: Named<'_>, merchant: &Merchant, desk: &'d mut Desk<'_>) -> Result<&'d Order, Refusal> {
    let now = desk.now();
    let found = match named {
        Named::Ours(number) => desk.book.order(merchant.account, number, now),
        Named::Theirs(id) => desk.book.by_transaction(merchant.account, id),
    };
    found
        .filter(|order| order.parts.is_empty() && order.whole.is_none())
        .ok_or_else(absent)
}

pub(super) fn absent() -> Refusal {
    Refusal::new(404, "ORDER_NOT_EXIST", "订单不存在").numbered(268_512_771)
}

pub(super) fn query(
    named: Named<'_>,
    merchant: &Merchant,
    call: &Call<'_>,
    desk: &mut Desk<'_>,
) -> Result<Answer, Refusal> {
    let party = merchant.party_in_query(&query_of(call)?)?;
    let order = find(named, merchant, desk)?.clone();
    party.must_own(&order)?;
    Ok(Answer::Json(StatusCode::OK, transaction(&desk.told(&order), desk)))
}

pub(super) fn close(
    order_no: &str,
    merchant: &Merchant,
    keeps_five_minutes: bool,
    call: &Call<'_>,
    desk: &mut Desk<'_>,
) -> Result<Answer, Refusal> {
    let body = read(call.body, &[merchant.shaped(OWN_NUMBER, PARTNER_NUMBERS)])?;
    let party = merchant.party_in_body(&body, false)?;
    let now = desk.now();
    let order = find(Named::Ours(order_no), merchant, desk)?;
    party.must_own(order)?;
    if keeps_five_minutes {
        check_age(order, now)?;
    }
    match desk.book.close(merchant.account, order_no, now) {
        Ok(_) => Ok(Answer::Nothing),
        Err(BookError::Paid) => Err(Refusal::new(400, "ORDER_PAID", "订单已支付").numbered(268_449_538)),
        Err(BookError::AtTill) => {
            Err(Refusal::new(400, "INVALID_REQUEST", "付款码支付的订单请调用撤销接口").numbered(268_449_641))
        }
        Err(_) => Err(absent()),
    }
}

/// Whether an order is old enough to be closed.
///
/// # Errors
/// When nobody paid it yet and it is younger than five minutes: the sheet has these and no code for them.
pub(super) fn check_age(order: &Order, now: UnixTime) -> Result<(), Refusal> {
    let is_open = order.state() == OrderState::Unpaid && order.charge.is_none();
    if is_open && now.since(order.placed_at) < CLOSABLE_AFTER {
        return Err(Refusal::new(
            400,
            "INVALID_REQUEST",
            "订单生成后不能马上调用关单接口,最短调用时间间隔为5分钟",
        ));
    }
    Ok(())
}

/// The transaction object of section 14, in the answer to a query and inside a notice.
pub(super) fn transaction(order: &Order, desk: &Desk<'_>) -> Value {
    let (state, words) = match order.state() {
        OrderState::Unpaid => ("NOTPAY", "订单未支付"),
        OrderState::Paid => ("SUCCESS", "支付成功"),
        OrderState::Closed => ("CLOSED", "订单已关闭"),
        OrderState::Refunding | OrderState::Refunded => ("REFUND", "订单发生过退款"),
        OrderState::PayerTyping => ("USERPAYING", "需要用户输入支付密码"),
        OrderState::PaymentFailed => ("PAYERROR", "支付失败"),
        OrderState::Revoked => ("REVOKED", "订单已撤销"),
    };
    let mut members = ids_of(order, true);
    let mut put = |name: &str, value: Value| {
        members.insert(name.to_owned(), value);
    };
    put("out_trade_no", json!(order.order_no));
    put("trade_state", json!(state));
    put("trade_state_desc", json!(words));
    if let Some(device) = order.detail("device_info") {
        put("scene_info", json!({ "device_id": device }));
    }
    let Some(payment) = &order.payment else {
        put("amount", json!({ "total": order.amount, "currency": "CNY" }));
        return Value::Object(members);
    };
    let shares = Shares::of(order, payment, None);
    put("transaction_id", json!(payment.transaction_id));
    let trade_type = order.detail("trade_type").unwrap_or_default();
    put("trade_type", json!(desk.open_value(trade_type)));
    put("bank_type", json!(desk.open_value(&payment.bank)));
    put("success_time", json!(Rfc3339(payment.at).to_string()));
    put("payer", payer_of(order, &payment.payer));
    put(
        "amount",
        json!({
            "total": order.amount,
            "payer_total": shares.payer,
            "currency": "CNY",
            "payer_currency": "CNY",
        }),
    );
    if let Some(attach) = order.detail("attach") {
        put("attach", json!(attach));
    }
    if !payment.coupons.is_empty() {
        put("promotion_detail", coupons(payment));
    }
    Value::Object(members)
}

/// The coupons that paid a part of an order.
pub(super) fn coupons(payment: &Payment) -> Value {
    let coupons = payment.coupons.iter().map(|coupon| {
        json!({
            "coupon_id": coupon.id,
            "name": "sandbox",
            "scope": "GLOBAL",
            "type": if coupon.prepaid { "CASH" } else { "NOCASH" },
            "amount": coupon.amount,
            "currency": "CNY",
        })
    });
    Value::Array(coupons.collect())
}

/// The payer under the app of the one who signs, and in partner form under the sub-merchant's app where that was named.
fn payer_of(order: &Order, openid: &str) -> Value {
    if !order.account.is_provider {
        return json!({ "openid": openid });
    }
    match (order.detail("sub_openid"), order.detail("sub_appid")) {
        (Some(sub), _) => json!({ "sp_openid": openid, "sub_openid": sub }),
        (None, Some(_)) => json!({ "sp_openid": openid, "sub_openid": keys::openid_under_sub_app(openid) }),
        (None, None) => json!({ "sp_openid": openid }),
    }
}
