//! Submit, query, cancel, and what a notice says (sections 6.1 to 6.3 and 9 of the sheet).

use yuanfen_core::{ClockDashed, Fen, JsonTaker, Loose, Object, PayAmount, WireText as _};

use super::Refusal;
use crate::ambient::SeededAmbient;
use crate::book::{BookError, Details, Order, OrderState, Placement};
use crate::keys::MPGATEWAY_MERCHANT;
use crate::platforms::flat_json::FlatJson;
use crate::platforms::pages::is_absolute;
use crate::platforms::{Desk, Platform};

/// The order is paid as 1002 first.
pub(super) const HELD: &str = "held";
/// Its money became available.
pub(super) const AVAILABLE: &str = "available";
/// The gateway's serial.
pub(super) const QUERY_ID: &str = "queryid";
/// What the pay page takes.
pub(super) const PAY_ID: &str = "payid";
/// Where the payer's browser returns to.
pub(super) const FRONT_URL: &str = "fronturl";

/// Sheet, section 7.1: the action, and the field that it needs besides.
const ACTIONS: &[(&str, Option<&str>)] = &[
    ("WxCode", Some("code")),
    ("WxSao", None),
    ("WxJsApi", Some("openid")),
    ("WxH5", Some("ip")),
    ("AliCode", Some("code")),
    ("AliSao", None),
    ("QQCode", Some("code")),
    ("QQSao", None),
    ("USao", None),
];

pub(super) fn submit(object: &Object, holds: bool, desk: &mut Desk<'_>) -> Result<FlatJson, Refusal> {
    let now = desk.now();
    let mut taker = JsonTaker::new(object);
    let action: String = taker.need("action")?;
    let Loose(amount): Loose<Fen> = taker.need("txnamt")?;
    let amount = PayAmount::new(amount).map_err(|_| Refusal::field("txnamt"))?.fen();
    let order_no: String = taker.need("orderid")?;
    if !(8..=32).contains(&order_no.len()) || !order_no.bytes().all(|byte| byte.is_ascii_alphanumeric()) {
        return Err(Refusal::field("orderid"));
    }
    let notify_url: String = taker.need("backurl")?;
    let front_url: Option<String> = taker.maybe("fronturl")?;
    for (name, url) in [("backurl", Some(&notify_url)), ("fronturl", front_url.as_ref())] {
        if url.is_some_and(|url| !is_absolute(url)) {
            return Err(Refusal::field(name));
        }
    }
    let openid: Option<String> = taker.maybe("openid")?;
    let code: Option<String> = taker.maybe("code")?;
    let ip: Option<String> = taker.maybe("ip")?;
    if ip.as_ref().is_some_and(|ip| ip.parse::<std::net::IpAddr>().is_err()) {
        return Err(Refusal::field("ip"));
    }
    let _channel: Option<Loose<String>> = taker.maybe("payway")?;
    let (_, needed) = ACTIONS
        .iter()
        .find(|(name, _)| *name == action)
        .ok_or_else(|| Refusal::field("action"))?;
    let given = [("openid", &openid), ("code", &code), ("ip", &ip)];
    if let Some(needed) = needed {
        let is_there = given.iter().any(|(name, value)| name == needed && value.is_some());
        if !is_there {
            return Err(Refusal::field(needed));
        }
    }
    // Numbers are unique, and an identical repeat is a repeat all the same.
    if desk.book.order(Platform::Mpgateway, &order_no, now).is_some() {
        return Err(Refusal::new("91", "订单号重复"));
    }

    let query_id = format!("H{}", desk.ambient.digits(24));
    let form_action = form_action(&action, desk.ambient);
    let mut details = Details::new();
    details.insert("action", action.clone());
    details.insert(QUERY_ID, query_id.clone());
    if let (Some(pay_id), "WxJsApi") = (&form_action, action.as_str()) {
        details.insert(PAY_ID, pay_id.clone());
    }
    if let (Some(code_url), true) = (&form_action, action.ends_with("Sao")) {
        details.insert("code_url", code_url.clone());
    }
    // Other actions do not honor it.
    if let (Some(url), "WxJsApi") = (front_url, action.as_str()) {
        details.insert(FRONT_URL, url);
    }
    if holds {
        details.insert(HELD, String::new());
    }
    let placement = Placement {
        account: Platform::Mpgateway.into(),
        order_no: order_no.clone(),
        amount,
        expires_at: None,
        notify_url: Some(notify_url),
        payer: openid,
        details,
        fingerprint: String::new(),
    };
    desk.book
        .place(placement, now)
        .map_err(|_| Refusal::new("91", "订单号重复"))?;

    let mut reply = FlatJson::default();
    reply.text("respcode", "00");
    reply.text("respmsg", "成功！");
    reply.bare("txnamt", &amount.to_text());
    reply.text("merid", MPGATEWAY_MERCHANT);
    reply.text("orderid", &order_no);
    reply.text("queryid", &query_id);
    if let Some(form_action) = form_action {
        reply.text("formaction", &form_action);
    }
    Ok(reply)
}

