//! The platform's certificates, and the list of those that are live (section 6 of the sheet).
//!
//! They are valid by the machine's time, by which clients check them: advancing the sandbox's clock ends none.

use http::StatusCode;
use serde_json::{Value, json};
use yuanfen_core::Rfc3339;
use yuanfen_sign::{Certificate, RsaSigningKey};

use super::caller::Merchant;
use super::{Answer, Refusal, only, query_of, wrong_in_query};
use crate::keys::{CertifiedKey, KeyError};
use crate::platforms::{Call, Desk};

pub(super) struct PlatformCertificate {
    pub(super) identity: CertifiedKey,
    pub(super) certificate: Certificate,
    pub(super) key: RsaSigningKey,
}

impl PlatformCertificate {
    pub(super) fn load(identity: &CertifiedKey) -> Result<Self, KeyError> {
        Ok(Self {
            certificate: Certificate::parse(&identity.certificate_pem)?,
            key: RsaSigningKey::parse(identity.private_key_pem.expose())?,
            identity: identity.clone(),
        })
    }
}

/// Lists those certificates; a merchant that has none is told to use the public key, and so is one that asks for the other
/// kind alone.
pub(super) fn list(
    live: &[PlatformCertificate],
    merchant: &Merchant,
    call: &Call<'_>,
    desk: &Desk<'_>,
) -> Result<Answer, Refusal> {
    let query = query_of(call)?;
    only(&query, &["algorithm_type"])?;
    let are_rsa = match query.get("algorithm_type") {
        None | Some("RSA" | "ALL") => true,
        Some("SM2") => false,
        Some(_) => return Err(wrong_in_query("algorithm_type")),
    };
    if live.is_empty() || !are_rsa {
        return Err(Refusal::new(
            404,
            "RESOURCE_NOT_EXISTS",
            "无可用的平台证书,请使用微信支付公钥",
        ));
    }
    let data = live.iter().map(|platform| {
        const ASSOCIATED: &str = "certificate";
        let nonce = desk.ambient.letters(12);
        let ciphertext = merchant
            .api_key
            .seal(&nonce, ASSOCIATED, platform.identity.certificate_pem.as_bytes())
            .map_err(|_| Refusal::new(500, "SYSTEM_ERROR", "系统错误"))?;
        Ok(json!({
            "serial_no": platform.certificate.serial,
            "effective_time": Rfc3339(platform.certificate.not_before).to_string(),
            "expire_time": Rfc3339(platform.certificate.not_after).to_string(),
            "encrypt_certificate": {
                "algorithm": "AEAD_AES_256_GCM",
                "nonce": nonce,
                "associated_data": ASSOCIATED,
                "ciphertext": ciphertext,
            },
        }))
    });
    let data = data.collect::<Result<Vec<Value>, Refusal>>()?;
    Ok(Answer::Json(StatusCode::OK, json!({ "data": data })))
}
