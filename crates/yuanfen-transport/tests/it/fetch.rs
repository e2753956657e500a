//! Files that are taken in whole.

use std::sync::{Arc, Mutex};
use std::task::Poll;

use bytes::Bytes;
use yuanfen_core::{ErrorKind, Fate, OpenError, ProtocolError, ProtocolErrorKind, Sent, TransportErrorKind};
use yuanfen_transport::test_util::Replay;
use yuanfen_transport::{Chunks, Client, Transport, TransportError};

use crate::toy::{Query, Toy, no};

/// Yields those pieces, then breaks off or ends.
struct Pieces(&'static [&'static str], Option<TransportErrorKind>);

impl Transport for Pieces {
    async fn send(&self, _: http::Request<Bytes>) -> Result<http::Response<Bytes>, TransportError> {
        panic!("a file is streamed");
    }

    async fn stream(&self, _: http::Request<Bytes>) -> Result<http::Response<Chunks>, TransportError> {
        let (mut pieces, mut end) = (self.0.iter(), self.1);
        Ok(http::Response::new(Chunks::poll_fn(move |_| {
            let failure = || end.take().map(|kind| Err(TransportError::new(kind, Sent::Maybe, None)));
            Poll::Ready(pieces.next().map(|piece| Ok(Bytes::from(*piece))).or_else(failure))
        })))
    }
}

fn digest() -> OpenError {
    ProtocolError::new(ProtocolErrorKind::Digest).into()
}

fn collect(seen: &mut String, chunk: &[u8]) -> Result<(), OpenError> {
    if seen.len() + chunk.len() > 10 {
        return Err(digest());
    }
    seen.push_str(std::str::from_utf8(chunk).unwrap());
    Ok(())
}

#[tokio::test]
async fn what_finish_makes_of_the_whole_is_handed_out() {
    let client = Client::new(Toy::default(), Pieces(&["one,", "two"], None));
    let length = client
        .fetch(&Query, String::new(), collect, |seen| Ok((seen.len(), seen)))
        .await;
    assert_eq!(length.unwrap(), (7, "one,two".to_owned()));
}

#[tokio::test]
async fn nothing_is_made_of_a_file_that_broke_off_or_was_refused_on_the_way() {
    let finished = Arc::new(Mutex::new(0));
    for (pieces, end, word) in [
        (&["one,"][..], Some(TransportErrorKind::Cut), "cut"),
        (&["one,", "two,", "three"][..], None, "refused"),
    ] {
        let client = Client::new(Toy::default(), Pieces(pieces, end));
        let finished = Arc::clone(&finished);
        let finish = move |_: String| {
            *finished.lock().unwrap() += 1;
            Ok(())
        };
        let error = client.fetch(&Query, String::new(), collect, finish).await.unwrap_err();
        let found = match error.kind() {
            ErrorKind::Transport(error) if error.kind == TransportErrorKind::Cut => "cut",
            ErrorKind::Protocol(error) if error.kind == ProtocolErrorKind::Digest => "refused",
            other => panic!("{other:?}"),
        };
        assert_eq!((found, error.fate()), (word, Fate::Unknown));
    }
    assert_eq!(*finished.lock().unwrap(), 0);
}

#[tokio::test]
async fn what_finish_refuses_is_an_error_and_so_is_a_panic_in_it() {
    let client = Client::new(Toy::default(), Pieces(&["one"], None));
    let refuse = |_: String| Err::<(), _>(digest());
    let error = client.fetch(&Query, String::new(), collect, refuse).await.unwrap_err();
    assert!(matches!(error.kind(), ErrorKind::Protocol(error) if error.kind == ProtocolErrorKind::Digest));
    let stumble = |_: String| -> Result<(), OpenError> { panic!("a bug in finish") };
    let error = client.fetch(&Query, String::new(), collect, stumble).await.unwrap_err();
    assert!(matches!(error.kind(), ErrorKind::Transport(error) if error.kind == TransportErrorKind::Other));
}

#[tokio::test]
async fn an_answer_that_is_no_file_is_a_refusal() {
    let client = Client::new(Toy::default(), Replay::new([no("NOT_FOUND")]));
    let error = client.fetch(&Query, String::new(), collect, Ok).await.unwrap_err();
    assert_eq!(error.refusal().unwrap().code, "NOT_FOUND");
}
