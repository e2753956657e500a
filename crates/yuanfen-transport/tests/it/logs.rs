//! Everything that is logged, at the finest level, while secrets go over the wire.

use std::io;
use std::sync::{Arc, Mutex};

use tracing_subscriber::fmt::format::FmtSpan;
use yuanfen_core::{Fate, Secret};
use yuanfen_transport::test_util::Replay;
use yuanfen_transport::{Client, ClientIdentity};

use crate::tls::{Authority, acceptor};
use crate::toy::{ORDER_BODY, Place, Reverse, Toy};
use crate::wire::{Act, FarSide, patient};

const OK: &str = "HTTP/1.1 200 OK\r\nx-serial: k1\r\nx-signature: 14119\r\nContent-Length: 2\r\n\r\nok";

#[derive(Clone, Default)]
struct Log(Arc<Mutex<Vec<u8>>>);

impl io::Write for Log {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        self.0.lock().unwrap().extend(bytes);
        Ok(bytes.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

#[tokio::test]
async fn a_call_is_one_span_and_shows_no_body_header_key_or_payer() {
    let log = Log::default();
    let subscriber = tracing_subscriber::fmt()
        .with_max_level(tracing::Level::TRACE)
        .with_span_events(FmtSpan::CLOSE)
        .with_ansi(false)
        .with_writer({
            let log = log.clone();
            move || log.clone()
        })
        .finish();
    let merchants = Authority::new();
    let platform = Authority::new();
    let merchant = merchants.issue("merchant");
    let acceptor = acceptor(&platform.issue("platform.example"), None);
    let far = FarSide::playing_over_tls(acceptor, &[Act::Read, Act::Write(OK), Act::Read]).await;
    let proxy = FarSide::tunneling(far.address, "HTTP/1.1 200 OK\r\n\r\n").await;

    // Whether a call site is of interest is found out when it is first reached, which other tests do on other threads:
    // so it is reached before, and a second subscriber makes sure that all of them are asked, not only the thread's.
    Client::new(Toy::default(), Replay::new([]))
        .call(&Place)
        .await
        .unwrap_err();
    let second = tracing::Dispatch::new(tracing::subscriber::NoSubscriber::new());
    let guard = tracing::subscriber::set_default(subscriber);
    // rustls speaks the older `log`; this hands its words to the subscriber of the thread that they are spoken on.
    tracing_log::LogTracer::init().unwrap();
    tracing::trace!("planted, so that an empty log does not pass");
    let transport = patient()
        .add_root(platform.pem())
        .identity(ClientIdentity::from_pem(&merchant.certificate, &merchant.key).unwrap())
        .proxy(proxy.base())
        .proxy_credentials("shop", &Secret::new("open sesame".to_owned()))
        .build()
        .unwrap();
    let shown = format!("{transport:?}");
    let client = Client::new(Toy::default(), transport);
    client.call(&Place).await.unwrap();
    let error = client.call(&Place).await.unwrap_err();
    client.call(&Reverse).await.unwrap();
    drop((guard, second));

    let errors = format!("{error} {error:?}");
    let log = String::from_utf8(log.0.lock().unwrap().clone()).unwrap();
    assert!(log.contains("planted"));
    assert!(log.contains("rustls"), "the TLS stack is heard as well");
    let spans: Vec<_> = log.lines().filter(|line| line.contains("close")).collect();
    assert_eq!(spans.len(), 3, "{log}");
    assert!(
        spans[0].contains(r#"route="toy" operation="place" attempt=1 fate="answered""#),
        "{}",
        spans[0]
    );
    assert!(spans[1].contains(&format!("fate={}", Fate::Unknown)), "{}", spans[1]);
    assert_eq!(error.fate(), Fate::Unknown);

    let key_line = merchant.key.lines().nth(1).unwrap();
    for secret in [
        ORDER_BODY,
        "oUpF8uMuAJO",
        "toy ",
        "14119",
        "sesame",
        "c2hvcDpvcGVuIHNlc2FtZQ",
        key_line,
    ] {
        for text in [&log, &errors, &shown] {
            assert!(!text.contains(secret), "{secret} in {text}");
        }
    }
}
