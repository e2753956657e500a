//! `POST /api/cancel` (交易取消接口). Ask what became of it before it is sent again.
//!
//! Contract: mpgateway sheet, section 6.3; the owner's document `004_82231cfc4fe025b5.txt`. Whether a paid order can
//! be canceled is not said, so this cancels unpaid ones; query afterwards.

use http::Method;
use yuanfen_core::{
    Ambient, BuildError, Effect, Extra, Fen, JsonTaker, Loose, OpenError, Operation, OrderNo, RemoteId, Route, Verified,
};

use super::query_order::OrderKey;
use crate::provider::ours;
use crate::{Account, Message, Reply};

/// Cancels an unpaid order. Query it before, because it may be paid by now, and after, to be sure.
#[derive(Clone, Debug)]
#[non_exhaustive]
pub struct CancelOrder {
    /// Which order.
    pub key: OrderKey,
}

impl CancelOrder {
    /// By the merchant's number.
    #[must_use]
    pub const fn by_order_no(order_no: OrderNo) -> Self {
        Self {
            key: OrderKey::Merchant(order_no),
        }
    }

    /// By the gateway's serial number.
    #[must_use]
    pub const fn by_query_id(query_id: RemoteId) -> Self {
        Self {
            key: OrderKey::Gateway(query_id),
        }
    }
}

impl Operation for CancelOrder {
    type Provider = Account;
    type Inbound = Verified<Reply>;
    type Reply = CanceledOrder;

    const ROUTE: Route = Route::new(
        "mpgateway",
        "cancel_order",
        Method::POST,
        "/api/cancel",
        Effect::QueryFirst,
    );

    fn encode(&self, account: &Account, _ambient: &dyn Ambient) -> Result<Message, BuildError> {
        self.key.message(Self::ROUTE.path, account)
    }

    fn decode(&self, account: &Account, inbound: Verified<Reply>) -> Result<CanceledOrder, OpenError> {
        let reply = inbound
            .into_inner()
            .accepted(account, &Self::ROUTE, self.key.order_no())?;
        let mut taker = JsonTaker::new(&reply.object);
        let order_no = ours(account, &mut taker, self.key.order_no())?;
        let query_id = taker.need("queryid")?;
        self.key.must_match(&query_id)?;
        for name in ["respcode", "respmsg"] {
            let _claimed = taker.raw(name);
        }
        Ok(CanceledOrder {
            query_id,
            order_no,
            amount: taker.need::<Loose<Fen>>("txnamt")?.0,
            extra: taker.rest(),
        })
    }
}

/// The gateway says that it canceled the order.
#[derive(Clone, Debug)]
#[non_exhaustive]
pub struct CanceledOrder {
    /// `queryid`.
    pub query_id: RemoteId,
    /// `orderid`.
    pub order_no: Option<OrderNo>,
    /// `txnamt`, fen.
    pub amount: Fen,
    /// What else came.
    pub extra: Extra,
}
