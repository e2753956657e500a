//! The driver: request, send, open, decode, and the keys that were missing in between.

use std::fmt;
use std::sync::Arc;

use bytes::Bytes;
use tracing::{Instrument as _, Span};
use yuanfen_core::{
    Ambient, CodePaymentCall, Draft, Error, ErrorKind, KeysUnavailable, OpenError, Opens, Operation, OperationExt as _,
    OrderNo, Provider, RawOperation, Readiness, Route, RouteInfo, SettleRule, SignatureError, Standing, UnixTime,
};

use crate::code_payment::TakingCodePayment;
use crate::refresh::{Refresh, Turn};
use crate::remote::{ErasedSign, NotSigned};
use crate::settle::Settling;
use crate::{OsAmbient, RemoteSign, SharedTransport, Transport};

/// An account, a transport, and the time and randomness they need: everything to make calls with.
///
/// A clone shares all of it, and costs a few reference counts where the transport's does.
///
/// Every call runs in one tracing span, `yuanfen.call`, with the fields `route`, `operation`, `attempt`, `fate` and,
/// where the platform names one, `remote_request_id`; [`Failover`](crate::Failover) adds the `host` that answered. Bodies,
/// headers and keys are never in it.
pub struct Client<P, T = SharedTransport> {
    provider: Arc<P>,
    transport: T,
    ambient: Arc<dyn Ambient>,
    refresh: Arc<Refresh>,
    signer: Option<Arc<dyn ErasedSign>>,
}

impl<P: Provider> Client<P> {
    /// A client of that account over that transport, whose type is erased.
    pub fn new(provider: impl Into<Arc<P>>, transport: impl Transport + 'static) -> Self {
        Self::with_transport(provider, SharedTransport::new(transport))
    }
}

impl<P: Provider, T: Transport> Client<P, T> {
    /// A client of that account over that transport, whose type stays visible.
    pub fn with_transport(provider: impl Into<Arc<P>>, transport: T) -> Self {
        Self {
            provider: provider.into(),
            transport,
            ambient: Arc::new(OsAmbient),
            refresh: Arc::default(),
            signer: None,
        }
    }

    /// The same with another clock and randomness, for tests.
    #[must_use]
    pub fn with_ambient(mut self, ambient: impl Ambient + 'static) -> Self {
        self.ambient = Arc::new(ambient);
        self
    }

    /// The same with signatures from somewhere else, for an account whose key is not in this process.
    ///
    /// Every request of this client is signed there: calls, downloads, what settles them, and the fetch of the platform's
    /// keys. A text that ends in its key (the MD5 and HMAC schemes) is signed here as before, since the key is here.
    #[must_use]
    pub fn with_remote_signer(mut self, signer: impl RemoteSign + 'static) -> Self {
        self.signer = Some(Arc::new(signer));
        self
    }

    /// The same for another account of the same merchant or service provider, such as one of its sub-merchants: over the same
    /// transport, with the same clock and signatures, and fetching keys together with this one. The accounts must share
    /// their keys, as those of `for_sub_merchant` do.
    #[must_use]
    pub fn acting_as(&self, provider: impl Into<Arc<P>>) -> Self
    where
        T: Clone,
    {
        Self {
            provider: provider.into(),
            ..self.clone()
        }
    }

    /// The account.
    pub fn provider(&self) -> &P {
        &self.provider
    }

    /// The transport.
    pub const fn transport(&self) -> &T {
        &self.transport
    }

    /// The clock and the randomness.
    pub fn ambient(&self) -> &dyn Ambient {
        &*self.ambient
    }

    /// Fetches the platform's keys because a notice names that serial, which is not known; whether keys came since, so that it
    /// is worth opening the notice again. It shares its fetch with the calls that miss the same key, and their pause after
    /// a fetch that failed. Anybody can name a serial: do not call this for every notice.
    pub async fn fetch_key(&self, serial: &str) -> bool {
        let seen = self.refresh.round();
        let turn = self.refresh.turn().await;
        if turn.fetched_since(seen, serial) {
            return true;
        }
        if turn.failed(seen, self.ambient.now()).is_some() {
            return false;
        }
        let fetched = self.fetch_keys(Some(serial)).await;
        let is_learned = matches!(fetched, Fetched::Learned);
        let failed = match fetched {
            Fetched::Failed(problem) => Some(problem),
            Fetched::Learned | Fetched::Nothing => None,
        };
        turn.record(Some(serial), failed, self.ambient.now());
        is_learned
    }

