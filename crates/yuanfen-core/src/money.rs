//! Money as integers of fen (分, a hundredth of a yuan).

use std::fmt;

use crate::taker::{JsonForm, WireText};
use crate::{Decimal, ValueError};

/// An amount in fen (分): signed, because bills and balances go below zero.
///
/// There is no `+`: sums are checked with [`try_add`](Self::try_add) and [`try_sum`](Self::try_sum). There is no
/// conversion from or to a float.
///
/// ```
/// use yuanfen_core::Fen;
/// let price = Fen::from_yuan_text("43.9")?;
/// assert_eq!(price, Fen::new(4390));
/// assert_eq!(price.yuan().to_string(), "43.90");
/// # Ok::<(), yuanfen_core::MoneyError>(())
/// ```
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Default)]
pub struct Fen(i64);

/// Why a text or a number is not an amount.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum MoneyError {
    /// Nothing there.
    #[error("amount is empty")]
    Empty,
    /// Not a plain decimal number: a plus sign, an exponent, a blank, a letter, a point without digits around it.
    #[error("amount is not a plain decimal number (byte {position})")]
    NotDecimal {
        /// Where reading stopped, in bytes from the start.
        position: usize,
    },
    /// Digits below one fen, as in `0.001` yuan.
    #[error("amount is not a whole number of fen")]
    NotWholeFen,
    /// A minus sign where only a payment or a refund of at least one fen is allowed.
    #[error("amount is negative, at least 1 fen is required")]
    Negative,
    /// Zero where at least one fen is required.
    #[error("amount is zero, at least 1 fen is required")]
    Zero,
    /// Beyond [`PayAmount::MAX`], or beyond what 64 bits hold.
    #[error("amount is too large")]
    TooLarge,
}

impl Fen {
    /// Nothing.
    pub const ZERO: Self = Self(0);

    /// An amount of so many fen.
    #[must_use]
    pub const fn new(fen: i64) -> Self {
        Self(fen)
    }

    /// The number of fen.
    #[must_use]
    pub const fn get(self) -> i64 {
        self.0
    }

    /// The sum, or `None` where 64 bits do not hold it.
    #[must_use]
    pub const fn try_add(self, other: Self) -> Option<Self> {
        match self.0.checked_add(other.0) {
            Some(sum) => Some(Self(sum)),
            None => None,
        }
    }

    /// The difference, or `None` where 64 bits do not hold it.
    #[must_use]
    pub const fn try_sub(self, other: Self) -> Option<Self> {
        match self.0.checked_sub(other.0) {
            Some(difference) => Some(Self(difference)),
            None => None,
        }
    }

    /// The sum of many amounts, or `None` where 64 bits do not hold it.
    #[must_use]
    pub fn try_sum(amounts: impl IntoIterator<Item = Self>) -> Option<Self> {
        amounts.into_iter().try_fold(Self::ZERO, Self::try_add)
    }

    /// Reads yuan (元): any exact decimal that is whole fen, such as `0.0100`, `43.9`, `45.0` or `0`.
    ///
    /// # Errors
    /// Refuses a plus sign, an exponent, blanks, digits below one fen, and what 64 bits do not hold.
    pub fn from_yuan_text(text: &str) -> Result<Self, MoneyError> {
        let (negative, digits, offset) = match text.strip_prefix('-') {
            Some(rest) => (true, rest, 1_usize),
            None => (false, text, 0),
        };
        if digits.is_empty() {
            return Err(if negative {
                MoneyError::NotDecimal { position: 1 }
            } else {
                MoneyError::Empty
            });
        }
        let (whole, fraction) = digits.split_once('.').unwrap_or((digits, "0"));
        let point = offset.saturating_add(whole.len());
        check_digits(whole, offset)?;
        check_digits(fraction, point.saturating_add(1))?;
        let mut cents = fraction.bytes();
        let tens = cents.next().map_or(0, |byte| u64::from(byte.wrapping_sub(b'0')));
        let ones = cents.next().map_or(0, |byte| u64::from(byte.wrapping_sub(b'0')));
        if cents.any(|byte| byte != b'0') {
            return Err(MoneyError::NotWholeFen);
        }
        let whole: u64 = whole.parse().map_err(|_| MoneyError::TooLarge)?;
        let below = tens.saturating_mul(10).saturating_add(ones);
        let magnitude = whole
            .checked_mul(100)
            .and_then(|fen| fen.checked_add(below))
            .ok_or(MoneyError::TooLarge)?;
        // From the magnitude, so that the one amount whose negation 64 bits do not hold is read back as well.
        let fen = if negative {
            0_i64.checked_sub_unsigned(magnitude)
        } else {
            0_i64.checked_add_unsigned(magnitude)
        };
        fen.map(Self).ok_or(MoneyError::TooLarge)
    }

