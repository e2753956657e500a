//! What comes after the schedule has run out: abandoned carts, late payers, and people who ask once more.

use std::sync::Arc;
use std::time::Duration;

use tokio::sync::Semaphore;
use yuanfen_core::UnixTime;
use yuanfen_inbox::{Converged, EventFilter, NEVER_PLACED, PendingState, Received, Schedule, StoreError};

use super::{Platform, Says, at_each_second, expect, inbox, pending, shipping};
use crate::place::{Place, START, on_both_stores};
use crate::shop::expected;
use crate::toy::{Toy, hint, order, refund};

/// Asks after half a minute and a minute, and gives up after two.
fn short(platform: &Platform) -> yuanfen_inbox::RoutePlan {
    let minute = Duration::from_secs(60);
    let schedule = Schedule::new(vec![minute], minute, 2 * minute).with_spread(0);
    platform.plan_on(schedule.clone()).with_refunds(schedule)
}

async fn an_order_that_nobody_paid_lapses_and_wakes_nobody<S: Place>(store: S) {
    let platform = Platform::default();
    let inbox = inbox(store, &platform);
    let convergence = inbox.convergence([short(&platform)]);
    for (number, says) in [
        ("A1", Some(Says::Unpaid)),
        ("B1", None),
        ("C1", Some(Says::Paying)),
        ("D1", Some(Says::UnpaidAtTheTill)),
    ] {
        expect(&inbox, order(number, 100)).await;
        if let Some(says) = says {
            platform.says(number, says);
        }
    }
    // A refund that the platform does not know has not been made, and somebody is waiting for it.
    expect(&inbox, refund("R1", 100)).await;
    let seen = at_each_second(&convergence, &platform.clock, 121).await;
    for (number, state) in [
        ("A1", PendingState::Lapsed),
        ("B1", PendingState::Lapsed),
        ("C1", PendingState::GivenUp),
        ("D1", PendingState::Lapsed),
        ("R1", PendingState::GivenUp),
    ] {
        let ended = expected(&inbox, number).await.unwrap();
        let converged = if state == PendingState::Lapsed {
            Converged::Lapsed(ended.id)
        } else {
            Converged::GivenUp(ended.id)
        };
        assert_eq!(ended.state, state, "{number}");
        assert!(seen.contains(&(120, converged)), "{number}: {seen:?}");
    }
    let health = inbox.health().await.unwrap();
    assert_eq!((health.pending, health.given_up), (0, 2));
}

async fn a_hint_opens_again_what_has_lapsed_or_was_given_up<S: Place>(store: S) {
    for says in [Says::Unpaid, Says::Paying] {
        let number = if says == Says::Unpaid { "A1" } else { "B1" };
        let platform = Platform::default();
        let inbox = inbox(store.clone(), &platform);
        let convergence = inbox.convergence([short(&platform)]);
        expect(&inbox, order(number, 100)).await;
        platform.says(number, says);
        at_each_second(&convergence, &platform.clock, 121).await;
        platform.clock.set(100_000);
        assert_eq!(convergence.drain().await.unwrap(), []);
        platform.calls();
        let late = inbox.receiver(Toy).receive(&hint(number)).await;
        assert!(matches!(late.received, Received::Hint), "{late:?}");
        // Nobody had paid yet: it ends as before, and a flood of hints has it queried once in a sixteenth of its age.
        convergence.drain().await.unwrap();
        for _ in 0..10 {
            inbox.receiver(Toy).receive(&hint(number)).await;
            platform.clock.pass(1);
            convergence.drain().await.unwrap();
        }
        assert_eq!(platform.calls().len(), 1);
        platform.says(number, Says::Paid(100));
        platform.clock.set(120_000);
        inbox.receiver(Toy).receive(&hint(number)).await;
        convergence.drain().await.unwrap();
        shipping(&inbox).drain().await.unwrap();
        let shipped = inbox.store().shipped().await;
        assert_eq!(shipped.last(), Some(&format!("toy/M1/order-paid/{number}")));
        assert_eq!(pending(&inbox, number).await.state, PendingState::Over);
    }
}

async fn a_hint_opens_again_what_was_called_never_placed<S: Place>(store: S) {
    let platform = Platform::default();
    let inbox = inbox(store, &platform);
    let convergence = inbox.convergence([platform.closing_plan()]);
    let mut placed = order("A1", 100);
    placed.expires_at = Some(UnixTime::from_seconds(START.seconds() + 600));
    expect(&inbox, placed).await;
    at_each_second(&convergence, &platform.clock, 1200).await;
    assert_eq!(pending(&inbox, "A1").await.state, PendingState::Over);
    // A call that nobody reckoned with any more has placed it, and a payer was there.
    platform.says("A1", Says::Paid(100));
    platform.clock.set(1300);
    let late = inbox.receiver(Toy).receive(&hint("A1")).await;
    assert!(matches!(late.received, Received::Hint), "{late:?}");
    convergence.drain().await.unwrap();
    shipping(&inbox).drain().await.unwrap();
    assert_eq!(
        inbox.store().shipped().await,
        ["toy/M1/order-closed/A1", "toy/M1/order-paid/A1"]
    );
    let events = inbox.events(&EventFilter::default()).await.unwrap();
    assert_eq!(events[0].facts.end_state, NEVER_PLACED);
    // Now its end is known.
    let after = inbox.receiver(Toy).receive(&hint("A1")).await;
    assert!(matches!(after.received, Received::UnknownHint), "{after:?}");
    assert_eq!(pending(&inbox, "A1").await.state, PendingState::Over);
}

