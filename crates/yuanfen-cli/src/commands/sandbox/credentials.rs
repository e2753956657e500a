//! `credentials.json` and the key files beside it. Paths in it are relative to its folder. Every key is a built-in
//! throw-away of the sandbox; what holds one is for its owner's eyes all the same, since shops copy what they see.

use std::fs::{self, OpenOptions};
use std::io::{self, Write as _};
use std::path::{Path, PathBuf};

use serde_json::json;
use yuanfen_sandbox::Sandbox;

/// Why the folder could not be written.
#[derive(Debug, thiserror::Error)]
pub(crate) enum WriteError {
    #[error("cannot write {path}")]
    File {
        path: PathBuf,
        #[source]
        source: io::Error,
    },
    #[error("the credentials cannot be written as JSON")]
    Json(#[from] serde_json::Error),
}

/// Writes the folder and says where the credentials are.
pub(crate) fn write(sandbox: &Sandbox, folder: &Path) -> Result<PathBuf, WriteError> {
    let failed = |path: &Path| {
        let path = path.to_owned();
        move |source| WriteError::File { path, source }
    };
    fs::create_dir_all(folder).map_err(failed(folder))?;
    let put = |name: &str, text: &str| {
        let path = folder.join(name);
        fs::write(&path, text).map_err(failed(&path)).map(|()| name.to_owned())
    };
    let put_secret = |name: &str, text: &str| {
        let path = folder.join(name);
        write_secret(&path, text.as_bytes())
            .map_err(failed(&path))
            .map(|()| name.to_owned())
    };

    let v3 = sandbox.wechat_v3();
    let v3_provider = sandbox.wechat_v3_provider();
    let sub_merchants = v3_provider.sub_merchants.iter();
    let sub_merchants = sub_merchants.map(|(number, app)| match app {
        Some(app) => json!({ "sub_mchid": number, "sub_appid": app }),
        None => json!({ "sub_mchid": number }),
    });
    let v2 = sandbox.wechat_v2();
    let provider = sandbox.wechat_v2_provider();
    let starpos = sandbox.starpos();
    let fshows = sandbox.fshows();
    let mpgateway = sandbox.mpgateway();
    let credentials = json!({
        "schema": 1,
        "wechat_v3": {
            "base_url": v3.base_url,
            "mchid": v3.merchant_id,
            "appid": v3.app_id,
            "app_secret": v3.app_secret.expose(),
            "openid": v3.openid,
            "merchant_serial": v3.merchant_serial,
            "merchant_private_key_path": put_secret("wechat-v3-merchant-key.pem", v3.merchant_private_key_pem.expose())?,
            "merchant_certificate_path": put("wechat-v3-merchant-certificate.pem", &v3.merchant_certificate_pem)?,
            "apiv3_key": v3.apiv3_key.expose(),
            "platform_serial": v3.platform_serial,
            "platform_certificate_path": put("wechat-v3-platform-certificate.pem", &v3.platform_certificate_pem)?,
            "platform_public_key_id": v3.platform_public_key_id,
            "platform_public_key_path": put("wechat-v3-platform-public-key.pem", &v3.platform_public_key_pem)?,
        },
        // It is answered under the keys of the section above.
        "wechat_v3_provider": {
            "base_url": v3_provider.base_url,
            "sp_mchid": v3_provider.provider_id,
            "sp_appid": v3_provider.app_id,
            "app_secret": v3_provider.app_secret.expose(),
            "sub_app_secret": v3_provider.sub_app_secret.expose(),
            "sub_merchants": sub_merchants.collect::<Vec<_>>(),
            "sp_openid": v3_provider.openid,
            "sub_openid": v3_provider.sub_openid,
            "provider_serial": v3_provider.provider_serial,
            "provider_private_key_path": put_secret("wechat-v3-provider-key.pem", v3_provider.provider_private_key_pem.expose())?,
            "provider_certificate_path": put("wechat-v3-provider-certificate.pem", &v3_provider.provider_certificate_pem)?,
            "apiv3_key": v3_provider.apiv3_key.expose(),
        },
        "wechat_v2": {
            "base_url": v2.base_url,
            "mch_id": v2.merchant_id,
            "appid": v2.app_id,
            "openid": v2.openid,
            "api_key": v2.api_key.expose(),
        },
        "wechat_v2_provider": {
            "base_url": provider.base_url,
            "mch_id": provider.merchant_id,
            "appid": provider.app_id,
            "sub_mch_id": provider.sub_merchant_id,
            "sub_appid": provider.sub_app_id,
            "other_sub_mch_id": provider.other_sub_merchant_id,
            "openid": provider.openid,
            "sub_openid": provider.sub_openid,
            "api_key": provider.api_key.expose(),
        },
        "starpos": {
            "base_url": starpos.base_url,
            "org_no": starpos.organization,
            "merc_id": starpos.merchant,
            "trm_no": starpos.terminal,
            "key": starpos.key.expose(),
            "appid": starpos.app_id,
            "openid": starpos.openid,
        },
        "fshows": {
            "base_url": fshows.base_url,
            "app_id": fshows.app_id,
            "sub_merchant_id": fshows.sub_merchant_id,
            "openid": fshows.openid,
            "merchant_private_key_path": put_secret("fshows-merchant-key.pem", fshows.merchant_private_key_pem.expose())?,
            "platform_public_key_path": put("fshows-platform-public-key.pem", &fshows.platform_public_key_pem)?,
        },
        "mpgateway": {
            "base_url": mpgateway.base_url,
            "merid": mpgateway.merchant,
            "key": mpgateway.key.expose(),
            "openid": mpgateway.openid,
        },
    });
    let whole = folder.join("credentials.json");
    let partial = folder.join("credentials.json.part");
    write_secret(&partial, &serde_json::to_vec_pretty(&credentials)?).map_err(failed(&partial))?;
    fs::rename(&partial, &whole).map_err(failed(&whole))?;
    Ok(whole)
}

/// Writes a file that only its owner may read, from its first byte on. What was there is removed before: a file keeps
/// the mode that it was created with, and whoever has it open keeps reading.
fn write_secret(path: &Path, content: &[u8]) -> io::Result<()> {
    match fs::remove_file(path) {
        Err(error) if error.kind() != io::ErrorKind::NotFound => return Err(error),
        _ => {}
    }
    let mut options = OpenOptions::new();
    options.write(true).create_new(true);
    #[cfg(unix)]
    std::os::unix::fs::OpenOptionsExt::mode(&mut options, 0o600);
    options.open(path)?.write_all(content)
}
