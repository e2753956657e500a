//! When each platform tells a shop again that never answers: not a second before, and for how long in all.

use std::time::Duration;

use serde_json::json;
use yuanfen_sandbox::{FarSide, Platform, RefundState, Sandbox};

use crate::shop::{self, Listener, NOW, clock, far_side};
use crate::{fshows, mpgateway, starpos};

const V2: Platform = Platform::WechatV2;
const V3: Platform = Platform::WechatV3;
const URL: &str = "http://127.0.0.1:9/notify";

/// Sections 8 and 11.2 of WeChat Pay's sheets, in seconds after the event: 24 hours and 4 minutes in all.
const WECHAT: [i64; 16] = [
    0, 15, 30, 60, 240, 840, 2040, 3840, 5640, 7440, 11_040, 21_840, 32_640, 43_440, 65_040, 86_640,
];

/// A v2 order that is paid.
fn paid_v2(far_side: &FarSide) {
    let order = [
        ("out_trade_no", "order-1"),
        ("body", "noodles"),
        ("total_fee", "100"),
        ("spbill_create_ip", "203.0.113.7"),
        ("notify_url", URL),
        ("trade_type", "APP"),
    ];
    assert_eq!(
        shop::v2(far_side, "/pay/unifiedorder", &order)["result_code"],
        "SUCCESS"
    );
    far_side.pay(V2, "order-1").unwrap();
}

/// The same on APIv3.
fn paid_v3(far_side: &FarSide) {
    shop::place(far_side, "order-1", 100, URL);
    far_side.pay(V3, "order-1").unwrap();
}

/// Takes what is due as a shop that never answers, and looks a second before each next attempt too.
fn walk(far_side: &FarSide) -> Vec<i64> {
    let mut offsets = Vec::new();
    loop {
        let mut due = far_side.due_notices();
        assert_eq!(due.len(), 1, "after {offsets:?}");
        let attempt = far_side.answered(due.remove(0), Err("nobody there"));
        offsets.push(attempt.at.seconds() - NOW);
        assert_eq!(attempt.attempt, offsets.len());
        let Some(next) = attempt.next_at else { break };
        let wait = u64::try_from(next.since(attempt.at)).unwrap();
        far_side.clock().advance(Duration::from_secs(wait - 1)).unwrap();
        assert!(far_side.due_notices().is_empty(), "a second early after {offsets:?}");
        far_side.clock().advance(Duration::from_secs(1)).unwrap();
    }
    far_side.clock().advance(Duration::from_secs(30 * 86_400)).unwrap();
    assert!(far_side.due_notices().is_empty());
    offsets
}

#[test]
fn wechat_pay_tells_of_payments_and_refunds_for_a_day_and_four_minutes() {
    let paid: [fn(&FarSide); 2] = [paid_v2, paid_v3];
    for (platform, paid) in [V2, V3].into_iter().zip(paid) {
        let far_side = far_side();
        paid(&far_side);
        assert_eq!(walk(&far_side), WECHAT, "{platform}");
    }
    let older = far_side();
    paid_v2(&older);
    let refund = [
        ("out_trade_no", "order-1"),
        ("out_refund_no", "R1"),
        ("total_fee", "100"),
        ("refund_fee", "30"),
        ("notify_url", URL),
    ];
    assert_eq!(
        shop::v2(&older, "/secapi/pay/refund", &refund)["result_code"],
        "SUCCESS"
    );
    let newer = far_side();
    paid_v3(&newer);
    assert_eq!(shop::refund(&newer, "order-1", "R1", 30, 100).status(), 200);
    for (platform, far_side) in [(V2, older), (V3, newer)] {
        // The payment's notice is acknowledged.
        let answer = if platform == V2 {
            "<xml><return_code>SUCCESS</return_code></xml>"
        } else {
            ""
        };
        let notice = far_side.due_notices().remove(0);
        let attempt = far_side.answered(notice, Ok(&http::Response::new(answer.into())));
        assert_eq!(attempt.next_at, None);
        for end in [RefundState::Abnormal, RefundState::Succeeded] {
            let begun = far_side.clock().now().seconds() - NOW;
            far_side.settle_refund(platform, "R1", end).unwrap();
            let expected: Vec<i64> = WECHAT.iter().map(|offset| begun + offset).collect();
            assert_eq!(walk(&far_side), expected, "{platform} {end:?}");
        }
    }
}

