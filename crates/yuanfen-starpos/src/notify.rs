//! Pushes: plain ones carry no signature, encrypted ones are proven. StarPos sheet, section 9.

#[cfg(feature = "encrypted-push")]
mod encrypted;

use std::fmt;

use bytes::Bytes;
use http::header::CONTENT_TYPE;
use http::{HeaderValue, Request, Response};
use yuanfen_core::{
    EventKey, Extra, Facts, Fen, FieldError, Fields, Hint, Lookup, Notice, NotificationSource, OpenError, OrderNo,
    ProtocolError, ProtocolErrorKind, RefundNo, RemoteId, Taker, Transition, UnixTime, Verdict, Yuan, open_enum,
};

#[cfg(feature = "encrypted-push")]
pub use encrypted::PushKeys;

use crate::{Account, charset};

open_enum! {
    /// `TxnCode`: what kind of transaction a push reports. A refund has `TxnStatus` 1 as well, so look here first.
    pub enum TxnCode {
        /// The merchant scanned.
        MerchantScan = "N001",
        /// The payer scanned.
        PayerScan = "N002",
        /// Official account.
        OfficialAccount = "N007",
        /// Refund of a code payment.
        Refund = "L005",
        /// Card sale.
        CardSale = "L020",
        /// Card void.
        CardVoid = "L030",
        /// Card reversal.
        CardReversal = "L009",
        /// WeChat table stand.
        WechatStand = "4433040",
        /// Alipay table stand.
        AlipayStand = "4433050",
        /// Completion of a pre-authorization.
        Completion = "2010060",
        /// Void of a completion.
        CompletionVoid = "2010070",
    }
}

/// `TxnStatus` of what succeeded; no other is published.
pub(crate) const SUCCEEDED: &str = "1";

/// What a push reports. `Debug` does not show the payer.
#[derive(Clone)]
#[non_exhaustive]
pub struct Push {
    /// `logNo`: the platform's serial number.
    pub log_no: RemoteId,
    /// `TxnCode`.
    pub kind: TxnCode,
    /// `TxnStatus`: `1` is success; nothing else is documented.
    pub status: String,
    /// `TxnAmt`: **yuan** on the wire.
    pub amount: Fen,
    /// `TxnLogId`: the `tradeNo` of the request.
    pub trade_no: Option<String>,
    /// `ChannelId`: the `selOrderNo` of the request.
    pub order_no: Option<String>,
    /// `OfficeId`: the channel's order number.
    pub channel_order_no: Option<String>,
    /// `BusinessId`: the merchant.
    pub merchant: String,
    /// `UserId`: the payer's openid. `Debug` does not show it.
    pub payer: Option<String>,
    /// What else came.
    pub extra: Extra,
}

impl Push {
    /// Reads the fields of a push that is about this account.
    fn read(account: &Account, fields: &Fields) -> Result<Self, OpenError> {
        for (field, ours) in [("BusinessId", &account.merchant), ("AgentId", &account.organization)] {
            if fields.filled(field).is_some_and(|theirs| theirs != &**ours) {
                return Err(ProtocolError::new(ProtocolErrorKind::Foreign { field }).into());
            }
        }
        Self::typed(fields).map_err(OpenError::from)
    }

    fn typed(fields: &Fields) -> Result<Self, FieldError> {
        let mut taker = Taker::new(fields);
        Ok(Self {
            log_no: taker.need("logNo")?,
            kind: taker.need("TxnCode")?,
            status: taker.need("TxnStatus")?,
            amount: taker.need::<Yuan>("TxnAmt")?.0,
            trade_no: taker.maybe("TxnLogId")?,
            order_no: taker.maybe("ChannelId")?,
            channel_order_no: taker.maybe("OfficeId")?,
            merchant: taker.need("BusinessId")?,
            payer: taker.maybe("UserId")?,
            extra: taker.rest(),
        })
    }

    /// The number that its call was sent with (`TxnLogId`): of a payment ours, of a refund the refund's own. What stands
    /// there where the call had none, as `pubSigPay` may, is not published; the serial number would be the platform's.
    fn call_no(&self) -> Option<&str> {
        let number = self.trade_no.as_deref();
        number.filter(|number| *number != self.log_no.as_str())
    }

    /// Our number of a payment: that of its call, or without one the order number that was sent with it (`ChannelId`).
    fn payment_no(&self) -> Option<&str> {
        self.call_no().or(self.order_no.as_deref())
    }

