//! Every operation of the admin API, called, and its answers held to the document that describes them.

use std::collections::BTreeSet;

use http::{Method, Request, Response};
use serde_json::{Map, Value, json};
use yuanfen_sandbox::{FarSide, Platform};

use crate::openapi_document::Document;
use crate::shop::{self, far_side, json_of, place};

const URL: &str = "http://127.0.0.1:9/notify";

fn request(method: &Method, target: &str, body: &str) -> Request<bytes::Bytes> {
    let request = Request::builder()
        .method(method)
        .uri(format!("http://127.0.0.1:8601{target}"));
    let request = if body.is_empty() {
        request
    } else {
        request.header("content-type", "application/json")
    };
    request.body(bytes::Bytes::from(body.to_owned())).unwrap()
}

/// Something of everything: orders of several kinds, refunds, notices, faults, calls that fail.
fn lived_in() -> FarSide {
    let far_side = far_side();
    for number in ["order-1", "order-2", "order-3", "order-4", "order-5"] {
        place(&far_side, number, 100, URL);
    }
    far_side.pay(Platform::WechatV3, "order-1").unwrap();
    for number in ["R1", "R2", "R3"] {
        shop::refund(&far_side, "order-1", number, 10, 100);
    }
    let due = far_side.due_notices();
    for (index, notice) in due.into_iter().enumerate() {
        let said = Response::builder().status(500).body("no".into()).unwrap();
        far_side.answered(
            notice,
            if index % 2 == 0 {
                Ok(&said)
            } else {
                Err("nobody is there")
            },
        );
    }
    let forged = Request::get("https://sandbox.example/v3/certificates")
        .body(bytes::Bytes::new())
        .unwrap();
    far_side.answer(&forged).unwrap();
    far_side
}

#[test]
fn every_answer_is_as_the_document_describes_it() {
    let far_side = lived_in();
    let document = Document::of(&far_side);
    let code = |far_side: &FarSide| far_side.payment_code(Platform::WechatV2, yuanfen_sandbox::Payer::default());
    assert_eq!(code(&far_side).len(), 18);
    let (get, post, put, delete) = (Method::GET, Method::POST, Method::PUT, Method::DELETE);
    let calls: &[(&Method, &str, &str, u16)] = &[
        (&get, "/", "", 200),
        (&get, "/console/icon.svg", "", 200),
        (&get, "/console/words.json", "", 200),
        (&get, "/console/nothing.js", "", 404),
        (&get, "/openapi.json", "", 200),
        (&get, "/api/state", "", 200),
        (&get, "/api/state?x=1", "", 400),
        (&get, "/api/orders", "", 200),
        (&get, "/api/orders?account=nobody", "", 400),
        (&get, "/api/orders/wechat-v3/order-1", "", 200),
        (&get, "/api/orders/wechat-v3/order-9", "", 404),
        (&post, "/api/orders/wechat-v3/order-2/pay", "", 200),
        (&post, "/api/orders/wechat-v3/order-2/pay", "", 409),
        (&post, "/api/orders/wechat-v3/order-2/pay-late", "", 409),
        (&post, "/api/orders/wechat-v3/order-9/pay-late", "", 404),
        (&post, "/api/orders/wechat-v3/order-3/cancel", "", 200),
        (&post, "/api/orders/wechat-v3/order-3/fail", "", 200),
        (&post, "/api/orders/wechat-v3/order-3/type", "", 409),
        (
            &post,
            "/api/orders/wechat-v3/order-2/comment",
            "{\"stars\":5,\"text\":\"fresh\"}",
            200,
        ),
        (
            &post,
            "/api/orders/wechat-v3/order-2/comment",
            "{\"stars\":6,\"text\":\"\"}",
            400,
        ),
        (&post, "/api/refunds/wechat-v3/R1/succeed", "", 200),
        (&post, "/api/refunds/wechat-v3/R1/close", "", 409),
        (&post, "/api/refunds/wechat-v3/R2/close", "", 200),
        (&post, "/api/refunds/wechat-v3/R3/abnormal", "", 200),
        (&post, "/api/refunds/wechat-v3/R9/abnormal", "", 404),
        (&post, "/api/payment-codes/wechat-v2", "", 200),
        (&post, "/api/payment-codes/starpos", "", 409),
        (
            &post,
            "/api/pay",
            "{\"platform\":\"wechat-v3\",\"out_trade_no\":\"order-4\",\"total\":\"100\"}",
            200,
        ),
        (
            &post,
            "/api/pay",
            "{\"platform\":\"wechat-v3\",\"out_trade_no\":\"order-4\",\"total\":1}",
            409,
        ),
        (
            &post,
            "/api/settle-refund",
            "{\"platform\":\"wechat-v3\",\"out_refund_no\":\"R3\"}",
            200,
        ),
        (&post, "/api/settle-refund", "{}", 400),
        (&get, "/api/exchanges?limit=1000", "", 200),
        (&get, "/api/exchanges?about=order-1", "", 200),
        (&get, "/api/exchanges/1", "", 200),
        (&get, "/api/exchanges/9", "", 200),
        (&get, "/api/exchanges/99", "", 404),
        (&get, "/api/notices", "", 200),
        (&get, "/api/notices/1", "", 200),
        (&get, "/api/notices/x", "", 404),
        (
            &put,
            "/api/faults",
            "[{\"kind\":\"lose-reply\",\"platform\":\"wechat-v3\",\"times\":3},{\"kind\":{\"delay-ms\":5}}]",
            200,
        ),
        (&get, "/api/faults", "", 200),
        (&put, "/api/faults", "[{\"kind\":\"rain\"}]", 400),
        (&delete, "/api/faults", "", 200),
        (&get, "/api/scenarios", "", 200),
        (&post, "/api/scenarios/nobody/play", "", 404),
        (&post, "/api/scenarios/reply-lost-after-placing/play", "", 200),
        (&get, "/api/state", "", 200),
        (&get, "/api/settings", "", 200),
        (
            &put,
            "/api/settings",
            "{\"starpos_push_url\":\"http://127.0.0.1:9/push\"}",
            200,
        ),
        (&put, "/api/settings", "{\"no_such\":1}", 400),
        (&post, "/api/clock/advance", "{\"seconds\":60}", 200),
        (&post, "/api/clock/advance", "{\"seconds\":18446744073709551615}", 409),
        (&get, "/api/bills", "", 200),
        (&post, "/api/bills", "{\"date\":\"2025-10-09\"}", 200),
        (&get, "/api/bills/wechat-v3/trade/2025-10-09", "", 200),
        (&get, "/api/bills/wechat-v3/trade/2025-10-01", "", 404),
        (&post, "/api/platform-certificate/rotate", "", 200),
        (&post, "/api/platform-certificate/rotate", "", 200),
        (&post, "/api/platform-certificate/rotate", "", 200),
        (&post, "/api/platform-certificate/rotate", "", 409),
        (&post, "/api/public-key-mode", "{\"on\":true}", 200),
        // Still open, so simply paid.
        (&post, "/api/orders/wechat-v3/order-3/pay-late", "", 200),
    ];
    let mut worked = BTreeSet::new();
    for (method, target, body, status) in calls {
        let response = far_side.administer(&request(method, target, body));
        assert_eq!(response.status(), *status, "{method} {target}: {:?}", response.body());
        let path = target.split('?').next().unwrap();
        let name = document.check(method, path, &response);
        if *status == 200 {
            worked.insert(name);
        }
    }
    let all = document
        .operations()
        .map(|(_, _, operation)| operation["operationId"].as_str().unwrap().to_owned());
    let missed: Vec<String> = all.filter(|name| !worked.contains(name)).collect();
    // Events need a listener, and typing a till: both have tests of their own.
    assert_eq!(missed, ["followEvents", "keepTyping"]);
}

