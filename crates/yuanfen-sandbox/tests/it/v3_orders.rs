//! APIv3 orders in four scenes and two forms: whose ids a call may hold, what a repeat is, and who
//! is told.

use std::time::Duration;

use bytes::Bytes;
use http::Response;
use serde_json::{Value, json};
use yuanfen_sandbox::{Account, FarSide, Platform, RefundState, SignatureVerdict};
use yuanfen_sign::ApiV3Key;

use crate::shop::{far_side, json_of, refusal, v3, v3_holds, v3_provider, v3_provider_request, v3_request};

pub const APP: &str = "wx7c1d2e3f4a5b6c7d";
pub const SUB_APP: &str = "wx8d2e3f4a5b6c7d8e";
pub const OWN_APP: &str = "wx5a6d0b0c5a1e4d21";
const OWN: &str = "/v3/pay/transactions";
const PARTNER: &str = "/v3/pay/partner/transactions";
const SCENES: [&str; 4] = ["jsapi", "native", "app", "h5"];

/// Sends a body to a service provider's path.
type Send = fn(&FarSide, &str, &str, &str) -> Response<Bytes>;

fn provider() -> Account {
    Account::provider(Platform::WechatV3)
}

/// `to` with the members of `from`; a null takes one out.
pub fn with(mut to: Value, from: &Value) -> Value {
    let members = to.as_object_mut().unwrap();
    for (name, value) in from.as_object().unwrap() {
        if value.is_null() {
            members.remove(name);
        } else {
            members.insert(name.clone(), value.clone());
        }
    }
    to
}

pub fn own_ids() -> Value {
    json!({ "appid": OWN_APP, "mchid": "1900000001" })
}

pub fn partner_ids() -> Value {
    json!({ "sp_appid": APP, "sp_mchid": "1900000101", "sub_mchid": "1900000111" })
}

pub fn order(ids: Value, scene: &str) -> Value {
    let order = json!({
        "description": "noodles",
        "out_trade_no": "ORDER_1",
        "notify_url": "http://127.0.0.1:9/notify",
        "amount": { "total": 1000 },
    });
    let order = with(ids, &order);
    match scene {
        "jsapi" if order.get("appid").is_some() => with(order, &json!({ "payer": { "openid": "oSomebody" } })),
        "jsapi" => with(order, &json!({ "payer": { "sp_openid": "oSomebody" } })),
        "h5" => with(
            order,
            &json!({ "scene_info": { "payer_client_ip": "203.0.113.7", "h5_info": { "type": "Wap" } } }),
        ),
        _ => order,
    }
}

pub fn place(far_side: &FarSide, scene: &str, changes: &Value) -> Response<Bytes> {
    let body = with(order(own_ids(), scene), changes);
    v3(far_side, "POST", &format!("{OWN}/{scene}"), &body.to_string())
}

pub fn place_for(far_side: &FarSide, scene: &str, changes: &Value) -> Response<Bytes> {
    let body = with(order(partner_ids(), scene), changes);
    v3_provider(far_side, "POST", &format!("{PARTNER}/{scene}"), &body.to_string())
}

fn refused(response: &Response<Bytes>, status: u16, code: &str) -> bool {
    !response.status().is_success() && refusal(response) == (status, code.to_owned())
}

#[test]
fn a_provider_names_one_of_its_own_merchants_in_every_scene() {
    for scene in SCENES {
        for (changes, status, code, number) in [
            (json!({ "sub_mchid": null }), 400, "PARAM_ERROR", "268435461"),
            (json!({ "sub_mchid": "1900000119" }), 403, "NO_AUTH", "268443701"),
            // The direct merchant is nobody's sub-merchant, and the provider not its own.
            (json!({ "sub_mchid": "1900000001" }), 403, "NO_AUTH", "268443701"),
            (json!({ "sub_mchid": "1900000101" }), 400, "PARAM_ERROR", "268443705"),
            (json!({ "sp_mchid": "1900000111" }), 400, "PARAM_ERROR", "268435461"),
            (json!({ "sp_appid": null }), 400, "PARAM_ERROR", "268435461"),
            (
                json!({ "sp_appid": OWN_APP }),
                400,
                "APPID_MCHID_NOT_MATCH",
                "268445527",
            ),
            (json!({ "sub_appid": APP }), 400, "APPID_MCHID_NOT_MATCH", "268445527"),
            (
                json!({ "sub_mchid": "1900000112", "sub_appid": SUB_APP }),
                400,
                "APPID_MCHID_NOT_MATCH",
                "268445527",
            ),
            (json!({ "mchid": "1900000001" }), 400, "PARAM_ERROR", "268435461"),
        ] {
            let far_side = far_side();
            let answer = place_for(&far_side, scene, &changes);
            assert!(refused(&answer, status, code), "{scene} {changes}: {answer:?}");
            let id = answer.headers()["request-id"].to_str().unwrap();
            assert!(id.ends_with(&format!("-{number}")), "{scene} {changes}: {id}");
            assert!(far_side.orders(provider()).is_empty());
        }
        assert!(
            place_for(&far_side(), scene, &json!({})).status().is_success(),
            "{scene}"
        );
    }
}

