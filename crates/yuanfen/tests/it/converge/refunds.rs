//! Refunds whose notice is lost, on every route that has any.

use std::time::Duration;

use yuanfen::converge;
use yuanfen::core::{NotificationSource, PayAmount, Provider};
use yuanfen::inbox::RoutePlan;
use yuanfen::transport::Client;
use yuanfen::{fshows, starpos, wechat_v2, wechat_v3};
use yuanfen_sandbox::{Platform, RefundState};

use super::{Till, refund_no, refund_of};
use crate::shop::{Shop, amount, fshows_order, order_no, starpos_order, v2_order, v3_order};

/// What of a refund is found, after the payment that it gives back was.
async fn refund_is_found<P>(shop: &Shop, client: &Client<P>, platform: Platform, plan: fn(&Client<P>) -> RoutePlan)
where
    P: Provider + NotificationSource + Send + Sync + 'static,
{
    let till = Till::open(shop).await;
    till.expect(refund_of(client.provider(), 500)).await;
    shop.pass(Duration::from_secs(30));
    till.converge(plan(client)).await;
    assert_eq!(till.took_effect(), Vec::<String>::new());
    assert_eq!(till.pending().await[0].last_error, None);
    shop.far_side
        .settle_refund(platform, refund_no().as_str(), RefundState::Succeeded)
        .unwrap();
    shop.lose_notices();
    shop.pass(Duration::from_secs(200));
    till.converge(plan(client)).await;
    assert_eq!(
        till.took_effect(),
        ["refund-succeeded SHOP20251009000001"],
        "{:?}",
        till.pending().await
    );
    assert!(till.is_settled().await);
}

#[tokio::test]
async fn a_refund_whose_notice_is_lost_is_found() {
    let part = || PayAmount::from_fen(500).unwrap();
    let shop = Shop::open();
    let client = shop.client(shop.wechat_v2());
    client.call(&v2_order(&shop)).await.unwrap();
    shop.far_side.pay(Platform::WechatV2, order_no().as_str()).unwrap();
    let key = wechat_v2::ops::OrderKey::Merchant(order_no());
    client
        .call(&wechat_v2::ops::Refund::new(key, refund_no(), part(), amount()))
        .await
        .unwrap();
    refund_is_found(&shop, &client, Platform::WechatV2, converge::wechat_v2).await;

    let shop = Shop::open();
    let client = shop.client(shop.wechat_v3());
    client.call(&v3_order(&shop)).await.unwrap();
    shop.far_side.pay(Platform::WechatV3, order_no().as_str()).unwrap();
    client
        .call(&wechat_v3::ops::Refund::new(order_no(), refund_no(), part(), amount()))
        .await
        .unwrap();
    refund_is_found(&shop, &client, Platform::WechatV3, converge::wechat_v3).await;

    let shop = Shop::open();
    let client = shop.client(shop.starpos());
    client.call(&starpos_order(&shop)).await.unwrap();
    shop.far_side.pay(Platform::Starpos, order_no().as_str()).unwrap();
    let paid = client
        .call(&starpos::ops::QueryOrder::by_trade_no(&order_no()))
        .await
        .unwrap();
    shop.far_side.set_starpos_unsure(true);
    let refund = starpos::ops::Refund::part(paid.channel_order_no.unwrap(), refund_no(), part());
    client.call(&refund).await.unwrap_err();
    refund_is_found(&shop, &client, Platform::Starpos, converge::starpos).await;

    let shop = Shop::open();
    let client = shop.client(shop.fshows());
    client.call(&fshows_order(&shop)).await.unwrap();
    shop.far_side.pay(Platform::Fshows, order_no().as_str()).unwrap();
    let order = fshows::ops::OrderKey::Liquidator(order_no());
    client
        .call(&fshows::ops::Refund::new(order, refund_no()))
        .await
        .unwrap();
    refund_is_found(&shop, &client, Platform::Fshows, converge::fshows).await;
}
