//! APIv3 combined orders: one payment for several orders, paid, closed and told of as one, refunded and billed one by one.

use std::time::Duration;

use bytes::Bytes;
use http::Response;
use serde_json::{Value, json};
use yuanfen_sandbox::{Account, BookError, FarSide, OrderState, Platform, RefundState};
use yuanfen_sign::ApiV3Key;

use crate::bills::fetch;
use crate::shop::{far_side, json_of, place, refund, refusal, v3, v3_provider};
use crate::v3_cashier::{open, parameters};
use crate::v3_orders::{APP, OWN_APP, SUB_APP, with};

const V3: Platform = Platform::WechatV3;
const SCENES: [&str; 4] = ["jsapi", "app", "native", "h5"];
const WHOLE: &str = "/v3/combine-transactions/out-trade-no/WHOLE_1";

fn part(number: &str, amount: i64) -> Value {
    json!({
        "mchid": "1900000001",
        "out_trade_no": number,
        "amount": { "total_amount": amount, "currency": "CNY" },
        "attach": "table 7",
        "description": "noodles",
    })
}

fn parts(count: usize) -> Value {
    (0..count).map(|index| part(&format!("PART_{index}"), 10)).collect()
}

/// The same parts as a provider has them.
fn for_subs(parts: &Value) -> Value {
    let mut parts = parts.clone();
    for (index, part) in parts.as_array_mut().unwrap().iter_mut().enumerate() {
        let sub = ["1900000111", "1900000112"][index % 2];
        *part = with(part.clone(), &json!({ "mchid": "1900000101", "sub_mchid": sub }));
    }
    parts
}

pub fn order(scene: &str, changes: &Value) -> Value {
    let order = json!({
        "combine_appid": OWN_APP,
        "combine_mchid": "1900000001",
        "combine_out_trade_no": "WHOLE_1",
        "notify_url": "http://127.0.0.1:9/notify",
        "sub_orders": parts(2),
    });
    let more = match scene {
        "jsapi" => json!({ "combine_payer_info": { "openid": "oSomebody" } }),
        "h5" => json!({ "scene_info": { "payer_client_ip": "203.0.113.7", "h5_info": { "type": "Wap" } } }),
        _ => json!({}),
    };
    with(with(order, &more), changes)
}

fn combine(far_side: &FarSide, scene: &str, changes: &Value) -> Response<Bytes> {
    let target = format!("/v3/combine-transactions/{scene}");
    v3(far_side, "POST", &target, &order(scene, changes).to_string())
}

fn combine_for(far_side: &FarSide, scene: &str, changes: &Value) -> Response<Bytes> {
    let target = format!("/v3/combine-transactions/{scene}");
    let ids = json!({
        "combine_appid": APP, "combine_mchid": "1900000101", "sub_orders": for_subs(&parts(2)),
    });
    let body = with(with(order(scene, &json!({})), &ids), changes).to_string();
    v3_provider(far_side, "POST", &target, &body)
}

fn says(response: &Response<Bytes>, status: u16, code: &str) -> bool {
    !response.status().is_success() && refusal(response) == (status, code.to_owned())
}

fn state(far_side: &FarSide, number: &str) -> OrderState {
    far_side.order(V3, number).unwrap().state()
}

#[test]
fn two_to_ten_parts_make_an_order_and_fifty_a_providers() {
    for (count, own, partner) in [
        (0, false, false),
        (1, false, false),
        (2, true, true),
        (10, true, true),
        (11, false, true),
        (50, false, true),
        (51, false, false),
    ] {
        let far_side = far_side();
        let answer = combine(&far_side, "native", &json!({ "sub_orders": parts(count) }));
        assert_eq!(answer.status().is_success(), own, "{count}");
        if !own {
            assert!(says(&answer, 400, "PARAM_ERROR"), "{count}");
            assert_eq!(json_of(&answer)["detail"]["field"], "/sub_orders");
        }
        let answer = combine_for(&far_side, "native", &json!({ "sub_orders": for_subs(&parts(count)) }));
        assert_eq!(answer.status().is_success(), partner, "{count}");
        if own {
            let total = far_side.order(V3, "WHOLE_1").unwrap().amount.get();
            assert_eq!(total, i64::try_from(count).unwrap() * 10);
        }
    }
}

