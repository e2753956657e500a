//! PostgreSQL: any number of receivers and workers on any number of machines.

mod open;

use std::time::Duration;

use sqlx::postgres::PgPool;
use sqlx::{PgConnection, Postgres};

use crate::store::statements::new_event_columns;
use crate::store::{Inserted, Store};

use open::must_be_durable;

crate::store::statements::statements!(PgConnection, sqlx::postgres::PgRow, " for update skip locked");

/// The inbox waits for a connection of its own, and for the end of a rollback, for so long.
const PATIENCE: Duration = Duration::from_secs(5);

/// A statement may go on for so long when its handler is dropped, so that the deadline is what its failure names.
const GRACE: Duration = Duration::from_millis(20);

/// So often it is tried to move a query forward that somebody else has in a transaction, and with such pauses.
const HASTENINGS: u32 = 8;
const BETWEEN_HASTENINGS: Duration = Duration::from_millis(20);

/// An inbox in a PostgreSQL database.
///
/// Every commit waits for the disk (`synchronous_commit` of `on` or more); a connection that does less is refused with
/// [`StoreError::NotDurable`]. Workers skip what another has in a transaction, and a notice waits for no handler.
///
/// Handlers run on the pool's connections. What the inbox writes by itself goes over a second pool of the same options and
/// size: a notice waits for none of the shop's connections, and never comes into a transaction that the pool does not know
/// of. (sqlx 0.9 leaves one open where a `begin` is dropped before the server has answered, as web servers drop it when
/// their client goes away.)
#[derive(Clone)]
pub struct PostgresStore {
    pool: PgPool,
    own: PgPool,
}

impl PostgresStore {
    /// The pool.
    #[must_use]
    pub const fn pool(&self) -> &PgPool {
        &self.pool
    }

    async fn read(&self) -> Result<sqlx::pool::PoolConnection<Postgres>, StoreError> {
        Ok(self.pool.acquire().await?)
    }

    /// A connection on which every statement commits durably.
    async fn durable(&self) -> Result<sqlx::pool::PoolConnection<Postgres>, StoreError> {
        let mut connection = self.own.acquire().await?;
        must_be_durable(&mut connection).await?;
        Ok(connection)
    }
}

/// A transaction that will commit durably.
async fn begin_in(pool: &PgPool) -> Result<sqlx::Transaction<'static, Postgres>, StoreError> {
    let pool = pool.clone();
    // In a task of its own, because a `begin` that is dropped half-way leaves a transaction behind that nobody ends.
    let begun = tokio::spawn(async move { pool.begin().await }).await;
    let mut transaction = begun.map_err(StoreError::database)??;
    must_be_durable(&mut transaction).await?;
    Ok(transaction)
}

impl std::fmt::Debug for PostgresStore {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("PostgresStore").finish_non_exhaustive()
    }
}

impl Store for PostgresStore {
    type Connection = PgConnection;
    type Transaction = sqlx::Transaction<'static, Postgres>;
    type Turn = ();

    const HANDLER_DEADLINE: Duration = Duration::from_secs(30);
    const WORKERS: usize = 4;

    async fn insert_event(&self, event: NewEvent) -> Result<Inserted, StoreError> {
        let mut connection = self.own.acquire().await?;
        // What is there is looked for first: an insert alone would wait for a handler that has the row in its transaction.
        // The setting is read in the statement itself, which commits on its own: where it is too low, no row is made. There
        // is no `on conflict`, because it would cost every notice more than the rare two at once that meet.
        let insert = sqlx::query(concat!(
            "insert into yuanfen_inbox_event (",
            new_event_columns!(),
            ") select $1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13, $14, $15, $16, $17, $18, $19, $15, 'ready' \
             where current_setting('synchronous_commit') in ('on', 'remote_apply') \
             and not exists (select 1 from yuanfen_inbox_event \
             where route = $1 and account = $2 and subject = $3 and transition = $4) returning id",
        ));
        let inserted = bind_event(insert, &event).fetch_optional(&mut *connection).await;
        let not_known = match inserted {
            Ok(Some(row)) => return Ok(Inserted::New(EventId::new(row.try_get("id")?))),
            Ok(None) => StoreError::NoSuchEvent,
            // Somebody else stored it between the look and the insert.
            Err(error)
                if error
                    .as_database_error()
                    .is_some_and(|error| error.is_unique_violation()) =>
            {
                error.into()
            }
            Err(error) => return Err(error.into()),
        };
        must_be_durable(&mut connection).await?;
        // Somebody else has stored it, and events are not deleted.
        match known_event(&mut connection, &event.key).await? {
            Some(known) => Ok(known),
            None => Err(not_known),
        }
    }