#[test]
fn each_form_has_its_own_paths_and_members() {
    let (own, partner): (Send, Send) = (v3, v3_provider);
    for (send, path, ids) in [(own, PARTNER, own_ids()), (partner, OWN, partner_ids())] {
        for scene in SCENES {
            let far_side = far_side();
            let body = order(ids.clone(), scene).to_string();
            let answer = send(&far_side, "POST", &format!("{path}/{scene}"), &body);
            assert!(refused(&answer, 403, "NO_AUTH"), "{path}/{scene}");
            assert_eq!(far_side.exchanges()[0].signature, SignatureVerdict::Holds);
        }
        for (method, end) in [
            ("POST", "codepay"),
            ("GET", "out-trade-no/ORDER_1"),
            ("GET", "id/4200"),
            ("POST", "out-trade-no/ORDER_1/close"),
            ("POST", "out-trade-no/ORDER_1/reverse"),
        ] {
            let answer = send(&far_side(), method, &format!("{path}/{end}"), "");
            assert!(refused(&answer, 403, "NO_AUTH"), "{path}/{end}");
        }
    }
    // The members of one form are unknown to the other.
    for scene in SCENES {
        let foreign = place(&far_side(), scene, &json!({ "sub_mchid": "1900000111" }));
        assert!(refused(&foreign, 400, "PARAM_ERROR"), "{scene}");
        assert_eq!(json_of(&foreign)["detail"]["field"], "/sub_mchid");
    }
}

#[test]
fn a_provider_is_not_the_merchant_whose_key_signs() {
    let far_side = far_side();
    for (mut request, foreign) in [
        (v3_request(&far_side, "GET", "/v3/certificates", ""), "1900000101"),
        (
            v3_provider_request(&far_side, "GET", "/v3/certificates", ""),
            "1900000001",
        ),
    ] {
        let header = request.headers()["authorization"].to_str().unwrap().to_owned();
        let (before, after) = header.split_once("mchid=\"").unwrap();
        let forged = format!("{before}mchid=\"{foreign}{}", &after[10..]);
        request.headers_mut().insert("authorization", forged.parse().unwrap());
        let answer = far_side.answer(&request).unwrap();
        assert!(refused(&answer, 401, "SIGN_ERROR"));
    }
    let verdicts: Vec<_> = far_side.exchanges().iter().map(|exchange| exchange.signature).collect();
    assert_eq!(verdicts, [SignatureVerdict::UnknownKey; 2]);
}

#[test]
fn the_payer_is_named_once_under_the_app_that_knows_them() {
    let sub = json!({ "sub_openid": "oSub" });
    for (changes, field) in [
        (json!({ "payer": {} }), "/payer"),
        (json!({ "payer": null }), "/payer"),
        (
            json!({ "payer": { "sp_openid": "o1", "sub_openid": "o2" }, "sub_appid": SUB_APP }),
            "/payer",
        ),
        (json!({ "payer": sub }), "/sub_appid"),
        (json!({ "payer": { "openid": "o1" } }), "/payer/openid"),
    ] {
        let answer = place_for(&far_side(), "jsapi", &changes);
        assert!(refused(&answer, 400, "PARAM_ERROR"), "{changes}");
        assert_eq!(json_of(&answer)["detail"]["field"], field, "{changes}");
    }
    let far_side = far_side();
    let answer = place_for(&far_side, "jsapi", &json!({ "payer": sub, "sub_appid": SUB_APP }));
    assert!(answer.status().is_success());
    far_side.pay(provider(), "ORDER_1").unwrap();
    let target = format!("{PARTNER}/out-trade-no/ORDER_1?sp_mchid=1900000101&sub_mchid=1900000111");
    assert_eq!(
        json_of(&v3_provider(&far_side, "GET", &target, ""))["payer"]["sub_openid"],
        "oSub"
    );
}

