//! What is acknowledged must outlive a loss of power. SIGKILL does not show it, so the settings are read, on every
//! connection, and less is refused.

use std::sync::Arc;
use std::sync::atomic::{AtomicU32, Ordering};

use sqlx::Connection as _;
use sqlx::postgres::{PgConnectOptions, PgPoolOptions};
use sqlx::sqlite::{SqliteConnectOptions, SqliteJournalMode, SqlitePoolOptions, SqliteSynchronous};
use yuanfen_inbox::store::Store;
use yuanfen_inbox::{EventFilter, EventState, ExpectError, PostgresStore, Received, SqliteStore, StoreError};
use yuanfen_testkit::PostgresServer;

use crate::place::{Shipping, inbox, postgres, sqlite};
use crate::shop::{deliver, expect};
use crate::toy::{Toy, order, paid};

fn refused(error: &StoreError) -> (&'static str, &str) {
    let StoreError::NotDurable { setting, value, .. } = error else {
        panic!("{error}")
    };
    let text = error.to_string();
    assert!(
        text.starts_with(&format!("`{setting}` is {value} on this connection, and ")),
        "{text}"
    );
    (setting, value)
}

#[tokio::test]
async fn every_connection_of_a_sqlite_store_waits_for_the_disk() {
    let store = sqlite().await;
    let mut connections = Vec::new();
    for _ in 0..store.pool().options().get_max_connections() {
        connections.push(store.pool().acquire().await.unwrap());
    }
    for connection in &mut connections {
        let synchronous: i64 = sqlx::query_scalar("pragma synchronous")
            .fetch_one(&mut **connection)
            .await
            .unwrap();
        let journal: String = sqlx::query_scalar("pragma journal_mode")
            .fetch_one(&mut **connection)
            .await
            .unwrap();
        assert_eq!((synchronous, &*journal), (2, "wal"));
    }
    // Those on which handlers run are others.
    let (_turn, mut transaction) = store.begin().await.unwrap();
    let synchronous: i64 = sqlx::query_scalar("pragma synchronous")
        .fetch_one(&mut *transaction)
        .await
        .unwrap();
    assert_eq!(synchronous, 2);
}

fn sqlite_file() -> SqliteConnectOptions {
    SqliteStore::options(tempfile::tempdir().unwrap().keep().join("shop.db"))
}

#[tokio::test]
async fn a_sqlite_pool_that_waits_less_is_refused() {
    let file = sqlite_file();
    let less = [
        (
            file.clone().synchronous(SqliteSynchronous::Normal),
            ("synchronous", "1"),
        ),
        (file.clone().synchronous(SqliteSynchronous::Off), ("synchronous", "0")),
        (
            sqlite_file().journal_mode(SqliteJournalMode::Delete),
            ("journal_mode", "delete"),
        ),
        (
            sqlite_file().journal_mode(SqliteJournalMode::Off),
            ("journal_mode", "off"),
        ),
    ];
    for (options, expected) in less {
        let pool = SqlitePoolOptions::new().connect_with(options).await.unwrap();
        let error = SqliteStore::new(pool).await.unwrap_err();
        assert_eq!(refused(&error), expected);
    }
    let extra = file.synchronous(SqliteSynchronous::Extra);
    SqliteStore::new(SqlitePoolOptions::new().connect_with(extra).await.unwrap())
        .await
        .unwrap();
}

#[tokio::test]
async fn an_in_memory_database_is_refused() {
    let error = SqliteStore::open(":memory:").await.unwrap_err();
    assert_eq!(refused(&error), ("journal_mode", "memory"));
    let pool = SqlitePoolOptions::new().connect("sqlite::memory:").await.unwrap();
    let error = SqliteStore::new(pool).await.unwrap_err();
    refused(&error);
}

