//! Whose number goes into messages, and which key signs them.

use std::fmt;

use yuanfen_core::{Alphabet, BaseUrl, BuildError, Rule};
use yuanfen_sign::{KeyError, KeyedSigner, SharedKey};

use crate::codes::ResultCode;
use crate::sign::SCHEME;

const MERCHANT: Rule = Rule::new("merid", 32)
    .alphabet(Alphabet::ALPHANUMERIC)
    .source("mpgateway sheet, section 6.1: 8 digits in captures");

/// Which result codes count as paid (mpgateway sheet, section 7.2).
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum PaidCodes {
    /// `0000` and `1002`, the default: the money is there, settled or not.
    PaidOrSettled,
    /// `0000` alone, as two implementations have it.
    SettledOnly,
}

/// How `txnamt` is written (mpgateway sheet, section 8).
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum AmountSpelling {
    /// As a number, the type that the manual states.
    Number,
    /// As a text, as most implementations send it.
    Text,
}

/// A merchant's account with one operator of the gateway. Cheap to clone; `Debug` shows no key.
#[derive(Clone)]
pub struct Account {
    pub(crate) merchant: Box<str>,
    pub(crate) signer: KeyedSigner,
    pub(crate) base: BaseUrl,
    pub(crate) paid: PaidCodes,
    pub(crate) amounts: AmountSpelling,
}

/// A setting that an account cannot be made of.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum SetupError {
    /// The merchant number breaks its rule.
    #[error("the merchant number breaks its rule")]
    Number(#[from] BuildError),
    /// The signing key cannot be used.
    #[error("the signing key cannot be used")]
    Key(#[from] KeyError),
}

impl Account {
    /// An account: `merid`, the signing key, and the operator's base address. There is no default host: several
    /// operators run the same software, and their domains change hands.
    ///
    /// # Errors
    /// When the merchant number breaks its rule, or the key is empty.
    pub fn new(merchant: impl Into<String>, key: impl Into<String>, base: BaseUrl) -> Result<Self, SetupError> {
        let merchant = merchant.into();
        MERCHANT.check(&merchant)?;
        Ok(Self {
            merchant: merchant.into(),
            signer: KeyedSigner::new(SharedKey::new(key)?, SCHEME),
            base,
            paid: PaidCodes::PaidOrSettled,
            amounts: AmountSpelling::Number,
        })
    }

    /// Counts other codes as paid.
    #[must_use]
    pub fn with_paid_codes(mut self, paid: PaidCodes) -> Self {
        self.paid = paid;
        self
    }

    /// Writes amounts otherwise.
    #[must_use]
    pub fn with_amount_spelling(mut self, amounts: AmountSpelling) -> Self {
        self.amounts = amounts;
        self
    }

    /// `merid`.
    #[must_use]
    pub fn merchant(&self) -> &str {
        &self.merchant
    }

    /// Whether a result code counts as paid on this account.
    #[must_use]
    pub fn counts_as_paid(&self, code: &ResultCode) -> bool {
        match code {
            ResultCode::Settled => true,
            ResultCode::Paid => self.paid == PaidCodes::PaidOrSettled,
            _ => false,
        }
    }
}

impl fmt::Debug for Account {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Account")
            .field("merchant", &self.merchant)
            .field("base", &self.base)
            .finish_non_exhaustive()
    }
}
