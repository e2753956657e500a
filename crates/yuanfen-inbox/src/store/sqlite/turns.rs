//! Who may write next, within this process and beside others.

use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, Instant};

use tokio::sync::{Mutex as Gate, OwnedMutexGuard};

/// A turn this long has made others wait. Between shorter ones a receiver of another process finds a gap soon enough.
pub(super) const LONG: Duration = Duration::from_millis(100);

/// How long workers stay away after a long turn. Receivers of other processes ask for the lock every few milliseconds, so
/// one of them gets it; SQLite itself keeps no queue. Long enough for a worker of another process to have its turn, too.
const BREATH: Duration = Duration::from_millis(60);

/// For so long after another process had the lock for long, it is likely to want it again.
const RIVALRY: Duration = Duration::from_secs(10);

/// SQLite has one write lock and no queue for it. Within the process there is a queue, and at most one worker stands in it:
/// a receiver waits for the worker that is at it, never for the one behind it.
#[derive(Debug, Default)]
pub(super) struct Turns {
    writers: Arc<Gate<()>>,
    workers: Arc<Gate<()>>,
    last_long_turn: Arc<Mutex<Option<Instant>>>,
    last_rival: Mutex<Option<Instant>>,
}

/// A turn to write; it ends when this is dropped.
#[derive(Debug)]
pub struct Turn {
    began: Instant,
    last_long_turn: Arc<Mutex<Option<Instant>>>,
    _writer: OwnedMutexGuard<()>,
    _worker: OwnedMutexGuard<()>,
}

impl Turns {
    /// The next turn, for a receiver.
    pub(super) async fn receiver(&self) -> OwnedMutexGuard<()> {
        Arc::clone(&self.writers).lock_owned().await
    }

    /// The next turn of a worker, when all receivers that came before it have had theirs.
    pub(super) async fn worker(&self) -> Turn {
        let worker = Arc::clone(&self.workers).lock_owned().await;
        let last = *self.last_long_turn.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(rest) = last.and_then(|end| BREATH.checked_sub(end.elapsed())) {
            tokio::time::sleep(rest).await;
        }
        let writer = Arc::clone(&self.writers).lock_owned().await;
        Turn {
            began: Instant::now(),
            last_long_turn: Arc::clone(&self.last_long_turn),
            _writer: writer,
            _worker: worker,
        }
    }
}

impl Turns {
    /// Notes that another process has the lock for long.
    pub(super) fn meet_rival(&self) {
        *self.last_rival.lock().unwrap_or_else(PoisonError::into_inner) = Some(Instant::now());
    }

    /// Whether another process had the lock for long, lately.
    pub(super) fn has_rivals(&self) -> bool {
        let last = *self.last_rival.lock().unwrap_or_else(PoisonError::into_inner);
        last.is_some_and(|last| last.elapsed() < RIVALRY)
    }
}

impl Drop for Turn {
    fn drop(&mut self) {
        let now = Instant::now();
        if now.duration_since(self.began) >= LONG {
            *self.last_long_turn.lock().unwrap_or_else(PoisonError::into_inner) = Some(now);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn a_receiver_waits_for_the_worker_at_it_and_not_for_the_next() {
        let turns = Arc::new(Turns::default());
        let first = turns.worker().await;
        let (order, mut seen) = tokio::sync::mpsc::unbounded_channel();
        let second = {
            let (turns, order) = (Arc::clone(&turns), order.clone());
            tokio::spawn(async move {
                let turn = turns.worker().await;
                order.send("worker").ok();
                drop(turn);
            })
        };
        // The second worker is waiting when the receiver comes.
        tokio::time::sleep(Duration::from_millis(5)).await;
        let receiver = {
            let turns = Arc::clone(&turns);
            tokio::spawn(async move {
                let turn = turns.receiver().await;
                order.send("receiver").ok();
                drop(turn);
            })
        };
        tokio::time::sleep(Duration::from_millis(5)).await;
        drop(first);
        assert_eq!(seen.recv().await, Some("receiver"));
        assert_eq!(seen.recv().await, Some("worker"));
        second.await.unwrap();
        receiver.await.unwrap();
    }
}