#[test]
fn no_part_has_a_number_that_is_taken() {
    for sub_orders in [
        json!([part("PART_1", 1), part("PART_1", 2)]),
        json!([part("PART_1", 1), part("WHOLE_1", 2)]),
        json!([part("PART_1", 1), part("order-1", 2)]),
        json!([part("PART_1", 1), part("OTHER_0", 2)]),
        json!([part("PART_1", 1), part("OTHER", 2)]),
    ] {
        let far_side = far_side();
        place(&far_side, "order-1", 100, "http://127.0.0.1:9/notify");
        let other = json!([part("OTHER_0", 1), part("OTHER_1", 1)]);
        let other = json!({ "combine_out_trade_no": "OTHER", "sub_orders": other });
        assert!(combine(&far_side, "native", &other).status().is_success());
        let answer = combine(&far_side, "native", &json!({ "sub_orders": sub_orders }));
        assert!(says(&answer, 403, "OUT_TRADE_NO_USED"), "{sub_orders}");
        assert!(far_side.order(V3, "PART_1").is_none(), "{sub_orders}");
    }
    // Nor has an order of its own the number of a part or of a whole.
    let far_side = far_side();
    combine(&far_side, "native", &json!({}));
    for number in ["PART_0", "WHOLE_1"] {
        let body = crate::shop::order(number, 10, "http://127.0.0.1:9/notify");
        let answer = v3(&far_side, "POST", "/v3/pay/transactions/jsapi", &body);
        assert!(says(&answer, 403, "OUT_TRADE_NO_USED"), "{number}");
    }
}

#[test]
fn a_combined_order_is_initiated_by_who_signs_for_merchants_that_take_part() {
    let changed = |change: Value| {
        let parts = parts(2);
        json!({ "sub_orders": [with(parts[0].clone(), &change), parts[1].clone()] })
    };
    for (changes, status, code) in [
        (json!({ "combine_mchid": "1900000101" }), 400, "PARAM_ERROR"),
        (json!({ "combine_appid": APP }), 400, "APPID_MCHID_NOT_MATCH"),
        (changed(json!({ "mchid": "1900000002" })), 403, "NO_AUTH"),
        (changed(json!({ "sub_mchid": "1900000111" })), 400, "PARAM_ERROR"),
        (changed(json!({ "attach": null })), 400, "PARAM_ERROR"),
        (
            changed(json!({ "amount": { "total": 1, "currency": "CNY" } })),
            400,
            "PARAM_ERROR",
        ),
        (changed(json!({ "amount": { "total_amount": 1 } })), 400, "PARAM_ERROR"),
        (
            changed(json!({ "amount": { "total_amount": 1, "currency": "USD" } })),
            400,
            "PARAM_ERROR",
        ),
        (json!({ "notify_url": null }), 400, "PARAM_ERROR"),
        (json!({ "description": "x" }), 400, "PARAM_ERROR"),
    ] {
        for scene in SCENES {
            let far_side = far_side();
            assert!(
                says(&combine(&far_side, scene, &changes), status, code),
                "{scene} {changes}"
            );
            assert!(far_side.orders(V3).is_empty());
        }
    }
    let changed = |change: Value| {
        let parts = for_subs(&parts(2));
        json!({ "sub_orders": [with(parts[0].clone(), &change), parts[1].clone()] })
    };
    for (changes, status, code) in [
        (changed(json!({ "sub_mchid": null })), 400, "PARAM_ERROR"),
        (changed(json!({ "sub_mchid": "1900000101" })), 400, "PARAM_ERROR"),
        (changed(json!({ "sub_mchid": "1900000119" })), 403, "NO_AUTH"),
        (changed(json!({ "mchid": "1900000111" })), 403, "NO_AUTH"),
        (changed(json!({ "sub_appid": APP })), 400, "APPID_MCHID_NOT_MATCH"),
        (json!({ "combine_appid": SUB_APP }), 400, "APPID_MCHID_NOT_MATCH"),
    ] {
        let far_side = far_side();
        assert!(
            says(&combine_for(&far_side, "native", &changes), status, code),
            "{changes}"
        );
        assert!(far_side.orders(Account::provider(V3)).is_empty());
    }
}

