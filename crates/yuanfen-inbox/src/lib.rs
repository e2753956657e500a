#![doc = include_str!("../README.md")]

#[cfg(feature = "axum")]
mod axum;
#[cfg(any(feature = "tower", feature = "axum"))]
mod body;
mod converge;
mod counts;
mod error;
mod event;
mod filter;
mod handler;
mod inbox;
mod pending;
mod people;
mod phase;
mod receive;
pub mod store;
#[cfg(feature = "tower")]
mod tower;
mod worker;

#[cfg(feature = "axum")]
pub use axum::RawNotice;
#[cfg(any(feature = "tower", feature = "axum"))]
pub use body::BodyError;
pub use converge::{Converged, Convergence, NEVER_PLACED, QueryError, RoutePlan, Schedule};
pub use error::{ExpectError, StoreError};
pub use event::{
    ClaimedEvent, EventId, EventState, KeptRequest, NewEvent, Origin, ParkReason, StoredConflict, StoredEvent,
    facts_text,
};
pub use filter::{EventFilter, PendingFilter};
pub use handler::{HandlerError, HandlerFn, HandlerFuture, TxHandler, handler_fn};
pub use inbox::{Inbox, Settings, Unexpected};
pub use pending::{
    ClaimedPending, Expected, Mismatch, PendingKind, PendingOrder, PendingRefund, PendingState, StoredPending,
};
#[cfg(feature = "test-util")]
pub use phase::{Phase, PhaseFuture};
pub use receive::{Receipt, Received, Receiver};
#[cfg(feature = "postgres")]
pub use store::postgres::PostgresStore;
#[cfg(feature = "sqlite")]
pub use store::sqlite::SqliteStore;
pub use worker::{Handled, Workers};
