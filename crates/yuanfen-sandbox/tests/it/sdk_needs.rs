//! What SDKs in use were seen to break on, held over the wire in bytes. The calls are those of `tests/calls`, signed by
//! openssl and hashlib; the answers are compared as they leave the socket.
//!
//! 1. Response headers are spelled in title case.
//! 2. `Wechatpay-Signature-Type` is on every signed answer, on a 204 and on notices.
//! 3. A close is 204, signed over the empty body.
//! 4. Request bodies are verified raw: spacing, escapes, a newline at the end.
//! 5. Targets are verified raw: `*` or `%2A`, `|` or `%7C`, digits of escapes in either case.
//! 6. The parameters of `Authorization` come in any order.
//! 7. `Wechatpay-Serial` may be absent or empty, `Accept` absent or `*/*`, and a GET may have a `Content-Type`.
//! 8. `Wechatpay-Serial: PUB_KEY_ID_…` is answered with that key.
//! 9. JSON is compact, without escapes, as `application/json`, in the bodies of all errors too.
//! 10. Compressed bills come without `Content-Encoding`, and hold a byte order mark and a final newline.
//! 11. Serials are 40 digits of upper-case hex.
//! 12. On v2 every answer is signed but where `return_code` is `FAIL`, and `result_code` is always there where it is not.
//!     Files, what is refused about them, and reports are never signed (section 2.1 of the sheet).
//! 13. On v2 the request's `sign_type` is named in the answer, and notices are HMAC for HMAC orders only.
//! 14. On v2 elements come in any order, as `text/xml` or `application/xml`.
//! 15. HTTP: `Expect: 100-continue`, chunked bodies, connections that are kept, HEAD and methods nobody knows.

use std::io::Read as _;
use std::time::Duration;

use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;
use yuanfen_sandbox::{Account, Platform, Sandbox};
use yuanfen_testkit::oracle;

use crate::origins::{BILL, bytes_of, with_a_trade};
use crate::raw_http::{parse, request_as, sandbox, send};
use crate::shop::{Listener, raw, v2_request, v3_holds, v3_request, xml_fields};

const TYPE: &str = "WECHATPAY2-SHA256-RSA2048";

/// Head and body of an answer as they came.
async fn answer(sandbox: &Sandbox, request: &[u8]) -> (String, Vec<u8>) {
    let answer = raw(sandbox.address(), request).await;
    let end = answer.windows(4).position(|window| window == b"\r\n\r\n").unwrap();
    (
        String::from_utf8(answer[..end].to_vec()).unwrap(),
        answer[end + 4..].to_vec(),
    )
}

fn names(head: &str) -> Vec<&str> {
    let lines = head.lines().skip(1);
    lines.map(|line| line.split_once(": ").unwrap().0).collect()
}

fn is_title_case(name: &str) -> bool {
    name.split('-').all(|word| {
        let (first, rest) = word.split_at(1);
        first == first.to_uppercase() && rest == rest.to_lowercase()
    })
}

#[tokio::test]
async fn spells_headers_in_title_case_and_names_the_kind_of_signature_on_every_answer() {
    let sandbox = sandbox().await;
    for (call, status) in [
        ("v3-place", "HTTP/1.1 200 OK"),
        ("v3-place-other-amount", "HTTP/1.1 403 Forbidden"),
        ("v3-query", "HTTP/1.1 200 OK"),
        ("v3-certificates", "HTTP/1.1 200 OK"),
        ("v3-close", "HTTP/1.1 204 No Content"),
        ("v2-place", "HTTP/1.1 200 OK"),
    ] {
        let (head, _) = answer(&sandbox, &request_as(call, "sandbox")).await;
        assert_eq!(head.lines().next(), Some(status), "{call}");
        for name in names(&head) {
            assert!(is_title_case(name), "{call}: {name}");
        }
        if call.starts_with("v3") {
            for name in ["Timestamp", "Nonce", "Serial", "Signature", "Signature-Type"] {
                assert_eq!(
                    head.matches(&format!("\r\nWechatpay-{name}: ")).count(),
                    1,
                    "{call}: {name}"
                );
            }
            let kind = format!("Wechatpay-Signature-Type: {TYPE}");
            assert!(head.lines().any(|line| line == kind), "{call}");
        }
    }
}

