//! Whether the store and the model agree.

use std::collections::BTreeMap;

use yuanfen_inbox::{EventFilter, EventState, PendingFilter, PendingState};

use super::event::Expected;
use super::ops::Step;
use super::world::{World, name};
use crate::place::Place;

impl<S: Place> World<S> {
    pub async fn compare(&self, step: &Step) {
        let mut stored = self.inbox.events(&EventFilter::default()).await.unwrap();
        let shipped = self.inbox.store().shipped().await;
        assert_eq!(stored.len(), self.events.len(), "{step:?}");
        for ((order, told), event) in &self.events {
            let key = format!("toy/M1/{}/{}", told.transition(), name(*order));
            let index = stored
                .iter()
                .position(|stored| stored.id == event.id)
                .expect("it is stored");
            let found = stored.swap_remove(index);
            assert_eq!(found.key.to_string(), key);
            assert_eq!(
                found.facts.amount.map(yuanfen_core::Fen::get),
                Some(event.fen),
                "{step:?}: {key}"
            );
            assert_eq!(
                (found.state, found.parked_for),
                (event.state, event.parked_for),
                "{step:?}: {key}"
            );
            assert_eq!(found.attempts, event.attempts, "{step:?}: {key}");
            assert_eq!(
                found.finished_at.is_some(),
                event.state != EventState::Ready,
                "{step:?}: {key}"
            );
            if event.state == EventState::Ready {
                assert_eq!(found.ready_at.seconds(), event.ready_at, "{step:?}: {key}");
            }
            let effects = shipped.iter().filter(|shipped| **shipped == key).count();
            assert_eq!(effects, event.effects, "{step:?}: {key}");
            assert_eq!(effects, usize::from(event.state == EventState::Done), "{step:?}: {key}");
            let conflicts = self.inbox.conflicts(event.id).await.unwrap();
            let conflicts: BTreeMap<_, _> = conflicts
                .iter()
                .map(|conflict| (conflict.facts.amount.unwrap().get(), conflict.resolved_at.is_some()))
                .collect();
            assert_eq!(conflicts, event.conflicts, "{step:?}: {key}");
        }
        let pending = self.inbox.pending(&PendingFilter::default()).await.unwrap();
        let pending: BTreeMap<_, _> = pending
            .iter()
            .map(|pending| {
                let expected = Expected {
                    fen: pending.expected.amount.get(),
                    is_open: pending.state == PendingState::Open,
                    next_query_at: pending.next_query_at.seconds(),
                };
                (pending.expected.number.clone(), expected)
            })
            .collect();
        let modelled = self
            .expected
            .iter()
            .map(|(order, expected)| (name(*order), expected.clone()));
        assert_eq!(pending, modelled.collect(), "{step:?}");
    }
}
