//! The proxy, with requests as the clients of several languages write them: where it leads, and where it does not.

use std::net::SocketAddr;

use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpListener, TcpStream};
use yuanfen_sandbox::Sandbox;

use crate::raw_http::{Answer, parse, request_as};
use crate::secure::{self, exchange};
use crate::shop::{clock, raw};

const PAY: &str = "api.mch.weixin.qq.com";

async fn sandbox() -> Sandbox {
    let builder = Sandbox::builder().clock(clock()).seed(1).tls(true);
    builder.connect_proxy(true).start().await.unwrap()
}

fn address(sandbox: &Sandbox) -> SocketAddr {
    let url = sandbox.connect_proxy_url().unwrap();
    url.strip_prefix("http://").unwrap().parse().unwrap()
}

/// Reads the head of an answer and nothing behind it.
async fn head(stream: &mut TcpStream) -> String {
    let mut head = Vec::new();
    while !head.ends_with(b"\r\n\r\n") {
        head.push(stream.read_u8().await.expect("the answer has a head"));
    }
    String::from_utf8(head).unwrap()
}

async fn tunnel(sandbox: &Sandbox, request: &str) -> (TcpStream, String) {
    let mut stream = TcpStream::connect(address(sandbox)).await.unwrap();
    stream.write_all(request.as_bytes()).await.unwrap();
    let head = head(&mut stream).await;
    (stream, head)
}

async fn refused(sandbox: &Sandbox, request: &str) -> Answer {
    parse(&raw(address(sandbox), request.as_bytes()).await)
}

#[tokio::test]
async fn ends_tls_for_a_platforms_host_and_answers_there() {
    let sandbox = sandbox().await;
    for request in [
        // As Python's http.client writes it, as Node's https-proxy-agent, and with credentials, which nobody looks at.
        "CONNECT api.mch.weixin.qq.com:443 HTTP/1.0\r\n\r\n",
        "CONNECT api.mch.weixin.qq.com:443 HTTP/1.1\r\nHost: api.mch.weixin.qq.com:443\r\nProxy-Connection: close\r\n\r\n",
        "CONNECT API.mch.weixin.qq.com:443 HTTP/1.1\r\nHost: x\r\nProxy-Authorization: Basic YTpi\r\nUser-Agent: curl/8\r\n\
         \r\n",
    ] {
        let (stream, head) = tunnel(&sandbox, request).await;
        let mut lines = head.lines();
        let status = lines.next().unwrap();
        assert!(status.ends_with(" 200 Connection Established"), "{head}");
        // A length or an encoding here makes clients wait for a body, and undici complain.
        let lower = head.to_ascii_lowercase();
        assert!(
            !lower.contains("content-length") && !lower.contains("transfer-encoding"),
            "{head}"
        );
        let stream = secure::over(stream, PAY, secure::config(&sandbox, None)).await.unwrap();
        let answer = parse(&exchange(stream, &request_as("v3-place", PAY)).await);
        assert_eq!(answer.status, 200);
        assert!(answer.is_signed());
    }
    assert_eq!(sandbox.exchanges().len(), 3);
}

#[tokio::test]
async fn leads_nowhere_but_to_the_sandbox_and_says_so() {
    let sandbox = sandbox().await;
    // The shop, or any other server of this machine.
    let other = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let shop = other.local_addr().unwrap();
    for target in [
        "example.com:443".to_owned(),
        "api.mch.weixin.qq.com.example.com:443".to_owned(),
        "api.mch.weixin.qq.com:22".to_owned(),
        "127.0.0.1:443".to_owned(),
        shop.to_string(),
        format!("localhost:{}", shop.port()),
        "[::1]:22".to_owned(),
    ] {
        let connect = refused(
            &sandbox,
            &format!("CONNECT {target} HTTP/1.1\r\nHost: {target}\r\nConnection: close\r\n\r\n"),
        )
        .await;
        let plain = refused(
            &sandbox,
            &format!("GET http://{target}/ HTTP/1.1\r\nHost: {target}\r\nConnection: close\r\n\r\n"),
        )
        .await;
        for answer in [connect, plain] {
            assert_eq!(answer.status, 403, "{target}");
            assert_eq!(answer.headers["content-type"], "text/plain; charset=utf-8");
            let words = String::from_utf8(answer.body).unwrap();
            let start = "the sandbox's proxy leads to the sandbox and never to the network, and ";
            assert!(
                words.starts_with(&format!("{start}{target} is not the sandbox's.")),
                "{words}"
            );
            assert!(
                words.contains("api.mch.weixin.qq.com") && words.contains("NO_PROXY"),
                "{words}"
            );
        }
    }
    let nobody = tokio::time::timeout(std::time::Duration::from_millis(50), other.accept()).await;
    assert!(nobody.is_err(), "the proxy opened a connection");
    assert!(sandbox.exchanges().is_empty());
}

