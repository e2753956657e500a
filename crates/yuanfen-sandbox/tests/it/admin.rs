//! The payer's phone over HTTP, for shops in other languages.

use http::{Request, Response};
use serde_json::{Value, json};
use yuanfen_sandbox::{FarSide, Platform, Sandbox};

use crate::shop::{self, clock, far_side, json_of, place, raw};

const URL: &str = "http://127.0.0.1:9/notify";

fn call(far_side: &FarSide, method: &str, path: &str, body: &str) -> Response<bytes::Bytes> {
    let request = Request::builder()
        .method(method)
        .uri(format!("http://127.0.0.1:8601/api/{path}"))
        .header("content-type", "application/json")
        .body(bytes::Bytes::from(body.to_owned()))
        .unwrap();
    far_side.administer(&request)
}

#[test]
fn pays_refunds_and_tells_what_happened() {
    let far_side = far_side();
    place(&far_side, "A|1_-*xy", 100, URL);
    let order = |path: &str, method: &str| json_of(&call(&far_side, method, path, ""));
    assert_eq!(order("orders/wechat-v3/A%7C1_-*xy", "GET")["state"], "unpaid");
    assert_eq!(order("orders/wechat-v3/A%7C1_-*xy/cancel", "POST")["state"], "unpaid");
    assert_eq!(order("orders/wechat-v3/A%7C1_-*xy/fail", "POST")["state"], "unpaid");
    assert_eq!(order("orders/wechat-v3/A%7C1_-*xy/pay", "POST")["state"], "paid");
    shop::refund(&far_side, "A|1_-*xy", "R1", 100, 100);
    assert_eq!(order("refunds/wechat-v3/R1/abnormal", "POST")["state"], "refunding");
    let refunded = order("refunds/wechat-v3/R1/succeed", "POST");
    assert_eq!(refunded["state"], "refunded");
    assert_eq!(refunded["refunds"][0]["amount_fen"], 100);
    assert_eq!(order("orders?account=wechat-v3", "GET").as_array().unwrap().len(), 1);
    let exchanges = order("exchanges", "GET");
    let names: Vec<&Value> = exchanges
        .as_array()
        .unwrap()
        .iter()
        .map(|one| &one["operation"])
        .collect();
    assert_eq!(names, ["refund", "place-jsapi-order"]);
    assert_eq!(exchanges[0]["signature"], "holds");
    // What a number is about, wherever in the call it stands.
    let about = |text: &str| {
        let exchanges = order(&format!("exchanges?about={text}"), "GET");
        exchanges.as_array().unwrap().len()
    };
    assert_eq!([about("R1"), about("A%7C1_-*xy"), about("B2")], [1, 2, 0]);
    // These calls are no platform's.
    assert_eq!(far_side.calls(Platform::WechatV3), 2);
}

