//! Payment codes at the till: charging one, taking a charge back, and asking who shows one (sections 6.6, 6.7, 6.10).

use yuanfen_core::Fields;

use super::checks::{address, amount, expiry, fingerprint, later, lengths, need, new_order_no, one_of};
use super::message::{Caller, Refusal, put};
use super::orders::{ORDER_LIFE, Told, details, payment_named, put_payment};
use super::{Agreed, new_payment};
use crate::book::{BookError, Order, OrderState, Placement, Reaction, Setback, Shown};
use crate::keys;
use crate::platforms::Desk;

/// The names of text fields and how many characters each has at most.
const TEXTS: &[(&str, usize)] = &[
    ("device_info", 32),
    ("body", 128),
    ("detail", 6000),
    ("attach", 127),
    ("out_trade_no", 32),
    ("fee_type", 16),
    ("spbill_create_ip", 64),
    ("goods_tag", 32),
    ("limit_pay", 32),
    ("receipt", 8),
    ("auth_code", 128),
    ("scene_info", 256),
    ("profit_sharing", 16),
    ("version", 32),
    ("deposit", 1),
];

const KEPT: &[&str] = &["attach", "device_info", "version"];

pub(super) fn charge(fields: &Fields, caller: &Caller<'_>, desk: &mut Desk<'_>) -> Result<Fields, Refusal> {
    lengths(fields, TEXTS)?;
    let now = desk.now();
    need(fields, "body")?;
    let order_no = new_order_no(fields)?;
    let amount = amount(fields, "total_fee")?;
    one_of(fields, "fee_type", &["CNY"])?;
    one_of(fields, "deposit", &["Y", "N"])?;
    address(fields, "spbill_create_ip")?;
    let expires_at = expiry(fields, now)?.unwrap_or_else(|| later(now, ORDER_LIFE));
    let code = need(fields, "auth_code")?;
    let mut details = details(fields, caller, KEPT);
    details.insert("trade_type", "MICROPAY".to_owned());
    let placement = Placement {
        account: caller.account(),
        order_no: order_no.to_owned(),
        amount,
        expires_at: Some(expires_at),
        // Nothing is told of these orders but the answer and what a query says.
        notify_url: None,
        payer: None,
        details,
        fingerprint: fingerprint(fields),
    };
    let shown = Shown {
        code,
        merchant: caller.receiver(),
    };
    let charged = desk.book.charge(placement, &shown, new_payment(desk.ambient), now);
    let order = charged.map_err(refusal)?.clone();
    if let Some(refusal) = unpaid(&order) {
        return Err(refusal);
    }
    let order = desk.told(&order);
    let mut reply = caller.reply(desk);
    put(&mut reply, "out_trade_no", &order.order_no);
    if let Some(attach) = order.detail("attach") {
        put(&mut reply, "attach", attach);
    }
    put_payment(&mut reply, &order, Told::of(&order), desk);
    Ok(reply)
}

/// Sheet, section 9.
fn refusal(error: BookError) -> Refusal {
    let (code, words) = match error {
        BookError::Paid => ("ORDERPAID", "订单已支付"),
        BookError::Closed => ("ORDERCLOSED", "订单已关闭"),
        BookError::Revoked => ("ORDERREVERSED", "订单已撤销"),
        BookError::Differs => ("OUT_TRADE_NO_USED", "商户订单号重复"),
        BookError::OtherPayer => ("BUYER_MISMATCH", "支付帐号错误，暂不支持同一笔订单更换支付方"),
        BookError::CodeExpired => ("AUTHCODEEXPIRE", "二维码已过期，请用户在微信上刷新后再试"),
        BookError::CodeUsed => ("AUTH_CODE_ERROR", "每个二维码仅限使用一次，请刷新再试"),
        BookError::CodeUnknown | BookError::CodeOfAnother => ("AUTH_CODE_INVALID", "请扫描微信支付被扫条码/二维码"),
        _ => ("INVALID_REQUEST", "无效请求"),
    };
    Refusal::new(code, words)
}

