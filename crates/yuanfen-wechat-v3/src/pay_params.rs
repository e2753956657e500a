//! What the payer's page receives to open the cashier. v3 sheet, section 22.

use std::fmt;

use serde::Serialize;
use yuanfen_core::{Alphabet, Ambient, BuildError, PrepayId, Rule, nonce_text};

use crate::Account;
use crate::sign::invoke_text;

/// The documents say 64 characters; what the platform sends is not refused for its length before twice that.
pub(crate) const PREPAY_ID: Rule = Rule::new("prepay_id", 128)
    .alphabet(Alphabet::new("printable ASCII without blanks", |character| {
        character.is_ascii_graphic()
    }))
    .source("v3 sheet, section 13.4");

/// What an official account's page passes to `WeixinJSBridge.invoke('getBrandWCPayRequest', …)`. Serialize it as it is.
/// `Debug` does not show the signature.
#[derive(Clone, PartialEq, Eq, Serialize)]
#[serde(rename_all = "camelCase")]
#[non_exhaustive]
pub struct JsapiParams {
    /// `appId`: the app under which the order was placed.
    pub app_id: String,
    /// `timeStamp`: seconds, as text.
    pub time_stamp: String,
    /// `nonceStr`.
    pub nonce_str: String,
    /// `package`: `prepay_id=…`.
    pub package: String,
    /// `signType`: `RSA`. It is passed and not signed.
    pub sign_type: &'static str,
    /// `paySign`.
    pub pay_sign: String,
}

/// What a mini program passes to `wx.requestPayment`: the same without the app id, which is signed all the same and must
/// be that of the running mini program. Serialize it as it is. `Debug` does not show the signature.
#[derive(Clone, PartialEq, Eq, Serialize)]
#[serde(rename_all = "camelCase")]
#[non_exhaustive]
pub struct RequestPaymentParams {
    /// `timeStamp`: seconds, as text.
    pub time_stamp: String,
    /// `nonceStr`.
    pub nonce_str: String,
    /// `package`: `prepay_id=…`.
    pub package: String,
    /// `signType`: `RSA`. It is passed and not signed.
    pub sign_type: &'static str,
    /// `paySign`.
    pub pay_sign: String,
}

/// Parameters whose text is fixed and whose signature is still to come, for keys that are elsewhere. The text holds no
/// secret.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct PayParamsDraft {
    app_id: Box<str>,
    timestamp: String,
    nonce: String,
    package: String,
}

impl Account {
    /// The parameters for an official account's page.
    ///
    /// # Errors
    /// When the prepay id is not of its form, its two hours are over, or signing fails.
    pub fn jsapi_params(&self, prepay_id: &PrepayId, ambient: &dyn Ambient) -> Result<JsapiParams, BuildError> {
        let draft = self.pay_params_draft(prepay_id, ambient)?;
        let signature = self.signing_key().sign(&draft.text(), ambient)?;
        Ok(draft.into_jsapi(signature))
    }

    /// The parameters for a mini program.
    ///
    /// # Errors
    /// When the prepay id is not of its form, its two hours are over, or signing fails.
    pub fn request_payment_params(
        &self,
        prepay_id: &PrepayId,
        ambient: &dyn Ambient,
    ) -> Result<RequestPaymentParams, BuildError> {
        let draft = self.pay_params_draft(prepay_id, ambient)?;
        let signature = self.signing_key().sign(&draft.text(), ambient)?;
        Ok(draft.into_request_payment(signature))
    }

    /// The text of either, to be signed elsewhere.
    ///
    /// # Errors
    /// When the prepay id is not of its form, or its two hours are over.
    pub fn pay_params_draft(&self, prepay_id: &PrepayId, ambient: &dyn Ambient) -> Result<PayParamsDraft, BuildError> {
        PREPAY_ID.check(prepay_id.as_str())?;
        let now = ambient.now();
        if prepay_id.is_expired(now) {
            return Err(BuildError::Time {
                field: "prepay_id",
                problem: "is older than two hours; repeat the identical order under the same number for another",
            });
        }
        Ok(PayParamsDraft {
            app_id: self.ids().app_id().into(),
            timestamp: now.seconds().to_string(),
            nonce: nonce_text(ambient),
            package: format!("prepay_id={}", prepay_id.as_str()),
        })
    }
}

const SIGN_TYPE: &str = "RSA";

impl PayParamsDraft {
    /// The four-line text.
    #[must_use]
    pub fn text(&self) -> Vec<u8> {
        invoke_text(&self.app_id, &self.timestamp, &self.nonce, &self.package)
    }

    /// The parameters for an official account's page, with the signature over the text.
    #[must_use]
    pub fn into_jsapi(self, signature: String) -> JsapiParams {
        JsapiParams {
            app_id: self.app_id.into(),
            time_stamp: self.timestamp,
            nonce_str: self.nonce,
            package: self.package,
            sign_type: SIGN_TYPE,
            pay_sign: signature,
        }
    }

    /// The parameters for a mini program, with the signature over the text.
    #[must_use]
    pub fn into_request_payment(self, signature: String) -> RequestPaymentParams {
        RequestPaymentParams {
            time_stamp: self.timestamp,
            nonce_str: self.nonce,
            package: self.package,
            sign_type: SIGN_TYPE,
            pay_sign: signature,
        }
    }
}

impl fmt::Debug for JsapiParams {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("JsapiParams")
            .field("app_id", &self.app_id)
            .field("time_stamp", &self.time_stamp)
            .finish_non_exhaustive()
    }
}

impl fmt::Debug for RequestPaymentParams {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("RequestPaymentParams")
            .field("time_stamp", &self.time_stamp)
            .finish_non_exhaustive()
    }
}
