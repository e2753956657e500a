//! Refunds of WeChat Pay v2: taken once under a number, never more than the order, asked for by four numbers, told
//! under the API key.

use std::collections::BTreeMap;
use std::time::Duration;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use yuanfen_core::Fen;
use yuanfen_sandbox::{Coupon, FarSide, Payer, Platform, RefundState};
use yuanfen_sign::legacy::aes_256_ecb_open;
use yuanfen_testkit::oracle;

use crate::shop::{far_side, v2, v2_request, xml_fields};

const ORDER: &[(&str, &str)] = &[
    ("out_trade_no", "v2-order-1"),
    ("body", "noodles"),
    ("total_fee", "1000"),
    ("spbill_create_ip", "203.0.113.7"),
    ("notify_url", "https://shop.example/notify"),
    ("trade_type", "JSAPI"),
    ("openid", "oUpF8uMuAJO_M2pxb1Q9zNjWeS6o"),
];

type Answer = BTreeMap<String, String>;

/// A paid order, 70 fen of it by a coupon that the merchant receives and 30 by one that it does not.
fn paid() -> FarSide {
    let far_side = far_side();
    v2(&far_side, "/pay/unifiedorder", ORDER);
    let mut payer = Payer::default();
    payer.coupons = vec![
        Coupon::new("C1", Fen::new(30), false),
        Coupon::new("C2", Fen::new(70), true),
    ];
    far_side.pay_as(Platform::WechatV2, "v2-order-1", payer).unwrap();
    far_side
}

fn fields<'a>(refund_no: &'a str, amount: &'a str, changes: &[(&'a str, &'a str)]) -> Vec<(&'a str, &'a str)> {
    let mut fields = vec![
        ("out_trade_no", "v2-order-1"),
        ("out_refund_no", refund_no),
        ("total_fee", "1000"),
        ("refund_fee", amount),
    ];
    for (name, value) in changes {
        fields.retain(|(known, _)| known != name);
        if !value.is_empty() {
            fields.push((name, value));
        }
    }
    fields
}

fn refund(far_side: &FarSide, refund_no: &str, amount: &str, changes: &[(&str, &str)]) -> Answer {
    v2(far_side, "/secapi/pay/refund", &fields(refund_no, amount, changes))
}

fn query(far_side: &FarSide, asked: &[(&str, &str)]) -> Answer {
    v2(far_side, "/pay/refundquery", asked)
}

fn code(answer: &Answer) -> &str {
    assert_eq!(answer["return_code"], "SUCCESS");
    match &*answer["result_code"] {
        "SUCCESS" => "SUCCESS",
        _ => &answer["err_code"],
    }
}

fn has(answer: &Answer, expected: &[(&str, &str)]) {
    for (name, value) in expected {
        assert_eq!(
            answer.get(*name).map(String::as_str),
            Some(*value),
            "{name}: {answer:?}"
        );
    }
}

fn state(far_side: &FarSide) -> String {
    v2(far_side, "/pay/orderquery", &[("out_trade_no", "v2-order-1")])["trade_state"].clone()
}

#[test]
fn takes_a_refund_once_under_its_number_and_signs_what_it_says() {
    let far_side = paid();
    let first = refund(&far_side, "R@1", "500", &[]);
    has(
        &first,
        &[
            ("result_code", "SUCCESS"),
            ("out_trade_no", "v2-order-1"),
            ("out_refund_no", "R@1"),
            ("total_fee", "1000"),
            ("refund_fee", "500"),
            ("cash_fee", "900"),
            ("settlement_total_fee", "970"),
            ("cash_refund_fee", "450"),
            ("settlement_refund_fee", "485"),
            ("coupon_refund_fee", "50"),
            ("coupon_refund_count", "2"),
            ("coupon_type_0", "CASH"),
            ("coupon_refund_id_0", "C2"),
            ("coupon_refund_fee_0", "35"),
            ("coupon_type_1", "NO_CASH"),
            ("coupon_refund_id_1", "C1"),
            ("coupon_refund_fee_1", "15"),
        ],
    );
    assert_eq!(
        first["sign"],
        oracle::v2_md5(&first, far_side.wechat_v2().api_key.expose())
    );
    assert_eq!(first["refund_id"].len(), 28);
    // The same again is answered with the same and moves nothing.
    let again = refund(&far_side, "R@1", "500", &[]);
    assert_eq!(again["refund_id"], first["refund_id"]);
    let order = far_side.order(Platform::WechatV2, "v2-order-1").unwrap();
    assert_eq!(order.refunds.len(), 1);
    assert_eq!(order.refundable().get(), 500);
    // Another amount under the number is another request.
    assert_eq!(code(&refund(&far_side, "R@1", "501", &[])), "PARAM_ERROR");
    assert_eq!(state(&far_side), "REFUND", "paid, and a refund was taken");
}

