//! Order, refund and platform numbers.

use std::fmt;

use crate::ValueError;
use crate::taker::WireText;

/// Why a text is not a number of its kind.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum NumberError {
    /// Nothing there.
    #[error("{what} is empty")]
    Empty {
        /// Which number.
        what: &'static str,
    },
    /// Too few characters.
    #[error("{what} has {length} characters, at least {min} are required")]
    TooShort {
        /// Which number.
        what: &'static str,
        /// Its length.
        length: usize,
        /// The least.
        min: usize,
    },
    /// Too many characters.
    #[error("{what} has {length} characters, at most {max} are allowed")]
    TooLong {
        /// Which number.
        what: &'static str,
        /// Its length.
        length: usize,
        /// The most.
        max: usize,
    },
    /// A character outside the alphabet.
    #[error("{what} holds a character that is not allowed at position {position}; allowed are {allowed}")]
    Character {
        /// Which number.
        what: &'static str,
        /// Which character, counted from 0.
        position: usize,
        /// The alphabet in words.
        allowed: &'static str,
    },
}

struct Form {
    what: &'static str,
    min: usize,
    max: usize,
    allowed: &'static str,
    accepts: fn(char) -> bool,
}

fn printable(character: char) -> bool {
    character.is_ascii_graphic()
}

fn check(text: &str, form: &Form) -> Result<(), NumberError> {
    let what = form.what;
    if text.is_empty() {
        return Err(NumberError::Empty { what });
    }
    if let Some(position) = text.chars().position(|character| !(form.accepts)(character)) {
        return Err(NumberError::Character {
            what,
            position,
            allowed: form.allowed,
        });
    }
    let length = text.chars().count();
    if length < form.min {
        return Err(NumberError::TooShort {
            what,
            length,
            min: form.min,
        });
    }
    if length > form.max {
        return Err(NumberError::TooLong {
            what,
            length,
            max: form.max,
        });
    }
    Ok(())
}

macro_rules! number {
    ($(#[$doc:meta])* $name:ident, $form:expr) => {
        $(#[$doc])*
        #[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
        pub struct $name(Box<str>);

        impl $name {
            const FORM: Form = $form;

            /// Checks the text and takes it.
            ///
            /// # Errors
            /// Says what is wrong with it: empty, too long, or a character that is not allowed.
            pub fn new(text: impl AsRef<str>) -> Result<Self, NumberError> {
                let text = text.as_ref();
                check(text, &Self::FORM)?;
                Ok(Self(text.into()))
            }

            /// The text.
            #[must_use]
            pub fn as_str(&self) -> &str {
                &self.0
            }
        }

        impl fmt::Debug for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                write!(f, concat!(stringify!($name), "({})"), self.0)
            }
        }

        impl fmt::Display for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.pad(&self.0)
            }
        }

        impl AsRef<str> for $name {
            fn as_ref(&self) -> &str {
                &self.0
            }
        }

        impl std::str::FromStr for $name {
            type Err = NumberError;

            fn from_str(text: &str) -> Result<Self, NumberError> {
                Self::new(text)
            }
        }

        impl WireText for $name {
            fn read(text: &str) -> Result<Self, ValueError> {
                Self::new(text).map_err(ValueError::Number)
            }

            fn write(&self, out: &mut String) {
                out.push_str(&self.0);
            }
        }

        #[cfg(feature = "json")]
        impl serde::Serialize for $name {
            fn serialize<S: serde::Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
                serializer.serialize_str(&self.0)
            }
        }
    };
}

number!(
    /// The merchant's own order number: 1 to 64 printable ASCII characters without blanks.
    ///
    /// Each provider checks its own, narrower alphabet and length when it sends one; see
    /// [`portable`](Self::portable) for the rule that all five accept.
    OrderNo,
    Form { what: "order number", min: 1, max: 64, allowed: "printable ASCII without blanks", accepts: printable }
);

number!(
    /// The merchant's own refund number: 1 to 64 printable ASCII characters without blanks.
    RefundNo,
    Form { what: "refund number", min: 1, max: 64, allowed: "printable ASCII without blanks", accepts: printable }
);

number!(
    /// A number that the platform made (its order, refund or serial number): opaque, 1 to 128 characters, none of
    /// them a control character. Tolerant, because it is read and handed back, never made.
    RemoteId,
    Form {
        what: "platform number",
        min: 1,
        max: 128,
        allowed: "anything but control characters",
        accepts: |character| !character.is_control()
    }
);

impl OrderNo {
    /// An order number that every one of the five platforms accepts: 8 to 32 letters and digits. An order that has
    /// one can move between providers.
    ///
    /// # Errors
    /// Says which part of the rule does not hold.
    pub fn portable(text: impl AsRef<str>) -> Result<Self, NumberError> {
        let text = text.as_ref();
        let form = Form {
            what: "order number",
            min: 8,
            max: 32,
            allowed: "letters and digits",
            accepts: |character| character.is_ascii_alphanumeric(),
        };
        check(text, &form)?;
        Ok(Self(text.into()))
    }
}
