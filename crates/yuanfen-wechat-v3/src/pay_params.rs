//! What the payer's page or app receives to open the cashier. v3 sheet, section 22.

use std::fmt;

use serde::Serialize;
use yuanfen_core::{Ambient, BuildError, PrepayId, nonce_text};

use crate::handed_out::PREPAY_ID;
use crate::sign::invoke_text;
use crate::{Account, Payer};

/// Which app opens the cashier. It is the one that an order was placed for, and the one under which its payer's open id
/// was obtained; the platform opens the cashier of an order in no other.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum CashierApp {
    /// `appid`, in partner form `sp_appid`: the app of the one who signs.
    Own,
    /// `sub_appid`: the sub-merchant's app. In partner form alone.
    SubMerchant,
}

impl From<&Payer> for CashierApp {
    /// The app under which the payer's open id was obtained.
    fn from(payer: &Payer) -> Self {
        match payer {
            Payer::OpenId(_) => Self::Own,
            Payer::SubOpenId(_) => Self::SubMerchant,
        }
    }
}

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

/// What a mobile app passes to the platform's library (iOS, Android, HarmonyOS). Serialize it as it is; on Android the
/// member `package` is called `packageValue`. `Debug` does not show the signature.
#[derive(Clone, PartialEq, Eq, Serialize)]
#[non_exhaustive]
pub struct AppParams {
    /// `appid`: the app that opens the cashier.
    #[serde(rename = "appid")]
    pub app_id: String,
    /// `partnerid`: the merchant, in partner form the provider (`sp_mchid`; v3 sheet, section 25).
    #[serde(rename = "partnerid")]
    pub partner_id: String,
    /// `prepayid`, bare.
    #[serde(rename = "prepayid")]
    pub prepay_id: String,
    /// `package`: `Sign=WXPay`. It is passed and not signed.
    pub package: &'static str,
    /// `noncestr`.
    #[serde(rename = "noncestr")]
    pub nonce: String,
    /// `timestamp`: seconds, as text.
    pub timestamp: String,
    /// `sign`.
    pub sign: String,
}

/// The parameters of a page or a mini program whose text is fixed and whose signature is still to come, for keys that are
/// elsewhere. The text holds no secret.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct PayParamsDraft {
    app_id: Box<str>,
    timestamp: String,
    nonce: String,
    package: String,
}

/// The parameters of a mobile app whose text is fixed and whose signature is still to come, for keys that are elsewhere.
/// The text holds no secret.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct AppParamsDraft {
    app_id: Box<str>,
    partner_id: Box<str>,
    timestamp: String,
    nonce: String,
    prepay_id: String,
}

/// The cashier of an account in one app, made by [`Account::cashier`].
#[derive(Clone, Copy, Debug)]
pub struct Cashier<'a> {
    account: &'a Account,
    app_id: &'a str,
}

impl Account {
    /// The cashier in that app.
    ///
    /// The calls of the account itself choose by a rule that fits wherever one app places and pays: the sub-merchant's own
    /// app where the account names one, otherwise the app of the one who signs. A provider's mini program that serves a
    /// merchant with an app of its own has to be chosen here; so does what an order's payer says
    /// (`CashierApp::from(&order.payer)`).
    ///
    /// # Errors
    /// When it is the sub-merchant's app and the account names none.
    pub fn cashier(&self, app: CashierApp) -> Result<Cashier<'_>, BuildError> {
        let app_id = match app {
            CashierApp::Own => self.ids().app_id(),
            CashierApp::SubMerchant => self.sub_app_id().ok_or(BuildError::Missing {
                field: "sub_appid",
                when: "where the sub-merchant's app opens the cashier (v3 sheet, section 22)",
            })?,
        };
        Ok(Cashier { account: self, app_id })
    }

    fn usual_cashier(&self) -> Cashier<'_> {
        Cashier {
            account: self,
            app_id: self.sub_app_id().unwrap_or_else(|| self.ids().app_id()),
        }
    }

    fn sub_app_id(&self) -> Option<&str> {
        self.ids().sub_merchant().and_then(|sub| sub.app_id.as_deref())
    }

    /// The parameters for an official account's page.
    ///
    /// # Errors
    /// When the prepay id is not of its form, its two hours are over, or signing fails.
    pub fn jsapi_params(&self, prepay_id: &PrepayId, ambient: &dyn Ambient) -> Result<JsapiParams, BuildError> {
        self.usual_cashier().jsapi_params(prepay_id, ambient)
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
        self.usual_cashier().request_payment_params(prepay_id, ambient)
    }

    /// The parameters for a mobile app.
    ///
    /// # Errors
    /// When the prepay id is not of its form, its two hours are over, or signing fails.
    pub fn app_params(&self, prepay_id: &PrepayId, ambient: &dyn Ambient) -> Result<AppParams, BuildError> {
        self.usual_cashier().app_params(prepay_id, ambient)
    }

    /// The text for a page or a mini program, to be signed elsewhere.
    ///
    /// # Errors
    /// When the prepay id is not of its form, or its two hours are over.
    pub fn pay_params_draft(&self, prepay_id: &PrepayId, ambient: &dyn Ambient) -> Result<PayParamsDraft, BuildError> {
        self.usual_cashier().pay_params_draft(prepay_id, ambient)
    }

    /// The text for a mobile app, to be signed elsewhere.
    ///
    /// # Errors
    /// When the prepay id is not of its form, or its two hours are over.
    pub fn app_params_draft(&self, prepay_id: &PrepayId, ambient: &dyn Ambient) -> Result<AppParamsDraft, BuildError> {
        self.usual_cashier().app_params_draft(prepay_id, ambient)
    }
}

