//! By which number an event finds what is expected, and that there is one payment of it.

use serde_json::json;
use yuanfen_core::RemoteId;
use yuanfen_inbox::store::{Store, Subject};
use yuanfen_inbox::{Handled, Inbox, ParkReason, PendingKind, PendingState, Received};

use crate::place::{Place, Shipping, inbox, on_both_stores};
use crate::shop::{deliver, expect, expected, show};
use crate::toy::{ACCOUNT, ROUTE, Toy, hint, order, refund, remote, signed};

/// The shop notes what the platform calls an order.
async fn keep<S: Store>(inbox: &Inbox<S>, number: &str, remote_id: &str) {
    let (_turn, mut transaction) = inbox.store().begin().await.unwrap();
    let subject = Subject::new(ROUTE, ACCOUNT, PendingKind::Order, number);
    let remote_id = RemoteId::new(remote_id).unwrap();
    assert!(
        inbox
            .keep_remote_id(&mut transaction, subject, &remote_id)
            .await
            .unwrap()
    );
    inbox.store().commit(transaction).await.unwrap();
}

async fn our_number_counts_before_the_platforms<S: Place>(store: S) {
    let inbox = inbox(store);
    expect(&inbox, order("A1", 100)).await;
    expect(&inbox, order("A2", 100)).await;
    // Kept under the wrong order.
    keep(&inbox, "A1", "X2").await;
    let id = deliver(&inbox.receiver(Toy), &remote("X2", &json!({ "order_no": "A2" }))).await;
    assert_eq!(inbox.workers(Shipping).drain().await.unwrap(), [Handled::Done(id)]);
    assert_eq!(expected(&inbox, "A1").await.unwrap().state, PendingState::Open);
    let paid = expected(&inbox, "A2").await.unwrap();
    assert_eq!((paid.state, paid.paid_as.as_deref()), (PendingState::Over, Some("X2")));
}

async fn what_names_another_order_than_the_one_it_is_found_by_is_parked<S: Place>(store: S) {
    let inbox = inbox(store);
    expect(&inbox, order("A1", 100)).await;
    keep(&inbox, "A1", "X1").await;
    let id = deliver(&inbox.receiver(Toy), &remote("X1", &json!({ "order_no": "A9" }))).await;
    let handled = inbox.workers(Shipping).drain().await.unwrap();
    assert_eq!(handled, [Handled::Parked(id, ParkReason::Mismatch)]);
    let error = show(&inbox, id).await.last_error;
    assert_eq!(error.as_deref(), Some("`order_no` is A9, and A1 is expected"));
    assert_eq!(expected(&inbox, "A1").await.unwrap().state, PendingState::Open);
}

async fn a_refund_is_compared_by_our_number_where_its_key_is_the_platforms<S: Place>(store: S) {
    let inbox = inbox(store);
    let receiver = inbox.receiver(Toy);
    for (number, remote, fen) in [("R1", "X1", 100), ("R2", "X2", 50)] {
        expect(&inbox, refund(number, 100)).await;
        let told = json!({
            "refund": remote, "refund_no": number, "order": "A1", "amount": fen, "transition": "refund-succeeded",
        });
        let id = deliver(&receiver, &signed(&told)).await;
        let (handled, state) = if fen == 100 {
            (Handled::Done(id), PendingState::Over)
        } else {
            (Handled::Parked(id, ParkReason::Mismatch), PendingState::Open)
        };
        assert_eq!(inbox.workers(Shipping).drain().await.unwrap(), [handled]);
        assert_eq!(expected(&inbox, number).await.unwrap().state, state);
    }
    assert_eq!(inbox.store().shipped().await, ["toy/M1/refund-succeeded/X1"]);
}