#[tokio::test]
async fn a_sqlite_pool_whose_later_connections_wait_less_commits_nothing_on_them() {
    let connections = Arc::new(AtomicU32::new(0));
    let pool = SqlitePoolOptions::new().after_connect(move |connection, _| {
        let is_first = connections.fetch_add(1, Ordering::SeqCst) == 0;
        Box::pin(async move {
            let pragma = if is_first {
                "select 1"
            } else {
                "pragma synchronous = off"
            };
            sqlx::query(pragma).execute(connection).await.map(drop)
        })
    });
    let store = SqliteStore::new(pool.connect_with(sqlite_file()).await.unwrap())
        .await
        .unwrap();
    let inbox = inbox(store);
    let receiver = inbox.receiver(Toy);
    // The connection that stores notices is the store's, with the pool's options and none of its hooks.
    let id = deliver(&receiver, &paid("A1", 100)).await;
    let receipt = receiver.receive(&paid("A1", 200)).await;
    let Received::NotStored(error) = &receipt.received else {
        panic!("{receipt:?}")
    };
    assert_eq!(refused(error), ("synchronous", "0"));
    assert_eq!(receipt.response.status(), 500);
    let error = inbox.workers(Shipping).drain().await.unwrap_err();
    assert_eq!(refused(&error), ("synchronous", "0"));
    assert_eq!(refused(&inbox.park(id).await.unwrap_err()), ("synchronous", "0"));
    let event = inbox.event(id).await.unwrap().unwrap();
    assert_eq!((event.state, event.attempts), (EventState::Ready, 0));
    assert!(inbox.conflicts(id).await.unwrap().is_empty());
}

#[tokio::test]
async fn the_connection_that_stores_notices_is_looked_at_as_well() {
    // The pool raises what its options leave low; the inbox opens that connection by the options alone.
    let pool = SqlitePoolOptions::new().after_connect(|connection, _| {
        Box::pin(async move {
            sqlx::query("pragma synchronous = full")
                .execute(connection)
                .await
                .map(drop)
        })
    });
    let low = sqlite_file().synchronous(SqliteSynchronous::Normal);
    let store = SqliteStore::new(pool.connect_with(low).await.unwrap()).await.unwrap();
    let inbox = inbox(store);
    let receipt = inbox.receiver(Toy).receive(&paid("A1", 100)).await;
    assert_eq!(receipt.response.status(), 500, "it must come again");
    let Received::NotStored(error) = receipt.received else {
        panic!("{receipt:?}")
    };
    assert_eq!(refused(&error), ("synchronous", "1"));
    assert!(inbox.events(&EventFilter::default()).await.unwrap().is_empty());
}

#[tokio::test]
async fn a_shop_that_lowers_its_sqlite_session_is_refused_when_it_expects() {
    let inbox = inbox(sqlite().await);
    let mut connection = inbox.store().pool().acquire().await.unwrap();
    sqlx::query("pragma synchronous = normal")
        .execute(&mut *connection)
        .await
        .unwrap();
    let mut transaction = connection.begin().await.unwrap();
    let error = inbox.expect(&mut transaction, order("A1", 100)).await.unwrap_err();
    let ExpectError::Store(error) = &error else {
        panic!("{error}")
    };
    assert_eq!(refused(error), ("synchronous", "1"));
}

#[tokio::test]
async fn every_connection_of_a_postgres_store_waits_for_the_disk() {
    let Some(store) = postgres().await else { return };
    let mut connections = Vec::new();
    for _ in 0..store.pool().options().get_max_connections() {
        connections.push(store.pool().acquire().await.unwrap());
    }
    for connection in &mut connections {
        let setting: String = sqlx::query_scalar("show synchronous_commit")
            .fetch_one(&mut **connection)
            .await
            .unwrap();
        assert_eq!(setting, "on");
    }
}

/// The options of a database of its own.
async fn postgres_options() -> Option<PgConnectOptions> {
    Some(postgres().await?.pool().connect_options().as_ref().clone())
}

#[tokio::test]
async fn a_postgres_pool_that_waits_less_is_refused() {
    let Some(options) = postgres_options().await else {
        return;
    };
    for less in ["off", "local", "remote_write"] {
        let options = options.clone().options([("synchronous_commit", less)]);
        let pool = PgPoolOptions::new().connect_with(options).await.unwrap();
        let error = PostgresStore::new(pool).await.unwrap_err();
        assert_eq!(refused(&error), ("synchronous_commit", less));
    }
    let more = options.options([("synchronous_commit", "remote_apply")]);
    PostgresStore::new(PgPoolOptions::new().connect_with(more).await.unwrap())
        .await
        .unwrap();
}

