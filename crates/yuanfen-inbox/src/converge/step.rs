//! What is done about one order or refund that is due: ask, store what is found, close what has expired, write down when to
//! ask again.

use std::time::Duration;

use yuanfen_core::{EventKey, Facts, Finding, Standing, Transition, UnixTime};

use super::{Converged, Pacer, RoutePlan};
use crate::inbox::Put;
use crate::phase::Phase;
use crate::store::{PendingEnd, QueryRecord, Store, Subject};
use crate::{ClaimedPending, Inbox, NewEvent, PendingKind, PendingState, StoreError, StoredPending};

/// The [`end_state`](Facts::end_state) of an order that expired without ever having been placed. No platform says so: it is
/// the inbox's own word for an order that the platform did not know at several queries in a row, the last of them when no
/// call that places it can be under way any more. Its event is an [`OrderClosed`](Transition::OrderClosed), which tells
/// the shop to release what it holds for it.
pub const NEVER_PLACED: &str = "never-placed";

/// So often in a row the platform must not know the number of an order that was never placed.
const ABSENCES: u32 = 3;

/// How long after the expiry of an order a call that places it may still be under way.
const LATE_CALL: Duration = Duration::from_secs(5 * 60);

/// One claimed order or refund.
pub(super) struct Step<'a, S> {
    pub(super) inbox: &'a Inbox<S>,
    pub(super) plan: &'a RoutePlan,
    pub(super) pacer: &'a Pacer,
    pub(super) claim: &'a ClaimedPending,
}

