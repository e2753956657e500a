//! An order that is paid inside a WeChat page (JSAPI, APIv3), from placing it to knowing that it is paid.
//!
//! It runs against the embedded sandbox, offline: `cargo run -p yuanfen --example jsapi_order --features full`.
//! Against WeChat itself, take your own numbers and keys and leave `with_base` out.

#![allow(clippy::print_stdout, reason = "an example for the terminal")]

use std::error::Error;
use std::sync::Arc;

use yuanfen::core::{Address, BaseUrl, OrderNo, PayAmount, SettleVerdict, Standing};
use yuanfen::sign::{ApiV3Key, RsaSigningKey};
use yuanfen::transport::{Client, HyperTransport, OsAmbient, TokioSleep};
use yuanfen::wechat_v3::ops::{PlaceJsapiOrder, QueriedOrder, QueryOrder};
use yuanfen::wechat_v3::{Account, OpenId, OrderTerms, SigningIdentity, settle};
use yuanfen_sandbox::{Platform, Sandbox};

#[tokio::main]
async fn main() -> Result<(), Box<dyn Error>> {
    let sandbox = Sandbox::start().await?;
    let given = sandbox.wechat_v3();

    // Whose account it is. No certificate of the platform is given: the first reply fetches them, and they prove
    // themselves under the APIv3 key.
    let key = Arc::new(RsaSigningKey::parse(given.merchant_private_key_pem.expose())?);
    let identity = SigningIdentity::new(&given.merchant_id, &given.merchant_serial, key)?;
    let account = Account::direct(identity, &given.app_id, ApiV3Key::new(given.apiv3_key.expose())?)?
        .with_base(BaseUrl::parse(&given.base_url)?);
    let client = Client::new(account, HyperTransport::new()?);

    // An order is a value. Keep it: what is unknown is settled by repeating exactly this.
    let order_no = OrderNo::portable("SHOP20260101000001")?;
    let amount = PayAmount::from_yuan_text("12.30")?;
    let terms = OrderTerms::new(
        order_no.clone(),
        amount,
        "noodles",
        Address::parse_plain("notify_url", "https://shop.example/wechat/notify")?,
    );
    let order = PlaceJsapiOrder::new(terms, OpenId::new(given.openid));
    let query = QueryOrder::by_order_no(order_no.clone());

    // A lost reply is settled here; what was certainly refused comes back as an error that says what to do.
    let settled = client
        .settle(&order, &query, &settle::ORDER, QueriedOrder::standing)
        .call(&TokioSleep)
        .await?;
    let SettleVerdict::Replied = settled.verdict else {
        return Err(format!("no reply to show a cashier with: {:?}", settled.verdict).into());
    };
    let placed = settled.reply.ok_or("a reply that is none")?;
    println!(
        "placed {order_no} over {} yuan: prepay id {}",
        amount.fen().yuan(),
        placed.prepay_id.as_str()
    );

    // What the page hands to `WeixinJSBridge`; it serializes as it is.
    let page = client.provider().jsapi_params(&placed.prepay_id, &OsAmbient)?;
    println!("the page gets package={} signType={}", page.package, page.sign_type);

    // The sandbox plays the payer.
    sandbox.pay(Platform::WechatV3, order_no.as_str())?;

    // The notice may come, and it may not. Ask, and compare with your own order before you ship.
    let found = client.call(&query).await?;
    let paid = found.standing() == Standing::Succeeded && found.transaction.total == Some(amount.fen());
    println!(
        "the platform says {}: {}",
        found.transaction.trade_state,
        if paid { "ship" } else { "wait" }
    );
    if paid {
        Ok(())
    } else {
        Err("the order is not paid as it should be".into())
    }
}
