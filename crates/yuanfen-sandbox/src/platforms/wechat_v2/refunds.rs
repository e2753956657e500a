//! Refunds, their query and their notice (sections 6.4, 6.5 and 8.2 of the sheet).
//!
//! In life a refund is taken over a connection that shows the merchant's certificate. Plain http cannot ask for one,
//! so here the signature alone says who asks. The minute between two refunds of one order is not kept either.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use bytes::Bytes;
use http::{Request, header};
use yuanfen_core::{Ambient as _, ClockDashed, Fen, Fields, WireText as _, nonce_text};
use yuanfen_sign::legacy::{aes_256_ecb_seal, md5_hex};
use yuanfen_xml::write;

use super::{Refusal, WechatV2, fingerprint, lacks, put, to_xml};
use crate::bills::{Shares, proportion};
use crate::book::{BookError, Coupon, Details, Order, Payment, Refund, RefundRequest, RefundState};
use crate::deliver::Event;
use crate::keys::{WECHAT_API_KEY, WECHAT_APP_ID, WECHAT_MERCHANT_ID};
use crate::platforms::{Desk, Platform};

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
const UNSETTLED: &str = "REFUND_SOURCE_UNSETTLED_FUNDS";
const RECHARGE: &str = "REFUND_SOURCE_RECHARGE_FUNDS";

/// How many refunds a query answers at most.
const PAGE: usize = 10;

impl WechatV2 {
    pub(super) fn refund(&self, fields: &Fields, desk: &mut Desk<'_>) -> Result<Fields, Refusal> {
        for (name, most) in TEXTS {
            if fields.get(name).is_some_and(|value| value.chars().count() > *most) {
                return Err(Refusal::field(name));
            }
        }
        let refund_no = fields.filled("out_refund_no").ok_or_else(|| lacks("out_refund_no"))?;
        let allowed = |byte: u8| byte.is_ascii_alphanumeric() || b"_-|*@".contains(&byte);
        if !refund_no.bytes().all(allowed) {
            return Err(Refusal::field("out_refund_no"));
        }
        let (total, amount) = (fen(fields, "total_fee")?, fen(fields, "refund_fee")?);
        if fields
            .filled("refund_fee_type")
            .is_some_and(|currency| currency != "CNY")
        {
            return Err(Refusal::field("refund_fee_type"));
        }
        let account = fields.filled("refund_account").unwrap_or(UNSETTLED);
        if ![UNSETTLED, RECHARGE].contains(&account) {
            return Err(Refusal::field("refund_account"));
        }
        let notify_url = fields.filled("notify_url");
        let callable =
            |url: &str| (url.starts_with("https://") || url.starts_with("http://")) && !url.contains(['?', '#']);
        if notify_url.is_some_and(|url| !callable(url)) {
            return Err(Refusal::field("notify_url"));
        }
        let order_no = order_of(fields, desk)?.order_no;
        let mut details = Details::new();
        details.insert("refund_account", account.to_owned());
        let day = desk.now().beijing_date().compact();
        let request = RefundRequest {
            refund_no: refund_no.to_owned(),
            refund_id: format!("5030{day}{}", desk.ambient.digits(16)),
            amount,
            total: Some(total),
            notify_url: notify_url.map(str::to_owned),
            details,
            fingerprint: fingerprint(fields),
        };
        let now = desk.ambient.now();
        let taken = desk.book.refund(Platform::WechatV2, &order_no, request, now);
        taken.map(|_| ()).map_err(|error| match error {
            BookError::UnknownOrder => Refusal::new("ORDERNOTEXIST", "订单不存在"),
            BookError::Unpaid => Refusal::new("TRADE_STATE_ERROR", "订单未支付"),
            BookError::Overdue => Refusal::new("TRADE_OVERDUE", "订单已经超过退款期限"),
            BookError::Total => Refusal::new("PARAM_ERROR", "订单金额与原订单不一致"),
            BookError::Differs => Refusal::new("PARAM_ERROR", "同一退款单号的参数与之前不一致"),
            BookError::TooMany => Refusal::new("TRADE_STATE_ERROR", "一笔订单最多支持50次部分退款"),
            BookError::Exceeds => Refusal::new("ERROR", "申请退款金额超过可退金额"),
            _ => Refusal::new("ERROR", "退款请求无效"),
        })?;
        let mut reply = self.reply(desk);
        let known = desk.book.by_refund(Platform::WechatV2, refund_no);
        let known = known.and_then(|(order, refund)| Some((order, order.payment.as_ref()?, refund)));
        if let Some((order, payment, refund)) = known {
            push_order(&mut reply, order, payment);
            put(&mut reply, "out_refund_no", &refund.refund_no);
            put(&mut reply, "refund_id", &refund.refund_id);
            put(&mut reply, "refund_fee", &refund.amount.to_text());
            let shares = Shares::of(order, payment, Some(refund));
            put(&mut reply, "cash_refund_fee", &shares.payer.to_text());
            if shares.given_up > Fen::ZERO {
                put(&mut reply, "settlement_refund_fee", &shares.settled.to_text());
            }
            if shares.coupons > Fen::ZERO {
                put(&mut reply, "coupon_refund_fee", &shares.coupons.to_text());
                push_coupons(&mut reply, "", &coupons_of(payment, shares));
            }
        }
        Ok(reply)
    }

