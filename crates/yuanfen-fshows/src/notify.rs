//! Call-backs: fshows sheet, section 11. Signed, and yet hints, whatever the wallet: see
//! [`Account::open_notification`](yuanfen_core::NotificationSource::open_notification) for why.

use bytes::Bytes;
use http::header::CONTENT_TYPE;
use http::{HeaderValue, Request, Response, StatusCode};
use yuanfen_core::{
    EventKey, Extra, Facts, Fen, FieldError, Fields, Hint, Lookup, Notice, NotificationSource, OpenError, OrderNo,
    RemoteId, Taker, Transition, UnixTime, ValueError, Verdict, Verified, Yuan, open_enum,
};
use yuanfen_envelope::open_callback;

use crate::Account;
use crate::ops::AlipayStatus;

open_enum! {
    /// `status` of a JD order in a call-back. In a query `2` is paid; here `0` is.
    pub enum JdCallbackStatus {
        /// Paid.
        Paid = "0",
        /// Not paid.
        NotPaid = "1",
    }
}

open_enum! {
    /// `retn_code` of a BestPay order in a call-back.
    pub enum BestPayReturn {
        /// Paid.
        Paid = "0000",
    }
}

/// What a call-back says, in its wallet's words.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum CallbackState {
    /// Alipay's `trade_status`.
    Alipay(AlipayStatus),
    /// JD's `status`.
    Jd(JdCallbackStatus),
    /// BestPay's `retn_code`.
    BestPay(BestPayReturn),
    /// WeChat: no status is sent. Query the order.
    Wechat,
}

/// A call-back whose signature held.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct Callback {
    /// `out_trade_no`.
    pub order_no: OrderNo,
    /// The state.
    pub state: CallbackState,
    /// `trade_no`; on WeChat call-backs `transaction_id`, which is most likely the platform's number too.
    pub trade_no: Option<RemoteId>,
    /// `total_fee`, for Alipay `total_amount`: yuan on the wire; compare this with your order.
    pub amount: Fen,
    /// What else came: rates, fees, times.
    pub extra: Extra,
}

impl Callback {
    /// Types a call-back. Which status field came tells the wallet; give each wallet its own notify address where you
    /// can.
    fn read(fields: &Fields) -> Result<Self, FieldError> {
        // What was one value when it was signed can arrive as two fields (fshows sheet, section 6.3), and one more
        // status would turn a hint into a settlement.
        let marks = ["trade_status", "retn_code", "transaction_id"];
        if marks.iter().filter(|name| fields.filled(name).is_some()).count() > 1 {
            return Err(FieldError::new(
                "trade_status",
                ValueError::Form {
                    expected: "the mark of one wallet alone",
                },
            ));
        }
        let mut taker = Taker::new(fields);
        let state = if let Some(status) = taker.maybe("trade_status")? {
            CallbackState::Alipay(status)
        } else if let Some(code) = taker.maybe("retn_code")? {
            CallbackState::BestPay(code)
        } else if fields.filled("transaction_id").is_some() {
            CallbackState::Wechat
        } else if let Some(status) = taker.maybe("status")? {
            CallbackState::Jd(status)
        } else {
            return Err(FieldError::new("transaction_id", ValueError::Missing));
        };
        let amount_field = if state.is_alipay() { "total_amount" } else { "total_fee" };
        let number_field = if state == CallbackState::Wechat {
            "transaction_id"
        } else {
            "trade_no"
        };
        Ok(Self {
            order_no: taker.need("out_trade_no")?,
            state,
            trade_no: taker.maybe(number_field)?,
            amount: taker.need::<Yuan>(amount_field)?.0,
            extra: taker.rest(),
        })
    }
}

impl CallbackState {
    const fn is_alipay(&self) -> bool {
        matches!(self, Self::Alipay(_))
    }

    /// The status text, for [`Facts`]. An order of Alipay's that can no longer be refunded has the word that told of its
    /// payment: both are one event.
    fn as_str(&self) -> &str {
        match self {
            Self::Alipay(AlipayStatus::Finished) => AlipayStatus::Success.as_str(),
            Self::Alipay(status) => status.as_str(),
            Self::Jd(status) => status.as_str(),
            Self::BestPay(code) => code.as_str(),
            Self::Wechat => "",
        }
    }

    const fn transition(&self) -> Transition {
        match self {
            Self::Alipay(AlipayStatus::Success | AlipayStatus::Finished)
            | Self::Jd(JdCallbackStatus::Paid)
            | Self::BestPay(BestPayReturn::Paid) => Transition::OrderPaid,
            Self::Jd(JdCallbackStatus::NotPaid) => Transition::OrderFailed,
            Self::Alipay(AlipayStatus::Waiting | AlipayStatus::Closed | AlipayStatus::Unknown(_))
            | Self::Jd(JdCallbackStatus::Unknown(_))
            | Self::BestPay(BestPayReturn::Unknown(_))
            | Self::Wechat => Transition::Other,
        }
    }
}

impl Account {
    /// Opens a call-back of any wallet.
    ///
    /// # Errors
    /// When the body is no form, the signature is absent or does not hold, or a field is not of its type.
    pub fn open_callback(&self, body: &[u8]) -> Result<Verified<Callback>, OpenError> {
        open_callback(body, &self.platform, &self.callbacks)
            .map_err(|error| error.into_open_error(body))?
            .try_map(|fields| Callback::read(&fields))
            .map_err(OpenError::from)
    }
}

impl NotificationSource for Account {
    type Event = Callback;

    fn route(&self) -> &'static str {
        "fshows"
    }

    /// `app_id`: which account of the platform's.
    fn account(&self) -> &str {
        &self.app_id
    }

    /// None: all that is checked and read is in the body.
    fn kept_headers(&self) -> &'static [&'static str] {
        &[]
    }

    /// A call-back settles nothing, however well it is signed: it names no account, one platform key signs for every
    /// account of an environment, and its text can be cut into fields in more than one way. It says which order to query.
    fn open_notification(&self, request: &Request<Bytes>, _now: UnixTime) -> Result<Notice<Callback>, OpenError> {
        let order_no = self.open_callback(request.body())?.into_inner().order_no;
        Ok(Notice::Hint(Hint::new(self.route(), Lookup::Order(order_no)).signed()))
    }

    fn key(&self, event: &Callback) -> EventKey {
        self.key_of(event.order_no.as_str(), event.state.transition())
    }

    fn facts(&self, event: &Callback) -> Facts {
        let mut facts = Facts::new(event.state.as_str());
        facts.amount = Some(event.amount);
        facts.order_no = Some(event.order_no.to_string());
        facts.remote_id = event.trade_no.as_ref().map(ToString::to_string);
        facts
    }

    /// HTTP 200 with `success` as plain text (or the account's own text); `fail` makes it come again.
    fn acknowledge(&self, verdict: Verdict) -> Response<Bytes> {
        let (status, body) = match verdict {
            Verdict::Accepted => (StatusCode::OK, Bytes::from(self.acknowledgement.to_string())),
            _ => (StatusCode::BAD_REQUEST, Bytes::from_static(b"fail")),
        };
        let mut response = Response::new(body);
        *response.status_mut() = status;
        response
            .headers_mut()
            .insert(CONTENT_TYPE, HeaderValue::from_static("text/plain; charset=utf-8"));
        response
    }
}
