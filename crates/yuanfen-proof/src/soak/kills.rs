//! What was killed, counted by phase.

use std::fmt;
use std::sync::{Mutex, MutexGuard, PoisonError};

use super::stops::{OF_RECEIVERS, PHASES};

#[derive(Default)]
pub(super) struct Kills(Mutex<Counts>);

#[derive(Clone, Copy, Default)]
struct Counts {
    by_phase: [OfPhase; PHASES.len()],
    stopped: u64,
    overtaken: u64,
}

#[derive(Clone, Copy, Default)]
struct OfPhase {
    processes: u64,
    /// Of these, how many had committed the effect.
    done: u64,
    servers: u64,
}

impl Kills {
    /// A process was killed; whether the event that it had was done.
    pub(super) fn note_process(&self, phase: usize, is_done: bool) {
        if let Some(count) = self.counts().by_phase.get_mut(phase) {
            count.processes += 1;
            count.done += u64::from(is_done);
        }
    }

    pub(super) fn note_server(&self, phase: usize) {
        if let Some(count) = self.counts().by_phase.get_mut(phase) {
            count.servers += 1;
        }
    }

    /// A worker was stopped beyond its lease; whether another had done its event by then.
    pub(super) fn note_stop(&self, is_overtaken: bool) {
        let mut counts = self.counts();
        counts.stopped += 1;
        counts.overtaken += u64::from(is_overtaken);
    }

    /// Whether no process was killed at its commit so far.
    pub(super) fn none_at_commits(&self) -> bool {
        self.counts().by_phase.last().is_none_or(|last| last.processes == 0)
    }

    pub(super) fn all(&self) -> u64 {
        let counts = self.counts();
        counts
            .by_phase
            .iter()
            .map(|count| count.processes + count.servers)
            .sum()
    }

    /// Workers that were stopped and not overtaken: nothing was seen of the fence.
    pub(super) fn not_overtaken(&self) -> u64 {
        let counts = self.counts();
        counts.stopped - counts.overtaken
    }

    fn counts(&self) -> MutexGuard<'_, Counts> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl fmt::Display for Kills {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let counts = *self.counts();
        writeln!(
            f,
            "{:<12} {:>9} {:>9} {:>9}   (the server's by the phase that was aimed at: it goes down a moment later)",
            "killed at", "receivers", "workers", "server"
        )?;
        for (index, ((_, name), count)) in PHASES.iter().zip(counts.by_phase).enumerate() {
            let (receivers, workers) = if index < OF_RECEIVERS {
                (count.processes, 0)
            } else {
                (0, count.processes)
            };
            write!(f, "{name:<12} {receivers:>9} {workers:>9} {:>9}", count.servers)?;
            if index + 1 == PHASES.len() {
                write!(f, "   ({} of the workers' kills came after the commit)", count.done)?;
            }
            writeln!(f)?;
        }
        write!(
            f,
            "workers stopped beyond their lease: {}, overtaken by another before they woke up: {}",
            counts.stopped, counts.overtaken
        )
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_kill_is_counted_under_its_phase() {
        let kills = Kills::default();
        kills.note_process(0, false);
        kills.note_process(4, true);
        kills.note_process(4, false);
        kills.note_server(4);
        kills.note_stop(true);
        assert_eq!(kills.all(), 4);
        assert!(!kills.none_at_commits());
        assert_eq!(kills.not_overtaken(), 0);
        let table = kills.to_string();
        assert!(
            table.contains("receiving            1         0         0\n"),
            "{table}"
        );
        assert!(
            table.contains(
                "committing           0         2         1   (1 of the workers' kills came after the commit)"
            ),
            "{table}"
        );
    }
}
