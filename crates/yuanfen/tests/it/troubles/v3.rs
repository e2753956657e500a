//! APIv3.

use std::time::Duration;

use bytes::Bytes;
use yuanfen::core::{OrderNo, RefundNo};
use yuanfen::transport::Client;
use yuanfen::wechat_v3::ops::BillScope;
use yuanfen::wechat_v3::{
    Account, CombinedOrderNo, CombinedScene, CombinedTerms, H5Info, H5Type, MediaFile, OpenId, OrderTerms, Participant,
    RequestedBill, Scene, Sensitive, SubOrder, Till, ops,
};
use yuanfen_sandbox::{Payer, Platform, RefundState};

use super::{Side, troubles};
use crate::shop::{Shop, amount, notify_url, order_no, v3_order};

struct Wechat;

impl Side for Wechat {
    type Account = Account;
    const PLATFORM: Platform = Platform::WechatV3;

    fn accounts(shop: &Shop, operation: &str) -> Vec<Account> {
        let own = shop.wechat_v3().as_ref().clone();
        match operation {
            // The provider's own flow of funds: its merchants' money is never on its account.
            "request_fund_flow_bill" => vec![own],
            // A merchant has no merchants.
            "request_sub_merchant_fund_flow_bill" | "request_ecommerce_fund_flow_bill" | "download_encrypted_bill" => {
                vec![shop.wechat_v3_partner()]
            }
            _ => vec![own, shop.wechat_v3_partner()],
        }
    }
}

/// Where the sandbox keeps this client's orders.
fn book(client: &Client<Account>) -> yuanfen_sandbox::Account {
    match client.provider().ids().sub_merchant() {
        None => Platform::WechatV3.into(),
        Some(_) => yuanfen_sandbox::Account::provider(Platform::WechatV3),
    }
}

/// An order, so that there is something; and its answer brought the platform's keys.
async fn placed(shop: &Shop, client: &Client<Account>) {
    client.call(&v3_order(shop)).await.unwrap();
}

async fn paid(shop: &Shop, client: &Client<Account>) {
    placed(shop, client).await;
    shop.far_side.pay(book(client), order_no().as_str()).unwrap();
}

fn back() -> ops::Refund {
    let number = RefundNo::new("BACK20251009000001").unwrap();
    ops::Refund::new(order_no(), number, amount(), amount())
}

async fn refunded(shop: &Shop, client: &Client<Account>) {
    paid(shop, client).await;
    client.call(&back()).await.unwrap();
}

/// The keys are there, and the platform has no part in the order yet.
async fn keys(client: &Client<Account>, shop: &Shop) {
    let list = client.call(&ops::DownloadCertificates::new()).await.unwrap();
    client.provider().adopt(&list, shop.now());
}

/// Eleven o'clock of the next morning.
async fn next_day(shop: &Shop, client: &Client<Account>) {
    paid(shop, client).await;
    shop.pass(Duration::from_secs(18 * 3600));
}

async fn bill(shop: &Shop, client: &Client<Account>) -> RequestedBill {
    let day = shop.now().beijing_date();
    next_day(shop, client).await;
    client
        .call(&ops::RequestTradeBill::of(scope(client), day))
        .await
        .unwrap()
        .unwrap()
}

fn scope(client: &Client<Account>) -> BillScope {
    match client.provider().ids().sub_merchant() {
        None => BillScope::Own,
        Some(_) => BillScope::OneMerchant,
    }
}

fn terms() -> OrderTerms {
    OrderTerms::new(order_no(), amount(), "noodles", notify_url())
}

