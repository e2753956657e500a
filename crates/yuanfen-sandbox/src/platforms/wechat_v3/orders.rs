//! JSAPI and mini-program orders: placing, querying, closing (sections 13 to 15 of the sheet).

use http::StatusCode;
use serde_json::{Map, Value, json};
use yuanfen_core::{Fen, Rfc3339, UnixTime, WireText as _};

use super::schema::{Kind, Member, maybe, need, read, wrong};
use super::{Answer, PREPAY_LIFE, Refusal, query_of, same_merchant};
use crate::bills::Shares;
use crate::book::{BookError, Details, Order, OrderState, Placement};
use crate::keys;
use crate::platforms::{Call, Desk, Platform};

/// An order without an expiry of its own lives seven days.
const ORDER_LIFE: i64 = 7 * 86_400;

/// What the order of an official account or a mini program holds.
pub(super) const JSAPI: &[Member] = &[
    need("appid", Kind::Text(1, 32)),
    need("mchid", Kind::Text(1, 32)),
    need("description", Kind::Text(1, 127)),
    need("out_trade_no", Kind::Text(6, 32)),
    maybe("time_expire", Kind::Text(1, 64)),
    maybe("attach", Kind::Text(1, 128)),
    need("notify_url", Kind::Text(1, 255)),
    maybe("goods_tag", Kind::Text(1, 32)),
    maybe("limit_pay", Kind::Texts),
    maybe("support_fapiao", Kind::Boolean),
    need(
        "amount",
        Kind::Object(&[need("total", Kind::Integer(1)), maybe("currency", Kind::Text(1, 16))]),
    ),
    need("payer", Kind::Object(&[need("openid", Kind::Text(1, 128))])),
    maybe(
        "detail",
        Kind::Object(&[
            maybe("cost_price", Kind::Integer(0)),
            maybe("invoice_id", Kind::Text(1, 32)),
            maybe(
                "goods_detail",
                Kind::Objects(&[
                    need("merchant_goods_id", Kind::Text(1, 32)),
                    maybe("wechatpay_goods_id", Kind::Text(1, 32)),
                    maybe("goods_name", Kind::Text(1, 256)),
                    need("quantity", Kind::Integer(1)),
                    need("unit_price", Kind::Integer(0)),
                ]),
            ),
        ]),
    ),
    maybe(
        "scene_info",
        Kind::Object(&[
            need("payer_client_ip", Kind::Text(1, 45)),
            maybe("device_id", Kind::Text(1, 32)),
            maybe(
                "store_info",
                Kind::Object(&[
                    need("id", Kind::Text(1, 32)),
                    maybe("name", Kind::Text(1, 256)),
                    maybe("area_code", Kind::Text(1, 32)),
                    maybe("address", Kind::Text(1, 512)),
                ]),
            ),
        ]),
    ),
    maybe("settle_info", Kind::Object(&[maybe("profit_sharing", Kind::Boolean)])),
];

const CLOSE: &[Member] = &[need("mchid", Kind::Text(1, 32))];

pub(super) fn place_jsapi(call: &Call<'_>, desk: &mut Desk<'_>) -> Result<Answer, Refusal> {
    let body = read(call.body, JSAPI)?;
    let text = |pointer: &str| body.pointer(pointer).and_then(Value::as_str);
    let now = desk.now();
    same_merchant(text("/mchid"), "body")?;
    if text("/appid") != Some(keys::WECHAT_APP_ID) {
        return Err(Refusal::new(400, "APPID_MCHID_NOT_MATCH", "appid和mch_id不匹配"));
    }
    let order_no = text("/out_trade_no").unwrap_or_default();
    if !order_no
        .bytes()
        .all(|byte| byte.is_ascii_alphanumeric() || b"_-|*".contains(&byte))
    {
        return Err(wrong("/out_trade_no", "只能是数字、大小写字母_-|*"));
    }
    let notify_url = text("/notify_url").unwrap_or_default();
    let absolute = notify_url.starts_with("https://") || notify_url.starts_with("http://");
    if !absolute || notify_url.contains(['?', '#']) {
        return Err(wrong("/notify_url", "须为直接可访问的URL,不允许携带查询串"));
    }
    if text("/amount/currency").is_some_and(|currency| currency != "CNY") {
        return Err(wrong("/amount/currency", "取值不在枚举中"));
    }
    let amount = body.pointer("/amount/total").and_then(Value::as_i64).map(Fen::new);
    let amount = amount.ok_or_else(|| wrong("/amount/total", "应为整数"))?;
    let expires_at = match text("/time_expire") {
        None => None,
        Some(moment) => {
            let Rfc3339(moment) = Rfc3339::read(moment).map_err(|_| wrong("/time_expire", "应为RFC3339格式"))?;
            Some(moment)
        }
    };
    let is_new = desk.book.order(Platform::WechatV3, order_no, now).is_none();
    // A repeat repeats the first call's expiry, however near it is by now.
    if is_new && expires_at.is_some_and(|end| end.since(now) < 60) {
        return Err(wrong("/time_expire", "支付结束时间须在一分钟之后"));
    }
    let mut details = Details::new();
    for (name, pointer) in [
        ("attach", "/attach"),
        ("description", "/description"),
        ("device_info", "/scene_info/device_id"),
    ] {
        if let Some(value) = text(pointer) {
            details.insert(name, value.to_owned());
        }
    }
    if let Some(serial) = call.header("wechatpay-serial") {
        details.insert("asked_serial", serial.to_owned());
    }
    let prepay_id = format!("wx{}{}", yuanfen_core::Clock14(now), desk.ambient.hex(20));
    let placement = Placement {
        account: Platform::WechatV3.into(),
        order_no: order_no.to_owned(),
        amount,
        expires_at: Some(
            expires_at.unwrap_or_else(|| UnixTime::from_seconds(now.seconds().saturating_add(ORDER_LIFE))),
        ),
        notify_url: Some(notify_url.to_owned()),
        payer: text("/payer/openid").map(str::to_owned),
        details,
        // The map sorts its members, so their order and blanks do not tell requests apart.
        fingerprint: body.to_string(),
    };
    let (order, _) = desk.book.place(placement, now).map_err(|error| match error {
        BookError::Paid => Refusal::new(400, "ORDER_PAID", "订单已支付"),
        BookError::Closed => Refusal::new(400, "ORDER_CLOSED", "订单已关闭"),
        _ => Refusal::new(403, "OUT_TRADE_NO_USED", "商户订单号重复"),
    })?;
    if !prepay_lives(order, now) {
        order.details.insert("prepay_id", prepay_id);
        order.details.insert("prepay_at", now.to_text());
    }
    let prepay_id = order.detail("prepay_id").unwrap_or_default();
    Ok(Answer::Json(StatusCode::OK, json!({ "prepay_id": prepay_id })))
}

