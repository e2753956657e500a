//! Paying, querying, revoking (sections 6.2, 6.5 and 6.7 of the sheet).

use yuanfen_core::{Clock14, Fen, Fields, UnixTime, WireText as _};

use super::{Refusal, Starpos, accepted, put, refunds, schema};
use crate::book::{Book, Details, Order, OrderState, Placement, RefundState, Setback};
use crate::keys::STARPOS_APP_ID;
use crate::platforms::{Desk, Platform};

/// A prepay id lives two hours, and its order no longer: nothing renews it.
const PREPAY_LIFE: i64 = 7200;

/// The platform's serial.
pub(super) const LOG_NO: &str = "logNo";
/// The number of the call that made the order, where it has one.
pub(super) const TRADE_NO: &str = "tradeNo";
/// The shop's own number, where it gave one.
pub(super) const SHOP_NO: &str = "selOrderNo";
pub(super) const PREPAY_ID: &str = "PrepayId";
const REVOKED: &str = "revoked";

impl Starpos {
    pub(super) fn pay(&mut self, fields: &Fields, desk: &mut Desk<'_>) -> Result<Fields, Refusal> {
        schema::check(fields, schema::PUB_SIG_PAY)?;
        let now = desk.now();
        let amount = Fen::from_fen_text(fields.get("amount").unwrap_or_default());
        let amount = amount.map_err(|_| Refusal::field("amount"))?;
        let (code, openid) = (fields.filled("code"), fields.filled("openid"));
        if code.is_some() == openid.is_some() {
            return Err(Refusal::field("code,openid"));
        }
        let trade_no = fields.filled(TRADE_NO);
        let app_id = fields.filled("txnappid").unwrap_or(STARPOS_APP_ID);
        self.use_trade_no(trade_no)?;
        let payer = match code {
            None => openid.unwrap_or_default().to_owned(),
            Some(code) => {
                let redeemed = self.web.redeem(code, desk);
                redeemed.map_err(|_| Refusal::new("900006", "授权码无效或已使用"))?
            }
        };

        let log_no = format!("{}{}", now.beijing_date().compact(), desk.ambient.digits(10));
        let prepay_id = format!("wx{}{}", Clock14(now), desk.ambient.hex(18));
        let mut details = Details::new();
        details.insert(LOG_NO, log_no.clone());
        details.insert(PREPAY_ID, prepay_id.clone());
        for name in [TRADE_NO, SHOP_NO, "total_amount", "subject", "attach"] {
            if let Some(value) = fields.filled(name) {
                details.insert(name, value.to_owned());
            }
        }
        if let Some(value) = fields.filled("goods_tag") {
            details.insert("goodsTag", value.to_owned());
        }
        // Only `tradeNo` is unique, and only among its like. A shop's number that is taken, also by another order's
        // `tradeNo`, makes another order, as it does in life.
        let mut is_free = |number: &&str| desk.book.order(Platform::Starpos, number, now).is_none();
        let order_no = trade_no
            .filter(&mut is_free)
            .or_else(|| fields.filled(SHOP_NO).filter(&mut is_free))
            .unwrap_or(&log_no);
        let placement = Placement {
            account: Platform::Starpos.into(),
            order_no: order_no.to_owned(),
            amount,
            expires_at: Some(UnixTime::from_seconds(now.seconds().saturating_add(PREPAY_LIFE))),
            notify_url: None,
            payer: Some(payer.to_owned()),
            details,
            fingerprint: log_no.clone(),
        };
        let (order, _) = desk
            .book
            .place(placement, now)
            .map_err(|_| Refusal::new("900005", "交易流水号重复"))?;
        let order = order.clone();

        let mut reply = accepted(
            if self.is_unsure {
                "交易结果未知"
            } else {
                "等待授权"
            },
            desk,
        );
        put(&mut reply, LOG_NO, &log_no);
        put(&mut reply, "result", if self.is_unsure { "Z" } else { "A" });
        put(&mut reply, "orderNo", &log_no);
        push_amounts(&mut reply, &order);
        put(&mut reply, PREPAY_ID, &prepay_id);
        let page = self.page_parameters(app_id, &prepay_id, desk);
        for (name, page_name) in [
            ("apiAppid", "appId"),
            ("apiTimestamp", "timeStamp"),
            ("apiNoncestr", "nonceStr"),
            ("apiPackage", "package"),
            ("apiSigntype", "signType"),
            ("apiPaysign", "paySign"),
        ] {
            put(&mut reply, name, page.get(page_name).unwrap_or_default());
        }
        push_echoes(&mut reply, &order, fields);
        Ok(reply)
    }

    pub(super) fn query(&mut self, fields: &Fields, desk: &mut Desk<'_>) -> Result<Fields, Refusal> {
        schema::check(fields, schema::QUERY)?;
        self.use_trade_no(fields.filled(TRADE_NO))?;
        let number = fields.get("qryNo").unwrap_or_default();
        if let Some((order, refund)) = refunds::named(number, desk) {
            return Ok(Self::refund_found(fields, &order, &refund, desk));
        }
        let order = named(fields, desk)?;
        let order = desk.told(&order);
        let (result, words) = self.result(&order);
        let mut reply = accepted(words, desk);
        put(&mut reply, TRADE_NO, fields.get(TRADE_NO).unwrap_or_default());
        put(&mut reply, LOG_NO, order.detail(LOG_NO).unwrap_or_default());
        put(&mut reply, "result", result);
        put(&mut reply, "payChannel", desk.open_value("WXPAY"));
        let payment = order.payment.as_ref();
        let order_no = payment.map(|payment| payment.transaction_id.as_str());
        // Until the payment it is the serial.
        let order_no = order_no.or_else(|| order.detail(LOG_NO));
        put(&mut reply, "orderNo", order_no.unwrap_or_default());
        push_amounts(&mut reply, &order);
        push_echoes(&mut reply, &order, fields);
        if schema::is_later(fields) {
            put(&mut reply, "refAmt", &refunded(&order).to_text());
        }
        Ok(reply)
    }

