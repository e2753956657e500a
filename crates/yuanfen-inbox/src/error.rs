//! What can go wrong between the inbox and its database.

use yuanfen_core::UnixTime;

use crate::PendingState;

type Cause = Box<dyn std::error::Error + Send + Sync>;

/// The store did not do what it was asked for. Nothing is half done: either the transaction was committed, or it was not.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum StoreError {
    /// The database was busy for longer than it was waited for. Try again.
    #[error("the database was busy for too long; nothing was stored")]
    Busy,
    /// The database did not answer. What it was asked for it may have done, or may do yet.
    #[error("the database did not answer in time; whether it did what it was asked for is not known")]
    NoAnswer,
    /// What is committed on this connection may be lost when the machine loses power.
    #[error(
        "`{setting}` is {value} on this connection, and {needed} is needed, so that what was acknowledged is not lost"
    )]
    NotDurable {
        /// The setting.
        setting: &'static str,
        /// What it is.
        value: String,
        /// What it must be.
        needed: &'static str,
    },
    /// The tables were made by a later version of this crate.
    #[error(
        "the inbox's tables are of schema {found}, and this version of yuanfen-inbox knows schemas up to {known}: run the \
         newer version, on every machine"
    )]
    NewerSchema {
        /// The schema in the database.
        found: i64,
        /// The last one that this version knows.
        known: i64,
    },
    /// The database has no inbox, where one was to be looked at. Nothing was made in it.
    #[error("the database has no inbox in it: is it the one that the shop uses?")]
    NoInbox,
    /// The tables were made by an earlier version of this crate, where they were only to be looked at.
    #[error(
        "the inbox's tables are of schema {found}, and this version of yuanfen-inbox needs {known}: start the shop with this \
         version once, which upgrades them"
    )]
    OlderSchema {
        /// The schema in the database.
        found: i64,
        /// The one that this version needs.
        known: i64,
    },
    /// A migration that was applied here is not the one that this version has: somebody changed one of the two.
    #[error("schema {version} in the database is not the one that this version of yuanfen-inbox made")]
    ForeignSchema {
        /// The schema.
        version: i64,
    },
    /// A column does not hold what this crate writes into it.
    #[error("the column `{column}` does not hold what this version of yuanfen-inbox writes into it")]
    Unreadable {
        /// The column.
        column: &'static str,
    },
    /// The event is not there, or not in a state in which that can be done.
    #[error("there is no such event, or it is not in a state in which that can be done")]
    NoSuchEvent,
    /// What is expected is not there, or not in a state in which that can be done.
    #[error("nothing of that number is expected, or it is not in a state in which that can be done")]
    NoSuchPending,
    /// The database failed.
    #[error("the database failed")]
    Database(#[source] Cause),
}

impl StoreError {
    /// A failure of the database itself.
    pub fn database(cause: impl Into<Cause>) -> Self {
        Self::Database(cause.into())
    }
}

#[cfg(any(feature = "sqlite", feature = "postgres"))]
impl From<sqlx::Error> for StoreError {
    fn from(error: sqlx::Error) -> Self {
        match error {
            sqlx::Error::PoolTimedOut => Self::Busy,
            error => Self::database(error),
        }
    }
}

/// The shop cannot be told to expect this.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum ExpectError {
    /// The same number is expected already, with another amount, currency, merchant, app, order or expiry.
    #[error(
        "`{field}` of {number} differs from what is expected under this number already; repeat what was expected, or use a \
         new number"
    )]
    Differs {
        /// The first field that differs.
        field: &'static str,
        /// The order's or refund's number.
        number: String,
    },
    /// What was expected under this number is over, given up or lapsed: nothing would query it any more.
    #[error("{number} is expected no more, it is {}; use a new number", state.as_str())]
    Over {
        /// The order's or refund's number.
        number: String,
        /// What became of it.
        state: PendingState,
    },
    /// It expires before it is placed.
    #[error("`expires_at` ({expires_at:?}) is not after `placed_at` ({placed_at:?})")]
    ExpiresBefore {
        /// When it is placed.
        placed_at: UnixTime,
        /// When it would expire.
        expires_at: UnixTime,
    },
    /// The store failed.
    #[error(transparent)]
    Store(#[from] StoreError),
}

/// An error and its causes in one line.
pub(crate) fn chain(error: &(dyn std::error::Error + 'static)) -> String {
    let mut text = error.to_string();
    let mut cause = error.source();
    while let Some(error) = cause {
        text.push_str(": ");
        text.push_str(&error.to_string());
        cause = error.source();
    }
    text
}
