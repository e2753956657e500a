//! The shop's database: the inbox's store, and beside it the table of the shop's own handler.

use sqlx::{PgConnection, SqliteConnection};
use yuanfen_inbox::store::Store;
use yuanfen_inbox::{PostgresStore, SqliteStore};

use super::Trouble;

/// What a handler writes when an event takes effect. Nothing but the inbox keeps it from writing it twice: the table takes
/// an event as often as it comes.
pub(super) struct Effect {
    pub(super) event: String,
    /// Which attempt wrote it.
    pub(super) attempt: i64,
    /// The worker's process.
    pub(super) process: i64,
}

/// A store with the shop's table in it.
pub(super) trait Place: Store {
    /// Opens the database there: a file, or a URL.
    fn open_at(at: &str) -> impl Future<Output = Result<Self, Trouble>> + Send;

    /// Makes the shop's table.
    fn prepare(&self) -> impl Future<Output = Result<(), Trouble>> + Send;

    /// Writes a row, in the transaction of that connection.
    fn take_effect(
        connection: &mut Self::Connection,
        effect: &Effect,
    ) -> impl Future<Output = Result<(), sqlx::Error>> + Send;

    /// The event of every row of the shop's table.
    fn effects(&self) -> impl Future<Output = Result<Vec<String>, Trouble>> + Send;

    /// Closes all connections, so that the files are whole.
    fn close(&self) -> impl Future<Output = ()> + Send;

    /// How many events are ready, or being worked on.
    fn ready(&self) -> impl Future<Output = Result<i64, Trouble>> + Send;
}

const INSERT: &str = "insert into effect (event, attempt, process) values ($1, $2, $3)";
const EFFECTS: &str = "select event from effect";
const READY: &str = "select count(*) from yuanfen_inbox_event where state = 'ready'";

macro_rules! shop {
    ($Connection:ty, $table:literal) => {
        async fn prepare(&self) -> Result<(), Trouble> {
            sqlx::query($table).execute(self.pool()).await?;
            Ok(())
        }

        async fn take_effect(connection: &mut $Connection, effect: &Effect) -> Result<(), sqlx::Error> {
            let insert = sqlx::query(INSERT).bind(&effect.event).bind(effect.attempt);
            insert.bind(effect.process).execute(connection).await.map(drop)
        }

        async fn effects(&self) -> Result<Vec<String>, Trouble> {
            Ok(sqlx::query_scalar(EFFECTS).fetch_all(self.pool()).await?)
        }

        async fn close(&self) {
            self.pool().close().await;
        }

        async fn ready(&self) -> Result<i64, Trouble> {
            Ok(sqlx::query_scalar(READY).fetch_one(self.pool()).await?)
        }
    };
}

impl Place for SqliteStore {
    async fn open_at(at: &str) -> Result<Self, Trouble> {
        Ok(Self::open(at).await?)
    }

    shop!(
        SqliteConnection,
        "create table if not exists effect \
         (id integer primary key, event text not null, attempt integer not null, process integer not null)"
    );
}

impl Place for PostgresStore {
    async fn open_at(at: &str) -> Result<Self, Trouble> {
        Ok(Self::connect(at.parse()?).await?)
    }

    shop!(
        PgConnection,
        "create table if not exists effect (id bigint generated always as identity primary key, event text not null, \
         attempt bigint not null, process bigint not null)"
    );
}
