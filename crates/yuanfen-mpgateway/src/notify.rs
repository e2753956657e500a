//! The notice to `backurl`: mpgateway sheet, section 9.

use std::fmt;

use bytes::Bytes;
use http::header::CONTENT_TYPE;
use http::{HeaderValue, Request, Response, StatusCode};
use yuanfen_core::{
    ClockDashed, EventKey, Extra, Facts, Fen, FieldError, Fields, JsonTaker, Limits, Loose, Notice, NotificationSource,
    OpenError, OrderNo, ProtocolError, ProtocolErrorKind, RemoteId, SignatureError, UnixTime, Verdict, Verified,
    WireText as _,
};

use crate::Account;
use crate::codes::ResultCode;
use crate::sign::{Opened, open};

/// What became of an order. More than one per order is normal: `1002` first, `0000` later.
#[derive(Clone)]
#[non_exhaustive]
pub struct ResultNotice {
    /// `resultcode`.
    pub result: ResultCode,
    /// `resultmsg`.
    pub result_message: Option<String>,
    /// `queryid`.
    pub query_id: RemoteId,
    /// `orderid`.
    pub order_no: OrderNo,
    /// `txnamt`, fen: compare this with your order.
    pub amount: Fen,
    /// `merid`.
    pub merchant: String,
    /// `paytime`, taken as Beijing time; `None` where it is absent or not of its form.
    pub paid_at: Option<UnixTime>,
    /// `paytime` as it came.
    pub paid_text: Option<String>,
    /// What else came.
    pub extra: Extra,
    /// The JSON inside `resp`, as it was signed.
    pub raw: Bytes,
}

/// Without the bytes of the message.
impl fmt::Debug for ResultNotice {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("ResultNotice")
            .field("result", &self.result)
            .field("query_id", &self.query_id)
            .field("order_no", &self.order_no)
            .field("amount", &self.amount)
            .field("merchant", &self.merchant)
            .field("paid_at", &self.paid_at)
            .field("extra", &self.extra)
            .finish_non_exhaustive()
    }
}

impl ResultNotice {
    pub(crate) fn open(account: &Account, fields: &Fields) -> Result<Verified<Self>, OpenError> {
        let part = |part| SignatureError::Missing { part };
        let resp = fields.filled("resp").ok_or(part("resp"))?;
        let sign = fields.filled("sign").ok_or(part("sign"))?;
        let notice = open(account, resp, sign)?.try_map(Self::read)?;
        if notice.get().merchant != *account.merchant {
            return Err(ProtocolError::new(ProtocolErrorKind::Foreign { field: "merid" }).into());
        }
        Ok(notice)
    }

    fn read(opened: Opened) -> Result<Self, FieldError> {
        let mut taker = JsonTaker::new(&opened.object);
        let paid_text: Option<String> = taker.maybe("paytime")?;
        Ok(Self {
            result: taker.need("resultcode")?,
            result_message: taker.maybe("resultmsg")?,
            query_id: taker.need("queryid")?,
            order_no: taker.need("orderid")?,
            amount: taker.need::<Loose<Fen>>("txnamt")?.0,
            merchant: taker.need("merid")?,
            paid_at: paid_text
                .as_deref()
                .and_then(|text| ClockDashed::read(text).ok())
                .map(|clock| clock.0),
            paid_text,
            extra: taker.rest(),
            raw: Bytes::from(opened.json),
        })
    }
}

impl NotificationSource for Account {
    type Event = ResultNotice;

    fn route(&self) -> &'static str {
        "mpgateway"
    }

    fn account(&self) -> &str {
        &self.merchant
    }

    /// None: all that is checked and read is in the body or the query.
    fn kept_headers(&self) -> &'static [&'static str] {
        &[]
    }

    /// The two fields come from the form body; where that has none of them, from the query.
    fn open_notification(&self, request: &Request<Bytes>, _now: UnixTime) -> Result<Notice<ResultNotice>, OpenError> {
        let read = |text: &[u8]| {
            yuanfen_form::read(text, &Limits::DEFAULT).map_err(|error| ProtocolError::unreadable(text, error))
        };
        let mut fields = read(request.body())?;
        if fields.get("resp").is_none() && fields.get("sign").is_none() {
            fields = read(request.uri().query().unwrap_or_default().as_bytes())?;
        }
        ResultNotice::open(self, &fields).map(Notice::Settles)
    }

    /// A code that the account does not count as paid reports no payment. Codes without a transition of their own are
    /// told apart by the subject, because two of them do not contradict each other.
    fn key(&self, event: &ResultNotice) -> EventKey {
        self.key_of(&event.order_no, &event.result)
    }

    fn facts(&self, event: &ResultNotice) -> Facts {
        self.facts_of(&event.result, event.amount, &event.order_no, &event.query_id)
    }

    /// After `1002` comes `0000`, when the money is available.
    fn is_over(&self, event: &ResultNotice) -> bool {
        self.is_last(&event.result)
    }

    /// HTTP 200 with exactly `0000` as plain text; anything else is delivered again.
    fn acknowledge(&self, verdict: Verdict) -> Response<Bytes> {
        let (status, body): (_, &[u8]) = match verdict {
            Verdict::Accepted => (StatusCode::OK, b"0000"),
            _ => (StatusCode::BAD_REQUEST, b"not taken"),
        };
        let mut response = Response::new(Bytes::from_static(body));
        *response.status_mut() = status;
        response
            .headers_mut()
            .insert(CONTENT_TYPE, HeaderValue::from_static("text/plain; charset=utf-8"));
        response
    }
}
