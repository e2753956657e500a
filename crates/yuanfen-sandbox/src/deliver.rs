//! Notices on their way: what is due, what the shop said, and when it is tried again.
//!
//! Nothing here waits. The courier of [`Sandbox`](crate::Sandbox) takes what is due, sends it, and tells the outcome;
//! without a courier a test does the same by hand.

#[cfg(test)]
mod tests;

use std::collections::BTreeMap;
use std::fmt;
use std::sync::Arc;
use std::time::Duration;

use bytes::Bytes;
use http::{HeaderMap, Request, StatusCode};
use yuanfen_core::UnixTime;

use crate::Platform;
use crate::book::{Account, Order};
use crate::exchange::{KeptBody, headers_size};
use crate::faults::FaultKind;
use crate::log::{Entry, Log};

/// What a notice is about.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum About {
    /// The order was paid.
    Payment,
    /// The refund of that number came to its end.
    Refund(String),
}

impl About {
    /// What the fault plan and the log call it.
    pub(crate) const fn operation(&self) -> &'static str {
        match self {
            Self::Payment => "pay-notice",
            Self::Refund(_) => "refund-notice",
        }
    }

    pub(crate) fn refund_no(&self) -> Option<&str> {
        match self {
            Self::Refund(refund_no) => Some(refund_no),
            Self::Payment => None,
        }
    }
}

/// Something that happened and is told to a shop until it acknowledges.
#[derive(Clone, Debug)]
pub(crate) struct Event {
    pub(crate) platform: Platform,
    pub(crate) order_no: String,
    /// The order as it stood when this happened: what is told again is what was told first, whatever came since.
    pub(crate) order: Arc<Order>,
    pub(crate) about: About,
    pub(crate) url: String,
    /// The same on every attempt.
    pub(crate) id: String,
    /// Which of several notices about the same thing, counted from 0.
    pub(crate) stage: u8,
    pub(crate) created_at: UnixTime,
    /// What struck it when it was posted.
    pub(crate) faults: Vec<FaultKind>,
}

/// One attempt to deliver a notice.
#[derive(Clone)]
#[non_exhaustive]
pub struct NoticeAttempt {
    /// Counted from 1 over all attempts, in the order in which they ended.
    pub number: u64,
    /// Whose notice.
    pub platform: Platform,
    /// To whose shop.
    pub account: Account,
    /// `pay-notice` or `refund-notice`.
    pub operation: &'static str,
    /// The order that it is about.
    pub order_no: String,
    /// The refund that it is about, if it is about one.
    pub refund_no: Option<String>,
    /// The notice's number, the same on every attempt.
    pub notice_id: String,
    /// Which attempt, counted from 1.
    pub attempt: usize,
    /// When it was made.
    pub at: UnixTime,
    /// Where to.
    pub url: String,
    /// What came of it.
    pub outcome: NoticeOutcome,
    /// When it is tried again, if it is.
    pub next_at: Option<UnixTime>,
    /// What went wrong by plan.
    pub faults: Vec<FaultKind>,
    /// The notice's headers, signature and all: show them to the developer, keep them out of logs.
    pub request_headers: HeaderMap,
    /// The notice's body, likewise.
    pub request_body: KeptBody,
    /// The headers of the shop's answer; empty where there was none.
    pub response_headers: HeaderMap,
    /// The body of the shop's answer; empty where there was none.
    pub response_body: KeptBody,
}

/// What the log keeps of a notice that goes its way.
#[derive(Clone)]
pub(crate) struct Sent {
    pub(crate) headers: HeaderMap,
    pub(crate) body: KeptBody,
}

impl Sent {
    pub(crate) fn of(request: &Request<Bytes>) -> Self {
        Self {
            headers: request.headers().clone(),
            body: KeptBody::of(request.body()),
        }
    }
}

impl Entry for NoticeAttempt {
    fn set_number(&mut self, number: u64) {
        self.number = number;
    }

    fn size(&self) -> usize {
        [
            size_of::<Self>(),
            headers_size(&self.request_headers),
            headers_size(&self.response_headers),
            self.request_body.bytes().len(),
            self.response_body.bytes().len(),
        ]
        .into_iter()
        .fold(0, usize::saturating_add)
    }
}

/// What came of an attempt. `Debug` does not show what the shop answered.
#[derive(Clone, PartialEq, Eq)]
#[non_exhaustive]
pub enum NoticeOutcome {
    /// The shop acknowledged in the platform's own form; the ladder ends.
    Acknowledged {
        /// The status.
        status: StatusCode,
        /// The answer, as far as it was read.
        answer: String,
    },
    /// The shop answered something else.
    Refused {
        /// The status.
        status: StatusCode,
        /// The answer, as far as it was read.
        answer: String,
    },
    /// No answer.
    NotDelivered {
        /// Why.
        reason: String,
    },
}

