//! An inbox in a store, the model of it, and a step in both.

use std::collections::BTreeMap;
use std::time::Duration;

use serde_json::json;
use yuanfen_inbox::store::{Marked, Release};
use yuanfen_inbox::{
    ClaimedEvent, EventFilter, EventId, EventState, ExpectError, Handled, HandlerError, Inbox, ParkReason, Phase,
    Received, StoreError, StoredEvent, TxHandler,
};

use super::event::{ATTEMPTS, Event, Expected, FIRST_QUERY, LEASE};
use super::ops::{How, Order, Step, Told};
use crate::place::Place;
use crate::shop::{Clock, dies_at};
use crate::toy::{Toy, hint, order, signed};

/// A worker that fell asleep over its claim.
struct Sleeper {
    of: (Order, Told),
    claim: ClaimedEvent,
}

pub struct World<S: Place> {
    pub inbox: Inbox<S>,
    clock: Clock,
    pub events: BTreeMap<(Order, Told), Event>,
    pub expected: BTreeMap<Order, Expected>,
    sleepers: Vec<Sleeper>,
}

/// The handler of these histories.
struct Handler(How);

impl<S: Place> TxHandler<S> for Handler {
    async fn apply(&self, transaction: &mut S::Transaction, event: &StoredEvent) -> Result<(), HandlerError> {
        S::ship(transaction, &event.key.to_string()).await?;
        match self.0 {
            How::Succeeds => Ok(()),
            How::Fails => Err(HandlerError::retry("it fails")),
            How::Refuses => Err(HandlerError::park("it refuses")),
        }
    }
}

pub fn name(order: Order) -> String {
    format!("A{order}")
}

impl<S: Place> World<S> {
    /// An empty inbox at the start of time.
    pub async fn start(store: &S) -> Self {
        store.settle().await;
        let (turn, mut transaction) = store.begin().await.unwrap();
        let empty = "delete from yuanfen_inbox_event; delete from yuanfen_inbox_conflict; \
                     delete from yuanfen_inbox_pending; delete from shipped";
        S::run(&mut transaction, empty).await.unwrap();
        store.commit(transaction).await.unwrap();
        drop(turn);
        let clock = Clock::new();
        let inbox = clock.inbox(store.clone()).with_settings(|settings| {
            settings.attempts = ATTEMPTS;
            settings.lease = Duration::from_secs(LEASE.unsigned_abs());
        });
        Self {
            inbox,
            clock,
            events: BTreeMap::new(),
            expected: BTreeMap::new(),
            sleepers: Vec::new(),
        }
    }

    /// Takes a step in both, and compares.
    pub async fn take(&mut self, step: &Step) {
        match *step {
            Step::Receive(order, told, fen, dies) => self.receive(order, told, fen, dies).await,
            Step::Expect(order, fen) => self.expect(order, fen).await,
            Step::Hint(order) => self.hint(order).await,
            Step::Work(how, dies) => self.work(how, dies).await,
            Step::Claim => self.claim().await,
            Step::Finish(which) => self.finish(which).await,
            Step::GiveUp(which) => self.give_up(which).await,
            Step::Advance(seconds) => self.clock.advance(seconds),
            Step::Retry(order, told) => self.retry(order, told).await,
            Step::Park(order, told) => self.park(order, told).await,
            Step::Dismiss(order, told) => self.dismiss(order, told).await,
            Step::Resolve(order, told) => self.resolve(order, told).await,
        }
        self.compare(step).await;
    }

    fn now(&self) -> i64 {
        self.clock.now().seconds()
    }

    async fn receive(&mut self, order: Order, told: Told, fen: i64, dies: Option<Phase>) {
        let body = json!({ "order": name(order), "amount": fen, "transition": told.transition() });
        let notice = signed(&body);
        let received = if let Some(phase) = dies {
            let (hook, mut reached) = dies_at(phase);
            let receiver = self.inbox.clone().with_phase_hook(hook).receiver(Toy);
            let process = tokio::spawn(async move { receiver.receive(&notice).await });
            reached.recv().await.unwrap();
            process.abort();
            assert!(process.await.unwrap_err().is_cancelled());
            None
        } else {
            Some(self.inbox.receiver(Toy).receive(&notice).await.received)
        };
        if dies == Some(Phase::Receiving) {
            return;
        }
        let now = self.now();
        let Some(event) = self.events.get_mut(&(order, told)) else {
            let id = match received {
                Some(Received::New(id)) => id,
                Some(other) => panic!("{other:?}"),
                None => self
                    .find(order, told)
                    .await
                    .expect("it was committed before the process died"),
            };
            let event = Event {
                id,
                fen,
                state: EventState::Ready,
                parked_for: None,
                ready_at: now,
                attempts: 0,
                fence: 0,
                conflicts: BTreeMap::new(),
                effects: 0,
            };
            self.events.insert((order, told), event);
            return;
        };
        if event.fen == fen {
            assert!(matches!(received, None | Some(Received::Duplicate(_))), "{received:?}");
            return;
        }
        assert!(
            matches!(received, None | Some(Received::Conflict { field: "amount", .. })),
            "{received:?}"
        );
        if event.conflicts.contains_key(&fen) {
            return;
        }
        event.conflicts.insert(fen, false);
        if event.state == EventState::Ready {
            event.park(ParkReason::Conflict);
        }
    }

