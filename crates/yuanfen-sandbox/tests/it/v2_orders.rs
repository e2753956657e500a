//! Orders of WeChat Pay v2 that the payer opens on the phone: what is told of them, and when they end.

use std::collections::BTreeMap;
use std::time::Duration;

use serde_json::{Value, json};
use yuanfen_core::Fen;
use yuanfen_sandbox::{BookError, Coupon, FarSide, Payer, Platform};
use yuanfen_testkit::oracle;

use crate::shop::{far_side, v2, xml_fields};

const V2: Platform = Platform::WechatV2;

type Answer = BTreeMap<String, String>;

fn place(far_side: &FarSide, changes: &[(&str, &str)]) -> Answer {
    let mut fields = vec![
        ("out_trade_no", "A1"),
        ("body", "noodles"),
        ("total_fee", "1000"),
        ("attach", "table 7"),
        ("spbill_create_ip", "203.0.113.7"),
        ("notify_url", "https://shop.example/notify"),
        ("trade_type", "APP"),
    ];
    for change in changes {
        fields.retain(|(name, _)| *name != change.0);
        fields.push(*change);
    }
    v2(far_side, "/pay/unifiedorder", &fields)
}

fn query(far_side: &FarSide, others: &[(&str, &str)]) -> Answer {
    let asked = [&[("out_trade_no", "A1")], others].concat();
    v2(far_side, "/pay/orderquery", &asked)
}

fn said(answer: &Answer) -> &str {
    assert_eq!(answer["return_code"], "SUCCESS");
    match &*answer["result_code"] {
        "SUCCESS" => "SUCCESS",
        _ => &answer["err_code"],
    }
}

fn close(far_side: &FarSide) -> String {
    said(&v2(far_side, "/pay/closeorder", &[("out_trade_no", "A1")])).to_owned()
}

fn later(far_side: &FarSide, seconds: u64) {
    far_side.clock().advance(Duration::from_secs(seconds)).unwrap();
}

#[test]
fn of_an_unpaid_order_only_its_state_number_and_attachment_are_told() {
    let far_side = far_side();
    place(&far_side, &[("device_info", "WEB")]);
    let answer = query(&far_side, &[]);
    let names: Vec<&str> = answer.keys().map(String::as_str).collect();
    let common = ["appid", "attach", "mch_id", "nonce_str", "out_trade_no", "result_code"];
    let rest = ["return_code", "return_msg", "sign", "trade_state", "trade_state_desc"];
    assert_eq!(names, [&common[..], &rest].concat());
    assert_eq!((&*answer["trade_state"], &*answer["attach"]), ("NOTPAY", "table 7"));
    far_side.pay(V2, "A1").unwrap();
    let answer = query(&far_side, &[]);
    assert_eq!((&*answer["device_info"], &*answer["trade_type"]), ("WEB", "APP"));
}

#[test]
fn a_query_wants_one_number_and_prefers_the_platforms() {
    let far_side = far_side();
    place(&far_side, &[]);
    let paid = far_side.pay(V2, "A1").unwrap().payment.unwrap();
    let ask = |asked: &[(&str, &str)]| v2(&far_side, "/pay/orderquery", asked);
    let found = ask(&[("transaction_id", &paid.transaction_id), ("out_trade_no", "other")]);
    assert_eq!(found["out_trade_no"], "A1");
    let long = "9".repeat(33);
    for (asked, expected) in [
        (&[][..], "LACK_PARAMS"),
        (&[("out_trade_no", "other")], "ORDERNOTEXIST"),
        (&[("transaction_id", "4200"), ("out_trade_no", "A1")], "ORDERNOTEXIST"),
        (&[("transaction_id", &long)], "PARAM_ERROR"),
        (&[("out_trade_no", &long)], "PARAM_ERROR"),
    ] {
        assert_eq!(said(&ask(asked)), expected, "{asked:?}");
    }
}

#[test]
fn item_details_come_to_those_who_asked_beside_the_numbered_coupons() {
    let expected = json!({ "promotion_detail": [
        { "promotion_id": "C1", "scope": "GLOBAL", "type": "DISCOUNT", "amount": 30 },
    ]});
    for asked in [false, true] {
        let far_side = far_side();
        let version: &[(&str, &str)] = if asked { &[("version", "1.0")] } else { &[] };
        place(&far_side, version);
        let mut payer = Payer::default();
        payer.coupons = vec![Coupon::new("C1", Fen::new(30), false)];
        far_side.pay_as(V2, "A1", payer).unwrap();
        // The notice goes by the order, the query by itself.
        let notice = xml_fields(far_side.due_notices()[0].request.body());
        for (message, has) in [
            (&notice, asked),
            (&query(&far_side, &[]), false),
            (&query(&far_side, &[("version", "1.0")]), true),
        ] {
            let detail = message.get("promotion_detail");
            let detail: Option<Value> = detail.map(|text| serde_json::from_str(text).unwrap());
            assert_eq!(detail, has.then(|| expected.clone()));
            assert_eq!((&*message["coupon_count"], &*message["coupon_fee_0"]), ("1", "30"));
            assert_eq!(message["settlement_total_fee"], "970");
            let key = far_side.wechat_v2().api_key.expose().clone();
            assert_eq!(message["sign"], oracle::v2_md5(message, &key));
        }
    }
}

