//! Clocks that were wrong, times without an end, and a database that says nothing.

use std::time::Duration;

use yuanfen_inbox::{Handled, Received, StoreError};

use crate::converge::{Platform, Says, inbox as converging};
use crate::place::{Place, Shipping, on_both_stores};
use crate::shop::{Clock, at, deliver, expect, expected, show};
use crate::toy::{Toy, hint, order, paid};

const YEAR: i64 = 365 * 86_400;

async fn what_a_clock_that_was_ahead_stored_or_claimed_is_taken_all_the_same<S: Place>(store: S) {
    let clock = Clock::new();
    let inbox = clock.inbox(store);
    for number in ["A1", "A2"] {
        expect(&inbox, order(number, 100)).await;
    }
    clock.advance(YEAR);
    let receiver = inbox.receiver(Toy);
    let stored = deliver(&receiver, &paid("A1", 100)).await;
    let now = clock.now();
    let store = inbox.store();
    let claimed = store.claim_event(
        now,
        now.after(Duration::from_secs(60)),
        now.after(Duration::from_secs(600)),
    );
    assert_eq!(claimed.await.unwrap().expect("it is due").event.id, stored);
    let untouched = deliver(&receiver, &paid("A2", 100)).await;
    clock.advance(-YEAR);
    let mut handled = inbox.workers(Shipping).drain().await.unwrap();
    handled.sort_by_key(|handled| format!("{handled:?}"));
    assert_eq!(handled, [Handled::Done(stored), Handled::Done(untouched)]);
}

async fn what_a_clock_that_was_ahead_put_off_is_queried_all_the_same<S: Place>(store: S) {
    let platform = Platform::default();
    let inbox = converging(store, &platform);
    let convergence = inbox.convergence([platform.plan()]);
    platform.clock.set(YEAR);
    expect(&inbox, order("A1", 100)).await;
    platform.says("A1", Says::Unpaid);
    platform.clock.pass(30);
    assert_eq!(convergence.drain().await.unwrap().len(), 1);
    platform.clock.set(0);
    expect(&inbox, order("B1", 100)).await;
    platform.clock.set(10);
    // Nothing is due by the clock that is right, and one is by none.
    convergence.drain().await.unwrap();
    let second = expected(&inbox, "A1").await.unwrap();
    assert_eq!(second.last_query_at, Some(at(10)));
    assert!(second.next_query_at < at(86_400), "{second:?}");
    assert_eq!(expected(&inbox, "B1").await.unwrap().last_query_at, None);
    // Nor does it make a hint wait.
    platform.clock.set(YEAR);
    convergence.drain().await.unwrap();
    platform.clock.set(86_400);
    let receipt = inbox.receiver(Toy).receive(&hint("B1")).await;
    assert!(matches!(receipt.received, Received::Hint), "{receipt:?}");
    assert_eq!(expected(&inbox, "B1").await.unwrap().next_query_at, at(86_400));
}

async fn what_pauses_as_long_as_it_may_is_left_alone<S: Place>(store: S) {
    let clock = Clock::new();
    let inbox = clock
        .inbox(store)
        .with_settings(|settings| settings.first_pause = settings.longest_pause);
    expect(&inbox, order("A1", 100)).await;
    let id = deliver(&inbox.receiver(Toy), &paid("A1", 100)).await;
    let failing = yuanfen_inbox::handler_fn::<S, _>(|_, _| Box::pin(async { Err(std::fmt::Error.into()) }));
    assert_eq!(inbox.workers(failing).drain().await.unwrap(), [Handled::Failed(id)]);
    assert_eq!(show(&inbox, id).await.ready_at, at(600));
    clock.advance(599);
    assert_eq!(inbox.workers(Shipping).drain().await.unwrap(), []);
    clock.advance(1);
    assert_eq!(inbox.workers(Shipping).drain().await.unwrap(), [Handled::Done(id)]);
}

async fn times_without_an_end_have_one<S: Place>(store: S) {
    let clock = Clock::new();
    let inbox = clock.inbox(store).with_settings(|settings| {
        settings.handler_deadline = Duration::MAX;
        settings.lease = Duration::MAX;
        settings.first_pause = Duration::from_millis(1500);
    });
    expect(&inbox, order("A1", 100)).await;
    let id = deliver(&inbox.receiver(Toy), &paid("A1", 100)).await;
    let failing = yuanfen_inbox::handler_fn::<S, _>(|_, _| Box::pin(async { Err(std::fmt::Error.into()) }));
    assert_eq!(inbox.workers(failing).drain().await.unwrap(), [Handled::Failed(id)]);
    // A clock of whole seconds does not make a pause shorter.
    assert_eq!(show(&inbox, id).await.ready_at, at(2));
    clock.advance(2);
    // A worker that died held it for a day.
    let store = inbox.store();
    let (now, day) = (clock.now(), Duration::from_secs(86_400));
    store
        .claim_event(now, now.after(day), now.after(day))
        .await
        .unwrap()
        .unwrap();
    assert_eq!(inbox.workers(Shipping).drain().await.unwrap(), []);
    clock.advance(86_400);
    assert_eq!(inbox.workers(Shipping).drain().await.unwrap(), [Handled::Done(id)]);
}

async fn a_database_that_does_not_answer_is_not_waited_for_for_ever<S: Place>(store: S) {
    let clock = Clock::new();
    let beside = store.beside().await;
    let inbox = clock.inbox(store).with_settings(|settings| {
        settings.patience = Duration::from_millis(300);
        settings.handler_deadline = Duration::from_millis(200);
    });
    expect(&inbox, order("A1", 100)).await;
    let id = deliver(&inbox.receiver(Toy), &paid("A1", 100)).await;
    // Somebody has the whole table, and neither commits nor goes away.
    let (turn, mut transaction) = beside.begin().await.unwrap();
    S::bar(&mut transaction).await.unwrap();
    let asked = tokio::time::timeout(Duration::from_secs(8), inbox.handle_next(&Shipping));
    let error = asked.await.expect("it gives up by itself").unwrap_err();
    assert!(matches!(error, StoreError::NoAnswer), "{error:?}");
    beside.roll_back(transaction).await;
    drop(turn);
    // What it was asked for may have been done since: then the claim holds until its lease is over.
    clock.advance(60);
    let mut handled = inbox.workers(Shipping).drain().await.unwrap();
    handled.dedup();
    assert_eq!(handled, [Handled::Done(id)]);
    assert_eq!(inbox.store().shipped().await.len(), 1);
}

on_both_stores!(
    what_a_clock_that_was_ahead_stored_or_claimed_is_taken_all_the_same,
    what_a_clock_that_was_ahead_put_off_is_queried_all_the_same,
    what_pauses_as_long_as_it_may_is_left_alone,
    times_without_an_end_have_one,
    a_database_that_does_not_answer_is_not_waited_for_for_ever,
);