/// Why a charged order is not paid, or not yet.
fn unpaid(order: &Order) -> Option<Refusal> {
    let reaction = order.charge.as_ref().map(|charge| charge.payer.reaction)?;
    let (code, words) = match (order.state(), reaction) {
        (OrderState::PayerTyping, Reaction::BankSilent) => ("BANKERROR", "银行端超时"),
        (OrderState::PayerTyping, _) => ("USERPAYING", "需要用户输入支付密码"),
        (OrderState::PaymentFailed, Reaction::LacksMoney) => ("NOTENOUGH", "用户帐号余额不足"),
        (OrderState::PaymentFailed, Reaction::CardRefused) => ("NOTSUPORTCARD", "用户使用卡种不支持当前支付形式"),
        (OrderState::Unpaid, _) if order.setback == Some(Setback::Cancelled) => ("TRADE_ERROR", "用户取消支付"),
        (OrderState::Unpaid | OrderState::PaymentFailed, _) => ("TRADE_ERROR", "支付失败"),
        _ => return None,
    };
    Some(Refusal::new(code, words))
}

/// What `recall` says beside a refusal or a success.
pub(super) struct Reversal {
    pub(super) outcome: Result<(), Refusal>,
    /// Whether the platform wants to be asked again.
    pub(super) recall: bool,
}

pub(super) fn reverse(fields: &Fields, caller: &Caller<'_>, agreed: &mut Agreed, desk: &mut Desk<'_>) -> Reversal {
    if let Err(refusal) = lengths(fields, &[("transaction_id", 32), ("out_trade_no", 32)]) {
        return Reversal {
            outcome: Err(refusal),
            recall: false,
        };
    }
    if let Some(left) = agreed.reversals_to_recall.checked_sub(1) {
        agreed.reversals_to_recall = left;
        return Reversal {
            outcome: Err(Refusal::new("SYSTEMERROR", "接口返回错误")),
            recall: true,
        };
    }
    Reversal {
        outcome: take_back(fields, caller, desk),
        recall: false,
    }
}

/// The sheet's list for this call has no code for an order that is not there, so a wrong number of the platform's is
/// called that, and a wrong number of the merchant's an error of the trade.
fn take_back(fields: &Fields, caller: &Caller<'_>, desk: &mut Desk<'_>) -> Result<(), Refusal> {
    let order = payment_named(fields, caller, desk).map_err(|refusal| match refusal.code {
        "ORDERNOTEXIST" => Refusal::new("TRADE_ERROR", "订单不存在"),
        _ => refusal,
    })?;
    let now = desk.now();
    let refund_id = super::refunds::refund_id(desk);
    let reversed = desk.book.reverse(caller.account(), &order.order_no, refund_id, now);
    reversed.map(|_| ()).map_err(|error| match error {
        BookError::Late => Refusal::new("REVERSE_EXPIRE", "订单有7天的撤销有效期限制"),
        BookError::NotAtTill => Refusal::new("INVALID_REQUEST", "非付款码支付的订单不能撤销"),
        BookError::Refunded => Refusal::new("TRADE_ERROR", "订单已发起退款"),
        _ => Refusal::new("TRADE_ERROR", "订单错误"),
    })
}

pub(super) fn exchange_code(fields: &Fields, caller: &Caller<'_>, desk: &mut Desk<'_>) -> Result<Fields, Refusal> {
    lengths(fields, &[("auth_code", 128)])?;
    let shown = Shown {
        code: need(fields, "auth_code")?,
        merchant: caller.receiver(),
    };
    let now = desk.now();
    let opened = desk.book.open_code(caller.account().platform, &shown, now);
    let openid = opened.map_err(refusal)?.to_owned();
    let mut reply = caller.reply(desk);
    put(&mut reply, "openid", &openid);
    if caller.sub.app_id.is_some() {
        put(&mut reply, "sub_openid", &keys::openid_under_sub_app(&openid));
    }
    Ok(reply)
}
