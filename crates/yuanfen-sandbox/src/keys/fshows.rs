//! fshows' side of a set. The ids are those of the sheet's worked examples.

use std::fmt;

use yuanfen_core::Secret;

use super::derivation::{Made, Purpose, RsaPair};
use super::{KeySet, KeySetError, built_in};

pub(crate) const FSHOWS_APP_ID: &str = "20990101000000001";
pub(crate) const FSHOWS_SUB_MERCHANT: &str = "20990101000000000001";
pub(crate) const FSHOWS_OPENID: &str = "oTEST0000000000000000000000001";

/// The liquidator's key and the platform's, both of the 1024 bits that fshows hands out.
pub(crate) struct FshowsKeys {
    pub(crate) merchant: RsaPair,
    pub(crate) platform: RsaPair,
}

impl FshowsKeys {
    pub(super) const RSA: &[(Purpose, usize)] = &[(Purpose::FSHOWS_MERCHANT, 1024), (Purpose::FSHOWS_PLATFORM, 1024)];

    /// The throw-away keys of the sheet's worked examples.
    pub(super) fn built_in() -> Self {
        Self {
            merchant: RsaPair {
                private_key_pem: built_in(include_str!("fshows-merchant-1024-pkcs8.pem")),
                public_key_pem: include_str!("fshows-merchant-1024-pub.pem").to_owned(),
            },
            platform: RsaPair {
                private_key_pem: built_in(include_str!("fshows-platform-1024-pkcs8.pem")),
                public_key_pem: include_str!("fshows-platform-1024-pub.pem").to_owned(),
            },
        }
    }

    pub(super) fn derived(made: &mut Made) -> Result<Self, KeySetError> {
        Ok(Self {
            merchant: made.take(Purpose::FSHOWS_MERCHANT)?,
            platform: made.take(Purpose::FSHOWS_PLATFORM)?,
        })
    }
}

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
    pub(crate) fn at(base_url: &str, keys: &KeySet) -> Self {
        let keys = keys.fshows();
        Self {
            base_url: format!("{base_url}/fshows"),
            app_id: FSHOWS_APP_ID.to_owned(),
            sub_merchant_id: FSHOWS_SUB_MERCHANT.to_owned(),
            openid: FSHOWS_OPENID.to_owned(),
            merchant_private_key_pem: keys.merchant.private_key_pem.clone(),
            platform_public_key_pem: keys.platform.public_key_pem.clone(),
            platform_private_key_pem: keys.platform.private_key_pem.clone(),
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
