//! Combined orders: one payment for orders of several merchants (section 20 of the sheet).
//!
//! The book holds the whole as one order and each part as another; the parts are paid and closed with the whole, and
//! refunded one by one.

use http::StatusCode;
use serde_json::{Map, Value, json};
use yuanfen_core::{Fen, Rfc3339};

use super::caller::{Merchant, SUB_MERCHANT};
use super::orders::{absent, check_age};
use super::placing::{
    H5, Product, check_currency, check_h5, check_notify_url, check_number, details, expiry, grant, not_placed,
};
use super::schema::{Kind, Member, maybe, need, read, wrong};
use super::{Answer, Refusal};
use crate::book::{BookError, Order, OrderState, Placement};
use crate::keys;
use crate::platforms::{Call, Desk};

const COMMON: &[Member] = &[
    need("combine_appid", Kind::Text(1, 32)),
    need("combine_mchid", Kind::Text(1, 32)),
    need("combine_out_trade_no", Kind::Text(1, 32)),
    maybe("time_start", Kind::Text(1, 64)),
    maybe("time_expire", Kind::Text(1, 64)),
    need("notify_url", Kind::Text(1, 255)),
];

const AMOUNT: Kind = Kind::Object(&[
    need("total_amount", Kind::Integer(1)),
    need("currency", Kind::Text(1, 8)),
]);
const SETTLING: Kind = Kind::Object(&[
    maybe("profit_sharing", Kind::Boolean),
    maybe("subsidy_amount", Kind::Integer(0)),
]);

const OWN_PARTS: &[Member] = &[need(
    "sub_orders",
    Kind::Objects(&[
        need("mchid", Kind::Text(1, 32)),
        need("out_trade_no", Kind::Text(1, 32)),
        need("amount", AMOUNT),
        need("attach", Kind::Text(1, 128)),
        need("description", Kind::Text(1, 127)),
        maybe("detail", Kind::Text(1, 6000)),
        maybe("goods_tag", Kind::Text(1, 32)),
        maybe("settle_info", SETTLING),
    ]),
)];
const PARTNER_PARTS: &[Member] = &[need(
    "sub_orders",
    Kind::Objects(&[
        need("mchid", Kind::Text(1, 32)),
        need("sub_mchid", Kind::Text(1, 32)),
        maybe("sub_appid", Kind::Text(1, 32)),
        need("out_trade_no", Kind::Text(1, 32)),
        need("amount", AMOUNT),
        need("attach", Kind::Text(1, 128)),
        need("description", Kind::Text(1, 127)),
        maybe("detail", Kind::Text(1, 6000)),
        maybe("goods_tag", Kind::Text(1, 32)),
        maybe("settle_info", SETTLING),
    ]),
)];

const PAYER: &[Member] = &[need("openid", Kind::Text(1, 128))];
/// Under the initiator's app, or under the app of a merchant of a part.
const PARTNER_PAYER: &[Member] = &[
    maybe("openid", Kind::Text(1, 128)),
    maybe("sub_openid", Kind::Text(1, 128)),
];
const SCENE: &[Member] = &[maybe(
    "scene_info",
    Kind::Object(&[
        maybe("device_id", Kind::Text(1, 16)),
        need("payer_client_ip", Kind::Text(1, 45)),
    ]),
)];
const H5_SCENE: &[Member] = &[need(
    "scene_info",
    Kind::Object(&[
        maybe("device_id", Kind::Text(1, 16)),
        need("payer_client_ip", Kind::Text(1, 45)),
        need("h5_info", H5),
    ]),
)];
const NAMED_PAYER: &[Member] = &[need("combine_payer_info", Kind::Object(PAYER))];
const SOME_PAYER: &[Member] = &[maybe("combine_payer_info", Kind::Object(PAYER))];
const NAMED_PARTNER_PAYER: &[Member] = &[need("combine_payer_info", Kind::Object(PARTNER_PAYER))];
const SOME_PARTNER_PAYER: &[Member] = &[maybe("combine_payer_info", Kind::Object(PARTNER_PAYER))];

/// Parts of one combined order: of a merchant's at most, of a provider's at most.
const MOST: usize = 10;
const MOST_OF_PROVIDER: usize = 50;

