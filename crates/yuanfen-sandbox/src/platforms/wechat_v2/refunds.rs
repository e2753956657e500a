//! Taking refunds (section 6.4 of the sheet).
//!
//! In life a refund is taken over a connection that shows the merchant's certificate. Plain http cannot ask for one,
//! so here the signature alone says who asks.

use yuanfen_core::{Ambient as _, ClockDashed, Fen, Fields, WireText as _};

use super::checks::{amount, fingerprint, is_of, lengths, need, notify_url, one_of};
use super::message::{Caller, Refusal, put};
use super::orders::payment_named;
use super::promotions;
use crate::bills::Shares;
use crate::book::{BookError, Coupon, Details, Order, OrderState, Payment, Refund, RefundRequest, RefundState};
use crate::platforms::Desk;

/// The names of text fields and how many characters each has at most.
const TEXTS: &[(&str, usize)] = &[
    ("transaction_id", 32),
    ("out_trade_no", 32),
    ("out_refund_no", 64),
    ("refund_fee_type", 8),
    ("refund_desc", 80),
    ("refund_account", 30),
    ("notify_url", 256),
    ("detail", 6000),
    ("op_user_id", 32),
];

/// Where the money comes from unless the request says otherwise.
pub(super) const UNSETTLED: &str = "REFUND_SOURCE_UNSETTLED_FUNDS";
const RECHARGE: &str = "REFUND_SOURCE_RECHARGE_FUNDS";

/// The payer's account, in the platform's words.
pub(super) const RECEIVER: &str = "支付用户零钱";

/// How an answer writes what coupons take back.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Coupons {
    /// Numbered fields.
    Numbered,
    /// One field of JSON, as the second edition of these calls has it.
    Json,
}

pub(super) fn refund(
    fields: &Fields,
    caller: &Caller<'_>,
    coupons: Coupons,
    desk: &mut Desk<'_>,
) -> Result<Fields, Refusal> {
    lengths(fields, TEXTS)?;
    let refund_no = need(fields, "out_refund_no")?;
    if !is_of(refund_no, b"_-|*@") {
        return Err(Refusal::field("out_refund_no"));
    }
    let total = amount(fields, "total_fee")?;
    let back = amount(fields, "refund_fee")?;
    one_of(fields, "refund_fee_type", &["CNY"])?;
    one_of(fields, "refund_account", &[UNSETTLED, RECHARGE])?;
    let url = fields.filled("notify_url");
    url.map_or(Ok(()), notify_url)?;
    let order = payment_named(fields, caller, desk)?;
    let is_refunded = order.state() == OrderState::Refunded;
    let order_no = order.order_no;
    let mut details = Details::new();
    let account = fields.filled("refund_account").unwrap_or(UNSETTLED);
    details.insert("refund_account", account.to_owned());
    let request = RefundRequest {
        refund_no: refund_no.to_owned(),
        refund_id: refund_id(desk),
        amount: back,
        total: Some(total),
        spaced: true,
        notify_url: url.map(str::to_owned),
        details,
        fingerprint: fingerprint(fields),
    };
    let now = desk.ambient.now();
    let taken = desk.book.refund(caller.account(), &order_no, request, now);
    taken.map(|_| ()).map_err(|error| match error {
        BookError::UnknownOrder => Refusal::new("ORDERNOTEXIST", "订单不存在"),
        BookError::Unpaid => Refusal::new("TRADE_STATE_ERROR", "订单未支付"),
        BookError::Revoked => Refusal::new("TRADE_STATE_ERROR", "订单已撤销"),
        BookError::Overdue => Refusal::new("TRADE_OVERDUE", "订单已经超过退款期限"),
        BookError::Total => Refusal::new("PARAM_ERROR", "订单金额与原订单不一致"),
        BookError::Differs => Refusal::new("PARAM_ERROR", "同一退款单号的参数与之前不一致"),
        BookError::TooMany => Refusal::new("TRADE_STATE_ERROR", "一笔订单最多支持50次部分退款"),
        BookError::Exceeds if is_refunded => Refusal::new("ERROR", "订单已全额退款"),
        BookError::Exceeds => Refusal::new("ERROR", "申请退款金额超过可退金额"),
        BookError::TooSoon => Refusal::new("FREQUENCY_LIMITED", "频率限制，同一笔订单的退款需间隔1分钟"),
        BookError::Poor => Refusal::new("NOTENOUGH", "基本账户余额不足，请充值后重新发起"),
        _ => Refusal::new("ERROR", "退款请求无效"),
    })?;
    let mut reply = caller.reply(desk);
    let known = desk.book.by_refund(caller.account(), refund_no);
    let order = known.map(|(order, _)| desk.told(order));
    let known = order
        .as_ref()
        .and_then(|order| Some((order, order.payment.as_ref()?, order.refund(refund_no)?)));
    if let Some((order, payment, refund)) = known {
        put_order(&mut reply, order, payment);
        put_refund(&mut reply, order, payment, refund, coupons);
    }
    Ok(reply)
}

