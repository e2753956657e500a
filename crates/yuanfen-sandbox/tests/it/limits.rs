//! What the platforms take and what they refuse, field by field, at each limit and one past it.

use bytes::Bytes;
use http::Request;
use serde_json::{Value, json};
use yuanfen_sandbox::{FarSide, Platform, SignatureVerdict};

use crate::shop::{self, clock, far_side, json_of, v2, v3, v3_request, xml_fields};

const PLACE: &str = "/v3/pay/transactions/jsapi";

/// Puts a value at a pointer, making the objects on the way.
fn put(body: &mut Value, pointer: &str, value: Value) {
    let mut at = body;
    for name in pointer.trim_start_matches('/').split('/') {
        if !at.is_object() {
            *at = json!({});
        }
        at = at.as_object_mut().unwrap().entry(name).or_insert(Value::Null);
    }
    *at = value;
}

fn order_with(number: usize, pointer: &str, value: Value) -> String {
    let number = format!("limit-{number:04}");
    let mut body: Value = serde_json::from_str(&shop::order(&number, 100, "http://127.0.0.1:9/notify")).unwrap();
    // Objects that have required members of their own.
    if pointer.starts_with("/scene_info/") {
        put(&mut body, "/scene_info/payer_client_ip", json!("192.0.2.1"));
    }
    if pointer.starts_with("/scene_info/store_info/") {
        put(&mut body, "/scene_info/store_info/id", json!("S1"));
    }
    put(&mut body, pointer, value);
    body.to_string()
}

/// Where the refusal points, or nothing where the order was placed.
fn refused_at(far_side: &FarSide, body: &str) -> Option<String> {
    let response = v3(far_side, "POST", PLACE, body);
    if response.status() == 200 {
        return None;
    }
    assert_eq!(shop::refusal(&response), (400, "PARAM_ERROR".to_owned()));
    Some(json_of(&response)["detail"]["field"].as_str().unwrap().to_owned())
}

#[test]
fn v3_texts_end_where_the_field_table_says() {
    let far_side = far_side();
    let mut number = 0;
    for (pointer, most) in [
        ("/out_trade_no", 32),
        ("/description", 127),
        ("/attach", 128),
        ("/goods_tag", 32),
        ("/payer/openid", 128),
        ("/detail/invoice_id", 32),
        ("/scene_info/payer_client_ip", 45),
        ("/scene_info/device_id", 32),
        ("/scene_info/store_info/id", 32),
        ("/scene_info/store_info/name", 256),
        ("/scene_info/store_info/area_code", 32),
        ("/scene_info/store_info/address", 512),
    ] {
        for (length, expected) in [
            (most, None),
            (most + 1, Some(pointer.to_owned())),
            (0, Some(pointer.to_owned())),
        ] {
            number += 1;
            let body = order_with(number, pointer, json!("x".repeat(length)));
            assert_eq!(refused_at(&far_side, &body), expected, "{pointer} of {length}");
        }
    }
    // A URL of 255 characters, and of 256.
    for (length, expected) in [(255, None), (256, Some("/notify_url".to_owned()))] {
        number += 1;
        let url = format!("https://shop.example/{}", "x".repeat(length - 21));
        assert_eq!(url.len(), length);
        let body = order_with(number, "/notify_url", json!(url));
        assert_eq!(refused_at(&far_side, &body), expected, "{length}");
    }
}

#[test]
fn v3_values_are_of_their_type_and_range() {
    let far_side = far_side();
    for (number, (pointer, value, taken)) in [
        ("/out_trade_no", json!("abcde"), false),
        ("/out_trade_no", json!("abcdef"), true),
        ("/out_trade_no", json!("has blank"), false),
        ("/out_trade_no", json!("has@sign"), false),
        ("/out_trade_no", json!(1_234_567), false),
        ("/amount/total", json!(0), false),
        ("/amount/total", json!(-1), false),
        ("/amount/total", json!("100"), false),
        ("/amount/total", json!(1), true),
        ("/amount/currency", json!("CNY"), true),
        ("/amount/currency", json!("USD"), false),
        ("/notify_url", json!("https://shop.example/n?x=1"), false),
        ("/notify_url", json!("https://shop.example/n#x"), false),
        ("/notify_url", json!("shop.example/n"), false),
        ("/support_fapiao", json!(true), true),
        ("/support_fapiao", json!("true"), false),
        ("/settle_info/profit_sharing", json!(false), true),
        ("/limit_pay", json!(["no_credit"]), true),
        ("/limit_pay", json!("no_credit"), false),
        ("/time_expire", json!("2025-10-09 16:59:20"), false),
        ("/detail/goods_detail", json!({}), false),
        ("/description", json!("🍲"), false),
        ("/description", json!("麻婆豆腐"), true),
    ]
    .into_iter()
    .enumerate()
    {
        let body = order_with(number, pointer, value.clone());
        let expected = (!taken).then(|| pointer.to_owned());
        assert_eq!(refused_at(&far_side, &body), expected, "{pointer} {value}");
    }
    for (body, pointer) in [
        ("{\"appid\":\"a\",\"appid\":\"a\"}", ""),
        ("[]", ""),
        ("", ""),
        ("{\"amount\":{\"total\":1,\"total\":2}}", "/amount"),
        ("{}", "/appid"),
    ] {
        assert_eq!(refused_at(&far_side, body).as_deref(), Some(pointer), "{body}");
    }
}

