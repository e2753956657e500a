//! WeChat Pay byte by byte over a socket: what a repeat gets, what a used number gets, what cannot be, and what is not
//! ready yet. The calls are signed by openssl and hashlib (`tests/calls/make.py`).

use std::time::Duration;

use serde_json::{Value, json};
use yuanfen_sandbox::{Payer, Platform, RefundState, Sandbox};
use yuanfen_testkit::oracle;

use crate::raw_http::{Answer, sandbox, send};
use crate::shop::{v3_holds, xml_fields};

const V2: Platform = Platform::WechatV2;
const V3: Platform = Platform::WechatV3;
const KEY: &str = "ThrowAwaySandboxApiKeyOfWechatV2";
/// In the calls that charge a code; the first one that a sandbox with this seed shows.
const CODE: &str = "159051853007042695";

/// A sandbox in which that charge was made.
async fn charged(platform: Platform, charge: &str) -> Sandbox {
    let sandbox = sandbox().await;
    assert_eq!(sandbox.payment_code(platform, Payer::default()), CODE);
    assert_eq!(send(&sandbox, charge).await.status, 200);
    sandbox
}

/// The status and the JSON of an answer whose signature holds.
fn signed(sandbox: &Sandbox, answer: &Answer) -> (u16, Value) {
    let pem = sandbox.wechat_v3().platform_certificate_pem;
    assert!(v3_holds(&answer.headers, &answer.body, &pem));
    assert_eq!(answer.headers["content-type"], "application/json; charset=utf-8");
    (answer.status, answer.json())
}

#[tokio::test]
async fn a_v3_refund_is_one_under_its_number_and_never_more_than_the_order() {
    let sandbox = charged(V3, "v3-code-payment").await;
    let number = sandbox.order(V3, "TILL_1").unwrap().payment.unwrap().transaction_id;
    // Section 17.2 of the sheet, member by member.
    let mut object = json!({
        "refund_id": "5030202510097315585723397949",
        "out_refund_no": "R@1",
        "transaction_id": number,
        "out_trade_no": "TILL_1",
        "channel": "ORIGINAL",
        "user_received_account": "支付用户零钱",
        "create_time": "2025-10-09T16:53:20+08:00",
        "status": "PROCESSING",
        "funds_account": "AVAILABLE",
        "amount": {
            "total": 99, "refund": 33, "payer_total": 99, "payer_refund": 33, "settlement_refund": 33,
            "settlement_total": 99, "discount_refund": 0, "currency": "CNY",
        },
    });
    for _ in 0..2 {
        let answer = send(&sandbox, "v3-refund").await;
        assert_eq!(signed(&sandbox, &answer), (200, object.clone()));
    }
    for (name, code, message) in [
        (
            "v3-refund-other-amount",
            "PARAM_ERROR",
            "同一退款单号的参数与之前不一致",
        ),
        ("v3-refund-other-total", "REFUND_FEE_MISMATCH", "订单金额与原订单不一致"),
        ("v3-refund-of-too-much", "INVALID_REQUEST", "申请退款金额超过可退金额"),
    ] {
        let answer = send(&sandbox, name).await;
        let refusal = json!({ "code": code, "message": message });
        assert_eq!(signed(&sandbox, &answer), (400, refusal), "{name}");
    }
    assert_eq!(send(&sandbox, "v3-refund-of-the-rest").await.status, 200);
    let (_, order) = signed(&sandbox, &send(&sandbox, "v3-till-query").await);
    assert_eq!(
        (&order["trade_state"], &order["trade_state_desc"]),
        (&json!("REFUND"), &json!("订单发生过退款"))
    );

    sandbox.settle_refund(V3, "R@1", RefundState::Succeeded).unwrap();
    object["status"] = json!("SUCCESS");
    object["success_time"] = json!("2025-10-09T16:53:20+08:00");
    let answer = send(&sandbox, "v3-refund-query").await;
    assert_eq!(signed(&sandbox, &answer), (200, object.clone()));
    // The identical call again says how it stands now, and moves nothing.
    let answer = send(&sandbox, "v3-refund").await;
    assert_eq!(signed(&sandbox, &answer), (200, object));
    assert_eq!(sandbox.order(V3, "TILL_1").unwrap().refunds.len(), 2);
}

#[tokio::test]
async fn what_was_charged_at_a_till_is_not_closed() {
    let sandbox = charged(V3, "v3-code-payment").await;
    let answer = send(&sandbox, "v3-till-close").await;
    let refusal = json!({ "code": "INVALID_REQUEST", "message": "付款码支付的订单请调用撤销接口" });
    assert_eq!(signed(&sandbox, &answer), (400, refusal));
    // Section 10.3: the number behind the last dash of `Request-ID`.
    let id = answer.headers["request-id"].to_str().unwrap();
    assert!(id.ends_with("-268449641"), "{id}");

    let sandbox = charged(V2, "v2-micropay").await;
    let fields = xml_fields(&send(&sandbox, "v2-till-close").await.body);
    assert_eq!(
        (&*fields["result_code"], &*fields["err_code"]),
        ("FAIL", "TRADE_STATE_ERROR")
    );
    assert_eq!(fields["sign"], oracle::v2_md5(&fields, KEY));
}

