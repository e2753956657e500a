//! The platform's certificate changes at night, and no payment is sent twice for it.

use yuanfen::core::{Notice, NotificationSource as _, OpenError, SignatureError};
use yuanfen::wechat_v3::{Event, ops};
use yuanfen_sandbox::{NoticeOutcome, Platform};

use crate::shop::{Shop, order_no, v3_order};

#[tokio::test]
async fn the_first_answer_fetches_the_certificates_and_is_opened_again() {
    let shop = Shop::open();
    let client = shop.client(shop.wechat_v3());
    let nobody_knows = client
        .call(&ops::QueryOrder::by_order_no(order_no()))
        .await
        .unwrap_err();
    assert!(nobody_knows.refusal().unwrap().verified);
    assert_eq!(shop.calls(Platform::WechatV3, "query-order"), 1);
    assert_eq!(shop.calls(Platform::WechatV3, "certificates"), 1);
}

#[tokio::test]
async fn a_certificate_rotated_between_two_calls_is_fetched_and_no_call_repeated() {
    let shop = Shop::open();
    let client = shop.client(shop.wechat_v3());
    client.call(&v3_order(&shop)).await.unwrap();
    let serial = shop.far_side.rotate_platform_certificate().unwrap();
    // A list that was fetched a moment ago is not fetched again at once.
    shop.pass(std::time::Duration::from_secs(61));
    client.call(&ops::QueryOrder::by_order_no(order_no())).await.unwrap();
    assert_eq!(shop.calls(Platform::WechatV3, "query-order"), 1);
    assert_eq!(shop.calls(Platform::WechatV3, "certificates"), 2);
    assert!(client.provider().platform_keys().get(&serial, shop.now()).is_some());
}

#[tokio::test]
async fn a_notice_signed_by_tomorrows_certificate_is_refused_until_it_was_fetched() {
    let shop = Shop::open();
    let account = shop.wechat_v3();
    let client = shop.client(account.clone());
    client.call(&v3_order(&shop)).await.unwrap();
    let serial = shop.far_side.rotate_platform_certificate().unwrap();
    shop.far_side.pay(Platform::WechatV3, order_no().as_str()).unwrap();

    let received = shop.receive(&*account);
    let [(Err(OpenError::Signature(unknown)), NoticeOutcome::Refused { .. })] = received.as_slice() else {
        panic!("{received:?}")
    };
    assert_eq!(*unknown, SignatureError::UnknownKey { serial: serial.clone() });

    // What the error asks for: fetch, adopt. The platform delivers again after fifteen seconds.
    let list = client.call(&ops::DownloadCertificates::new()).await.unwrap();
    account.adopt(&list, shop.now());
    shop.pass(std::time::Duration::from_secs(15));
    let received = shop.receive(&*account);
    let [(Ok(Notice::Settles(event)), NoticeOutcome::Acknowledged { .. })] = received.as_slice() else {
        panic!("{received:?}")
    };
    let Event::Payment(paid) = event.get() else {
        panic!("{event:?}")
    };
    assert_eq!(paid.order_no, order_no());
    assert_eq!(shop.calls(Platform::WechatV3, "place-jsapi-order"), 1);
}

#[tokio::test]
async fn the_same_notice_opens_once_its_certificate_is_known() {
    let shop = Shop::open();
    let account = shop.wechat_v3();
    let client = shop.client(account.clone());
    client.call(&v3_order(&shop)).await.unwrap();
    shop.far_side.rotate_platform_certificate().unwrap();
    shop.far_side.pay(Platform::WechatV3, order_no().as_str()).unwrap();
    let due = shop.far_side.due_notices().pop().unwrap();
    assert!(account.open_notification(&due.request, shop.now()).is_err());
    let list = client.call(&ops::DownloadCertificates::new()).await.unwrap();
    account.adopt(&list, shop.now());
    assert!(account.open_notification(&due.request, shop.now()).is_ok());
}

#[tokio::test]
async fn under_the_public_key_no_certificate_is_ever_fetched() {
    let shop = Shop::open();
    let given = shop.far_side.wechat_v3();
    let account = (*shop.wechat_v3()).clone();
    let account = account
        .with_public_key(&given.platform_public_key_id, &given.platform_public_key_pem)
        .unwrap();
    let client = shop.client(account.clone());
    client.call(&v3_order(&shop)).await.unwrap();
    shop.far_side.rotate_platform_certificate().unwrap();
    client.call(&ops::QueryOrder::by_order_no(order_no())).await.unwrap();
    shop.far_side.pay(Platform::WechatV3, order_no().as_str()).unwrap();
    let received = shop.receive(&account);
    assert!(
        matches!(received.as_slice(), [(Ok(Notice::Settles(_)), _)]),
        "{received:?}"
    );
    assert_eq!(shop.calls(Platform::WechatV3, "certificates"), 0);
}
