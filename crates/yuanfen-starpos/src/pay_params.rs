//! What the payer's page receives: the gateway signs it, we pass it on.

use serde::Serialize;

/// For `WeixinJSBridge.invoke('getBrandWCPayRequest', …)`: serializes to exactly what the page hands over. The
/// gateway's own `api…` fields, renamed (StarPos sheet, section 6.2).
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
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
