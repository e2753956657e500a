//! From a raw request to the answer that the platform is waiting for.

use std::future::Future;
use std::pin::Pin;
use std::sync::Arc;
use std::time::{Duration, Instant};

use bytes::Bytes;
use tokio::sync::Mutex;
use tracing::Instrument as _;
use yuanfen_core::{EventKey, Hint, Lookup, Notice, NotificationSource, OpenError, SignatureError, UnixTime, Verdict};

use crate::counts;
use crate::error::chain;
use crate::inbox::Put;
use crate::phase::Phase;
use crate::store::{PendingName, Store};
use crate::{EventId, Inbox, KeptRequest, NewEvent, PendingKind, StoreError};

/// Platforms wait five seconds. What is not committed by then is answered as not taken, and comes again.
const ANSWER_WITHIN: Duration = Duration::from_millis(4500);

/// Keys are fetched for a notice for so long at most, and not sooner again than after the other.
const FETCH_WITHIN: Duration = Duration::from_secs(2);
const BETWEEN_FETCHES: Duration = Duration::from_secs(60);

type Fetch = Arc<dyn Fn(String) -> Pin<Box<dyn Future<Output = bool> + Send>> + Send + Sync>;

/// Takes the notices of one account of one route.
///
/// It is cheap to clone; all clones are one receiver.
pub struct Receiver<S, N> {
    inbox: Inbox<S>,
    source: Arc<N>,
    fetch: Option<Fetch>,
    last_fetch: Arc<Mutex<Option<Instant>>>,
}

/// When a request began to come in, where an extractor knows: its time to be answered runs since.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Began(pub(crate) Instant);

/// What became of a notice.
#[derive(Debug)]
#[non_exhaustive]
pub enum Received {
    /// It is stored, for the first time.
    New(EventId),
    /// It was stored before.
    Duplicate(EventId),
    /// It contradicts what was stored before; both are kept, and a person has to look.
    Conflict {
        /// The event that it contradicts.
        id: EventId,
        /// The fact in which it does, by its name in [`Facts`](yuanfen_core::Facts).
        field: &'static str,
    },
    /// It settles nothing; something that is expected was moved forward in the schedule of queries.
    Hint,
    /// It settles nothing, and nothing that is expected answers to its name.
    UnknownHint,
    /// It is not provably the platform's, or not what the protocol allows. Nothing is stored.
    Refused(OpenError),
    /// It is genuine and could not be stored; the platform will send it again.
    NotStored(StoreError),
}

impl Received {
    /// The name in counts.
    #[must_use]
    pub const fn as_str(&self) -> &'static str {
        match self {
            Self::New(_) => "new",
            Self::Duplicate(_) => "duplicate",
            Self::Conflict { .. } => "conflict",
            Self::Hint => "hint",
            Self::UnknownHint => "unknown-hint",
            Self::Refused(OpenError::Signature(_)) => "bad-signature",
            Self::Refused(_) => "malformed",
            Self::NotStored(_) => "not-stored",
        }
    }

    /// Whether the platform is told to stop sending it.
    #[must_use]
    pub const fn verdict(&self) -> Verdict {
        match self {
            Self::New(_) | Self::Duplicate(_) | Self::Conflict { .. } | Self::Hint | Self::UnknownHint => {
                Verdict::Accepted
            }
            Self::Refused(_) | Self::NotStored(_) => Verdict::Rejected,
        }
    }
}

/// What became of a notice, and what to answer.
#[derive(Debug)]
#[non_exhaustive]
pub struct Receipt {
    /// What became of it.
    pub received: Received,
    /// The answer in the route's own form.
    pub response: http::Response<Bytes>,
}

/// What a source makes of a request, without its own types.
enum Opened {
    Event(Box<NewEvent>),
    Hint(Hint),
}

impl<S: Store> Inbox<S> {
    /// What takes the notices of that account.
    #[must_use]
    pub fn receiver<N: NotificationSource + Send + Sync + 'static>(&self, source: impl Into<Arc<N>>) -> Receiver<S, N> {
        Receiver {
            inbox: self.clone(),
            source: source.into(),
            fetch: None,
            last_fetch: Arc::default(),
        }
    }
}

