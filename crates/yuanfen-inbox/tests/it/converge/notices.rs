//! A notice and a query are two ways to learn of one event.

use yuanfen_core::Standing;
use yuanfen_inbox::store::Store;
use yuanfen_inbox::{
    Converged, EventFilter, EventState, Handled, Inbox, Origin, ParkReason, PendingRefund, PendingState, Received,
};

use super::{Platform, Says, expect, inbox, pending, shipping};
use crate::place::{Place, on_both_stores};
use crate::toy::{ACCOUNT, ROUTE, Toy, order, paid, signed};

async fn an_order_whose_notice_is_lost_is_found_by_a_query_and_takes_effect_once<S: Place>(store: S) {
    let platform = Platform::default();
    let inbox = inbox(store, &platform);
    let convergence = inbox.convergence([platform.plan()]);
    expect(&inbox, order("A1", 100)).await;
    platform.says("A1", Says::Unpaid);
    platform.clock.set(29);
    assert_eq!(convergence.drain().await.unwrap(), []);
    platform.clock.set(30);
    let found = pending(&inbox, "A1").await;
    assert_eq!(convergence.drain().await.unwrap(), [Converged::Open(found.id)]);
    assert_eq!(pending(&inbox, "A1").await.standing, Some(Standing::Accepted));
    platform.says("A1", Says::Paid(100));
    platform.clock.set(90);
    assert_eq!(convergence.drain().await.unwrap(), [Converged::Over(found.id)]);
    let workers = shipping(&inbox);
    let handled = workers.drain().await.unwrap();
    let [Handled::Done(id)] = handled[..] else {
        panic!("{handled:?}")
    };
    assert_eq!(inbox.store().shipped().await, ["toy/M1/order-paid/A1"]);

    // The notice comes late, three times.
    let receiver = inbox.receiver(Toy);
    for _ in 0..3 {
        platform.clock.pass(10);
        let late = receiver.receive(&paid("A1", 100)).await;
        assert!(
            matches!(late.received, Received::Duplicate(same) if same == id),
            "{late:?}"
        );
        assert_eq!(late.response.status(), 200);
    }
    assert_eq!(workers.drain().await.unwrap(), []);
    assert_eq!(inbox.store().shipped().await.len(), 1);
    let event = inbox.event(id).await.unwrap().unwrap();
    assert_eq!((event.origin, event.request), (Origin::Query, None));
    let over = pending(&inbox, "A1").await;
    assert_eq!((over.state, over.queries), (PendingState::Over, 2));
    platform.clock.pass(100 * 86_400);
    assert_eq!(convergence.drain().await.unwrap(), []);
}

async fn events<S: Store>(inbox: &Inbox<S>) -> Vec<(EventState, Origin)> {
    let events = inbox.events(&EventFilter::default()).await.unwrap();
    events.iter().map(|event| (event.state, event.origin)).collect()
}

async fn what_a_notice_has_told_is_not_asked_for_even_before_it_is_handled<S: Place>(store: S) {
    let platform = Platform::default();
    let inbox = inbox(store, &platform);
    let convergence = inbox.convergence([platform.plan()]);
    expect(&inbox, order("A1", 100)).await;
    expect(&inbox, order("A2", 100)).await;
    let receiver = inbox.receiver(Toy);
    receiver.receive(&paid("A1", 100)).await;
    // The wrong amount: it will be parked, and no query makes it right.
    receiver.receive(&paid("A2", 1)).await;
    platform.clock.set(30);
    let ids = [pending(&inbox, "A1").await.id, pending(&inbox, "A2").await.id];
    let mut converged = convergence.drain().await.unwrap();
    converged.sort_by_key(|converged| format!("{converged:?}"));
    assert_eq!(converged, ids.map(Converged::Over));
    assert_eq!(platform.calls(), []);
    let handled = shipping(&inbox).drain().await.unwrap();
    assert!(
        matches!(
            handled[..],
            [Handled::Done(_), Handled::Parked(_, ParkReason::Mismatch)]
        ),
        "{handled:?}"
    );
    assert_eq!(pending(&inbox, "A1").await.queries, 0);
}

