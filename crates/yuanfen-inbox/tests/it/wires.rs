//! Raw bytes over a socket: what the tower service and the axum extractor make of them, byte for byte.

use std::time::{Duration, Instant};

use axum::Router;
use axum::routing::any;
use hyper::server::conn::http1;
use hyper_util::rt::TokioIo;
use hyper_util::service::TowerToHyperService;
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::mpsc;
use yuanfen_inbox::{EventFilter, Inbox, RawNotice, Receiver, SqliteStore};

use crate::place::{inbox, sqlite};
use crate::toy::Toy;

const TAKEN: &str = "HTTP/1.1 200 OK\r\ncontent-length: 5\r\n\r\ntaken";
const REFUSED: &str = "HTTP/1.1 500 Internal Server Error\r\ncontent-length: 5\r\n\r\ntaken";

const PAID: &str = r#"{"order":"A1","amount":100,"transition":"order-paid"}"#;

fn posted(signature: &str, body: &str) -> String {
    let length = body.len();
    format!("POST /notify HTTP/1.1\r\nhost: shop\r\nx-signature: {signature}\r\ncontent-length: {length}\r\n\r\n{body}")
}

/// Writes, and reads until an answer is whole. Without the date, which differs.
async fn exchange(server: std::net::SocketAddr, parts: &[&[u8]]) -> String {
    talk(server, parts, is_whole).await
}

/// Writes, and reads until the far side hangs up, which the text says at its end.
async fn last_exchange(server: std::net::SocketAddr, parts: &[&[u8]]) -> String {
    talk(server, parts, |_| false).await + "(hung up)"
}

async fn talk(server: std::net::SocketAddr, parts: &[&[u8]], is_enough: fn(&[u8]) -> bool) -> String {
    let mut socket = TcpStream::connect(server).await.unwrap();
    for part in parts {
        socket.write_all(part).await.unwrap();
    }
    let mut answer = Vec::new();
    let mut buffer = [0; 4096];
    while !is_enough(&answer) {
        let read = tokio::time::timeout(Duration::from_secs(10), socket.read(&mut buffer)).await;
        match read.expect("an answer, or the end") {
            Ok(0) | Err(_) => break,
            Ok(count) => answer.extend_from_slice(&buffer[..count]),
        }
    }
    let text = String::from_utf8(answer).unwrap();
    let kept = text.split("\r\n").filter(|line| !line.starts_with("date: "));
    kept.collect::<Vec<_>>().join("\r\n")
}

fn is_whole(answer: &[u8]) -> bool {
    let text = std::str::from_utf8(answer).unwrap();
    let Some((head, body)) = text.split_once("\r\n\r\n") else {
        return false;
    };
    let length = head.lines().find_map(|line| line.strip_prefix("content-length: "));
    length.is_some_and(|length| body.len() >= length.parse().unwrap())
}

/// The receiver under plain hyper.
async fn hyper_server(receiver: Receiver<SqliteStore, Toy>) -> std::net::SocketAddr {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = listener.local_addr().unwrap();
    tokio::spawn(async move {
        while let Ok((stream, _)) = listener.accept().await {
            let service = TowerToHyperService::new(receiver.clone());
            tokio::spawn(http1::Builder::new().serve_connection(TokioIo::new(stream), service));
        }
    });
    address
}

async fn axum_server(router: Router) -> std::net::SocketAddr {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = listener.local_addr().unwrap();
    tokio::spawn(async move { axum::serve(listener, router).await });
    address
}

