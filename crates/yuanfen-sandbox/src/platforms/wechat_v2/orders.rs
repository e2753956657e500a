//! Orders that the payer opens on the phone: placing, querying, closing (sections 6.1 to 6.3 of the sheet).

use yuanfen_core::{Clock14, Fields, UnixTime, WireText as _};

use super::Agreed;
use super::checks::{address, amount, expiry, fingerprint, later, lengths, need, new_order_no, notify_url, one_of};
use super::message::{Caller, Refusal, put};
use super::promotions;
use crate::ambient::SeededAmbient;
use crate::bills::Shares;
use crate::book::{BookError, Details, Order, OrderState, Placement};
use crate::keys;
use crate::platforms::Desk;

/// A prepay id and a code to be scanned live two hours.
const PREPAY_LIFE: i64 = 7200;
/// The address of an H5 cashier lives five minutes.
const H5_LIFE: i64 = 300;
/// What a code to be scanned begins with.
pub(super) const CODE_URL: &str = "weixin://wxpay/bizpayurl?pr=";
/// What the address of an H5 cashier begins with, before the prepay id.
pub(super) const H5_URL: &str = "https://wx.tenpay.com/cgi-bin/mmpayweb-bin/checkmweb?prepay_id=";
/// An order without an expiry of its own lives seven days.
pub(super) const ORDER_LIFE: i64 = 7 * 86_400;
/// How old an order must be before it is closed, where the platform insists.
const CLOSABLE_AFTER: i64 = 300;

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
    ("notify_url", 256),
    ("trade_type", 16),
    ("product_id", 32),
    ("limit_pay", 32),
    ("openid", 128),
    ("sub_openid", 128),
    ("receipt", 8),
    ("profit_sharing", 16),
    ("scene_info", 256),
    ("version", 32),
];

/// What an order remembers of its request.
const KEPT: &[&str] = &["attach", "device_info", "sub_openid", "version"];

pub(super) fn place(fields: &Fields, caller: &Caller<'_>, desk: &mut Desk<'_>) -> Result<Fields, Refusal> {
    lengths(fields, TEXTS)?;
    let now = desk.now();
    need(fields, "body")?;
    let order_no = new_order_no(fields)?;
    let amount = amount(fields, "total_fee")?;
    one_of(fields, "fee_type", &["CNY"])?;
    address(fields, "spbill_create_ip")?;
    let url = need(fields, "notify_url")?;
    notify_url(url)?;
    let trade_type = trade_type(fields, caller)?;
    let expires_at = expiry(fields, now)?.unwrap_or_else(|| later(now, ORDER_LIFE));
    let mut details = details(fields, caller, KEPT);
    details.insert("trade_type", trade_type.to_owned());
    let placement = Placement {
        account: caller.account(),
        order_no: order_no.to_owned(),
        amount,
        expires_at: Some(expires_at),
        notify_url: Some(url.to_owned()),
        payer: fields.filled("openid").map(str::to_owned),
        details,
        fingerprint: fingerprint(fields),
    };
    if desk
        .book
        .order(caller.account(), order_no, now)
        .is_some_and(is_begun_at_till)
    {
        return Err(Refusal::new("OUT_TRADE_NO_USED", "商户订单号重复"));
    }
    let (prepay_id, code) = (prepay_id(now, desk.ambient), desk.ambient.letters(9));
    let (order, _) = desk.book.place(placement, now).map_err(|error| match error {
        BookError::Paid => Refusal::new("ORDERPAID", "该订单已支付"),
        BookError::Closed | BookError::Revoked => Refusal::new("ORDERCLOSED", "订单已关闭"),
        _ => Refusal::new("INVALID_REQUEST", "201 商户订单号重复"),
    })?;
    // The same id as long as it lives, then a new one.
    let order = if prepay_lives(order, now) {
        order.clone()
    } else {
        let mut fresh = vec![("prepay_id", prepay_id), ("prepay_at", now.to_text())];
        if trade_type == "NATIVE" {
            fresh.push(("code_url", format!("{CODE_URL}{code}")));
        }
        fresh.push(("code", code));
        let renewed = desk.book.remember(caller.account(), order_no, fresh);
        renewed.map_err(|_| Refusal::new("SYSTEMERROR", "系统错误"))?.clone()
    };
    let mut reply = caller.reply(desk);
    if let Some(device) = order.detail("device_info") {
        put(&mut reply, "device_info", device);
    }
    put(&mut reply, "trade_type", trade_type);
    let prepay_id = order.detail("prepay_id").unwrap_or_default();
    let code = order.detail("code").unwrap_or_default();
    put(&mut reply, "prepay_id", prepay_id);
    match trade_type {
        "NATIVE" => put(&mut reply, "code_url", order.detail("code_url").unwrap_or_default()),
        "MWEB" => put(&mut reply, "mweb_url", &format!("{H5_URL}{prepay_id}&package={code}")),
        _ => {}
    }
    Ok(reply)
}

