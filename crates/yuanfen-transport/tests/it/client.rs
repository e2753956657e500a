//! Calls, refusals, and the same response opened again once its key is there.

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;

use bytes::Bytes;
use http::Method;
use tokio::sync::{Notify, Semaphore};
use yuanfen_core::{
    Advice, Effect, ErrorKind, Fate, FixedAmbient, RawOperation, Route, Sent, SignatureError, TransportErrorKind,
    Verified,
};
use yuanfen_transport::test_util::{Capture, Never, Replay};
use yuanfen_transport::{Client, TransportError};

use crate::toy::{Impossible, Message, Outbound, Place, Query, Refund, Reverse, Toy, keys, no, ok, signed, unsigned};

#[tokio::test]
async fn a_call_sends_one_signed_request_and_types_the_reply() {
    let capture = Capture::answering(ok("prepay"));
    let client = Client::new(Toy::default(), capture.clone());
    assert_eq!(client.call(&Place).await.unwrap(), "prepay");
    let requests = capture.requests();
    assert_eq!(requests.len(), 1);
    assert_eq!(requests[0].method(), Method::POST);
    assert_eq!(requests[0].uri(), "https://platform.example/place");
    assert!(
        requests[0].headers()["authorization"]
            .to_str()
            .unwrap()
            .starts_with("toy ")
    );
}

#[tokio::test]
async fn the_ambient_that_is_handed_in_is_the_one_that_is_used() {
    let captures = [Capture::answering(ok("")), Capture::answering(ok(""))];
    for capture in &captures {
        let client = Client::with_transport(Toy::default(), capture.clone()).with_ambient(FixedAmbient::at(1));
        client.call(&Place).await.unwrap();
    }
    let [first, second] = captures.map(|capture| capture.requests()[0].headers()["x-nonce"].clone());
    assert_eq!(first, second);
}

#[tokio::test]
async fn a_request_that_cannot_be_built_is_not_sent() {
    let capture = Capture::answering(ok(""));
    let error = Client::new(Toy::default(), capture.clone())
        .call(&Impossible)
        .await
        .unwrap_err();
    assert!(matches!(error.kind(), ErrorKind::Build(_)));
    assert_eq!((error.fate(), error.advice()), (Fate::NotSent, Advice::Stop));
    assert!(capture.requests().is_empty());
}

#[tokio::test]
async fn a_signed_refusal_keeps_its_code_and_fate() {
    for (code, fate, advice) in [
        ("DECLINED", Fate::Refused, Advice::Stop),
        ("BUSY", Fate::Refused, Advice::RepeatLater),
        ("PAID", Fate::Already, Advice::Query),
        ("SOMETHING_NEW", Fate::Unknown, Advice::Repeat),
    ] {
        let error = Client::new(Toy::default(), Replay::new([no(code)]))
            .call(&Place)
            .await
            .unwrap_err();
        assert_eq!(error.refusal().unwrap().code, code);
        assert_eq!((error.fate(), error.advice()), (fate, advice), "{code}");
        assert_eq!(error.remote_request_id(), Some("remote-1"));
    }
}

#[tokio::test]
async fn a_refusal_that_nothing_proves_leaves_a_write_unknown() {
    let error = Client::new(Toy::default(), Replay::new([unsigned(400, "DECLINED")]))
        .call(&Refund)
        .await
        .unwrap_err();
    assert_eq!((error.fate(), error.advice()), (Fate::Unknown, Advice::QueryFirst));
}

#[tokio::test]
async fn a_wrong_or_absent_signature_leaves_the_outcome_unknown() {
    for response in [signed("k1", 12, 200, "prepay"), unsigned(200, "prepay")] {
        let error = Client::new(Toy::default(), Replay::new([response]))
            .call(&Place)
            .await
            .unwrap_err();
        assert!(matches!(error.kind(), ErrorKind::Signature(_)));
        assert_eq!(error.fate(), Fate::Unknown);
    }
}

