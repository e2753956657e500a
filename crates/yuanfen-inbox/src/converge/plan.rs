//! How one account of one route is queried.

use std::fmt;
use std::future::Future;
use std::pin::Pin;
use std::sync::Arc;
use std::time::Duration;

use yuanfen_core::Finding;

use crate::error::chain;
use crate::worker::caught;
use crate::{PendingKind, Schedule, StoredPending};

type Cause = Box<dyn std::error::Error + Send + Sync>;
type Asking<T> = Pin<Box<dyn Future<Output = Result<T, QueryError>> + Send>>;
type Ask<T> = Arc<dyn Fn(StoredPending) -> Asking<T> + Send + Sync>;

/// A query or a close did not get an answer that says anything. It is never the end of an order: it is kept as
/// [`StoredPending::last_error`], and the next query comes by the schedule.
///
/// Every error becomes one with `?`. It is no `std::error::Error` itself, so that it can.
#[derive(Debug)]
pub struct QueryError(Cause);

impl QueryError {
    /// It failed for that reason.
    pub fn new(cause: impl Into<Cause>) -> Self {
        Self(cause.into())
    }
}

impl<E: std::error::Error + Send + Sync + 'static> From<E> for QueryError {
    fn from(cause: E) -> Self {
        Self::new(cause)
    }
}

/// How what is open with one account of one route is queried, and closed when it expires.
///
/// The inbox knows no provider: it is handed the calls. The facade `yuanfen` has a plan ready for each of its routes.
#[derive(Clone)]
pub struct RoutePlan {
    pub(super) route: String,
    pub(super) account: String,
    orders: Schedule,
    refunds: Schedule,
    query: Ask<Finding>,
    close: Option<Ask<()>>,
    pub(super) concurrency: usize,
    pub(super) pace: Duration,
    pub(super) timeout: Duration,
}

impl RoutePlan {
    /// That account of that route, its orders on that schedule, its refunds on [`Schedule::REFUNDS`].
    ///
    /// The query is for orders and refunds alike; [`Expected::kind`](crate::Expected::kind) of what it is handed says which
    /// it is. It says what it found with the keys of that route and account. An answer that the platform does not know the
    /// number is a finding as well, [`Finding::of_query`] makes one of it; nothing else that failed is.
    pub fn new<F, Fut>(route: impl Into<String>, account: impl Into<String>, orders: Schedule, query: F) -> Self
    where
        F: Fn(StoredPending) -> Fut + Send + Sync + 'static,
        Fut: Future<Output = Result<Finding, QueryError>> + Send + 'static,
    {
        Self {
            route: route.into(),
            account: account.into(),
            orders,
            refunds: Schedule::REFUNDS,
            query: Arc::new(move |pending| Box::pin(query(pending))),
            close: None,
            concurrency: 8,
            pace: Duration::from_millis(50),
            timeout: Duration::from_secs(10),
        }
    }

    /// With a way to close orders that have expired unpaid. It is called right after a query that found that the order may be
    /// closed ([`Finding::may_be_closed`]), not within five minutes after it was placed ([`Self::CLOSE_NOT_BEFORE`]), and
    /// whatever becomes of it the order is queried once more at once: its end comes from the platform.
    ///
    /// It must be safe to repeat, and it must not undo a payment: a payer may be faster.
    #[must_use]
    pub fn with_close<F, Fut>(mut self, close: F) -> Self
    where
        F: Fn(StoredPending) -> Fut + Send + Sync + 'static,
        Fut: Future<Output = Result<(), QueryError>> + Send + 'static,
    {
        self.close = Some(Arc::new(move |pending| Box::pin(close(pending))));
        self
    }

    /// With refunds on another schedule.
    #[must_use]
    pub fn with_refunds(mut self, refunds: Schedule) -> Self {
        self.refunds = refunds;
        self
    }

    /// With at most so many queries under way at a time in this process: 8 unless it is set otherwise.
    #[must_use]
    pub fn with_concurrency(mut self, queries: usize) -> Self {
        self.concurrency = queries.max(1);
        self
    }

    /// With so long a time at least between the beginnings of two queries or closes of this process: 50 ms unless it is set
    /// otherwise, which is twenty a second. After a long outage thousands of orders are overdue, and they go to the platform
    /// at this pace, the longest due first; what becomes due meanwhile, by a hint for one, has its turn between them. What
    /// the query or the close that the plan was given calls besides is not paced.
    #[must_use]
    pub const fn with_pace(mut self, between: Duration) -> Self {
        self.pace = between;
        self
    }

    /// With so long a time for a query, or a close, before it is given up and counts as failed: ten seconds unless it is set
    /// otherwise.
    #[must_use]
    pub const fn with_timeout(mut self, timeout: Duration) -> Self {
        self.timeout = timeout;
        self
    }

    /// How long after it was placed an order may be closed. WeChat: "at least 5 minutes", for until then its states are
    /// not in step (v3 sheet, section 15; v2 sheet, section 6.3).
    pub const CLOSE_NOT_BEFORE: Duration = Duration::from_secs(5 * 60);

    pub(super) const fn schedule(&self, kind: PendingKind) -> &Schedule {
        match kind {
            PendingKind::Order => &self.orders,
            PendingKind::Refund => &self.refunds,
        }
    }

    /// No query is put off for longer.
    pub(super) fn longest_wait(&self) -> Duration {
        self.orders.longest_wait().max(self.refunds.longest_wait())
    }

    pub(super) const fn closes(&self) -> bool {
        self.close.is_some()
    }

    pub(super) async fn query(&self, pending: &StoredPending) -> Result<Finding, String> {
        self.within("query", (self.query)(pending.clone())).await
    }

    pub(super) async fn close(&self, pending: &StoredPending) -> Result<(), String> {
        match &self.close {
            Some(close) => self.within("close", close(pending.clone())).await,
            None => Ok(()),
        }
    }

    async fn within<T>(&self, what: &str, asking: Asking<T>) -> Result<T, String> {
        match tokio::time::timeout(self.timeout, caught(asking)).await {
            Ok(Ok(Ok(answer))) => Ok(answer),
            Ok(Ok(Err(QueryError(cause)))) => Err(chain(&*cause)),
            Ok(Err(_panicked)) => Err(format!("the {what} panicked")),
            Err(_elapsed) => Err(format!("the {what} took longer than {} ms", self.timeout.as_millis())),
        }
    }
}

impl fmt::Debug for RoutePlan {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("RoutePlan")
            .field("route", &self.route)
            .field("account", &self.account)
            .field("orders", &self.orders)
            .field("refunds", &self.refunds)
            .field("closes", &self.closes())
            .field("concurrency", &self.concurrency)
            .field("pace", &self.pace)
            .field("timeout", &self.timeout)
            .finish_non_exhaustive()
    }
}
