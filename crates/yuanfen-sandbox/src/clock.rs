//! Real time, or time that only moves when it is told to.

use std::sync::Arc;
use std::time::{Duration, SystemTime, UNIX_EPOCH};

use tokio::sync::watch;
use yuanfen_core::UnixTime;

/// The time that a sandbox goes by. Clones show the same time.
#[derive(Clone, Debug)]
pub struct Clock(Hands);

#[derive(Clone, Debug)]
enum Hands {
    Real,
    /// Since the epoch.
    Virtual(Arc<watch::Sender<Duration>>),
}

/// A clock that cannot be moved.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum ClockError {
    /// Only a virtual clock is moved by hand.
    #[error("the sandbox runs on real time, which nobody can move; build it with a virtual clock")]
    Real,
}

impl Clock {
    /// The time of this machine.
    #[must_use]
    pub const fn real() -> Self {
        Self(Hands::Real)
    }

    /// A clock that shows this moment until it is advanced. Moments before 1970 count as 1970.
    #[must_use]
    pub fn starting_at(moment: UnixTime) -> Self {
        let since_epoch = Duration::from_secs(u64::try_from(moment.seconds()).unwrap_or(0));
        Self(Hands::Virtual(Arc::new(watch::Sender::new(since_epoch))))
    }

    /// Now.
    #[must_use]
    pub fn now(&self) -> UnixTime {
        UnixTime::from_seconds(i64::try_from(self.since_epoch().as_secs()).unwrap_or(i64::MAX))
    }

    /// Moves a virtual clock on. What falls due is [`Sandbox::advance`](crate::Sandbox::advance)'s business.
    ///
    /// # Errors
    /// When the clock is real.
    pub fn advance(&self, by: Duration) -> Result<(), ClockError> {
        let Hands::Virtual(hands) = &self.0 else {
            return Err(ClockError::Real);
        };
        hands.send_modify(|now| *now = now.saturating_add(by));
        Ok(())
    }

    pub(crate) const fn is_real(&self) -> bool {
        matches!(self.0, Hands::Real)
    }

    pub(crate) fn since_epoch(&self) -> Duration {
        match &self.0 {
            Hands::Real => SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default(),
            Hands::Virtual(hands) => *hands.borrow(),
        }
    }

    /// Moves a virtual clock to a moment, never back.
    pub(crate) fn move_to(&self, moment: Duration) {
        if let Hands::Virtual(hands) = &self.0 {
            hands.send_modify(|now| *now = (*now).max(moment));
        }
    }

    /// Waits until the clock shows that moment.
    pub(crate) async fn sleep_until(&self, moment: Duration) {
        match &self.0 {
            Hands::Real => tokio::time::sleep(moment.saturating_sub(self.since_epoch())).await,
            Hands::Virtual(hands) => {
                let mut shown = hands.subscribe();
                // The sender lives in `self`, so waiting ends only when the moment has come.
                let _shown = shown.wait_for(|now| *now >= moment).await;
            }
        }
    }
}
