//! What is counted and timed, by route and by outcome: never by order, account or anything else without an end.
//!
//! It goes to the recorder that the program installed for the `metrics` facade; without the feature `metrics`, nowhere.

use std::time::Duration;

#[cfg(feature = "metrics")]
use crate::store::{Health, Store};
#[cfg(feature = "metrics")]
use crate::{Inbox, StoreError};

/// How often the workers publish how the inbox is doing.
#[cfg(feature = "metrics")]
pub(crate) const HEALTH_EVERY: Duration = Duration::from_secs(15);

/// A notice came in; `verdict` is [`Received::as_str`](crate::Received::as_str).
pub(crate) fn notice(route: &'static str, verdict: &'static str) {
    #[cfg(feature = "metrics")]
    metrics::counter!("yuanfen_inbox_notices_total", "route" => route, "verdict" => verdict).increment(1);
    #[cfg(not(feature = "metrics"))]
    let _ = (route, verdict);
}

/// An attempt to let an event take effect is over; `outcome` is [`Handled::as_str`](crate::Handled::as_str), or
/// `database-failed`.
pub(crate) fn attempt(route: &str, outcome: &'static str) {
    #[cfg(feature = "metrics")]
    metrics::counter!("yuanfen_inbox_attempts_total", "route" => route.to_owned(), "outcome" => outcome).increment(1);
    #[cfg(not(feature = "metrics"))]
    let _ = (route, outcome);
}

/// A handler ran for so long, to its end or to its deadline.
pub(crate) fn handler(route: &str, took: Duration) {
    #[cfg(feature = "metrics")]
    metrics::histogram!("yuanfen_inbox_handler_seconds", "route" => route.to_owned()).record(took);
    #[cfg(not(feature = "metrics"))]
    let _ = (route, took);
}

/// A query for something that is expected came to that result, which is
/// [`Converged::as_str`](crate::Converged::as_str), or `database-failed`.
pub(crate) fn query(route: &str, result: &'static str) {
    #[cfg(feature = "metrics")]
    metrics::counter!("yuanfen_inbox_queries_total", "route" => route.to_owned(), "result" => result).increment(1);
    #[cfg(not(feature = "metrics"))]
    let _ = (route, result);
}

/// Says what each of them is, for recorders that pass it on.
#[cfg(feature = "metrics")]
pub(crate) fn describe() {
    use metrics::{Unit, describe_counter, describe_gauge, describe_histogram};
    describe_counter!(
        "yuanfen_inbox_notices_total",
        "requests that came in as notices, by route and verdict"
    );
    describe_counter!(
        "yuanfen_inbox_attempts_total",
        "attempts to let an event take effect, by route and outcome"
    );
    describe_counter!(
        "yuanfen_inbox_queries_total",
        "queries for what is expected, by route and result"
    );
    describe_histogram!(
        "yuanfen_inbox_handler_seconds",
        Unit::Seconds,
        "how long handlers ran, by route"
    );
    describe_gauge!("yuanfen_inbox_events", "stored events that are not done, by state");
    describe_gauge!(
        "yuanfen_inbox_oldest_ready_seconds",
        Unit::Seconds,
        "how long the oldest event that is not done or parked has been here"
    );
    describe_gauge!("yuanfen_inbox_conflicts", "contradictions that no person has looked at");
    describe_gauge!(
        "yuanfen_inbox_pending",
        "orders and refunds that are expected or were given up, by state"
    );
    describe_gauge!(
        "yuanfen_inbox_query_overdue_seconds",
        Unit::Seconds,
        "how long the query that is due for longest is overdue"
    );
}

/// Sets the gauges.
#[cfg(feature = "metrics")]
fn health(health: &Health) {
    use metrics::gauge;
    // A gauge is a float, and takes no wider integer without a loss.
    let count = |count| u32::try_from(count).unwrap_or(u32::MAX);
    gauge!("yuanfen_inbox_events", "state" => "ready").set(count(health.ready));
    gauge!("yuanfen_inbox_events", "state" => "parked").set(count(health.parked));
    gauge!("yuanfen_inbox_oldest_ready_seconds").set(health.oldest_ready.unwrap_or_default());
    gauge!("yuanfen_inbox_conflicts").set(count(health.conflicts));
    gauge!("yuanfen_inbox_pending", "state" => "open").set(count(health.pending));
    gauge!("yuanfen_inbox_pending", "state" => "given-up").set(count(health.given_up));
    gauge!("yuanfen_inbox_query_overdue_seconds").set(health.query_overdue.unwrap_or_default());
}

#[cfg(feature = "metrics")]
impl<S: Store> Inbox<S> {
    /// Reads how the inbox is doing and sets the gauges. Running [workers](crate::Workers::run) do so every fifteen
    /// seconds; this is for a process that has none.
    ///
    /// # Errors
    /// [`StoreError`] when it cannot be read; the gauges stay as they are.
    pub async fn publish_health(&self) -> Result<Health, StoreError> {
        let health = self.health().await?;
        self::health(&health);
        Ok(health)
    }
}