#[test]
fn a_page_names_its_payer_and_a_browser_its_scene() {
    for (payer, field) in [
        (json!(null), "/combine_payer_info"),
        (json!({}), "/combine_payer_info/openid"),
        (json!({ "sub_openid": "o" }), "/combine_payer_info/sub_openid"),
    ] {
        let answer = combine(&far_side(), "jsapi", &json!({ "combine_payer_info": payer }));
        assert!(says(&answer, 400, "PARAM_ERROR"), "{payer}");
        assert_eq!(json_of(&answer)["detail"]["field"], field, "{payer}");
    }
    for (payer, field) in [
        (json!(null), "/combine_payer_info"),
        (json!({}), "/combine_payer_info"),
        (json!({ "openid": "o", "sub_openid": "o" }), "/combine_payer_info"),
        // No part names the app under which that is.
        (json!({ "sub_openid": "o" }), "/sub_orders/0/sub_appid"),
    ] {
        let answer = combine_for(&far_side(), "jsapi", &json!({ "combine_payer_info": payer }));
        assert!(says(&answer, 400, "PARAM_ERROR"), "{payer}");
        assert_eq!(json_of(&answer)["detail"]["field"], field, "{payer}");
    }
    for scene in [
        json!(null),
        json!({ "payer_client_ip": "203.0.113.7" }),
        json!({ "payer_client_ip": "127.0.0.1", "h5_info": { "type": "Wap" } }),
        json!({ "payer_client_ip": "203.0.113.7", "h5_info": { "type": "Web" } }),
        json!({ "payer_client_ip": "203.0.113.7", "device_id": "12345678901234567", "h5_info": { "type": "Wap" } }),
    ] {
        let answer = combine(&far_side(), "h5", &json!({ "scene_info": scene }));
        assert!(says(&answer, 400, "PARAM_ERROR"), "{scene}");
    }
}

#[test]
fn an_identical_repeat_is_the_same_order_and_nothing_else_is() {
    for scene in SCENES {
        let far_side = far_side();
        let first = json_of(&combine(&far_side, scene, &json!({})));
        let again = combine(&far_side, scene, &json!({}));
        assert!(again.status().is_success(), "{scene}");
        if scene != "h5" {
            assert_eq!(json_of(&again), first, "{scene}");
        }
        for changes in [
            json!({ "sub_orders": parts(3) }),
            json!({ "sub_orders": [part("PART_0", 10), part("PART_1", 11)] }),
            json!({ "time_expire": "2025-10-10T16:53:20+08:00" }),
        ] {
            let other = combine(&far_side, scene, &changes);
            assert!(says(&other, 403, "OUT_TRADE_NO_USED"), "{scene} {changes}");
        }
        for other in SCENES.into_iter().filter(|other| *other != scene) {
            let answer = combine(&far_side, other, &json!({}));
            assert!(says(&answer, 403, "OUT_TRADE_NO_USED"), "{scene} {other}");
        }
        assert!(
            combine_for(&far_side, scene, &json!({})).status().is_success(),
            "{scene}"
        );
        assert_eq!(far_side.orders(V3).len(), 3);
    }
}

#[test]
fn only_the_combined_calls_know_a_combined_order() {
    let far_side = far_side();
    combine(&far_side, "native", &json!({}));
    place(&far_side, "order-1", 100, "http://127.0.0.1:9/notify");
    let ask = |method: &str, target: &str, body: &str| v3(&far_side, method, target, body);
    let check = || {
        for number in ["WHOLE_1", "PART_0"] {
            let target = format!("/v3/pay/transactions/out-trade-no/{number}");
            for (method, target, body) in [
                ("GET", format!("{target}?mchid=1900000001"), json!(null)),
                ("POST", format!("{target}/close"), json!({ "mchid": "1900000001" })),
                (
                    "POST",
                    format!("{target}/reverse"),
                    json!({ "appid": OWN_APP, "mchid": "1900000001" }),
                ),
            ] {
                let body = if body.is_null() {
                    String::new()
                } else {
                    body.to_string()
                };
                assert!(says(&ask(method, &target, &body), 404, "ORDER_NOT_EXIST"), "{target}");
            }
        }
        for number in ["PART_0", "order-1", "NOBODYS"] {
            let target = format!("/v3/combine-transactions/out-trade-no/{number}");
            assert!(says(&ask("GET", &target, ""), 404, "ORDER_NOT_EXIST"), "{number}");
            let body = json!({ "combine_appid": OWN_APP, "sub_orders": [] }).to_string();
            assert!(says(
                &ask("POST", &format!("{target}/close"), &body),
                404,
                "ORDER_NOT_EXIST"
            ));
        }
    };
    check();
    far_side.pay(V3, "WHOLE_1").unwrap();
    for number in ["WHOLE_1", "PART_0"] {
        let id = far_side.order(V3, number).unwrap().payment.unwrap().transaction_id;
        let target = format!("/v3/pay/transactions/id/{id}?mchid=1900000001");
        assert!(says(&ask("GET", &target, ""), 404, "ORDER_NOT_EXIST"), "{number}");
    }
    check();
    assert!(says(
        &ask("GET", &format!("{WHOLE}?mchid=1900000001"), ""),
        400,
        "PARAM_ERROR"
    ));
    assert!(says(&v3_provider(&far_side, "GET", WHOLE, ""), 404, "ORDER_NOT_EXIST"));
}

