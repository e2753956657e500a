//! Which events or expectations are asked for.

use crate::{EventState, PendingState};

/// Which events are listed.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct EventFilter {
    /// Only those in this state.
    pub state: Option<EventState>,
    /// Only those of this route.
    pub route: Option<String>,
    /// Only those of this account.
    pub account: Option<String>,
    /// Only those about this order or refund number, and those of refunds of this order.
    pub subject: Option<String>,
    /// Only those that a later telling contradicts, as long as no person has looked at that.
    pub contradicted: bool,
    /// Only those with a larger number than this: where the last page ended.
    pub after: i64,
    /// At most so many; 100 unless it is set otherwise.
    pub limit: u32,
}

impl Default for EventFilter {
    fn default() -> Self {
        Self {
            state: None,
            route: None,
            account: None,
            subject: None,
            contradicted: false,
            after: 0,
            limit: 100,
        }
    }
}

impl EventFilter {
    /// Those in that state.
    #[must_use]
    pub fn state(state: EventState) -> Self {
        Self {
            state: Some(state),
            ..Self::default()
        }
    }
}

/// Which expected orders and refunds are listed.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct PendingFilter {
    /// Only those in this state.
    pub state: Option<PendingState>,
    /// Only those of this route.
    pub route: Option<String>,
    /// Only those of this account.
    pub account: Option<String>,
    /// Only the order or refund of this number, ours or the platform's, and the refunds of this order.
    pub number: Option<String>,
    /// Only those with a larger number in this store than this: where the last page ended.
    pub after: i64,
    /// At most so many; 100 unless it is set otherwise.
    pub limit: u32,
}

impl Default for PendingFilter {
    fn default() -> Self {
        Self {
            state: None,
            route: None,
            account: None,
            number: None,
            after: 0,
            limit: 100,
        }
    }
}

impl PendingFilter {
    /// Those in that state.
    #[must_use]
    pub fn state(state: PendingState) -> Self {
        Self {
            state: Some(state),
            ..Self::default()
        }
    }
}
