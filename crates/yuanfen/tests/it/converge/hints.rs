//! Notices that settle nothing by themselves and have the query made at once that does.

use std::time::Duration;

use yuanfen::core::PayAmount;
use yuanfen::inbox::Received;
use yuanfen::{converge, starpos, wechat_v2};
use yuanfen_sandbox::{Platform, RefundState};

use super::{Till, deliver, order_of, refund_no, refund_of};
use crate::shop::{Shop, amount, notify_url, order_no, starpos_order, v2_order};

/// Version 2 does not sign its refund notices: one is a hint, and has the refund queried at once.
#[tokio::test]
async fn a_v2_refund_notice_hastens_the_query_that_settles_it() {
    let shop = Shop::open();
    let client = shop.client(shop.wechat_v2());
    client.call(&v2_order(&shop)).await.unwrap();
    shop.far_side.pay(Platform::WechatV2, order_no().as_str()).unwrap();
    shop.lose_notices();
    let till = Till::open(&shop).await;
    till.expect(refund_of(client.provider(), 500)).await;
    let key = wechat_v2::ops::OrderKey::Merchant(order_no());
    let part = PayAmount::from_fen(500).unwrap();
    let mut refund = wechat_v2::ops::Refund::new(key, refund_no(), part, amount());
    refund.notify_url = Some(notify_url());
    client.call(&refund).await.unwrap();
    shop.far_side
        .settle_refund(Platform::WechatV2, refund_no().as_str(), RefundState::Succeeded)
        .unwrap();
    shop.pass(Duration::from_secs(1));
    let receiver = till.inbox.receiver(client.provider().clone());
    let received = deliver(&shop, &receiver).await;
    assert!(matches!(received[..], [Received::Hint]), "{received:?}");
    till.converge(converge::wechat_v2(&client)).await;
    assert_eq!(till.took_effect(), ["refund-succeeded SHOP20251009000001"]);
}

/// Nobody here knows the platform's number of it yet.
#[tokio::test]
async fn a_plain_starpos_push_hastens_the_query_by_our_number() {
    let shop = Shop::open();
    shop.far_side.set_starpos_push_url("https://shop.example/starpos");
    let client = shop.client(shop.starpos());
    let till = Till::open(&shop).await;
    till.expect(order_of(client.provider())).await;
    client.call(&starpos_order(&shop)).await.unwrap();
    shop.far_side.pay(Platform::Starpos, order_no().as_str()).unwrap();
    assert_eq!(till.pending().await[0].expected.remote_id, None);
    let receiver = till.inbox.receiver(client.provider().clone());
    let received = deliver(&shop, &receiver).await;
    assert!(matches!(received[..], [Received::Hint]), "{received:?}");
    till.converge(converge::starpos(&client)).await;
    assert_eq!(till.took_effect(), ["order-paid SHOP20251009000001"]);
    assert!(till.is_settled().await);
}

/// The sandbox does not play this push; whoever sends it, all that it brings about is a query.
#[tokio::test]
async fn a_plain_starpos_push_of_a_refund_hastens_the_query_of_that_refund() {
    let shop = Shop::open();
    let client = shop.client(shop.starpos());
    client.call(&starpos_order(&shop)).await.unwrap();
    shop.far_side.pay(Platform::Starpos, order_no().as_str()).unwrap();
    let by_ours = starpos::ops::QueryOrder::by_trade_no(&order_no());
    let paid = client.call(&by_ours).await.unwrap();
    let till = Till::open(&shop).await;
    till.expect(refund_of(client.provider(), 500)).await;
    let part = PayAmount::from_fen(500).unwrap();
    let refund = starpos::ops::Refund::part(paid.channel_order_no.unwrap(), refund_no(), part);
    let refunded = client.call(&refund).await.unwrap();

    let push = |number: &str| {
        let fields = [
            ("logNo", refunded.log_no.as_str()),
            ("TxnCode", "L005"),
            ("TxnStatus", "1"),
            ("TxnAmt", "5"),
            ("TxnLogId", number),
            ("ChannelId", "SHOP20251009000001"),
        ];
        starpos::test_util::forge_push(client.provider(), &fields).unwrap()
    };
    let receiver = till.inbox.receiver(client.provider().clone());
    // The order of that number is not what it is about.
    for number in ["", "SHOP20251009000001", "REFUND20251009000002"] {
        let receipt = receiver.receive(&push(number)).await;
        assert!(
            matches!(receipt.received, Received::UnknownHint),
            "{number}: {receipt:?}"
        );
    }
    let receipt = receiver.receive(&push(refund_no().as_str())).await;
    assert!(matches!(receipt.received, Received::Hint), "{receipt:?}");
    till.converge(converge::starpos(&client)).await;
    assert_eq!(
        till.took_effect(),
        ["refund-succeeded SHOP20251009000001"],
        "{:?}",
        till.pending().await
    );
}