async fn a_hint_during_the_last_query_keeps_it_open<S: Place>(store: S) {
    // Of an order that nobody paid, of one that is being decided, and of one that the platform does not know.
    for (number, says) in [("A1", Some(Says::Unpaid)), ("B1", Some(Says::Paying)), ("C1", None)] {
        let gate = Arc::new(Semaphore::new(0));
        let platform = Platform {
            gate: Some(Arc::clone(&gate)),
            ..Platform::default()
        };
        let inbox = inbox(store.clone(), &platform);
        let convergence = inbox.convergence([platform.plan()]);
        let mut placed = order(number, 100);
        placed.expires_at = (says.is_none()).then(|| UnixTime::from_seconds(START.seconds() + 600));
        expect(&inbox, placed).await;
        match says {
            Some(says) => platform.says(number, says),
            None => {
                // It was not known before, either.
                gate.add_permits(2);
                for seconds in [600, 630] {
                    platform.clock.set(seconds);
                    convergence.drain().await.unwrap();
                }
            }
        }
        platform.forget();
        // The last query: a late one, so that the next that a hint may bring about is beyond the claim's lease.
        platform.clock.set(9 * 86_400);
        let hint = async {
            platform.is_asked().await;
            platform.says(number, Says::Paid(100));
            let receipt = inbox.receiver(Toy).receive(&hint(number)).await;
            assert!(matches!(receipt.received, Received::Hint), "{receipt:?}");
            gate.add_permits(1);
        };
        let (converged, ()) = tokio::join!(convergence.drain(), hint);
        let id = expected(&inbox, number).await.unwrap().id;
        assert_eq!(converged.unwrap(), [Converged::Open(id)], "{number}");
        let open = expected(&inbox, number).await.unwrap();
        assert_eq!((open.state, open.over_at), (PendingState::Open, None));
        platform.clock.set(open.next_query_at.since(START));
        gate.add_permits(1);
        assert_eq!(convergence.drain().await.unwrap(), [Converged::Over(id)]);
    }
}

async fn a_person_has_it_queried_once_more<S: Place>(store: S) {
    let platform = Platform::default();
    let inbox = inbox(store, &platform);
    let convergence = inbox.convergence([short(&platform)]);
    expect(&inbox, order("A1", 100)).await;
    platform.says("A1", Says::Paying);
    let id = pending(&inbox, "A1").await.id;
    let open = inbox.requery(id).await.unwrap_err();
    assert!(matches!(open, StoreError::NoSuchPending), "{open:?}");
    at_each_second(&convergence, &platform.clock, 121).await;
    platform.clock.set(5000);
    inbox.requery(id).await.unwrap();
    assert_eq!(convergence.drain().await.unwrap(), [Converged::GivenUp(id)]);
    platform.says("A1", Says::Paid(100));
    inbox.requery(id).await.unwrap();
    assert_eq!(convergence.drain().await.unwrap(), [Converged::Over(id)]);
    shipping(&inbox).drain().await.unwrap();
    assert_eq!(inbox.store().shipped().await, ["toy/M1/order-paid/A1"]);
    let over = inbox.requery(id).await.unwrap_err();
    assert!(matches!(over, StoreError::NoSuchPending), "{over:?}");
}

async fn a_person_has_what_was_called_never_placed_queried_once_more<S: Place>(store: S) {
    let platform = Platform::default();
    let inbox = inbox(store, &platform);
    let convergence = inbox.convergence([platform.plan()]);
    let mut placed = order("A1", 100);
    placed.expires_at = Some(UnixTime::from_seconds(START.seconds() + 600));
    expect(&inbox, placed).await;
    at_each_second(&convergence, &platform.clock, 1200).await;
    shipping(&inbox).drain().await.unwrap();
    let never = pending(&inbox, "A1").await;
    assert_eq!(never.state, PendingState::Over);
    // Somebody placed it after all, and it was closed: no contradiction of what the inbox itself has said.
    platform.says("A1", Says::Closed);
    inbox.requery(never.id).await.unwrap();
    assert_eq!(convergence.drain().await.unwrap(), [Converged::Over(never.id)]);
    let health = inbox.health().await.unwrap();
    assert_eq!((health.conflicts, health.parked, health.ready), (0, 0, 0));
    assert_eq!(inbox.store().shipped().await, ["toy/M1/order-closed/A1"]);
}

async fn what_became_due_just_now_does_not_wait_behind_what_is_due_for_long<S: Place>(store: S) {
    let platform = Platform::default();
    let inbox = inbox(store, &platform);
    let convergence = inbox.convergence([platform.plan().with_concurrency(4)]);
    for number in 0..40 {
        expect(&inbox, order(&format!("B{number}"), 100)).await;
    }
    // An outage; then a payer who has just paid.
    platform.clock.set(7200);
    expect(&inbox, order("A1", 100)).await;
    platform.says("A1", Says::Paid(100));
    inbox.receiver(Toy).receive(&hint("A1")).await;
    convergence.drain().await.unwrap();
    let calls = platform.calls();
    assert_eq!(calls.len(), 41);
    let place = calls.iter().position(|(_, call)| call == "query A1").unwrap();
    // Beside the first four of those, at most.
    assert!(place < 5, "{place}: {calls:?}");
}

on_both_stores!(
    an_order_that_nobody_paid_lapses_and_wakes_nobody,
    a_hint_opens_again_what_has_lapsed_or_was_given_up,
    a_hint_opens_again_what_was_called_never_placed,
    a_hint_during_the_last_query_keeps_it_open,
    a_person_has_it_queried_once_more,
    a_person_has_what_was_called_never_placed_queried_once_more,
    what_became_due_just_now_does_not_wait_behind_what_is_due_for_long,
);
