//! Keys fetched before they end, and writes that do not start while no key could check their answer.

use std::collections::VecDeque;
use std::error::Error as _;
use std::sync::{Arc, Mutex};

use bytes::Bytes;
use http::Method;
use tokio::sync::{Notify, Semaphore};
use yuanfen_core::{
    Advice, Effect, ErrorKind, Fate, FixedAmbient, KeysUnavailable, OpenError, RawOperation, Route, Sent,
    TransportErrorKind, Verified,
};
use yuanfen_transport::{Client, TransportError};

use crate::toy::{Message, Outbound, Place, Query, Refund, Toy, USELESS, keys, ok, unsigned};

const NOW: i64 = 1_700_000_000;

type Answer = Result<http::Response<Bytes>, TransportErrorKind>;

/// A platform that answers every call, and every fetch of keys by a script, behind a gate that starts open.
struct Platform {
    clock: Arc<FixedAmbient>,
    paths: Mutex<Vec<String>>,
    fetches: Mutex<VecDeque<Answer>>,
    fetching: Notify,
    gate: Semaphore,
}

impl Platform {
    fn new(fetches: impl IntoIterator<Item = Answer>) -> Arc<Self> {
        Arc::new(Self {
            clock: Arc::new(FixedAmbient::at(NOW)),
            paths: Mutex::default(),
            fetches: Mutex::new(fetches.into_iter().collect()),
            fetching: Notify::new(),
            gate: Semaphore::new(Semaphore::MAX_PERMITS),
        })
    }

    /// The same with its gate shut: fetches are answered as it is opened.
    fn slow(fetches: impl IntoIterator<Item = Answer>) -> Arc<Self> {
        let platform = Self::new(fetches);
        platform.gate.forget_permits(Semaphore::MAX_PERMITS);
        platform
    }

    fn client(self: &Arc<Self>, account: Toy) -> Client<Toy> {
        let platform = Arc::clone(self);
        let transport = move |request: http::Request<Bytes>| {
            let platform = Arc::clone(&platform);
            async move { platform.answer(request.uri().path()).await }
        };
        Client::new(account, transport).with_ambient(Arc::clone(&self.clock))
    }

    async fn answer(&self, path: &str) -> Result<http::Response<Bytes>, TransportError> {
        self.paths.lock().unwrap().push(path.to_owned());
        if path != "/keys" {
            return Ok(ok("done"));
        }
        self.fetching.notify_one();
        self.gate.acquire().await.unwrap().forget();
        let answer = self.fetches.lock().unwrap().pop_front();
        let answer = answer.unwrap_or_else(|| panic!("keys are fetched too often"));
        answer.map_err(|kind| TransportError::new(kind, Sent::No, None))
    }

    /// What was sent since this was last asked.
    fn sent(&self) -> Vec<String> {
        std::mem::take(&mut *self.paths.lock().unwrap())
    }

    fn pass(&self, seconds: i64) {
        self.clock.advance(seconds);
    }
}

fn refused() -> Answer {
    Err(TransportErrorKind::Connect)
}

fn unavailable(error: &yuanfen_core::Error) -> &KeysUnavailable {
    match error.kind() {
        ErrorKind::Keys(problem) => problem,
        other => panic!("{other:?}"),
    }
}

/// Lets everything that can go on go on.
async fn settle_down() {
    for _ in 0..100 {
        tokio::task::yield_now().await;
    }
}

#[tokio::test]
async fn keys_are_fetched_beside_a_call_before_they_end() {
    let platform = Platform::new([Ok(keys("k1", 11))]);
    let client = platform.client(Toy::default().until(NOW + 100));
    client.call(&Place).await.unwrap();
    assert_eq!(platform.sent(), ["/place"], "not yet");
    platform.pass(1);
    client.call(&Query).await.unwrap();
    assert_eq!(platform.sent(), ["/keys", "/query"]);
    client.call(&Place).await.unwrap();
    platform.pass(800);
    client.call(&Place).await.unwrap();
    assert_eq!(platform.sent(), ["/place", "/place"], "and once only");
}