pub(super) fn place(
    product: Product,
    merchant: &Merchant,
    call: &Call<'_>,
    desk: &mut Desk<'_>,
) -> Result<Answer, Refusal> {
    let scene = if product == Product::H5 { H5_SCENE } else { SCENE };
    let payer = if product == Product::Jsapi {
        merchant.shaped(NAMED_PAYER, NAMED_PARTNER_PAYER)
    } else {
        merchant.shaped(SOME_PAYER, SOME_PARTNER_PAYER)
    };
    let body = read(
        call.body,
        &[COMMON, merchant.shaped(OWN_PARTS, PARTNER_PARTS), scene, payer],
    )?;
    let text = |pointer: &str| body.pointer(pointer).and_then(Value::as_str);
    must_initiate(merchant, text("/combine_mchid"))?;
    if text("/combine_appid") != Some(merchant.app_id) {
        return Err(Refusal::new(400, "APPID_MCHID_NOT_MATCH", "appid和mch_id不匹配").numbered(268_445_527));
    }
    let order_no = text("/combine_out_trade_no").unwrap_or_default();
    check_number("/combine_out_trade_no", order_no, b"_-|*@")?;
    check_notify_url(text("/notify_url"))?;
    if product == Product::H5 {
        check_h5(text("/scene_info/h5_info/type"), text("/scene_info/payer_client_ip"))?;
    }
    let openid = text("/combine_payer_info/openid");
    let sub_openid = text("/combine_payer_info/sub_openid");
    if openid.is_some() == sub_openid.is_some() && body.get("combine_payer_info").is_some() {
        return Err(wrong("/combine_payer_info", "openid和sub_openid必填且只能填其一"));
    }
    let expires_at = expiry(text("/time_expire"), merchant, order_no, desk)?;
    let fingerprint = format!("{} {body}", product.trade_type());
    let members = body.get("sub_orders").and_then(Value::as_array);
    let parts = members
        .into_iter()
        .flatten()
        .enumerate()
        .map(|(index, member)| part(index, member, merchant, product, call))
        .collect::<Result<Vec<Placement>, Refusal>>()?;
    let most = if merchant.account.is_provider {
        MOST_OF_PROVIDER
    } else {
        MOST
    };
    if parts.len() < 2 || parts.len() > most {
        return Err(wrong("/sub_orders", "子单数量不符合要求"));
    }
    must_be_free(&parts, order_no, merchant, desk)?;
    // Who is known by the openid under a merchant's app pays in that app.
    let sub_app = parts.iter().find_map(|part| part.details.get("sub_appid"));
    let sub_app = sub_app.filter(|_| sub_openid.is_some());
    if sub_openid.is_some() && sub_app.is_none() {
        return Err(wrong("/sub_orders/0/sub_appid", "传入sub_openid时sub_appid必填"));
    }
    let total = Fen::try_sum(parts.iter().map(|part| part.amount));
    let mut details = details(
        &body,
        &[
            ("device_info", "/scene_info/device_id"),
            ("sub_openid", "/combine_payer_info/sub_openid"),
        ],
        call,
    );
    details.insert("trade_type", product.trade_type().to_owned());
    if let Some(app) = sub_app {
        details.insert("sub_appid", app.clone());
    }
    let now = desk.now();
    let whole = Placement {
        account: merchant.account,
        order_no: order_no.to_owned(),
        amount: total.ok_or_else(|| wrong("/sub_orders", "金额超出范围"))?,
        expires_at: Some(expires_at),
        notify_url: text("/notify_url").map(str::to_owned),
        payer: openid.map(str::to_owned),
        details,
        fingerprint,
    };
    let token = desk.ambient.hex(20);
    let order = desk.book.place_whole(whole, parts, now).map_err(not_placed)?.clone();
    grant(product, &order, &token, desk)
}

fn must_initiate(merchant: &Merchant, number: Option<&str>) -> Result<(), Refusal> {
    if number == Some(merchant.id) {
        return Ok(());
    }
    Err(wrong("/combine_mchid", "与Http头Authorization中的mchid不一致或缺失"))
}

