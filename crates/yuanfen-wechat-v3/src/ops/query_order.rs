//! `GET /v3/pay/transactions/out-trade-no/{out_trade_no}?mchid=` and `GET /v3/pay/transactions/id/{transaction_id}?mchid=`:
//! asks where an order stands.
//!
//! Read. The query string is signed as part of the address. Published as "查询订单"; v3 sheet, section 14.

use http::Method;
use yuanfen_core::{Ambient, BuildError, Effect, OpenError, Operation, OrderNo, RemoteId, Route, Standing, Verified};

use crate::transaction::foreign;
use crate::{Account, Message, OrderRef, Reply, Transaction, segment};

/// Asks where an order stands.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct QueryOrder {
    /// Which order: by our number (`out_trade_no`) or the platform's (`transaction_id`).
    pub order: OrderRef,
}

/// Where an order stands.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct QueriedOrder {
    /// The order.
    pub transaction: Transaction,
}

impl QueryOrder {
    /// By our number.
    #[must_use]
    pub const fn by_order_no(order_no: OrderNo) -> Self {
        Self {
            order: OrderRef::OrderNo(order_no),
        }
    }

    /// By the platform's number.
    #[must_use]
    pub const fn by_transaction_id(transaction_id: RemoteId) -> Self {
        Self {
            order: OrderRef::TransactionId(transaction_id),
        }
    }
}

impl QueriedOrder {
    /// What it means for settling the order.
    #[must_use]
    pub const fn standing(&self) -> Standing {
        self.transaction.trade_state.standing()
    }
}

impl Operation for QueryOrder {
    type Provider = Account;
    type Inbound = Verified<Reply>;
    type Reply = QueriedOrder;

    const ROUTE: Route = Route::new(
        super::PROVIDER,
        "query_order",
        Method::GET,
        "/v3/pay/transactions/{out-trade-no/out_trade_no, id/transaction_id}",
        Effect::Read,
    )
    .with_partner_path("/v3/pay/partner/transactions/{out-trade-no/out_trade_no, id/transaction_id}");

    fn encode(&self, account: &Account, _: &dyn Ambient) -> Result<Message, BuildError> {
        self.order.check()?;
        let (kind, number) = match &self.order {
            OrderRef::OrderNo(order_no) => ("out-trade-no", order_no.as_str()),
            OrderRef::TransactionId(id) => ("id", id.as_str()),
        };
        let path = account.ids().order_path(&format!("{kind}/{}", segment(number)));
        Ok(Message::get(format!("{path}?{}", account.ids().in_query()?)))
    }

    fn decode(&self, account: &Account, inbound: Verified<Reply>) -> Result<QueriedOrder, OpenError> {
        let reply = inbound.get();
        let object = reply.object(&Self::ROUTE)?;
        let transaction = Transaction::read(&object, account.ids(), reply.raw().clone())?;
        if transaction.trade_state.standing() == Standing::Succeeded {
            transaction.must_say_what_was_paid()?;
        }
        match self
            .order
            .differs_from(&transaction.order_no, transaction.transaction_id.as_ref())
        {
            Some(field) => Err(foreign(field).into()),
            None => Ok(QueriedOrder { transaction }),
        }
    }
}