#[tokio::test]
async fn a_v3_bill_is_being_made_until_ten_to_the_second() {
    let sandbox = charged(V3, "v3-code-payment").await;
    // From 16:53:20 to 09:59:59 of the next day.
    sandbox.advance(Duration::from_secs(61_599)).await.unwrap();
    for name in ["v3-trade-bill-a-second-early", "v3-fund-flow-bill-a-second-early"] {
        let answer = send(&sandbox, name).await;
        let refusal = json!({ "code": "STATEMENT_CREATING", "message": "账单生成中" });
        assert_eq!(signed(&sandbox, &answer), (400, refusal), "{name}");
    }
    sandbox.advance(Duration::from_secs(1)).await.unwrap();
    for (name, last) in [
        ("v3-trade-bill", "`1.0,`0.99,`0.00,`0.0,`0.00594,`0.99,`0.00\r\n"),
        ("v3-fund-flow-bill", "`1.0,`1.0,`0.99,`0.0,`0.00\r\n"),
    ] {
        let (status, asked) = signed(&sandbox, &send(&sandbox, name).await);
        assert_eq!(status, 200);
        let mut members: Vec<&String> = asked.as_object().unwrap().keys().collect();
        members.sort_unstable();
        assert_eq!(members, ["download_url", "hash_type", "hash_value"], "{name}");
        assert_eq!(asked["hash_type"], "SHA1");
        let bill = sandbox.far_side().bill(
            V3,
            if name == "v3-trade-bill" {
                yuanfen_sandbox::BillKind::Trade
            } else {
                yuanfen_sandbox::BillKind::FundFlow
            },
            yuanfen_core::CalendarDate::parse("2025-10-09").unwrap(),
        );
        let bill = bill.unwrap();
        assert!(bill.ends_with(last), "{bill}");
        assert_eq!(asked["hash_value"], oracle::sha1_hex(bill.as_bytes()));
    }
}

#[tokio::test]
async fn a_v2_refund_is_one_under_its_number_and_never_more_than_the_order() {
    let sandbox = charged(V2, "v2-micropay").await;
    let first = xml_fields(&send(&sandbox, "v2-refund").await.body);
    assert_eq!(first["result_code"], "SUCCESS");
    let again = xml_fields(&send(&sandbox, "v2-refund").await.body);
    assert_eq!(again["refund_id"], first["refund_id"]);
    // Section 6.4 of the sheet: what an answer holds beside what every answer does.
    let mut names: Vec<&str> = first.keys().map(String::as_str).collect();
    names.retain(|name| {
        ![
            "return_code",
            "return_msg",
            "appid",
            "mch_id",
            "nonce_str",
            "sign",
            "result_code",
        ]
        .contains(name)
    });
    assert_eq!(
        names,
        [
            "cash_fee",
            "cash_refund_fee",
            "fee_type",
            "out_refund_no",
            "out_trade_no",
            "refund_fee",
            "refund_id",
            "total_fee",
            "transaction_id",
        ]
    );
    for (name, code, words) in [
        (
            "v2-refund-other-amount",
            "PARAM_ERROR",
            "同一退款单号的参数与之前不一致",
        ),
        ("v2-refund-other-total", "PARAM_ERROR", "订单金额与原订单不一致"),
        ("v2-refund-of-too-much", "ERROR", "申请退款金额超过可退金额"),
    ] {
        let fields = xml_fields(&send(&sandbox, name).await.body);
        assert_eq!(
            (&*fields["return_code"], &*fields["result_code"]),
            ("SUCCESS", "FAIL"),
            "{name}"
        );
        assert_eq!(
            (&*fields["err_code"], &*fields["err_code_des"]),
            (code, words),
            "{name}"
        );
        assert_eq!(fields["sign"], oracle::v2_md5(&fields, KEY), "{name}");
    }
    let rest = xml_fields(&send(&sandbox, "v2-refund-of-the-rest").await.body);
    assert_eq!(rest["refund_fee"], "66");
    let order = xml_fields(&send(&sandbox, "v2-till-query").await.body);
    assert_eq!(order["trade_state"], "REFUND");
    // One of two is skipped: section 6.5.
    let listed = xml_fields(&send(&sandbox, "v2-refund-list").await.body);
    for (name, value) in [
        ("total_refund_count", "2"),
        ("refund_count", "1"),
        ("out_refund_no_0", "R@2"),
        ("refund_fee_0", "66"),
        ("refund_status_0", "PROCESSING"),
        ("refund_recv_accout_0", "支付用户零钱"),
    ] {
        assert_eq!(listed[name], value, "{name}");
    }
    assert!(!listed.contains_key("refund_success_time_0") && !listed.contains_key("refund_id_1"));
}
