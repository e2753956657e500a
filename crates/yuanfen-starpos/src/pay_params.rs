//! What the payer's page receives: the gateway signs it, we pass it on.

use std::fmt;

use serde::Serialize;

/// For `WeixinJSBridge.invoke('getBrandWCPayRequest', …)`: serializes to exactly what the page hands over. The
/// gateway's own `api…` fields, renamed (StarPos sheet, section 6.2). `Debug` does not show the signature.
#[derive(Clone, PartialEq, Eq, Serialize)]
#[non_exhaustive]
pub struct PageParams {
    /// `apiAppid`, for the page `appId`.
    #[serde(rename = "appId")]
    pub app_id: String,
    /// `apiTimestamp`, for the page `timeStamp`.
    #[serde(rename = "timeStamp")]
    pub time_stamp: String,
    /// `apiNoncestr`, for the page `nonceStr`.
    #[serde(rename = "nonceStr")]
    pub nonce: String,
    /// `apiPackage`, for the page `package`.
    pub package: String,
    /// `apiSigntype`, for the page `signType`.
    #[serde(rename = "signType")]
    pub sign_type: String,
    /// `apiPaysign`, for the page `paySign`. It may be base64: it is passed on as it came.
    #[serde(rename = "paySign")]
    pub pay_sign: String,
}

impl fmt::Debug for PageParams {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("PageParams")
            .field("app_id", &self.app_id)
            .field("time_stamp", &self.time_stamp)
            .field("package", &self.package)
            .field("sign_type", &self.sign_type)
            .finish_non_exhaustive()
    }
}
