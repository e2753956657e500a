//! The inbox's tables come into being, once, beside the shop's.

use sqlx::migrate::{Migration, MigrationType, Migrator};
use sqlx::{Connection as _, SqlSafeStr as _};
use yuanfen_inbox::{Handled, PostgresStore, SqliteStore, StoreError};
use yuanfen_testkit::PostgresServer;

use crate::place::{Place, Shipping, inbox, on_both_stores};
use crate::shop::{deliver, expect};
use crate::toy::{Toy, order, paid};

async fn a_database_is_opened_again_with_what_is_in_it<S: Place>(store: S) {
    let first = inbox(store);
    expect(&first, order("A1", 100)).await;
    let id = deliver(&first.receiver(Toy), &paid("A1", 100)).await;
    let second = inbox(first.store().beside().await);
    drop(first);
    assert_eq!(second.workers(Shipping).drain().await.unwrap(), [Handled::Done(id)]);
}

async fn run<S: Place>(store: &S, sql: &'static str) {
    let (_turn, mut transaction) = store.begin().await.unwrap();
    S::run(&mut transaction, sql).await.unwrap();
    store.commit(transaction).await.unwrap();
}

const SENTENCE: &str = "the inbox's tables are of schema 99, and this version of yuanfen-inbox knows schemas up to 1: run the \
                        newer version, on every machine";

/// As a later version leaves it behind: with more than one schema that this version does not know.
const NEWER: &str = "insert into yuanfen_inbox_schema (version, description, installed_on, success, checksum, execution_time) \
                     select extra.version, description, installed_on, success, checksum, execution_time \
                     from yuanfen_inbox_schema, (select 98 as version union all select 99) extra";

fn newer<S>(opened: Result<S, StoreError>) {
    let Err(error) = opened else { panic!("it was opened") };
    assert!(
        matches!(error, StoreError::NewerSchema { found: 99, known: 1 }),
        "{error:?}"
    );
    assert_eq!(error.to_string(), SENTENCE);
}

fn foreign<S>(opened: Result<S, StoreError>) {
    let Err(error) = opened else { panic!("it was opened") };
    assert!(matches!(error, StoreError::ForeignSchema { version: 1 }), "{error:?}");
}

#[tokio::test]
async fn a_newer_or_a_foreign_schema_is_refused_on_sqlite() {
    let store = crate::place::sqlite().await;
    let file = store.pool().connect_options().get_filename().to_owned();
    run(&store, NEWER).await;
    newer(SqliteStore::open(&file).await);
    run(&store, "delete from yuanfen_inbox_schema where version > 1").await;
    SqliteStore::open(&file).await.unwrap();
    run(&store, "update yuanfen_inbox_schema set checksum = x'00'").await;
    foreign(SqliteStore::open(&file).await);
}

#[tokio::test]
async fn a_newer_or_a_foreign_schema_is_refused_on_postgres() {
    let Some(store) = crate::place::postgres().await else {
        return;
    };
    let options = store.pool().connect_options().as_ref().clone();
    run(&store, NEWER).await;
    newer(PostgresStore::connect(options.clone()).await);
    run(&store, "delete from yuanfen_inbox_schema where version > 1").await;
    PostgresStore::connect(options.clone()).await.unwrap();
    run(&store, "update yuanfen_inbox_schema set checksum = '\\x00'").await;
    foreign(PostgresStore::connect(options).await);
}

const AT_ONCE: usize = 8;

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn many_processes_may_open_a_new_sqlite_file_at_once() {
    for _ in 0..5 {
        let file = tempfile::tempdir().unwrap().keep().join("shop.db");
        let opening: Vec<_> = (0..AT_ONCE)
            .map(|_| {
                let file = file.clone();
                tokio::spawn(async move { SqliteStore::open(file).await.map(drop) })
            })
            .collect();
        for opened in opening {
            opened.await.unwrap().unwrap();
        }
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn many_processes_may_open_a_new_postgres_database_at_once() {
    let Some(server) = PostgresServer::shared() else { return };
    let url = server.create_database();
    let opening: Vec<_> = (0..AT_ONCE)
        .map(|_| {
            let options = url.parse().unwrap();
            tokio::spawn(async move { PostgresStore::connect(options).await.map(drop) })
        })
        .collect();
    for opened in opening {
        opened.await.unwrap().unwrap();
    }
    assert_eq!(
        server.psql(&url, "select version, success from yuanfen_inbox_schema"),
        "1|t"
    );
}

/// The shop's own two versions.
fn shops_migrations() -> Migrator {
    let scripts = [
        "create table customer (id integer primary key)",
        "create table goods (id integer primary key)",
    ];
    let migrations = (1..).zip(scripts).map(|(version, script)| {
        let kind = MigrationType::Simple;
        Migration::new(
            version,
            format!("shop {version}").into(),
            kind,
            script.into_sql_str(),
            false,
        )
    });
    Migrator::with_migrations(migrations.collect())
}

#[tokio::test]
async fn the_shops_own_migrations_are_not_seen_and_do_not_see_the_inboxs_on_sqlite() {
    let file = tempfile::tempdir().unwrap().keep().join("shop.db");
    let options = SqliteStore::options(&file);
    let mut connection = sqlx::SqliteConnection::connect_with(&options).await.unwrap();
    // Before the inbox is there, and after.
    shops_migrations().run(&mut connection).await.unwrap();
    let store = SqliteStore::open(&file).await.unwrap();
    shops_migrations().run(&mut connection).await.unwrap();
    SqliteStore::open(&file).await.unwrap();
    let counts = "select (select count(*) from _sqlx_migrations), (select count(*) from yuanfen_inbox_schema)";
    let counts: (i64, i64) = sqlx::query_as(counts).fetch_one(store.pool()).await.unwrap();
    assert_eq!(counts, (2, 1));
}

#[tokio::test]
async fn the_shops_own_migrations_are_not_seen_and_do_not_see_the_inboxs_on_postgres() {
    let Some(server) = PostgresServer::shared() else { return };
    let url = server.create_database();
    let mut connection = sqlx::PgConnection::connect(&url).await.unwrap();
    shops_migrations().run(&mut connection).await.unwrap();
    PostgresStore::connect(url.parse().unwrap()).await.unwrap();
    shops_migrations().run(&mut connection).await.unwrap();
    PostgresStore::connect(url.parse().unwrap()).await.unwrap();
    let counts = "select (select count(*) from _sqlx_migrations), (select count(*) from yuanfen_inbox_schema)";
    assert_eq!(server.psql(&url, counts), "2|1");
}

on_both_stores!(a_database_is_opened_again_with_what_is_in_it);