impl Cashier<'_> {
    /// The app that opens it.
    #[must_use]
    pub const fn app_id(&self) -> &str {
        self.app_id
    }

    /// The parameters for an official account's page.
    ///
    /// # Errors
    /// When the prepay id is not of its form, its two hours are over, or signing fails.
    pub fn jsapi_params(&self, prepay_id: &PrepayId, ambient: &dyn Ambient) -> Result<JsapiParams, BuildError> {
        let draft = self.pay_params_draft(prepay_id, ambient)?;
        let signature = self.account.signing_key().sign(&draft.text(), ambient)?;
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
        let signature = self.account.signing_key().sign(&draft.text(), ambient)?;
        Ok(draft.into_request_payment(signature))
    }

    /// The parameters for a mobile app.
    ///
    /// # Errors
    /// When the prepay id is not of its form, its two hours are over, or signing fails.
    pub fn app_params(&self, prepay_id: &PrepayId, ambient: &dyn Ambient) -> Result<AppParams, BuildError> {
        let draft = self.app_params_draft(prepay_id, ambient)?;
        let signature = self.account.signing_key().sign(&draft.text(), ambient)?;
        Ok(draft.into_app(signature))
    }

    /// The text for a page or a mini program, to be signed elsewhere.
    ///
    /// # Errors
    /// When the prepay id is not of its form, or its two hours are over.
    pub fn pay_params_draft(&self, prepay_id: &PrepayId, ambient: &dyn Ambient) -> Result<PayParamsDraft, BuildError> {
        check(prepay_id, ambient)?;
        Ok(PayParamsDraft {
            app_id: self.app_id.into(),
            timestamp: ambient.now().seconds().to_string(),
            nonce: nonce_text(ambient),
            package: format!("prepay_id={}", prepay_id.as_str()),
        })
    }

    /// The text for a mobile app, to be signed elsewhere.
    ///
    /// # Errors
    /// When the prepay id is not of its form, or its two hours are over.
    pub fn app_params_draft(&self, prepay_id: &PrepayId, ambient: &dyn Ambient) -> Result<AppParamsDraft, BuildError> {
        check(prepay_id, ambient)?;
        Ok(AppParamsDraft {
            app_id: self.app_id.into(),
            partner_id: self.account.ids().merchant_id().into(),
            timestamp: ambient.now().seconds().to_string(),
            nonce: nonce_text(ambient),
            prepay_id: prepay_id.as_str().into(),
        })
    }
}

fn check(prepay_id: &PrepayId, ambient: &dyn Ambient) -> Result<(), BuildError> {
    PREPAY_ID.check(prepay_id.as_str())?;
    if prepay_id.is_expired(ambient.now()) {
        return Err(BuildError::Time {
            field: "prepay_id",
            problem: "is older than two hours; repeat the identical order under the same number for another",
        });
    }
    Ok(())
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

impl AppParamsDraft {
    /// The four-line text. Its last line is the bare prepay id, where a page's has `prepay_id=` before it.
    #[must_use]
    pub fn text(&self) -> Vec<u8> {
        invoke_text(&self.app_id, &self.timestamp, &self.nonce, &self.prepay_id)
    }

    /// The parameters, with the signature over the text.
    #[must_use]
    pub fn into_app(self, signature: String) -> AppParams {
        AppParams {
            app_id: self.app_id.into(),
            partner_id: self.partner_id.into(),
            prepay_id: self.prepay_id,
            package: "Sign=WXPay",
            nonce: self.nonce,
            timestamp: self.timestamp,
            sign: signature,
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

impl fmt::Debug for AppParams {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("AppParams")
            .field("app_id", &self.app_id)
            .field("partner_id", &self.partner_id)
            .field("timestamp", &self.timestamp)
            .finish_non_exhaustive()
    }
}
