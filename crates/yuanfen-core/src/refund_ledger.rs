//! The refunds of one order, as the caller keeps them: how much is left, and under which number the next one goes.

use std::time::Duration;

use crate::{Fen, PayAmount, RefundNo, Standing, UnixTime};

/// One refund of an order: a row of the caller's own books.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct RefundEntry {
    /// The number it was sent under.
    pub refund_no: RefundNo,
    /// How much.
    pub amount: PayAmount,
    /// What was last heard of it; `None` while nobody knows whether it arrived.
    pub standing: Option<Standing>,
    /// When it was last granted, which is when it was sent or about to be.
    pub at: UnixTime,
}

impl RefundEntry {
    /// A row.
    #[must_use]
    pub const fn new(refund_no: RefundNo, amount: PayAmount, standing: Option<Standing>, at: UnixTime) -> Self {
        Self {
            refund_no,
            amount,
            standing,
            at,
        }
    }

    /// Whether it takes something off the order: it does unless it failed.
    #[must_use]
    pub const fn counts(&self) -> bool {
        !matches!(self.standing, Some(Standing::Failed))
    }

    /// Whether nobody knows that it arrived: not heard of, or not known to the platform yet.
    const fn is_unsettled(&self) -> bool {
        matches!(self.standing, None | Some(Standing::NotFound))
    }
}

/// The refunds of one order, against which the next one is checked before it is sent (v2 sheet, section 6.4; v3 sheet,
/// sections 10.4 and 17.3):
///
/// - together they are not more than the order, and not more than 50; what failed does not count;
/// - a new one comes a minute after the last;
/// - one number is one refund: under it the amount stays what it was;
/// - a refund of which nobody knows whether it arrived **keeps its number**. Who asks for the same amount again, under
///   whatever new number, is given the old one: a second number would pay twice.
///
/// It is plain data. [`entries`](Self::entries) are the rows to store, [`from_entries`](Self::from_entries) takes them
/// back. Store them after [`grant`](Self::grant) and before the refund is sent, so that a crash in between loses no number.
///
/// ```
/// use yuanfen_core::{PayAmount, RefundLedger, RefundNo, Standing, UnixTime};
/// let now = UnixTime::from_seconds(1_700_000_000);
/// let mut ledger = RefundLedger::new(PayAmount::from_fen(1000)?);
/// let first = ledger.grant(RefundNo::new("R1")?, PayAmount::from_fen(300)?, now)?;
///
/// // It timed out, and somebody presses the button again: another number, the same amount.
/// let again = ledger.grant(RefundNo::new("R2")?, PayAmount::from_fen(300)?, now)?;
/// assert!(again.is_repeat());
/// assert_eq!(again.refund_no(), first.refund_no());
///
/// ledger.record(first.refund_no(), Standing::Succeeded)?;
/// assert_eq!(ledger.left().get(), 700);
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct RefundLedger {
    order_total: PayAmount,
    entries: Vec<RefundEntry>,
}

/// Leave to send one refund: its number, its amount, and the total of its order. Made by [`RefundLedger::grant`] alone;
/// the providers' `Refund::granted` takes it.
#[derive(Clone, Debug, PartialEq, Eq)]
#[must_use = "the refund is in the ledger now, and is to be sent under the granted number"]
pub struct RefundGrant {
    refund_no: RefundNo,
    amount: PayAmount,
    order_total: PayAmount,
    repeat: bool,
}

impl RefundGrant {
    /// The number that it goes under, which may be an older one than was asked for.
    #[must_use]
    pub const fn refund_no(&self) -> &RefundNo {
        &self.refund_no
    }

    /// How much.
    #[must_use]
    pub const fn amount(&self) -> PayAmount {
        self.amount
    }

    /// The order's total.
    #[must_use]
    pub const fn order_total(&self) -> PayAmount {
        self.order_total
    }

    /// Whether it was in the ledger already, so that it may have been sent before: query it first.
    #[must_use]
    pub const fn is_repeat(&self) -> bool {
        self.repeat
    }
}