#[tokio::test]
async fn one_call_refreshes_while_the_others_go_on() {
    let platform = Platform::slow([Ok(keys("k1", 11))]);
    let client = platform.client(Toy::default().until(NOW + 50));
    let calls: Vec<_> = (0..20)
        .map(|_| {
            let client = client.clone();
            tokio::spawn(async move { client.call(&Place).await })
        })
        .collect();
    for call in calls {
        assert_eq!(call.await.unwrap().unwrap(), "done", "nobody waits for the gate");
    }
    let sent = platform.sent();
    assert_eq!(sent.iter().filter(|path| *path == "/keys").count(), 1, "{sent:?}");
    assert_eq!(sent.len(), 21);
}

/// Otherwise a fetch that always takes longer than a call would never end.
#[tokio::test]
async fn a_refresh_that_was_given_up_is_waited_for_the_next_time() {
    let platform = Platform::slow([Ok(keys("k1", 11))]);
    let client = platform.client(Toy::default().until(NOW + 99));
    client.call(&Place).await.unwrap();
    assert_eq!(platform.sent(), ["/keys", "/place"]);
    platform.pass(59);
    client.call(&Place).await.unwrap();
    assert_eq!(platform.sent(), ["/place"], "about once a minute");
    platform.pass(1);
    let waiting = tokio::spawn({
        let client = client.clone();
        async move { client.call(&Place).await }
    });
    settle_down().await;
    assert_eq!(platform.sent(), ["/keys", "/place"]);
    assert!(!waiting.is_finished());
    platform.gate.add_permits(1);
    waiting.await.unwrap().unwrap();
    platform.pass(100);
    client.call(&Place).await.unwrap();
    assert_eq!(platform.sent(), ["/place"], "the keys are new");
}

#[tokio::test]
async fn a_refresh_that_fails_fails_no_call_and_is_tried_again_after_a_minute() {
    let platform = Platform::new([refused(), Ok(unsigned(500, "oops")), Ok(keys("k1", 11))]);
    let client = platform.client(Toy::default().until(NOW + 190));
    platform.pass(91);
    for (pass, sent) in [
        (0, vec!["/keys", "/place"]),
        (59, vec!["/place"]),
        (1, vec!["/keys", "/place"]),
        (0, vec!["/place"]),
    ] {
        platform.pass(pass);
        assert_eq!(client.call(&Place).await.unwrap(), "done");
        assert_eq!(platform.sent(), sent);
    }
    // The keys ended in the meantime: now it is no longer beside a call but before it.
    platform.pass(60);
    client.call(&Place).await.unwrap();
    assert_eq!(platform.sent(), ["/keys", "/place"]);
}

#[tokio::test]
async fn a_caller_that_gives_up_in_the_middle_of_a_refresh_leaves_the_turn_to_others() {
    let platform = Platform::slow([Ok(keys("k1", 11))]);
    let never = |_: http::Request<Bytes>| std::future::pending();
    let client = Client::new(Toy::default().until(NOW + 50), never).with_ambient(Arc::clone(&platform.clock));
    let waited = tokio::time::timeout(std::time::Duration::from_millis(10), client.call(&Place)).await;
    assert!(waited.is_err());

    let client = platform.client(Toy::default().until(NOW + 50));
    let first = tokio::spawn({
        let client = client.clone();
        async move { client.call(&Place).await }
    });
    platform.fetching.notified().await;
    first.abort();
    // Whether it was aborted in time does not matter; its turn is over either way.
    drop(first.await);
    assert_eq!(client.call(&Place).await.unwrap(), "done");
    // The keys end while nobody refreshes; who needs them now fetches them, whatever was given up before.
    platform.pass(51);
    platform.sent();
    platform.gate.add_permits(1);
    assert_eq!(client.call(&Place).await.unwrap(), "done");
    assert_eq!(platform.sent(), ["/keys", "/place"]);
}

#[tokio::test]
async fn a_write_is_sent_only_once_a_key_is_there_for_its_answer() {
    for (old_end, what) in [(NOW - 1, "all are over"), (i64::MIN, "there was never one")] {
        let platform = Platform::new([Ok(keys("k1", 11))]);
        let client = platform.client(Toy::default().until(old_end));
        assert_eq!(client.call(&Refund).await.unwrap(), "done");
        assert_eq!(platform.sent(), ["/keys", "/refund"], "{what}");
    }
}

