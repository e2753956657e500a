//! Refunds and what is told of them (sections 11.5 and 17 of the sheet).

use http::StatusCode;
use serde_json::{Value, json};
use yuanfen_core::{Ambient as _, Fen, Rfc3339};

use super::caller::{Merchant, Party, SUB_NUMBER, ids_of};
use super::frequency::too_frequent;
use super::placing::{check_notify_url, check_number, fen};
use super::schema::{Kind, Member, maybe, need, read, wrong};
use super::{Answer, Refusal, only, query_of};
use crate::bills::Shares;
use crate::book::{BookError, Details, Order, OrderState, Payment, Refund, RefundRequest, RefundState};
use crate::platforms::{Call, Desk};

const CREATE: &[Member] = &[
    maybe("transaction_id", Kind::Text(1, 32)),
    maybe("out_trade_no", Kind::Text(6, 32)),
    need("out_refund_no", Kind::Text(1, 64)),
    maybe("reason", Kind::Text(1, 80)),
    maybe("notify_url", Kind::Text(1, 256)),
    maybe("funds_account", Kind::Text(1, 32)),
    need(
        "amount",
        Kind::Object(&[
            need("refund", Kind::Integer(1)),
            need("total", Kind::Integer(1)),
            need("currency", Kind::Text(1, 16)),
            maybe(
                "from",
                Kind::Objects(&[need("account", Kind::Text(1, 32)), need("amount", Kind::Integer(1))]),
            ),
        ]),
    ),
    maybe(
        "goods_detail",
        Kind::Objects(&[
            need("merchant_goods_id", Kind::Text(1, 32)),
            maybe("wechatpay_goods_id", Kind::Text(1, 32)),
            maybe("goods_name", Kind::Text(1, 256)),
            need("unit_price", Kind::Integer(0)),
            need("refund_amount", Kind::Integer(0)),
            need("refund_quantity", Kind::Integer(1)),
        ]),
    ),
];