/// Two orders that are paid together.
fn together(client: &Client<Account>) -> CombinedTerms {
    let participant = match client.provider().ids().sub_merchant() {
        None => Participant::Own,
        Some(merchant) => Participant::SubMerchant(merchant.clone()),
    };
    let part = |number: &str| {
        let number = OrderNo::portable(number).unwrap();
        SubOrder::new(participant.clone(), number, amount(), "noodles", "table 4")
    };
    let number = CombinedOrderNo::new("TOGETHER20251009000001").unwrap();
    CombinedTerms::new(
        number,
        vec![part("PART20251009000001"), part("PART20251009000002")],
        notify_url(),
    )
}

fn charge(shop: &Shop, payer: Payer) -> ops::PayByCode {
    let code = shop.far_side.payment_code(Platform::WechatV3, payer);
    let till = Till::at("203.0.113.7".parse().unwrap());
    ops::PayByCode::new(order_no(), amount(), "noodles", code.as_str(), till)
}

fn picture() -> MediaFile {
    MediaFile::new("shop.png", Bytes::from_static(b"\x89PNG\r\n\x1a\n"))
}

troubles! {
    Wechat, ops::routes();

    place_jsapi_order, "place-jsapi-order", async |shop: &Shop, client: &Client<Account>| {
        keys(client, shop).await;
        v3_order(shop)
    };
    place_native_order, "place-native-order", async |shop: &Shop, client: &Client<Account>| {
        keys(client, shop).await;
        ops::PlaceNativeOrder::new(terms())
    };
    place_app_order, "place-app-order", async |shop: &Shop, client: &Client<Account>| {
        keys(client, shop).await;
        ops::PlaceAppOrder::new(terms())
    };
    place_h5_order, "place-h5-order", async |shop: &Shop, client: &Client<Account>| {
        keys(client, shop).await;
        let scene = Scene::new("203.0.113.7".parse().unwrap());
        ops::PlaceH5Order::new(terms(), scene, H5Info::new(H5Type::Wap))
    };
    pay_by_code, "pay-by-code", async |shop: &Shop, client: &Client<Account>| {
        keys(client, shop).await;
        charge(shop, Payer::default())
    };
    reverse_order, "reverse-order", async |shop: &Shop, client: &Client<Account>| {
        keys(client, shop).await;
        client.call(&charge(shop, Payer::default())).await.unwrap();
        ops::ReverseOrder::new(order_no())
    };
    place_combined_jsapi_order, "place-combined-jsapi-order", async |shop: &Shop, client: &Client<Account>| {
        keys(client, shop).await;
        ops::PlaceCombinedJsapiOrder::new(together(client), OpenId::new(shop.far_side.wechat_v3().openid))
    };
    place_combined_app_order, "place-combined-app-order", async |shop: &Shop, client: &Client<Account>| {
        keys(client, shop).await;
        ops::PlaceCombinedAppOrder::new(together(client))
    };
    place_combined_native_order, "place-combined-native-order", async |shop: &Shop, client: &Client<Account>| {
        keys(client, shop).await;
        ops::PlaceCombinedNativeOrder::new(together(client))
    };
    place_combined_h5_order, "place-combined-h5-order", async |shop: &Shop, client: &Client<Account>| {
        keys(client, shop).await;
        let scene = CombinedScene::new("203.0.113.7".parse().unwrap());
        ops::PlaceCombinedH5Order::new(together(client), scene, H5Info::new(H5Type::Wap))
    };
    query_combined_order, "query-combined-order", async |shop: &Shop, client: &Client<Account>| {
        let order = ops::PlaceCombinedNativeOrder::new(together(client));
        client.call(&order).await.unwrap();
        shop.far_side.pay(book(client), order.terms.order_no.as_str()).unwrap();
        ops::QueryCombinedOrder::new(order.terms.order_no)
    };
    close_combined_order, "close-combined-order", async |_: &Shop, client: &Client<Account>| {
        let order = ops::PlaceCombinedNativeOrder::new(together(client));
        client.call(&order).await.unwrap();
        ops::CloseCombinedOrder::from(&order.terms)
    };
    upload_image, "upload-image", async |shop: &Shop, client: &Client<Account>| {
        keys(client, shop).await;
        ops::UploadImage::new(picture())
    };
    upload_video, "upload-video", async |shop: &Shop, client: &Client<Account>| {
        keys(client, shop).await;
        ops::UploadVideo::new(MediaFile::new("shop.mp4", Bytes::from_static(b"....ftyp")))
    };
    upload_marketing_image, "upload-marketing-image", async |shop: &Shop, client: &Client<Account>| {
        keys(client, shop).await;
        ops::UploadMarketingImage::new(picture())
    };
    upload_complaint_image, "upload-complaint-image", async |shop: &Shop, client: &Client<Account>| {
        keys(client, shop).await;
        ops::UploadComplaintImage::new(picture())
    };
    query_order, "query-order", async |shop: &Shop, client: &Client<Account>| {
        paid(shop, client).await;
        ops::QueryOrder::by_order_no(order_no())
    };
    close_order, "close-order", async |shop: &Shop, client: &Client<Account>| {
        placed(shop, client).await;
        shop.pass(Duration::from_secs(301));
        ops::CloseOrder::new(order_no())
    };
    refund, "refund", async |shop: &Shop, client: &Client<Account>| {
        paid(shop, client).await;
        back()
    };
    query_refund, "query-refund", async |shop: &Shop, client: &Client<Account>| {
        refunded(shop, client).await;
        ops::QueryRefund::new(RefundNo::new("BACK20251009000001").unwrap())
    };
    apply_abnormal_refund, "apply-abnormal-refund", async |shop: &Shop, client: &Client<Account>| {
        paid(shop, client).await;
        let refund = client.call(&back()).await.unwrap();
        let number = refund.refund_no.as_str();
        shop.far_side.settle_refund(book(client), number, RefundState::Abnormal).unwrap();
        let secret = |text: &str| Sensitive::new(text.to_owned());
        let card = ops::PayerCard::new("CMB_DEBIT", secret("6225880137706868"), secret("张三"));
        ops::ApplyAbnormalRefund::to_payer(refund.refund_id, refund.refund_no, card)
    };
    request_trade_bill, "trade-bill", async |shop: &Shop, client: &Client<Account>| {
        let day = shop.now().beijing_date();
        next_day(shop, client).await;
        ops::RequestTradeBill::of(scope(client), day)
    };
    request_fund_flow_bill, "fund-flow-bill", async |shop: &Shop, client: &Client<Account>| {
        let day = shop.now().beijing_date();
        next_day(shop, client).await;
        ops::RequestFundFlowBill::new(day)
    };
    request_sub_merchant_fund_flow_bill, "sub-merchant-fund-flow-bill",
        async |shop: &Shop, client: &Client<Account>| {
            let day = shop.now().beijing_date();
            next_day(shop, client).await;
            ops::RequestSubMerchantFundFlowBill::new(day)
        };
    request_ecommerce_fund_flow_bill, "ecommerce-fund-flow-bill", async |shop: &Shop, client: &Client<Account>| {
        let day = shop.now().beijing_date();
        next_day(shop, client).await;
        ops::RequestEcommerceFundFlowBill::new(day)
    };
    download_encrypted_bill, "download-bill", async |shop: &Shop, client: &Client<Account>| {
        let day = shop.now().beijing_date();
        next_day(shop, client).await;
        let bill = client.call(&ops::RequestSubMerchantFundFlowBill::new(day)).await.unwrap().unwrap();
        let key = bill.parts[0].open_key(client.provider(), &shop.time());
        bill.parts[0].download(key.unwrap())
    };
    download_bill, "download-bill", async |shop: &Shop, client: &Client<Account>| {
        bill(shop, client).await.download()
    };
    download_certificates, "certificates", async |shop: &Shop, client: &Client<Account>| {
        keys(client, shop).await;
        shop.pass(Duration::from_secs(61));
        ops::DownloadCertificates::new()
    };
}
