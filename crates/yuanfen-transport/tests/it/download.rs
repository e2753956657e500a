//! No file before its check holds.

use std::fs;
use std::io;
use std::path::Path;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex};
use std::task::Poll;
use std::time::Duration;

use bytes::Bytes;
use yuanfen_core::{
    CodeMeaning, ErrorKind, Fate, OpenError, ProtocolError, ProtocolErrorKind, Refusal, RefusalKind, Sent,
    TransportErrorKind,
};
use yuanfen_transport::test_util::Replay;
use yuanfen_transport::{Check, CheckWith, Chunks, Client, DownloadError, Transport, TransportError, Unchecked};

use crate::toy::{Query, Toy, no, unsigned};
use crate::wire::{Act, FarSide, patient};

/// Promises that text.
fn promised(text: &'static str) -> impl Check + Send {
    CheckWith::new(
        Vec::new(),
        |seen: &mut Vec<u8>, chunk: &[u8]| {
            seen.extend(chunk);
            Ok(())
        },
        move |seen| {
            let holds = seen == text.as_bytes();
            holds
                .then_some(())
                .ok_or_else(|| ProtocolError::new(ProtocolErrorKind::Digest).into())
        },
    )
}

fn names(folder: &Path) -> Vec<String> {
    let mut names: Vec<_> = fs::read_dir(folder)
        .unwrap()
        .map(|entry| entry.unwrap().file_name().into_string().unwrap())
        .collect();
    names.sort();
    names
}

/// Yields those pieces, then fails or ends.
struct Pieces {
    pieces: Vec<&'static str>,
    end: Option<TransportErrorKind>,
}

impl Transport for Pieces {
    async fn send(&self, _: http::Request<Bytes>) -> Result<http::Response<Bytes>, TransportError> {
        panic!("a download is streamed");
    }

    async fn stream(&self, _: http::Request<Bytes>) -> Result<http::Response<Chunks>, TransportError> {
        let mut pieces = self.pieces.clone().into_iter();
        let mut end = self.end;
        Ok(http::Response::new(Chunks::poll_fn(move |_| {
            let piece = pieces.next().map(|piece| Ok(Bytes::from(piece)));
            let failure = || end.take().map(|kind| Err(TransportError::new(kind, Sent::Maybe, None)));
            Poll::Ready(piece.or_else(failure))
        })))
    }
}

fn client(pieces: &[&'static str], end: Option<TransportErrorKind>) -> Client<Toy> {
    Client::new(
        Toy::default(),
        Pieces {
            pieces: pieces.to_vec(),
            end,
        },
    )
}

#[tokio::test]
async fn a_file_whose_check_holds_is_put_in_its_place() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("bill.csv");
    let length = client(&["one,", "", "two"], None)
        .download(&Query, promised("one,two"), &path)
        .await
        .unwrap();
    assert_eq!(length, 7);
    assert_eq!(fs::read_to_string(&path).unwrap(), "one,two");
    assert_eq!(names(folder.path()), ["bill.csv"]);
}

/// A promise that stands in the answer's headers is known before the first piece.
#[tokio::test]
async fn a_check_sees_the_headers_before_the_file() {
    let answer = |length: &'static str| {
        let response = http::Response::builder().header("x-length", length);
        Replay::new([response.body(Bytes::from("one,two")).unwrap()])
    };
    let wrong = || ProtocolError::new(ProtocolErrorKind::Digest).into();
    let check = || {
        CheckWith::new(
            (None, 0),
            |seen: &mut (Option<usize>, usize), chunk: &[u8]| {
                assert!(seen.0.is_some(), "a piece came before the headers");
                seen.1 += chunk.len();
                Ok(())
            },
            move |(promised, length)| (promised == Some(length)).then_some(()).ok_or_else(wrong),
        )
        .with_headers(|seen, headers| {
            let text = headers.get("x-length").and_then(|value| value.to_str().ok());
            seen.0 = Some(
                text.and_then(|text| text.parse().ok())
                    .ok_or_else(|| OpenError::from(ProtocolError::new(ProtocolErrorKind::Format)))?,
            );
            Ok(())
        })
    };
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("bill.csv");
    let client = |length| Client::new(Toy::default(), answer(length));
    for (length, kind) in [("8", ProtocolErrorKind::Digest), ("seven", ProtocolErrorKind::Format)] {
        let error = client(length).download(&Query, check(), &path).await.unwrap_err();
        let call = error.call().unwrap();
        assert!(
            matches!(call.kind(), ErrorKind::Protocol(error) if error.kind == kind),
            "{call:?}"
        );
        assert!(names(folder.path()).is_empty());
    }
    assert_eq!(client("7").download(&Query, check(), &path).await.unwrap(), 7);
}

