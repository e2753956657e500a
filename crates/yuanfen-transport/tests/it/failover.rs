//! From the main host to the backup: only when the main host was not reached, and with the same bytes.

use std::error::Error as _;
use std::sync::{Arc, Mutex};
use std::time::Duration;

use bytes::Bytes;
use yuanfen_core::{ClientAuth, Error, ErrorKind, Fate, FixedHost, Sent, TransportErrorKind};
use yuanfen_testkit::Log;
use yuanfen_transport::test_util::{Capture, Fault, Flaky, Replay};
use yuanfen_transport::{Client, ClientIdentity, Failover, HyperTransport, SharedTransport, Transport, TransportError};

use crate::identity::demanding;
use crate::tls::{Authority, acceptor};
use crate::toy::{Place, Refund, Reverse, Toy, ok};
use crate::wire::{Act, FarSide, nobody, patient};

const OK: &str = "HTTP/1.1 200 OK\r\nX-Serial: k1\r\nx-signature: 14119\r\nContent-Length: 2\r\n\r\nok";
const BAD_GATEWAY: &str = "HTTP/1.1 502 Bad Gateway\r\nContent-Length: 0\r\n\r\n";

const MAIN: &str = "https://main.example";
const BACKUP: &str = "https://backup.example:8443";

fn over_sockets(main: &str, backup: &str) -> Failover<HyperTransport> {
    Failover::new(patient().build().unwrap(), &[(main, backup)]).unwrap()
}

async fn refund(main: &str, backup: &str) -> Result<String, Error> {
    Client::new(Toy::at(main), over_sockets(main, backup))
        .call(&Refund)
        .await
}

#[tokio::test]
async fn a_main_host_that_is_not_there_is_replaced_by_the_backup() {
    let backup = FarSide::playing(&[Act::Read, Act::Write(OK)]).await;
    assert_eq!(refund(&nobody().await, &backup.base()).await.unwrap(), "ok");
    let request = &backup.requests()[0];
    assert!(request.starts_with("POST /refund HTTP/1.1\r\n"), "{request}");
    assert!(request.contains(&format!("host: {}\r\n", backup.address)), "{request}");
    assert!(request.ends_with("\r\n\r\nrefund=R1"), "{request}");
}

#[tokio::test]
async fn a_main_host_that_cannot_prove_itself_is_replaced_by_the_backup() {
    let impostor = acceptor(&Authority::new().issue("127.0.0.1"), None);
    let main = FarSide::playing_over_tls(impostor, &[Act::Read, Act::Write(OK)]).await;
    let backup = FarSide::playing(&[Act::Read, Act::Write(OK)]).await;
    let answer = refund(&format!("https://{}", main.address), &backup.base()).await;
    assert_eq!(answer.unwrap(), "ok");
    assert_eq!((main.requests().len(), backup.requests().len()), (0, 1));
}

#[tokio::test]
async fn what_was_perhaps_sent_is_never_sent_to_the_backup() {
    let scripts: [&'static [Act]; 3] = [
        &[Act::Read],
        &[Act::Read, Act::Write("HTTP/1.1 200 OK\r\nContent-Length: 9\r\n\r\nab")],
        &[Act::Read, Act::Write(BAD_GATEWAY)],
    ];
    for script in scripts {
        let main = FarSide::playing(script).await;
        let backup = FarSide::playing(&[Act::Read, Act::Write(OK)]).await;
        let error = refund(&main.base(), &backup.base()).await.unwrap_err();
        assert_eq!((error.fate(), backup.connections()), (Fate::Unknown, 0), "{script:?}");
    }
}

#[tokio::test]
async fn where_both_hosts_are_down_nothing_was_sent_and_both_are_named() {
    let base = nobody().await;
    let main = base.strip_prefix("http://").unwrap();
    let error = refund(&base, &nobody().await).await.unwrap_err();
    let ErrorKind::Transport(wire) = error.kind() else {
        panic!("{error:?}");
    };
    assert_eq!(
        (wire.kind, wire.sent, error.fate()),
        (TransportErrorKind::Connect, Sent::No, Fate::NotSent)
    );
    let both = wire.source().unwrap();
    assert!(
        both.to_string()
            .starts_with(&format!("tried after {main}, which failed with: no connection: ")),
        "{both}"
    );
    assert_eq!(both.source().unwrap().to_string(), "no connection");
    assert!(both.source().unwrap().source().is_some());
}

