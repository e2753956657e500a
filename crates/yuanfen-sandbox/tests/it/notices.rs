//! Notices on the wire: what they hold, who acknowledges them, and when they come again.

use std::time::Duration;

use serde_json::{Value, json};
use yuanfen_sandbox::{Coupon, NoticeOutcome, Payer, Platform, RefundState, Sandbox};
use yuanfen_sign::ApiV3Key;
use yuanfen_testkit::oracle;

use crate::shop::{self, Listener, V2Digest, clock, v3_holds, xml_fields};

pub const V2_YES: &str =
    "<xml><return_code><![CDATA[SUCCESS]]></return_code><return_msg><![CDATA[OK]]></return_msg></xml>";
const V2_NO: &str = "<xml><return_code><![CDATA[FAIL]]></return_code><return_msg><![CDATA[busy]]></return_msg></xml>";

async fn sandbox() -> Sandbox {
    Sandbox::builder().clock(clock()).seed(1).start().await.unwrap()
}

pub fn opened(sandbox: &Sandbox, notice: &http::Request<bytes::Bytes>) -> (Value, Value) {
    let account = sandbox.wechat_v3();
    assert!(v3_holds(
        notice.headers(),
        notice.body(),
        &account.platform_certificate_pem
    ));
    let envelope: Value = serde_json::from_slice(notice.body()).unwrap();
    let text = |name: &str| envelope["resource"][name].as_str().unwrap().to_owned();
    let plain = ApiV3Key::new(account.apiv3_key.expose())
        .unwrap()
        .open(&text("nonce"), &text("associated_data"), &text("ciphertext"))
        .unwrap();
    (envelope, serde_json::from_slice(&plain).unwrap())
}

#[tokio::test]
async fn tells_a_v3_shop_that_an_order_was_paid() {
    let sandbox = sandbox().await;
    let listener = Listener::start(&[(204, "")]).await;
    shop::place(&sandbox, "order-1", 100, &listener.url);
    let paid = sandbox.pay(Platform::WechatV3, "order-1").unwrap();
    sandbox.delivered().await;
    let received = listener.received();
    assert_eq!(received.len(), 1);
    assert_eq!(received[0].uri(), "/notify");
    assert_eq!(received[0].headers()["content-type"], "application/json");
    let (envelope, plain) = opened(&sandbox, &received[0]);
    assert_eq!(envelope["event_type"], "TRANSACTION.SUCCESS");
    assert_eq!(envelope["resource_type"], "encrypt-resource");
    assert_eq!(envelope["create_time"], "2025-10-09T16:53:20+08:00");
    assert_eq!(
        plain,
        json!({
            "appid": "wx5a6d0b0c5a1e4d21",
            "mchid": "1900000001",
            "out_trade_no": "order-1",
            "transaction_id": paid.payment.unwrap().transaction_id,
            "trade_type": "JSAPI",
            "trade_state": "SUCCESS",
            "trade_state_desc": "支付成功",
            "bank_type": "OTHERS",
            "attach": "table 7",
            "success_time": "2025-10-09T16:53:20+08:00",
            "payer": { "openid": "oSandbox_Payer-0123456789abc" },
            "amount": { "total": 100, "payer_total": 100, "currency": "CNY", "payer_currency": "CNY" },
        })
    );
    // The query says the same.
    assert_eq!(shop::query(&sandbox, "order-1"), plain);
    let notices = sandbox.notices();
    assert_eq!(notices.len(), 1);
    assert!(matches!(&notices[0].outcome, NoticeOutcome::Acknowledged { status, .. } if status.as_u16() == 204));
    assert_eq!(notices[0].next_at, None);
}