#[test]
fn an_order_ends_when_it_says_but_lives_a_minute_or_else_seven_days() {
    for (changes, life) in [
        (&[("time_expire", "20251009165421")][..], 61),
        // Ten seconds from now, which is raised to a minute.
        (&[("time_expire", "20251009165330")], 60),
        (
            &[("time_start", "20251009165320"), ("time_expire", "20251009165420")],
            60,
        ),
        (&[], 7 * 86_400),
    ] {
        let far_side = far_side();
        assert_eq!(said(&place(&far_side, changes)), "SUCCESS");
        later(&far_side, life - 1);
        assert_eq!(query(&far_side, &[])["trade_state"], "NOTPAY", "{changes:?}");
        later(&far_side, 1);
        assert_eq!(query(&far_side, &[])["trade_state"], "CLOSED", "{changes:?}");
        assert_eq!(far_side.pay(V2, "A1").unwrap_err(), BookError::Closed);
        assert_eq!(close(&far_side), "ORDERCLOSED");
        assert_eq!(said(&place(&far_side, changes)), "ORDERCLOSED");
    }
}

#[test]
fn the_end_is_set_with_the_first_call_and_a_repeat_repeats_everything() {
    let far_side = far_side();
    let end = ("time_expire", "20251009180000");
    assert_eq!(said(&place(&far_side, &[end])), "SUCCESS");
    for changes in [
        &[][..],
        &[("time_expire", "20251009180001")],
        &[end, ("total_fee", "1001")],
        &[end, ("attach", "")],
        &[end, ("trade_type", "NATIVE"), ("product_id", "P1")],
    ] {
        assert_eq!(said(&place(&far_side, changes)), "INVALID_REQUEST", "{changes:?}");
    }
    // Another nonce and another digest are the same request.
    let repeated = [end, ("nonce_str", "other"), ("sign_type", "HMAC-SHA256")];
    assert_eq!(said(&place(&far_side, &repeated)), "SUCCESS");
}

#[test]
fn closes_what_nobody_paid_once() {
    let far_side = far_side();
    assert_eq!(close(&far_side), "ORDERNOTEXIST");
    place(&far_side, &[]);
    assert_eq!(
        (close(&far_side), close(&far_side)),
        ("SUCCESS".to_owned(), "ORDERCLOSED".to_owned())
    );
    assert_eq!(said(&place(&far_side, &[])), "ORDERCLOSED");
    place(&far_side, &[("out_trade_no", "A2")]);
    far_side.pay(V2, "A2").unwrap();
    let paid = v2(&far_side, "/pay/closeorder", &[("out_trade_no", "A2")]);
    assert_eq!(said(&paid), "ORDERPAID");
    // The call has one number; another one in it names nothing.
    place(&far_side, &[("out_trade_no", "A3")]);
    let id = far_side.order(V2, "A2").unwrap().payment.unwrap().transaction_id;
    let both = v2(
        &far_side,
        "/pay/closeorder",
        &[("out_trade_no", "A3"), ("transaction_id", &id)],
    );
    assert_eq!(said(&both), "SUCCESS");
    let long = "9".repeat(33);
    for (number, expected) in [("", "LACK_PARAMS"), (&*long, "PARAM_ERROR")] {
        let answer = v2(&far_side, "/pay/closeorder", &[("out_trade_no", number)]);
        assert_eq!(said(&answer), expected);
    }
}

#[test]
fn a_paid_order_is_paid_even_within_the_five_minutes() {
    let far_side = far_side();
    far_side.keep_wechat_v2_five_minutes(true);
    place(&far_side, &[]);
    assert_eq!(close(&far_side), "TRADE_STATE_ERROR");
    far_side.pay(V2, "A1").unwrap();
    assert_eq!(close(&far_side), "ORDERPAID");
}

#[test]
fn a_notice_says_its_digest_where_it_is_not_the_usual() {
    for (sign_type, named) in [("MD5", None), ("HMAC-SHA256", Some("HMAC-SHA256"))] {
        let far_side = far_side();
        place(&far_side, &[("sign_type", sign_type)]);
        far_side.pay(V2, "A1").unwrap();
        let notice = xml_fields(far_side.due_notices()[0].request.body());
        assert_eq!(notice.get("sign_type").map(String::as_str), named);
        let key = far_side.wechat_v2().api_key.expose().clone();
        let sign = match named {
            Some(_) => oracle::v2_hmac(&notice, &key),
            None => oracle::v2_md5(&notice, &key),
        };
        assert_eq!(notice["sign"], sign);
    }
}
