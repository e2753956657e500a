//! From a stored event to its effect: claim, mark, handle, commit.

use std::future::Future;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::Arc;
use std::task::Poll;
use std::time::{Duration, Instant};

use tokio::sync::watch;
use tokio::task::JoinSet;
use tracing::Instrument as _;
use yuanfen_core::{EventKey, Facts};

use crate::counts;
use crate::error::chain;
use crate::phase::Phase;
use crate::store::{Marked, Release, Store, Subject};
use crate::{
    ClaimedEvent, EventId, HandlerError, Inbox, ParkReason, PendingKind, StoreError, StoredPending, TxHandler,
    Unexpected,
};

/// How long nobody takes the place of a worker that panicked.
const AFTER_A_PANIC: Duration = Duration::from_secs(1);

/// What became of an event that a worker took.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum Handled {
    /// It took effect.
    Done(EventId),
    /// The attempt failed; it is tried again after a pause.
    Failed(EventId),
    /// It waits for a person.
    Parked(EventId, ParkReason),
    /// Another worker has it, or has done it: nothing happened here. A commit of which the database could not say what became
    /// counts as this too, if it went through.
    Lost(EventId),
}

impl Handled {
    /// The name in counts.
    #[must_use]
    pub const fn as_str(&self) -> &'static str {
        match self {
            Self::Done(_) => "done",
            Self::Failed(_) => "failed",
            Self::Parked(..) => "parked",
            Self::Lost(_) => "lost",
        }
    }
}

/// Why an attempt did not come to its commit.
enum Trouble {
    Lost,
    Park(ParkReason, String),
    Retry(String),
    Store(StoreError),
}

impl From<StoreError> for Trouble {
    fn from(error: StoreError) -> Self {
        Self::Store(error)
    }
}

/// The workers of one process.
#[derive(Debug)]
pub struct Workers<S, H> {
    inbox: Inbox<S>,
    handler: Arc<H>,
}

impl<S: Store> Inbox<S> {
    /// The workers of this process, which run when they are told to.
    #[must_use]
    pub fn workers<H: TxHandler<S>>(&self, handler: H) -> Workers<S, H> {
        Workers {
            inbox: self.clone(),
            handler: Arc::new(handler),
        }
    }

    /// Takes one event that is due, if there is one, and lets it take effect.
    ///
    /// # Errors
    /// [`StoreError`] when the database failed. Whether the event took effect is then known to the database alone; it is
    /// tried again when the claim's lease is over, unless it did.
    pub async fn handle_next<H: TxHandler<S>>(&self, handler: &H) -> Result<Option<Handled>, StoreError> {
        let now = self.now();
        let lease_until = now.after(self.settings.effective_lease());
        let claim = self.store.claim_event(now, lease_until, self.settings.never_after(now));
        let Some(claim) = self.settings.answered(claim).await? else {
            return Ok(None);
        };
        let (event, route) = (&claim.event, &*claim.event.key.route);
        let span = tracing::info_span!(
            "yuanfen.handle",
            route,
            account = event.key.account,
            key = %event.key,
            attempt = event.attempts,
            outcome = tracing::field::Empty,
        );
        let handled = self.handle(&claim, handler).instrument(span.clone()).await;
        let outcome = handled.as_ref().map_or("database-failed", Handled::as_str);
        span.record("outcome", outcome);
        counts::attempt(route, outcome);
        handled.map(Some)
    }