#[tokio::test]
async fn a_database_that_waits_less_by_default_does_not_for_the_pool_that_the_store_opens() {
    let Some(server) = PostgresServer::shared() else { return };
    let url = server.create_database();
    let name = url.rsplit('/').next().unwrap();
    server.psql(&url, &format!("alter database {name} set synchronous_commit = off"));
    let store = PostgresStore::connect(url.parse().unwrap()).await.unwrap();
    let setting: String = sqlx::query_scalar("show synchronous_commit")
        .fetch_one(store.pool())
        .await
        .unwrap();
    assert_eq!(setting, "on");
    let pool = PgPoolOptions::new().connect(&url).await.unwrap();
    let error = PostgresStore::new(pool).await.unwrap_err();
    assert_eq!(refused(&error), ("synchronous_commit", "off"));
}

#[tokio::test]
async fn a_server_that_does_not_wait_for_its_disk_is_refused() {
    let Some(server) = PostgresServer::shared() else { return };
    for setting in ["fsync", "full_page_writes"] {
        let url = server.create_database();
        // The server of these tests does wait. This database says otherwise to whoever asks.
        let lie = format!(
            "create schema lie; create function lie.current_setting(text) returns text language sql as \
             $$ select case $1 when '{setting}' then 'off' else pg_catalog.current_setting($1) end $$"
        );
        server.psql(&url, &lie);
        let options: PgConnectOptions = url.parse().unwrap();
        let error = PostgresStore::connect(options.options([("search_path", "lie,pg_catalog,public")])).await;
        // `connect` adds to the options, so both are there.
        assert_eq!(refused(&error.unwrap_err()), (setting, "off"));
    }
}

#[tokio::test]
async fn a_postgres_pool_whose_later_connections_wait_less_commits_nothing_on_them() {
    let Some(options) = postgres_options().await else {
        return;
    };
    let connections = Arc::new(AtomicU32::new(0));
    let pool = PgPoolOptions::new().after_connect(move |connection, _| {
        let is_first = connections.fetch_add(1, Ordering::SeqCst) == 0;
        Box::pin(async move {
            let set = if is_first {
                "select 1"
            } else {
                "set synchronous_commit = off"
            };
            sqlx::query(set).execute(connection).await.map(drop)
        })
    });
    let weak = inbox(
        PostgresStore::new(pool.connect_with(options.clone()).await.unwrap())
            .await
            .unwrap(),
    );
    let receipt = weak.receiver(Toy).receive(&paid("A1", 100)).await;
    let Received::NotStored(error) = &receipt.received else {
        panic!("{receipt:?}")
    };
    assert_eq!(refused(error), ("synchronous_commit", "off"));
    assert_eq!(receipt.response.status(), 500);
    assert!(
        weak.events(&EventFilter::default()).await.unwrap().is_empty(),
        "not even a row"
    );
    let full = inbox(PostgresStore::connect(options).await.unwrap());
    let id = deliver(&full.receiver(Toy), &paid("A1", 100)).await;
    let receipt = weak.receiver(Toy).receive(&paid("A1", 200)).await;
    assert!(matches!(receipt.received, Received::NotStored(_)), "{receipt:?}");
    for error in [
        weak.workers(Shipping).drain().await.unwrap_err(),
        weak.park(id).await.unwrap_err(),
        weak.retry(id).await.unwrap_err(),
    ] {
        assert_eq!(refused(&error), ("synchronous_commit", "off"));
    }
    let event = full.event(id).await.unwrap().unwrap();
    assert_eq!((event.state, event.attempts), (EventState::Ready, 0));
    assert!(full.conflicts(id).await.unwrap().is_empty());
}

#[tokio::test]
async fn a_shop_that_lowers_its_postgres_session_is_refused_when_it_expects() {
    let Some(store) = postgres().await else { return };
    let inbox = inbox(store);
    for lower in ["set synchronous_commit = off", "set local synchronous_commit = local"] {
        let mut transaction = inbox.store().pool().begin().await.unwrap();
        sqlx::query(lower).execute(&mut *transaction).await.unwrap();
        let error = inbox.expect(&mut transaction, order("A1", 100)).await.unwrap_err();
        let ExpectError::Store(error) = &error else {
            panic!("{error}")
        };
        assert_eq!(refused(error).0, "synchronous_commit");
        transaction.rollback().await.unwrap();
    }
    expect(&inbox, order("A1", 100)).await;
}
