//! What stores notices: one connection, and one commit for all that arrived while the last one was under way.

use std::collections::HashMap;
use std::sync::Arc;
use std::time::{Duration, Instant};

use sqlx::sqlite::SqliteConnectOptions;
use sqlx::{AssertSqlSafe, ConnectOptions as _, Row as _, SqlSafeStr as _, SqliteConnection};
use tokio::sync::{mpsc, oneshot};
use yuanfen_core::EventKey;

use super::open::must_be_durable;
use super::turns::Turns;
use super::{PATIENCE, bind_event, busy_or, is_busy, known_event};
use crate::store::Inserted;
use crate::store::statements::new_event_columns;
use crate::{EventId, NewEvent, StoreError};

/// As many events go into one statement at most.
const BATCH: usize = 32;

/// As many may wait; more wait outside.
const WAITING: usize = 1024;

/// What [`bind_event`] binds, and which of it is when the event came.
const BOUND: usize = 19;
const RECEIVED_AT: usize = 15;

const INTO: &str = concat!("insert into yuanfen_inbox_event (", new_event_columns!(), ") values ");

/// `(…)` of each row follows, then this.
const OR_LEAVE: &str = " on conflict (route, account, subject, transition) do nothing \
                        returning id, route, account, subject, transition";

/// While another process has the lock, it is asked for at such a pace: often enough to win it from a worker.
const FIRST_PAUSE: Duration = Duration::from_millis(1);
const LONGEST_PAUSE: Duration = Duration::from_millis(4);

struct Job {
    event: NewEvent,
    asked: Instant,
    answer: oneshot::Sender<Result<Inserted, StoreError>>,
}

/// The way to the task that stores events. The task ends when the last one is dropped.
#[derive(Clone, Debug)]
pub(super) struct Writer {
    jobs: mpsc::Sender<Job>,
}

impl std::fmt::Debug for Job {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Job")
            .field("event", &self.event)
            .finish_non_exhaustive()
    }
}

impl Writer {
    /// Starts the task; `options` do not wait for the lock by themselves.
    pub(super) fn start(options: SqliteConnectOptions, turns: Arc<Turns>) -> Self {
        let (jobs, queue) = mpsc::channel(WAITING);
        tokio::spawn(run(queue, options, turns));
        Self { jobs }
    }

    /// Stores an event and commits, unless one of its key is there.
    pub(super) async fn insert(&self, event: NewEvent) -> Result<Inserted, StoreError> {
        let (answer, stored) = oneshot::channel();
        let asked = Instant::now();
        let gone = || StoreError::database("the task that stores events has ended with its runtime");
        self.jobs.send(Job { event, asked, answer }).await.map_err(|_| gone())?;
        stored.await.unwrap_or_else(|_| Err(gone()))
    }
}

async fn run(mut queue: mpsc::Receiver<Job>, options: SqliteConnectOptions, turns: Arc<Turns>) {
    let mut connection: Option<SqliteConnection> = None;
    let mut jobs = Vec::with_capacity(BATCH);
    while queue.recv_many(&mut jobs, BATCH).await > 0 {
        let turn = turns.receiver().await;
        let mut pause = FIRST_PAUSE;
        loop {
            // Those that came while the lock was waited for go along.
            while jobs.len() < BATCH
                && let Ok(job) = queue.try_recv()
            {
                jobs.push(job);
            }
            let mut waiting = Vec::with_capacity(jobs.len());
            for job in jobs.drain(..) {
                if job.asked.elapsed() >= PATIENCE {
                    job.tell(Err(StoreError::Busy));
                } else if !job.answer.is_closed() {
                    // Whoever does not wait any more is not told, and the platform will come again.
                    waiting.push(job);
                }
            }
            jobs = waiting;
            if jobs.is_empty() {
                break;
            }
            match store(&mut connection, &options, &jobs).await {
                Ok(stored) => {
                    for (job, stored) in jobs.drain(..).zip(stored) {
                        job.tell(stored);
                    }
                    break;
                }
                Err(StoreError::Busy) => {
                    tokio::time::sleep(pause).await;
                    pause = (pause * 2).min(LONGEST_PAUSE);
                }
                Err(error) => {
                    one_by_one(&mut connection, &options, jobs.drain(..), error).await;
                    break;
                }
            }
        }
        drop(turn);
    }
}

