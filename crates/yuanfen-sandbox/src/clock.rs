//! What time it is: the machine's time, which can be run ahead of, or a time that moves only when it is told to.

use std::sync::Arc;
use std::time::{Duration, SystemTime, UNIX_EPOCH};

use tokio::sync::watch;
use yuanfen_core::UnixTime;

/// The last second of the year 9999 in Beijing, since the epoch: the platforms write a year in four digits.
const LAST: Duration = Duration::from_secs(253_402_271_999);

/// The time that a sandbox goes by. Clones show the same time.
///
/// There are two readings of it. All business goes by [`now`](Self::now): when an order was placed, paid or expires,
/// which day a bill is of, how old a code, a prepay id or a download address is, when a notice is tried again, and every
/// moment that a message tells of. What a protocol signs as the moment of signing, and the age of a caller's signature,
/// go by [`real_now`](Self::real_now): the other end runs on this machine's time, however far the business was advanced.
/// Certificates go by that too, since clients check their validity by their own clocks; advancing makes none expire.
#[derive(Clone, Debug)]
pub struct Clock(Hands);

#[derive(Clone, Debug)]
enum Hands {
    /// How far ahead of the machine's time.
    Real(Arc<watch::Sender<Duration>>),
    /// Since the epoch.
    Virtual(Arc<watch::Sender<Duration>>),
}

/// A clock that cannot be moved so far.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum ClockError {
    /// Past the year 9999.
    #[error("the clock shows no moment after the year 9999")]
    TooFar,
}

impl Clock {
    /// The time of this machine. Advanced, it runs on from there.
    #[must_use]
    pub fn real() -> Self {
        Self(Hands::Real(Arc::default()))
    }

    /// A clock that shows this moment until it is advanced. Moments before 1970 count as 1970, moments after the year
    /// 9999 as its end.
    #[must_use]
    pub fn starting_at(moment: UnixTime) -> Self {
        let since_epoch = Duration::from_secs(u64::try_from(moment.seconds()).unwrap_or(0)).min(LAST);
        Self(Hands::Virtual(Arc::new(watch::Sender::new(since_epoch))))
    }

    /// Now, for all business.
    #[must_use]
    pub fn now(&self) -> UnixTime {
        seconds(self.since_epoch())
    }

    /// Now, for what states when it was signed: the time of this machine. A clock that was started at a moment has one
    /// pair of hands, since a test in memory reads both ends' time from it.
    #[must_use]
    pub fn real_now(&self) -> UnixTime {
        match &self.0 {
            Hands::Real(_) => seconds(of_machine()),
            Hands::Virtual(hands) => seconds(*hands.borrow()),
        }
    }

    /// How far all business is ahead of [`real_now`](Self::real_now).
    #[must_use]
    pub fn ahead(&self) -> Duration {
        match &self.0 {
            Hands::Real(ahead) => *ahead.borrow(),
            Hands::Virtual(_) => Duration::ZERO,
        }
    }

    /// Moves the clock on. What falls due is [`Sandbox::advance`](crate::Sandbox::advance)'s business.
    ///
    /// # Errors
    /// When that is past the year 9999; the clock stays where it is.
    pub fn advance(&self, by: Duration) -> Result<(), ClockError> {
        self.moment_after(by)?;
        let (Hands::Real(hands) | Hands::Virtual(hands)) = &self.0;
        hands.send_modify(|shown| *shown = shown.saturating_add(by));
        Ok(())
    }

    /// The moment that far ahead, since the epoch.
    ///
    /// # Errors
    /// When that is past the year 9999.
    pub(crate) fn moment_after(&self, by: Duration) -> Result<Duration, ClockError> {
        let moment = self.since_epoch().checked_add(by);
        moment.filter(|moment| *moment <= LAST).ok_or(ClockError::TooFar)
    }

    /// Where the hand stands that is moved by hand; it tells whether somebody did.
    pub(crate) fn hand(&self) -> Duration {
        let (Hands::Real(hand) | Hands::Virtual(hand)) = &self.0;
        *hand.borrow()
    }

    /// Whether it runs by itself.
    pub(crate) const fn runs(&self) -> bool {
        matches!(self.0, Hands::Real(_))
    }

    pub(crate) fn since_epoch(&self) -> Duration {
        match &self.0 {
            Hands::Real(ahead) => of_machine().saturating_add(*ahead.borrow()),
            Hands::Virtual(hands) => *hands.borrow(),
        }
    }

    /// Moves the clock to a moment, never back.
    pub(crate) fn move_to(&self, moment: Duration) {
        match &self.0 {
            Hands::Real(ahead) => {
                let needed = moment.saturating_sub(of_machine());
                ahead.send_modify(|ahead| *ahead = (*ahead).max(needed));
            }
            Hands::Virtual(hands) => hands.send_modify(|now| *now = (*now).max(moment)),
        }
    }

    /// Waits until the clock shows that moment.
    pub(crate) async fn sleep_until(&self, moment: Duration) {
        match &self.0 {
            Hands::Real(ahead) => {
                let mut moved = ahead.subscribe();
                loop {
                    let left = moment.saturating_sub(self.since_epoch());
                    if left.is_zero() {
                        return;
                    }
                    tokio::select! {
                        () = tokio::time::sleep(left) => {}
                        // The sender lives in `self`, so this ends only when the clock was moved.
                        _moved = moved.changed() => {}
                    }
                }
            }
            Hands::Virtual(hands) => {
                let mut shown = hands.subscribe();
                // The sender lives in `self`, so waiting ends only when the moment has come.
                let _shown = shown.wait_for(|now| *now >= moment).await;
            }
        }
    }
}

fn of_machine() -> Duration {
    SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default()
}

fn seconds(since_epoch: Duration) -> UnixTime {
    UnixTime::from_seconds(i64::try_from(since_epoch.as_secs()).unwrap_or(i64::MAX))
}
