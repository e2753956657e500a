//! What people look at and decide: lists, one event, retry, park.

use crate::store::{Health, Store};
use crate::{EventFilter, EventId, Inbox, PendingFilter, StoreError, StoredConflict, StoredEvent, StoredPending};

impl<S: Store> Inbox<S> {
    /// The stored events that answer to a filter, the oldest first, without their requests.
    ///
    /// # Errors
    /// [`StoreError`] when they cannot be read.
    pub async fn events(&self, filter: &EventFilter) -> Result<Vec<StoredEvent>, StoreError> {
        self.store.events(filter).await
    }

    /// One event with the request that proved it; `None` where there is none of that number.
    ///
    /// # Errors
    /// [`StoreError`] when it cannot be read.
    pub async fn event(&self, id: EventId) -> Result<Option<StoredEvent>, StoreError> {
        self.store.event(id).await
    }

    /// What later deliveries said otherwise than that event.
    ///
    /// # Errors
    /// [`StoreError`] when it cannot be read.
    pub async fn conflicts(&self, id: EventId) -> Result<Vec<StoredConflict>, StoreError> {
        self.store.conflicts(id).await
    }

    /// Makes a parked event ready: it is tried again at once, its attempts counted from nothing. Where it was parked because
    /// it was contradicted, what was stored first is taken. Where it was parked for another reason and is contradicted as
    /// well, it is parked for that now.
    ///
    /// # Errors
    /// [`StoreError::NoSuchEvent`] when no event of that number is parked. One that was dismissed is [parked](Self::park)
    /// first.
    pub async fn retry(&self, id: EventId) -> Result<(), StoreError> {
        if !self.store.retry(id, self.now()).await? {
            return Err(StoreError::NoSuchEvent);
        }
        self.events.notify_one();
        Ok(())
    }

    /// Notes that a person has looked at what contradicts an event that was done before it was contradicted, or that stays
    /// parked: nothing else about it changes, and [`Health::conflicts`] counts its contradictions no more. Hands out how many
    /// there were; none of an event that is ready, which takes effect at any moment. A parked event that is to take effect is
    /// [`retried`](Self::retry) instead.
    ///
    /// # Errors
    /// [`StoreError`] when it could not be written.
    pub async fn resolve(&self, id: EventId) -> Result<u64, StoreError> {
        self.store.resolve(id, self.now()).await
    }

    /// Parks an event that is ready, or one that was dismissed: no worker takes it until it is made ready again. A worker
    /// that is about to commit it is waited for.
    ///
    /// # Errors
    /// [`StoreError::NoSuchEvent`] when no event of that number is ready or was dismissed.
    pub async fn park(&self, id: EventId) -> Result<(), StoreError> {
        if self.store.park(id, self.now()).await? {
            Ok(())
        } else {
            Err(StoreError::NoSuchEvent)
        }
    }

    /// Dismisses a parked event, to which somebody has seen by other means: the money was sent back, or booked by hand. It
    /// takes no effect, its later deliveries are duplicates of it, and it is counted no more; nor are its contradictions,
    /// where it was parked for them.
    ///
    /// # Errors
    /// [`StoreError::NoSuchEvent`] when no event of that number is parked.
    pub async fn dismiss(&self, id: EventId) -> Result<(), StoreError> {
        if self.store.dismiss(id, self.now()).await? {
            Ok(())
        } else {
            Err(StoreError::NoSuchEvent)
        }
    }

    /// What the shop expects, as far as it answers to a filter, the oldest first.
    ///
    /// # Errors
    /// [`StoreError`] when it cannot be read.
    pub async fn pending(&self, filter: &PendingFilter) -> Result<Vec<StoredPending>, StoreError> {
        self.store.pending(filter).await
    }

    /// Has what was given up, has lapsed, or was [never placed](crate::NEVER_PLACED), by its number in the store, queried once
    /// more now. It ends so again if the platform still knows no more.
    ///
    /// # Errors
    /// [`StoreError::NoSuchPending`] when nothing of that number ended so.
    pub async fn requery(&self, pending: i64) -> Result<(), StoreError> {
        if !self.store.requery(pending, self.now()).await? {
            return Err(StoreError::NoSuchPending);
        }
        self.queries.send_replace(());
        Ok(())
    }

    /// How the inbox is doing: what to watch and to be woken for.
    ///
    /// # Errors
    /// [`StoreError`] when it cannot be read.
    pub async fn health(&self) -> Result<Health, StoreError> {
        self.store.health(self.now()).await
    }
}