    /// One attempt, and what follows if it fails.
    async fn handle<H: TxHandler<S>>(&self, claim: &ClaimedEvent, handler: &H) -> Result<Handled, StoreError> {
        self.phases.reach(Phase::Claimed, &claim.event.key).await;
        let id = claim.event.id;
        if claim.event.attempts > self.settings.attempts.max(1) {
            // Not one of them came back to say so: it may be this event that kills them.
            let error = "no attempt came to an end, not even to a failure: look whether the handler ends its process";
            return self.park_claimed(claim, ParkReason::Attempts, error).await;
        }
        Ok(match self.attempt(claim, handler).await {
            Ok(()) => Handled::Done(id),
            Err(Trouble::Lost) => Handled::Lost(id),
            Err(Trouble::Park(reason, error)) => self.park_claimed(claim, reason, &error).await?,
            Err(Trouble::Retry(error)) => self.retry_claimed(claim, &error).await?,
            // It may be the event's own doing, such as a constraint that is checked at the commit; and if it is not, there
            // is no need to wait for the end of the lease. Where the commit went through all the same, nothing is released.
            Err(Trouble::Store(error)) => match self.retry_claimed(claim, &chain(&error)).await {
                Ok(handled) => handled,
                Err(_again) => return Err(error),
            },
        })
    }

    async fn retry_claimed(&self, claim: &ClaimedEvent, error: &str) -> Result<Handled, StoreError> {
        let (id, key, attempt) = (claim.event.id, &claim.event.key, claim.event.attempts);
        if attempt >= self.settings.attempts {
            return self.park_claimed(claim, ParkReason::Attempts, error).await;
        }
        let release = Release::Retry {
            at: self.now().after(self.settings.pause(attempt)),
        };
        if !self.release(claim, release, error).await? {
            return Ok(Handled::Lost(id));
        }
        tracing::warn!(event = %id, %key, attempt, error, "an attempt failed");
        Ok(Handled::Failed(id))
    }

    async fn park_claimed(&self, claim: &ClaimedEvent, reason: ParkReason, error: &str) -> Result<Handled, StoreError> {
        let (id, key) = (claim.event.id, &claim.event.key);
        let release = Release::Park { reason };
        if !self.release(claim, release, error).await? {
            return Ok(Handled::Lost(id));
        }
        tracing::error!(event = %id, %key, reason = reason.as_str(), error, "an event is parked: look at it");
        Ok(Handled::Parked(id, reason))
    }

    async fn release(&self, claim: &ClaimedEvent, release: Release, error: &str) -> Result<bool, StoreError> {
        let released = self.store.release_event(claim, release, error, self.now());
        self.settings.answered(released).await
    }

    /// One attempt, in one transaction. Marking comes first: a worker that slept through its lease fails before it acts.
    async fn attempt<H: TxHandler<S>>(&self, claim: &ClaimedEvent, handler: &H) -> Result<(), Trouble> {
        let (turn, mut transaction) = self.settings.answered(self.store.begin()).await?;
        match self.effect(&mut transaction, claim, handler).await {
            Ok(()) => {
                self.phases.reach(Phase::Committing, &claim.event.key).await;
                self.settings.answered(self.store.commit(transaction)).await?;
            }
            Err(trouble) => {
                self.store.roll_back(transaction).await;
                return Err(trouble);
            }
        }
        drop(turn);
        self.phases.reach(Phase::Committed, &claim.event.key).await;
        Ok(())
    }