#[tokio::test]
async fn tells_a_v2_shop_under_the_orders_own_digest_with_every_coupon() {
    let digests: [(&str, V2Digest); 2] = [("MD5", oracle::v2_md5), ("HMAC-SHA256", oracle::v2_hmac)];
    for (sign_type, check) in digests {
        let sandbox = sandbox().await;
        let listener = Listener::start(&[(200, V2_YES)]).await;
        let placed = shop::v2(
            &sandbox,
            "/pay/unifiedorder",
            &[
                ("body", "noodles"),
                ("out_trade_no", "v2-order-1"),
                ("total_fee", "1000"),
                ("spbill_create_ip", "127.0.0.1"),
                ("notify_url", &listener.url),
                ("trade_type", "JSAPI"),
                ("openid", "oSomebody"),
                ("attach", "table 7"),
                ("sign_type", sign_type),
            ],
        );
        assert_eq!(placed["result_code"], "SUCCESS", "{placed:?}");
        let mut payer = Payer::default();
        for index in 0..12 {
            let amount = yuanfen_core::Fen::new(10);
            payer
                .coupons
                .push(Coupon::new(format!("C{index}"), amount, index % 2 == 0));
        }
        sandbox.pay_as(Platform::WechatV2, "v2-order-1", payer).unwrap();
        sandbox.delivered().await;
        let received = listener.received();
        let fields = xml_fields(received[0].body());
        for (name, value) in [
            ("return_code", "SUCCESS"),
            ("result_code", "SUCCESS"),
            ("out_trade_no", "v2-order-1"),
            ("openid", "oSomebody"),
            ("attach", "table 7"),
            ("total_fee", "1000"),
            ("cash_fee", "880"),
            ("settlement_total_fee", "940"),
            ("coupon_fee", "120"),
            ("coupon_count", "12"),
            ("coupon_id_11", "C11"),
            ("coupon_type_0", "CASH"),
            ("coupon_type_11", "NO_CASH"),
            ("coupon_fee_11", "10"),
            ("time_end", "20251009165320"),
        ] {
            assert_eq!(fields[name], value, "{name}");
        }
        assert_eq!(fields["sign"], check(&fields, sandbox.wechat_v2().api_key.expose()));
        let asked = shop::v2(&sandbox, "/pay/orderquery", &[("out_trade_no", "v2-order-1")]);
        assert_eq!(asked["trade_state"], "SUCCESS");
        assert_eq!(asked["transaction_id"], fields["transaction_id"]);
        let by_id = shop::v2(
            &sandbox,
            "/pay/orderquery",
            &[("transaction_id", &fields["transaction_id"])],
        );
        assert_eq!(by_id["out_trade_no"], "v2-order-1");
        assert_eq!(sandbox.notices().len(), 1);
    }
}

#[tokio::test]
async fn walks_the_whole_ladder_of_a_shop_that_never_acknowledges_and_signs_each_attempt_anew() {
    // Section 11.2 of the v3 sheet: 15 attempts after the first, 24 h 4 m in all.
    const WAITS: [i64; 15] = [
        15, 15, 30, 180, 600, 1200, 1800, 1800, 1800, 3600, 10_800, 10_800, 10_800, 21_600, 21_600,
    ];
    let sandbox = sandbox().await;
    let listener = Listener::start(&[(500, ""), (302, ""), (400, "{\"code\":\"FAIL\"}")]).await;
    shop::place(&sandbox, "order-1", 100, &listener.url);
    sandbox.pay(Platform::WechatV3, "order-1").unwrap();
    sandbox.advance(Duration::from_secs(30 * 3600)).await.unwrap();
    let notices = sandbox.notices();
    let times: Vec<i64> = notices.iter().map(|notice| notice.at.seconds() - shop::NOW).collect();
    let mut expected = vec![0];
    for wait in WAITS {
        expected.push(expected.last().unwrap() + wait);
    }
    assert_eq!(times, expected);
    assert_eq!(times.last(), Some(&(24 * 3600 + 4 * 60)));
    assert_eq!(notices.last().unwrap().next_at, None);
    let received = listener.received();
    let mut signatures = Vec::new();
    for (notice, at) in received.iter().zip(&times) {
        let (envelope, _) = opened(&sandbox, notice);
        assert_eq!(envelope["id"], notices[0].notice_id.as_str());
        let signed_at: i64 = notice.headers()["wechatpay-timestamp"]
            .to_str()
            .unwrap()
            .parse()
            .unwrap();
        assert_eq!(signed_at, shop::NOW + at);
        signatures.push(notice.headers()["wechatpay-signature"].clone());
    }
    signatures.sort_by(|left, right| left.as_bytes().cmp(right.as_bytes()));
    signatures.dedup();
    assert_eq!(signatures.len(), 16);
}

