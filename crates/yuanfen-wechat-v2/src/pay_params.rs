//! What the payer's page, mini program or app receives: v2 sheet, section 3.3.

mod app;

use std::fmt;

use serde::Serialize;
use yuanfen_core::{Alphabet, Ambient, BuildError, Fields, PrepayId, Rule, Sign as _, nonce_text};

use crate::sign::RULES;
use crate::{Account, PayerApp, SubMerchant};

pub use app::AppParams;

/// What fits behind `prepay_id=` into the 128 characters of `package`.
const PREPAY_ID: Rule = Rule::new("prepay_id", 118)
    .alphabet(Alphabet::WORD_HYPHEN)
    .source("v2 sheet, section 3.3");

/// For `WeixinJSBridge.invoke('getBrandWCPayRequest', …)`: serializes to exactly what the page hands over.
#[derive(Clone, PartialEq, Eq, Serialize)]
#[non_exhaustive]
pub struct BridgeParams {
    /// `appId`.
    #[serde(rename = "appId")]
    pub app_id: String,
    /// `timeStamp`: Unix seconds as text.
    #[serde(rename = "timeStamp")]
    pub time_stamp: String,
    /// `nonceStr`.
    #[serde(rename = "nonceStr")]
    pub nonce: String,
    /// `package`: `prepay_id=…`.
    pub package: String,
    /// `signType`: must equal the order's.
    #[serde(rename = "signType")]
    pub sign_type: &'static str,
    /// `paySign`.
    #[serde(rename = "paySign")]
    pub pay_sign: String,
}

/// Without the prepay id and the signature.
impl fmt::Debug for BridgeParams {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("BridgeParams")
            .field("app_id", &self.app_id)
            .field("time_stamp", &self.time_stamp)
            .field("sign_type", &self.sign_type)
            .finish_non_exhaustive()
    }
}

/// For `wx.chooseWXPay`: the same signature, but the call is handed `timestamp` in lower case while `timeStamp` is
/// signed, and takes no app id: the page's `wx.config` must have named the one that is signed.
#[derive(Clone, PartialEq, Eq, Serialize)]
#[non_exhaustive]
pub struct ChooseWxPayParams {
    /// `timestamp`, all lower case.
    pub timestamp: String,
    /// `nonceStr`.
    #[serde(rename = "nonceStr")]
    pub nonce: String,
    /// `package`: `prepay_id=…`.
    pub package: String,
    /// `signType`: always sent, because the call's own default is the ancient SHA1.
    #[serde(rename = "signType")]
    pub sign_type: &'static str,
    /// `paySign`.
    #[serde(rename = "paySign")]
    pub pay_sign: String,
}

/// Without the prepay id and the signature.
impl fmt::Debug for ChooseWxPayParams {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("ChooseWxPayParams")
            .field("timestamp", &self.timestamp)
            .field("sign_type", &self.sign_type)
            .finish_non_exhaustive()
    }
}

impl From<BridgeParams> for ChooseWxPayParams {
    fn from(bridge: BridgeParams) -> Self {
        Self {
            timestamp: bridge.time_stamp,
            nonce: bridge.nonce,
            package: bridge.package,
            sign_type: bridge.sign_type,
            pay_sign: bridge.pay_sign,
        }
    }
}

/// For `wx.requestPayment` of a mini program: the bridge's signature, but the app id is signed and not passed; the mini
/// program that calls is the one that is signed, or the call fails.
#[derive(Clone, PartialEq, Eq, Serialize)]
#[non_exhaustive]
pub struct MiniProgramParams {
    /// `timeStamp`, with a capital S here.
    #[serde(rename = "timeStamp")]
    pub time_stamp: String,
    /// `nonceStr`.
    #[serde(rename = "nonceStr")]
    pub nonce: String,
    /// `package`: `prepay_id=…`.
    pub package: String,
    /// `signType`: always sent, because the call's own default is `MD5`.
    #[serde(rename = "signType")]
    pub sign_type: &'static str,
    /// `paySign`.
    #[serde(rename = "paySign")]
    pub pay_sign: String,
}

/// Without the prepay id and the signature.
impl fmt::Debug for MiniProgramParams {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("MiniProgramParams")
            .field("time_stamp", &self.time_stamp)
            .field("sign_type", &self.sign_type)
            .finish_non_exhaustive()
    }
}

