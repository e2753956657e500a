//! StarPos' side of a set. Partner, merchant and terminal are those of the sheet's worked examples.

use std::fmt;

use yuanfen_core::Secret;

use super::derivation::{Derivation, Made, Purpose};
use super::{KeySet, KeySetError, built_in};

pub(crate) const STARPOS_ORGANIZATION: &str = "00001";
pub(crate) const STARPOS_MERCHANT: &str = "000000000000001";
pub(crate) const STARPOS_TERMINAL: &str = "00000001";
pub(crate) const STARPOS_APP_ID: &str = "wx7e1f5a90c3d24b68";
pub(crate) const STARPOS_OPENID: &str = "oSandbox_Starpos-0123456789a";

/// The keys that StarPos and its partner share, and the partner's own.
pub(crate) struct StarposKeys {
    /// The device key.
    pub(crate) key: Secret<String>,
    /// `appIdKey`: the secret of the official account.
    pub(crate) app_secret: Secret<String>,
    /// The digest key of the encrypted push.
    pub(crate) push_md5_key: Secret<String>,
    /// What opens the encrypted push, PKCS#8 PEM, 1024 bits.
    pub(crate) push_private_key_pem: Secret<String>,
    /// With this key WeChat checks what a page hands to the payer's app. It is the acquirer's and no client knows it.
    pub(crate) wechat_key: Secret<String>,
}

impl StarposKeys {
    pub(super) const RSA: &[(Purpose, usize)] = &[(Purpose::STARPOS_PUSH_KEY, 1024)];

    /// The device key and the digest key are those of the sheet's worked examples.
    pub(super) fn built_in() -> Self {
        Self {
            key: built_in("00112233445566778899AABBCCDDEEFF"),
            app_secret: built_in("ThrowAwaySandboxAppSecretStarPos"),
            push_md5_key: built_in("ffeeddccbbaa99887766554433221100"),
            push_private_key_pem: built_in(include_str!("starpos-push-key.pem")),
            wechat_key: built_in("ThrowAwaySandboxStarPosWechatKey"),
        }
    }

    pub(super) fn derived(derivation: &Derivation, made: &mut Made) -> Result<Self, KeySetError> {
        Ok(Self {
            key: derivation.hex_upper(Purpose::STARPOS_KEY, 32),
            app_secret: derivation.hex_lower(Purpose::STARPOS_APP_SECRET, 32),
            push_md5_key: derivation.hex_lower(Purpose::STARPOS_PUSH_DIGEST, 32),
            push_private_key_pem: made.take(Purpose::STARPOS_PUSH_KEY)?.private_key_pem,
            wechat_key: derivation.letters(Purpose::STARPOS_WECHAT_KEY, 32),
        })
    }
}

/// What a client needs to call the sandbox's StarPos. `Debug` shows no key and no secret.
#[derive(Clone)]
#[non_exhaustive]
pub struct StarposCredentials {
    /// Where calls go, without a slash at its end.
    pub base_url: String,
    /// `orgNo`: the partner.
    pub organization: String,
    /// `mercId`: the merchant.
    pub merchant: String,
    /// `trmNo`: the terminal.
    pub terminal: String,
    /// The device key that both ends share.
    pub key: Secret<String>,
    /// `appId`: the official account, as `pubSigQry` gives it.
    pub app_id: String,
    /// `appIdKey`: its app secret, as `pubSigQry` gives it.
    pub app_secret: Secret<String>,
    /// The payer that the sandbox plays, as a code of `/connect/oauth2/authorize` stands for it.
    pub openid: String,
    /// The digest key of the encrypted push.
    pub push_md5_key: Secret<String>,
    /// The key that opens the encrypted push, PKCS#8 PEM, 1024 bits.
    pub push_private_key_pem: Secret<String>,
}

impl StarposCredentials {
    pub(crate) fn at(base_url: &str, keys: &KeySet) -> Self {
        let keys = keys.starpos();
        Self {
            base_url: format!("{base_url}/starpos/adpweb/ehpspos3"),
            organization: STARPOS_ORGANIZATION.to_owned(),
            merchant: STARPOS_MERCHANT.to_owned(),
            terminal: STARPOS_TERMINAL.to_owned(),
            key: keys.key.clone(),
            app_id: STARPOS_APP_ID.to_owned(),
            app_secret: keys.app_secret.clone(),
            openid: STARPOS_OPENID.to_owned(),
            push_md5_key: keys.push_md5_key.clone(),
            push_private_key_pem: keys.push_private_key_pem.clone(),
        }
    }
}

impl fmt::Debug for StarposCredentials {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("StarposCredentials")
            .field("base_url", &self.base_url)
            .field("organization", &self.organization)
            .field("merchant", &self.merchant)
            .field("terminal", &self.terminal)
            .field("app_id", &self.app_id)
            .finish_non_exhaustive()
    }
}
