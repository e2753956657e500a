//! One file, one write lock, many who want it.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::{Duration, Instant};

use sqlx::Connection as _;
use yuanfen_inbox::store::{Inserted, Store};
use yuanfen_inbox::{Inbox, Received, SqliteStore, StoreError, Unexpected, handler_fn};

use crate::place::{Place, inbox, sqlite};
use crate::shop::{deliver, expect};
use crate::toy::{Toy, hint, order, paid};

/// Somebody who has the lock until he is told to leave.
async fn lock(store: &SqliteStore) -> sqlx::SqliteConnection {
    let options = store.pool().connect_options();
    let mut connection = sqlx::SqliteConnection::connect_with(&options).await.unwrap();
    sqlx::raw_sql("begin immediate").execute(&mut connection).await.unwrap();
    connection
}

async fn unlock(mut connection: sqlx::SqliteConnection) {
    sqlx::raw_sql("rollback").execute(&mut connection).await.unwrap();
}

/// Works without a pause: whenever one handler has let the lock go, the next one wants it.
fn works_for_ever(
    inbox: &Inbox<SqliteStore>,
    handler_takes: Duration,
    stop: &Arc<AtomicBool>,
) -> tokio::task::JoinHandle<u32> {
    let (inbox, stop) = (inbox.clone(), Arc::clone(stop));
    let slow = handler_fn::<SqliteStore, _>(move |_, _| {
        Box::pin(async move {
            tokio::time::sleep(handler_takes).await;
            Ok(())
        })
    });
    tokio::spawn(async move {
        let mut handled = 0;
        while !stop.load(Ordering::SeqCst) {
            match inbox.handle_next(&slow).await {
                Ok(next) => handled += u32::from(next.is_some()),
                Err(error) => panic!("{error:?}"),
            }
        }
        handled
    })
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_receiver_gets_the_lock_from_the_workers_of_two_processes() {
    let first = inbox(sqlite().await).with_settings(|settings| settings.unexpected = Unexpected::Handle);
    let second = inbox(first.store().beside().await).with_settings(|settings| settings.unexpected = Unexpected::Handle);
    expect(&first, order("HINTED", 100)).await;
    for number in 0..120 {
        deliver(&first.receiver(Toy), &paid(&format!("B{number}"), 100)).await;
    }
    let stop = Arc::new(AtomicBool::new(false));
    let takes = Duration::from_millis(300);
    let workers = [
        works_for_ever(&first, takes, &stop),
        works_for_ever(&second, takes, &stop),
    ];
    let receivers = [first.receiver(Toy), second.receiver(Toy)];
    let mut waits = Vec::new();
    for round in 0..24 {
        // A new one, then one that contradicts it, then a hint: each wants the lock. Not in step with the handlers.
        let number = format!("A{}", round / 3);
        let notice = match round % 3 {
            0 => paid(&number, 100),
            1 => paid(&number, 200),
            _ => hint("HINTED"),
        };
        let began = Instant::now();
        let receipt = receivers[round % 2].receive(&notice).await;
        assert_eq!(receipt.response.status(), 200, "{receipt:?}");
        waits.push(began.elapsed());
        tokio::time::sleep(Duration::from_millis(37)).await;
    }
    stop.store(true, Ordering::SeqCst);
    let mut handled = Vec::new();
    for worker in workers {
        handled.push(worker.await.unwrap());
    }
    // One handler, not two of them; but for a moment in which the machine was busy with something else.
    waits.sort();
    let usual = waits[waits.len() - 3];
    assert!(usual < 2 * takes, "{waits:?}, handled {handled:?}");
    assert!(waits.last() < Some(&(3 * takes)), "{waits:?}, handled {handled:?}");
    assert!(
        handled.iter().all(|handled| *handled > 0),
        "a worker never had its turn: {handled:?}"
    );
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn of_events_of_one_key_in_one_commit_one_is_new() {
    let store = sqlite().await;
    let held = lock(&store).await;
    let inbox = inbox(store.clone());
    let receiver = inbox.receiver(Toy);
    // They gather while the lock is held, and go in one statement.
    let waiting: Vec<_> = (0..24)
        .map(|number| {
            let receiver = receiver.clone();
            tokio::spawn(async move { receiver.receive(&paid(&format!("A{}", number % 3), 100)).await.received })
        })
        .collect();
    tokio::time::sleep(Duration::from_millis(200)).await;
    unlock(held).await;
    let mut new = Vec::new();
    let mut known = Vec::new();
    for received in waiting {
        match received.await.unwrap() {
            Received::New(id) => new.push(id),
            Received::Duplicate(id) => known.push(id),
            other => panic!("{other:?}"),
        }
    }
    assert_eq!((new.len(), known.len()), (3, 21));
    assert!(known.iter().all(|id| new.contains(id)));
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn an_event_that_the_database_refuses_does_not_take_others_with_it() {
    let store = sqlite().await;
    let trigger = "create trigger picky before insert on yuanfen_inbox_event when new.subject like 'BAD%' \
                   begin select raise(abort, 'not this one'); end";
    sqlx::raw_sql(trigger).execute(store.pool()).await.unwrap();
    let held = lock(&store).await;
    let inbox = inbox(store.clone());
    let receiver = inbox.receiver(Toy);
    let waiting: Vec<_> = (0..20)
        .map(|number| {
            let receiver = receiver.clone();
            let number = if number % 7 == 0 {
                format!("BAD{number}")
            } else {
                format!("A{number}")
            };
            tokio::spawn(async move { (receiver.receive(&paid(&number, 100)).await, number) })
        })
        .collect();
    tokio::time::sleep(Duration::from_millis(200)).await;
    unlock(held).await;
    for received in waiting {
        let (receipt, number) = received.await.unwrap();
        match &receipt.received {
            Received::NotStored(StoreError::Database(cause)) if number.starts_with("BAD") => {
                assert!(cause.to_string().contains("not this one"), "{cause}");
                assert_eq!(receipt.response.status(), 500);
            }
            Received::New(_) if number.starts_with('A') => {}
            other => panic!("{number}: {other:?}"),
        }
    }
    deliver(&receiver, &paid("LATER", 100)).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_lock_that_nobody_lets_go_is_answered_as_not_stored_within_five_seconds() {
    let store = sqlite().await;
    let inbox = inbox(store.clone());
    let receiver = inbox.receiver(Toy);
    deliver(&receiver, &paid("A1", 100)).await;
    let held = lock(&store).await;
    let began = Instant::now();
    let (new, conflict, hint) = (paid("A2", 100), paid("A1", 200), hint("A1"));
    let (new, conflict, hint) = tokio::join!(
        receiver.receive(&new),
        receiver.receive(&conflict),
        receiver.receive(&hint)
    );
    let took = began.elapsed();
    for receipt in [new, conflict] {
        assert!(
            matches!(receipt.received, Received::NotStored(StoreError::Busy)),
            "{receipt:?}"
        );
        assert_eq!(receipt.response.status(), 500, "it comes again");
    }
    // Nothing is expected of that order, which takes no lock to see, or could not be seen.
    assert!(
        matches!(hint.received.as_str(), "unknown-hint" | "not-stored"),
        "{hint:?}"
    );
    assert!(
        took >= Duration::from_secs(3) && took < Duration::from_millis(4900),
        "{took:?}"
    );
    unlock(held).await;
    deliver(&receiver, &paid("A2", 100)).await;
    assert_eq!(receiver.receive(&paid("A1", 200)).await.received.as_str(), "conflict");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn whoever_went_away_before_the_lock_was_free_is_not_stored_for() {
    let store = sqlite().await;
    let held = lock(&store).await;
    let inbox = inbox(store.clone());
    let receiver = inbox.receiver(Toy);
    let gone = tokio::time::timeout(Duration::from_millis(100), receiver.receive(&paid("A1", 100))).await;
    gone.unwrap_err();
    tokio::time::sleep(Duration::from_millis(50)).await;
    unlock(held).await;
    // It comes again, and is new.
    let id = deliver(&receiver, &paid("A1", 100)).await;
    let first = inbox.event(id).await.unwrap();
    assert!(first.is_some());
}

#[tokio::test]
async fn the_store_says_what_was_there() {
    let store = sqlite().await;
    let inbox = inbox(store.clone());
    let id = deliver(&inbox.receiver(Toy), &paid("A1", 100)).await;
    let event = inbox.event(id).await.unwrap().unwrap();
    let again = yuanfen_inbox::NewEvent::from_query(event.key.clone(), event.facts.clone(), false, event.received_at);
    let known = store.insert_event(again).await.unwrap();
    assert!(matches!(known, Inserted::Known { id: of, facts, .. } if of == id && facts == event.facts));
}