    async fn effect<H: TxHandler<S>>(
        &self,
        transaction: &mut S::Transaction,
        claim: &ClaimedEvent,
        handler: &H,
    ) -> Result<(), Trouble> {
        let marked = self.store.mark_done(transaction, claim, self.now());
        match self.settings.answered(marked).await? {
            Marked::Done => {}
            Marked::NotOurs => return Err(Trouble::Lost),
            Marked::Contradicted => {
                let error = "a later delivery tells other facts; look at its conflicts, then retry it".to_owned();
                return Err(Trouble::Park(ParkReason::Conflict, error));
            }
        }
        if let Some((reason, error)) = self.settings.answered(self.compare(transaction, claim)).await? {
            return Err(Trouble::Park(reason, error));
        }
        let deadline = self.settings.effective_deadline();
        self.settings.answered(self.store.limit(transaction, deadline)).await?;
        self.phases.reach(Phase::Handling, &claim.event.key).await;
        // Called within, because it may panic before it has a future to hand out.
        let apply = async { handler.apply(transaction, &claim.event).await };
        let began = Instant::now();
        let applied = tokio::time::timeout(deadline, caught(apply)).await;
        let took = began.elapsed();
        counts::handler(&claim.event.key.route, took);
        let too_late = || {
            let limit = deadline.as_millis();
            Trouble::Retry(format!("the handler took longer than {limit} ms and was rolled back"))
        };
        match applied {
            Ok(Ok(Ok(()))) => {}
            // Its statement was ended by the limit before the handler itself was, on a machine that was busy.
            Ok(Ok(Err(_))) if took >= deadline => return Err(too_late()),
            Ok(Ok(Err(HandlerError { cause, is_final }))) => {
                let error = chain(&*cause);
                return Err(if is_final {
                    Trouble::Park(ParkReason::Handler, error)
                } else {
                    Trouble::Retry(error)
                });
            }
            Ok(Err(Panicked)) => return Err(Trouble::Retry("the handler panicked".to_owned())),
            Err(_elapsed) => return Err(too_late()),
        }
        match self
            .settings
            .answered(self.store.still_marked(transaction, claim))
            .await
        {
            Ok(true) => Ok(()),
            // It would do the same again, and what it did outside the transaction would happen again.
            Ok(false) => {
                let error = "the handler ended the inbox's transaction, or went on after a failure that ended it; \
                    what it did then is not undone: look at it, then retry or leave it parked";
                Err(Trouble::Park(ParkReason::Handler, error.to_owned()))
            }
            Err(error) => Err(Trouble::Retry(format!(
                "the handler went on after a failure in its transaction: {}",
                chain(&error)
            ))),
        }
    }

    /// Compares an event with what the shop expects, and ends the expectation where the event is its end. Says why it is to be
    /// parked, if it is.
    async fn compare(
        &self,
        transaction: &mut S::Transaction,
        claim: &ClaimedEvent,
    ) -> Result<Option<(ParkReason, String)>, StoreError> {
        let (key, facts) = (&claim.event.key, &claim.event.facts);
        let Some(kind) = PendingKind::of(key.transition) else {
            return Ok(None);
        };
        let Some(pending) = self.expected(transaction, kind, key, facts).await? else {
            // Money that comes back may have been sent back by hand; money that came in must have been asked for.
            let must_be_expected = key.transition.is_payment();
            if must_be_expected && self.settings.unexpected == Unexpected::Park {
                let error = "no order of this number is expected: `Inbox::expect` it before it is placed".to_owned();
                return Ok(Some((ParkReason::Unexpected, error)));
            }
            return Ok(None);
        };
        if let Err(mismatch) = pending.expected.check(key.transition, facts) {
            return Ok(Some((ParkReason::Mismatch, mismatch.to_string())));
        }
        let (store, now, is_over) = (&self.store, self.now(), claim.event.is_over);
        let paid_as = key.transition.is_payment().then_some(&*key.subject);
        if store
            .settle_pending(transaction, pending.id, paid_as, is_over, now)
            .await?
        {
            return Ok(None);
        }
        // Not known where the other one was committed since this was read.
        let paid_as = pending
            .paid_as
            .map_or(String::new(), |paid_as| format!(", as {paid_as}"));
        let error = format!("the order was paid before{paid_as}: this is another payment of it");
        Ok(Some((ParkReason::Mismatch, error)))
    }
}

impl<S: Store> Inbox<S> {
    /// What is expected of an event: by our number, where the event names it, else by what its key is about. That is the
    /// platform's number on some routes, which may have been kept under the wrong order.
    async fn expected(
        &self,
        transaction: &mut S::Transaction,
        kind: PendingKind,
        key: &EventKey,
        facts: &Facts,
    ) -> Result<Option<StoredPending>, StoreError> {
        let ours = match kind {
            PendingKind::Order => facts.order_no.as_ref(),
            PendingKind::Refund => facts.refund_no.as_ref(),
        };
        for number in ours
            .into_iter()
            .filter(|ours| **ours != key.subject)
            .chain([&key.subject])
        {
            let subject = Subject::new(&key.route, &key.account, kind, number);
            if let Some(pending) = self.store.expected(transaction, subject).await? {
                return Ok(Some(pending));
            }
        }
        Ok(None)
    }
}

