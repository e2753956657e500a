//! Ordered name and value pairs: what a flat message is before anything in it is believed.

use std::fmt;

use crate::redact::OneLine;
use crate::{DecimalError, MoneyError, NumberError, TimeError};

/// Ordered name/value pairs of a flat message, duplicate names refused.
///
/// A duplicate would make "what was signed" ambiguous. All text lives in one buffer; names and values are slices of
/// it, so reading a message costs two allocations whatever its number of fields. `Debug` prints names and lengths,
/// never values.
///
/// ```
/// use yuanfen_core::Fields;
/// let mut fields = Fields::new();
/// fields.push("return_code", "SUCCESS")?;
/// fields.push("total_fee", "100")?;
/// assert_eq!(fields.get("total_fee"), Some("100"));
/// assert!(fields.push("total_fee", "1").is_err());
/// # Ok::<(), yuanfen_core::FieldError>(())
/// ```
#[derive(Clone, Default)]
pub struct Fields {
    text: String,
    spans: Vec<Span>,
}

#[derive(Clone, Copy)]
struct Span {
    start: usize,
    middle: usize,
    end: usize,
    tail: u64,
}

/// The end of a name as a number. Looking a name up compares these first, which tells most names apart (also those of
/// a numbered family) without a look at the text.
fn tail(name: &str) -> u64 {
    let bytes = name.as_bytes();
    match bytes.last_chunk() {
        Some(last) => u64::from_le_bytes(*last),
        None => bytes.iter().fold(0, |number, byte| (number << 8) | u64::from(*byte)),
    }
}

impl Fields {
    /// No fields.
    #[must_use]
    pub const fn new() -> Self {
        Self {
            text: String::new(),
            spans: Vec::new(),
        }
    }

    /// No fields, with room for so much text and so many of them.
    #[must_use]
    pub fn with_capacity(text: usize, fields: usize) -> Self {
        Self {
            text: String::with_capacity(text),
            spans: Vec::with_capacity(fields),
        }
    }

    /// Adds a field at the end.
    ///
    /// # Errors
    /// Refuses a name that is there already, and an empty name.
    pub fn push(&mut self, name: &str, value: &str) -> Result<(), FieldError> {
        self.push_parts(name, [value])
    }

    /// Adds a field whose value comes in pieces, as an XML parser finds it.
    ///
    /// # Errors
    /// Refuses a name that is there already, and an empty name.
    pub fn push_parts<'a>(&mut self, name: &str, parts: impl IntoIterator<Item = &'a str>) -> Result<(), FieldError> {
        if name.is_empty() {
            return Err(FieldError::new(name, ValueError::Unnamed));
        }
        if self.position(name).is_some() {
            return Err(FieldError::new(name, ValueError::Duplicate));
        }
        let start = self.text.len();
        self.text.push_str(name);
        let middle = self.text.len();
        for part in parts {
            self.text.push_str(part);
        }
        self.spans.push(Span {
            start,
            middle,
            end: self.text.len(),
            tail: tail(name),
        });
        Ok(())
    }

    /// The value of the field of that name.
    #[must_use]
    pub fn get(&self, name: &str) -> Option<&str> {
        self.at(self.position(name)?).map(|(_, value)| value)
    }

    /// The value of the field of that name, unless it is empty.
    #[must_use]
    pub fn filled(&self, name: &str) -> Option<&str> {
        self.get(name).filter(|value| !value.is_empty())
    }

    /// Names and values in their order.
    #[must_use]
    pub fn iter(&self) -> impl ExactSizeIterator<Item = (&str, &str)> + Clone {
        self.spans.iter().map(|span| {
            let name = self.text.get(span.start..span.middle).unwrap_or_default();
            let value = self.text.get(span.middle..span.end).unwrap_or_default();
            (name, value)
        })
    }

    /// How many fields there are.
    #[must_use]
    pub const fn len(&self) -> usize {
        self.spans.len()
    }

    /// Whether there are none.
    #[must_use]
    pub const fn is_empty(&self) -> bool {
        self.spans.is_empty()
    }

    /// Where the field of that name stands.
    pub(crate) fn position(&self, name: &str) -> Option<usize> {
        let wanted = tail(name);
        let text = self.text.as_bytes();
        self.spans
            .iter()
            .position(|span| span.tail == wanted && text.get(span.start..span.middle) == Some(name.as_bytes()))
    }

    pub(crate) fn at(&self, index: usize) -> Option<(&str, &str)> {
        let span = self.spans.get(index)?;
        Some((
            self.text.get(span.start..span.middle)?,
            self.text.get(span.middle..span.end)?,
        ))
    }
}

/// Two messages are equal when they hold the same fields in the same order.
impl PartialEq for Fields {
    fn eq(&self, other: &Self) -> bool {
        self.iter().eq(other.iter())
    }
}

impl Eq for Fields {}

impl fmt::Debug for Fields {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let mut map = f.debug_map();
        for (name, value) in self.iter() {
            map.entry(&name, &format_args!("{} bytes", value.len()));
        }
        map.finish()
    }
}

impl<'a> TryFrom<&[(&'a str, &'a str)]> for Fields {
    type Error = FieldError;

    fn try_from(pairs: &[(&'a str, &'a str)]) -> Result<Self, FieldError> {
        let mut fields = Self::new();
        for (name, value) in pairs {
            fields.push(name, value)?;
        }
        Ok(fields)
    }
}

/// A field that could not be read or taken: its path and what is wrong with it. The value itself is never part of
/// the error. Names may come from a stranger, so `Display` escapes what would break a line of a log.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("field `{}`: {problem}", OneLine(path))]
#[non_exhaustive]
pub struct FieldError {
    /// Where: the name, with the names of the objects around it in front (`amount.total`, `data[2].serial_no`).
    pub path: String,
    /// What.
    pub problem: ValueError,
}

impl FieldError {
    /// An error at that path.
    #[must_use]
    pub fn new(path: impl Into<String>, problem: ValueError) -> Self {
        Self {
            path: path.into(),
            problem,
        }
    }

    /// The same error one level further out.
    #[must_use]
    pub fn within(mut self, outer: &str) -> Self {
        let joint = if self.path.is_empty() || self.path.starts_with('[') {
            ""
        } else {
            "."
        };
        self.path = format!("{outer}{joint}{}", self.path);
        self
    }
}

/// What is wrong with one value.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum ValueError {
    /// Absent, `null` or empty, and required.
    #[error("required, and absent or empty")]
    Missing,
    /// The same name twice in one message.
    #[error("stands twice in one message")]
    Duplicate,
    /// A field without a name.
    #[error("has no name")]
    Unnamed,
    /// JSON of another type than the contract has.
    #[error("{expected} expected, {found} found")]
    WrongType {
        /// What the contract has.
        expected: &'static str,
        /// What stood there.
        found: &'static str,
    },
    /// Not an integer, or one that does not fit.
    #[error("not an integer of the expected range")]
    NotInteger,
    /// Not an amount.
    #[error(transparent)]
    Money(MoneyError),
    /// Not a decimal.
    #[error(transparent)]
    Decimal(DecimalError),
    /// Not a number of its kind.
    #[error(transparent)]
    Number(NumberError),
    /// Not a time.
    #[error(transparent)]
    Time(TimeError),
    /// A text of another form than the contract has.
    #[error("not {expected}")]
    Form {
        /// What the contract has.
        expected: &'static str,
    },
}
