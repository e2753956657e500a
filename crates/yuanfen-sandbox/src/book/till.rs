//! Payment codes: what a payer shows at a till, what comes of charging one, and how a charge is taken back.
//!
//! Both sheets leave open how long a payer may type, what a query says after the payer gave up, and what a paid order
//! is called that was taken back on v2 (APIv3 says it is revoked). Here typing ends after a minute, a payer who gives
//! up or lets the time pass leaves the order unpaid, one whose bank refuses makes it fail, and taking back revokes.

use std::fmt;

use yuanfen_core::{Fen, UnixTime};

use super::{
    Account, Book, BookError, Details, Order, OrderState, Payer, Placement, Reaction, Refund, RefundState, Setback,
    Terms, fingerprint,
};
use crate::Platform;

/// How long a code lives, in seconds.
const CODE_LIFE: i64 = 60;
/// How long a payer may type the password, in seconds.
const TYPING: i64 = 60;
/// The most that is paid without a password: 1000 yuan.
const WITHOUT_PASSWORD: Fen = Fen::new(100_000);
/// How long after it was charged an order can be taken back, in seconds: seven days.
const REVERSIBLE_FOR: i64 = 7 * 86_400;

/// How an order at the till is charged.
#[derive(Clone, Debug)]
#[non_exhaustive]
pub struct Charge {
    /// Whose code was charged.
    pub payer: Payer,
    /// Until when the payer may type the password or the bank may answer; `None` once that is over.
    pub waits_until: Option<UnixTime>,
}

/// A code that a payer shows. `Debug` does not show the payer.
pub(super) struct PaymentCode {
    payer: Payer,
    made_at: UnixTime,
    /// The only merchant that may charge it, once one asked for the payer behind it.
    merchant: Option<String>,
    is_used: bool,
}

/// A code as a merchant hands it in.
#[derive(Debug)]
pub(crate) struct Shown<'a> {
    pub(crate) code: &'a str,
    /// The merchant that charges, in the platform's terms.
    pub(crate) merchant: &'a str,
}

impl PaymentCode {
    fn check(&self, merchant: &str, now: UnixTime) -> Result<(), BookError> {
        if self.is_used {
            return Err(BookError::CodeUsed);
        }
        if now.since(self.made_at) >= CODE_LIFE {
            return Err(BookError::CodeExpired);
        }
        match &self.merchant {
            Some(bound) if bound != merchant => Err(BookError::CodeOfAnother),
            _ => Ok(()),
        }
    }
}

fn typed_by(now: UnixTime) -> UnixTime {
    UnixTime::from_seconds(now.seconds().saturating_add(TYPING))
}

impl Charge {
    fn begin(payer: Payer, amount: Fen, now: UnixTime) -> Self {
        let waits = match payer.reaction {
            Reaction::Pays => amount > WITHOUT_PASSWORD,
            Reaction::Types | Reaction::BankSilent => true,
            Reaction::LacksMoney | Reaction::CardRefused | Reaction::Refused => false,
        };
        Self {
            payer,
            waits_until: waits.then_some(typed_by(now)),
        }
    }
}

impl Book {
    /// A payer shows that code from now on. Its payer is settled here: unlike an order, a code is always somebody's.
    pub(crate) fn show_code(&mut self, platform: Platform, code: String, mut payer: Payer, now: UnixTime) {
        payer
            .openid
            .get_or_insert_with(|| crate::keys::WECHAT_OPENID.to_owned());
        let shown = PaymentCode {
            payer,
            made_at: now,
            merchant: None,
            is_used: false,
        };
        self.codes.insert((platform, code), shown);
    }

    /// Who shows that code. From now on only this merchant can charge it.
    ///
    /// # Errors
    /// [`BookError::CodeUnknown`], [`BookError::CodeUsed`], [`BookError::CodeExpired`], [`BookError::CodeOfAnother`].
    pub(crate) fn open_code(
        &mut self,
        platform: Platform,
        shown: &Shown<'_>,
        now: UnixTime,
    ) -> Result<&str, BookError> {
        let code = self.codes.get_mut(&(platform, shown.code.to_owned()));
        let code = code.ok_or(BookError::CodeUnknown)?;
        code.check(shown.merchant, now)?;
        code.merchant = Some(shown.merchant.to_owned());
        Ok(code.payer.openid.as_deref().unwrap_or_default())
    }

    /// Charges a code for a new order, or finds that the identical order is there already. What came of it is the
    /// order's state: paid, the payer is typing, failed, or unpaid again after a payer gave up.
    ///
    /// # Errors
    /// [`BookError::Paid`], [`BookError::Closed`], [`BookError::Revoked`], [`BookError::OtherPayer`],
    /// [`BookError::Differs`] of an order of that number; else as [`Self::open_code`] has it.
    pub(crate) fn charge(
        &mut self,
        placement: Placement,
        shown: &Shown<'_>,
        terms: Terms,
        now: UnixTime,
    ) -> Result<&Order, BookError> {
        let account = placement.account;
        let position = match self.position(account, &placement.order_no, now) {
            Some(position) => {
                let code = self.codes.get(&(account.platform, shown.code.to_owned()));
                let holder = code.and_then(|code| code.payer.openid.as_deref());
                self.at(position)?.check_recharge(&fingerprint(&placement), holder)?;
                position
            }
            None => {
                let code = self.codes.get_mut(&(account.platform, shown.code.to_owned()));
                let code = code.ok_or(BookError::CodeUnknown)?;
                code.check(shown.merchant, now)?;
                code.is_used = true;
                let mut payer = code.payer.clone();
                let openid = payer.openid.clone().unwrap_or_default();
                let rules = &mut self.rules;
                if payer.reaction == Reaction::Pays && rules.wants_password(account.platform, &openid, now) {
                    payer.reaction = Reaction::Types;
                }
                let mut order = Order::new(placement, now);
                order.begin_charge(payer, terms, now);
                if order.payment.is_some() {
                    rules.paid_without_password(account.platform, &openid, now);
                }
                self.enter(order)
            }
        };
        self.at(position).map(|order| &**order)
    }

