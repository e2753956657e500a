//! `POST /api/query` (交易查询接口). Changes nothing.
//!
//! Contract: mpgateway sheet, section 6.2; the owner's document `004_82231cfc4fe025b5.txt`.

use http::Method;
use serde::Serialize;
use yuanfen_core::{
    Alphabet, Ambient, BuildError, ClockDashed, Effect, Extra, Fen, Hint, JsonTaker, Lookup, Loose, OpenError,
    Operation, OrderNo, ProtocolError, ProtocolErrorKind, RemoteId, Route, Rule, Standing, UnixTime, Verified,
    WireText as _,
};

use super::submit_order::ORDER_NO;
use crate::codes::ResultCode;
use crate::provider::ours;
use crate::{Account, Message, Reply};

/// Asks where an order stands.
#[derive(Clone, Debug)]
#[non_exhaustive]
pub struct QueryOrder {
    /// Which order.
    pub key: OrderKey,
}

/// One of the two numbers of an order. The gateway ignores ours where both are sent, so only one is.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum OrderKey {
    /// `queryid`, the gateway's serial number.
    Gateway(RemoteId),
    /// `orderid`, the merchant's number.
    Merchant(OrderNo),
}

// As long as any number of a platform that is read, so that every order which was answered can be asked about.
const QUERY_ID: Rule = Rule::new("queryid", 128)
    .alphabet(Alphabet::ASCII)
    .source("no limit is published");

impl OrderKey {
    pub(crate) const fn order_no(&self) -> Option<&OrderNo> {
        match self {
            Self::Merchant(order_no) => Some(order_no),
            Self::Gateway(_) => None,
        }
    }

    /// The request that asks about this order, or cancels it.
    pub(crate) fn message(&self, path: &'static str, account: &Account) -> Result<Message, BuildError> {
        #[derive(Serialize)]
        struct Body<'a> {
            merid: &'a str,
            #[serde(skip_serializing_if = "Option::is_none")]
            queryid: Option<&'a RemoteId>,
            #[serde(skip_serializing_if = "Option::is_none")]
            orderid: Option<&'a OrderNo>,
        }
        let merid = &account.merchant;
        match self {
            Self::Gateway(id) => {
                QUERY_ID.check(id.as_str())?;
                Message::of(
                    path,
                    &Body {
                        merid,
                        queryid: Some(id),
                        orderid: None,
                    },
                )
            }
            Self::Merchant(order_no) => {
                ORDER_NO.check(order_no.as_str())?;
                Message::of(
                    path,
                    &Body {
                        merid,
                        queryid: None,
                        orderid: Some(order_no),
                    },
                )
            }
        }
    }

    /// Refuses an answer that names another serial number than the one that was asked about.
    pub(crate) fn must_match(&self, told: &RemoteId) -> Result<(), OpenError> {
        match self {
            Self::Gateway(asked) if asked != told => {
                Err(ProtocolError::new(ProtocolErrorKind::Foreign { field: "queryid" }).into())
            }
            _ => Ok(()),
        }
    }
}

impl QueryOrder {
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

    /// What a hint asks for, where it is about an order.
    #[must_use]
    pub fn of_hint(hint: &Hint) -> Option<Self> {
        match &hint.lookup {
            Lookup::Order(order_no) => Some(Self::by_order_no(order_no.clone())),
            Lookup::RemoteOrder(id) => Some(Self::by_query_id(id.clone())),
            _ => None,
        }
    }
}

impl Operation for QueryOrder {
    type Provider = Account;
    type Inbound = Verified<Reply>;
    type Reply = QueriedOrder;

    const ROUTE: Route = Route::new("mpgateway", "query_order", Method::POST, "/api/query", Effect::Read);

    fn encode(&self, account: &Account, _ambient: &dyn Ambient) -> Result<Message, BuildError> {
        self.key.message(Self::ROUTE.path, account)
    }

    fn decode(&self, account: &Account, inbound: Verified<Reply>) -> Result<QueriedOrder, OpenError> {
        let reply = inbound
            .into_inner()
            .accepted(account, &Self::ROUTE, self.key.order_no())?;
        let mut taker = JsonTaker::new(&reply.object);
        let order_no = ours(account, &mut taker, self.key.order_no())?;
        let query_id = taker.need("queryid")?;
        self.key.must_match(&query_id)?;
        let result: ResultCode = taker.need("resultcode")?;
        let paid_text: Option<String> = taker.maybe("paytime")?;
        for name in ["respcode", "respmsg"] {
            let _claimed = taker.raw(name);
        }
        Ok(QueriedOrder {
            is_paid: account.counts_as_paid(&result),
            result,
            result_message: taker.maybe("resultmsg")?,
            query_id,
            order_no,
            amount: taker.need::<Loose<Fen>>("txnamt")?.0,
            paid_at: paid_text
                .as_deref()
                .and_then(|text| ClockDashed::read(text).ok())
                .map(|clock| clock.0),
            paid_text,
            extra: taker.rest(),
        })
    }
}

/// Where an order stands.
#[derive(Clone, Debug)]
#[non_exhaustive]
pub struct QueriedOrder {
    /// `resultcode`: this, and not `respcode`, says whether it is paid.
    pub result: ResultCode,
    /// `resultmsg`.
    pub result_message: Option<String>,
    /// Whether the account's setting counts that code as paid.
    pub is_paid: bool,
    /// `queryid`.
    pub query_id: RemoteId,
    /// `orderid`.
    pub order_no: Option<OrderNo>,
    /// `txnamt`, fen: compare this with your order.
    pub amount: Fen,
    /// `paytime`, taken as Beijing time; `None` where it is absent or not of its form.
    pub paid_at: Option<UnixTime>,
    /// `paytime` as it came.
    pub paid_text: Option<String>,
    /// What else came.
    pub extra: Extra,
}

impl QueriedOrder {
    /// What this says about an order whose outcome was unknown.
    #[must_use]
    pub fn standing(&self) -> Standing {
        self.result.standing(self.is_paid)
    }
}