/// Whether an order that nobody paid or took back yet was begun with a payment code.
fn is_begun_at_till(order: &Order) -> bool {
    let is_open = order.payment.is_none() && order.closed_at.is_none() && order.revoked_at.is_none();
    order.charge.is_some() && is_open
}

/// How the payer gets to the cashier, and whether the call has what that needs.
fn trade_type(fields: &Fields, caller: &Caller<'_>) -> Result<&'static str, Refusal> {
    match need(fields, "trade_type")? {
        "JSAPI" => {
            match (fields.filled("openid"), fields.filled("sub_openid")) {
                (None, None) => return Err(Refusal::lacks("openid")),
                (Some(_), Some(_)) => return Err(Refusal::field("sub_openid")),
                // An openid is one under an app.
                (None, Some(_)) if caller.sub.app_id.is_none() => return Err(Refusal::lacks("sub_appid")),
                (None, Some(_)) | (Some(_), None) => {}
            }
            Ok("JSAPI")
        }
        "NATIVE" => need(fields, "product_id").map(|_| "NATIVE"),
        "APP" => Ok("APP"),
        "MWEB" => need(fields, "scene_info").map(|_| "MWEB"),
        _ => Err(Refusal::field("trade_type")),
    }
}

/// What an order remembers: some fields as they are, the goods' name for the bill, the sign type for its notices, and the sub-merchant.
pub(super) fn details(fields: &Fields, caller: &Caller<'_>, kept: &[&'static str]) -> Details {
    let mut details = Details::new();
    details.insert("sign_type", caller.sign_type.name().to_owned());
    if let Some(body) = fields.filled("body") {
        details.insert("description", body.to_owned());
    }
    for name in kept.iter().chain(&["sub_appid", "sub_mch_id"]) {
        if let Some(value) = fields.filled(name) {
            details.insert(name, value.to_owned());
        }
    }
    details
}

pub(super) fn query(fields: &Fields, caller: &Caller<'_>, desk: &mut Desk<'_>) -> Result<Fields, Refusal> {
    lengths(fields, &[("transaction_id", 32), ("out_trade_no", 32), ("version", 32)])?;
    let order = named(fields, caller, desk)?;
    let order = desk.told(&order);
    let mut reply = caller.reply(desk);
    put(&mut reply, "out_trade_no", &order.order_no);
    let (state, words) = state_of(&order);
    put(&mut reply, "trade_state", state);
    put(&mut reply, "trade_state_desc", words);
    if let Some(attach) = order.detail("attach") {
        put(&mut reply, "attach", attach);
    }
    let told = Told {
        sub_payer: caller.sub.app_id.is_some(),
        promotions: fields.filled("version").is_some(),
    };
    put_payment(&mut reply, &order, told, desk);
    Ok(reply)
}

/// Sheet, section 7.
fn state_of(order: &Order) -> (&'static str, &'static str) {
    match order.state() {
        OrderState::Unpaid => ("NOTPAY", "订单未支付"),
        OrderState::Paid => ("SUCCESS", "支付成功"),
        OrderState::Closed => ("CLOSED", "订单已关闭"),
        OrderState::Refunding | OrderState::Refunded => ("REFUND", "订单发生过退款"),
        OrderState::PayerTyping => ("USERPAYING", "需要用户输入支付密码"),
        OrderState::PaymentFailed => ("PAYERROR", "支付失败"),
        OrderState::Revoked => ("REVOKED", "订单已撤销"),
    }
}

pub(super) fn close(
    fields: &Fields,
    caller: &Caller<'_>,
    agreed: &Agreed,
    desk: &mut Desk<'_>,
) -> Result<Fields, Refusal> {
    lengths(fields, &[("out_trade_no", 32)])?;
    let order_no = need(fields, "out_trade_no")?;
    let now = desk.now();
    // By this number alone, whatever else the call names.
    let order = of_caller(desk.book.order(caller.account(), order_no, now), caller)?;
    if order.state() == OrderState::Closed {
        return Err(Refusal::new("ORDERCLOSED", "订单已关闭，无法重复关闭"));
    }
    if agreed.keeps_five_minutes && order.payment.is_none() && now.since(order.placed_at) < CLOSABLE_AFTER {
        return Err(Refusal::new(
            "TRADE_STATE_ERROR",
            "订单生成后不能马上调用关单接口，最短调用时间间隔为5分钟",
        ));
    }
    let closed = desk.book.close(caller.account(), &order.order_no, now);
    closed.map(|_| ()).map_err(|error| match error {
        BookError::Paid => Refusal::new("ORDERPAID", "该订单已支付，不能发起关单"),
        BookError::AtTill => Refusal::new("TRADE_STATE_ERROR", "付款码支付的订单请调用撤销接口"),
        _ => Refusal::new("ORDERNOTEXIST", "订单不存在"),
    })?;
    let mut reply = caller.reply(desk);
    put(&mut reply, "result_msg", "OK");
    Ok(reply)
}