#[tokio::test]
async fn a_backup_that_breaks_off_leaves_it_open() {
    let backup = FarSide::playing(&[Act::Read]).await;
    let error = refund(&nobody().await, &backup.base()).await.unwrap_err();
    let ErrorKind::Transport(wire) = error.kind() else {
        panic!("{error:?}");
    };
    assert_eq!(
        (wire.kind, wire.sent, error.fate()),
        (TransportErrorKind::Cut, Sent::Maybe, Fate::Unknown)
    );
}

/// Fails on the main host and answers on the other; keeps what it was handed.
#[derive(Clone)]
struct TwoHosts {
    seen: Arc<Mutex<Vec<http::Request<Bytes>>>>,
    kind: TransportErrorKind,
    sent: Sent,
}

impl TwoHosts {
    fn failing(kind: TransportErrorKind, sent: Sent) -> Self {
        Self {
            seen: Arc::default(),
            kind,
            sent,
        }
    }

    fn seen(&self) -> Vec<http::Request<Bytes>> {
        self.seen.lock().unwrap().clone()
    }
}

impl Transport for TwoHosts {
    async fn send(&self, request: http::Request<Bytes>) -> Result<http::Response<Bytes>, TransportError> {
        let main = request.uri().host() == Some("main.example");
        self.seen.lock().unwrap().push(request);
        if main {
            return Err(TransportError::new(self.kind, self.sent, None));
        }
        Ok(ok("ok"))
    }
}

#[tokio::test]
async fn the_backup_gets_the_same_signed_bytes() {
    let hosts = TwoHosts::failing(TransportErrorKind::Connect, Sent::No);
    let failover = Failover::new(hosts.clone(), &[(MAIN, BACKUP)]).unwrap();
    let client = Client::new(Toy::at(MAIN), failover);
    assert_eq!(client.call(&Reverse).await.unwrap(), "ok");
    let [main, backup] = &hosts.seen()[..] else {
        panic!("two requests");
    };
    assert_eq!(backup.uri().to_string(), "https://backup.example:8443/reverse");
    assert_eq!(
        (backup.method(), backup.body(), backup.version()),
        (main.method(), main.body(), main.version())
    );
    // The nonce and the signature over it are the first attempt's: nothing was signed anew.
    assert_eq!(backup.headers(), main.headers());
    assert!(backup.headers().contains_key("authorization") && backup.headers().contains_key("x-nonce"));
    assert_eq!(backup.extensions().get(), Some(&ClientAuth::Required));
}

#[tokio::test]
async fn path_and_query_stay_as_they_were_signed() {
    for target in ["/a%7Cb/%2f?x={y}&z=%E5%85%83", "/?mchid=1", "/"] {
        let hosts = TwoHosts::failing(TransportErrorKind::ConnectTimeout, Sent::No);
        let failover = Failover::new(hosts.clone(), &[(MAIN, BACKUP)]).unwrap();
        let request = http::Request::get(format!("{MAIN}{target}"))
            .header("host", "main.example")
            .body(Bytes::new())
            .unwrap();
        failover.send(request).await.unwrap();
        assert_eq!(hosts.seen()[1].uri().to_string(), format!("{BACKUP}{target}"));
        assert!(
            !hosts.seen()[1].headers().contains_key("host"),
            "the name of another host"
        );
    }
}

#[tokio::test]
async fn what_may_not_be_sent_at_all_is_not_tried_again() {
    let hosts = TwoHosts::failing(TransportErrorKind::Refused, Sent::No);
    let failover = Failover::new(hosts.clone(), &[(MAIN, BACKUP)]).unwrap();
    let error = Client::new(Toy::at(MAIN), failover).call(&Reverse).await.unwrap_err();
    assert_eq!((error.fate(), hosts.seen().len()), (Fate::NotSent, 1));
}

