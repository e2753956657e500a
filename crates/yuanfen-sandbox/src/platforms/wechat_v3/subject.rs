//! Who makes a call and about which order, by its own words; nothing is checked.

use serde_json::Value;

use super::authorization;
use super::caller::Merchant;
use super::operation::Operation;
use crate::book::Book;
use crate::faults::Subject;
use crate::platforms::{Call, Platform};

pub(super) fn of(call: &Call<'_>, merchants: &[Merchant], book: &Book) -> Subject {
    let claimed = authorization::claimed(call, merchants);
    let account = claimed.map_or(Platform::WechatV3.into(), |merchant| merchant.account);
    let by_transaction = |id: &str| book.by_transaction(account, id).map(|order| order.order_no.clone());
    let in_body = || {
        let body: Value = serde_json::from_slice(call.body).ok()?;
        let text = |name: &str| body.get(name).and_then(Value::as_str);
        let number = text("out_trade_no").or_else(|| text("combine_out_trade_no"));
        number
            .map(str::to_owned)
            .or_else(|| by_transaction(text("transaction_id")?))
    };
    let order_no = match Operation::of(call) {
        Ok(
            Operation::QueryOrder(number, _)
            | Operation::CloseOrder(number, _)
            | Operation::ReverseOrder(number, _)
            | Operation::QueryCombined(number)
            | Operation::CloseCombined(number),
        ) => Some(number),
        Ok(Operation::QueryById(id, _)) => by_transaction(&id),
        Ok(Operation::QueryRefund(number)) => {
            let found = book.by_refund(account, &number);
            found.map(|(order, _)| order.order_no.clone())
        }
        Ok(Operation::AbnormalRefund(id)) => {
            let found = book.by_refund_id(account, &id);
            found.map(|(order, _)| order.order_no.clone())
        }
        Ok(Operation::Place(..) | Operation::PayByCode(_) | Operation::Refund | Operation::PlaceCombined(_)) => {
            in_body()
        }
        Ok(_) | Err(_) => None,
    };
    Subject { account, order_no }
}
