//! One key, two stories.

use std::sync::Arc;
use std::time::Duration;

use serde_json::json;
use tokio::sync::{Notify, mpsc};
use yuanfen_core::Fen;
use yuanfen_inbox::{EventState, Handled, ParkReason, Phase, PostgresStore, Received, StoreError, handler_fn};

use crate::place::{Place, Shipping, inbox, on_both_stores};
use crate::shop::{Clock, at, deliver, expect, show};
use crate::toy::{Toy, order, paid, signed};

async fn every_settled_fact_that_differs_is_a_conflict<S: Place>(store: S) {
    let inbox = inbox(store);
    let receiver = inbox.receiver(Toy);
    let other = [
        ("amount", json!(101)),
        ("currency", json!("USD")),
        ("order_no", json!("B1")),
        ("refund_no", json!("R2")),
        ("remote_id", json!("X2")),
        ("merchant", json!("M2")),
        ("app", json!("wx2")),
        ("end_state", json!("REFUND")),
    ];
    for (number, (fact, value)) in other.into_iter().enumerate() {
        let first = json!({
            "order": format!("A{number}"), "amount": 100, "transition": "order-paid", "currency": "CNY", "remote_id": "X1",
            "refund_no": "R1",
            "merchant": "M1", "app": "wx1",
        });
        let id = deliver(&receiver, &signed(&first)).await;
        let mut second = first.clone();
        second[fact] = value;
        for round in 0..3 {
            // Signed anew each time, and still the same contradiction.
            let receipt = receiver.receive(&signed(&second)).await;
            assert_eq!(receipt.response.status(), 200, "it is kept, so it need not come again");
            let Received::Conflict { id: of, field } = receipt.received else {
                panic!("{fact}, round {round}: {receipt:?}")
            };
            assert_eq!((of, field), (id, fact));
        }
        let event = show(&inbox, id).await;
        assert_eq!(
            (event.state, event.parked_for),
            (EventState::Parked, Some(ParkReason::Conflict))
        );
        assert_eq!(event.facts.amount, Some(Fen::new(100)), "what was stored first stands");
        let conflicts = inbox.conflicts(id).await.unwrap();
        assert_eq!(conflicts.len(), 1, "{fact}");
        assert_eq!(conflicts[0].facts.contradiction(&event.facts), Some(fact));
        assert!(conflicts[0].resolved_at.is_none());
        let kept = conflicts[0].request.as_ref().expect("what proves it is kept");
        assert_eq!(kept.headers["x-signature"], "genuine");
    }
    assert_eq!(inbox.workers(Shipping).drain().await.unwrap(), []);
    let health = inbox.health().await.unwrap();
    assert_eq!((health.ready, health.parked, health.conflicts), (0, 8, 8));
}

async fn a_fact_that_only_one_delivery_names_is_no_conflict<S: Place>(store: S) {
    let inbox = inbox(store);
    let receiver = inbox.receiver(Toy);
    let id = deliver(&receiver, &paid("A1", 100)).await;
    let more = json!({ "order": "A1", "amount": 100, "transition": "order-paid", "remote_id": "X1", "app": "wx1" });
    let receipt = receiver.receive(&signed(&more)).await;
    assert!(
        matches!(receipt.received, Received::Duplicate(same) if same == id),
        "{receipt:?}"
    );
}

async fn two_different_contradictions_are_both_kept<S: Place>(store: S) {
    let inbox = inbox(store);
    let receiver = inbox.receiver(Toy);
    let id = deliver(&receiver, &paid("A1", 100)).await;
    receiver.receive(&paid("A1", 200)).await;
    receiver.receive(&paid("A1", 300)).await;
    let amounts: Vec<_> = inbox
        .conflicts(id)
        .await
        .unwrap()
        .iter()
        .map(|conflict| conflict.facts.amount)
        .collect();
    assert_eq!(amounts, [Some(Fen::new(200)), Some(Fen::new(300))]);
}

async fn an_event_that_was_done_stays_done_and_its_conflict_waits_for_a_person<S: Place>(store: S) {
    let inbox = inbox(store);
    let receiver = inbox.receiver(Toy);
    expect(&inbox, order("A1", 100)).await;
    let id = deliver(&receiver, &paid("A1", 100)).await;
    assert_eq!(inbox.workers(Shipping).drain().await.unwrap(), [Handled::Done(id)]);
    let receipt = receiver.receive(&paid("A1", 200)).await;
    assert!(
        matches!(receipt.received, Received::Conflict { field: "amount", .. }),
        "{receipt:?}"
    );
    assert_eq!(show(&inbox, id).await.state, EventState::Done);
    assert!(matches!(inbox.retry(id).await, Err(StoreError::NoSuchEvent)));
    assert_eq!(inbox.health().await.unwrap().conflicts, 1);
    assert_eq!(inbox.resolve(id).await.unwrap(), 1);
    assert_eq!(inbox.resolve(id).await.unwrap(), 0, "there is none left");
    assert_eq!(inbox.health().await.unwrap().conflicts, 0);
    assert!(inbox.conflicts(id).await.unwrap()[0].resolved_at.is_some());
    assert_eq!(inbox.workers(Shipping).drain().await.unwrap(), []);
    assert_eq!(inbox.store().shipped().await.len(), 1);
}

