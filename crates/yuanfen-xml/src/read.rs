//! Bytes to fields.

use std::borrow::Cow;

use quick_xml::errors::{Error, IllFormedError, SyntaxError};
use quick_xml::events::{BytesStart, Event};
use quick_xml::reader::Reader;
use yuanfen_core::{Fields, LimitExceeded, Limits};

use crate::{XmlError, XmlErrorKind, attributes, escape, grammar, plain};

/// A flat XML message: a root element and the fields in it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Document {
    root: Box<str>,
    fields: Fields,
}

impl Document {
    pub(crate) fn new(root: &str, fields: Fields) -> Self {
        Self {
            root: root.into(),
            fields,
        }
    }

    /// The name of the root element: `xml` in WeChat's messages, `root` in what a refund notice encrypts.
    #[must_use]
    pub fn root(&self) -> &str {
        &self.root
    }

    /// The fields in their order.
    #[must_use]
    pub const fn fields(&self) -> &Fields {
        &self.fields
    }

    /// The fields, for keeps.
    #[must_use]
    pub fn into_fields(self) -> Fields {
        self.fields
    }
}

/// Reads a flat XML message: one root element of any name, and in it one element for each field.
///
/// A value is what XML 1.0 says it is: text pieces, CDATA sections and references of one element joined, no blank
/// trimmed, CR LF and lone CR as LF. Of the limits, `depth` counts the level of the fields, so 0 refuses any field and
/// there is nothing deeper to allow.
///
/// ```
/// use yuanfen_xml::{MESSAGE_LIMITS, XmlErrorKind, read};
/// let document = read(b"<xml><total_fee>1</total_fee></xml>", &MESSAGE_LIMITS)?;
/// assert_eq!(document.fields().get("total_fee"), Some("1"));
///
/// let twice = b"<xml><total_fee>1</total_fee><total_fee>100</total_fee></xml>";
/// let error = read(twice, &MESSAGE_LIMITS).unwrap_err();
/// assert_eq!((error.kind(), error.position()), (XmlErrorKind::Duplicate, 29));
/// # Ok::<(), yuanfen_xml::XmlError>(())
/// ```
///
/// # Errors
/// When the bytes are not such a message or go beyond a limit. The error says what is wrong and at which byte, and
/// holds nothing of the message.
pub fn read(bytes: &[u8], limits: &Limits) -> Result<Document, XmlError> {
    LimitExceeded::check("bytes", bytes.len(), limits.bytes)
        .map_err(|exceeded| XmlError::new(exceeded.into(), limits.bytes))?;
    let text = std::str::from_utf8(bytes).map_err(|error| XmlError::new(XmlErrorKind::NotUtf8, error.valid_up_to()))?;
    if let Some(position) = grammar::first_forbidden(text) {
        return Err(XmlError::new(XmlErrorKind::ForbiddenCharacter, position));
    }
    // The byte order mark is cut here because the parser neither counts it nor refuses a second one.
    let body = text.strip_prefix(BYTE_ORDER_MARK).unwrap_or(text);
    let base = text.len().saturating_sub(body.len());
    if body.starts_with(BYTE_ORDER_MARK) {
        return Err(XmlError::new(XmlErrorKind::StrayText, base));
    }
    match plain::read(body, limits) {
        Some(document) => Ok(document),
        None => general(body, base, limits),
    }
}

/// Reads a message of any form, behind its byte order mark, which is `base` bytes long. Its characters are those of XML.
pub(crate) fn general(body: &str, base: usize, limits: &Limits) -> Result<Document, XmlError> {
    Source::new(body, base, limits).document()
}

const BYTE_ORDER_MARK: char = '\u{FEFF}';

/// The parser's events, the place of the last one, and the rules on top.
struct Source<'a> {
    reader: Reader<&'a [u8]>,
    limits: &'a Limits,
    size: usize,
    /// Bytes in front of what the parser sees.
    base: usize,
    /// Where the last event starts, in what the parser sees.
    at: u64,
}