/// After a statement for several that failed: an event that the database refuses, because of a trigger of the shop's for
/// one, must not take the others with it.
async fn one_by_one(
    connection: &mut Option<SqliteConnection>,
    options: &SqliteConnectOptions,
    jobs: std::vec::Drain<'_, Job>,
    error: StoreError,
) {
    if jobs.len() == 1 {
        // It failed for this one.
        let mut error = Some(error);
        jobs.for_each(|job| job.tell(Err(error.take().unwrap_or(StoreError::Busy))));
        return;
    }
    for job in jobs {
        let stored = store(connection, options, std::slice::from_ref(&job)).await;
        job.tell(stored.and_then(|mut stored| stored.pop().unwrap_or(Err(StoreError::Busy))));
    }
}

impl Job {
    fn tell(self, stored: Result<Inserted, StoreError>) {
        // Whoever went away finds out when the platform comes again.
        self.answer.send(stored).ok();
    }
}

/// Stores what is new and commits; says of each what became of it, in their order.
async fn store(
    kept: &mut Option<SqliteConnection>,
    options: &SqliteConnectOptions,
    jobs: &[Job],
) -> Result<Vec<Result<Inserted, StoreError>>, StoreError> {
    let mut connection = match kept.take() {
        Some(connection) => connection,
        None => connect(options).await.map_err(busy_or)?,
    };
    let mut new = match insert(&mut connection, jobs).await {
        Ok(new) => new,
        Err(error) if is_busy(&error) => {
            *kept = Some(connection);
            return Err(StoreError::Busy);
        }
        // Dropped: what broke the statement may have broken the connection.
        Err(error) => return Err(error.into()),
    };
    let mut stored = Vec::with_capacity(jobs.len());
    for Job { event, .. } in jobs {
        // Of two with one key in one batch, the first one is new.
        stored.push(match new.remove(&event.key) {
            Some(id) => Ok(Inserted::New(id)),
            // It was there when the insert was tried, and events are not deleted.
            None => match known_event(&mut connection, &event.key).await {
                Ok(Some(known)) => Ok(known),
                Ok(None) => Err(StoreError::NoSuchEvent),
                Err(error) => Err(error),
            },
        });
    }
    *kept = Some(connection);
    Ok(stored)
}

async fn connect(options: &SqliteConnectOptions) -> Result<SqliteConnection, StoreError> {
    let mut connection = options.connect().await?;
    must_be_durable(&mut connection).await?;
    Ok(connection)
}

/// One statement, which is one transaction of its own. Hands out the numbers of what was new.
async fn insert(connection: &mut SqliteConnection, jobs: &[Job]) -> Result<HashMap<EventKey, EventId>, sqlx::Error> {
    let sql = AssertSqlSafe(statement(jobs.len())).into_sql_str();
    let mut query = sqlx::query(sql);
    for job in jobs {
        query = bind_event(query, &job.event);
    }
    let mut ids = HashMap::with_capacity(jobs.len());
    for row in query.fetch_all(connection).await? {
        let (route, account): (String, String) = (row.try_get("route")?, row.try_get("account")?);
        let (subject, transition): (String, String) = (row.try_get("subject")?, row.try_get("transition")?);
        let transition = yuanfen_core::Transition::from_name(&transition);
        if let Some(transition) = transition {
            let key = EventKey::new(route, account, subject, transition);
            ids.insert(key, EventId::new(row.try_get("id")?));
        }
    }
    Ok(ids)
}

fn statement(rows: usize) -> String {
    let mut sql = INTO.to_owned();
    for row in 0..rows {
        sql.push_str(if row == 0 { "(" } else { ", (" });
        for column in (1..=BOUND).chain([RECEIVED_AT]) {
            sql.push('$');
            sql.push_str(&(row * BOUND + column).to_string());
            sql.push_str(", ");
        }
        sql.push_str("'ready')");
    }
    sql.push_str(OR_LEAVE);
    sql
}