    pub(super) fn revoke(&mut self, fields: &Fields, desk: &mut Desk<'_>) -> Result<Fields, Refusal> {
        schema::check(fields, schema::QUERY)?;
        self.use_trade_no(fields.filled(TRADE_NO))?;
        let before = named(fields, desk)?;
        let number = before.order_no.as_str();
        let now = desk.now();
        let is_closed = match desk.book.close(Platform::Starpos, number, now) {
            // It failed or ran out before, and `F` is final.
            Ok(_) if before.state() == OrderState::Closed => true,
            Ok(_) => desk
                .book
                .remember(Platform::Starpos, number, [(REVOKED, String::new())])
                .is_ok(),
            Err(_) => false,
        };
        let (result, words) = if is_closed {
            ("S", "撤销成功")
        } else {
            ("F", "交易已支付")
        };
        let order = named(fields, desk)?;
        let mut reply = accepted(words, desk);
        put(&mut reply, TRADE_NO, fields.get(TRADE_NO).unwrap_or_default());
        put(&mut reply, LOG_NO, order.detail(LOG_NO).unwrap_or_default());
        put(&mut reply, "result", result);
        put(&mut reply, "payChannel", "WXPAY");
        push_amounts(&mut reply, &order);
        push_echoes(&mut reply, &order, fields);
        Ok(reply)
    }

    /// Every call has a number of its own, queries included.
    pub(super) fn use_trade_no(&mut self, trade_no: Option<&str>) -> Result<(), Refusal> {
        match trade_no {
            Some(number) if !self.trade_nos.insert(number.to_owned()) => Err(Refusal::new("900005", "交易流水号重复")),
            _ => Ok(()),
        }
    }

    /// Sheet, section 7.2.
    fn result(&self, order: &Order) -> (&'static str, &'static str) {
        match order.state() {
            OrderState::Paid | OrderState::Refunding => ("S", "交易成功"),
            OrderState::Refunded => ("S", "交易已退款"),
            OrderState::Closed if order.setback == Some(Setback::Failed) => ("F", "交易失败"),
            OrderState::Closed if order.detail(REVOKED).is_some() => ("D", "交易已撤销"),
            // Nobody pays with a code here.
            OrderState::Closed | OrderState::Revoked | OrderState::PaymentFailed => ("F", "交易超时"),
            OrderState::Unpaid | OrderState::PayerTyping if self.is_unsure => ("Z", "交易结果未知"),
            OrderState::Unpaid | OrderState::PayerTyping => ("A", "等待授权"),
        }
    }
}

/// The number of the order that one of the numbers of an order or of a refund names.
pub(super) fn order_of(number: &str, book: &mut Book, now: UnixTime) -> Option<String> {
    for name in [LOG_NO, TRADE_NO] {
        if let Some(order) = book.by_detail(Platform::Starpos, name, number, now) {
            return Some(order.order_no.clone());
        }
    }
    let refunded = || {
        let found = book.by_refund(Platform::Starpos, number);
        let found = found.or_else(|| book.by_refund_id(Platform::Starpos, number));
        found.map(|(order, _)| order)
    };
    let order = book.by_transaction(Platform::Starpos, number).or_else(refunded);
    order.map(|order| order.order_no.clone())
}

/// The order whose `logNo`, `tradeNo` or (once it is paid) `orderNo` a call gives as `qryNo`.
fn named(fields: &Fields, desk: &mut Desk<'_>) -> Result<Order, Refusal> {
    let now = desk.now();
    let number = fields.get("qryNo").unwrap_or_default();
    for name in [LOG_NO, TRADE_NO] {
        if let Some(order) = desk.book.by_detail(Platform::Starpos, name, number, now) {
            return Ok(order.clone());
        }
    }
    let order = desk.book.by_transaction(Platform::Starpos, number);
    order.cloned().ok_or_else(|| Refusal::new("900004", "原交易不存在"))
}

pub(super) fn push_amounts(reply: &mut Fields, order: &Order) {
    put(reply, "amount", &order.amount.to_text());
    put(reply, "total_amount", order.detail("total_amount").unwrap_or_default());
}

pub(super) fn push_echoes(reply: &mut Fields, order: &Order, fields: &Fields) {
    for name in ["subject", SHOP_NO, "goodsTag"] {
        put(reply, name, order.detail(name).unwrap_or_default());
    }
    if let (Some(attach), true) = (order.detail("attach"), schema::is_later(fields)) {
        put(reply, "attach", attach);
    }
}

/// What went back to the payer. A refund that is undecided may still fail.
fn refunded(order: &Order) -> Fen {
    let gone = order
        .refunds
        .iter()
        .filter(|refund| refund.state == RefundState::Succeeded);
    // Refunds never exceed the order, so the sum fits.
    Fen::try_sum(gone.map(|refund| refund.amount)).unwrap_or(order.amount)
}