#[test]
fn never_refunds_more_than_the_order() {
    let far_side = paid();
    assert_eq!(code(&refund(&far_side, "R1", "600", &[])), "SUCCESS");
    assert_eq!(code(&refund(&far_side, "R2", "401", &[])), "ERROR");
    assert_eq!(code(&refund(&far_side, "R3", "400", &[])), "SUCCESS");
    assert_eq!(code(&refund(&far_side, "R4", "1", &[])), "ERROR");
    // What was given up can be refunded again.
    far_side
        .settle_refund(Platform::WechatV2, "R1", RefundState::Closed)
        .unwrap();
    assert_eq!(code(&refund(&far_side, "R5", "600", &[])), "SUCCESS");
    assert_eq!(code(&refund(&far_side, "R6", "1", &[])), "ERROR");
}

#[test]
fn refuses_what_no_refund_of_this_order_can_be() {
    let far_side = paid();
    let long = |length: usize| "9".repeat(length);
    let (n33, n65, d81, u257) = (long(33), long(65), long(81), format!("https://s.example/{}", long(240)));
    for (changes, expected) in [
        (&[("total_fee", "999")][..], "PARAM_ERROR"),
        (&[("total_fee", "")], "LACK_PARAMS"),
        (&[("refund_fee", "0")], "PARAM_ERROR"),
        (&[("refund_fee", "-1")], "PARAM_ERROR"),
        (&[("refund_fee", "1.0")], "PARAM_ERROR"),
        (&[("refund_fee", "")], "LACK_PARAMS"),
        (&[("out_refund_no", "")], "LACK_PARAMS"),
        (&[("out_refund_no", "R 1")], "PARAM_ERROR"),
        (&[("out_refund_no", &n65)], "PARAM_ERROR"),
        (&[("out_trade_no", "")], "LACK_PARAMS"),
        (&[("out_trade_no", "other")], "ORDERNOTEXIST"),
        (&[("out_trade_no", &n33)], "PARAM_ERROR"),
        // The platform's number wins over a right number of the merchant.
        (&[("transaction_id", "420000")], "INVALID_TRANSACTIONID"),
        (&[("refund_desc", &d81)], "PARAM_ERROR"),
        (&[("refund_fee_type", "USD")], "PARAM_ERROR"),
        (&[("refund_account", "MY_POCKET")], "PARAM_ERROR"),
        (&[("notify_url", "https://shop.example/n?a=1")], "PARAM_ERROR"),
        (&[("notify_url", "shop.example")], "PARAM_ERROR"),
        (&[("notify_url", &u257)], "PARAM_ERROR"),
    ] {
        assert_eq!(code(&refund(&far_side, "R1", "500", changes)), expected, "{changes:?}");
    }
    assert!(
        far_side
            .order(Platform::WechatV2, "v2-order-1")
            .unwrap()
            .refunds
            .is_empty()
    );
    let unpaid = crate::shop::far_side();
    v2(&unpaid, "/pay/unifiedorder", ORDER);
    assert_eq!(code(&refund(&unpaid, "R1", "500", &[])), "TRADE_STATE_ERROR");
    // One past the year.
    far_side.clock().advance(Duration::from_secs(365 * 86_400)).unwrap();
    assert_eq!(code(&refund(&far_side, "R1", "1", &[])), "SUCCESS");
    far_side.clock().advance(Duration::from_secs(1)).unwrap();
    assert_eq!(code(&refund(&far_side, "R2", "1", &[])), "TRADE_OVERDUE");
}

