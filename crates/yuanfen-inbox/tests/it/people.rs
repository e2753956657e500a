//! What people look at and decide.

use std::time::Duration;

use yuanfen_inbox::store::{Marked, Release, Subject};
use yuanfen_inbox::{
    EventFilter, EventId, EventState, Handled, ParkReason, PendingFilter, PendingKind, PendingState, Received,
    StoreError,
};

use crate::place::{Place, START, Shipping, inbox, on_both_stores};
use crate::shop::{Clock, at, deliver, expect, expected, show};
use crate::toy::{ACCOUNT, ROUTE, Toy, hint, order, paid};

async fn lists_answer_to_every_filter_and_come_in_pages<S: Place>(store: S) {
    let inbox = inbox(store);
    let receiver = inbox.receiver(Toy);
    let mut ids = Vec::new();
    for number in 0..5 {
        let number = format!("A{number}");
        expect(&inbox, order(&number, 100)).await;
        ids.push(deliver(&receiver, &paid(&number, 100)).await);
    }
    inbox.park(ids[1]).await.unwrap();
    inbox.park(ids[3]).await.unwrap();
    let list = async |filter: &EventFilter| -> Vec<EventId> {
        inbox
            .events(filter)
            .await
            .unwrap()
            .iter()
            .map(|event| event.id)
            .collect()
    };
    assert_eq!(list(&EventFilter::default()).await, ids);
    assert_eq!(list(&EventFilter::state(EventState::Parked)).await, [ids[1], ids[3]]);
    assert_eq!(
        list(&EventFilter::state(EventState::Ready)).await,
        [ids[0], ids[2], ids[4]]
    );
    assert_eq!(list(&EventFilter::state(EventState::Done)).await, []);
    let mut subject = EventFilter::default();
    subject.subject = Some("A2".to_owned());
    assert_eq!(list(&subject).await, [ids[2]]);
    subject.state = Some(EventState::Parked);
    assert_eq!(list(&subject).await, []);
    for (route, account, found) in [(ROUTE, ACCOUNT, 5), (ROUTE, "M2", 0), ("other", ACCOUNT, 0)] {
        let mut of = EventFilter::default();
        of.route = Some(route.to_owned());
        of.account = Some(account.to_owned());
        assert_eq!(list(&of).await.len(), found);
    }
    let mut page = EventFilter::default();
    page.limit = 2;
    let mut seen = Vec::new();
    loop {
        let ids = list(&page).await;
        assert!(ids.len() <= 2);
        let Some(last) = ids.last() else { break };
        page.after = last.get();
        seen.extend(ids);
    }
    assert_eq!(seen, ids);
    let mut expected = PendingFilter::state(PendingState::Open);
    expected.limit = 3;
    let first = inbox.pending(&expected).await.unwrap();
    expected.after = first[2].id;
    let second = inbox.pending(&expected).await.unwrap();
    let numbers: Vec<_> = first
        .iter()
        .chain(&second)
        .map(|pending| pending.expected.number.as_str())
        .collect();
    assert_eq!(numbers, ["A0", "A1", "A2", "A3", "A4"]);
    expected.state = Some(PendingState::GivenUp);
    expected.after = 0;
    assert!(inbox.pending(&expected).await.unwrap().is_empty());
}

async fn what_is_not_there_or_in_another_state_cannot_be_retried_or_parked<S: Place>(store: S) {
    let inbox = inbox(store);
    let nobody = EventId::new(77);
    assert!(inbox.event(nobody).await.unwrap().is_none());
    assert!(inbox.conflicts(nobody).await.unwrap().is_empty());
    assert!(matches!(inbox.retry(nobody).await, Err(StoreError::NoSuchEvent)));
    assert!(matches!(inbox.park(nobody).await, Err(StoreError::NoSuchEvent)));
    expect(&inbox, order("A1", 100)).await;
    let id = deliver(&inbox.receiver(Toy), &paid("A1", 100)).await;
    assert!(
        matches!(inbox.retry(id).await, Err(StoreError::NoSuchEvent)),
        "it is ready"
    );
    inbox.park(id).await.unwrap();
    assert!(
        matches!(inbox.park(id).await, Err(StoreError::NoSuchEvent)),
        "it is parked"
    );
    inbox.retry(id).await.unwrap();
    assert_eq!(inbox.workers(Shipping).drain().await.unwrap(), [Handled::Done(id)]);
    assert!(
        matches!(inbox.retry(id).await, Err(StoreError::NoSuchEvent)),
        "it is done"
    );
    assert!(
        matches!(inbox.park(id).await, Err(StoreError::NoSuchEvent)),
        "it is done"
    );
    assert_eq!(inbox.store().shipped().await.len(), 1);
}