#[test]
fn an_identical_repeat_is_the_same_order_and_nothing_else_is() {
    for scene in SCENES {
        let far_side = far_side();
        let first = json_of(&place(&far_side, scene, &json!({})));
        far_side.clock().advance(Duration::from_secs(60)).unwrap();
        let again = json_of(&place(&far_side, scene, &json!({})));
        if scene == "h5" {
            // The page's address is new each time, and the order behind it is not.
            let order = |answer: &Value| {
                let address = answer["h5_url"].as_str().unwrap().to_owned();
                address
                    .split_once("prepay_id=")
                    .unwrap()
                    .1
                    .split_once('&')
                    .unwrap()
                    .0
                    .to_owned()
            };
            assert_eq!(order(&first), order(&again));
        } else {
            assert_eq!(first, again, "{scene}");
        }
        for changes in [
            json!({ "amount": { "total": 1001 } }),
            json!({ "description": "rice" }),
            json!({ "attach": "1" }),
            json!({ "time_expire": "2025-10-10T16:53:20+08:00" }),
        ] {
            let other = place(&far_side, scene, &changes);
            assert!(refused(&other, 403, "OUT_TRADE_NO_USED"), "{scene} {changes}");
        }
        for other in SCENES.into_iter().filter(|other| *other != scene) {
            let answer = place(&far_side, other, &json!({}));
            assert!(refused(&answer, 403, "OUT_TRADE_NO_USED"), "{scene} {other}");
        }
        // A provider's numbers are its own.
        assert!(place_for(&far_side, scene, &json!({})).status().is_success(), "{scene}");
        let other = place_for(&far_side, scene, &json!({ "sub_mchid": "1900000112" }));
        assert!(refused(&other, 403, "OUT_TRADE_NO_USED"), "{scene}");

        // What the payer needs ends with its time, and the identical call brings another.
        let life = if scene == "h5" { 300 } else { 7200 };
        far_side.clock().advance(Duration::from_secs(life)).unwrap();
        let renewed = place(&far_side, scene, &json!({}));
        assert!(renewed.status().is_success(), "{scene}");
        assert_ne!(json_of(&renewed), first, "{scene}");
        far_side.pay(Platform::WechatV3, "ORDER_1").unwrap();
        assert!(
            refused(&place(&far_side, scene, &json!({})), 400, "ORDER_PAID"),
            "{scene}"
        );
    }
}

#[test]
fn a_browser_outside_wechat_says_what_it_is_and_whose() {
    for (scene, field) in [
        (json!(null), "/scene_info"),
        (json!({ "payer_client_ip": "203.0.113.7" }), "/scene_info/h5_info"),
        (json!({ "h5_info": { "type": "Wap" } }), "/scene_info/payer_client_ip"),
        (
            json!({ "payer_client_ip": "127.0.0.1", "h5_info": { "type": "Wap" } }),
            "/scene_info/payer_client_ip",
        ),
        (
            json!({ "payer_client_ip": "::1", "h5_info": { "type": "Wap" } }),
            "/scene_info/payer_client_ip",
        ),
        (
            json!({ "payer_client_ip": "localhost", "h5_info": { "type": "Wap" } }),
            "/scene_info/payer_client_ip",
        ),
        (
            json!({ "payer_client_ip": "2001:db8::7", "h5_info": { "type": "wap" } }),
            "/scene_info/h5_info/type",
        ),
    ] {
        for place in [place, place_for] {
            let answer = place(&far_side(), "h5", &json!({ "scene_info": scene }));
            assert!(refused(&answer, 400, "PARAM_ERROR"), "{scene}");
            assert_eq!(json_of(&answer)["detail"]["field"], field, "{scene}");
        }
    }
    for kind in ["Wap", "iOS", "Android"] {
        let scene = json!({ "payer_client_ip": "2001:db8::7", "h5_info": { "type": kind } });
        let answer = place(&far_side(), "h5", &json!({ "scene_info": scene }));
        assert!(answer.status().is_success(), "{kind}");
    }
    // The other scenes have no such member.
    let scene = json!({ "payer_client_ip": "203.0.113.7", "h5_info": { "type": "Wap" } });
    let answer = place(&far_side(), "native", &json!({ "scene_info": scene }));
    assert_eq!(json_of(&answer)["detail"]["field"], "/scene_info/h5_info");
}

