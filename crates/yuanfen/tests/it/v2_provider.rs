//! A service provider of WeChat Pay v2 and its merchants, against the sandbox: one key, and each message about one of them.

use std::sync::Arc;

use yuanfen::core::{Fate, Notice, NotificationSource as _, OpenError, PayAmount, ProtocolErrorKind, RefundNo};
use yuanfen::wechat_v2::notify::PaymentNotice;
use yuanfen::wechat_v2::ops::{CloseOrder, OrderKey, PlaceOrder, QueryOrder, QueryRefund, Refund};
use yuanfen::wechat_v2::{Account, Payer, PayerApp, SubMerchant};
use yuanfen_sandbox::{Account as Orders, Platform};

use crate::shop::{Shop, amount, notify_url, order_no};

const ORDERS: Orders = Orders::provider(Platform::WechatV2);

/// The provider's account for its merchant with an app, and for the one without.
pub fn merchants(shop: &Shop) -> (Account, Arc<Account>, Arc<Account>) {
    let given = shop.far_side.wechat_v2_provider();
    let provider = shop.wechat_v2_provider();
    let first = SubMerchant::new(given.sub_merchant_id).unwrap();
    let first = first.with_app(given.sub_app_id).unwrap();
    let second = SubMerchant::new(given.other_sub_merchant_id).unwrap();
    let (first, second) = (
        provider.for_sub_merchant(first).unwrap(),
        provider.for_sub_merchant(second).unwrap(),
    );
    (provider, Arc::new(first), Arc::new(second))
}

pub fn order(payer: Payer) -> PlaceOrder {
    let ip = "203.0.113.7".parse().unwrap();
    PlaceOrder::jsapi(order_no(), amount(), "noodles", ip, notify_url(), payer)
}

fn settled(received: Result<Notice<PaymentNotice>, OpenError>) -> PaymentNotice {
    match received.unwrap() {
        Notice::Settles(event) => event.into_inner(),
        other => panic!("{other:?}"),
    }
}

#[tokio::test]
async fn a_payer_pays_a_sub_merchant_under_either_app() {
    let shop = Shop::open();
    let given = shop.far_side.wechat_v2_provider();
    for payer in [Payer::SubOpenId(given.sub_openid), Payer::OpenId(given.openid)] {
        let shop = Shop::open();
        let (_, account, _) = merchants(&shop);
        let client = shop.client(account.clone());
        let placed = client.call(&order(payer.clone())).await.unwrap();

        let open = |app: PayerApp| {
            let page = account.bridge_params(&placed.prepay_id, app, &shop.time()).unwrap();
            shop.far_side.open_cashier(
                Platform::WechatV2,
                &[
                    ("appId", &page.app_id),
                    ("timeStamp", &page.time_stamp),
                    ("nonceStr", &page.nonce),
                    ("package", &page.package),
                    ("signType", page.sign_type),
                    ("paySign", &page.pay_sign),
                ],
            )
        };
        assert_eq!(open(payer.app()).unwrap(), order_no().as_str());
        // The page of the other app does not open this order.
        let other = match payer.app() {
            PayerApp::Account => PayerApp::SubMerchant,
            _ => PayerApp::Account,
        };
        assert!(open(other).is_err());

        shop.far_side.pay(ORDERS, order_no().as_str()).unwrap();
        let [(notice, _)] = <[_; 1]>::try_from(shop.receive(&*account)).unwrap();
        let event = settled(notice);
        assert_eq!((&event.order_no, event.total), (&order_no(), amount().fen()));
        let sub_merchant = account.sub_merchant().unwrap();
        assert_eq!(event.sub_merchant_id.as_deref(), Some(sub_merchant.merchant_id()));
        assert_eq!(
            account.facts(&event).merchant.as_deref(),
            Some(sub_merchant.merchant_id())
        );

        let queried = client.call(&QueryOrder::by_order_no(order_no())).await.unwrap();
        assert!(queried.trade_state.is_paid());
        if let Payer::SubOpenId(open_id) = &payer {
            assert_eq!(queried.sub_openid.as_ref(), Some(open_id));
            assert_eq!(event.sub_openid.as_ref(), Some(open_id));
        }
    }
}

#[tokio::test]
async fn a_refund_for_a_sub_merchant_is_asked_for_and_hinted_at_under_the_providers_key() {
    let shop = Shop::open();
    let (provider, account, other) = merchants(&shop);
    let client = shop.client(account.clone());
    let payer = Payer::OpenId(shop.far_side.wechat_v2_provider().openid);
    client.call(&order(payer)).await.unwrap();
    shop.far_side.pay(ORDERS, order_no().as_str()).unwrap();
    shop.lose_notices();

    let number = RefundNo::new("REFUND1").unwrap();
    let part = PayAmount::from_fen(500).unwrap();
    let mut refund = Refund::new(OrderKey::Merchant(order_no()), number.clone(), part, amount());
    refund.notify_url = Some(notify_url());
    assert_eq!(client.call(&refund).await.unwrap().refund, part.fen());
    let query = QueryRefund::by_refund_no(number.clone());
    assert_eq!(client.call(&query).await.unwrap().refunds.len(), 1);
    // Another merchant of the same provider has no such refund.
    let error = shop.client(other).call(&query).await.unwrap_err();
    assert_eq!(error.refusal().unwrap().code, "REFUNDNOTEXIST");

    shop.far_side
        .settle_refund(ORDERS, number.as_str(), yuanfen_sandbox::RefundState::Succeeded)
        .unwrap();
    let received = shop.receive(&provider.for_every_sub_merchant());
    let [(Ok(Notice::Hint(hint)), _)] = &*received else {
        panic!("{received:?}")
    };
    let asked = QueryRefund::of_hint(hint).unwrap();
    assert_eq!(asked.key, query.key);
    assert!(client.call(&asked).await.unwrap().refund(&number).is_some());
}

#[tokio::test]
async fn nobody_elses_answer_or_notice_is_taken() {
    let shop = Shop::open();
    let (provider, account, other) = merchants(&shop);
    let payer = Payer::OpenId(shop.far_side.wechat_v2_provider().openid);
    shop.client(account.clone()).call(&order(payer.clone())).await.unwrap();

    // A query for another merchant finds nothing, and closing for another closes nothing.
    let error = shop
        .client(other.clone())
        .call(&QueryOrder::by_order_no(order_no()))
        .await;
    assert_eq!(error.unwrap_err().refusal().unwrap().code, "ORDERNOTEXIST");
    let error = shop.client(other.clone()).call(&CloseOrder::new(order_no())).await;
    assert_eq!(error.unwrap_err().refusal().unwrap().code, "ORDERNOTEXIST");

    // The provider as such has no orders, and says so before anything is sent.
    let calls = shop.far_side.calls(Platform::WechatV2);
    let every = Arc::new(provider.for_every_sub_merchant());
    let error = shop.client(every).call(&order(payer.clone())).await.err().unwrap();
    assert_eq!(
        (error.fate(), shop.far_side.calls(Platform::WechatV2)),
        (Fate::NotSent, calls)
    );
    // Without a word about whose trade it is, the platform refuses.
    let error = shop.client(provider).call(&order(payer)).await.err().unwrap();
    assert_eq!(error.refusal().unwrap().code, "LACK_PARAMS");

    shop.far_side.pay(ORDERS, order_no().as_str()).unwrap();
    let received = shop.receive(&*other);
    let [(Err(OpenError::Protocol(error)), _)] = &*received else {
        panic!("{received:?}")
    };
    assert_eq!(error.kind, ProtocolErrorKind::Foreign { field: "sub_mch_id" });
}
