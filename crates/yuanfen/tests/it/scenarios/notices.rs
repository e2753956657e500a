//! Notices: none, too many, in the wrong order, about other money.

use std::sync::{Arc, Mutex};
use std::time::Duration;

use yuanfen::core::{Fen, RefundNo, Standing, Transition};
use yuanfen::transport::Client;
use yuanfen::{wechat_v2, wechat_v3};
use yuanfen_sandbox::{FaultKind, OrderState, Platform, RefundState};

use super::Day;
use super::books::{Books, Door};
use crate::shop::{amount, order_no, v2_order, v3_order};

const V2: Platform = Platform::WechatV2;
const V3: Platform = Platform::WechatV3;

/// A shop of APIv3 that knows the platform's certificates, with its door and books, and an order that was placed.
pub(super) async fn placed_v3(day: &Day) -> (Client<wechat_v3::Account>, Arc<Mutex<Books>>, Door) {
    let account = day.shop.wechat_v3();
    let client = day.client(account.clone());
    let books = Books::shared();
    let door = Door::open(account, books.clone(), day.shop.time()).await;
    let mut order = v3_order(&day.shop);
    order.terms.notify_url = door.url.clone();
    books.lock().unwrap().write_down(order_no().as_str(), amount().fen());
    client.call(&order).await.unwrap();
    (client, books, door)
}

#[tokio::test]
pub async fn what_no_notice_told_of_is_found_by_asking() {
    let day = Day::begin("notices-lost").await;
    let (client, books, _door) = placed_v3(&day).await;
    day.sandbox.pay(V3, order_no().as_str()).unwrap();
    day.sandbox.advance(Duration::from_secs(2 * 86_400)).await.unwrap();
    // One at once and one after each of the fifteen waits; then the platform gives up.
    assert_eq!(day.struck_notices(FaultKind::LoseNotice), 16);
    assert_eq!(books.lock().unwrap().deliveries(), 0);
    let query = wechat_v3::ops::QueryOrder::by_order_no(order_no());
    let found = client.call(&query).await.unwrap();
    assert_eq!(found.standing(), Standing::Succeeded);
    assert_eq!(found.transaction.total, Some(amount().fen()));
}

#[tokio::test]
pub async fn copies_and_latecomers_change_nothing() {
    let day = Day::begin("notices-duplicated-and-reordered").await;
    let (client, books, door) = placed_v3(&day).await;
    day.sandbox.pay(V3, order_no().as_str()).unwrap();
    day.sandbox.delivered().await;
    assert_eq!(books.lock().unwrap().deliveries(), 0, "the first notice waits");

    // The shop asked, knows that it is paid, and refunds it.
    let refund_no = RefundNo::new("REFUND20251009000001").unwrap();
    let order = wechat_v3::OrderRef::OrderNo(order_no());
    let mut refund = wechat_v3::ops::Refund::new(order, refund_no.clone(), amount(), amount());
    refund.notify_url = Some(door.url.clone());
    client.call(&refund).await.unwrap();
    day.sandbox
        .settle_refund(V3, refund_no.as_str(), RefundState::Succeeded)
        .unwrap();
    day.sandbox.delivered().await;

    let books = books.lock().unwrap();
    // Three copies of the refund's end, and then the payment: a shop for whom the last notice counts calls it paid.
    assert_eq!(books.told.len(), 4);
    assert_eq!(books.diary, [Transition::RefundSucceeded, Transition::OrderPaid]);
    assert_eq!(day.struck_notices(FaultKind::OvertakeNotice), 1);
    assert_eq!(day.struck_notices(FaultKind::RenumberNotice), 3);
    let ids: std::collections::BTreeSet<_> = day
        .sandbox
        .notices()
        .into_iter()
        .map(|notice| notice.notice_id)
        .collect();
    // The payment's id, the refund's, and the copy's own: who tells copies apart by the id is fooled by one.
    assert_eq!(ids.len(), 3);
    assert_eq!(day.book(V3), [(OrderState::Refunded, amount().fen().get())]);
}

#[tokio::test]
pub async fn an_amount_that_nobody_asked_for_is_refused() {
    let lie = FaultKind::ChangeAmount(yuanfen::core::PayAmount::from_fen(1).unwrap());
    let day = Day::begin("notice-with-another-amount").await;
    let (_client, books, _door) = placed_v3(&day).await;
    day.sandbox.pay(V3, order_no().as_str()).unwrap();
    day.sandbox.delivered().await;
    assert_eq!(day.struck_notices(lie), 1);
    {
        let books = books.lock().unwrap();
        assert_eq!(
            (books.told.as_slice(), books.deliveries()),
            (&[Some(Fen::new(1))][..], 0)
        );
    }
    day.sandbox.advance(Duration::from_secs(15)).await.unwrap();
    {
        let books = books.lock().unwrap();
        assert_eq!(books.told, [Some(Fen::new(1)), Some(amount().fen())]);
        assert_eq!(books.deliveries(), 1);
    }

    let account = day.shop.wechat_v2();
    let books = Books::shared();
    let door = Door::open(account.clone(), books.clone(), day.shop.time()).await;
    let mut order: wechat_v2::ops::PlaceOrder = v2_order(&day.shop);
    order.notify_url = door.url.clone();
    books.lock().unwrap().write_down(order_no().as_str(), amount().fen());
    day.client(account).call(&order).await.unwrap();
    day.sandbox.pay(V2, order_no().as_str()).unwrap();
    day.sandbox.advance(Duration::from_secs(15)).await.unwrap();
    let books = books.lock().unwrap();
    assert_eq!(books.told, [Some(Fen::new(1)), Some(amount().fen())]);
    assert_eq!(books.deliveries(), 1);
    assert_eq!(day.struck_notices(lie), 2);
}
