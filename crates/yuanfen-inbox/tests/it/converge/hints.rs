//! Hints settle nothing: they move the next query, as far as anybody may move it.

use std::sync::Arc;
use std::time::Duration;

use tokio::sync::{Semaphore, oneshot};
use yuanfen_inbox::{PendingState, Received, Schedule};

use super::{Platform, Says, at_each_second, expect, inbox, pending, shipping};
use crate::place::{Place, START, on_both_stores};
use crate::toy::{Toy, order, request};

async fn a_hint_has_an_order_queried_at_once<S: Place>(store: S) {
    let platform = Platform::default();
    let inbox = inbox(store, &platform);
    let convergence = inbox.convergence([platform.plan()]);
    let receiver = inbox.receiver(Toy);
    expect(&inbox, order("A1", 100)).await;
    platform.says("A1", Says::Paid(100));
    platform.clock.set(12);
    assert_eq!(convergence.drain().await.unwrap(), []);
    let hint = receiver.receive(&request("hint", "A1")).await;
    assert!(matches!(hint.received, Received::Hint), "{hint:?}");
    assert_eq!(convergence.drain().await.unwrap().len(), 1);
    assert_eq!(platform.calls(), [(12, "query A1".to_owned())]);
    shipping(&inbox).drain().await.unwrap();
    assert_eq!(inbox.store().shipped().await, ["toy/M1/order-paid/A1"]);
    let late = receiver.receive(&request("hint", "A1")).await;
    assert!(matches!(late.received, Received::UnknownHint), "{late:?}");
}

async fn a_flood_of_hints_brings_about_few_queries_and_fewer_the_older_the_order_is<S: Place>(store: S) {
    let platform = Platform::default();
    let inbox = inbox(store, &platform);
    let convergence = inbox.convergence([platform.plan()]);
    let receiver = inbox.receiver(Toy);
    expect(&inbox, order("A1", 100)).await;
    platform.says("A1", Says::Unpaid);
    let mut asked = Vec::new();
    for hour in 0..2 {
        platform.clock.set(hour * 3600);
        for _ in 0..300 {
            receiver.receive(&request("hint", "A1")).await;
            receiver.receive(&request("hint", "nobody's")).await;
            convergence.drain().await.unwrap();
            platform.clock.pass(1);
        }
        asked.push(platform.calls().len());
    }
    // Every ten seconds at first, and every sixteenth of its age where that is longer.
    assert_eq!(asked, [27, 2]);
}

async fn a_hint_that_comes_during_a_query_has_it_repeated_afterwards_and_not_at_the_same_time<S: Place>(store: S) {
    let gate = Arc::new(Semaphore::new(0));
    let platform = Platform {
        gate: Some(Arc::clone(&gate)),
        ..Platform::default()
    };
    let inbox = inbox(store, &platform);
    let convergence = inbox.convergence([platform.plan()]);
    let receiver = inbox.receiver(Toy);
    expect(&inbox, order("A1", 100)).await;
    platform.says("A1", Says::Unpaid);
    platform.clock.set(30);
    let hint = async {
        platform.is_asked().await;
        // The answer that is on its way is older than the payment.
        platform.says("A1", Says::Paid(100));
        platform.clock.set(45);
        receiver.receive(&request("hint", "A1")).await;
        // Somebody else looks for work.
        assert_eq!(inbox.convergence([platform.plan()]).drain().await.unwrap(), []);
        gate.add_permits(2);
    };
    let (first, ()) = tokio::join!(convergence.drain(), hint);
    // It was due again the moment it was recorded, and the same drain went on with it.
    let found: Vec<_> = first.unwrap().iter().map(yuanfen_inbox::Converged::as_str).collect();
    assert_eq!(found, ["open", "over"]);
    assert_eq!(
        platform.calls(),
        [(30, "query A1".to_owned()), (45, "query A1".to_owned())]
    );
    assert!(!platform.was_asked_twice_at_once());
}

async fn a_hint_wakes_a_convergence_that_sleeps_and_what_is_under_way_is_finished_at_its_end<S: Place>(store: S) {
    let gate = Arc::new(Semaphore::new(0));
    let platform = Platform {
        gate: Some(Arc::clone(&gate)),
        ..Platform::default()
    };
    let inbox = inbox(store, &platform).with_settings(|settings| settings.idle = Duration::from_secs(3600));
    let receiver = inbox.receiver(Toy);
    expect(&inbox, order("A1", 100)).await;
    platform.says("A1", Says::Paid(100));
    // The second plan listens as well, and has nothing to do.
    let other = yuanfen_inbox::RoutePlan::new("other", "M9", Schedule::UNPUBLISHED, |_| async { unreachable!() });
    let (stop, stopped) = oneshot::channel::<()>();
    let running = tokio::spawn(inbox.convergence([other, platform.plan()]).run(async {
        stopped.await.ok();
    }));
    tokio::time::sleep(Duration::from_millis(200)).await;
    assert_eq!(platform.calls(), []);
    platform.clock.set(7);
    receiver.receive(&request("hint", "A1")).await;
    platform.is_asked().await;
    stop.send(()).unwrap();
    tokio::time::sleep(Duration::from_millis(50)).await;
    assert!(!running.is_finished());
    gate.add_permits(1);
    running.await.unwrap();
    assert_eq!(platform.calls(), [(7, "query A1".to_owned())]);
    assert_eq!(pending(&inbox, "A1").await.state, PendingState::Over);
}

async fn a_hint_moves_no_step_of_the_schedule<S: Place>(store: S) {
    let platform = Platform::default();
    let inbox = inbox(store, &platform);
    let convergence = inbox.convergence([platform.plan()]);
    expect(&inbox, order("A1", 100)).await;
    platform.says("A1", Says::Unpaid);
    at_each_second(&convergence, &platform.clock, 150).await;
    inbox.receiver(Toy).receive(&request("hint", "A1")).await;
    convergence.drain().await.unwrap();
    assert_eq!(pending(&inbox, "A1").await.next_query_at.since(START), 270);
    let asked: Vec<i64> = platform.calls().iter().map(|(second, _)| *second).collect();
    assert_eq!(asked, [30, 90, 150]);
}

on_both_stores!(
    a_hint_has_an_order_queried_at_once,
    a_flood_of_hints_brings_about_few_queries_and_fewer_the_older_the_order_is,
    a_hint_that_comes_during_a_query_has_it_repeated_afterwards_and_not_at_the_same_time,
    a_hint_wakes_a_convergence_that_sleeps_and_what_is_under_way_is_finished_at_its_end,
    a_hint_moves_no_step_of_the_schedule,
);
