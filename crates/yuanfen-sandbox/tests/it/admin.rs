//! The payer's phone over HTTP, for shops in other languages.

use http::{Request, Response};
use serde_json::{Value, json};
use yuanfen_sandbox::{FarSide, Platform, Sandbox};

use crate::shop::{self, clock, far_side, json_of, place, raw};

const URL: &str = "http://127.0.0.1:9/notify";

pub fn call(far_side: &FarSide, method: &str, path: &str, body: &str) -> Response<bytes::Bytes> {
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
        r#"{"coupons":[["C1",10,true]]}"#,
        "[null,null]",
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

#[test]
fn pages_through_orders_from_the_newest_to_the_oldest() {
    let far_side = far_side();
    for number in ["order-1", "order-2", "order-3"] {
        place(&far_side, number, 100, URL);
    }
    let numbers = |query: &str| -> Vec<String> {
        let list = json_of(&call(&far_side, "GET", &format!("orders?{query}"), ""));
        list.as_array()
            .unwrap()
            .iter()
            .map(|order| order["order_no"].as_str().unwrap().to_owned())
            .collect()
    };
    assert_eq!(numbers(""), ["order-3", "order-2", "order-1"]);
    assert_eq!(numbers("limit=2"), ["order-3", "order-2"]);
    assert_eq!(numbers("limit=2&before=2"), ["order-1"]);
    assert_eq!(numbers("before=1"), [""; 0]);
    assert_eq!(numbers("account=wechat-v3&limit=1"), ["order-3"]);
    assert_eq!(numbers("account=wechat-v2"), [""; 0]);
    let order = &json_of(&call(&far_side, "GET", "orders?limit=1", ""))[0];
    for (name, value) in [
        ("number", json!(3)),
        ("account", json!("wechat-v3")),
        ("description", json!("noodles, hot")),
        ("amount_fen", json!(100)),
        ("scene", json!("jsapi")),
        ("code_url", Value::Null),
        ("created_at", json!("2025-10-09T16:53:20+08:00")),
        ("expires_at", json!("2025-10-16T16:53:20+08:00")),
        ("payer", json!("oSandbox_Payer-0123456789abc")),
        ("parts", json!([])),
        ("whole", Value::Null),
    ] {
        assert_eq!(order[name], value, "{name}");
    }
}

#[test]
fn a_native_order_has_the_address_that_the_phone_scans() {
    let far_side = far_side();
    let mut order: Value = serde_json::from_str(&shop::order("order-1", 100, URL)).unwrap();
    order.as_object_mut().unwrap().remove("payer");
    let placed = shop::v3(&far_side, "POST", "/v3/pay/transactions/native", &order.to_string());
    let shown = json_of(&call(&far_side, "GET", "orders/wechat-v3/order-1", ""));
    assert_eq!(
        (&shown["scene"], &shown["code_url"]),
        (&json!("native"), &json_of(&placed)["code_url"])
    );
    let fields = [
        ("out_trade_no", "A1"),
        ("body", "noodles"),
        ("total_fee", "100"),
        ("spbill_create_ip", "203.0.113.7"),
        ("notify_url", URL),
        ("trade_type", "NATIVE"),
        ("product_id", "P1"),
    ];
    let placed = shop::v2(&far_side, "/pay/unifiedorder", &fields);
    let shown = json_of(&call(&far_side, "GET", "orders/wechat-v2/A1", ""));
    assert_eq!(
        (&shown["scene"], &shown["code_url"]),
        (&json!("native"), &json!(placed["code_url"]))
    );
}

#[test]
fn a_payer_who_takes_the_time_has_another_minute() {
    let far_side = far_side();
    let code = json_of(&call(
        &far_side,
        "POST",
        "payment-codes/wechat-v2",
        "{\"reaction\":\"types\"}",
    ));
    let fields = [
        ("out_trade_no", "T1"),
        ("body", "noodles"),
        ("total_fee", "100"),
        ("spbill_create_ip", "203.0.113.7"),
        ("auth_code", code["code"].as_str().unwrap()),
    ];
    shop::v2(&far_side, "/pay/micropay", &fields);
    let advance = |seconds| {
        far_side
            .clock()
            .advance(std::time::Duration::from_secs(seconds))
            .unwrap();
    };
    let state = || json_of(&call(&far_side, "GET", "orders/wechat-v2/T1", ""))["state"].clone();
    advance(59);
    let typing = call(&far_side, "POST", "orders/wechat-v2/T1/type", "");
    assert_eq!(
        (typing.status().as_u16(), &json_of(&typing)["state"]),
        (200, &json!("payer-typing"))
    );
    advance(59);
    assert_eq!(state(), "payer-typing");
    advance(1);
    assert_eq!(state(), "unpaid");
    assert_eq!(call(&far_side, "POST", "orders/wechat-v2/T1/type", "").status(), 409);
    place(&far_side, "order-1", 100, URL);
    let elsewhere = call(&far_side, "POST", "orders/wechat-v3/order-1/type", "");
    assert_eq!(json_of(&elsewhere)["error"], "the order was not charged at a till");
    assert_eq!(call(&far_side, "POST", "payment-codes/fshows", "").status(), 409);
}

#[test]
fn makes_bills_at_once_and_hands_them_out() {
    let far_side = far_side();
    assert_eq!(json_of(&call(&far_side, "GET", "bills", "")), json!([]));
    place(&far_side, "order-1", 100, URL);
    far_side.pay(Platform::WechatV3, "order-1").unwrap();
    let day = |is_ready: bool| json!([{ "account": "wechat-v3", "date": "2025-10-09", "kinds": ["trade", "fund-flow"], "is_ready": is_ready }]);
    assert_eq!(json_of(&call(&far_side, "GET", "bills", "")), day(false));
    let made = call(&far_side, "POST", "bills", "{\"date\":\"2025-10-09\"}");
    assert_eq!(json_of(&made), day(true));
    for kind in ["trade", "fund-flow"] {
        let file = call(&far_side, "GET", &format!("bills/wechat-v3/{kind}/2025-10-09"), "");
        assert_eq!(file.status(), 200);
        assert_eq!(file.headers()["content-type"], "text/csv; charset=utf-8");
        let name = format!("attachment; filename=\"wechat-v3-{kind}-2025-10-09.csv\"");
        assert_eq!(file.headers()["content-disposition"], name);
        let text = String::from_utf8(file.body().to_vec()).unwrap();
        assert!(text.starts_with('\u{feff}') && text.contains("`1.00"), "{text}");
    }
    for (path, status) in [
        ("bills/wechat-v3/trade/2025-10-08", 404),
        ("bills/wechat-v3/trade/20251009", 404),
        ("bills/wechat-v3/trade/2025-13-09", 404),
        ("bills/wechat-v3/all/2025-10-09", 404),
        ("bills/fshows/trade/2025-10-09", 404),
    ] {
        assert_eq!(call(&far_side, "GET", path, "").status(), status, "{path}");
    }
    for wrong in [
        "{}",
        "{\"date\":\"yesterday\"}",
        "{\"date\":20251009}",
        "{\"date\":\"2025-10-09\",\"x\":1}",
    ] {
        assert_eq!(call(&far_side, "POST", "bills", wrong).status(), 400, "{wrong}");
    }
}
