//! The statements that both databases understand, and their rows. One text each; what differs between the two is in
//! `sqlite.rs` and `postgres.rs`.
//!
//! They are macros rather than generic functions, because a generic function would have to name every type of every
//! column as a bound.

mod events;
mod hastening;
mod pending;
mod people;
mod rows;

use std::time::Duration;

use yuanfen_core::{Standing, UnixTime};

use crate::{EventState, PendingState, StoreError};

pub(crate) use events::{claim_event, events};
pub(crate) use hastening::Hastening;
pub(crate) use pending::{claim_pending, may_be_queried, pending};
pub(crate) use people::people;
pub(crate) use rows::rows;

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

pub(crate) fn age(now: UnixTime, since: Option<i64>) -> Option<Duration> {
    since.map(|since| {
        let age = now.since(UnixTime::from_seconds(since));
        Duration::from_secs(u64::try_from(age).unwrap_or_default())
    })
}

/// Reads a name that this crate wrote.
pub(crate) fn named<T>(column: &'static str, value: Option<T>) -> Result<T, StoreError> {
    value.ok_or(StoreError::Unreadable { column })
}

/// The condition that finds events in a state. What is not done is little among much: it is found by its own index, which the
/// databases use where the state stands in the statement itself.
pub(crate) const fn events_in(state: EventState) -> &'static str {
    match state {
        EventState::Ready => " and id in (select id from yuanfen_inbox_event where state = 'ready')",
        EventState::Parked => " and id in (select id from yuanfen_inbox_event where state = 'parked')",
        EventState::Done => " and state = 'done'",
        EventState::Dismissed => " and state = 'dismissed'",
    }
}

/// The same for what is expected.
pub(crate) const fn pending_in(state: PendingState) -> &'static str {
    match state {
        PendingState::Open => " and id in (select id from yuanfen_inbox_pending where state = 'open')",
        PendingState::GivenUp => " and id in (select id from yuanfen_inbox_pending where state = 'given-up')",
        PendingState::Over => " and state = 'over'",
        PendingState::Lapsed => " and state = 'lapsed'",
    }
}

macro_rules! facts_columns {
    () => {
        "amount, currency, order_no, refund_no, remote_id, merchant, app, end_state"
    };
}
pub(crate) use facts_columns;

macro_rules! event_columns {
    () => {
        concat!(
            "id, route, account, subject, transition, ",
            $crate::store::statements::facts_columns!(),
            ", origin, is_over, state, ready_at, attempts, fence, parked_for, last_error, received_at, finished_at"
        )
    };
}
pub(crate) use event_columns;

/// What `bind_event` binds, from `$1` to `$19`; then when it is ready, which is when it came, and its state.
macro_rules! new_event_columns {
    () => {
        concat!(
            "route, account, subject, transition, ",
            $crate::store::statements::facts_columns!(),
            ", origin, is_over, received_at, method, uri, headers, body, ready_at, state"
        )
    };
}
pub(crate) use new_event_columns;

macro_rules! pending_columns {
    () => {
        "id, route, account, kind, number, order_no, remote_id, amount, currency, merchant, app, placed_at, expires_at, \
         state, next_query_at, last_query_at, queries, paid_as, absences, fence, standing, last_error, over_at"
    };
}
pub(crate) use pending_columns;

/// The functions of one database. `$skip_locked` is what follows a `select` of rows that are about to be claimed.
macro_rules! statements {
    ($Connection:ty, $Row:ty, $skip_locked:literal) => {
        use sqlx::Row as _;
        use yuanfen_core::{EventKey, Facts, Fen, Standing, Transition, UnixTime};

        use $crate::store::statements::{
            Hastening, age, claim_event, claim_pending, count, event_columns, events_in, facts_columns, may_be_queried,
            named, pending_columns, pending_in, small, standing_name, standing_of,
        };
        use $crate::store::{DueFirst, DueOf, Health, Marked, PendingEnd, PendingName, QueryRecord, Release, Subject};
        use $crate::{
            ClaimedEvent, ClaimedPending, EventFilter, EventId, EventState, Expected, KeptRequest, NewEvent, Origin,
            ParkReason, PendingFilter, PendingKind, PendingState, StoreError, StoredConflict, StoredEvent,
            StoredPending, facts_text,
        };

        type Database = <$Connection as sqlx::Connection>::Database;
        type Query<'q> = sqlx::query::Query<'q, Database, <Database as sqlx::Database>::Arguments>;

        $crate::store::statements::rows!($Row);
        $crate::store::statements::events!($Connection, $Row, $skip_locked);
        $crate::store::statements::pending!($Connection, $skip_locked);
        $crate::store::statements::people!($Connection);
    };
}
pub(crate) use statements;
