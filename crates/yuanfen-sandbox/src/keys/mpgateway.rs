//! mpgateway's side of a set. The merchant is that of the sheet's worked examples.

use std::fmt;

use yuanfen_core::Secret;

use super::derivation::{Derivation, Purpose};
use super::{KeySet, built_in};

pub(crate) const MPGATEWAY_MERCHANT: &str = "00000001";
pub(crate) const MPGATEWAY_OPENID: &str = "oSandbox_Mpgateway-012345678";

/// The key that both ends share.
pub(crate) struct MpgatewayKeys {
    pub(crate) key: Secret<String>,
}

impl MpgatewayKeys {
    /// The key of the sheet's worked examples.
    pub(super) fn built_in() -> Self {
        Self {
            key: built_in("testkey-0123456789abcdef"),
        }
    }

    pub(super) fn derived(derivation: &Derivation) -> Self {
        Self {
            key: derivation.letters(Purpose::MPGATEWAY_KEY, 32),
        }
    }
}

/// What a client needs to call the sandbox's mpgateway. `Debug` shows no key.
#[derive(Clone)]
#[non_exhaustive]
pub struct MpgatewayCredentials {
    /// Where calls and pages are, without a slash at its end.
    pub base_url: String,
    /// `merid`: the merchant.
    pub merchant: String,
    /// The key that both ends share.
    pub key: Secret<String>,
    /// `openid`: the payer that the sandbox plays, as `/wxjsapi/openid.html` gives it.
    pub openid: String,
}

impl MpgatewayCredentials {
    pub(crate) fn at(base_url: &str, keys: &KeySet) -> Self {
        Self {
            base_url: format!("{base_url}/mpgateway"),
            merchant: MPGATEWAY_MERCHANT.to_owned(),
            key: keys.mpgateway().key.clone(),
            openid: MPGATEWAY_OPENID.to_owned(),
        }
    }
}

impl fmt::Debug for MpgatewayCredentials {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("MpgatewayCredentials")
            .field("base_url", &self.base_url)
            .field("merchant", &self.merchant)
            .finish_non_exhaustive()
    }
}