/// A number of the platform's for a new refund.
pub(super) fn refund_id(desk: &Desk<'_>) -> String {
    let day = desk.now().beijing_date().compact();
    format!("5030{day}{}", desk.ambient.digits(16))
}

pub(super) fn put_order(reply: &mut Fields, order: &Order, payment: &Payment) {
    let shares = Shares::of(order, payment, None);
    put(reply, "transaction_id", &payment.transaction_id);
    put(reply, "out_trade_no", &order.order_no);
    put(reply, "total_fee", &order.amount.to_text());
    if shares.given_up > Fen::ZERO {
        put(reply, "settlement_total_fee", &shares.settled.to_text());
    }
    put(reply, "fee_type", "CNY");
    put(reply, "cash_fee", &shares.payer.to_text());
}

fn put_refund(reply: &mut Fields, order: &Order, payment: &Payment, refund: &Refund, coupons: Coupons) {
    let shares = Shares::of(order, payment, Some(refund));
    put(reply, "out_refund_no", &refund.refund_no);
    put(reply, "refund_id", &refund.refund_id);
    put(reply, "refund_fee", &refund.amount.to_text());
    put(reply, "cash_refund_fee", &shares.payer.to_text());
    if shares.given_up > Fen::ZERO {
        put(reply, "settlement_refund_fee", &shares.settled.to_text());
    }
    if shares.coupons > Fen::ZERO {
        let back = shares.by_coupon(payment);
        match coupons {
            Coupons::Numbered => {
                put(reply, "coupon_refund_fee", &shares.coupons.to_text());
                put_coupons(reply, "", &back);
            }
            Coupons::Json => {
                if let Some(detail) = promotions::of_refund(&back) {
                    put(reply, "promotion_detail", &detail);
                }
            }
        }
    }
}

/// Coupons and what each of them takes back, with their count.
pub(super) fn put_coupons(reply: &mut Fields, suffix: &str, coupons: &[(&Coupon, Fen)]) {
    let count = coupons.len().to_string();
    put(reply, &format!("coupon_refund_count{suffix}"), &count);
    for (index, (coupon, back)) in coupons.iter().enumerate() {
        put(reply, &format!("coupon_type{suffix}_{index}"), promotions::kind(coupon));
        put(reply, &format!("coupon_refund_id{suffix}_{index}"), &coupon.id);
        put(reply, &format!("coupon_refund_fee{suffix}_{index}"), &back.to_text());
    }
}

pub(super) const fn status_of(refund: &Refund) -> &'static str {
    match refund.state {
        RefundState::Processing => "PROCESSING",
        RefundState::Succeeded => "SUCCESS",
        RefundState::Closed => "REFUNDCLOSE",
        RefundState::Abnormal => "CHANGE",
    }
}

pub(super) fn succeeded_at(refund: &Refund) -> Option<String> {
    let at = refund.settled_at.filter(|_| refund.state == RefundState::Succeeded)?;
    Some(ClockDashed(at).to_string())
}