#[test]
fn answers_in_words_nobody_signs_where_the_signature_does_not_hold() {
    let far_side = paid();
    let mut request = v2_request(&far_side, "/secapi/pay/refund", &fields("R1", "500", &[]));
    let body = String::from_utf8(request.body().to_vec()).unwrap();
    *request.body_mut() = body.replace("[500]", "[501]").into();
    let answer = xml_fields(far_side.answer(&request).unwrap().body());
    assert_eq!((&*answer["return_code"], answer.contains_key("sign")), ("FAIL", false));
    assert!(
        far_side
            .order(Platform::WechatV2, "v2-order-1")
            .unwrap()
            .refunds
            .is_empty()
    );
}

#[test]
fn finds_a_refund_by_each_of_its_numbers_and_says_how_it_ended() {
    let far_side = paid();
    let refund_id = refund(&far_side, "R1", "1000", &[])["refund_id"].clone();
    let order = far_side.order(Platform::WechatV2, "v2-order-1").unwrap();
    let transaction_id = order.payment.unwrap().transaction_id;
    for (asked, pages) in [
        (&[("refund_id", &*refund_id), ("out_refund_no", "other")][..], false),
        (&[("out_refund_no", "R1"), ("transaction_id", "other")], false),
        (&[("transaction_id", &*transaction_id), ("out_trade_no", "other")], true),
        (&[("out_trade_no", "v2-order-1")], true),
    ] {
        let answer = query(&far_side, asked);
        has(
            &answer,
            &[
                ("result_code", "SUCCESS"),
                ("transaction_id", &transaction_id),
                ("out_trade_no", "v2-order-1"),
                ("refund_count", "1"),
                ("out_refund_no_0", "R1"),
                ("refund_id_0", &refund_id),
                ("refund_channel_0", "ORIGINAL"),
                ("refund_fee_0", "1000"),
                ("refund_status_0", "PROCESSING"),
                ("refund_recv_accout_0", "支付用户零钱"),
                ("coupon_refund_fee_0", "100"),
                ("coupon_refund_count_0", "2"),
                ("coupon_type_0_0", "CASH"),
                ("coupon_refund_fee_0_0", "70"),
                ("coupon_refund_id_0_1", "C1"),
                ("coupon_refund_fee_0_1", "30"),
            ],
        );
        assert_eq!(answer.contains_key("total_refund_count"), pages, "{asked:?}");
        assert!(!answer.contains_key("refund_success_time_0"));
    }
    for (end, status) in [(RefundState::Abnormal, "CHANGE"), (RefundState::Succeeded, "SUCCESS")] {
        far_side.settle_refund(Platform::WechatV2, "R1", end).unwrap();
        let answer = query(&far_side, &[("out_refund_no", "R1")]);
        assert_eq!(answer["refund_status_0"], status);
        let told = answer.get("refund_success_time_0").map(String::as_str);
        assert_eq!(told, (status == "SUCCESS").then_some("2025-10-09 16:53:20"));
    }
    for (asked, expected) in [
        (&[("refund_id", "5")][..], "REFUNDNOTEXIST"),
        (&[("out_refund_no", "R2")], "REFUNDNOTEXIST"),
        (&[("out_trade_no", "other")], "REFUNDNOTEXIST"),
        (&[], "LACK_PARAMS"),
    ] {
        assert_eq!(code(&query(&far_side, asked)), expected);
    }
    let bare = crate::shop::far_side();
    v2(&bare, "/pay/unifiedorder", ORDER);
    assert_eq!(code(&query(&bare, &[("out_trade_no", "v2-order-1")])), "REFUNDNOTEXIST");
}