#[test]
fn every_example_is_as_its_schema_has_it() {
    let document = Document::of(&far_side());
    let mut seen = 0;
    let mut check = |content: &Map<String, Value>, place: &str| {
        let content = &content["application/json"];
        if let Some(example) = content.get("example") {
            document.validate(&content["schema"], example, place);
            seen += 1;
        }
    };
    for (path, method, operation) in document.operations() {
        let place = format!("{method} {path}");
        let said = operation["responses"].as_object().unwrap();
        let contents = said.values().map(|said| &document.follow(said)["content"]);
        for content in contents.chain([&operation["requestBody"]["content"]]) {
            if let Some(content) = content
                .as_object()
                .filter(|content| content.contains_key("application/json"))
            {
                check(content, &place);
            }
        }
    }
    assert!(seen > 100, "{seen}");
}

#[test]
fn what_can_be_seen_can_be_put_back() {
    let far_side = far_side();
    let ask = |method: &Method, target: &str, body: &str| far_side.administer(&request(method, target, body));
    let plan = json!([
        { "kind": "lose-reply", "account": "wechat-v3", "operation": "refund", "skip": 1, "times": 2 },
        { "kind": { "status": 502 }, "permille": 20, "order_no_prefix": "A" },
    ]);
    let set = json_of(&ask(&Method::PUT, "/api/faults", &plan.to_string()));
    assert_eq!(set["rules"], plan);
    assert_eq!(
        set["counts"],
        json!([{ "matched": 0, "struck": 0 }, { "matched": 0, "struck": 0 }])
    );
    let again = ask(&Method::PUT, "/api/faults", &set["rules"].to_string());
    assert_eq!(json_of(&again), set);
    place(&far_side, "A-1-23", 100, URL);
    let shown = json_of(&ask(&Method::GET, "/api/faults", ""));
    assert_eq!(shown["counts"][1]["matched"], 1);
    assert_eq!(json_of(&ask(&Method::DELETE, "/api/faults", ""))["rules"], json!([]));

    let change =
        json!({ "starpos_push_url": "http://127.0.0.1:9/push", "wechat_refund_balances_fen": { "wechat-v3": 5 } });
    let settings = json_of(&ask(&Method::PUT, "/api/settings", &change.to_string()));
    assert_eq!(settings["wechat_refund_balances_fen"]["wechat-v3"], 5);
    assert_eq!(settings["wechat_refund_balances_fen"]["wechat-v2"], Value::Null);
    let again = ask(&Method::PUT, "/api/settings", &settings.to_string());
    assert_eq!(json_of(&again), settings);
    assert_eq!(json_of(&ask(&Method::GET, "/api/state", ""))["settings"], settings);
    let off = json_of(&ask(&Method::PUT, "/api/settings", "{\"starpos_push_url\":\"\"}"));
    assert_eq!(off["starpos_push_url"], Value::Null);
}
