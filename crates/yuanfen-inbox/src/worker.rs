//! From a stored event to its effect: claim, mark, handle, commit.

use std::future::Future;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::Arc;
use std::task::Poll;
use std::time::Duration;

use tokio::sync::watch;
use tokio::task::JoinSet;

use crate::error::chain;
use crate::pending::is_payment;
use crate::phase::Phase;
use crate::store::{Marked, Release, Store, Subject};
use crate::{
    ClaimedEvent, EventId, HandlerError, Inbox, Mismatch, ParkReason, PendingKind, StoreError, TxHandler, Unexpected,
};

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
    /// Another worker has it, or has done it: nothing happened here.
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
        let Some(claim) = self.store.claim_event(now, lease_until).await? else {
            return Ok(None);
        };
        self.phases.reach(Phase::Claimed, &claim.event.key).await;
        let id = claim.event.id;
        let handled = match self.attempt(&claim, handler).await? {
            Ok(()) => Handled::Done(id),
            Err(Trouble::Lost) => Handled::Lost(id),
            Err(Trouble::Park(reason, error)) => self.park_claimed(&claim, reason, &error).await?,
            Err(Trouble::Retry(error)) if claim.event.attempts >= self.settings.attempts => {
                self.park_claimed(&claim, ParkReason::Attempts, &error).await?
            }
            Err(Trouble::Retry(error)) => {
                let now = self.now();
                let at = now.after(self.settings.pause(claim.event.attempts));
                let key = &claim.event.key;
                tracing::warn!(event = %id, %key, attempt = claim.event.attempts, error, "a handler failed");
                let release = Release::Retry { at };
                if self.store.release_event(&claim, release, &error, now).await? {
                    Handled::Failed(id)
                } else {
                    Handled::Lost(id)
                }
            }
        };
        Ok(Some(handled))
    }

    async fn park_claimed(&self, claim: &ClaimedEvent, reason: ParkReason, error: &str) -> Result<Handled, StoreError> {
        let (id, key) = (claim.event.id, &claim.event.key);
        let release = Release::Park { reason };
        if !self.store.release_event(claim, release, error, self.now()).await? {
            return Ok(Handled::Lost(id));
        }
        tracing::error!(event = %id, %key, reason = reason.as_str(), error, "an event is parked: look at it");
        Ok(Handled::Parked(id, reason))
    }

    /// One attempt, in one transaction. Marking comes first: a worker that slept through its lease fails before it acts.
    async fn attempt<H: TxHandler<S>>(
        &self,
        claim: &ClaimedEvent,
        handler: &H,
    ) -> Result<Result<(), Trouble>, StoreError> {
        let (turn, mut transaction) = self.store.begin().await?;
        let outcome = self.effect(&mut transaction, claim, handler).await;
        let outcome = match outcome {
            Ok(Ok(())) => {
                self.phases.reach(Phase::Committing, &claim.event.key).await;
                self.store.commit(transaction).await.map(Ok)
            }
            trouble => {
                self.store.roll_back(transaction).await;
                trouble
            }
        };
        drop(turn);
        if matches!(outcome, Ok(Ok(()))) {
            self.phases.reach(Phase::Committed, &claim.event.key).await;
        }
        outcome
    }

    async fn effect<H: TxHandler<S>>(
        &self,
        transaction: &mut S::Transaction,
        claim: &ClaimedEvent,
        handler: &H,
    ) -> Result<Result<(), Trouble>, StoreError> {
        match self.store.mark_done(transaction, claim, self.now()).await? {
            Marked::Done => {}
            Marked::NotOurs => return Ok(Err(Trouble::Lost)),
            Marked::Contradicted => {
                let error = "a later delivery tells other facts; look at its conflicts, then retry it".to_owned();
                return Ok(Err(Trouble::Park(ParkReason::Conflict, error)));
            }
        }
        if let Err((reason, error)) = self.compare(transaction, claim).await? {
            return Ok(Err(Trouble::Park(reason, error)));
        }
        self.phases.reach(Phase::Handling, &claim.event.key).await;
        let deadline = self.settings.handler_deadline;
        let applied = tokio::time::timeout(deadline, caught(handler.apply(transaction, &claim.event))).await;
        Ok(match applied {
            Ok(Ok(Ok(()))) => Ok(()),
            Ok(Ok(Err(HandlerError { cause, is_final }))) => {
                let error = chain(&*cause);
                Err(if is_final {
                    Trouble::Park(ParkReason::Handler, error)
                } else {
                    Trouble::Retry(error)
                })
            }
            Ok(Err(Panicked)) => Err(Trouble::Retry("the handler panicked".to_owned())),
            Err(_elapsed) => Err(Trouble::Retry(format!(
                "the handler took longer than {} ms and was rolled back",
                deadline.as_millis()
            ))),
        })
    }

    /// Compares an event with what the shop expects, and ends the expectation where the event is its end.
    async fn compare(
        &self,
        transaction: &mut S::Transaction,
        claim: &ClaimedEvent,
    ) -> Result<Result<(), (ParkReason, String)>, StoreError> {
        let (key, facts) = (&claim.event.key, &claim.event.facts);
        let Some(kind) = PendingKind::of(key.transition) else {
            return Ok(Ok(()));
        };
        // A key's subject is the platform's number on a route whose notices may leave ours out (starpos).
        let number = match kind {
            PendingKind::Order => facts.order_no.as_ref().unwrap_or(&key.subject),
            PendingKind::Refund => &key.subject,
        };
        let subject = Subject::new(&key.route, &key.account, kind, number);
        let Some(pending) = self.store.expected(transaction, subject).await? else {
            // Money that comes back may have been sent back by hand; money that came in must have been asked for.
            let must_be_expected = is_payment(key.transition);
            if must_be_expected && self.settings.unexpected == Unexpected::Park {
                let error = "no order of this number is expected: `Inbox::expect` it before it is placed".to_owned();
                return Ok(Err((ParkReason::Unexpected, error)));
            }
            return Ok(Ok(()));
        };
        if let Err(mismatch @ Mismatch { .. }) = pending.expected.check(key.transition, facts) {
            return Ok(Err((ParkReason::Mismatch, mismatch.to_string())));
        }
        if claim.event.is_over {
            self.store.end_pending(transaction, pending.id, self.now()).await?;
        }
        Ok(Ok(()))
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
        shutdown.await;
        stop.send_replace(true);
        while workers.join_next().await.is_some() {}
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

struct Panicked;

/// A panic of the handler is a failure of this attempt and of nothing else.
async fn caught<F: Future>(future: F) -> Result<F::Output, Panicked> {
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