#[tokio::test]
async fn a_failure_of_the_wire_keeps_what_may_have_been_sent() {
    for (sent, fate) in [(Sent::No, Fate::NotSent), (Sent::Maybe, Fate::Unknown)] {
        let transport = move |_: http::Request<Bytes>| async move {
            Err(TransportError::new(TransportErrorKind::Other, sent, None))
        };
        let error = Client::new(Toy::default(), transport).call(&Refund).await.unwrap_err();
        assert_eq!(error.fate(), fate);
        assert_eq!(error.operation(), "refund");
    }
}

#[tokio::test]
async fn a_route_behind_a_client_certificate_marks_its_request() {
    let capture = Capture::answering(ok(""));
    let client = Client::new(Toy::default(), capture.clone());
    client.call(&Reverse).await.unwrap();
    client.call(&Place).await.unwrap();
    let marks = capture
        .requests()
        .iter()
        .map(|sent| sent.extensions().get().copied())
        .collect::<Vec<_>>();
    assert_eq!(marks, [Some(yuanfen_core::ClientAuth::Required), None]);
}

#[tokio::test]
async fn a_raw_operation_is_signed_and_its_answer_opened_like_any_other() {
    let raw = || {
        RawOperation::new(
            Route::new("toy", "raw", Method::POST, "/raw", Effect::QueryFirst),
            Outbound {
                method: Method::POST,
                path: "/raw".to_owned(),
                body: "x=1",
            },
        )
    };
    let replay = Replay::new([
        ok("yes"),
        no("DECLINED"),
        signed("k2", 22, 200, "again"),
        keys("k2", 22),
    ]);
    let client = Client::new(Toy::default(), replay);
    let opened: Verified<Message> = client.call_raw(raw()).await.unwrap();
    assert_eq!(opened.get().text, "yes");
    let error = client.call_raw::<Verified<Message>>(raw()).await.unwrap_err();
    assert_eq!((error.operation(), error.fate()), ("raw", Fate::Refused));
    let opened: Verified<Message> = client.call_raw(raw()).await.unwrap();
    assert_eq!(opened.get().text, "again");
}

#[tokio::test]
async fn an_unknown_key_is_fetched_and_the_same_response_opened_again() {
    let replay = Replay::new([
        signed("k2", 22, 200, "prepay"),
        keys("k2", 22),
        signed("k2", 22, 200, "second"),
    ]);
    let sent = Arc::new(std::sync::Mutex::new(Vec::new()));
    let transport = {
        let (replay, sent) = (replay.clone(), Arc::clone(&sent));
        move |request: http::Request<Bytes>| {
            let replay = replay.clone();
            sent.lock().unwrap().push(request.uri().to_string());
            async move { yuanfen_transport::Transport::send(&replay, request).await }
        }
    };
    let client = Client::new(Toy::default(), transport);
    assert_eq!(client.call(&Place).await.unwrap(), "prepay");
    assert_eq!(client.call(&Place).await.unwrap(), "second");
    let place = "https://platform.example/place";
    assert_eq!(
        *sent.lock().unwrap(),
        [place, "https://platform.example/keys?serial=k2", place]
    );
}

#[tokio::test]
async fn a_refusal_under_an_unknown_key_is_opened_again_too() {
    let replay = Replay::new([signed("k2", 22, 400, "DECLINED"), keys("k2", 22)]);
    let error = Client::new(Toy::default(), replay).call(&Place).await.unwrap_err();
    assert_eq!(error.fate(), Fate::Refused);
    assert!(error.refusal().unwrap().verified);
}

