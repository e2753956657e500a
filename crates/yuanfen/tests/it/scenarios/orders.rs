//! Orders: lost replies, early notices, late payers, gateways.

use std::time::Duration;

use yuanfen::core::{Advice, Fate, OrderNo, RefundNo, SettleVerdict, Standing};
use yuanfen::{wechat_v2, wechat_v3};
use yuanfen_sandbox::{FaultKind, OrderState, Platform};

use super::Day;
use super::books::{Books, Door};
use crate::shop::{amount, order_no, v2_order, v3_order};

const V2: Platform = Platform::WechatV2;
const V3: Platform = Platform::WechatV3;

fn another_no() -> OrderNo {
    OrderNo::portable("SHOP20251009000002").unwrap()
}

#[tokio::test]
pub async fn a_v3_order_whose_reply_was_lost_is_placed_once() {
    let day = Day::begin("reply-lost-after-placing").await;
    let client = day.client(day.shop.wechat_v3());
    let (order, query) = (v3_order(&day.shop), wechat_v3::ops::QueryOrder::by_order_no(order_no()));
    let settling = client.settle(
        &order,
        &query,
        &wechat_v3::settle::ORDER,
        wechat_v3::ops::QueriedOrder::standing,
    );
    let settled = settling.call(&day.shop.sleep()).await.unwrap();
    assert_eq!(settled.verdict, SettleVerdict::Replied);
    assert!(settled.reply.is_some());
    assert_eq!(day.struck(V3, "place-jsapi-order", FaultKind::LoseReply), 1);
    day.sandbox.pay(V3, order_no().as_str()).unwrap();
    assert_eq!(day.book(V3), [(OrderState::Paid, 0)]);

    // Who takes a new number has two orders that can be paid.
    let day = Day::begin("reply-lost-after-placing").await;
    let client = day.client(day.shop.wechat_v3());
    let mut order = v3_order(&day.shop);
    assert_eq!(client.call(&order).await.unwrap_err().fate(), Fate::Unknown);
    order.terms.order_no = another_no();
    client.call(&order).await.unwrap();
    assert_eq!(day.book(V3), [(OrderState::Unpaid, 0), (OrderState::Unpaid, 0)]);
}

#[tokio::test]
pub async fn a_v2_order_whose_reply_was_lost_is_placed_once() {
    let day = Day::begin("reply-lost-after-placing").await;
    let client = day.client(day.shop.wechat_v2());
    let (order, query) = (v2_order(&day.shop), wechat_v2::ops::QueryOrder::by_order_no(order_no()));
    let settling = client.settle(
        &order,
        &query,
        &wechat_v2::settle::ORDER,
        wechat_v2::ops::QueriedOrder::standing,
    );
    let settled = settling.call(&day.shop.sleep()).await.unwrap();
    assert_eq!(settled.verdict, SettleVerdict::Replied);
    assert_eq!(day.struck(V2, "place-order", FaultKind::LoseReply), 1);
    day.sandbox.pay(V2, order_no().as_str()).unwrap();
    assert_eq!(day.book(V2), [(OrderState::Paid, 0)]);
}

#[tokio::test]
pub async fn a_notice_before_the_reply_finds_its_order_in_the_books() {
    let day = Day::begin("notice-before-reply").await;
    let account = day.shop.wechat_v3();
    let client = day.client(account.clone());
    let list = client.call(&wechat_v3::ops::DownloadCertificates::new()).await.unwrap();
    account.adopt(&list, day.shop.now());
    let books = Books::shared();
    let door = Door::open(account, books.clone(), day.shop.time()).await;
    let mut order = v3_order(&day.shop);
    order.terms.notify_url = door.url.clone();

    books.lock().unwrap().write_down(order_no().as_str(), amount().fen());
    let placing = client.call(&order);
    tokio::pin!(placing);
    let early = async {
        while books.lock().unwrap().deliveries() == 0 {
            tokio::time::sleep(Duration::from_millis(5)).await;
        }
    };
    tokio::select! {
        biased;
        _reply = &mut placing => panic!("the reply came first"),
        () = early => {}
    }
    placing.await.unwrap();
    assert_eq!(day.struck(V3, "place-jsapi-order", FaultKind::PayAfter), 1);
    assert_eq!(books.lock().unwrap().deliveries(), 1);
    assert_eq!(day.book(V3), [(OrderState::Paid, 0)]);
}

