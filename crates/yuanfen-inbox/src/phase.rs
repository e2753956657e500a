//! The moments between which a process can die. Tests stop there; nothing else does.

#[cfg(feature = "test-util")]
use std::future::Future;
#[cfg(feature = "test-util")]
use std::pin::Pin;
#[cfg(feature = "test-util")]
use std::sync::Arc;

use yuanfen_core::EventKey;

/// A moment in the life of an event, named after what is under way.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
#[cfg_attr(
    not(feature = "test-util"),
    expect(unreachable_pub, reason = "public with the feature")
)]
pub enum Phase {
    /// The notice is checked and not yet stored.
    Receiving,
    /// It is committed and not yet acknowledged.
    Stored,
    /// A worker has claimed it and not yet begun its transaction.
    Claimed,
    /// It is marked done, and the handler begins.
    Handling,
    /// The handler is through, and nothing is committed yet.
    Committing,
    /// It is committed, and the worker has not taken notice of it.
    Committed,
    /// A query found it; it is stored, and the query is not yet recorded.
    Found,
}

/// What a hook waits for; one that never ends is a process that dies.
#[cfg(feature = "test-util")]
pub type PhaseFuture = Pin<Box<dyn Future<Output = ()> + Send>>;

#[cfg(feature = "test-util")]
type Hook = Arc<dyn Fn(Phase, &EventKey) -> PhaseFuture + Send + Sync>;

/// What is called at every phase.
#[derive(Clone, Default)]
pub(crate) struct Phases {
    #[cfg(feature = "test-util")]
    hook: Option<Hook>,
}

impl Phases {
    #[cfg(feature = "test-util")]
    pub(crate) fn new(hook: impl Fn(Phase, &EventKey) -> PhaseFuture + Send + Sync + 'static) -> Self {
        Self {
            hook: Some(Arc::new(hook)),
        }
    }

    #[cfg(feature = "test-util")]
    pub(crate) async fn reach(&self, phase: Phase, key: &EventKey) {
        if let Some(hook) = &self.hook {
            hook(phase, key).await;
        }
    }

    #[cfg(not(feature = "test-util"))]
    #[expect(clippy::unused_async, reason = "with the feature it waits")]
    pub(crate) async fn reach(&self, phase: Phase, key: &EventKey) {
        let _ = (phase, key);
    }
}
