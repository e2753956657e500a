//! WeChat Pay itself: APIv3, and the older API.

use std::hint::black_box;
use std::sync::Arc;
use std::task::{Context, Poll, Waker};

use aws_lc_rs::aead::{AES_256_GCM, Aad, LessSafeKey, Nonce, UnboundKey};
use aws_lc_rs::rand::SystemRandom;
use aws_lc_rs::rsa::KeyPair;
use aws_lc_rs::signature::{KeyPair as _, ParsedPublicKey, RSA_PKCS1_2048_8192_SHA256, RSA_PKCS1_SHA256};
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use bytes::Bytes;
use md5::{Digest as _, Md5};
use yuanfen::core::{
    Address, Ambient as _, Fen, Fields, FixedAmbient, Notice, NotificationSource, Operation as _, OperationExt as _,
    OrderNo, PayAmount, Provider as _, Sign as _, UnixTime,
};
use yuanfen::sign::{ApiV3Key, KeyedSigner, RsaSigningKey, SharedKey};
use yuanfen::transport::{Client, OsAmbient};
use yuanfen::{wechat_v2, wechat_v3, xml};
use yuanfen_testkit::Vectors;

use super::harness::{Flow, Primitive};
use crate::Error;

pub(super) fn flows() -> Result<Vec<Flow>, Error> {
    let v3 = V3::set_up()?;
    Ok(vec![v3.request()?, v3.notice()?, v2_notice()?, v2_xml()?, v2_call()?])
}

/// The vectors of a crate, whose published keys and messages are measured with.
pub(super) fn vectors(name: &str) -> Result<Vectors, Error> {
    let folder = format!("{}/../yuanfen-{name}", env!("CARGO_MANIFEST_DIR"));
    Ok(Vectors::of_crate(folder)?)
}

/// An APIv3 account in public-key mode, and the keys of both ends.
struct V3 {
    account: wechat_v3::Account,
    merchant: String,
    platform: String,
}

const API_V3_KEY: &str = "a7cde1ZJB1kG2e7VfTs3jQzaWizur8Gb";
const PUBLIC_KEY_ID: &str = "PUB_KEY_ID_0119000072912024101100000000000000";

impl V3 {
    fn set_up() -> Result<Self, Error> {
        let vectors = vectors("wechat-v3")?;
        let pem = |name| vectors.key(name).text.clone();
        let (merchant, platform) = (pem("doc_merchant_private"), pem("go_private"));
        let identity = wechat_v3::SigningIdentity::new(
            "1900007291",
            "408B07E79B8269FEC3D5D3E6AB8ED163A6A380DB",
            Arc::new(RsaSigningKey::parse(&merchant)?),
        )?;
        let account = wechat_v3::Account::direct(identity, "wxd678efh567hg6787", ApiV3Key::new(API_V3_KEY)?)?
            .with_public_key(PUBLIC_KEY_ID, &pem("go_public"))?;
        Ok(Self {
            account,
            merchant,
            platform,
        })
    }

    fn request(&self) -> Result<Flow, Error> {
        let account = self.account.clone();
        let terms = wechat_v3::OrderTerms::new(
            OrderNo::new("1217752501201407033233368018")?,
            PayAmount::new(Fen::new(100))?,
            "Image形象店-深圳腾大-QQ公仔",
            Address::parse("notify_url", "https://www.weixin.qq.com/wxpay/pay.php")?,
        );
        let order = wechat_v3::ops::PlaceJsapiOrder::new(terms, wechat_v3::OpenId::new("oUpF8uMuAJO_M2pxb1Q9zNjWeS6o"));
        let ambient = OsAmbient;
        let text = account
            .draft(order.encode(&account, &ambient)?, &ambient)?
            .text()
            .to_vec();
        let key = key_pair(&self.merchant)?;
        let mut signature = vec![0; key.public_modulus_len()];
        let random = SystemRandom::new();
        Ok(Flow {
            name: "wechat-v3: order to signed request",
            ours: Box::new(move || {
                black_box(black_box(&order).request(&account, &ambient)?);
                Ok(())
            }),
            primitives: vec![Primitive {
                what: "RSA-2048 signature (aws-lc-rs)",
                step: Box::new(move || {
                    key.sign(&RSA_PKCS1_SHA256, &random, black_box(&text), &mut signature)
                        .map_err(|_| "the key does not sign")?;
                    black_box(&signature);
                    Ok(())
                }),
                reach: Some(1050),
            }],
        })
    }

