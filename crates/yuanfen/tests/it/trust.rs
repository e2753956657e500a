//! What a client of APIv3 does about the platform's keys before it needs them.

use std::error::Error as _;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;

use yuanfen::core::{Advice, ErrorKind, Fate, Notice, UnixTime};
use yuanfen::sign::ApiV3Key;
use yuanfen::transport::{Client, Sent, TransportError, TransportErrorKind};
use yuanfen::wechat_v3::{Account, ops};
use yuanfen_sandbox::Platform;

use crate::shop::{Shop, order_no, v3_order};

const CERTIFICATES: &str = "certificates";
const HOUR: Duration = Duration::from_secs(3600);

fn certificate_end(account: &Account, now: UnixTime) -> UnixTime {
    let newest = account.platform_keys().newest_certificate(now).unwrap();
    newest.validity.unwrap().1
}

#[tokio::test]
async fn an_order_without_any_key_fetches_the_certificates_first() {
    let shop = Shop::open();
    let client = shop.client(shop.wechat_v3());
    client.call(&v3_order(&shop)).await.unwrap();
    let calls: Vec<_> = shop.far_side.exchanges().iter().map(|call| call.operation).collect();
    assert_eq!(calls, [CERTIFICATES, "place-jsapi-order"]);
}

/// The APIv3 key was changed in the console and not here: the first list cannot be opened.
#[tokio::test]
async fn an_order_whose_answer_nothing_could_check_is_not_placed() {
    let shop = Shop::open();
    let account = (*shop.wechat_v3()).clone();
    let identity = account.identity().clone();
    let wrong = ApiV3Key::new("00000000000000000000000000000000").unwrap();
    let account = Account::direct(identity, account.ids().app_id(), wrong)
        .unwrap()
        .with_base(account.base().clone());
    let error = shop.client(account).call(&v3_order(&shop)).await.unwrap_err();
    assert_eq!((error.fate(), error.advice()), (Fate::NotSent, Advice::Stop));
    let ErrorKind::Keys(problem) = error.kind() else {
        panic!("{error:?}")
    };
    assert!(problem.source().is_some());
    assert_eq!(shop.calls(Platform::WechatV3, "place-jsapi-order"), 0);
    assert_eq!(shop.calls(Platform::WechatV3, CERTIFICATES), 1);
}

/// The successor is there before its first signature, because somebody asked for it in time.
#[tokio::test]
async fn a_certificate_that_changes_at_night_is_known_in_the_morning() {
    let shop = Shop::open();
    let account = shop.wechat_v3();
    let client = shop.client(Arc::clone(&account));
    client.call(&v3_order(&shop)).await.unwrap();
    let serial = shop.far_side.rotate_platform_certificate().unwrap();
    shop.pass(12 * HOUR);
    // The answer and the list come at the same time; whichever is first, the order is asked for once.
    client.call(&ops::QueryOrder::by_order_no(order_no())).await.unwrap();
    assert!(account.platform_keys().get(&serial, shop.now()).is_some());
    assert_eq!(shop.calls(Platform::WechatV3, CERTIFICATES), 2);
    assert_eq!(shop.calls(Platform::WechatV3, "query-order"), 1);
    // So a notice under it opens at once.
    shop.far_side.pay(Platform::WechatV3, order_no().as_str()).unwrap();
    let received = shop.receive(&*account);
    assert!(
        matches!(received.as_slice(), [(Ok(Notice::Settles(_)), _)]),
        "{received:?}"
    );
}

#[tokio::test]
async fn certificates_are_fetched_twice_a_day_and_hourly_before_they_end() {
    let shop = Shop::open();
    let account = shop.wechat_v3();
    let client = shop.client(Arc::clone(&account));
    let mut fetched = Vec::new();
    let query = ops::QueryOrder::by_order_no(order_no());
    client.call(&v3_order(&shop)).await.unwrap();
    let ten_days_before = certificate_end(&account, shop.now()).seconds() - 10 * 86_400;
    for hour in 0..48 {
        if hour == 24 {
            let left = ten_days_before - shop.now().seconds();
            shop.pass(Duration::from_secs(u64::try_from(left).unwrap()));
        }
        let before = shop.calls(Platform::WechatV3, CERTIFICATES);
        client.call(&query).await.unwrap();
        if shop.calls(Platform::WechatV3, CERTIFICATES) > before {
            fetched.push(hour);
        }
        shop.pass(HOUR);
    }
    assert_eq!(fetched[0], 12);
    assert_eq!(fetched[1..], (24..48).collect::<Vec<_>>());
}

/// The platform does not hand its list out for a while: calls go on under the keys that hold, and it is asked once a
/// minute.
#[tokio::test]
async fn a_refresh_that_fails_costs_nobody_a_call() {
    let shop = Shop::open();
    let account = shop.wechat_v3();
    shop.client(Arc::clone(&account)).call(&v3_order(&shop)).await.unwrap();
    let tries = Arc::new(AtomicUsize::new(0));
    let (far_side, tried) = (shop.far_side.clone(), Arc::clone(&tries));
    let transport = move |request: http::Request<bytes::Bytes>| {
        let answer = if request.uri().path().ends_with("/v3/certificates") {
            tried.fetch_add(1, Ordering::SeqCst);
            Err(TransportError::new(TransportErrorKind::Connect, Sent::No, None))
        } else {
            Ok(far_side.answer(&request).unwrap())
        };
        async { answer }
    };
    let client = Client::new(Arc::clone(&account), transport).with_ambient(shop.time());
    shop.pass(12 * HOUR);
    for second in 0..180 {
        client.call(&ops::QueryOrder::by_order_no(order_no())).await.unwrap();
        assert_eq!(tries.load(Ordering::SeqCst), second / 60 + 1);
        shop.pass(Duration::from_secs(1));
    }
    assert_eq!(account.platform_keys().serials().len(), 1, "what is known stays");
}
