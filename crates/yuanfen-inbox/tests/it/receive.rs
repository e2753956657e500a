//! What becomes of a notice at the door.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU32, Ordering};
use std::time::Duration;

use bytes::Bytes;
use http::{Request, Response};
use serde_json::{Value, json};
use yuanfen_core::{EventKey, Facts, Fen, Notice, NotificationSource, OpenError, SignatureError, UnixTime, Verdict};
use yuanfen_inbox::store::Store;
use yuanfen_inbox::{EventFilter, EventState, Handled, Inbox, Origin, Received, StoreError};

use crate::place::{Place, START, Shipping, inbox, on_both_stores};
use crate::shop::{Clock, at, deliver, expect, expected, show};
use crate::toy::{ACCOUNT, ROUTE, Toy, hint, order, paid, refund, request, signed};

async fn stored<S: Store>(inbox: &Inbox<S>) -> usize {
    inbox.events(&EventFilter::default()).await.unwrap().len()
}

async fn a_new_notice_is_stored_with_what_it_settles_and_what_proves_it<S: Place>(store: S) {
    let inbox = inbox(store);
    let notice = signed(&json!({
        "order": "A1", "amount": 9_007_199_254_740_993_i64, "transition": "order-paid", "currency": "CNY",
        "remote_id": "4200000001", "merchant": "M1", "app": "wx1", "end_state": "已支付",
    }));
    let id = deliver(&inbox.receiver(Toy), &notice).await;
    let event = show(&inbox, id).await;
    assert_eq!(event.key.to_string(), "toy/M1/order-paid/A1");
    let mut facts = Facts::new("已支付");
    facts.amount = Some(Fen::new(9_007_199_254_740_993));
    facts.currency = Some("CNY".to_owned());
    facts.order_no = Some("A1".to_owned());
    facts.remote_id = Some("4200000001".to_owned());
    facts.merchant = Some("M1".to_owned());
    facts.app = Some("wx1".to_owned());
    assert_eq!(event.facts, facts);
    assert_eq!((event.origin, event.state), (Origin::Notice, EventState::Ready));
    assert_eq!((event.received_at, event.ready_at), (START, START));
    assert_eq!((event.attempts, event.parked_for, event.finished_at), (0, None, None));
    let kept = event.request.as_ref().expect("a notice keeps its request");
    assert_eq!(
        (kept.method.as_str(), kept.uri.to_string().as_str()),
        ("POST", "/notify?shop=1")
    );
    assert_eq!(kept.body, notice.body());
    // The cookie is nobody's business.
    assert_eq!(kept.headers.len(), 1);
    assert_eq!(kept.headers["x-signature"], "genuine");
    let Some(Ok(Notice::Settles(again))) = event.reopen(&Toy) else {
        panic!("it does not open again")
    };
    assert_eq!(again.get()["end_state"], "已支付");
    let listed = inbox.events(&EventFilter::default()).await.unwrap();
    assert!(listed[0].request.is_none(), "a list is without requests");
}

async fn a_duplicate_with_other_bytes_leaves_what_was_stored_first<S: Place>(store: S) {
    let inbox = inbox(store);
    let receiver = inbox.receiver(Toy);
    let (first, second) = (paid("A1", 100), paid("A1", 100));
    assert_ne!(first.body(), second.body());
    let id = deliver(&receiver, &first).await;
    let receipt = receiver.receive(&second).await;
    assert!(
        matches!(receipt.received, Received::Duplicate(same) if same == id),
        "{receipt:?}"
    );
    assert_eq!(receipt.response.status(), 200);
    assert_eq!(show(&inbox, id).await.request.unwrap().body, first.body());
    assert_eq!(stored(&inbox).await, 1);
}

