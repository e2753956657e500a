//! Everything that is logged, at the finest level, while secrets go over the wire.

use http::Method;
use yuanfen_core::{Effect, Error, Fate, RawOperation, Route, Secret, Verified};
use yuanfen_testkit::Log;
use yuanfen_transport::test_util::Replay;
use yuanfen_transport::{Client, ClientIdentity};

use crate::tls::{Authority, acceptor, acceptor_for};
use crate::toy::{Message, ORDER_BODY, Outbound, Place, Reverse, Toy, ok};
use crate::wire::{Act, FarSide, patient};

const OK: &str = "HTTP/1.1 200 OK\r\nx-serial: k1\r\nx-signature: 14119\r\nContent-Length: 2\r\n\r\nok";

/// Turns a code into an open id: WeChat takes the app secret in the address of that call and nowhere else.
async fn log_in(client: &Client<Toy>) -> Result<Verified<Message>, Error> {
    let outbound = Outbound {
        method: Method::GET,
        path: "/sns/jscode2session?secret=AppSecretInTheQuery&js_code=CodeInTheQuery".to_owned(),
        body: "",
    };
    let route = Route::new("toy", "log-in", Method::GET, "/sns/jscode2session", Effect::Read);
    client.call_raw(RawOperation::new(route, outbound)).await
}

/// Five digits stand in long runs of hex by chance, such as the TLS stack logs of its own: they count as a word.
fn shows(text: &str, secret: &str) -> bool {
    if secret.bytes().all(|byte| byte.is_ascii_digit()) {
        text.split(|character: char| !character.is_ascii_alphanumeric())
            .any(|word| word == secret)
    } else {
        text.contains(secret)
    }
}

#[tokio::test]
async fn a_call_is_one_span_and_shows_no_body_header_key_query_or_payer() {
    let merchants = Authority::new();
    let platform = Authority::new();
    let merchant = merchants.issue("merchant");
    let acceptor = acceptor(&platform.issue("platform.example"), None);
    let far = FarSide::playing_over_tls(acceptor, &[Act::Read, Act::Write(OK), Act::Read]).await;
    let over_http_2 = acceptor_for(&platform.issue("127.0.0.1"), None, &["h2"]);
    let far_over_http_2 = FarSide::answering_http_2(over_http_2, |_| Some(ok("ok"))).await;
    let proxy = FarSide::tunneling(far.address, "HTTP/1.1 200 OK\r\n\r\n").await;

    // Reached once before it is listened to: see `Log`.
    Client::new(Toy::default(), Replay::new([]))
        .call(&Place)
        .await
        .unwrap_err();
    let log = Log::listen(tracing::Level::TRACE);
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
    // Over either version of HTTP, and where it fails.
    log_in(&client).await.unwrap();
    let transport = patient().add_root(platform.pem()).build().unwrap();
    let over_http_2 = Toy::at(&format!("https://{}", far_over_http_2.address));
    log_in(&Client::new(over_http_2, transport.clone())).await.unwrap();
    let elsewhere = Toy::at("http://platform.example");
    let refused = log_in(&Client::new(elsewhere, transport.clone())).await.unwrap_err();
    let nobody = Toy::at(&crate::wire::nobody().await);
    let unreachable = log_in(&Client::new(nobody, transport)).await.unwrap_err();
    let log = log.end();

    let errors = format!("{error} {error:?} {refused} {refused:?} {unreachable} {unreachable:?}");
    assert!(log.contains("planted"));
    assert!(log.contains("rustls"), "the TLS stack is heard as well");
    let spans: Vec<_> = log
        .lines()
        .filter(|line| line.contains("yuanfen_transport::client: close"))
        .collect();
    assert_eq!(spans.len(), 7, "{log}");
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
        "AppSecretInTheQuery",
        "CodeInTheQuery",
    ] {
        for text in [&log, &errors, &shown] {
            assert!(!shows(text, secret), "{secret} in {text}");
        }
    }
}