impl<S: Store, N: NotificationSource + Send + Sync + 'static> Receiver<S, N> {
    /// With a way to fetch the platform's keys, for the night when its certificate rotates: it is handed the serial that a
    /// notice names, and says whether a key was learned. Then the same notice is opened once more. It is waited for two
    /// seconds, and called once a minute at most, because anybody can name a serial.
    #[must_use]
    pub fn with_key_fetch<F, Fut>(mut self, fetch: F) -> Self
    where
        F: Fn(String) -> Fut + Send + Sync + 'static,
        Fut: Future<Output = bool> + Send + 'static,
    {
        self.fetch = Some(Arc::new(move |serial| Box::pin(fetch(serial))));
        self
    }

    /// The account's side of the route.
    #[must_use]
    pub fn source(&self) -> &N {
        &self.source
    }

    /// Takes a raw request: checks it, stores what it proves, commits, and only then hands out the answer that stops the
    /// platform from sending it again. Answer with [`Receipt::response`], whatever became of it.
    pub async fn receive(&self, request: &http::Request<Bytes>) -> Receipt {
        let began = request
            .extensions()
            .get::<Began>()
            .map_or_else(Instant::now, |began| began.0);
        self.answer(self.take(request, began)).await
    }

    /// What became of a request that began to come in then: its time to be answered runs since.
    pub(crate) async fn take(&self, request: &http::Request<Bytes>, began: Instant) -> Received {
        match self.open(request).await {
            Err(error) => Received::Refused(error),
            Ok(opened) => {
                let left = ANSWER_WITHIN.saturating_sub(began.elapsed());
                match tokio::time::timeout(left, self.keep(opened)).await {
                    Ok(Ok(received)) => received,
                    Ok(Err(error)) => Received::NotStored(error),
                    Err(_elapsed) => Received::NotStored(StoreError::NoAnswer),
                }
            }
        }
    }

    /// Counts and reports what becomes of a notice, and answers it.
    pub(crate) async fn answer(&self, received: impl Future<Output = Received>) -> Receipt {
        let (route, account) = (self.source.route(), self.source.account());
        let verdict = tracing::field::Empty;
        let span = tracing::info_span!("yuanfen.receive", route, account, verdict);
        let received = received.instrument(span.clone()).await;
        span.record("verdict", received.as_str());
        counts::notice(route, received.as_str());
        span.in_scope(|| self.report(&received));
        let response = self.source.acknowledge(received.verdict());
        Receipt { received, response }
    }

    fn report(&self, received: &Received) {
        let (route, account, verdict) = (self.source.route(), self.source.account(), received.as_str());
        match received {
            Received::Refused(error) => {
                tracing::warn!(route, account, verdict, error = chain(error), "a notice was refused");
            }
            Received::NotStored(error) => {
                tracing::error!(
                    route,
                    account,
                    verdict,
                    error = chain(error),
                    "a notice could not be stored; the platform will send it again"
                );
            }
            _ => tracing::debug!(route, account, verdict, "a notice was taken"),
        }
    }

    async fn open(&self, request: &http::Request<Bytes>) -> Result<Opened, OpenError> {
        let opened = self.open_once(request, self.inbox.now());
        let Err(OpenError::Signature(SignatureError::UnknownKey { serial })) = &opened else {
            return opened;
        };
        let Some(fetch) = &self.fetch else { return opened };
        let mut last_fetch = self.last_fetch.lock().await;
        // Somebody may have fetched while this one waited for the lock.
        let opened_now = self.open_once(request, self.inbox.now());
        if opened_now.is_ok() || last_fetch.is_some_and(|last| last.elapsed() < BETWEEN_FETCHES) {
            return opened_now;
        }
        *last_fetch = Some(Instant::now());
        match tokio::time::timeout(FETCH_WITHIN, fetch(serial.clone())).await {
            Ok(true) => self.open_once(request, self.inbox.now()),
            Ok(false) | Err(_) => opened_now,
        }
    }

    fn open_once(&self, request: &http::Request<Bytes>, now: UnixTime) -> Result<Opened, OpenError> {
        match self.source.open_notification(request, now)? {
            Notice::Settles(event) => {
                let event = event.get();
                let kept = KeptRequest::of(request, self.source.kept_headers());
                let (key, facts) = (self.source.key(event), self.source.facts(event));
                let is_over = self.source.is_over(event);
                let event = NewEvent::from_notice(key, facts, is_over, kept, now);
                Ok(Opened::Event(Box::new(event)))
            }
            Notice::Hint(hint) => Ok(Opened::Hint(hint)),
            // A kind of notice of a later core, which this inbox cannot store: it must not be acknowledged.
            _ => Err(yuanfen_core::ProtocolError::new(yuanfen_core::ProtocolErrorKind::Format).into()),
        }
    }

    async fn keep(&self, opened: Opened) -> Result<Received, StoreError> {
        match opened {
            Opened::Event(event) => {
                let key: EventKey = event.key.clone();
                self.inbox.phases.reach(Phase::Receiving, &key).await;
                let put = self.inbox.put(*event).await?;
                self.inbox.phases.reach(Phase::Stored, &key).await;
                Ok(match put {
                    Put::New(id) => Received::New(id),
                    Put::Duplicate(id) => Received::Duplicate(id),
                    Put::Conflict { id, field, .. } => Received::Conflict { id, field },
                })
            }
            Opened::Hint(hint) => self.hasten(&hint).await,
        }
    }

    async fn hasten(&self, hint: &Hint) -> Result<Received, StoreError> {
        let inbox = &self.inbox;
        let (route, account) = (self.source.route(), self.source.account());
        let gap = inbox.settings.hint_gap;
        let names = [Some(&hint.lookup), hint.alias.as_ref()];
        for name in names.into_iter().flatten().filter_map(pending_name) {
            if inbox.store.hasten(route, account, name, inbox.now(), gap).await? {
                inbox.queries.send_replace(());
                return Ok(Received::Hint);
            }
        }
        if hint.is_signed {
            // It may be another shop's, or money for an order of which the inbox was not told.
            let lookup = &hint.lookup;
            tracing::warn!(
                route,
                account,
                ?lookup,
                "a signed notice names something that nobody expects"
            );
        }
        Ok(Received::UnknownHint)
    }
}

/// What a hint calls it by; `None` is a name of a later core's.
fn pending_name(lookup: &Lookup) -> Option<PendingName<'_>> {
    match lookup {
        Lookup::Order(order_no) => Some(PendingName::Ours(PendingKind::Order, order_no.as_str())),
        Lookup::Refund(refund_no) => Some(PendingName::Ours(PendingKind::Refund, refund_no.as_str())),
        Lookup::RemoteOrder(remote_id) => Some(PendingName::Remote(remote_id.as_str())),
        _ => None,
    }
}

impl<S: Clone, N> Clone for Receiver<S, N> {
    fn clone(&self) -> Self {
        Self {
            inbox: self.inbox.clone(),
            source: Arc::clone(&self.source),
            fetch: self.fetch.clone(),
            last_fetch: Arc::clone(&self.last_fetch),
        }
    }
}

impl<S, N: NotificationSource> std::fmt::Debug for Receiver<S, N> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Receiver")
            .field("route", &self.source.route())
            .field("account", &self.source.account())
            .finish_non_exhaustive()
    }
}
