//! `fshows.liquidation.pay.refund` (退款), `POST /gateway`. Query first, and never sent again by itself.
//!
//! Only the request is known, and what it refunds is the whole order: no implementation sends an amount. What comes
//! back is written down nowhere, so the record's fields are optional and the raw value is kept. Contract: fshows sheet,
//! sections 8 and 9.5.

use http::Method;
use serde::Serialize;
use yuanfen_core::{
    Alphabet, Ambient, BuildError, Effect, Extra, FieldError, JsonTaker, Loose, OpenError, Operation, OrderNo,
    ProtocolError, ProtocolErrorKind, RefundNo, RemoteId, Route, Rule, Standing, Unsigned, open_enum,
};
use yuanfen_envelope::ReturnValue;

use super::pay_wechat_page::ORDER_NO;
use super::query_order::OrderKey;
use crate::spellings::one_of;
use crate::{Account, Message, Reply};

/// Refunds all of a paid order. For a part of one, whose field nobody has published, there is
/// [`RawOperation`](yuanfen_core::RawOperation).
#[derive(Clone, Debug)]
#[non_exhaustive]
pub struct Refund {
    /// Which order: by `trade_no` or `out_trade_no`.
    pub order: OrderKey,
    /// `out_refund_no`: our number of the refund; at most 32 letters, digits and underscores, unique.
    pub refund_no: RefundNo,
}

const TRADE_NO: Rule = Rule::new("trade_no", 64)
    .alphabet(Alphabet::ASCII)
    .source("fshows sheet, section 9.5");
/// The sheet has the length alone. The alphabet is that of order numbers.
const REFUND_NO: Rule = Rule::new("out_refund_no", 32)
    .alphabet(Alphabet::WORD)
    .source("fshows sheet, section 8");

impl Refund {
    /// Refunds all of that order under that number.
    #[must_use]
    pub const fn new(order: OrderKey, refund_no: RefundNo) -> Self {
        Self { order, refund_no }
    }
}

/// What a refund and its query send.
#[derive(Default, Serialize)]
pub(super) struct Content<'a> {
    #[serde(skip_serializing_if = "Option::is_none")]
    out_trade_no: Option<&'a OrderNo>,
    #[serde(skip_serializing_if = "Option::is_none")]
    trade_no: Option<&'a RemoteId>,
    #[serde(skip_serializing_if = "Option::is_none")]
    out_refund_no: Option<&'a RefundNo>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) refund_no: Option<&'a RemoteId>,
}

impl<'a> Content<'a> {
    pub(super) fn of(order: &'a OrderKey) -> Result<Self, BuildError> {
        match order {
            OrderKey::Platform(id) => {
                TRADE_NO.check(id.as_str())?;
                Ok(Self {
                    trade_no: Some(id),
                    ..Self::default()
                })
            }
            OrderKey::Liquidator(order_no) => {
                ORDER_NO.check(order_no.as_str())?;
                Ok(Self {
                    out_trade_no: Some(order_no),
                    ..Self::default()
                })
            }
        }
    }

    pub(super) fn with_refund_no(mut self, refund_no: &'a RefundNo) -> Result<Self, BuildError> {
        REFUND_NO.check(refund_no.as_str())?;
        self.out_refund_no = Some(refund_no);
        Ok(self)
    }
}

impl Operation for Refund {
    type Provider = Account;
    type Inbound = Unsigned<Reply>;
    type Reply = RefundRecord;

    const ROUTE: Route = Route::new("fshows", "refund", Method::POST, "/gateway", Effect::QueryFirst);

    fn encode(&self, _account: &Account, _ambient: &dyn Ambient) -> Result<Message, BuildError> {
        let content = Content::of(&self.order)?.with_refund_no(&self.refund_no)?;
        Message::of("fshows.liquidation.pay.refund", &content)
    }

    fn decode(&self, _account: &Account, inbound: Unsigned<Reply>) -> Result<RefundRecord, OpenError> {
        let (value, _) = inbound.into_inner().accepted(&Self::ROUTE)?;
        RefundRecord::read(value)?.about(&self.order, Some(&self.refund_no), None)
    }
}

open_enum! {
    /// The status of a refund, by the codes that the platform keeps for payments (one source).
    pub enum RefundStatus {
        /// In the works.
        Refunding = "3",
        /// Refunded.
        Refunded = "4",
        /// The refund failed. Whether that is its end is written down nowhere.
        Failed = "5",
    }
}

