//! Notices: verified over their raw bytes, then read, then decrypted, then typed. v3 sheet, section 11.

mod refund_notice;

pub use refund_notice::RefundNotice;

use std::borrow::Cow;

use bytes::Bytes;
use http::header::{CONTENT_TYPE, HeaderValue};
use http::{Response, StatusCode};
use serde::Deserialize;
use yuanfen_core::{
    EventKey, Facts, FieldError, JsonTaker, Notice, NotificationSource, OpenError, ProtocolError, ProtocolErrorKind,
    SignatureError, Standing, Transition, UnixTime, ValueError, Verdict,
};

use crate::certificates::{ALGORITHM, parse_object};
use crate::incoming::{KEPT_HEADERS, Signed, check_size};
use crate::ops::PROVIDER;
use crate::private::Raw;
use crate::{Account, CombinedTransaction, SubMerchant, TradeState, Transaction};

/// What happened.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum Event {
    /// `TRANSACTION.SUCCESS`: an order was paid.
    Payment(Transaction),
    /// `REFUND.…`: a refund came to an end, or to a stop.
    Refund(RefundNotice),
    /// `TRANSACTION.SUCCESS`: orders that are paid together were paid.
    CombinedPayment(CombinedTransaction),
    /// An event that this version has no type for: other products.
    Other(OtherNotice),
}

/// An event that this version has no type for, decrypted.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct OtherNotice {
    /// `id`: of the notice.
    pub id: String,
    /// `event_type`.
    pub event_type: String,
    /// `resource.original_type`.
    pub original_type: Option<String>,
    plaintext: Raw,
}

impl OtherNotice {
    /// The decrypted text. Whose merchant number it names was not looked at.
    #[must_use]
    pub const fn plaintext(&self) -> &Bytes {
        &self.plaintext.0
    }
}

/// A notice of the older API: XML, sent where a refund had no `notify_url` of its own.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("this is a notice of the older API (XML); set `notify_url` on every refund, or open it as wechat-v2")]
struct OlderApi;

impl NotificationSource for Account {
    type Event = Event;

    fn route(&self) -> &'static str {
        PROVIDER
    }

    /// The number that signs: a service provider's, where one acts.
    fn account(&self) -> &str {
        self.ids().merchant_id()
    }

    fn kept_headers(&self) -> &'static [&'static str] {
        &KEPT_HEADERS
    }

    /// Opens a notice. An unknown serial is [`SignatureError::UnknownKey`]: fetch the platform's keys as for an answer, then
    /// open the same notice again. One that cannot be fetched is [`SignatureError::KeyNotConfigured`], which says what to
    /// set.
    fn open_notification(&self, request: &http::Request<Bytes>, now: UnixTime) -> Result<Notice<Event>, OpenError> {
        let body = request.body();
        check_size(body)?;
        let signed = Signed::read(request.headers(), now).map_err(|error| from_older_api(error, body))?;
        let key = signed.key(self, now)?;
        let proven = signed.check(&key, body, ())?;
        proven.try_map(|()| self.open_envelope(body)).map(Notice::Settles)
    }

    fn key(&self, event: &Event) -> EventKey {
        match event {
            Event::Payment(order) => self.key_of(
                order.order_no.as_str(),
                match order.trade_state {
                    TradeState::Success => Transition::OrderPaid,
                    _ => Transition::Other,
                },
            ),
            Event::CombinedPayment(order) => self.key_of(
                order.order_no.as_str(),
                match order.standing() {
                    Standing::Succeeded => Transition::OrderPaid,
                    _ => Transition::Other,
                },
            ),
            Event::Refund(refund) => self.key_of(refund.refund_no.as_str(), refund.status.transition()),
            Event::Other(other) => self.key_of(&other.id, Transition::Other),
        }
    }

    fn facts(&self, event: &Event) -> Facts {
        match event {
            Event::Payment(order) => order_facts(order, order.trade_state.as_str()),
            Event::CombinedPayment(order) => combined_facts(order, order.state_words()),
            Event::Refund(refund) => {
                let mut facts = Facts::new(refund.status.as_str());
                facts.amount = Some(refund.refund);
                facts.order_no = Some(refund.order_no.as_str().to_owned());
                facts.refund_no = Some(refund.refund_no.as_str().to_owned());
                facts.remote_id = Some(refund.refund_id.as_str().to_owned());
                facts.merchant = Some(settled_to(&refund.merchant_id, refund.sub_merchant.as_ref()));
                facts
            }
            Event::Other(other) => Facts::new(&*other.event_type),
        }
    }

    /// 200 without a body, or 500 with `FAIL`. Answer within five seconds; a 2xx counts as taken whatever its body says.
    fn acknowledge(&self, verdict: Verdict) -> Response<Bytes> {
        match verdict {
            Verdict::Accepted => Response::new(Bytes::new()),
            // What is not known to be accepted is delivered again.
            _ => {
                let body = Bytes::from_static(br#"{"code":"FAIL","message":"not accepted, deliver it again"}"#);
                let mut response = Response::new(body);
                *response.status_mut() = StatusCode::INTERNAL_SERVER_ERROR;
                let json = HeaderValue::from_static("application/json");
                response.headers_mut().insert(CONTENT_TYPE, json);
                response
            }
        }
    }
}

