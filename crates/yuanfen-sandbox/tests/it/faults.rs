//! Each fault does what it says, where it is told to, and nowhere else.

mod bodies;
mod facts;
mod keys;
mod notices;
mod payers;
mod refusals;
mod replay;

use std::time::{Duration, Instant};

use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use yuanfen_sandbox::{FaultKind, FaultPlan, FaultRule, NoticeOutcome, Platform, Sandbox};
use yuanfen_testkit::oracle;

use crate::shop::{self, Listener, clock, far_side, json_of, place, query, raw, v3, v3_holds, v3_request};

const V3: Platform = Platform::WechatV3;
const URL: &str = "http://127.0.0.1:9/notify";
const QUERY: &str = "/v3/pay/transactions/out-trade-no/order-1?mchid=1900000001";
const CLOSE: &str = "/v3/pay/transactions/out-trade-no/order-1/close";
const UNIFIED: [(&str, &str); 7] = [
    ("body", "noodles"),
    ("out_trade_no", "v2-order-1"),
    ("total_fee", "990"),
    ("spbill_create_ip", "127.0.0.1"),
    ("notify_url", URL),
    ("trade_type", "JSAPI"),
    ("openid", "oSomebody"),
];

#[test]
fn corrupts_every_signature_of_replies_and_notices_on_its_route_alone() {
    for (struck, kind) in [
        (Platform::WechatV2, FaultKind::CorruptSignature),
        (Platform::WechatV3, FaultKind::CorruptSignature),
        (Platform::WechatV2, FaultKind::ProbeSignature),
        (Platform::WechatV3, FaultKind::ProbeSignature),
    ] {
        let far_side = far_side();
        far_side.set_faults(FaultRule::new(kind).on(struck));
        let key = far_side.wechat_v2().api_key.expose().clone();
        let v2_holds = |fields: &oracle::Map| fields["sign"] == oracle::v2_md5(fields, &key);
        let (v2_sound, v3_sound) = (struck != Platform::WechatV2, struck != Platform::WechatV3);

        for path in ["/pay/unifiedorder", "/pay/orderquery", "/pay/closeorder"] {
            assert_eq!(v2_holds(&shop::v2(&far_side, path, &UNIFIED)), v2_sound, "{path}");
        }
        let certificate = far_side.wechat_v3().platform_certificate_pem;
        let order = shop::order("order-1", 100, URL);
        for (method, target, body, status) in [
            ("POST", "/v3/pay/transactions/jsapi", order.as_str(), 200),
            ("GET", QUERY, "", 200),
            ("GET", "/v3/certificates", "", 200),
            ("GET", "/v3/refund/domestic/refunds/R1", "", 404),
            ("GET", "/v3/bill/tradebill?bill_date=2025-10-08", "", 400),
        ] {
            let response = v3(&far_side, method, target, body);
            assert_eq!(response.status(), status, "{target}");
            let holds = v3_holds(response.headers(), response.body(), &certificate);
            assert_eq!(holds, v3_sound, "{target}");
            let signature = response.headers()["wechatpay-signature"].to_str().unwrap();
            let is_probe = kind == FaultKind::ProbeSignature && !v3_sound;
            assert_eq!(signature.starts_with("WECHATPAY/SIGNTEST/"), is_probe);
        }
        let fields = UNIFIED.map(|(name, value)| (name, if name == "out_trade_no" { "v2-order-2" } else { value }));
        shop::v2(&far_side, "/pay/unifiedorder", &fields);
        far_side.pay(Platform::WechatV2, "v2-order-2").unwrap();
        far_side.pay(V3, "order-1").unwrap();
        shop::refund(&far_side, "order-1", "R1", 1, 100);
        far_side
            .settle_refund(V3, "R1", yuanfen_sandbox::RefundState::Succeeded)
            .unwrap();
        let notices = far_side.due_notices();
        assert_eq!(notices.len(), 3);
        assert_eq!(v2_holds(&shop::xml_fields(notices[0].request.body())), v2_sound);
        for notice in &notices[1..] {
            let holds = v3_holds(notice.request.headers(), notice.request.body(), &certificate);
            assert_eq!(holds, v3_sound);
        }
    }
}

#[test]
fn strikes_the_nth_call_of_an_operation_and_no_other() {
    let far_side = far_side();
    place(&far_side, "order-1", 100, URL);
    far_side.set_faults(FaultRule::new(FaultKind::LoseReply).on(V3).during("query-order").nth(2));
    let ask = || far_side.answer(&v3_request(&far_side, "GET", QUERY, ""));
    assert!(ask().is_ok());
    assert!(v3(&far_side, "GET", "/v3/certificates", "").status().is_success());
    assert_eq!(ask().unwrap_err().to_string(), "the connection was cut");
    assert!(ask().is_ok());
    let struck: Vec<bool> = far_side
        .exchanges()
        .iter()
        .map(|exchange| !exchange.faults.is_empty())
        .collect();
    assert_eq!(struck, [false, false, false, true, false]);
    assert_eq!(far_side.exchanges()[3].status, None);
}

