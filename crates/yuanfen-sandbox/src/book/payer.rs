//! Who pays, with what, and what they do at the till.

use std::fmt;

use serde::Deserialize;
use yuanfen_core::{Fen, UnixTime};

use super::{BookError, Coupon, Payment};
use crate::keys;

/// Who pays, and with what. `Debug` does not show who.
#[derive(Clone, Default)]
#[non_exhaustive]
pub struct Payer {
    /// Who, in the platform's terms; the one that the order names, or the sandbox's own, where absent.
    pub openid: Option<String>,
    /// The kind of account, in the platform's terms.
    pub bank: Option<String>,
    /// Coupons that pay a part.
    pub coupons: Vec<Coupon>,
    /// What happens when this payer's code is charged. Elsewhere it does not count.
    pub reaction: Reaction,
}

/// What happens when a payment code is charged.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "kebab-case")]
#[non_exhaustive]
pub enum Reaction {
    /// It is paid at once, but above 1000 yuan the payer types a password first.
    #[default]
    Pays,
    /// The payer types a password first.
    Types,
    /// The bank does not answer in time. The platform says so, and knows no outcome until there is one.
    BankSilent,
    /// The account holds too little.
    LacksMoney,
    /// The card does not take such payments.
    CardRefused,
    /// The platform refuses: risk, limits, the state of the payer's account.
    Refused,
}

impl Payer {
    /// This payer's payment. Coupons are handed in for what they are worth, which is the caller's check.
    pub(super) fn payment(self, named: Option<&str>, terms: Terms, at: UnixTime) -> Payment {
        let openid = self.openid.or_else(|| named.map(str::to_owned));
        Payment {
            transaction_id: terms.transaction_id,
            at,
            payer: openid.unwrap_or_else(|| keys::WECHAT_OPENID.to_owned()),
            bank: self.bank.unwrap_or_else(|| terms.bank.to_owned()),
            coupons: self.coupons,
        }
    }

    /// Whether the coupons can pay a part of so much.
    ///
    /// # Errors
    /// [`BookError::Amount`] of one that is worth nothing, [`BookError::Exceeds`] where they are worth more.
    pub(super) fn check_coupons(&self, amount: Fen) -> Result<(), BookError> {
        if self.coupons.iter().any(|coupon| coupon.amount <= Fen::ZERO) {
            return Err(BookError::Amount);
        }
        let worth = Fen::try_sum(self.coupons.iter().map(|coupon| coupon.amount));
        if worth.is_none_or(|worth| worth > amount) {
            return Err(BookError::Exceeds);
        }
        Ok(())
    }
}

/// What the platform adds to a payment.
#[derive(Debug)]
pub(crate) struct Terms {
    pub(crate) transaction_id: String,
    /// The kind of account that payers have unless told otherwise.
    pub(crate) bank: &'static str,
}

impl fmt::Debug for Payer {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Payer")
            .field("bank", &self.bank)
            .field("coupons", &self.coupons)
            .field("reaction", &self.reaction)
            .finish_non_exhaustive()
    }
}
