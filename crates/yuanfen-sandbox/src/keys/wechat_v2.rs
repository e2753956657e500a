//! WeChat Pay v2: one key for a merchant, another for a service provider.

use std::fmt;

use yuanfen_core::Secret;

use super::derivation::{Derivation, Purpose};
use super::{
    CertifiedKey, KeySet, KeySetError, WECHAT_APP_ID, WECHAT_MERCHANT_ID, WECHAT_OPENID, WECHAT_OTHER_SUB_MERCHANT,
    WECHAT_PROVIDER_APP_ID, WECHAT_PROVIDER_ID, WECHAT_SUB_APP_ID, WECHAT_SUB_MERCHANT, built_in, openid_under_sub_app,
};

/// The API keys. Certificates are those of APIv3: a merchant number has one, whatever it calls.
pub(crate) struct WechatV2Keys {
    pub(crate) api_key: Secret<String>,
    pub(crate) provider_api_key: Secret<String>,
}

impl WechatV2Keys {
    pub(super) fn built_in() -> Self {
        Self {
            api_key: built_in("ThrowAwaySandboxApiKeyOfWechatV2"),
            provider_api_key: built_in("ThrowAwaySandboxApiKeyOfProvider"),
        }
    }

    pub(super) fn derived(derivation: &Derivation) -> Self {
        Self {
            api_key: derivation.letters(Purpose::WECHAT_V2_API_KEY, 32),
            provider_api_key: derivation.letters(Purpose::WECHAT_V2_PROVIDER_API_KEY, 32),
        }
    }
}

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
    /// What the merchant shows of itself where its certificate is wanted: the same certificate and key as under APIv3.
    pub certificate: CertifiedKey,
    /// Who signed that certificate, and the sandbox's own as a server, PEM.
    pub ca_certificate_pem: String,
}

impl WechatV2Credentials {
    /// Certificate and key as PKCS#12 (`apiclient_cert.p12`). The password is the merchant number, as in life.
    ///
    /// # Errors
    /// When the file cannot be made, which the keys of a [`KeySet`] give no cause for.
    pub fn pkcs12(&self) -> Result<Secret<Vec<u8>>, KeySetError> {
        self.certificate.to_pkcs12(&self.merchant_id, &self.ca_certificate_pem)
    }

    pub(crate) fn at(base_url: &str, keys: &KeySet) -> Self {
        Self {
            base_url: base_url.to_owned(),
            merchant_id: WECHAT_MERCHANT_ID.to_owned(),
            app_id: WECHAT_APP_ID.to_owned(),
            openid: WECHAT_OPENID.to_owned(),
            api_key: keys.wechat_v2().api_key.clone(),
            certificate: keys.wechat_v3().merchant.clone(),
            ca_certificate_pem: keys.ca_certificate_pem().to_owned(),
        }
    }
}

/// What a service provider's client needs to call the sandbox's WeChat Pay v2. `Debug` shows no key.
///
/// It has two sub-merchants: one with an app of its own, one without.
#[derive(Clone)]
#[non_exhaustive]
pub struct WechatV2ProviderCredentials {
    /// Where calls go.
    pub base_url: String,
    /// `mch_id`: the service provider.
    pub merchant_id: String,
    /// `appid`: the provider's app.
    pub app_id: String,
    /// `sub_mch_id`: the sub-merchant that has an app.
    pub sub_merchant_id: String,
    /// `sub_appid`: that app.
    pub sub_app_id: String,
    /// `sub_mch_id` of another sub-merchant, which has no app.
    pub other_sub_merchant_id: String,
    /// `openid`: the payer that the sandbox plays, under the provider's app.
    pub openid: String,
    /// `sub_openid`: the same payer under the sub-merchant's app.
    pub sub_openid: String,
    /// The provider's key, which signs for all of its sub-merchants.
    pub api_key: Secret<String>,
    /// What the provider shows of itself where its certificate is wanted: the same certificate and key as under APIv3.
    pub certificate: CertifiedKey,
    /// Who signed that certificate, and the sandbox's own as a server, PEM.
    pub ca_certificate_pem: String,
}

impl WechatV2ProviderCredentials {
    /// Certificate and key as PKCS#12 (`apiclient_cert.p12`). The password is the provider's number, as in life.
    ///
    /// # Errors
    /// When the file cannot be made, which the keys of a [`KeySet`] give no cause for.
    pub fn pkcs12(&self) -> Result<Secret<Vec<u8>>, KeySetError> {
        self.certificate.to_pkcs12(&self.merchant_id, &self.ca_certificate_pem)
    }

    pub(crate) fn at(base_url: &str, keys: &KeySet) -> Self {
        Self {
            base_url: base_url.to_owned(),
            merchant_id: WECHAT_PROVIDER_ID.to_owned(),
            app_id: WECHAT_PROVIDER_APP_ID.to_owned(),
            sub_merchant_id: WECHAT_SUB_MERCHANT.to_owned(),
            sub_app_id: WECHAT_SUB_APP_ID.to_owned(),
            other_sub_merchant_id: WECHAT_OTHER_SUB_MERCHANT.to_owned(),
            openid: WECHAT_OPENID.to_owned(),
            sub_openid: openid_under_sub_app(WECHAT_OPENID),
            api_key: keys.wechat_v2().provider_api_key.clone(),
            certificate: keys.wechat_v3().provider.clone(),
            ca_certificate_pem: keys.ca_certificate_pem().to_owned(),
        }
    }
}

impl fmt::Debug for WechatV2ProviderCredentials {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("WechatV2ProviderCredentials")
            .field("base_url", &self.base_url)
            .field("merchant_id", &self.merchant_id)
            .field("app_id", &self.app_id)
            .field("sub_merchant_id", &self.sub_merchant_id)
            .field("sub_app_id", &self.sub_app_id)
            .field("other_sub_merchant_id", &self.other_sub_merchant_id)
            .finish_non_exhaustive()
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
