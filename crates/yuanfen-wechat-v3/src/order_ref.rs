//! Which order.

use yuanfen_core::{Alphabet, BuildError, OrderNo, RemoteId, Rule};

/// An order, by our number or by the platform's.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum OrderRef {
    /// `out_trade_no`: our number.
    OrderNo(OrderNo),
    /// `transaction_id`: the platform's number, which an order has once it is paid.
    TransactionId(RemoteId),
}

/// An order number that is asked for. Numbers that were made elsewhere under wider rules can be asked for too.
pub(crate) const ASKED_ORDER_NO: Rule = Rule::new("out_trade_no", 32)
    .alphabet(Alphabet::WECHAT_NUMBER)
    .source("v3 sheet, sections 13.1 and 17.1");

/// The platform's number. Letters and digits only, because it becomes a segment of a path.
pub(crate) const TRANSACTION_ID: Rule = Rule::new("transaction_id", 32)
    .alphabet(Alphabet::ALPHANUMERIC)
    .source("v3 sheet, section 14");

impl OrderRef {
    pub(crate) fn check(&self) -> Result<(), BuildError> {
        match self {
            Self::OrderNo(order_no) => ASKED_ORDER_NO.check(order_no.as_str()),
            Self::TransactionId(id) => TRANSACTION_ID.check(id.as_str()),
        }
    }

    /// The wire name of the member of an answer that is about another order; `None` where it is about this one.
    pub(crate) fn differs_from(&self, order_no: &OrderNo, transaction_id: Option<&RemoteId>) -> Option<&'static str> {
        match self {
            Self::OrderNo(asked) => (asked != order_no).then_some("out_trade_no"),
            Self::TransactionId(asked) => (Some(asked) != transaction_id).then_some("transaction_id"),
        }
    }
}

impl From<OrderNo> for OrderRef {
    fn from(order_no: OrderNo) -> Self {
        Self::OrderNo(order_no)
    }
}

impl From<RemoteId> for OrderRef {
    fn from(transaction_id: RemoteId) -> Self {
        Self::TransactionId(transaction_id)
    }
}