#[test]
fn a_close_names_exactly_the_parts_and_closes_them_all() {
    let named = |number: &str, merchant: &str| json!({ "mchid": merchant, "out_trade_no": number });
    let own = |number: &str| named(number, "1900000001");
    let far_side = far_side();
    combine(&far_side, "native", &json!({}));
    let close = |body: &Value| v3(&far_side, "POST", &format!("{WHOLE}/close"), &body.to_string());
    for (body, code) in [
        (
            json!({ "combine_appid": OWN_APP, "sub_orders": [own("PART_0")] }),
            "PARAM_ERROR",
        ),
        (
            json!({ "combine_appid": OWN_APP, "sub_orders": [own("PART_0"), own("PART_1"), own("PART_2")] }),
            "PARAM_ERROR",
        ),
        (
            json!({ "combine_appid": OWN_APP, "sub_orders": [own("PART_0"), own("PART_0")] }),
            "PARAM_ERROR",
        ),
        (
            json!({ "combine_appid": OWN_APP, "sub_orders": [own("PART_0"), named("PART_1", "1900000002")] }),
            "PARAM_ERROR",
        ),
        (json!({ "sub_orders": [own("PART_0"), own("PART_1")] }), "PARAM_ERROR"),
        (
            json!({ "combine_appid": OWN_APP, "combine_mchid": "1900000001",
                "sub_orders": [own("PART_0"), own("PART_1")] }),
            "PARAM_ERROR",
        ),
        (
            json!({ "combine_appid": APP, "sub_orders": [own("PART_0"), own("PART_1")] }),
            "APPID_MCHID_NOT_MATCH",
        ),
    ] {
        assert!(says(&close(&body), 400, code), "{body}");
        assert_eq!(state(&far_side, "WHOLE_1"), OrderState::Unpaid);
    }
    // In any order, and again.
    let good = json!({ "combine_appid": OWN_APP, "sub_orders": [own("PART_1"), own("PART_0")] });
    for _ in 0..2 {
        assert_eq!(close(&good).status(), 204);
    }
    for number in ["WHOLE_1", "PART_0", "PART_1"] {
        assert_eq!(state(&far_side, number), OrderState::Closed, "{number}");
    }
    let found = json_of(&v3(&far_side, "GET", WHOLE, ""));
    assert_eq!(found["sub_orders"][1]["trade_state"], "CLOSED");
    assert!(says(&combine(&far_side, "native", &json!({})), 400, "ORDER_CLOSED"));

    // A provider names the merchant of each part, too.
    let far_side = self::far_side();
    combine_for(&far_side, "native", &json!({}));
    let close = |subs: [&str; 2]| {
        let named = |index: usize| json!({ "mchid": "1900000101", "sub_mchid": subs[index], "out_trade_no": format!("PART_{index}") });
        let body = json!({ "combine_appid": APP, "sub_orders": [named(0), named(1)] }).to_string();
        v3_provider(&far_side, "POST", &format!("{WHOLE}/close"), &body)
    };
    assert!(says(&close(["1900000112", "1900000111"]), 400, "PARAM_ERROR"));
    assert_eq!(close(["1900000111", "1900000112"]).status(), 204);
}

