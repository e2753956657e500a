//! The statements that both databases understand, and their rows. One text each; what differs between the two is in
//! `sqlite.rs` and `postgres.rs`.
//!
//! They are a macro rather than generic functions, because a generic function would have to name every type of every
//! column as a bound.

use bytes::Bytes;
use yuanfen_core::{Standing, UnixTime};

use crate::{KeptRequest, StoreError, StoredPending};

/// What a hint changes about something open.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Hastening {
    pub(crate) pending: i64,
    /// It is changed only as it was read.
    pub(crate) fence: i64,
    pub(crate) lease_until: UnixTime,
    /// When it is due, unless it stays.
    pub(crate) next_query_at: Option<UnixTime>,
    /// What whoever is asking right now is to make of it.
    pub(crate) hasten_to: Option<UnixTime>,
}

impl Hastening {
    /// `None` where it is due soon enough.
    pub(crate) fn of(
        pending: &StoredPending,
        fence: i64,
        lease_until: UnixTime,
        hastened: Option<UnixTime>,
        now: UnixTime,
        gap: std::time::Duration,
    ) -> Option<Self> {
        let due = pending.due_by_hint(now, gap);
        if pending.next_query_at <= due {
            return None;
        }
        // While somebody asks, nobody else does: the answer that is on its way may be older than the hint, so it is asked
        // for again after it.
        let is_claimed = lease_until > now;
        if is_claimed && hastened.is_some_and(|hastened| hastened <= due) {
            return None;
        }
        Some(Self {
            pending: pending.id,
            fence,
            lease_until,
            next_query_at: (!is_claimed).then_some(due),
            hasten_to: is_claimed.then_some(due),
        })
    }
}

pub(crate) const fn standing_name(standing: Standing) -> &'static str {
    match standing {
        Standing::Accepted => "accepted",
        Standing::Pending => "pending",
        Standing::Succeeded => "succeeded",
        Standing::Failed => "failed",
        // What a later version of the core knows is written down as what it means here: nothing was learned.
        _ => "not-found",
    }
}

pub(crate) fn standing_of(name: &str) -> Option<Standing> {
    [
        Standing::Accepted,
        Standing::Pending,
        Standing::Succeeded,
        Standing::Failed,
        Standing::NotFound,
    ]
    .into_iter()
    .find(|standing| standing_name(*standing) == name)
}

/// A count of the database, which is never negative.
pub(crate) fn count(number: i64) -> u64 {
    u64::try_from(number).unwrap_or_default()
}

pub(crate) fn small(number: i64) -> u32 {
    u32::try_from(number).unwrap_or(u32::MAX)
}

pub(crate) fn age(now: UnixTime, since: Option<i64>) -> Option<std::time::Duration> {
    since.map(|since| {
        let age = now.since(UnixTime::from_seconds(since));
        std::time::Duration::from_secs(u64::try_from(age).unwrap_or_default())
    })
}

/// Reads a name that this crate wrote.
pub(crate) fn named<T>(column: &'static str, value: Option<T>) -> Result<T, StoreError> {
    value.ok_or(StoreError::Unreadable { column })
}

/// Method, path, headers and body, as they are stored; all absent for what a query found.
pub(crate) fn request_columns(
    request: Option<&KeptRequest>,
) -> (Option<String>, Option<String>, Option<String>, Option<Bytes>) {
    match request {
        Some(request) => (
            Some(request.method.to_string()),
            Some(request.uri.to_string()),
            Some(request.headers_text()),
            Some(request.body.clone()),
        ),
        None => (None, None, None, None),
    }
}

macro_rules! event_columns {
    () => {
        "id, route, account, subject, transition, amount, currency, order_no, remote_id, merchant, app, end_state, \
         origin, is_over, state, ready_at, attempts, fence, parked_for, last_error, received_at, finished_at"
    };
}
pub(crate) use event_columns;

macro_rules! pending_columns {
    () => {
        "id, route, account, kind, number, order_no, remote_id, amount, currency, merchant, app, placed_at, expires_at, \
         state, next_query_at, last_query_at, queries, absences, fence, standing, last_error, over_at"
    };
}
pub(crate) use pending_columns;