#[tokio::test]
async fn a_host_that_is_not_listed_has_no_backup() {
    for base in [
        "https://other.example",
        "https://main.example:444",
        "http://localhost",
        "https://backup.example:8443",
    ] {
        let capture = Capture::answering(ok("ok"));
        let failing = {
            let capture = capture.clone();
            move |request| {
                let sent = capture.clone();
                async move {
                    sent.send(request).await?;
                    Err(TransportError::new(TransportErrorKind::Connect, Sent::No, None))
                }
            }
        };
        let failover = Failover::new(failing, &[(MAIN, BACKUP)]).unwrap();
        let error = Client::new(Toy::at(base), failover).call(&Place).await.unwrap_err();
        assert_eq!((error.fate(), capture.requests().len()), (Fate::NotSent, 1), "{base}");
    }
}

#[tokio::test]
async fn one_host_is_one_however_it_is_written() {
    for base in ["https://MAIN.example", "https://main.example:443"] {
        let hosts = TwoHosts::failing(TransportErrorKind::Connect, Sent::No);
        let failing = {
            let hosts = hosts.clone();
            move |request: http::Request<Bytes>| {
                let hosts = hosts.clone();
                async move {
                    let main = !request.uri().host().unwrap().starts_with("backup");
                    hosts.seen.lock().unwrap().push(request);
                    if main {
                        return Err(TransportError::new(TransportErrorKind::Connect, Sent::No, None));
                    }
                    Ok(ok("ok"))
                }
            }
        };
        let failover = Failover::new(failing, &[(MAIN, BACKUP)]).unwrap();
        assert_eq!(
            Client::new(Toy::at(base), failover).call(&Place).await.unwrap(),
            "ok",
            "{base}"
        );
        assert_eq!(hosts.seen().len(), 2);
    }
}

#[tokio::test]
async fn an_address_that_the_platform_handed_out_keeps_its_host() {
    let hosts = TwoHosts::failing(TransportErrorKind::Connect, Sent::No);
    let failover = Failover::new(hosts.clone(), &[(MAIN, BACKUP)]).unwrap();
    let mut request = http::Request::get(format!("{MAIN}/file?token=t"))
        .body(Bytes::new())
        .unwrap();
    request.extensions_mut().insert(FixedHost);
    let error = failover.stream(request).await.unwrap_err();
    assert_eq!((error.sent, hosts.seen().len()), (Sent::No, 1));
}

#[tokio::test]
async fn a_file_is_streamed_from_the_backup_as_well() {
    let backup = FarSide::playing(&[Act::Read, Act::Write(OK)]).await;
    let main = nobody().await;
    let request = http::Request::get(format!("{main}/file")).body(Bytes::new()).unwrap();
    let mut body = over_sockets(&main, &backup.base())
        .stream(request)
        .await
        .unwrap()
        .into_body();
    assert_eq!(body.next().await.unwrap().unwrap(), "ok");
}

#[tokio::test]
async fn the_client_certificate_is_presented_to_the_backup_too() {
    let merchants = Authority::new();
    let (far, builder, _) = demanding(&merchants.pem()).await;
    let merchant = merchants.issue("merchant");
    let identity = ClientIdentity::from_pem(&merchant.certificate, &merchant.key).unwrap();
    let main = nobody().await;
    let backup = format!("https://{}", far.address);
    let failover = |transport| Failover::new(transport, &[(&*main, &*backup)]).unwrap();
    let with = failover(builder.identity(identity).build().unwrap());
    assert_eq!(Client::new(Toy::at(&main), with).call(&Reverse).await.unwrap(), "ok");
    assert_eq!(far.requests().len(), 1);
    // Without one it is refused before either host is tried, and the check says so beforehand.
    let without = failover(patient().build().unwrap());
    let mut request = http::Request::post(format!("{main}/reverse"))
        .body(Bytes::new())
        .unwrap();
    assert!(without.check(&request).is_ok());
    request.extensions_mut().insert(ClientAuth::Required);
    let shared = SharedTransport::new(without);
    assert_eq!(shared.check(&request).unwrap_err().kind, TransportErrorKind::Refused);
    assert_eq!(
        shared.send(request).await.unwrap_err().kind,
        TransportErrorKind::Refused
    );
    assert_eq!(far.connections(), 1);
}

