//! A look at a database makes nothing in it.

#[cfg(unix)]
use yuanfen_inbox::PostgresStore;
use yuanfen_inbox::{EventFilter, Inbox, SqliteStore, StoreError};
#[cfg(unix)]
use yuanfen_testkit::PostgresServer;

use crate::place;
use crate::toy::{Toy, paid};

#[tokio::test]
async fn a_file_that_is_not_there_is_not_made() {
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("shop.db");
    let opened = SqliteStore::open_existing(&file).await;
    assert!(matches!(opened, Err(StoreError::Database(_))), "{opened:?}");
    assert!(!file.exists());
}

#[tokio::test]
async fn a_file_without_an_inbox_stays_as_it_is() {
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("other.db");
    let options = sqlx::sqlite::SqliteConnectOptions::new()
        .filename(&file)
        .create_if_missing(true);
    let pool = sqlx::SqlitePool::connect_with(options).await.unwrap();
    sqlx::query("create table other (id integer)")
        .execute(&pool)
        .await
        .unwrap();
    pool.close().await;
    let before = std::fs::read(&file).unwrap();
    let opened = SqliteStore::open_existing(&file).await;
    assert!(matches!(opened, Err(StoreError::NoInbox)), "{opened:?}");
    assert_eq!(std::fs::read(&file).unwrap(), before);
}

#[tokio::test]
async fn a_file_with_an_inbox_is_looked_at_and_decided_on() {
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("shop.db");
    let first = place::inbox(SqliteStore::open(&file).await.unwrap());
    first.receiver(Toy).receive(&paid("A1", 100)).await;
    let second = Inbox::new(SqliteStore::open_existing(&file).await.unwrap());
    let events = second.events(&EventFilter::default()).await.unwrap();
    assert_eq!(events.len(), 1);
    second.park(events[0].id).await.unwrap();
    assert_eq!(first.health().await.unwrap().parked, 1);
}

#[cfg(unix)]
#[tokio::test]
async fn a_server_database_without_an_inbox_stays_as_it_is() {
    let Some(server) = PostgresServer::shared() else { return };
    let url = server.create_database();
    let opened = PostgresStore::connect_existing(url.parse().unwrap()).await;
    assert!(matches!(opened, Err(StoreError::NoInbox)), "{opened:?}");
    assert_eq!(
        server.psql(&url, "select count(*) from pg_tables where schemaname = 'public'"),
        "0"
    );
    let first = place::inbox(PostgresStore::connect(url.parse().unwrap()).await.unwrap());
    first.receiver(Toy).receive(&paid("A1", 100)).await;
    let second = Inbox::new(PostgresStore::connect_existing(url.parse().unwrap()).await.unwrap());
    let events = second.events(&EventFilter::default()).await.unwrap();
    second.park(events[0].id).await.unwrap();
    assert_eq!(first.health().await.unwrap().parked, 1);
}

#[tokio::test]
async fn tables_of_a_later_version_are_left_alone() {
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("shop.db");
    let store = SqliteStore::open(&file).await.unwrap();
    let later = "insert into yuanfen_inbox_schema (version, description, success, checksum, execution_time) \
                 values (99, 'later', true, x'00', 0)";
    sqlx::query(later).execute(store.pool()).await.unwrap();
    let opened = SqliteStore::open_existing(&file).await;
    assert!(
        matches!(opened, Err(StoreError::NewerSchema { found: 99, .. })),
        "{opened:?}"
    );
}
