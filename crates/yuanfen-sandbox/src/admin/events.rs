//! The stream of what changes, as server-sent events: one event for a burst, none for a listener that does not read.

use std::convert::Infallible;
use std::pin::Pin;
use std::task::{Context, Poll};
use std::time::Duration;

use bytes::Bytes;
use hyper::body::{Body, Frame};
use serde_json::json;
use tokio::sync::watch;
use tokio::time::Instant;

use super::changes::{Revision, Topic};
use crate::FarSide;

/// Least time between two events: what changes meanwhile is told in one.
const GAP: Duration = Duration::from_millis(100);
/// How often the time that passes is let take effect while nothing else happens.
const TICK: Duration = Duration::from_secs(1);
/// Longest silence.
const KEEP_ALIVE: Duration = Duration::from_secs(15);

/// A listener's place in the stream.
struct Follower {
    far_side: FarSide,
    changes: watch::Receiver<Revision>,
    /// What it was told last; `None` before the first event.
    told: Option<u64>,
    not_before: Instant,
}

impl Follower {
    /// Waits for something to tell; `None` once nothing can change any more.
    async fn next(mut self) -> Option<(Self, Bytes)> {
        let Some(told) = self.told else {
            return Some(self.tell(Topic::ALL.into_iter()));
        };
        let silent_until = Instant::now().checked_add(KEEP_ALIVE)?;
        loop {
            let moved = self.changes.wait_for(|revision| revision.number > told);
            let moved = tokio::time::timeout(TICK, moved).await;
            match moved.map(|moved| moved.is_ok()) {
                Ok(true) => break,
                Ok(false) => return None,
                Err(_) if Instant::now() >= silent_until => {
                    return Some((self, Bytes::from_static(b": nothing new\n\n")));
                }
                Err(_) => self.far_side.pass_time(),
            }
        }
        tokio::time::sleep_until(self.not_before).await;
        let revision = *self.changes.borrow();
        Some(self.tell(revision.since(told)))
    }

    fn tell(mut self, what: impl Iterator<Item = Topic>) -> (Self, Bytes) {
        let what: Vec<&str> = what.map(Topic::name).collect();
        let number = self.changes.borrow_and_update().number;
        self.told = Some(number);
        self.not_before = Instant::now().checked_add(GAP).unwrap_or(self.not_before);
        let data = json!({ "revision": number, "what": what });
        let event = format!("event: changed\nid: {number}\ndata: {data}\n\n");
        (self, Bytes::from(event))
    }
}

type Next = Pin<Box<dyn Future<Output = Option<(Follower, Bytes)>> + Send>>;

/// The stream as a body. It is asked for the next event when the last one was sent, so a slow listener misses numbers
/// and no change.
pub(super) struct EventBody(Next);

impl EventBody {
    /// Tells what changed after that revision, or all there is where the listener knows none.
    pub(super) fn new(far_side: &FarSide, told: Option<u64>) -> Self {
        let changes = far_side.changes().follow();
        // A revision that is not reached yet is another sandbox's.
        let told = told.filter(|told| *told <= changes.borrow().number);
        let follower = Follower {
            far_side: far_side.clone(),
            changes,
            told,
            not_before: Instant::now(),
        };
        Self(Box::pin(follower.next()))
    }
}

impl Body for EventBody {
    type Data = Bytes;
    type Error = Infallible;

    fn poll_frame(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, Infallible>>> {
        self.0.as_mut().poll(context).map(|next| {
            let (follower, event) = next?;
            self.0 = Box::pin(follower.next());
            Some(Ok(Frame::data(event)))
        })
    }
}