#[test]
fn the_parts_are_paid_together_or_not_at_all() {
    let far_side = far_side();
    combine(&far_side, "native", &json!({}));
    assert_eq!(far_side.pay(V3, "PART_0").unwrap_err(), BookError::Part);
    assert_eq!(far_side.cancel(V3, "PART_0").unwrap_err(), BookError::Part);
    far_side.cancel(V3, "WHOLE_1").unwrap();
    far_side.pay(V3, "WHOLE_1").unwrap();
    let ids: Vec<String> = ["PART_0", "PART_1"]
        .into_iter()
        .map(|number| {
            let order = far_side.order(V3, number).unwrap();
            assert_eq!(order.state(), OrderState::Paid);
            order.payment.unwrap().transaction_id
        })
        .collect();
    assert_ne!(ids[0], ids[1]);
    let body = json!({
        "combine_appid": OWN_APP,
        "sub_orders": [
            { "mchid": "1900000001", "out_trade_no": "PART_0" },
            { "mchid": "1900000001", "out_trade_no": "PART_1" },
        ],
    });
    let close = v3(&far_side, "POST", &format!("{WHOLE}/close"), &body.to_string());
    assert!(says(&close, 400, "ORDER_PAID"));
    assert!(says(&combine(&far_side, "native", &json!({})), 400, "ORDER_PAID"));
}

#[test]
fn one_notice_tells_of_the_whole_what_a_query_says() {
    let sub_payer = json!({
        "combine_payer_info": { "sub_openid": "oSub" },
        "sub_orders": for_subs(&parts(2)).as_array().unwrap().iter().enumerate().map(|(index, part)| {
            let app = if index == 0 { json!(SUB_APP) } else { json!(null) };
            with(part.clone(), &json!({ "sub_appid": app }))
        }).collect::<Value>(),
    });
    for (is_provider, changes) in [(false, json!({})), (true, json!({})), (true, sub_payer)] {
        let far_side = far_side();
        let (account, key) = if is_provider {
            assert!(combine_for(&far_side, "jsapi", &changes).status().is_success());
            (Account::provider(V3), far_side.wechat_v3_provider().apiv3_key)
        } else {
            combine(&far_side, "jsapi", &changes);
            (V3.into(), far_side.wechat_v3().apiv3_key)
        };
        far_side.pay(account, "WHOLE_1").unwrap();
        let notices = far_side.due_notices();
        assert_eq!(notices.len(), 1);
        let envelope: Value = serde_json::from_slice(notices[0].request.body()).unwrap();
        assert_eq!(envelope["event_type"], "TRANSACTION.SUCCESS");
        let text = |name: &str| envelope["resource"][name].as_str().unwrap();
        let key = ApiV3Key::new(key.expose()).unwrap();
        let plain = key
            .open(text("nonce"), text("associated_data"), text("ciphertext"))
            .unwrap();
        let plain: Value = serde_json::from_slice(&plain).unwrap();
        let send = if is_provider { v3_provider } else { v3 };
        assert_eq!(json_of(&send(&far_side, "GET", WHOLE, "")), plain);
        assert_eq!(
            plain["combine_mchid"],
            if is_provider { "1900000101" } else { "1900000001" }
        );
        assert!(plain.get("transaction_id").is_none());
        for (index, part) in plain["sub_orders"].as_array().unwrap().iter().enumerate() {
            assert_eq!(
                (&part["trade_state"], &part["trade_type"], &part["attach"]),
                (&json!("SUCCESS"), &json!("JSAPI"), &json!("table 7"))
            );
            let amount = json!({
                "total_amount": 10, "payer_amount": 10, "currency": "CNY", "payer_currency": "CNY",
            });
            assert_eq!(part["amount"], amount);
            let sub = is_provider.then(|| json!(["1900000111", "1900000112"][index]));
            assert_eq!(part.get("sub_mchid"), sub.as_ref());
            let openid = (!changes["combine_payer_info"].is_null() && index == 0).then(|| json!("oSub"));
            assert_eq!(part.get("sub_openid"), openid.as_ref());
        }
    }
}