async fn of_many_deliveries_at_once_one_is_new<S: Place>(store: S) {
    let beside = inbox(store.beside().await);
    let inbox = inbox(store);
    let tasks: Vec<_> = (0..32)
        .map(|number| {
            let receiver = if number % 2 == 0 {
                inbox.receiver(Toy)
            } else {
                beside.receiver(Toy)
            };
            tokio::spawn(async move { receiver.receive(&paid("A1", 100)).await.received })
        })
        .collect();
    let mut new = 0;
    for task in tasks {
        match task.await.unwrap() {
            Received::New(_) => new += 1,
            Received::Duplicate(_) => {}
            other => panic!("{other:?}"),
        }
    }
    assert_eq!((new, stored(&inbox).await), (1, 1));
    assert_eq!(inbox.workers(Shipping).drain().await.unwrap().len(), 1);
}

async fn two_transitions_of_one_order_are_two_events<S: Place>(store: S) {
    let inbox = inbox(store);
    let receiver = inbox.receiver(Toy);
    let first = deliver(&receiver, &paid("A1", 100)).await;
    let settled = json!({ "order": "A1", "amount": 100, "transition": "order-settled" });
    let second = deliver(&receiver, &signed(&settled)).await;
    assert!(second > first);
    assert_eq!(stored(&inbox).await, 2);
}

async fn nothing_is_stored_of_what_is_not_proven<S: Place>(store: S) {
    let inbox = inbox(store);
    let receiver = inbox.receiver(Toy);
    let body = r#"{"order":"A1","amount":100,"transition":"order-paid"}"#;
    let mut unsigned = request("genuine", body);
    unsigned.headers_mut().remove("x-signature");
    let refused = [
        (request("forged", body), "bad-signature"),
        (unsigned, "bad-signature"),
        (request("genuine", "{\"order\":"), "malformed"),
        (request("genuine", ""), "malformed"),
    ];
    for (notice, verdict) in refused {
        let receipt = receiver.receive(&notice).await;
        assert_eq!(receipt.received.as_str(), verdict);
        assert!(matches!(receipt.received, Received::Refused(_)), "{receipt:?}");
        assert_eq!(receipt.received.verdict(), Verdict::Rejected);
        assert_eq!(receipt.response.status(), 500, "the failure form");
    }
    assert_eq!(stored(&inbox).await, 0);
    let health = inbox.health().await.unwrap();
    assert_eq!((health.ready, health.pending), (0, 0));
}

async fn a_hint_moves_the_next_query_forward_and_stores_nothing<S: Place>(store: S) {
    let clock = Clock::new();
    let inbox = clock.inbox(store);
    let receiver = inbox.receiver(Toy);
    expect(&inbox, order("A1", 100)).await;
    expect(&inbox, refund("R1", 100)).await;
    let mut known = order("A2", 100);
    known.remote_id = Some(yuanfen_core::RemoteId::new("X2").unwrap());
    expect(&inbox, known).await;
    clock.advance(3);
    for (name, number) in [("A1", "A1"), ("refund:R1", "R1"), ("remote:X2", "A2")] {
        assert!(
            expected(&inbox, number).await.unwrap().next_query_at > at(3),
            "{number}"
        );
        let receipt = receiver.receive(&hint(name)).await;
        assert!(matches!(receipt.received, Received::Hint), "{receipt:?}");
        assert_eq!(receipt.response.status(), 200);
        assert_eq!(expected(&inbox, number).await.unwrap().next_query_at, at(3), "{number}");
    }
    assert_eq!(stored(&inbox).await, 0);
}

async fn a_later_hint_never_moves_a_query_back<S: Place>(store: S) {
    let clock = Clock::new();
    let inbox = clock.inbox(store);
    let receiver = inbox.receiver(Toy);
    expect(&inbox, order("A1", 100)).await;
    for seconds in [0, 7, 1_000] {
        clock.advance(seconds);
        let receipt = receiver.receive(&hint("A1")).await;
        assert!(matches!(receipt.received, Received::Hint), "{receipt:?}");
        assert_eq!(expected(&inbox, "A1").await.unwrap().next_query_at, START);
    }
}

