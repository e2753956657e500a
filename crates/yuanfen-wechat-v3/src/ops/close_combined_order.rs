//! `POST /v3/combine-transactions/out-trade-no/{combine_out_trade_no}/close`: closes an unpaid combined order, so that none
//! of its numbers can be paid any more.
//!
//! Repeatable: closing a closed order succeeds. A paid order is refused. Query before, and wait about five minutes after
//! placing. Published as "合单关闭订单"; v3 sheet, section 20.2.

use http::Method;
use serde::Serialize;
use yuanfen_core::{Ambient, BuildError, Effect, OpenError, Operation, OrderNo, Route, Verified};

use super::ClosedOrder;
use crate::combined::{check_count, check_unique, numbers_of};
use crate::{Account, CombinedOrderNo, CombinedTerms, CombinedTransaction, Message, Participant, Reply, segment};

/// Closes an unpaid combined order. It names every part of the order, and no other: make it of the order, or of what a
/// query said of it.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct CloseCombinedOrder {
    /// `combine_out_trade_no`: at most 32 characters.
    pub order_no: CombinedOrderNo,
    /// `sub_orders`: whose each part is, and its number (`out_trade_no`).
    pub sub_orders: Vec<(Participant, OrderNo)>,
}

impl From<&CombinedTerms> for CloseCombinedOrder {
    fn from(terms: &CombinedTerms) -> Self {
        let parts = terms.sub_orders.iter();
        Self {
            order_no: terms.order_no.clone(),
            sub_orders: parts
                .map(|part| (part.participant.clone(), part.order_no.clone()))
                .collect(),
        }
    }
}

impl From<&CombinedTransaction> for CloseCombinedOrder {
    fn from(order: &CombinedTransaction) -> Self {
        let parts = order.sub_orders.iter();
        Self {
            order_no: order.order_no.clone(),
            sub_orders: parts.map(|part| (part.participant(), part.order_no.clone())).collect(),
        }
    }
}

impl Operation for CloseCombinedOrder {
    type Provider = Account;
    type Inbound = Verified<Reply>;
    type Reply = ClosedOrder;

    const ROUTE: Route = Route::new(
        super::PROVIDER,
        "close_combined_order",
        Method::POST,
        "/v3/combine-transactions/out-trade-no/{combine_out_trade_no}/close",
        Effect::Repeatable,
    );

    fn encode(&self, account: &Account, _: &dyn Ambient) -> Result<Message, BuildError> {
        let ids = account.ids();
        self.order_no.check()?;
        check_count(self.sub_orders.len(), ids)?;
        check_unique(self.sub_orders.iter().map(|(whose, order_no)| (whose, order_no)), ids)?;
        let sub_orders = self
            .sub_orders
            .iter()
            .map(|(whose, order_no)| {
                let (mchid, sub_merchant) = numbers_of(whose, ids)?;
                Ok(BodyPart {
                    mchid,
                    sub_mchid: sub_merchant.map(|sub| &*sub.merchant_id),
                    out_trade_no: order_no,
                })
            })
            .collect::<Result<Vec<_>, BuildError>>()?;
        let body = Body {
            combine_appid: ids.app_id(),
            sub_orders,
        };
        let number = segment(self.order_no.as_str());
        Message::post(format!("/v3/combine-transactions/out-trade-no/{number}/close"), &body)
    }

    fn decode(&self, _: &Account, inbound: Verified<Reply>) -> Result<ClosedOrder, OpenError> {
        inbound.get().no_content(&Self::ROUTE).map(|()| ClosedOrder {})
    }
}

#[derive(Serialize)]
struct Body<'a> {
    combine_appid: &'a str,
    sub_orders: Vec<BodyPart<'a>>,
}

#[derive(Serialize)]
struct BodyPart<'a> {
    mchid: &'a str,
    #[serde(skip_serializing_if = "Option::is_none")]
    sub_mchid: Option<&'a str>,
    out_trade_no: &'a OrderNo,
}
