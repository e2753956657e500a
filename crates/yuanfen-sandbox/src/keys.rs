//! The built-in throw-away keys, and what a client is told of them.
//!
//! The keys are published with the source: they protect nothing and must never be used outside a sandbox. Making an RSA
//! key takes up to a quarter of a second, which is why none is made at start.

mod fshows;
mod mpgateway;
mod starpos;
mod wechat_v2;
mod wechat_v3;

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
pub(crate) use self::wechat_v3::{
    WECHAT_API_V3_KEY, WECHAT_MERCHANT_CERTIFICATE, WECHAT_PLATFORM, WECHAT_PROVIDER_API_V3_KEY,
    WECHAT_PROVIDER_CERTIFICATE, WECHAT_PUBLIC_KEY_ID, WECHAT_PUBLIC_KEY_PRIVATE,
};
pub use self::wechat_v3::{WechatV3Credentials, WechatV3ProviderCredentials};

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