    /// What to ask for: what we call it, or else what the platform does.
    fn into_hint(self, route: &'static str) -> Hint {
        let ours = if self.kind == TxnCode::Refund {
            self.call_no().map(|number| RefundNo::new(number).map(Lookup::Refund))
        } else {
            self.payment_no().map(|number| OrderNo::new(number).map(Lookup::Order))
        };
        let remote = Lookup::RemoteOrder(self.log_no);
        match ours {
            Some(Ok(ours)) => Hint::new(route, ours).or(remote),
            Some(Err(_)) | None => Hint::new(route, remote),
        }
    }

    /// What happened.
    #[must_use]
    pub fn transition(&self) -> Transition {
        if self.status != SUCCEEDED {
            return Transition::Other;
        }
        match self.kind {
            TxnCode::MerchantScan
            | TxnCode::PayerScan
            | TxnCode::OfficialAccount
            | TxnCode::CardSale
            | TxnCode::WechatStand
            | TxnCode::AlipayStand => Transition::OrderPaid,
            TxnCode::Refund => Transition::RefundSucceeded,
            TxnCode::CardVoid
            | TxnCode::CardReversal
            | TxnCode::Completion
            | TxnCode::CompletionVoid
            | TxnCode::Unknown(_) => Transition::Other,
        }
    }
}

impl fmt::Debug for Push {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Push")
            .field("log_no", &self.log_no)
            .field("kind", &self.kind)
            .field("status", &self.status)
            .field("amount", &self.amount)
            .field("trade_no", &self.trade_no)
            .field("order_no", &self.order_no)
            .field("channel_order_no", &self.channel_order_no)
            .field("merchant", &self.merchant)
            .field("extra", &self.extra)
            .finish_non_exhaustive()
    }
}

impl NotificationSource for Account {
    type Event = Push;

    fn route(&self) -> &'static str {
        "starpos"
    }

    fn account(&self) -> &str {
        &self.merchant
    }

    /// None: all that is read is in the body, its character set included.
    fn kept_headers(&self) -> &'static [&'static str] {
        &[]
    }

    fn open_notification(&self, request: &Request<Bytes>, _now: UnixTime) -> Result<Notice<Push>, OpenError> {
        let body = request.body();
        let object = charset::read(body).map_err(|error| ProtocolError::unreadable(body, error))?;
        let fields = object.to_fields()?;
        if fields.get("Datas").is_some() {
            #[cfg(feature = "encrypted-push")]
            return encrypted::open(self, &fields).map(Notice::Settles);
            #[cfg(not(feature = "encrypted-push"))]
            return Err(ProtocolError::new(ProtocolErrorKind::Decrypt).into());
        }
        // Nothing proves a plain push: all that is taken from it is which payment to query.
        let push = Push::read(self, &fields)?;
        Ok(Notice::Hint(push.into_hint(self.route())))
    }

    fn key(&self, event: &Push) -> EventKey {
        self.key_of(&event.log_no, event.transition())
    }

    /// Of what a query tells as well, the end state is the status alone: no answer names the kind of transaction.
    fn facts(&self, event: &Push) -> Facts {
        let transition = event.transition();
        let end_state = match transition {
            Transition::Other => format!("{} {}", event.kind, event.status),
            _ => event.status.clone(),
        };
        let mut facts = self.facts_of(&event.log_no, end_state);
        facts.amount = Some(event.amount);
        // The number of any other call than a payment's is its own, and not the order's.
        let order_no = match transition {
            Transition::OrderPaid => event.payment_no(),
            _ => event.order_no.as_deref(),
        };
        facts.order_no = order_no.map(str::to_owned);
        if event.kind == TxnCode::Refund {
            facts.refund_no = event.call_no().map(str::to_owned);
        }
        facts
    }

    /// HTTP 200 with `RspCode` 000000, or another six digits for "deliver again".
    fn acknowledge(&self, verdict: Verdict) -> Response<Bytes> {
        let body: &[u8] = match verdict {
            Verdict::Accepted => br#"{"RspCode":"000000","RspDes":"success"}"#,
            _ => br#"{"RspCode":"111111","RspDes":"not taken"}"#,
        };
        let mut response = Response::new(Bytes::from_static(body));
        response
            .headers_mut()
            .insert(CONTENT_TYPE, HeaderValue::from_static("application/json"));
        response
    }
}