#[tokio::test]
async fn a_write_whose_answer_nothing_could_check_is_not_sent() {
    let answers: [(Answer, Advice, &str); 4] = [
        (refused(), Advice::RepeatLater, "no connection"),
        (Ok(unsigned(500, "BUSY")), Advice::RepeatLater, "the platform said no"),
        (Ok(unsigned(400, "DECLINED")), Advice::Stop, "the platform said no"),
        (Ok(unsigned(200, "k1=11")), Advice::RepeatLater, "does not prove"),
    ];
    for (answer, advice, cause) in answers {
        let platform = Platform::new([answer]);
        let client = platform.client(Toy::default().until(NOW - 1));
        let error = client.call(&Refund).await.unwrap_err();
        assert_eq!(platform.sent(), ["/keys"]);
        assert_eq!((error.operation(), error.fate()), ("refund", Fate::NotSent));
        assert_eq!(error.advice(), advice, "{error:?}");
        assert_eq!(
            unavailable(&error).to_string(),
            "the platform's keys could not be fetched"
        );
        let source = unavailable(&error).source().unwrap();
        assert!(source.to_string().contains(cause), "{source}");
        assert!(
            source.is::<TransportError>() || source.is::<OpenError>(),
            "its type is kept"
        );
        assert!(error.to_string().contains("nothing was sent"), "{error}");
    }
}

#[tokio::test]
async fn a_write_says_so_where_no_fetch_could_help() {
    let platform = Platform::new([]);
    let client = platform.client(Toy::default().until(NOW - 1).without_fetching());
    let error = client.call(&Place).await.unwrap_err();
    assert_eq!((error.fate(), error.advice()), (Fate::NotSent, Advice::Stop));
    assert!(
        unavailable(&error)
            .to_string()
            .contains("no key of the platform is configured")
    );

    let platform = Platform::new([Ok(ok(USELESS))]);
    let client = platform.client(Toy::default().until(NOW - 1));
    let error = client.call(&Place).await.unwrap_err();
    assert_eq!((error.fate(), error.advice()), (Fate::NotSent, Advice::Stop));
    assert!(unavailable(&error).to_string().contains("check the clock"));
    assert_eq!(platform.sent(), ["/keys"]);
}

#[tokio::test]
async fn a_call_that_has_no_type_is_held_back_too() {
    let raw = |effect| {
        let outbound = Outbound {
            method: Method::POST,
            path: "/raw".to_owned(),
            body: "x=1",
        };
        RawOperation::new(Route::new("toy", "raw", Method::POST, "/raw", effect), outbound)
    };
    let platform = Platform::new([refused(), Ok(keys("k1", 11))]);
    let client = platform.client(Toy::default().until(NOW - 1));
    let error = client
        .call_raw::<Verified<Message>>(raw(Effect::QueryFirst))
        .await
        .unwrap_err();
    assert_eq!((error.operation(), error.fate()), ("raw", Fate::NotSent));
    platform.pass(1);
    let opened: Verified<Message> = client.call_raw(raw(Effect::QueryFirst)).await.unwrap();
    assert_eq!(opened.get().text, "done");
    assert_eq!(platform.sent(), ["/keys", "/keys", "/raw"]);
}

/// Its answer waits for the key; nothing moves in the meantime.
#[tokio::test]
async fn a_read_goes_on_without_keys_and_fetches_them_for_its_answer() {
    let platform = Platform::new([Ok(keys("k1", 11))]);
    let client = platform.client(Toy::default().until(NOW - 1));
    assert_eq!(client.call(&Query).await.unwrap(), "done");
    assert_eq!(platform.sent(), ["/query", "/keys"]);
}

#[tokio::test]
async fn writes_without_keys_share_one_fetch_and_what_came_of_it() {
    for (answer, expected) in [(Ok(keys("k1", 11)), Some("done")), (refused(), None)] {
        let platform = Platform::slow([answer]);
        let client = platform.client(Toy::default().until(NOW - 1));
        let calls: Vec<_> = (0..20)
            .map(|_| {
                let client = client.clone();
                tokio::spawn(async move { client.call(&Place).await })
            })
            .collect();
        platform.fetching.notified().await;
        settle_down().await;
        platform.gate.add_permits(100);
        for call in calls {
            match (call.await.unwrap(), expected) {
                (Ok(reply), Some(expected)) => assert_eq!(reply, expected),
                (Err(error), None) => assert_eq!(error.fate(), Fate::NotSent),
                (other, _) => panic!("{other:?}"),
            }
        }
        let sent = platform.sent();
        assert_eq!(sent.iter().filter(|path| *path == "/keys").count(), 1);
        assert_eq!(sent.len(), if expected.is_some() { 21 } else { 1 });
    }
}