/// What an order settles that came to that end.
pub(crate) fn order_facts(order: &Transaction, end_state: &str) -> Facts {
    let mut facts = Facts::new(end_state);
    facts.amount = order.total;
    facts.currency.clone_from(&order.currency);
    facts.order_no = Some(order.order_no.as_str().to_owned());
    facts.remote_id = order.transaction_id.as_ref().map(|id| id.as_str().to_owned());
    facts.merchant = Some(settled_to(&order.merchant_id, order.sub_merchant.as_ref()));
    facts.app.clone_from(&order.app_id);
    facts
}

/// The same of a combined one. There is no number of the platform's for the whole; the amount is what its parts sum up to.
pub(crate) fn combined_facts(order: &CombinedTransaction, end_state: String) -> Facts {
    let mut facts = Facts::new(end_state);
    facts.amount = order.total();
    facts.currency = order.currency().map(str::to_owned);
    facts.order_no = Some(order.order_no.as_str().to_owned());
    facts.merchant = Some(order.merchant_id.clone());
    facts.app = Some(order.app_id.clone());
    facts
}

/// Whose money it is: the merchant for which a provider acted, or the merchant itself.
pub(crate) fn settled_to(merchant_id: &str, sub_merchant: Option<&SubMerchant>) -> String {
    sub_merchant.map_or(merchant_id, |sub| &sub.merchant_id).to_owned()
}

impl Account {
    pub(crate) fn key_of(&self, subject: &str, transition: Transition) -> EventKey {
        EventKey::new(self.route(), self.account(), subject, transition)
    }

    /// Reads and opens a body that is known to be genuine.
    fn open_envelope(&self, body: &[u8]) -> Result<Event, OpenError> {
        let envelope = Envelope::read(body)?;
        let resource = &envelope.resource;
        let associated_data = resource.associated_data.as_deref().unwrap_or_default();
        let plaintext = self
            .api_v3_key()
            .open(&resource.nonce, associated_data, &resource.ciphertext)
            .map_err(|error| ProtocolError::new(ProtocolErrorKind::Decrypt).with_source(error))?;
        let plaintext = Bytes::from(plaintext);
        let other = |plaintext| {
            Event::Other(OtherNotice {
                id: envelope.id.clone().into_owned(),
                event_type: envelope.event_type.clone().into_owned(),
                original_type: resource.original_type.clone().map(Cow::into_owned),
                plaintext: Raw(plaintext),
            })
        };
        let refund = envelope.event_type.starts_with("REFUND.");
        if !refund && envelope.event_type != "TRANSACTION.SUCCESS" {
            return Ok(other(plaintext));
        }
        let object = parse_object(&plaintext, None)?;
        let combined = object.raw("combine_out_trade_no").is_some();
        if combined && refund {
            return Ok(other(plaintext));
        }
        if combined {
            let order = CombinedTransaction::read(&object, self.ids(), plaintext)?;
            order.must_say_what_was_paid()?;
            return Ok(Event::CombinedPayment(order));
        }
        if refund {
            let notice = RefundNotice::read(&object, self.ids(), plaintext)?;
            return Ok(Event::Refund(notice));
        }
        let order = Transaction::read(&object, self.ids(), plaintext)?;
        if order.total.is_none() {
            // Nobody could tell whether the right amount was paid.
            return Err(FieldError::new("amount.total", ValueError::Missing).into());
        }
        Ok(Event::Payment(order))
    }
}

