//! `fshows.liquidation.alipay.trade.query`, `POST /gateway`: the query for orders of every wallet, despite its name.
//! Changes nothing.
//!
//! Contract: fshows sheet, section 9.4.

use std::fmt;

use http::Method;
use serde::Serialize;
use yuanfen_core::{
    Alphabet, Ambient, BuildError, Clock14, Effect, Extra, Fen, FieldError, Hint, JsonTaker, Lookup, Loose, OpenError,
    Operation, OrderNo, ProtocolError, ProtocolErrorKind, RemoteId, Route, Rule, Standing, UnixTime, Unsigned,
    ValueError, WireText as _, Yuan, open_enum,
};

use super::pay_wechat_page::ORDER_NO;
use crate::spellings::one_of;
use crate::{Account, Fees, Message, Reply};

/// Asks where an order stands. A WeChat call-back has no status, so this is what settles it.
#[derive(Clone, Debug)]
#[non_exhaustive]
pub struct QueryOrder {
    /// Which order.
    pub key: OrderKey,
}

/// One of the two numbers of an order. The platform's wins where both are sent, so only one is.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum OrderKey {
    /// `trade_no`, the platform's number.
    Platform(RemoteId),
    /// `out_trade_no`, the liquidator's number.
    Liquidator(OrderNo),
}

const TRADE_NO: Rule = Rule::new("trade_no", 64)
    .alphabet(Alphabet::ASCII)
    .source("fshows sheet, section 9.4");

impl QueryOrder {
    /// By the liquidator's number.
    #[must_use]
    pub const fn by_order_no(order_no: OrderNo) -> Self {
        Self {
            key: OrderKey::Liquidator(order_no),
        }
    }

    /// By the platform's number.
    #[must_use]
    pub const fn by_trade_no(trade_no: RemoteId) -> Self {
        Self {
            key: OrderKey::Platform(trade_no),
        }
    }

    /// What a hint asks for, where it is about an order.
    #[must_use]
    pub fn of_hint(hint: &Hint) -> Option<Self> {
        match &hint.lookup {
            Lookup::Order(order_no) => Some(Self::by_order_no(order_no.clone())),
            Lookup::RemoteOrder(id) => Some(Self::by_trade_no(id.clone())),
            _ => None,
        }
    }
}

#[derive(Serialize)]
struct Content<'a> {
    #[serde(skip_serializing_if = "Option::is_none")]
    out_trade_no: Option<&'a OrderNo>,
    #[serde(skip_serializing_if = "Option::is_none")]
    trade_no: Option<&'a RemoteId>,
}

impl Operation for QueryOrder {
    type Provider = Account;
    type Inbound = Unsigned<Reply>;
    type Reply = QueriedOrder;

    const ROUTE: Route = Route::new("fshows", "query_order", Method::POST, "/gateway", Effect::Read);

    fn encode(&self, _account: &Account, _ambient: &dyn Ambient) -> Result<Message, BuildError> {
        let content = match &self.key {
            OrderKey::Platform(id) => {
                TRADE_NO.check(id.as_str())?;
                Content {
                    out_trade_no: None,
                    trade_no: Some(id),
                }
            }
            OrderKey::Liquidator(order_no) => {
                ORDER_NO.check(order_no.as_str())?;
                Content {
                    out_trade_no: Some(order_no),
                    trade_no: None,
                }
            }
        };
        Message::of("fshows.liquidation.alipay.trade.query", &content)
    }

    fn decode(&self, _account: &Account, inbound: Unsigned<Reply>) -> Result<QueriedOrder, OpenError> {
        let (value, _) = inbound.into_inner().accepted(&Self::ROUTE)?;
        let queried = value.read(QueriedOrder::read)?;
        let foreign = |field| OpenError::from(ProtocolError::new(ProtocolErrorKind::Foreign { field }));
        // An end that does not carry the number asked for may be that of any order.
        let ended = matches!(queried.standing(), Standing::Succeeded | Standing::Failed);
        let missing = |field| OpenError::from(FieldError::new(field, ValueError::Missing));
        match &self.key {
            OrderKey::Liquidator(asked) => match &queried.order_no {
                Some(told) if told != asked => Err(foreign("out_trade_no")),
                None if ended => Err(missing("return_value.out_trade_no")),
                _ => Ok(queried),
            },
            OrderKey::Platform(asked) => match &queried.trade_no {
                Some(told) if told != asked => Err(foreign("trade_no")),
                None if ended => Err(missing("return_value.trade_no")),
                _ => Ok(queried),
            },
        }
    }
}

