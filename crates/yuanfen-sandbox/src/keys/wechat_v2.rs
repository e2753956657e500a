//! WeChat Pay v2: one key for a merchant, another for a service provider.

use std::fmt;

use yuanfen_core::Secret;

use super::{WECHAT_APP_ID, WECHAT_MERCHANT_ID, WECHAT_OPENID};

pub(crate) const WECHAT_API_KEY: &str = "ThrowAwaySandboxApiKeyOfWechatV2";
pub(crate) const WECHAT_PROVIDER_API_KEY: &str = "ThrowAwaySandboxApiKeyOfProvider";

/// What a client needs to call the sandbox's WeChat Pay v2. `Debug` shows no key.
#[derive(Clone)]
#[non_exhaustive]
pub struct WechatV2Credentials {
    /// Where calls go.
    pub base_url: String,
    /// `mch_id`: the merchant.
    pub merchant_id: String,
    /// `appid`: the app.
    pub app_id: String,
    /// `openid`: the payer that the sandbox plays.
    pub openid: String,
    /// The key that both ends share.
    pub api_key: Secret<String>,
}

impl WechatV2Credentials {
    pub(crate) fn at(base_url: &str) -> Self {
        Self {
            base_url: base_url.to_owned(),
            merchant_id: WECHAT_MERCHANT_ID.to_owned(),
            app_id: WECHAT_APP_ID.to_owned(),
            openid: WECHAT_OPENID.to_owned(),
            api_key: Secret::new(WECHAT_API_KEY.to_owned()),
        }
    }
}

impl fmt::Debug for WechatV2Credentials {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("WechatV2Credentials")
            .field("base_url", &self.base_url)
            .field("merchant_id", &self.merchant_id)
            .field("app_id", &self.app_id)
            .finish_non_exhaustive()
    }
}