#[tokio::test]
async fn after_the_main_host_was_missed_the_backup_is_tried_first_for_a_while() {
    for (preference, hosts) in [
        (Duration::MAX, ["main", "backup", "backup", "backup"].as_slice()),
        (Duration::ZERO, &["main", "backup", "main", "backup", "main", "backup"]),
    ] {
        let far = TwoHosts::failing(TransportErrorKind::Connect, Sent::No);
        let failover = Failover::new(far.clone(), &[(MAIN, BACKUP)]).unwrap();
        let client = Client::new(Toy::at(MAIN), failover.with_preference(preference));
        for _ in 0..3 {
            // A clone shares what the other one learned.
            assert_eq!(client.clone().call(&Place).await.unwrap(), "ok");
        }
        let seen: Vec<_> = far
            .seen()
            .iter()
            .map(|request| request.uri().host().unwrap().to_owned())
            .collect();
        assert_eq!(
            seen,
            hosts.iter().map(|host| format!("{host}.example")).collect::<Vec<_>>()
        );
    }
}

#[tokio::test]
async fn a_backup_that_is_tried_first_and_missed_gives_way_to_the_main_host() {
    let main = FarSide::playing(&[Act::Read, Act::Write(OK)]).await;
    let (base, backup) = (main.base(), nobody().await);
    let over = patient().build().unwrap();
    // The main host is missed once, by a transport that is cut off for one request.
    let flaky = Flaky::new(over, [Fault::Refuse]);
    let failover = Failover::new(flaky, &[(&*base, &*backup)]).unwrap();
    let client = Client::new(Toy::at(&base), failover);
    let error = client.call(&Refund).await.unwrap_err();
    assert_eq!((error.fate(), main.connections()), (Fate::NotSent, 0));
    assert_eq!(client.call(&Refund).await.unwrap(), "ok");
    assert_eq!(client.call(&Refund).await.unwrap(), "ok");
    assert_eq!(main.requests().len(), 2);
}

#[test]
fn hosts_are_bare_and_addresses_at_all() {
    let transport = || Replay::new([]);
    for (main, backup, field, problem) in [
        (
            "main.example",
            BACKUP,
            "main host",
            "is neither https nor http to loopback",
        ),
        ("https://main.example/v3", BACKUP, "main host", "has a path"),
        (MAIN, "https://backup.example/v3", "backup host", "has a path"),
        (
            MAIN,
            "http://backup.example",
            "backup host",
            "is plain http to another machine; use https (http is for loopback only)",
        ),
        (
            MAIN,
            "https://backup.example?a=b",
            "backup host",
            "has a query or fragment",
        ),
    ] {
        let error = Failover::new(transport(), &[(main, backup)]).unwrap_err();
        assert_eq!((error.field, error.problem), (field, problem));
    }
    let failover = Failover::new(transport(), &[("https://main.example/", BACKUP)]).unwrap();
    assert_eq!(format!("{failover:?}"), r#"{"main.example": "backup.example:8443"}"#);
}

#[tokio::test]
async fn the_span_says_which_host_answered() {
    let client = |kind| {
        let hosts = TwoHosts::failing(kind, Sent::No);
        Client::new(Toy::at(MAIN), Failover::new(hosts, &[(MAIN, BACKUP)]).unwrap())
    };
    // Reached once before it is listened to: see `Log`.
    client(TransportErrorKind::Connect).call(&Place).await.unwrap();
    let log = Log::listen(tracing::Level::INFO);
    client(TransportErrorKind::Connect).call(&Place).await.unwrap();
    let log = log.end();
    assert!(log.contains("not reached; sending to the other host"), "{log}");
    let closed = log.lines().find(|line| line.contains("close")).unwrap();
    assert!(closed.contains(r#"host="backup.example:8443""#), "{closed}");
}