#[test]
fn a_lost_reply_took_effect_and_a_lost_request_did_not() {
    for (kind, happened) in [
        (FaultKind::LoseRequest, false),
        (FaultKind::LoseReply, true),
        (FaultKind::CutReply, true),
        (FaultKind::Status(502), true),
        (FaultKind::EmptyReply, true),
        (FaultKind::Accepted, true),
        (FaultKind::UnsignedError, false),
        (FaultKind::SystemError, true),
        (FaultKind::CorruptSignature, true),
    ] {
        let far_side = far_side();
        place(&far_side, "order-1", 100, URL);
        far_side.set_faults(FaultRule::new(kind).during("close-order"));
        let request = v3_request(&far_side, "POST", CLOSE, "{\"mchid\":\"1900000001\"}");
        let answer = far_side.answer(&request);
        let status = match kind {
            FaultKind::LoseRequest | FaultKind::LoseReply | FaultKind::CutReply => None,
            FaultKind::Status(status) => Some(status),
            FaultKind::EmptyReply => Some(200),
            FaultKind::Accepted => Some(202),
            FaultKind::UnsignedError | FaultKind::SystemError => Some(500),
            _ => Some(204),
        };
        assert_eq!(answer.ok().map(|answer| answer.status().as_u16()), status, "{kind}");
        let closed = query(&far_side, "order-1")["trade_state"] == "CLOSED";
        assert_eq!(closed, happened, "{kind}");
    }
}

#[test]
fn gateway_answers_are_html_and_unsigned() {
    let far_side = far_side();
    far_side.set_faults(FaultKind::Status(503));
    let response = v3(&far_side, "GET", "/v3/certificates", "");
    assert_eq!(response.status(), 503);
    assert_eq!(response.headers()["content-type"], "text/html; charset=utf-8");
    assert!(response.body().starts_with(b"<html>"));
    assert!(!response.headers().contains_key("wechatpay-signature"));
}

#[test]
fn unsigned_errors_have_the_form_of_their_platform() {
    let far_side = far_side();
    far_side.set_faults(FaultKind::UnsignedError);
    let response = v3(&far_side, "GET", "/v3/certificates", "");
    assert_eq!(shop::refusal(&response), (500, "SYSTEM_ERROR".to_owned()));
    assert!(!response.headers().contains_key("wechatpay-signature"));
    let fields = shop::v2(&far_side, "/pay/unifiedorder", &UNIFIED);
    assert_eq!(fields["return_code"], "FAIL");
    assert!(!fields.contains_key("sign"));
    assert!(far_side.order(Platform::WechatV2, "v2-order-1").is_none());
}

#[test]
fn new_fields_and_values_are_signed_like_all_others() {
    let far_side = far_side();
    place(&far_side, "order-1", 100, URL);
    shop::v2(&far_side, "/pay/unifiedorder", &UNIFIED);
    far_side.pay(V3, "order-1").unwrap();
    far_side.pay(Platform::WechatV2, "v2-order-1").unwrap();
    let plan = FaultPlan::from(FaultKind::AddFields).with(FaultRule::new(FaultKind::UnknownValues));
    far_side.set_faults(plan);
    let response = v3(&far_side, "GET", QUERY, "");
    let answer = json_of(&response);
    assert_eq!(answer["bank_type"], "SANDBOX_NEW_VALUE");
    assert!(answer["sandbox_new_field"].is_object());
    assert!(v3_holds(
        response.headers(),
        response.body(),
        &far_side.wechat_v3().platform_certificate_pem
    ));
    let fields = shop::v2(&far_side, "/pay/orderquery", &[("out_trade_no", "v2-order-1")]);
    assert_eq!(fields["bank_type"], "SANDBOX_NEW_VALUE");
    assert_eq!(fields["sandbox_new_field"], "x < y & z");
    assert_eq!(
        fields["sign"],
        oracle::v2_md5(&fields, far_side.wechat_v2().api_key.expose())
    );
}

#[test]
fn a_skewed_platform_signs_with_its_own_clock() {
    let far_side = far_side();
    place(&far_side, "order-1", 100, URL);
    far_side.set_faults(FaultKind::SkewSeconds(-400));
    let request = v3_request(&far_side, "GET", QUERY, "");
    let refused = far_side.answer(&request).unwrap();
    assert_eq!(shop::refusal(&refused), (401, "SIGN_ERROR".to_owned()));
    far_side.set_faults(FaultKind::SkewSeconds(200));
    let response = v3(&far_side, "GET", QUERY, "");
    assert_eq!(response.headers()["wechatpay-timestamp"], "1760000200");
    assert!(v3_holds(
        response.headers(),
        response.body(),
        &far_side.wechat_v3().platform_certificate_pem
    ));
}

