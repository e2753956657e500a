//! Payment codes at a till: charging one, and taking the charge back (section 16 of the sheet).

use http::StatusCode;
use serde_json::{Value, json};
use yuanfen_core::{Ambient as _, UnixTime};

use super::caller::{Merchant, OWN_IDS, PARTNER_IDS, ids_of};
use super::orders::{Named, absent, find, transaction};
use super::placing::{AMOUNT, ORDER_LIFE, check_currency, check_goods, check_number, details, fen};
use super::schema::{Kind, Member, maybe, need, read};
use super::{Answer, Refusal, new_transaction_id};
use crate::book::{BookError, Order, OrderState, Placement, Reaction, Shown, Terms};
use crate::platforms::{Call, Desk};

/// The members are not those of other orders: the device's address, the platform's own number of the store, other names
/// of goods; and neither address for notices nor expiry.
const CHARGE: &[Member] = &[
    need("description", Kind::Text(1, 127)),
    need("out_trade_no", Kind::Text(6, 32)),
    maybe("attach", Kind::Text(1, 128)),
    maybe("goods_tag", Kind::Text(1, 32)),
    maybe("support_fapiao", Kind::Boolean),
    need("payer", Kind::Object(&[need("auth_code", Kind::Text(1, 32))])),
    need("amount", Kind::Object(AMOUNT)),
    need(
        "scene_info",
        Kind::Object(&[
            maybe("device_id", Kind::Text(1, 32)),
            maybe("device_ip", Kind::Text(1, 45)),
            maybe(
                "store_info",
                Kind::Object(&[maybe("id", Kind::Text(1, 32)), maybe("out_id", Kind::Text(1, 32))]),
            ),
        ]),
    ),
    maybe(
        "detail",
        Kind::Object(&[
            maybe("cost_price", Kind::Integer(0)),
            maybe("invoice_id", Kind::Text(1, 32)),
            maybe(
                "goods_detail",
                Kind::Objects(&[
                    need("merchant_goods_id", Kind::Text(1, 32)),
                    maybe("wxpay_goods_id", Kind::Text(1, 32)),
                    maybe("goods_name", Kind::Text(1, 256)),
                    need("quantity", Kind::Integer(1)),
                    need("unit_price", Kind::Integer(0)),
                ]),
            ),
        ]),
    ),
    maybe("settle_info", Kind::Object(&[maybe("profit_sharing", Kind::Boolean)])),
];

pub(super) fn charge(merchant: &Merchant, call: &Call<'_>, desk: &mut Desk<'_>) -> Result<Answer, Refusal> {
    let body = read(call.body, &[merchant.shaped(OWN_IDS, PARTNER_IDS), CHARGE])?;
    let text = |pointer: &str| body.pointer(pointer).and_then(Value::as_str);
    let party = merchant.party_in_body(&body, true)?;
    let order_no = text("/out_trade_no").unwrap_or_default();
    check_number("/out_trade_no", order_no, b"_-|*")?;
    check_currency("/amount/currency", text("/amount/currency"))?;
    check_goods(&body)?;
    let mut details = details(
        &body,
        &[
            ("attach", "/attach"),
            ("description", "/description"),
            ("device_info", "/scene_info/device_id"),
        ],
        call,
    );
    details.insert("trade_type", "MICROPAY".to_owned());
    party.keep(&mut details);
    let now = desk.now();
    let placement = Placement {
        account: merchant.account,
        order_no: order_no.to_owned(),
        amount: fen(&body, "/amount/total")?,
        expires_at: Some(UnixTime::from_seconds(now.seconds().saturating_add(ORDER_LIFE))),
        // Nothing is told of these orders but the answer and what a query says.
        notify_url: None,
        payer: None,
        details,
        fingerprint: body.to_string(),
    };
    let shown = Shown {
        code: text("/payer/auth_code").unwrap_or_default(),
        merchant: party.merchant.unwrap_or(merchant.id),
    };
    let terms = Terms {
        transaction_id: new_transaction_id(desk.ambient),
        bank: "OTHERS",
    };
    let order = desk
        .book
        .charge(placement, &shown, terms, now)
        .map_err(not_charged)?
        .clone();
    match unpaid(&order) {
        None => Ok(Answer::Json(StatusCode::OK, transaction(&desk.told(&order), desk))),
        Some(Unpaid::Typing) => Ok(Answer::Json(
            StatusCode::ACCEPTED,
            json!({ "out_trade_no": order.order_no, "trade_state": "USERPAYING" }),
        )),
        Some(Unpaid::Refused(refusal)) => Err(refusal),
    }
}

