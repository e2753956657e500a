//! A worker: the inbox's workers with a handler that writes one row for each effect, and now and then does it badly.

use std::fmt;

use sqlx::SqlitePool;
use sqlx::sqlite::SqlitePoolOptions;
use tokio::sync::oneshot;
use yuanfen_inbox::{HandlerError, Inbox, SqliteStore, StoredEvent, TxHandler};

use super::super::database::{Effect, Place};
use super::super::plan::Manner;
use super::super::stops::say;
use super::super::{Break, Trouble};
use super::{Arguments, DEADLINE};

/// Says `ready 0`, then works until it is told to end.
pub(super) async fn run<S: Place>(
    inbox: &Inbox<S>,
    arguments: &Arguments,
    end: oneshot::Receiver<()>,
) -> Result<(), Trouble> {
    let elsewhere = match arguments.broken {
        Some(Break::OwnConnection) => Some(elsewhere(&arguments.elsewhere).await?),
        _ => None,
    };
    let handler = Handler {
        elsewhere,
        process: i64::from(std::process::id()),
    };
    say("ready 0");
    let ended = async { drop(end.await) };
    inbox.workers(handler).run(ended).await;
    Ok(())
}

/// The file that a broken handler writes to, past its transaction.
pub(in super::super) async fn elsewhere(file: &str) -> Result<SqlitePool, Trouble> {
    let options = SqliteStore::options(file);
    let pool = SqlitePoolOptions::new()
        .max_connections(2)
        .connect_with(options)
        .await?;
    let table = "create table if not exists effect (id integer primary key, event text not null)";
    sqlx::query(table).execute(&pool).await?;
    Ok(pool)
}

struct Handler {
    elsewhere: Option<SqlitePool>,
    process: i64,
}

/// What a handler fails with here.
#[derive(Debug)]
struct Planned(&'static str);

impl fmt::Display for Planned {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.0)
    }
}

impl std::error::Error for Planned {}

impl<S: Place> TxHandler<S> for Handler {
    /// The row comes first, so that whatever goes wrong afterwards must take it back.
    async fn apply(&self, transaction: &mut S::Transaction, event: &StoredEvent) -> Result<(), HandlerError> {
        let effect = Effect {
            event: event.key.to_string(),
            attempt: i64::from(event.attempts),
            process: self.process,
        };
        match &self.elsewhere {
            None => S::take_effect(transaction, &effect).await?,
            Some(pool) => {
                let insert = sqlx::query("insert into effect (event) values ($1)").bind(&effect.event);
                insert.execute(pool).await?;
            }
        }
        match Manner::of(&event.key.subject) {
            Some(Manner::Slow(attempts)) if event.attempts <= attempts => {
                tokio::time::sleep(DEADLINE * 10).await;
                Ok(())
            }
            Some(Manner::Failing(attempts)) if event.attempts <= attempts => {
                if event.attempts.is_multiple_of(2) {
                    // As a panic does, but without a word on standard error.
                    std::panic::resume_unwind(Box::new("a handler that panics"));
                }
                Err(Planned("a handler that fails").into())
            }
            Some(Manner::Refusing) => Err(HandlerError::park(Planned("a handler that wants a person"))),
            Some(Manner::Hopeless) => Err(Planned("a handler that always fails").into()),
            Some(Manner::Plain | Manner::Slow(_) | Manner::Failing(_)) => Ok(()),
            None => Err(HandlerError::park(Planned("an order that this shop never placed"))),
        }
    }
}