#[tokio::test]
async fn an_empty_file_is_a_file() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("bill.csv");
    assert_eq!(client(&[], None).download(&Query, Unchecked, &path).await.unwrap(), 0);
    assert_eq!(fs::read(&path).unwrap(), b"");
}

#[tokio::test]
async fn a_file_that_is_not_what_was_promised_leaves_nothing_and_keeps_what_was_there() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("bill.csv");
    for before in [None, Some("yesterday's")] {
        if let Some(before) = before {
            fs::write(&path, before).unwrap();
        }
        for pieces in [vec!["one,twO"], vec!["one,tw"], vec!["one,two", "\n"], vec![]] {
            let error = client(&pieces, None)
                .download(&Query, promised("one,two"), &path)
                .await
                .unwrap_err();
            let call = error.call().unwrap();
            assert!(
                matches!(call.kind(), ErrorKind::Protocol(error) if error.kind == ProtocolErrorKind::Digest),
                "{error:?}"
            );
            assert_eq!(fs::read_to_string(&path).ok().as_deref(), before);
            assert_eq!(names(folder.path()).len(), usize::from(before.is_some()));
        }
    }
}

#[tokio::test]
async fn a_file_that_breaks_off_leaves_nothing_even_when_nothing_is_checked() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("bill.csv");
    for end in [
        TransportErrorKind::Cut,
        TransportErrorKind::Timeout,
        TransportErrorKind::TooLarge,
    ] {
        let error = client(&["one,"], Some(end))
            .download(&Query, Unchecked, &path)
            .await
            .unwrap_err();
        let call = error.call().unwrap();
        assert!(matches!(call.kind(), ErrorKind::Transport(error) if error.kind == end));
        assert_eq!(call.fate(), Fate::Unknown);
        assert_eq!(names(folder.path()), Vec::<String>::new());
    }
}

#[tokio::test]
async fn a_check_that_fails_early_stops_reading() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("bill.csv");
    // Endless: it ends only because nobody reads on.
    let endless = |_: http::Request<Bytes>| async { Ok(http::Response::new(Bytes::new())) };
    struct Endless<T>(T);
    impl<T: Transport> Transport for Endless<T> {
        async fn send(&self, request: http::Request<Bytes>) -> Result<http::Response<Bytes>, TransportError> {
            self.0.send(request).await
        }
        async fn stream(&self, _: http::Request<Bytes>) -> Result<http::Response<Chunks>, TransportError> {
            Ok(http::Response::new(Chunks::poll_fn(|_| {
                Poll::Ready(Some(Ok(Bytes::from_static(b"<xml>"))))
            })))
        }
    }
    let meaning = CodeMeaning::new(Fate::Refused, RefusalKind::Nothing, "an empty day", "the toy's table");
    let refuse = move |_: &mut (), _: &[u8]| Err(OpenError::from(Refusal::new("NO_BILL", "no", meaning)));
    let check = CheckWith::new((), refuse, |()| Ok(()));
    let error = Client::new(Toy::default(), Endless(endless))
        .download(&Query, check, &path)
        .await
        .unwrap_err();
    assert_eq!(error.call().unwrap().refusal().unwrap().code, "NO_BILL");
    assert_eq!(names(folder.path()), Vec::<String>::new());
}

