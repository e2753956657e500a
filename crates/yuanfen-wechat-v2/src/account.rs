//! Whose numbers go into messages, and which key signs them.

use std::borrow::Cow;
use std::fmt;

use yuanfen_core::{AddressError, Alphabet, BaseUrl, BuildError, Rule, Secret};
use yuanfen_sign::legacy::md5_hex;
use yuanfen_sign::{KeyError, KeyedSigner, SharedKey};

use crate::sign::SignType;

/// The mainland host. `https://api2.mch.weixin.qq.com` is the backup in another city, with the same paths.
pub const DEFAULT_BASE: &str = "https://api.mch.weixin.qq.com";

const SHEET: &str = "v2 sheet, section 6, common request fields";
const VISIBLE: Alphabet = Alphabet::new("printable ASCII without blanks", |character| {
    character.is_ascii_graphic()
});
const APP_ID: Rule = Rule::new("appid", 32).alphabet(VISIBLE).source(SHEET);
const MERCHANT_ID: Rule = Rule::new("mch_id", 32).alphabet(VISIBLE).source(SHEET);

/// A merchant's account: app id, merchant number, API key. Cheap to clone; `Debug` shows no key.
#[derive(Clone)]
pub struct Account {
    pub(crate) app_id: Box<str>,
    pub(crate) merchant_id: Box<str>,
    pub(crate) signer: KeyedSigner,
    pub(crate) sign_type: SignType,
    pub(crate) also_accepted: Option<SignType>,
    pub(crate) base: BaseUrl,
    /// What opens refund notices: the MD5 of the API key as 32 lower-case hex characters, used as bytes.
    pub(crate) refund_key: Secret<[u8; 32]>,
}

/// A setting that an account cannot be made of.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum SetupError {
    /// The app id or the merchant number breaks its rule.
    #[error("a number of the account breaks its rule")]
    Number(#[from] BuildError),
    /// The API key cannot be used.
    #[error("the API key cannot be used")]
    Key(#[from] KeyError),
    /// The base address may not be used.
    #[error("the base address may not be used")]
    Base(#[from] AddressError),
}

impl Account {
    /// An account on the mainland host that signs with MD5, the platform's default.
    ///
    /// `app_id` is `appid` (for an enterprise account its corp id), `merchant_id` is `mch_id`, `api_key` the APIv2 key
    /// of the merchant console (32 characters there; other lengths are taken, since old fixtures have them).
    ///
    /// # Errors
    /// When a number is empty, longer than 32 characters or not of printable ASCII without blanks, or the key is empty.
    pub fn new(
        app_id: impl Into<String>,
        merchant_id: impl Into<String>,
        api_key: impl Into<String>,
    ) -> Result<Self, SetupError> {
        let (app_id, merchant_id) = (app_id.into(), merchant_id.into());
        APP_ID.check(&app_id)?;
        MERCHANT_ID.check(&merchant_id)?;
        let api_key = api_key.into();
        let mut refund_key = [0; 32];
        for (byte, digit) in refund_key.iter_mut().zip(md5_hex(api_key.as_bytes()).bytes()) {
            *byte = digit;
        }
        Ok(Self {
            app_id: app_id.into(),
            merchant_id: merchant_id.into(),
            signer: KeyedSigner::new(SharedKey::new(api_key)?, SignType::Md5.scheme()),
            sign_type: SignType::Md5,
            also_accepted: None,
            base: BaseUrl::parse(DEFAULT_BASE)?,
            refund_key: Secret::new(refund_key),
        })
    }

    /// Signs requests that way, and expects it of replies and notices.
    #[must_use]
    pub fn with_sign_type(mut self, sign_type: SignType) -> Self {
        self.signer = self.signer_of(sign_type).into_owned();
        self.sign_type = sign_type;
        self
    }

    /// Accepts notices signed that way too: for the days after a switch, while notices of older orders still come.
    #[must_use]
    pub fn also_accepting(mut self, sign_type: SignType) -> Self {
        self.also_accepted = Some(sign_type);
        self
    }

    /// Talks to another host: the backup, or a sandbox.
    #[must_use]
    pub fn with_base(mut self, base: BaseUrl) -> Self {
        self.base = base;
        self
    }

    /// `appid`.
    #[must_use]
    pub fn app_id(&self) -> &str {
        &self.app_id
    }

    /// `mch_id`.
    #[must_use]
    pub fn merchant_id(&self) -> &str {
        &self.merchant_id
    }

    /// How requests are signed.
    #[must_use]
    pub const fn sign_type(&self) -> SignType {
        self.sign_type
    }

    /// The account's own signer where it signs that way, which spares a copy of the key for each message.
    pub(crate) fn signer_of(&self, sign_type: SignType) -> Cow<'_, KeyedSigner> {
        if sign_type == self.sign_type {
            Cow::Borrowed(&self.signer)
        } else {
            Cow::Owned(KeyedSigner::new(self.signer.key().clone(), sign_type.scheme()))
        }
    }
}

impl fmt::Debug for Account {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Account")
            .field("app_id", &self.app_id)
            .field("merchant_id", &self.merchant_id)
            .field("sign_type", &self.sign_type)
            .field("base", &self.base)
            .finish_non_exhaustive()
    }
}