    /// Reads an integer of fen: digits, with a minus sign in front where it is below zero.
    ///
    /// # Errors
    /// Refuses everything else.
    pub fn from_fen_text(text: &str) -> Result<Self, MoneyError> {
        let (digits, offset) = text.strip_prefix('-').map_or((text, 0_usize), |rest| (rest, 1));
        if text.is_empty() {
            return Err(MoneyError::Empty);
        }
        check_digits(digits, offset)?;
        text.parse().map(Self).map_err(|_| MoneyError::TooLarge)
    }

    /// The amount in yuan with exactly two decimals, as `Display`. This is the one spelling that is ever written.
    #[must_use]
    pub const fn yuan(self) -> Yuan {
        Yuan(self)
    }
}

fn check_digits(digits: &str, offset: usize) -> Result<(), MoneyError> {
    let wrong = if digits.is_empty() {
        Some(0)
    } else {
        digits.bytes().position(|byte| !byte.is_ascii_digit())
    };
    match wrong {
        None => Ok(()),
        Some(at) => Err(MoneyError::NotDecimal {
            position: offset.saturating_add(at),
        }),
    }
}

impl fmt::Debug for Fen {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Fen({})", self.0)
    }
}

/// Fen on the wire: a decimal integer, a bare number in JSON.
impl WireText for Fen {
    const JSON: JsonForm = JsonForm::Number;

    fn read(text: &str) -> Result<Self, ValueError> {
        Self::from_fen_text(text).map_err(ValueError::Money)
    }

    fn write(&self, out: &mut String) {
        use fmt::Write as _;
        _ = write!(out, "{}", self.0);
    }
}

/// An amount printed in yuan with two decimals; also yuan on the wire, read from any exact decimal that is whole fen.
///
/// `Display` takes a width and a fill, aligned to the right as numbers are; a precision changes nothing.
///
/// In JSON it is taken from a text or from a bare number, since platforms that speak yuan send both.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
#[expect(clippy::exhaustive_structs, reason = "a plain adapter over Fen")]
pub struct Yuan(pub Fen);

impl fmt::Display for Yuan {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let fen = self.0.0;
        let magnitude = fen.unsigned_abs();
        #[expect(
            clippy::integer_division,
            reason = "the split into yuan and fen is what division is for here"
        )]
        let (yuan, cents) = (magnitude / 100, magnitude % 100);
        // Not `pad`: it would take a precision as a length and cut `12.30` under `{:.2}` to `12`.
        f.pad_integral(fen >= 0, "", &format!("{yuan}.{cents:02}"))
    }
}

impl WireText for Yuan {
    const JSON: JsonForm = JsonForm::Either;

    fn read(text: &str) -> Result<Self, ValueError> {
        Fen::from_yuan_text(text).map(Self).map_err(ValueError::Money)
    }

    fn write(&self, out: &mut String) {
        use fmt::Write as _;
        _ = write!(out, "{self}");
    }
}

/// What a payment or refund request accepts: at least 1 fen and at most [`MAX`](Self::MAX).
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct PayAmount(Fen);

impl PayAmount {
    /// 100,000,000.00 yuan, the largest amount that any of the five platforms documents (fshows, `total_fee`). The
    /// others document none; a platform refuses by itself what is beyond a merchant's limit.
    pub const MAX: Fen = Fen(10_000_000_000);

    /// An amount that can be paid.
    ///
    /// # Errors
    /// Refuses zero, what is negative, and what is beyond [`MAX`](Self::MAX).
    pub const fn new(amount: Fen) -> Result<Self, MoneyError> {
        if amount.0 == 0 {
            Err(MoneyError::Zero)
        } else if amount.0 < 0 {
            Err(MoneyError::Negative)
        } else if amount.0 > Self::MAX.0 {
            Err(MoneyError::TooLarge)
        } else {
            Ok(Self(amount))
        }
    }

    /// The same from a number of fen.
    ///
    /// # Errors
    /// As [`new`](Self::new).
    pub const fn from_fen(fen: i64) -> Result<Self, MoneyError> {
        Self::new(Fen(fen))
    }

    /// The same from a text in yuan.
    ///
    /// # Errors
    /// As [`Fen::from_yuan_text`] and [`new`](Self::new).
    pub fn from_yuan_text(text: &str) -> Result<Self, MoneyError> {
        Fen::from_yuan_text(text).and_then(Self::new)
    }

    /// As a plain amount.
    #[must_use]
    pub const fn fen(self) -> Fen {
        self.0
    }
}

impl From<PayAmount> for Fen {
    fn from(amount: PayAmount) -> Self {
        amount.0
    }
}

impl TryFrom<Decimal> for Fen {
    type Error = MoneyError;

    /// Takes the decimal as yuan.
    fn try_from(yuan: Decimal) -> Result<Self, MoneyError> {
        Self::from_yuan_text(yuan.as_str())
    }
}

#[cfg(feature = "json")]
impl serde::Serialize for Fen {
    /// An integer of fen.
    fn serialize<S: serde::Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_i64(self.0)
    }
}

#[cfg(feature = "json")]
impl serde::Serialize for PayAmount {
    /// An integer of fen.
    fn serialize<S: serde::Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        self.0.serialize(serializer)
    }
}
