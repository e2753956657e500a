//! An account whose key is elsewhere does all that one with a key does, over the sandbox, which checks every signature.

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

use yuanfen::core::{
    Advice, BaseUrl, ErrorKind, Fate, SettleVerdict, Sign as _, SignError, Standing, TransportErrorKind,
};
use yuanfen::sign::{ApiV3Key, RsaSigningKey};
use yuanfen::transport::{Client, OsAmbient};
use yuanfen::wechat_v3::ops::{DownloadCertificates, QueriedOrder, QueryOrder};
use yuanfen::wechat_v3::{Account, SigningIdentity, settle};
use yuanfen_sandbox::{FaultKind, FaultRule, Platform};

use crate::shop::{Shop, order_no, v3_order};

/// In certificate mode, without a key of its own or of the platform.
fn account(shop: &Shop) -> Account {
    let given = shop.far_side.wechat_v3();
    let identity = SigningIdentity::elsewhere(&given.merchant_id, &given.merchant_serial).unwrap();
    let key = ApiV3Key::new(given.apiv3_key.expose()).unwrap();
    let account = Account::direct(identity, &given.app_id, key).unwrap();
    account.with_base(BaseUrl::parse(&given.base_url).unwrap())
}

/// A client whose signatures come from elsewhere, and how many came.
pub fn client(shop: &Shop) -> (Client<Account>, Arc<AtomicUsize>) {
    let key = shop.far_side.wechat_v3().merchant_private_key_pem;
    let key = Arc::new(RsaSigningKey::parse(key.expose()).unwrap());
    let signatures = Arc::new(AtomicUsize::new(0));
    let counted = Arc::clone(&signatures);
    let client = shop.client(account(shop)).with_remote_signer(move |text: Vec<u8>| {
        let key = Arc::clone(&key);
        counted.fetch_add(1, Ordering::SeqCst);
        async move {
            tokio::task::yield_now().await;
            key.sign(&text, &OsAmbient)
        }
    });
    (client, signatures)
}

#[tokio::test]
async fn the_certificates_are_fetched_with_a_signature_from_there() {
    let shop = Shop::open();
    let (client, signatures) = client(&shop);
    client.call(&v3_order(&shop)).await.unwrap();
    assert_eq!(shop.calls(Platform::WechatV3, "place-jsapi-order"), 1);
    assert_eq!(shop.calls(Platform::WechatV3, "certificates"), 1);
    assert_eq!(signatures.load(Ordering::SeqCst), 2);
    // So does a refresh before one is missing.
    let list = client.call(&DownloadCertificates::new()).await.unwrap();
    client.provider().adopt(&list, shop.now());
    assert_eq!(signatures.load(Ordering::SeqCst), 3);
}

#[tokio::test]
async fn an_order_whose_reply_was_lost_is_settled_with_signatures_from_there() {
    let shop = Shop::open();
    let (client, _) = client(&shop);
    shop.fault(FaultRule::new(FaultKind::LoseReply).during("place-jsapi-order").nth(1));
    let order = v3_order(&shop);
    let query = QueryOrder::by_order_no(order_no());
    let settled = client
        .settle(&order, &query, &settle::ORDER, QueriedOrder::standing)
        .call(&shop.sleep())
        .await
        .unwrap();
    assert_eq!(settled.verdict, SettleVerdict::Replied);
    assert_eq!(shop.far_side.orders(Platform::WechatV3).len(), 1);
    shop.far_side.pay(Platform::WechatV3, order_no().as_str()).unwrap();
    assert_eq!(client.call(&query).await.unwrap().standing(), Standing::Succeeded);
}

#[tokio::test]
async fn a_signer_that_does_not_answer_sent_nothing() {
    let shop = Shop::open();
    let closed = |_: Vec<u8>| async { Err(SignError::new("the vault is closed")) };
    // Without a key of the platform it is the fetch of its certificates that fails first.
    let client = shop.client(account(&shop)).with_remote_signer(closed);
    let error = client.call(&v3_order(&shop)).await.unwrap_err();
    assert!(matches!(error.kind(), ErrorKind::Keys(_)), "{error:?}");
    assert_eq!((error.fate(), error.advice()), (Fate::NotSent, Advice::RepeatLater));
    let given = shop.far_side.wechat_v3();
    let account = account(&shop)
        .with_public_key(&given.platform_public_key_id, &given.platform_public_key_pem)
        .unwrap();
    let client = shop.client(account).with_remote_signer(closed);
    let error = client.call(&v3_order(&shop)).await.unwrap_err();
    assert!(matches!(error.kind(), ErrorKind::Transport(error) if error.kind == TransportErrorKind::Signer));
    assert_eq!((error.fate(), error.advice()), (Fate::NotSent, Advice::Repeat));
    assert!(shop.far_side.exchanges().is_empty());
}
