//! `POST /pay/orderquery` (查询订单). Changes nothing.
//!
//! Contract: v2 sheet, section 6.2; the owner's document `001_0fd8d454b6b70f59.txt`.

use std::fmt;

use http::Method;
use yuanfen_core::{
    Alphabet, Ambient, BuildError, Clock14, Effect, Extra, Fen, FieldError, Hint, Lookup, OpenError, Operation,
    OrderNo, ProtocolError, ProtocolErrorKind, RemoteId, Route, Rule, Standing, Taker, UnixTime, ValueError, Verified,
};

use super::place_order::claim_common;
use crate::message::Writer;
use crate::{Account, Coupon, Message, Reply, TradeState, TradeType};

/// Asks where an order stands: when no notice came, after an unknown outcome, while the payer types, and before
/// closing or reversing.
#[derive(Clone, Debug)]
#[non_exhaustive]
pub struct QueryOrder {
    /// Which order.
    pub key: OrderKey,
    /// `version`: `1.0` to get the details of item discounts.
    pub version: Option<String>,
}

/// One of the two numbers of an order.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum OrderKey {
    /// `transaction_id`, WeChat Pay's number; the platform recommends it.
    Remote(RemoteId),
    /// `out_trade_no`, the merchant's number.
    Merchant(OrderNo),
}

const SHEET: &str = "v2 sheet, sections 4 and 6.2";
const TRANSACTION_ID: Rule = Rule::new("transaction_id", 32).alphabet(Alphabet::ASCII).source(SHEET);
// Older pages allow `@` in numbers that are asked for; the smaller set holds for numbers that are made.
pub(super) const ORDER_NO: Rule = Rule::new("out_trade_no", 32)
    .alphabet(Alphabet::WECHAT_NUMBER)
    .source(SHEET);
const VERSION: Rule = Rule::new("version", 32).alphabet(Alphabet::ASCII).source(SHEET);

impl QueryOrder {
    /// By the merchant's number.
    #[must_use]
    pub const fn by_order_no(order_no: OrderNo) -> Self {
        Self {
            key: OrderKey::Merchant(order_no),
            version: None,
        }
    }

    /// By WeChat Pay's number.
    #[must_use]
    pub const fn by_transaction_id(transaction_id: RemoteId) -> Self {
        Self {
            key: OrderKey::Remote(transaction_id),
            version: None,
        }
    }

    /// What a hint asks for, where it is about an order.
    #[must_use]
    pub fn of_hint(hint: &Hint) -> Option<Self> {
        match &hint.lookup {
            Lookup::Order(order_no) => Some(Self::by_order_no(order_no.clone())),
            Lookup::RemoteOrder(id) => Some(Self::by_transaction_id(id.clone())),
            _ => None,
        }
    }
}

impl Operation for QueryOrder {
    type Provider = Account;
    type Inbound = Verified<Reply>;
    type Reply = QueriedOrder;

    const ROUTE: Route = Route::new(
        "wechat-v2",
        "query_order",
        Method::POST,
        "/pay/orderquery",
        Effect::Read,
    );

    fn encode(&self, _account: &Account, _ambient: &dyn Ambient) -> Result<Message, BuildError> {
        let mut writer = Writer::default();
        match &self.key {
            OrderKey::Remote(id) => writer.text(&TRANSACTION_ID, id.as_str())?,
            OrderKey::Merchant(order_no) => writer.text(&ORDER_NO, order_no.as_str())?,
        }
        writer.maybe(&VERSION, self.version.as_deref())?;
        Ok(writer.into_message(Self::ROUTE.path))
    }

    fn decode(&self, account: &Account, inbound: Verified<Reply>) -> Result<QueriedOrder, OpenError> {
        let reply = inbound.into_inner().accepted(account, &Self::ROUTE)?;
        let queried = QueriedOrder::read(&reply)?;
        let foreign = |field| OpenError::from(ProtocolError::new(ProtocolErrorKind::Foreign { field }));
        match &self.key {
            OrderKey::Merchant(asked) if *asked != queried.order_no => Err(foreign("out_trade_no")),
            OrderKey::Remote(asked) if queried.transaction_id.as_ref().is_some_and(|told| told != asked) => {
                Err(foreign("transaction_id"))
            }
            _ => Ok(queried),
        }
    }
}