    /// Makes a call: builds and signs the request, sends it once, checks the response and types it.
    ///
    /// When the response is signed with a key that is not known, the platform's keys are fetched, at most once, and
    /// the same response is checked again; the operation itself is never sent twice. Calls that miss the same key at
    /// the same time share one fetch.
    ///
    /// Where it is time to fetch the platform's keys again, one call does so on the side while the others go on, about
    /// once a minute until it succeeds; no call fails for it. A call that changes something is sent only once a key is
    /// there that could check its answer: where none is, keys are fetched first.
    ///
    /// # Errors
    /// Says how it failed, what may have happened on the far side, and what to do.
    pub async fn call<O>(&self, operation: &O) -> Result<O::Reply, Error>
    where
        O: Operation<Provider = P>,
    {
        self.attempt(operation, 1).await
    }

    /// The same for a call that this version has no type for; the answer is opened, its fields are the caller's.
    ///
    /// # Errors
    /// As [`call`](Self::call).
    pub async fn call_raw<I>(&self, operation: RawOperation<P>) -> Result<I, Error>
    where
        I: Opens<P>,
    {
        let span = call_span(&operation.route, 1);
        let info = RouteInfo::new(operation.route.clone(), I::TRUST);
        let draft = || {
            operation
                .draft::<I>(&self.provider, &*self.ambient)
                .map(|(draft, _)| draft)
        };
        let open = |response: &_, now| RawOperation::open::<I>(&info, &self.provider, response, now);
        self.exchange(span, &info, draft, open).await
    }

