//! `credentials.json`, schema 1, and the files beside it. Paths in it are relative to its folder. What holds a secret is
//! for its owner's eyes, since shops copy what they see.

mod hooks;

use std::path::PathBuf;

use serde_json::{Value, json};
use yuanfen::core::Secret;
use yuanfen_sandbox::{KeySetError, Sandbox};

use super::folder::{Folder, FolderError};

/// Why the credentials could not be written.
#[derive(Debug, thiserror::Error)]
pub(crate) enum WriteError {
    #[error(transparent)]
    Folder(#[from] FolderError),
    #[error("a PKCS#12 file cannot be made")]
    Pkcs12(#[from] KeySetError),
    #[error("the credentials cannot be written as JSON")]
    Json(#[from] serde_json::Error),
}

/// Writes the folder, the credentials last, and says where they are. The sandbox listens by now.
pub(super) fn write(sandbox: &Sandbox, token: Option<&Secret<String>>, folder: &Folder) -> Result<PathBuf, WriteError> {
    let authority = folder.put("ca.pem", sandbox.keys().ca_certificate_pem().as_bytes())?;
    let credentials = json!({
        "schema": 1,
        "wechat_v3": wechat_v3(sandbox, folder)?,
        "wechat_v3_provider": wechat_v3_provider(sandbox, folder)?,
        "wechat_v2": wechat_v2(sandbox, folder, authority)?,
        "wechat_v2_provider": wechat_v2_provider(sandbox, folder, authority)?,
        "starpos": starpos(sandbox, folder)?,
        "fshows": fshows(sandbox, folder)?,
        "mpgateway": mpgateway(sandbox),
        "tls": sandbox.tls_address().map(|listen| json!({
            "listen": listen.to_string(),
            "ca_certificate_path": authority,
            "server_names": sandbox.server_names(),
        })),
        "connect_proxy": sandbox.connect_proxy_url().map(|url| json!({ "url": url })),
        "admin": hooks::admin(&sandbox.admin_url(), token),
    });
    let text = Secret::new(serde_json::to_string_pretty(&credentials)? + "\n");
    Ok(folder.publish(text.expose().as_bytes())?)
}

fn wechat_v3(sandbox: &Sandbox, folder: &Folder) -> Result<Value, WriteError> {
    let v3 = sandbox.wechat_v3();
    let secret = |name, key: &Secret<String>| folder.put_secret(name, key.expose().as_bytes());
    let public = |name, text: &str| folder.put(name, text.as_bytes());
    Ok(json!({
        "base_url": v3.base_url,
        "mchid": v3.merchant_id,
        "appid": v3.app_id,
        "app_secret": v3.app_secret.expose(),
        "openid": v3.openid,
        "merchant_serial": v3.merchant_serial,
        "merchant_private_key_path": secret("wechat-v3-merchant-key.pem", &v3.merchant_private_key_pem)?,
        "merchant_certificate_path": public("wechat-v3-merchant-certificate.pem", &v3.merchant_certificate_pem)?,
        "apiv3_key": v3.apiv3_key.expose(),
        "platform_serial": v3.platform_serial,
        "platform_certificate_path": public("wechat-v3-platform-certificate.pem", &v3.platform_certificate_pem)?,
        "platform_private_key_path": secret("wechat-v3-platform-key.pem", &v3.platform_private_key_pem)?,
        "platform_public_key_id": v3.platform_public_key_id,
        "platform_public_key_path": public("wechat-v3-platform-public-key.pem", &v3.platform_public_key_pem)?,
    }))
}

/// It is answered under the platform's keys of `wechat_v3`.
fn wechat_v3_provider(sandbox: &Sandbox, folder: &Folder) -> Result<Value, WriteError> {
    let provider = sandbox.wechat_v3_provider();
    let key = provider.provider_private_key_pem.expose();
    let certificate = &provider.provider_certificate_pem;
    let sub_merchants = provider.sub_merchants.iter().map(|(number, app)| match app {
        Some(app) => json!({ "sub_mchid": number, "sub_appid": app }),
        None => json!({ "sub_mchid": number }),
    });
    Ok(json!({
        "base_url": provider.base_url,
        "sp_mchid": provider.provider_id,
        "sp_appid": provider.app_id,
        "app_secret": provider.app_secret.expose(),
        "sub_app_secret": provider.sub_app_secret.expose(),
        "sub_merchants": sub_merchants.collect::<Vec<_>>(),
        "sp_openid": provider.openid,
        "sub_openid": provider.sub_openid,
        "provider_serial": provider.provider_serial,
        "provider_private_key_path": folder.put_secret("wechat-v3-provider-key.pem", key.as_bytes())?,
        "provider_certificate_path": folder.put("wechat-v3-provider-certificate.pem", certificate.as_bytes())?,
        "apiv3_key": provider.apiv3_key.expose(),
    }))
}

/// The PKCS#12 holds the same certificate and key; its password is the merchant number, as in life.
fn wechat_v2(sandbox: &Sandbox, folder: &Folder, authority: &str) -> Result<Value, WriteError> {
    let v2 = sandbox.wechat_v2();
    let key = v2.certificate.private_key_pem.expose();
    let certificate = &v2.certificate.certificate_pem;
    Ok(json!({
        "base_url": v2.base_url,
        "mch_id": v2.merchant_id,
        "appid": v2.app_id,
        "openid": v2.openid,
        "api_key": v2.api_key.expose(),
        "merchant_certificate_path": folder.put("wechat-v2-merchant-certificate.pem", certificate.as_bytes())?,
        "merchant_private_key_path": folder.put_secret("wechat-v2-merchant-key.pem", key.as_bytes())?,
        "merchant_p12_path": folder.put_secret("wechat-v2-merchant.p12", v2.pkcs12()?.expose())?,
        "merchant_ca_path": authority,
    }))
}

fn wechat_v2_provider(sandbox: &Sandbox, folder: &Folder, authority: &str) -> Result<Value, WriteError> {
    let provider = sandbox.wechat_v2_provider();
    let key = provider.certificate.private_key_pem.expose();
    let certificate = &provider.certificate.certificate_pem;
    Ok(json!({
        "base_url": provider.base_url,
        "mch_id": provider.merchant_id,
        "appid": provider.app_id,
        "sub_mch_id": provider.sub_merchant_id,
        "sub_appid": provider.sub_app_id,
        "other_sub_mch_id": provider.other_sub_merchant_id,
        "openid": provider.openid,
        "sub_openid": provider.sub_openid,
        "api_key": provider.api_key.expose(),
        "merchant_certificate_path": folder.put("wechat-v2-provider-certificate.pem", certificate.as_bytes())?,
        "merchant_private_key_path": folder.put_secret("wechat-v2-provider-key.pem", key.as_bytes())?,
        "merchant_p12_path": folder.put_secret("wechat-v2-provider.p12", provider.pkcs12()?.expose())?,
        "merchant_ca_path": authority,
    }))
}

/// The private key is the partner's: it opens the encrypted push.
fn starpos(sandbox: &Sandbox, folder: &Folder) -> Result<Value, WriteError> {
    let starpos = sandbox.starpos();
    let key = starpos.push_private_key_pem.expose();
    Ok(json!({
        "base_url": starpos.base_url,
        "org_no": starpos.organization,
        "merc_id": starpos.merchant,
        "trm_no": starpos.terminal,
        "key": starpos.key.expose(),
        "appid": starpos.app_id,
        "app_secret": starpos.app_secret.expose(),
        "openid": starpos.openid,
        // Where `/connect/oauth2/authorize` and `/sns/oauth2/access_token` are, which in life are WeChat's.
        "wechat_web_base_url": sandbox.base_url(),
        "push_md5_key": starpos.push_md5_key.expose(),
        "push_private_key_path": folder.put_secret("starpos-push-key.pem", key.as_bytes())?,
    }))
}

fn fshows(sandbox: &Sandbox, folder: &Folder) -> Result<Value, WriteError> {
    let fshows = sandbox.fshows();
    let secret = |name, key: &Secret<String>| folder.put_secret(name, key.expose().as_bytes());
    let public = fshows.platform_public_key_pem.as_bytes();
    Ok(json!({
        "base_url": fshows.base_url,
        "app_id": fshows.app_id,
        "sub_merchant_id": fshows.sub_merchant_id,
        "openid": fshows.openid,
        "merchant_private_key_path": secret("fshows-merchant-key.pem", &fshows.merchant_private_key_pem)?,
        "platform_public_key_path": folder.put("fshows-platform-public-key.pem", public)?,
        "platform_private_key_path": secret("fshows-platform-key.pem", &fshows.platform_private_key_pem)?,
    }))
}

fn mpgateway(sandbox: &Sandbox) -> Value {
    let mpgateway = sandbox.mpgateway();
    json!({
        "base_url": mpgateway.base_url,
        "merid": mpgateway.merchant,
        "key": mpgateway.key.expose(),
        "openid": mpgateway.openid,
    })
}
