//! Restarts, deaths, many machines, many orders.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::{Duration, Instant};

use tokio::sync::Semaphore;
use yuanfen_inbox::store::Store;
use yuanfen_inbox::{Converged, EventFilter, Inbox, PendingFilter, PendingState, Phase, Schedule};

use super::{Platform, Says, expect, inbox, pending, shipping};
use crate::place::{Place, START, on_both_stores};
use crate::toy::order;

async fn a_restart_goes_on_where_it_was<S: Place>(store: S) {
    let platform = Platform::default();
    let before = inbox(store.clone(), &platform);
    expect(&before, order("A1", 100)).await;
    platform.says("A1", Says::Unpaid);
    platform.clock.set(30);
    before.convergence([platform.plan()]).drain().await.unwrap();
    drop(before);
    // It was down when the next step was due.
    platform.clock.set(200);
    platform.says("A1", Says::Paid(100));
    let after = inbox(store, &platform);
    let found = after.convergence([platform.plan()]).drain().await.unwrap();
    assert_eq!(found, [Converged::Over(pending(&after, "A1").await.id)]);
    shipping(&after).drain().await.unwrap();
    assert_eq!(after.store().shipped().await, ["toy/M1/order-paid/A1"]);
}

async fn what_a_process_was_asking_for_when_it_died_is_asked_for_again_after_its_lease<S: Place>(store: S) {
    let platform = Platform::default();
    let inbox = inbox(store, &platform);
    expect(&inbox, order("A1", 100)).await;
    platform.says("A1", Says::Silence);
    platform.clock.set(30);
    let convergence = inbox.convergence([platform.plan()]);
    let died = tokio::time::timeout(Duration::from_millis(300), convergence.drain()).await;
    assert!(died.is_err());
    platform.says("A1", Says::Paid(100));
    // Three calls of ten seconds and half a minute for the database.
    platform.clock.set(89);
    assert_eq!(convergence.drain().await.unwrap(), []);
    platform.clock.set(90);
    assert_eq!(convergence.drain().await.unwrap().len(), 1);
    assert_eq!(pending(&inbox, "A1").await.state, PendingState::Over);
}

async fn a_death_between_the_event_and_the_record_of_the_query_changes_nothing<S: Place>(store: S) {
    let platform = Platform::default();
    let dies = Arc::new(AtomicBool::new(true));
    let hook = Arc::clone(&dies);
    let inbox = inbox(store, &platform).with_phase_hook(move |phase, _| {
        let dies = phase == Phase::Found && hook.load(Ordering::SeqCst);
        Box::pin(async move {
            if dies {
                std::future::pending::<()>().await;
            }
        })
    });
    let convergence = inbox.convergence([platform.plan()]);
    expect(&inbox, order("A1", 100)).await;
    platform.says("A1", Says::Settled(100));
    platform.clock.set(30);
    let died = tokio::time::timeout(Duration::from_millis(500), convergence.drain()).await;
    assert!(died.is_err());
    // The first of its two events is stored.
    let events = inbox.events(&EventFilter::default()).await.unwrap();
    assert_eq!(events.len(), 1);
    assert_eq!(pending(&inbox, "A1").await.state, PendingState::Open);
    dies.store(false, Ordering::SeqCst);
    platform.clock.pass(60);
    assert_eq!(convergence.drain().await.unwrap().len(), 1);
    shipping(&inbox).drain().await.unwrap();
    assert_eq!(
        inbox.store().shipped().await,
        ["toy/M1/order-paid/A1", "toy/M1/order-settled/A1"]
    );
    assert_eq!(pending(&inbox, "A1").await.state, PendingState::Over);
}

async fn an_order_that_ends_while_it_is_queried_stays_ended<S: Place>(store: S) {
    let gate = Arc::new(Semaphore::new(0));
    let platform = Platform {
        gate: Some(Arc::clone(&gate)),
        ..Platform::default()
    };
    let inbox = inbox(store, &platform);
    let convergence = inbox.convergence([platform.plan()]);
    expect(&inbox, order("A1", 100)).await;
    platform.says("A1", Says::Unpaid);
    platform.clock.set(30);
    let (receiver, workers) = (inbox.receiver(crate::toy::Toy), shipping(&inbox));
    let notice = async {
        platform.is_asked().await;
        receiver.receive(&crate::toy::paid("A1", 100)).await;
        workers.drain().await.unwrap();
        gate.add_permits(1);
    };
    let (queried, ()) = tokio::join!(convergence.drain(), notice);
    let over = pending(&inbox, "A1").await;
    assert_eq!(queried.unwrap(), [Converged::Lost(over.id)]);
    assert_eq!((over.state, over.standing), (PendingState::Over, None));
}