    async fn find(&self, order: Order, told: Told) -> Option<EventId> {
        let mut filter = EventFilter::default();
        filter.subject = Some(name(order));
        let events = self.inbox.events(&filter).await.unwrap();
        let event = events
            .iter()
            .find(|event| event.key.transition.as_str() == told.transition());
        event.map(|event| event.id)
    }

    async fn expect(&mut self, number: Order, fen: i64) {
        let (turn, mut transaction) = self.inbox.store().begin().await.unwrap();
        let done = self.inbox.expect(&mut transaction, order(&name(number), fen)).await;
        self.inbox.store().commit(transaction).await.unwrap();
        drop(turn);
        let new = Expected {
            fen,
            is_open: true,
            next_query_at: self.now() + FIRST_QUERY,
        };
        let known = self.expected.entry(number).or_insert(new);
        match done {
            Ok(()) => assert!(known.fen == fen && known.is_open),
            Err(ExpectError::Over { .. }) => assert!(known.fen == fen && !known.is_open),
            Err(ExpectError::Differs { field, .. }) => assert!(field == "amount" && known.fen != fen),
            Err(error) => panic!("{error}"),
        }
    }

    async fn hint(&mut self, order: Order) {
        let received = self.inbox.receiver(Toy).receive(&hint(&name(order))).await.received;
        let now = self.now();
        match self.expected.get_mut(&order) {
            Some(expected) if expected.is_open => {
                assert!(matches!(received, Received::Hint), "{received:?}");
                expected.next_query_at = expected.next_query_at.min(now);
            }
            _ => assert!(matches!(received, Received::UnknownHint), "{received:?}"),
        }
    }

    /// What a worker would take now.
    fn due(&self) -> Option<(Order, Told)> {
        let now = self.now();
        let ready = self
            .events
            .iter()
            .filter(|(_, event)| event.state == EventState::Ready && event.ready_at <= now);
        ready
            .min_by_key(|(_, event)| (event.ready_at, event.id))
            .map(|(of, _)| *of)
    }

    fn claimed(&mut self, of: (Order, Told)) -> &mut Event {
        let now = self.now();
        let event = self.events.get_mut(&of).unwrap();
        event.attempts += 1;
        event.fence += 1;
        event.ready_at = now + LEASE;
        event
    }

    /// What a worker makes of it; `None` where its process dies.
    fn worked(&mut self, of: (Order, Told), how: How, dies: Option<Phase>) -> Option<Handled> {
        let now = self.now();
        let expected = self.expected.get(&of.0).cloned();
        let event = self.claimed(of);
        if dies == Some(Phase::Claimed) {
            return None;
        }
        if event.attempts > ATTEMPTS {
            return Some(event.park(ParkReason::Attempts));
        }
        if event.is_contradicted() {
            return Some(event.park(ParkReason::Conflict));
        }
        match &expected {
            None if of.1.is_payment() => return Some(event.park(ParkReason::Unexpected)),
            Some(expected) if expected.fen != event.fen => return Some(event.park(ParkReason::Mismatch)),
            _ => {}
        }
        if dies == Some(Phase::Handling) {
            return None;
        }
        match how {
            How::Fails => return Some(event.fail(now)),
            How::Refuses => return Some(event.park(ParkReason::Handler)),
            How::Succeeds if dies == Some(Phase::Committing) => return None,
            How::Succeeds => {}
        }
        event.state = EventState::Done;
        event.effects += 1;
        let id = event.id;
        // All three are ends.
        if let Some(expected) = self.expected.get_mut(&of.0) {
            expected.is_open = false;
        }
        (dies != Some(Phase::Committed)).then_some(Handled::Done(id))
    }

    async fn work(&mut self, how: How, dies: Option<Phase>) {
        let done = if let Some(phase) = dies {
            let (hook, mut reached) = dies_at(phase);
            let inbox = self.inbox.clone().with_phase_hook(hook);
            let mut process = tokio::spawn(async move { inbox.handle_next(&Handler(how)).await.unwrap() });
            tokio::select! {
                Some(()) = reached.recv() => {
                    process.abort();
                    assert!(process.await.unwrap_err().is_cancelled());
                    // What it had in a transaction is rolled back in a moment, and not at once.
                    self.inbox.store().settle().await;
                    None
                }
                done = &mut process => Some(done.unwrap()),
            }
        } else {
            Some(self.inbox.handle_next(&Handler(how)).await.unwrap())
        };
        let modelled = match self.due() {
            Some(of) => self.worked(of, how, dies).map(Some),
            None => Some(None),
        };
        assert_eq!(done, modelled);
    }