#[tokio::test]
async fn stops_at_the_acknowledgement_of_each_platform() {
    let sandbox = sandbox().await;
    // A 200 without the words is none on v2; on v3 a 200 is one whatever it says.
    let v2 = Listener::start(&[(200, ""), (200, V2_NO), (500, V2_YES), (200, V2_YES)]).await;
    let v3 = Listener::start(&[(503, ""), (200, "{\"code\":\"FAIL\",\"message\":\"no\"}")]).await;
    let fields = [
        ("body", "noodles"),
        ("out_trade_no", "v2-order-1"),
        ("total_fee", "1"),
        ("spbill_create_ip", "127.0.0.1"),
        ("notify_url", v2.url.as_str()),
        ("trade_type", "APP"),
    ];
    shop::v2(&sandbox, "/pay/unifiedorder", &fields);
    shop::place(&sandbox, "order-1", 100, &v3.url);
    sandbox.pay(Platform::WechatV2, "v2-order-1").unwrap();
    sandbox.pay(Platform::WechatV3, "order-1").unwrap();
    sandbox.advance(Duration::from_secs(100_000)).await.unwrap();
    assert_eq!(v2.received().len(), 4);
    assert_eq!(v3.received().len(), 2);
    let v2_last = sandbox
        .notices()
        .into_iter()
        .rfind(|notice| notice.platform == Platform::WechatV2);
    assert!(matches!(&v2_last.unwrap().outcome, NoticeOutcome::Acknowledged { answer, .. } if answer == V2_YES));
}

#[tokio::test]
async fn delivers_in_plain_http_nowhere_but_to_loopback_and_goes_on_trying() {
    let sandbox = sandbox().await;
    for (number, url, reason) in [
        (
            "order-1",
            "http://192.0.2.1/notify",
            "`notify address` is plain http to another machine",
        ),
        ("order-2", "https://127.0.0.1:9/notify", "no connection"),
        ("order-3", "http://127.0.0.1:9/notify", "no connection"),
    ] {
        shop::place(&sandbox, number, 100, url);
        sandbox.pay(Platform::WechatV3, number).unwrap();
        sandbox.delivered().await;
        let last = sandbox.notices().pop().unwrap();
        assert_eq!(last.url, url);
        let NoticeOutcome::NotDelivered { reason: found } = &last.outcome else {
            panic!("{:?}", last.outcome);
        };
        assert!(found.contains(reason), "{found}");
        assert_eq!(last.next_at.unwrap().seconds(), shop::NOW + 15);
    }
}

