//! Handlers that take too long, and handlers that end the transaction that is not theirs.

use std::sync::Arc;
use std::sync::atomic::{AtomicU32, Ordering};
use std::time::{Duration, Instant};

use tokio::sync::mpsc;
use yuanfen_inbox::{EventId, EventState, Handled, Inbox, ParkReason, Received, SqliteStore, handler_fn};

use crate::place::{Place, Shipping, inbox, on_both_stores, sqlite};
use crate::shop::{Clock, deliver, expect, show, work_after_a_death};
use crate::toy::{Toy, order, paid};

async fn one_paid<S: Place>(inbox: &Inbox<S>, number: &str) -> EventId {
    expect(inbox, order(number, 100)).await;
    deliver(&inbox.receiver(Toy), &paid(number, 100)).await
}

/// Whatever a handler did before: the next events are handled, on every connection that there is.
async fn goes_on<S: Place>(inbox: &Inbox<S>) {
    let before = inbox.store().shipped().await.len();
    for round in 0..8 {
        let id = one_paid(inbox, &format!("NEXT{round}")).await;
        assert_eq!(inbox.workers(Shipping).drain().await.unwrap(), [Handled::Done(id)]);
    }
    assert_eq!(inbox.store().shipped().await.len(), before + 8);
}

async fn a_handler_beyond_its_deadline_is_rolled_back<S: Place>(store: S) {
    let clock = Clock::new();
    let inbox = clock
        .inbox(store)
        .with_settings(|settings| settings.handler_deadline = Duration::from_millis(150));
    let id = one_paid(&inbox, "A1").await;
    let slow = handler_fn::<S, _>(|transaction, _| {
        Box::pin(async move {
            S::ship(transaction, "what is not to stay").await?;
            std::future::pending().await
        })
    });
    assert_eq!(inbox.workers(slow).drain().await.unwrap(), [Handled::Failed(id)]);
    let event = show(&inbox, id).await;
    let error = "the handler took longer than 150 ms and was rolled back";
    assert_eq!(
        (event.state, event.last_error.as_deref()),
        (EventState::Ready, Some(error))
    );
    clock.advance(1);
    assert_eq!(inbox.workers(Shipping).drain().await.unwrap(), [Handled::Done(id)]);
    assert_eq!(inbox.store().shipped().await, ["toy/M1/order-paid/A1"]);
}

async fn a_statement_that_runs_beyond_the_deadline_is_ended_with_its_handler<S: Place>(store: S) {
    let clock = Clock::new();
    let inbox = clock
        .inbox(store)
        .with_settings(|settings| settings.handler_deadline = Duration::from_millis(300));
    for round in 0..3 {
        let id = one_paid(&inbox, &format!("A{round}")).await;
        let slow = handler_fn::<S, _>(|transaction, _| {
            Box::pin(async move {
                S::ship(transaction, "what is not to stay").await?;
                Ok(S::dawdle(transaction).await?)
            })
        });
        let began = Instant::now();
        assert_eq!(inbox.workers(slow).drain().await.unwrap(), [Handled::Failed(id)]);
        let took = began.elapsed();
        assert!(
            took < Duration::from_secs(4),
            "the rollback waited for the statement: {took:?}"
        );
        let error = show(&inbox, id).await.last_error;
        assert_eq!(
            error.as_deref(),
            Some("the handler took longer than 300 ms and was rolled back")
        );
        clock.advance(1);
        assert_eq!(inbox.workers(Shipping).drain().await.unwrap(), [Handled::Done(id)]);
    }
    goes_on(&inbox).await;
}

async fn a_worker_that_is_aborted_in_a_statement_leaves_nothing_behind<S: Place>(store: S) {
    let clock = Clock::new();
    let inbox = clock
        .inbox(store)
        .with_settings(|settings| settings.handler_deadline = Duration::from_millis(800));
    let id = one_paid(&inbox, "A1").await;
    let (begun, mut begins) = mpsc::unbounded_channel();
    let slow = handler_fn::<S, _>(move |transaction, _| {
        let begun = begun.clone();
        Box::pin(async move {
            S::ship(transaction, "what is not to stay").await?;
            begun.send(()).ok();
            Ok(S::dawdle(transaction).await?)
        })
    });
    let workers = inbox.workers(slow);
    let working = tokio::spawn(async move { workers.drain().await });
    begins.recv().await.unwrap();
    tokio::time::sleep(Duration::from_millis(50)).await;
    working.abort();
    working.await.unwrap_err();
    clock.advance(60);
    assert_eq!(work_after_a_death(&inbox).await, [Handled::Done(id)]);
    assert_eq!(inbox.store().shipped().await, ["toy/M1/order-paid/A1"]);
    goes_on(&inbox).await;
}

