//! Time: business that is run ahead of the machine's clock, and signatures that are not.

use std::time::{Duration, Instant, SystemTime, UNIX_EPOCH};

use yuanfen_core::{Rfc3339, UnixTime, WireText as _};
use yuanfen_sandbox::{Clock, ClockError, FarSide, OrderState, Platform, Sandbox, SignatureVerdict};

use crate::shop::{self, Listener};

const DAY: u64 = 86_400;

/// The machine's own clock, asked without the sandbox.
fn machine() -> i64 {
    let since_epoch = SystemTime::now().duration_since(UNIX_EPOCH).unwrap();
    i64::try_from(since_epoch.as_secs()).unwrap()
}

fn on_real_time() -> FarSide {
    FarSide::new("https://sandbox.example", Clock::real(), 7).unwrap()
}

/// Whether two moments are the same but for the time that a slow machine takes.
fn near(one: i64, other: i64) -> bool {
    (one - other).abs() < 60
}

#[test]
fn runs_business_ahead_of_the_machine_and_signs_at_the_machines_time() {
    let far_side = on_real_time();
    far_side.clock().advance(Duration::from_secs(20 * DAY)).unwrap();
    assert_eq!(far_side.clock().ahead(), Duration::from_secs(20 * DAY));
    shop::place(&far_side, "order-1", 100, "https://shop.example/notify");
    let paid = far_side.pay(Platform::WechatV3, "order-1").unwrap();
    let ahead = machine() + 20 * 86_400;
    assert!(near(paid.placed_at.seconds(), ahead));
    assert!(near(paid.payment.as_ref().unwrap().at.seconds(), ahead));
    let answer = shop::v3(
        &far_side,
        "GET",
        "/v3/pay/transactions/out-trade-no/order-1?mchid=1900000001",
        "",
    );
    let told = shop::json_of(&answer)["success_time"].as_str().unwrap().to_owned();
    let Rfc3339(told) = Rfc3339::read(&told).unwrap();
    assert!(near(told.seconds(), ahead));
    let notice = far_side.due_notices().pop().unwrap();
    for headers in [answer.headers(), notice.request.headers()] {
        let signed: i64 = headers["wechatpay-timestamp"].to_str().unwrap().parse().unwrap();
        assert!(near(signed, machine()));
    }
}

#[test]
fn counts_the_age_of_a_callers_signature_by_the_machines_time() {
    let far_side = on_real_time();
    far_side.clock().advance(Duration::from_secs(301)).unwrap();
    // `shop` signs at the machine's time, as any client does.
    let target = "/v3/pay/transactions/out-trade-no/order-1?mchid=1900000001";
    assert_eq!(shop::v3(&far_side, "GET", target, "").status(), 404);
    // One that signs at the time of the business is five minutes off.
    let request = {
        let business = Clock::starting_at(far_side.clock().now());
        let other = FarSide::new("https://sandbox.example", business, 7).unwrap();
        shop::v3_request(&other, "GET", target, "")
    };
    assert_eq!(far_side.answer(&request).unwrap().status(), 401);
    assert_eq!(far_side.exchanges().last().unwrap().signature, SignatureVerdict::Stale);
}

#[test]
fn has_one_pair_of_hands_where_it_was_started_at_a_moment() {
    let clock = shop::clock();
    clock.advance(Duration::from_secs(5)).unwrap();
    assert_eq!(clock.now().seconds(), shop::NOW + 5);
    assert_eq!(clock.real_now(), clock.now());
    assert_eq!(clock.ahead(), Duration::ZERO);
}

#[test]
fn shows_no_moment_after_the_year_9999() {
    for clock in [Clock::real(), shop::clock()] {
        let before = clock.now();
        assert_eq!(clock.advance(Duration::MAX), Err(ClockError::TooFar));
        assert_eq!(
            clock.advance(Duration::from_secs(9000 * 366 * DAY)),
            Err(ClockError::TooFar)
        );
        assert!(near(clock.now().seconds(), before.seconds()));
    }
    let last = Clock::starting_at(UnixTime::from_seconds(i64::MAX));
    assert_eq!(Rfc3339(last.now()).to_string(), "9999-12-31T23:59:59+08:00");
    assert_eq!(last.advance(Duration::from_secs(1)), Err(ClockError::TooFar));
}

#[tokio::test]
async fn delivers_weeks_of_notices_at_their_moments_on_real_time_that_is_advanced() {
    let sandbox = Sandbox::builder().seed(1).start().await.unwrap();
    let listener = Listener::start(&[(500, "")]).await;
    shop::place(&sandbox, "order-1", 100, &listener.url);
    let paid = sandbox.pay(Platform::WechatV3, "order-1").unwrap();
    let begun = Instant::now();
    sandbox.advance(Duration::from_secs(21 * DAY)).await.unwrap();
    assert!(begun.elapsed() < Duration::from_secs(30), "{:?}", begun.elapsed());
    let notices = sandbox.notices();
    assert_eq!(notices.len(), 16);
    // Sheet, section 11.2: 24 hours and 4 minutes in all.
    let last = notices.last().unwrap();
    assert!(near(last.at.since(paid.payment.unwrap().at), 24 * 3600 + 4 * 60));
    assert_eq!(last.next_at, None);
    for pair in notices.windows(2) {
        assert!(near(pair[1].at.since(pair[0].next_at.unwrap()), 0));
    }
    assert!(near(sandbox.clock().now().seconds(), machine() + 21 * 86_400));
}

#[tokio::test]
async fn wakes_the_courier_when_real_time_is_advanced_by_hand() {
    let sandbox = Sandbox::builder().seed(1).start().await.unwrap();
    let listener = Listener::start(&[(500, ""), (204, "")]).await;
    shop::place(&sandbox, "order-1", 100, &listener.url);
    sandbox.pay(Platform::WechatV3, "order-1").unwrap();
    sandbox.delivered().await;
    assert_eq!(sandbox.notices().len(), 1);
    sandbox.clock().advance(Duration::from_secs(15)).unwrap();
    sandbox.delivered().await;
    assert_eq!(sandbox.notices().len(), 2);
}

#[test]
fn closes_what_nobody_paid_when_real_time_is_advanced() {
    let far_side = on_real_time();
    shop::place(&far_side, "order-1", 100, "https://shop.example/notify");
    far_side.clock().advance(Duration::from_secs(7 * DAY)).unwrap();
    let order = far_side.order(Platform::WechatV3, "order-1").unwrap();
    assert_eq!(order.state(), OrderState::Closed);
}