/// Where an order stands. Everything but the state and the number is absent until it is paid.
#[derive(Clone)]
#[non_exhaustive]
pub struct QueriedOrder {
    /// `trade_state`: this, and nothing else, says whether it is paid.
    pub trade_state: TradeState,
    /// `trade_state_desc`.
    pub trade_state_description: Option<String>,
    /// `out_trade_no`.
    pub order_no: OrderNo,
    /// `transaction_id`.
    pub transaction_id: Option<RemoteId>,
    /// `total_fee`, fen: compare this with your order.
    pub total: Option<Fen>,
    /// `settlement_total_fee`, fen: the total less free coupons.
    pub settlement_total: Option<Fen>,
    /// `fee_type`.
    pub currency: Option<String>,
    /// `cash_fee`, fen: what the payer paid after coupons.
    pub cash: Option<Fen>,
    /// `cash_fee_type`.
    pub cash_currency: Option<String>,
    /// `coupon_fee`, fen: all coupons together.
    pub coupon_total: Option<Fen>,
    /// `coupon_count`: what the platform announces; [`coupons`](Self::coupons) has what came.
    pub coupon_count: Option<u32>,
    /// `coupon_id_$n`, `coupon_type_$n`, `coupon_fee_$n`.
    pub coupons: Vec<Coupon>,
    /// `openid`.
    pub openid: Option<String>,
    /// `is_subscribe`: `Y` or `N`, official accounts only.
    pub is_subscribed: Option<String>,
    /// `sub_openid`: the payer under the sub-merchant's app id.
    pub sub_openid: Option<String>,
    /// `sub_is_subscribe`: `Y` or `N`, whether the payer follows the sub-merchant's official account.
    pub is_sub_subscribed: Option<String>,
    /// `trade_type`.
    pub trade_type: Option<TradeType>,
    /// `bank_type`.
    pub bank_type: Option<String>,
    /// `time_end`.
    pub paid_at: Option<UnixTime>,
    /// `attach`.
    pub attach: Option<String>,
    /// `device_info`.
    pub device_info: Option<String>,
    /// `promotion_detail`: JSON, where version `1.0` was asked for.
    pub promotion_detail: Option<String>,
    /// What else came.
    pub extra: Extra,
}

/// Nothing about the payer, and no text that the shop may have put such things into.
impl fmt::Debug for QueriedOrder {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("QueriedOrder")
            .field("trade_state", &self.trade_state)
            .field("order_no", &self.order_no)
            .field("transaction_id", &self.transaction_id)
            .field("total", &self.total)
            .field("trade_type", &self.trade_type)
            .field("paid_at", &self.paid_at)
            .field("coupons", &self.coupons)
            .field("extra", &self.extra)
            .finish_non_exhaustive()
    }
}

impl QueriedOrder {
    fn read(reply: &Reply) -> Result<Self, FieldError> {
        let mut taker = Taker::new(&reply.fields);
        claim_common(&mut taker);
        let trade_state: TradeState = taker.need("trade_state")?;
        let total: Option<Fen> = taker.maybe("total_fee")?;
        let transaction_id: Option<RemoteId> = taker.maybe("transaction_id")?;
        // A paid order without its amount or its number cannot be compared with anything: half an answer is none.
        for (field, there) in [
            ("total_fee", total.is_some()),
            ("transaction_id", transaction_id.is_some()),
        ] {
            if trade_state.is_paid() && !there {
                return Err(FieldError::new(field, ValueError::Missing));
            }
        }
        Ok(Self {
            trade_state,
            trade_state_description: taker.maybe("trade_state_desc")?,
            order_no: taker.need("out_trade_no")?,
            transaction_id,
            total,
            settlement_total: taker.maybe("settlement_total_fee")?,
            currency: taker.maybe("fee_type")?,
            cash: taker.maybe("cash_fee")?,
            cash_currency: taker.maybe("cash_fee_type")?,
            coupon_total: taker.maybe("coupon_fee")?,
            coupon_count: taker.maybe("coupon_count")?,
            coupons: Coupon::take_all(&mut taker)?,
            openid: taker.maybe("openid")?,
            is_subscribed: taker.maybe("is_subscribe")?,
            sub_openid: taker.maybe("sub_openid")?,
            is_sub_subscribed: taker.maybe("sub_is_subscribe")?,
            trade_type: taker.maybe("trade_type")?,
            bank_type: taker.maybe("bank_type")?,
            paid_at: taker.maybe::<Clock14>("time_end")?.map(|clock| clock.0),
            attach: taker.maybe("attach")?,
            device_info: taker.maybe("device_info")?,
            promotion_detail: taker.maybe("promotion_detail")?,
            extra: taker.rest(),
        })
    }

    /// What this says about an order whose outcome was unknown.
    #[must_use]
    pub const fn standing(&self) -> Standing {
        self.trade_state.standing()
    }
}
