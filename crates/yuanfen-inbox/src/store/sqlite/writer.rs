//! What stores notices: one connection, and one commit for all that arrived while the last one was under way.

use std::collections::HashMap;
use std::sync::Arc;
use std::time::{Duration, Instant};

use sqlx::sqlite::SqliteConnectOptions;
use sqlx::{AssertSqlSafe, ConnectOptions as _, Row as _, SqlSafeStr as _, SqliteConnection};
use tokio::sync::{mpsc, oneshot};
use yuanfen_core::{EventKey, Fen};

use super::turns::Turns;
use super::{PATIENCE, is_busy, must_be_durable};
use crate::store::statements::request_columns;
use crate::{EventId, NewEvent, StoreError};

/// As many events go into one statement at most.
const BATCH: usize = 32;

/// As many may wait; more wait outside.
const WAITING: usize = 1024;

/// Columns of an event when it is new.
const COLUMNS: usize = 19;

const INTO: &str = "insert into yuanfen_inbox_event (route, account, subject, transition, amount, currency, order_no, \
                    remote_id, merchant, app, end_state, origin, is_over, received_at, method, uri, headers, body, \
                    ready_at, state) values ";

/// `(…)` of each row follows, then this.
const OR_LEAVE: &str = " on conflict (route, account, subject, transition) do nothing \
                        returning id, route, account, subject, transition";

struct Job {
    event: NewEvent,
    asked: Instant,
    answer: oneshot::Sender<Result<Option<EventId>, StoreError>>,
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
    pub(super) fn start(options: SqliteConnectOptions, turns: Arc<Turns>) -> Self {
        let (jobs, queue) = mpsc::channel(WAITING);
        // It asks for the lock itself, at a pace that wins it from a worker of another process.
        let options = options.busy_timeout(Duration::ZERO);
        tokio::spawn(run(queue, options, turns));
        Self { jobs }
    }

    /// Stores an event and commits; `None` when one of its key is there.
    pub(super) async fn insert(&self, event: NewEvent) -> Result<Option<EventId>, StoreError> {
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
        // Whoever does not wait any more is not told, and the platform will come again.
        jobs.retain(|job| !job.answer.is_closed());
        let Some(first) = jobs.first() else { continue };
        let deadline = first.asked + PATIENCE;
        let stored = store(&mut connection, &options, &turns, &jobs, deadline).await;
        answer(jobs.drain(..), stored);
    }
}

async fn store(
    kept: &mut Option<SqliteConnection>,
    options: &SqliteConnectOptions,
    turns: &Turns,
    jobs: &[Job],
    deadline: Instant,
) -> Result<HashMap<EventKey, EventId>, StoreError> {
    let mut connection = match kept.take() {
        Some(connection) => connection,
        None => connect(options).await?,
    };
    let _turn = turns.receiver().await;
    let mut pause = Duration::from_millis(1);
    loop {
        match insert(&mut connection, jobs).await {
            Ok(ids) => {
                *kept = Some(connection);
                return Ok(ids);
            }
            Err(error) if is_busy(&error) => {
                if Instant::now() >= deadline {
                    *kept = Some(connection);
                    return Err(StoreError::Busy);
                }
                tokio::time::sleep(pause).await;
                pause = (pause * 2).min(Duration::from_millis(4));
            }
            // Dropped: what broke the statement may have broken the connection.
            Err(error) => return Err(error.into()),
        }
    }
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
    for Job { event, .. } in jobs {
        let NewEvent { key, facts, .. } = event;
        let (method, uri, headers, body) = request_columns(event.request.as_ref());
        query = query
            .bind(&*key.route)
            .bind(&key.account)
            .bind(&key.subject)
            .bind(key.transition.as_str())
            .bind(facts.amount.map(Fen::get))
            .bind(&facts.currency)
            .bind(&facts.order_no)
            .bind(&facts.remote_id)
            .bind(&facts.merchant)
            .bind(&facts.app)
            .bind(&facts.end_state)
            .bind(event.origin.as_str())
            .bind(event.is_over)
            .bind(event.received_at.seconds())
            .bind(method)
            .bind(uri)
            .bind(headers)
            .bind(body.map(Vec::from))
            .bind(event.received_at.seconds());
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
        for column in 1..=COLUMNS {
            sql.push('$');
            sql.push_str(&(row * COLUMNS + column).to_string());
            sql.push_str(", ");
        }
        sql.push_str("'ready')");
    }
    sql.push_str(OR_LEAVE);
    sql
}

/// Tells everyone. Of two with one key in one batch, the first one is new.
fn answer(jobs: impl Iterator<Item = Job>, mut stored: Result<HashMap<EventKey, EventId>, StoreError>) {
    for job in jobs {
        let answer = match &mut stored {
            Ok(ids) => Ok(ids.remove(&job.event.key)),
            Err(StoreError::Busy) => Err(StoreError::Busy),
            Err(error) => Err(StoreError::database(error.to_string())),
        };
        // Whoever went away finds out when the platform comes again.
        job.answer.send(answer).ok();
    }
}
