//! One fetch of keys at a time, however many calls want one, and none too soon after one that failed.

use std::collections::VecDeque;
use std::future::{Future, poll_fn};
use std::pin::pin;
use std::sync::atomic::{AtomicU64, Ordering};

use tokio::sync::{Mutex, MutexGuard};
use yuanfen_core::{KeysUnavailable, UnixTime};

/// How many serials are remembered. More than a platform has in use at a time; fewer than would matter.
const REMEMBERED: usize = 8;

/// Seconds between two fetches that nothing waits for, and the longest pause after fetches that failed.
const MINUTE: i64 = 60;

/// Whose turn it is to fetch keys, and what was fetched when. Times are the client's, in whole seconds.
///
/// A caller whose future is dropped in the middle of its turn gives it up, and the next one in line takes over.
#[derive(Debug, Default)]
pub(crate) struct Refresh {
    round: AtomicU64,
    history: Mutex<History>,
}

#[derive(Debug, Default)]
struct History {
    /// For which serials fetches ended, and in which round.
    serials: VecDeque<(Box<str>, u64)>,
    /// The last fetch, where it failed.
    failure: Option<Failure>,
    /// When keys were last fetched beside a call.
    aside: Option<UnixTime>,
    /// Whether the last fetch beside a call was given up because the call was done first.
    given_up: bool,
}

#[derive(Debug)]
struct Failure {
    round: u64,
    at: UnixTime,
    pause: i64,
    problem: KeysUnavailable,
}

impl Failure {
    /// Whether it is too soon for another try. A clock that was set back does not make the pause longer.
    fn pauses(&self, now: UnixTime) -> bool {
        (0..self.pause).contains(&now.since(self.at))
    }
}

impl Refresh {
    /// The number of the last fetch that ended. Read it before keys are found missing.
    pub(crate) fn round(&self) -> u64 {
        self.round.load(Ordering::Acquire)
    }

    /// Waits for the turn to fetch.
    pub(crate) async fn turn(&self) -> Turn<'_> {
        Turn {
            round: &self.round,
            history: self.history.lock().await,
        }
    }

    /// The turn to fetch keys beside a call that does not need them, where nobody has it and it is not too soon: about
    /// once a minute, and not in the pause after a failure.
    pub(crate) fn turn_aside(&self, now: UnixTime) -> Option<Aside<'_>> {
        let mut history = self.history.try_lock().ok()?;
        let recent = history.aside.is_some_and(|last| (0..MINUTE).contains(&now.since(last)));
        if recent || history.failure.as_ref().is_some_and(|failure| failure.pauses(now)) {
            return None;
        }
        history.aside = Some(now);
        // Until it is recorded, it counts as given up: a future that is dropped says nothing any more.
        let patient = std::mem::replace(&mut history.given_up, true);
        let turn = Turn {
            round: &self.round,
            history,
        };
        Some(Aside { turn, patient })
    }
}

/// The turn to fetch keys; nobody else fetches while it is held.
#[derive(Debug)]
pub(crate) struct Turn<'a> {
    round: &'a AtomicU64,
    history: MutexGuard<'a, History>,
}

impl Turn<'_> {
    /// Whether a fetch for that serial ended after that round, so that another would bring nothing new.
    pub(crate) fn fetched_since(&self, seen: u64, serial: &str) -> bool {
        self.history
            .serials
            .iter()
            .any(|(fetched, round)| **fetched == *serial && *round > seen)
    }

    /// Why there is no point in a fetch: one failed after that round, or a moment ago.
    pub(crate) fn failed(&self, seen: u64, now: UnixTime) -> Option<KeysUnavailable> {
        let failure = self.history.failure.as_ref()?;
        (failure.round > seen || failure.pauses(now)).then(|| failure.problem.clone())
    }

    /// Notes that a fetch has ended, for that serial where it was for one, and why where it failed. The pause after a
    /// failure is a second, twice as long after each further one, and a minute at most.
    pub(crate) fn record(mut self, serial: Option<&str>, failed: Option<KeysUnavailable>, now: UnixTime) {
        let round = self.round.fetch_add(1, Ordering::AcqRel).saturating_add(1);
        let history = &mut *self.history;
        history.given_up = false;
        let last_pause = history.failure.take().map_or(0, |failure| failure.pause);
        history.failure = failed.map(|problem| Failure {
            round,
            at: now,
            pause: last_pause.saturating_mul(2).clamp(1, MINUTE),
            problem,
        });
        let Some(serial) = serial else { return };
        history.serials.retain(|(fetched, _)| **fetched != *serial);
        while history.serials.len() >= REMEMBERED {
            drop(history.serials.pop_front());
        }
        history.serials.push_back((serial.into(), round));
    }
}

/// A turn to fetch keys beside a call.
#[derive(Debug)]
pub(crate) struct Aside<'a> {
    turn: Turn<'a>,
    patient: bool,
}

impl<'a> Aside<'a> {
    /// Makes the call, and on the side what `fetch` makes of the turn.
    ///
    /// The call is not held up: where it is done first, the fetch is given up. Fetches that were always slower than calls
    /// would then never end, so the one after one that was given up is waited for.
    pub(crate) async fn beside<R, F>(self, call: impl Future<Output = R>, fetch: impl FnOnce(Turn<'a>) -> F) -> R
    where
        F: Future<Output = ()>,
    {
        let mut call = pin!(call);
        let mut fetch = pin!(fetch(self.turn));
        let mut fetched = false;
        let answer = poll_fn(|context| {
            if !fetched {
                fetched = fetch.as_mut().poll(context).is_ready();
            }
            call.as_mut().poll(context)
        })
        .await;
        if self.patient && !fetched {
            fetch.await;
        }
        answer
    }
}