/// All in one transaction: thousands would take a while.
async fn expect_many<S: Store>(inbox: &Inbox<S>, count: usize) -> Vec<String> {
    let numbers: Vec<String> = (0..count).map(|number| format!("SHOP{number:06}")).collect();
    let (_turn, mut transaction) = inbox.store().begin().await.unwrap();
    for number in &numbers {
        inbox.expect(&mut transaction, order(number, 100)).await.unwrap();
    }
    inbox.store().commit(transaction).await.unwrap();
    numbers
}

async fn machines_on_one_database_share_the_orders_and_never_query_the_same_one<S: Place>(store: S) {
    let platform = Platform {
        takes: Duration::from_millis(3),
        ..Platform::default()
    };
    let machines: Vec<_> = (0..3).map(|_| inbox(store.clone(), &platform)).collect();
    let numbers = expect_many(&machines[0], 120).await;
    for (place, number) in numbers.iter().enumerate() {
        platform.says(number, if place % 2 == 0 { Says::Paid(100) } else { Says::Unpaid });
    }
    platform.clock.set(30);
    let running: Vec<_> = machines
        .iter()
        .map(|machine| {
            let convergence = machine.convergence([platform.plan()]);
            tokio::spawn(async move { convergence.drain().await.unwrap().len() })
        })
        .collect();
    let mut shares = Vec::new();
    for machine in running {
        shares.push(machine.await.unwrap());
    }
    assert_eq!(shares.iter().sum::<usize>(), 120, "{shares:?}");
    assert!(!platform.was_asked_twice_at_once());
    let mut asked: Vec<String> = platform.calls().into_iter().map(|(_, call)| call).collect();
    asked.sort();
    let once: Vec<String> = numbers.iter().map(|number| format!("query {number}")).collect();
    assert_eq!(asked, once);
}

async fn thousands_that_are_overdue_go_to_the_platform_at_the_plans_pace_and_are_spread_afterwards<S: Place>(store: S) {
    const COUNT: usize = 1500;
    let platform = Platform {
        takes: Duration::from_millis(4),
        ..Platform::default()
    };
    let inbox = inbox(store, &platform);
    let numbers = expect_many(&inbox, COUNT).await;
    for number in &numbers {
        platform.says(number, Says::Unpaid);
    }
    // After an outage of six hours.
    platform.clock.set(6 * 3600);
    let plan = platform.plan_on(Schedule::WECHAT);
    let plan = plan.with_concurrency(4).with_pace(Duration::from_millis(2));
    let began = Instant::now();
    let queried = inbox.convergence([plan]).drain().await.unwrap();
    assert_eq!(queried.len(), COUNT);
    assert!(
        began.elapsed() >= Duration::from_millis(2 * (1500 - 1)),
        "{:?}",
        began.elapsed()
    );
    assert!(
        (2..=4).contains(&platform.most_under_way()),
        "{}",
        platform.most_under_way()
    );

    // They were placed in one second. Their next step is at 38,970 seconds, later by up to a tenth of six hours.
    let mut by_second = BTreeMap::<i64, usize>::new();
    let mut filter = PendingFilter::default();
    filter.limit = 10_000;
    for open in inbox.pending(&filter).await.unwrap() {
        *by_second.entry(open.next_query_at.since(START)).or_default() += 1;
    }
    assert!(by_second.keys().all(|second| (38_970..=38_970 + 2160).contains(second)));
    let most = by_second.values().max().copied().unwrap();
    assert!(
        by_second.len() > 900 && most <= 8,
        "{} seconds, {most} in one",
        by_second.len()
    );
}

on_both_stores!(
    a_restart_goes_on_where_it_was,
    what_a_process_was_asking_for_when_it_died_is_asked_for_again_after_its_lease,
    a_death_between_the_event_and_the_record_of_the_query_changes_nothing,
    an_order_that_ends_while_it_is_queried_stays_ended,
    machines_on_one_database_share_the_orders_and_never_query_the_same_one,
    thousands_that_are_overdue_go_to_the_platform_at_the_plans_pace_and_are_spread_afterwards,
);