impl<'a> Source<'a> {
    fn new(body: &'a str, base: usize, limits: &'a Limits) -> Self {
        let mut reader = Reader::from_str(body);
        reader.config_mut().check_comments = true;
        Self {
            reader,
            limits,
            size: body.len(),
            base,
            at: 0,
        }
    }

    fn document(mut self) -> Result<Document, XmlError> {
        let (root, has_content) = self.prolog()?;
        let fields = if has_content { self.content()? } else { Fields::new() };
        self.epilog()?;
        Ok(Document::new(&root, fields))
    }

    /// Up to and with the root's start tag: its name, and whether an end tag is to come.
    fn prolog(&mut self) -> Result<(Box<str>, bool), XmlError> {
        loop {
            match self.next()? {
                Event::Decl(declaration) if self.at == 0 => {
                    let content = declaration.strip_prefix("xml").unwrap_or_default();
                    if !attributes::are_declaration(content) {
                        return Err(self.error(XmlErrorKind::Declaration));
                    }
                }
                Event::Text(text) if grammar::is_blank(&text) => {}
                Event::Comment(_) => {}
                Event::Start(tag) => return Ok((self.name(&tag)?.into(), true)),
                Event::Empty(tag) => return Ok((self.name(&tag)?.into(), false)),
                Event::Eof => return Err(self.error(XmlErrorKind::Empty)),
                other => return Err(self.misplaced(&other)),
            }
        }
    }

    /// The fields, up to and with the root's end tag.
    fn content(&mut self) -> Result<Fields, XmlError> {
        let mut fields = room_for(self.size, self.limits);
        loop {
            match self.next()? {
                Event::Text(text) if grammar::is_blank(&text) => {}
                Event::Comment(_) => {}
                Event::Start(tag) => {
                    let start = self.at;
                    let name = self.name(&tag)?;
                    let value = self.value()?;
                    self.at = start;
                    self.add(&mut fields, name, &value)?;
                }
                Event::Empty(tag) => {
                    let name = self.name(&tag)?;
                    self.add(&mut fields, name, "")?;
                }
                Event::End(_) => return Ok(fields),
                other => return Err(self.misplaced(&other)),
            }
        }
    }

    /// The value of a field, up to and with its end tag.
    fn value(&mut self) -> Result<Cow<'a, str>, XmlError> {
        let mut value = Cow::Borrowed("");
        loop {
            let piece = match self.next()? {
                Event::Text(text) if holds_section_end(&text) => return Err(self.error(XmlErrorKind::StrayText)),
                Event::Text(text) => text.xml10_content(),
                Event::CData(text) => text.xml10_content(),
                Event::GeneralRef(reference) => {
                    let character = escape::resolve(&reference).map_err(|kind| self.error(kind))?;
                    value.to_mut().push(character);
                    continue;
                }
                Event::Start(_) | Event::Empty(_) => return Err(self.error(XmlErrorKind::Nested)),
                Event::Comment(_) => return Err(self.error(XmlErrorKind::Comment)),
                Event::End(_) => return Ok(value),
                other => return Err(self.misplaced(&other)),
            };
            if value.is_empty() {
                value = piece;
            } else {
                value.to_mut().push_str(&piece);
            }
        }
    }

    /// What may follow the root's end tag, up to the end.
    fn epilog(&mut self) -> Result<(), XmlError> {
        loop {
            match self.next()? {
                Event::Text(text) if grammar::is_blank(&text) => {}
                Event::Comment(_) => {}
                Event::Start(_) | Event::Empty(_) => return Err(self.error(XmlErrorKind::SecondRoot)),
                Event::Eof => return Ok(()),
                other => return Err(self.misplaced(&other)),
            }
        }
    }

    /// The name in a start tag, once the whole tag is known to be in order.
    fn name<'t>(&self, tag: &'t BytesStart<'_>) -> Result<&'t str, XmlError> {
        let name = tag.name().into_inner();
        self.check("name length", name.len(), self.limits.name_len)?;
        if !grammar::is_name(name) {
            return Err(self.error(XmlErrorKind::Name));
        }
        if !attributes::are_well_formed(tag.attributes_raw()) {
            return Err(self.error(XmlErrorKind::Attribute));
        }
        Ok(name)
    }

    fn add(&self, fields: &mut Fields, name: &str, value: &str) -> Result<(), XmlError> {
        self.check("depth", 1, self.limits.depth)?;
        self.check("fields", fields.len().saturating_add(1), self.limits.fields)?;
        self.check("value length", value.len(), self.limits.value_len)?;
        fields
            .push(name, value)
            .map_err(|_| self.error(XmlErrorKind::Duplicate))
    }

    #[inline]
    fn next(&mut self) -> Result<Event<'a>, XmlError> {
        self.at = self.reader.buffer_position();
        self.reader.read_event().map_err(|error| {
            self.at = self.at.max(self.reader.error_position());
            let whole = usize::try_from(self.reader.buffer_position()) == Ok(self.size);
            self.error(kind_of(&error, whole))
        })
    }

    fn check(&self, what: &'static str, count: usize, limit: usize) -> Result<(), XmlError> {
        LimitExceeded::check(what, count, limit).map_err(|exceeded| self.error(exceeded.into()))
    }

    /// An error at the last event.
    fn error(&self, kind: XmlErrorKind) -> XmlError {
        let at = usize::try_from(self.at).unwrap_or(self.size);
        XmlError::new(kind, self.base.saturating_add(at))
    }

    /// An event that may not stand where it does.
    fn misplaced(&self, event: &Event<'_>) -> XmlError {
        self.error(match event {
            Event::Text(_) | Event::CData(_) | Event::GeneralRef(_) => XmlErrorKind::StrayText,
            Event::Comment(_) => XmlErrorKind::Comment,
            Event::Decl(_) => XmlErrorKind::Declaration,
            Event::PI(_) => XmlErrorKind::ProcessingInstruction,
            Event::DocType(_) => XmlErrorKind::Doctype,
            Event::Start(_) | Event::Empty(_) => XmlErrorKind::Nested,
            Event::End(_) => XmlErrorKind::EndTag,
            Event::Eof => XmlErrorKind::Truncated,
        })
    }
}

