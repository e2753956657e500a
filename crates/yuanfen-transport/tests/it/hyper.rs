//! Every way in which a wire fails, made with bytes, and what each says about the money.

use std::time::Duration;

use http::StatusCode;
use yuanfen_core::{Advice, Error, ErrorKind, Fate, Sent, TransportErrorKind};
use yuanfen_transport::{Client, HyperTransport, SetupError, Transport as _};

use crate::tls::{Authority, acceptor, acceptor_for, self_signed};
use crate::toy::{ORDER_BODY, Place, Refund, Toy};
use crate::wire::{Act, FarSide, nobody, patient};

/// A reply that the toy's account accepts: `ok`, signed under `k1`.
const OK: &str = "HTTP/1.1 200 OK\r\nX-Serial: k1\r\nx-signature: 14119\r\nContent-Length: 2\r\n\r\nok";

const SOON: Duration = Duration::from_millis(50);

async fn refund(transport: HyperTransport, base: &str) -> Result<String, Error> {
    Client::with_transport(Toy::at(base), transport).call(&Refund).await
}

/// Refunds, and checks how that fails.
async fn fails(transport: HyperTransport, base: &str, kind: TransportErrorKind, sent: Sent) -> Error {
    let error = refund(transport, base).await.unwrap_err();
    let ErrorKind::Transport(wire) = error.kind() else {
        panic!("{error:?}");
    };
    assert_eq!((wire.kind, wire.sent), (kind, sent), "{error:?}");
    let expected = match sent {
        Sent::No => (Fate::NotSent, Advice::Repeat),
        _ => (Fate::Unknown, Advice::QueryFirst),
    };
    assert_eq!((error.fate(), error.advice()), expected);
    error
}

#[tokio::test]
async fn a_call_goes_over_the_wire_and_back() {
    let far = FarSide::playing(&[Act::Read, Act::Write(OK)]).await;
    assert_eq!(refund(patient().build().unwrap(), &far.base()).await.unwrap(), "ok");
    let request = &far.requests()[0];
    assert!(request.starts_with("POST /refund HTTP/1.1\r\n"), "{request}");
    assert!(request.ends_with("\r\n\r\nrefund=R1"), "{request}");
    assert!(request.contains(&format!("host: {}\r\n", far.address)), "{request}");
    assert!(
        !request.contains("user-agent") && !request.contains("accept-encoding"),
        "{request}"
    );
}

#[tokio::test]
async fn the_bytes_that_were_signed_are_the_bytes_that_are_sent() {
    let far = FarSide::playing(&[Act::Read, Act::Write(OK)]).await;
    let target = "/a|b/%2f?x={y}&z=%E5%85%83";
    let request = http::Request::post(format!("{}{target}", far.base()))
        .body(ORDER_BODY.into())
        .unwrap();
    patient().build().unwrap().send(request).await.unwrap();
    assert!(far.requests()[0].starts_with(&format!("POST {target} HTTP/1.1\r\n")));
    assert!(far.requests()[0].ends_with(ORDER_BODY));
}

#[tokio::test]
async fn a_refused_connection_sent_nothing() {
    let base = nobody().await;
    fails(patient().build().unwrap(), &base, TransportErrorKind::Connect, Sent::No).await;
}

#[tokio::test]
async fn a_name_that_does_not_resolve_sent_nothing() {
    let transport = patient().build().unwrap();
    fails(
        transport,
        "https://no-such-host.invalid",
        TransportErrorKind::Connect,
        Sent::No,
    )
    .await;
}

#[tokio::test]
async fn a_handshake_that_is_never_answered_runs_out_of_time_and_sent_nothing() {
    let far = FarSide::playing(&[Act::Hang]).await;
    let base = format!("https://{}", far.address);
    let transport = patient().connect_timeout(SOON).build().unwrap();
    fails(transport, &base, TransportErrorKind::ConnectTimeout, Sent::No).await;
    // The same where the total time runs out first.
    let transport = patient().total_timeout(SOON).build().unwrap();
    fails(transport, &base, TransportErrorKind::ConnectTimeout, Sent::No).await;
}

