//! What an order grants for two hours.

use std::fmt;

use crate::UnixTime;

/// `prepay_id` with the moment it was issued: it opens the payer's cashier for two hours, on every route that has one.
///
/// A later one is had by repeating the identical order under the same number, where the route allows that. `Debug` does
/// not show the text.
///
/// ```
/// use yuanfen_core::{PrepayId, UnixTime};
/// let issued_at = UnixTime::from_seconds(1_700_000_000);
/// let prepay_id = PrepayId::issued("wx2099010112000000000000000000000001", issued_at);
/// assert!(!prepay_id.is_expired(UnixTime::from_seconds(1_700_000_000 + PrepayId::LIFE - 1)));
/// assert!(prepay_id.is_expired(UnixTime::from_seconds(1_700_000_000 + PrepayId::LIFE)));
/// ```
#[derive(Clone, PartialEq, Eq)]
pub struct PrepayId {
    text: Box<str>,
    issued_at: UnixTime,
}

impl PrepayId {
    /// How long it is good for, in seconds (v2 sheet, section 4; v3 sheet, section 13.4; fshows, row `prepay_id`).
    pub const LIFE: i64 = 2 * 60 * 60;

    /// One that the platform answered at that moment. Where it comes out of your own storage, store the moment too.
    pub fn issued(text: impl Into<Box<str>>, at: UnixTime) -> Self {
        Self {
            text: text.into(),
            issued_at: at,
        }
    }

    /// The text.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.text
    }

    /// When it was issued.
    #[must_use]
    pub const fn issued_at(&self) -> UnixTime {
        self.issued_at
    }

    /// Whether its two hours are over.
    #[must_use]
    pub const fn is_expired(&self, now: UnixTime) -> bool {
        now.since(self.issued_at) >= Self::LIFE
    }
}

impl fmt::Debug for PrepayId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("PrepayId")
            .field("issued_at", &self.issued_at)
            .finish_non_exhaustive()
    }
}
