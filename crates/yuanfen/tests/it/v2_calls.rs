//! Every signed call of WeChat Pay v2 against the sandbox: it works, and under every loss of its reply it says that
//! nothing is known.

use std::sync::Arc;
use std::time::Duration;

use yuanfen::core::{Advice, Effect, Fate, Operation, PayAmount, RefundNo};
use yuanfen::wechat_v2::Account;
use yuanfen::wechat_v2::ops::{
    CloseOrder, Micropay, OrderKey, QueriedRefunds, QueryOrder, QueryRefund, QueryRefundV2, Refund, RefundV2,
    ReverseOrder,
};
use yuanfen_sandbox::{FaultKind, FaultRule, OrderState, Payer, Platform};

use crate::recovery::LOSSES;
use crate::shop::{Shop, amount, order_no, v2_order};

const PLATFORM: Platform = Platform::WechatV2;

fn key() -> OrderKey {
    OrderKey::Merchant(order_no())
}

fn refund(number: usize, fen: i64) -> Refund {
    let no = RefundNo::new(format!("REFUND{number:04}")).unwrap();
    Refund::new(key(), no, PayAmount::from_fen(fen).unwrap(), amount())
}

async fn placed(shop: &Shop) {
    shop.client(shop.wechat_v2()).call(&v2_order(shop)).await.unwrap();
}

async fn paid(shop: &Shop) {
    placed(shop).await;
    shop.far_side.pay(PLATFORM, order_no().as_str()).unwrap();
}

async fn refunded(shop: &Shop) {
    paid(shop).await;
    shop.client(shop.wechat_v2()).call(&refund(1, 500)).await.unwrap();
}

fn charge(shop: &Shop) -> Micropay {
    let code = shop.far_side.payment_code(PLATFORM, Payer::default());
    Micropay::new(order_no(), amount(), "noodles", "203.0.113.7".parse().unwrap(), &*code)
}

async fn charged(shop: &Shop) {
    shop.client(shop.wechat_v2()).call(&charge(shop)).await.unwrap();
}

/// What stands before the call, and the call.
async fn under_every_loss<O, B>(word: &str, before: impl Fn(Arc<Shop>) -> B, operation: impl Fn(&Shop) -> O)
where
    O: Operation<Provider = Account>,
    B: Future<Output = ()>,
{
    let shop = Arc::new(Shop::open());
    before(shop.clone()).await;
    let answered = shop.client(shop.wechat_v2()).call(&operation(&shop)).await;
    if let Err(error) = answered {
        panic!("{word}: {error:?}")
    }
    assert_eq!(shop.calls(PLATFORM, word), 1, "the sandbox's word for it");
    for (kind, _) in LOSSES {
        let shop = Arc::new(Shop::open());
        before(shop.clone()).await;
        shop.fault(FaultRule::new(*kind).during(word).nth(1));
        let Err(error) = shop.client(shop.wechat_v2()).call(&operation(&shop)).await else {
            panic!("{word}: {kind} did not strike")
        };
        let (fate, advice) = match (O::ROUTE.effect, kind) {
            // Nobody signs it, and a question that was not answered has changed nothing.
            (Effect::Read, FaultKind::UnsignedError) => (Fate::Refused, Advice::Stop),
            (Effect::Read | Effect::Repeatable, _) => (Fate::Unknown, Advice::Repeat),
            _ => (Fate::Unknown, Advice::QueryFirst),
        };
        assert_eq!((error.fate(), error.advice()), (fate, advice), "{word} {kind}: {error}");
    }
}

#[tokio::test]
async fn every_signed_call_works_and_never_takes_a_lost_reply_for_an_answer() {
    under_every_loss("place-order", async |_| {}, v2_order).await;
    under_every_loss(
        "query-order",
        async |shop| placed(&shop).await,
        |_| QueryOrder::by_order_no(order_no()),
    )
    .await;
    under_every_loss(
        "close-order",
        async |shop| placed(&shop).await,
        |_| CloseOrder::new(order_no()),
    )
    .await;
    under_every_loss("micropay", async |_| {}, charge).await;
    under_every_loss(
        "reverse-order",
        async |shop| charged(&shop).await,
        |_| ReverseOrder::by_order_no(order_no()),
    )
    .await;
    under_every_loss("refund", async |shop| paid(&shop).await, |_| refund(1, 500)).await;
    under_every_loss(
        "refund-v2",
        async |shop| paid(&shop).await,
        |_| RefundV2::from(refund(1, 500)),
    )
    .await;
    let by_no = || QueryRefund::by_refund_no(refund(1, 500).refund_no);
    under_every_loss("query-refund", async |shop| refunded(&shop).await, |_| by_no()).await;
    under_every_loss(
        "query-refund-v2",
        async |shop| refunded(&shop).await,
        |_| QueryRefundV2::from(by_no()),
    )
    .await;
}