/// What the shop shows or opens: QR content, a pay id, an address, or nothing where the shop scanned the payer.
fn form_action(action: &str, ambient: &SeededAmbient) -> Option<String> {
    let token = ambient.letters(16);
    Some(match action {
        "WxSao" => format!("weixin://wxpay/bizpayurl?pr={token}"),
        "AliSao" => format!("https://qr.alipay.com/{token}"),
        "QQSao" => format!("https://qpay.qq.com/qr/{token}"),
        "USao" => format!("https://qr.95516.com/{token}"),
        "WxJsApi" => format!("PAYID{token}"),
        "WxH5" => format!("https://wx.tenpay.com/cgi-bin/mmpayweb-bin/checkmweb?prepay_id={token}"),
        _ => return None,
    })
}

/// The order that a query or cancel names: `queryid` wins over `orderid`.
fn named<'a>(object: &Object, desk: &'a mut Desk<'_>) -> Result<&'a Order, Refusal> {
    let now = desk.now();
    let mut taker = JsonTaker::new(object);
    let query_id: Option<String> = taker.maybe("queryid")?;
    let order_no: Option<String> = taker.maybe("orderid")?;
    let order = match (query_id, order_no) {
        (Some(query_id), _) => desk.book.by_detail(Platform::Mpgateway, QUERY_ID, &query_id, now),
        (None, Some(order_no)) => desk.book.order(Platform::Mpgateway, &order_no, now),
        (None, None) => return Err(Refusal::field("queryid,orderid")),
    };
    order.ok_or_else(|| Refusal::new("92", "订单不存在"))
}

pub(super) fn query(object: &Object, desk: &mut Desk<'_>) -> Result<FlatJson, Refusal> {
    let order = named(object, desk)?.clone();
    let order = desk.told(&order);
    let held = order.detail(HELD).is_some() && order.detail(AVAILABLE).is_none();
    let mut reply = FlatJson::default();
    reply.text("respcode", "00");
    reply.text("respmsg", "成功！");
    push_result(&mut reply, &order, held, desk);
    Ok(reply)
}

/// No field of the answer may be absent (sheet, section 6.3): an order that is there is told of, cancelled or not.
pub(super) fn cancel(object: &Object, desk: &mut Desk<'_>) -> Result<FlatJson, Refusal> {
    let now = desk.now();
    let order = named(object, desk)?.clone();
    let (code, words) = match desk.book.close(Platform::Mpgateway, &order.order_no, now) {
        Ok(_) => ("00", "成功！"),
        Err(BookError::Paid) => ("93", "订单已支付，不能撤销"),
        Err(_) => return Err(Refusal::new("92", "订单不存在")),
    };
    let mut reply = FlatJson::default();
    reply.text("respcode", code);
    reply.text("respmsg", words);
    reply.text("queryid", order.detail(QUERY_ID).unwrap_or_default());
    reply.bare("txnamt", &order.amount.to_text());
    reply.text("merid", MPGATEWAY_MERCHANT);
    reply.text("orderid", &order.order_no);
    Ok(reply)
}

/// A signed refusal. It repeats of the call what can be repeated.
pub(super) fn refused(refusal: &Refusal, object: &Object) -> FlatJson {
    let mut taker = JsonTaker::new(object);
    let mut reply = FlatJson::default();
    reply.text("respcode", refusal.code);
    reply.text("respmsg", &refusal.words);
    if let Ok(Some(Loose(amount))) = taker.maybe::<Loose<Fen>>("txnamt") {
        reply.bare("txnamt", &amount.to_text());
    }
    reply.text("merid", MPGATEWAY_MERCHANT);
    if let Ok(Some(order_no)) = taker.maybe::<String>("orderid") {
        reply.text("orderid", &order_no);
    }
    reply
}

/// A notice's fields, also those of the front return.
pub(super) fn notice(order: &Order, held: bool, desk: &Desk<'_>) -> FlatJson {
    let mut payload = FlatJson::default();
    push_result(&mut payload, order, held, desk);
    payload
}

/// Sheet, sections 6.2 and 7.2. An order that was cancelled or whose payer failed is 1003.
fn push_result(json: &mut FlatJson, order: &Order, held: bool, desk: &Desk<'_>) {
    let (code, words) = match order.state() {
        // Nobody pays with a code here.
        OrderState::Unpaid | OrderState::PayerTyping => ("1001", "未支付"),
        OrderState::Closed | OrderState::Revoked | OrderState::PaymentFailed => ("1003", "支付失败"),
        OrderState::Paid | OrderState::Refunding | OrderState::Refunded if held => ("1002", "处理中"),
        OrderState::Paid | OrderState::Refunding | OrderState::Refunded => ("0000", "支付成功！"),
    };
    let paid_at = order
        .payment
        .as_ref()
        .map(|payment| ClockDashed(payment.at).to_string());
    json.text("resultcode", desk.open_value(code));
    json.text("resultmsg", words);
    json.bare("txnamt", &order.amount.to_text());
    json.text("merid", MPGATEWAY_MERCHANT);
    json.text("orderid", &order.order_no);
    json.text("queryid", order.detail(QUERY_ID).unwrap_or_default());
    json.text("paytime", &paid_at.unwrap_or_default());
}