#[test]
fn v3_orders_are_identical_whatever_the_order_of_their_members() {
    let far_side = far_side();
    let first = v3(
        &far_side,
        "POST",
        PLACE,
        "{\"appid\":\"wx5a6d0b0c5a1e4d21\",\"mchid\":\"1900000001\",\"description\":\"d\",\"out_trade_no\":\"order-1\",\
         \"notify_url\":\"https://shop.example/n\",\"amount\":{\"total\":1,\"currency\":\"CNY\"},\"payer\":{\"openid\":\"o\"}}",
    );
    let again = v3(
        &far_side,
        "POST",
        PLACE,
        "{ \"payer\": {\"openid\":\"o\"}, \"amount\":{\"currency\":\"CNY\",\"total\":1}, \"out_trade_no\":\"order-1\",\
         \"notify_url\":\"https://shop.example/n\",\"mchid\":\"1900000001\",\"description\":\"d\",\
         \"appid\":\"wx5a6d0b0c5a1e4d21\"}",
    );
    assert_eq!(first.status(), 200);
    assert_eq!(first.body(), again.body());
}

fn unified<'a>(changes: &[(&'a str, &'a str)]) -> Vec<(&'a str, &'a str)> {
    let mut fields = vec![
        ("body", "noodles"),
        ("out_trade_no", "v2-order-1"),
        ("total_fee", "1"),
        ("spbill_create_ip", "127.0.0.1"),
        ("notify_url", "http://127.0.0.1:9/notify"),
        ("trade_type", "JSAPI"),
        ("openid", "oSomebody"),
    ];
    for change in changes {
        fields.retain(|(name, _)| *name != change.0);
        fields.push(*change);
    }
    fields
}

#[test]
fn v2_texts_end_where_the_field_table_says() {
    for (name, most) in [
        ("body", 128),
        ("out_trade_no", 32),
        ("device_info", 32),
        ("detail", 6000),
        ("attach", 127),
        ("goods_tag", 32),
        ("product_id", 32),
        ("limit_pay", 32),
        ("openid", 128),
        ("receipt", 8),
        ("profit_sharing", 16),
        ("scene_info", 256),
        ("nonce_str", 32),
    ] {
        for (length, expected) in [(most, None), (most + 1, Some("PARAM_ERROR"))] {
            let value = "x".repeat(length);
            let answer = v2(&far_side(), "/pay/unifiedorder", &unified(&[(name, &value)]));
            let code = answer.get("err_code").map(String::as_str);
            assert_eq!(code, expected, "{name} of {length}");
        }
    }
}

#[test]
fn v2_values_are_of_their_form_and_depend_on_the_trade_type() {
    for (changes, expected) in [
        (&[("total_fee", "0")][..], Some("PARAM_ERROR")),
        (&[("total_fee", "-1")], Some("PARAM_ERROR")),
        (&[("total_fee", "1.00")], Some("PARAM_ERROR")),
        (&[("total_fee", "")], Some("LACK_PARAMS")),
        (&[("body", "")], Some("LACK_PARAMS")),
        (&[("fee_type", "USD")], Some("PARAM_ERROR")),
        (&[("fee_type", "CNY")], None),
        (&[("spbill_create_ip", "localhost")], Some("PARAM_ERROR")),
        (&[("spbill_create_ip", "2001:db8::1")], None),
        (&[("notify_url", "https://shop.example/n?x=1")], Some("PARAM_ERROR")),
        (&[("trade_type", "MICROPAY")], Some("PARAM_ERROR")),
        (&[("openid", "")], Some("LACK_PARAMS")),
        (&[("openid", ""), ("trade_type", "APP")], None),
        (&[("openid", ""), ("trade_type", "NATIVE")], Some("LACK_PARAMS")),
        (&[("openid", ""), ("trade_type", "NATIVE"), ("product_id", "P1")], None),
        (&[("openid", ""), ("trade_type", "MWEB")], Some("LACK_PARAMS")),
        (&[("openid", ""), ("trade_type", "MWEB"), ("scene_info", "{}")], None),
        (&[("time_expire", "20251009170000")], None),
        (&[("time_expire", "2025-10-09 17:00:00")], Some("PARAM_ERROR")),
        (&[("out_trade_no", "has blank")], Some("PARAM_ERROR")),
        (&[("out_trade_no", "a_-|*1")], None),
        (&[("appid", "wx0000000000000000")], Some("APPID_MCHID_NOT_MATCH")),
    ] {
        let answer = v2(&far_side(), "/pay/unifiedorder", &unified(changes));
        assert_eq!(answer.get("err_code").map(String::as_str), expected, "{changes:?}");
    }
}