/// Whether the order's prepay id is younger than two hours.
pub(super) fn prepay_lives(order: &Order, now: UnixTime) -> bool {
    order
        .detail("prepay_at")
        .and_then(|at| UnixTime::read(at).ok())
        .is_some_and(|at| now.since(at) < PREPAY_LIFE)
}

pub(super) fn query(
    call: &Call<'_>,
    desk: &mut Desk<'_>,
    order_no: Option<&str>,
    transaction_id: Option<&str>,
) -> Result<Answer, Refusal> {
    let query = query_of(call)?;
    same_merchant(query.get("mchid"), "query")?;
    let now = desk.now();
    let found = match (order_no, transaction_id) {
        (Some(order_no), _) => desk.book.order(Platform::WechatV3, order_no, now),
        (None, Some(transaction_id)) => desk.book.by_transaction(Platform::WechatV3, transaction_id),
        (None, None) => None,
    };
    let order = found
        .ok_or_else(|| Refusal::new(404, "ORDER_NOT_EXIST", "订单不存在"))?
        .clone();
    Ok(Answer::Json(StatusCode::OK, transaction(&order, desk)))
}

pub(super) fn close(call: &Call<'_>, desk: &mut Desk<'_>, order_no: &str) -> Result<Answer, Refusal> {
    let body = read(call.body, CLOSE)?;
    same_merchant(body.get("mchid").and_then(Value::as_str), "body")?;
    let now = desk.now();
    match desk.book.close(Platform::WechatV3, order_no, now) {
        Ok(_) => Ok(Answer::Nothing),
        Err(BookError::Paid) => Err(Refusal::new(400, "ORDER_PAID", "订单已支付")),
        Err(_) => Err(Refusal::new(404, "ORDER_NOT_EXIST", "订单不存在")),
    }
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
    let mut members = Map::new();
    let mut put = |name: &str, value: Value| {
        members.insert(name.to_owned(), value);
    };
    put("appid", json!(keys::WECHAT_APP_ID));
    put("mchid", json!(keys::WECHAT_MERCHANT_ID));
    put("out_trade_no", json!(order.order_no));
    put("trade_state", json!(state));
    put("trade_state_desc", json!(words));
    let Some(payment) = &order.payment else {
        put("amount", json!({ "total": order.amount, "currency": "CNY" }));
        if let Some(openid) = &order.payer {
            put("payer", json!({ "openid": openid }));
        }
        return Value::Object(members);
    };
    let shares = Shares::of(order, payment, None);
    put("transaction_id", json!(payment.transaction_id));
    put("trade_type", json!(desk.open_value("JSAPI")));
    put("bank_type", json!(desk.open_value(&payment.bank)));
    put("success_time", json!(Rfc3339(payment.at).to_string()));
    put("payer", json!({ "openid": payment.payer }));
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
    if let Some(device) = order.detail("device_info") {
        put("scene_info", json!({ "device_id": device }));
    }
    if !payment.coupons.is_empty() {
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
        put("promotion_detail", Value::Array(coupons.collect()));
    }
    Value::Object(members)
}
