//! A service provider of version 3 against the sandbox: whose ids go out, whose money it is, and what another of its
//! merchants is told.

use std::sync::Arc;

use yuanfen::core::{
    BuildError, ErrorKind, Fate, Notice, NotificationSource as _, OpenError, ProtocolErrorKind, RefundNo, Standing,
};
use yuanfen::transport::Client;
use yuanfen::wechat_v3::{Account, CashierApp, Event, OpenId, OrderTerms, Payer, SubMerchant, ops};
use yuanfen_sandbox::{NoticeOutcome, PageRefused, Platform, RefundState};

use crate::shop::{Shop, amount, notify_url, order_no};

fn book() -> yuanfen_sandbox::Account {
    yuanfen_sandbox::Account::provider(Platform::WechatV3)
}

fn terms() -> OrderTerms {
    OrderTerms::new(order_no(), amount(), "noodles", notify_url())
}

fn refund_no() -> RefundNo {
    RefundNo::new("BACK20251009000001").unwrap()
}

/// The other of the provider's merchants, which has no app.
fn other(shop: &Shop) -> Account {
    let given = shop.far_side.wechat_v3_provider();
    let (number, app) = given.sub_merchants.into_iter().nth(1).unwrap();
    assert_eq!(app, None);
    shop.wechat_v3_provider()
        .for_sub_merchant(SubMerchant::new(&number).unwrap())
        .unwrap()
}

/// Places an order whose payer is known under that app, and opens the cashier in it.
async fn placed(shop: &Shop, client: &Client<Account>, payer: Payer) {
    let app = CashierApp::from(&payer);
    let placed = client.call(&ops::PlaceJsapiOrder::new(terms(), payer)).await.unwrap();
    let open = |app| {
        let cashier = client.provider().cashier(app).unwrap();
        let page = cashier.jsapi_params(&placed.prepay_id, &shop.time()).unwrap();
        shop.far_side.open_cashier(
            Platform::WechatV3,
            &[
                ("appId", &page.app_id),
                ("timeStamp", &page.time_stamp),
                ("nonceStr", &page.nonce_str),
                ("package", &page.package),
                ("signType", page.sign_type),
                ("paySign", &page.pay_sign),
            ],
        )
    };
    assert_eq!(open(app).unwrap(), order_no().as_str());
    let wrong = match app {
        CashierApp::Own => CashierApp::SubMerchant,
        _ => CashierApp::Own,
    };
    assert_eq!(open(wrong), Err(PageRefused::Parameter("appId")));
}

#[tokio::test]
async fn a_payer_pays_a_sub_merchant_under_either_app() {
    let open_ids = |shop: &Shop| {
        let given = shop.far_side.wechat_v3_provider();
        [
            Payer::OpenId(OpenId::new(given.openid)),
            Payer::SubOpenId(OpenId::new(given.sub_openid)),
        ]
    };
    for payer in open_ids(&Shop::open()) {
        let shop = Shop::open();
        let client = shop.client(shop.wechat_v3_partner());
        placed(&shop, &client, payer.clone()).await;
        shop.far_side.pay(book(), order_no().as_str()).unwrap();

        let query = ops::QueryOrder::by_order_no(order_no());
        let found = client.call(&query).await.unwrap().transaction;
        let given = shop.far_side.wechat_v3_provider();
        assert_eq!(found.merchant_id, given.provider_id);
        assert_eq!(found.app_id.as_deref(), Some(&*given.app_id));
        assert_eq!(found.total, Some(amount().fen()));
        let merchant = found.sub_merchant.as_ref().unwrap();
        assert_eq!(Some(merchant), client.provider().ids().sub_merchant());
        assert_eq!(found.payer.as_ref().map(OpenId::as_str), Some(&*given.openid));
        assert_eq!(found.sub_payer.as_ref().map(OpenId::as_str), Some(&*given.sub_openid));

        // The provider's one address for notices tells whose they are.
        let everyones = Arc::new(shop.wechat_v3_provider());
        let list = shop
            .client(everyones.clone())
            .call(&ops::DownloadCertificates::new())
            .await;
        everyones.adopt(&list.unwrap(), shop.now());
        let [(Ok(Notice::Settles(event)), NoticeOutcome::Acknowledged { .. })] = &shop.receive(&*everyones)[..] else {
            panic!("no notice, or not taken")
        };
        let Event::Payment(told) = event.get() else {
            panic!("{event:?}")
        };
        assert_eq!((&told.order_no, told.total), (&order_no(), Some(amount().fen())));
        assert_eq!(told.sub_merchant.as_ref(), Some(merchant));
        let facts = everyones.facts(event.get());
        assert_eq!(facts.merchant.as_deref(), Some(&*merchant.merchant_id));
    }
}

