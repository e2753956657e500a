//! WeChat Pay APIv3: a key pair and a certificate for a merchant, others for a service provider, and the platform's.

use std::fmt;
use std::sync::OnceLock;

use yuanfen_core::Secret;

use super::certificates::{CertifiedKey, Subject, issue};
use super::derivation::{Derivation, Made, Purpose, RsaPair};
use super::{
    KeySet, KeySetError, WECHAT_APP_ID, WECHAT_MERCHANT_ID, WECHAT_OPENID, WECHAT_PROVIDER_APP_ID, WECHAT_PROVIDER_ID,
    WECHAT_SUB_MERCHANTS, built_in, openid_under_sub_app,
};

pub(crate) const WECHAT_PUBLIC_KEY_ID: &str = "PUB_KEY_ID_0119000000012024010100000000000001";

/// The keys of both merchants and of the platform.
pub(crate) struct WechatV3Keys {
    pub(crate) merchant: CertifiedKey,
    pub(crate) api_key: Secret<String>,
    pub(crate) provider: CertifiedKey,
    pub(crate) provider_api_key: Secret<String>,
    /// The secrets of the merchant's app, the provider's, and the one sub-merchant's: WeChat's web wants them.
    pub(crate) app_secret: Secret<String>,
    pub(crate) provider_app_secret: Secret<String>,
    pub(crate) sub_app_secret: Secret<String>,
    /// The platform's public key, behind [`WECHAT_PUBLIC_KEY_ID`].
    pub(crate) public_key: RsaPair,
    /// The platform certificate that signs at first.
    pub(crate) platform: CertifiedKey,
    later: LaterPlatforms,
}

/// The platform certificates that rotation brings into use.
enum LaterPlatforms {
    BuiltIn,
    /// Made when rotation gets to them: it may never.
    Derived {
        derivation: Derivation,
        authority_key: Secret<String>,
        made: Box<[OnceLock<CertifiedKey>; LATER.len()]>,
    },
}

const LATER: [Purpose; 3] = Purpose::WECHAT_LATER_PLATFORMS;

/// Certificate and key.
const BUILT_IN_LATER: [(&str, &str); LATER.len()] = [
    (
        include_str!("wechat-platform-2-certificate.pem"),
        include_str!("wechat-platform-2-key.pem"),
    ),
    (
        include_str!("wechat-platform-3-certificate.pem"),
        include_str!("wechat-platform-3-key.pem"),
    ),
    (
        include_str!("wechat-platform-4-certificate.pem"),
        include_str!("wechat-platform-4-key.pem"),
    ),
];

impl WechatV3Keys {
    pub(super) const RSA: &[(Purpose, usize)] = &[
        (Purpose::WECHAT_MERCHANT, 2048),
        (Purpose::WECHAT_PROVIDER, 2048),
        (Purpose::WECHAT_PUBLIC_KEY, 2048),
        (Purpose::WECHAT_PLATFORM, 2048),
    ];

    pub(super) fn built_in() -> Self {
        Self {
            merchant: CertifiedKey {
                certificate_pem: include_str!("wechat-merchant-certificate.pem").to_owned(),
                private_key_pem: built_in(include_str!("wechat-merchant-key.pem")),
            },
            api_key: built_in("ThrowAwaySandboxApiV3KeyOfWechat"),
            provider: CertifiedKey {
                certificate_pem: include_str!("wechat-provider-certificate.pem").to_owned(),
                private_key_pem: built_in(include_str!("wechat-provider-key.pem")),
            },
            provider_api_key: built_in("ThrowAwaySandboxApiV3KeyProvider"),
            app_secret: built_in("0123456789abcdef0123456789abcde1"),
            provider_app_secret: built_in("0123456789abcdef0123456789abcde2"),
            sub_app_secret: built_in("0123456789abcdef0123456789abcde3"),
            public_key: RsaPair {
                private_key_pem: built_in(include_str!("wechat-public-key.pem")),
                public_key_pem: include_str!("wechat-public.pem").to_owned(),
            },
            platform: CertifiedKey {
                certificate_pem: include_str!("wechat-platform-1-certificate.pem").to_owned(),
                private_key_pem: built_in(include_str!("wechat-platform-1-key.pem")),
            },
            later: LaterPlatforms::BuiltIn,
        }
    }