impl fmt::Debug for NoticeOutcome {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Acknowledged { status, .. } => write!(f, "Acknowledged({status})"),
            Self::Refused { status, .. } => write!(f, "Refused({status})"),
            Self::NotDelivered { reason } => write!(f, "NotDelivered({reason})"),
        }
    }
}

impl fmt::Debug for NoticeAttempt {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("NoticeAttempt")
            .field("platform", &self.platform)
            .field("operation", &self.operation)
            .field("order_no", &self.order_no)
            .field("attempt", &self.attempt)
            .field("at", &self.at)
            .field("outcome", &self.outcome)
            .field("next_at", &self.next_at)
            .field("faults", &self.faults)
            .finish_non_exhaustive()
    }
}

/// Notices that are not acknowledged yet, and the log of attempts.
#[derive(Debug, Default)]
pub(crate) struct PostOffice {
    /// Parcels that wait, by when they are due (since the epoch); those of one moment in the order they were posted.
    waiting: BTreeMap<(Duration, u64), Parcel>,
    /// How many the courier has.
    out: usize,
    attempts: Log<NoticeAttempt>,
    last_number: u64,
    /// Parcels that wait until a later one of their platform was delivered.
    overtaken: Vec<(Platform, (Duration, u64))>,
}

#[derive(Debug)]
struct Parcel {
    event: Event,
    /// How many attempts were made.
    made: usize,
}

/// A parcel in the courier's hands.
#[derive(Debug)]
pub(crate) struct Handed {
    number: u64,
    pub(crate) event: Event,
    /// Which attempt, counted from 1.
    pub(crate) attempt: usize,
}

impl Handed {
    /// Counted from 1 over all parcels, in the order they were posted.
    pub(crate) const fn number(&self) -> u64 {
        self.number
    }
}

impl PostOffice {
    pub(crate) fn post(&mut self, event: Event, due: Duration) {
        self.last_number = self.last_number.wrapping_add(1);
        self.waiting.insert((due, self.last_number), Parcel { event, made: 0 });
    }

    /// Posts a parcel that is due as soon as a later one of its platform was tried, or then if none comes.
    pub(crate) fn post_behind_next(&mut self, event: Event, due: Duration) {
        let platform = event.platform;
        self.post(event, due);
        self.overtaken.push((platform, (due, self.last_number)));
    }

    /// A parcel was tried: what waited for it follows.
    pub(crate) fn let_follow(&mut self, platform: Platform, tried: u64, now: Duration) {
        let Self { waiting, overtaken, .. } = self;
        overtaken.retain(|(of, place)| {
            let (_, number) = *place;
            let follows = *of == platform && number < tried;
            if let Some(parcel) = follows.then(|| waiting.remove(place)).flatten() {
                waiting.insert((now, number), parcel);
            }
            // One that was tried itself waits for nothing any more.
            !follows && number != tried
        });
    }

    /// Hands over the parcel that has been due longest, if one is due.
    pub(crate) fn hand_over(&mut self, now: Duration) -> Option<Handed> {
        let first = self.waiting.first_entry().filter(|first| first.key().0 <= now)?;
        let ((_, number), Parcel { event, made }) = first.remove_entry();
        self.out = self.out.saturating_add(1);
        Some(Handed {
            number,
            event,
            attempt: made.saturating_add(1),
        })
    }

    /// Takes a parcel back: to be tried again at `next`, or for good.
    pub(crate) fn take_back(&mut self, handed: Handed, next: Option<Duration>) {
        self.out = self.out.saturating_sub(1);
        if let Some(due) = next {
            let (event, made) = (handed.event, handed.attempt);
            self.waiting.insert((due, handed.number), Parcel { event, made });
        }
    }

    /// Keeps an attempt under the next number.
    pub(crate) fn log(&mut self, attempt: NoticeAttempt) -> Arc<NoticeAttempt> {
        Arc::clone(self.attempts.push(attempt))
    }

    pub(crate) const fn attempts(&self) -> &Log<NoticeAttempt> {
        &self.attempts
    }

    /// When the next parcel is due that the courier does not have.
    pub(crate) fn next_due(&self) -> Option<Duration> {
        self.waiting.first_key_value().map(|((due, _), _)| *due)
    }

    /// Whether something is in the courier's hands, or due and not yet taken.
    pub(crate) fn is_busy(&self, now: Duration) -> bool {
        self.out > 0 || self.next_due().is_some_and(|due| due <= now)
    }
}