fn part(
    index: usize,
    member: &Value,
    merchant: &Merchant,
    product: Product,
    call: &Call<'_>,
) -> Result<Placement, Refusal> {
    let at = |name: &str| format!("/sub_orders/{index}/{name}");
    let text = |name: &str| member.get(name).and_then(Value::as_str);
    if text("mchid") != Some(merchant.id) {
        return Err(Refusal::new(403, "NO_AUTH", "子单商户没有收单权限").with_detail(json!({ "field": at("mchid") })));
    }
    let mut details = details(member, &[("attach", "/attach"), ("description", "/description")], call);
    if let Some(number) = text("sub_mchid") {
        merchant.party_of(number, text("sub_appid"))?.keep(&mut details);
    }
    let order_no = text("out_trade_no").unwrap_or_default();
    check_number(&at("out_trade_no"), order_no, b"_-|*@")?;
    check_currency(
        &at("amount/currency"),
        member.pointer("/amount/currency").and_then(Value::as_str),
    )?;
    let amount = member
        .pointer("/amount/total_amount")
        .and_then(Value::as_i64)
        .map(Fen::new);
    details.insert("trade_type", product.trade_type().to_owned());
    Ok(Placement {
        account: merchant.account,
        order_no: order_no.to_owned(),
        amount: amount.ok_or_else(|| wrong(&at("amount/total_amount"), "应为整数"))?,
        expires_at: None,
        // The whole is told of, not its parts.
        notify_url: None,
        payer: None,
        details,
        fingerprint: String::new(),
    })
}

/// No part may have the number of another order, nor of another part.
fn must_be_free(parts: &[Placement], whole: &str, merchant: &Merchant, desk: &mut Desk<'_>) -> Result<(), Refusal> {
    let now = desk.now();
    for (index, part) in parts.iter().enumerate() {
        let twice = parts
            .iter()
            .take(index)
            .any(|earlier| earlier.order_no == part.order_no);
        let known = desk.book.order(merchant.account, &part.order_no, now);
        if twice || part.order_no == whole || known.is_some_and(|order| order.whole.as_deref() != Some(whole)) {
            return Err(not_placed(BookError::Differs));
        }
    }
    Ok(())
}

fn find<'d>(order_no: &str, merchant: &Merchant, desk: &'d mut Desk<'_>) -> Result<&'d Order, Refusal> {
    let now = desk.now();
    desk.book
        .order(merchant.account, order_no, now)
        .filter(|order| !order.parts.is_empty())
        .ok_or_else(absent)
}

pub(super) fn query(
    order_no: &str,
    merchant: &Merchant,
    call: &Call<'_>,
    desk: &mut Desk<'_>,
) -> Result<Answer, Refusal> {
    if call.query.is_some_and(|query| !query.is_empty()) {
        return Err(Refusal::new(400, "PARAM_ERROR", "参数不在接口定义中").numbered(270_924_358));
    }
    let order = find(order_no, merchant, desk)?.clone();
    Ok(Answer::Json(StatusCode::OK, whole(&desk.told(&order), desk)))
}

const CLOSE: &[Member] = &[need("combine_appid", Kind::Text(1, 32))];
const OWN_CLOSE: &[Member] = &[need(
    "sub_orders",
    Kind::Objects(&[
        need("mchid", Kind::Text(1, 32)),
        need("out_trade_no", Kind::Text(1, 32)),
    ]),
)];
const PARTNER_CLOSE: &[Member] = &[need(
    "sub_orders",
    Kind::Objects(&[
        need("mchid", Kind::Text(1, 32)),
        need("sub_mchid", Kind::Text(1, 32)),
        need("out_trade_no", Kind::Text(1, 32)),
    ]),
)];