#[tokio::test]
async fn an_answer_that_is_no_file_is_opened_as_an_answer() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("bill.csv");
    let error = Client::new(Toy::default(), Replay::new([no("NOT_FOUND")]))
        .download(&Query, Unchecked, &path)
        .await;
    let error = error.unwrap_err();
    assert_eq!(
        error.call().unwrap().refusal().unwrap().meaning.kind,
        RefusalKind::NotFound
    );
    // A status that the operation takes for a success is no file either.
    let mut accepted = crate::toy::ok("later");
    *accepted.status_mut() = http::StatusCode::ACCEPTED;
    let error = Client::new(Toy::default(), Replay::new([accepted]))
        .download(&Query, Unchecked, &path)
        .await;
    let error = error.unwrap_err();
    assert!(matches!(
        error.call().unwrap().kind(),
        ErrorKind::Protocol(error) if error.kind == ProtocolErrorKind::Status(202)
    ));
    let large = "x".repeat(1024 * 1024 + 1);
    let client = Client::new(Toy::default(), Replay::new([unsigned(500, &large)]));
    let error = client.download(&Query, Unchecked, &path).await.unwrap_err();
    assert!(matches!(
        error.call().unwrap().kind(),
        ErrorKind::Transport(error) if error.kind == TransportErrorKind::TooLarge
    ));
    assert_eq!(names(folder.path()), Vec::<String>::new());
}

#[tokio::test]
async fn a_folder_that_is_not_there_is_named() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("no such folder").join("bill.csv");
    for path in [path.as_path(), Path::new("/")] {
        let error = client(&["one"], None)
            .download(&Query, Unchecked, path)
            .await
            .unwrap_err();
        assert!(
            error.to_string().starts_with("the file could not be created: /"),
            "{error}"
        );
    }
}

#[tokio::test]
async fn a_place_that_is_taken_by_a_folder_is_an_error_and_leaves_nothing() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("bill.csv");
    fs::create_dir(&path).unwrap();
    let error = client(&["one"], None)
        .download(&Query, Unchecked, &path)
        .await
        .unwrap_err();
    assert!(
        matches!(
            error,
            DownloadError::File {
                step: "put in place",
                ..
            }
        ),
        "{error:?}"
    );
    assert_eq!(names(folder.path()), ["bill.csv"]);
}

#[tokio::test]
async fn while_it_is_incomplete_it_is_plainly_named_so_and_giving_up_removes_it() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("bill.csv");
    let far = FarSide::playing(&[
        Act::Read,
        Act::Write("HTTP/1.1 200 OK\r\nContent-Length: 9\r\n\r\none"),
        Act::Hang,
    ])
    .await;
    let client = Client::new(Toy::at(&far.base()), patient().build().unwrap());
    let download = tokio::spawn({
        let path = path.clone();
        async move { client.download(&Query, Unchecked, &path).await }
    });
    until(|| names(folder.path()).len() == 1).await;
    let name = names(folder.path()).remove(0);
    assert!(
        name.starts_with(".bill.csv.") && name.ends_with(".unfinished"),
        "{name}"
    );
    download.abort();
    assert!(download.await.unwrap_err().is_cancelled());
    until(|| names(folder.path()).is_empty()).await;
}

async fn until(condition: impl Fn() -> bool) {
    let patience = async {
        while !condition() {
            tokio::time::sleep(Duration::from_millis(2)).await;
        }
    };
    tokio::time::timeout(Duration::from_secs(30), patience)
        .await
        .expect("it never came to that");
}

#[tokio::test]
async fn a_body_over_the_wire_arrives_in_pieces_and_a_cut_one_leaves_nothing() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("bill.csv");
    let whole = FarSide::playing(&[
        Act::Read,
        Act::Write("HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n4\r\none,\r\n"),
        Act::Pause(20),
        Act::Write("3\r\ntwo\r\n0\r\n\r\n"),
    ])
    .await;
    let client = Client::new(Toy::at(&whole.base()), patient().body_limit(1).build().unwrap());
    assert_eq!(client.download(&Query, promised("one,two"), &path).await.unwrap(), 7);
    fs::remove_file(&path).unwrap();

    let cut = FarSide::playing(&[Act::Read, Act::Write("HTTP/1.1 200 OK\r\nContent-Length: 9\r\n\r\none")]).await;
    let stalled = FarSide::playing(&[
        Act::Read,
        Act::Write("HTTP/1.1 200 OK\r\nContent-Length: 9\r\n\r\none"),
        Act::Hang,
    ])
    .await;
    for (far, builder, kind) in [
        (&cut, patient(), TransportErrorKind::Cut),
        (
            &stalled,
            patient().stall_timeout(Duration::from_millis(50)),
            TransportErrorKind::Timeout,
        ),
        (&cut, patient().stream_limit(8), TransportErrorKind::TooLarge),
    ] {
        let transport = builder.build().unwrap();
        let client = Client::new(Toy::at(&far.base()), transport);
        let error = client.download(&Query, Unchecked, &path).await.unwrap_err();
        assert!(
            matches!(error.call().unwrap().kind(), ErrorKind::Transport(error) if error.kind == kind),
            "{error:?}"
        );
        assert_eq!(names(folder.path()), Vec::<String>::new());
    }
}