#[tokio::test]
async fn names_the_kind_of_signature_on_notices_in_title_case() {
    let sandbox = sandbox().await;
    let shop = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
    let url = format!("http://{}/notify", shop.local_addr().unwrap());
    crate::shop::place(&sandbox, "order-1", 100, &url);
    sandbox.pay(Platform::WechatV3, "order-1").unwrap();
    let (mut stream, _) = shop.accept().await.unwrap();
    let mut received = vec![0; 65_536];
    let length = stream.read(&mut received).await.unwrap();
    let text = String::from_utf8_lossy(&received[..length]).into_owned();
    let head = text.split_once("\r\n\r\n").unwrap().0;
    assert!(
        head.contains(&format!("\r\nWechatpay-Signature-Type: {TYPE}")),
        "{head}"
    );
    for name in names(head) {
        assert!(is_title_case(name), "{name}");
    }
}

#[tokio::test]
async fn closes_with_204_signed_over_nothing() {
    let sandbox = sandbox().await;
    send(&sandbox, "v3-place").await;
    let closed = send(&sandbox, "v3-close").await;
    assert_eq!(closed.status, 204);
    assert!(closed.body.is_empty());
    assert!(!closed.headers.contains_key("content-type"));
    let certificate = sandbox.wechat_v3().platform_certificate_pem;
    assert!(v3_holds(&closed.headers, b"", &certificate));
}

#[tokio::test]
async fn verifies_bodies_as_they_were_sent() {
    for call in [
        "v3-place",
        "v3-place-loose",
        "v3-place-escaped",
        "v3-place-other-order-of-parameters",
    ] {
        let sandbox = sandbox().await;
        let placed = send(&sandbox, call).await;
        assert_eq!(placed.status, 200, "{call}: {}", String::from_utf8_lossy(&placed.body));
        // However it was written, it is the same order.
        let order = sandbox.order(Platform::WechatV3, "AB|12_-*").unwrap();
        assert_eq!(order.notify_url.as_deref(), Some("http://127.0.0.1:9/notify"));
        assert_eq!(send(&sandbox, "v3-place").await.body, placed.body, "{call}");
    }
}

#[tokio::test]
async fn verifies_targets_as_they_were_sent_and_takes_the_headers_that_clients_send() {
    let sandbox = sandbox().await;
    send(&sandbox, "v3-place").await;
    let usual = send(&sandbox, "v3-query").await;
    assert_eq!(usual.status, 200);
    for call in [
        "v3-query-raw-number",
        "v3-query-small-escapes",
        "v3-query-half-escaped",
        "v3-query-without-accept",
        "v3-query-accept-any",
        "v3-query-accept-java",
        "v3-query-accept-axios",
        "v3-query-accept-twice",
        "v3-query-with-content-type",
        "v3-query-empty-serial",
        "v3-query-unknown-serial",
    ] {
        let found = send(&sandbox, call).await;
        assert_eq!(found.status, 200, "{call}: {}", String::from_utf8_lossy(&found.body));
        assert_eq!(found.body, usual.body, "{call}");
        let account = sandbox.wechat_v3();
        assert_eq!(
            found.headers["wechatpay-serial"],
            account.platform_serial.as_str(),
            "{call}"
        );
        assert!(
            v3_holds(&found.headers, &found.body, &account.platform_certificate_pem),
            "{call}"
        );
    }
    let refused = send(&sandbox, "v3-query-accept-xml").await;
    assert_eq!(refused.refusal(), (400, "INVALID_REQUEST".to_owned()));
}

#[tokio::test]
async fn answers_with_the_public_key_whom_names_it_even_when_it_refuses() {
    let sandbox = sandbox().await;
    let account = sandbox.wechat_v3();
    let id = account.platform_public_key_id;
    assert!(id.starts_with("PUB_KEY_ID_"));
    // First nobody knows the order, then it is there.
    for status in [404, 200] {
        let answer = send(&sandbox, "v3-query-under-public-key").await;
        assert_eq!(answer.status, status);
        assert_eq!(answer.headers["wechatpay-serial"], id.as_str());
        assert!(v3_holds(
            &answer.headers,
            &answer.body,
            &account.platform_public_key_pem
        ));
        send(&sandbox, "v3-place").await;
    }
}