    async fn insert_conflict(&self, event_id: EventId, event: NewEvent) -> Result<bool, StoreError> {
        let mut transaction = begin_in(&self.own).await?;
        let is_new = insert_conflict(&mut transaction, event_id, &event).await?;
        transaction.commit().await?;
        Ok(is_new)
    }

    async fn add_facts(&self, event_id: EventId, facts: Facts) -> Result<(), StoreError> {
        add_facts(&mut *self.durable().await?, event_id, &facts).await
    }

    async fn claim_event(
        &self,
        now: UnixTime,
        lease_until: UnixTime,
        never_after: UnixTime,
    ) -> Result<Option<ClaimedEvent>, StoreError> {
        let row = claim_event(&mut *self.durable().await?, now, lease_until, never_after).await?;
        row.as_ref().map(read_claim).transpose()
    }

    async fn begin(&self) -> Result<((), Self::Transaction), StoreError> {
        Ok(((), begin_in(&self.pool).await?))
    }

    async fn mark_done(
        &self,
        connection: &mut PgConnection,
        claim: &ClaimedEvent,
        now: UnixTime,
    ) -> Result<Marked, StoreError> {
        mark_done(connection, claim, now).await
    }

    async fn limit(&self, transaction: &mut Self::Transaction, within: Duration) -> Result<(), StoreError> {
        let most = format!("{} ms", (within + GRACE).as_millis());
        // A shop that allows its statements less keeps that.
        let lower = "select set_config('statement_timeout', $1, true) \
             where current_setting('statement_timeout')::interval not between interval '1 ms' and $1::interval";
        sqlx::query(lower).bind(most).execute(&mut **transaction).await?;
        Ok(())
    }

    async fn still_marked(&self, connection: &mut PgConnection, claim: &ClaimedEvent) -> Result<bool, StoreError> {
        is_marked(connection, claim).await
    }

    async fn expected(
        &self,
        connection: &mut PgConnection,
        subject: Subject<'_>,
    ) -> Result<Option<StoredPending>, StoreError> {
        expected(connection, subject).await
    }

    async fn settle_pending(
        &self,
        connection: &mut PgConnection,
        pending: i64,
        paid_as: Option<&str>,
        is_over: bool,
        now: UnixTime,
    ) -> Result<bool, StoreError> {
        settle_pending(connection, pending, paid_as, is_over, now).await
    }

    async fn commit(&self, transaction: Self::Transaction) -> Result<(), StoreError> {
        Ok(transaction.commit().await?)
    }

    async fn roll_back(&self, transaction: Self::Transaction) {
        // A server that is gone does not answer. Dropped, the transaction is rolled back when its connection is, or ends
        // with it.
        match tokio::time::timeout(PATIENCE, transaction.rollback()).await {
            Ok(Ok(())) => {}
            Ok(Err(error)) => {
                tracing::warn!(%error, "a transaction of the inbox could not be rolled back; its connection is closed");
            }
            Err(_elapsed) => tracing::warn!("the database does not answer to a rollback"),
        }
    }

    async fn release_event(
        &self,
        claim: &ClaimedEvent,
        release: Release,
        error: &str,
        now: UnixTime,
    ) -> Result<bool, StoreError> {
        release_event(&mut *self.durable().await?, claim, release, error, now).await
    }