    pub(super) fn refund_query(&self, fields: &Fields, desk: &mut Desk<'_>) -> Result<Fields, Refusal> {
        let missing = || Refusal::new("REFUNDNOTEXIST", "退款订单查询失败");
        let by_number = if let Some(refund_id) = fields.filled("refund_id") {
            let mut all = desk.book.of(Platform::WechatV2);
            let found = all.find_map(|order| {
                let refund = order.refunds.iter().find(|refund| refund.refund_id == refund_id)?;
                Some((order.clone(), refund.clone()))
            });
            Some(found.ok_or_else(missing)?)
        } else if let Some(refund_no) = fields.filled("out_refund_no") {
            let found = desk.book.by_refund(Platform::WechatV2, refund_no).ok_or_else(missing)?;
            Some((found.0.clone(), found.1.clone()))
        } else {
            None
        };
        let (order, shown, all) = match by_number {
            Some((order, refund)) => (order, vec![refund], None),
            None => {
                let order = order_of(fields, desk).map_err(|refusal| {
                    if refusal.code == "ORDERNOTEXIST" {
                        missing()
                    } else {
                        refusal
                    }
                })?;
                if order.refunds.is_empty() {
                    return Err(missing());
                }
                let offset = match fields.filled("offset") {
                    None => 0,
                    Some(offset) => offset.parse().map_err(|_| Refusal::field("offset"))?,
                };
                let all = order.refunds.len();
                if offset >= all {
                    return Err(Refusal::field("offset"));
                }
                let page = order.refunds.iter().skip(offset).take(PAGE).cloned().collect();
                (order, page, Some(all))
            }
        };
        let payment = order.payment.as_ref().ok_or_else(missing)?;
        let mut reply = self.reply(desk);
        push_order(&mut reply, &order, payment);
        if let Some(all) = all {
            put(&mut reply, "total_refund_count", &all.to_string());
        }
        put(&mut reply, "refund_count", &shown.len().to_string());
        for (index, refund) in shown.iter().enumerate() {
            push_record(&mut reply, &order, payment, refund, index, desk);
        }
        Ok(reply)
    }

    /// The refund's end, sealed under the API key and signed by nobody.
    pub(super) fn refund_notice(&self, event: &Event, refund_no: &str, desk: &Desk<'_>) -> Option<Request<Bytes>> {
        let order = &event.order;
        let (refund, payment) = (order.refund(refund_no)?, order.payment.as_ref()?);
        let shares = Shares::of(order, payment, Some(refund));
        let mut told = Fields::new();
        put(&mut told, "out_refund_no", &refund.refund_no);
        put(&mut told, "out_trade_no", &order.order_no);
        put(
            &mut told,
            "refund_account",
            refund.detail("refund_account").unwrap_or(UNSETTLED),
        );
        put(&mut told, "refund_fee", &refund.amount.to_text());
        put(&mut told, "refund_id", &refund.refund_id);
        put(&mut told, "refund_recv_accout", RECEIVER);
        put(&mut told, "refund_request_source", "API");
        put(&mut told, "refund_status", status_of(refund));
        put(&mut told, "settlement_refund_fee", &shares.settled.to_text());
        put(
            &mut told,
            "settlement_total_fee",
            &Shares::of(order, payment, None).settled.to_text(),
        );
        if let Some(at) = succeeded_at(refund) {
            put(&mut told, "success_time", &at);
        }
        put(&mut told, "total_fee", &order.amount.to_text());
        put(&mut told, "transaction_id", &payment.transaction_id);
        let plaintext = write("root", &told).ok()?;
        // The digest's 32 lower-case hex characters are the key's 32 bytes.
        let hex = md5_hex(WECHAT_API_KEY.as_bytes());
        let key: &[u8; 32] = hex.as_bytes().try_into().ok()?;
        let mut fields = Fields::new();
        put(&mut fields, "return_code", "SUCCESS");
        put(&mut fields, "appid", WECHAT_APP_ID);
        put(&mut fields, "mch_id", WECHAT_MERCHANT_ID);
        put(&mut fields, "nonce_str", &nonce_text(desk.ambient));
        put(
            &mut fields,
            "req_info",
            &STANDARD.encode(aes_256_ecb_seal(key, plaintext.as_ref())),
        );
        Request::post(event.url.as_str())
            .header(header::CONTENT_TYPE, "text/xml")
            .header(header::USER_AGENT, "Mozilla/4.0")
            .body(to_xml(&fields))
            .ok()
    }
}

