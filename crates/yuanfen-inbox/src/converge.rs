//! Orders and refunds whose notice does not come: they are queried until their end is known.

mod plan;
mod schedule;
mod step;

use std::future::Future;
use std::sync::Arc;
use std::time::Duration;

use tokio::sync::{Mutex, watch};
use tokio::task::{JoinError, JoinSet};
use tokio::time::Instant;
use tracing::Instrument as _;

pub use plan::{QueryError, RoutePlan};
pub use schedule::Schedule;
pub use step::NEVER_PLACED;

use crate::counts;
use crate::error::chain;
use crate::store::{DueFirst, DueOf, Store};
use crate::{Inbox, PendingState, StoreError, StoredPending};
use step::Step;

/// What became of an order or refund that was due for a query, by its number in the store.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum Converged {
    /// Its end is known, and stored as an event.
    Over(i64),
    /// It goes on; it is queried again by its schedule.
    Open(i64),
    /// The query failed; it is queried again by its schedule.
    Failed(i64),
    /// The schedule ran out before its end was known.
    GivenUp(i64),
    /// The schedule ran out, and nobody had paid.
    Lapsed(i64),
    /// Its end was recorded by somebody else meanwhile: nothing was recorded here.
    Lost(i64),
}

impl Converged {
    /// The name in counts.
    #[must_use]
    pub const fn as_str(&self) -> &'static str {
        match self {
            Self::Over(_) => "over",
            Self::Open(_) => "open",
            Self::Failed(_) => "failed",
            Self::GivenUp(_) => "given-up",
            Self::Lapsed(_) => "lapsed",
            Self::Lost(_) => "lost",
        }
    }
}

/// Queries what is expected and open, by the plan of its route and account. All that it knows is in the database: it goes on
/// where it was after a restart, and any number of machines may run it; none queries what another is querying.
#[derive(Debug)]
pub struct Convergence<S> {
    inbox: Inbox<S>,
    plans: Vec<Arc<RoutePlan>>,
}

impl<S: Store> Inbox<S> {
    /// What queries the orders and refunds that this inbox is told to [`expect`](Self::expect), with one plan for each
    /// account of each route. What no plan is for stays open.
    #[must_use]
    pub fn convergence(&self, plans: impl IntoIterator<Item = RoutePlan>) -> Convergence<S> {
        Convergence {
            inbox: self.clone(),
            plans: plans.into_iter().map(Arc::new).collect(),
        }
    }
}

impl<S: Store> Convergence<S> {
    /// Runs until `shutdown` is ready; queries that are under way then are finished first.
    pub async fn run(self, shutdown: impl Future<Output = ()> + Send) {
        let (stop, stopped) = watch::channel(false);
        let mut rounds = JoinSet::new();
        for plan in &self.plans {
            rounds.spawn(Round::new(&self.inbox, plan).follow(stopped.clone()));
        }
        shutdown.await;
        stop.send_replace(true);
        while rounds.join_next().await.is_some() {}
    }

    /// Queries what is due now, at the plans' pace, and returns when nothing is: for a job that is started now and then.
    ///
    /// # Errors
    /// [`StoreError`] when the database failed. What was asked for and not recorded is queried again when its lease is over.
    pub async fn drain(&self) -> Result<Vec<Converged>, StoreError> {
        let mut converged = Vec::new();
        for plan in &self.plans {
            let mut round = Round::new(&self.inbox, plan);
            // What ends may be due again: a hint came.
            while round.begin().await? > 0 || round.end_one().await? {}
            converged.append(&mut round.converged);
        }
        Ok(converged)
    }
}

/// When the next call of a plan may begin, in this process.
#[derive(Clone, Debug)]
struct Pacer {
    next: Arc<Mutex<Instant>>,
    between: Duration,
}

impl Pacer {
    fn new(between: Duration) -> Self {
        Self {
            next: Arc::new(Mutex::new(Instant::now())),
            between,
        }
    }

    /// Waits for the next turn, one after another.
    async fn turn(&self) {
        let mut next = self.next.lock().await;
        tokio::time::sleep_until(*next).await;
        *next = Instant::now() + self.between;
    }
}

/// The queries of one plan in this process.
struct Round<S> {
    inbox: Inbox<S>,
    plan: Arc<RoutePlan>,
    under_way: JoinSet<Result<Converged, StoreError>>,
    pacer: Pacer,
    /// Whose turn it is to be claimed: one by one, what became due last comes before what waits.
    next: DueFirst,
    /// Those that ended since this was looked at last.
    converged: Vec<Converged>,
}

