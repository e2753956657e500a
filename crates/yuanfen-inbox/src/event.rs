//! What is stored about a business event.

use std::fmt;

use bytes::Bytes;
use http::{HeaderMap, HeaderName, HeaderValue, Method, Request, Uri};
use yuanfen_core::{EventKey, Facts, Notice, NotificationSource, OpenError, UnixTime};

use crate::StoreError;

/// The number of a stored event, for people and logs. The key across databases is [`EventKey`].
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct EventId(i64);

impl EventId {
    /// The event with that number.
    #[must_use]
    pub const fn new(number: i64) -> Self {
        Self(number)
    }

    /// The number.
    #[must_use]
    pub const fn get(self) -> i64 {
        self.0
    }
}

impl fmt::Display for EventId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.fmt(f)
    }
}

/// How an event was learned.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum Origin {
    /// The platform sent a notice that proves it.
    Notice,
    /// A query of ours found it.
    Query,
}

impl Origin {
    /// The name in the table.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Notice => "notice",
            Self::Query => "query",
        }
    }

    /// The origin of that name.
    #[must_use]
    pub fn from_name(name: &str) -> Option<Self> {
        [Self::Notice, Self::Query]
            .into_iter()
            .find(|origin| origin.as_str() == name)
    }
}

/// Where an event is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum EventState {
    /// Stored; a worker takes it now, or after a pause.
    Ready,
    /// It took effect.
    Done,
    /// Nobody takes it until a person makes it ready again.
    Parked,
    /// A person has seen to it by other means: it takes no effect.
    Dismissed,
}

impl EventState {
    /// The name in the table.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Ready => "ready",
            Self::Done => "done",
            Self::Parked => "parked",
            Self::Dismissed => "dismissed",
        }
    }

    /// The state of that name.
    #[must_use]
    pub fn from_name(name: &str) -> Option<Self> {
        [Self::Ready, Self::Done, Self::Parked, Self::Dismissed]
            .into_iter()
            .find(|state| state.as_str() == name)
    }
}

/// Why an event waits for a person.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum ParkReason {
    /// The handler failed as often as it may.
    Attempts,
    /// The handler said that no further attempt can help.
    Handler,
    /// A later delivery under the same key tells other facts.
    Conflict,
    /// Amount, currency, merchant, app or order are not what the shop expects.
    Mismatch,
    /// The shop expects no order of this number.
    Unexpected,
    /// A person parked it.
    Person,
}

impl ParkReason {
    const ALL: [Self; 6] = [
        Self::Attempts,
        Self::Handler,
        Self::Conflict,
        Self::Mismatch,
        Self::Unexpected,
        Self::Person,
    ];

    /// The name in the table.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Attempts => "attempts",
            Self::Handler => "handler",
            Self::Conflict => "conflict",
            Self::Mismatch => "mismatch",
            Self::Unexpected => "unexpected",
            Self::Person => "person",
        }
    }

    /// The reason of that name.
    #[must_use]
    pub fn from_name(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|reason| reason.as_str() == name)
    }
}

/// A request as it came, with the headers that are needed to check it again and no others.
#[derive(Clone, PartialEq, Eq)]
#[non_exhaustive]
pub struct KeptRequest {
    /// The method.
    pub method: Method,
    /// Path and query.
    pub uri: Uri,
    /// The headers that the source names ([`NotificationSource::kept_headers`]).
    pub headers: HeaderMap,
    /// The body.
    pub body: Bytes,
}

impl KeptRequest {
    /// What of a request is kept: cookies, credentials and the rest of the headers are not.
    #[must_use]
    pub fn of(request: &Request<Bytes>, kept_headers: &[&str]) -> Self {
        let headers = kept_headers
            .iter()
            .filter_map(|name| HeaderName::from_bytes(name.as_bytes()).ok())
            .flat_map(|name| {
                let values = request.headers().get_all(&name).iter();
                values.map(|value| (name.clone(), value.clone())).collect::<Vec<_>>()
            })
            .collect();
        let path = request.uri().path_and_query().map_or("/", |path| path.as_str());
        Self {
            method: request.method().clone(),
            uri: path.parse().unwrap_or_default(),
            headers,
            body: request.body().clone(),
        }
    }

    /// The request, to be opened again.
    #[must_use]
    pub fn to_request(&self) -> Request<Bytes> {
        let mut request = Request::new(self.body.clone());
        *request.method_mut() = self.method.clone();
        *request.uri_mut() = self.uri.clone();
        *request.headers_mut() = self.headers.clone();
        request
    }

    /// The headers as one text for a column: JSON pairs. A value that is no text is kept as the bytes' Latin-1 reading.
    #[must_use]
    pub fn headers_text(&self) -> String {
        let pairs: Vec<(&str, String)> = self
            .headers
            .iter()
            .map(|(name, value)| {
                (
                    name.as_str(),
                    value.as_bytes().iter().map(|byte| char::from(*byte)).collect(),
                )
            })
            .collect();
        serde_json::json!(pairs).to_string()
    }

