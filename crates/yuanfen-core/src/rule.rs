//! What a platform's contract says about one field that is sent, as data.

use crate::BuildError;

/// A rule for one text field of a request: its name on the wire, its length, its alphabet, and where that is written.
///
/// Rules are constants beside the operation that sends the field; tests walk them at the limit and one past it.
///
/// ```
/// use yuanfen_core::{Alphabet, Rule};
/// const OUT_TRADE_NO: Rule = Rule::new("out_trade_no", 32).alphabet(Alphabet::WECHAT_ORDER).source("v2 sheet, section 4");
/// assert!(OUT_TRADE_NO.check("1530759952567148993143").is_ok());
/// assert!(OUT_TRADE_NO.check("has blank").is_err());
/// ```
#[derive(Clone, Copy, Debug)]
#[non_exhaustive]
pub struct Rule {
    /// The name on the wire.
    pub field: &'static str,
    /// The least length; 1 unless said otherwise, because an empty value is an absent one.
    pub min: usize,
    /// The most.
    pub max: usize,
    /// In what the lengths are counted.
    pub unit: Unit,
    /// Which characters it is made of.
    pub alphabet: Alphabet,
    /// Where the rule is written.
    pub source: &'static str,
}

/// In what a length is counted.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum Unit {
    /// Unicode characters.
    Characters,
    /// Bytes of UTF-8.
    Bytes,
}

/// A set of characters.
#[derive(Clone, Copy, Debug)]
#[non_exhaustive]
pub struct Alphabet {
    /// In words.
    pub words: &'static str,
    accepts: fn(char) -> bool,
}

impl Alphabet {
    /// Everything but control characters.
    pub const PRINTABLE: Self = Self::new("anything but control characters", |character| !character.is_control());
    /// Every character that XML 1.0 can carry, line breaks and tabs among them, without other control characters.
    pub const TEXT: Self = Self::new(
        "anything but control characters other than line breaks and tabs",
        |character| {
            matches!(character, '\n' | '\r' | '\t')
                || !(character.is_control() || matches!(character, '\u{fffe}' | '\u{ffff}'))
        },
    );
    /// Characters of at most three bytes in UTF-8 (no emoji), without control characters.
    pub const BASIC_PLANE: Self = Self::new("characters of the basic plane (no emoji)", |character| {
        !character.is_control() && character.len_utf8() <= 3
    });
    /// Printable ASCII.
    pub const ASCII: Self = Self::new("printable ASCII", |character| matches!(character, ' '..='~'));
    /// Digits.
    pub const DIGITS: Self = Self::new("digits", |character| character.is_ascii_digit());
    /// Letters and digits.
    pub const ALPHANUMERIC: Self = Self::new("letters and digits", |character| character.is_ascii_alphanumeric());
    /// Letters, digits and the underscore.
    pub const WORD: Self = Self::new("letters, digits and _", |character| {
        character.is_ascii_alphanumeric() || character == '_'
    });
    /// Letters, digits, hyphen and underscore.
    pub const WORD_HYPHEN: Self = Self::new("letters, digits, - and _", |character| {
        character.is_ascii_alphanumeric() || matches!(character, '-' | '_')
    });
    /// What WeChat Pay allows in an order number that is made: letters, digits and `_-|*`.
    pub const WECHAT_ORDER: Self = Self::new("letters, digits and _ - | *", |character| {
        character.is_ascii_alphanumeric() || matches!(character, '_' | '-' | '|' | '*')
    });
    /// What WeChat Pay allows in a refund number, and in an order number that is asked for: also `@`.
    pub const WECHAT_NUMBER: Self = Self::new("letters, digits and _ - | * @", |character| {
        character.is_ascii_alphanumeric() || matches!(character, '_' | '-' | '|' | '*' | '@')
    });

    /// A set of its own.
    #[must_use]
    pub const fn new(words: &'static str, accepts: fn(char) -> bool) -> Self {
        Self { words, accepts }
    }