#[test]
fn the_second_edition_says_in_json_what_coupons_take_back() {
    let far_side = paid();
    let fields = fields("R1", "500", &[]);
    let first = v2(&far_side, "/secapi/pay/refundv2", &fields);
    has(
        &first,
        &[
            ("result_code", "SUCCESS"),
            ("refund_fee", "500"),
            ("cash_refund_fee", "450"),
        ],
    );
    let key = far_side.wechat_v2().api_key.expose().clone();
    assert_eq!(first["sign"], oracle::v2_md5(&first, &key));
    let detail = |text: &str| -> serde_json::Value { serde_json::from_str(text).unwrap() };
    let expected = serde_json::json!({ "promotion_detail": [
        { "promotion_id": "C2", "scope": "GLOBAL", "type": "COUPON", "amount": 70, "refund_amount": 35 },
        { "promotion_id": "C1", "scope": "GLOBAL", "type": "DISCOUNT", "amount": 30, "refund_amount": 15 },
    ]});
    assert_eq!(detail(&first["promotion_detail"]), expected);
    // The number is one number, whichever edition it is used with.
    assert_eq!(refund(&far_side, "R1", "500", &[])["refund_id"], first["refund_id"]);
    refund(&far_side, "R2", "100", &[]);
    let asked = v2(&far_side, "/pay/refundqueryv2", &[("out_trade_no", "v2-order-1")]);
    has(&asked, &[("refund_count", "2"), ("refund_id_0", &first["refund_id"])]);
    assert_eq!(detail(&asked["promotion_detail_0"]), expected);
    assert_eq!(
        detail(&asked["promotion_detail_1"])["promotion_detail"][0]["refund_amount"],
        7
    );
    assert!(
        !asked.keys().chain(first.keys()).any(|name| name.starts_with("coupon_")),
        "{asked:?}"
    );
    // The first edition tells the same in numbered fields.
    assert_eq!(
        query(&far_side, &[("out_refund_no", "R1")])["coupon_refund_fee_0_0"],
        "35"
    );
}

#[test]
fn tells_a_dozen_coupons_of_two_refunds_apart() {
    let far_side = far_side();
    v2(&far_side, "/pay/unifiedorder", ORDER);
    let mut payer = Payer::default();
    let coupon = |index: i64| Coupon::new(format!("C{index}"), Fen::new(10 * (index + 1)), index % 2 == 0);
    payer.coupons = (0..12).map(coupon).collect();
    far_side.pay_as(Platform::WechatV2, "v2-order-1", payer).unwrap();
    let paid = v2(&far_side, "/pay/orderquery", &[("out_trade_no", "v2-order-1")]);
    has(
        &paid,
        &[
            ("coupon_count", "12"),
            ("coupon_fee", "780"),
            ("coupon_id_1", "C1"),
            ("coupon_id_11", "C11"),
        ],
    );
    refund(&far_side, "R1", "500", &[]);
    refund(&far_side, "R2", "500", &[]);
    let answer = query(&far_side, &[("out_trade_no", "v2-order-1")]);
    let fee = |name: &str| answer[name].parse::<i64>().unwrap();
    for index in 0..2 {
        assert_eq!(answer[&format!("coupon_refund_count_{index}")], "12");
        let of_coupons: i64 = (0..12)
            .map(|coupon| fee(&format!("coupon_refund_fee_{index}_{coupon}")))
            .sum();
        assert_eq!(of_coupons, fee(&format!("coupon_refund_fee_{index}")));
    }
    // What a coupon takes back of both refunds is what it paid.
    let ids = |index: i64| format!("coupon_refund_id_0_{index}");
    for index in 0..12 {
        let paid: i64 = answer[&ids(index)][1..].parse::<i64>().unwrap() * 10 + 10;
        let back = fee(&format!("coupon_refund_fee_0_{index}")) + fee(&format!("coupon_refund_fee_1_{index}"));
        assert!((back - paid).abs() <= 1, "{index}: {back} of {paid}");
    }
    let key = far_side.wechat_v2().api_key.expose().clone();
    assert_eq!(answer["sign"], oracle::v2_md5(&answer, &key));
}

