//! What the payer's page receives: v2 sheet, section 3.3.

use std::fmt;

use serde::Serialize;
use yuanfen_core::{Alphabet, Ambient, BuildError, Fields, PrepayId, Rule, Sign as _, nonce_text};

use crate::Account;
use crate::sign::RULES;

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

impl Account {
    /// The parameters for `WeixinJSBridge`, signed now.
    ///
    /// # Errors
    /// When the prepay id's two hours are over: repeat the identical order under the same number for a new one. When
    /// it is empty or no id at all, as one that got lost in storage.
    pub fn bridge_params(&self, prepay_id: &PrepayId, ambient: &dyn Ambient) -> Result<BridgeParams, BuildError> {
        PREPAY_ID.check(prepay_id.as_str())?;
        let now = ambient.now();
        if prepay_id.is_expired(now) {
            return Err(BuildError::Time {
                field: "prepay_id",
                problem: "is older than two hours; repeat the identical order under the same number for a new one",
            });
        }
        let time_stamp = now.seconds().to_string();
        let nonce = nonce_text(ambient);
        let package = format!("prepay_id={}", prepay_id.as_str());
        let sign_type = self.sign_type.as_str();
        let signed = [
            ("appId", &*self.app_id),
            ("timeStamp", &*time_stamp),
            ("nonceStr", &*nonce),
            ("package", &*package),
            ("signType", sign_type),
        ];
        let fields = Fields::try_from(&signed[..]).map_err(BuildError::encode)?;
        let pay_sign = self
            .signer
            .sign(RULES.text(&fields, self.signer.key()).as_bytes(), ambient)?;
        Ok(BridgeParams {
            app_id: self.app_id.to_string(),
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
        ambient: &dyn Ambient,
    ) -> Result<ChooseWxPayParams, BuildError> {
        self.bridge_params(prepay_id, ambient).map(ChooseWxPayParams::from)
    }
}