/// Why a refund is not granted, or a row not taken.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum LedgerError {
    /// The number is that of a refund of another amount.
    #[error("refund number `{refund_no}` is that of a refund of {first} fen, not of {asked} fen", first = first.get(), asked = asked.get())]
    OtherAmount {
        /// The number.
        refund_no: RefundNo,
        /// What it stands for.
        first: Fen,
        /// What was asked for.
        asked: Fen,
    },
    /// It is more than what is left of the order.
    #[error("refund amount of {asked} fen is more than the {left} fen that are left of the order", asked = asked.get(), left = left.get())]
    TooMuch {
        /// What was asked for.
        asked: Fen,
        /// What is left.
        left: Fen,
    },
    /// The order has as many refunds as it may have.
    #[error("refund number cannot be given: the order has {max} refunds, and no more are allowed")]
    TooMany {
        /// How many those are.
        max: usize,
    },
    /// Too soon after the last refund of the order.
    #[error("refund amount cannot be sent yet: refunds of one order come a minute apart, so not before {}", until.seconds())]
    NotYet {
        /// From when on it may be asked for again.
        until: UnixTime,
    },
    /// Two rows have one number.
    #[error("refund number `{refund_no}` stands in two rows")]
    Twice {
        /// The number.
        refund_no: RefundNo,
    },
    /// No row has that number.
    #[error("refund number `{refund_no}` is not in the ledger")]
    Stranger {
        /// The number.
        refund_no: RefundNo,
    },
}

impl LedgerError {
    /// What of the refund is at fault: `refund number` or `refund amount`.
    #[must_use]
    pub const fn field(&self) -> &'static str {
        match self {
            Self::OtherAmount { .. } | Self::TooMany { .. } | Self::Twice { .. } | Self::Stranger { .. } => {
                "refund number"
            }
            Self::TooMuch { .. } | Self::NotYet { .. } => "refund amount",
        }
    }
}

impl RefundLedger {
    /// How many refunds an order may have.
    pub const MAX_REFUNDS: usize = 50;
    /// The time between two refunds of one order.
    pub const PAUSE: Duration = Duration::from_secs(60);

    /// An order that was paid, of that total, without refunds.
    #[must_use]
    pub const fn new(order_total: PayAmount) -> Self {
        Self {
            order_total,
            entries: Vec::new(),
        }
    }

    /// An order of that total with the refunds that the caller has on its books.
    ///
    /// What is on the books is taken as it is, also where it is more than the order: then nothing is left.
    ///
    /// # Errors
    /// When two rows have one number.
    pub fn from_entries(
        order_total: PayAmount,
        entries: impl IntoIterator<Item = RefundEntry>,
    ) -> Result<Self, LedgerError> {
        let mut ledger = Self::new(order_total);
        for entry in entries {
            if ledger.entry(&entry.refund_no).is_some() {
                return Err(LedgerError::Twice {
                    refund_no: entry.refund_no,
                });
            }
            ledger.entries.push(entry);
        }
        Ok(ledger)
    }

    /// The order's total.
    #[must_use]
    pub const fn order_total(&self) -> PayAmount {
        self.order_total
    }

    /// All rows, in the order in which they were granted.
    #[must_use]
    pub fn entries(&self) -> &[RefundEntry] {
        &self.entries
    }

    /// The row of that number.
    #[must_use]
    pub fn entry(&self, refund_no: &RefundNo) -> Option<&RefundEntry> {
        self.entries.iter().find(|entry| entry.refund_no == *refund_no)
    }

    /// What is left of the order: its total less every refund that did not fail, also those of which nobody knows
    /// whether they arrived.
    #[must_use]
    pub fn left(&self) -> Fen {
        let counted = self.entries.iter().filter(|entry| entry.counts());
        let taken = Fen::try_sum(counted.map(|entry| entry.amount.fen()));
        let left = taken.and_then(|taken| self.order_total.fen().try_sub(taken));
        left.map_or(Fen::ZERO, |left| left.max(Fen::ZERO))
    }

