//! One fetch of keys at a time, however many calls miss one.

use std::collections::VecDeque;
use std::sync::atomic::{AtomicU64, Ordering};

use tokio::sync::{Mutex, MutexGuard};

/// How many serials are remembered. More than a platform has in use at a time; fewer than would matter.
const REMEMBERED: usize = 8;

/// Whose turn it is to fetch keys, and what was fetched when.
///
/// A caller whose future is dropped in the middle of its turn gives it up, and the next one in line takes over.
#[derive(Debug, Default)]
pub(crate) struct Refresh {
    round: AtomicU64,
    fetched: Mutex<VecDeque<(Box<str>, u64)>>,
}

impl Refresh {
    /// The number of the last fetch that ended. Read it before a response is opened.
    pub(crate) fn round(&self) -> u64 {
        self.round.load(Ordering::Acquire)
    }

    /// Waits for the turn to fetch.
    pub(crate) async fn turn(&self) -> Turn<'_> {
        Turn {
            round: &self.round,
            fetched: self.fetched.lock().await,
        }
    }
}

/// The turn to fetch keys; nobody else fetches while it is held.
#[derive(Debug)]
pub(crate) struct Turn<'a> {
    round: &'a AtomicU64,
    fetched: MutexGuard<'a, VecDeque<(Box<str>, u64)>>,
}

impl Turn<'_> {
    /// Whether a fetch for that serial ended after that round, so that another would bring nothing new.
    pub(crate) fn fetched_since(&self, seen: u64, serial: &str) -> bool {
        self.fetched
            .iter()
            .any(|(fetched, round)| **fetched == *serial && *round > seen)
    }

    /// Notes that a fetch for that serial has ended, well or not.
    pub(crate) fn record(mut self, serial: &str) {
        let round = self.round.fetch_add(1, Ordering::AcqRel).saturating_add(1);
        self.fetched.retain(|(fetched, _)| **fetched != *serial);
        while self.fetched.len() >= REMEMBERED {
            drop(self.fetched.pop_front());
        }
        self.fetched.push_back((serial.into(), round));
    }
}
