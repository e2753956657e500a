//! Links lose, delay and repeat what they are told to, on the clock alone.

use std::cell::RefCell;
use std::rc::Rc;
use std::time::Duration;

use bytes::Bytes;
use http::{Method, Request, Response};
use yuanfen_core::{
    Ambient, BuildError, Draft, Effect, Fate, OpenError, Opens, Operation, ProtocolError, ProtocolErrorKind, Provider,
    ReplyTrust, Route, Sent, Sign, SignError, TransportErrorKind, UnixTime, Unsigned,
};
use yuanfen_testkit::{Clock, Link, Loss, Pair, Passage, Plan};

const START: i64 = 1_700_000_000;

/// What reached the far side: its body and when.
type Seen = Rc<RefCell<Vec<(String, i64)>>>;

/// A far side that notes what arrives and when, and answers with it in upper case.
fn far(clock: &Clock) -> (Seen, impl FnMut(Request<Bytes>) -> Response<Bytes> + use<>) {
    let seen = Seen::default();
    let (notes, clock) = (Rc::clone(&seen), clock.clone());
    let far = move |request: Request<Bytes>| {
        let body = String::from_utf8(request.into_body().to_vec()).unwrap();
        let answer = body.to_uppercase();
        notes.borrow_mut().push((body, clock.milliseconds() - START * 1000));
        Response::new(answer.into())
    };
    (seen, far)
}

fn request(body: &'static str) -> Request<Bytes> {
    Request::post("https://far.example/")
        .body(Bytes::from_static(body.as_bytes()))
        .unwrap()
}

fn seconds(seconds: u64) -> Duration {
    Duration::from_secs(seconds)
}

struct Sent1 {
    kind: Option<(TransportErrorKind, Sent)>,
    seen: Vec<(String, i64)>,
    took: i64,
}

/// One request over a link whose first passage is this one.
fn send(passage: Passage) -> Sent1 {
    let clock = Clock::at(START);
    let (seen, far) = far(&clock);
    let link = Link::new(clock.clone(), Plan::first([passage]), far);
    let result = link.send(request("a"));
    let took = clock.milliseconds() - START * 1000;
    let kind = result.as_ref().err().map(|error| (error.kind, error.sent));
    if let Ok(response) = result {
        assert_eq!(response.body().as_ref(), b"A");
    }
    let seen = seen.borrow().clone();
    Sent1 { kind, seen, took }
}

fn seen(entries: &[(&str, i64)]) -> Vec<(String, i64)> {
    entries.iter().map(|(body, at)| ((*body).to_owned(), *at)).collect()
}

#[test]
fn a_message_takes_its_time_each_way() {
    let one = send(Passage::in_time().taking(seconds(2), seconds(3)));
    assert_eq!((one.kind, one.seen, one.took), (None, seen(&[("a", 2000)]), 5000));
}

#[test]
fn a_lost_connection_is_known_not_to_have_sent() {
    let one = send(Passage::in_time().losing(Loss::Connection));
    assert_eq!(one.kind, Some((TransportErrorKind::Connect, Sent::No)));
    assert!(one.seen.is_empty());
}

#[test]
fn a_lost_request_runs_the_sender_out_of_time() {
    let one = send(Passage::in_time().losing(Loss::Request));
    assert_eq!(one.kind, Some((TransportErrorKind::Timeout, Sent::Maybe)));
    assert!(one.seen.is_empty());
    assert_eq!(one.took, 10_000);
}

#[test]
fn a_lost_answer_looks_the_same_to_the_sender_but_the_far_side_has_acted() {
    let one = send(Passage::in_time().losing(Loss::Reply));
    assert_eq!(one.kind, Some((TransportErrorKind::Timeout, Sent::Maybe)));
    assert_eq!((one.seen, one.took), (seen(&[("a", 20)]), 10_000));
}

#[test]
fn an_answer_that_is_cut_off_is_known_at_once() {
    let one = send(Passage::in_time().losing(Loss::ReplyCut));
    assert_eq!(one.kind, Some((TransportErrorKind::Cut, Sent::Maybe)));
    assert_eq!((one.seen, one.took), (seen(&[("a", 20)]), 40));
}

#[test]
fn an_answer_after_the_senders_patience_is_no_answer() {
    let one = send(Passage::in_time().taking(seconds(6), seconds(6)));
    assert_eq!(one.kind, Some((TransportErrorKind::Timeout, Sent::Maybe)));
    assert_eq!((one.seen, one.took), (seen(&[("a", 6000)]), 10_000));
}

#[test]
fn a_request_that_arrives_after_the_sender_has_gone_still_acts() {
    let clock = Clock::at(START);
    let (seen_there, far) = far(&clock);
    let slow = Passage::in_time().taking(seconds(15), seconds(1));
    let link = Link::new(clock, Plan::first([slow]), far);
    assert_eq!(
        link.send(request("slow")).unwrap_err().kind,
        TransportErrorKind::Timeout
    );
    assert_eq!(link.arrived(), 0);
    // A later request overtakes it.
    assert_eq!(link.send(request("quick")).unwrap().body().as_ref(), b"QUICK");
    link.wait(seconds(10));
    assert_eq!(*seen_there.borrow(), seen(&[("quick", 10_020), ("slow", 15_000)]));
}