#[tokio::test]
async fn a_connection_cut_before_the_answer_may_have_sent_everything() {
    let far = FarSide::playing(&[Act::Read]).await;
    fails(
        patient().build().unwrap(),
        &far.base(),
        TransportErrorKind::Cut,
        Sent::Maybe,
    )
    .await;
    assert_eq!((far.connections(), far.requests().len()), (1, 1));
}

#[tokio::test]
async fn a_connection_cut_in_the_middle_of_the_head_or_body_is_no_answer() {
    for answer in [
        "HTTP/1.1 200 OK\r\nContent-",
        "HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\no",
        "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n2\r\nok\r\n",
    ] {
        let script: &'static [Act] = vec![Act::Read, Act::Write(answer)].leak();
        let far = FarSide::playing(script).await;
        fails(
            patient().build().unwrap(),
            &far.base(),
            TransportErrorKind::Cut,
            Sent::Maybe,
        )
        .await;
    }
}

#[tokio::test]
async fn what_is_not_http_may_have_been_an_answer() {
    let far = FarSide::playing(&[Act::Read, Act::Write("220 smtp ready\r\n\r\n")]).await;
    fails(
        patient().build().unwrap(),
        &far.base(),
        TransportErrorKind::Other,
        Sent::Maybe,
    )
    .await;
}

#[tokio::test]
async fn a_far_side_that_thinks_too_long_may_have_acted() {
    let far = FarSide::playing(&[Act::Read, Act::Hang]).await;
    let transport = patient().first_byte_timeout(SOON).build().unwrap();
    fails(transport, &far.base(), TransportErrorKind::Timeout, Sent::Maybe).await;
}

#[tokio::test]
async fn an_answer_that_drips_ends_at_the_total_time() {
    let far = FarSide::playing(&[
        Act::Read,
        Act::Write("HTTP/1.1 200 OK\r\nContent-Length: 9\r\n\r\n"),
        Act::Write("o"),
        Act::Hang,
    ])
    .await;
    let transport = patient().total_timeout(Duration::from_secs(1)).build().unwrap();
    fails(transport, &far.base(), TransportErrorKind::Timeout, Sent::Maybe).await;
}

#[tokio::test]
async fn connecting_does_not_use_up_the_time_to_answer() {
    // The answer takes longer than connecting may, and the far side is slower than nothing.
    let far = FarSide::playing(&[Act::Read, Act::Pause(1100), Act::Write(OK)]).await;
    let transport = patient().connect_timeout(Duration::from_secs(1)).build().unwrap();
    assert_eq!(refund(transport, &far.base()).await.unwrap(), "ok");
}

#[tokio::test]
async fn connecting_does_not_use_up_the_time_to_think() {
    let pair = self_signed("127.0.0.1");
    let far = FarSide::playing_over_late_tls(1100, acceptor(&pair, None), &[Act::Read, Act::Write(OK)]).await;
    let transport = patient()
        .add_root(&pair.certificate)
        .first_byte_timeout(Duration::from_secs(1))
        .build()
        .unwrap();
    assert_eq!(
        refund(transport, &format!("https://{}", far.address)).await.unwrap(),
        "ok"
    );
}

#[tokio::test]
async fn an_answer_at_the_limit_is_read_and_one_past_it_is_not() {
    let announced = FarSide::playing(&[Act::Read, Act::Write(OK)]).await;
    let chunked = FarSide::playing(&[
        Act::Read,
        Act::Write("HTTP/1.1 200 OK\r\nx-serial: k1\r\nx-signature: 14119\r\nTransfer-Encoding: chunked\r\n\r\n"),
        Act::Write("1\r\no\r\n1\r\nk\r\n0\r\n\r\n"),
    ])
    .await;
    for far in [announced, chunked] {
        let with = |limit| patient().body_limit(limit).build().unwrap();
        assert_eq!(refund(with(2), &far.base()).await.unwrap(), "ok");
        fails(with(1), &far.base(), TransportErrorKind::TooLarge, Sent::Maybe).await;
    }
}