#[tokio::test]
async fn writes_json_on_one_line_without_escapes() {
    let sandbox = sandbox().await;
    send(&sandbox, "v3-place").await;
    let (head, body) = answer(&sandbox, &request_as("v3-query", "sandbox")).await;
    assert!(head.contains("\r\nContent-Type: application/json"), "{head}");
    let expected = "{\"amount\":{\"currency\":\"CNY\",\"total\":100},\"appid\":\"wx5a6d0b0c5a1e4d21\",\
                    \"mchid\":\"1900000001\",\"out_trade_no\":\"AB|12_-*\",\"trade_state\":\"NOTPAY\",\
                    \"trade_state_desc\":\"订单未支付\"}";
    assert_eq!(String::from_utf8(body).unwrap(), expected);
    // An address keeps its slashes.
    with_a_trade(&sandbox);
    let (_, body) = answer(
        &sandbox,
        &bytes_of(&v3_request(&sandbox, "GET", BILL, ""), "sandbox", ""),
    )
    .await;
    let text = String::from_utf8(body).unwrap();
    assert!(text.contains("\"download_url\":\"http://127.0.0.1:"), "{text}");
}

#[tokio::test]
async fn gives_every_error_a_body_in_json() {
    let sandbox = sandbox().await;
    let too_long = [
        &b"POST /v3/pay/transactions/jsapi HTTP/1.1\r\nHost: x\r\nContent-Length: 1048577\r\nConnection: close\r\n\r\n"
            [..],
        &vec![b'x'; 1_048_577],
    ]
    .concat();
    for (request, status, code) in [
        (request_as("v3-place-null-member", "sandbox"), 400, "PARAM_ERROR"),
        (
            request_as("v3-place-without-user-agent", "sandbox"),
            400,
            "INVALID_REQUEST",
        ),
        (request_as("v3-place-wrong-signature", "sandbox"), 401, "SIGN_ERROR"),
        (request_as("v3-query", "sandbox"), 404, "ORDER_NOT_EXIST"),
        (request_as("v3-unknown-path", "sandbox"), 404, "RESOURCE_NOT_EXISTS"),
        (
            request_as("v3-get-on-a-posting-path", "sandbox"),
            405,
            "INVALID_REQUEST",
        ),
        (
            b"GET /nowhere HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n".to_vec(),
            404,
            "RESOURCE_NOT_EXISTS",
        ),
        (
            b"PROPFIND /v3/certificates HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n".to_vec(),
            405,
            "INVALID_REQUEST",
        ),
        (too_long, 413, "INVALID_REQUEST"),
    ] {
        let answer = parse(&raw(sandbox.address(), &request).await);
        assert_eq!(answer.refusal(), (status, code.to_owned()));
        assert!(answer.json()["message"].is_string());
        let kind = answer.headers["content-type"].to_str().unwrap();
        assert!(kind.starts_with("application/json"), "{kind}");
    }
}

fn inflated(compressed: &[u8]) -> String {
    let mut text = String::new();
    flate2::read::GzDecoder::new(compressed)
        .read_to_string(&mut text)
        .unwrap();
    text
}