#[test]
fn shows_a_payment_code_and_what_the_payer_does_about_it() {
    let far_side = far_side();
    let shown = |body: &str| {
        let answer = json_of(&call(&far_side, "POST", "payment-codes/wechat-v2", body));
        answer["code"].as_str().unwrap().to_owned()
    };
    let charge = |order_no: &str, code: &str| {
        let fields = [
            ("out_trade_no", order_no),
            ("body", "noodles"),
            ("total_fee", "100"),
            ("spbill_create_ip", "203.0.113.7"),
            ("auth_code", code),
        ];
        shop::v2(&far_side, "/pay/micropay", &fields)
    };
    assert_eq!(charge("T1", &shown(""))["openid"], far_side.wechat_v2().openid);
    let described = json!({
        "openid": "oPayer-2", "bank": "CFT", "reaction": "types",
        "coupons": [{ "id": "C1", "amount_fen": 40, "prepaid": false }],
    });
    assert_eq!(charge("T2", &shown(&described.to_string()))["err_code"], "USERPAYING");
    let order = |path: &str, method: &str| json_of(&call(&far_side, method, path, ""));
    assert_eq!(order("orders/wechat-v2/T2", "GET")["state"], "payer-typing");
    assert_eq!(order("orders/wechat-v2/T2/pay", "POST")["state"], "paid");
    let paid = shop::v2(&far_side, "/pay/orderquery", &[("out_trade_no", "T2")]);
    for (name, value) in [("openid", "oPayer-2"), ("bank_type", "CFT"), ("cash_fee", "60")] {
        assert_eq!(paid[name], value);
    }
    charge("T3", &shown(r#"{"reaction":"lacks-money"}"#));
    assert_eq!(order("orders/wechat-v2/T3", "GET")["state"], "payment-failed");
    let late = call(&far_side, "POST", "orders/wechat-v2/T3/pay", "");
    assert_eq!(late.status(), 409);
    shop::v2(&far_side, "/secapi/pay/reverse", &[("out_trade_no", "T3")]);
    assert_eq!(order("orders/wechat-v2/T3", "GET")["state"], "revoked");
    for wrong in [
        "7",
        r#"{"reaction":"dances"}"#,
        r#"{"name":"x"}"#,
        r#"{"coupons":[{"id":"C1"}]}"#,
    ] {
        assert_eq!(
            call(&far_side, "POST", "payment-codes/wechat-v2", wrong).status(),
            400,
            "{wrong}"
        );
    }
}

#[test]
fn refuses_in_words_what_the_book_refuses() {
    let far_side = far_side();
    place(&far_side, "order-1", 100, URL);
    far_side.pay(Platform::WechatV3, "order-1").unwrap();
    for (method, path, body, status, words) in [
        (
            "POST",
            "orders/wechat-v3/order-1/pay",
            "",
            409,
            "the order is paid already",
        ),
        ("POST", "orders/wechat-v3/order-9/pay", "", 404, "no such order"),
        ("GET", "orders/wechat-v3/order-9", "", 404, "no such order"),
        ("POST", "refunds/wechat-v3/R9/close", "", 404, "no such refund"),
        ("POST", "refunds/wechat-v3/R9/vanish", "", 404, "nothing is done here"),
        ("GET", "orders/paypal/order-1", "", 404, "no such account"),
        ("GET", "orders/wechat-v3/order-1/pay", "", 405, "this path takes POST"),
        ("PUT", "faults", "{}", 400, "not a fault plan"),
    ] {
        let response = call(&far_side, method, path, body);
        assert_eq!(response.status(), status, "{path}");
        let told = json_of(&response)["error"].as_str().unwrap().to_owned();
        assert!(told.starts_with(words), "{told}");
    }
}

#[test]
fn takes_a_fault_plan_and_rotates_until_the_certificates_are_used_up() {
    let far_side = far_side();
    let plan = json!([{ "kind": { "status": 502 }, "operation": "certificates" }]).to_string();
    assert_eq!(call(&far_side, "PUT", "faults", &plan).status(), 200);
    assert_eq!(shop::v3(&far_side, "GET", "/v3/certificates", "").status(), 502);
    let serials: Vec<u16> = (0..4)
        .map(|_| {
            call(&far_side, "POST", "platform-certificate/rotate", "")
                .status()
                .as_u16()
        })
        .collect();
    assert_eq!(serials, [200, 200, 200, 409]);
}

#[test]
fn a_merchant_with_the_public_key_alone_is_never_answered_under_a_certificate() {
    let far_side = far_side();
    far_side.use_public_key_only(true);
    let account = far_side.wechat_v3();
    let response = shop::v3(&far_side, "GET", "/v3/certificates", "");
    assert_eq!(shop::refusal(&response), (404, "RESOURCE_NOT_EXISTS".to_owned()));
    place(&far_side, "order-1", 100, URL);
    far_side.pay(Platform::WechatV3, "order-1").unwrap();
    let notices = far_side.due_notices();
    let notice = &notices[0].request;
    for (headers, body) in [(response.headers(), response.body()), (notice.headers(), notice.body())] {
        assert_eq!(headers["wechatpay-serial"], account.platform_public_key_id.as_str());
        assert!(shop::v3_holds(headers, body, &account.platform_public_key_pem));
    }
}

#[tokio::test]
async fn has_a_port_of_its_own() {
    let sandbox = Sandbox::builder().clock(clock()).start().await.unwrap();
    let address = sandbox.admin_address();
    assert_eq!(sandbox.admin_url(), format!("http://{address}"));
    let ask = format!("GET /api/notices HTTP/1.1\r\nhost: {address}\r\nconnection: close\r\n\r\n");
    let answer = String::from_utf8(raw(address, ask.as_bytes()).await).unwrap();
    assert!(answer.ends_with("\r\n\r\n[]\n"), "{answer}");
    let elsewhere = raw(sandbox.address(), ask.as_bytes()).await;
    assert!(elsewhere.starts_with(b"HTTP/1.1 404 "));
}
