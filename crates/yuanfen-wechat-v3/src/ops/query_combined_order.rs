//! `GET /v3/combine-transactions/out-trade-no/{combine_out_trade_no}`: asks where a combined order stands.
//!
//! Read. It has no query string: who asks is in the signature. Published as "合单查询订单"; v3 sheet, section 20.2.

use http::Method;
use yuanfen_core::{Ambient, BuildError, Effect, OpenError, Operation, Route, Standing, Verified};

use crate::transaction::foreign;
use crate::{Account, CombinedOrderNo, CombinedTransaction, Message, Reply, segment};

/// Asks where a combined order stands, with all of its parts. The ordinary query finds neither the whole nor a part.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct QueryCombinedOrder {
    /// `combine_out_trade_no`: which one.
    pub order_no: CombinedOrderNo,
}

/// Where a combined order stands.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct QueriedCombinedOrder {
    /// The order.
    pub transaction: CombinedTransaction,
}

impl QueryCombinedOrder {
    /// The combined order of that number.
    #[must_use]
    pub const fn new(order_no: CombinedOrderNo) -> Self {
        Self { order_no }
    }
}

impl QueriedCombinedOrder {
    /// What it means for settling the order.
    #[must_use]
    pub fn standing(&self) -> Standing {
        self.transaction.standing()
    }
}

impl Operation for QueryCombinedOrder {
    type Provider = Account;
    type Inbound = Verified<Reply>;
    type Reply = QueriedCombinedOrder;

    const ROUTE: Route = Route::new(
        super::PROVIDER,
        "query_combined_order",
        Method::GET,
        "/v3/combine-transactions/out-trade-no/{combine_out_trade_no}",
        Effect::Read,
    );

    fn encode(&self, _: &Account, _: &dyn Ambient) -> Result<Message, BuildError> {
        self.order_no.check()?;
        let number = segment(self.order_no.as_str());
        Ok(Message::get(format!("/v3/combine-transactions/out-trade-no/{number}")))
    }

    fn decode(&self, account: &Account, inbound: Verified<Reply>) -> Result<QueriedCombinedOrder, OpenError> {
        let reply = inbound.get();
        let object = reply.object(&Self::ROUTE)?;
        let transaction = CombinedTransaction::read(&object, account.ids(), reply.raw().clone())?;
        if transaction.standing() == Standing::Succeeded {
            transaction.must_say_what_was_paid()?;
        }
        if transaction.order_no != self.order_no {
            return Err(foreign("combine_out_trade_no").into());
        }
        Ok(QueriedCombinedOrder { transaction })
    }
}
