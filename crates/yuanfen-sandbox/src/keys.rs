//! The built-in throw-away keys, and what a client is told of them.
//!
//! The keys are published with the source: they protect nothing and must never be used outside a sandbox. Making an RSA
//! key takes up to a quarter of a second, which is why none is made at start.

mod fshows;
mod mpgateway;
mod starpos;
mod wechat_v2;

use std::fmt;

use yuanfen_core::Secret;
pub(crate) use yuanfen_sign::KeyError;

pub use self::fshows::FshowsCredentials;
pub(crate) use self::fshows::{FSHOWS_APP_ID, FSHOWS_MERCHANT_PUBLIC, FSHOWS_PLATFORM_KEY, FSHOWS_SUB_MERCHANT};
pub use self::mpgateway::MpgatewayCredentials;
pub(crate) use self::mpgateway::{MPGATEWAY_KEY, MPGATEWAY_MERCHANT, MPGATEWAY_OPENID};
pub use self::starpos::StarposCredentials;
pub(crate) use self::starpos::{
    STARPOS_APP_ID, STARPOS_APP_SECRET, STARPOS_KEY, STARPOS_MERCHANT, STARPOS_OPENID, STARPOS_ORGANIZATION,
    STARPOS_PUSH_KEY, STARPOS_PUSH_MD5_KEY, STARPOS_TERMINAL, STARPOS_WECHAT_KEY,
};
pub(crate) use self::wechat_v2::{WECHAT_API_KEY, WECHAT_PROVIDER_API_KEY};
pub use self::wechat_v2::{WechatV2Credentials, WechatV2ProviderCredentials};

pub(crate) const WECHAT_MERCHANT_ID: &str = "1900000001";
pub(crate) const WECHAT_APP_ID: &str = "wx5a6d0b0c5a1e4d21";
pub(crate) const WECHAT_OPENID: &str = "oSandbox_Payer-0123456789abc";

pub(crate) const WECHAT_PROVIDER_ID: &str = "1900000101";
pub(crate) const WECHAT_PROVIDER_APP_ID: &str = "wx7c1d2e3f4a5b6c7d";
/// Sub-merchants of the service provider, each with its own app if it has one.
pub(crate) const WECHAT_SUB_MERCHANTS: &[(&str, Option<&str>)] = &[
    (WECHAT_SUB_MERCHANT, Some(WECHAT_SUB_APP_ID)),
    (WECHAT_OTHER_SUB_MERCHANT, None),
];
pub(crate) const WECHAT_SUB_MERCHANT: &str = "1900000111";
pub(crate) const WECHAT_SUB_APP_ID: &str = "wx8d2e3f4a5b6c7d8e";
pub(crate) const WECHAT_OTHER_SUB_MERCHANT: &str = "1900000112";

/// The same payer's openid under a sub-merchant's app.
pub(crate) fn openid_under_sub_app(openid: &str) -> String {
    format!("oSub{}", openid.strip_prefix('o').unwrap_or(openid))
}

pub(crate) const WECHAT_API_V3_KEY: &str = "ThrowAwaySandboxApiV3KeyOfWechat";
pub(crate) const WECHAT_PUBLIC_KEY_ID: &str = "PUB_KEY_ID_0119000000012024010100000000000001";
pub(crate) const WECHAT_MERCHANT_KEY: &str = include_str!("keys/wechat-merchant-key.pem");
pub(crate) const WECHAT_MERCHANT_CERTIFICATE: &str = include_str!("keys/wechat-merchant-certificate.pem");
pub(crate) const WECHAT_PUBLIC_KEY_PRIVATE: &str = include_str!("keys/wechat-public-key.pem");
pub(crate) const WECHAT_PUBLIC_KEY: &str = include_str!("keys/wechat-public.pem");

/// Certificate and key, in the order in which rotation brings them into use.
pub(crate) const WECHAT_PLATFORM: [(&str, &str); 4] = [
    (
        include_str!("keys/wechat-platform-1-certificate.pem"),
        include_str!("keys/wechat-platform-1-key.pem"),
    ),
    (
        include_str!("keys/wechat-platform-2-certificate.pem"),
        include_str!("keys/wechat-platform-2-key.pem"),
    ),
    (
        include_str!("keys/wechat-platform-3-certificate.pem"),
        include_str!("keys/wechat-platform-3-key.pem"),
    ),
    (
        include_str!("keys/wechat-platform-4-certificate.pem"),
        include_str!("keys/wechat-platform-4-key.pem"),
    ),
];

/// What a client needs to call the sandbox's WeChat Pay APIv3. `Debug` shows no key.
#[derive(Clone)]
#[non_exhaustive]
pub struct WechatV3Credentials {
    /// Where calls go.
    pub base_url: String,
    /// `mchid`: the merchant.
    pub merchant_id: String,
    /// `appid`: the app.
    pub app_id: String,
    /// `openid`: the payer that the sandbox plays.
    pub openid: String,
    /// `serial_no`: the merchant certificate's serial.
    pub merchant_serial: String,
    /// The key that signs the merchant's calls, PKCS#8 PEM.
    pub merchant_private_key_pem: Secret<String>,
    /// The merchant's certificate.
    pub merchant_certificate_pem: String,
    /// The key that opens notices and certificates.
    pub apiv3_key: Secret<String>,
    /// The serial of the platform certificate that signs at present.
    pub platform_serial: String,
    /// That certificate.
    pub platform_certificate_pem: String,
    /// The id of the platform's public key: a call that names it in `Wechatpay-Serial` is answered under that key.
    pub platform_public_key_id: String,
    /// That key.
    pub platform_public_key_pem: String,
}

impl WechatV3Credentials {
    pub(crate) fn at(base_url: &str, merchant_serial: String, platform: (String, &str)) -> Self {
        let (platform_serial, platform_certificate_pem) = platform;
        Self {
            base_url: base_url.to_owned(),
            merchant_id: WECHAT_MERCHANT_ID.to_owned(),
            app_id: WECHAT_APP_ID.to_owned(),
            openid: WECHAT_OPENID.to_owned(),
            merchant_serial,
            merchant_private_key_pem: Secret::new(WECHAT_MERCHANT_KEY.to_owned()),
            merchant_certificate_pem: WECHAT_MERCHANT_CERTIFICATE.to_owned(),
            apiv3_key: Secret::new(WECHAT_API_V3_KEY.to_owned()),
            platform_serial,
            platform_certificate_pem: platform_certificate_pem.to_owned(),
            platform_public_key_id: WECHAT_PUBLIC_KEY_ID.to_owned(),
            platform_public_key_pem: WECHAT_PUBLIC_KEY.to_owned(),
        }
    }
}

impl fmt::Debug for WechatV3Credentials {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("WechatV3Credentials")
            .field("base_url", &self.base_url)
            .field("merchant_id", &self.merchant_id)
            .field("app_id", &self.app_id)
            .field("merchant_serial", &self.merchant_serial)
            .field("platform_serial", &self.platform_serial)
            .field("platform_public_key_id", &self.platform_public_key_id)
            .finish_non_exhaustive()
    }
}
