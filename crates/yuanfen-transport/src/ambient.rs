//! Time and randomness of the operating system.

use std::time::{SystemTime, UNIX_EPOCH};

use yuanfen_core::{Ambient, UnixTime};

/// The operating system's clock and random source.
///
/// ```
/// use yuanfen_core::{Ambient as _, nonce_text};
/// use yuanfen_transport::OsAmbient;
/// assert!(OsAmbient.now().seconds() > 1_700_000_000);
/// assert_ne!(nonce_text(&OsAmbient), nonce_text(&OsAmbient));
/// ```
#[derive(Clone, Copy, Debug, Default)]
#[expect(
    clippy::exhaustive_structs,
    reason = "it has nothing to configure and is written as a value"
)]
pub struct OsAmbient;

impl Ambient for OsAmbient {
    fn now(&self) -> UnixTime {
        let seconds = match SystemTime::now().duration_since(UNIX_EPOCH) {
            Ok(since) => i64::try_from(since.as_secs()).unwrap_or(i64::MAX),
            Err(before) => i64::try_from(before.duration().as_secs()).map_or(i64::MIN, |seconds| -seconds),
        };
        UnixTime::from_seconds(seconds)
    }

    /// Fills the buffer from the operating system's generator.
    ///
    /// # Panics
    /// When the operating system has no randomness to give, which the supported ones rule out after start-up.
    #[expect(
        clippy::expect_used,
        reason = "there is no safe way on: a nonce or blinding that can be foretold must not leave this process"
    )]
    fn fill(&self, out: &mut [u8]) {
        getrandom::fill(out).expect("the operating system has no randomness to give");
    }
}
