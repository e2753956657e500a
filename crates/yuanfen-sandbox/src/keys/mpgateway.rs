//! mpgateway's side of the built-in set. Merchant and key are those of the sheet's worked examples.

use std::fmt;

use yuanfen_core::Secret;

pub(crate) const MPGATEWAY_MERCHANT: &str = "00000001";
pub(crate) const MPGATEWAY_KEY: &str = "testkey-0123456789abcdef";
pub(crate) const MPGATEWAY_OPENID: &str = "oSandbox_Mpgateway-012345678";

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
    pub(crate) fn at(base_url: &str) -> Self {
        Self {
            base_url: format!("{base_url}/mpgateway"),
            merchant: MPGATEWAY_MERCHANT.to_owned(),
            key: Secret::new(MPGATEWAY_KEY.to_owned()),
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
