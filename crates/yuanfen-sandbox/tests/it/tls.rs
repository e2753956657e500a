//! The TLS listener: the names it answers to, the certificates that it asks for and demands, and what it listens on.

use std::net::SocketAddr;

use rustls::HandshakeKind;
use tokio::io::AsyncWriteExt;
use tokio::net::TcpStream;
use yuanfen_sandbox::{FaultKind, FaultRule, Platform, Sandbox, SandboxError};

use crate::raw_http::{Answer, parse, request_as};
use crate::secure::{self, connect, exchange, stranger};
use crate::shop::{clock, xml_fields};

async fn sandbox() -> Sandbox {
    Sandbox::builder()
        .clock(clock())
        .seed(1)
        .tls(true)
        .start()
        .await
        .unwrap()
}

const PAY: &str = "api.mch.weixin.qq.com";

/// Sends one of the hand-written calls to WeChat Pay's own host over TLS.
async fn send(sandbox: &Sandbox, call: &str, identity: Option<&secure::Identity>) -> Answer {
    let stream = connect(sandbox, PAY, identity).await.unwrap();
    parse(&exchange(stream, &request_as(call, PAY)).await)
}

#[tokio::test]
async fn answers_under_every_name_of_the_platforms_and_of_this_machine() {
    let sandbox = Sandbox::builder()
        .clock(clock())
        .tls(true)
        .server_name("sandbox")
        .platform_host(Platform::Mpgateway, "Pay.Operator.Example")
        .start()
        .await
        .unwrap();
    let names = sandbox.server_names();
    for name in [
        "api.mch.weixin.qq.com",
        "api2.mch.weixin.qq.com",
        "api.wechatpay.cn",
        "api2.wechatpay.cn",
        "api.weixin.qq.com",
        "open.weixin.qq.com",
        "gateway.starpos.com.cn",
        "sandbox.starpos.com.cn",
        "openapi-liquidation.51fubei.com",
        "openapi-liquidation-test.51fubei.com",
        "mpgateway.test",
        "sandbox",
        "pay.operator.example",
        "localhost",
        "127.0.0.1",
        "::1",
    ] {
        assert!(names.iter().any(|known| known == name), "{name}");
    }
    for name in names {
        // The client checks the name against the certificate.
        let stream = connect(&sandbox, name, None).await.unwrap();
        let request = format!("GET /nowhere HTTP/1.1\r\nHost: {name}\r\nConnection: close\r\n\r\n");
        assert_eq!(parse(&exchange(stream, request.as_bytes()).await).status, 404, "{name}");
    }
    assert!(connect(&sandbox, "example.com", None).await.is_err());
}

#[tokio::test]
async fn speaks_http_1_1_whatever_else_a_client_offers() {
    let sandbox = sandbox().await;
    let offer = |protocols: &[&[u8]]| {
        let mut config = secure::config(&sandbox, None);
        config.alpn_protocols = protocols.iter().map(|protocol| protocol.to_vec()).collect();
        config
    };
    let open = || TcpStream::connect(sandbox.tls_address().unwrap());
    let agreed = secure::over(open().await.unwrap(), PAY, offer(&[b"h2", b"http/1.1"])).await;
    assert_eq!(agreed.unwrap().get_ref().1.alpn_protocol(), Some(&b"http/1.1"[..]));
    let silent = secure::over(open().await.unwrap(), PAY, offer(&[])).await;
    assert_eq!(silent.unwrap().get_ref().1.alpn_protocol(), None);
    assert!(secure::over(open().await.unwrap(), PAY, offer(&[b"h2"])).await.is_err());
}

#[tokio::test]
async fn plays_version_3_over_tls_to_callers_without_a_certificate() {
    let sandbox = sandbox().await;
    let placed = send(&sandbox, "v3-place", None).await;
    assert_eq!(placed.status, 200);
    assert!(placed.is_signed());
    assert_eq!(send(&sandbox, "v2-place", None).await.status, 200);
}