/// The public codes where the page has one; of what is wrong with the code itself it has none, so the names of the older
/// API stand in.
fn not_charged(error: BookError) -> Refusal {
    match error {
        BookError::CodeExpired => Refusal::new(400, "AUTHCODEEXPIRE", "付款码已过期,请用户刷新后重试"),
        BookError::CodeUsed => Refusal::new(400, "AUTH_CODE_ERROR", "付款码已被使用,请用户刷新后重试"),
        BookError::CodeUnknown | BookError::CodeOfAnother => Refusal::new(400, "AUTH_CODE_INVALID", "请扫描微信付款码"),
        BookError::OtherPayer => Refusal::new(403, "OUT_TRADE_NO_USED", "商户订单号重复").numbered(268_498_688),
        other => super::placing::not_placed(other),
    }
}

enum Unpaid {
    Typing,
    Refused(Refusal),
}

/// Why a charged order is not paid, or not yet.
fn unpaid(order: &Order) -> Option<Unpaid> {
    let reaction = order.charge.as_ref().map(|charge| charge.payer.reaction)?;
    let (status, code, words) = match (order.state(), reaction) {
        (OrderState::PayerTyping, Reaction::BankSilent) => (500, "BANK_ERROR", "银行系统异常"),
        (OrderState::PayerTyping, _) => return Some(Unpaid::Typing),
        (OrderState::PaymentFailed, Reaction::LacksMoney) => (403, "NOT_ENOUGH", "用户账户余额不足"),
        (OrderState::PaymentFailed, Reaction::CardRefused) => (403, "TRADE_ERROR", "用户使用的卡种不支持"),
        (OrderState::PaymentFailed, Reaction::Refused) => (403, "RULE_LIMIT", "业务规则限制"),
        (OrderState::Unpaid | OrderState::PaymentFailed, _) => (403, "TRADE_ERROR", "支付失败"),
        _ => return None,
    };
    Some(Unpaid::Refused(Refusal::new(status, code, words)))
}

/// The page calls `sp_appid` optional; merchants report that the call fails without it.
const REVERSE: &[Member] = &[
    maybe("sp_appid", Kind::Text(1, 32)),
    need("sp_mchid", Kind::Text(1, 32)),
    maybe("sub_appid", Kind::Text(1, 32)),
    need("sub_mchid", Kind::Text(1, 32)),
];

pub(super) fn reverse(
    order_no: &str,
    merchant: &Merchant,
    call: &Call<'_>,
    desk: &mut Desk<'_>,
) -> Result<Answer, Refusal> {
    let body = read(call.body, &[merchant.shaped(OWN_IDS, REVERSE)])?;
    if merchant.account.is_provider && body.get("sp_appid").is_none() {
        return Err(Refusal::new(500, "SYSTEM_ERROR", "系统错误"));
    }
    let party = merchant.party_in_body(&body, true)?;
    party.must_own(find(Named::Ours(order_no), merchant, desk)?)?;
    let refund_id = format!(
        "5030{}{}",
        desk.ambient.now().beijing_date().compact(),
        desk.ambient.digits(16)
    );
    let now = desk.now();
    let reversed = desk.book.reverse(merchant.account, order_no, refund_id, now);
    let order = reversed.map_err(|error| match error {
        BookError::UnknownOrder => absent(),
        BookError::NotAtTill => Refusal::new(400, "INVALID_REQUEST", "非付款码支付的订单不能撤销"),
        BookError::Late => Refusal::new(400, "INVALID_REQUEST", "订单超过7天不能撤销"),
        BookError::Refunded => Refusal::new(403, "TRADE_ERROR", "订单已发起退款"),
        _ => Refusal::new(500, "SYSTEM_ERROR", "系统错误"),
    })?;
    let mut members = ids_of(order, true);
    members.insert("out_trade_no".to_owned(), json!(order.order_no));
    Ok(Answer::Json(StatusCode::OK, Value::Object(members)))
}
