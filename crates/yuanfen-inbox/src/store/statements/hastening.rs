//! What a hint changes.

use std::time::Duration;

use yuanfen_core::UnixTime;

use crate::{PendingState, StoredPending};

/// What a hint changes about something open.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Hastening {
    pub(crate) pending: i64,
    /// It is open no more, and is again.
    pub(crate) reopens: bool,
    /// It is changed only as it was read.
    pub(crate) fence: i64,
    pub(crate) lease_until: UnixTime,
    /// When it is due, unless it stays.
    pub(crate) next_query_at: Option<UnixTime>,
    /// What whoever is asking right now is to make of it.
    pub(crate) hasten_to: Option<UnixTime>,
}

impl Hastening {
    /// `None` where it is due soon enough.
    pub(crate) fn of(
        pending: &StoredPending,
        fence: i64,
        lease_until: UnixTime,
        hastened: Option<UnixTime>,
        now: UnixTime,
        gap: Duration,
    ) -> Option<Self> {
        let due = pending.due_by_hint(now, gap);
        let reopens = pending.state != PendingState::Open;
        // While somebody asks, nobody else does: the answer that is on its way may be older than the hint, so it is asked
        // for again after it. When it is due next, whoever asks has yet to say.
        let is_claimed = !reopens && lease_until > now;
        let is_soon_enough = if is_claimed {
            hastened.is_some_and(|hastened| hastened <= due)
        } else {
            !reopens && pending.next_query_at <= due
        };
        (!is_soon_enough).then_some(Self {
            pending: pending.id,
            reopens,
            fence,
            lease_until,
            next_query_at: (!is_claimed).then_some(due),
            hasten_to: is_claimed.then_some(due),
        })
    }
}
