//! What an answer of the sandbox costs beside its own RSA work: the caller's signature checked, the answer signed.

use std::hint::black_box;
use std::sync::Arc;

use aws_lc_rs::rand::SystemRandom;
use aws_lc_rs::signature::{KeyPair as _, ParsedPublicKey, RSA_PKCS1_2048_8192_SHA256, RSA_PKCS1_SHA256};
use bytes::Bytes;
use http::{Request, StatusCode};
use yuanfen::core::{Address, BaseUrl, Fen, FixedAmbient, OperationExt as _, OrderNo, PayAmount, UnixTime};
use yuanfen::sign::{ApiV3Key, RsaSigningKey};
use yuanfen::wechat_v3::ops::{PlaceJsapiOrder, QueryOrder};
use yuanfen::wechat_v3::{Account, OpenId, OrderTerms, SigningIdentity};
use yuanfen_sandbox::{Clock, FarSide, Platform, WechatV3Credentials};

use super::direct::key_pair;
use super::harness::{Flow, Primitive, Step};
use crate::Error;

/// When all of this happens: the far side's clock stands still, so that requests signed before do not grow old.
const NOW: i64 = 1_760_000_000;
/// Orders that are signed before the measurement. Once they are used up they are identical repeats, which are answered
/// like the first.
const ORDERS: usize = 1024;
/// The promise, in thousandths.
const REACH: u64 = 1500;

pub(super) fn flows() -> Result<Vec<Flow>, Error> {
    let far_side = FarSide::new(
        "https://sandbox.example",
        Clock::starting_at(UnixTime::from_seconds(NOW)),
        1,
    )?;
    let given = far_side.wechat_v3();
    let key = RsaSigningKey::parse(given.merchant_private_key_pem.expose())?;
    let identity = SigningIdentity::new(&given.merchant_id, &given.merchant_serial, Arc::new(key))?;
    let account = Account::direct(identity, &given.app_id, ApiV3Key::new(given.apiv3_key.expose())?)?
        .with_base(BaseUrl::parse(&given.base_url)?);
    let ambient = FixedAmbient::at(NOW);
    let place = |number: usize| -> Result<Request<Bytes>, Error> {
        let terms = OrderTerms::new(
            OrderNo::new(format!("bench-{number:06}"))?,
            PayAmount::new(Fen::new(100))?,
            "bench - noodles",
            Address::parse("notify_url", "https://shop.example/notify")?,
        );
        Ok(PlaceJsapiOrder::new(terms, OpenId::new(&*given.openid)).request(&account, &ambient)?)
    };
    let orders = (0..ORDERS).map(place).collect::<Result<Vec<_>, Error>>()?;
    let query = QueryOrder::by_order_no(OrderNo::new("bench-000000")?).request(&account, &ambient)?;
    // The order that is queried is paid, so that its answer has all members.
    answered(&far_side, orders.first().ok_or("no order")?)?;
    far_side.pay(Platform::WechatV3, "bench-000000")?;

    let same_side = far_side.clone();
    let mut orders = orders.into_iter().skip(1).collect::<Vec<_>>().into_iter().cycle();
    Ok(vec![
        Flow {
            name: "sandbox: APIv3 order placed",
            ours: Box::new(move || answered(&far_side, &orders.next().ok_or("no order")?)),
            primitives: vec![rsa(&given)?],
        },
        Flow {
            name: "sandbox: APIv3 order queried",
            ours: Box::new(move || answered(&same_side, &query)),
            primitives: vec![rsa(&given)?],
        },
    ])
}

fn answered(far_side: &FarSide, request: &Request<Bytes>) -> Result<(), Error> {
    let response = far_side.answer(black_box(request))?;
    if response.status() != StatusCode::OK {
        return Err(format!("refused: {:?}", response.body()).into());
    }
    black_box(response);
    Ok(())
}

/// One verification under the caller's key and one signature with the platform's, over texts of a call's length.
fn rsa(given: &WechatV3Credentials) -> Result<Primitive, Error> {
    let merchant = key_pair(given.merchant_private_key_pem.expose())?;
    let platform = key_pair(given.platform_private_key_pem.expose())?;
    let public = ParsedPublicKey::new(&RSA_PKCS1_2048_8192_SHA256, merchant.public_key())?;
    let text = [b'x'; 400];
    let random = SystemRandom::new();
    let mut asked = vec![0; merchant.public_modulus_len()];
    merchant
        .sign(&RSA_PKCS1_SHA256, &random, &text, &mut asked)
        .map_err(|_| "the key does not sign")?;
    let mut answer = vec![0; platform.public_modulus_len()];
    let step: Step = Box::new(move || {
        public
            .verify_sig(black_box(&text), &asked)
            .map_err(|_| "the signature does not hold")?;
        platform
            .sign(&RSA_PKCS1_SHA256, &random, black_box(&text), &mut answer)
            .map_err(|_| "the key does not sign")?;
        black_box(&answer);
        Ok(())
    });
    Ok(Primitive {
        what: "its RSA: 1 verification, 1 signature",
        step,
        reach: Some(REACH),
    })
}