#[tokio::test]
async fn a_check_that_panics_leaves_nothing() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("bill.csv");
    let check = CheckWith::new((), |_: &mut (), _: &[u8]| panic!("a bug in a check"), |()| Ok(()));
    let error = client(&["one"], None).download(&Query, check, &path).await.unwrap_err();
    assert!(matches!(&error, DownloadError::File { source, .. } if source.kind() == io::ErrorKind::Other));
    assert_eq!(names(folder.path()), Vec::<String>::new());
}

#[tokio::test]
async fn pieces_reach_the_check_in_order_and_only_once() {
    let folder = tempfile::tempdir().unwrap();
    let seen = Arc::new(Mutex::new(Vec::new()));
    let check = {
        let seen = Arc::clone(&seen);
        CheckWith::new(
            (),
            move |_: &mut (), chunk: &[u8]| {
                seen.lock().unwrap().push(String::from_utf8(chunk.to_vec()).unwrap());
                Ok(())
            },
            |()| Ok(()),
        )
    };
    let pieces: Vec<&'static str> = (0..100).map(|number| &*number.to_string().leak()).collect();
    let path = folder.path().join("bill.csv");
    client(&pieces, None).download(&Query, check, &path).await.unwrap();
    assert_eq!(*seen.lock().unwrap(), pieces);
    assert_eq!(fs::read_to_string(&path).unwrap(), pieces.concat());
}

/// A piece that counts how many of its kind are alive.
struct Piece {
    bytes: [u8; 64 * 1024],
    alive: Arc<AtomicUsize>,
}

impl AsRef<[u8]> for Piece {
    fn as_ref(&self) -> &[u8] {
        &self.bytes
    }
}

impl Drop for Piece {
    fn drop(&mut self) {
        self.alive.fetch_sub(1, Ordering::Relaxed);
    }
}

/// 16 MiB in pieces of 64 KiB, as fast as they are taken; notes how many were alive at the same time.
#[derive(Clone, Default)]
struct Large {
    alive: Arc<AtomicUsize>,
    most: Arc<AtomicUsize>,
}

impl Large {
    const PIECES: usize = 256;
}

impl Transport for Large {
    async fn send(&self, _: http::Request<Bytes>) -> Result<http::Response<Bytes>, TransportError> {
        panic!("a download is streamed");
    }

    async fn stream(&self, _: http::Request<Bytes>) -> Result<http::Response<Chunks>, TransportError> {
        let Self { alive, most } = self.clone();
        let mut left = Self::PIECES;
        Ok(http::Response::new(Chunks::poll_fn(move |_| {
            Poll::Ready(left.checked_sub(1).map(|fewer| {
                left = fewer;
                most.fetch_max(alive.fetch_add(1, Ordering::Relaxed) + 1, Ordering::Relaxed);
                Ok(Bytes::from_owner(Piece {
                    bytes: [b'x'; 64 * 1024],
                    alive: Arc::clone(&alive),
                }))
            }))
        })))
    }
}

#[tokio::test]
async fn a_slow_disk_holds_back_a_fast_network_whatever_the_length() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("bill.csv");
    let network = Large::default();
    // Slower than anything that only copies, so that the pieces would pile up if they could.
    #[expect(clippy::disallowed_methods, reason = "it stands for the disk, on the writing thread")]
    let slow = |_: &mut (), _: &[u8]| {
        std::thread::sleep(Duration::from_micros(200));
        Ok(())
    };
    let client = Client::new(Toy::default(), network.clone());
    let length = client
        .download(&Query, CheckWith::new((), slow, |()| Ok(())), &path)
        .await
        .unwrap();
    assert_eq!(length, 16 * 1024 * 1024);
    assert_eq!(fs::metadata(&path).unwrap().len(), length);
    // Eight wait, one is being written, one has just come.
    let most = network.most.load(Ordering::Relaxed);
    assert!(
        (2..=10).contains(&most),
        "{most} of {} pieces were held at once",
        Large::PIECES
    );
    assert_eq!(network.alive.load(Ordering::Relaxed), 0);
}
