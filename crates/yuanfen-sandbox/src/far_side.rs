//! The far side without wires: calls in, answers out, time and money in between. It listens nowhere and sends nothing.

mod agreed;
mod bills;
mod log;
mod onlookers;
mod payer;
mod troubles;
mod ways_in;

use std::collections::BTreeMap;
use std::fmt;
use std::sync::{Arc, Mutex, MutexGuard, OnceLock, PoisonError};
use std::time::Duration;

use bytes::Bytes;
use http::{Request, Response, StatusCode};
use tokio::sync::{Notify, watch};
use yuanfen_core::UnixTime;

pub(crate) use self::ways_in::WaysIn;
use crate::admin::{Changes, Topic};
use crate::ambient::SeededAmbient;
use crate::arrival::Arrival;
use crate::book::Book;
use crate::deliver::{Handed, NoticeAttempt, NoticeOutcome, PostOffice, Sent};
use crate::exchange::{Exchange, KeptBody, kept_text};
use crate::faults::{FaultKind, FaultPlan, FaultState, FaultTally, Strikes};
use crate::hosts::Hosts;
use crate::keys::{KeyError, KeySet};
use crate::log::Log;
use crate::platforms::{self, Call, Checked, Desk, Platform, PlatformSide};
use crate::{Clock, ClockError, SandboxError, Scenario};

/// Longest body, in bytes, whose signature can be inquired into: the log keeps it for as long as it keeps the call.
const MOST_INQUIRED: usize = 64 << 10;

/// All platforms without a listener, for tests in memory. Clones share everything.
///
/// [`Sandbox`](crate::Sandbox) is this with a socket and a courier. Here nothing delivers notices: take them with
/// [`due_notices`](Self::due_notices) and give the shop's answers back with [`answered`](Self::answered).
#[derive(Clone)]
pub struct FarSide(Arc<Inner>);

struct Inner {
    base_url: String,
    hosts: Arc<Hosts>,
    ways_in: OnceLock<WaysIn>,
    keys: KeySet,
    seed: u64,
    ambient: SeededAmbient,
    ladder_speed: u32,
    state: Mutex<State>,
    /// Something was posted.
    posted: Notify,
    /// Moves on whenever a parcel came back.
    returned: watch::Sender<u64>,
    /// What changed when, for who looks on.
    changes: Changes,
}

struct State {
    sides: Vec<Box<dyn PlatformSide>>,
    book: Book,
    faults: FaultState,
    scenario: Option<Scenario>,
    post: PostOffice,
    exchanges: Log<Exchange>,
    /// Up to which change of the book, and which place of the clock's hand, who looks on was told.
    told_changes: u64,
    told_hand: Duration,
    calls: BTreeMap<Platform, u64>,
}

/// The connection was cut: by plan, before or after the call took effect.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("the connection was cut")]
#[non_exhaustive]
pub struct Cut;

/// An answer and how it leaves.
pub(crate) struct Handled {
    pub(crate) delay: Duration,
    pub(crate) departure: Departure,
}

pub(crate) enum Departure {
    Whole(Response<Bytes>),
    /// Head and half of the body, then the connection is cut.
    Half(Response<Bytes>),
    /// The body a byte at a time, with a pause before each.
    Drip(Response<Bytes>, Duration),
    Nothing,
    /// Nothing, and the connection is reset rather than ended.
    Reset,
}

/// A notice that is due, ready to be sent. `Debug` shows what it is about, not what it says.
#[non_exhaustive]
pub struct DueNotice {
    /// To whom and what.
    pub request: Request<Bytes>,
    /// How long it is held back, by plan.
    pub delay: Duration,
    /// What the log keeps of the request, which goes its way.
    sent: Sent,
    pub(crate) handed: Handed,
    pub(crate) faults: Vec<FaultKind>,
}

impl FarSide {
    /// All platforms with the built-in throw-away keys, on that clock, with numbers from that seed. `base_url` is what
    /// the platforms tell of their own address where a call came by none of theirs.
    ///
    /// # Errors
    /// When a built-in key does not load, which a test of this crate rules out.
    pub fn new(base_url: impl Into<String>, clock: Clock, seed: u64) -> Result<Self, SandboxError> {
        Self::with_keys(base_url, clock, seed, KeySet::built_in())
    }

