//! A database of its own for each test, with the shop's one table in it.

use std::any::Any;

use sqlx::{PgConnection, SqliteConnection};
use yuanfen_core::UnixTime;
use yuanfen_inbox::store::Store;
use yuanfen_inbox::{HandlerError, Inbox, PostgresStore, SqliteStore, StoredEvent, TxHandler};
use yuanfen_testkit::PostgresServer;

/// When the tests begin.
pub const START: UnixTime = UnixTime::from_seconds(1_790_000_000);

/// A store with the shop's table `shipped`, which takes a key more than once: only the inbox keeps it from that.
pub trait Place: Store {
    fn ship(connection: &mut Self::Connection, key: &str) -> impl Future<Output = Result<(), sqlx::Error>> + Send;

    /// All that was shipped, in order.
    fn shipped(&self) -> impl Future<Output = Vec<String>> + Send;

    /// Runs the shop's SQL.
    fn run(
        connection: &mut Self::Connection,
        sql: &'static str,
    ) -> impl Future<Output = Result<(), sqlx::Error>> + Send;

    /// One statement that takes minutes.
    fn dawdle(connection: &mut Self::Connection) -> impl Future<Output = Result<(), sqlx::Error>> + Send;

    /// Keeps everybody else from the inbox's events until the transaction ends.
    fn bar(connection: &mut Self::Connection) -> impl Future<Output = Result<(), sqlx::Error>> + Send;

    /// All connections of the shop's pool, taken until this is dropped.
    fn exhaust(&self) -> impl Future<Output = Box<dyn Any + Send>> + Send;

    /// Waits until no process that died has an event in a transaction any more.
    fn settle(&self) -> impl Future<Output = ()> + Send;

    /// The same database, opened by another process.
    fn beside(&self) -> impl Future<Output = Self> + Send;
}

impl Place for SqliteStore {
    async fn ship(connection: &mut SqliteConnection, key: &str) -> Result<(), sqlx::Error> {
        let insert = sqlx::query("insert into shipped (event) values ($1)").bind(key);
        insert.execute(connection).await.map(drop)
    }

    async fn shipped(&self) -> Vec<String> {
        let rows = sqlx::query_scalar("select event from shipped order by id");
        rows.fetch_all(self.pool()).await.unwrap()
    }

    async fn run(connection: &mut SqliteConnection, sql: &'static str) -> Result<(), sqlx::Error> {
        sqlx::raw_sql(sql).execute(connection).await.map(drop)
    }

    async fn dawdle(connection: &mut SqliteConnection) -> Result<(), sqlx::Error> {
        // It writes at its end, so that it would be in the way of all others.
        let sql = "insert into shipped (event) with recursive numbers (n) as (select 1 union all select n + 1 from numbers \
                   where n < 10000000000) select 'slow' from numbers where n < 0";
        sqlx::query(sql).execute(connection).await.map(drop)
    }

    async fn bar(_connection: &mut SqliteConnection) -> Result<(), sqlx::Error> {
        // Whoever has a transaction of the inbox's has the only lock.
        Ok(())
    }

    async fn exhaust(&self) -> Box<dyn Any + Send> {
        let mut taken = Vec::new();
        for _ in 0..self.pool().options().get_max_connections() {
            taken.push(self.pool().acquire().await.unwrap());
        }
        assert!(self.pool().try_acquire().is_none());
        Box::new(taken)
    }

    async fn settle(&self) {
        // Whoever has the lock has it alone.
        let (_turn, transaction) = self.begin().await.unwrap();
        self.roll_back(transaction).await;
    }

    async fn beside(&self) -> Self {
        Self::open(self.pool().connect_options().get_filename()).await.unwrap()
    }
}

impl Place for PostgresStore {
    async fn ship(connection: &mut PgConnection, key: &str) -> Result<(), sqlx::Error> {
        let insert = sqlx::query("insert into shipped (event) values ($1)").bind(key);
        insert.execute(connection).await.map(drop)
    }

    async fn shipped(&self) -> Vec<String> {
        let rows = sqlx::query_scalar("select event from shipped order by id");
        rows.fetch_all(self.pool()).await.unwrap()
    }

    async fn run(connection: &mut PgConnection, sql: &'static str) -> Result<(), sqlx::Error> {
        sqlx::raw_sql(sql).execute(connection).await.map(drop)
    }

    async fn dawdle(connection: &mut PgConnection) -> Result<(), sqlx::Error> {
        let sql = "select pg_sleep(600)";
        sqlx::query(sql).execute(connection).await.map(drop)
    }

    async fn bar(connection: &mut PgConnection) -> Result<(), sqlx::Error> {
        let sql = "lock table yuanfen_inbox_event in access exclusive mode";
        sqlx::query(sql).execute(connection).await.map(drop)
    }

    async fn exhaust(&self) -> Box<dyn Any + Send> {
        let mut taken = Vec::new();
        for _ in 0..self.pool().options().get_max_connections() {
            taken.push(self.pool().acquire().await.unwrap());
        }
        assert!(self.pool().try_acquire().is_none());
        Box::new(taken)
    }

    async fn settle(&self) {
        let mut transaction = self.pool().begin().await.unwrap();
        let all = sqlx::query("select id from yuanfen_inbox_event for update");
        all.execute(&mut *transaction).await.unwrap();
        transaction.rollback().await.unwrap();
    }

    async fn beside(&self) -> Self {
        Self::connect(self.pool().connect_options().as_ref().clone())
            .await
            .unwrap()
    }
}

/// A file in a folder that is left to the system: a test may end while a task still writes.
pub async fn sqlite() -> SqliteStore {
    let folder = tempfile::tempdir().unwrap().keep();
    let store = SqliteStore::open(folder.join("shop.db")).await.unwrap();
    let table = "create table shipped (id integer primary key, event text not null)";
    sqlx::query(table).execute(store.pool()).await.unwrap();
    store
}

/// `None` where there is no PostgreSQL, which is said aloud.
pub async fn postgres() -> Option<PostgresStore> {
    let url = PostgresServer::shared()?.create_database();
    let store = PostgresStore::connect(url.parse().unwrap()).await.unwrap();
    let table = "create table shipped (id bigint generated always as identity primary key, event text not null)";
    sqlx::query(table).execute(store.pool()).await.unwrap();
    Some(store)
}

/// A handler that ships, once for each time it takes effect.
#[derive(Debug)]
pub struct Shipping;

impl<S: Place> TxHandler<S> for Shipping {
    async fn apply(&self, transaction: &mut S::Transaction, event: &StoredEvent) -> Result<(), HandlerError> {
        Ok(S::ship(transaction, &event.key.to_string()).await?)
    }
}

/// An inbox at the start of time.
pub fn inbox<S: Store>(store: S) -> Inbox<S> {
    Inbox::new(store).with_clock(|| START)
}

/// Runs each of these functions as two tests, one on each store.
macro_rules! on_both_stores {
    ($($name:ident),+ $(,)?) => {
        mod sqlite {
            $(
                #[tokio::test(flavor = "multi_thread", worker_threads = 2)]
                async fn $name() {
                    super::$name($crate::place::sqlite().await).await;
                }
            )+
        }

        #[cfg(unix)]
        mod postgres {
            $(
                #[tokio::test(flavor = "multi_thread", worker_threads = 2)]
                async fn $name() {
                    if let Some(store) = $crate::place::postgres().await {
                        super::$name(store).await;
                    }
                }
            )+
        }
    };
}
pub(crate) use on_both_stores;
