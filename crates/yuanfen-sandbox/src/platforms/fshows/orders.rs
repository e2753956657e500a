//! Page payments, query, close, and what a call-back says (sections 9.1, 9.4, 9.5 and 11 of the sheet).

use yuanfen_core::{Clock14, Fen, Fields, JsonTaker, Object, PayAmount, UnixTime, WireText as _, Yuan};

use super::shares::Shares;
use super::{Refusal, put};
use crate::book::{BookError, Details, Order, OrderState, Placement, Setback};
use crate::keys::FSHOWS_SUB_MERCHANT;
use crate::platforms::flat_json::FlatJson;
use crate::platforms::pages::is_absolute;
use crate::platforms::{Desk, Platform};

/// The sheet gives a prepay id two hours. Nothing renews it, so its order ends with it here.
const PREPAY_LIFE: i64 = 7200;

pub(super) const PREPAY_ID: &str = "prepay_id";
pub(super) const TRADE_NO: &str = "trade_no";

/// Sheet, section 9.1: name, whether it is required, and its most characters.
const MPPAY: &[(&str, bool, usize)] = &[
    ("sub_merchant_id", true, 20),
    ("body", true, 128),
    ("out_trade_no", true, 64),
    ("sub_openid", true, 128),
    ("spbill_create_ip", true, 16),
    ("notify_url", false, 255),
    ("sub_appid", false, 32),
    ("sub_mch_id", false, 32),
    ("goods_tag", false, 32),
];

/// `fshows.liquidation.wxpay.mppay`.
pub(super) fn place(content: &Object, desk: &mut Desk<'_>) -> Result<FlatJson, Refusal> {
    let now = desk.now();
    let mut taker = JsonTaker::new(content);
    let mut texts = Fields::new();
    for (name, required, most) in MPPAY {
        let value: Option<String> = taker.maybe(name)?;
        match value {
            Some(value) if value.chars().count() <= *most => put(&mut texts, name, &value),
            None if !required => {}
            Some(_) | None => return Err(Refusal::parameter(name)),
        }
    }
    let text = |name| texts.get(name).unwrap_or_default();
    let Yuan(amount) = taker.need("total_fee")?;
    let amount = PayAmount::new(amount)
        .map_err(|_| Refusal::parameter("total_fee"))?
        .fen();
    let order_no = text("out_trade_no");
    if !order_no
        .bytes()
        .all(|byte| byte.is_ascii_alphanumeric() || byte == b'_')
    {
        return Err(Refusal::parameter("out_trade_no"));
    }
    if text("spbill_create_ip").parse::<std::net::Ipv4Addr>().is_err() {
        return Err(Refusal::parameter("spbill_create_ip"));
    }
    let notify_url = texts.get("notify_url");
    if notify_url.is_some_and(|url| !is_absolute(url)) {
        return Err(Refusal::parameter("notify_url"));
    }
    if text("sub_merchant_id") != FSHOWS_SUB_MERCHANT {
        return Err(Refusal::new("-203", "子商户号无效"));
    }
    // An identical repeat is a repeat all the same: nothing says otherwise.
    if desk.book.order(Platform::Fshows, order_no, now).is_some() {
        return Err(Refusal::new("-206", "重复订单号"));
    }

    let prepay_id = format!("wx{}{}", Clock14(now), desk.ambient.hex(18));
    let mut details = Details::new();
    details.insert(PREPAY_ID, prepay_id.clone());
    details.insert(
        TRADE_NO,
        format!("{}{}", now.beijing_date().compact(), desk.ambient.digits(20)),
    );
    let placement = Placement {
        account: Platform::Fshows.into(),
        order_no: order_no.to_owned(),
        amount,
        expires_at: Some(UnixTime::from_seconds(now.seconds().saturating_add(PREPAY_LIFE))),
        notify_url: notify_url.map(str::to_owned),
        payer: Some(text("sub_openid").to_owned()),
        details,
        fingerprint: String::new(),
    };
    desk.book
        .place(placement, now)
        .map_err(|_| Refusal::new("-206", "重复订单号"))?;

    let shares = Shares::of(amount);
    let mut value = FlatJson::default();
    value.text("prepay_id", &prepay_id);
    value.bare("total_fee", &amount.yuan().to_string());
    value.bare("net_receipt_amount", &shares.net.yuan().to_string());
    push_shares(&mut value, &shares);
    // The one pair that the platform spells this way.
    value.bare("gatewayCommissionRate", "0.00");
    value.bare("gatewayCommissionFee", "0.00");
    if let Some(url) = notify_url {
        value.text("notify_url", url);
    }
    Ok(value)
}

fn push_shares(value: &mut FlatJson, shares: &Shares) {
    for share in shares.each() {
        value.bare(&format!("{}_rate", share.name), &share.rate);
        value.bare(&format!("{}_fee", share.name), &share.fee.yuan().to_string());
    }
}

