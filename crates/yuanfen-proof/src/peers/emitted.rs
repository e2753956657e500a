//! What this project's own clients emit, written down for the peers: each signs it again with its own code and its own
//! key file, and the signatures must be the same. Both kinds of signature are without chance.

use std::fs;
use std::net::{IpAddr, Ipv4Addr};
use std::path::Path;
use std::time::SystemTime;

use serde::Deserialize;
use serde_json::{Value, json};
use yuanfen::core::{Address, OperationExt as _, OrderNo, PayAmount, PrepayId, UnixTime};
use yuanfen::sign::{ApiV3Key, RsaSigningKey};
use yuanfen::transport::OsAmbient;
use yuanfen::{wechat_v2 as v2, wechat_v3 as v3};

use crate::Error;

/// The members of a `wechat_v3` section that an account is made of.
#[derive(Deserialize)]
pub(super) struct WechatV3 {
    mchid: String,
    appid: String,
    openid: String,
    merchant_serial: String,
    merchant_private_key_path: String,
    apiv3_key: String,
}

/// The members of a `wechat_v2` section that an account is made of.
#[derive(Deserialize)]
pub(super) struct WechatV2 {
    mch_id: String,
    appid: String,
    openid: String,
    api_key: String,
}

/// Neither is paid by anyone; they only have to be signed.
const PREPAY_ID: &str = "wx201410272009395522657a690389285100";
/// Characters that writers of JSON and XML escape, each in its own way.
const DESCRIPTION: &str = "面条 & \"tea\" <a> / é";

/// Everything that the peers sign again, for the accounts of one sandbox.
///
/// # Errors
/// When the credentials make no account, or a message cannot be built.
pub(super) fn of(folder: &Path, wechat_v3: &WechatV3, wechat_v2: &WechatV2) -> Result<Value, Error> {
    Ok(json!({
        "wechat_v3": of_v3(folder, wechat_v3)?,
        "wechat_v2": {
            "md5": of_v2(wechat_v2, v2::SignType::Md5)?,
            "hmac-sha256": of_v2(wechat_v2, v2::SignType::HmacSha256)?,
        },
    }))
}

fn of_v3(folder: &Path, given: &WechatV3) -> Result<Value, Error> {
    let key = RsaSigningKey::parse(&fs::read_to_string(folder.join(&given.merchant_private_key_path))?)?;
    let identity = v3::SigningIdentity::of_key(&given.mchid, &given.merchant_serial, key)?;
    let account = v3::Account::direct(identity, &given.appid, ApiV3Key::new(&given.apiv3_key)?)?;
    let terms = v3::OrderTerms::new(
        OrderNo::portable("OURS20261122000001")?,
        PayAmount::from_yuan_text("9.90")?,
        DESCRIPTION,
        Address::parse("notify_url", "https://shop.example/notify")?,
    );
    let order = v3::ops::PlaceJsapiOrder::new(terms, v3::OpenId::new(given.openid.clone()));
    let query = v3::ops::QueryOrder::by_order_no(OrderNo::new("OURS-2026|11*22")?);
    let request = |request: http::Request<bytes::Bytes>| -> Result<Value, Error> {
        let authorization = request.headers().get(http::header::AUTHORIZATION);
        Ok(json!({
            "method": request.method().as_str(),
            "target": request.uri().path_and_query().map(http::uri::PathAndQuery::as_str),
            "authorization": authorization.map(http::HeaderValue::to_str).transpose()?,
            "body": std::str::from_utf8(request.body())?,
        }))
    };
    Ok(json!({
        "requests": [
            request(order.request(&account, &OsAmbient)?)?,
            request(query.request(&account, &OsAmbient)?)?,
        ],
        "pay_parameters": account.jsapi_params(&prepay_id()?, &OsAmbient)?,
    }))
}

fn of_v2(given: &WechatV2, sign_type: v2::SignType) -> Result<Value, Error> {
    let account = v2::Account::new(given.appid.clone(), given.mch_id.clone(), &given.api_key)?;
    let account = account.with_sign_type(sign_type);
    let order = v2::ops::PlaceOrder::jsapi(
        OrderNo::portable("OURS20261122000001")?,
        PayAmount::from_yuan_text("9.90")?,
        DESCRIPTION,
        IpAddr::V4(Ipv4Addr::LOCALHOST),
        Address::parse("notify_url", "https://shop.example/notify")?,
        given.openid.clone(),
    );
    let request = order.request(&account, &OsAmbient)?;
    let page = account.bridge_params(&prepay_id()?, v2::PayerApp::Account, &OsAmbient)?;
    Ok(json!({
        "requests": [std::str::from_utf8(request.body())?],
        "pay_parameters": page,
    }))
}

fn prepay_id() -> Result<PrepayId, Error> {
    let now = SystemTime::now().duration_since(SystemTime::UNIX_EPOCH)?.as_secs();
    Ok(PrepayId::issued(PREPAY_ID, UnixTime::from_seconds(now.try_into()?)))
}
