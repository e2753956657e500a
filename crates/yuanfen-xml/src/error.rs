//! What is wrong with a message, and where.

use yuanfen_core::LimitExceeded;

/// Why bytes are not a flat XML message: what is wrong, and at which byte.
///
/// Nothing of the message is part of the error, so it may be logged.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{kind} (byte {position})")]
pub struct XmlError {
    kind: XmlErrorKind,
    position: usize,
}

impl XmlError {
    pub(crate) const fn new(kind: XmlErrorKind, position: usize) -> Self {
        Self { kind, position }
    }

    /// What is wrong.
    #[must_use]
    pub const fn kind(&self) -> XmlErrorKind {
        self.kind
    }

    /// Where, in bytes from the start: the character at fault, or the start of the tag, text or reference that is.
    #[must_use]
    pub const fn position(&self) -> usize {
        self.position
    }
}

/// What is wrong with a message.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum XmlErrorKind {
    /// No element at all: no bytes, or white space and comments only.
    #[error("the message is empty")]
    Empty,
    /// More than is read from a stranger.
    #[error(transparent)]
    Limit(LimitExceeded),
    /// Bytes that are not UTF-8, whatever the declaration says.
    #[error("not UTF-8")]
    NotUtf8,
    /// A character that XML 1.0 forbids, such as NUL, as itself or as a numeric reference.
    #[error("a character that XML forbids")]
    ForbiddenCharacter,
    /// An XML declaration that is malformed, or not at the very start.
    #[error("a malformed or misplaced XML declaration")]
    Declaration,
    /// A document type declaration: the door to external entities and expansion bombs. Never accepted.
    #[error("a document type declaration")]
    Doctype,
    /// A processing instruction.
    #[error("a processing instruction")]
    ProcessingInstruction,
    /// A malformed comment, or one inside a value, where parsers disagree on what the value is.
    #[error("a comment that is malformed or inside a value")]
    Comment,
    /// A reference that is neither one of the five predefined entities nor a number, or is malformed.
    #[error("an unknown or malformed reference")]
    Reference,
    /// An element whose name is none, or has a namespace prefix.
    #[error("not an element name")]
    Name,
    /// Malformed attributes; well-formed ones are dropped.
    #[error("malformed attributes")]
    Attribute,
    /// The same element twice: what was signed would be ambiguous.
    #[error("an element that stands twice")]
    Duplicate,
    /// An element inside a field.
    #[error("an element inside a field")]
    Nested,
    /// Text outside the fields, or `]]>` in text.
    #[error("text where none may be")]
    StrayText,
    /// A second root element.
    #[error("a second root element")]
    SecondRoot,
    /// An end tag that does not belong to the open element.
    #[error("an end tag that does not match")]
    EndTag,
    /// The message ends inside an element or a tag.
    #[error("the message is cut off")]
    Truncated,
    /// Markup of no kind that XML has.
    #[error("not XML markup")]
    Markup,
}

impl XmlErrorKind {
    /// A stable word for it, as test vectors and logs use.
    #[must_use]
    pub const fn code(&self) -> &'static str {
        match self {
            Self::Empty => "empty",
            Self::Limit(_) => "limit",
            Self::NotUtf8 => "not-utf-8",
            Self::ForbiddenCharacter => "forbidden-character",
            Self::Declaration => "declaration",
            Self::Doctype => "doctype",
            Self::ProcessingInstruction => "processing-instruction",
            Self::Comment => "comment",
            Self::Reference => "reference",
            Self::Name => "name",
            Self::Attribute => "attribute",
            Self::Duplicate => "duplicate",
            Self::Nested => "nested",
            Self::StrayText => "stray-text",
            Self::SecondRoot => "second-root",
            Self::EndTag => "end-tag",
            Self::Truncated => "truncated",
            Self::Markup => "markup",
        }
    }
}

impl From<LimitExceeded> for XmlErrorKind {
    fn from(exceeded: LimitExceeded) -> Self {
        Self::Limit(exceeded)
    }
}