    pub(super) fn derived(
        derivation: Derivation,
        made: &mut Made,
        authority_key: &Secret<String>,
    ) -> Result<Self, KeySetError> {
        let mut identify = |purpose: Purpose, subject: Subject<'_>| {
            let key = made.take(purpose)?.private_key_pem;
            certify(key, subject, &derivation.serial(purpose), authority_key)
        };
        let merchant = identify(Purpose::WECHAT_MERCHANT, Subject::Merchant(WECHAT_MERCHANT_ID))?;
        let provider = identify(Purpose::WECHAT_PROVIDER, Subject::Merchant(WECHAT_PROVIDER_ID))?;
        let platform = identify(Purpose::WECHAT_PLATFORM, Subject::Platform)?;
        Ok(Self {
            merchant,
            api_key: derivation.letters(Purpose::WECHAT_V3_API_KEY, 32),
            provider,
            provider_api_key: derivation.letters(Purpose::WECHAT_V3_PROVIDER_API_KEY, 32),
            app_secret: derivation.hex_lower(Purpose::WECHAT_APP_SECRET, 32),
            provider_app_secret: derivation.hex_lower(Purpose::WECHAT_PROVIDER_APP_SECRET, 32),
            sub_app_secret: derivation.hex_lower(Purpose::WECHAT_SUB_APP_SECRET, 32),
            public_key: made.take(Purpose::WECHAT_PUBLIC_KEY)?,
            platform,
            later: LaterPlatforms::Derived {
                derivation,
                authority_key: authority_key.clone(),
                made: Box::new(LATER.map(|_| OnceLock::new())),
            },
        })
    }

    /// The platform certificate after so many rotations (counted from 0) and one, with its key; `None` behind the last.
    /// Unless the set is built in, this takes up to a quarter of a second when it is first asked for.
    pub(crate) fn later_platform(&self, rotations: usize) -> Result<Option<CertifiedKey>, KeySetError> {
        match &self.later {
            LaterPlatforms::BuiltIn => Ok(BUILT_IN_LATER.get(rotations).map(|(certificate, key)| CertifiedKey {
                certificate_pem: (*certificate).to_owned(),
                private_key_pem: built_in(key),
            })),
            LaterPlatforms::Derived {
                derivation,
                authority_key,
                made,
            } => {
                let (Some(purpose), Some(made)) = (LATER.get(rotations), made.get(rotations)) else {
                    return Ok(None);
                };
                if let Some(made) = made.get() {
                    return Ok(Some(made.clone()));
                }
                let key = derivation.rsa(*purpose, 2048)?.private_key_pem;
                let identity = certify(key, Subject::Platform, &derivation.serial(*purpose), authority_key)?;
                // Whoever was first made the same.
                Ok(Some(made.get_or_init(|| identity).clone()))
            }
        }
    }
}

/// A key with a certificate for it.
fn certify(
    key: Secret<String>,
    subject: Subject<'_>,
    serial: &[u8; 20],
    authority_key: &Secret<String>,
) -> Result<CertifiedKey, KeySetError> {
    Ok(CertifiedKey {
        certificate_pem: issue(subject, &key, serial, authority_key).map_err(KeySetError::certificate)?,
        private_key_pem: key,
    })
}

/// What a client needs to call the sandbox's WeChat Pay APIv3. `Debug` shows no key.
#[derive(Clone)]
#[non_exhaustive]
pub struct WechatV3Credentials {
    /// Where calls go.
    pub base_url: String,
    /// `mchid`: the merchant.
    pub merchant_id: String,
    /// `appid`: the app.
    pub app_id: String,
    /// `secret`: the app's, for WeChat's web.
    pub app_secret: Secret<String>,
    /// `openid`: the payer that the sandbox plays.
    pub openid: String,
    /// `serial_no`: the merchant certificate's serial.
    pub merchant_serial: String,
    /// The key that signs the merchant's calls, PKCS#8 PEM.
    pub merchant_private_key_pem: Secret<String>,
    /// The merchant's certificate.
    pub merchant_certificate_pem: String,
    /// The key that opens notices and certificates.
    pub apiv3_key: Secret<String>,
    /// The serial of the platform certificate that signs at present.
    pub platform_serial: String,
    /// That certificate.
    pub platform_certificate_pem: String,
    /// Its key, for tests that forge answers and notices, PKCS#8 PEM.
    pub platform_private_key_pem: Secret<String>,
    /// The id of the platform's public key: a call that names it in `Wechatpay-Serial` is answered under that key.
    pub platform_public_key_id: String,
    /// That key.
    pub platform_public_key_pem: String,
}