/// The order that a query or close names: `trade_no` wins over `out_trade_no`.
pub(super) fn named<'a>(content: &Object, desk: &'a mut Desk<'_>) -> Result<&'a Order, Refusal> {
    let now = desk.now();
    let mut taker = JsonTaker::new(content);
    let trade_no: Option<String> = taker.maybe(TRADE_NO)?;
    let order_no: Option<String> = taker.maybe("out_trade_no")?;
    let order = match (trade_no, order_no) {
        (Some(trade_no), _) => desk.book.by_detail(Platform::Fshows, TRADE_NO, &trade_no, now),
        (None, Some(order_no)) => desk.book.order(Platform::Fshows, &order_no, now),
        (None, None) => return Err(Refusal::parameter("out_trade_no")),
    };
    order.ok_or_else(|| Refusal::new("-207", "订单不存在"))
}

/// `fshows.liquidation.alipay.trade.query`, which in spite of its name knows every channel.
pub(super) fn query(content: &Object, desk: &mut Desk<'_>) -> Result<FlatJson, Refusal> {
    let order = named(content, desk)?.clone();
    let order = desk.told(&order);
    let (state, words) = match order.state() {
        OrderState::Unpaid if order.setback == Some(Setback::Failed) => ("PAYERROR", "支付失败"),
        OrderState::Unpaid | OrderState::PayerTyping => ("NOTPAY", "订单未支付"),
        OrderState::Paid => ("SUCCESS", "支付成功"),
        // Nobody pays with a code here.
        OrderState::Closed | OrderState::Revoked | OrderState::PaymentFailed => ("CLOSED", "订单已关闭"),
        OrderState::Refunding | OrderState::Refunded => ("REFUND", "转入退款"),
    };
    let total = order.amount.yuan().to_string();
    let shares = Shares::of(order.amount);
    let mut value = FlatJson::default();
    value.text(TRADE_NO, order.detail(TRADE_NO).unwrap_or_default());
    value.text("out_trade_no", &order.order_no);
    value.text("trade_state", state);
    value.text("trade_state_desc", words);
    if let Some(payment) = &order.payment {
        value.text("openid", &payment.payer);
        value.text("is_subscribe", "N");
        value.text("trade_type", "JSAPI");
        value.text("bank_type", desk.open_value(&payment.bank));
        value.bare("cash_fee", &total);
        value.text("time_end", &Clock14(payment.at).to_string());
    }
    value.bare("total_fee", &total);
    value.bare("net_receipt_amount", &shares.net.yuan().to_string());
    push_shares(&mut value, &shares);
    Ok(value)
}

/// `fshows.liquidation.order.close`. What it answers is written down nowhere; both numbers come back.
pub(super) fn close(content: &Object, desk: &mut Desk<'_>) -> Result<FlatJson, Refusal> {
    let now = desk.now();
    let order_no = named(content, desk)?.order_no.clone();
    let order = desk
        .book
        .close(Platform::Fshows, &order_no, now)
        .map_err(|error| match error {
            BookError::Paid => Refusal::new("-220", "无效操作"),
            _ => Refusal::new("-207", "订单不存在"),
        })?;
    let mut value = FlatJson::default();
    value.text(TRADE_NO, order.detail(TRADE_NO).unwrap_or_default());
    value.text("out_trade_no", &order.order_no);
    Ok(value)
}

/// A call-back's fields in the order of the sheet's T3. What is called `transaction_id` there is the platform's own
/// number.
pub(super) fn callback(order: &Order, desk: &Desk<'_>) -> Option<Fields> {
    let payment = order.payment.as_ref()?;
    let shares = Shares::of(order.amount);
    let mut fields = Fields::new();
    for (name, value) in [
        ("out_trade_no", order.order_no.as_str()),
        ("transaction_id", order.detail(TRADE_NO).unwrap_or_default()),
        ("openid", &payment.payer),
        ("is_subscribe", "N"),
        ("trade_type", "JSAPI"),
        ("bank_type", desk.open_value(&payment.bank)),
        ("total_fee", &order.amount.yuan().to_string()),
        ("net_money", &shares.net.yuan().to_string()),
        ("time_end", &Clock14(payment.at).to_string()),
    ] {
        put(&mut fields, name, value);
    }
    let [bank, platform, liquidator] = shares.each();
    for share in [bank, liquidator, platform] {
        // Fees have five decimals here.
        put(&mut fields, &format!("{}_fee", share.name), &five_decimals(share.fee));
        put(&mut fields, &format!("{}_rate", share.name), &share.rate);
    }
    if desk.adds_fields() {
        put(&mut fields, "sandbox_new_field", "新 a&b=c");
    }
    Some(fields)
}

fn five_decimals(amount: Fen) -> String {
    let mut text = Yuan(amount).to_text();
    text.push_str("000");
    text
}