#[tokio::test]
async fn tells_how_a_refund_ended() {
    for (end, kind, status) in [
        (RefundState::Succeeded, "REFUND.SUCCESS", "SUCCESS"),
        (RefundState::Closed, "REFUND.CLOSED", "CLOSED"),
        (RefundState::Abnormal, "REFUND.ABNORMAL", "ABNORMAL"),
    ] {
        let sandbox = sandbox().await;
        let listener = Listener::start(&[(200, "")]).await;
        shop::place(&sandbox, "order-1", 100, "http://127.0.0.1:9/notify");
        sandbox.pay(Platform::WechatV3, "order-1").unwrap();
        let body = json!({
            "out_trade_no": "order-1",
            "out_refund_no": "refund-1",
            "notify_url": listener.url,
            "amount": { "refund": 30, "total": 100, "currency": "CNY" },
        });
        let accepted = shop::v3(&sandbox, "POST", "/v3/refund/domestic/refunds", &body.to_string());
        let accepted = shop::json_of(&accepted);
        assert_eq!(accepted["status"], "PROCESSING");
        sandbox.settle_refund(Platform::WechatV3, "refund-1", end).unwrap();
        sandbox.delivered().await;
        let received = listener.received();
        let (envelope, plain) = opened(&sandbox, &received[0]);
        assert_eq!(envelope["event_type"], kind);
        assert_eq!(plain["refund_status"], status);
        assert_eq!(plain["refund_id"], accepted["refund_id"]);
        assert_eq!(
            plain["amount"],
            json!({ "total": 100, "refund": 30, "payer_total": 100, "payer_refund": 30 })
        );
        assert_eq!(plain.get("success_time").is_some(), end == RefundState::Succeeded);
        let asked = shop::v3(&sandbox, "GET", "/v3/refund/domestic/refunds/refund-1", "");
        assert_eq!(shop::json_of(&asked)["status"], status);
        assert_eq!(shop::query(&sandbox, "order-1")["trade_state"], "REFUND");
    }
}

#[tokio::test]
async fn tells_again_what_it_told_first_whatever_came_since() {
    let sandbox = sandbox().await;
    let listener = Listener::start(&[(500, ""), (500, ""), (204, "")]).await;
    shop::place(&sandbox, "order-1", 100, &listener.url);
    sandbox.pay(Platform::WechatV3, "order-1").unwrap();
    sandbox.delivered().await;
    shop::refund(&sandbox, "order-1", "R1", 100, 100);
    sandbox
        .settle_refund(Platform::WechatV3, "R1", RefundState::Succeeded)
        .unwrap();
    sandbox.advance(Duration::from_secs(30)).await.unwrap();
    let received = listener.received();
    assert_eq!(received.len(), 3);
    let told: Vec<Value> = received.iter().map(|notice| opened(&sandbox, notice).1).collect();
    assert_eq!(told[0]["trade_state"], "SUCCESS");
    assert!(told.iter().all(|again| again == &told[0]));
    assert_eq!(shop::query(&sandbox, "order-1")["trade_state"], "REFUND");
}

#[tokio::test]
async fn runs_the_ladder_faster_than_life_on_real_time() {
    let sandbox = Sandbox::builder().ladder_speed(1000).start().await.unwrap();
    let listener = Listener::start(&[(500, ""), (500, ""), (204, "")]).await;
    shop::place(&sandbox, "order-1", 100, &listener.url);
    sandbox.pay(Platform::WechatV3, "order-1").unwrap();
    let arrived = async {
        while listener.received().len() < 3 {
            tokio::time::sleep(Duration::from_millis(5)).await;
        }
        sandbox.delivered().await;
    };
    tokio::time::timeout(Duration::from_secs(5), arrived).await.unwrap();
    let last = sandbox.notices().pop().unwrap();
    assert_eq!((last.attempt, last.next_at), (3, None));
}

#[tokio::test]
async fn sandboxes_run_side_by_side_and_end_when_they_are_dropped() {
    let (one, other) = (sandbox().await, sandbox().await);
    shop::place(&one, "order-1", 100, "http://127.0.0.1:9/notify");
    assert!(other.order(Platform::WechatV3, "order-1").is_none());
    let address = one.address();
    assert_ne!(address, other.address());
    drop(one);
    let gone = async {
        while tokio::net::TcpStream::connect(address).await.is_ok() {
            tokio::time::sleep(Duration::from_millis(5)).await;
        }
    };
    tokio::time::timeout(Duration::from_secs(5), gone).await.unwrap();
}

#[tokio::test]
async fn listens_on_loopback_only() {
    let refused = Sandbox::builder().listen("0.0.0.0:0".parse().unwrap()).start().await;
    assert_eq!(
        refused.unwrap_err().to_string(),
        "the sandbox listens in plain http on loopback only, not on 0.0.0.0:0; others reach it over TLS"
    );
}