/// What the platform tells of a refund. No signature proves it, and no page describes it: what is expected of it is
/// optional, and all of it is in [`value`](Self::value).
#[derive(Clone, Debug)]
#[non_exhaustive]
pub struct RefundRecord {
    /// `out_trade_no`: our number of the order.
    pub order_no: Option<OrderNo>,
    /// `trade_no`: the platform's number of the order.
    pub trade_no: Option<RemoteId>,
    /// `out_refund_no`: our number of the refund.
    pub refund_no: Option<RefundNo>,
    /// `refund_no`: the platform's number of the refund.
    pub platform_refund_no: Option<RemoteId>,
    /// `refund_status` or `status`.
    pub status: Option<RefundStatus>,
    /// What else came.
    pub extra: Extra,
    /// `return_value` as it came.
    pub value: ReturnValue,
    /// Whether it names the very number that the refund was asked for by.
    names_the_refund: bool,
}

impl RefundRecord {
    pub(super) fn read(value: ReturnValue) -> Result<Self, FieldError> {
        // Some methods answer a text, and that the refund was taken is said by `success` alone.
        let is_object = value.raw().is_some_and(|raw| raw.starts_with('{'));
        let mut record = Self {
            order_no: None,
            trade_no: None,
            refund_no: None,
            platform_refund_no: None,
            status: None,
            extra: Extra::new(),
            value,
            names_the_refund: false,
        };
        if is_object {
            let value = record.value.clone();
            value.read(|taker| record.fill(taker))?;
        }
        Ok(record)
    }

    fn fill(&mut self, taker: &mut JsonTaker<'_>) -> Result<(), FieldError> {
        self.order_no = one_of::<Loose<_>>(taker, &["out_trade_no", "outTradeNo"])?.map(|loose| loose.0);
        self.trade_no = one_of::<Loose<_>>(taker, &["trade_no", "tradeNo"])?.map(|loose| loose.0);
        self.refund_no = one_of::<Loose<_>>(taker, &["out_refund_no", "outRefundNo"])?.map(|loose| loose.0);
        self.platform_refund_no = one_of::<Loose<_>>(taker, &["refund_no", "refundNo"])?.map(|loose| loose.0);
        // `status` is too common a name to count beside the other.
        self.status = match one_of::<Loose<_>>(taker, &["refund_status", "refundStatus"])? {
            Some(status) => Some(status.0),
            None => taker.maybe::<Loose<_>>("status")?.map(|loose| loose.0),
        };
        self.extra = taker.rest();
        Ok(())
    }

    /// Refuses a record that names another order or refund than was asked for, and notes whether it names this one.
    pub(super) fn about(
        mut self,
        order: &OrderKey,
        refund_no: Option<&RefundNo>,
        platform_refund_no: Option<&RemoteId>,
    ) -> Result<Self, OpenError> {
        fn differs<T: PartialEq>(asked: Option<&T>, told: Option<&T>) -> bool {
            matches!((asked, told), (Some(asked), Some(told)) if asked != told)
        }
        fn names<T: PartialEq>(asked: Option<&T>, told: Option<&T>) -> bool {
            asked.is_some() && asked == told
        }
        let (order_no, trade_no) = match order {
            OrderKey::Liquidator(order_no) => (Some(order_no), None),
            OrderKey::Platform(trade_no) => (None, Some(trade_no)),
        };
        let rows = [
            ("out_trade_no", differs(order_no, self.order_no.as_ref())),
            ("trade_no", differs(trade_no, self.trade_no.as_ref())),
            ("out_refund_no", differs(refund_no, self.refund_no.as_ref())),
            (
                "refund_no",
                differs(platform_refund_no, self.platform_refund_no.as_ref()),
            ),
        ];
        match rows.into_iter().find(|(_, differs)| *differs) {
            Some((field, _)) => Err(ProtocolError::new(ProtocolErrorKind::Foreign { field }).into()),
            None => {
                self.names_the_refund = names(refund_no, self.refund_no.as_ref())
                    || names(platform_refund_no, self.platform_refund_no.as_ref());
                Ok(self)
            }
        }
    }

    /// What this says about a refund whose outcome was unknown.
    ///
    /// Nobody signs the record and no page describes it, so a status counts only beside the number by which the refund
    /// was asked for: alone it may be the order's, or another refund's. An absent status, one that this version does
    /// not know, and a failure that may not be the end count as pending: whoever took them for one could refund twice.
    #[must_use]
    pub const fn standing(&self) -> Standing {
        if !self.names_the_refund {
            return Standing::Pending;
        }
        match &self.status {
            Some(RefundStatus::Refunded) => Standing::Succeeded,
            Some(RefundStatus::Refunding) => Standing::Accepted,
            Some(RefundStatus::Failed | RefundStatus::Unknown(_)) | None => Standing::Pending,
        }
    }
}
