//! An account and a far side in memory, on a fake clock: latency, loss and duplication, no sockets, no sleeping.

use std::cell::RefCell;
use std::collections::{BTreeMap, VecDeque};
use std::fmt;
use std::sync::Arc;
use std::sync::atomic::{AtomicI64, AtomicU64, Ordering};
use std::time::Duration;

use bytes::Bytes;
use yuanfen_core::{
    Ambient, Error, ErrorKind, Operation, OperationExt as _, RouteInfo, Sent, TransportError, TransportErrorKind,
    UnixTime,
};

/// A clock that moves when it is told to, and bytes that count up. Clones are the same clock, so both sides of a pair
/// can hold one.
#[derive(Clone, Debug)]
pub struct Clock {
    milliseconds: Arc<AtomicI64>,
    counter: Arc<AtomicU64>,
}

impl Clock {
    /// At so many seconds since the epoch.
    #[must_use]
    pub fn at(seconds: i64) -> Self {
        Self {
            milliseconds: Arc::new(seconds.saturating_mul(1000).into()),
            counter: Arc::default(),
        }
    }

    /// Moves the clock on.
    pub fn advance(&self, duration: Duration) {
        let step = i64::try_from(duration.as_millis()).unwrap_or(i64::MAX);
        self.set_milliseconds(self.milliseconds().saturating_add(step));
    }

    /// Milliseconds since the epoch.
    #[must_use]
    pub fn milliseconds(&self) -> i64 {
        self.milliseconds.load(Ordering::SeqCst)
    }

    fn set_milliseconds(&self, milliseconds: i64) {
        self.milliseconds.store(milliseconds, Ordering::SeqCst);
    }
}

impl Ambient for Clock {
    fn now(&self) -> UnixTime {
        UnixTime::from_seconds(self.milliseconds().div_euclid(1000))
    }

    fn fill(&self, out: &mut [u8]) {
        for octet in out {
            // A fixed sequence that visits every octet value: odd steps modulo 256. It must never leave tests.
            let count = self.counter.fetch_add(1, Ordering::SeqCst);
            let [low, ..] = count.wrapping_mul(0x9d).wrapping_add(count >> 8).to_le_bytes();
            *octet = low;
        }
    }
}

/// What happens to one message on its way there and back.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct Passage {
    /// How long the request takes.
    pub there: Duration,
    /// How long the answer takes.
    pub back: Duration,
    /// What is lost.
    pub loss: Loss,
    /// Copies of the request that arrive as well, each so much after the first; what they are answered nobody hears.
    pub copies: Option<(u32, Duration)>,
}

impl Default for Passage {
    fn default() -> Self {
        Self::in_time()
    }
}

impl Passage {
    /// 20 ms each way, nothing lost.
    #[must_use]
    pub const fn in_time() -> Self {
        Self {
            there: Duration::from_millis(20),
            back: Duration::from_millis(20),
            loss: Loss::None,
            copies: None,
        }
    }

    /// The same with that loss.
    #[must_use]
    pub const fn losing(mut self, loss: Loss) -> Self {
        self.loss = loss;
        self
    }

    /// The same at that speed.
    #[must_use]
    pub const fn taking(mut self, there: Duration, back: Duration) -> Self {
        self.there = there;
        self.back = back;
        self
    }

    /// The same with so many more copies of the request, each so much later than the one before.
    #[must_use]
    pub const fn copied(mut self, copies: u32, apart: Duration) -> Self {
        self.copies = Some((copies, apart));
        self
    }
}

/// What gets lost.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum Loss {
    /// Nothing.
    None,
    /// The connection: nothing was sent, and the sender knows.
    Connection,
    /// The request: the far side never sees it, and the sender's time runs out.
    Request,
    /// The answer: the far side has acted, and the sender's time runs out.
    Reply,
    /// The connection, while the answer was under way: the far side has acted, and the sender knows no more than that.
    ReplyCut,
}

/// What the passages of a link are: those planned, one after the other, and then the same for ever.
#[derive(Clone, Debug)]
pub struct Plan {
    planned: VecDeque<Passage>,
    then: Passage,
}

impl Default for Plan {
    fn default() -> Self {
        Self::steady(Passage::in_time())
    }
}

impl Plan {
    /// The same passage every time.
    #[must_use]
    pub const fn steady(passage: Passage) -> Self {
        Self {
            planned: VecDeque::new(),
            then: passage,
        }
    }

    /// These first, and then every one in time.
    #[must_use]
    pub fn first(passages: impl IntoIterator<Item = Passage>) -> Self {
        Self {
            planned: passages.into_iter().collect(),
            then: Passage::in_time(),
        }
    }

    fn next(&mut self) -> Passage {
        self.planned.pop_front().unwrap_or(self.then)
    }
}

/// A wire in memory to a far side: any function from request to response, the sandbox without its listener or a
/// shop's notice handler alike.
///
/// The clock is moved by what messages take, and the far side sees it as it stands when a request arrives.
pub struct Link<F> {
    far: RefCell<F>,
    clock: Clock,
    timeout: Duration,
    plan: RefCell<Plan>,
    late: RefCell<BTreeMap<(i64, u64), http::Request<Bytes>>>,
    sequence: AtomicU64,
    arrived: AtomicU64,
}

