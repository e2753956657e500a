//! Orders that are paid together on version 3: from one payment over one notice to the refund of a part.

use std::time::Duration;

use yuanfen::core::{
    Advice, EventKey, Fate, Fen, Notice, NotificationSource as _, OrderNo, PayAmount, RefundNo, RefusalKind,
    SettleVerdict, Standing, Transition,
};
use yuanfen::transport::Client;
use yuanfen::wechat_v3::ops::{
    CloseCombinedOrder, PlaceCombinedJsapiOrder, QueriedCombinedOrder, QueryCombinedOrder, QueryOrder, Refund,
};
use yuanfen::wechat_v3::settle::ORDER;
use yuanfen::wechat_v3::{
    Account, CombinedOrderNo, CombinedTerms, Event, OpenId, Participant, RefundStatus, SubOrder, TradeState,
};
use yuanfen_sandbox::{FaultKind, FaultRule, Platform};

use crate::shop::{Shop, notify_url};

pub const WHOLE: &str = "WHOLE2025100901";

/// Two orders: a merchant's own, or both of the merchant for which a provider acts.
fn combined_terms(account: &Account) -> CombinedTerms {
    let whose = match account.ids().sub_merchant() {
        None => Participant::Own,
        Some(sub_merchant) => Participant::SubMerchant(sub_merchant.clone()),
    };
    let part = |number: &str, fen| {
        let amount = PayAmount::from_fen(fen).unwrap();
        SubOrder::new(
            whose.clone(),
            OrderNo::portable(number).unwrap(),
            amount,
            "noodles",
            "table 4",
        )
    };
    let parts = vec![part("PART2025100901", 1000), part("PART2025100902", 230)];
    CombinedTerms::new(CombinedOrderNo::new(WHOLE).unwrap(), parts, notify_url())
}

pub fn combined_order(shop: &Shop, account: &Account) -> PlaceCombinedJsapiOrder {
    PlaceCombinedJsapiOrder::new(combined_terms(account), OpenId::new(shop.far_side.wechat_v3().openid))
}

pub fn query() -> QueryCombinedOrder {
    QueryCombinedOrder::new(CombinedOrderNo::new(WHOLE).unwrap())
}

/// Each kind of account, with the place where the sandbox keeps its orders.
pub fn sides(shop: &Shop) -> [(Account, yuanfen_sandbox::Account); 2] {
    [
        (shop.wechat_v3().as_ref().clone(), Platform::WechatV3.into()),
        (
            shop.wechat_v3_partner(),
            yuanfen_sandbox::Account::provider(Platform::WechatV3),
        ),
    ]
}

async fn standing(client: &Client<Account>) -> Standing {
    client.call(&query()).await.unwrap().standing()
}

#[tokio::test]
async fn one_payment_pays_every_part_and_one_notice_tells_of_all() {
    for index in 0..2 {
        let shop = Shop::open();
        let (account, book) = sides(&shop).into_iter().nth(index).unwrap();
        let client = shop.client(account.clone());
        let order = combined_order(&shop, &account);
        let placed = client.call(&order).await.unwrap();
        assert!(account.request_payment_params(&placed.prepay_id, &shop.time()).is_ok());
        assert_eq!(standing(&client).await, Standing::Accepted);
        // Repeated unchanged it is answered again.
        client.call(&order).await.unwrap();

        shop.far_side.pay(book, WHOLE).unwrap();
        let received = shop.receive(&account);
        let [(Ok(Notice::Settles(event)), _)] = received.as_slice() else {
            panic!("{received:?}")
        };
        let key = EventKey::new("wechat-v3", account.ids().merchant_id(), WHOLE, Transition::OrderPaid);
        assert_eq!(account.key(event.get()), key);
        let facts = account.facts(event.get());
        assert_eq!((facts.amount, &*facts.end_state), (Some(Fen::new(1230)), "SUCCESS"));
        let Event::CombinedPayment(told) = event.get() else {
            panic!("{event:?}")
        };
        // What it told is what a query says.
        let asked = client.call(&query()).await.unwrap().transaction;
        assert_eq!(asked.sub_orders, told.sub_orders);
        assert_eq!(
            (asked.standing(), asked.total()),
            (Standing::Succeeded, Some(Fen::new(1230)))
        );
        assert_eq!(order.terms.total().unwrap().fen(), Fen::new(1230));
        shop.pass(Duration::from_secs(86_400));
        assert!(shop.receive(&account).is_empty(), "no part is told of by itself");
    }
}