    async fn claim(&mut self) {
        let now = self.clock.now();
        let lease_until = now.after(Duration::from_secs(LEASE.unsigned_abs()));
        let never_after = now.after(Duration::from_secs(3600));
        let store = self.inbox.store();
        let claim = store.claim_event(now, lease_until, never_after).await.unwrap();
        let Some(of) = self.due() else {
            assert!(claim.is_none(), "{claim:?}");
            return;
        };
        let event = self.claimed(of);
        let claim = claim.expect("one is due");
        assert_eq!(
            (claim.event.id, claim.fence, claim.event.attempts),
            (event.id, event.fence, event.attempts)
        );
        self.sleepers.push(Sleeper { of, claim });
    }

    fn wake(&mut self, which: usize) -> Option<Sleeper> {
        let count = self.sleepers.len();
        (count > 0).then(|| self.sleepers.remove(which % count))
    }

    async fn finish(&mut self, which: usize) {
        let Some(Sleeper { of, claim }) = self.wake(which) else {
            return;
        };
        let store = self.inbox.store();
        let (turn, mut transaction) = store.begin().await.unwrap();
        let marked = store
            .mark_done(&mut transaction, &claim, self.clock.now())
            .await
            .unwrap();
        let event = self.events.get_mut(&of).unwrap();
        let is_ours = event.state == EventState::Ready && event.fence == claim.fence;
        if is_ours && event.is_contradicted() {
            assert_eq!(marked, Marked::Contradicted);
            store.roll_back(transaction).await;
        } else if is_ours {
            assert_eq!(marked, Marked::Done);
            S::ship(&mut transaction, &claim.event.key.to_string()).await.unwrap();
            assert!(store.still_marked(&mut transaction, &claim).await.unwrap());
            store.commit(transaction).await.unwrap();
            event.state = EventState::Done;
            event.effects += 1;
        } else {
            assert_eq!(marked, Marked::NotOurs);
            store.roll_back(transaction).await;
        }
        drop(turn);
    }

    async fn give_up(&mut self, which: usize) {
        let Some(Sleeper { of, claim }) = self.wake(which) else {
            return;
        };
        let now = self.clock.now();
        let at = now.after(Duration::from_secs(5));
        let released = self
            .inbox
            .store()
            .release_event(&claim, Release::Retry { at }, "given up", now)
            .await
            .unwrap();
        let event = self.events.get_mut(&of).unwrap();
        assert_eq!(released, event.state == EventState::Ready && event.fence == claim.fence);
        if released {
            event.ready_at = at.seconds();
        }
    }

    async fn retry(&mut self, order: Order, told: Told) {
        let now = self.now();
        let Some(event) = self.events.get_mut(&(order, told)) else {
            return;
        };
        let done = self.inbox.retry(event.id).await;
        if event.state != EventState::Parked {
            assert!(matches!(done, Err(StoreError::NoSuchEvent)), "{done:?}");
            return;
        }
        done.unwrap();
        event.look_at_the_reason();
        event.state = EventState::Ready;
        event.parked_for = None;
        event.ready_at = now;
        event.attempts = 0;
    }

    async fn park(&mut self, order: Order, told: Told) {
        let Some(event) = self.events.get_mut(&(order, told)) else {
            return;
        };
        let done = self.inbox.park(event.id).await;
        if matches!(event.state, EventState::Ready | EventState::Dismissed) {
            done.unwrap();
            event.park(ParkReason::Person);
        } else {
            assert!(matches!(done, Err(StoreError::NoSuchEvent)), "{done:?}");
        }
    }

    async fn dismiss(&mut self, order: Order, told: Told) {
        let Some(event) = self.events.get_mut(&(order, told)) else {
            return;
        };
        let done = self.inbox.dismiss(event.id).await;
        if event.state == EventState::Parked {
            done.unwrap();
            event.look_at_the_reason();
            event.state = EventState::Dismissed;
        } else {
            assert!(matches!(done, Err(StoreError::NoSuchEvent)), "{done:?}");
        }
    }

    async fn resolve(&mut self, order: Order, told: Told) {
        let Some(event) = self.events.get_mut(&(order, told)) else {
            return;
        };
        let open = event.conflicts.values().filter(|is_resolved| !**is_resolved).count();
        if event.state == EventState::Ready {
            assert_eq!(self.inbox.resolve(event.id).await.unwrap(), 0);
            return;
        }
        assert_eq!(usize::try_from(self.inbox.resolve(event.id).await.unwrap()), Ok(open));
        event.conflicts.values_mut().for_each(|is_resolved| *is_resolved = true);
    }
}