impl From<BridgeParams> for MiniProgramParams {
    fn from(bridge: BridgeParams) -> Self {
        Self {
            time_stamp: bridge.time_stamp,
            nonce: bridge.nonce,
            package: bridge.package,
            sign_type: bridge.sign_type,
            pay_sign: bridge.pay_sign,
        }
    }
}

impl Account {
    /// The parameters for `WeixinJSBridge`, signed now.
    ///
    /// `payer_app` says under which app the payer of the order is known; the order's own [`Payer`](crate::Payer) may
    /// stand there as well. Without a sub-merchant it is always [`PayerApp::Account`].
    ///
    /// # Errors
    /// When the prepay id's two hours are over: repeat the identical order under the same number for a new one. When
    /// it is empty or no id at all, as one that got lost in storage. When the payer is known under the sub-merchant's
    /// app and the account has none.
    pub fn bridge_params(
        &self,
        prepay_id: &PrepayId,
        payer_app: impl Into<PayerApp>,
        ambient: &dyn Ambient,
    ) -> Result<BridgeParams, BuildError> {
        let app_id = self.app_id_of(payer_app.into())?;
        check(prepay_id, ambient)?;
        let time_stamp = ambient.now().seconds().to_string();
        let nonce = nonce_text(ambient);
        let package = format!("prepay_id={}", prepay_id.as_str());
        let sign_type = self.sign_type.as_str();
        let pay_sign = self.signature_over(
            &[
                ("appId", app_id),
                ("timeStamp", &time_stamp),
                ("nonceStr", &nonce),
                ("package", &package),
                ("signType", sign_type),
            ],
            ambient,
        )?;
        Ok(BridgeParams {
            app_id: app_id.to_owned(),
            time_stamp,
            nonce,
            package,
            sign_type,
            pay_sign,
        })
    }

    /// The parameters for `wx.chooseWXPay`, signed now.
    ///
    /// # Errors
    /// As [`bridge_params`](Self::bridge_params).
    pub fn choose_wx_pay_params(
        &self,
        prepay_id: &PrepayId,
        payer_app: impl Into<PayerApp>,
        ambient: &dyn Ambient,
    ) -> Result<ChooseWxPayParams, BuildError> {
        self.bridge_params(prepay_id, payer_app, ambient)
            .map(ChooseWxPayParams::from)
    }

    /// The parameters for `wx.requestPayment` of a mini program, signed now.
    ///
    /// # Errors
    /// As [`bridge_params`](Self::bridge_params).
    pub fn mini_program_params(
        &self,
        prepay_id: &PrepayId,
        payer_app: impl Into<PayerApp>,
        ambient: &dyn Ambient,
    ) -> Result<MiniProgramParams, BuildError> {
        self.bridge_params(prepay_id, payer_app, ambient)
            .map(MiniProgramParams::from)
    }

    fn app_id_of(&self, payer_app: PayerApp) -> Result<&str, BuildError> {
        match payer_app {
            PayerApp::Account => Ok(&self.app_id),
            PayerApp::SubMerchant => self
                .sub_merchant()
                .and_then(SubMerchant::app_id)
                .ok_or(BuildError::Missing {
                    field: "sub_appid",
                    when: "where the payer is known under it",
                }),
        }
    }

    /// Signs by the rule of messages and with the account's own algorithm, which must be the order's.
    pub(crate) fn signature_over(&self, pairs: &[(&str, &str)], ambient: &dyn Ambient) -> Result<String, BuildError> {
        let fields = Fields::try_from(pairs).map_err(BuildError::encode)?;
        let text = RULES.text(&fields, self.signer.key());
        Ok(self.signer.sign(text.as_bytes(), ambient)?)
    }
}

/// Refuses a prepay id that is none, or is none any more.
pub(crate) fn check(prepay_id: &PrepayId, ambient: &dyn Ambient) -> Result<(), BuildError> {
    PREPAY_ID.check(prepay_id.as_str())?;
    if prepay_id.is_expired(ambient.now()) {
        return Err(BuildError::Time {
            field: "prepay_id",
            problem: "is older than two hours; repeat the identical order under the same number for a new one",
        });
    }
    Ok(())
}