impl WechatV3Credentials {
    pub(crate) fn at(base_url: &str, keys: &KeySet, merchant_serial: String, platform: (String, CertifiedKey)) -> Self {
        let (platform_serial, platform) = platform;
        let keys = keys.wechat_v3();
        Self {
            base_url: base_url.to_owned(),
            merchant_id: WECHAT_MERCHANT_ID.to_owned(),
            app_id: WECHAT_APP_ID.to_owned(),
            app_secret: keys.app_secret.clone(),
            openid: WECHAT_OPENID.to_owned(),
            merchant_serial,
            merchant_private_key_pem: keys.merchant.private_key_pem.clone(),
            merchant_certificate_pem: keys.merchant.certificate_pem.clone(),
            apiv3_key: keys.api_key.clone(),
            platform_serial,
            platform_certificate_pem: platform.certificate_pem,
            platform_private_key_pem: platform.private_key_pem,
            platform_public_key_id: WECHAT_PUBLIC_KEY_ID.to_owned(),
            platform_public_key_pem: keys.public_key.public_key_pem.clone(),
        }
    }
}

impl fmt::Debug for WechatV3Credentials {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("WechatV3Credentials")
            .field("base_url", &self.base_url)
            .field("merchant_id", &self.merchant_id)
            .field("app_id", &self.app_id)
            .field("merchant_serial", &self.merchant_serial)
            .field("platform_serial", &self.platform_serial)
            .field("platform_public_key_id", &self.platform_public_key_id)
            .finish_non_exhaustive()
    }
}

/// What a service provider needs to call the sandbox's WeChat Pay APIv3 for its merchants. `Debug` shows no key.
#[derive(Clone)]
#[non_exhaustive]
pub struct WechatV3ProviderCredentials {
    /// Where calls go.
    pub base_url: String,
    /// `sp_mchid`: the provider.
    pub provider_id: String,
    /// `sp_appid`: its app.
    pub app_id: String,
    /// `secret`: that app's, for WeChat's web.
    pub app_secret: Secret<String>,
    /// `secret` of the app of the merchant that has one.
    pub sub_app_secret: Secret<String>,
    /// `sub_mchid` and `sub_appid` of each of its merchants; not all have an app.
    pub sub_merchants: Vec<(String, Option<String>)>,
    /// `sp_openid`: the payer that the sandbox plays, under the provider's app.
    pub openid: String,
    /// `sub_openid`: the same payer under the app of a merchant that has one.
    pub sub_openid: String,
    /// `serial_no`: the provider certificate's serial.
    pub provider_serial: String,
    /// The key that signs the provider's calls, PKCS#8 PEM.
    pub provider_private_key_pem: Secret<String>,
    /// The provider's certificate.
    pub provider_certificate_pem: String,
    /// The key that opens notices and certificates.
    pub apiv3_key: Secret<String>,
}

impl WechatV3ProviderCredentials {
    pub(crate) fn at(base_url: &str, keys: &KeySet, provider_serial: String) -> Self {
        let keys = keys.wechat_v3();
        let sub_merchants = WECHAT_SUB_MERCHANTS.iter();
        Self {
            base_url: base_url.to_owned(),
            provider_id: WECHAT_PROVIDER_ID.to_owned(),
            app_id: WECHAT_PROVIDER_APP_ID.to_owned(),
            app_secret: keys.provider_app_secret.clone(),
            sub_app_secret: keys.sub_app_secret.clone(),
            sub_merchants: sub_merchants
                .map(|(merchant, app)| ((*merchant).to_owned(), app.map(str::to_owned)))
                .collect(),
            openid: WECHAT_OPENID.to_owned(),
            sub_openid: openid_under_sub_app(WECHAT_OPENID),
            provider_serial,
            provider_private_key_pem: keys.provider.private_key_pem.clone(),
            provider_certificate_pem: keys.provider.certificate_pem.clone(),
            apiv3_key: keys.provider_api_key.clone(),
        }
    }
}

impl fmt::Debug for WechatV3ProviderCredentials {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("WechatV3ProviderCredentials")
            .field("base_url", &self.base_url)
            .field("provider_id", &self.provider_id)
            .field("app_id", &self.app_id)
            .field("sub_merchants", &self.sub_merchants)
            .field("provider_serial", &self.provider_serial)
            .finish_non_exhaustive()
    }
}