async fn a_notice_and_a_query_that_race_take_effect_once<S: Place>(store: S) {
    let platform = Platform {
        takes: std::time::Duration::from_millis(2),
        ..Platform::default()
    };
    let inbox = inbox(store, &platform);
    let convergence = inbox.convergence([platform.plan()]);
    let (receiver, workers) = (inbox.receiver(Toy), shipping(&inbox));
    let numbers: Vec<String> = (0..24).map(|number| format!("A{number:02}")).collect();
    for number in &numbers {
        expect(&inbox, order(number, 100)).await;
        platform.says(number, Says::Paid(100));
    }
    platform.clock.set(30);
    let notices = async {
        for number in &numbers {
            let receipt = receiver.receive(&paid(number, 100)).await;
            assert_eq!(receipt.response.status(), 200, "{receipt:?}");
        }
    };
    let handling = async {
        for _ in 0..20 {
            workers.drain().await.unwrap();
            tokio::time::sleep(std::time::Duration::from_millis(5)).await;
        }
    };
    let (queried, (), ()) = tokio::join!(convergence.drain(), notices, handling);
    queried.unwrap();
    workers.drain().await.unwrap();
    let mut shipped = inbox.store().shipped().await;
    shipped.sort();
    let once: Vec<String> = numbers
        .iter()
        .map(|number| format!("toy/M1/order-paid/{number}"))
        .collect();
    assert_eq!(shipped, once);
    assert_eq!(inbox.health().await.unwrap().conflicts, 0);
    for number in &numbers {
        assert_eq!(pending(&inbox, number).await.state, PendingState::Over);
    }
}

async fn facts_in_which_notice_and_query_differ_are_parked_whichever_came_first<S: Place>(store: S) {
    let platform = Platform::default();
    let inbox = inbox(store, &platform);
    let convergence = inbox.convergence([platform.plan()]);
    let receiver = inbox.receiver(Toy);
    // The query first.
    expect(&inbox, order("A1", 100)).await;
    platform.says("A1", Says::Paid(100));
    platform.clock.set(30);
    convergence.drain().await.unwrap();
    let notice = receiver.receive(&paid("A1", 99)).await;
    let Received::Conflict { id, field: "amount" } = notice.received else {
        panic!("{notice:?}")
    };
    // The notice first: of a payment that is not the last to be heard, so that a query follows it.
    expect(&inbox, order("B1", 100)).await;
    let event = serde_json::json!({ "order": "B1", "amount": 99, "transition": "order-paid", "goes_on": true });
    receiver.receive(&signed(&event)).await;
    platform.says("B1", Says::Paid(100));
    platform.clock.pass(30);
    convergence.drain().await.unwrap();
    assert_eq!(
        events(&inbox).await,
        [
            (EventState::Parked, Origin::Query),
            (EventState::Parked, Origin::Notice)
        ]
    );
    assert_eq!(inbox.conflicts(id).await.unwrap()[0].origin, Origin::Notice);
    assert_eq!(shipping(&inbox).drain().await.unwrap(), []);
    assert_eq!(inbox.store().shipped().await, Vec::<String>::new());
    assert_eq!(inbox.health().await.unwrap().conflicts, 2);
}

async fn of_two_transitions_the_last_one_ends_it<S: Place>(store: S) {
    let platform = Platform::default();
    let inbox = inbox(store, &platform);
    let convergence = inbox.convergence([platform.plan()]);
    expect(&inbox, order("A1", 100)).await;
    platform.says("A1", Says::Settled(100));
    platform.clock.set(30);
    convergence.drain().await.unwrap();
    let events = inbox.events(&EventFilter::default()).await.unwrap();
    let told: Vec<_> = events
        .iter()
        .map(|event| (event.key.to_string(), event.is_over))
        .collect();
    assert_eq!(
        told,
        [
            ("toy/M1/order-paid/A1".to_owned(), false),
            ("toy/M1/order-settled/A1".to_owned(), true)
        ]
    );
    assert_eq!(shipping(&inbox).drain().await.unwrap().len(), 2);
    assert_eq!(
        inbox.store().shipped().await,
        ["toy/M1/order-paid/A1", "toy/M1/order-settled/A1"]
    );
}

async fn a_refund_is_queried_by_its_own_number_and_compared_with_its_own_amount<S: Place>(store: S) {
    let platform = Platform::default();
    let inbox = inbox(store, &platform);
    let convergence = inbox.convergence([platform.plan()]);
    let number = yuanfen_core::RefundNo::new("R1").unwrap();
    let of = yuanfen_core::OrderNo::new("A1").unwrap();
    let amount = yuanfen_core::PayAmount::from_fen(40).unwrap();
    expect(&inbox, PendingRefund::new(ROUTE, ACCOUNT, number, of, amount)).await;
    platform.says("R1", Says::Refunded(40));
    platform.clock.set(30);
    convergence.drain().await.unwrap();
    assert_eq!(shipping(&inbox).drain().await.unwrap().len(), 1);
    assert_eq!(inbox.store().shipped().await, ["toy/M1/refund-succeeded/R1"]);
    assert_eq!(pending(&inbox, "R1").await.state, PendingState::Over);
}

on_both_stores!(
    an_order_whose_notice_is_lost_is_found_by_a_query_and_takes_effect_once,
    what_a_notice_has_told_is_not_asked_for_even_before_it_is_handled,
    a_notice_and_a_query_that_race_take_effect_once,
    facts_in_which_notice_and_query_differ_are_parked_whichever_came_first,
    of_two_transitions_the_last_one_ends_it,
    a_refund_is_queried_by_its_own_number_and_compared_with_its_own_amount,
);
