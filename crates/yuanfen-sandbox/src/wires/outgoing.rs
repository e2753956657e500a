//! A body that may end before the length that it announced, or take its time.

use std::future::Future as _;
use std::pin::Pin;
use std::task::{Context, Poll, ready};
use std::time::Duration;

use bytes::Bytes;
use hyper::body::{Body, Frame, SizeHint};
use tokio::time::{Sleep, sleep};

/// Ends the connection without an answer.
#[derive(Debug, thiserror::Error)]
#[error("cut by plan")]
pub(super) struct CutByPlan;

/// What an answer carries.
pub(super) struct Outgoing {
    rest: Option<Bytes>,
    announced: u64,
    end: End,
    drip: Option<Drip>,
}

/// A body that comes a byte at a time.
struct Drip {
    pause: Duration,
    next: Pin<Box<Sleep>>,
}

/// How a body ends.
#[derive(Clone, Copy, PartialEq, Eq)]
enum End {
    Whole,
    /// What was written must leave before the connection is cut, so the body pauses once: hyper sends when it waits.
    Pause,
    Cut,
}

impl Outgoing {
    pub(super) fn whole(body: Bytes) -> Self {
        Self {
            announced: u64::try_from(body.len()).unwrap_or(u64::MAX),
            rest: Some(body).filter(|body| !body.is_empty()),
            end: End::Whole,
            drip: None,
        }
    }

    /// The whole body, with a pause before each byte.
    pub(super) fn drip(body: Bytes, pause: Duration) -> Self {
        Self {
            drip: Some(Drip {
                pause,
                next: Box::pin(sleep(pause)),
            }),
            ..Self::whole(body)
        }
    }

    pub(super) fn half(body: &Bytes) -> Self {
        let half = body.len().div_euclid(2);
        Self {
            // One byte more than there is, so that an empty body is cut as well.
            announced: u64::try_from(body.len()).unwrap_or(u64::MAX).max(1),
            rest: Some(body.slice(..half)).filter(|body| !body.is_empty()),
            end: End::Pause,
            drip: None,
        }
    }
}

impl Outgoing {
    /// The next byte, which is taken off the rest.
    fn drop_of(&mut self) -> Option<Bytes> {
        let mut rest = self.rest.take()?;
        let drop = rest.split_to(1);
        self.rest = Some(rest).filter(|rest| !rest.is_empty());
        Some(drop)
    }
}

impl Body for Outgoing {
    type Data = Bytes;
    type Error = CutByPlan;

    fn poll_frame(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, CutByPlan>>> {
        let has_rest = self.rest.is_some();
        if let Some(drip) = self.drip.as_mut().filter(|_| has_rest) {
            ready!(drip.next.as_mut().poll(context));
            drip.next = Box::pin(sleep(drip.pause));
            return Poll::Ready(self.drop_of().map(|drop| Ok(Frame::data(drop))));
        }
        if let Some(rest) = self.rest.take() {
            return Poll::Ready(Some(Ok(Frame::data(rest))));
        }
        match self.end {
            End::Whole => Poll::Ready(None),
            End::Pause => {
                self.end = End::Cut;
                context.waker().wake_by_ref();
                Poll::Pending
            }
            End::Cut => Poll::Ready(Some(Err(CutByPlan))),
        }
    }

    fn is_end_stream(&self) -> bool {
        self.rest.is_none() && self.end == End::Whole
    }

    fn size_hint(&self) -> SizeHint {
        SizeHint::with_exact(self.announced)
    }
}
