//! A refund that the payer's bank did not take, sent on to another card.

use std::sync::atomic::Ordering;

use yuanfen::core::{Advice, Fate, RefundNo, Standing};
use yuanfen::transport::Client;
use yuanfen::wechat_v3::ops::{ApplyAbnormalRefund, PayerCard, QueryRefund, Refund};
use yuanfen::wechat_v3::{Account, RefundRecord, RefundStatus, Sensitive};
use yuanfen_sandbox::{FaultKind, FaultRule, Platform, RefundState};

use crate::shop::{Shop, amount, order_no, v3_order};

fn refund_no() -> RefundNo {
    RefundNo::new("BACK20251009000001").unwrap()
}

fn query() -> QueryRefund {
    QueryRefund::new(refund_no())
}

/// Where the sandbox keeps this client's orders.
fn book(client: &Client<Account>) -> yuanfen_sandbox::Account {
    match client.provider().ids().sub_merchant() {
        None => Platform::WechatV3.into(),
        Some(_) => yuanfen_sandbox::Account::provider(Platform::WechatV3),
    }
}

/// A merchant's own account and a provider's, each with certificates and with the public key.
fn accounts(shop: &Shop) -> [Account; 4] {
    let given = shop.far_side.wechat_v3();
    let with_key = |account: Account| {
        account
            .with_public_key(&given.platform_public_key_id, &given.platform_public_key_pem)
            .unwrap()
    };
    let (own, partner) = ((*shop.wechat_v3()).clone(), shop.wechat_v3_partner());
    [own.clone(), partner.clone(), with_key(own), with_key(partner)]
}

/// An order that was paid and refunded, and a bank that did not take the money.
async fn abnormal(shop: &Shop, client: &Client<Account>) -> RefundRecord {
    client.call(&v3_order(shop)).await.unwrap();
    shop.far_side.pay(book(client), order_no().as_str()).unwrap();
    let refund = Refund::new(order_no(), refund_no(), amount(), amount());
    client.call(&refund).await.unwrap();
    shop.far_side
        .settle_refund(book(client), refund_no().as_str(), RefundState::Abnormal)
        .unwrap();
    let record = client.call(&query()).await.unwrap();
    assert_eq!(record.status, RefundStatus::Abnormal);
    record
}

fn to_card(record: &RefundRecord) -> ApplyAbnormalRefund {
    let secret = |text: &str| Sensitive::new(text.to_owned());
    let card = PayerCard::new("CMB_DEBIT", secret("6222020200112233445"), secret("张三"));
    ApplyAbnormalRefund::to_payer(record.refund_id.clone(), record.refund_no.clone(), card)
}

#[tokio::test]
async fn the_money_goes_to_another_card_under_the_same_refund_number() {
    for index in 0..4 {
        let shop = Shop::open();
        let account = accounts(&shop)[index].clone();
        let client = shop.client(account);
        let record = abnormal(&shop, &client).await;
        // The sandbox opens what is encrypted with the key that the request names, and refuses it otherwise.
        let sent_on = client.call(&to_card(&record)).await.unwrap();
        assert_eq!(sent_on.refund_id, record.refund_id);
        assert_eq!(sent_on.standing(), Standing::Accepted);
        assert_eq!(sent_on.status, RefundStatus::Processing, "it is under way again");
        shop.far_side
            .settle_refund(book(&client), refund_no().as_str(), RefundState::Succeeded)
            .unwrap();
        let ended = client.call(&query()).await.unwrap();
        assert_eq!(ended.standing(), Standing::Succeeded);
        let order = shop.far_side.order(book(&client), order_no().as_str()).unwrap();
        assert_eq!(order.refunds.len(), 1, "one refund, whatever ways it went");
    }
}

#[tokio::test]
async fn the_money_goes_to_the_merchants_card_without_any_secret() {
    for index in 0..4 {
        let shop = Shop::open();
        let account = accounts(&shop)[index].clone();
        let client = shop.client(account);
        let record = abnormal(&shop, &client).await;
        let to_merchant = ApplyAbnormalRefund::to_merchant(record.refund_id, record.refund_no);
        let sent_on = client.call(&to_merchant).await.unwrap();
        assert_eq!(sent_on.status, RefundStatus::Processing);
    }
}

/// The certificate changes between the account's last look and the call: the one it knows still opens what it encrypted,
/// and the answer under the new one is opened after one fetch.
#[tokio::test]
async fn a_rotation_does_not_make_a_card_unreadable() {
    let shop = Shop::open();
    let client = shop.client(shop.wechat_v3());
    let record = abnormal(&shop, &client).await;
    let serial = shop.far_side.rotate_platform_certificate().unwrap();
    shop.pass(std::time::Duration::from_secs(61));
    client.call(&to_card(&record)).await.unwrap();
    assert_eq!(shop.calls(Platform::WechatV3, "apply-abnormal-refund"), 1);
    assert!(client.provider().platform_keys().get(&serial, shop.now()).is_some());
}

#[tokio::test]
async fn an_account_without_keys_fetches_one_before_it_encrypts() {
    let shop = Shop::open();
    let record = abnormal(&shop, &shop.client(shop.wechat_v3())).await;
    let fresh = shop.client(shop.wechat_v3());
    fresh.call(&to_card(&record)).await.unwrap();
    assert_eq!(shop.calls(Platform::WechatV3, "certificates"), 2);
}

/// What is encrypted is encrypted here under the platform's key, and signed where the merchant's key is.
#[tokio::test]
async fn a_key_that_is_elsewhere_signs_what_was_encrypted_here() {
    let shop = Shop::open();
    let (client, signatures) = crate::remote::client(&shop);
    let record = abnormal(&shop, &client).await;
    let before = signatures.load(Ordering::SeqCst);
    let sent_on = client.call(&to_card(&record)).await.unwrap();
    assert_eq!(sent_on.status, RefundStatus::Processing);
    assert_eq!(signatures.load(Ordering::SeqCst), before + 1);
}

#[tokio::test]
async fn a_lost_answer_is_asked_for_and_not_sent_again() {
    let shop = Shop::open();
    let client = shop.client(shop.wechat_v3());
    let record = abnormal(&shop, &client).await;
    shop.fault(
        FaultRule::new(FaultKind::LoseReply)
            .during("apply-abnormal-refund")
            .nth(1),
    );
    let error = client.call(&to_card(&record)).await.unwrap_err();
    assert_eq!((error.fate(), error.advice()), (Fate::Unknown, Advice::QueryFirst));
    let found = client.call(&query()).await.unwrap();
    assert_eq!(found.status, RefundStatus::Processing, "it was taken");
}

/// Only an abnormal refund is sent on, and only by whoever knows both of its numbers.
#[tokio::test]
async fn the_platform_refuses_what_is_not_abnormal() {
    let shop = Shop::open();
    let client = shop.client(shop.wechat_v3());
    let record = abnormal(&shop, &client).await;
    client.call(&to_card(&record)).await.unwrap();
    let again = client.call(&to_card(&record)).await.unwrap_err();
    assert_eq!(again.refusal().unwrap().code, "INVALID_REQUEST");
    assert_eq!((again.fate(), again.advice()), (Fate::Refused, Advice::Stop));
    let mut other = to_card(&record);
    other.refund_no = RefundNo::new("BACK20251009000002").unwrap();
    let absent = client.call(&other).await.unwrap_err();
    assert_eq!(absent.refusal().unwrap().code, "RESOURCE_NOT_EXISTS");
}