/// The ordinary query finds neither the whole nor a part; refunds are of the parts.
#[tokio::test]
async fn a_part_is_refunded_by_itself_and_found_in_the_whole_only() {
    let shop = Shop::open();
    let (account, book) = sides(&shop).into_iter().next().unwrap();
    let client = shop.client(account.clone());
    client.call(&combined_order(&shop, &account)).await.unwrap();
    shop.far_side.pay(book, WHOLE).unwrap();
    for number in [WHOLE, "PART2025100902"] {
        let query = QueryOrder::by_order_no(OrderNo::portable(number).unwrap());
        let error = client.call(&query).await.unwrap_err();
        assert_eq!(error.refusal().unwrap().meaning.kind, RefusalKind::NotFound, "{number}");
    }
    let amount = PayAmount::from_fen(230).unwrap();
    let refund = |number: &str| {
        let number = OrderNo::portable(number).unwrap();
        Refund::new(number, RefundNo::new("BACK2025100902").unwrap(), amount, amount)
    };
    client.call(&refund(WHOLE)).await.unwrap_err();
    let refunded = client.call(&refund("PART2025100902")).await.unwrap();
    assert!(matches!(
        refunded.status,
        RefundStatus::Processing | RefundStatus::Success
    ));
    let order = client.call(&query()).await.unwrap();
    let states: Vec<_> = order
        .transaction
        .sub_orders
        .iter()
        .map(|part| &part.trade_state)
        .collect();
    assert_eq!(states, [&TradeState::Success, &TradeState::Refund]);
    assert_eq!(order.standing(), Standing::Succeeded, "it was paid");
}

#[tokio::test]
async fn a_combined_order_is_closed_whole_or_not_at_all() {
    for index in 0..2 {
        let shop = Shop::open();
        let (account, book) = sides(&shop).into_iter().nth(index).unwrap();
        let client = shop.client(account.clone());
        let order = combined_order(&shop, &account);
        client.call(&order).await.unwrap();
        shop.pass(Duration::from_secs(301));
        // A list that is not the order's: the platform refuses it.
        let mut other = CloseCombinedOrder::from(&order.terms);
        other.sub_orders[1].1 = OrderNo::portable("PART2025100903").unwrap();
        client.call(&other).await.unwrap_err();
        assert_eq!(standing(&client).await, Standing::Accepted);
        // As it was placed, and again as a query lists it.
        client.call(&CloseCombinedOrder::from(&order.terms)).await.unwrap();
        let asked = client.call(&query()).await.unwrap();
        assert_eq!(asked.standing(), Standing::Failed);
        client
            .call(&CloseCombinedOrder::from(&asked.transaction))
            .await
            .unwrap();
        assert!(shop.far_side.pay(book, WHOLE).is_err());
    }
}

/// The reply to placing it is lost; what the query says of the whole leads to the same order again, and to one payment.
#[tokio::test]
async fn a_combined_order_without_its_reply_is_replied_to_under_the_same_numbers() {
    for index in 0..2 {
        let shop = Shop::open();
        let (account, book) = sides(&shop).into_iter().nth(index).unwrap();
        let client = shop.client(account.clone());
        let order = combined_order(&shop, &account);
        let lost = FaultRule::new(FaultKind::LoseReply).during("place-combined-jsapi-order");
        shop.fault(lost.nth(1));
        let error = client.call(&order).await.unwrap_err();
        assert_eq!((error.fate(), error.advice()), (Fate::Unknown, Advice::Repeat));
        let settled = client
            .settle(&order, &query(), &ORDER, QueriedCombinedOrder::standing)
            .after(error.fate(), &shop.sleep())
            .await;
        assert_eq!(settled.verdict, SettleVerdict::Replied);
        assert_eq!(shop.calls(Platform::WechatV3, "place-combined-jsapi-order"), 2);
        // Once it is paid nothing is repeated: the query alone settles it.
        shop.far_side.pay(book, WHOLE).unwrap();
        let settled = client
            .settle(&order, &query(), &ORDER, QueriedCombinedOrder::standing)
            .after(Fate::Unknown, &shop.sleep())
            .await;
        assert_eq!(settled.verdict, SettleVerdict::Happened(Standing::Succeeded));
        assert_eq!(shop.calls(Platform::WechatV3, "place-combined-jsapi-order"), 2);
    }
}
