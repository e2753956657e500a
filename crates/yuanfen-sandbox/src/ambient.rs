//! Time and randomness of one sandbox: from a seed, so that a run can be repeated number by number.

use std::sync::atomic::{AtomicU64, Ordering};

use yuanfen_core::{Ambient, UnixTime};

use crate::Clock;

/// The clock, and numbers from a seed. They are spread well enough to tell things apart and prove nothing: every key
/// of the sandbox is thrown away anyway.
#[derive(Debug)]
pub(crate) struct SeededAmbient {
    clock: Clock,
    state: AtomicU64,
}

impl SeededAmbient {
    pub(crate) const fn new(clock: Clock, seed: u64) -> Self {
        Self {
            clock,
            state: AtomicU64::new(seed),
        }
    }

    pub(crate) const fn clock(&self) -> &Clock {
        &self.clock
    }

    /// The next number of SplitMix64.
    pub(crate) fn next(&self) -> u64 {
        mix(self.state.fetch_add(STEP, Ordering::Relaxed))
    }

    /// So many characters of an alphabet. The bias of the remainder is below anything that matters here.
    pub(crate) fn text(&self, alphabet: &[u8], length: usize) -> String {
        let size = u64::try_from(alphabet.len()).unwrap_or(1).max(1);
        (0..length)
            .filter_map(|_| alphabet.get(usize::try_from(self.next() % size).unwrap_or(0)))
            .map(|byte| char::from(*byte))
            .collect()
    }

    /// So many decimal digits.
    pub(crate) fn digits(&self, length: usize) -> String {
        self.text(b"0123456789", length)
    }

    /// So many digits of lower-case hex.
    pub(crate) fn hex(&self, length: usize) -> String {
        self.text(b"0123456789abcdef", length)
    }

    /// So many letters and digits.
    pub(crate) fn letters(&self, length: usize) -> String {
        self.text(
            b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789",
            length,
        )
    }
}

/// The odd step of SplitMix64.
const STEP: u64 = 0x9e37_79b9_7f4a_7c15;

/// What SplitMix64 gives in that state.
pub(crate) const fn mix(state: u64) -> u64 {
    let mut mixed = state.wrapping_add(STEP);
    mixed = (mixed ^ (mixed >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
    mixed = (mixed ^ (mixed >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
    mixed ^ (mixed >> 31)
}

impl Ambient for SeededAmbient {
    fn now(&self) -> UnixTime {
        self.clock.now()
    }

    fn fill(&self, out: &mut [u8]) {
        for chunk in out.chunks_mut(8) {
            for (target, source) in chunk.iter_mut().zip(self.next().to_le_bytes()) {
                *target = source;
            }
        }
    }
}