#[tokio::test]
async fn compresses_bills_as_files_and_not_as_http() {
    let sandbox = sandbox().await;
    with_a_trade(&sandbox);
    let ask = |target: &str| {
        bytes_of(
            &v3_request(&sandbox, "GET", target, ""),
            "sandbox",
            "Accept-Encoding: gzip\r\n",
        )
    };
    let applied = parse(&raw(sandbox.address(), &ask(&format!("{BILL}&tar_type=GZIP"))).await).json();
    let address = applied["download_url"].as_str().unwrap();
    let target = address.strip_prefix(sandbox.base_url()).unwrap();
    let (head, body) = answer(&sandbox, &ask(target)).await;
    assert!(head.starts_with("HTTP/1.1 200 "), "{head}");
    assert!(!names(&head).contains(&"Content-Encoding"), "{head}");
    let text = inflated(&body);
    assert!(text.starts_with('\u{feff}') && text.ends_with('\n'), "{text}");
    assert_eq!(applied["hash_value"], oracle::sha1_hex(text.as_bytes()));

    let place = v2_request(
        &sandbox,
        "/pay/unifiedorder",
        &[
            ("body", "noodles"),
            ("out_trade_no", "v2-1"),
            ("total_fee", "5"),
            ("spbill_create_ip", "127.0.0.1"),
            ("notify_url", "http://127.0.0.1:9/n"),
            ("trade_type", "APP"),
        ],
    );
    sandbox.answer(&place).unwrap();
    sandbox.pay(Platform::WechatV2, "v2-1").unwrap();
    sandbox.clock().advance(Duration::from_secs(86_400)).unwrap();
    let fields = [("bill_date", "20251010"), ("bill_type", "ALL"), ("tar_type", "GZIP")];
    let mut bill = v2_request(&sandbox, "/pay/downloadbill", &fields);
    let length = bill.body().len().into();
    bill.headers_mut().insert("content-length", length);
    let (head, body) = answer(&sandbox, &bytes_of(&bill, "sandbox", "")).await;
    assert!(!names(&head).contains(&"Content-Encoding"), "{head}");
    let text = inflated(&body);
    assert!(text.starts_with('\u{feff}') && text.ends_with('\n'), "{text}");
}

#[tokio::test]
async fn writes_serials_as_forty_digits_of_upper_case_hex() {
    let sandbox = sandbox().await;
    let is_serial = |text: &str| {
        text.len() == 40
            && text
                .bytes()
                .all(|byte| byte.is_ascii_digit() || (b'A'..=b'F').contains(&byte))
    };
    assert!(is_serial(&sandbox.wechat_v3().merchant_serial));
    assert!(is_serial(&sandbox.wechat_v3_provider().provider_serial));
    loop {
        let listed = send(&sandbox, "v3-certificates").await;
        let serial = listed.headers["wechatpay-serial"].to_str().unwrap();
        assert!(is_serial(serial), "{serial}");
        for certificate in listed.json()["data"].as_array().unwrap() {
            assert!(is_serial(certificate["serial_no"].as_str().unwrap()));
        }
        if sandbox.rotate_platform_certificate().is_none() {
            break;
        }
    }
}

const V2_KEY: &str = "ThrowAwaySandboxApiKeyOfWechatV2";

#[tokio::test]
async fn signs_every_v2_answer_but_where_the_message_itself_was_refused() {
    let sandbox = sandbox().await;
    for (call, code) in [
        ("v2-place", "SUCCESS"),
        ("v2-place-zero", "FAIL"),
        ("v2-query", "SUCCESS"),
        ("v2-close", "SUCCESS"),
        ("v2-micropay", "FAIL"),
        ("v2-reverse", "FAIL"),
        ("v2-refund", "FAIL"),
        ("v2-refund-second-edition", "FAIL"),
        ("v2-refund-query", "FAIL"),
        ("v2-refund-query-second-edition", "FAIL"),
        ("v2-code-to-openid", "FAIL"),
        ("v2-short-link", "SUCCESS"),
    ] {
        let mut fields = xml_fields(&send(&sandbox, call).await.body);
        assert_eq!(fields["return_code"], "SUCCESS", "{call}");
        assert_eq!(fields.get("result_code").map(String::as_str), Some(code), "{call}");
        let sign = fields.remove("sign").unwrap_or_else(|| panic!("{call} is not signed"));
        let made = match sign.len() {
            64 => oracle::v2_hmac(&fields, V2_KEY),
            _ => oracle::v2_md5(&fields, V2_KEY),
        };
        assert_eq!(sign, made, "{call}");
    }
    for (call, code) in [("v2-fund-flow", "FAIL"), ("v2-report", "SUCCESS")] {
        let fields = xml_fields(&send(&sandbox, call).await.body);
        assert_eq!(fields["result_code"], code, "{call}");
        assert!(!fields.contains_key("sign"), "{call}");
    }
    for call in [
        "v2-place-unsigned",
        "v2-place-md5-under-hmac",
        "v2-bill",
        "v2-bill-wrong-signature",
    ] {
        let fields = xml_fields(&send(&sandbox, call).await.body);
        assert_eq!(fields["return_code"], "FAIL", "{call}");
        assert!(!fields.contains_key("sign"), "{call}");
    }
}