    fn notice(&self) -> Result<Flow, Error> {
        let account = self.account.clone();
        let now = OsAmbient.now();
        let signer = Arc::new(RsaSigningKey::parse(&self.platform)?);
        let forger = wechat_v3::test_util::Forger::new(&account, PUBLIC_KEY_ID, signer, ApiV3Key::new(API_V3_KEY)?);
        let request = forger.payment(&OrderNo::new("1217752501201407033233368018")?, Fen::new(100), now)?;

        let header = |name: &str| {
            request
                .headers()
                .get(name)
                .and_then(|value| value.to_str().ok())
                .ok_or("no header")
        };
        let text = wechat_v3::sign::answer_text(
            header("wechatpay-timestamp")?,
            header("wechatpay-nonce")?,
            request.body(),
        );
        let signature = STANDARD.decode(header("wechatpay-signature")?)?;
        let envelope: serde_json::Value = serde_json::from_slice(request.body())?;
        let of_resource = |name: &str| envelope.pointer(&format!("/resource/{name}"))?.as_str();
        let sealed = STANDARD.decode(of_resource("ciphertext").ok_or("no ciphertext")?)?;
        let nonce: [u8; 12] = of_resource("nonce").ok_or("no nonce")?.as_bytes().try_into()?;
        let associated = of_resource("associated_data").ok_or("no associated data")?.to_owned();
        let public = ParsedPublicKey::new(&RSA_PKCS1_2048_8192_SHA256, key_pair(&self.platform)?.public_key())?;
        let key = LessSafeKey::new(UnboundKey::new(&AES_256_GCM, API_V3_KEY.as_bytes()).map_err(|_| "no AES key")?);
        let mut buffer = Vec::with_capacity(sealed.len());
        Ok(Flow {
            name: "wechat-v3: payment notice to typed event",
            ours: Box::new(move || opened(&account, &request, now)),
            primitives: vec![Primitive {
                what: "RSA verification + AES-GCM (aws-lc-rs)",
                step: Box::new(move || {
                    public
                        .verify_sig(black_box(&text), &signature)
                        .map_err(|_| "the signature does not hold")?;
                    buffer.clear();
                    buffer.extend_from_slice(black_box(&sealed));
                    key.open_in_place(
                        Nonce::assume_unique_for_key(nonce),
                        Aad::from(associated.as_bytes()),
                        &mut buffer,
                    )
                    .map_err(|_| "the ciphertext does not open")?;
                    black_box(&buffer);
                    Ok(())
                }),
                reach: Some(1300),
            }],
        })
    }
}

/// Opens a notice that must be genuine.
pub(super) fn opened<S: NotificationSource>(
    source: &S,
    request: &http::Request<Bytes>,
    now: UnixTime,
) -> Result<(), Error> {
    match source.open_notification(black_box(request), now)? {
        Notice::Settles(event) => {
            black_box(event);
            Ok(())
        }
        _ => Err("the notice settles nothing".into()),
    }
}

pub(super) fn key_pair(pem: &str) -> Result<KeyPair, Error> {
    let base64: String = pem.lines().filter(|line| !line.starts_with("-----")).collect();
    Ok(KeyPair::from_pkcs8(&STANDARD.decode(base64)?)?)
}

/// An account of the older API, and the genuine notice of the vectors: 27 fields, two coupons.
fn v2() -> Result<(wechat_v2::Account, SharedKey, http::Request<Bytes>), Error> {
    let vectors = vectors("wechat-v2")?;
    let case = vectors.case("notify-pay-md5");
    let key = case.text("key");
    let account = wechat_v2::Account::new("wx2421b1c4370ec43b", "10000100", key)?;
    Ok((
        account,
        SharedKey::new(key)?,
        http::Request::new(Bytes::from(case.bytes("body"))),
    ))
}