    /// The same with other keys.
    ///
    /// # Errors
    /// When a key of the set does not load.
    pub fn with_keys(base_url: impl Into<String>, clock: Clock, seed: u64, keys: KeySet) -> Result<Self, SandboxError> {
        Self::with_hosts(base_url.into(), Arc::default(), clock, seed, 1, keys).map_err(SandboxError::Key)
    }

    pub(crate) fn with_hosts(
        base_url: String,
        hosts: Arc<Hosts>,
        clock: Clock,
        seed: u64,
        ladder_speed: u32,
        keys: KeySet,
    ) -> Result<Self, KeyError> {
        let told_hand = clock.hand();
        Ok(Self(Arc::new(Inner {
            base_url,
            hosts,
            ways_in: OnceLock::new(),
            seed,
            ambient: SeededAmbient::new(clock, seed),
            ladder_speed: ladder_speed.max(1),
            state: Mutex::new(State {
                sides: platforms::all(&keys)?,
                book: Book::default(),
                faults: FaultState::default(),
                scenario: None,
                post: PostOffice::default(),
                exchanges: Log::default(),
                told_changes: 0,
                told_hand,
                calls: BTreeMap::new(),
            }),
            keys,
            posted: Notify::new(),
            returned: watch::Sender::new(0),
            changes: Changes::default(),
        })))
    }

    /// Answers a call.
    ///
    /// # Errors
    /// When the fault plan cuts the connection. Delays are for wires and do not show here.
    pub fn answer(&self, request: &Request<Bytes>) -> Result<Response<Bytes>, Cut> {
        match self.handle(request, &Arrival::in_memory(request)).departure {
            Departure::Whole(response) | Departure::Drip(response, _) => Ok(response),
            Departure::Half(_) | Departure::Nothing | Departure::Reset => Err(Cut),
        }
    }

