//! Files whose address has to be asked for, and works for a short time only.

use std::fs;
use std::sync::atomic::{AtomicUsize, Ordering};

use bytes::Bytes;
use yuanfen_core::{Ambient, BuildError, Effect, ErrorKind, OpenError, Operation, Route, Verified};
use yuanfen_transport::test_util::Replay;
use yuanfen_transport::{Client, DownloadError, Unchecked};

use crate::toy::{Message, Outbound, Query, Toy, no, ok, signed, unsigned};

/// The file at an address; one that is called `old` is not built.
struct Fetch(String);

impl Operation for Fetch {
    type Provider = Toy;
    type Inbound = Verified<Message>;
    type Reply = String;
    const ROUTE: Route = Route::new("toy", "fetch", http::Method::GET, "/fetch", Effect::Read);

    fn encode(&self, _: &Toy, _: &dyn Ambient) -> Result<Outbound, BuildError> {
        if self.0 == "old" {
            return Err(BuildError::Time {
                field: "address",
                problem: "is old",
            });
        }
        Ok(Outbound {
            method: http::Method::GET,
            path: format!("/{}", self.0),
            body: "",
        })
    }

    fn decode(&self, _: &Toy, inbound: Verified<Message>) -> Result<String, OpenError> {
        Ok(inbound.into_inner().text)
    }
}

/// Plays those answers; the result, and how many were not asked for.
async fn played(answers: Vec<http::Response<Bytes>>) -> (Result<Option<String>, DownloadError>, usize) {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("bill");
    let replay = Replay::new(answers);
    let client = Client::new(Toy::default(), replay.clone());
    let asked = AtomicUsize::new(0);
    let file = |answer: &String| {
        asked.fetch_add(1, Ordering::Relaxed);
        (answer != "nothing").then(|| (Fetch(answer.clone()), Unchecked))
    };
    let downloaded = client.ask_and_download(&Query, file, &path).await;
    assert!(asked.load(Ordering::Relaxed) <= 2);
    let result = downloaded.map(|length| {
        length.map(|length| {
            let text = fs::read_to_string(&path).unwrap();
            assert_eq!(length, u64::try_from(text.len()).unwrap());
            text
        })
    });
    assert_eq!(path.exists(), matches!(result, Ok(Some(_))));
    (result, replay.left())
}

fn file(text: &'static str) -> http::Response<Bytes> {
    http::Response::new(Bytes::from_static(text.as_bytes()))
}

#[tokio::test]
async fn a_file_is_asked_for_and_downloaded() {
    let (result, left) = played(vec![ok("here"), file("one"), ok("not asked for")]).await;
    assert_eq!((result.unwrap().as_deref(), left), (Some("one"), 1));
}

#[tokio::test]
async fn where_there_is_no_file_nothing_is_downloaded() {
    let (result, left) = played(vec![ok("nothing"), file("one")]).await;
    assert_eq!((result.unwrap(), left), (None, 1));
}

#[tokio::test]
async fn an_address_that_stopped_working_is_asked_for_once_more() {
    for stopped in [no("EXPIRED"), unsigned(404, "GONE")] {
        let (result, left) = played(vec![ok("a"), stopped, ok("b"), file("two")]).await;
        assert_eq!((result.unwrap().as_deref(), left), (Some("two"), 0));
    }
    // Too old before it was used: nothing is sent to it.
    let (result, left) = played(vec![ok("old"), ok("b"), file("two")]).await;
    assert_eq!((result.unwrap().as_deref(), left), (Some("two"), 0));
}

#[tokio::test]
async fn a_second_address_that_does_not_work_is_the_answer() {
    let (result, left) = played(vec![ok("a"), no("EXPIRED"), ok("b"), no("STILL"), ok("c")]).await;
    assert_eq!(result.unwrap_err().call().unwrap().refusal().unwrap().code, "STILL");
    assert_eq!(left, 1);
    let (result, left) = played(vec![ok("old"), ok("old"), ok("c")]).await;
    let error = result.unwrap_err();
    assert!(matches!(error.call().unwrap().kind(), ErrorKind::Build(_)));
    assert_eq!(left, 1);
}

/// A failure that says nothing about the address does not lead to another one.
#[tokio::test]
async fn nothing_is_asked_for_again_after_other_failures() {
    for failure in [
        signed("k1", 11, 429, "BUSY"),
        unsigned(429, "BUSY"),
        unsigned(502, "GATEWAY"),
        signed("k1", 11, 500, "BROKEN"),
    ] {
        let (result, left) = played(vec![ok("a"), failure, ok("b"), file("two")]).await;
        assert!(result.is_err());
        assert_eq!(left, 2);
    }
    let (result, left) = played(vec![no("DECLINED"), ok("b"), file("two")]).await;
    assert_eq!(result.unwrap_err().call().unwrap().refusal().unwrap().code, "DECLINED");
    assert_eq!(left, 2);
}