#[tokio::test]
async fn a_writer_that_gives_up_while_fetching_leaves_the_turn_to_the_next() {
    let platform = Platform::slow([Ok(keys("k1", 11))]);
    let client = platform.client(Toy::default().until(NOW - 1));
    let place = || {
        let client = client.clone();
        tokio::spawn(async move { client.call(&Place).await })
    };
    let first = place();
    platform.fetching.notified().await;
    let second = place();
    settle_down().await;
    first.abort();
    assert!(first.await.unwrap_err().is_cancelled());
    platform.fetching.notified().await;
    platform.gate.add_permits(1);
    assert_eq!(second.await.unwrap().unwrap(), "done");
    assert_eq!(platform.sent(), ["/keys", "/keys", "/place"]);
}

#[tokio::test]
async fn the_pause_after_failed_fetches_doubles_up_to_a_minute() {
    let platform = Platform::new(std::iter::repeat_with(refused).take(10));
    let client = platform.client(Toy::default().until(i64::MIN));
    client.call(&Place).await.unwrap_err();
    for pause in [1, 2, 4, 8, 16, 32, 60, 60] {
        platform.sent();
        platform.pass(pause - 1);
        let error = client.call(&Place).await.unwrap_err();
        assert_eq!(error.fate(), Fate::NotSent);
        assert!(unavailable(&error).source().is_some(), "the reason is told again");
        assert_eq!(platform.sent(), [""; 0], "in the pause of {pause} seconds");
        platform.pass(1);
        client.call(&Place).await.unwrap_err();
        assert_eq!(platform.sent(), ["/keys"]);
    }
    // A clock that is set back does not make the pause longer.
    platform.pass(-1_000_000);
    client.call(&Place).await.unwrap_err();
    assert_eq!(platform.sent(), ["/keys"]);
}

#[tokio::test]
async fn a_fetch_that_succeeds_ends_the_pauses() {
    let platform = Platform::new([refused(), refused(), Ok(keys("k1", 11)), refused(), Ok(keys("k1", 11))]);
    let client = platform.client(Toy::default().until(NOW - 1));
    client.call(&Place).await.unwrap_err();
    platform.pass(1);
    client.call(&Place).await.unwrap_err();
    platform.pass(2);
    client.call(&Place).await.unwrap();
    platform.pass(1001);
    client.call(&Place).await.unwrap_err();
    platform.pass(1);
    client.call(&Place).await.unwrap();
}

#[tokio::test]
async fn notices_that_name_one_unknown_key_share_one_fetch() {
    let platform = Platform::slow([Ok(keys("k1", 11))]);
    let client = platform.client(Toy::default().until(NOW + 1000));
    let fetches: Vec<_> = (0..20)
        .map(|_| {
            let client = client.clone();
            tokio::spawn(async move { client.fetch_key("k1").await })
        })
        .collect();
    platform.fetching.notified().await;
    settle_down().await;
    platform.gate.add_permits(1);
    for fetch in fetches {
        assert!(fetch.await.unwrap(), "it is worth opening the notice again");
    }
    assert_eq!(platform.sent(), ["/keys"]);
}

#[tokio::test]
async fn a_fetch_for_a_notice_that_fails_has_the_pauses_of_the_others() {
    let platform = Platform::new([refused(), Ok(keys("k1", 11))]);
    let client = platform.client(Toy::default().until(NOW + 1000));
    assert!(!client.fetch_key("k1").await);
    assert!(!client.fetch_key("k1").await);
    assert_eq!(platform.sent(), ["/keys"], "in the pause");
    platform.pass(1);
    assert!(client.fetch_key("k1").await);
    assert_eq!(platform.sent(), ["/keys"]);
}
