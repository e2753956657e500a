//! Refunds and their query (section 9.5 of the sheet, which has the requests alone).
//!
//! What the answers hold is the sandbox's own reading of the sheet's guess: the four numbers and a `status`, by the codes
//! that the platform keeps for payments. A refund takes the whole order, and nobody is called back about it.

use yuanfen_core::{JsonTaker, Object};

use super::Refusal;
use super::orders::{TRADE_NO, named};
use crate::book::{BookError, Details, Order, Refund, RefundRequest, RefundState};
use crate::platforms::flat_json::FlatJson;
use crate::platforms::{Desk, Platform};

/// `fshows.liquidation.pay.refund`.
pub(super) fn create(content: &Object, desk: &mut Desk<'_>) -> Result<FlatJson, Refusal> {
    let order = named(content, desk)?.clone();
    let refund_no: String = JsonTaker::new(content).need("out_refund_no")?;
    let is_one = |byte: u8| byte.is_ascii_alphanumeric() || byte == b'_';
    if refund_no.len() > 32 || !refund_no.bytes().all(is_one) {
        return Err(Refusal::parameter("out_refund_no"));
    }
    let now = desk.now();
    let request = RefundRequest {
        refund_no: refund_no.clone(),
        refund_id: format!("{}{}", now.beijing_date().compact(), desk.ambient.digits(20)),
        amount: order.amount,
        total: None,
        spaced: false,
        notify_url: None,
        details: Details::new(),
        fingerprint: String::new(),
    };
    let taken = desk.book.refund(Platform::Fshows, &order.order_no, request, now);
    taken.map(|_| ()).map_err(|error| match error {
        BookError::Differs => Refusal::new("-206", "重复订单号"),
        _ => Refusal::new("-220", "无效操作"),
    })?;
    let known = desk.book.by_refund(Platform::Fshows, &refund_no);
    let (order, refund) = known.ok_or_else(|| Refusal::new("-302", "退款失败"))?;
    Ok(record(order, refund))
}

/// `fshows.liquidation.pay.refund.query`.
pub(super) fn query(content: &Object, desk: &mut Desk<'_>) -> Result<FlatJson, Refusal> {
    let order = named(content, desk)?.clone();
    let mut taker = JsonTaker::new(content);
    let ours: Option<String> = taker.maybe("out_refund_no")?;
    let theirs: Option<String> = taker.maybe("refund_no")?;
    if ours.is_none() && theirs.is_none() {
        return Err(Refusal::parameter("out_refund_no"));
    }
    let is_it = |refund: &&Refund| {
        ours.as_ref().is_none_or(|number| *number == refund.refund_no)
            && theirs.as_ref().is_none_or(|number| *number == refund.refund_id)
    };
    let refund = order.refunds.iter().find(is_it);
    let refund = refund.ok_or_else(|| Refusal::new("-207", "订单不存在"))?;
    Ok(record(&order, refund))
}

fn record(order: &Order, refund: &Refund) -> FlatJson {
    let mut value = FlatJson::default();
    value.text(TRADE_NO, order.detail(TRADE_NO).unwrap_or_default());
    value.text("out_trade_no", &order.order_no);
    value.text("refund_no", &refund.refund_id);
    value.text("out_refund_no", &refund.refund_no);
    let status = match refund.state {
        RefundState::Processing => "3",
        RefundState::Succeeded => "4",
        RefundState::Closed | RefundState::Abnormal => "5",
    };
    value.bare("status", status);
    value
}