impl<S: Store> Round<S> {
    fn new(inbox: &Inbox<S>, plan: &Arc<RoutePlan>) -> Self {
        Self {
            inbox: inbox.clone(),
            plan: Arc::clone(plan),
            under_way: JoinSet::new(),
            pacer: Pacer::new(plan.pace),
            next: DueFirst::Latest,
            converged: Vec::new(),
        }
    }

    /// A query, a close and another query, after all others of the same claim have begun, and some time for the database.
    fn lease(&self) -> Duration {
        let slots = u32::try_from(self.plan.concurrency).unwrap_or(u32::MAX);
        let asking = self.plan.timeout.saturating_mul(3);
        let lease = asking.saturating_add(self.plan.pace.saturating_mul(slots).saturating_mul(3));
        lease.saturating_add(Duration::from_secs(30))
    }

    /// Claims as many as may be under way besides those that are, and begins to query them; says how many were due.
    async fn begin(&mut self) -> Result<usize, StoreError> {
        while self.under_way.len() >= self.plan.concurrency {
            self.end_one().await?;
        }
        let (plan, now) = (&self.plan, self.inbox.now());
        let free = plan.concurrency.saturating_sub(self.under_way.len());
        let first = self.next;
        // After an outage thousands are due for long, and the payer of what became due just now is waiting.
        let (limit, next) = match first {
            DueFirst::Latest => (1, DueFirst::Longest),
            DueFirst::Longest => (u32::try_from(free).unwrap_or(u32::MAX), DueFirst::Latest),
        };
        let lease_until = now.after(self.lease());
        let hint_gap = self.inbox.settings.hint_gap.max(StoredPending::LONGEST_HINT_GAP);
        let never_after = lease_until.after(plan.longest_wait().max(hint_gap));
        let of = DueOf::new(&plan.route, &plan.account, first, never_after);
        let claims = self.inbox.store.claim_pending(&of, now, lease_until, limit);
        let claims = self.inbox.settings.answered(claims).await?;
        self.next = next;
        let due = claims.len();
        for claim in claims {
            if claim.pending.state == PendingState::Over {
                self.converged.push(Converged::Over(claim.pending.id));
                continue;
            }
            self.pacer.turn().await;
            let (inbox, plan, pacer) = (self.inbox.clone(), Arc::clone(&self.plan), self.pacer.clone());
            self.under_way.spawn(async move {
                let (inbox, plan, pacer, claim) = (&inbox, &plan, &pacer, &claim);
                let number = &*claim.pending.expected.number;
                let (route, account) = (&*plan.route, &*plan.account);
                let span = tracing::info_span!("yuanfen.query", route, account, number);
                let step = Step {
                    inbox,
                    plan,
                    pacer,
                    claim,
                };
                step.run().instrument(span).await
            });
        }
        Ok(due)
    }

    /// Waits for the next of those under way to end; says whether there was one.
    async fn end_one(&mut self) -> Result<bool, StoreError> {
        match self.under_way.join_next().await {
            None => Ok(false),
            Some(ended) => self.ended(ended).map(|()| true),
        }
    }

    fn ended(&mut self, ended: Result<Result<Converged, StoreError>, JoinError>) -> Result<(), StoreError> {
        let converged = ended.map_err(StoreError::database).flatten();
        let result = converged.as_ref().map_or("database-failed", Converged::as_str);
        counts::query(&self.plan.route, result);
        self.converged.push(converged?);
        Ok(())
    }

    async fn follow(mut self, mut stopped: watch::Receiver<bool>) {
        let mut rung = self.inbox.queries.subscribe();
        while !*stopped.borrow() {
            let mut pause = self.inbox.settings.idle;
            self.converged.clear();
            match self.begin().await {
                Ok(0) => {}
                // There may be more.
                Ok(_) => continue,
                Err(error) => {
                    pause = pause.max(Duration::from_secs(1));
                    report(&error);
                }
            }
            tokio::select! {
                _ = rung.changed() => {}
                Some(ended) = self.under_way.join_next() => {
                    self.ended(ended).unwrap_or_else(|error| report(&error));
                }
                () = tokio::time::sleep(pause) => {}
                _ = stopped.wait_for(|stopped| *stopped) => {}
            }
        }
        while let Some(ended) = self.under_way.join_next().await {
            self.ended(ended).unwrap_or_else(|error| report(&error));
        }
    }
}

fn report(error: &StoreError) {
    tracing::error!(error = chain(error), "the inbox's database failed; trying again");
}