    /// What to do about a call whose outcome is unknown: query, wait, and repeat under the same number where the rule
    /// allows it. `standing` reads the query's reply; a provable "no such number" needs no reading.
    ///
    /// Nothing is sent before [`Settling::after`] or [`Settling::call`].
    pub fn settle<'a, O, Q, F>(
        &'a self,
        operation: &'a O,
        query: &'a Q,
        rule: &SettleRule,
        standing: F,
    ) -> Settling<'a, P, T, O, Q, F>
    where
        O: Operation<Provider = P>,
        Q: Operation<Provider = P>,
        F: Fn(&Q::Reply) -> Standing,
    {
        Settling::new(self, operation, query, rule, standing)
    }

    /// Charges the code that a payer shows: pays, asks while the payer types or nobody knows, and reverses what stays
    /// unclear. The payment names the query, the reversal and their times.
    ///
    /// Nothing is sent before [`TakingCodePayment::call`].
    pub fn take_code_payment<'a, O>(&'a self, payment: &'a O) -> TakingCodePayment<'a, P, T, O>
    where
        O: CodePaymentCall<Provider = P>,
    {
        TakingCodePayment::begin(self, payment)
    }

    /// Takes up a code payment of which nothing is known but its number, after a restart or after it was left
    /// [still unknown](yuanfen_core::CodePaymentOutcome::StillUnknown): begins with a query, and reverses what stays
    /// unclear. The payment itself is never sent. To undo it at once, add
    /// `.give_up_when(std::future::ready(()))`.
    ///
    /// Nothing is sent before [`TakingCodePayment::call`].
    pub fn resume_code_payment<O>(&self, order_no: OrderNo) -> TakingCodePayment<'_, P, T, O>
    where
        O: CodePaymentCall<Provider = P>,
    {
        TakingCodePayment::resume(self, order_no)
    }

    /// One attempt at a call, under that number in its span.
    pub(crate) async fn attempt<O>(&self, operation: &O, attempt: u32) -> Result<O::Reply, Error>
    where
        O: Operation<Provider = P>,
    {
        let info = RouteInfo::of::<O>();
        let draft = || operation.draft(&self.provider, &*self.ambient);
        let open = |response: &_, now| operation.reply(&self.provider, response, now);
        self.exchange(call_span(&O::ROUTE, attempt), &info, draft, open).await
    }

    /// Sees to the keys, drafts, signs, sends, and opens the answer, inside the span.
    async fn exchange<R>(
        &self,
        span: Span,
        info: &RouteInfo,
        draft: impl FnOnce() -> Result<Draft, Error>,
        open: impl Fn(&http::Response<Bytes>, UnixTime) -> Result<R, Error>,
    ) -> Result<R, Error> {
        let call = async {
            // Drafted late: what is encrypted is encrypted under a key that is there, and the timestamp is fresh.
            let sent = match self.sign(draft()?).await {
                Ok(request) => self.transport.send(request).await.map_err(ErrorKind::Transport),
                Err(error) => Err(error.into()),
            };
            match sent {
                Ok(response) => self.open(&response, open).await,
                Err(error) => Err(Error::new(info.clone(), error)),
            }
        };
        let result = async {
            let now = self.ambient.now();
            match self.provider.readiness(&info.route, now) {
                Readiness::NoKeys if info.needs_keys() => self.obtain_keys(info).await?,
                Readiness::RefreshDue => {
                    if let Some(aside) = self.refresh.turn_aside(now) {
                        return aside.beside(call, |turn| self.refresh_keys(turn)).await;
                    }
                }
                _ => {}
            }
            call.await
        }
        .instrument(span.clone())
        .await;
        record_fate(&span, result.as_ref().err());
        result
    }

    /// Fetches keys before a call whose answer nothing could check. Calls that wait for the same fetch share what came of
    /// it.
    async fn obtain_keys(&self, info: &RouteInfo) -> Result<(), Error> {
        let seen = self.refresh.round();
        let turn = self.refresh.turn().await;
        let has_none = || self.provider.readiness(&info.route, self.ambient.now()) == Readiness::NoKeys;
        // Whoever had the turn before may have brought them.
        if !has_none() {
            return Ok(());
        }
        let unsent = |problem| Err(Error::new(info.clone(), ErrorKind::Keys(problem)));
        if let Some(problem) = turn.failed(seen, self.ambient.now()) {
            return unsent(problem);
        }
        let problem = match self.fetch_keys(None).await {
            Fetched::Learned if has_none() => Some(KeysUnavailable::not_valid()),
            Fetched::Learned => None,
            Fetched::Nothing => return unsent(KeysUnavailable::not_configured()),
            Fetched::Failed(problem) => Some(problem),
        };
        turn.record(None, problem.clone(), self.ambient.now());
        problem.map_or(Ok(()), unsent)
    }

    /// Fetches keys before those that are known end. Where that fails, the log says so, and they stay.
    async fn refresh_keys(&self, turn: Turn<'_>) {
        let failed = match self.fetch_keys(None).await {
            Fetched::Learned | Fetched::Nothing => None,
            Fetched::Failed(problem) => Some(problem),
        };
        turn.record(None, failed, self.ambient.now());
    }

    /// The finished request, signed where the key is.
    pub(crate) async fn sign(&self, draft: Draft) -> Result<http::Request<Bytes>, NotSigned> {
        match &self.signer {
            Some(remote) if draft.wants_signature() && !draft.holds_key() => {
                let signature = remote.sign_boxed(draft.text().to_vec()).await;
                Ok(draft.finish(&signature.map_err(NotSigned::remote)?)?)
            }
            _ => Ok(draft.seal(self.provider.signer(), &*self.ambient)?),
        }
    }

    /// Opens a response; where its key is unknown, fetches keys and opens the same response again.
    async fn open<R>(
        &self,
        response: &http::Response<Bytes>,
        open: impl Fn(&http::Response<Bytes>, UnixTime) -> Result<R, Error>,
    ) -> Result<R, Error> {
        // A response is as old as when it came in, however long fetching keys takes.
        let received = self.ambient.now();
        let seen = self.refresh.round();
        let first = open(response, received);
        if first.as_ref().err().and_then(unknown_serial).is_none() {
            return first;
        }
        let turn = self.refresh.turn().await;
        // Whoever had the turn before may have brought the key.
        let second = open(response, received);
        let Some(serial) = second.as_ref().err().and_then(unknown_serial) else {
            return second;
        };
        if turn.fetched_since(seen, serial) {
            return second;
        }
        // Both reasons matter to whoever is woken by this: which key is missing, and why it did not come.
        if let Some(problem) = turn.failed(seen, self.ambient.now()) {
            return second.map_err(|error| error.without_keys(problem));
        }
        let fetched = self.fetch_keys(Some(serial)).await;
        let failed = match &fetched {
            Fetched::Failed(problem) => Some(problem.clone()),
            Fetched::Learned | Fetched::Nothing => None,
        };
        turn.record(Some(serial), failed, self.ambient.now());
        match fetched {
            Fetched::Learned => open(response, received),
            Fetched::Nothing => second,
            Fetched::Failed(problem) => second.map_err(|error| error.without_keys(problem)),
        }
    }

    async fn fetch_keys(&self, serial: Option<&str>) -> Fetched {
        let Some(drafted) = self.provider.fetch_keys(serial, &*self.ambient) else {
            return Fetched::Nothing;
        };
        let signed = match drafted {
            Ok(draft) => self.sign(draft).await,
            Err(error) => Err(error.into()),
        };
        let request = match signed {
            Ok(request) => request,
            Err(error) => {
                tracing::warn!(error = %error, "the request for the platform's keys could not be built");
                return Fetched::Failed(error.into());
            }
        };
        tracing::info!(for_a_response = serial.is_some(), "fetching the platform's keys");
        let learned = match self.transport.send(request).await {
            Ok(response) => self.provider.learn_keys(&response, self.ambient.now()),
            Err(error) => {
                tracing::warn!(error = %error, "the platform's keys could not be fetched");
                return Fetched::Failed(KeysUnavailable::not_carried(error));
            }
        };
        match learned {
            Ok(()) => Fetched::Learned,
            Err(error) => {
                tracing::warn!(
                    reason = reason(&error),
                    "the platform's keys were fetched and did not prove themselves"
                );
                Fetched::Failed(KeysUnavailable::not_opened(error))
            }
        }
    }
}