#[tokio::test]
async fn names_the_digest_that_the_request_names_and_no_other() {
    let sandbox = sandbox().await;
    for (call, named) in [
        ("v2-query", None),
        ("v2-query-naming-md5", Some("MD5")),
        ("v2-query-naming-hmac", Some("HMAC-SHA256")),
        ("v2-place-hmac", Some("HMAC-SHA256")),
        // Also where the answer says no.
        ("v2-micropay-hmac", Some("HMAC-SHA256")),
    ] {
        let fields = xml_fields(&send(&sandbox, call).await.body);
        assert_eq!(fields.get("sign_type").map(String::as_str), named, "{call}");
        let digits = if named == Some("HMAC-SHA256") { 64 } else { 32 };
        assert_eq!(fields["sign"].len(), digits, "{call}");
    }
}

#[tokio::test]
async fn tells_of_a_payment_under_the_digest_of_its_order() {
    for (digest, digits) in [(None, 32), (Some("MD5"), 32), (Some("HMAC-SHA256"), 64)] {
        let sandbox = sandbox().await;
        let shop = Listener::start(&[(200, "<xml><return_code>SUCCESS</return_code></xml>")]).await;
        let mut fields = vec![
            ("body", "noodles"),
            ("out_trade_no", "v2-1"),
            ("total_fee", "5"),
            ("spbill_create_ip", "127.0.0.1"),
            ("notify_url", shop.url.as_str()),
            ("trade_type", "APP"),
        ];
        fields.extend(digest.map(|digest| ("sign_type", digest)));
        sandbox
            .answer(&v2_request(&sandbox, "/pay/unifiedorder", &fields))
            .unwrap();
        sandbox.pay(Account::from(Platform::WechatV2), "v2-1").unwrap();
        sandbox.delivered().await;
        let notice = xml_fields(shop.received()[0].body());
        assert_eq!(notice["sign"].len(), digits);
        let named = notice.get("sign_type").map(String::as_str);
        assert_eq!(named == Some("HMAC-SHA256"), digits == 64, "{named:?}");
    }
}

#[tokio::test]
async fn reads_v2_messages_in_every_way_that_xml_allows() {
    let sandbox = sandbox().await;
    send(&sandbox, "v2-place").await;
    for call in [
        "v2-query",
        "v2-query-reversed",
        "v2-query-application-xml",
        "v2-query-without-type",
        "v2-query-loose",
    ] {
        let fields = xml_fields(&send(&sandbox, call).await.body);
        assert_eq!(fields["result_code"], "SUCCESS", "{call}");
        assert_eq!(fields["trade_state"], "NOTPAY", "{call}");
    }
}

/// Reads one answer with a `Content-Length`, and leaves what comes behind it.
async fn one_answer(stream: &mut TcpStream) -> (String, Vec<u8>) {
    let mut head = Vec::new();
    while !head.ends_with(b"\r\n\r\n") {
        head.push(stream.read_u8().await.expect("the connection was kept"));
    }
    let head = String::from_utf8(head).unwrap();
    let length = head
        .lines()
        .find_map(|line| line.strip_prefix("Content-Length: "))
        .map_or(0, |length| length.parse().unwrap());
    let mut body = vec![0; length];
    stream.read_exact(&mut body).await.unwrap();
    (head, body)
}

/// Head and body of a hand-written call, kept open.
fn kept(call: &str) -> (String, Vec<u8>) {
    let request = request_as(call, "sandbox");
    let end = request.windows(4).position(|window| window == b"\r\n\r\n").unwrap();
    let head = String::from_utf8(request[..end].to_vec()).unwrap();
    (head.replace("\r\nConnection: close", ""), request[end + 4..].to_vec())
}