impl<F: FnMut(http::Request<Bytes>) -> http::Response<Bytes>> Link<F> {
    /// A link to that far side, on that clock, where the sender waits 10 seconds for an answer.
    #[must_use]
    pub fn new(clock: Clock, plan: Plan, far: F) -> Self {
        Self {
            far: RefCell::new(far),
            clock,
            timeout: Duration::from_secs(10),
            plan: RefCell::new(plan),
            late: RefCell::default(),
            sequence: AtomicU64::new(0),
            arrived: AtomicU64::new(0),
        }
    }

    /// The same with that patience of the sender.
    #[must_use]
    pub const fn timeout(mut self, timeout: Duration) -> Self {
        self.timeout = timeout;
        self
    }

    /// The clock.
    #[must_use]
    pub const fn clock(&self) -> &Clock {
        &self.clock
    }

    /// How many requests, copies included, have reached the far side.
    #[must_use]
    pub fn arrived(&self) -> u64 {
        self.arrived.load(Ordering::SeqCst)
    }

    /// Puts another plan in the place of what is left of this one.
    pub fn replan(&self, plan: Plan) {
        self.plan.replace(plan);
    }

    /// Sends a request and waits for its answer.
    ///
    /// # Errors
    /// As a transport: nothing sent, no answer in time, or cut off.
    pub fn send(&self, request: http::Request<Bytes>) -> Result<http::Response<Bytes>, TransportError> {
        let passage = self.plan.borrow_mut().next();
        if passage.loss == Loss::Connection {
            return Err(TransportError::new(TransportErrorKind::Connect, Sent::No, None));
        }
        let sent = self.clock.milliseconds();
        let gives_up = sent.saturating_add(millis(self.timeout));
        let arrives = sent.saturating_add(millis(passage.there));
        let out_of_time = || TransportError::new(TransportErrorKind::Timeout, Sent::Maybe, None);
        if let Some((copies, apart)) = passage.copies {
            for copy in 1..=copies {
                self.queue(
                    arrives.saturating_add(millis(apart.saturating_mul(copy))),
                    request.clone(),
                );
            }
        }
        if passage.loss == Loss::Request {
            self.run_until(gives_up);
            return Err(out_of_time());
        }
        if arrives > gives_up {
            // The sender has gone; the request still arrives, when the clock gets there.
            self.queue(arrives, request);
            self.run_until(gives_up);
            return Err(out_of_time());
        }
        self.run_until(arrives);
        let response = self.deliver(request);
        let back = arrives.saturating_add(millis(passage.back));
        match passage.loss {
            Loss::ReplyCut => {
                self.run_until(back.min(gives_up));
                Err(TransportError::new(TransportErrorKind::Cut, Sent::Maybe, None))
            }
            Loss::Reply => {
                self.run_until(gives_up);
                Err(out_of_time())
            }
            _ if back > gives_up => {
                self.run_until(gives_up);
                Err(out_of_time())
            }
            _ => {
                self.run_until(back);
                Ok(response)
            }
        }
    }

    /// Lets so much time pass: what is under way arrives.
    pub fn wait(&self, duration: Duration) {
        self.run_until(self.clock.milliseconds().saturating_add(millis(duration)));
    }

    fn queue(&self, at: i64, request: http::Request<Bytes>) {
        let sequence = self.sequence.fetch_add(1, Ordering::SeqCst);
        self.late.borrow_mut().insert((at, sequence), request);
    }

    /// Delivers what is due by then, in its order, each at its time.
    fn run_until(&self, until: i64) {
        loop {
            let due = {
                let mut late = self.late.borrow_mut();
                match late.first_entry() {
                    Some(entry) if entry.key().0 <= until => Some((entry.key().0, entry.remove())),
                    _ => None,
                }
            };
            let Some((at, request)) = due else { break };
            self.clock.set_milliseconds(at.max(self.clock.milliseconds()));
            drop(self.deliver(request));
        }
        self.clock.set_milliseconds(until.max(self.clock.milliseconds()));
    }

    fn deliver(&self, request: http::Request<Bytes>) -> http::Response<Bytes> {
        self.arrived.fetch_add(1, Ordering::SeqCst);
        (self.far.borrow_mut())(request)
    }
}

impl<F> fmt::Debug for Link<F> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Link")
            .field("clock", &self.clock)
            .field("plan", &self.plan)
            .field("under_way", &self.late.borrow().len())
            .finish_non_exhaustive()
    }
}

fn millis(duration: Duration) -> i64 {
    i64::try_from(duration.as_millis()).unwrap_or(i64::MAX)
}

/// An account and the far side that it talks to.
#[derive(Debug)]
pub struct Pair<P, F> {
    account: P,
    link: Link<F>,
}

impl<P, F: FnMut(http::Request<Bytes>) -> http::Response<Bytes>> Pair<P, F> {
    /// An account at one end of the link.
    #[must_use]
    pub const fn new(account: P, link: Link<F>) -> Self {
        Self { account, link }
    }

    /// The account.
    #[must_use]
    pub const fn account(&self) -> &P {
        &self.account
    }

    /// The link.
    #[must_use]
    pub const fn link(&self) -> &Link<F> {
        &self.link
    }

    /// One call: built, sent, opened and typed, on the link's clock.
    ///
    /// # Errors
    /// As a client gives them: what could not be built, sent, opened or typed, and what the far side refused.
    pub fn call<O: Operation<Provider = P>>(&self, operation: &O) -> Result<O::Reply, Error> {
        let clock = self.link.clock();
        let request = operation.request(&self.account, clock)?;
        let response = self
            .link
            .send(request)
            .map_err(|error| Error::new(RouteInfo::of::<O>(), ErrorKind::Transport(error)))?;
        operation.reply(&self.account, &response, clock.now())
    }
}