async fn a_second_payment_of_one_order_waits_for_a_person<S: Place>(store: S) {
    let inbox = inbox(store);
    let receiver = inbox.receiver(Toy);
    expect(&inbox, order("A1", 100)).await;
    let first = deliver(&receiver, &remote("X1", &json!({ "order_no": "A1", "goes_on": true }))).await;
    assert_eq!(inbox.workers(Shipping).drain().await.unwrap(), [Handled::Done(first)]);
    let second = deliver(&receiver, &remote("X2", &json!({ "order_no": "A1" }))).await;
    // The same payment once more, told when its money became available.
    let settled = json!({ "order_no": "A1", "transition": "order-settled" });
    let settled = deliver(&receiver, &remote("X1", &settled)).await;
    assert_eq!(
        inbox.workers(Shipping).drain().await.unwrap(),
        [Handled::Parked(second, ParkReason::Mismatch), Handled::Done(settled)]
    );
    let error = show(&inbox, second).await.last_error;
    assert_eq!(
        error.as_deref(),
        Some("the order was paid before, as X1: this is another payment of it")
    );
    assert_eq!(
        inbox.store().shipped().await,
        ["toy/M1/order-paid/X1", "toy/M1/order-settled/X1"]
    );
}

async fn a_payment_that_was_rolled_back_is_not_the_one_of_its_order<S: Place>(store: S) {
    let inbox = inbox(store);
    expect(&inbox, order("A1", 100)).await;
    let id = deliver(&inbox.receiver(Toy), &remote("X1", &json!({ "order_no": "A1" }))).await;
    let failing = yuanfen_inbox::handler_fn::<S, _>(|_, _| Box::pin(async { Err(std::fmt::Error.into()) }));
    assert_eq!(inbox.workers(failing).drain().await.unwrap(), [Handled::Failed(id)]);
    assert_eq!(expected(&inbox, "A1").await.unwrap().paid_as, None);
}

async fn a_fact_that_a_later_telling_adds_is_kept<S: Place>(store: S) {
    let inbox = inbox(store);
    let receiver = inbox.receiver(Toy);
    expect(&inbox, order("A1", 100)).await;
    let id = deliver(&receiver, &remote("A1", &json!({ "amount": null }))).await;
    let handled = inbox.workers(Shipping).drain().await.unwrap();
    assert_eq!(handled, [Handled::Parked(id, ParkReason::Mismatch)]);
    let again = receiver.receive(&remote("A1", &json!({ "merchant": "M1" }))).await;
    assert!(
        matches!(again.received, Received::Duplicate(of) if of == id),
        "{again:?}"
    );
    let facts = show(&inbox, id).await.facts;
    assert_eq!(facts.amount.map(yuanfen_core::Fen::get), Some(100));
    assert_eq!(facts.merchant.as_deref(), Some("M1"));
    inbox.retry(id).await.unwrap();
    assert_eq!(inbox.workers(Shipping).drain().await.unwrap(), [Handled::Done(id)]);
    // What is done stays as it was done.
    let late = receiver.receive(&remote("A1", &json!({ "app": "wx1" }))).await;
    assert!(matches!(late.received, Received::Duplicate(_)), "{late:?}");
    assert_eq!(show(&inbox, id).await.facts.app, None);
}

async fn a_hint_is_looked_up_by_its_second_name_where_nobody_knows_the_first<S: Place>(store: S) {
    let inbox = inbox(store);
    let receiver = inbox.receiver(Toy);
    expect(&inbox, order("A1", 100)).await;
    keep(&inbox, "A1", "X1").await;
    for (name, is_known) in [
        ("A9 or remote:X1", true),
        ("remote:X9 or A1", true),
        ("A9 or remote:X9", false),
    ] {
        let receipt = receiver.receive(&hint(name)).await;
        assert_eq!(
            matches!(receipt.received, Received::Hint),
            is_known,
            "{name}: {receipt:?}"
        );
    }
}

on_both_stores!(
    our_number_counts_before_the_platforms,
    what_names_another_order_than_the_one_it_is_found_by_is_parked,
    a_refund_is_compared_by_our_number_where_its_key_is_the_platforms,
    a_second_payment_of_one_order_waits_for_a_person,
    a_payment_that_was_rolled_back_is_not_the_one_of_its_order,
    a_fact_that_a_later_telling_adds_is_kept,
    a_hint_is_looked_up_by_its_second_name_where_nobody_knows_the_first,
);
