//! Whose numbers go into messages, and which key signs them.

use std::borrow::Cow;
use std::fmt;

use yuanfen_core::{AddressError, Alphabet, BaseUrl, BuildError, Rule, Secret};
use yuanfen_sign::legacy::md5_hex;
use yuanfen_sign::{KeyError, KeyedSigner, SharedKey};

use crate::sign::SignType;
use crate::sub_merchant::{SubMerchant, Trade};

/// The mainland host.
pub const DEFAULT_BASE: &str = "https://api.mch.weixin.qq.com";

/// The backup host in another city (跨城冗灾), with the same paths. Nothing that is signed names the host.
pub const BACKUP_BASE: &str = "https://api2.mch.weixin.qq.com";

pub(crate) const SHEET: &str = "v2 sheet, section 6, common request fields";
pub(crate) const VISIBLE: Alphabet = Alphabet::new("printable ASCII without blanks", |character| {
    character.is_ascii_graphic()
});
const APP_ID: Rule = Rule::new("appid", 32).alphabet(VISIBLE).source(SHEET);
const MERCHANT_ID: Rule = Rule::new("mch_id", 32).alphabet(VISIBLE).source(SHEET);

/// A merchant's account: app id, merchant number, API key. Cheap to clone; `Debug` shows no key.
///
/// A service provider (服务商) has one account with its own numbers and key, and makes another of it for each merchant
/// that it acts for: [`for_sub_merchant`](Self::for_sub_merchant).
#[derive(Clone)]
pub struct Account {
    pub(crate) app_id: Box<str>,
    pub(crate) merchant_id: Box<str>,
    pub(crate) signer: KeyedSigner,
    pub(crate) sign_type: SignType,
    pub(crate) also_accepted: Option<SignType>,
    pub(crate) base: BaseUrl,
    pub(crate) trade: Trade,
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
    /// `sub_mch_id` is the provider's own `mch_id`.
    #[error("`sub_mch_id` is the provider's own `mch_id`: it takes no payment for itself")]
    ProviderItself,
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
            trade: Trade::Own,
            refund_key: Secret::new(refund_key),
        })
    }

    /// The same service provider, acting for that merchant: every call carries `sub_mch_id` and, where there is one,
    /// `sub_appid`, and only answers and notices about that merchant are taken. It costs little: make one per request.
    ///
    /// # Errors
    /// When the provider's own number is given.
    ///
    /// ```
    /// use yuanfen_wechat_v2::{Account, SubMerchant};
    ///
    /// let provider = Account::new("wx2421b1c4370ec43b", "10000100", "192006250b4c09247ec02edce69f6a2d")?;
    /// let shop = provider.for_sub_merchant(SubMerchant::new("1900000109")?.with_app("wx8888888888888888")?)?;
    /// assert_eq!(shop.merchant_id(), "10000100");
    /// assert_eq!(shop.sub_merchant().map(SubMerchant::merchant_id), Some("1900000109"));
    /// # Ok::<(), yuanfen_wechat_v2::SetupError>(())
    /// ```
    pub fn for_sub_merchant(&self, sub_merchant: SubMerchant) -> Result<Self, SetupError> {
        if *self.merchant_id == *sub_merchant.merchant_id() {
            return Err(SetupError::ProviderItself);
        }
        Ok(Self {
            trade: Trade::SubMerchant(sub_merchant),
            ..self.clone()
        })
    }

    /// The same service provider, acting for no merchant in particular: it opens notices about each of its merchants,
    /// which then say about which, and downloads bills. A call about one merchant is refused before it is sent.
    ///
    /// Where all notices come to one address this tells them apart; a merchant's number in the path of `notify_url` does
    /// so too, and says more: a notice that came to the wrong place is then foreign.
    #[must_use]
    pub fn for_every_sub_merchant(&self) -> Self {
        Self {
            trade: Trade::EverySubMerchant,
            ..self.clone()
        }
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

    /// `sub_mch_id` and `sub_appid`, where the account acts for one sub-merchant.
    #[must_use]
    pub const fn sub_merchant(&self) -> Option<&SubMerchant> {
        match &self.trade {
            Trade::SubMerchant(sub_merchant) => Some(sub_merchant),
            Trade::Own | Trade::EverySubMerchant => None,
        }
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
            .field("trade", &self.trade)
            .field("sign_type", &self.sign_type)
            .field("base", &self.base)
            .finish_non_exhaustive()
    }
}