    /// Whether a character is in it.
    #[must_use]
    pub fn accepts(&self, character: char) -> bool {
        (self.accepts)(character)
    }
}

/// A value that breaks a [`Rule`]. The value itself is not part of it.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum RuleBroken {
    /// Too short, or empty.
    #[error("`{field}` has {length} {unit}, at least {min} are required ({source_text})")]
    TooShort {
        /// The name on the wire.
        field: &'static str,
        /// Its length.
        length: usize,
        /// The least.
        min: usize,
        /// What was counted.
        unit: &'static str,
        /// Where the rule is written.
        source_text: &'static str,
    },
    /// Too long.
    #[error("`{field}` has {length} {unit}, at most {max} are allowed ({source_text})")]
    TooLong {
        /// The name on the wire.
        field: &'static str,
        /// Its length.
        length: usize,
        /// The most.
        max: usize,
        /// What was counted.
        unit: &'static str,
        /// Where the rule is written.
        source_text: &'static str,
    },
    /// A character outside the alphabet.
    #[error(
        "`{field}` holds a character that is not allowed at position {position}; allowed are {allowed} ({source_text})"
    )]
    Character {
        /// The name on the wire.
        field: &'static str,
        /// Which character, counted from 0.
        position: usize,
        /// The alphabet in words.
        allowed: &'static str,
        /// Where the rule is written.
        source_text: &'static str,
    },
}

impl RuleBroken {
    /// The name on the wire.
    #[must_use]
    pub const fn field(&self) -> &'static str {
        match self {
            Self::TooShort { field, .. } | Self::TooLong { field, .. } | Self::Character { field, .. } => field,
        }
    }
}

impl Rule {
    /// At most so many characters, at least one, without control characters.
    #[must_use]
    pub const fn new(field: &'static str, max: usize) -> Self {
        Self {
            field,
            min: 1,
            max,
            unit: Unit::Characters,
            alphabet: Alphabet::PRINTABLE,
            source: "the platform's field table",
        }
    }

    /// At least so many.
    #[must_use]
    pub const fn min(self, min: usize) -> Self {
        Self { min, ..self }
    }

    /// Counted in bytes of UTF-8.
    #[must_use]
    pub const fn bytes(self) -> Self {
        Self {
            unit: Unit::Bytes,
            ..self
        }
    }

    /// Of these characters.
    #[must_use]
    pub const fn alphabet(self, alphabet: Alphabet) -> Self {
        Self { alphabet, ..self }
    }

    /// Where it is written.
    #[must_use]
    pub const fn source(self, source: &'static str) -> Self {
        Self { source, ..self }
    }

    /// Checks a value.
    ///
    /// # Errors
    /// Says which part of the rule does not hold.
    pub fn check(&self, value: &str) -> Result<(), BuildError> {
        self.broken_by(value)
            .map_or(Ok(()), |broken| Err(BuildError::Rule(broken)))
    }

    /// Checks a value that may be left out.
    ///
    /// # Errors
    /// Says which part of the rule does not hold. An empty text is an error: leave the field out instead.
    pub fn check_maybe(&self, value: Option<&str>) -> Result<(), BuildError> {
        value.map_or(Ok(()), |value| self.check(value))
    }

    fn broken_by(&self, value: &str) -> Option<RuleBroken> {
        let Self {
            field,
            min,
            max,
            alphabet,
            source: source_text,
            ..
        } = *self;
        let (length, unit) = match self.unit {
            Unit::Characters => (value.chars().count(), "characters"),
            Unit::Bytes => (value.len(), "bytes"),
        };
        if length < min {
            return Some(RuleBroken::TooShort {
                field,
                length,
                min,
                unit,
                source_text,
            });
        }
        if length > max {
            return Some(RuleBroken::TooLong {
                field,
                length,
                max,
                unit,
                source_text,
            });
        }
        let position = value.chars().position(|character| !alphabet.accepts(character))?;
        Some(RuleBroken::Character {
            field,
            position,
            allowed: alphabet.words,
            source_text,
        })
    }
}