#[test]
fn lists_an_orders_refunds_ten_at_a_time() {
    let far_side = paid();
    for number in 0..25 {
        assert_eq!(code(&refund(&far_side, &format!("R{number}"), "40", &[])), "SUCCESS");
    }
    let mut seen = Vec::new();
    for (offset, count) in [("", 10), ("10", 10), ("20", 5), ("24", 1)] {
        let asked = [("out_trade_no", "v2-order-1"), ("offset", offset)];
        let answer = query(&far_side, &asked);
        has(
            &answer,
            &[("total_refund_count", "25"), ("refund_count", &count.to_string())],
        );
        for index in 0..count {
            seen.push(answer[&format!("out_refund_no_{index}")].clone());
        }
        assert!(!answer.contains_key(&format!("out_refund_no_{count}")));
    }
    let expected: Vec<String> = (0..25).chain([24]).map(|number| format!("R{number}")).collect();
    assert_eq!(seen, expected);
    for offset in ["25", "-1", "x"] {
        let asked = [("out_trade_no", "v2-order-1"), ("offset", offset)];
        assert_eq!(code(&query(&far_side, &asked)), "PARAM_ERROR", "{offset}");
    }
    // Together they take back the coupons exactly, by kind and in sum.
    let back: i64 = (0..25)
        .map(|number| {
            let answer = query(&far_side, &[("out_refund_no", &format!("R{number}"))]);
            let sum: i64 = answer["coupon_refund_fee_0"].parse().unwrap();
            let coupon = |index: i64| answer[&format!("coupon_refund_fee_0_{index}")].parse::<i64>().unwrap();
            assert_eq!(coupon(0) + coupon(1), sum);
            sum
        })
        .sum();
    assert_eq!(back, 100);
}

#[test]
fn tells_how_a_refund_ended_under_the_api_key_and_without_a_signature() {
    for (end, status) in [
        (RefundState::Succeeded, "SUCCESS"),
        (RefundState::Closed, "REFUNDCLOSE"),
        (RefundState::Abnormal, "CHANGE"),
    ] {
        let far_side = paid();
        for notice in far_side.due_notices() {
            far_side.answered(notice, Err("the payment's"));
        }
        refund(
            &far_side,
            "R1",
            "500",
            &[("notify_url", "https://shop.example/refunded")],
        );
        refund(&far_side, "R2", "500", &[]);
        assert!(far_side.due_notices().is_empty(), "nothing is told before the end");
        far_side.settle_refund(Platform::WechatV2, "R1", end).unwrap();
        far_side.settle_refund(Platform::WechatV2, "R2", end).unwrap();
        let notices = far_side.due_notices();
        assert_eq!(notices.len(), 1, "the second has no address");
        assert_eq!(notices[0].request.uri(), "https://shop.example/refunded");
        let outer = xml_fields(notices[0].request.body());
        assert_eq!(outer["return_code"], "SUCCESS");
        assert!(!outer.contains_key("sign"));
        let sealed = STANDARD.decode(&outer["req_info"]).unwrap();
        let hex = oracle::v2_refund_key(far_side.wechat_v2().api_key.expose());
        let plain = aes_256_ecb_open(hex.as_bytes().try_into().unwrap(), &sealed).unwrap();
        let plain = String::from_utf8(plain).unwrap();
        assert!(plain.starts_with("<root>"), "{plain}");
        let inner = xml_fields(plain.replace("root>", "xml>").as_bytes());
        has(
            &inner,
            &[
                ("out_trade_no", "v2-order-1"),
                ("out_refund_no", "R1"),
                ("total_fee", "1000"),
                ("refund_fee", "500"),
                ("settlement_refund_fee", "485"),
                ("refund_status", status),
                ("refund_recv_accout", "支付用户零钱"),
                ("refund_request_source", "API"),
            ],
        );
        assert_eq!(inner.contains_key("success_time"), status == "SUCCESS");
    }
}
