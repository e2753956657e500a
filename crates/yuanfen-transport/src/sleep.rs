//! Letting time pass, so that tests can pass it themselves.

use std::future::Future;
use std::time::Duration;

/// Waits. Any closure from duration to future is one, `tokio::time::sleep` included; tests hand in one that moves a
/// fake clock.
pub trait Sleep: Send + Sync {
    /// Ends after that much time.
    fn sleep(&self, duration: Duration) -> impl Future<Output = ()> + Send;
}

impl<F, Sleeping> Sleep for F
where
    F: Fn(Duration) -> Sleeping + Send + Sync,
    Sleeping: Future<Output = ()> + Send,
{
    fn sleep(&self, duration: Duration) -> impl Future<Output = ()> + Send {
        self(duration)
    }
}

/// Waits on the timer of the tokio runtime that the caller runs in.
#[cfg(feature = "hyper")]
#[derive(Clone, Copy, Debug, Default)]
#[expect(
    clippy::exhaustive_structs,
    reason = "it has nothing to configure and is written as a value"
)]
pub struct TokioSleep;

#[cfg(feature = "hyper")]
impl Sleep for TokioSleep {
    fn sleep(&self, duration: Duration) -> impl Future<Output = ()> + Send {
        tokio::time::sleep(duration)
    }
}