async fn a_hint_that_nothing_open_answers_to_is_acknowledged<S: Place>(store: S) {
    let inbox = inbox(store);
    let receiver = inbox.receiver(Toy);
    expect(&inbox, order("A1", 100)).await;
    deliver(&receiver, &paid("A1", 100)).await;
    assert_eq!(inbox.workers(Shipping).drain().await.unwrap().len(), 1);
    // Of another kind, of another number, and over.
    for name in ["refund:A1", "B1", "remote:A1", "A1"] {
        let receipt = receiver.receive(&hint(name)).await;
        assert!(matches!(receipt.received, Received::UnknownHint), "{name}: {receipt:?}");
        assert_eq!(receipt.response.status(), 200);
    }
}

/// A source whose key is not there at first.
#[derive(Debug)]
struct Rotating {
    knows_key: Arc<AtomicBool>,
}

impl NotificationSource for Rotating {
    type Event = Value;

    fn route(&self) -> &'static str {
        ROUTE
    }

    fn account(&self) -> &str {
        ACCOUNT
    }

    fn kept_headers(&self) -> &'static [&'static str] {
        Toy.kept_headers()
    }

    fn open_notification(&self, request: &Request<Bytes>, now: UnixTime) -> Result<Notice<Value>, OpenError> {
        if self.knows_key.load(Ordering::SeqCst) {
            Toy.open_notification(request, now)
        } else {
            let serial = "S2".to_owned();
            Err(SignatureError::UnknownKey { serial }.into())
        }
    }

    fn key(&self, event: &Value) -> EventKey {
        Toy.key(event)
    }

    fn facts(&self, event: &Value) -> Facts {
        Toy.facts(event)
    }

    fn acknowledge(&self, verdict: Verdict) -> Response<Bytes> {
        Toy.acknowledge(verdict)
    }
}

async fn an_unknown_key_is_fetched_once_for_all_that_name_it<S: Place>(store: S) {
    let inbox = inbox(store);
    let knows_key = Arc::new(AtomicBool::new(false));
    let fetches = Arc::new(AtomicU32::new(0));
    let source = Rotating {
        knows_key: Arc::clone(&knows_key),
    };
    let counted = Arc::clone(&fetches);
    let receiver = inbox.receiver(source).with_key_fetch(move |serial| {
        let (knows_key, fetches) = (Arc::clone(&knows_key), Arc::clone(&counted));
        async move {
            assert_eq!(serial, "S2");
            fetches.fetch_add(1, Ordering::SeqCst);
            tokio::time::sleep(Duration::from_millis(50)).await;
            knows_key.store(true, Ordering::SeqCst);
            true
        }
    });
    let tasks: Vec<_> = (0..8)
        .map(|number| {
            let receiver = receiver.clone();
            tokio::spawn(async move { receiver.receive(&paid(&format!("A{number}"), 100)).await.received })
        })
        .collect();
    for task in tasks {
        let received = task.await.unwrap();
        assert!(matches!(received, Received::New(_)), "{received:?}");
    }
    assert_eq!(fetches.load(Ordering::SeqCst), 1);
}

async fn a_key_that_is_not_learned_is_not_fetched_for_every_notice<S: Place>(store: S) {
    let inbox = inbox(store);
    let fetches = Arc::new(AtomicU32::new(0));
    let counted = Arc::clone(&fetches);
    let source = Rotating {
        knows_key: Arc::default(),
    };
    let receiver = inbox.receiver(source).with_key_fetch(move |_serial| {
        counted.fetch_add(1, Ordering::SeqCst);
        async { false }
    });
    for _ in 0..3 {
        let receipt = receiver.receive(&paid("A1", 100)).await;
        assert_eq!(receipt.received.as_str(), "bad-signature");
        assert_eq!(receipt.response.status(), 500);
    }
    assert_eq!(fetches.load(Ordering::SeqCst), 1);
}

