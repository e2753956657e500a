//! How an order ends that nobody pays: closed, never placed, refused to be told of.

use std::time::Duration;

use bytes::Bytes;
use yuanfen::converge;
use yuanfen::core::{NotificationSource, Operation, OrderNo, Provider};
use yuanfen::inbox::{PendingOrder, PendingState, RoutePlan};
use yuanfen::transport::{Client, Sent, TransportError, TransportErrorKind};
use yuanfen_sandbox::{FaultKind, FaultRule, Platform};

use super::{Till, order_of};
use crate::combined;
use crate::shop::{Shop, amount, mpgateway_order, order_no, v2_order, v3_order};

/// An order that expires after ten minutes and that nobody pays; what its handler was run for.
async fn expire<P, O>(shop: &Shop, client: Client<P>, order: O, plan: fn(&Client<P>) -> RoutePlan) -> Vec<String>
where
    P: Provider + NotificationSource + Send + Sync + 'static,
    O: Operation<Provider = P>,
{
    let till = Till::open(shop).await;
    till.expect(expiring(shop, client.provider())).await;
    client.call(&order).await.unwrap();
    shop.pass(Duration::from_secs(599));
    till.converge(plan(&client)).await;
    assert_eq!(till.pending().await[0].state, PendingState::Open);
    // Some moment of the minute after it, so that a thousand of one sale are not closed at once.
    shop.pass(Duration::from_secs(61));
    till.converge(plan(&client)).await;
    assert!(till.is_settled().await, "{:?}", till.pending().await);
    till.took_effect()
}

#[tokio::test]
async fn an_order_that_expires_is_closed_on_the_routes_that_close() {
    let shop = Shop::open();
    let client = shop.client(shop.wechat_v2());
    let seen = expire(&shop, client, v2_order(&shop), converge::wechat_v2).await;
    assert_eq!(seen, ["order-closed SHOP20251009000001"]);
    assert_eq!(shop.calls(Platform::WechatV2, "close-order"), 1);
    // Nobody can pay it any more.
    shop.far_side.pay(Platform::WechatV2, order_no().as_str()).unwrap_err();

    let shop = Shop::open();
    let client = shop.client(shop.wechat_v3());
    let seen = expire(&shop, client, v3_order(&shop), converge::wechat_v3).await;
    assert_eq!(seen, ["order-closed SHOP20251009000001"]);
    assert_eq!(shop.calls(Platform::WechatV3, "close-order"), 1);
    shop.far_side.pay(Platform::WechatV3, order_no().as_str()).unwrap_err();

    let shop = Shop::open();
    let client = shop.client(shop.mpgateway());
    let seen = expire(&shop, client, mpgateway_order(&shop), converge::mpgateway_cancel).await;
    assert_eq!(seen, ["order-failed SHOP20251009000001"]);
    shop.far_side.pay(Platform::Mpgateway, order_no().as_str()).unwrap_err();
}

#[tokio::test]
async fn an_order_that_was_never_placed_is_over_after_its_expiry_and_a_paid_one_is_paid() {
    for is_paid in [false, true] {
        let shop = Shop::open();
        let client = shop.client(shop.wechat_v3());
        let till = Till::open(&shop).await;
        till.expect(expiring(&shop, client.provider())).await;
        if is_paid {
            // At the last moment, and for two queries the platform does not know of it.
            client.call(&v3_order(&shop)).await.unwrap();
            shop.pass(Duration::from_secs(599));
            shop.far_side.pay(Platform::WechatV3, order_no().as_str()).unwrap();
            shop.fault(refusal("ORDER_NOT_EXIST").during("query-order").first(2));
        }
        for _ in 0..24 {
            shop.lose_notices();
            shop.pass(Duration::from_secs(60));
            till.converge(converge::wechat_v3(&client)).await;
        }
        let end = if is_paid { "order-paid" } else { "order-closed" };
        assert_eq!(till.took_effect(), [format!("{end} SHOP20251009000001")]);
        assert!(till.is_settled().await, "{:?}", till.pending().await);
        assert_eq!(shop.calls(Platform::WechatV3, "close-order"), 0);
        if is_paid {
            assert_eq!(shop.calls(Platform::WechatV3, "query-order"), 3);
        }
    }
}

fn refusal(code: &str) -> FaultRule {
    FaultRule::new(FaultKind::Refuse(code.parse().unwrap())).on(Platform::WechatV3)
}

fn expiring(shop: &Shop, account: &impl NotificationSource) -> PendingOrder {
    let mut expected = order_of(account);
    expected.expires_at = Some(shop.now().after(Duration::from_secs(600)));
    expected
}

