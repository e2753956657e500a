//! How fast the run goes: kills are spread over the deliveries, and deliveries do not run away from the workers.

use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

/// So many events may be ready at once before deliveries wait.
const MOST_READY: u64 = 100;

/// How often whoever waits looks again.
const LOOK: Duration = Duration::from_millis(5);

/// The deliveries of a run are cut into windows, one before the first blow, one for each and one after the last. A blow
/// (something is killed, or stopped) falls in its own window: the next does not begin before it has.
pub(super) struct Pace {
    deliveries: u64,
    blows: u64,
    sent: AtomicU64,
    /// Blows that fell, and windows that were given to one that needed more.
    windows: AtomicU64,
    ready: AtomicU64,
}

impl Pace {
    pub(super) const fn new(deliveries: u64, blows: u64) -> Self {
        Self {
            deliveries,
            blows,
            sent: AtomicU64::new(0),
            windows: AtomicU64::new(0),
            ready: AtomicU64::new(0),
        }
    }

    /// Waits until one more may be sent.
    pub(super) async fn send(&self) {
        let number = self.sent.load(Ordering::Relaxed);
        while number >= self.end_of_window() || self.ready.load(Ordering::Relaxed) > MOST_READY {
            tokio::time::sleep(LOOK).await;
        }
        self.sent.fetch_add(1, Ordering::Relaxed);
    }

    /// Waits until the window of that blow has begun.
    pub(super) async fn reach(&self, blow: u64) {
        while self.sent.load(Ordering::Relaxed) < self.place(blow + 1) {
            tokio::time::sleep(LOOK).await;
        }
    }

    /// A blow has fallen, or needs more deliveries until it does.
    pub(super) fn next_window(&self) {
        self.windows.fetch_add(1, Ordering::Relaxed);
    }

    pub(super) fn note_ready(&self, ready: i64) {
        self.ready
            .store(u64::try_from(ready).unwrap_or_default(), Ordering::Relaxed);
    }

    pub(super) fn ready(&self) -> u64 {
        self.ready.load(Ordering::Relaxed)
    }

    fn end_of_window(&self) -> u64 {
        self.place(self.windows.load(Ordering::Relaxed) + 2)
    }

    /// Where the window of that number begins.
    fn place(&self, window: u64) -> u64 {
        if window >= self.blows + 2 {
            return self.deliveries;
        }
        self.deliveries.saturating_mul(window) / (self.blows + 2)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn deliveries_wait_for_the_blow_of_their_window() {
        let pace = Pace::new(100, 2);
        for _ in 0..50 {
            pace.send().await;
        }
        pace.reach(0).await;
        let patience = Duration::from_millis(50);
        assert!(tokio::time::timeout(patience, pace.send()).await.is_err());
        assert!(tokio::time::timeout(patience, pace.reach(1)).await.is_ok());
        pace.next_window();
        for _ in 50..75 {
            pace.send().await;
        }
        assert!(tokio::time::timeout(patience, pace.send()).await.is_err());
        pace.next_window();
        for _ in 75..100 {
            pace.send().await;
        }
    }

    #[tokio::test]
    async fn deliveries_wait_for_the_workers() {
        let pace = Pace::new(100, 0);
        pace.note_ready(101);
        let patience = Duration::from_millis(50);
        assert!(tokio::time::timeout(patience, pace.send()).await.is_err());
        pace.note_ready(100);
        pace.send().await;
    }
}
