//! The logs as the admin API has them: calls and notices, one by one with headers and bodies.

use http::{Request, Response};
use serde_json::{Value, json};
use yuanfen_sandbox::{FaultKind, Platform};

use crate::admin::call;
use crate::shop::{self, far_side, json_of, place};

const URL: &str = "http://127.0.0.1:9/notify";

#[test]
fn says_what_an_answer_proves() {
    let trust = |kind: Option<FaultKind>| {
        let far_side = far_side();
        if let Some(kind) = kind {
            far_side.set_faults(kind);
        }
        let _cut = far_side.answer(&shop::v3_request(&far_side, "GET", "/v3/certificates", ""));
        json_of(&call(&far_side, "GET", "exchanges/1", ""))["trust"].clone()
    };
    for (kind, expected) in [
        (None, json!("signed")),
        (Some(FaultKind::AddFields), json!("signed")),
        (Some(FaultKind::CorruptSignature), json!("spoiled")),
        (Some(FaultKind::ProbeSignature), json!("spoiled")),
        (Some(FaultKind::AlterReply), json!("spoiled")),
        (Some(FaultKind::Status(502)), json!("unsigned")),
        (Some(FaultKind::EmptyReply), json!("unsigned")),
        (Some(FaultKind::UnsignedError), json!("unsigned")),
        (Some(FaultKind::SystemError), json!("unsigned")),
        (Some(FaultKind::LoseReply), Value::Null),
        (Some(FaultKind::CutReply), Value::Null),
    ] {
        assert_eq!(trust(kind), expected, "{kind:?}");
    }
}

#[test]
fn shows_a_call_with_its_headers_and_bodies() {
    let far_side = far_side();
    place(&far_side, "order-1", 100, URL);
    let exchange = json_of(&call(&far_side, "GET", "exchanges/1", ""));
    assert_eq!(exchange["path"], "/v3/pay/transactions/jsapi");
    assert_eq!(exchange["query"], Value::Null);
    let sent = shop::order("order-1", 100, URL);
    let body = json!({ "length": sent.len(), "is_cut": false, "text": sent, "base64": null });
    assert_eq!(exchange["request"]["body"], body);
    let headers = exchange["request"]["headers"].as_array().unwrap();
    assert!(headers.contains(&json!(["user-agent", "test"])), "{headers:?}");
    let answered: Value = serde_json::from_str(exchange["response"]["body"]["text"].as_str().unwrap()).unwrap();
    assert!(answered["prepay_id"].is_string());
    let headers = exchange["response"]["headers"].as_array().unwrap();
    assert!(
        headers.iter().any(|header| header[0] == "wechatpay-signature"),
        "{headers:?}"
    );
    let text = exchange["canonical_text"].as_str().unwrap();
    assert!(
        text.starts_with("POST\n/v3/pay/transactions/jsapi\n1760000000\n"),
        "{text}"
    );

    // Bytes that are no text, and more of them than are kept.
    let long = vec![0xff_u8; (64 << 10) + 1];
    let request = Request::post("http://127.0.0.1:9/nowhere?a=1")
        .body(long.into())
        .unwrap();
    far_side.answer(&request).unwrap();
    let exchange = json_of(&call(&far_side, "GET", "exchanges/2", ""));
    assert_eq!(
        (&exchange["platform"], &exchange["query"]),
        (&Value::Null, &json!("a=1"))
    );
    let body = &exchange["request"]["body"];
    assert_eq!(
        (&body["length"], &body["is_cut"], &body["text"]),
        (&json!(65537), &json!(true), &Value::Null)
    );
    assert_eq!(body["base64"].as_str().unwrap().len(), 87_384);
    // A cut in the middle of a letter leaves a text.
    let request = Request::post("http://127.0.0.1:9/nowhere")
        .body("ä".repeat(40_000).into())
        .unwrap();
    far_side.answer(&request).unwrap();
    let shifted = format!("x{}", "ä".repeat(40_000));
    let request = Request::post("http://127.0.0.1:9/nowhere")
        .body(shifted.into())
        .unwrap();
    far_side.answer(&request).unwrap();
    for (number, kept) in [
        (3, "ä".repeat(32 << 10)),
        (4, format!("x{}", "ä".repeat((32 << 10) - 1))),
    ] {
        let exchange = json_of(&call(&far_side, "GET", &format!("exchanges/{number}"), ""));
        assert_eq!(exchange["request"]["body"]["text"], kept, "{number}");
    }
    for nothing in ["exchanges/0", "exchanges/5", "exchanges/x", "notices/1"] {
        assert_eq!(call(&far_side, "GET", nothing, "").status(), 404, "{nothing}");
    }
}

#[test]
fn shows_a_notice_with_what_was_sent_and_answered() {
    let far_side = far_side();
    place(&far_side, "order-1", 100, URL);
    far_side.pay(Platform::WechatV3, "order-1").unwrap();
    let mut due = far_side.due_notices();
    let refusal = Response::builder()
        .status(500)
        .header("x-shop", "1")
        .body("{\"code\":\"FAIL\"}".into())
        .unwrap();
    far_side.answered(due.remove(0), Ok(&refusal));
    far_side.clock().advance(std::time::Duration::from_secs(15)).unwrap();
    far_side.answered(far_side.due_notices().remove(0), Err("nobody is there"));

    let list = json_of(&call(&far_side, "GET", "notices", ""));
    let seen: Vec<(u64, u64, &str)> = list
        .as_array()
        .unwrap()
        .iter()
        .map(|attempt| {
            let outcome = attempt["outcome"].as_str().unwrap();
            (
                attempt["number"].as_u64().unwrap(),
                attempt["attempt"].as_u64().unwrap(),
                outcome,
            )
        })
        .collect();
    assert_eq!(seen, [(2, 2, "not-delivered"), (1, 1, "refused")]);
    assert_eq!(list[0]["account"], "wechat-v3");
    assert_eq!(
        json_of(&call(&far_side, "GET", "notices?before=2&limit=1", ""))[0]["number"],
        1
    );

    let first = json_of(&call(&far_side, "GET", "notices/1", ""));
    let sent: Value = serde_json::from_str(first["request"]["body"]["text"].as_str().unwrap()).unwrap();
    assert_eq!(sent["event_type"], "TRANSACTION.SUCCESS");
    let headers = first["request"]["headers"].as_array().unwrap();
    assert!(
        headers.iter().any(|header| header[0] == "wechatpay-signature"),
        "{headers:?}"
    );
    assert_eq!(first["response"]["headers"], json!([["x-shop", "1"]]));
    assert_eq!(first["response"]["body"]["text"], "{\"code\":\"FAIL\"}");
    assert_eq!(first["status"], 500);
    let second = json_of(&call(&far_side, "GET", "notices/2", ""));
    assert_eq!(
        (&second["response"], &second["answer"]),
        (&Value::Null, &json!("nobody is there"))
    );
}