#[tokio::test]
async fn keys_are_fetched_once_for_a_response_even_when_that_does_not_help() {
    let unknown = || signed("k9", 99, 200, "prepay");
    for answer in [keys("k2", 22), signed("k1", 12, 200, "k9=99"), unsigned(500, "oops")] {
        let replay = Replay::new([unknown(), answer, unknown()]);
        let error = Client::new(Toy::default(), replay.clone())
            .call(&Place)
            .await
            .unwrap_err();
        assert!(
            matches!(error.kind(), ErrorKind::Signature(SignatureError::UnknownKey { serial }) if serial == "k9"),
            "{error:?}"
        );
        assert_eq!(error.fate(), Fate::Unknown);
        assert_eq!(replay.left(), 1);
    }
}

#[tokio::test]
async fn a_fetch_that_fails_on_the_wire_leaves_the_key_unknown() {
    let replay = Replay::new([signed("k9", 99, 200, "prepay")]);
    let error = Client::new(Toy::default(), replay).call(&Place).await.unwrap_err();
    assert!(matches!(
        error.kind(),
        ErrorKind::Signature(SignatureError::UnknownKey { .. })
    ));
}

#[tokio::test]
async fn an_unknown_key_that_could_not_be_fetched_tells_both_reasons() {
    let replay = Replay::new([signed("k9", 99, 200, "prepay"), signed("k1", 12, 200, "k9=99")]);
    let error = Client::new(Toy::default(), replay).call(&Place).await.unwrap_err();
    let causes: Vec<String> = std::iter::successors(std::error::Error::source(&error), |cause| (*cause).source())
        .map(ToString::to_string)
        .collect();
    assert!(causes[0].contains("no key with serial `k9`"), "{causes:?}");
    assert!(
        causes.last().unwrap().contains("the signature does not hold"),
        "{causes:?}"
    );
    // Where there was nothing to fetch, there is one reason only.
    let replay = Replay::new([signed("k9", 99, 200, "prepay")]);
    let error = Client::new(Toy::default().without_fetching(), replay)
        .call(&Place)
        .await
        .unwrap_err();
    assert!(std::error::Error::source(&error).unwrap().source().is_none());
}

#[tokio::test]
async fn a_response_does_not_grow_old_while_keys_are_fetched() {
    let clock = Arc::new(FixedAmbient::at(1_700_000_000));
    let slow = {
        let clock = Arc::clone(&clock);
        move |request: http::Request<Bytes>| {
            let mut response = signed("k2", 22, 200, "prepay");
            response.headers_mut().insert("x-time", "1700000000".parse().unwrap());
            if request.uri().path() == "/keys" {
                clock.advance(301);
                response = keys("k2", 22);
            }
            async { Ok(response) }
        }
    };
    let client = Client::new(Toy::default(), slow).with_ambient(clock);
    assert_eq!(client.call(&Place).await.unwrap(), "prepay");
    // It is the clock that moved: now the key is known, and the same text is stale.
    let error = client.call(&Place).await.unwrap_err();
    assert!(matches!(
        error.kind(),
        ErrorKind::Signature(SignatureError::Stale { skew_seconds: 301 })
    ));
}

#[tokio::test]
async fn a_platform_without_such_a_call_is_not_asked_for_keys() {
    let replay = Replay::new([signed("k2", 22, 200, "prepay"), keys("k2", 22)]);
    let client = Client::new(Toy::default().without_fetching(), replay.clone());
    assert_eq!(client.call(&Place).await.unwrap_err().fate(), Fate::Unknown);
    assert_eq!(replay.left(), 1);
}

#[tokio::test]
async fn a_later_call_fetches_again_after_a_fetch_that_did_not_help_but_not_at_once() {
    let unknown = || signed("k2", 22, 200, "prepay");
    let replay = Replay::new([unknown(), unsigned(500, "oops"), unknown(), unknown(), keys("k2", 22)]);
    let clock = Arc::new(FixedAmbient::at(1_700_000_000));
    let client = Client::new(Toy::default(), replay.clone()).with_ambient(Arc::clone(&clock));
    client.call(&Place).await.unwrap_err();
    let error = client.call(&Place).await.unwrap_err();
    assert_eq!(replay.left(), 2, "a fetch that failed a moment ago is not made again");
    let missing = std::error::Error::source(&error).unwrap();
    assert!(missing.source().unwrap().to_string().contains("could not be fetched"));
    clock.advance(1);
    assert_eq!(client.call(&Place).await.unwrap(), "prepay");
}

