//! What is sent again, what is not, and what the fates of several attempts come to.

use std::sync::{Arc, Mutex};
use std::time::Duration;

use bytes::Bytes;
use yuanfen_core::{Advice, Fate, FixedAmbient, Operation};
use yuanfen_transport::test_util::{Capture, Fault, Flaky, Replay};
use yuanfen_transport::{Client, Retry, Sleep, Transport};

use crate::toy::{Impossible, Place, Query, Refund, Toy, no, ok, unsigned};

/// A clock that moves only when somebody sleeps, and a record of the naps.
#[derive(Clone)]
struct Naps {
    clock: Arc<FixedAmbient>,
    taken: Arc<Mutex<Vec<Duration>>>,
}

impl Naps {
    fn new() -> Self {
        Self {
            clock: Arc::new(FixedAmbient::at(1_700_000_000)),
            taken: Arc::default(),
        }
    }

    fn taken(&self) -> Vec<u128> {
        self.taken.lock().unwrap().iter().map(Duration::as_millis).collect()
    }
}

impl Sleep for Naps {
    async fn sleep(&self, duration: Duration) {
        self.clock.advance(i64::try_from(duration.as_secs()).unwrap());
        self.taken.lock().unwrap().push(duration);
    }
}

/// How a call under that plan and those answers ends: attempts made, naps taken, reply or fate.
async fn outcome<O>(operation: &O, transport: impl Transport + 'static) -> (Result<O::Reply, Fate>, Vec<u128>)
where
    O: Operation<Provider = Toy>,
{
    let naps = Naps::new();
    let client = Client::new(Toy::default(), transport).with_ambient(Arc::clone(&naps.clock));
    let mut retry = Retry::new(naps.clone());
    retry.attempts = 4;
    let result = retry.call(&client, operation).await;
    (result.map_err(|error| error.fate()), naps.taken())
}

#[tokio::test]
async fn what_was_not_sent_is_sent_again_whatever_it_is() {
    let plan = [Fault::Refuse, Fault::Tls];
    let (result, naps) = outcome(&Refund, Flaky::new(Replay::new([ok("refunded")]), plan)).await;
    assert_eq!((result.as_deref(), naps), (Ok("refunded"), vec![500, 1000]));
}

#[tokio::test]
async fn a_refund_that_may_have_been_sent_is_never_sent_again() {
    for fault in [Fault::LoseRequest, Fault::LoseReply, Fault::Late] {
        let capture = Capture::answering(ok("refunded"));
        let (result, naps) = outcome(&Refund, Flaky::new(capture.clone(), [fault])).await;
        assert_eq!((result, naps), (Err(Fate::Unknown), vec![]), "{fault:?}");
        assert!(capture.requests().len() <= 1);
    }
    // Not even after an attempt that certainly was not sent.
    let replay = Replay::new([ok("lost"), ok("again")]);
    let (result, _) = outcome(&Refund, Flaky::new(replay.clone(), [Fault::Refuse, Fault::LoseReply])).await;
    assert_eq!((result, replay.left()), (Err(Fate::Unknown), 1));
}

#[tokio::test]
async fn an_order_is_repeated_with_the_same_bytes_until_it_is_answered() {
    let capture = Capture::answering(ok("prepay"));
    let (result, _) = outcome(&Place, Flaky::new(capture.clone(), [Fault::LoseReply, Fault::Late])).await;
    assert_eq!(result.as_deref(), Ok("prepay"));
    let requests = capture.requests();
    assert_eq!(requests.len(), 3);
    assert!(
        requests
            .windows(2)
            .all(|pair| pair[0].body() == pair[1].body() && pair[0].uri() == pair[1].uri())
    );
    // Signed anew, as the protocol wants it.
    assert!(
        requests
            .windows(2)
            .all(|pair| pair[0].headers()["x-nonce"] != pair[1].headers()["x-nonce"])
    );
}

#[tokio::test]
async fn what_the_advice_says_no_to_is_not_repeated() {
    for (response, fate) in [
        (no("DECLINED"), Fate::Refused),
        (no("NOT_FOUND"), Fate::Refused),
        (no("PAID"), Fate::Already),
    ] {
        let replay = Replay::new([response, ok("again")]);
        let (result, naps) = outcome(&Place, replay.clone()).await;
        assert_eq!((result, naps, replay.left()), (Err(fate), vec![], 1));
    }
    let replay = Replay::new([ok("never")]);
    let (result, _) = outcome(&Impossible, replay.clone()).await;
    assert_eq!((result, replay.left()), (Err(Fate::NotSent), 1));
}

#[tokio::test]
async fn a_final_refusal_after_an_unknown_attempt_is_neither_repeated_nor_believed_for_both() {
    let replay = Replay::new([ok("lost"), no("DECLINED"), ok("again")]);
    let (result, _) = outcome(&Place, Flaky::new(replay.clone(), [Fault::LoseReply])).await;
    assert_eq!((result, replay.left()), (Err(Fate::Unknown), 1));
}

#[tokio::test]
async fn already_there_settles_an_unknown_attempt() {
    let replay = Replay::new([ok("lost"), no("PAID")]);
    let (result, _) = outcome(&Place, Flaky::new(replay, [Fault::LoseReply])).await;
    assert_eq!(result, Err(Fate::Already));
}

#[tokio::test]
async fn a_throttled_call_waits_longer() {
    let (result, naps) = outcome(&Place, Replay::new([no("BUSY"), no("BUSY"), ok("prepay")])).await;
    assert_eq!((result.as_deref(), naps), (Ok("prepay"), vec![5_000, 10_000]));
}

#[tokio::test]
async fn attempts_end_at_their_number() {
    let (result, naps) = outcome(&Query, Flaky::new(Replay::new([]), [Fault::Refuse; 9])).await;
    assert_eq!((result, naps), (Err(Fate::NotSent), vec![500, 1000, 2000]));
}

#[tokio::test]
async fn no_attempt_begins_after_the_deadline() {
    for (deadline, attempts) in [(5, 1), (6, 2), (15, 2), (16, 3)] {
        let naps = Naps::new();
        let replay = Replay::new([no("BUSY"), no("BUSY"), no("BUSY"), no("BUSY")]);
        let client = Client::new(Toy::default(), replay.clone()).with_ambient(Arc::clone(&naps.clock));
        let mut retry = Retry::new(naps);
        retry.attempts = 9;
        retry.deadline = Duration::from_secs(deadline);
        let error = retry.call(&client, &Place).await.unwrap_err();
        assert_eq!(error.advice(), Advice::RepeatLater);
        assert_eq!(4 - replay.left(), attempts, "deadline {deadline}");
    }
}

#[tokio::test]
async fn a_deadline_counts_the_time_that_attempts_take() {
    let naps = Naps::new();
    let clock = Arc::clone(&naps.clock);
    let slow = move |_: http::Request<Bytes>| {
        clock.advance(20);
        async { Ok(unsigned(500, "SYSTEM")) }
    };
    let client = Client::new(Toy::default(), slow).with_ambient(Arc::clone(&naps.clock));
    let mut retry = Retry::new(naps.clone());
    retry.attempts = 9;
    retry.call(&client, &Query).await.unwrap_err();
    // 20 s, half a second, 40 s: over the 30 seconds that are the default.
    assert_eq!(naps.taken(), [500]);
}

#[tokio::test]
async fn every_failed_attempt_is_reported_with_its_joined_fate() {
    let naps = Naps::new();
    let transport = Flaky::new(
        Replay::new([ok("lost"), no("DECLINED")]),
        [Fault::Refuse, Fault::LoseReply],
    );
    let client = Client::new(Toy::default(), transport).with_ambient(Arc::clone(&naps.clock));
    let reports = Arc::new(Mutex::new(Vec::new()));
    let retry = Retry::new(naps).on_attempt({
        let reports = Arc::clone(&reports);
        move |attempt| {
            let next = attempt.next.map(|pause| pause.as_millis());
            reports
                .lock()
                .unwrap()
                .push((attempt.number, attempt.error.fate(), next));
        }
    });
    retry.call(&client, &Place).await.unwrap_err();
    assert_eq!(
        *reports.lock().unwrap(),
        [
            (1, Fate::NotSent, Some(500)),
            (2, Fate::Unknown, Some(1000)),
            (3, Fate::Unknown, None),
        ]
    );
}
