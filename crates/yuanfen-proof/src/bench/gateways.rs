//! The acquirers: StarPos, fshows, mpgateway.

use std::hint::black_box;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use bytes::Bytes;
use md5::{Digest as _, Md5};
use rsa::pkcs8::DecodePublicKey as _;
use rsa::{Pkcs1v15Sign, RsaPublicKey};
use sha1_for_rsa::Sha1;
use yuanfen::core::{Ambient as _, BaseUrl, Fields, FixedAmbient, OperationExt as _, OrderNo, Sign as _};
use yuanfen::sign::legacy::{LegacyRsaSigningKey, RsaDigest};
use yuanfen::sign::{KeyedSigner, SharedKey, keyed_text};
use yuanfen::transport::OsAmbient;
use yuanfen::{envelope, form, fshows, mpgateway, starpos};

use super::direct::opened;
use super::harness::{Flow, Primitive, Step};
use crate::Error;

pub(super) fn flows() -> Result<Vec<Flow>, Error> {
    Ok(vec![starpos_query()?, fshows_callback()?, mpgateway_notice()?])
}

fn md5_of(text: Vec<u8>) -> Step {
    Box::new(move || {
        black_box(Md5::digest(black_box(text.as_slice())));
        Ok(())
    })
}

fn starpos_query() -> Result<Flow, Error> {
    const KEY: &str = "9FF13E7726C4DFEB3BED750779F59711";
    let account = starpos::Account::new("11658", "800290000007906", "95445644", KEY)?;
    let signer = KeyedSigner::new(SharedKey::new(KEY)?, starpos::SCHEME);
    let mut fields = Fields::try_from(
        &[
            ("returnCode", "000000"),
            ("sysTime", "20180315105510"),
            ("message", "交易成功"),
            ("mercId", "800290000007906"),
            ("logNo", "201803150001287562"),
            ("result", "S"),
            ("orderNo", "4200000071201803152190143528"),
            ("amount", "100"),
            ("total_amount", "100"),
            ("subject", "test"),
            ("selOrderNo", "1521082510123"),
            ("tradeNo", "1521082510456"),
            ("payChannel", "WXPAY"),
        ][..],
    )?;
    let text = starpos::RULES.text(&fields, signer.key()).as_bytes().to_vec();
    let signature = signer.sign(&text, &FixedAmbient::at(0))?;
    fields.push("signValue", &signature)?;
    let members: serde_json::Map<String, serde_json::Value> = fields
        .iter()
        .map(|(name, value)| (name.to_owned(), value.into()))
        .collect();
    let response = http::Response::new(Bytes::from(serde_json::to_vec(&members)?));
    let query = starpos::ops::QueryOrder::by_trade_no(&OrderNo::new("1521082510123")?);
    let now = OsAmbient.now();
    Ok(Flow {
        name: "starpos: query reply to typed reply",
        ours: Box::new(move || {
            black_box(query.reply(&account, black_box(&response), now)?);
            Ok(())
        }),
        primitives: vec![Primitive {
            what: "MD5 of the signed text",
            step: md5_of(text),
            reach: None,
        }],
    })
}

fn fshows_callback() -> Result<Flow, Error> {
    let key = |name: &str| {
        std::fs::read_to_string(format!(
            "{}/../yuanfen-fshows/tests/keys/{name}",
            env!("CARGO_MANIFEST_DIR")
        ))
    };
    let public = key("platform-1024-pub.pem")?;
    let platform = LegacyRsaSigningKey::parse(&key("platform-1024-pkcs8.pem")?, RsaDigest::Sha1)?;
    let base = BaseUrl::parse(fshows::PRODUCTION_BASE)?;
    let account = fshows::Account::new("20151210114045", &key("merchant-1024-pkcs8.pem")?, &public, &base)?;
    let business = [
        ("buyer_id", "2088102116773037"),
        ("buyer_pay_amount", "0.01"),
        ("gmt_payment", "2016-06-24 14:44:03"),
        ("out_trade_no", "2016062414435800000001"),
        ("receipt_amount", "0.01"),
        ("total_amount", "0.01"),
        ("trade_no", "2016062421001004030200000001"),
        ("trade_status", "TRADE_SUCCESS"),
    ];
    let ambient = FixedAmbient::at(0);
    let request = fshows::test_util::forge_callback(&platform, &business, &ambient)?;
    let text = envelope::RULES
        .keyless_text(&Fields::try_from(&business[..])?)
        .as_bytes()
        .to_vec();
    let signature = STANDARD.decode(platform.sign(&text, &ambient)?)?;
    let raw = RsaPublicKey::from_public_key_pem(&public)?;
    Ok(Flow {
        name: "fshows: Alipay call-back to typed event",
        ours: Box::new(move || {
            black_box(account.open_callback(black_box(request.body()))?);
            Ok(())
        }),
        primitives: vec![Primitive {
            what: "RSA-1024 verification, SHA-1 (rsa)",
            step: Box::new(move || {
                let hashed = <Sha1 as sha1_for_rsa::Digest>::digest(black_box(&text));
                raw.verify(Pkcs1v15Sign::new::<Sha1>(), &hashed, black_box(&signature))?;
                Ok(())
            }),
            reach: None,
        }],
    })
}

fn mpgateway_notice() -> Result<Flow, Error> {
    const KEY: &str = "88888888";
    let account = mpgateway::Account::new("888888888888888", KEY, BaseUrl::parse("https://pay.merchant.example")?)?;
    let json = concat!(
        r#"{"resultcode":"0000","resultmsg":"交易成功","queryid":"1020150000000000001","orderid":"20150707000001","#,
        r#""txnamt":"100","merid":"888888888888888","paytime":"2015-07-07 12:00:00"}"#
    );
    let request = mpgateway::test_util::forge_notice(&account, json, &FixedAmbient::at(0))?;
    let resp = form::base64_json::encode(json.as_bytes());
    let text = keyed_text(resp.as_bytes(), &SharedKey::new(KEY)?).as_bytes().to_vec();
    let now = OsAmbient.now();
    Ok(Flow {
        name: "mpgateway: notice to typed event",
        ours: Box::new(move || opened(&account, &request, now)),
        primitives: vec![Primitive {
            what: "MD5 of the base64 text and key",
            step: md5_of(text),
            reach: None,
        }],
    })
}
