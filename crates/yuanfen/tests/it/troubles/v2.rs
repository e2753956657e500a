//! Version 2.

use std::time::Duration;

use yuanfen::core::{CalendarDate, RefundNo, UnixTime};
use yuanfen::transport::Client;
use yuanfen::wechat_v2::{Account, SubMerchant, ops};
use yuanfen_sandbox::{Payer, Platform};

use super::{Side, troubles};
use crate::shop::{START, Shop, amount, order_no, v2_order};

struct Merchant;

impl Side for Merchant {
    type Account = Account;
    const PLATFORM: Platform = Platform::WechatV2;

    fn accounts(shop: &Shop, operation: &str) -> Vec<Account> {
        let given = shop.far_side.wechat_v2_provider();
        let sub_merchant = SubMerchant::new(given.sub_merchant_id).unwrap();
        let partner = shop.wechat_v2_provider().for_sub_merchant(sub_merchant).unwrap();
        let own = shop.wechat_v2().as_ref().clone();
        match operation {
            // The provider's own flow of funds: its merchants' money is never on its account.
            "download_fund_flow_bill" => vec![own],
            _ => vec![own, partner],
        }
    }
}

/// Where the sandbox keeps this client's orders.
fn book(client: &Client<Account>) -> yuanfen_sandbox::Account {
    match client.provider().sub_merchant() {
        None => Platform::WechatV2.into(),
        Some(_) => yuanfen_sandbox::Account::provider(Platform::WechatV2),
    }
}

fn refund_no() -> RefundNo {
    RefundNo::new("BACK20251009000001").unwrap()
}

async fn paid(shop: &Shop, client: &Client<Account>) {
    client.call(&v2_order(shop)).await.unwrap();
    shop.far_side.pay(book(client), order_no().as_str()).unwrap();
}

fn charge(shop: &Shop) -> ops::Micropay {
    let code = shop.far_side.payment_code(Platform::WechatV2, Payer::default());
    let machine = "203.0.113.7".parse().unwrap();
    ops::Micropay::new(order_no(), amount(), "noodles", machine, code.as_str())
}

/// Eleven o'clock of the morning after a sale, and the day of the sale.
async fn next_day(shop: &Shop, client: &Client<Account>) -> CalendarDate {
    let day = shop.now().beijing_date();
    paid(shop, client).await;
    shop.pass(Duration::from_secs(18 * 3600));
    day
}

fn back() -> ops::Refund {
    ops::Refund::new(ops::OrderKey::Merchant(order_no()), refund_no(), amount(), amount())
}

troubles! {
    Merchant, ops::routes();

    place_order, "place-order", async |shop: &Shop, _: &Client<Account>| v2_order(shop);
    query_order, "query-order", async |shop: &Shop, client: &Client<Account>| {
        paid(shop, client).await;
        ops::QueryOrder::by_order_no(order_no())
    };
    refund, "refund", async |shop: &Shop, client: &Client<Account>| {
        paid(shop, client).await;
        back()
    };
    query_refund, "query-refund", async |shop: &Shop, client: &Client<Account>| {
        paid(shop, client).await;
        client.call(&back()).await.unwrap();
        ops::QueryRefund::by_refund_no(refund_no())
    };
    close_order, "close-order", async |shop: &Shop, client: &Client<Account>| {
        client.call(&v2_order(shop)).await.unwrap();
        shop.pass(Duration::from_secs(301));
        ops::CloseOrder::new(order_no())
    };
    refund_v2, "refund-v2", async |shop: &Shop, client: &Client<Account>| {
        paid(shop, client).await;
        ops::RefundV2::from(back())
    };
    query_refund_v2, "query-refund-v2", async |shop: &Shop, client: &Client<Account>| {
        paid(shop, client).await;
        client.call(&ops::RefundV2::from(back())).await.unwrap();
        ops::QueryRefundV2::from(ops::QueryRefund::by_refund_no(refund_no()))
    };
    micropay, "micropay", async |shop: &Shop, _: &Client<Account>| charge(shop);
    reverse_order, "reverse-order", async |shop: &Shop, client: &Client<Account>| {
        client.call(&charge(shop)).await.unwrap();
        ops::ReverseOrder::by_order_no(order_no())
    };
    download_trade_bill, "download-trade-bill", async |shop: &Shop, client: &Client<Account>| {
        ops::DownloadTradeBill::new(next_day(shop, client).await)
    };
    download_fund_flow_bill, "download-fund-flow-bill", async |shop: &Shop, client: &Client<Account>| {
        ops::DownloadFundFlowBill::new(next_day(shop, client).await, ops::AccountType::Basic)
    };
    exchange_auth_code, "exchange-auth-code", async |shop: &Shop, _: &Client<Account>| {
        let code = shop.far_side.payment_code(Platform::WechatV2, Payer::default());
        ops::ExchangeAuthCode::new(code.as_str())
    };
    shorten_link, "shorten-link", async |_: &Shop, _: &Client<Account>| {
        ops::ShortenLink::new("weixin://wxpay/bizpayurl?pr=abc")
    };
    query_comments, "query-comments", async |shop: &Shop, _: &Client<Account>| {
        ops::QueryComments::between(UnixTime::from_seconds(START), shop.now())
    };
    report, "report", async |_: &Shop, _: &Client<Account>| {
        let call = ops::CallReport::new(
            "https://api.mch.weixin.qq.com/pay/unifiedorder",
            Duration::from_millis(1500),
            "SUCCESS",
            "SUCCESS",
        );
        ops::Report::call("203.0.113.7".parse().unwrap(), call)
    };
}