#[tokio::test]
async fn takes_plain_http_in_either_form_for_hosts_that_are_called_so() {
    let sandbox = sandbox().await;
    let body = "{}";
    let post = |target: &str| {
        format!(
            "POST {target} HTTP/1.1\r\nHost: gateway.starpos.com.cn\r\nContent-Length: {}\r\nConnection: close\r\n\r\n{body}",
            body.len()
        )
    };
    // Most clients name the address in the request line; undici opens a tunnel for plain http too.
    let path = "/adpweb/ehpspos3/pubSigQry.json";
    let named = refused(&sandbox, &post(&format!("http://gateway.starpos.com.cn{path}"))).await;
    let connect = "CONNECT gateway.starpos.com.cn:80 HTTP/1.1\r\nHost: gateway.starpos.com.cn:80\r\n\r\n";
    let (stream, _) = tunnel(&sandbox, connect).await;
    let inside = parse(&exchange(stream, post(path).as_bytes()).await);
    for answer in [named, inside] {
        assert_eq!(answer.status, 200);
        assert!(answer.json()["returnCode"].is_string());
    }
    let operations: Vec<&str> = sandbox.exchanges().iter().map(|exchange| exchange.operation).collect();
    assert_eq!(operations, ["look-up-account", "look-up-account"]);
}

#[tokio::test]
async fn reaches_the_sandboxs_own_ports_for_clients_that_send_everything_through_a_proxy() {
    let sandbox = sandbox().await;
    let plain = sandbox.address();
    let answer = refused(
        &sandbox,
        &format!("GET http://{plain}/v3/certificates HTTP/1.1\r\nHost: {plain}\r\nConnection: close\r\n\r\n"),
    )
    .await;
    assert_eq!(answer.status, 400);
    assert_eq!(answer.json()["code"], "INVALID_REQUEST");

    let tls = format!("localhost:{}", sandbox.tls_address().unwrap().port());
    let (stream, _) = tunnel(&sandbox, &format!("CONNECT {tls} HTTP/1.1\r\nHost: {tls}\r\n\r\n")).await;
    let stream = secure::over(stream, "localhost", secure::config(&sandbox, None))
        .await
        .unwrap();
    let answer = parse(&exchange(stream, &request_as("v3-place", &tls)).await);
    assert_eq!(answer.status, 200);
}

#[tokio::test]
async fn tells_who_takes_it_for_a_server_what_it_is() {
    let sandbox = sandbox().await;
    for request in [
        "GET /v3/certificates HTTP/1.1\r\nHost: api.mch.weixin.qq.com\r\nConnection: close\r\n\r\n",
        "GET https://api.mch.weixin.qq.com/v3/certificates HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n",
        "CONNECT api.mch.weixin.qq.com HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n",
    ] {
        let answer = refused(&sandbox, request).await;
        assert_eq!(answer.status, 400, "{request}");
        let words = String::from_utf8(answer.body).unwrap();
        assert!(words.contains("proxy") || words.contains("CONNECT"), "{words}");
    }
    let words = String::from_utf8(refused(&sandbox, "GET / HTTP/1.0\r\n\r\n").await.body).unwrap();
    assert!(words.contains(&format!("http://{}", sandbox.address())), "{words}");
}

/// Open descriptors of this process that are sockets of that port, by the system's own table.
#[cfg(target_os = "linux")]
fn sockets_of(port: u16) -> usize {
    let table = std::fs::read_to_string("/proc/net/tcp").unwrap();
    let local = format!(":{port:04X}");
    let established = "01";
    table
        .lines()
        .skip(1)
        .filter(|line| {
            let mut columns = line.split_whitespace().skip(1);
            let (mine, _, state) = (columns.next().unwrap(), columns.next(), columns.next().unwrap());
            mine.ends_with(&local) && state == established
        })
        .count()
}

#[cfg(target_os = "linux")]
#[tokio::test(flavor = "multi_thread")]
async fn keeps_nothing_of_thousands_of_tunnels() {
    let sandbox = sandbox().await;
    let port = address(&sandbox).port();
    for round in 0..20 {
        let mut open = Vec::new();
        for _ in 0..100 {
            let (stream, head) = tunnel(
                &sandbox,
                "CONNECT api.mch.weixin.qq.com:443 HTTP/1.1\r\nHost: x\r\n\r\n",
            )
            .await;
            assert!(head.starts_with("HTTP/1.1 200 "));
            open.push(stream);
        }
        assert!(sockets_of(port) >= 100, "round {round}");
    }
    let mut left = sockets_of(port);
    for _ in 0..100 {
        if left == 0 {
            break;
        }
        tokio::time::sleep(std::time::Duration::from_millis(50)).await;
        left = sockets_of(port);
    }
    assert_eq!(left, 0);
}

#[tokio::test]
async fn ends_open_tunnels_with_the_sandbox() {
    let sandbox = sandbox().await;
    let (mut stream, _) = tunnel(
        &sandbox,
        "CONNECT api.mch.weixin.qq.com:443 HTTP/1.1\r\nHost: x\r\n\r\n",
    )
    .await;
    drop(sandbox);
    let mut rest = Vec::new();
    let ended = tokio::time::timeout(std::time::Duration::from_secs(5), stream.read_to_end(&mut rest)).await;
    assert!(ended.is_ok(), "the tunnel outlived the sandbox");
    assert!(rest.is_empty());
}

#[tokio::test]
async fn needs_no_tls_listener_beside_it() {
    let sandbox = Sandbox::builder()
        .clock(clock())
        .seed(1)
        .connect_proxy(true)
        .start()
        .await
        .unwrap();
    assert_eq!(sandbox.tls_address(), None);
    let (stream, _) = tunnel(&sandbox, "CONNECT api.wechatpay.cn:443 HTTP/1.1\r\nHost: x\r\n\r\n").await;
    let host = "api.wechatpay.cn";
    let stream = secure::over(stream, host, secure::config(&sandbox, None))
        .await
        .unwrap();
    assert_eq!(
        parse(&exchange(stream, &request_as("v3-place", host)).await).status,
        200
    );
}