#[tokio::test]
async fn keeps_connections_tells_who_waits_to_go_on_and_reads_bodies_in_chunks() {
    let sandbox = sandbox().await;
    let mut stream = TcpStream::connect(sandbox.address()).await.unwrap();
    let (head, body) = kept("v3-place");

    // curl waits for this before it sends a body of more than a kibibyte.
    let expecting = format!("{head}\r\nExpect: 100-continue\r\n\r\n");
    stream.write_all(expecting.as_bytes()).await.unwrap();
    let (go_on, _) = one_answer(&mut stream).await;
    assert_eq!(go_on, "HTTP/1.1 100 Continue\r\n\r\n");
    stream.write_all(&body).await.unwrap();
    let (status, first) = one_answer(&mut stream).await;
    assert!(status.starts_with("HTTP/1.1 200 OK\r\n"), "{status}");

    // The same call on the same connection, its body in three pieces.
    let chunked = head.replacen("\r\nContent-Length: 237", "\r\nTransfer-Encoding: chunked", 1);
    let mut request = format!("{chunked}\r\n\r\n").into_bytes();
    for piece in [&body[..1], &body[1..200], &body[200..]] {
        request.extend_from_slice(format!("{:x}\r\n", piece.len()).as_bytes());
        request.extend_from_slice(piece);
        request.extend_from_slice(b"\r\n");
    }
    request.extend_from_slice(b"0\r\n\r\n");
    stream.write_all(&request).await.unwrap();
    let (status, again) = one_answer(&mut stream).await;
    assert!(status.starts_with("HTTP/1.1 200 OK\r\n"), "{status}");
    assert_eq!(again, first);

    // Two calls at once are answered one after the other, and then the last one closes.
    let (query, _) = kept("v3-query");
    let last = request_as("v3-close", "sandbox");
    let both = [format!("{query}\r\n\r\n").as_bytes(), &last].concat();
    stream.write_all(&both).await.unwrap();
    let (status, found) = one_answer(&mut stream).await;
    assert!(status.starts_with("HTTP/1.1 200 OK\r\n"), "{status}");
    assert!(found.ends_with("订单未支付\"}".as_bytes()));
    let mut rest = Vec::new();
    stream.read_to_end(&mut rest).await.unwrap();
    assert!(rest.starts_with(b"HTTP/1.1 204 No Content\r\n"));
}

#[tokio::test]
async fn answers_head_without_a_body_and_callers_of_http_1_0() {
    let sandbox = sandbox().await;
    let (head, body) = answer(
        &sandbox,
        b"HEAD /v3/certificates HTTP/1.1\r\nHost: x\r\nUser-Agent: u\r\nConnection: close\r\n\r\n",
    )
    .await;
    assert!(head.starts_with("HTTP/1.1 405 Method Not Allowed"), "{head}");
    assert!(body.is_empty());
    // No host, and the connection ends with the answer.
    let (head, _) = answer(&sandbox, b"GET /v3/certificates HTTP/1.0\r\n\r\n").await;
    assert!(head.contains(" 400 Bad Request"), "{head}");
}

#[tokio::test]
async fn does_not_wait_for_ever_for_a_head_that_does_not_come_and_refuses_what_is_none() {
    let sandbox = sandbox().await;
    for request in [
        &b"\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03"[..],
        b"GET /\r\n\r\n",
        b"hello\r\n\r\n",
    ] {
        let answer = raw(sandbox.address(), request).await;
        assert!(answer.is_empty() || answer.starts_with(b"HTTP/1.1 400 "), "{answer:?}");
    }
    assert!(sandbox.exchanges().is_empty());
}

#[tokio::test]
async fn tells_who_sends_too_much_so_and_not_by_a_reset() {
    let sandbox = sandbox().await;
    let head = "POST /v3/pay/transactions/jsapi HTTP/1.1\r\nHost: x\r\nContent-Length: 8388608\r\n";
    let mut stream = TcpStream::connect(sandbox.address()).await.unwrap();
    let sent = [format!("{head}\r\n").as_bytes(), &vec![b'x'; 8_388_608]].concat();
    stream.write_all(&sent).await.unwrap();
    let (status, body) = one_answer(&mut stream).await;
    assert!(status.starts_with("HTTP/1.1 413 "), "{status}");
    assert!(body.starts_with(b"{\"code\":\"INVALID_REQUEST\""));

    // Who asks first is told before it sends anything.
    let mut stream = TcpStream::connect(sandbox.address()).await.unwrap();
    let asked = format!("{head}Expect: 100-continue\r\n\r\n");
    stream.write_all(asked.as_bytes()).await.unwrap();
    let (status, _) = one_answer(&mut stream).await;
    assert!(status.starts_with("HTTP/1.1 413 "), "{status}");
    assert!(sandbox.exchanges().is_empty());
}