    /// The far side as a closure. A cut connection shows as a gateway's 504 without a body, which tells a client as
    /// little; take [`answer`](Self::answer) where the difference matters.
    pub fn closure(&self) -> impl Fn(Request<Bytes>) -> Response<Bytes> + Clone + Send + Sync + 'static {
        let far_side = self.clone();
        move |request| {
            far_side.answer(&request).unwrap_or_else(|Cut| {
                let mut response = Response::new(Bytes::new());
                *response.status_mut() = StatusCode::GATEWAY_TIMEOUT;
                response
            })
        }
    }

    /// Where the sandbox answers, without a slash at its end.
    #[must_use]
    pub fn base_url(&self) -> &str {
        &self.0.base_url
    }

    /// The clock.
    #[must_use]
    pub fn clock(&self) -> &Clock {
        self.0.ambient.clock()
    }

    /// Puts another fault plan in place; its counts start anew. A scenario that was played is over.
    pub fn set_faults(&self, plan: impl Into<FaultPlan>) {
        let mut state = self.state();
        state.faults = FaultState::new(plan.into(), self.0.seed);
        state.scenario = None;
        drop(state);
        self.touch(&[Topic::Faults]);
    }

    /// The fault plan in place, rule by rule, and how often each matched and struck.
    #[must_use]
    pub fn faults(&self) -> Vec<FaultTally> {
        self.state().faults.tallies()
    }

    /// The scenario that is played, unless another fault plan took its place.
    #[must_use]
    pub fn scenario(&self) -> Option<Scenario> {
        self.state().scenario.clone()
    }

    pub(crate) fn put_scenario(&self, scenario: Scenario) {
        let mut state = self.state();
        state.faults = FaultState::new(scenario.faults.clone(), scenario.seed);
        state.scenario = Some(scenario);
        drop(state);
        self.touch(&[Topic::Faults]);
    }

    /// Notices that are due now, signed for this attempt. Each must be given back with [`answered`](Self::answered), or
    /// it is never tried again.
    #[must_use]
    pub fn due_notices(&self) -> Vec<DueNotice> {
        std::iter::from_fn(|| self.due_notice()).collect()
    }

    /// The notice that has been due longest, if one is due. The lock is held for one signature, not for all of them.
    pub(crate) fn due_notice(&self) -> Option<DueNotice> {
        loop {
            let mut state = self.state();
            let handed = state.post.hand_over(self.clock().since_epoch())?;
            // What strikes this attempt does not change what the next one tells.
            let mut told = handed.event.clone();
            let strikes = troubles::strike_attempt(&mut state, &mut told);
            let State { sides, book, .. } = &mut *state;
            let mut desk = Desk::new(book, &self.0.ambient, &self.0.base_url, &strikes);
            let request = side(sides, told.platform).and_then(|side| side.notice(&told, &mut desk));
            if let Some(request) = request {
                let mut faults = told.faults;
                faults.extend(strikes.kinds());
                return Some(DueNotice {
                    sent: Sent::of(&request),
                    request,
                    delay: strikes.delay(),
                    handed,
                    faults,
                });
            }
            state.post.take_back(handed, None);
            drop(state);
            self.tell_returned();
        }
    }

    /// Takes what came of a notice: the shop's answer, or why there is none. Unless it acknowledges, the notice is due
    /// again when the platform's ladder says so.
    pub fn answered(&self, notice: DueNotice, answer: Result<&Response<Bytes>, &str>) -> NoticeAttempt {
        let mut state = self.state();
        let handed = notice.handed;
        let Handed { event, attempt, .. } = &handed;
        let State { sides, .. } = &mut *state;
        let platform = event.platform;
        let side = side(sides, platform);
        let outcome = match answer {
            Err(reason) => NoticeOutcome::NotDelivered {
                reason: reason.to_owned(),
            },
            Ok(response) => {
                let (status, body) = (response.status(), response.body());
                let answer: String = String::from_utf8_lossy(body).chars().take(1024).collect();
                if side.as_ref().is_some_and(|side| side.acknowledges(status, body)) {
                    NoticeOutcome::Acknowledged { status, answer }
                } else {
                    NoticeOutcome::Refused { status, answer }
                }
            }
        };
        let wait = match outcome {
            NoticeOutcome::Acknowledged { .. } => None,
            NoticeOutcome::Refused { .. } | NoticeOutcome::NotDelivered { .. } => {
                side.and_then(|side| side.wait_after(*attempt))
            }
        };
        let now = self.clock().since_epoch();
        let next = wait.map(|wait| now.saturating_add(self.sped_up(wait)));
        let answer = answer.ok();
        let made = state.post.log(NoticeAttempt {
            number: 0,
            platform,
            account: event.order.account,
            operation: event.about.operation(),
            order_no: event.order_no.clone(),
            refund_no: event.about.refund_no().map(str::to_owned),
            notice_id: event.id.clone(),
            attempt: *attempt,
            at: self.now(),
            url: event.url.clone(),
            outcome,
            next_at: next.map(|next| UnixTime::from_seconds(i64::try_from(next.as_secs()).unwrap_or(i64::MAX))),
            faults: notice.faults,
            request_headers: notice.sent.headers,
            request_body: notice.sent.body,
            response_headers: answer.map(Response::headers).cloned().unwrap_or_default(),
            response_body: answer.map(Response::body).map(KeptBody::of).unwrap_or_default(),
        });
        let number = handed.number();
        state.post.take_back(handed, next);
        state.post.let_follow(platform, number, now);
        drop(state);
        self.touch(if made.faults.is_empty() {
            &[Topic::Notices]
        } else {
            &[Topic::Notices, Topic::Faults]
        });
        self.tell_returned();
        self.0.posted.notify_one();
        Arc::unwrap_or_clone(made)
    }

    /// Must not be called while the state is locked: who waits locks it.
    fn tell_returned(&self) {
        self.0.returned.send_modify(|count| *count = count.wrapping_add(1));
    }

    pub(crate) fn handle(&self, request: &Request<Bytes>, arrival: &Arrival) -> Handled {
        let uri = request.uri();
        let target = uri.path_and_query().map_or("/", |target| target.as_str());
        let (tenant, origin) = self.0.hosts.origin(arrival.scheme, uri, request.headers());
        let path = tenant.path(uri.path());
        let call = Call {
            method: request.method(),
            target,
            path: &path,
            query: uri.query(),
            headers: request.headers(),
            body: request.body(),
            base_url: origin.as_deref().unwrap_or(&self.0.base_url),
            certificate: &arrival.certificate,
        };
        let at = self.now();
        let mut state = self.state();
        let mut sides = state.sides.iter();
        let position = sides.position(|side| side.owns(&call) && tenant.admits(side.platform(), call.path));
        let answered = position.and_then(|position| self.answer_at(&mut state, position, &call));
        let (platform, operation, strikes, checked, departure) = answered.unwrap_or_else(|| {
            let nobody = Departure::Whole(platforms::nobody());
            (None, "unknown", Strikes::default(), Checked::default(), nobody)
        });
        let delay = strikes.delay();
        if let Some(platform) = platform {
            let calls = state.calls.entry(platform).or_default();
            *calls = calls.saturating_add(1);
        }
        let left = match &departure {
            Departure::Whole(response) | Departure::Drip(response, _) => Some(response),
            Departure::Half(_) | Departure::Nothing | Departure::Reset => None,
        };
        // Who looks on sees how often each rule struck; some change keys.
        let topics: &[Topic] = if strikes.kinds().is_empty() {
            &[Topic::Exchanges]
        } else {
            &[Topic::Exchanges, Topic::Faults, Topic::Settings]
        };
        state.exchanges.push(Exchange {
            number: 0,
            at,
            platform,
            operation,
            method: call.method.clone(),
            target: uri.clone(),
            request_headers: call.headers.clone(),
            request_body: KeptBody::of(request.body()),
            status: left.map(Response::status),
            response_headers: left.map(Response::headers).cloned().unwrap_or_default(),
            response_body: left.map(Response::body).map(KeptBody::of).unwrap_or_default(),
            signature: checked.verdict,
            canonical_text: checked.text.map(kept_text),
            inquiry: checked.inquiry.filter(|_| call.body.len() <= MOST_INQUIRED),
            trust: left.map(|_| checked.trust),
            faults: strikes.into_kinds(),
        });
        self.touch_book(&mut state, topics);
        drop(state);
        Handled { delay, departure }
    }

    /// Waits until something may have become due. The courier's alarm clock.
    pub(crate) async fn something_due(&self) {
        let next = self.state().post.next_due();
        let posted = self.0.posted.notified();
        match next {
            None => posted.await,
            Some(next) => {
                tokio::select! {
                    () = posted => {}
                    () = self.clock().sleep_until(next) => {}
                }
            }
        }
    }

    /// Waits until no notice is due or on its way.
    pub(crate) async fn idle(&self) {
        let mut returned = self.0.returned.subscribe();
        // The sender lives in `self`, so `wait_for` ends only when the condition holds.
        let _count = returned
            .wait_for(|_| !self.state().post.is_busy(self.clock().since_epoch()))
            .await;
    }

    fn next_due(&self) -> Option<Duration> {
        self.state().post.next_due()
    }

    /// Moves the clock on, while a courier delivers on the way what falls due, each attempt at its own moment.
    ///
    /// # Errors
    /// When that is past the year 9999; nothing is delivered then.
    pub(crate) async fn advance_delivering(&self, by: Duration) -> Result<(), ClockError> {
        let clock = self.clock();
        let end = clock.moment_after(by)?;
        self.idle().await;
        while let Some(due) = self.next_due().filter(|due| *due <= end) {
            clock.move_to(due);
            self.idle().await;
        }
        clock.move_to(end);
        self.pass_time();
        Ok(())
    }

    /// The seed of its numbers and odds: given, a scenario's, or drawn at the start.
    #[must_use]
    pub fn seed(&self) -> u64 {
        self.0.seed
    }

    fn now(&self) -> UnixTime {
        self.clock().now()
    }

    /// A panic while the lock was held leaves no half-made change behind that matters to a sandbox.
    fn state(&self) -> MutexGuard<'_, State> {
        self.0.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl fmt::Debug for DueNotice {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("DueNotice")
            .field("delay", &self.delay)
            .field("handed", &self.handed)
            .field("faults", &self.faults)
            .finish_non_exhaustive()
    }
}

impl fmt::Debug for FarSide {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("FarSide")
            .field("base_url", &self.0.base_url)
            .finish_non_exhaustive()
    }
}

fn side(sides: &mut [Box<dyn PlatformSide>], platform: Platform) -> Option<&mut Box<dyn PlatformSide>> {
    sides.iter_mut().find(|side| side.platform() == platform)
}

/// A number in the form of a UUID, as APIv3 numbers its notices.
fn notice_id(ambient: &SeededAmbient) -> String {
    [8, 4, 4, 4, 12].map(|length| ambient.hex(length)).join("-")
}