    /// Enters a refund of that amount, and says under which number it goes: under that one, or under an older one of the
    /// same amount of which nobody knows whether it arrived. The same number with the same amount is the same refund
    /// again; where it had failed, it is checked like a new one.
    ///
    /// # Errors
    /// When the number stands for another amount, too little is left of the order, it has too many refunds, or the last
    /// one is not a minute old. The ledger is then as it was.
    pub fn grant(&mut self, refund_no: RefundNo, amount: PayAmount, now: UnixTime) -> Result<RefundGrant, LedgerError> {
        if let Some(entry) = self.entry(&refund_no)
            && entry.amount != amount
        {
            return Err(LedgerError::OtherAmount {
                refund_no,
                first: entry.amount.fen(),
                asked: amount.fen(),
            });
        }
        let order_total = self.order_total;
        let repeat = |entry: &mut RefundEntry| {
            entry.at = now;
            RefundGrant {
                refund_no: entry.refund_no.clone(),
                amount,
                order_total,
                repeat: true,
            }
        };
        if let Some(entry) = self.entry_mut(&refund_no).filter(|entry| entry.counts()) {
            return Ok(repeat(entry));
        }
        // A number that is new, or that failed and stands for nothing: an unsettled refund of that amount goes before it.
        let unsettled = |entry: &&mut RefundEntry| entry.amount == amount && entry.is_unsettled();
        if let Some(entry) = self.entries.iter_mut().find(unsettled) {
            return Ok(repeat(entry));
        }
        self.check_new(amount, now)?;
        if let Some(failed) = self.entry_mut(&refund_no) {
            failed.standing = None;
            return Ok(repeat(failed));
        }
        self.entries
            .push(RefundEntry::new(refund_no.clone(), amount, None, now));
        Ok(RefundGrant {
            refund_no,
            amount,
            order_total,
            repeat: false,
        })
    }

    /// Writes down what was heard of a refund: from its query or its notice; [`Standing::Failed`] also where the platform
    /// refused it for good. While nobody knows, nothing is recorded.
    ///
    /// What succeeded stays so, and what the platform knew once is not unknown to it later: messages arrive out of order.
    ///
    /// # Errors
    /// When no row has that number.
    pub fn record(&mut self, refund_no: &RefundNo, standing: Standing) -> Result<(), LedgerError> {
        let Some(entry) = self.entry_mut(refund_no) else {
            return Err(LedgerError::Stranger {
                refund_no: refund_no.clone(),
            });
        };
        let stays = match entry.standing {
            Some(Standing::Succeeded) => true,
            None | Some(Standing::NotFound) => false,
            Some(Standing::Accepted | Standing::Pending | Standing::Failed) => standing == Standing::NotFound,
        };
        if !stays {
            entry.standing = Some(standing);
        }
        Ok(())
    }

    fn entry_mut(&mut self, refund_no: &RefundNo) -> Option<&mut RefundEntry> {
        self.entries.iter_mut().find(|entry| entry.refund_no == *refund_no)
    }

    fn check_new(&self, amount: PayAmount, now: UnixTime) -> Result<(), LedgerError> {
        let left = self.left();
        if amount.fen() > left {
            return Err(LedgerError::TooMuch {
                asked: amount.fen(),
                left,
            });
        }
        if self.entries.iter().filter(|entry| entry.counts()).count() >= Self::MAX_REFUNDS {
            return Err(LedgerError::TooMany { max: Self::MAX_REFUNDS });
        }
        // A row from the future is of a clock that was set back since; it holds nothing up.
        let recent = |entry: &&RefundEntry| entry.at <= now && now < entry.at.after(Self::PAUSE);
        match self.entries.iter().filter(recent).map(|entry| entry.at).max() {
            Some(last) => Err(LedgerError::NotYet {
                until: last.after(Self::PAUSE),
            }),
            None => Ok(()),
        }
    }
}
