//! What a test does as the shop, the platform and the clock.

use std::sync::Arc;
use std::sync::atomic::{AtomicI64, Ordering};
use std::time::Duration;

use bytes::Bytes;
use yuanfen_core::UnixTime;
use yuanfen_inbox::store::Store;
use yuanfen_inbox::{
    EventId, Expected, Handled, Inbox, PendingFilter, Phase, PhaseFuture, Received, Receiver, StoredEvent,
    StoredPending,
};

use crate::place::{Place, START, Shipping};
use crate::toy::Toy;

/// A clock that goes when it is told to.
#[derive(Clone, Debug)]
pub struct Clock(Arc<AtomicI64>);

impl Clock {
    pub fn new() -> Self {
        Self(Arc::new(AtomicI64::new(START.seconds())))
    }

    pub fn now(&self) -> UnixTime {
        UnixTime::from_seconds(self.0.load(Ordering::SeqCst))
    }

    pub fn advance(&self, seconds: i64) {
        self.0.fetch_add(seconds, Ordering::SeqCst);
    }

    /// An inbox that goes by it.
    pub fn inbox<S: Store>(&self, store: S) -> Inbox<S> {
        let clock = self.clone();
        Inbox::new(store).with_clock(move || clock.now())
    }
}

/// Seconds after the start.
pub fn at(seconds: i64) -> UnixTime {
    UnixTime::from_seconds(START.seconds() + seconds)
}

/// The shop places an order, or asks for a refund.
pub async fn expect<S: Store>(inbox: &Inbox<S>, what: impl Into<Expected> + Send) {
    let (_turn, mut transaction) = inbox.store().begin().await.unwrap();
    inbox.expect(&mut transaction, what).await.unwrap();
    inbox.store().commit(transaction).await.unwrap();
}

/// The platform delivers something that is new.
pub async fn deliver<S: Store>(receiver: &Receiver<S, Toy>, request: &http::Request<Bytes>) -> EventId {
    let receipt = receiver.receive(request).await;
    assert_eq!(receipt.response.status(), 200);
    match receipt.received {
        Received::New(id) => id,
        other => panic!("{other:?}"),
    }
}

/// The event, which is there.
pub async fn show<S: Store>(inbox: &Inbox<S>, id: EventId) -> StoredEvent {
    inbox.event(id).await.unwrap().expect("it is stored")
}

/// What is expected under that number, if anything is.
pub async fn expected<S: Store>(inbox: &Inbox<S>, number: &str) -> Option<StoredPending> {
    let mut filter = PendingFilter::default();
    filter.number = Some(number.to_owned());
    // The refunds of an order have its number as well.
    let found = inbox.pending(&filter).await.unwrap();
    found.into_iter().find(|pending| pending.expected.number == number)
}

/// What a worker does who comes after one that died. Its transaction is rolled back when its connection is, which takes a
/// moment on PostgreSQL; until then the event is passed over.
pub async fn work_after_a_death<S: Place>(inbox: &Inbox<S>) -> Vec<Handled> {
    let workers = inbox.workers(Shipping);
    for _ in 0..200 {
        let handled = workers.drain().await.unwrap();
        if !handled.is_empty() {
            return handled;
        }
        tokio::time::sleep(Duration::from_millis(50)).await;
    }
    panic!("nothing became due");
}

/// A hook that stops at that phase for ever, and what is told when it is reached.
pub fn dies_at(
    phase: Phase,
) -> (
    impl Fn(Phase, &yuanfen_core::EventKey) -> PhaseFuture + Send + Sync + 'static,
    tokio::sync::mpsc::UnboundedReceiver<()>,
) {
    let (reached, told) = tokio::sync::mpsc::unbounded_channel();
    let hook = move |at: Phase, _key: &yuanfen_core::EventKey| -> PhaseFuture {
        let reached = reached.clone();
        Box::pin(async move {
            if at == phase {
                reached.send(()).ok();
                std::future::pending::<()>().await;
            }
        })
    };
    (hook, told)
}
