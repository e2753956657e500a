//! Notices to shops that are not on loopback in plain http: over TLS, and in a network of containers.

use std::net::{IpAddr, UdpSocket};
use std::sync::Arc;

use rcgen::{BasicConstraints, CertificateParams, CertifiedIssuer, IsCa, KeyPair};
use rustls::pki_types::pem::PemObject as _;
use rustls::pki_types::{CertificateDer, PrivateKeyDer};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpListener;
use tokio::sync::mpsc;
use tokio_rustls::TlsAcceptor;
use yuanfen_sandbox::{NoticeOutcome, Platform, Sandbox, SandboxBuilder};

use crate::shop::{self, clock};

/// An authority of the shop's own network, and a server's certificate and key under it.
struct Network {
    root: String,
    certificate: String,
    key: String,
}

impl Network {
    fn new(name: &str) -> Self {
        let mut params = CertificateParams::new(Vec::<String>::new()).unwrap();
        params.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
        let authority = CertifiedIssuer::self_signed(params, KeyPair::generate().unwrap()).unwrap();
        let key = KeyPair::generate().unwrap();
        let params = CertificateParams::new([name.to_owned()]).unwrap();
        Self {
            root: authority.pem(),
            certificate: params.signed_by(&key, &authority).unwrap().pem(),
            key: key.serialize_pem(),
        }
    }

    fn acceptor(&self) -> TlsAcceptor {
        let chain = vec![CertificateDer::from_pem_slice(self.certificate.as_bytes()).unwrap()];
        let key = PrivateKeyDer::from_pem_slice(self.key.as_bytes()).unwrap();
        let provider = Arc::new(rustls::crypto::aws_lc_rs::default_provider());
        let config = rustls::ServerConfig::builder_with_provider(provider)
            .with_safe_default_protocol_versions()
            .unwrap()
            .with_no_client_auth()
            .with_single_cert(chain, key)
            .unwrap();
        TlsAcceptor::from(Arc::new(config))
    }
}

/// A shop behind TLS. What it received comes out of the channel; it answers with those bytes.
async fn shop_behind_tls(network: &Network, answer: &'static [u8]) -> (u16, mpsc::UnboundedReceiver<String>) {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let port = listener.local_addr().unwrap().port();
    let (tell, told) = mpsc::unbounded_channel();
    let acceptor = network.acceptor();
    tokio::spawn(async move {
        let mut silent = Vec::new();
        loop {
            let (stream, _) = listener.accept().await.unwrap();
            let Ok(mut stream) = acceptor.accept(stream).await else {
                continue;
            };
            let mut received = vec![0; 65_536];
            let length = stream.read(&mut received).await.unwrap();
            let text = String::from_utf8_lossy(&received[..length]).into_owned();
            if answer.is_empty() {
                silent.push(stream);
            } else {
                stream.write_all(answer).await.unwrap();
                let _closed = stream.shutdown().await;
            }
            if tell.send(text).is_err() {
                return;
            }
        }
    });
    (port, told)
}

const DONE: &[u8] = b"HTTP/1.1 204 No Content\r\nConnection: close\r\n\r\n";

async fn told(builder: SandboxBuilder, url: &str) -> (NoticeOutcome, Sandbox) {
    let sandbox = builder.clock(clock()).seed(1).start().await.unwrap();
    shop::place(&sandbox, "order-1", 100, url);
    sandbox.pay(Platform::WechatV3, "order-1").unwrap();
    sandbox.delivered().await;
    (sandbox.notices().pop().unwrap().outcome, sandbox)
}

fn reason(outcome: &NoticeOutcome) -> &str {
    match outcome {
        NoticeOutcome::NotDelivered { reason } => reason,
        other => panic!("{other:?}"),
    }
}

#[tokio::test]
async fn delivers_over_tls_to_a_shop_whose_authority_it_was_given() {
    let network = Network::new("localhost");
    let (port, mut received) = shop_behind_tls(&network, DONE).await;
    let builder = Sandbox::builder().notice_root(&network.root);
    let (outcome, _sandbox) = told(builder, &format!("https://localhost:{port}/notify/wechat")).await;
    assert!(matches!(outcome, NoticeOutcome::Acknowledged { .. }), "{outcome:?}");
    let received = received.recv().await.unwrap();
    let mut lines = received.lines();
    assert_eq!(lines.next(), Some("POST /notify/wechat HTTP/1.1"));
    assert!(
        received.contains(&format!("\r\nHost: localhost:{port}\r\n")),
        "{received}"
    );
    assert!(received.contains("\r\nWechatpay-Signature-Type: WECHATPAY2-SHA256-RSA2048\r\n"));
}

