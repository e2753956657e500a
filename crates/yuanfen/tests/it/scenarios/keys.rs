//! Keys and clocks: what is not proven settles nothing, and becomes provable.

use std::time::Duration;

use yuanfen::core::{ErrorKind, Fate, SettleVerdict, Standing};
use yuanfen::wechat_v3::ops::{DownloadCertificates, QueriedOrder, QueryOrder};
use yuanfen::wechat_v3::settle::ORDER;
use yuanfen_sandbox::{FaultKind, OrderState, Platform};

use super::Day;
use super::books::{Books, Door};
use super::notices::placed_v3;
use crate::shop::{amount, order_no, v3_order};

const V3: Platform = Platform::WechatV3;

#[tokio::test]
pub async fn a_notice_under_a_new_certificate_is_proven_at_its_second_attempt() {
    let day = Day::begin("certificate-rotated").await;
    let (client, books, _door) = placed_v3(&day).await;
    day.sandbox.pay(V3, order_no().as_str()).unwrap();
    day.sandbox.delivered().await;
    assert_eq!(day.struck_notices(FaultKind::RotateKey), 1);
    assert_eq!(books.lock().unwrap().counts(), (1, 0));

    let list = client.call(&DownloadCertificates::new()).await.unwrap();
    client.provider().adopt(&list, day.shop.now());
    day.sandbox.advance(Duration::from_secs(15)).await.unwrap();
    assert_eq!(books.lock().unwrap().counts(), (1, 1));
    assert_eq!(day.book(V3), [(OrderState::Paid, 0)]);
}

#[tokio::test]
pub async fn a_shop_that_holds_the_public_key_reads_on() {
    let day = Day::begin("public-key-mode-switched").await;
    let given = day.sandbox.wechat_v3();
    let account = (*day.shop.wechat_v3()).clone();
    let account = account
        .with_public_key(&given.platform_public_key_id, &given.platform_public_key_pem)
        .unwrap();
    let account = std::sync::Arc::new(account);
    let client = day.client(account.clone());
    let books = Books::shared();
    let door = Door::open(account, books.clone(), day.shop.time()).await;
    let mut order = v3_order(&day.shop);
    order.terms.notify_url = door.url.clone();
    books.lock().unwrap().write_down(order_no().as_str(), amount().fen());
    client.call(&order).await.unwrap();
    // A shop beside it knows certificates alone.
    let other = day.client(day.shop.wechat_v3());
    other.call(&QueryOrder::by_order_no(order_no())).await.unwrap();

    day.sandbox.pay(V3, order_no().as_str()).unwrap();
    day.sandbox.delivered().await;
    assert_eq!(day.struck_notices(FaultKind::PublicKeyMode), 1);
    assert_eq!(books.lock().unwrap().counts(), (0, 1));
    let found = client.call(&QueryOrder::by_order_no(order_no())).await.unwrap();
    assert_eq!(found.standing(), Standing::Succeeded);

    day.shop.pass(Duration::from_secs(61));
    let error = other.call(&QueryOrder::by_order_no(order_no())).await.unwrap_err();
    assert_eq!(error.fate(), Fate::Unknown, "{error:?}");
    assert!(
        matches!(error.kind(), ErrorKind::Keys(_) | ErrorKind::Signature(_)),
        "{error:?}"
    );
}

/// Places the order of all tests to its end, whatever the answers are like.
async fn place(day: &Day) -> SettleVerdict {
    let client = day.client(day.shop.wechat_v3());
    let (order, query) = (v3_order(&day.shop), QueryOrder::by_order_no(order_no()));
    let settling = client.settle(&order, &query, &ORDER, QueriedOrder::standing);
    settling.call(&day.shop.sleep()).await.unwrap().verdict
}

#[tokio::test]
pub async fn probes_settle_nothing() {
    let day = Day::begin("signature-probes").await;
    assert_eq!(place(&day).await, SettleVerdict::Replied);
    assert_eq!(day.struck(V3, "place-jsapi-order", FaultKind::ProbeSignature), 1);

    let day = Day::begin("signature-probes").await;
    let account = day.shop.wechat_v3();
    let client = day.client(account.clone());
    let list = client.call(&DownloadCertificates::new()).await.unwrap();
    account.adopt(&list, day.shop.now());
    let books = Books::shared();
    let door = Door::open(account, books.clone(), day.shop.time()).await;
    let mut order = v3_order(&day.shop);
    order.terms.notify_url = door.url.clone();
    books.lock().unwrap().write_down(order_no().as_str(), amount().fen());
    let error = client.call(&order).await.unwrap_err();
    assert!(matches!(error.kind(), ErrorKind::Signature(_)), "{error:?}");
    assert_eq!(error.fate(), Fate::Unknown);
    client.call(&order).await.unwrap();
    day.sandbox.pay(V3, order_no().as_str()).unwrap();
    day.sandbox.advance(Duration::from_secs(15)).await.unwrap();
    assert_eq!(books.lock().unwrap().counts(), (1, 1));
    // Queries are probes three times in ten; none of those is taken for news.
    let mut proven = 0;
    for _ in 0..20 {
        if let Ok(found) = client.call(&QueryOrder::by_order_no(order_no())).await {
            assert_eq!(found.standing(), Standing::Succeeded);
            proven += 1;
        }
    }
    let probes = day.struck(V3, "query-order", FaultKind::ProbeSignature);
    assert!(probes > 0);
    assert_eq!(proven, 20 - probes);
    assert_eq!(day.book(V3), [(OrderState::Paid, 0)]);
}

#[tokio::test]
pub async fn clocks_that_disagree_settle_nothing() {
    let day = Day::begin("clock-skewed").await;
    let skew = FaultKind::SkewSeconds(420);
    assert_eq!(place(&day).await, SettleVerdict::Replied);
    assert_eq!(day.struck(V3, "place-jsapi-order", skew), 1);
    assert_eq!(day.struck(V3, "query-order", skew), 1);
    assert_eq!(day.book(V3), [(OrderState::Unpaid, 0)]);

    let day = Day::begin("clock-skewed").await;
    let account = day.shop.wechat_v3();
    let client = day.client(account.clone());
    let list = client.call(&DownloadCertificates::new()).await.unwrap();
    account.adopt(&list, day.shop.now());
    let books = Books::shared();
    let door = Door::open(account, books.clone(), day.shop.time()).await;
    let mut order = v3_order(&day.shop);
    order.terms.notify_url = door.url.clone();
    books.lock().unwrap().write_down(order_no().as_str(), amount().fen());
    // A refusal that is itself as far off as its clock is proven by nothing, and says how far apart the clocks are.
    let error = client.call(&order).await.unwrap_err();
    let refusal = error.refusal().unwrap();
    assert_eq!((refusal.code.as_str(), refusal.verified), ("SIGN_ERROR", false));
    assert!(refusal.skew_seconds.is_some());
    assert!(day.book(V3).is_empty());
    client.call(&order).await.unwrap();
    // So is a notice, which comes again.
    day.sandbox.pay(V3, order_no().as_str()).unwrap();
    day.sandbox.advance(Duration::from_secs(15)).await.unwrap();
    assert_eq!(day.struck_notices(skew), 1);
    assert_eq!(books.lock().unwrap().counts(), (1, 1));
    assert_eq!(day.book(V3), [(OrderState::Paid, 0)]);
}