open_enum! {
    /// `trade_state` of a WeChat order.
    pub enum WechatState {
        /// Unpaid.
        NotPaid = "NOTPAY",
        /// The payer is typing.
        UserPaying = "USERPAYING",
        /// Paid.
        Success = "SUCCESS",
        /// Paid, and a refund was accepted.
        Refund = "REFUND",
        /// Closed.
        Closed = "CLOSED",
        /// Reversed.
        Revoked = "REVOKED",
        /// A payment failed; the payer may try again.
        PayError = "PAYERROR",
    }
}

open_enum! {
    /// `trade_status` of an Alipay order.
    pub enum AlipayStatus {
        /// Unpaid.
        Waiting = "WAIT_BUYER_PAY",
        /// Paid.
        Success = "TRADE_SUCCESS",
        /// Paid, and past refunding.
        Finished = "TRADE_FINISHED",
        /// Closed, or refunded in full.
        Closed = "TRADE_CLOSED",
    }
}

open_enum! {
    /// `status` of a JD order in a query. In a call-back `0` is paid; here `2` is.
    pub enum JdStatus {
        /// Created.
        Created = "0",
        /// Created.
        Opened = "1",
        /// Paid.
        Paid = "2",
        /// Failed.
        Failed = "3",
        /// Refunding.
        Refunding = "4",
        /// Refunded.
        Refunded = "5",
        /// A refund failed.
        RefundFailed = "6",
        /// Refunded in part.
        PartlyRefunded = "7",
        /// Reversed.
        Reversed = "9",
    }
}

open_enum! {
    /// `trans_status` of a BestPay order.
    pub enum BestPayStatus {
        /// Created.
        Created = "A",
        /// Paid.
        Paid = "B",
        /// Failed.
        Failed = "C",
        /// Void.
        Void = "G",
    }
}

/// Where an order stands, in its wallet's words. No field names the wallet; which status field came tells it.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum OrderState {
    /// `trade_state`.
    Wechat(WechatState),
    /// `trade_status`.
    Alipay(AlipayStatus),
    /// `status`.
    Jd(JdStatus),
    /// `trans_status`.
    BestPay(BestPayStatus),
}

impl OrderState {
    fn take(taker: &mut JsonTaker<'_>) -> Result<Self, FieldError> {
        let states = [
            one_of(taker, &["trade_state", "tradeState"])?.map(Self::Wechat),
            one_of(taker, &["trade_status", "tradeStatus"])?.map(Self::Alipay),
            one_of(taker, &["trans_status", "transStatus"])?.map(Self::BestPay),
        ];
        let mut states = states.into_iter().flatten();
        match (states.next(), states.next()) {
            (Some(state), None) => Ok(state),
            // The words of two wallets: one of them is not about this order.
            (Some(_), Some(_)) => Err(FieldError::new(
                "trade_state",
                ValueError::Form {
                    expected: "the status of one wallet alone",
                },
            )),
            // `status` is too common a name to tell anything beside another.
            (None, _) => match taker.maybe::<Loose<JdStatus>>("status")? {
                Some(status) => Ok(Self::Jd(status.0)),
                None => Err(FieldError::new("trade_state", ValueError::Missing)),
            },
        }
    }

    /// Whether the order was paid, whatever was refunded since.
    #[must_use]
    pub fn is_paid(&self) -> bool {
        self.standing() == Standing::Succeeded
    }