#[test]
fn each_part_is_refunded_by_its_own_numbers_and_the_whole_by_none() {
    // Numbers of payments are drawn, and now and then the book's own for the whole is the one of a part: it is the part
    // that has it.
    let mut same = 0;
    for seed in 0..40 {
        let far_side = FarSide::new("https://sandbox.example", crate::shop::clock(), seed).unwrap();
        combine(&far_side, "native", &json!({ "sub_orders": parts(10) }));
        let whole = far_side.pay(V3, "WHOLE_1").unwrap().payment.unwrap().transaction_id;
        let id = |number: &str| far_side.order(V3, number).unwrap().payment.unwrap().transaction_id;
        let number = (0..10)
            .map(|index| format!("PART_{index}"))
            .find(|number| id(number) == whole);
        same += usize::from(number.is_some());
        let Some(number) = number.or_else(|| (seed == 0).then(|| "PART_3".to_owned())) else {
            continue;
        };
        let body = json!({
            "transaction_id": id(&number), "out_refund_no": "R1",
            "amount": { "refund": 3, "total": 10, "currency": "CNY" },
        });
        let answer = v3(&far_side, "POST", "/v3/refund/domestic/refunds", &body.to_string());
        assert_eq!(json_of(&answer)["out_trade_no"], number, "{seed}");
        assert!(says(
            &refund(&far_side, "WHOLE_1", "R2", 3, 100),
            404,
            "RESOURCE_NOT_EXISTS"
        ));
        far_side.settle_refund(V3, "R1", RefundState::Succeeded).unwrap();
        let found = json_of(&v3(&far_side, "GET", WHOLE, ""));
        let states = found["sub_orders"].as_array().unwrap().iter();
        let refunded: Vec<_> = states.filter(|part| part["trade_state"] == "REFUND").collect();
        assert_eq!(refunded.len(), 1);
        assert_eq!(refunded[0]["out_trade_no"], number);
    }
    assert!(same > 0, "no seed drew such a number");
}

#[test]
fn a_bill_lists_the_parts_and_not_the_whole() {
    let far_side = far_side();
    combine(&far_side, "native", &json!({}));
    far_side.pay(V3, "WHOLE_1").unwrap();
    refund(&far_side, "PART_1", "R1", 4, 10);
    far_side.settle_refund(V3, "R1", RefundState::Succeeded).unwrap();
    combine_for(&far_side, "native", &json!({}));
    far_side.pay(Account::provider(V3), "WHOLE_1").unwrap();
    far_side.clock().advance(Duration::from_secs(86_400)).unwrap();
    let bill = |send: fn(&FarSide, &str, &str, &str) -> Response<Bytes>, query: &str| {
        let target = format!("/v3/bill/tradebill?bill_date=2025-10-09{query}");
        let url = json_of(&send(&far_side, "GET", &target, ""))["download_url"].clone();
        let target = url
            .as_str()
            .unwrap()
            .strip_prefix("https://sandbox.example")
            .unwrap()
            .to_owned();
        let file = send(&far_side, "GET", &target, "");
        String::from_utf8(file.body().to_vec()).unwrap()
    };
    let text = bill(v3, "");
    assert!(!text.contains("WHOLE_1"), "{text}");
    assert_eq!(
        (text.matches("`PART_0").count(), text.matches("`PART_1").count()),
        (1, 2)
    );
    // Each merchant's bill has its own part.
    let text = bill(v3_provider, "&sub_mchid=1900000112");
    assert!(
        text.contains("`PART_1") && !text.contains("`PART_0") && !text.contains("WHOLE_1"),
        "{text}"
    );
    let flow = v3(&far_side, "GET", "/v3/bill/fundflowbill?bill_date=2025-10-09", "");
    let flow = String::from_utf8(fetch(&far_side, &flow).body().to_vec()).unwrap();
    assert!(!flow.contains("WHOLE_1"), "{flow}");
}

#[test]
fn the_cashier_of_a_combined_order_opens_in_the_app_that_knows_the_payer() {
    let far_side = far_side();
    let pem = far_side.wechat_v3_provider().provider_private_key_pem.expose().clone();
    let parts = for_subs(&parts(2));
    let first = with(parts[0].clone(), &json!({ "sub_appid": SUB_APP }));
    let changes = json!({
        "combine_payer_info": { "sub_openid": "oSub" }, "sub_orders": [first, parts[1].clone()],
    });
    let placed = json_of(&combine_for(&far_side, "jsapi", &changes));
    let prepay_id = placed["prepay_id"].as_str().unwrap();
    let open = |app: &str| open(&far_side, &parameters(&pem, app, prepay_id, None));
    assert_eq!(open(SUB_APP).as_deref(), Ok("WHOLE_1"));
    assert!(open(APP).is_err());
}
