//! Whose id goes into envelopes, which key signs them, and which key checks call-backs.

use std::fmt;

use yuanfen_core::{Address, AddressError, Alphabet, BaseUrl, BuildError, Rule};
use yuanfen_envelope::CallbackRules;
use yuanfen_sign::KeyError;
use yuanfen_sign::legacy::{LegacyRsaSigningKey, LegacyRsaVerifyingKey, RsaDigest};

/// The production host. Its platform key is not the test host's.
pub const PRODUCTION_BASE: &str = "https://openapi-liquidation.51fubei.com";
/// The test host. Its platform key is not the production host's.
pub const TEST_BASE: &str = "https://openapi-liquidation-test.51fubei.com";

const APP_ID: Rule = Rule::new("app_id", 28)
    .alphabet(Alphabet::WORD_HYPHEN)
    .source("fshows sheet, section 4");

/// A liquidator's account. Cheap to clone; `Debug` shows no key.
#[derive(Clone)]
pub struct Account {
    pub(crate) app_id: Box<str>,
    pub(crate) signer: LegacyRsaSigningKey,
    pub(crate) platform: LegacyRsaVerifyingKey,
    pub(crate) base: BaseUrl,
    pub(crate) gateway: Address,
    pub(crate) callbacks: CallbackRules,
    pub(crate) acknowledgement: Box<str>,
}

/// A setting that an account cannot be made of.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum SetupError {
    /// The app id breaks its rule.
    #[error("the app id breaks its rule")]
    Number(#[from] BuildError),
    /// The private key of the liquidator cannot be used.
    #[error("the liquidator's private key cannot be used")]
    PrivateKey(#[source] KeyError),
    /// The public key of the platform cannot be used.
    #[error("the platform's public key cannot be used")]
    PlatformKey(#[source] KeyError),
    /// The base address may not be used.
    #[error("the base address may not be used")]
    Base(#[from] AddressError),
}

impl Account {
    /// An account that signs with SHA-1, as everything known of this platform does.
    ///
    /// `app_id` is the liquidator's id (清算方ID), no WeChat app id. Keys are taken as PEM or as one line of base64, the
    /// private one in PKCS#1 or PKCS#8, 1024 to 4096 bits. `base` is one of [`PRODUCTION_BASE`], [`TEST_BASE`], or the
    /// host of a bank's own deployment; the platform's key must be that host's.
    ///
    /// # Errors
    /// When the app id breaks its rule, or a key cannot be used.
    pub fn new(
        app_id: impl Into<String>,
        private_key: &str,
        platform_key: &str,
        base: &BaseUrl,
    ) -> Result<Self, SetupError> {
        let app_id = app_id.into();
        APP_ID.check(&app_id)?;
        Ok(Self {
            app_id: app_id.into(),
            signer: LegacyRsaSigningKey::parse(private_key, RsaDigest::Sha1).map_err(SetupError::PrivateKey)?,
            platform: LegacyRsaVerifyingKey::parse(platform_key, RsaDigest::Sha1).map_err(SetupError::PlatformKey)?,
            gateway: Address::parse("base address", &base.join("/gateway"))?,
            base: base.clone(),
            callbacks: CallbackRules::default(),
            acknowledgement: "success".into(),
        })
    }

    /// Signs, and expects call-backs signed, with another digest. Nobody was seen using SHA-256 here.
    #[must_use]
    pub fn with_digest(mut self, digest: RsaDigest) -> Self {
        self.signer = self.signer.with_digest(digest);
        self.platform = self.platform.with_digest(digest);
        self
    }

    /// Reads call-backs by other rules.
    #[must_use]
    pub fn with_callback_rules(mut self, rules: CallbackRules) -> Self {
        self.callbacks = rules;
        self
    }

    /// Acknowledges call-backs with another text than `success` (fshows sheet, section 11.2).
    #[must_use]
    pub fn with_acknowledgement(mut self, text: impl Into<String>) -> Self {
        self.acknowledgement = text.into().into();
        self
    }

    /// `app_id`.
    #[must_use]
    pub fn app_id(&self) -> &str {
        &self.app_id
    }
}

impl fmt::Debug for Account {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Account")
            .field("app_id", &self.app_id)
            .field("base", &self.base)
            .finish_non_exhaustive()
    }
}
