//! Every moment at which a process can die between the arrival of a notice and its effect. A hook that never ends is the
//! moment, and the task that waits for it is aborted: what was committed stays, and everything else is gone.

use yuanfen_inbox::{EventFilter, EventState, Handled, Phase, Received};

use crate::place::{Place, Shipping, on_both_stores};
use crate::shop::{Clock, deliver, dies_at, expect, show, work_after_a_death};
use crate::toy::{Toy, order, paid};

/// Dies while it receives; the platform delivers again, to the process that was started next.
async fn dies_while_receiving<S: Place>(store: S, phase: Phase, was_stored: bool) {
    let clock = Clock::new();
    let next = clock.inbox(store.beside().await);
    expect(&next, order("A1", 100)).await;
    let (hook, mut reached) = dies_at(phase);
    let inbox = clock.inbox(store).with_phase_hook(hook);
    let receiver = inbox.receiver(Toy);
    let process = tokio::spawn(async move { receiver.receive(&paid("A1", 100)).await });
    reached.recv().await.unwrap();
    process.abort();
    assert!(process.await.unwrap_err().is_cancelled(), "nobody was answered");
    drop(inbox);
    let before = next.events(&EventFilter::default()).await.unwrap();
    assert_eq!(before.len(), usize::from(was_stored));
    let again = next.receiver(Toy).receive(&paid("A1", 100)).await;
    assert_eq!(again.response.status(), 200);
    let id = match again.received {
        Received::New(id) if !was_stored => id,
        Received::Duplicate(id) if was_stored => id,
        other => panic!("{other:?}"),
    };
    assert_eq!(next.workers(Shipping).drain().await.unwrap(), [Handled::Done(id)]);
    assert_eq!(next.store().shipped().await, ["toy/M1/order-paid/A1"]);
}

/// Dies while it works; another worker comes when the lease is over.
async fn dies_while_working<S: Place>(store: S, phase: Phase, took_effect: bool) {
    let clock = Clock::new();
    let next = clock.inbox(store.beside().await);
    expect(&next, order("A1", 100)).await;
    let (hook, mut reached) = dies_at(phase);
    let inbox = clock.inbox(store).with_phase_hook(hook);
    let id = deliver(&next.receiver(Toy), &paid("A1", 100)).await;
    let workers = inbox.workers(Shipping);
    let process = tokio::spawn(async move { workers.drain().await });
    reached.recv().await.unwrap();
    process.abort();
    assert!(process.await.unwrap_err().is_cancelled());
    drop(inbox);
    // The platform delivers again in the meantime, and nobody handles it before the lease is over.
    let again = next.receiver(Toy).receive(&paid("A1", 100)).await;
    assert!(
        matches!(again.received, Received::Duplicate(same) if same == id),
        "{again:?}"
    );
    clock.advance(59);
    assert_eq!(next.workers(Shipping).drain().await.unwrap(), []);
    assert_eq!(next.store().shipped().await.len(), usize::from(took_effect));
    clock.advance(1);
    let attempts = if took_effect {
        assert_eq!(next.workers(Shipping).drain().await.unwrap(), []);
        1
    } else {
        assert_eq!(work_after_a_death(&next).await, [Handled::Done(id)]);
        // The death cost one.
        2
    };
    let event = show(&next, id).await;
    assert_eq!(event.attempts, attempts);
    assert_eq!(event.state, EventState::Done);
    assert_eq!(next.store().shipped().await, ["toy/M1/order-paid/A1"]);
}

async fn a_process_that_dies_before_it_stores_leaves_nothing_and_the_platform_comes_again<S: Place>(store: S) {
    dies_while_receiving(store, Phase::Receiving, false).await;
}

async fn a_process_that_dies_before_it_answers_has_stored_and_the_next_delivery_is_a_duplicate<S: Place>(store: S) {
    dies_while_receiving(store, Phase::Stored, true).await;
}

async fn a_worker_that_dies_after_its_claim_is_replaced_after_the_lease<S: Place>(store: S) {
    dies_while_working(store, Phase::Claimed, false).await;
}

async fn a_worker_that_dies_as_the_handler_begins_has_marked_nothing<S: Place>(store: S) {
    dies_while_working(store, Phase::Handling, false).await;
}

async fn a_worker_that_dies_before_its_commit_has_had_no_effect<S: Place>(store: S) {
    dies_while_working(store, Phase::Committing, false).await;
}

async fn a_worker_that_dies_after_its_commit_is_not_repeated<S: Place>(store: S) {
    dies_while_working(store, Phase::Committed, true).await;
}

on_both_stores!(
    a_process_that_dies_before_it_stores_leaves_nothing_and_the_platform_comes_again,
    a_process_that_dies_before_it_answers_has_stored_and_the_next_delivery_is_a_duplicate,
    a_worker_that_dies_after_its_claim_is_replaced_after_the_lease,
    a_worker_that_dies_as_the_handler_begins_has_marked_nothing,
    a_worker_that_dies_before_its_commit_has_had_no_effect,
    a_worker_that_dies_after_its_commit_is_not_repeated,
);