/// The payer's account, in the platform's words.
const RECEIVER: &str = "支付用户零钱";

fn fen(fields: &Fields, name: &str) -> Result<Fen, Refusal> {
    let text = fields.filled(name).ok_or_else(|| lacks(name))?;
    Fen::from_fen_text(text)
        .ok()
        .filter(|amount| *amount > Fen::ZERO)
        .ok_or_else(|| Refusal::field(name))
}

/// The order that a call names. The platform's number wins where both are there.
fn order_of(fields: &Fields, desk: &mut Desk<'_>) -> Result<Order, Refusal> {
    let now = desk.now();
    let order = match (fields.filled("transaction_id"), fields.filled("out_trade_no")) {
        (Some(transaction_id), _) => desk.book.by_transaction(Platform::WechatV2, transaction_id),
        (None, Some(order_no)) => desk.book.order(Platform::WechatV2, order_no, now),
        (None, None) => return Err(lacks("out_trade_no")),
    };
    order
        .map(|order| order.clone())
        .ok_or_else(|| Refusal::new("ORDERNOTEXIST", "订单不存在"))
}

fn push_order(reply: &mut Fields, order: &Order, payment: &Payment) {
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

fn push_record(reply: &mut Fields, order: &Order, payment: &Payment, refund: &Refund, index: usize, desk: &Desk<'_>) {
    let shares = Shares::of(order, payment, Some(refund));
    let mut push = |family: &str, value: &str| put(reply, &format!("{family}_{index}"), value);
    push("out_refund_no", &refund.refund_no);
    push("refund_id", &refund.refund_id);
    push("refund_channel", desk.open_value("ORIGINAL"));
    push("refund_fee", &refund.amount.to_text());
    if shares.given_up > Fen::ZERO {
        push("settlement_refund_fee", &shares.settled.to_text());
    }
    push("refund_status", status_of(refund));
    push("refund_account", refund.detail("refund_account").unwrap_or(UNSETTLED));
    push("refund_recv_accout", RECEIVER);
    if let Some(at) = succeeded_at(refund) {
        push("refund_success_time", &at);
    }
    if shares.coupons > Fen::ZERO {
        push("coupon_refund_fee", &shares.coupons.to_text());
        push_coupons(reply, &format!("_{index}"), &coupons_of(payment, shares));
    }
}

/// Coupons and what each of them takes back, with their count.
fn push_coupons(reply: &mut Fields, suffix: &str, coupons: &[(&Coupon, Fen)]) {
    put(
        reply,
        &format!("coupon_refund_count{suffix}"),
        &coupons.len().to_string(),
    );
    for (index, (coupon, back)) in coupons.iter().enumerate() {
        let kind = if coupon.prepaid { "CASH" } else { "NO_CASH" };
        put(reply, &format!("coupon_type{suffix}_{index}"), kind);
        put(reply, &format!("coupon_refund_id{suffix}_{index}"), &coupon.id);
        put(reply, &format!("coupon_refund_fee{suffix}_{index}"), &back.to_text());
    }
}

/// What each coupon of the payment takes back of a refund that divides so: coupons of one kind share what that kind
/// takes back in proportion, and together take back all of it.
fn coupons_of(payment: &Payment, shares: Shares) -> Vec<(&Coupon, Fen)> {
    let received = shares.coupons.try_sub(shares.given_up).unwrap_or(Fen::ZERO);
    let mut back = Vec::new();
    for (prepaid, part) in [(true, received), (false, shares.given_up)] {
        let of_kind = || payment.coupons.iter().filter(move |coupon| coupon.prepaid == prepaid);
        let whole = Fen::try_sum(of_kind().map(|coupon| coupon.amount)).unwrap_or(Fen::ZERO);
        let (mut passed, mut given) = (Fen::ZERO, Fen::ZERO);
        for coupon in of_kind() {
            passed = passed.try_add(coupon.amount).unwrap_or(passed);
            let until = proportion(part, passed, whole);
            back.push((coupon, until.try_sub(given).unwrap_or(Fen::ZERO)));
            given = until;
        }
    }
    back
}

const fn status_of(refund: &Refund) -> &'static str {
    match refund.state {
        RefundState::Processing => "PROCESSING",
        RefundState::Succeeded => "SUCCESS",
        RefundState::Closed => "REFUNDCLOSE",
        RefundState::Abnormal => "CHANGE",
    }
}

fn succeeded_at(refund: &Refund) -> Option<String> {
    let at = refund.settled_at.filter(|_| refund.state == RefundState::Succeeded)?;
    Some(ClockDashed(at).to_string())
}
