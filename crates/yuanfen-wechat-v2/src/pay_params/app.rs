//! What the merchant's own app hands to the payment SDK.

use std::fmt;

use serde::Serialize;
use yuanfen_core::{Ambient, BuildError, PrepayId, nonce_text};

use super::check;
use crate::Account;
use crate::sub_merchant::Trade;

/// For the app SDK (`PayReq`): all names in lower case, and no name of the algorithm, which must be the order's.
///
/// On Android `package` is set as `packageValue`, because the word is taken there.
#[derive(Clone, PartialEq, Eq, Serialize)]
#[non_exhaustive]
pub struct AppParams {
    /// `appid`: that of the app on the open platform.
    #[serde(rename = "appid")]
    pub app_id: String,
    /// `partnerid`: the merchant's number.
    #[serde(rename = "partnerid")]
    pub merchant_id: String,
    /// `prepayid`.
    #[serde(rename = "prepayid")]
    pub prepay_id: String,
    /// `package`: always `Sign=WXPay`; the prepay id has a place of its own.
    pub package: &'static str,
    /// `noncestr`.
    #[serde(rename = "noncestr")]
    pub nonce: String,
    /// `timestamp`: Unix seconds as text.
    pub timestamp: String,
    /// `sign`.
    #[serde(rename = "sign")]
    pub signature: String,
}

/// Without the prepay id and the signature.
impl fmt::Debug for AppParams {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("AppParams")
            .field("app_id", &self.app_id)
            .field("merchant_id", &self.merchant_id)
            .field("timestamp", &self.timestamp)
            .finish_non_exhaustive()
    }
}

impl Account {
    /// The parameters for the app SDK, signed now.
    ///
    /// For a service provider, the app is the sub-merchant's where it has one, and `partnerid` is `sub_mch_id`. No page
    /// says so; it is what other people's SDKs send (v2 sheet, section 3.3).
    ///
    /// # Errors
    /// When the prepay id's two hours are over, or it is none; see [`bridge_params`](Self::bridge_params). When the
    /// account is a service provider's that acts for no merchant in particular.
    pub fn app_params(&self, prepay_id: &PrepayId, ambient: &dyn Ambient) -> Result<AppParams, BuildError> {
        const PACKAGE: &str = "Sign=WXPay";
        let (app_id, merchant_id) = match &self.trade {
            Trade::Own => (&*self.app_id, &*self.merchant_id),
            Trade::SubMerchant(sub_merchant) => (
                sub_merchant.app_id().unwrap_or(&self.app_id),
                sub_merchant.merchant_id(),
            ),
            Trade::EverySubMerchant => return Err(Trade::needs_one()),
        };
        check(prepay_id, ambient)?;
        let timestamp = ambient.now().seconds().to_string();
        let nonce = nonce_text(ambient);
        let signature = self.signature_over(
            &[
                ("appid", app_id),
                ("partnerid", merchant_id),
                ("prepayid", prepay_id.as_str()),
                ("package", PACKAGE),
                ("noncestr", &nonce),
                ("timestamp", &timestamp),
            ],
            ambient,
        )?;
        Ok(AppParams {
            app_id: app_id.to_owned(),
            merchant_id: merchant_id.to_owned(),
            prepay_id: prepay_id.as_str().to_owned(),
            package: PACKAGE,
            nonce,
            timestamp,
            signature,
        })
    }
}
