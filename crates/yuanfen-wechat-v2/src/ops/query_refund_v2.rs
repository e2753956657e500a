//! `POST /pay/refundqueryv2`: a query of refunds that were asked for with discounts on single items. Changes nothing.
//!
//! As [`QueryRefund`]; only the path differs, and the answer tells the discounts as JSON in `promotion_detail`. Known from
//! other people's SDKs, not from a page: v2 sheet, sections 2 and 6.5.

use http::Method;
use yuanfen_core::{Ambient, BuildError, Effect, Error, OpenError, Operation, Route, Verified};

use super::query_refund::{QueriedRefunds, QueryRefund};
use crate::{Account, Message, Reply};

/// Asks where a refund stands that [`RefundV2`](super::RefundV2) asked for, or lists the refunds of an order.
#[derive(Clone, Debug)]
#[non_exhaustive]
pub struct QueryRefundV2 {
    /// What is asked about.
    pub query: QueryRefund,
}

impl From<QueryRefund> for QueryRefundV2 {
    fn from(query: QueryRefund) -> Self {
        Self { query }
    }
}

impl QueryRefundV2 {
    /// As [`QueryRefund::next_page`].
    #[must_use]
    pub fn next_page(&self, answer: &QueriedRefunds) -> Option<Self> {
        self.query.next_page(answer).map(Self::from)
    }

    /// As [`QueryRefund::is_past_the_last`].
    #[must_use]
    pub fn is_past_the_last(&self, error: &Error) -> bool {
        self.query.is_past_the_last(error)
    }
}

impl Operation for QueryRefundV2 {
    type Provider = Account;
    type Inbound = Verified<Reply>;
    type Reply = QueriedRefunds;

    const ROUTE: Route = Route::new(
        "wechat-v2",
        "query_refund_v2",
        Method::POST,
        "/pay/refundqueryv2",
        Effect::Read,
    );

    fn encode(&self, _account: &Account, _ambient: &dyn Ambient) -> Result<Message, BuildError> {
        self.query.write(&Self::ROUTE)
    }

    fn decode(&self, account: &Account, inbound: Verified<Reply>) -> Result<QueriedRefunds, OpenError> {
        self.query.answered_by(inbound, account, &Self::ROUTE)
    }
}
