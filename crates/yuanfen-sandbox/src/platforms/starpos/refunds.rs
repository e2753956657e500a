//! Refunds, and the query about one (sections 6.5 and 6.6 of the sheet).
//!
//! A refund's number is the `tradeNo` of the call that asks for it. It is done at once, or undecided (`Z`) while the
//! gateway is unsure, until the sandbox is told how it ended. The push of refunds (`L005`) is not played.

use yuanfen_core::{Fen, Fields, WireText as _};

use super::orders::{LOG_NO, TRADE_NO, push_amounts, push_echoes};
use super::{Refusal, Starpos, accepted, put, schema};
use crate::book::{BookError, Details, Order, Refund, RefundRequest, RefundState};
use crate::platforms::{Desk, Platform};

impl Starpos {
    pub(super) fn refund(&mut self, fields: &Fields, desk: &mut Desk<'_>) -> Result<Fields, Refusal> {
        schema::check(fields, schema::REFUND)?;
        self.use_trade_no(fields.filled(TRADE_NO))?;
        let number = fields.get(TRADE_NO).unwrap_or_default();
        let channel_no = fields.get("orderNo").unwrap_or_default();
        let order = desk.book.by_transaction(Platform::Starpos, channel_no);
        let order = order.cloned().ok_or_else(|| Refusal::new("900004", "原交易不存在"))?;
        let amount = match fields.filled("txnAmt") {
            // All that was paid; where a part went back already, that is too much.
            None => order.amount,
            Some(text) => Fen::from_fen_text(text).map_err(|_| Refusal::field("txnAmt"))?,
        };
        let now = desk.now();
        let request = RefundRequest {
            refund_no: number.to_owned(),
            refund_id: format!("{}{}", now.beijing_date().compact(), desk.ambient.digits(10)),
            amount,
            total: None,
            spaced: false,
            notify_url: None,
            details: Details::new(),
            fingerprint: String::new(),
        };
        let log_no = request.refund_id.clone();
        let taken = desk.book.refund(Platform::Starpos, &order.order_no, request, now);
        let (result, words) = match taken.map(|_| ()) {
            Ok(()) if self.is_unsure => ("Z", "交易结果未知"),
            Ok(()) => {
                let ended = desk
                    .book
                    .settle_refund(Platform::Starpos, number, RefundState::Succeeded, now);
                debug_assert!(ended.is_ok(), "a new refund had come to its end");
                ("S", "退款成功")
            }
            Err(BookError::Exceeds) => ("F", "退款金额超限"),
            Err(BookError::Overdue) => ("F", "已超过退款期限"),
            Err(_) => ("F", "退款失败"),
        };
        let mut reply = accepted(words, desk);
        put(&mut reply, TRADE_NO, number);
        put(&mut reply, LOG_NO, &log_no);
        put(&mut reply, "result", result);
        put(&mut reply, "txnAmt", &amount.to_text());
        push_amounts(&mut reply, &order);
        push_echoes(&mut reply, &order, fields);
        Ok(reply)
    }

    /// Answers the query of a number that is a refund's.
    pub(super) fn refund_found(fields: &Fields, order: &Order, refund: &Refund, desk: &Desk<'_>) -> Fields {
        let (result, words) = match refund.state {
            RefundState::Succeeded => ("S", "退款成功"),
            RefundState::Closed => ("F", "退款失败"),
            RefundState::Processing | RefundState::Abnormal => ("Z", "交易结果未知"),
        };
        let mut reply = accepted(words, desk);
        put(&mut reply, TRADE_NO, fields.get(TRADE_NO).unwrap_or_default());
        put(&mut reply, LOG_NO, &refund.refund_id);
        put(&mut reply, "result", result);
        put(&mut reply, "payChannel", desk.open_value("WXPAY"));
        let payment = order.payment.as_ref();
        let channel_no = payment.map(|payment| payment.transaction_id.as_str());
        put(&mut reply, "orderNo", channel_no.unwrap_or_default());
        push_amounts(&mut reply, order);
        push_echoes(&mut reply, order, fields);
        if schema::is_later(fields) {
            put(&mut reply, "refAmt", &refund.amount.to_text());
        }
        reply
    }
}

/// The refund whose `tradeNo` or `logNo` a query gives.
pub(super) fn named(number: &str, desk: &Desk<'_>) -> Option<(Order, Refund)> {
    let found = desk.book.by_refund(Platform::Starpos, number);
    let found = found.or_else(|| desk.book.by_refund_id(Platform::Starpos, number));
    found.map(|(order, refund)| (order.clone(), refund.clone()))
}