    async fn expect(
        &self,
        connection: &mut PgConnection,
        what: &Expected,
        placed_at: UnixTime,
        next_query_at: UnixTime,
    ) -> Result<Option<StoredPending>, StoreError> {
        must_be_durable(connection).await?;
        expect(connection, what, placed_at, next_query_at).await
    }

    async fn withdraw(
        &self,
        connection: &mut PgConnection,
        subject: Subject<'_>,
        now: UnixTime,
    ) -> Result<bool, StoreError> {
        withdraw(connection, subject, now).await
    }

    async fn keep_remote_id(
        &self,
        connection: &mut PgConnection,
        subject: Subject<'_>,
        remote_id: &str,
    ) -> Result<bool, StoreError> {
        keep_remote_id(connection, subject, remote_id).await
    }

    async fn hasten(
        &self,
        route: &str,
        account: &str,
        name: PendingName<'_>,
        now: UnixTime,
        gap: Duration,
    ) -> Result<bool, StoreError> {
        let mut transaction = begin_in(&self.own).await?;
        // Whoever changed it in between is not waited for, and what it is now is read once more: whoever records a query has
        // it for a moment, a handler for as long as it takes.
        for _ in 0..HASTENINGS {
            let (is_open, changes) = hinted(&mut transaction, route, account, name, now, gap).await?;
            let mut unchanged = changes.len();
            for change in &changes {
                unchanged -= usize::from(hasten(&mut transaction, change).await?);
            }
            if unchanged == 0 {
                transaction.commit().await?;
                return Ok(is_open);
            }
            tokio::time::sleep(BETWEEN_HASTENINGS).await;
        }
        transaction.commit().await?;
        Ok(true)
    }

    async fn claim_pending(
        &self,
        of: &DueOf<'_>,
        now: UnixTime,
        lease_until: UnixTime,
        limit: u32,
    ) -> Result<Vec<ClaimedPending>, StoreError> {
        claim_pending(&mut *self.durable().await?, of, now, lease_until, limit).await
    }

    async fn record_query(
        &self,
        claim: &ClaimedPending,
        record: &QueryRecord,
        now: UnixTime,
    ) -> Result<Option<PendingState>, StoreError> {
        record_query(&mut *self.durable().await?, claim, record, now).await
    }

    async fn events(&self, filter: &EventFilter) -> Result<Vec<StoredEvent>, StoreError> {
        events(&mut *self.read().await?, filter).await
    }

    async fn event(&self, id: EventId) -> Result<Option<StoredEvent>, StoreError> {
        event(&mut *self.read().await?, id).await
    }

    async fn conflicts(&self, id: EventId) -> Result<Vec<StoredConflict>, StoreError> {
        conflicts(&mut *self.read().await?, id).await
    }

    async fn retry(&self, id: EventId, now: UnixTime) -> Result<bool, StoreError> {
        let mut transaction = begin_in(&self.own).await?;
        let was_parked = retry(&mut transaction, id, now).await?;
        transaction.commit().await?;
        Ok(was_parked)
    }

    async fn resolve(&self, id: EventId, now: UnixTime) -> Result<u64, StoreError> {
        resolve(&mut *self.durable().await?, id, now).await
    }

    async fn park(&self, id: EventId, now: UnixTime) -> Result<bool, StoreError> {
        park(&mut *self.durable().await?, id, now).await
    }

    async fn dismiss(&self, id: EventId, now: UnixTime) -> Result<bool, StoreError> {
        let mut transaction = begin_in(&self.own).await?;
        let was_parked = dismiss(&mut transaction, id, now).await?;
        transaction.commit().await?;
        Ok(was_parked)
    }

    async fn pending(&self, filter: &PendingFilter) -> Result<Vec<StoredPending>, StoreError> {
        pending(&mut *self.read().await?, filter).await
    }

    async fn requery(&self, pending: i64, now: UnixTime) -> Result<bool, StoreError> {
        requery(&mut *self.durable().await?, pending, now).await
    }

    async fn health(&self, now: UnixTime) -> Result<Health, StoreError> {
        health(&mut *self.read().await?, now).await
    }
}
