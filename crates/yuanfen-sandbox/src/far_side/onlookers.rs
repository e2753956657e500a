//! What is told to those who look on: that something changed, never what.

use super::{FarSide, State};
use crate::admin::{Changes, Topic};

impl FarSide {
    pub(crate) fn changes(&self) -> &Changes {
        &self.0.changes
    }

    /// Tells who looks on that these changed. It waits for nobody.
    pub(super) fn touch(&self, topics: &[Topic]) {
        self.0.changes.touch(topics);
    }

    /// The same, and the orders if one changed.
    pub(super) fn touch_book(&self, state: &mut State, topics: &[Topic]) {
        let changes = state.book.changes();
        if std::mem::replace(&mut state.told_changes, changes) != changes {
            self.touch(&[Topic::Orders]);
        }
        if !topics.is_empty() {
            self.touch(topics);
        }
    }

    /// Lets the time that has passed take effect, for who looks on: orders expire, and the clock may have been moved.
    pub(crate) fn pass_time(&self) {
        let hand = self.clock().hand();
        let mut state = self.state();
        state.book.expire(self.now());
        let moved = std::mem::replace(&mut state.told_hand, hand) != hand;
        self.touch_book(&mut state, if moved { &[Topic::Clock] } else { &[] });
    }
}