impl<P, T: Clone> Clone for Client<P, T> {
    fn clone(&self) -> Self {
        Self {
            provider: Arc::clone(&self.provider),
            transport: self.transport.clone(),
            ambient: Arc::clone(&self.ambient),
            refresh: Arc::clone(&self.refresh),
            signer: self.signer.clone(),
        }
    }
}

impl<P, T> fmt::Debug for Client<P, T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Client(..)")
    }
}

/// What became of the keys that were missing.
enum Fetched {
    /// The answer was taken in; whether the wanted key was among them shows when the response is opened again.
    Learned,
    /// There was nothing to fetch.
    Nothing,
    /// It failed, for this reason.
    Failed(KeysUnavailable),
}

/// The span of one attempt.
pub(crate) fn call_span(route: &Route, attempt: u32) -> Span {
    tracing::info_span!(
        "yuanfen.call",
        route = route.provider,
        operation = route.operation,
        attempt,
        fate = tracing::field::Empty,
        remote_request_id = tracing::field::Empty,
        host = tracing::field::Empty,
    )
}

/// Writes into the span how the attempt ended.
pub(crate) fn record_fate(span: &Span, error: Option<&Error>) {
    match error {
        None => {
            span.record("fate", "answered");
        }
        Some(error) => {
            span.record("fate", tracing::field::display(error.fate()));
            if let Some(id) = error.remote_request_id() {
                span.record("remote_request_id", id);
            }
        }
    }
}

fn unknown_serial(error: &Error) -> Option<&str> {
    match error.kind() {
        ErrorKind::Signature(SignatureError::UnknownKey { serial }) => Some(serial),
        _ => None,
    }
}

/// A word for the log. What the far side wrote stays out of it.
const fn reason(error: &OpenError) -> &'static str {
    match error {
        OpenError::Protocol(_) => "not what the protocol allows",
        OpenError::Signature(_) => "not provably from the platform",
        OpenError::Business(_) => "the platform refused",
        _ => "something else",
    }
}
