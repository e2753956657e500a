//! What the model keeps.

use std::collections::BTreeMap;

use yuanfen_inbox::{EventId, EventState, Handled, ParkReason};

pub const LEASE: i64 = 60;
pub const ATTEMPTS: u32 = 3;
pub const FIRST_QUERY: i64 = 30;

/// An event as the model has it.
#[derive(Clone, Debug)]
pub struct Event {
    pub id: EventId,
    pub fen: i64,
    pub state: EventState,
    pub parked_for: Option<ParkReason>,
    pub ready_at: i64,
    pub attempts: u32,
    pub fence: i64,
    /// Other amounts that were told, and whether a person has looked at them.
    pub conflicts: BTreeMap<i64, bool>,
    pub effects: usize,
}

impl Event {
    /// Whether something contradicts it that no person has looked at.
    pub fn is_contradicted(&self) -> bool {
        self.conflicts.values().any(|is_resolved| !is_resolved)
    }

    /// Whoever decides about an event that waits for its contradictions has looked at them; of those of another, nobody need
    /// have heard.
    pub fn look_at_the_reason(&mut self) {
        if self.state == EventState::Parked && self.parked_for == Some(ParkReason::Conflict) {
            self.conflicts.values_mut().for_each(|is_resolved| *is_resolved = true);
        }
    }

    pub fn park(&mut self, reason: ParkReason) -> Handled {
        self.state = EventState::Parked;
        self.parked_for = Some(reason);
        Handled::Parked(self.id, reason)
    }

    pub fn fail(&mut self, now: i64) -> Handled {
        if self.attempts >= ATTEMPTS {
            return self.park(ParkReason::Attempts);
        }
        // One second, then two.
        self.ready_at = now + (1 << (self.attempts - 1));
        Handled::Failed(self.id)
    }
}

/// What is expected, as the model has it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Expected {
    pub fen: i64,
    pub is_open: bool,
    pub next_query_at: i64,
}