    /// The payer at a till has another minute to type the password.
    ///
    /// # Errors
    /// [`BookError::UnknownOrder`], [`BookError::NotAtTill`], [`BookError::Paid`], [`BookError::Closed`],
    /// [`BookError::Revoked`], [`BookError::NoPayer`].
    pub(crate) fn keep_typing(
        &mut self,
        account: impl Into<Account>,
        order_no: &str,
        now: UnixTime,
    ) -> Result<&Order, BookError> {
        let position = self.open(account.into(), order_no, now)?;
        let order = self.at(position)?;
        if order.charge.is_none() {
            return Err(BookError::NotAtTill);
        }
        order.check_open()?;
        self.change(position, |order| {
            if let Some(charge) = &mut order.charge {
                charge.waits_until = Some(typed_by(now));
            }
        })?;
        self.at(position).map(|order| &**order)
    }

    /// Takes a charge back: what is unpaid can never be paid, what is paid goes back in full at once. The order is
    /// revoked either way; one that is revoked or closed already stays as it is.
    ///
    /// # Errors
    /// [`BookError::UnknownOrder`], [`BookError::NotAtTill`], [`BookError::Late`], and [`BookError::Refunded`] where a
    /// refund was asked for before.
    pub(crate) fn reverse(
        &mut self,
        account: impl Into<Account>,
        order_no: &str,
        refund_id: String,
        now: UnixTime,
    ) -> Result<&Order, BookError> {
        let position = self.open(account.into(), order_no, now)?;
        let order = self.at(position)?;
        if order.charge.is_none() {
            return Err(BookError::NotAtTill);
        }
        match order.state() {
            OrderState::Revoked => {}
            OrderState::Refunding | OrderState::Refunded => return Err(BookError::Refunded),
            _ if now.since(order.placed_at) > REVERSIBLE_FOR => return Err(BookError::Late),
            OrderState::Closed => {}
            OrderState::Unpaid | OrderState::PayerTyping | OrderState::PaymentFailed | OrderState::Paid => {
                self.change(position, |order| order.revoke(refund_id, now))?;
            }
        }
        self.at(position).map(|order| &**order)
    }
}

impl Order {
    /// Takes it back; what was paid goes back in full.
    fn revoke(&mut self, refund_id: String, now: UnixTime) {
        if let Some(payment) = &self.payment {
            let (by_coupons, given_up) = (payment.by_coupons(), payment.given_up());
            self.refunds.push(Refund {
                // The merchant gave none.
                refund_no: refund_id.clone(),
                refund_id,
                amount: self.amount,
                by_coupons,
                given_up,
                state: RefundState::Succeeded,
                created_at: now,
                settled_at: Some(now),
                notify_url: None,
                details: Details::new(),
                fingerprint: String::new(),
            });
        }
        self.stop_waiting();
        self.revoked_at = Some(now);
    }

    /// Charges a payer for this new order: it is paid, waits for the payer, or failed.
    fn begin_charge(&mut self, mut payer: Payer, terms: Terms, now: UnixTime) {
        // Coupons apply where they fit, as in life: the payer does not choose them for an amount.
        if payer.check_coupons(self.amount).is_err() {
            payer.coupons.clear();
        }
        let charge = Charge::begin(payer.clone(), self.amount, now);
        self.payer.clone_from(&payer.openid);
        if charge.waits_until.is_none() {
            match payer.reaction {
                Reaction::Pays | Reaction::Types | Reaction::BankSilent => {
                    self.payment = Some(payer.payment(None, terms, now));
                }
                Reaction::LacksMoney | Reaction::CardRefused | Reaction::Refused => {
                    self.setback = Some(Setback::Failed);
                }
            }
        }
        self.charge = Some(charge);
    }

    /// Whether another call to charge this order is the same call: `holder` is who shows the code of that call.
    ///
    /// # Errors
    /// Why it is not, or why the number cannot be charged any more.
    fn check_recharge(&self, fingerprint: &str, holder: Option<&str>) -> Result<(), BookError> {
        match self.state() {
            OrderState::Closed => Err(BookError::Closed),
            OrderState::Revoked => Err(BookError::Revoked),
            OrderState::Paid | OrderState::Refunding | OrderState::Refunded => Err(BookError::Paid),
            OrderState::Unpaid | OrderState::PayerTyping | OrderState::PaymentFailed => {
                let begun_with = self.charge.as_ref().map(|charge| charge.payer.openid.as_deref());
                match begun_with {
                    Some(_) if self.fingerprint == fingerprint => Ok(()),
                    Some(before) if holder.is_some() && holder != before => Err(BookError::OtherPayer),
                    _ => Err(BookError::Differs),
                }
            }
        }
    }
}

impl fmt::Debug for PaymentCode {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("PaymentCode")
            .field("made_at", &self.made_at)
            .field("is_used", &self.is_used)
            .finish_non_exhaustive()
    }
}