async fn what_a_person_parked_no_worker_takes<S: Place>(store: S) {
    let clock = Clock::new();
    let inbox = clock.inbox(store);
    expect(&inbox, order("A1", 100)).await;
    let id = deliver(&inbox.receiver(Toy), &paid("A1", 100)).await;
    inbox.park(id).await.unwrap();
    let event = show(&inbox, id).await;
    assert_eq!(
        (event.state, event.parked_for),
        (EventState::Parked, Some(ParkReason::Person))
    );
    assert_eq!(event.finished_at, Some(START));
    clock.advance(1_000_000);
    assert_eq!(inbox.workers(Shipping).drain().await.unwrap(), []);
    inbox.retry(id).await.unwrap();
    let event = show(&inbox, id).await;
    assert_eq!(
        (event.state, event.parked_for, event.finished_at),
        (EventState::Ready, None, None)
    );
    assert_eq!(event.ready_at, at(1_000_000));
    assert_eq!(inbox.workers(Shipping).drain().await.unwrap(), [Handled::Done(id)]);
}

async fn to_retry_what_is_parked_for_another_reason_settles_no_contradiction<S: Place>(store: S) {
    let inbox = inbox(store);
    let receiver = inbox.receiver(Toy);
    expect(&inbox, order("A1", 100)).await;
    let id = deliver(&receiver, &paid("A1", 100)).await;
    inbox.park(id).await.unwrap();
    // While it waits, the platform tells another amount. Whoever has the list before him has not heard of it.
    receiver.receive(&paid("A1", 300)).await;
    assert_eq!(show(&inbox, id).await.parked_for, Some(ParkReason::Person));
    inbox.retry(id).await.unwrap();
    assert_eq!(
        inbox.resolve(id).await.unwrap(),
        0,
        "it is ready, and would take effect at once"
    );
    let handled = inbox.workers(Shipping).drain().await.unwrap();
    assert_eq!(handled, [Handled::Parked(id, ParkReason::Conflict)]);
    assert_eq!(inbox.health().await.unwrap().conflicts, 1);
    // Now he has.
    inbox.retry(id).await.unwrap();
    assert_eq!(inbox.workers(Shipping).drain().await.unwrap(), [Handled::Done(id)]);
    assert_eq!(inbox.health().await.unwrap().conflicts, 0);
}

async fn what_a_person_has_seen_to_waits_for_nobody_and_takes_no_effect<S: Place>(store: S) {
    let clock = Clock::new();
    let inbox = clock.inbox(store);
    let receiver = inbox.receiver(Toy);
    expect(&inbox, order("A1", 100)).await;
    let id = deliver(&receiver, &paid("A1", 99)).await;
    let ready = inbox.dismiss(id).await.unwrap_err();
    assert!(
        matches!(ready, StoreError::NoSuchEvent),
        "only what waits for a person: {ready:?}"
    );
    inbox.workers(Shipping).drain().await.unwrap();
    assert_eq!(inbox.health().await.unwrap().parked, 1);
    clock.advance(60);
    inbox.dismiss(id).await.unwrap();
    let event = show(&inbox, id).await;
    assert_eq!(
        (event.state, event.parked_for, event.finished_at),
        (EventState::Dismissed, Some(ParkReason::Mismatch), Some(at(60)))
    );
    let dismissed = inbox.events(&EventFilter::state(EventState::Dismissed)).await.unwrap();
    assert_eq!(dismissed.iter().map(|event| event.id).collect::<Vec<_>>(), [id]);
    assert_eq!(inbox.health().await.unwrap().parked, 0);
    clock.advance(1_000_000);
    assert_eq!(inbox.workers(Shipping).drain().await.unwrap(), []);
    let again = receiver.receive(&paid("A1", 99)).await;
    assert!(
        matches!(again.received, Received::Duplicate(of) if of == id),
        "{again:?}"
    );
    // Nobody ships by mistake what was paid back.
    for refused in [inbox.dismiss(id).await, inbox.retry(id).await] {
        assert!(matches!(refused, Err(StoreError::NoSuchEvent)), "{refused:?}");
    }
    inbox.park(id).await.unwrap();
    assert_eq!(show(&inbox, id).await.parked_for, Some(ParkReason::Person));
    inbox.retry(id).await.unwrap();
    let handled = inbox.workers(Shipping).drain().await.unwrap();
    assert_eq!(handled, [Handled::Parked(id, ParkReason::Mismatch)]);
    assert!(inbox.store().shipped().await.is_empty());
}