impl<S: Store> Step<'_, S> {
    const fn pending(&self) -> &StoredPending {
        &self.claim.pending
    }

    pub(super) async fn run(self) -> Result<Converged, StoreError> {
        let mut asked = self.ask().await?;
        let mut trouble = None;
        if asked.as_ref().is_ok_and(|finding| self.is_to_be_closed(finding)) {
            self.pacer.turn().await;
            trouble = self.plan.close(self.pending()).await.err();
            let expected = &self.pending().expected;
            match &trouble {
                None => tracing::info!(
                    route = expected.route,
                    account = expected.account,
                    number = expected.number,
                    "an order has expired and was closed"
                ),
                Some(error) => tracing::warn!(
                    route = expected.route,
                    account = expected.account,
                    number = expected.number,
                    error,
                    "an order has expired and could not be closed"
                ),
            }
            self.pacer.turn().await;
            asked = self.ask().await?;
        }
        if asked.as_ref().is_ok_and(|finding| self.was_never_placed(finding)) {
            self.put_never_placed().await?;
            return self
                .record(Some(PendingEnd::Over), Some(Standing::NotFound), None)
                .await;
        }
        match asked {
            Ok(finding) if finding.is_over => self.record(Some(PendingEnd::Over), Some(finding.standing), None).await,
            Ok(finding) => {
                let end = (self.inbox.now() >= self.gives_up_at()).then(|| self.end_without_end(&finding));
                self.record(end, Some(finding.standing), trouble).await
            }
            Err(error) => {
                let end = (self.inbox.now() >= self.despairs_at()).then_some(PendingEnd::GivenUp);
                self.record(end, None, Some(error)).await
            }
        }
    }

    /// Queries, and stores what is found.
    async fn ask(&self) -> Result<Result<Finding, String>, StoreError> {
        let asked = self.plan.query(self.pending()).await;
        match &asked {
            Ok(finding) => self.put_found(finding).await?,
            Err(error) => {
                let expected = &self.pending().expected;
                tracing::warn!(
                    route = expected.route,
                    account = expected.account,
                    number = expected.number,
                    error,
                    "a query failed"
                );
            }
        }
        Ok(asked)
    }

    async fn put_found(&self, finding: &Finding) -> Result<(), StoreError> {
        let mut left = finding.settled.len();
        for (key, facts) in &finding.settled {
            left -= 1;
            self.keep_remote_id(key).await?;
            let is_over = finding.is_over && left == 0;
            self.put(key.clone(), facts.clone(), is_over).await?;
        }
        if finding.is_over && finding.settled.is_empty() {
            let expected = &self.pending().expected;
            tracing::error!(
                route = expected.route,
                account = expected.account,
                number = expected.number,
                "a query found the end of an order or refund and not what it is: no handler runs for it",
            );
        }
        Ok(())
    }

    async fn put(&self, key: EventKey, facts: Facts, is_over: bool) -> Result<Put, StoreError> {
        let event = NewEvent::from_query(key.clone(), facts, is_over, self.inbox.now());
        let put = self.inbox.settings.answered(self.inbox.put(event)).await?;
        self.inbox.phases.reach(Phase::Found, &key).await;
        Ok(put)
    }

    /// Where the route's keys name the platform's number, its events find what is expected by that: it is kept before the
    /// first of them can be handled.
    async fn keep_remote_id(&self, key: &EventKey) -> Result<(), StoreError> {
        let expected = &self.pending().expected;
        if key.subject == expected.number || expected.remote_id.as_ref() == Some(&key.subject) {
            return Ok(());
        }
        let subject = Subject::new(&expected.route, &expected.account, expected.kind, &expected.number);
        let Inbox { store, settings, .. } = self.inbox;
        let kept = async {
            let (turn, mut transaction) = store.begin().await?;
            store.keep_remote_id(&mut transaction, subject, &key.subject).await?;
            store.commit(transaction).await?;
            drop(turn);
            Ok(())
        };
        settings.answered(kept).await
    }

    /// Only what a query has just found there and unpaid. One that is being paid at this moment is left alone.
    fn is_to_be_closed(&self, finding: &Finding) -> bool {
        self.plan.closes() && finding.may_be_closed && self.has_expired()
    }

    /// What becomes of what has no end when its schedule does. An order that nobody paid, where nothing closes it, is an
    /// abandoned cart; of anything else nobody knows whether money moved.
    fn end_without_end(&self, finding: &Finding) -> PendingEnd {
        let is_there_unpaid = finding.standing == Standing::Accepted && finding.settled.is_empty();
        let is_unpaid = is_there_unpaid || finding.may_be_closed || finding.standing == Standing::NotFound;
        if self.pending().expected.kind == PendingKind::Order && is_unpaid {
            PendingEnd::Lapsed
        } else {
            PendingEnd::GivenUp
        }
    }

    /// The shop said that it is about to place an order, and has died, or was refused. Nothing will ever be heard of it.
    /// Once it has expired nobody places it any more, and a platform that still does not know it has no money for it.
    fn was_never_placed(&self, finding: &Finding) -> bool {
        let ended = expiry(self.pending());
        finding.standing == Standing::NotFound
            && !finding.is_over
            && self.pending().absences.saturating_add(1) >= ABSENCES
            && ended.is_some_and(|ended| self.inbox.now() >= ended.after(LATE_CALL))
    }

    async fn put_never_placed(&self) -> Result<(), StoreError> {
        let expected = &self.pending().expected;
        let (route, account, number) = (&expected.route, &expected.account, &expected.number);
        tracing::warn!(route, account, number, "an order has expired and was never placed");
        let key = EventKey::new(route.clone(), account, number, Transition::OrderClosed);
        let mut facts = Facts::new(NEVER_PLACED);
        facts.order_no = Some(number.clone());
        // Not the last that can be heard of it: no platform has said so, and a hint opens it again.
        self.put(key, facts, false).await.map(drop)
    }

    fn has_expired(&self) -> bool {
        expiry(self.pending()).is_some_and(|ended| self.inbox.now() >= ended)
    }

    /// From when its schedule counts: from its expiry, once that is over.
    fn begin(&self) -> UnixTime {
        let placed_at = self.pending().placed_at;
        expiry(self.pending())
            .filter(|_| self.has_expired())
            .unwrap_or(placed_at)
    }

    /// Not while it can still be paid.
    fn gives_up_at(&self) -> UnixTime {
        let begin = expiry(self.pending()).unwrap_or(self.pending().placed_at);
        self.schedule().gives_up_at(begin)
    }

    fn despairs_at(&self) -> UnixTime {
        let begin = expiry(self.pending()).unwrap_or(self.pending().placed_at);
        self.schedule().despairs_at(begin)
    }

    const fn schedule(&self) -> &super::Schedule {
        self.plan.schedule(self.pending().expected.kind)
    }

    /// The next step of the schedule; an order is also queried when it expires.
    fn next_query_at(&self) -> UnixTime {
        let number = &self.pending().expected.number;
        let next = self.schedule().next(self.begin(), number, self.inbox.now());
        match expiry(self.pending()) {
            // A sale ends at one moment for thousands.
            Some(ended) if !self.has_expired() => next.min(self.schedule().just_after(ended, number)),
            _ => next,
        }
    }

    async fn record(
        &self,
        end: Option<PendingEnd>,
        standing: Option<Standing>,
        error: Option<String>,
    ) -> Result<Converged, StoreError> {
        let pending = self.pending();
        let record = QueryRecord {
            end,
            next_query_at: self.next_query_at(),
            standing,
            error,
        };
        let Inbox { store, settings, .. } = self.inbox;
        let recorded = store.record_query(self.claim, &record, self.inbox.now());
        let Some(state) = settings.answered(recorded).await? else {
            return Ok(Converged::Lost(pending.id));
        };
        let expected = &pending.expected;
        match state {
            PendingState::GivenUp => tracing::error!(
                route = expected.route,
                account = expected.account,
                kind = expected.kind.as_str(),
                number = expected.number,
                queries = pending.queries,
                error = record.error,
                "the end of an order or refund was not found out: it is given up, look at the bill",
            ),
            PendingState::Lapsed => tracing::warn!(
                route = expected.route,
                account = expected.account,
                number = expected.number,
                queries = pending.queries,
                "an order has lapsed: to the last the platform said that nobody had paid",
            ),
            PendingState::Over | PendingState::Open => {}
        }
        Ok(match state {
            PendingState::Over => Converged::Over(pending.id),
            PendingState::GivenUp => Converged::GivenUp(pending.id),
            PendingState::Lapsed => Converged::Lapsed(pending.id),
            PendingState::Open if standing.is_none() => Converged::Failed(pending.id),
            PendingState::Open => Converged::Open(pending.id),
        })
    }
}

/// From when on an order can no longer be paid and may be closed.
fn expiry(pending: &StoredPending) -> Option<UnixTime> {
    let expires_at = pending.expected.expires_at?;
    (pending.expected.kind == PendingKind::Order)
        .then(|| expires_at.max(pending.placed_at.after(RoutePlan::CLOSE_NOT_BEFORE)))
}