pub(super) fn create(merchant: &Merchant, call: &Call<'_>, desk: &mut Desk<'_>) -> Result<Answer, Refusal> {
    let body = read(call.body, &[merchant.shaped(&[], SUB_NUMBER), CREATE])?;
    let text = |pointer: &str| body.pointer(pointer).and_then(Value::as_str);
    let party = sub_merchant(merchant, text("/sub_mchid"))?;
    let now = desk.now();
    let refund_no = text("/out_refund_no").unwrap_or_default();
    check_number("/out_refund_no", refund_no, b"_-|*@")?;
    if text("/amount/currency") != Some("CNY") {
        return Err(wrong("/amount/currency", "取值不在枚举中"));
    }
    if text("/funds_account").is_some_and(|account| !matches!(account, "AVAILABLE" | "UNSETTLED")) {
        return Err(wrong("/funds_account", "取值不在枚举中"));
    }
    check_notify_url(text("/notify_url"))?;
    if let Some(accounts) = body.pointer("/amount/from").and_then(Value::as_array) {
        let named = accounts.iter().filter_map(|account| account.get("account")?.as_str());
        let mut named: Vec<&str> = named.collect();
        named.sort_unstable();
        if !matches!(
            named.as_slice(),
            ["AVAILABLE"] | ["UNAVAILABLE"] | ["AVAILABLE", "UNAVAILABLE"]
        ) {
            return Err(wrong("/amount/from", "出资账户类型错误或重复"));
        }
        let amounts = accounts.iter().filter_map(|account| account.get("amount")?.as_i64());
        if Fen::try_sum(amounts.map(Fen::new)) != Some(fen(&body, "/amount/refund")?) {
            return Err(wrong("/amount/from", "出资金额之和须等于退款金额"));
        }
    }
    let order = match (text("/transaction_id"), text("/out_trade_no")) {
        (None, None) => return Err(wrong("/out_trade_no", "transaction_id和out_trade_no必填其一")),
        (Some(transaction_id), order_no) => desk
            .book
            .by_transaction(merchant.account, transaction_id)
            .filter(|order| order_no.is_none_or(|order_no| order.order_no == order_no)),
        (None, Some(order_no)) => desk.book.order(merchant.account, order_no, now),
    };
    // Of a combined order each part is refunded, never the whole.
    let order = order
        .filter(|order| order.parts.is_empty())
        .ok_or_else(|| Refusal::new(404, "RESOURCE_NOT_EXISTS", "订单不存在"))?;
    party.must_own(order)?;
    let is_refunded = order.state() == OrderState::Refunded;
    let order_no = order.order_no.clone();
    let mut details = Details::new();
    let account = text("/funds_account").unwrap_or("AVAILABLE");
    details.insert("funds_account", account.to_owned());
    if let Some(accounts) = body.pointer("/amount/from") {
        details.insert("from", accounts.to_string());
    }
    let request = RefundRequest {
        refund_no: refund_no.to_owned(),
        refund_id: format!(
            "5030{}{}",
            desk.ambient.now().beijing_date().compact(),
            desk.ambient.digits(16)
        ),
        amount: fen(&body, "/amount/refund")?,
        total: Some(fen(&body, "/amount/total")?),
        spaced: true,
        notify_url: text("/notify_url").map(str::to_owned),
        details,
        fingerprint: body.to_string(),
    };
    let (refund, _) = desk
        .book
        .refund(merchant.account, &order_no, request, now)
        .map_err(|error| match error {
            BookError::UnknownOrder => Refusal::new(404, "RESOURCE_NOT_EXISTS", "订单不存在"),
            BookError::Total => Refusal::new(400, "REFUND_FEE_MISMATCH", "订单金额与原订单不一致"),
            BookError::Overdue => Refusal::new(400, "TRADE_OVERDUE", "订单已超过退款期限"),
            BookError::Differs => Refusal::new(400, "PARAM_ERROR", "同一退款单号的参数与之前不一致"),
            BookError::Unpaid => Refusal::new(400, "INVALID_REQUEST", "订单未支付"),
            BookError::TooMany => Refusal::new(400, "INVALID_REQUEST", "一笔订单最多支持50次部分退款"),
            BookError::TooSoon => too_frequent("同一笔订单的退款需间隔1分钟"),
            BookError::Poor => Refusal::new(403, "NOT_ENOUGH", "商户余额不足,请充值后使用原退款单号重试"),
            BookError::Exceeds if is_refunded => Refusal::new(400, "INVALID_REQUEST", "订单已全额退款"),
            BookError::Exceeds => Refusal::new(400, "INVALID_REQUEST", "申请退款金额超过可退金额"),
            _ => Refusal::new(400, "INVALID_REQUEST", "退款请求无效"),
        })?;
    let refund_no = refund.refund_no.clone();
    answer(merchant, desk, &refund_no)
}

/// The sub-merchant that a call about a refund names: none of a merchant's own.
pub(super) fn sub_merchant(merchant: &Merchant, number: Option<&str>) -> Result<Party, Refusal> {
    match (merchant.account.is_provider, number) {
        (false, None) => Ok(Party::default()),
        (true, Some(number)) => merchant.party_of(number, None),
        (true, None) => Err(Refusal::new(400, "PARAM_ERROR", "缺少sub_mchid").numbered(268_443_704)),
        (false, Some(_)) => Err(Refusal::new(400, "PARAM_ERROR", "参数不在接口定义中").numbered(270_924_358)),
    }
}

pub(super) fn query(refund_no: &str, merchant: &Merchant, call: &Call<'_>, desk: &Desk<'_>) -> Result<Answer, Refusal> {
    let query = query_of(call)?;
    only(&query, &["sub_mchid"])?;
    let party = sub_merchant(merchant, query.get("sub_mchid"))?;
    if let Some((order, _)) = desk.book.by_refund(merchant.account, refund_no) {
        party.must_own(order)?;
    }
    answer(merchant, desk, refund_no)
}

