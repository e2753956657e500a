//! The latest of what happened, numbered, in bounded memory.

use std::collections::VecDeque;
use std::fmt;
use std::sync::Arc;

/// Most entries that a log keeps; older ones are forgotten, their count is not.
const MOST: usize = 4096;
/// Most bytes that a log keeps, not counting what the allocator adds.
const MOST_BYTES: usize = 64 << 20;

/// What a log keeps.
pub(crate) trait Entry {
    /// Takes the number under which it is kept.
    fn set_number(&mut self, number: u64);

    /// About what it needs, in bytes. It does not change.
    fn size(&self) -> usize;
}

/// The latest entries: at most 4096, and fewer where they are long (64 MiB).
pub(crate) struct Log<T> {
    kept: VecDeque<Arc<T>>,
    /// How many there ever were.
    count: u64,
    /// The size of those that are kept.
    bytes: usize,
}

impl<T> fmt::Debug for Log<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Log")
            .field("kept", &self.kept.len())
            .field("count", &self.count)
            .finish_non_exhaustive()
    }
}

impl<T> Default for Log<T> {
    fn default() -> Self {
        Self {
            kept: VecDeque::new(),
            count: 0,
            bytes: 0,
        }
    }
}

impl<T: Entry> Log<T> {
    /// Keeps an entry under the next number.
    pub(crate) fn push(&mut self, mut entry: T) -> &Arc<T> {
        self.count = self.count.saturating_add(1);
        entry.set_number(self.count);
        self.bytes = self.bytes.saturating_add(entry.size());
        while self.kept.len() >= MOST || self.bytes > MOST_BYTES {
            let Some(oldest) = self.kept.pop_front() else { break };
            self.bytes = self.bytes.saturating_sub(oldest.size());
        }
        self.kept.push_back_mut(Arc::new(entry))
    }

    /// Those that are kept, the oldest first.
    pub(crate) fn iter(&self) -> impl Iterator<Item = &Arc<T>> {
        self.kept.iter()
    }

    /// The entry of that number, if it is kept.
    pub(crate) fn find(&self, number: u64) -> Option<&Arc<T>> {
        self.kept.get(self.place(number)?)
    }

    /// The latest entries before that number, newest first.
    pub(crate) fn latest(&self, before: Option<u64>, limit: usize) -> Vec<Arc<T>> {
        let end = match before {
            None => self.kept.len(),
            // A number that is forgotten has nothing before it; one that is not given yet, everything.
            Some(before) if before > self.count => self.kept.len(),
            Some(before) => self.place(before).unwrap_or(0),
        };
        self.kept.range(..end).rev().take(limit).cloned().collect()
    }

    fn place(&self, number: u64) -> Option<usize> {
        let forgotten = self
            .count
            .saturating_sub(u64::try_from(self.kept.len()).unwrap_or(u64::MAX));
        usize::try_from(number.checked_sub(forgotten)?.checked_sub(1)?).ok()
    }
}

#[cfg(test)]
mod tests {
    use super::{Entry, Log, MOST, MOST_BYTES};

    struct Note {
        number: u64,
        size: usize,
    }

    impl Entry for Note {
        fn set_number(&mut self, number: u64) {
            self.number = number;
        }

        fn size(&self) -> usize {
            self.size
        }
    }

    fn log(sizes: impl IntoIterator<Item = usize>) -> Log<Note> {
        let mut log = Log::default();
        for size in sizes {
            log.push(Note { number: 0, size });
        }
        log
    }

    fn numbers(log: &Log<Note>, before: Option<u64>, limit: usize) -> Vec<u64> {
        log.latest(before, limit).iter().map(|note| note.number).collect()
    }

    #[test]
    fn pages_from_the_newest_to_the_oldest() {
        let log = log([1; 5]);
        assert_eq!(numbers(&log, None, 2), [5, 4]);
        assert_eq!(numbers(&log, Some(4), 2), [3, 2]);
        assert_eq!(numbers(&log, Some(2), 2), [1]);
        assert_eq!(numbers(&log, Some(1), 2), [0; 0]);
        assert_eq!(numbers(&log, Some(0), 2), [0; 0]);
        assert_eq!(numbers(&log, Some(99), 9), [5, 4, 3, 2, 1]);
        assert_eq!(log.find(1).map(|note| note.number), Some(1));
        assert!(log.find(0).is_none() && log.find(6).is_none());
    }

    #[test]
    fn forgets_the_oldest_and_no_number() {
        let log = log(std::iter::repeat_n(1, MOST + 10));
        assert_eq!(log.iter().count(), MOST);
        assert!(log.find(10).is_none());
        assert_eq!(log.find(11).map(|note| note.number), Some(11));
        assert_eq!(numbers(&log, Some(12), 5), [11]);
        assert_eq!(numbers(&log, Some(5), 5), [0; 0]);
    }

    #[test]
    fn keeps_fewer_where_they_are_long_and_always_the_last() {
        let third = MOST_BYTES / 3 + 1;
        let log = log([third, third, third, third, 1]);
        assert_eq!(numbers(&log, None, 9), [5, 4, 3]);
        assert_eq!(log.bytes, third * 2 + 1);
        let log = self::log([1, 1, MOST_BYTES + 1]);
        assert_eq!(numbers(&log, None, 9), [3]);
    }
}