#[test]
fn v2_messages_that_are_none_are_refused_in_words_nobody_signs() {
    let far_side = far_side();
    for (method, body, words) in [
        ("GET", "", "请使用post方法"),
        ("POST", "", "post数据为空"),
        ("POST", "{\"out_trade_no\":\"1\"}", "XML格式错误"),
        ("POST", "<!DOCTYPE x><xml></xml>", "XML格式错误"),
        ("POST", "<xml><a>1</a><a>2</a></xml>", "XML格式错误"),
        (
            "POST",
            "<xml><sign_type>SHA1</sign_type></xml>",
            "sign_type参数格式错误",
        ),
        (
            "POST",
            "<xml><sign>x</sign><mch_id>1</mch_id></xml>",
            "mch_id参数格式错误",
        ),
    ] {
        let request = Request::builder()
            .method(method)
            .uri("https://sandbox.example/pay/orderquery")
            .body(Bytes::from(body))
            .unwrap();
        let answer = xml_fields(far_side.answer(&request).unwrap().body());
        assert_eq!(answer.len(), 2, "{answer:?}");
        assert_eq!(
            (answer["return_code"].as_str(), answer["return_msg"].as_str()),
            ("FAIL", words)
        );
    }
    let verdicts: Vec<SignatureVerdict> = far_side.exchanges().iter().map(|exchange| exchange.signature).collect();
    assert_eq!(verdicts[5], SignatureVerdict::NotChecked);
    assert_eq!(verdicts[6], SignatureVerdict::UnknownKey);
}

#[test]
fn the_same_seed_and_calls_give_the_same_bytes() {
    let run = |seed: u64| {
        let far_side = FarSide::new("https://sandbox.example", clock(), seed).unwrap();
        let mut bytes = Vec::new();
        let mut keep = |headers: &http::HeaderMap, body: &Bytes| {
            for (name, value) in headers {
                bytes.extend_from_slice(name.as_str().as_bytes());
                bytes.extend_from_slice(value.as_bytes());
            }
            bytes.extend_from_slice(body);
        };
        let order = shop::order("order-1", 100, "http://127.0.0.1:9/notify");
        for (method, target, body) in [("POST", PLACE, order.as_str()), ("GET", "/v3/certificates", "")] {
            let response = v3(&far_side, method, target, body);
            keep(response.headers(), response.body());
        }
        far_side.pay(Platform::WechatV3, "order-1").unwrap();
        for notice in far_side.due_notices() {
            keep(notice.request.headers(), notice.request.body());
        }
        bytes
    };
    assert_eq!(run(1), run(1));
    assert_ne!(run(1), run(2));
}

#[test]
fn what_the_log_prints_shows_no_authorization_and_no_body() {
    let far_side = far_side();
    let order = shop::order("order-1", 100, "http://127.0.0.1:9/notify");
    let request = v3_request(&far_side, "POST", &format!("{PLACE}?code=secret-code"), &order);
    far_side.answer(&request).unwrap();
    let exchange = far_side.exchanges().pop().unwrap();
    assert_eq!(
        exchange.request_headers["authorization"],
        request.headers()["authorization"]
    );
    assert_eq!(exchange.request_body.bytes(), request.body());
    let printed = format!("{exchange:?}");
    assert!(printed.contains(PLACE), "{printed}");
    for hidden in ["secret-code", "signature=", "noodles", "oSandbox_Payer"] {
        assert!(!printed.contains(hidden), "{hidden} in {printed}");
    }
}

#[test]
fn the_log_keeps_the_beginning_of_a_long_text() {
    let far_side = far_side();
    // Two bytes a letter behind an odd number of bytes, so that the limit falls into a letter.
    let value = format!("{}{}", "x", "é".repeat(20_000));
    v2(&far_side, "/pay/unifiedorder", &unified(&[("attach", &value)]));
    let text = far_side.exchanges().pop().unwrap().canonical_text.unwrap();
    assert!((16_000..=16_400).contains(&text.len()), "{}", text.len());
    assert!(text.starts_with("appid=") && text.ends_with("é…"));
}
