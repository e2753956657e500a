//! Orders that expire: closed after a query, not within five minutes, and queried once more.

use std::time::{Duration, Instant};

use yuanfen_core::UnixTime;
use yuanfen_inbox::{Converged, EventFilter, NEVER_PLACED, PendingOrder, PendingState};

use super::{Call, Platform, Says, at_each_second, expect, inbox, pending, shipping};
use crate::place::{Place, START, on_both_stores};
use crate::toy::order;

/// An order that expires so many seconds after the start.
fn expiring(number: &str, seconds: i64) -> PendingOrder {
    let mut order = order(number, 100);
    order.expires_at = Some(UnixTime::from_seconds(START.seconds() + seconds));
    order
}

fn calls(calls: &[(i64, &str)]) -> Vec<Call> {
    calls
        .iter()
        .map(|(second, call)| (*second, (*call).to_owned()))
        .collect()
}

async fn an_expired_order_is_closed_after_a_query_and_its_end_comes_from_the_query_after_it<S: Place>(store: S) {
    let platform = Platform::default();
    let inbox = inbox(store, &platform);
    let convergence = inbox.convergence([platform.closing_plan()]);
    expect(&inbox, expiring("A1", 600)).await;
    platform.says("A1", Says::Unpaid);
    let seen = at_each_second(&convergence, &platform.clock, 700).await;
    assert_eq!(
        platform.calls(),
        calls(&[
            (30, "query A1"),
            (90, "query A1"),
            (270, "query A1"),
            (570, "query A1"),
            (600, "query A1"),
            (600, "close A1"),
            (600, "query A1"),
        ])
    );
    let id = pending(&inbox, "A1").await.id;
    assert_eq!(seen.last(), Some(&(600, Converged::Over(id))));
    shipping(&inbox).drain().await.unwrap();
    assert_eq!(inbox.store().shipped().await, ["toy/M1/order-closed/A1"]);
}

async fn an_order_that_expires_at_once_is_not_closed_within_five_minutes<S: Place>(store: S) {
    let platform = Platform::default();
    let inbox = inbox(store, &platform);
    let convergence = inbox.convergence([platform.closing_plan()]);
    expect(&inbox, expiring("A1", 60)).await;
    platform.says("A1", Says::Unpaid);
    at_each_second(&convergence, &platform.clock, 301).await;
    assert_eq!(
        platform.calls(),
        calls(&[
            (30, "query A1"),
            (90, "query A1"),
            (270, "query A1"),
            (300, "query A1"),
            (300, "close A1"),
            (300, "query A1"),
        ])
    );
}

async fn a_payer_who_is_faster_than_the_close_has_paid<S: Place>(store: S) {
    let platform = Platform::default();
    let inbox = inbox(store, &platform);
    let convergence = inbox.convergence([platform.closing_plan()]);
    expect(&inbox, expiring("A1", 600)).await;
    platform.says("A1", Says::Unpaid);
    platform.close_finds(Says::Paid(100));
    platform.clock.set(600);
    let id = pending(&inbox, "A1").await.id;
    assert_eq!(convergence.drain().await.unwrap(), [Converged::Over(id)]);
    shipping(&inbox).drain().await.unwrap();
    assert_eq!(inbox.store().shipped().await, ["toy/M1/order-paid/A1"]);
}

async fn an_order_that_is_paid_or_being_paid_is_not_closed<S: Place>(store: S) {
    let platform = Platform::default();
    let inbox = inbox(store, &platform);
    let convergence = inbox.convergence([platform.closing_plan()]);
    expect(&inbox, expiring("A1", 600)).await;
    expect(&inbox, expiring("B1", 600)).await;
    expect(&inbox, expiring("C1", 600)).await;
    platform.says("A1", Says::Paid(100));
    platform.says("B1", Says::Paying);
    platform.says("C1", Says::Error("the platform is down"));
    platform.clock.set(600);
    convergence.drain().await.unwrap();
    let mut asked = platform.calls();
    asked.sort();
    assert_eq!(asked, calls(&[(600, "query A1"), (600, "query B1"), (600, "query C1")]));
    // The payer gave up.
    platform.says("B1", Says::Unpaid);
    at_each_second(&convergence, &platform.clock, 640).await;
    assert_eq!(
        platform
            .calls()
            .into_iter()
            .filter(|(_, call)| call.ends_with("B1"))
            .collect::<Vec<_>>(),
        calls(&[(630, "query B1"), (630, "close B1"), (630, "query B1")])
    );
}

async fn an_order_whose_payment_the_bank_refused_is_closed_as_well<S: Place>(store: S) {
    let platform = Platform::default();
    let inbox = inbox(store, &platform);
    let convergence = inbox.convergence([platform.closing_plan()]);
    expect(&inbox, expiring("A1", 600)).await;
    platform.says("A1", Says::Refused);
    platform.clock.set(600);
    let id = pending(&inbox, "A1").await.id;
    assert_eq!(convergence.drain().await.unwrap(), [Converged::Over(id)]);
    assert!(platform.calls().contains(&(600, "close A1".to_owned())));
}

