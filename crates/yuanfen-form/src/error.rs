//! What was wrong, and where. Never what stood there: a body holds openids and signatures.

use std::fmt;

use yuanfen_core::{LimitExceeded, ObjectError};

/// Why a text is not a form, or a field of one not base64 JSON.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct FormError {
    /// What is wrong.
    pub kind: FormErrorKind,
    /// The byte at which it is seen, counted from 0 in the text that was handed in.
    pub position: usize,
}

/// What is wrong with a form.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum FormErrorKind {
    /// A pair without `=`: perhaps the text was cut off, perhaps it is no form at all.
    NoEquals,
    /// A pair without a name, or nothing between two `&`.
    NoName,
    /// The same name a second time.
    Duplicate,
    /// A `%` that is not followed by two hexadecimal digits.
    Escape,
    /// A blank or control character that stands there unescaped.
    Unescaped,
    /// What the escapes spell is not UTF-8.
    NotUtf8,
    /// Not base64 of the standard alphabet with its padding.
    Base64,
    /// What the base64 spells is not a JSON object within the limits; the cause says why.
    Json(ObjectError),
    /// More than is read from a stranger.
    Limit(LimitExceeded),
}

impl FormErrorKind {
    pub(crate) const fn at(self, position: usize) -> FormError {
        FormError { kind: self, position }
    }
}

impl fmt::Display for FormErrorKind {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::NoEquals => "a pair has no `=`",
            Self::NoName => "a pair has no name",
            Self::Duplicate => "a name stands twice",
            Self::Escape => "a `%` is not followed by two hexadecimal digits",
            Self::Unescaped => "a blank or control character is not escaped",
            Self::NotUtf8 => "the decoded text is not UTF-8",
            Self::Base64 => "not base64 of the standard alphabet with its padding",
            Self::Json(_) => "what the base64 spells is not a JSON object that is read here",
            Self::Limit(exceeded) => return write!(f, "{exceeded}"),
        })
    }
}

impl fmt::Display for FormError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} (byte {})", self.kind, self.position)
    }
}

impl std::error::Error for FormError {
    fn source(&self) -> Option<&(dyn std::error::Error + 'static)> {
        match &self.kind {
            FormErrorKind::Json(error) => Some(error),
            FormErrorKind::NoEquals
            | FormErrorKind::NoName
            | FormErrorKind::Duplicate
            | FormErrorKind::Escape
            | FormErrorKind::Unescaped
            | FormErrorKind::NotUtf8
            | FormErrorKind::Base64
            | FormErrorKind::Limit(_) => None,
        }
    }
}