/// Fields with room for those of a message of that size.
///
/// Names stand twice in a message, so names and values are about half of it, and an element of these messages is seldom
/// shorter than 40 bytes. What has more of either makes the buffers grow.
pub(crate) fn room_for(size: usize, limits: &Limits) -> Fields {
    Fields::with_capacity(size.div_ceil(2), limits.fields.min(size.div_ceil(40)))
}

/// `]]>`, which XML keeps out of text so that it can only ever end a CDATA section.
fn holds_section_end(text: &str) -> bool {
    text.contains('>') && text.contains("]]>")
}

/// The kind of what the parser found wrong; `whole` says that it looked at everything up to the end for something
/// that was not there.
fn kind_of(error: &Error, whole: bool) -> XmlErrorKind {
    match error {
        Error::Syntax(SyntaxError::UnclosedDoctype) | Error::IllFormed(IllFormedError::MissingDoctypeName) => {
            XmlErrorKind::Doctype
        }
        Error::Syntax(error) if whole && !matches!(error, SyntaxError::InvalidBangMarkup) => XmlErrorKind::Truncated,
        Error::Syntax(SyntaxError::UnclosedTag) | Error::IllFormed(IllFormedError::MissingEndTag(_)) => {
            XmlErrorKind::Truncated
        }
        Error::IllFormed(IllFormedError::UnmatchedEndTag(_) | IllFormedError::MismatchedEndTag { .. }) => {
            XmlErrorKind::EndTag
        }
        Error::IllFormed(IllFormedError::DoubleHyphenInComment) => XmlErrorKind::Comment,
        Error::IllFormed(IllFormedError::UnclosedReference) => XmlErrorKind::Reference,
        Error::IllFormed(IllFormedError::MissingDeclVersion(_) | IllFormedError::UnknownVersion) => {
            XmlErrorKind::Declaration
        }
        Error::Syntax(_)
        | Error::Io(_)
        | Error::InvalidAttr(_)
        | Error::Encoding(_)
        | Error::Escape(_)
        | Error::Namespace(_) => XmlErrorKind::Markup,
    }
}