async fn a_notice_whose_sender_hangs_up_is_neither_lost_nor_doubled<S: Place>(store: S) {
    let inbox = inbox(store);
    let receiver = inbox.receiver(Toy);
    for round in 0..24_u64 {
        let number = format!("A{round}");
        // Dropped at any point: at once, while it waits for its commit, or never.
        let cut = tokio::time::timeout(
            Duration::from_micros(round * 150),
            receiver.receive(&paid(&number, 100)),
        )
        .await;
        let again = receiver.receive(&paid(&number, 100)).await.received;
        assert!(matches!(again, Received::New(_) | Received::Duplicate(_)), "{again:?}");
        if cut.is_ok() {
            assert!(matches!(again, Received::Duplicate(_)), "{again:?}");
        }
        // The same for what runs in a longer transaction.
        tokio::time::timeout(
            Duration::from_micros(round * 150),
            receiver.receive(&paid(&number, 200)),
        )
        .await
        .ok();
        let conflict = receiver.receive(&paid(&number, 200)).await.received;
        assert!(matches!(conflict, Received::Conflict { .. }), "{conflict:?}");
    }
    let health = inbox.health().await.unwrap();
    assert_eq!((health.parked, health.conflicts), (24, 24));
    let mut all = EventFilter::default();
    all.limit = 1000;
    // Seen by another process, so nothing is in a transaction that was left open.
    let beside = inbox.store().beside().await;
    assert_eq!(beside.events(&all).await.unwrap().len(), 24);
}

async fn a_notice_waits_for_none_of_the_shops_connections<S: Place>(store: S) {
    let inbox = inbox(store);
    expect(&inbox, order("A1", 100)).await;
    let receiver = inbox.receiver(Toy);
    let taken = inbox.store().exhaust().await;
    deliver(&receiver, &paid("A1", 100)).await;
    for (notice, verdict) in [
        (paid("A1", 100), "duplicate"),
        (paid("A1", 200), "conflict"),
        (hint("A1"), "hint"),
    ] {
        assert_eq!(receiver.receive(&notice).await.received.as_str(), verdict);
    }
    drop(taken);
}

async fn an_event_that_cannot_be_read_does_not_stand_before_all_others<S: Place>(store: S) {
    let clock = Clock::new();
    let inbox = clock.inbox(store);
    let receiver = inbox.receiver(Toy);
    expect(&inbox, order("A2", 100)).await;
    deliver(&receiver, &paid("A1", 100)).await;
    let second = deliver(&receiver, &paid("A2", 100)).await;
    // Written by a later version that has gone again.
    let (turn, mut transaction) = inbox.store().begin().await.unwrap();
    let later = "update yuanfen_inbox_event set transition = 'order-eaten' where subject = 'A1'";
    S::run(&mut transaction, later).await.unwrap();
    inbox.store().commit(transaction).await.unwrap();
    drop(turn);
    let workers = inbox.workers(Shipping);
    let error = workers.drain().await.unwrap_err();
    assert!(
        matches!(error, StoreError::Unreadable { column: "transition" }),
        "{error}"
    );
    assert_eq!(workers.drain().await.unwrap(), [Handled::Done(second)]);
}

on_both_stores!(
    a_notice_waits_for_none_of_the_shops_connections,
    an_event_that_cannot_be_read_does_not_stand_before_all_others,
    a_new_notice_is_stored_with_what_it_settles_and_what_proves_it,
    a_duplicate_with_other_bytes_leaves_what_was_stored_first,
    of_many_deliveries_at_once_one_is_new,
    two_transitions_of_one_order_are_two_events,
    nothing_is_stored_of_what_is_not_proven,
    a_hint_moves_the_next_query_forward_and_stores_nothing,
    a_later_hint_never_moves_a_query_back,
    a_hint_that_nothing_open_answers_to_is_acknowledged,
    an_unknown_key_is_fetched_once_for_all_that_name_it,
    a_key_that_is_not_learned_is_not_fetched_for_every_notice,
    a_notice_whose_sender_hangs_up_is_neither_lost_nor_doubled,
);