async fn what_the_shop_withdraws_is_queried_no_more_and_paid_all_the_same<S: Place>(store: S) {
    let clock = Clock::new();
    let inbox = clock.inbox(store);
    expect(&inbox, order("A1", 100)).await;
    for withdrawn in [true, false] {
        let (_turn, mut transaction) = inbox.store().begin().await.unwrap();
        let subject = Subject::new(ROUTE, ACCOUNT, PendingKind::Order, "A1");
        assert_eq!(inbox.withdraw(&mut transaction, subject).await.unwrap(), withdrawn);
        inbox.store().commit(transaction).await.unwrap();
    }
    let ended = expected(&inbox, "A1").await.unwrap();
    assert_eq!((ended.state, ended.over_at), (PendingState::Lapsed, Some(START)));
    // The refusal was not the last word.
    let late = inbox.receiver(Toy).receive(&hint("A1")).await;
    assert!(matches!(late.received, Received::Hint), "{late:?}");
    assert_eq!(expected(&inbox, "A1").await.unwrap().state, PendingState::Open);
    let id = deliver(&inbox.receiver(Toy), &paid("A1", 100)).await;
    assert_eq!(inbox.workers(Shipping).drain().await.unwrap(), [Handled::Done(id)]);
}

async fn a_claim_from_before_a_retry_never_counts_again<S: Place>(store: S) {
    let clock = Clock::new();
    let inbox = clock.inbox(store);
    expect(&inbox, order("A1", 100)).await;
    let id = deliver(&inbox.receiver(Toy), &paid("A1", 100)).await;
    let store = inbox.store();
    let mut claims = Vec::new();
    for round in 0..4 {
        let claim = store
            .claim_event(at(0), at(60), at(3600))
            .await
            .unwrap()
            .expect("it is due");
        assert_eq!(claim.event.attempts, 1, "counted from nothing, round {round}");
        claims.push(claim);
        inbox.park(id).await.unwrap();
        inbox.retry(id).await.unwrap();
    }
    let fences: Vec<_> = claims.iter().map(|claim| claim.fence).collect();
    assert!(fences.is_sorted_by(|one, next| one < next), "{fences:?}");
    // The last one was not taken by anybody since, but made ready by hand: who holds it may go on.
    let (last, stale) = claims.split_last().unwrap();
    for claim in stale {
        let (turn, mut transaction) = store.begin().await.unwrap();
        let marked = store.mark_done(&mut transaction, claim, START).await.unwrap();
        assert_eq!(marked, Marked::NotOurs);
        store.roll_back(transaction).await;
        drop(turn);
        let parked = Release::Park {
            reason: ParkReason::Handler,
        };
        assert!(!store.release_event(claim, parked, "too late", START).await.unwrap());
    }
    assert_eq!(show(&inbox, id).await.state, EventState::Ready);
    let later = Release::Retry { at: at(9) };
    assert!(store.release_event(last, later, "its own", START).await.unwrap());
    assert_eq!(show(&inbox, id).await.ready_at, at(9));
}

async fn health_counts_what_waits_and_says_how_long<S: Place>(store: S) {
    let clock = Clock::new();
    let inbox = clock.inbox(store);
    let empty = inbox.health().await.unwrap();
    assert_eq!((empty.oldest_ready, empty.query_overdue), (None, None));
    for number in ["A1", "A2", "A3", "A4"] {
        expect(&inbox, order(number, 100)).await;
    }
    let receiver = inbox.receiver(Toy);
    let first = deliver(&receiver, &paid("A1", 100)).await;
    clock.advance(7);
    deliver(&receiver, &paid("A2", 100)).await;
    let third = deliver(&receiver, &paid("A3", 100)).await;
    receiver.receive(&paid("A3", 300)).await;
    clock.advance(40);
    let health = inbox.health().await.unwrap();
    assert_eq!((health.ready, health.oldest_ready), (2, Some(Duration::from_secs(47))));
    assert_eq!((health.parked, health.conflicts), (1, 1));
    // The first query is due after half a minute.
    assert_eq!(
        (health.pending, health.query_overdue),
        (4, Some(Duration::from_secs(17)))
    );
    inbox.retry(third).await.unwrap();
    assert_eq!(inbox.workers(Shipping).drain().await.unwrap().len(), 3);
    let (turn, mut transaction) = inbox.store().begin().await.unwrap();
    let given_up = "update yuanfen_inbox_pending set state = 'given-up' where state = 'open'";
    S::run(&mut transaction, given_up).await.unwrap();
    inbox.store().commit(transaction).await.unwrap();
    drop(turn);
    let health = inbox.health().await.unwrap();
    assert_eq!(
        (health.ready, health.oldest_ready, health.parked, health.conflicts),
        (0, None, 0, 0)
    );
    assert_eq!((health.pending, health.query_overdue, health.given_up), (0, None, 1));
    assert_eq!(show(&inbox, first).await.state, EventState::Done);
}

on_both_stores!(
    lists_answer_to_every_filter_and_come_in_pages,
    what_is_not_there_or_in_another_state_cannot_be_retried_or_parked,
    what_a_person_parked_no_worker_takes,
    to_retry_what_is_parked_for_another_reason_settles_no_contradiction,
    what_a_person_has_seen_to_waits_for_nobody_and_takes_no_effect,
    what_the_shop_withdraws_is_queried_no_more_and_paid_all_the_same,
    a_claim_from_before_a_retry_never_counts_again,
    health_counts_what_waits_and_says_how_long,
);
