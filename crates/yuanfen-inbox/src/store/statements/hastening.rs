//! What a hint changes.

use std::time::Duration;

use yuanfen_core::UnixTime;

use crate::{PendingState, StoredPending};

/// What a hint changes about something open.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Hastening {
    pub(crate) pending: i64,
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
        if pending.state != PendingState::Open {
            // Nobody queries it, so it has no lease and no next query that counts.
            return Some(Self {
                pending: pending.id,
                fence,
                lease_until,
                next_query_at: Some(due),
                hasten_to: None,
            });
        }
        if pending.next_query_at <= due {
            return None;
        }
        // While somebody asks, nobody else does: the answer that is on its way may be older than the hint, so it is asked
        // for again after it.
        let is_claimed = lease_until > now;
        if is_claimed && hastened.is_some_and(|hastened| hastened <= due) {
            return None;
        }
        Some(Self {
            pending: pending.id,
            fence,
            lease_until,
            next_query_at: (!is_claimed).then_some(due),
            hasten_to: is_claimed.then_some(due),
        })
    }
}