#[tokio::test]
async fn a_redirect_comes_back_as_it_is() {
    let far = FarSide::playing(&[
        Act::Read,
        Act::Write("HTTP/1.1 301 Moved\r\nLocation: /elsewhere\r\nSet-Cookie: a=b\r\nContent-Length: 0\r\n\r\n"),
    ])
    .await;
    let transport = patient().build().unwrap();
    for _ in 0..2 {
        let request = http::Request::get(far.base()).body("".into()).unwrap();
        let response = transport.send(request).await.unwrap();
        assert_eq!(response.status(), StatusCode::MOVED_PERMANENTLY);
        assert_eq!(response.headers()["location"], "/elsewhere");
    }
    assert_eq!(far.requests().len(), 2);
    assert!(
        far.requests()
            .iter()
            .all(|request| !request.contains("elsewhere") && !request.contains("cookie"))
    );
}

#[tokio::test]
async fn every_status_comes_back_as_it_is() {
    for status in [
        "202 Accepted",
        "204 No Content",
        "429 Too Many",
        "500 Oops",
        "502 Bad Gateway",
    ] {
        let text = format!("HTTP/1.1 {status}\r\nContent-Length: 0\r\n\r\n").leak();
        let script: &'static [Act] = vec![Act::Read, Act::Write(text)].leak();
        let far = FarSide::playing(script).await;
        let request = http::Request::get(far.base()).body("".into()).unwrap();
        let response = patient().build().unwrap().send(request).await.unwrap();
        assert!(status.starts_with(response.status().as_str()));
    }
}

#[tokio::test]
async fn a_request_on_a_kept_connection_is_not_sent_twice_when_it_is_cut() {
    let far = FarSide::playing(&[Act::Read, Act::Write(OK), Act::Read]).await;
    let client = Client::with_transport(Toy::at(&far.base()), patient().build().unwrap());
    client.call(&Refund).await.unwrap();
    let error = client.call(&Refund).await.unwrap_err();
    assert_eq!(error.fate(), Fate::Unknown);
    assert_eq!((far.connections(), far.requests().len()), (1, 2));
}

#[tokio::test]
async fn a_connection_is_used_again() {
    let far = FarSide::playing(&[Act::Read, Act::Write(OK), Act::Read, Act::Write(OK)]).await;
    let client = Client::with_transport(Toy::at(&far.base()), patient().build().unwrap());
    client.call(&Refund).await.unwrap();
    client.call(&Place).await.unwrap();
    assert_eq!(far.connections(), 1);
}

#[tokio::test]
async fn plain_http_to_another_machine_is_refused_before_anything_is_sent() {
    let transport = patient().build().unwrap();
    for address in [
        "http://platform.example/pay",
        "http://192.0.2.1/pay",
        "http://127.0.0.1.example/pay",
        "ftp://127.0.0.1/pay",
        "https://user@platform.example/pay",
        "/pay",
    ] {
        let request = http::Request::post(address).body("".into()).unwrap();
        let error = transport.send(request).await.unwrap_err();
        assert_eq!(
            (error.kind, error.sent),
            (TransportErrorKind::Refused, Sent::No),
            "{address}"
        );
        assert!(error.source.unwrap().to_string().contains("request address"));
    }
}

#[tokio::test]
async fn a_certificate_that_nobody_vouches_for_stops_before_anything_is_sent() {
    let pair = self_signed("127.0.0.1");
    let far = FarSide::playing_over_tls(acceptor(&pair, None), &[Act::Read, Act::Write(OK)]).await;
    let base = format!("https://{}", far.address);
    fails(patient().build().unwrap(), &base, TransportErrorKind::Tls, Sent::No).await;
    assert!(far.requests().is_empty());
    let trusting = patient().add_root(&pair.certificate).build().unwrap();
    assert_eq!(refund(trusting, &base).await.unwrap(), "ok");
}