/// The offsets of all attempts to tell of the one payment.
async fn attempts(sandbox: &Sandbox, platform: Platform, order_no: &str) -> Vec<i64> {
    sandbox.pay(platform, order_no).unwrap();
    sandbox.advance(Duration::from_secs(30 * 86_400)).await.unwrap();
    let attempts = sandbox.notices();
    assert_eq!(attempts.last().unwrap().next_at, None);
    attempts.iter().map(|attempt| attempt.at.seconds() - NOW).collect()
}

#[tokio::test]
async fn the_acquirers_tell_as_their_sheets_or_the_sandbox_has_it() {
    let sandbox = || Sandbox::builder().clock(clock()).seed(1);
    let deaf = Listener::start(&[(500, "")]).await;

    // Its sheet: at once, then 3 times every 10 s, 3 times every minute, every 3 minutes, ten in all.
    let gateway = sandbox().start().await.unwrap();
    let order = mpgateway::order("WxSao", "LADDER0001", &deaf.url);
    mpgateway::call(&gateway, mpgateway::SUBMIT, &order).await;
    let told = attempts(&gateway, Platform::Mpgateway, "LADDER0001").await;
    assert_eq!(told, [0, 10, 20, 30, 90, 150, 210, 390, 570, 750]);

    // Their sheets know of no schedule: the README has this one.
    let own = [0, 15, 45, 105, 405, 1305, 3105, 6705];
    let acquirer = sandbox().start().await.unwrap();
    let order = fshows::order_told_at("LADDER_1", &deaf.url);
    fshows::call(&acquirer, fshows::PLACE, &order).await;
    assert_eq!(attempts(&acquirer, Platform::Fshows, "LADDER_1").await, own);

    let acquirer = sandbox().start().await.unwrap();
    acquirer.set_starpos_push_url(&deaf.url);
    let order = starpos::signed(starpos::pay(&[("tradeNo", "LADDER-1")]));
    starpos::call(&acquirer, "pubSigPay", &order).await;
    assert_eq!(attempts(&acquirer, Platform::Starpos, "LADDER-1").await, own);
}

#[test]
fn an_acknowledgement_ends_the_ladder_and_an_odd_one_does_not() {
    let far_side = far_side();
    paid_v3(&far_side);
    let answer = |status: u16, body: &'static str| {
        let mut answer = http::Response::new(bytes::Bytes::from(body));
        *answer.status_mut() = http::StatusCode::from_u16(status).unwrap();
        answer
    };
    for (status, body) in [(302, ""), (400, "{\"code\":\"FAIL\"}"), (500, "{\"code\":\"SUCCESS\"}")] {
        let notice = far_side.due_notices().remove(0);
        let attempt = far_side.answered(notice, Ok(&answer(status, body)));
        let wait = attempt.next_at.unwrap().since(attempt.at);
        far_side
            .clock()
            .advance(Duration::from_secs(u64::try_from(wait).unwrap()))
            .unwrap();
    }
    // A 2xx is an acknowledgement whatever the body says (section 11.2).
    let notice = far_side.due_notices().remove(0);
    let body: serde_json::Value = serde_json::from_slice(notice.request.body()).unwrap();
    assert_eq!(body["create_time"], json!("2025-10-09T16:53:20+08:00"));
    let attempt = far_side.answered(notice, Ok(&answer(200, "{\"code\":\"FAIL\"}")));
    assert_eq!((attempt.attempt, attempt.next_at), (4, None));
}
