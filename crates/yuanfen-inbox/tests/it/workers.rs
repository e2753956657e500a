//! What workers do with an event that is due, and with one whose handler fails.

use std::sync::Arc;
use std::sync::atomic::{AtomicU32, Ordering};
use std::time::{Duration, Instant};

use tokio::sync::{Notify, mpsc, oneshot};
use yuanfen_inbox::{EventState, Handled, HandlerError, ParkReason, Phase, StoredEvent, TxHandler, handler_fn};

use crate::place::{Place, Shipping, inbox, on_both_stores};
use crate::shop::{Clock, at, deliver, dies_at, expect, show, work_after_a_death};
use crate::toy::{Toy, order, paid};

/// Ships, and fails all the same.
#[derive(Debug)]
struct Failing;

#[derive(Debug, thiserror::Error)]
#[error("no stock")]
struct NoStock(#[source] std::fmt::Error);

impl<S: Place> TxHandler<S> for Failing {
    async fn apply(&self, transaction: &mut S::Transaction, event: &StoredEvent) -> Result<(), HandlerError> {
        S::ship(transaction, &event.key.to_string()).await?;
        Err(NoStock(std::fmt::Error).into())
    }
}

async fn a_failure_is_tried_again_after_pauses_that_double_until_the_limit<S: Place>(store: S) {
    let clock = Clock::new();
    let inbox = clock.inbox(store).with_settings(|settings| {
        settings.attempts = 6;
        settings.first_pause = Duration::from_secs(2);
        settings.longest_pause = Duration::from_secs(10);
    });
    expect(&inbox, order("A1", 100)).await;
    let id = deliver(&inbox.receiver(Toy), &paid("A1", 100)).await;
    let workers = inbox.workers(Failing);
    let mut due = 0;
    for (attempt, pause) in [(1, 2), (2, 4), (3, 8), (4, 10), (5, 10)] {
        assert_eq!(workers.drain().await.unwrap(), [Handled::Failed(id)]);
        due += pause;
        let event = show(&inbox, id).await;
        assert_eq!(
            (event.state, event.attempts, event.ready_at),
            (EventState::Ready, attempt, at(due))
        );
        assert_eq!(
            event.last_error.as_deref(),
            Some("no stock: an error occurred when formatting an argument")
        );
        clock.advance(pause - 1);
        assert_eq!(workers.drain().await.unwrap(), [], "a second too early");
        clock.advance(1);
    }
    assert_eq!(
        workers.drain().await.unwrap(),
        [Handled::Parked(id, ParkReason::Attempts)]
    );
    let event = show(&inbox, id).await;
    assert_eq!(
        (event.state, event.attempts, event.finished_at),
        (EventState::Parked, 6, Some(at(due)))
    );
    clock.advance(1_000_000);
    assert_eq!(workers.drain().await.unwrap(), []);
    assert!(
        inbox.store().shipped().await.is_empty(),
        "every attempt was rolled back"
    );
    // After the mend.
    inbox.retry(id).await.unwrap();
    assert_eq!(inbox.workers(Shipping).drain().await.unwrap(), [Handled::Done(id)]);
    assert_eq!(show(&inbox, id).await.attempts, 1);
    assert_eq!(inbox.store().shipped().await.len(), 1);
}

async fn an_event_that_waits_does_not_keep_others_waiting<S: Place>(store: S) {
    let clock = Clock::new();
    let inbox = clock.inbox(store);
    let receiver = inbox.receiver(Toy);
    for number in ["A1", "A2", "A3"] {
        expect(&inbox, order(number, 100)).await;
    }
    let first = deliver(&receiver, &paid("A1", 100)).await;
    assert_eq!(inbox.workers(Failing).drain().await.unwrap(), [Handled::Failed(first)]);
    let second = deliver(&receiver, &paid("A2", 100)).await;
    let third = deliver(&receiver, &paid("A3", 100)).await;
    let workers = inbox.workers(Shipping);
    assert_eq!(
        workers.drain().await.unwrap(),
        [Handled::Done(second), Handled::Done(third)]
    );
    clock.advance(1);
    assert_eq!(workers.drain().await.unwrap(), [Handled::Done(first)]);
}

async fn a_handler_may_say_that_no_attempt_can_help<S: Place>(store: S) {
    let inbox = inbox(store);
    expect(&inbox, order("A1", 100)).await;
    let id = deliver(&inbox.receiver(Toy), &paid("A1", 100)).await;
    let refusing = handler_fn::<S, _>(|transaction, _| {
        Box::pin(async move {
            S::ship(transaction, "what is not to stay").await?;
            Err(HandlerError::park("the goods do not exist"))
        })
    });
    let handled = inbox.workers(refusing).drain().await.unwrap();
    assert_eq!(handled, [Handled::Parked(id, ParkReason::Handler)]);
    assert_eq!(
        show(&inbox, id).await.last_error.as_deref(),
        Some("the goods do not exist")
    );
    assert!(inbox.store().shipped().await.is_empty());
}

/// Panics before there is a future to be polled.
#[derive(Debug)]
struct Hasty;

impl<S: Place> TxHandler<S> for Hasty {
    fn apply(
        &self,
        _transaction: &mut S::Transaction,
        event: &StoredEvent,
    ) -> impl Future<Output = Result<(), HandlerError>> + Send {
        assert!(event.attempts > 1, "at the first attempt");
        async { Ok(()) }
    }
}

async fn a_panic_is_a_failure_of_the_attempt_and_of_nothing_else<S: Place>(store: S) {
    let clock = Clock::new();
    let inbox = clock.inbox(store);
    let receiver = inbox.receiver(Toy);
    expect(&inbox, order("A1", 100)).await;
    expect(&inbox, order("A2", 100)).await;
    let id = deliver(&receiver, &paid("A1", 100)).await;
    let panicking = handler_fn::<S, _>(|transaction, _| {
        Box::pin(async move {
            S::ship(transaction, "what is not to stay").await?;
            panic!("a bug in the shop")
        })
    });
    assert_eq!(inbox.workers(panicking).drain().await.unwrap(), [Handled::Failed(id)]);
    assert_eq!(
        show(&inbox, id).await.last_error.as_deref(),
        Some("the handler panicked")
    );
    clock.advance(60);
    assert_eq!(inbox.workers(Shipping).drain().await.unwrap(), [Handled::Done(id)]);
    assert_eq!(inbox.store().shipped().await, ["toy/M1/order-paid/A1"]);
    let second = deliver(&receiver, &paid("A2", 100)).await;
    let hasty = inbox.workers(Hasty);
    assert_eq!(hasty.drain().await.unwrap(), [Handled::Failed(second)]);
    clock.advance(60);
    assert_eq!(hasty.drain().await.unwrap(), [Handled::Done(second)]);
}

async fn a_worker_wakes_when_a_notice_is_stored_and_ends_what_is_under_way_when_it_is_told_to<S: Place>(store: S) {
    // Were it not woken, the test would take an hour.
    let inbox = inbox(store).with_settings(|settings| settings.idle = Duration::from_secs(3600));
    for number in ["A1", "A2", "A3"] {
        expect(&inbox, order(number, 100)).await;
    }
    let (begun, mut begins) = mpsc::unbounded_channel();
    let slow = handler_fn::<S, _>(move |transaction, event| {
        let begun = begun.clone();
        Box::pin(async move {
            begun.send(()).ok();
            tokio::time::sleep(Duration::from_millis(200)).await;
            S::ship(transaction, &event.key.to_string()).await?;
            Ok(())
        })
    });
    let (stop, stopped) = oneshot::channel::<()>();
    let running = tokio::spawn(inbox.workers(slow).run(async move { drop(stopped.await) }));
    tokio::time::sleep(Duration::from_millis(100)).await;
    let id = deliver(&inbox.receiver(Toy), &paid("A1", 100)).await;
    begins.recv().await.unwrap();
    stop.send(()).unwrap();
    running.await.unwrap();
    assert_eq!(show(&inbox, id).await.state, EventState::Done);
    // Nobody works any more.
    let later = deliver(&inbox.receiver(Toy), &paid("A2", 100)).await;
    tokio::time::sleep(Duration::from_millis(300)).await;
    assert_eq!(show(&inbox, later).await.state, EventState::Ready);
    assert_eq!(inbox.store().shipped().await.len(), 1);
}

async fn the_place_of_a_worker_that_panicked_is_taken<S: Place>(store: S) {
    let broken = Arc::new(AtomicU32::new(0));
    let counted = Arc::clone(&broken);
    let inbox = inbox(store)
        .with_settings(|settings| {
            settings.workers = 1;
            settings.idle = Duration::from_millis(10);
        })
        .with_phase_hook(move |phase, _| {
            let times = if phase == Phase::Claimed {
                counted.fetch_add(1, Ordering::SeqCst)
            } else {
                1
            };
            Box::pin(async move { assert!(times > 0, "not the handler's") })
        });
    expect(&inbox, order("A1", 100)).await;
    expect(&inbox, order("A2", 100)).await;
    let receiver = inbox.receiver(Toy);
    deliver(&receiver, &paid("A1", 100)).await;
    let (stop, stopped) = oneshot::channel::<()>();
    let running = tokio::spawn(inbox.workers(Shipping).run(async move { drop(stopped.await) }));
    let second = deliver(&receiver, &paid("A2", 100)).await;
    let deadline = Instant::now() + Duration::from_secs(20);
    while show(&inbox, second).await.state != EventState::Done {
        assert!(Instant::now() < deadline, "nobody took its place");
        tokio::time::sleep(Duration::from_millis(20)).await;
    }
    stop.send(()).unwrap();
    running.await.unwrap();
}

async fn of_two_workers_that_see_one_event_one_has_it<S: Place>(store: S) {
    let beside = inbox(store.beside().await);
    let inbox = inbox(store);
    let receiver = inbox.receiver(Toy);
    for round in 0..10 {
        let number = format!("A{round}");
        expect(&inbox, order(&number, 100)).await;
        let id = deliver(&receiver, &paid(&number, 100)).await;
        let (one, other) = (inbox.workers(Shipping), beside.workers(Shipping));
        let (one, other) = tokio::join!(one.drain(), other.drain());
        let handled = [one.unwrap(), other.unwrap()].concat();
        assert_eq!(handled, [Handled::Done(id)]);
    }
    assert_eq!(inbox.store().shipped().await.len(), 10);
}

async fn a_worker_that_slept_through_its_lease_is_stopped_before_it_acts<S: Place>(store: S) {
    let clock = Clock::new();
    let gate = Arc::new(Notify::new());
    let (asleep, mut sleeps) = mpsc::unbounded_channel();
    let waits = Arc::clone(&gate);
    let sleepy = clock.inbox(store.clone()).with_phase_hook(move |phase, _| {
        let (asleep, gate) = (asleep.clone(), Arc::clone(&waits));
        Box::pin(async move {
            if phase == Phase::Claimed {
                asleep.send(()).ok();
                gate.notified().await;
            }
        })
    });
    let inbox = clock.inbox(store);
    for (number, other_is_through) in [("A1", true), ("A2", false)] {
        expect(&inbox, order(number, 100)).await;
        let id = deliver(&inbox.receiver(Toy), &paid(number, 100)).await;
        let workers = sleepy.workers(Shipping);
        let sleeping = tokio::spawn(async move { workers.drain().await });
        sleeps.recv().await.unwrap();
        clock.advance(59);
        assert_eq!(inbox.workers(Shipping).drain().await.unwrap(), [], "the lease holds");
        clock.advance(1);
        if other_is_through {
            assert_eq!(inbox.workers(Shipping).drain().await.unwrap(), [Handled::Done(id)]);
        } else {
            let (now, hour) = (clock.now(), Duration::from_secs(3600));
            let lease_until = now.after(Duration::from_secs(60));
            let claim = inbox.store().claim_event(now, lease_until, now.after(hour)).await;
            assert_eq!(claim.unwrap().unwrap().fence, 2);
        }
        gate.notify_one();
        assert_eq!(sleeping.await.unwrap().unwrap(), [Handled::Lost(id)]);
        assert_eq!(inbox.store().shipped().await.len(), 1);
    }
}

async fn an_event_that_ends_every_worker_is_parked_and_not_tried_for_ever<S: Place>(store: S) {
    let clock = Clock::new();
    let inbox = clock
        .inbox(store.clone())
        .with_settings(|settings| settings.attempts = 3);
    expect(&inbox, order("A1", 100)).await;
    let id = deliver(&inbox.receiver(Toy), &paid("A1", 100)).await;
    for _ in 0..3 {
        let (hook, mut reached) = dies_at(Phase::Handling);
        let dying = inbox.clone().with_phase_hook(hook);
        let worker = tokio::spawn(async move { work_after_a_death(&dying).await });
        reached.recv().await.unwrap();
        worker.abort();
        assert!(worker.await.unwrap_err().is_cancelled());
        clock.advance(60);
    }
    assert_eq!(
        work_after_a_death(&inbox).await,
        [Handled::Parked(id, ParkReason::Attempts)]
    );
    assert!(inbox.store().shipped().await.is_empty());
}

on_both_stores!(
    a_failure_is_tried_again_after_pauses_that_double_until_the_limit,
    an_event_that_waits_does_not_keep_others_waiting,
    a_handler_may_say_that_no_attempt_can_help,
    a_panic_is_a_failure_of_the_attempt_and_of_nothing_else,
    a_worker_wakes_when_a_notice_is_stored_and_ends_what_is_under_way_when_it_is_told_to,
    the_place_of_a_worker_that_panicked_is_taken,
    of_two_workers_that_see_one_event_one_has_it,
    a_worker_that_slept_through_its_lease_is_stopped_before_it_acts,
    an_event_that_ends_every_worker_is_parked_and_not_tried_for_ever,
);
