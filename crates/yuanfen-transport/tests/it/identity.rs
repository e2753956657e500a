//! Client certificates, against a listener that demands them.

use yuanfen_core::{ErrorKind, Fate, Sent, TransportErrorKind};
use yuanfen_transport::{Client, ClientIdentity, HyperTransport, HyperTransportBuilder};

use crate::tls::{Authority, Pair, acceptor};
use crate::toy::{Place, Reverse, Toy};
use crate::wire::{Act, FarSide, patient};

const OK: &str = "HTTP/1.1 200 OK\r\nx-serial: k1\r\nx-signature: 14119\r\nContent-Length: 2\r\n\r\nok";

/// A listener that answers only to certificates of that authority (PEM), and what trusts it.
pub async fn demanding(merchants: &str) -> (FarSide, HyperTransportBuilder, Toy) {
    let platform = Authority::new();
    let acceptor = acceptor(&platform.issue("127.0.0.1"), Some(merchants));
    let far = FarSide::playing_over_tls(acceptor, &[Act::Read, Act::Write(OK)]).await;
    let account = Toy::at(&format!("https://{}", far.address));
    (far, patient().add_root(platform.pem()), account)
}

fn identity(pair: &Pair) -> ClientIdentity {
    ClientIdentity::from_pem(&pair.certificate, &pair.key).unwrap()
}

#[tokio::test]
async fn a_call_that_needs_the_certificate_presents_it() {
    let merchants = Authority::new();
    let (far, builder, account) = demanding(&merchants.pem()).await;
    let transport = builder
        .identity(identity(&merchants.issue("merchant")))
        .build()
        .unwrap();
    assert_eq!(Client::new(account, transport).call(&Reverse).await.unwrap(), "ok");
    assert_eq!(far.requests().len(), 1);
}

#[tokio::test]
async fn a_call_that_needs_the_certificate_is_refused_without_one_before_anything_is_sent() {
    let merchants = Authority::new();
    let (far, builder, account) = demanding(&merchants.pem()).await;
    let error = Client::new(account, builder.build().unwrap())
        .call(&Reverse)
        .await
        .unwrap_err();
    let ErrorKind::Transport(wire) = error.kind() else {
        panic!("{error:?}");
    };
    assert_eq!((wire.kind, wire.sent), (TransportErrorKind::Refused, Sent::No));
    assert!(wire.source.as_ref().unwrap().to_string().contains("client certificate"));
    assert_eq!(error.fate(), Fate::NotSent);
    assert_eq!(far.connections(), 0);
}

#[tokio::test]
async fn a_call_that_does_not_need_the_certificate_does_not_present_it() {
    let merchants = Authority::new();
    let (far, builder, account) = demanding(&merchants.pem()).await;
    let transport = builder
        .identity(identity(&merchants.issue("merchant")))
        .build()
        .unwrap();
    let error = Client::new(account, transport).call(&Place).await.unwrap_err();
    // With TLS 1.3 the far side turns it down after the handshake, so nothing here can know that nothing was read.
    assert_eq!(error.fate(), Fate::Unknown);
    assert!(far.requests().is_empty());
}

#[tokio::test]
async fn a_certificate_of_another_authority_is_turned_down() {
    let merchants = Authority::new();
    let (far, builder, account) = demanding(&merchants.pem()).await;
    let stranger = Authority::new().issue("merchant");
    let transport = builder.identity(identity(&stranger)).build().unwrap();
    let error = Client::new(account, transport).call(&Reverse).await.unwrap_err();
    assert_ne!(error.fate(), Fate::Refused);
    assert!(far.requests().is_empty());
}

#[tokio::test]
async fn an_identity_is_wanted_on_loopback_without_tls_as_well() {
    let far = FarSide::playing(&[Act::Read, Act::Write(OK)]).await;
    let refused = Client::new(Toy::at(&far.base()), patient().build().unwrap())
        .call(&Reverse)
        .await;
    assert_eq!(refused.unwrap_err().fate(), Fate::NotSent);
    let transport = patient()
        .identity(identity(&Authority::new().issue("merchant")))
        .build()
        .unwrap();
    assert_eq!(
        Client::new(Toy::at(&far.base()), transport)
            .call(&Reverse)
            .await
            .unwrap(),
        "ok"
    );
}

#[test]
fn an_identity_that_cannot_be_used_says_why_and_shows_nothing() {
    let authority = Authority::new();
    let (one, other) = (authority.issue("one"), authority.issue("other"));
    for (certificate, key, problem) in [
        ("", one.key.as_str(), "there is no certificate in the PEM"),
        (&one.key, &one.key, "there is no certificate in the PEM"),
        (
            &one.certificate,
            "",
            "there is no unencrypted private key (PKCS#1, PKCS#8 or SEC1) in the PEM",
        ),
        (
            &one.certificate,
            "-----BEGIN ENCRYPTED PRIVATE KEY-----\nAAAA\n-----END ENCRYPTED PRIVATE KEY-----\n",
            "there is no unencrypted private key (PKCS#1, PKCS#8 or SEC1) in the PEM",
        ),
    ] {
        let error = ClientIdentity::from_pem(certificate, key).unwrap_err();
        assert_eq!((error.setting, error.problem), ("identity", problem));
    }
    let mismatched = ClientIdentity::from_pem(&one.certificate, &other.key).unwrap();
    assert_eq!(format!("{mismatched:?}"), "ClientIdentity(..)");
    let error = HyperTransport::builder().identity(mismatched).build().unwrap_err();
    assert_eq!(error.setting, "identity");
}

#[test]
fn both_may_be_in_one_file() {
    let pair = Authority::new().issue("merchant");
    let file = format!("{}{}", pair.key, pair.certificate);
    ClientIdentity::from_pem(&file, &file).unwrap();
}