/// The same receiver behind each of the three doors.
async fn doors(inbox: &Inbox<SqliteStore>) -> [(&'static str, std::net::SocketAddr); 3] {
    let receiver = inbox.receiver(Toy);
    let behind = receiver.clone();
    let handler = any(move |RawNotice(request)| async move { behind.receive(&request).await });
    [
        ("hyper", hyper_server(receiver.clone()).await),
        (
            "service",
            axum_server(Router::new().route_service("/notify", receiver)).await,
        ),
        ("extractor", axum_server(Router::new().route("/notify", handler)).await),
    ]
}

async fn stored(inbox: &Inbox<SqliteStore>) -> usize {
    inbox.events(&EventFilter::default()).await.unwrap().len()
}

#[tokio::test]
async fn an_accepted_notice_is_answered_byte_for_byte_in_the_routes_form() {
    let inbox = inbox(sqlite().await);
    for (door, server) in doors(&inbox).await {
        let answer = exchange(server, &[posted("genuine", PAID).as_bytes()]).await;
        assert_eq!(answer, TAKEN, "{door}");
    }
    assert_eq!(stored(&inbox).await, 1);
    let events = inbox.events(&EventFilter::default()).await.unwrap();
    let event = inbox.event(events[0].id).await.unwrap().unwrap();
    assert_eq!(event.request.unwrap().body, PAID);
}

#[tokio::test]
async fn a_notice_with_a_bad_signature_is_answered_in_the_routes_failure_form() {
    let inbox = inbox(sqlite().await);
    for (door, server) in doors(&inbox).await {
        let answer = exchange(server, &[posted("forged", PAID).as_bytes()]).await;
        assert_eq!(answer, REFUSED, "{door}");
    }
    assert_eq!(stored(&inbox).await, 0);
}

#[tokio::test]
async fn a_body_in_chunks_is_the_same_notice() {
    let inbox = inbox(sqlite().await);
    let head = "POST /notify HTTP/1.1\r\nhost: shop\r\nx-signature: genuine\r\ntransfer-encoding: chunked\r\n\r\n";
    let (first, second) = PAID.split_at(10);
    let chunks = format!(
        "{head}{:x}\r\n{first}\r\n{:x}\r\n{second}\r\n0\r\n\r\n",
        first.len(),
        second.len()
    );
    for (door, server) in doors(&inbox).await {
        assert_eq!(exchange(server, &[chunks.as_bytes()]).await, TAKEN, "{door}");
    }
    assert_eq!(stored(&inbox).await, 1);
}

#[tokio::test]
async fn a_body_beyond_the_limit_is_refused_when_it_is_announced_and_when_it_is_not() {
    let inbox = inbox(sqlite().await);
    let announced = "POST /notify HTTP/1.1\r\nhost: shop\r\nx-signature: genuine\r\ncontent-length: 1048577\r\n\r\n";
    let chunked = "POST /notify HTTP/1.1\r\nhost: shop\r\nx-signature: genuine\r\ntransfer-encoding: chunked\r\n\r\n";
    let mut chunk = b"100001\r\n".to_vec();
    chunk.resize(chunk.len() + (1 << 20) + 1, b' ');
    for (door, server) in doors(&inbox).await {
        // Not a byte of it need be sent.
        let at_once = last_exchange(server, &[announced.as_bytes()]).await;
        let later = last_exchange(server, &[chunked.as_bytes(), &chunk]).await;
        for answer in [at_once, later] {
            if door == "extractor" {
                assert!(answer.starts_with("HTTP/1.1 413 Payload Too Large\r\n"), "{answer}");
                assert!(
                    answer.ends_with("\r\n\r\nthe body has more than 1048576 bytes(hung up)"),
                    "{answer}"
                );
            } else {
                assert_eq!(answer, format!("{REFUSED}(hung up)"), "{door}");
            }
        }
    }
    assert_eq!(stored(&inbox).await, 0);
}

#[tokio::test]
async fn a_body_as_large_as_a_source_reads_is_taken() {
    let inbox = inbox(sqlite().await);
    let padding = " ".repeat((1 << 20) - PAID.len());
    for (door, server) in doors(&inbox).await {
        let answer = exchange(server, &[posted("genuine", &format!("{PAID}{padding}")).as_bytes()]).await;
        assert_eq!(answer, TAKEN, "{door}");
    }
    assert_eq!(stored(&inbox).await, 1);
}

#[tokio::test]
async fn a_body_that_does_not_end_is_given_up_after_two_seconds() {
    let inbox = inbox(sqlite().await);
    let half = posted("genuine", PAID).replace(r#""order-paid"}"#, "");
    let doors = doors(&inbox).await;
    let began = Instant::now();
    let answers = doors.map(|(door, server)| {
        let half = half.clone();
        tokio::spawn(async move { (door, last_exchange(server, &[half.as_bytes()]).await) })
    });
    for answer in answers {
        let (door, answer) = answer.await.unwrap();
        if door == "extractor" {
            assert!(answer.starts_with("HTTP/1.1 408 Request Timeout\r\n"), "{answer}");
        } else {
            assert_eq!(answer, format!("{REFUSED}(hung up)"), "{door}");
        }
    }
    let took = began.elapsed();
    assert!(
        took >= Duration::from_secs(2) && took < Duration::from_secs(4),
        "{took:?}"
    );
    assert_eq!(stored(&inbox).await, 0);
}

#[tokio::test]
async fn the_extractor_hands_over_the_request_as_it_came() {
    let (seen, mut requests) = mpsc::channel(1);
    let handler = any(move |RawNotice(request)| async move { seen.send(request).await.unwrap() });
    let server = axum_server(Router::new().route("/notify/{route}", handler)).await;
    let body = [0xff, 0x00, b'\r', b'\n', b'%', b'+', 0xe5];
    let head = b"PUT /notify/fshows?a=1%2B2&a=+&b HTTP/1.1\r\nHost: shop\r\nWechatpay-Nonce:  a  b \r\nX-Twice: 1\r\n\
        x-twice: 2\r\nX-Latin: caf\xe9\r\nContent-Length: 7\r\n\r\n";
    exchange(server, &[head, &body]).await;
    let request = requests.recv().await.unwrap();
    assert_eq!(request.method(), "PUT");
    assert_eq!(request.uri(), "/notify/fshows?a=1%2B2&a=+&b");
    assert_eq!(request.headers()["wechatpay-nonce"], "a  b");
    assert_eq!(
        request.headers().get_all("x-twice").iter().collect::<Vec<_>>(),
        ["1", "2"]
    );
    assert_eq!(request.headers()["x-latin"].as_bytes(), b"caf\xe9");
    assert_eq!(request.body().as_ref(), body);
    let shown = format!("{:?}", RawNotice(request));
    assert_eq!(
        shown,
        r#"RawNotice { method: PUT, path: "/notify/fshows", body_bytes: 7, .. }"#
    );
}
