//! StarPos, fshows and mpgateway.

use std::sync::Arc;
use std::time::Duration;

use yuanfen::core::{Fate, SettleVerdict, Standing, Transition};
use yuanfen::{fshows, mpgateway, starpos};
use yuanfen_sandbox::{FaultKind, OrderState, Platform};

use super::Day;
use super::books::{Books, Door};
use crate::shop::{amount, fshows_order, mpgateway_order, order_no, starpos_order};

#[tokio::test]
pub async fn an_unknown_state_is_not_a_failure() {
    let day = Day::begin("starpos-unknown-state").await;
    let client = day.client(day.shop.starpos());
    let order = starpos_order(&day.shop);
    let query = starpos::ops::QueryOrder::by_trade_no(&order_no());
    let standing = starpos::ops::QueriedOrder::standing;
    let settling = client.settle(&order, &query, &starpos::settle::ORDER, standing);
    let settled = settling.call(&day.shop.sleep()).await.unwrap();
    // `Z` is no news, and no reason to send anything again.
    assert_eq!(settled.verdict, SettleVerdict::StillUnknown);
    assert!(day.shop.calls(Platform::Starpos, "query-order") > 3);
    assert_eq!(day.struck(Platform::Starpos, "place-order", FaultKind::LoseReply), 1);
    assert_eq!(day.shop.calls(Platform::Starpos, "place-order"), 1);

    day.sandbox.pay(Platform::Starpos, order_no().as_str()).unwrap();
    let found = client.call(&query).await.unwrap();
    assert_eq!(found.standing(), Standing::Succeeded);
    assert_eq!(day.book(Platform::Starpos), [(OrderState::Paid, 0)]);
}

#[tokio::test]
pub async fn a_number_that_is_taken_is_asked_about() {
    let day = Day::begin("fshows-number-taken").await;
    let client = day.client(day.shop.fshows());
    let order = fshows_order(&day.shop);
    let query = fshows::ops::QueryOrder::by_order_no(order_no());
    let standing = fshows::ops::QueriedOrder::standing;
    let settling = client.settle(&order, &query, &fshows::settle::ORDER, standing);
    let settled = settling.call(&day.shop.sleep()).await.unwrap();
    assert_eq!(settled.verdict, SettleVerdict::Happened(Standing::Accepted));
    assert_eq!(day.struck(Platform::Fshows, "place-order", FaultKind::LoseReply), 1);
    assert_eq!(day.shop.calls(Platform::Fshows, "place-order"), 1);
    // A blind repeat is a duplicate, which says that there is something to ask for.
    let error = client.call(&order).await.err().unwrap();
    assert_eq!(error.refusal().unwrap().code, "-206");
    assert_eq!(error.fate(), Fate::Already);

    day.sandbox.pay(Platform::Fshows, order_no().as_str()).unwrap();
    let found = client.call(&query).await.unwrap();
    assert!(found.state.is_paid());
    assert_eq!(found.amount, Some(amount().fen()));
    assert_eq!(day.book(Platform::Fshows), [(OrderState::Paid, 0)]);
}

#[tokio::test]
pub async fn a_payment_told_in_two_codes_is_delivered_once() {
    let day = Day::begin("mpgateway-1002-before-0000").await;
    let account: Arc<mpgateway::Account> = day.shop.mpgateway();
    let client = day.client(account.clone());
    let books = Books::shared();
    let door = Door::open(account.clone(), books.clone(), day.shop.time()).await;
    let mut order = mpgateway_order(&day.shop);
    order.back_url = door.url.clone();
    books.lock().unwrap().write_down(order_no().as_str(), amount().fen());
    client.call(&order).await.unwrap();
    day.sandbox.pay(Platform::Mpgateway, order_no().as_str()).unwrap();
    day.sandbox.delivered().await;
    // 1002 is paid, and a query says so too.
    assert_eq!(books.lock().unwrap().deliveries(), 1);
    let query = mpgateway::ops::QueryOrder::by_order_no(order_no());
    assert_eq!(client.call(&query).await.unwrap().standing(), Standing::Succeeded);

    day.sandbox.advance(Duration::from_secs(120)).await.unwrap();
    let books = books.lock().unwrap();
    assert_eq!(books.told.len(), 4, "a shop that counts notices delivers four times");
    assert_eq!(books.deliveries(), 1);
    assert_eq!(books.diary, [Transition::OrderPaid, Transition::OrderSettled]);
    assert_eq!(day.struck_notices(FaultKind::DuplicateNotice), 4);
    assert_eq!(day.book(Platform::Mpgateway), [(OrderState::Paid, 0)]);
}