fn v2_notice() -> Result<Flow, Error> {
    let (account, key, request) = v2()?;
    let fields = xml::read(request.body(), &xml::MESSAGE_LIMITS)?.into_fields();
    let text = Arc::new(wechat_v2::RULES.text(&fields, &key).as_bytes().to_vec());
    let (same_text, same_body) = (Arc::clone(&text), request.body().clone());
    let now = OsAmbient.now();
    Ok(Flow {
        name: "wechat-v2: payment notice to typed event",
        ours: Box::new(move || opened(&account, &request, now)),
        primitives: vec![
            Primitive {
                what: "MD5 of the signed text",
                step: Box::new(move || {
                    black_box(Md5::digest(black_box(text.as_slice())));
                    Ok(())
                }),
                reach: Some(8000),
            },
            Primitive {
                what: "quick-xml's borrowed events + MD5",
                step: Box::new(move || {
                    events(black_box(&same_body))?;
                    black_box(Md5::digest(black_box(same_text.as_slice())));
                    Ok(())
                }),
                reach: Some(2000),
            },
        ],
    })
}

/// Reads every event of a document, borrowed, and keeps none.
fn events(body: &[u8]) -> Result<(), Error> {
    let mut reader = quick_xml::Reader::from_str(std::str::from_utf8(body)?);
    loop {
        match reader.read_event()? {
            quick_xml::events::Event::Eof => return Ok(()),
            event => drop(black_box(event)),
        }
    }
}

fn v2_xml() -> Result<Flow, Error> {
    let (_, _, request) = v2()?;
    let (body, same_body) = (request.body().clone(), request.into_body());
    Ok(Flow {
        name: "xml: message to fields",
        ours: Box::new(move || {
            black_box(xml::read(black_box(&body), &xml::MESSAGE_LIMITS)?);
            Ok(())
        }),
        primitives: vec![Primitive {
            what: "quick-xml's borrowed events",
            step: Box::new(move || events(black_box(&same_body))),
            reach: None,
        }],
    })
}

/// A call through the client, over a transport that answers at once, beside its two halves without one.
fn v2_call() -> Result<Flow, Error> {
    let (account, key, _) = v2()?;
    let mut fields = Fields::try_from(
        &[
            ("return_code", "SUCCESS"),
            ("appid", account.app_id()),
            ("mch_id", account.merchant_id()),
            ("nonce_str", "TN55wO9Pba5yENl8"),
            ("result_code", "SUCCESS"),
            ("openid", "oUpF8uN95-Ptaags6E_roPHg7AG0"),
            ("is_subscribe", "Y"),
            ("trade_type", "JSAPI"),
            ("bank_type", "CFT"),
            ("total_fee", "1"),
            ("fee_type", "CNY"),
            ("transaction_id", "1008450740201411110005820873"),
            ("out_trade_no", "1415757673"),
            ("time_end", "20141111170043"),
            ("trade_state", "SUCCESS"),
        ][..],
    )?;
    let signer = KeyedSigner::new(key, wechat_v2::SignType::Md5.scheme());
    let text = wechat_v2::RULES.text(&fields, signer.key());
    let signature = signer.sign(text.as_bytes(), &FixedAmbient::at(0))?;
    fields.push("sign", &signature)?;
    let response = http::Response::new(Bytes::from(xml::write("xml", &fields)?));

    let query = wechat_v2::ops::QueryOrder::by_order_no(OrderNo::new("1415757673")?);
    let same_query = query.clone();
    let answer = response.clone();
    let transport = move |_request: http::Request<Bytes>| std::future::ready(Ok(answer.clone()));
    let client = Client::with_transport(account.clone(), transport);
    Ok(Flow {
        name: "client.call: a v2 query, answered at once",
        ours: Box::new(move || {
            let call = std::pin::pin!(client.call(black_box(&query)));
            // Nothing in it waits, so there is nobody to wake.
            match call.poll(&mut Context::from_waker(Waker::noop())) {
                Poll::Ready(reply) => drop(black_box(reply?)),
                Poll::Pending => return Err("the call waits for something".into()),
            }
            Ok(())
        }),
        primitives: vec![Primitive {
            what: "the same request and reply, no client",
            step: Box::new(move || {
                black_box(black_box(&same_query).request(&account, &OsAmbient)?);
                let response = black_box(response.clone());
                black_box(same_query.reply(&account, &response, OsAmbient.now())?);
                Ok(())
            }),
            reach: None,
        }],
    })
}
