//! Through an HTTP CONNECT proxy, with TLS end to end inside it.

use std::time::Duration;

use yuanfen_core::{Error, ErrorKind, Fate, Secret, Sent, TransportErrorKind};
use yuanfen_transport::{Client, ClientIdentity, HyperTransport};

use crate::tls::{Authority, acceptor};
use crate::toy::{Place, Reverse, Toy};
use crate::wire::{Act, FarSide, nobody, patient};

const OK: &str = "HTTP/1.1 200 OK\r\nx-serial: k1\r\nx-signature: 14119\r\nContent-Length: 2\r\n\r\nok";
const OPEN: &str = "HTTP/1.1 200 Connection established\r\n\r\n";

/// A platform under a name that only the proxy knows how to reach.
async fn platform() -> (FarSide, Authority) {
    let authority = Authority::new();
    let acceptor = acceptor(&authority.issue("platform.example"), None);
    (
        FarSide::playing_over_tls(acceptor, &[Act::Read, Act::Write(OK)]).await,
        authority,
    )
}

async fn place(transport: HyperTransport) -> Result<String, Error> {
    Client::new(Toy::default(), transport).call(&Place).await
}

fn wire(error: &Error) -> (TransportErrorKind, Sent) {
    match error.kind() {
        ErrorKind::Transport(wire) => (wire.kind, wire.sent),
        other => panic!("{other:?}"),
    }
}

#[tokio::test]
async fn a_host_is_reached_through_the_tunnel() {
    let (far, authority) = platform().await;
    let proxy = FarSide::tunneling(far.address, OPEN).await;
    let transport = patient().add_root(authority.pem()).proxy(proxy.base()).build().unwrap();
    assert_eq!(place(transport).await.unwrap(), "ok");
    let connect = &proxy.requests()[0];
    assert!(
        connect.starts_with("CONNECT platform.example:443 HTTP/1.1\r\n"),
        "{connect}"
    );
    assert!(!connect.to_lowercase().contains("authorization"), "{connect}");
    // The far side sees an ordinary request.
    assert!(far.requests()[0].starts_with("POST /place HTTP/1.1\r\n"));
}

#[tokio::test]
async fn credentials_go_to_the_proxy_and_nowhere_else() {
    let (far, authority) = platform().await;
    let proxy = FarSide::tunneling(far.address, OPEN).await;
    let builder = patient()
        .add_root(authority.pem())
        .proxy(proxy.base())
        .proxy_credentials("shop", &Secret::new("open sesame".to_owned()));
    assert!(!format!("{builder:?}").contains("sesame"));
    place(builder.build().unwrap()).await.unwrap();
    let expected = "proxy-authorization: basic c2hvcdpvcgvuihnlc2ftzq==";
    assert!(
        proxy.requests()[0].to_lowercase().contains(expected),
        "{}",
        proxy.requests()[0]
    );
    assert!(!far.requests()[0].to_lowercase().contains("proxy"));
}

#[tokio::test]
async fn a_proxy_that_says_no_or_is_not_there_sent_nothing() {
    let (far, _) = platform().await;
    for answer in [
        "HTTP/1.1 407 Proxy Authentication Required\r\n\r\n",
        "HTTP/1.1 502 Bad Gateway\r\n\r\n",
        "",
    ] {
        let proxy = FarSide::tunneling(far.address, answer).await;
        let error = place(patient().proxy(proxy.base()).build().unwrap()).await.unwrap_err();
        assert_eq!(wire(&error), (TransportErrorKind::Connect, Sent::No), "{answer:?}");
        assert_eq!(error.fate(), Fate::NotSent);
    }
    let error = place(patient().proxy(nobody().await).build().unwrap())
        .await
        .unwrap_err();
    assert_eq!(wire(&error), (TransportErrorKind::Connect, Sent::No));
    assert_eq!(far.connections(), 0);
}

#[tokio::test]
async fn a_proxy_that_reads_along_is_found_out() {
    // It ends TLS itself, under an authority that the platform does not use.
    let (far, _) = platform().await;
    let proxy = FarSide::tunneling(far.address, OPEN).await;
    let transport = patient()
        .add_root(Authority::new().pem())
        .proxy(proxy.base())
        .build()
        .unwrap();
    let error = place(transport).await.unwrap_err();
    assert_eq!(wire(&error), (TransportErrorKind::Tls, Sent::No));
    assert!(far.requests().is_empty());
}

#[tokio::test]
async fn a_proxy_that_says_nothing_is_given_up_as_not_connected() {
    let proxy = FarSide::playing(&[Act::Read, Act::Hang]).await;
    let transport = patient()
        .connect_timeout(Duration::from_millis(100))
        .proxy(proxy.base())
        .build()
        .unwrap();
    let error = place(transport).await.unwrap_err();
    assert_eq!(wire(&error), (TransportErrorKind::ConnectTimeout, Sent::No));
    assert_eq!(error.fate(), Fate::NotSent);
}

#[tokio::test]
async fn the_merchant_s_certificate_goes_through_the_tunnel_to_the_platform() {
    let (authority, merchants) = (Authority::new(), Authority::new());
    let acceptor = acceptor(&authority.issue("platform.example"), Some(&merchants.pem()));
    let far = FarSide::playing_over_tls(acceptor, &[Act::Read, Act::Write(OK)]).await;
    let proxy = FarSide::tunneling(far.address, OPEN).await;
    let merchant = merchants.issue("merchant");
    let transport = patient()
        .add_root(authority.pem())
        .identity(ClientIdentity::from_pem(&merchant.certificate, &merchant.key).unwrap())
        .proxy(proxy.base())
        .build()
        .unwrap();
    assert_eq!(
        Client::new(Toy::default(), transport).call(&Reverse).await.unwrap(),
        "ok"
    );
    assert_eq!((proxy.connections(), far.requests().len()), (1, 1));
}

#[tokio::test]
async fn https_to_this_machine_does_not_go_through_the_proxy_either() {
    let authority = Authority::new();
    let acceptor = acceptor(&authority.issue("127.0.0.1"), None);
    let far = FarSide::playing_over_tls(acceptor, &[Act::Read, Act::Write(OK)]).await;
    let transport = patient()
        .add_root(authority.pem())
        .proxy(nobody().await)
        .build()
        .unwrap();
    let account = Toy::at(&format!("https://{}", far.address));
    assert_eq!(Client::new(account, transport).call(&Place).await.unwrap(), "ok");
}

#[tokio::test]
async fn plain_http_to_this_machine_does_not_go_through_the_proxy() {
    let far = FarSide::playing(&[Act::Read, Act::Write(OK)]).await;
    let transport = patient().proxy(nobody().await).build().unwrap();
    assert_eq!(
        Client::new(Toy::at(&far.base()), transport).call(&Place).await.unwrap(),
        "ok"
    );
}