async fn a_handler_that_rolls_back_by_itself_is_parked_and_not_repeated<S: Place>(store: S) {
    let inbox = inbox(store);
    let id = one_paid(&inbox, "A1").await;
    let calls = Arc::new(AtomicU32::new(0));
    let counted = Arc::clone(&calls);
    let meddling = handler_fn::<S, _>(move |transaction, event| {
        counted.fetch_add(1, Ordering::SeqCst);
        Box::pin(async move {
            S::run(transaction, "rollback").await?;
            // On its own now, outside of what the inbox can undo.
            Ok(S::ship(transaction, &event.key.to_string()).await?)
        })
    });
    let workers = inbox.workers(meddling);
    assert_eq!(
        workers.drain().await.unwrap(),
        [Handled::Parked(id, ParkReason::Handler)]
    );
    let error = show(&inbox, id).await.last_error.unwrap();
    assert!(
        error.starts_with("the handler ended the inbox's transaction"),
        "{error}"
    );
    assert_eq!(calls.load(Ordering::SeqCst), 1);
    goes_on(&inbox).await;
}

async fn a_handler_that_commits_by_itself_takes_effect_once<S: Place>(store: S) {
    let clock = Clock::new();
    let inbox = clock.inbox(store);
    let id = one_paid(&inbox, "A1").await;
    let meddling = handler_fn::<S, _>(move |transaction, event| {
        Box::pin(async move {
            S::ship(transaction, &event.key.to_string()).await?;
            S::run(transaction, "commit").await?;
            Err(std::fmt::Error.into())
        })
    });
    assert_eq!(inbox.workers(meddling).drain().await.unwrap(), [Handled::Lost(id)]);
    assert_eq!(
        show(&inbox, id).await.state,
        EventState::Done,
        "the mark went with the commit"
    );
    clock.advance(3600);
    assert_eq!(inbox.workers(Shipping).drain().await.unwrap(), []);
    assert_eq!(inbox.store().shipped().await, ["toy/M1/order-paid/A1"]);
    goes_on(&inbox).await;
}

async fn a_constraint_that_fails_at_the_commit_is_a_failed_attempt<S: Place>(store: S) {
    let clock = Clock::new();
    let inbox = clock.inbox(store);
    let (turn, mut transaction) = inbox.store().begin().await.unwrap();
    let tables = "create table parcel (id integer primary key); create table item (id integer primary key, \
                  parcel integer references parcel (id) deferrable initially deferred)";
    S::run(&mut transaction, tables).await.unwrap();
    inbox.store().commit(transaction).await.unwrap();
    drop(turn);
    let id = one_paid(&inbox, "A1").await;
    let careless = handler_fn::<S, _>(move |transaction, event| {
        Box::pin(async move {
            S::ship(transaction, &event.key.to_string()).await?;
            Ok(S::run(transaction, "insert into item values (1, 7)").await?)
        })
    });
    assert_eq!(inbox.workers(careless).drain().await.unwrap(), [Handled::Failed(id)]);
    let event = show(&inbox, id).await;
    let error = event.last_error.unwrap().to_lowercase();
    assert!(error.contains("foreign key"), "{error}");
    assert!(inbox.store().shipped().await.is_empty());
    clock.advance(1);
    assert_eq!(inbox.workers(Shipping).drain().await.unwrap(), [Handled::Done(id)]);
    goes_on(&inbox).await;
}

