//! The merchant's key is not in this process: the text is fixed here, signed elsewhere, and the request finished here.
//!
//! Offline: `cargo run -p yuanfen --example remote_signer --features full`.

#![allow(clippy::print_stdout, reason = "an example for the terminal")]

use std::error::Error;
use std::sync::mpsc::{self, Receiver, Sender};

use yuanfen::core::{
    Address, Ambient as _, BaseUrl, Operation as _, OperationExt as _, OrderNo, PayAmount, Provider as _, Sign as _,
};
use yuanfen::sign::{ApiV3Key, RsaSigningKey};
use yuanfen::transport::OsAmbient;
use yuanfen::wechat_v3::ops::PlaceJsapiOrder;
use yuanfen::wechat_v3::{Account, OpenId, OrderTerms, SigningIdentity};
use yuanfen_sandbox::{Clock, FarSide, Platform};

/// A text to be signed, and where the signature goes.
type Errand = (Vec<u8>, Sender<Result<String, String>>);

/// Stands for an HSM, a KMS, or a host that only signs. The key does not leave it.
fn vault(key_pem: &str, errands: &Receiver<Errand>) {
    let key = RsaSigningKey::parse(key_pem).map_err(|error| error.to_string());
    for (text, reply) in errands {
        let signed = key.as_ref().map_err(Clone::clone);
        let signed = signed.and_then(|key| key.sign(&text, &OsAmbient).map_err(|error| error.to_string()));
        // Whoever asked may have gone.
        drop(reply.send(signed));
    }
}

/// Asks the vault. In a program this is a call over the network, and may be async.
fn signed_elsewhere(vault: &Sender<Errand>, text: &[u8]) -> Result<String, Box<dyn Error>> {
    let (reply, answer) = mpsc::channel();
    vault.send((text.to_vec(), reply))?;
    Ok(answer.recv()??)
}

fn main() -> Result<(), Box<dyn Error>> {
    let far_side = FarSide::new("https://sandbox.example", Clock::real(), 7)?;
    let given = far_side.wechat_v3();
    let (errands, inbox) = mpsc::channel();
    let key_pem = given.merchant_private_key_pem.clone();
    std::thread::spawn(move || vault(key_pem.expose(), &inbox));

    // An account without a key: sealing in one step is refused, so nothing is signed by mistake.
    let identity = SigningIdentity::elsewhere(&given.merchant_id, &given.merchant_serial)?;
    let account = Account::direct(identity, &given.app_id, ApiV3Key::new(given.apiv3_key.expose())?)?
        .with_public_key(&given.platform_public_key_id, &given.platform_public_key_pem)?
        .with_base(BaseUrl::parse(&given.base_url)?);
    let terms = OrderTerms::new(
        OrderNo::portable("SHOP20260101000001")?,
        PayAmount::from_yuan_text("12.30")?,
        "noodles",
        Address::parse_plain("notify_url", "https://shop.example/wechat/notify")?,
    );
    let order = PlaceJsapiOrder::new(terms, OpenId::new(given.openid));
    if let Err(error) = order.request(&account, &OsAmbient) {
        println!("in one step: {error}");
    }

    // In two: the draft holds the bytes that will be sent, and the text over them.
    let draft = account.draft(order.encode(&account, &OsAmbient)?, &OsAmbient)?;
    println!("the text to be signed has {} bytes", draft.text().len());
    let signature = signed_elsewhere(&errands, draft.text())?;
    let request = draft.finish(&signature)?;
    let response = far_side.answer(&request)?;
    let placed = order.reply(&account, &response, OsAmbient.now())?;
    println!("placed: prepay id {}", placed.prepay_id.as_str());

    // The page's parameters are signed the same way.
    let draft = account.pay_params_draft(&placed.prepay_id, &OsAmbient)?;
    let signature = signed_elsewhere(&errands, &draft.text())?;
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
    Ok(())
}