    /// What this says about an order whose outcome was unknown. Values that this version does not know, and failures
    /// after which the payer may try again, count as pending.
    #[must_use]
    pub const fn standing(&self) -> Standing {
        match self {
            Self::Wechat(WechatState::Success | WechatState::Refund)
            | Self::Alipay(AlipayStatus::Success | AlipayStatus::Finished)
            | Self::Jd(
                JdStatus::Paid
                | JdStatus::Refunding
                | JdStatus::Refunded
                | JdStatus::RefundFailed
                | JdStatus::PartlyRefunded,
            )
            | Self::BestPay(BestPayStatus::Paid) => Standing::Succeeded,
            Self::Wechat(WechatState::NotPaid)
            | Self::Alipay(AlipayStatus::Waiting)
            | Self::Jd(JdStatus::Created | JdStatus::Opened)
            | Self::BestPay(BestPayStatus::Created) => Standing::Accepted,
            Self::Wechat(WechatState::Closed | WechatState::Revoked)
            | Self::Alipay(AlipayStatus::Closed)
            | Self::Jd(JdStatus::Failed | JdStatus::Reversed)
            | Self::BestPay(BestPayStatus::Failed | BestPayStatus::Void) => Standing::Failed,
            Self::Wechat(WechatState::UserPaying | WechatState::PayError | WechatState::Unknown(_))
            | Self::Alipay(AlipayStatus::Unknown(_))
            | Self::Jd(JdStatus::Unknown(_))
            | Self::BestPay(BestPayStatus::Unknown(_)) => Standing::Pending,
        }
    }
}

/// Where an order stands. No signature proves it: it rests on TLS to the configured host. `Debug` does not show the
/// payer.
#[derive(Clone)]
#[non_exhaustive]
pub struct QueriedOrder {
    /// The state.
    pub state: OrderState,
    /// `out_trade_no`.
    pub order_no: Option<OrderNo>,
    /// `trade_no`: the platform's number.
    pub trade_no: Option<RemoteId>,
    /// `total_fee`, for Alipay `total_amount`: yuan on the wire; compare this with your order.
    pub amount: Option<Fen>,
    /// `net_receipt_amount`: yuan on the wire.
    pub net_amount: Option<Fen>,
    /// Rates and fees.
    pub fees: Fees,
    /// `openid` of a WeChat order.
    pub openid: Option<String>,
    /// `time_end` of a WeChat order, taken as Beijing time; `None` where it is absent or not of its form.
    pub paid_at: Option<UnixTime>,
    /// What else came.
    pub extra: Extra,
}

impl fmt::Debug for QueriedOrder {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("QueriedOrder")
            .field("state", &self.state)
            .field("order_no", &self.order_no)
            .field("trade_no", &self.trade_no)
            .field("amount", &self.amount)
            .field("net_amount", &self.net_amount)
            .field("fees", &self.fees)
            .field("paid_at", &self.paid_at)
            .field("extra", &self.extra)
            .finish_non_exhaustive()
    }
}

impl QueriedOrder {
    fn read(taker: &mut JsonTaker<'_>) -> Result<Self, FieldError> {
        let time_end: Option<Loose<String>> = one_of(taker, &["time_end", "timeEnd"])?;
        let state = OrderState::take(taker)?;
        let amount: Option<Yuan> = one_of(taker, &["total_fee", "totalFee", "total_amount", "totalAmount"])?;
        // A paid order without its amount cannot be compared with anything: half an answer is none.
        if state.is_paid() && amount.is_none() {
            return Err(FieldError::new("total_fee", ValueError::Missing));
        }
        Ok(Self {
            state,
            order_no: one_of(taker, &["out_trade_no", "outTradeNo"])?,
            trade_no: one_of(taker, &["trade_no", "tradeNo"])?,
            amount: amount.map(|yuan| yuan.0),
            net_amount: one_of::<Yuan>(taker, &["net_receipt_amount", "netReceiptAmount"])?.map(|yuan| yuan.0),
            fees: Fees::take(taker)?,
            openid: one_of(taker, &["openid", "open_id", "openId"])?,
            paid_at: time_end
                .and_then(|text| Clock14::read(&text.0).ok())
                .map(|clock| clock.0),
            extra: taker.rest(),
        })
    }

    /// What this says about an order whose outcome was unknown.
    #[must_use]
    pub const fn standing(&self) -> Standing {
        self.state.standing()
    }
}