#[tokio::test]
async fn demands_a_certificate_where_version_2_does_and_answers_others_as_its_web_server() {
    let sandbox = sandbox().await;
    let calls = [
        "v2-refund",
        "v2-refund-second-edition",
        "v2-reverse",
        "v2-fund-flow",
        "v2-comments",
    ];
    for (identity, words) in [
        (None, "No required SSL certificate was sent"),
        (Some(stranger()), "The SSL certificate error"),
    ] {
        for call in calls {
            let answer = send(&sandbox, call, identity.as_ref()).await;
            assert_eq!(answer.status, 400, "{call}");
            assert_eq!(answer.headers["content-type"], "text/html");
            let page = format!(
                "<html>\r\n<head><title>400 {words}</title></head>\r\n<body bgcolor=\"white\">\r\n\
                 <center><h1>400 Bad Request</h1></center>\r\n<center>{words}</center>\r\n\
                 <hr><center>nginx</center>\r\n</body>\r\n</html>\r\n"
            );
            assert_eq!(String::from_utf8(answer.body).unwrap(), page, "{call}");
        }
        // Where none is demanded, any will do.
        assert_eq!(send(&sandbox, "v2-query", identity.as_ref()).await.status, 200);
    }
    // Without TLS nobody can show one: there the signature alone says who asks.
    let plain = crate::raw_http::send(&sandbox, "v2-refund").await;
    assert_eq!(xml_fields(&plain.body)["err_code"], "ORDERNOTEXIST");
}

#[tokio::test]
async fn lets_a_merchant_in_with_its_own_certificate_and_no_other() {
    let sandbox = sandbox().await;
    let (own, provider) = (sandbox.wechat_v3(), sandbox.wechat_v3_provider());
    let own = secure::Identity {
        certificate: own.merchant_certificate_pem,
        key: own.merchant_private_key_pem.expose().clone(),
    };
    let provider = secure::Identity {
        certificate: provider.provider_certificate_pem,
        key: provider.provider_private_key_pem.expose().clone(),
    };
    for (call, code) in [
        ("v2-refund", "<err_code>ORDERNOTEXIST<"),
        ("v2-refund-second-edition", "<err_code>ORDERNOTEXIST<"),
        ("v2-reverse", "<err_code>TRADE_ERROR<"),
        ("v2-fund-flow", "<err_code>BILL_CREATING<"),
        // Nobody has said anything yet.
        ("v2-comments", "0"),
    ] {
        let answer = send(&sandbox, call, Some(&own)).await;
        let text = String::from_utf8(answer.body).unwrap();
        assert!(text.contains(code), "{call}: {text}");
        let answer = send(&sandbox, call, Some(&provider)).await;
        let fields = xml_fields(&answer.body);
        assert_eq!(fields["return_code"], "FAIL", "{call}");
        assert_eq!(fields["return_msg"], "certificate not match", "{call}");
        assert_eq!(fields.len(), 2, "{call}");
    }
}

#[tokio::test]
async fn gives_up_on_a_caller_that_speaks_no_tls() {
    let sandbox = sandbox().await;
    let mut stream = TcpStream::connect(sandbox.tls_address().unwrap()).await.unwrap();
    stream.write_all(b"GET / HTTP/1.1\r\nHost: x\r\n\r\n").await.unwrap();
    let answer = exchange(stream, b"").await;
    assert!(!answer.starts_with(b"HTTP/"), "{answer:?}");
}

#[tokio::test]
async fn listens_in_plain_http_on_loopback_alone_and_over_tls_where_it_is_told_to() {
    let everywhere: SocketAddr = "0.0.0.0:0".parse().unwrap();
    let refused = Sandbox::builder().listen(everywhere).start().await;
    assert!(matches!(refused, Err(SandboxError::NotLoopback(address)) if address == everywhere));

    let sandbox = Sandbox::builder()
        .tls_listen(everywhere)
        .connect_proxy_listen(everywhere)
        .start()
        .await
        .unwrap();
    assert!(sandbox.address().ip().is_loopback());
    assert!(sandbox.tls_address().unwrap().ip().is_unspecified());
    // What is handed on is an address that can be reached.
    assert!(sandbox.connect_proxy_url().unwrap().starts_with("http://127.0.0.1:"));

    let taken = Sandbox::builder().tls_listen(sandbox.address()).start().await;
    assert!(matches!(taken, Err(SandboxError::Listen { address, .. }) if address == sandbox.address()));
}