#[tokio::test]
async fn an_added_authority_is_trusted_for_the_names_it_certifies_only() {
    let authority = Authority::new();
    let trusting = || {
        patient()
            .without_default_roots()
            .add_root(authority.pem())
            .build()
            .unwrap()
    };
    let right = acceptor(&authority.issue("127.0.0.1"), None);
    let wrong = acceptor(&authority.issue("platform.example"), None);
    let far = FarSide::playing_over_tls(right, &[Act::Read, Act::Write(OK)]).await;
    let base = format!("https://{}", far.address);
    assert_eq!(refund(trusting(), &base).await.unwrap(), "ok");
    let far = FarSide::playing_over_tls(wrong, &[Act::Read, Act::Write(OK)]).await;
    let base = format!("https://{}", far.address);
    fails(trusting(), &base, TransportErrorKind::Tls, Sent::No).await;
}

#[tokio::test]
async fn what_does_not_speak_tls_stops_before_anything_is_sent() {
    let answering = FarSide::playing(&[Act::Write("HTTP/1.1 400 Bad Request\r\n\r\n")]).await;
    let closing = FarSide::playing(&[]).await;
    for far in [answering, closing] {
        let base = format!("https://{}", far.address);
        fails(patient().build().unwrap(), &base, TransportErrorKind::Tls, Sent::No).await;
    }
}

#[tokio::test]
async fn where_both_ends_know_http_2_many_calls_share_one_connection() {
    let authority = Authority::new();
    let acceptor = acceptor_for(&authority.issue("127.0.0.1"), None, &["h2", "http/1.1"]);
    let far = FarSide::answering_http_2(acceptor, |request| {
        assert_eq!(request.version(), http::Version::HTTP_2);
        if request.uri().path() == "/refund" {
            None
        } else {
            Some(crate::toy::ok("ok"))
        }
    })
    .await;
    let transport = patient().add_root(authority.pem()).build().unwrap();
    let client = Client::with_transport(Toy::at(&format!("https://{}", far.address)), transport.clone());
    // Which protocol it is shows with the first connection.
    client.call(&Place).await.unwrap();
    let calls: Vec<_> = (0..10)
        .map(|_| {
            let client = client.clone();
            tokio::spawn(async move { client.call(&Place).await })
        })
        .collect();
    for call in calls {
        assert_eq!(call.await.unwrap().unwrap(), "ok");
    }
    // A stream that is reset was opened, so the far side may have acted.
    fails(
        transport,
        &format!("https://{}", far.address),
        TransportErrorKind::Cut,
        Sent::Maybe,
    )
    .await;
    assert_eq!(far.connections(), 1);
}

#[test]
fn a_setting_that_cannot_be_used_is_named() {
    let setting = |built: Result<HyperTransport, SetupError>| {
        let error = built.unwrap_err();
        (error.setting, error.problem)
    };
    let build = HyperTransport::builder;
    assert_eq!(
        setting(build().add_root("no PEM").build()),
        ("root", "there is no certificate in the PEM")
    );
    let garbage = "-----BEGIN CERTIFICATE-----\nAAAA\n-----END CERTIFICATE-----\n";
    assert_eq!(
        setting(build().add_root(garbage).build()),
        ("root", "is not a certificate that can be trusted")
    );
    let none = setting(build().without_default_roots().build());
    assert_eq!(none, ("root", "without default roots, at least one must be added"));
    for proxy in [
        "https://proxy:3128",
        "proxy:3128",
        "http://user:secret@proxy:3128",
        "http://proxy/path",
        "a b",
    ] {
        let error = build().proxy(proxy).build().unwrap_err();
        assert_eq!(error.setting, "proxy");
        assert!(!format!("{error} {error:?}").contains("secret"));
    }
}