/// The functions of one database. `$skip_locked` is what follows a `select` of rows that are about to be claimed.
macro_rules! statements {
    ($Connection:ty, $Row:ty, $skip_locked:literal) => {
        use sqlx::Row as _;
        use yuanfen_core::{EventKey, Facts, Fen, Transition, UnixTime};

        use $crate::store::statements::{
            Hastening, age, count, event_columns, named, pending_columns, request_columns, small, standing_name, standing_of,
        };
        use $crate::store::{Health, Marked, PendingEnd, PendingName, QueryRecord, Release, Subject};
        use $crate::{
            ClaimedEvent, ClaimedPending, EventFilter, EventId, EventState, Expected, KeptRequest, NewEvent, Origin,
            ParkReason, PendingFilter, PendingKind, PendingState, StoreError, StoredConflict, StoredEvent,
            StoredPending, facts_text,
        };

        fn time(row: &$Row, column: &str) -> Result<UnixTime, StoreError> {
            Ok(UnixTime::from_seconds(row.try_get(column)?))
        }

        fn maybe_time(row: &$Row, column: &str) -> Result<Option<UnixTime>, StoreError> {
            let seconds: Option<i64> = row.try_get(column)?;
            Ok(seconds.map(UnixTime::from_seconds))
        }

        pub(super) fn read_facts(row: &$Row) -> Result<Facts, StoreError> {
            let mut facts = Facts::new(row.try_get::<String, _>("end_state")?);
            facts.amount = row.try_get::<Option<i64>, _>("amount")?.map(Fen::new);
            facts.currency = row.try_get("currency")?;
            facts.order_no = row.try_get("order_no")?;
            facts.remote_id = row.try_get("remote_id")?;
            facts.merchant = row.try_get("merchant")?;
            facts.app = row.try_get("app")?;
            Ok(facts)
        }

        fn read_origin(row: &$Row) -> Result<Origin, StoreError> {
            named("origin", Origin::from_name(row.try_get("origin")?))
        }

        /// The kept request, of a row that has its columns.
        fn read_request(row: &$Row) -> Result<Option<KeptRequest>, StoreError> {
            let method: Option<String> = row.try_get("method")?;
            let Some(method) = method else { return Ok(None) };
            let (uri, headers): (String, String) = (row.try_get("uri")?, row.try_get("headers")?);
            KeptRequest::from_columns(&method, &uri, &headers, row.try_get("body")?).map(Some)
        }

        fn read_event(row: &$Row, request: Option<KeptRequest>) -> Result<StoredEvent, StoreError> {
            let transition = named("transition", Transition::from_name(row.try_get("transition")?))?;
            let parked_for: Option<String> = row.try_get("parked_for")?;
            let text = |column: &str| row.try_get::<String, _>(column);
            Ok(StoredEvent {
                id: EventId::new(row.try_get("id")?),
                key: EventKey::new(text("route")?, text("account")?, text("subject")?, transition),
                facts: read_facts(row)?,
                origin: read_origin(row)?,
                is_over: row.try_get("is_over")?,
                state: named("state", EventState::from_name(row.try_get("state")?))?,
                attempts: small(row.try_get("attempts")?),
                ready_at: time(row, "ready_at")?,
                parked_for: parked_for
                    .map(|name| named("parked_for", ParkReason::from_name(&name)))
                    .transpose()?,
                last_error: row.try_get("last_error")?,
                received_at: time(row, "received_at")?,
                finished_at: maybe_time(row, "finished_at")?,
                request,
            })
        }

        pub(super) fn read_pending(row: &$Row) -> Result<StoredPending, StoreError> {
            let standing: Option<String> = row.try_get("standing")?;
            Ok(StoredPending {
                id: row.try_get("id")?,
                expected: Expected {
                    route: row.try_get("route")?,
                    account: row.try_get("account")?,
                    kind: named("kind", PendingKind::from_name(row.try_get("kind")?))?,
                    number: row.try_get("number")?,
                    order_no: row.try_get("order_no")?,
                    remote_id: row.try_get("remote_id")?,
                    amount: Fen::new(row.try_get("amount")?),
                    currency: row.try_get("currency")?,
                    merchant: row.try_get("merchant")?,
                    app: row.try_get("app")?,
                    expires_at: maybe_time(row, "expires_at")?,
                },
                placed_at: time(row, "placed_at")?,
                state: named("state", PendingState::from_name(row.try_get("state")?))?,
                next_query_at: time(row, "next_query_at")?,
                last_query_at: maybe_time(row, "last_query_at")?,
                queries: small(row.try_get("queries")?),
                absences: small(row.try_get("absences")?),
                standing: standing
                    .map(|name| named("standing", standing_of(&name)))
                    .transpose()?,
                last_error: row.try_get("last_error")?,
                over_at: maybe_time(row, "over_at")?,
            })
        }

        /// What is stored under the key of an event that was not new.
        pub(super) async fn known_event(
            connection: &mut $Connection,
            key: &EventKey,
        ) -> Result<Option<(EventId, Facts)>, StoreError> {
            let row = sqlx::query(
                "select id, amount, currency, order_no, remote_id, merchant, app, end_state from yuanfen_inbox_event \
                 where route = $1 and account = $2 and subject = $3 and transition = $4",
            )
            .bind(&*key.route)
            .bind(&key.account)
            .bind(&key.subject)
            .bind(key.transition.as_str())
            .fetch_optional(connection)
            .await?;
            row.map(|row| Ok((EventId::new(row.try_get("id")?), read_facts(&row)?)))
                .transpose()
        }

        /// The contradiction, and the event parked if it is ready and in nobody's transaction. A worker that has it in
        /// one either has read its facts before this was committed, or finds the contradiction when it marks.
        pub(super) async fn insert_conflict(
            connection: &mut $Connection,
            event_id: EventId,
            event: &NewEvent,
        ) -> Result<bool, StoreError> {
            let facts = &event.facts;
            let (method, uri, headers, body) = request_columns(event.request.as_ref());
            let inserted = sqlx::query(
                "insert into yuanfen_inbox_conflict (event_id, amount, currency, order_no, remote_id, merchant, app, \
                 end_state, origin, facts, received_at, method, uri, headers, body) \
                 values ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13, $14, $15) \
                 on conflict (event_id, facts) do nothing",
            )
            .bind(event_id.get())
            .bind(facts.amount.map(Fen::get))
            .bind(&facts.currency)
            .bind(&facts.order_no)
            .bind(&facts.remote_id)
            .bind(&facts.merchant)
            .bind(&facts.app)
            .bind(&facts.end_state)
            .bind(event.origin.as_str())
            .bind(facts_text(facts))
            .bind(event.received_at.seconds())
            .bind(method)
            .bind(uri)
            .bind(headers)
            .bind(body.as_deref())
            .execute(&mut *connection)
            .await?
            .rows_affected()
                == 1;
            if inserted {
                sqlx::query(concat!(
                    "update yuanfen_inbox_event set state = 'parked', parked_for = 'conflict', finished_at = $2 \
                     where id in (select id from yuanfen_inbox_event where id = $1 and state = 'ready'",
                    $skip_locked,
                    ")"
                ))
                .bind(event_id.get())
                .bind(event.received_at.seconds())
                .execute(&mut *connection)
                .await?;
            }
            Ok(inserted)
        }

        pub(super) async fn claim_event(
            connection: &mut $Connection,
            now: UnixTime,
            lease_until: UnixTime,
        ) -> Result<Option<$Row>, StoreError> {
            let row = sqlx::query(concat!(
                "update yuanfen_inbox_event set ready_at = $2, attempts = attempts + 1, fence = fence + 1 \
                 where id = (select id from yuanfen_inbox_event where state = 'ready' and ready_at <= $1 \
                 order by ready_at, id limit 1",
                $skip_locked,
                ") returning ",
                event_columns!(),
                ", method, uri, headers, body"
            ))
            .bind(now.seconds())
            .bind(lease_until.seconds())
            .fetch_optional(connection)
            .await?;
            Ok(row)
        }

        /// What was claimed, of the row that [`claim_event`] hands out.
        pub(super) fn read_claim(row: &$Row) -> Result<ClaimedEvent, StoreError> {
            let event = read_event(row, read_request(row)?)?;
            Ok(ClaimedEvent::new(event, row.try_get("fence")?))
        }

        /// Marks a claimed event done, if it is still ours; contradicted is one with a contradiction that nobody looked at.
        pub(super) async fn mark_done(
            connection: &mut $Connection,
            claim: &ClaimedEvent,
            now: UnixTime,
        ) -> Result<Marked, StoreError> {
            let row = sqlx::query(
                "update yuanfen_inbox_event set state = 'done', finished_at = $3, last_error = null \
                 where id = $1 and fence = $2 and state = 'ready' \
                 returning (select count(*) from yuanfen_inbox_conflict conflict \
                 where conflict.event_id = $1 and conflict.resolved_at is null)",
            )
            .bind(claim.event.id.get())
            .bind(claim.fence)
            .bind(now.seconds())
            .fetch_optional(connection)
            .await?;
            let open: Option<i64> = row.map(|row| row.try_get(0)).transpose()?;
            Ok(match open {
                None => Marked::NotOurs,
                Some(0) => Marked::Done,
                Some(_) => Marked::Contradicted,
            })
        }

        /// Whether the mark is there, as this connection sees it.
        pub(super) async fn is_marked(
            connection: &mut $Connection,
            claim: &ClaimedEvent,
        ) -> Result<bool, StoreError> {
            let marked: i64 = sqlx::query_scalar(
                "select count(*) from yuanfen_inbox_event where id = $1 and fence = $2 and state = 'done'",
            )
            .bind(claim.event.id.get())
            .bind(claim.fence)
            .fetch_one(connection)
            .await?;
            Ok(marked == 1)
        }

        pub(super) async fn expected(
            connection: &mut $Connection,
            subject: Subject<'_>,
        ) -> Result<Option<StoredPending>, StoreError> {
            const OURS: &str = concat!(
                "select ",
                pending_columns!(),
                " from yuanfen_inbox_pending where route = $1 and account = $2 and kind = $3 and number = $4"
            );
            const REMOTE: &str = concat!(
                "select ",
                pending_columns!(),
                " from yuanfen_inbox_pending where route = $1 and account = $2 and kind = $3 and remote_id = $4 \
                 order by id limit 1"
            );
            for statement in [OURS, REMOTE] {
                let row = sqlx::query(statement)
                    .bind(subject.route)
                    .bind(subject.account)
                    .bind(subject.kind.as_str())
                    .bind(subject.number)
                    .fetch_optional(&mut *connection)
                    .await?;
                if let Some(row) = row {
                    return read_pending(&row).map(Some);
                }
            }
            Ok(None)
        }

        pub(super) async fn end_pending(
            connection: &mut $Connection,
            pending: i64,
            now: UnixTime,
        ) -> Result<(), StoreError> {
            sqlx::query(
                "update yuanfen_inbox_pending set state = 'over', over_at = $2 where id = $1 and state <> 'over'",
            )
            .bind(pending)
            .bind(now.seconds())
            .execute(connection)
            .await?;
            Ok(())
        }

        pub(super) async fn release_event(
            connection: &mut $Connection,
            claim: &ClaimedEvent,
            release: Release,
            error: &str,
            now: UnixTime,
        ) -> Result<bool, StoreError> {
            let (state, ready_at, reason, finished_at) = match release {
                Release::Retry { at } => (EventState::Ready, at, None, None),
                Release::Park { reason } => (EventState::Parked, now, Some(reason.as_str()), Some(now.seconds())),
            };
            let done = sqlx::query(
                "update yuanfen_inbox_event set state = $3, ready_at = $4, parked_for = $5, finished_at = $6, \
                 last_error = $7 where id = $1 and fence = $2 and state = 'ready'",
            )
            .bind(claim.event.id.get())
            .bind(claim.fence)
            .bind(state.as_str())
            .bind(ready_at.seconds())
            .bind(reason)
            .bind(finished_at)
            .bind(error)
            .execute(connection)
            .await?;
            Ok(done.rows_affected() == 1)
        }

        pub(super) async fn expect(
            connection: &mut $Connection,
            expected: &Expected,
            placed_at: UnixTime,
            next_query_at: UnixTime,
        ) -> Result<bool, StoreError> {
            let done = sqlx::query(
                "insert into yuanfen_inbox_pending (route, account, kind, number, order_no, remote_id, amount, currency, \
                 merchant, app, placed_at, expires_at, state, next_query_at) \
                 values ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, 'open', $13) \
                 on conflict (route, account, kind, number) do nothing",
            )
            .bind(&expected.route)
            .bind(&expected.account)
            .bind(expected.kind.as_str())
            .bind(&expected.number)
            .bind(&expected.order_no)
            .bind(&expected.remote_id)
            .bind(expected.amount.get())
            .bind(&expected.currency)
            .bind(&expected.merchant)
            .bind(&expected.app)
            .bind(placed_at.seconds())
            .bind(expected.expires_at.map(UnixTime::seconds))
            .bind(next_query_at.seconds())
            .execute(connection)
            .await?;
            Ok(done.rows_affected() == 1)
        }

        pub(super) async fn keep_remote_id(
            connection: &mut $Connection,
            subject: Subject<'_>,
            remote_id: &str,
        ) -> Result<bool, StoreError> {
            let done = sqlx::query(
                "update yuanfen_inbox_pending set remote_id = $5 \
                 where route = $1 and account = $2 and kind = $3 and number = $4",
            )
            .bind(subject.route)
            .bind(subject.account)
            .bind(subject.kind.as_str())
            .bind(subject.number)
            .bind(remote_id)
            .execute(connection)
            .await?;
            Ok(done.rows_affected() == 1)
        }

        /// What is open and answers to the name, and what a hint that comes now changes about it.
        pub(super) async fn hinted(
            connection: &mut $Connection,
            route: &str,
            account: &str,
            name: PendingName<'_>,
            now: UnixTime,
            gap: std::time::Duration,
        ) -> Result<(bool, Vec<Hastening>), StoreError> {
            let query = match name {
                PendingName::Ours(..) => sqlx::query(concat!(
                    "select ",
                    pending_columns!(),
                    ", lease_until, hasten_to from yuanfen_inbox_pending \
                     where route = $1 and account = $2 and kind = $3 and number = $4 and state = 'open'"
                )),
                PendingName::Remote(_) => sqlx::query(concat!(
                    "select ",
                    pending_columns!(),
                    ", lease_until, hasten_to from yuanfen_inbox_pending \
                     where route = $1 and account = $2 and remote_id = $3 and state = 'open'"
                )),
            };
            let query = query.bind(route).bind(account);
            let query = match name {
                PendingName::Ours(kind, number) => query.bind(kind.as_str()).bind(number),
                PendingName::Remote(remote_id) => query.bind(remote_id),
            };
            let rows = query.fetch_all(connection).await?;
            let mut changes = Vec::new();
            for row in &rows {
                let lease_until = time(row, "lease_until")?;
                let hastened = maybe_time(row, "hasten_to")?;
                let (pending, fence) = (read_pending(row)?, row.try_get("fence")?);
                let change = Hastening::of(&pending, fence, lease_until, hastened, now, gap);
                changes.extend(change);
            }
            Ok((!rows.is_empty(), changes))
        }

        /// Says whether it could be changed; whoever has it in a transaction is not waited for.
        pub(super) async fn hasten(connection: &mut $Connection, change: &Hastening) -> Result<bool, StoreError> {
            let done = sqlx::query(concat!(
                "update yuanfen_inbox_pending set next_query_at = coalesce($4, next_query_at), hasten_to = $5 \
                 where id in (select id from yuanfen_inbox_pending \
                 where id = $1 and fence = $2 and lease_until = $3 and state = 'open'",
                $skip_locked,
                ")"
            ))
            .bind(change.pending)
            .bind(change.fence)
            .bind(change.lease_until.seconds())
            .bind(change.next_query_at.map(UnixTime::seconds))
            .bind(change.hasten_to.map(UnixTime::seconds))
            .execute(connection)
            .await?;
            Ok(done.rows_affected() == 1)
        }

        pub(super) async fn claim_pending(
            connection: &mut $Connection,
            route: &str,
            account: &str,
            now: UnixTime,
            lease_until: UnixTime,
            limit: u32,
        ) -> Result<Vec<ClaimedPending>, StoreError> {
            let rows = sqlx::query(concat!(
                // Materialized, or PostgreSQL may run the limited selection more than once and lock more than was asked for.
                "with due as materialized (select id as due_id, exists (select 1 from yuanfen_inbox_event event \
                 where event.route = pending.route and event.account = pending.account \
                 and event.subject in (pending.number, coalesce(pending.remote_id, pending.number)) \
                 and event.is_over and event.transition like pending.kind || '-%') as is_known \
                 from yuanfen_inbox_pending pending \
                 where route = $1 and account = $2 and state = 'open' and next_query_at <= $3 \
                 order by next_query_at, id limit $5",
                $skip_locked,
                ") update yuanfen_inbox_pending set next_query_at = $4, hasten_to = null, fence = fence + 1, \
                 state = case when is_known then 'over' else state end, \
                 over_at = case when is_known then $3 else over_at end, \
                 lease_until = case when is_known then 0 else $4 end, \
                 last_query_at = case when is_known then last_query_at else $3 end, \
                 queries = case when is_known then queries else queries + 1 end \
                 from due where id = due_id returning ",
                pending_columns!()
            ))
            .bind(route)
            .bind(account)
            .bind(now.seconds())
            .bind(lease_until.seconds())
            .bind(i64::from(limit))
            .fetch_all(connection)
            .await?;
            rows.iter()
                .map(|row| Ok(ClaimedPending::new(read_pending(row)?, row.try_get("fence")?)))
                .collect()
        }

        pub(super) async fn record_query(
            connection: &mut $Connection,
            claim: &ClaimedPending,
            record: &QueryRecord,
            now: UnixTime,
        ) -> Result<bool, StoreError> {
            let (state, over_at) = match record.end {
                None => (PendingState::Open, None),
                Some(PendingEnd::Over) => (PendingState::Over, Some(now.seconds())),
                Some(PendingEnd::GivenUp) => (PendingState::GivenUp, Some(now.seconds())),
            };
            let done = sqlx::query(
                "update yuanfen_inbox_pending set state = $3, over_at = $4, lease_until = 0, hasten_to = null, \
                 next_query_at = case when hasten_to < $5 then hasten_to else $5 end, \
                 standing = coalesce($6, standing), last_error = $7, \
                 absences = case when $6 is null then absences when $6 = 'not-found' then absences + 1 else 0 end \
                 where id = $1 and fence = $2 and state = 'open'",
            )
            .bind(claim.pending.id)
            .bind(claim.fence)
            .bind(state.as_str())
            .bind(over_at)
            .bind(record.next_query_at.seconds())
            .bind(record.standing.map(standing_name))
            .bind(&record.error)
            .execute(connection)
            .await?;
            Ok(done.rows_affected() == 1)
        }

        pub(super) async fn events(
            connection: &mut $Connection,
            filter: &EventFilter,
        ) -> Result<Vec<StoredEvent>, StoreError> {
            let rows = sqlx::query(concat!(
                "select ",
                event_columns!(),
                " from yuanfen_inbox_event where id > $1 and ($2 is null or state = $2) and ($3 is null or route = $3) \
                 and ($4 is null or account = $4) and ($5 is null or subject = $5 or order_no = $5) \
                 and (not $7 or id in (select event_id from yuanfen_inbox_conflict where resolved_at is null)) \
                 order by id limit $6"
            ))
            .bind(filter.after)
            .bind(filter.state.map(EventState::as_str))
            .bind(&filter.route)
            .bind(&filter.account)
            .bind(&filter.subject)
            .bind(i64::from(filter.limit))
            .bind(filter.contradicted)
            .fetch_all(connection)
            .await?;
            rows.iter().map(|row| read_event(row, None)).collect()
        }

        pub(super) async fn event(
            connection: &mut $Connection,
            id: EventId,
        ) -> Result<Option<StoredEvent>, StoreError> {
            let row = sqlx::query(concat!(
                "select ",
                event_columns!(),
                ", method, uri, headers, body from yuanfen_inbox_event where id = $1"
            ))
            .bind(id.get())
            .fetch_optional(connection)
            .await?;
            row.map(|row| read_event(&row, read_request(&row)?)).transpose()
        }

        pub(super) async fn conflicts(
            connection: &mut $Connection,
            id: EventId,
        ) -> Result<Vec<StoredConflict>, StoreError> {
            let rows = sqlx::query(
                "select id, event_id, amount, currency, order_no, remote_id, merchant, app, end_state, origin, received_at, \
                 resolved_at, method, uri, headers, body from yuanfen_inbox_conflict where event_id = $1 order by id",
            )
            .bind(id.get())
            .fetch_all(connection)
            .await?;
            rows.iter()
                .map(|row| {
                    Ok(StoredConflict {
                        id: row.try_get("id")?,
                        event_id: EventId::new(row.try_get("event_id")?),
                        facts: read_facts(row)?,
                        origin: read_origin(row)?,
                        received_at: time(row, "received_at")?,
                        resolved_at: maybe_time(row, "resolved_at")?,
                        request: read_request(row)?,
                    })
                })
                .collect()
        }

        pub(super) async fn retry(
            connection: &mut $Connection,
            id: EventId,
            now: UnixTime,
        ) -> Result<bool, StoreError> {
            let ready = sqlx::query(
                "update yuanfen_inbox_event set state = 'ready', ready_at = $2, attempts = 0, parked_for = null, \
                 finished_at = null where id = $1 and state = 'parked'",
            )
            .bind(id.get())
            .bind(now.seconds())
            .execute(&mut *connection)
            .await?
            .rows_affected()
                == 1;
            if ready {
                resolve(connection, id, now).await?;
            }
            Ok(ready)
        }

        pub(super) async fn resolve(
            connection: &mut $Connection,
            id: EventId,
            now: UnixTime,
        ) -> Result<u64, StoreError> {
            let resolved = sqlx::query(
                "update yuanfen_inbox_conflict set resolved_at = $2 where event_id = $1 and resolved_at is null",
            )
            .bind(id.get())
            .bind(now.seconds())
            .execute(connection)
            .await?;
            Ok(resolved.rows_affected())
        }

        pub(super) async fn park(
            connection: &mut $Connection,
            id: EventId,
            now: UnixTime,
        ) -> Result<bool, StoreError> {
            let parked = sqlx::query(
                "update yuanfen_inbox_event set state = 'parked', parked_for = 'person', finished_at = $2 \
                 where id = $1 and state = 'ready'",
            )
            .bind(id.get())
            .bind(now.seconds())
            .execute(connection)
            .await?;
            Ok(parked.rows_affected() == 1)
        }

        pub(super) async fn pending(
            connection: &mut $Connection,
            filter: &PendingFilter,
        ) -> Result<Vec<StoredPending>, StoreError> {
            let rows = sqlx::query(concat!(
                "select ",
                pending_columns!(),
                " from yuanfen_inbox_pending where id > $1 and ($2 is null or state = $2) and ($3 is null or route = $3) \
                 and ($4 is null or account = $4) and ($5 is null or number = $5 or order_no = $5) order by id limit $6"
            ))
            .bind(filter.after)
            .bind(filter.state.map(PendingState::as_str))
            .bind(&filter.route)
            .bind(&filter.account)
            .bind(&filter.number)
            .bind(i64::from(filter.limit))
            .fetch_all(connection)
            .await?;
            rows.iter().map(read_pending).collect()
        }

        pub(super) async fn health(connection: &mut $Connection, now: UnixTime) -> Result<Health, StoreError> {
            let row = sqlx::query(
                "select \
                 (select count(*) from yuanfen_inbox_event where state = 'ready') as ready, \
                 (select min(received_at) from yuanfen_inbox_event where state = 'ready') as oldest_ready, \
                 (select count(*) from yuanfen_inbox_event where state = 'parked') as parked, \
                 (select count(*) from yuanfen_inbox_conflict where resolved_at is null) as conflicts, \
                 (select count(*) from yuanfen_inbox_pending where state = 'open') as pending, \
                 (select min(next_query_at) from yuanfen_inbox_pending where state = 'open' and next_query_at < $1) \
                 as query_due, \
                 (select count(*) from yuanfen_inbox_pending where state = 'given-up') as given_up",
            )
            .bind(now.seconds())
            .fetch_one(connection)
            .await?;
            Ok(Health {
                ready: count(row.try_get("ready")?),
                oldest_ready: age(now, row.try_get("oldest_ready")?),
                parked: count(row.try_get("parked")?),
                conflicts: count(row.try_get("conflicts")?),
                pending: count(row.try_get("pending")?),
                query_overdue: age(now, row.try_get("query_due")?),
                given_up: count(row.try_get("given_up")?),
            })
        }
    };
}
pub(crate) use statements;
