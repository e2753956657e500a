//! WeChat Pay APIv3: a key pair and a certificate for a merchant, others for a service provider, and the platform's.

use std::fmt;

use yuanfen_core::Secret;

use super::{
    WECHAT_APP_ID, WECHAT_MERCHANT_ID, WECHAT_OPENID, WECHAT_PROVIDER_APP_ID, WECHAT_PROVIDER_ID, WECHAT_SUB_MERCHANTS,
    openid_under_sub_app,
};

pub(crate) const WECHAT_API_V3_KEY: &str = "ThrowAwaySandboxApiV3KeyOfWechat";
pub(crate) const WECHAT_PUBLIC_KEY_ID: &str = "PUB_KEY_ID_0119000000012024010100000000000001";
pub(crate) const WECHAT_PROVIDER_API_V3_KEY: &str = "ThrowAwaySandboxApiV3KeyProvider";
const WECHAT_MERCHANT_KEY: &str = include_str!("wechat-merchant-key.pem");
pub(crate) const WECHAT_MERCHANT_CERTIFICATE: &str = include_str!("wechat-merchant-certificate.pem");
const WECHAT_PROVIDER_KEY: &str = include_str!("wechat-provider-key.pem");
pub(crate) const WECHAT_PROVIDER_CERTIFICATE: &str = include_str!("wechat-provider-certificate.pem");
pub(crate) const WECHAT_PUBLIC_KEY_PRIVATE: &str = include_str!("wechat-public-key.pem");
const WECHAT_PUBLIC_KEY: &str = include_str!("wechat-public.pem");

/// Certificate and key, in the order in which rotation brings them into use.
pub(crate) const WECHAT_PLATFORM: [(&str, &str); 4] = [
    (
        include_str!("wechat-platform-1-certificate.pem"),
        include_str!("wechat-platform-1-key.pem"),
    ),
    (
        include_str!("wechat-platform-2-certificate.pem"),
        include_str!("wechat-platform-2-key.pem"),
    ),
    (
        include_str!("wechat-platform-3-certificate.pem"),
        include_str!("wechat-platform-3-key.pem"),
    ),
    (
        include_str!("wechat-platform-4-certificate.pem"),
        include_str!("wechat-platform-4-key.pem"),
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

/// What a service provider needs to call the sandbox's WeChat Pay APIv3 for its merchants. `Debug` shows no key.
#[derive(Clone)]
#[non_exhaustive]
pub struct WechatV3ProviderCredentials {
    /// Where calls go.
    pub base_url: String,
    /// `sp_mchid`: the provider.
    pub provider_id: String,
    /// `sp_appid`: its app.
    pub app_id: String,
    /// `sub_mchid` and `sub_appid` of each of its merchants; not all have an app.
    pub sub_merchants: Vec<(String, Option<String>)>,
    /// `sp_openid`: the payer that the sandbox plays, under the provider's app.
    pub openid: String,
    /// `sub_openid`: the same payer under the app of a merchant that has one.
    pub sub_openid: String,
    /// `serial_no`: the provider certificate's serial.
    pub provider_serial: String,
    /// The key that signs the provider's calls, PKCS#8 PEM.
    pub provider_private_key_pem: Secret<String>,
    /// The provider's certificate.
    pub provider_certificate_pem: String,
    /// The key that opens notices and certificates.
    pub apiv3_key: Secret<String>,
}

impl WechatV3ProviderCredentials {
    pub(crate) fn at(base_url: &str, provider_serial: String) -> Self {
        let sub_merchants = WECHAT_SUB_MERCHANTS.iter();
        Self {
            base_url: base_url.to_owned(),
            provider_id: WECHAT_PROVIDER_ID.to_owned(),
            app_id: WECHAT_PROVIDER_APP_ID.to_owned(),
            sub_merchants: sub_merchants
                .map(|(merchant, app)| ((*merchant).to_owned(), app.map(str::to_owned)))
                .collect(),
            openid: WECHAT_OPENID.to_owned(),
            sub_openid: openid_under_sub_app(WECHAT_OPENID),
            provider_serial,
            provider_private_key_pem: Secret::new(WECHAT_PROVIDER_KEY.to_owned()),
            provider_certificate_pem: WECHAT_PROVIDER_CERTIFICATE.to_owned(),
            apiv3_key: Secret::new(WECHAT_PROVIDER_API_V3_KEY.to_owned()),
        }
    }
}

impl fmt::Debug for WechatV3ProviderCredentials {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("WechatV3ProviderCredentials")
            .field("base_url", &self.base_url)
            .field("provider_id", &self.provider_id)
            .field("app_id", &self.app_id)
            .field("sub_merchants", &self.sub_merchants)
            .field("provider_serial", &self.provider_serial)
            .finish_non_exhaustive()
    }
}