#[test]
fn copies_arrive_at_their_times_and_nobody_hears_their_answers() {
    let clock = Clock::at(START);
    let (seen_there, far) = far(&clock);
    let link = Link::new(clock, Plan::first([Passage::in_time().copied(2, seconds(30))]), far);
    link.send(request("a")).unwrap();
    assert_eq!(link.arrived(), 1);
    link.wait(seconds(59));
    assert_eq!(*seen_there.borrow(), seen(&[("a", 20), ("a", 30_020)]));
    link.wait(seconds(1));
    assert_eq!(seen_there.borrow().last().unwrap().1, 60_020);
    assert_eq!(link.arrived(), 3);
}

#[test]
fn a_plan_is_used_up_and_then_all_is_well() {
    let clock = Clock::at(START);
    let (_, far) = far(&clock);
    let lost = Passage::in_time().losing(Loss::Reply);
    let link = Link::new(clock, Plan::first([lost, lost]), far).timeout(seconds(1));
    assert!(link.send(request("a")).is_err() && link.send(request("a")).is_err());
    assert!(link.send(request("a")).is_ok());
    link.replan(Plan::steady(lost));
    assert!(link.send(request("a")).is_err() && link.send(request("a")).is_err());
}

#[test]
fn the_clock_is_one_and_the_same_on_both_sides() {
    let clock = Clock::at(START);
    let other = clock.clone();
    other.advance(Duration::from_millis(1999));
    assert_eq!(clock.now(), UnixTime::from_seconds(START + 1));
    let (mut first, mut second) = ([0; 32], [0; 32]);
    clock.fill(&mut first);
    other.fill(&mut second);
    assert_ne!(first, second, "nonces must differ");
}

struct Shop;
struct Ask;

impl Sign for Shop {
    fn sign(&self, _: &[u8], _: &dyn Ambient) -> Result<String, SignError> {
        Ok(String::new())
    }
}

impl Provider for Shop {
    type Outbound = String;

    fn draft(&self, message: String, _: &dyn Ambient) -> Result<Draft, BuildError> {
        Request::post("https://far.example/ask")
            .body(Bytes::from(message))
            .map(Draft::unsigned)
            .map_err(BuildError::encode)
    }

    fn signer(&self) -> &dyn Sign {
        self
    }
}

impl Opens<Shop> for Unsigned<String> {
    const TRUST: ReplyTrust = ReplyTrust::Unsigned;

    fn open(_: &Shop, response: &Response<Bytes>, now: UnixTime) -> Result<Self, OpenError> {
        if response.body().is_empty() {
            return Err(ProtocolError::new(ProtocolErrorKind::Empty).into());
        }
        Ok(Self::new(format!(
            "{}@{}",
            String::from_utf8_lossy(response.body()),
            now.seconds() - START
        )))
    }
}

impl Operation for Ask {
    type Provider = Shop;
    type Inbound = Unsigned<String>;
    type Reply = String;
    const ROUTE: Route = Route::new("shop", "ask", Method::POST, "/ask", Effect::QueryFirst);

    fn encode(&self, _: &Shop, ambient: &dyn Ambient) -> Result<String, BuildError> {
        Ok(format!("asked at {}", ambient.now().seconds() - START))
    }

    fn decode(&self, _: &Shop, inbound: Unsigned<String>) -> Result<String, OpenError> {
        Ok(inbound.into_inner())
    }
}

#[test]
fn a_pair_makes_typed_calls_and_gives_the_errors_of_a_client() {
    let clock = Clock::at(START);
    let (_, far) = far(&clock);
    let plan = Plan::first([
        Passage::in_time().taking(seconds(2), seconds(3)),
        Passage::in_time().losing(Loss::Connection),
        Passage::in_time().losing(Loss::Reply),
    ]);
    let pair = Pair::new(Shop, Link::new(clock, plan, far));
    assert_eq!(pair.call(&Ask).unwrap(), "ASKED AT 0@5");
    assert_eq!(pair.call(&Ask).unwrap_err().fate(), Fate::NotSent);
    assert_eq!(pair.call(&Ask).unwrap_err().fate(), Fate::Unknown);
    assert_eq!(pair.link().arrived(), 2);
}

#[test]
fn a_pair_gives_what_cannot_be_opened_as_an_error() {
    let clock = Clock::at(START);
    let pair = Pair::new(Shop, Link::new(clock, Plan::default(), |_| Response::new(Bytes::new())));
    assert_eq!(pair.call(&Ask).unwrap_err().fate(), Fate::Unknown);
}