#[tokio::test]
async fn has_neither_tls_nor_a_proxy_unless_asked() {
    let sandbox = Sandbox::start().await.unwrap();
    assert_eq!(sandbox.tls_address(), None);
    assert_eq!(sandbox.connect_proxy_url(), None);
}

#[tokio::test]
async fn refuses_names_and_roots_that_are_none() {
    for name in [
        "",
        "a b",
        "https://x.example",
        "x.example:443",
        "x..example",
        "-x.example",
        "名.example",
    ] {
        let refused = Sandbox::builder().server_name(name).start().await;
        assert!(matches!(refused, Err(SandboxError::Name(_))), "{name}");
    }
    for root in ["", "-----BEGIN CERTIFICATE-----\nAAAA\n-----END CERTIFICATE-----\n"] {
        let refused = Sandbox::builder().notice_root(root).start().await;
        assert!(matches!(refused, Err(SandboxError::Tls(_))), "{root}");
    }
}

#[tokio::test]
async fn answers_by_the_number_of_an_address_beyond_loopback() {
    let Some(address) = crate::notices_https::private_address() else {
        return;
    };
    let sandbox = Sandbox::builder().clock(clock()).seed(1);
    let sandbox = sandbox.tls_listen(SocketAddr::new(address, 0)).start().await.unwrap();
    let host = sandbox.tls_address().unwrap();
    // The certificate is for it, and what is told is under it.
    crate::origins::with_a_trade(&sandbox);
    let stream = connect(&sandbox, &address.to_string(), None).await.unwrap();
    let ask = crate::shop::v3_request(&sandbox, "GET", crate::origins::BILL, "");
    let answer = exchange(stream, &crate::origins::bytes_of(&ask, &host.to_string(), "")).await;
    let told = parse(&answer).json()["download_url"].as_str().unwrap().to_owned();
    assert!(
        told.starts_with(&format!("https://{host}/v3/billdownload/file?")),
        "{told}"
    );
}

#[tokio::test]
async fn knows_a_merchant_again_on_a_session_that_is_resumed() {
    let sandbox = sandbox().await;
    let account = sandbox.wechat_v3();
    let own = secure::Identity {
        certificate: account.merchant_certificate_pem,
        key: account.merchant_private_key_pem.expose().clone(),
    };
    for version in [&rustls::version::TLS12, &rustls::version::TLS13] {
        // What a client keeps of one connection for the next is in its configuration.
        let config = secure::config_of(&sandbox, Some(&own), &[version]);
        for kind in [HandshakeKind::Full, HandshakeKind::Resumed] {
            let stream = TcpStream::connect(sandbox.tls_address().unwrap()).await.unwrap();
            let mut stream = secure::over(stream, PAY, config.clone()).await.unwrap();
            let answer = exchange(&mut stream, &request_as("v2-refund", PAY)).await;
            assert_eq!(stream.get_ref().1.handshake_kind(), Some(kind), "{version:?}");
            assert_eq!(
                xml_fields(&parse(&answer).body)["err_code"],
                "ORDERNOTEXIST",
                "{version:?}"
            );
        }
    }
}

#[tokio::test]
async fn cuts_encrypted_connections_by_plan_as_it_cuts_others() {
    let sandbox = sandbox().await;
    sandbox.set_faults(FaultRule::new(FaultKind::LoseReply).during("place-jsapi-order").nth(1));
    let stream = connect(&sandbox, PAY, None).await.unwrap();
    assert_eq!(exchange(stream, &request_as("v3-place", PAY)).await, b"");
    // The order is there all the same.
    assert_eq!(send(&sandbox, "v3-query", None).await.status, 200);
    sandbox.set_faults(FaultRule::new(FaultKind::CutReply).during("query-order").nth(1));
    let stream = connect(&sandbox, PAY, None).await.unwrap();
    let cut = exchange(stream, &request_as("v3-query", PAY)).await;
    let text = String::from_utf8_lossy(&cut);
    let (head, body) = text.split_once("\r\n\r\n").unwrap();
    let announced = head
        .lines()
        .find_map(|line| line.strip_prefix("Content-Length: "))
        .unwrap();
    assert!(!body.is_empty() && body.len() < announced.parse().unwrap(), "{text}");
}