/// v3 sheet, section 14: the platform may refuse to tell of a closed order, and says so.
#[tokio::test]
async fn an_order_of_which_the_platform_says_only_that_it_is_closed_is_closed() {
    let shop = Shop::open();
    let client = shop.client(shop.wechat_v3());
    let till = Till::open(&shop).await;
    till.expect(expiring(&shop, client.provider())).await;
    client.call(&v3_order(&shop)).await.unwrap();
    shop.fault(refusal("ORDER_CLOSED").during("query-order"));
    shop.pass(Duration::from_secs(30));
    till.converge(converge::wechat_v3(&client)).await;
    assert_eq!(till.took_effect(), ["order-closed SHOP20251009000001"]);
    assert!(till.is_settled().await, "{:?}", till.pending().await);
    assert_eq!(shop.calls(Platform::WechatV3, "query-combined-order"), 0);
}

/// Combined orders are a product of their own: a merchant that does not have it is refused whatever it asks about them.
#[tokio::test]
async fn an_order_that_was_never_placed_is_over_also_for_a_merchant_without_combined_orders() {
    for (code, is_over) in [
        ("NO_AUTH", true),
        // None of these says anything of the order or the merchant.
        ("SYSTEM_ERROR", false),
        ("FREQUENCY_LIMITED", false),
        ("INVALID_REQUEST", false),
        ("PARAM_ERROR", false),
    ] {
        let shop = Shop::open();
        let client = shop.client(shop.wechat_v3());
        let till = Till::open(&shop).await;
        till.expect(expiring(&shop, client.provider())).await;
        shop.fault(refusal(code).during("query-combined-order"));
        for _ in 0..24 {
            shop.pass(Duration::from_secs(60));
            till.converge(converge::wechat_v3(&client)).await;
        }
        let pending = till.pending().await.remove(0);
        if is_over {
            assert_eq!(till.took_effect(), ["order-closed SHOP20251009000001"]);
            assert_eq!(pending.state, PendingState::Over);
        } else {
            assert_eq!(till.took_effect(), Vec::<String>::new(), "{code}");
            assert_eq!((pending.state, pending.absences), (PendingState::Open, 0), "{code}");
            assert!(pending.last_error.is_some());
        }
    }
}

/// Nothing is concluded from what anybody could have said.
#[tokio::test]
async fn a_refusal_that_is_not_signed_closes_nothing_and_ends_nothing() {
    let shop = Shop::open();
    let far_side = shop.far_side.clone();
    // On the way somebody answers in the platform's place.
    let transport = move |request: http::Request<Bytes>| {
        let path = request.uri().path().to_owned();
        let forged = |status, code| {
            let body = format!(r#"{{"code":"{code}","message":"x"}}"#);
            Ok(http::Response::builder().status(status).body(body.into()).unwrap())
        };
        let answer = if path.starts_with("/v3/combine-transactions/") {
            forged(403, "NO_AUTH")
        } else if path.ends_with("/SHOP20251009000002") {
            forged(400, "ORDER_CLOSED")
        } else {
            let answer = far_side.answer(&request);
            answer.map_err(|cut| TransportError::new(TransportErrorKind::Cut, Sent::Maybe, Some(cut.into())))
        };
        async move { answer }
    };
    let client = Client::new(shop.wechat_v3(), transport).with_ambient(shop.time());
    let till = Till::open(&shop).await;
    let mut refused = expiring(&shop, client.provider());
    till.expect(refused.clone()).await;
    refused.order_no = OrderNo::portable("SHOP20251009000002").unwrap();
    till.expect(refused).await;
    for _ in 0..24 {
        shop.pass(Duration::from_secs(60));
        till.converge(converge::wechat_v3(&client)).await;
    }
    assert_eq!(till.took_effect(), Vec::<String>::new());
    for pending in till.pending().await {
        assert_eq!((pending.state, pending.absences), (PendingState::Open, 0));
        assert!(pending.last_error.unwrap().contains("no signature proves this answer"));
    }
}

#[tokio::test]
async fn a_combined_order_is_found_and_closed_as_one() {
    let whole = || OrderNo::new(combined::WHOLE).unwrap();
    for is_paid in [true, false] {
        let shop = Shop::open();
        let (account, orders) = combined::sides(&shop).into_iter().next().unwrap();
        let client = shop.client(account.clone());
        let till = Till::open(&shop).await;
        let expires_at = Some(shop.now().after(Duration::from_secs(600)));
        till.expect(PendingOrder::new(
            account.route(),
            account.account(),
            whole(),
            amount(),
            expires_at,
        ))
        .await;
        client.call(&combined::combined_order(&shop, &account)).await.unwrap();
        if is_paid {
            shop.far_side.pay(orders, combined::WHOLE).unwrap();
            shop.lose_notices();
        }
        shop.pass(Duration::from_secs(600));
        till.converge(converge::wechat_v3(&client)).await;
        let end = if is_paid { "order-paid" } else { "order-closed" };
        assert_eq!(
            till.took_effect(),
            [format!("{end} {}", combined::WHOLE)],
            "{:?}",
            till.pending().await
        );
        assert!(till.is_settled().await);
    }
}
