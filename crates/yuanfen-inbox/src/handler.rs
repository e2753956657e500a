//! What a shop does when an event takes effect.

use std::fmt;
use std::future::Future;
use std::pin::Pin;
use std::sync::Arc;

use crate::StoredEvent;
use crate::store::Store;

type Cause = Box<dyn std::error::Error + Send + Sync>;

/// The effect of an event, in the transaction that marks it done: both are committed, or neither is.
///
/// What is written through `transaction` takes effect once. For effects elsewhere (mail, another service) use
/// `event.key.to_string()` as their idempotency key; they happen at least once, because the commit may fail after them.
///
/// A handler that takes longer than the inbox's deadline is dropped and its transaction rolled back. On SQLite it holds
/// the only write lock: let it write rows and nothing else, and send mail from a table that it filled.
pub trait TxHandler<S: Store>: Send + Sync + 'static {
    /// Lets an event take effect.
    ///
    /// # Errors
    /// Any error rolls back; the event is tried again after a pause, or parked at once with [`HandlerError::park`].
    fn apply(
        &self,
        transaction: &mut S::Transaction,
        event: &StoredEvent,
    ) -> impl Future<Output = Result<(), HandlerError>> + Send;
}

/// A handler failed, and nothing it did in its transaction has happened.
///
/// Every error becomes one with `?`, and means "try again later". It is no `std::error::Error` itself, so that it can.
#[derive(Debug)]
pub struct HandlerError {
    pub(crate) cause: Cause,
    pub(crate) is_final: bool,
}

impl HandlerError {
    /// Try again after a pause.
    pub fn retry(cause: impl Into<Cause>) -> Self {
        Self {
            cause: cause.into(),
            is_final: false,
        }
    }

    /// No further attempt can help: park the event, and tell a person why.
    pub fn park(cause: impl Into<Cause>) -> Self {
        Self {
            cause: cause.into(),
            is_final: true,
        }
    }
}

impl<E: std::error::Error + Send + Sync + 'static> From<E> for HandlerError {
    fn from(cause: E) -> Self {
        Self::retry(cause)
    }
}

/// What a handler's function returns.
pub type HandlerFuture<'a> = Pin<Box<dyn Future<Output = Result<(), HandlerError>> + Send + 'a>>;

type Apply<S> = dyn for<'a> Fn(&'a mut <S as Store>::Transaction, &'a StoredEvent) -> HandlerFuture<'a> + Send + Sync;

/// A handler made of a function; see [`handler_fn`].
pub struct HandlerFn<S: Store>(
    // Behind a pointer, because the compiler cannot prove of a closure over lifetimes that a future with it is `Send`; so
    // workers with it could not be spawned.
    Arc<Apply<S>>,
);

/// A handler made of a function. The store stands in its type, since nothing else in it names one:
///
/// ```
/// use yuanfen_inbox::{SqliteStore, handler_fn};
///
/// let book = handler_fn::<SqliteStore, _>(|transaction, event| {
///     Box::pin(async move {
///         let row = sqlx::query("insert into book (event) values ($1)").bind(event.key.to_string());
///         row.execute(&mut **transaction).await?;
///         Ok(())
///     })
/// });
/// ```
pub fn handler_fn<S, F>(function: F) -> HandlerFn<S>
where
    S: Store,
    F: for<'a> Fn(&'a mut S::Transaction, &'a StoredEvent) -> HandlerFuture<'a> + Send + Sync + 'static,
{
    HandlerFn(Arc::new(function))
}

impl<S: Store> TxHandler<S> for HandlerFn<S> {
    async fn apply(&self, transaction: &mut S::Transaction, event: &StoredEvent) -> Result<(), HandlerError> {
        (self.0)(transaction, event).await
    }
}

impl<S: Store> Clone for HandlerFn<S> {
    fn clone(&self) -> Self {
        Self(Arc::clone(&self.0))
    }
}

impl<S: Store> fmt::Debug for HandlerFn<S> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("HandlerFn").finish_non_exhaustive()
    }
}
