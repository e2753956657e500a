//! StarPos' side of the built-in set. Partner, merchant, terminal and key are those of the sheet's worked examples, and
//! so is the digest key of the encrypted push.

use std::fmt;

use yuanfen_core::Secret;

pub(crate) const STARPOS_ORGANIZATION: &str = "00001";
pub(crate) const STARPOS_MERCHANT: &str = "000000000000001";
pub(crate) const STARPOS_TERMINAL: &str = "00000001";
pub(crate) const STARPOS_KEY: &str = "00112233445566778899AABBCCDDEEFF";
pub(crate) const STARPOS_APP_ID: &str = "wx7e1f5a90c3d24b68";
pub(crate) const STARPOS_APP_SECRET: &str = "ThrowAwaySandboxAppSecretStarPos";
pub(crate) const STARPOS_OPENID: &str = "oSandbox_Starpos-0123456789a";
pub(crate) const STARPOS_PUSH_MD5_KEY: &str = "ffeeddccbbaa99887766554433221100";
pub(crate) const STARPOS_PUSH_KEY: &str = include_str!("starpos-push-key.pem");
/// With this key WeChat checks what a page hands to the payer's app. It is the acquirer's and no client knows it.
pub(crate) const STARPOS_WECHAT_KEY: &str = "ThrowAwaySandboxStarPosWechatKey";

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
    pub(crate) fn at(base_url: &str) -> Self {
        Self {
            base_url: format!("{base_url}/starpos/adpweb/ehpspos3"),
            organization: STARPOS_ORGANIZATION.to_owned(),
            merchant: STARPOS_MERCHANT.to_owned(),
            terminal: STARPOS_TERMINAL.to_owned(),
            key: Secret::new(STARPOS_KEY.to_owned()),
            app_id: STARPOS_APP_ID.to_owned(),
            app_secret: Secret::new(STARPOS_APP_SECRET.to_owned()),
            openid: STARPOS_OPENID.to_owned(),
            push_md5_key: Secret::new(STARPOS_PUSH_MD5_KEY.to_owned()),
            push_private_key_pem: Secret::new(STARPOS_PUSH_KEY.to_owned()),
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
