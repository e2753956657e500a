//! What a pure function cannot invent.

use crate::UnixTime;

/// The time and the randomness that a pure crate is handed.
///
/// One trait rather than a clock and a generator, because every caller needs both and tests fix both. The transport
/// crate has one over the operating system.
pub trait Ambient: Send + Sync {
    /// Now.
    fn now(&self) -> UnixTime;

    /// Fills the buffer with unpredictable bytes: nonces, blinding.
    fn fill(&self, out: &mut [u8]);
}

impl<A: Ambient + ?Sized> Ambient for &A {
    fn now(&self) -> UnixTime {
        (**self).now()
    }

    fn fill(&self, out: &mut [u8]) {
        (**self).fill(out);
    }
}

impl<A: Ambient + ?Sized> Ambient for std::sync::Arc<A> {
    fn now(&self) -> UnixTime {
        (**self).now()
    }

    fn fill(&self, out: &mut [u8]) {
        (**self).fill(out);
    }
}

/// A random text of 32 upper-case letters and digits (160 bits), which every platform accepts as a nonce.
#[must_use]
pub fn nonce_text(ambient: &dyn Ambient) -> String {
    // 32 symbols: five bits of each byte choose one, so no value is likelier than another.
    const SYMBOLS: &[u8; 32] = b"ABCDEFGHJKLMNPQRSTUVWXYZ23456789";
    let mut bytes = [0_u8; 32];
    ambient.fill(&mut bytes);
    bytes
        .iter()
        .filter_map(|byte| SYMBOLS.get(usize::from(byte & 31)))
        .map(|symbol| char::from(*symbol))
        .collect()
}

/// A fixed time and a fixed byte sequence, for tests and vectors. Nothing it makes is random.
///
/// ```
/// use yuanfen_core::{Ambient, FixedAmbient, UnixTime};
/// let ambient = FixedAmbient::at(1_554_208_460);
/// assert_eq!(ambient.now(), UnixTime::from_seconds(1_554_208_460));
/// ```
#[cfg(any(test, feature = "test-util"))]
#[derive(Debug)]
pub struct FixedAmbient {
    now: std::sync::atomic::AtomicI64,
    counter: std::sync::atomic::AtomicU64,
}

#[cfg(any(test, feature = "test-util"))]
impl FixedAmbient {
    /// At so many seconds since the epoch, at the start of the byte sequence.
    #[must_use]
    pub fn at(seconds: i64) -> Self {
        Self {
            now: seconds.into(),
            counter: 0.into(),
        }
    }

    /// Moves the clock.
    pub fn set(&self, now: UnixTime) {
        self.now.store(now.seconds(), std::sync::atomic::Ordering::SeqCst);
    }

    /// Moves the clock on.
    pub fn advance(&self, seconds: i64) {
        self.now.fetch_add(seconds, std::sync::atomic::Ordering::SeqCst);
    }
}

#[cfg(any(test, feature = "test-util"))]
impl Ambient for FixedAmbient {
    fn now(&self) -> UnixTime {
        UnixTime::from_seconds(self.now.load(std::sync::atomic::Ordering::SeqCst))
    }

    fn fill(&self, out: &mut [u8]) {
        for byte in out {
            // SplitMix64: a fixed, well-spread sequence. It is not random and must never leave tests.
            let mut mixed = self
                .counter
                .fetch_add(1, std::sync::atomic::Ordering::SeqCst)
                .wrapping_add(1)
                .wrapping_mul(0x9e37_79b9_7f4a_7c15);
            mixed = (mixed ^ (mixed >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
            mixed = (mixed ^ (mixed >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
            let [.., last] = (mixed ^ (mixed >> 31)).to_be_bytes();
            *byte = last;
        }
    }
}