#[tokio::test]
async fn a_sub_merchants_order_is_no_other_ones() {
    let shop = Shop::open();
    let client = shop.client(shop.wechat_v3_partner());
    client.call(&ops::PlaceNativeOrder::new(terms())).await.unwrap();
    let stranger = shop.client(other(&shop));
    let error = stranger
        .call(&ops::QueryOrder::by_order_no(order_no()))
        .await
        .unwrap_err();
    assert_eq!(error.refusal().unwrap().code, "INVALID_REQUEST");
    let error = stranger.call(&ops::CloseOrder::new(order_no())).await.unwrap_err();
    assert_eq!(error.fate(), Fate::Refused);
    // Nor is what is told of it.
    shop.far_side.pay(book(), order_no().as_str()).unwrap();
    let [(Err(refused), NoticeOutcome::Refused { .. })] = &shop.receive(stranger.provider())[..] else {
        panic!("taken")
    };
    let OpenError::Protocol(refused) = refused else {
        panic!("{refused:?}")
    };
    assert_eq!(refused.kind, ProtocolErrorKind::Foreign { field: "sub_mchid" });
    let found = client.call(&ops::QueryOrder::by_order_no(order_no())).await.unwrap();
    assert_eq!(found.standing(), Standing::Succeeded);
}

#[tokio::test]
async fn a_sub_merchants_refund_names_it_on_every_call() {
    let shop = Shop::open();
    let client = shop.client(shop.wechat_v3_partner());
    client.call(&ops::PlaceAppOrder::new(terms())).await.unwrap();
    shop.far_side.pay(book(), order_no().as_str()).unwrap();
    shop.receive(client.provider());
    let mut refund = ops::Refund::new(order_no(), refund_no(), amount(), amount());
    refund.notify_url = Some(notify_url());
    client.call(&refund).await.unwrap();
    let error = shop
        .client(other(&shop))
        .call(&ops::QueryRefund::new(refund_no()))
        .await;
    assert_eq!(error.unwrap_err().refusal().unwrap().code, "INVALID_REQUEST");
    shop.far_side
        .settle_refund(book(), refund_no().as_str(), RefundState::Succeeded)
        .unwrap();
    let [(Ok(Notice::Settles(event)), NoticeOutcome::Acknowledged { .. })] = &shop.receive(client.provider())[..]
    else {
        panic!("no notice, or not taken")
    };
    let Event::Refund(told) = event.get() else {
        panic!("{event:?}")
    };
    assert_eq!(
        told.sub_merchant.as_ref().map(|merchant| &*merchant.merchant_id),
        Some("1900000111")
    );
    let found = client.call(&ops::QueryRefund::new(refund_no())).await.unwrap();
    assert_eq!(found.standing(), Standing::Succeeded);
}

#[tokio::test]
async fn a_provider_takes_no_payment_for_itself() {
    let shop = Shop::open();
    let provider = shop.wechat_v3_provider();
    let itself = SubMerchant::new(provider.ids().merchant_id()).unwrap();
    assert!(provider.for_sub_merchant(itself).is_err());
    let error = shop
        .client(provider)
        .call(&ops::PlaceNativeOrder::new(terms()))
        .await
        .unwrap_err();
    assert!(
        matches!(error.kind(), ErrorKind::Build(BuildError::Setup { .. })),
        "{error:?}"
    );
    assert_eq!(error.fate(), Fate::NotSent);
    assert!(
        shop.far_side
            .exchanges()
            .iter()
            .all(|exchange| exchange.operation == "certificates")
    );
}

#[tokio::test]
async fn an_encrypted_bill_is_joined_from_its_parts_and_adds_up() {
    let shop = Shop::open();
    let day = shop.now().beijing_date();
    let client = shop.client(shop.wechat_v3_partner());
    client.call(&ops::PlaceNativeOrder::new(terms())).await.unwrap();
    shop.far_side.pay(book(), order_no().as_str()).unwrap();
    shop.pass(std::time::Duration::from_secs(18 * 3600));
    for gzip in [false, true] {
        let mut request = ops::RequestSubMerchantFundFlowBill::new(day);
        request.gzip = gzip;
        let bill = client.call(&request).await.unwrap().unwrap();
        assert!(bill.parts.len() > 1);
        let mut joined = Vec::new();
        for part in &bill.parts {
            let key = part.open_key(client.provider(), &shop.time()).unwrap();
            joined.extend_from_slice(client.call(&part.download(key)).await.unwrap().bytes());
        }
        let text = String::from_utf8(joined).unwrap();
        let last = text.trim_end().lines().last().unwrap();
        assert_eq!(last, "`1.0,`1.0,`12.30,`0.0,`0.00", "{text}");
    }
    // Of another merchant there is nothing to tell.
    let nothing = shop
        .client(other(&shop))
        .call(&ops::RequestSubMerchantFundFlowBill::new(day))
        .await;
    assert!(nothing.unwrap().is_none());
    // Nor can a merchant ask for its merchants.
    let error = shop
        .client(shop.wechat_v3())
        .call(&ops::RequestEcommerceFundFlowBill::new(day))
        .await;
    assert_eq!(error.unwrap_err().fate(), Fate::NotSent);
}