/// A platform that signs with `k2` and holds the fetch of it back until it is let go.
struct Rotated {
    placed: AtomicUsize,
    fetched: AtomicUsize,
    fetching: Notify,
    gate: Semaphore,
    helps: bool,
}

impl Rotated {
    fn new(helps: bool) -> Arc<Self> {
        Arc::new(Self {
            placed: 0.into(),
            fetched: 0.into(),
            fetching: Notify::new(),
            gate: Semaphore::new(0),
            helps,
        })
    }

    async fn answer(&self, path: &str) -> http::Response<Bytes> {
        if path != "/keys" {
            self.placed.fetch_add(1, Ordering::SeqCst);
            return signed("k2", 22, 200, "prepay");
        }
        self.fetched.fetch_add(1, Ordering::SeqCst);
        self.fetching.notify_one();
        self.gate.acquire().await.unwrap().forget();
        if self.helps { keys("k2", 22) } else { keys("k3", 33) }
    }

    fn client(self: &Arc<Self>) -> Client<Toy> {
        let platform = Arc::clone(self);
        Client::new(Toy::default(), move |request: http::Request<Bytes>| {
            let platform = Arc::clone(&platform);
            async move { Ok(platform.answer(request.uri().path()).await) }
        })
    }

    /// Waits until that many orders were placed, and those who wait for keys have had time to queue.
    async fn until_placed(&self, count: usize) {
        while self.placed.load(Ordering::SeqCst) < count {
            tokio::task::yield_now().await;
        }
        for _ in 0..100 {
            tokio::task::yield_now().await;
        }
    }
}

#[tokio::test]
async fn many_calls_that_miss_the_same_key_share_one_fetch() {
    for (helps, expected) in [(true, Some("prepay")), (false, None)] {
        let platform = Rotated::new(helps);
        let client = platform.client();
        let calls: Vec<_> = (0..20)
            .map(|_| {
                let client = client.clone();
                tokio::spawn(async move { client.call(&Place).await })
            })
            .collect();
        platform.until_placed(20).await;
        platform.gate.add_permits(100);
        for call in calls {
            assert_eq!(call.await.unwrap().ok().as_deref(), expected);
        }
        assert_eq!(platform.fetched.load(Ordering::SeqCst), 1, "helps: {helps}");
        assert_eq!(platform.placed.load(Ordering::SeqCst), 20);
    }
}

#[tokio::test]
async fn a_caller_that_gives_up_while_fetching_leaves_the_turn_to_the_next() {
    let platform = Rotated::new(true);
    let client = platform.client();
    let first = tokio::spawn({
        let client = client.clone();
        async move { client.call(&Place).await }
    });
    platform.fetching.notified().await;
    let second = tokio::spawn(async move { client.call(&Place).await });
    platform.until_placed(2).await;
    first.abort();
    assert!(first.await.unwrap_err().is_cancelled());
    platform.gate.add_permits(1);
    assert_eq!(second.await.unwrap().unwrap(), "prepay");
    assert_eq!(platform.fetched.load(Ordering::SeqCst), 2);
}

#[tokio::test]
async fn a_call_can_be_given_up() {
    let client = Client::new(Toy::default(), Never);
    let waited = tokio::time::timeout(Duration::from_millis(10), client.call(&Query)).await;
    assert!(waited.is_err());
}

#[tokio::test]
async fn nothing_is_shown_of_what_a_client_holds() {
    let client = Client::new(Toy::default(), Never);
    assert_eq!(
        format!("{client:?} {:?}", client.transport()),
        "Client(..) SharedTransport(..)"
    );
}
