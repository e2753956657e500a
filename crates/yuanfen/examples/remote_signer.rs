//! The merchant's key is not in this process: the text is fixed here, signed elsewhere, and the request finished here.
//! First through the client, which asks the signer for everything; then by hand, in the two steps that it takes.
//!
//! Offline: `cargo run -p yuanfen --example remote_signer --features full`.

#![allow(clippy::print_stdout, reason = "an example for the terminal")]

use std::error::Error;
use std::sync::mpsc::{self, Receiver, Sender};

use tokio::sync::oneshot;
use yuanfen::core::{
    Address, Ambient as _, BaseUrl, OperationExt as _, OrderNo, PayAmount, Sign as _, SignError, Standing,
};
use yuanfen::sign::{ApiV3Key, RsaSigningKey};
use yuanfen::transport::{Client, OsAmbient, TransportError};
use yuanfen::wechat_v3::ops::{PlaceJsapiOrder, QueryOrder};
use yuanfen::wechat_v3::{Account, OpenId, OrderTerms, SigningIdentity};
use yuanfen_sandbox::{Clock, FarSide, Platform};

/// A text to be signed, and where the signature goes.
type Errand = (Vec<u8>, oneshot::Sender<Result<String, SignError>>);

/// Stands for an HSM, a KMS, or a host that only signs. The key does not leave it.
fn vault(key_pem: &str, errands: &Receiver<Errand>) {
    let Ok(key) = RsaSigningKey::parse(key_pem) else {
        return;
    };
    for (text, reply) in errands {
        println!("  the vault signs {} bytes", text.len());
        // Whoever asked may have gone.
        drop(reply.send(key.sign(&text, &OsAmbient)));
    }
}

/// Asks the vault. In a program this is a call over the network, with a limit on its time.
async fn signed_elsewhere(vault: Sender<Errand>, text: Vec<u8>) -> Result<String, SignError> {
    let gone = |_| SignError::new("the vault does not answer");
    let (reply, answer) = oneshot::channel();
    vault
        .send((text, reply))
        .map_err(|_| SignError::new("the vault is closed"))?;
    answer.await.map_err(gone)?
}

#[tokio::main]
async fn main() -> Result<(), Box<dyn Error>> {
    let far_side = FarSide::new("https://sandbox.example", Clock::real(), 7)?;
    let given = far_side.wechat_v3();
    let (errands, inbox) = mpsc::channel();
    let key_pem = given.merchant_private_key_pem.clone();
    std::thread::spawn(move || vault(key_pem.expose(), &inbox));
    let ask = {
        let errands = errands.clone();
        move |text: Vec<u8>| signed_elsewhere(errands.clone(), text)
    };

    // An account without a key: sealing in one step is refused, so nothing is signed by mistake. It knows no platform
    // certificate either, so the client fetches them before it places an order, with a signature from the vault.
    let identity = SigningIdentity::elsewhere(&given.merchant_id, &given.merchant_serial)?;
    let account = Account::direct(identity, &given.app_id, ApiV3Key::new(given.apiv3_key.expose())?)?
        .with_base(BaseUrl::parse(&given.base_url)?);
    let transport = {
        let answer = far_side.closure();
        move |request| {
            let response = answer(request);
            async { Ok::<_, TransportError>(response) }
        }
    };
    let client = Client::new(account, transport).with_remote_signer(ask);

    let order_no = OrderNo::portable("SHOP20260101000001")?;
    let terms = OrderTerms::new(
        order_no.clone(),
        PayAmount::from_yuan_text("12.30")?,
        "noodles",
        Address::parse_plain("notify_url", "https://shop.example/wechat/notify")?,
    );
    let order = PlaceJsapiOrder::new(terms, OpenId::new(given.openid));
    let account = client.provider();
    if let Err(error) = order.request(account, &OsAmbient) {
        println!("in one step: {error}");
    }
    println!("through the client, which fetches the platform's certificates on the way:");
    let placed = client.call(&order).await?;
    println!("placed: prepay id {}", placed.prepay_id.as_str());

    // The page's parameters are signed the same way.
    let draft = account.pay_params_draft(&placed.prepay_id, &OsAmbient)?;
    let signature = signed_elsewhere(errands.clone(), draft.text()).await?;
    let page = draft.into_jsapi(signature);
    let opened = far_side.open_cashier(
        Platform::WechatV3,
        &[
            ("appId", &page.app_id),
            ("timeStamp", &page.time_stamp),
            ("nonceStr", &page.nonce_str),
            ("package", &page.package),
            ("signType", page.sign_type),
            ("paySign", &page.pay_sign),
        ],
    )?;
    println!("the payer's cashier opened on {opened}");
    far_side.pay(Platform::WechatV3, order_no.as_str())?;

    // By hand: the draft holds the bytes that will be sent, and the text over them.
    println!("by hand, in two steps:");
    let query = QueryOrder::by_order_no(order_no);
    let draft = query.draft(account, &OsAmbient)?;
    let signature = signed_elsewhere(errands, draft.text().to_vec()).await?;
    let request = draft.finish(&signature)?;
    let response = far_side.answer(&request)?;
    let found = query.reply(account, &response, OsAmbient.now())?;
    println!("the platform says {:?}", found.standing());
    if found.standing() == Standing::Succeeded {
        Ok(())
    } else {
        Err("the order should be paid".into())
    }
}