/// A notice as it is before it is decrypted, borrowed from its body: everything in it is read once, and the ciphertext is
/// not copied before it is decoded.
#[derive(Deserialize)]
struct Envelope<'a> {
    #[serde(borrow)]
    id: Cow<'a, str>,
    #[serde(borrow)]
    event_type: Cow<'a, str>,
    #[serde(borrow)]
    resource: Resource<'a>,
}

#[derive(Deserialize)]
struct Resource<'a> {
    #[serde(borrow)]
    algorithm: Cow<'a, str>,
    #[serde(borrow, default)]
    original_type: Option<Cow<'a, str>>,
    #[serde(borrow)]
    nonce: Cow<'a, str>,
    #[serde(borrow, default)]
    associated_data: Option<Cow<'a, str>>,
    #[serde(borrow)]
    ciphertext: Cow<'a, str>,
}

impl<'a> Envelope<'a> {
    fn read(body: &'a [u8]) -> Result<Self, ProtocolError> {
        match serde_json::from_slice::<Self>(body) {
            Ok(envelope) if envelope.is_whole() => Ok(envelope),
            Ok(_) => Err(Self::fault(
                body,
                "a required member is empty or of another form".into(),
            )),
            Err(error) => Err(Self::fault(body, error.into())),
        }
    }

    fn is_whole(&self) -> bool {
        let Resource {
            algorithm,
            nonce,
            ciphertext,
            ..
        } = &self.resource;
        algorithm == ALGORITHM
            && [&self.id, &self.event_type, nonce, ciphertext]
                .iter()
                .all(|text| !text.is_empty())
    }

    /// Reads a body that is not as it should be once more, to name the field.
    fn fault(body: &[u8], otherwise: Box<dyn std::error::Error + Send + Sync>) -> ProtocolError {
        let named = || {
            let object = parse_object(body, None)?;
            let mut taker = JsonTaker::new(&object);
            let text = |taker: &mut JsonTaker<'_>, name| taker.need::<String>(name).map(drop);
            text(&mut taker, "id")?;
            text(&mut taker, "event_type")?;
            taker.nested("resource", |resource| {
                let algorithm: String = resource.need("algorithm")?;
                if algorithm != ALGORITHM {
                    return Err(FieldError::new("algorithm", ValueError::Form { expected: ALGORITHM }));
                }
                text(resource, "nonce")?;
                text(resource, "ciphertext")?;
                for optional in ["original_type", "associated_data"] {
                    let _text: Option<String> = resource.maybe(optional)?;
                }
                Ok(())
            })?;
            Ok::<(), ProtocolError>(())
        };
        match named() {
            Err(error) => error,
            Ok(()) => ProtocolError::new(ProtocolErrorKind::Format).with_source(otherwise),
        }
    }
}

/// Says it where a notice lacks every sign of this API because it is one of the older.
fn from_older_api(error: SignatureError, body: &[u8]) -> OpenError {
    let xml = body.trim_ascii_start().starts_with(b"<xml");
    if xml && matches!(error, SignatureError::Missing { .. }) {
        ProtocolError::new(ProtocolErrorKind::Format)
            .with_source(OlderApi)
            .into()
    } else {
        error.into()
    }
}
