//! fshows' side of the built-in set: ids and throw-away keys of the sheet's worked examples.

use std::fmt;

use yuanfen_core::Secret;

pub(crate) const FSHOWS_APP_ID: &str = "20990101000000001";
pub(crate) const FSHOWS_SUB_MERCHANT: &str = "20990101000000000001";
pub(crate) const FSHOWS_OPENID: &str = "oTEST0000000000000000000000001";
pub(crate) const FSHOWS_MERCHANT_KEY: &str = include_str!("fshows-merchant-1024-pkcs8.pem");
pub(crate) const FSHOWS_MERCHANT_PUBLIC: &str = include_str!("fshows-merchant-1024-pub.pem");
pub(crate) const FSHOWS_PLATFORM_KEY: &str = include_str!("fshows-platform-1024-pkcs8.pem");
pub(crate) const FSHOWS_PLATFORM_PUBLIC: &str = include_str!("fshows-platform-1024-pub.pem");

/// What a client needs to call the sandbox's fshows. `Debug` shows no key.
#[derive(Clone)]
#[non_exhaustive]
pub struct FshowsCredentials {
    /// Where the gateway and the cashier page are, without a slash at its end.
    pub base_url: String,
    /// `app_id`: the liquidator.
    pub app_id: String,
    /// `sub_merchant_id`: the shop.
    pub sub_merchant_id: String,
    /// `sub_openid`: the payer that the sandbox plays.
    pub openid: String,
    /// The key that signs the liquidator's calls, PKCS#8 PEM, 1024 bits.
    pub merchant_private_key_pem: Secret<String>,
    /// The key that proves call-backs.
    pub platform_public_key_pem: String,
    /// The key that signs call-backs, for tests that forge some, PKCS#8 PEM.
    pub platform_private_key_pem: Secret<String>,
}

impl FshowsCredentials {
    pub(crate) fn at(base_url: &str) -> Self {
        Self {
            base_url: format!("{base_url}/fshows"),
            app_id: FSHOWS_APP_ID.to_owned(),
            sub_merchant_id: FSHOWS_SUB_MERCHANT.to_owned(),
            openid: FSHOWS_OPENID.to_owned(),
            merchant_private_key_pem: Secret::new(FSHOWS_MERCHANT_KEY.to_owned()),
            platform_public_key_pem: FSHOWS_PLATFORM_PUBLIC.to_owned(),
            platform_private_key_pem: Secret::new(FSHOWS_PLATFORM_KEY.to_owned()),
        }
    }
}

impl fmt::Debug for FshowsCredentials {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("FshowsCredentials")
            .field("base_url", &self.base_url)
            .field("app_id", &self.app_id)
            .field("sub_merchant_id", &self.sub_merchant_id)
            .finish_non_exhaustive()
    }
}
