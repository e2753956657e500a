//! The same suite through a closure, through an erased closure, and over the wire.

use std::sync::Arc;
use std::task::Poll;

use bytes::Bytes;
use yuanfen_core::{Sent, TransportErrorKind};
use yuanfen_transport::{Chunks, SharedTransport, Transport, TransportError};

use crate::suite::{Platform, run};
use crate::wire::{FarSide, patient};

fn closure(platform: &Arc<Platform>) -> impl Transport + use<> {
    let platform = Arc::clone(platform);
    move |request: http::Request<Bytes>| {
        let platform = Arc::clone(&platform);
        async move {
            let cut = || TransportError::new(TransportErrorKind::Cut, Sent::Maybe, None);
            platform.answer(&request).ok_or_else(cut)
        }
    }
}

#[tokio::test]
async fn the_suite_holds_through_a_closure() {
    let platform = Arc::<Platform>::default();
    run("https://platform.example", &platform, closure(&platform)).await;
}

#[tokio::test]
async fn the_suite_holds_through_an_erased_closure() {
    let platform = Arc::<Platform>::default();
    run(
        "https://platform.example",
        &platform,
        SharedTransport::new(closure(&platform)),
    )
    .await;
}

#[tokio::test]
async fn the_suite_holds_over_the_wire() {
    let platform = Arc::<Platform>::default();
    let far = FarSide::answering({
        let platform = Arc::clone(&platform);
        move |request| platform.answer(&request)
    })
    .await;
    run(&far.base(), &platform, patient().build().unwrap()).await;
}

#[tokio::test]
async fn a_closure_streams_its_body_in_one_piece_and_an_empty_one_in_none() {
    let echo = |request: http::Request<Bytes>| async { Ok(http::Response::new(request.into_body())) };
    for (body, expected) in [("file", vec!["file"]), ("", vec![])] {
        let mut chunks = echo
            .stream(http::Request::new(Bytes::from(body)))
            .await
            .unwrap()
            .into_body();
        let mut pieces = Vec::new();
        while let Some(piece) = chunks.next().await {
            pieces.push(String::from_utf8(piece.unwrap().to_vec()).unwrap());
        }
        assert_eq!(pieces, expected);
        assert!(chunks.next().await.is_none());
    }
}

#[tokio::test]
async fn a_body_that_ended_or_broke_is_not_read_on() {
    let cut = || Some(Err(TransportError::new(TransportErrorKind::Cut, Sent::Maybe, None)));
    for end in [None, cut()] {
        let expected = end.is_some();
        let mut polls = vec![
            Some(Ok(Bytes::from("past the end"))),
            end,
            Some(Ok(Bytes::from("piece"))),
        ];
        let mut chunks = Chunks::poll_fn(move |_| Poll::Ready(polls.pop().unwrap()));
        assert_eq!(chunks.next().await.unwrap().unwrap(), "piece");
        assert_eq!(chunks.next().await.is_some(), expected);
        assert!(chunks.next().await.is_none());
        assert!(chunks.next().await.is_none());
    }
}

#[test]
fn a_client_needs_no_particular_runtime() {
    // Polled by hand: a closure that is ready at once, and nothing else that would have to wake.
    let platform = Arc::<Platform>::default();
    let client = yuanfen_transport::Client::new(crate::toy::Toy::default(), closure(&platform));
    let mut call = std::pin::pin!(client.call(&crate::toy::Place));
    let mut context = std::task::Context::from_waker(std::task::Waker::noop());
    assert!(call.as_mut().poll(&mut context).is_ready());
}