/// The order that a call names, if it is the caller's. The platform's number wins where both are there.
///
/// # Errors
/// When the call names none, or there is no such order for this sub-merchant.
pub(super) fn named(fields: &Fields, caller: &Caller<'_>, desk: &mut Desk<'_>) -> Result<Order, Refusal> {
    let (account, now) = (caller.account(), desk.now());
    let order = match (fields.filled("transaction_id"), fields.filled("out_trade_no")) {
        (Some(transaction_id), _) => desk.book.by_transaction(account, transaction_id),
        (None, Some(order_no)) => desk.book.order(account, order_no, now),
        (None, None) => return Err(Refusal::lacks("out_trade_no")),
    };
    of_caller(order, caller)
}

fn of_caller(order: Option<&Order>, caller: &Caller<'_>) -> Result<Order, Refusal> {
    order
        .filter(|order| order.detail("sub_mch_id") == caller.sub.merchant_id.as_deref())
        .cloned()
        .ok_or_else(|| Refusal::new("ORDERNOTEXIST", "订单不存在"))
}

/// As [`named`], of a call about money that moved: where the platform's number is nobody's, its codes say so.
///
/// # Errors
/// As [`named`] has it, and `INVALID_TRANSACTIONID`.
pub(super) fn payment_named(fields: &Fields, caller: &Caller<'_>, desk: &mut Desk<'_>) -> Result<Order, Refusal> {
    named(fields, caller, desk).map_err(|refusal| match refusal.code {
        "ORDERNOTEXIST" if fields.filled("transaction_id").is_some() => {
            Refusal::new("INVALID_TRANSACTIONID", "无效transaction_id")
        }
        _ => refusal,
    })
}

/// What is told of a payment because somebody asked for it.
#[derive(Clone, Copy, Debug)]
pub(super) struct Told {
    /// The payer's openid under the sub-merchant's app.
    pub(super) sub_payer: bool,
    /// `promotion_detail`.
    pub(super) promotions: bool,
}

impl Told {
    /// As the order itself asked.
    pub(super) fn of(order: &Order) -> Self {
        Self {
            sub_payer: order.detail("sub_appid").is_some(),
            promotions: order.detail("version").is_some(),
        }
    }
}

/// What a paid order adds to its query, its notice, and the answer of a till.
pub(super) fn put_payment(fields: &mut Fields, order: &Order, told: Told, desk: &Desk<'_>) {
    let Some(payment) = &order.payment else { return };
    let shares = Shares::of(order, payment, None);
    if let Some(device) = order.detail("device_info") {
        put(fields, "device_info", device);
    }
    put(fields, "openid", &payment.payer);
    put(fields, "is_subscribe", "N");
    if told.sub_payer {
        let named = order.detail("sub_openid").map(str::to_owned);
        let sub_openid = named.unwrap_or_else(|| keys::openid_under_sub_app(&payment.payer));
        put(fields, "sub_openid", &sub_openid);
        put(fields, "sub_is_subscribe", "N");
    }
    let trade_type = order.detail("trade_type").unwrap_or_default();
    put(fields, "trade_type", desk.open_value(trade_type));
    put(fields, "bank_type", desk.open_value(&payment.bank));
    put(fields, "total_fee", &order.amount.to_text());
    if shares.settled != order.amount {
        put(fields, "settlement_total_fee", &shares.settled.to_text());
    }
    put(fields, "fee_type", "CNY");
    put(fields, "cash_fee", &shares.payer.to_text());
    if !payment.coupons.is_empty() {
        put(fields, "coupon_fee", &shares.coupons.to_text());
        put(fields, "coupon_count", &payment.coupons.len().to_string());
        for (index, coupon) in payment.coupons.iter().enumerate() {
            put(fields, &format!("coupon_type_{index}"), promotions::kind(coupon));
            put(fields, &format!("coupon_id_{index}"), &coupon.id);
            put(fields, &format!("coupon_fee_{index}"), &coupon.amount.to_text());
        }
    }
    if let Some(detail) = promotions::of_payment(payment).filter(|_| told.promotions) {
        put(fields, "promotion_detail", &detail);
    }
    put(fields, "transaction_id", &payment.transaction_id);
    put(fields, "time_end", &Clock14(payment.at).to_string());
}

/// Whether what the payer was handed for an order is still good.
pub(super) fn prepay_lives(order: &Order, now: UnixTime) -> bool {
    let is_h5 = order.detail("trade_type") == Some("MWEB");
    let life = if is_h5 { H5_LIFE } else { PREPAY_LIFE };
    let made = order.detail("prepay_at").and_then(|at| UnixTime::read(at).ok());
    made.is_some_and(|at| now.since(at) < life)
}

fn prepay_id(now: UnixTime, ambient: &SeededAmbient) -> String {
    format!("wx{}{}", Clock14(now), ambient.hex(20))
}