impl<S: Store, H: TxHandler<S>> Workers<S, H> {
    /// Runs until `shutdown` is ready; events that are under way then are finished first.
    pub async fn run(self, shutdown: impl Future<Output = ()> + Send) {
        let (stop, stopped) = watch::channel(false);
        let mut workers = JoinSet::new();
        for _ in 0..self.inbox.settings.workers.max(1) {
            let (inbox, handler) = (self.inbox.clone(), Arc::clone(&self.handler));
            workers.spawn(work(inbox, handler, stopped.clone()));
        }
        #[cfg(feature = "metrics")]
        let mut publisher = JoinSet::new();
        #[cfg(feature = "metrics")]
        publisher.spawn(publish(self.inbox.clone(), stopped.clone()));
        let mut shutdown = std::pin::pin!(shutdown);
        loop {
            tokio::select! {
                () = &mut shutdown => break,
                // They do not end by themselves. Whatever panicked in one, the others need not do its work for ever.
                Some(ended) = workers.join_next() => {
                    tracing::error!(error = ?ended.err(), "a worker of the inbox ended; another one takes its place");
                    tokio::time::sleep(AFTER_A_PANIC).await;
                    let (inbox, handler) = (self.inbox.clone(), Arc::clone(&self.handler));
                    workers.spawn(work(inbox, handler, stopped.clone()));
                }
            }
        }
        stop.send_replace(true);
        while workers.join_next().await.is_some() {}
        #[cfg(feature = "metrics")]
        publisher.join_all().await;
    }

    /// Lets take effect what is due now, one event after another, and returns when nothing is.
    ///
    /// # Errors
    /// As [`Inbox::handle_next`].
    pub async fn drain(&self) -> Result<Vec<Handled>, StoreError> {
        let mut handled = Vec::new();
        while let Some(next) = self.inbox.handle_next(&*self.handler).await? {
            handled.push(next);
        }
        Ok(handled)
    }
}

async fn work<S: Store, H: TxHandler<S>>(inbox: Inbox<S>, handler: Arc<H>, mut stopped: watch::Receiver<bool>) {
    while !*stopped.borrow() {
        let pause = match inbox.handle_next(&*handler).await {
            // There may be more.
            Ok(Some(_)) => {
                inbox.events.notify_one();
                continue;
            }
            Ok(None) => inbox.settings.idle,
            Err(error) => {
                tracing::error!(error = chain(&error), "the inbox's database failed; trying again");
                inbox.settings.idle.max(Duration::from_secs(1))
            }
        };
        tokio::select! {
            () = inbox.events.notified() => {}
            () = tokio::time::sleep(pause) => {}
            _ = stopped.wait_for(|stopped| *stopped) => {}
        }
    }
}

/// Keeps the gauges up to date.
#[cfg(feature = "metrics")]
async fn publish<S: Store>(inbox: Inbox<S>, mut stopped: watch::Receiver<bool>) {
    counts::describe();
    while !*stopped.borrow() {
        if let Err(error) = inbox.publish_health().await {
            tracing::warn!(error = chain(&error), "how the inbox is doing could not be read");
        }
        tokio::select! {
            () = tokio::time::sleep(counts::HEALTH_EVERY) => {}
            _ = stopped.wait_for(|stopped| *stopped) => {}
        }
    }
}

pub(crate) struct Panicked;

/// A panic of the handler is a failure of this attempt and of nothing else.
pub(crate) async fn caught<F: Future>(future: F) -> Result<F::Output, Panicked> {
    let mut future = std::pin::pin!(future);
    std::future::poll_fn(
        move |context| match catch_unwind(AssertUnwindSafe(|| future.as_mut().poll(context))) {
            Ok(Poll::Ready(output)) => Poll::Ready(Ok(output)),
            Ok(Poll::Pending) => Poll::Pending,
            Err(_panic) => Poll::Ready(Err(Panicked)),
        },
    )
    .await
}