async fn a_conflict_while_the_handler_runs_is_kept_and_the_event_is_done<S: Place>(store: S) {
    let inbox = inbox(store);
    let receiver = inbox.receiver(Toy);
    expect(&inbox, order("A1", 100)).await;
    let id = deliver(&receiver, &paid("A1", 100)).await;
    let (begun, mut begins) = mpsc::unbounded_channel();
    let slow = handler_fn::<S, _>(move |transaction, event| {
        let begun = begun.clone();
        Box::pin(async move {
            S::ship(transaction, &event.key.to_string()).await?;
            begun.send(()).ok();
            tokio::time::sleep(Duration::from_millis(300)).await;
            Ok(())
        })
    });
    let workers = inbox.workers(slow);
    let working = tokio::spawn(async move { workers.drain().await });
    begins.recv().await.unwrap();
    let receipt = receiver.receive(&paid("A1", 200)).await;
    assert!(matches!(receipt.received, Received::Conflict { .. }), "{receipt:?}");
    assert_eq!(working.await.unwrap().unwrap(), [Handled::Done(id)]);
    assert_eq!(show(&inbox, id).await.state, EventState::Done);
    assert_eq!(inbox.health().await.unwrap().conflicts, 1);
    assert_eq!(inbox.store().shipped().await.len(), 1);
}

async fn a_conflict_between_the_claim_and_the_mark_stops_the_worker<S: Place>(store: S) {
    let clock = Clock::new();
    let (claimed, mut claims) = mpsc::unbounded_channel();
    let gate = Arc::new(Notify::new());
    let waits = Arc::clone(&gate);
    let inbox = clock.inbox(store).with_phase_hook(move |phase, _| {
        let (claimed, gate) = (claimed.clone(), Arc::clone(&waits));
        Box::pin(async move {
            if phase == Phase::Claimed && claimed.send(()).is_ok() {
                gate.notified().await;
            }
        })
    });
    let receiver = inbox.receiver(Toy);
    expect(&inbox, order("A1", 100)).await;
    let id = deliver(&receiver, &paid("A1", 100)).await;
    let workers = inbox.workers(Shipping);
    let working = tokio::spawn(async move { workers.drain().await });
    claims.recv().await.unwrap();
    receiver.receive(&paid("A1", 200)).await;
    gate.notify_one();
    assert_eq!(working.await.unwrap().unwrap(), [Handled::Lost(id)]);
    assert!(inbox.store().shipped().await.is_empty());
    let event = show(&inbox, id).await;
    assert_eq!(
        (event.state, event.parked_for),
        (EventState::Parked, Some(ParkReason::Conflict))
    );
    // A person takes what came first.
    drop(claims);
    clock.advance(5);
    inbox.retry(id).await.unwrap();
    assert_eq!(inbox.conflicts(id).await.unwrap()[0].resolved_at, Some(at(5)));
    assert_eq!(inbox.workers(Shipping).drain().await.unwrap(), [Handled::Done(id)]);
    assert_eq!(inbox.store().shipped().await.len(), 1);
    // Told again, it is a contradiction that a person has looked at.
    let receipt = receiver.receive(&paid("A1", 200)).await;
    assert!(matches!(receipt.received, Received::Conflict { .. }), "{receipt:?}");
    assert_eq!(inbox.health().await.unwrap().conflicts, 0);
}

on_both_stores!(
    every_settled_fact_that_differs_is_a_conflict,
    a_fact_that_only_one_delivery_names_is_no_conflict,
    two_different_contradictions_are_both_kept,
    an_event_that_was_done_stays_done_and_its_conflict_waits_for_a_person,
    a_conflict_while_the_handler_runs_is_kept_and_the_event_is_done,
    a_conflict_between_the_claim_and_the_mark_stops_the_worker,
);

/// What a worker finds whose claim was just being written when the contradiction came.
#[cfg(unix)]
#[tokio::test]
async fn a_contradiction_that_could_not_park_the_event_does_so_when_it_is_marked() {
    let Some(store) = crate::place::postgres().await else {
        return;
    };
    let inbox = inbox::<PostgresStore>(store);
    let receiver = inbox.receiver(Toy);
    expect(&inbox, order("A1", 100)).await;
    let id = deliver(&receiver, &paid("A1", 100)).await;
    let mut other = inbox.store().pool().begin().await.unwrap();
    sqlx::query("select id from yuanfen_inbox_event for update")
        .execute(&mut *other)
        .await
        .unwrap();
    receiver.receive(&paid("A1", 200)).await;
    other.rollback().await.unwrap();
    assert_eq!(show(&inbox, id).await.state, EventState::Ready);
    let handled = inbox.workers(Shipping).drain().await.unwrap();
    assert_eq!(handled, [Handled::Parked(id, ParkReason::Conflict)]);
    assert!(inbox.store().shipped().await.is_empty());
}