async fn sandbox() -> Sandbox {
    Sandbox::builder().clock(clock()).seed(1).start().await.unwrap()
}

const CERTIFICATES: &[u8] =
    b"GET /v3/certificates HTTP/1.1\r\nhost: x\r\nuser-agent: x\r\naccept: application/json\r\nconnection: close\r\n\r\n";

#[tokio::test]
async fn cuts_the_connection_before_or_in_the_middle_of_the_reply() {
    let sandbox = sandbox().await;
    for kind in [FaultKind::LoseRequest, FaultKind::LoseReply] {
        sandbox.set_faults(kind);
        assert_eq!(raw(sandbox.address(), CERTIFICATES).await, b"", "{kind}");
    }
    sandbox.set_faults(FaultKind::CutReply);
    let answer = String::from_utf8(raw(sandbox.address(), CERTIFICATES).await).unwrap();
    let (head, body) = answer.split_once("\r\n\r\n").unwrap();
    let announced: usize = head
        .lines()
        .find_map(|line| {
            line.to_ascii_lowercase()
                .strip_prefix("content-length: ")
                .map(str::to_owned)
        })
        .unwrap()
        .parse()
        .unwrap();
    assert!(!body.is_empty() && body.len() < announced, "{answer}");
}

#[tokio::test]
async fn resets_the_connection_before_the_reply() {
    let sandbox = sandbox().await;
    for (kind, expected) in [
        (FaultKind::ResetReply, Err(std::io::ErrorKind::ConnectionReset)),
        (FaultKind::LoseReply, Ok(0)),
    ] {
        sandbox.set_faults(kind);
        let mut stream = tokio::net::TcpStream::connect(sandbox.address()).await.unwrap();
        stream.write_all(CERTIFICATES).await.unwrap();
        let ended = stream.read_to_end(&mut Vec::new()).await;
        assert_eq!(ended.map_err(|error| error.kind()), expected, "{kind}");
    }
    assert_eq!(sandbox.exchanges()[0].status, None);
}

#[tokio::test]
async fn lets_a_body_drip() {
    let sandbox = sandbox().await;
    let whole = raw(sandbox.address(), CERTIFICATES).await;
    sandbox.set_faults(FaultKind::DripMs(2));
    let begun = Instant::now();
    let mut stream = tokio::net::TcpStream::connect(sandbox.address()).await.unwrap();
    stream.write_all(CERTIFICATES).await.unwrap();
    let (mut dripped, mut reads) = (Vec::new(), 0);
    while stream.read_buf(&mut dripped).await.unwrap() > 0 {
        reads += 1;
    }
    // Byte by byte, and in the end all of it.
    let (head, body) = dripped.split_at(dripped.windows(4).position(|window| window == b"\r\n\r\n").unwrap() + 4);
    assert!(reads > body.len() / 2, "{reads} reads of {} bytes", body.len());
    assert!(begun.elapsed() >= Duration::from_millis(u64::try_from(body.len()).unwrap()));
    assert_eq!(head.len() + body.len(), whole.len());
    assert_eq!(sandbox.exchanges()[1].status.unwrap(), 401);
}

#[tokio::test]
async fn delays_a_reply() {
    let sandbox = sandbox().await;
    sandbox.set_faults(FaultKind::DelayMs(150));
    let begun = Instant::now();
    assert!(!raw(sandbox.address(), CERTIFICATES).await.is_empty());
    assert!(begun.elapsed() >= Duration::from_millis(150));
}

#[tokio::test]
async fn doubles_and_loses_notices() {
    let sandbox = sandbox().await;
    let listener = Listener::start(&[(204, "")]).await;
    place(&sandbox, "order-1", 100, &listener.url);
    sandbox.set_faults(FaultKind::DuplicateNotice);
    sandbox.pay(V3, "order-1").unwrap();
    sandbox.delivered().await;
    assert_eq!(listener.received().len(), 2);
    let notices = sandbox.notices();
    assert_eq!(notices[0].notice_id, notices[1].notice_id);

    place(&sandbox, "order-2", 100, &listener.url);
    sandbox.set_faults(FaultRule::new(FaultKind::LoseNotice).first(2));
    sandbox.pay(V3, "order-2").unwrap();
    sandbox.advance(Duration::from_secs(60)).await.unwrap();
    assert_eq!(listener.received().len(), 3);
    let outcomes: Vec<bool> = sandbox.notices()[2..]
        .iter()
        .map(|notice| matches!(notice.outcome, NoticeOutcome::NotDelivered { .. }))
        .collect();
    assert_eq!(outcomes, [true, true, false]);
}
