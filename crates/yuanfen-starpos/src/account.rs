//! Whose numbers go into messages, and which key signs them.

use std::fmt;

use yuanfen_core::{AddressError, Alphabet, BaseUrl, BuildError, Rule};
use yuanfen_sign::{KeyError, KeyedSigner, PairRules, SharedKey};

use crate::charset::BodyEncoding;
use crate::message::SignedAs;
use crate::sign::{RULES, SCHEME};

/// The production gateway over TLS. The owner's document prints it with plain http, which is refused: `pubSigQry`
/// answers an app secret.
pub const PRODUCTION_BASE: &str = "https://gateway.starpos.com.cn/adpweb/ehpspos3";

const SHEET: &str = "StarPos sheet, sections 5.1 and 6.1";
const ORGANIZATION: Rule = Rule::new("orgNo", 15).alphabet(Alphabet::ALPHANUMERIC).source(SHEET);
const MERCHANT: Rule = Rule::new("mercId", 15).alphabet(Alphabet::ALPHANUMERIC).source(SHEET);
// The tables say eight digits; real ones may start with letters (two implementations).
const TERMINAL: Rule = Rule::new("trmNo", 8)
    .min(8)
    .alphabet(Alphabet::ALPHANUMERIC)
    .source(SHEET);

/// How `pubSigPay` is signed: sources disagree (sheet, section 6.2), so it can be chosen.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum PayMode {
    /// `signType` and `signValue`, the default.
    Signed,
    /// `signValue` alone.
    ValueOnly,
    /// Neither, as the published table has it.
    Unsigned,
}

impl PayMode {
    pub(crate) const fn signed_as(self) -> SignedAs {
        match self {
            Self::Signed => SignedAs::TypeAndValue,
            Self::ValueOnly => SignedAs::ValueOnly,
            Self::Unsigned => SignedAs::Nothing,
        }
    }
}

/// A merchant's account: organization, merchant, terminal, device key. Cheap to clone; `Debug` shows no key.
#[derive(Clone)]
pub struct Account {
    pub(crate) organization: Box<str>,
    pub(crate) merchant: Box<str>,
    pub(crate) terminal: Box<str>,
    pub(crate) signer: KeyedSigner,
    pub(crate) rules: PairRules,
    pub(crate) encoding: BodyEncoding,
    pub(crate) pay_mode: PayMode,
    pub(crate) base: BaseUrl,
    #[cfg(feature = "encrypted-push")]
    pub(crate) push_keys: Option<crate::notify::PushKeys>,
}

/// A setting that an account cannot be made of.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum SetupError {
    /// A number breaks its rule.
    #[error("a number of the account breaks its rule")]
    Number(#[from] BuildError),
    /// The device key cannot be used.
    #[error("the device key cannot be used")]
    Key(#[from] KeyError),
    /// The base address may not be used.
    #[error("the base address may not be used")]
    Base(#[from] AddressError),
}

impl Account {
    /// An account on the production gateway.
    ///
    /// `organization` is `orgNo` (机构号), `merchant` is `mercId`, `terminal` is `trmNo` (8 letters or digits), `key`
    /// the device key that came with the terminal.
    ///
    /// # Errors
    /// When a number breaks its rule, or the key is empty.
    pub fn new(
        organization: impl Into<String>,
        merchant: impl Into<String>,
        terminal: impl Into<String>,
        key: impl Into<String>,
    ) -> Result<Self, SetupError> {
        let (organization, merchant, terminal) = (organization.into(), merchant.into(), terminal.into());
        ORGANIZATION.check(&organization)?;
        MERCHANT.check(&merchant)?;
        TERMINAL.check(&terminal)?;
        Ok(Self {
            organization: organization.into(),
            merchant: merchant.into(),
            terminal: terminal.into(),
            signer: KeyedSigner::new(SharedKey::new(key)?, SCHEME),
            rules: RULES,
            encoding: BodyEncoding::AsciiJson,
            pay_mode: PayMode::Signed,
            base: BaseUrl::parse(PRODUCTION_BASE)?,
            #[cfg(feature = "encrypted-push")]
            push_keys: None,
        })
    }

    /// Talks to another host: a sandbox.
    #[must_use]
    pub fn with_base(mut self, base: BaseUrl) -> Self {
        self.base = base;
        self
    }

    /// Signs by other rules: raw byte order, spaces kept, names left out (sheet, section 12).
    #[must_use]
    pub fn with_rules(mut self, rules: PairRules) -> Self {
        self.rules = rules;
        self
    }

    /// Writes bodies in another encoding.
    #[must_use]
    pub fn with_body_encoding(mut self, encoding: BodyEncoding) -> Self {
        self.encoding = encoding;
        self
    }

    /// Signs `pubSigPay` in another way.
    #[must_use]
    pub fn with_pay_mode(mut self, mode: PayMode) -> Self {
        self.pay_mode = mode;
        self
    }

    /// Opens encrypted pushes with these keys.
    #[cfg(feature = "encrypted-push")]
    #[must_use]
    pub fn with_push_keys(mut self, keys: crate::notify::PushKeys) -> Self {
        self.push_keys = Some(keys);
        self
    }

    /// `mercId`.
    #[must_use]
    pub fn merchant(&self) -> &str {
        &self.merchant
    }

    /// `orgNo`.
    #[must_use]
    pub fn organization(&self) -> &str {
        &self.organization
    }
}

impl fmt::Debug for Account {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Account")
            .field("organization", &self.organization)
            .field("merchant", &self.merchant)
            .field("terminal", &self.terminal)
            .field("base", &self.base)
            .finish_non_exhaustive()
    }
}