#[test]
fn goods_and_limits_keep_to_the_contract() {
    let goods = |quantity: i64, price: i64| json!([{ "merchant_goods_id": "A-1_b", "quantity": quantity, "unit_price": price }]);
    let long = json!([{
        "merchant_goods_id": "A", "goods_name": "\u{9eba}".repeat(256), "quantity": 1, "unit_price": 1,
    }]);
    let nine = Value::Array(vec![long[0].clone(); 9]);
    for (changes, field) in [
        (json!({ "limit_pay": ["no_credit", "no_cash"] }), "/limit_pay"),
        (
            json!({ "detail": { "goods_detail": goods(2, 501) } }),
            "/detail/goods_detail",
        ),
        (
            json!({ "detail": { "goods_detail": goods(i64::MAX, i64::MAX) } }),
            "/detail/goods_detail",
        ),
        (
            json!({ "detail": { "cost_price": 1001, "goods_detail": goods(1, 1002) } }),
            "/detail/goods_detail",
        ),
        // 9 times 256 characters of three bytes.
        (json!({ "detail": { "goods_detail": nine } }), "/detail/goods_detail"),
        (
            json!({ "detail": { "goods_detail": [{ "merchant_goods_id": "A*1", "quantity": 1, "unit_price": 1 }] } }),
            "/detail/goods_detail",
        ),
        (
            json!({ "detail": { "goods_detail": [{ "merchant_goods_id": "A", "wxpay_goods_id": "1", "quantity": 1,
                "unit_price": 1 }] } }),
            "/detail/goods_detail/0/wxpay_goods_id",
        ),
    ] {
        let answer = place(&far_side(), "native", &changes);
        assert!(refused(&answer, 400, "PARAM_ERROR"), "{changes}");
        assert_eq!(json_of(&answer)["detail"]["field"], field, "{changes}");
    }
    for changes in [
        json!({ "limit_pay": ["no_credit", "no_debit", "no_balance", "balance_only"] }),
        json!({ "detail": { "goods_detail": goods(2, 500) } }),
        json!({ "detail": { "cost_price": 1500, "goods_detail": goods(1, 1500) } }),
        json!({ "detail": { "goods_detail": [long[0].clone(), long[0].clone()] } }),
    ] {
        assert!(
            place(&far_side(), "native", &changes).status().is_success(),
            "{changes}"
        );
    }
}

#[test]
fn a_provider_sees_the_orders_of_the_merchant_it_names() {
    let far_side = far_side();
    place_for(&far_side, "native", &json!({}));
    let paid = far_side.pay(provider(), "ORDER_1").unwrap().payment.unwrap();
    for (query, status, code) in [
        ("sp_mchid=1900000101&sub_mchid=1900000112", 400, "INVALID_REQUEST"),
        ("sp_mchid=1900000101&sub_mchid=1900000101", 400, "PARAM_ERROR"),
        ("sp_mchid=1900000101&sub_mchid=1900000119", 403, "NO_AUTH"),
        ("sp_mchid=1900000101", 400, "PARAM_ERROR"),
        ("mchid=1900000101", 400, "PARAM_ERROR"),
        (
            "sp_mchid=1900000101&sub_mchid=1900000111&mchid=1900000001",
            400,
            "PARAM_ERROR",
        ),
    ] {
        for number in ["out-trade-no/ORDER_1".to_owned(), format!("id/{}", paid.transaction_id)] {
            let answer = v3_provider(&far_side, "GET", &format!("{PARTNER}/{number}?{query}"), "");
            assert!(refused(&answer, status, code), "{number} {query}: {answer:?}");
        }
    }
    let close = format!("{PARTNER}/out-trade-no/ORDER_1/close");
    let answer = v3_provider(
        &far_side,
        "POST",
        &close,
        r#"{"sp_mchid":"1900000101","sub_mchid":"1900000112"}"#,
    );
    assert!(refused(&answer, 400, "INVALID_REQUEST"));
    // The direct merchant has no such order.
    let answer = v3(
        &far_side,
        "GET",
        &format!("{OWN}/out-trade-no/ORDER_1?mchid=1900000001"),
        "",
    );
    assert!(refused(&answer, 404, "ORDER_NOT_EXIST"));
    let refund = |sub: Value| {
        let body = json!({
            "out_trade_no": "ORDER_1", "out_refund_no": "R1",
            "amount": { "refund": 1, "total": 1000, "currency": "CNY" },
        });
        v3_provider(
            &far_side,
            "POST",
            "/v3/refund/domestic/refunds",
            &with(body, &sub).to_string(),
        )
    };
    assert!(refused(&refund(json!({})), 400, "PARAM_ERROR"));
    assert!(refused(
        &refund(json!({ "sub_mchid": "1900000112" })),
        400,
        "INVALID_REQUEST"
    ));
    assert!(refund(json!({ "sub_mchid": "1900000111" })).status().is_success());
    for (query, status, code) in [
        ("", 400, "PARAM_ERROR"),
        ("?sub_mchid=1900000112", 400, "INVALID_REQUEST"),
        ("?sub_mchid=1900000119", 403, "NO_AUTH"),
    ] {
        let answer = v3_provider(&far_side, "GET", &format!("/v3/refund/domestic/refunds/R1{query}"), "");
        assert!(refused(&answer, status, code), "{query}");
    }
}