on_both_stores!(
    a_handler_beyond_its_deadline_is_rolled_back,
    a_statement_that_runs_beyond_the_deadline_is_ended_with_its_handler,
    a_worker_that_is_aborted_in_a_statement_leaves_nothing_behind,
    a_handler_that_rolls_back_by_itself_is_parked_and_not_repeated,
    a_handler_that_commits_by_itself_takes_effect_once,
    a_constraint_that_fails_at_the_commit_is_a_failed_attempt,
);

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn on_sqlite_a_notice_is_acknowledged_in_time_while_a_handler_runs_to_its_default_deadline() {
    let inbox = inbox(sqlite().await);
    assert_eq!(inbox.settings().handler_deadline, Duration::from_secs(2));
    let id = one_paid(&inbox, "A1").await;
    let (begun, mut begins) = mpsc::unbounded_channel();
    let stuck = handler_fn::<SqliteStore, _>(move |_, _| {
        let begun = begun.clone();
        Box::pin(async move {
            begun.send(()).ok();
            std::future::pending().await
        })
    });
    let workers = inbox.workers(stuck);
    let working = tokio::spawn(async move { workers.drain().await });
    begins.recv().await.unwrap();
    let receiver = inbox.receiver(Toy);
    let began = Instant::now();
    // A new one, a duplicate, and a contradiction.
    let (new, known, other) = (paid("A2", 100), paid("A1", 100), paid("A1", 200));
    let (new, known, other) = tokio::join!(
        receiver.receive(&new),
        receiver.receive(&known),
        receiver.receive(&other)
    );
    let took = began.elapsed();
    assert!(matches!(new.received, Received::New(_)), "{new:?}");
    assert!(
        matches!(known.received, Received::Duplicate(same) if same == id),
        "{known:?}"
    );
    assert!(matches!(other.received, Received::Conflict { .. }), "{other:?}");
    assert!(took < Duration::from_millis(3500), "{took:?}");
    working.abort();
}

#[cfg(unix)]
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn on_postgres_a_duplicate_of_the_event_that_is_being_handled_is_acknowledged_at_once() {
    let Some(store) = crate::place::postgres().await else {
        return;
    };
    let inbox = inbox(store);
    assert_eq!(inbox.settings().handler_deadline, Duration::from_secs(30));
    let id = one_paid(&inbox, "A1").await;
    let (begun, mut begins) = mpsc::unbounded_channel();
    let stuck = handler_fn::<yuanfen_inbox::PostgresStore, _>(move |_, _| {
        let begun = begun.clone();
        Box::pin(async move {
            begun.send(()).ok();
            std::future::pending().await
        })
    });
    let workers = inbox.workers(stuck);
    let working = tokio::spawn(async move { workers.drain().await });
    begins.recv().await.unwrap();
    let receiver = inbox.receiver(Toy);
    let began = Instant::now();
    let known = receiver.receive(&paid("A1", 100)).await;
    assert!(
        matches!(known.received, Received::Duplicate(same) if same == id),
        "{known:?}"
    );
    let other = receiver.receive(&paid("A1", 200)).await;
    assert!(matches!(other.received, Received::Conflict { .. }), "{other:?}");
    let took = began.elapsed();
    assert!(took < Duration::from_secs(1), "it waited for the handler: {took:?}");
    working.abort();
}

#[cfg(unix)]
#[tokio::test]
async fn on_postgres_a_handler_that_goes_on_after_a_failed_statement_has_failed() {
    let Some(store) = crate::place::postgres().await else {
        return;
    };
    let inbox = inbox(store);
    let id = one_paid(&inbox, "A1").await;
    // The server has given the transaction up, and would answer a commit with a rollback, and no error.
    let careless = handler_fn::<yuanfen_inbox::PostgresStore, _>(|transaction, _| {
        Box::pin(async move {
            let connection: &mut sqlx::PgConnection = transaction;
            sqlx::query("insert into shipped (event) values (null)")
                .execute(connection)
                .await
                .unwrap_err();
            Ok(())
        })
    });
    assert_eq!(inbox.workers(careless).drain().await.unwrap(), [Handled::Failed(id)]);
    let error = show(&inbox, id).await.last_error.unwrap();
    assert!(error.contains("current transaction is aborted"), "{error}");
    goes_on(&inbox).await;
}

#[tokio::test]
async fn on_sqlite_a_handler_that_goes_on_after_a_failure_that_rolled_back_is_parked() {
    let inbox = inbox(sqlite().await);
    let id = one_paid(&inbox, "A1").await;
    let careless = handler_fn::<SqliteStore, _>(|transaction, _| {
        Box::pin(async move {
            let connection: &mut sqlx::SqliteConnection = transaction;
            sqlx::query("insert or rollback into shipped (event) values (null)")
                .execute(connection)
                .await
                .unwrap_err();
            Ok(())
        })
    });
    let handled = inbox.workers(careless).drain().await.unwrap();
    assert_eq!(handled, [Handled::Parked(id, ParkReason::Handler)]);
    goes_on(&inbox).await;
}