    /// What was kept, from its columns.
    ///
    /// # Errors
    /// [`StoreError::Unreadable`] when a column does not hold what was written.
    pub fn from_columns(method: &str, uri: &str, headers: &str, body: Vec<u8>) -> Result<Self, StoreError> {
        let bad = |column| move |_| StoreError::Unreadable { column };
        let pairs: Vec<(String, String)> =
            serde_json::from_str(headers).map_err(|_| StoreError::Unreadable { column: "headers" })?;
        let mut map = HeaderMap::new();
        for (name, value) in pairs {
            let bytes = value
                .chars()
                .map(u8::try_from)
                .collect::<Result<Vec<u8>, _>>()
                .map_err(bad("headers"))?;
            map.append(
                HeaderName::from_bytes(name.as_bytes()).map_err(|_| StoreError::Unreadable { column: "headers" })?,
                HeaderValue::from_bytes(&bytes).map_err(|_| StoreError::Unreadable { column: "headers" })?,
            );
        }
        Ok(Self {
            method: method
                .parse()
                .map_err(|_| StoreError::Unreadable { column: "method" })?,
            uri: uri.parse().map_err(|_| StoreError::Unreadable { column: "uri" })?,
            headers: map,
            body: Bytes::from(body),
        })
    }
}

/// Without headers and body: they may name people.
impl fmt::Debug for KeptRequest {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("KeptRequest")
            .field("method", &self.method)
            .field("path", &self.uri.path())
            .field("body_bytes", &self.body.len())
            .finish_non_exhaustive()
    }
}

/// An event on its way into a store.
#[derive(Clone, Debug)]
#[non_exhaustive]
pub struct NewEvent {
    /// What it is about and what happened: at most one event is stored under a key.
    pub key: EventKey,
    /// What it settles.
    pub facts: Facts,
    /// How it was learned.
    pub origin: Origin,
    /// Whether nothing further is to be heard about its order or refund.
    pub is_over: bool,
    /// When it was learned.
    pub received_at: UnixTime,
    /// The request that proves it; `None` for what a query found.
    pub request: Option<KeptRequest>,
}

impl NewEvent {
    /// What a notice proves.
    #[must_use]
    pub const fn from_notice(
        key: EventKey,
        facts: Facts,
        is_over: bool,
        request: KeptRequest,
        received_at: UnixTime,
    ) -> Self {
        Self {
            key,
            facts,
            origin: Origin::Notice,
            is_over,
            received_at,
            request: Some(request),
        }
    }

    /// What a query found.
    #[must_use]
    pub const fn from_query(key: EventKey, facts: Facts, is_over: bool, received_at: UnixTime) -> Self {
        Self {
            key,
            facts,
            origin: Origin::Query,
            is_over,
            received_at,
            request: None,
        }
    }
}

/// A stored event, as handlers and people see it.
#[derive(Clone, Debug)]
#[non_exhaustive]
pub struct StoredEvent {
    /// Its number in this store.
    pub id: EventId,
    /// What it is about and what happened. Its text form is the idempotency key for effects outside this database: the
    /// same at every attempt.
    pub key: EventKey,
    /// What it settles.
    pub facts: Facts,
    /// How it was learned first.
    pub origin: Origin,
    /// Whether nothing further is to be heard about its order or refund.
    pub is_over: bool,
    /// Where it is.
    pub state: EventState,
    /// Attempts since it was last made ready by hand, the running one included.
    pub attempts: u32,
    /// Not to be taken before: the end of a pause, or of the lease of whoever works on it.
    pub ready_at: UnixTime,
    /// Why it is parked.
    pub parked_for: Option<ParkReason>,
    /// What the last failure said.
    pub last_error: Option<String>,
    /// When it was stored.
    pub received_at: UnixTime,
    /// When it was done, parked or dismissed.
    pub finished_at: Option<UnixTime>,
    /// The request that proved it; `None` for what a query found.
    pub request: Option<KeptRequest>,
}

impl StoredEvent {
    /// Opens the kept request once more, at the time when it came, for what [`Facts`] do not hold: the payer, the bank,
    /// the coupons. `None` where a query found the event, so that there is no request.
    ///
    /// # Errors
    /// As [`NotificationSource::open_notification`]: the keys may have changed since.
    pub fn reopen<N: NotificationSource>(&self, source: &N) -> Option<Result<Notice<N::Event>, OpenError>> {
        self.request
            .as_ref()
            .map(|request| source.open_notification(&request.to_request(), self.received_at))
    }
}

/// An event that a worker has claimed: nobody else takes it until the lease is over, and whoever claims it after that
/// owns a larger fence.
#[derive(Clone, Debug)]
#[non_exhaustive]
pub struct ClaimedEvent {
    /// The event.
    pub event: StoredEvent,
    /// The number of this claim.
    pub fence: i64,
}

impl ClaimedEvent {
    /// That event under that claim.
    #[must_use]
    pub const fn new(event: StoredEvent, fence: i64) -> Self {
        Self { event, fence }
    }
}

/// What a later delivery said otherwise than the event that is stored under its key.
#[derive(Clone, Debug)]
#[non_exhaustive]
pub struct StoredConflict {
    /// Its number in this store.
    pub id: i64,
    /// The event that it contradicts.
    pub event_id: EventId,
    /// What it says.
    pub facts: Facts,
    /// How it was learned.
    pub origin: Origin,
    /// When it came first.
    pub received_at: UnixTime,
    /// When a person made the event ready again all the same.
    pub resolved_at: Option<UnixTime>,
    /// The request that proves it; `None` for what a query found.
    pub request: Option<KeptRequest>,
}

/// All facts in one text, the same for equal facts: what keeps a contradiction from being stored twice.
#[must_use]
pub fn facts_text(facts: &Facts) -> String {
    serde_json::json!([
        facts.amount.map(yuanfen_core::Fen::get),
        facts.currency,
        facts.order_no,
        facts.refund_no,
        facts.remote_id,
        facts.merchant,
        facts.app,
        facts.end_state,
    ])
    .to_string()
}