async fn a_close_and_the_query_after_it_keep_the_pace<S: Place>(store: S) {
    let platform = Platform::default();
    let inbox = inbox(store, &platform);
    let pace = Duration::from_millis(100);
    let convergence = inbox.convergence([platform.closing_plan().with_pace(pace)]);
    for number in ["A1", "B1"] {
        expect(&inbox, expiring(number, 600)).await;
        platform.says(number, Says::Unpaid);
    }
    platform.clock.set(600);
    let began = Instant::now();
    convergence.drain().await.unwrap();
    assert_eq!(platform.calls().len(), 6);
    // Six calls, five times between them.
    assert!(began.elapsed() >= 5 * pace, "{:?}", began.elapsed());
}

async fn a_close_that_leaves_the_order_unpaid_is_tried_again_by_the_schedule<S: Place>(store: S) {
    let platform = Platform::default();
    let inbox = inbox(store, &platform);
    let convergence = inbox.convergence([platform.closing_plan()]);
    expect(&inbox, expiring("A1", 600)).await;
    platform.says("A1", Says::Unpaid);
    platform.close_finds(Says::Unpaid);
    platform.clock.set(600);
    convergence.drain().await.unwrap();
    assert_eq!(pending(&inbox, "A1").await.next_query_at.since(START), 630);
    platform.clock.set(630);
    convergence.drain().await.unwrap();
    assert_eq!(pending(&inbox, "A1").await.state, PendingState::Over);
}

async fn a_route_without_a_close_is_queried_from_the_expiry_on_as_from_the_beginning<S: Place>(store: S) {
    let platform = Platform::default();
    let inbox = inbox(store, &platform);
    let convergence = inbox.convergence([platform.plan()]);
    expect(&inbox, expiring("A1", 1000)).await;
    platform.says("A1", Says::Unpaid);
    at_each_second(&convergence, &platform.clock, 1200).await;
    let seconds: Vec<i64> = platform.calls().iter().map(|(second, _)| *second).collect();
    assert_eq!(seconds, [30, 90, 270, 570, 1000, 1030, 1090]);
}

async fn an_order_that_was_never_placed_is_over_some_time_after_its_expiry<S: Place>(store: S) {
    let platform = Platform::default();
    let inbox = inbox(store, &platform);
    let convergence = inbox.convergence([platform.closing_plan()]);
    expect(&inbox, expiring("A1", 600)).await;
    expect(&inbox, order("B1", 100)).await;
    let seen = at_each_second(&convergence, &platform.clock, 1200).await;
    let id = pending(&inbox, "A1").await.id;
    // Asked at its expiry and 30, 90 and 270 seconds later: until 300 a call that places it may be under way.
    assert!(seen.contains(&(870, Converged::Open(id))), "{seen:?}");
    assert!(seen.contains(&(1170, Converged::Over(id))), "{seen:?}");
    let [event] = &inbox.events(&EventFilter::default()).await.unwrap()[..] else {
        panic!("one event")
    };
    assert_eq!(event.facts.end_state, NEVER_PLACED);
    shipping(&inbox).drain().await.unwrap();
    assert_eq!(inbox.store().shipped().await, ["toy/M1/order-closed/A1"]);
    // Nobody said until when this one may be placed.
    let open = pending(&inbox, "B1").await;
    assert_eq!((open.state, open.absences), (PendingState::Open, 5));
    assert!(platform.calls().iter().all(|(_, call)| call.starts_with("query")));
}

async fn an_order_that_appears_late_is_not_called_absent<S: Place>(store: S) {
    let platform = Platform::default();
    let inbox = inbox(store, &platform);
    let convergence = inbox.convergence([platform.closing_plan()]);
    expect(&inbox, expiring("A1", 600)).await;
    platform.clock.set(600);
    convergence.drain().await.unwrap();
    platform.says("A1", Says::Paying);
    platform.clock.set(630);
    convergence.drain().await.unwrap();
    assert_eq!(pending(&inbox, "A1").await.absences, 0);
    platform.says("A1", Says::Paid(100));
    platform.clock.set(690);
    convergence.drain().await.unwrap();
    shipping(&inbox).drain().await.unwrap();
    assert_eq!(inbox.store().shipped().await, ["toy/M1/order-paid/A1"]);
}

on_both_stores!(
    an_expired_order_is_closed_after_a_query_and_its_end_comes_from_the_query_after_it,
    an_order_that_expires_at_once_is_not_closed_within_five_minutes,
    a_payer_who_is_faster_than_the_close_has_paid,
    an_order_that_is_paid_or_being_paid_is_not_closed,
    an_order_whose_payment_the_bank_refused_is_closed_as_well,
    a_close_and_the_query_after_it_keep_the_pace,
    a_close_that_leaves_the_order_unpaid_is_tried_again_by_the_schedule,
    a_route_without_a_close_is_queried_from_the_expiry_on_as_from_the_beginning,
    an_order_that_was_never_placed_is_over_some_time_after_its_expiry,
    an_order_that_appears_late_is_not_called_absent,
);