pub(super) fn answer(merchant: &Merchant, desk: &Desk<'_>, refund_no: &str) -> Result<Answer, Refusal> {
    let missing = || Refusal::new(404, "RESOURCE_NOT_EXISTS", "退款单不存在");
    let (order, _) = desk.book.by_refund(merchant.account, refund_no).ok_or_else(missing)?;
    let order = desk.told(order);
    let refund = order.refund(refund_no).ok_or_else(missing)?;
    object(&order, refund, desk)
        .map(|object| Answer::Json(StatusCode::OK, object))
        .ok_or_else(missing)
}

const fn state_of(refund: &Refund) -> &'static str {
    match refund.state {
        RefundState::Processing => "PROCESSING",
        RefundState::Succeeded => "SUCCESS",
        RefundState::Closed => "CLOSED",
        RefundState::Abnormal => "ABNORMAL",
    }
}

/// The refund object of section 17.2. `None` only of an order that was never paid, which has no refund.
fn object(order: &Order, refund: &Refund, desk: &Desk<'_>) -> Option<Value> {
    let payment = order.payment.as_ref()?;
    let (whole, part) = (
        Shares::of(order, payment, None),
        Shares::of(order, payment, Some(refund)),
    );
    let mut object = json!({
        "refund_id": refund.refund_id,
        "out_refund_no": refund.refund_no,
        "transaction_id": payment.transaction_id,
        "out_trade_no": order.order_no,
        "channel": desk.open_value("ORIGINAL"),
        "user_received_account": "支付用户零钱",
        "create_time": Rfc3339(refund.created_at).to_string(),
        "status": state_of(refund),
        "funds_account": refund.detail("funds_account").unwrap_or("AVAILABLE"),
        "amount": {
            "total": order.amount,
            "refund": refund.amount,
            "payer_total": whole.payer,
            "payer_refund": part.payer,
            "settlement_refund": part.settled,
            "settlement_total": whole.settled,
            "discount_refund": part.coupons,
            "currency": "CNY",
        },
    });
    put_success_time(&mut object, refund);
    if part.coupons > Fen::ZERO
        && let Some(members) = object.as_object_mut()
    {
        members.insert("promotion_detail".to_owned(), taken_back(payment, part));
    }
    // As the merchant divided it between its accounts.
    let accounts: Option<Value> = refund.detail("from").and_then(|from| serde_json::from_str(from).ok());
    if let (Some(accounts), Some(amount)) = (accounts, object.get_mut("amount").and_then(Value::as_object_mut)) {
        amount.insert("from".to_owned(), accounts);
    }
    Some(object)
}

/// What each coupon takes back.
fn taken_back(payment: &Payment, part: Shares) -> Value {
    let back = part.by_coupon(payment).into_iter().map(|(coupon, back)| {
        json!({
            "promotion_id": coupon.id,
            "scope": "GLOBAL",
            "type": if coupon.prepaid { "CASH" } else { "NOCASH" },
            "amount": coupon.amount,
            "refund_amount": back,
        })
    });
    Value::Array(back.collect())
}

/// The plaintext of a refund notice, section 11.5: `refund_status` where the object says `status`.
pub(super) fn notice(order: &Order, refund: &Refund) -> Option<Value> {
    let payment = order.payment.as_ref()?;
    let (whole, part) = (
        Shares::of(order, payment, None),
        Shares::of(order, payment, Some(refund)),
    );
    let mut object = json!({
        "transaction_id": payment.transaction_id,
        "out_trade_no": order.order_no,
        "refund_id": refund.refund_id,
        "out_refund_no": refund.refund_no,
        "refund_status": state_of(refund),
        "user_received_account": "支付用户零钱",
        "amount": {
            "total": order.amount,
            "refund": refund.amount,
            "payer_total": whole.payer,
            "payer_refund": part.payer,
        },
    });
    if let Some(members) = object.as_object_mut() {
        members.extend(ids_of(order, false));
    }
    put_success_time(&mut object, refund);
    Some(object)
}

fn put_success_time(object: &mut Value, refund: &Refund) {
    let settled = refund.settled_at.filter(|_| refund.state == RefundState::Succeeded);
    if let (Some(at), Some(members)) = (settled, object.as_object_mut()) {
        members.insert("success_time".to_owned(), json!(Rfc3339(at).to_string()));
    }
}
