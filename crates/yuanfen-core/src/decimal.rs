//! Exact decimals: rates and fees that keep their scale.

use std::fmt;

use crate::ValueError;
use crate::taker::{JsonForm, WireText};

/// An exact decimal number that keeps the text it came in: `0.00030` stays `0.00030`.
///
/// Rates and fees are of this type, never a float. Two decimals are equal where their texts are; compare values with
/// [`same_value`](Self::same_value).
///
/// ```
/// use yuanfen_core::Decimal;
/// let rate = Decimal::parse("0.00030")?;
/// assert_eq!(rate.as_str(), "0.00030");
/// assert_eq!(rate.scale(), 5);
/// assert!(rate.same_value(&Decimal::parse("0.0003")?));
/// # Ok::<(), yuanfen_core::DecimalError>(())
/// ```
#[derive(Clone, PartialEq, Eq, Hash)]
pub struct Decimal(Box<str>);

/// Why a text is not a decimal.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum DecimalError {
    /// Nothing there.
    #[error("number is empty")]
    Empty,
    /// A plus sign, an exponent, a blank, a letter, a point without digits around it.
    #[error("number is not a plain decimal (byte {position})")]
    NotDecimal {
        /// Where reading stopped, in bytes from the start.
        position: usize,
    },
    /// More than [`Decimal::MAX_LEN`] characters.
    #[error("number has more than {} characters", Decimal::MAX_LEN)]
    TooLong,
}

impl Decimal {
    /// The longest text that is read.
    pub const MAX_LEN: usize = 64;

    /// Reads a plain decimal: digits, with an optional minus sign and an optional point between digits.
    ///
    /// # Errors
    /// Refuses a plus sign, an exponent, blanks, and more than [`MAX_LEN`](Self::MAX_LEN) characters.
    pub fn parse(text: &str) -> Result<Self, DecimalError> {
        if text.is_empty() {
            return Err(DecimalError::Empty);
        }
        if text.len() > Self::MAX_LEN {
            return Err(DecimalError::TooLong);
        }
        let mut digits_since_break = false;
        let mut pointed = false;
        for (position, byte) in text.bytes().enumerate() {
            match byte {
                b'-' if position == 0 => {}
                b'0'..=b'9' => digits_since_break = true,
                b'.' if digits_since_break && !pointed => {
                    pointed = true;
                    digits_since_break = false;
                }
                _ => return Err(DecimalError::NotDecimal { position }),
            }
        }
        if digits_since_break {
            Ok(Self(text.into()))
        } else {
            Err(DecimalError::NotDecimal { position: text.len() })
        }
    }

    /// The text as it came.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }

    /// How many digits stand behind the point.
    #[must_use]
    pub fn scale(&self) -> usize {
        self.0.split_once('.').map_or(0, |(_, fraction)| fraction.len())
    }

    /// Whether both name the same number, whatever their scale.
    #[must_use]
    pub fn same_value(&self, other: &Self) -> bool {
        self.normal() == other.normal()
    }

    fn normal(&self) -> (bool, &str, &str) {
        let (negative, digits) = self.0.strip_prefix('-').map_or((false, &*self.0), |rest| (true, rest));
        let (whole, fraction) = digits.split_once('.').unwrap_or((digits, ""));
        let whole = whole.trim_start_matches('0');
        let fraction = fraction.trim_end_matches('0');
        (negative && !(whole.is_empty() && fraction.is_empty()), whole, fraction)
    }
}

impl fmt::Debug for Decimal {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Decimal({})", self.0)
    }
}

impl fmt::Display for Decimal {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        // Not `pad`: it would take a precision as a length and cut the number.
        match self.0.strip_prefix('-') {
            Some(magnitude) => f.pad_integral(false, "", magnitude),
            None => f.pad_integral(true, "", &self.0),
        }
    }
}

/// Taken from a text or a bare number in JSON; the digits stay as they were.
impl WireText for Decimal {
    const JSON: JsonForm = JsonForm::Either;

    fn read(text: &str) -> Result<Self, ValueError> {
        Self::parse(text).map_err(ValueError::Decimal)
    }

    fn write(&self, out: &mut String) {
        out.push_str(&self.0);
    }
}