#[tokio::test]
pub async fn an_order_paid_before_its_close_is_delivered() {
    let day = Day::begin("close-races-with-payment").await;
    let client = day.client(day.shop.wechat_v3());
    client.call(&v3_order(&day.shop)).await.unwrap();
    let closing = client.call(&wechat_v3::ops::CloseOrder::new(order_no())).await;
    let error = closing.unwrap_err();
    assert_eq!((error.fate(), error.advice()), (Fate::Already, Advice::Query));
    let query = wechat_v3::ops::QueryOrder::by_order_no(order_no());
    let found = client.call(&query).await.unwrap();
    assert_eq!(found.standing(), Standing::Succeeded);
    assert_eq!(found.transaction.total, Some(amount().fen()));
    assert_eq!(day.struck(V3, "close-order", FaultKind::PayBefore), 1);
    assert_eq!(day.book(V3), [(OrderState::Paid, 0)]);

    let client = day.client(day.shop.wechat_v2());
    client.call(&v2_order(&day.shop)).await.unwrap();
    let closing = client.call(&wechat_v2::ops::CloseOrder::new(order_no())).await;
    let error = closing.unwrap_err();
    assert_eq!((error.fate(), error.advice()), (Fate::Already, Advice::Query));
    let query = wechat_v2::ops::QueryOrder::by_order_no(order_no());
    assert!(client.call(&query).await.unwrap().trade_state.is_paid());
}

/// What is not settled by its deadline is asked again under the same numbers, and so is what was done without a reply
/// where the reply is needed.
macro_rules! until_settled {
    ($day:expr, $settling:expr, $is_enough:expr) => {{
        let mut verdict = SettleVerdict::StillUnknown;
        for _ in 0..50 {
            verdict = $settling.call(&$day.shop.sleep()).await.unwrap().verdict;
            if $is_enough(verdict) {
                break;
            }
        }
        assert!($is_enough(verdict), "{verdict:?}");
    }};
}

fn has_replied(verdict: SettleVerdict) -> bool {
    verdict == SettleVerdict::Replied
}

fn is_accepted(verdict: SettleVerdict) -> bool {
    matches!(verdict, SettleVerdict::Replied | SettleVerdict::Happened(_))
}

#[tokio::test]
pub async fn a_day_of_5xx_ends_with_every_order_paid_and_refunded_once() {
    let day = Day::begin("day-of-5xx").await;
    let v3 = day.client(day.shop.wechat_v3());
    let v2 = day.client(day.shop.wechat_v2());
    // Without the platform's keys nothing is even sent; fetching them changes nothing and is repeated.
    loop {
        if let Ok(list) = v3.call(&wechat_v3::ops::DownloadCertificates::new()).await {
            v3.provider().adopt(&list, day.shop.now());
            break;
        }
    }
    for number in 1..=16 {
        let number_text = format!("SHOP2025100900{number:04}");
        let order_no = OrderNo::portable(&number_text).unwrap();
        let refund_no = RefundNo::new(format!("REFUND{number:04}")).unwrap();

        let mut order = v3_order(&day.shop);
        order.terms.order_no = order_no.clone();
        let query = wechat_v3::ops::QueryOrder::by_order_no(order_no.clone());
        let standing = wechat_v3::ops::QueriedOrder::standing;
        let settling = v3.settle(&order, &query, &wechat_v3::settle::ORDER, standing);
        until_settled!(day, settling, has_replied);
        day.sandbox.pay(V3, &number_text).unwrap();
        let refund = wechat_v3::ops::Refund::new(
            wechat_v3::OrderRef::OrderNo(order_no.clone()),
            refund_no.clone(),
            amount(),
            amount(),
        );
        let query = wechat_v3::ops::QueryRefund::new(refund_no.clone());
        let standing = wechat_v3::RefundRecord::standing;
        let settling = v3.settle(&refund, &query, &wechat_v3::settle::REFUND, standing);
        until_settled!(day, settling, is_accepted);

        let mut order = v2_order(&day.shop);
        order.order_no = order_no.clone();
        let query = wechat_v2::ops::QueryOrder::by_order_no(order_no.clone());
        let standing = wechat_v2::ops::QueriedOrder::standing;
        let settling = v2.settle(&order, &query, &wechat_v2::settle::ORDER, standing);
        until_settled!(day, settling, has_replied);
        day.sandbox.pay(V2, &number_text).unwrap();
        let key = wechat_v2::ops::OrderKey::Merchant(order_no);
        let refund = wechat_v2::ops::Refund::new(key, refund_no.clone(), amount(), amount());
        let query = wechat_v2::ops::QueryRefund::by_refund_no(refund_no);
        let standing = wechat_v2::ops::QueriedRefunds::standing;
        let settling = v2.settle(&refund, &query, &wechat_v2::settle::REFUND, standing);
        until_settled!(day, settling, is_accepted);
    }
    let whole = amount().fen().get();
    for platform in [V2, V3] {
        let book = day.book(platform);
        assert_eq!(book.len(), 16);
        assert!(book.iter().all(|(_, back)| *back == whole), "{platform} {book:?}");
    }
    let struck: u32 = day.sandbox.faults().iter().map(|tally| tally.struck).sum();
    assert!(struck >= 30, "the day was not bad: {struck}");
    assert!(day.sandbox.faults().iter().all(|tally| tally.struck > 0));
}