#[tokio::test]
async fn an_order_is_closed_after_a_query_and_five_minutes_and_never_when_it_is_paid() {
    let shop = Shop::open();
    shop.far_side.keep_wechat_v2_five_minutes(true);
    let client = shop.client(shop.wechat_v2());
    placed(&shop).await;
    let placed_at = shop.now();
    let queried = client.call(&QueryOrder::by_order_no(order_no())).await.unwrap();
    let mut close = CloseOrder::after_query(&queried).unwrap();

    // Told when the order was placed, it does not even ask; not told, it is refused and nothing happened.
    close.placed_at = Some(placed_at);
    let early = client.call(&close).await.unwrap_err();
    assert_eq!((early.fate(), early.advice()), (Fate::NotSent, Advice::Stop));
    assert_eq!(shop.calls(PLATFORM, "close-order"), 0);
    close.placed_at = None;
    let early = client.call(&close).await.unwrap_err();
    assert_eq!((early.fate(), early.advice()), (Fate::Refused, Advice::QueryFirst));

    shop.pass(Duration::from_secs(300));
    close.placed_at = Some(placed_at);
    client.call(&close).await.unwrap();
    let order = shop.far_side.order(PLATFORM, order_no().as_str()).unwrap();
    assert_eq!(order.state(), OrderState::Closed);
    let again = client.call(&close).await.unwrap_err();
    assert_eq!(
        (again.fate(), again.refusal().unwrap().code.as_str()),
        (Fate::Already, "ORDERCLOSED")
    );

    // A payer who is quicker than the close.
    let shop = Shop::open();
    let client = shop.client(shop.wechat_v2());
    placed(&shop).await;
    let queried = client.call(&QueryOrder::by_order_no(order_no())).await.unwrap();
    let close = CloseOrder::after_query(&queried).unwrap();
    shop.far_side.pay(PLATFORM, order_no().as_str()).unwrap();
    let late = client.call(&close).await.unwrap_err();
    assert_eq!((late.fate(), late.advice()), (Fate::Already, Advice::Query));
    assert_eq!(late.refusal().unwrap().code, "ORDERPAID");
    let queried = client.call(&QueryOrder::by_order_no(order_no())).await.unwrap();
    assert!(queried.trade_state.is_paid());
    assert!(CloseOrder::after_query(&queried).is_err());
}

/// The numbers of all refunds of the order, page by page.
async fn walk<O>(shop: &Shop, first: O, next: impl Fn(&O, &QueriedRefunds) -> Option<O>) -> Vec<String>
where
    O: Operation<Provider = Account, Reply = QueriedRefunds>,
{
    let client = shop.client(shop.wechat_v2());
    let mut numbers = Vec::new();
    let mut query = Some(first);
    while let Some(asked) = query {
        let page = client.call(&asked).await.unwrap();
        assert!(page.refunds.len() <= 10);
        numbers.extend(page.refunds.iter().map(|record| record.refund_no.to_string()));
        query = next(&asked, &page);
    }
    numbers
}

#[tokio::test]
async fn twenty_five_refunds_of_one_order_are_seen_over_pages() {
    let shop = Shop::open();
    let client = shop.client(shop.wechat_v2());
    paid(&shop).await;
    let mut expected = Vec::new();
    for number in 0..25 {
        let refund = refund(number, 40);
        expected.push(refund.refund_no.to_string());
        client.call(&refund).await.unwrap();
    }
    let list = QueryRefund::by_order(key());
    assert_eq!(walk(&shop, list.clone(), QueryRefund::next_page).await, expected);
    assert_eq!(shop.calls(PLATFORM, "query-refund"), 3);
    let items = QueryRefundV2::from(list.clone());
    assert_eq!(walk(&shop, items, QueryRefundV2::next_page).await, expected);

    let mut beyond = list;
    beyond.offset = Some(25);
    let error = client.call(&beyond).await.unwrap_err();
    assert!(beyond.is_past_the_last(&error), "{error}");
}