#[test]
fn a_refund_says_from_which_accounts_it_comes() {
    let far_side = far_side();
    place(&far_side, "native", &json!({}));
    far_side.pay(Platform::WechatV3, "ORDER_1").unwrap();
    let refund = |from: &Value| {
        let body = json!({
            "out_trade_no": "ORDER_1", "out_refund_no": "R1",
            "amount": { "refund": 100, "total": 1000, "currency": "CNY", "from": from },
        });
        v3(&far_side, "POST", "/v3/refund/domestic/refunds", &body.to_string())
    };
    let account = |name: &str, amount: i64| json!({ "account": name, "amount": amount });
    for from in [
        json!([]),
        json!([account("AVAILABLE", 99)]),
        json!([account("UNSETTLED", 100)]),
        json!([account("AVAILABLE", 50), account("AVAILABLE", 50)]),
    ] {
        let answer = refund(&from);
        assert!(refused(&answer, 400, "PARAM_ERROR"), "{from}");
        assert_eq!(json_of(&answer)["detail"]["field"], "/amount/from", "{from}");
    }
    let from = json!([account("UNAVAILABLE", 40), account("AVAILABLE", 60)]);
    assert_eq!(json_of(&refund(&from))["amount"]["from"], from);
}

#[test]
fn what_a_provider_is_told_opens_under_the_providers_key_alone() {
    let far_side = far_side();
    place_for(&far_side, "jsapi", &json!({}));
    far_side.pay(provider(), "ORDER_1").unwrap();
    let body = json!({
        "sub_mchid": "1900000111", "out_trade_no": "ORDER_1", "out_refund_no": "R1",
        "notify_url": "http://127.0.0.1:9/notify", "amount": { "refund": 100, "total": 1000, "currency": "CNY" },
    });
    v3_provider(&far_side, "POST", "/v3/refund/domestic/refunds", &body.to_string());
    far_side
        .settle_refund(provider(), "R1", RefundState::Succeeded)
        .unwrap();
    let notices = far_side.due_notices();
    assert_eq!(notices.len(), 2);
    for (notice, kind) in notices.iter().zip(["transaction", "refund"]) {
        let (headers, body) = (notice.request.headers(), notice.request.body());
        assert!(v3_holds(headers, body, &far_side.wechat_v3().platform_certificate_pem));
        let envelope: Value = serde_json::from_slice(body).unwrap();
        let sealed = &envelope["resource"];
        assert_eq!(sealed["original_type"], kind);
        let text = |name: &str| sealed[name].as_str().unwrap();
        let open = |key: &str| {
            let key = ApiV3Key::new(key).unwrap();
            key.open(text("nonce"), text("associated_data"), text("ciphertext"))
        };
        assert!(open(far_side.wechat_v3().apiv3_key.expose()).is_err(), "{kind}");
        let plain = open(far_side.wechat_v3_provider().apiv3_key.expose()).unwrap();
        let plain: Value = serde_json::from_slice(&plain).unwrap();
        assert_eq!(
            (&plain["sp_mchid"], &plain["sub_mchid"], &plain["out_trade_no"]),
            (&json!("1900000101"), &json!("1900000111"), &json!("ORDER_1"))
        );
        assert!(plain.get("mchid").is_none() && plain.get("appid").is_none());
        assert_eq!(plain.get("sp_appid").is_some(), kind == "transaction");
    }
}