#[tokio::test]
async fn delivers_to_nobody_whose_certificate_it_cannot_trust_or_is_for_another() {
    let network = Network::new("shop.example");
    let (port, _received) = shop_behind_tls(&network, DONE).await;
    let url = format!("https://localhost:{port}/notify");
    let (stranger, _sandbox) = told(Sandbox::builder(), &url).await;
    assert!(reason(&stranger).starts_with("no TLS: "), "{stranger:?}");
    let (other, _sandbox) = told(Sandbox::builder().notice_root(&network.root), &url).await;
    assert!(reason(&other).starts_with("no TLS: "), "{other:?}");
}

#[tokio::test]
async fn follows_no_redirect_and_tries_again_instead() {
    let network = Network::new("localhost");
    let (port, mut received) = shop_behind_tls(
        &network,
        b"HTTP/1.1 302 Found\r\nLocation: /elsewhere\r\nContent-Length: 0\r\nConnection: close\r\n\r\n",
    )
    .await;
    let builder = Sandbox::builder().notice_root(&network.root);
    let (outcome, sandbox) = told(builder, &format!("https://localhost:{port}/notify")).await;
    assert!(
        matches!(outcome, NoticeOutcome::Refused { status, .. } if status == 302),
        "{outcome:?}"
    );
    assert!(received.recv().await.unwrap().starts_with("POST /notify "));
    assert!(received.try_recv().is_err());
    assert_eq!(sandbox.notices()[0].next_at.unwrap().seconds(), shop::NOW + 15);
}

#[tokio::test]
async fn waits_five_seconds_for_a_shop_and_no_longer() {
    let network = Network::new("localhost");
    let (port, _received) = shop_behind_tls(&network, b"").await;
    let builder = Sandbox::builder().notice_root(&network.root);
    let started = std::time::Instant::now();
    let (outcome, _sandbox) = told(builder, &format!("https://localhost:{port}/notify")).await;
    assert_eq!(reason(&outcome), "no answer within 5 seconds");
    assert!((5..8).contains(&started.elapsed().as_secs()));
}

/// An address of this machine on a private network, if it has one. No packet is sent to find out.
pub fn private_address() -> Option<IpAddr> {
    let socket = UdpSocket::bind("0.0.0.0:0").ok()?;
    socket.connect("10.255.255.255:9").ok()?;
    let address = socket.local_addr().ok()?.ip();
    matches!(address, IpAddr::V4(found) if found.is_private()).then_some(address)
}

#[tokio::test]
async fn goes_to_private_addresses_in_plain_http_only_when_told_to() {
    let (closed, open) = (Sandbox::builder(), Sandbox::builder().private_http_notices(true));
    let (outcome, sandbox) = told(closed, "http://192.168.255.254:9/notify").await;
    assert!(!sandbox.sends_notices_in_private_http());
    assert!(
        reason(&outcome).contains("is plain http to another machine"),
        "{outcome:?}"
    );

    // Told to, it still goes to no public address: these are reserved for documentation.
    for public in ["192.0.2.1", "[2001:db8::1]"] {
        let (outcome, sandbox) = told(open.clone(), &format!("http://{public}:9/notify")).await;
        assert!(sandbox.sends_notices_in_private_http());
        assert!(reason(&outcome).contains("is in neither"), "{outcome:?}");
    }

    let Some(address) = private_address() else { return };
    let listener = TcpListener::bind((address, 0)).await.unwrap();
    let url = format!("http://{}/notify", listener.local_addr().unwrap());
    let shop = tokio::spawn(async move {
        let (mut stream, _) = listener.accept().await.unwrap();
        let mut received = vec![0; 65_536];
        let length = stream.read(&mut received).await.unwrap();
        stream.write_all(DONE).await.unwrap();
        String::from_utf8_lossy(&received[..length]).into_owned()
    });
    let (outcome, _sandbox) = told(open, &url).await;
    assert!(matches!(outcome, NoticeOutcome::Acknowledged { .. }), "{outcome:?}");
    assert!(shop.await.unwrap().starts_with("POST /notify HTTP/1.1\r\n"));
}