pub(super) fn close(
    order_no: &str,
    merchant: &Merchant,
    keeps_five_minutes: bool,
    call: &Call<'_>,
    desk: &mut Desk<'_>,
) -> Result<Answer, Refusal> {
    let body = read(call.body, &[CLOSE, merchant.shaped(OWN_CLOSE, PARTNER_CLOSE)])?;
    if body.get("combine_appid").and_then(Value::as_str) != Some(merchant.app_id) {
        return Err(Refusal::new(400, "APPID_MCHID_NOT_MATCH", "appid和mch_id不匹配").numbered(268_445_527));
    }
    let now = desk.now();
    let order = find(order_no, merchant, desk)?;
    let (parts, age) = (order.parts.clone(), check_age(order, now));
    let mut placed = Vec::with_capacity(parts.len());
    for number in &parts {
        let part = desk.book.order(merchant.account, number, now).ok_or_else(absent)?;
        let sub_merchant = part.detail(SUB_MERCHANT).map(str::to_owned);
        placed.push((Some(merchant.id.to_owned()), sub_merchant, Some(number.clone())));
    }
    let named = body.get("sub_orders").and_then(Value::as_array);
    let named = named.into_iter().flatten().map(|member| {
        let text = |name: &str| member.get(name).and_then(Value::as_str).map(str::to_owned);
        (text("mchid"), text("sub_mchid"), text("out_trade_no"))
    });
    let mut named: Vec<_> = named.collect();
    named.sort_unstable();
    placed.sort_unstable();
    if named != placed {
        return Err(wrong("/sub_orders", "须与合单下单时的子单一致"));
    }
    if keeps_five_minutes {
        age?;
    }
    match desk.book.close(merchant.account, order_no, now) {
        Ok(_) => Ok(Answer::Nothing),
        Err(BookError::Paid) => Err(Refusal::new(400, "ORDER_PAID", "订单已支付").numbered(268_449_538)),
        Err(_) => Err(absent()),
    }
}

/// The answer to a query, and what a notice holds.
pub(super) fn whole(order: &Order, desk: &mut Desk<'_>) -> Value {
    let (id, app) = if order.account.is_provider {
        (keys::WECHAT_PROVIDER_ID, keys::WECHAT_PROVIDER_APP_ID)
    } else {
        (keys::WECHAT_MERCHANT_ID, keys::WECHAT_APP_ID)
    };
    let now = desk.now();
    let mut parts = Vec::new();
    for number in &order.parts {
        if let Some(part) = desk.book.order(order.account, number, now).cloned() {
            parts.push(part_of(&desk.told(&part), order, id, desk));
        }
    }
    let mut object = json!({
        "combine_appid": app,
        "combine_mchid": id,
        "combine_out_trade_no": order.order_no,
        "sub_orders": parts,
    });
    if let Some(members) = object.as_object_mut() {
        let payer = order.payment.as_ref().map(|payment| payment.payer.as_str());
        if let Some(openid) = payer.or(order.payer.as_deref()) {
            members.insert("combine_payer_info".to_owned(), json!({ "openid": openid }));
        }
        if let Some(device) = order.detail("device_info") {
            members.insert("scene_info".to_owned(), json!({ "device_id": device }));
        }
    }
    object
}

fn part_of(part: &Order, whole: &Order, id: &str, desk: &Desk<'_>) -> Value {
    let state = match part.state() {
        OrderState::Paid => "SUCCESS",
        OrderState::Refunding | OrderState::Refunded => "REFUND",
        OrderState::Closed | OrderState::Revoked => "CLOSED",
        OrderState::Unpaid | OrderState::PayerTyping | OrderState::PaymentFailed => "NOTPAY",
    };
    let mut members = Map::new();
    let mut put = |name: &str, value: Value| {
        members.insert(name.to_owned(), value);
    };
    put("mchid", json!(id));
    for (name, kept) in [
        ("sub_mchid", SUB_MERCHANT),
        ("sub_appid", "sub_appid"),
        ("attach", "attach"),
    ] {
        if let Some(value) = part.detail(kept) {
            put(name, json!(value));
        }
    }
    put("out_trade_no", json!(part.order_no));
    put("trade_state", json!(state));
    let mut amount = json!({ "total_amount": part.amount, "currency": "CNY" });
    if let Some(payment) = &part.payment {
        put("transaction_id", json!(payment.transaction_id));
        let trade_type = part.detail("trade_type").unwrap_or_default();
        put("trade_type", json!(desk.open_value(trade_type)));
        put("bank_type", json!(desk.open_value(&payment.bank)));
        put("success_time", json!(Rfc3339(payment.at).to_string()));
        if let Some(app) = part.detail("sub_appid") {
            let named = whole
                .detail("sub_openid")
                .filter(|_| whole.detail("sub_appid") == Some(app));
            let openid = named.map_or_else(|| keys::openid_under_sub_app(&payment.payer), str::to_owned);
            put("sub_openid", json!(openid));
        }
        if let Some(members) = amount.as_object_mut() {
            members.insert("payer_amount".to_owned(), json!(part.amount));
            members.insert("payer_currency".to_owned(), json!("CNY"));
        }
    }
    put("amount", amount);
    Value::Object(members)
}
