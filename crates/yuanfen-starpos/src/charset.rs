//! Which bytes are sent, which are read, and which are signed: StarPos sheet, section 3.
//!
//! The digest is over UTF-8 in every case; only the body's own encoding differs.

use std::borrow::Cow;
use std::fmt::Write as _;

use encoding_rs::GBK;
use percent_encoding::percent_decode_str;
use yuanfen_core::{BuildError, Fields, Limits, Object, ObjectError};

/// How a body is written.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum BodyEncoding {
    /// JSON with every character beyond ASCII as `\uXXXX`: reads the same as GBK and as UTF-8. `characterSet` `00`.
    AsciiJson,
    /// Raw GBK, as documented. `characterSet` `00`. Characters that GBK does not have are refused.
    Gbk,
    /// Raw UTF-8. `characterSet` `01`, which the documentation dropped in 2018 and some clients still use.
    Utf8,
}

impl BodyEncoding {
    /// `characterSet` on the wire.
    #[must_use]
    pub const fn character_set(self) -> &'static str {
        match self {
            Self::AsciiJson | Self::Gbk => "00",
            Self::Utf8 => "01",
        }
    }

    pub(crate) const fn content_type(self) -> &'static str {
        match self {
            Self::AsciiJson => "application/json",
            Self::Gbk => "application/json;charset=GBK",
            Self::Utf8 => "application/json;charset=UTF-8",
        }
    }

    /// One flat JSON object, every value a string.
    pub(crate) fn write(self, fields: &Fields) -> Result<Vec<u8>, BuildError> {
        let mut json = String::with_capacity(512);
        json.push('{');
        for (index, (name, value)) in fields.iter().enumerate() {
            if index > 0 {
                json.push(',');
            }
            quote(&mut json, name, self == Self::AsciiJson);
            json.push(':');
            quote(&mut json, value, self == Self::AsciiJson);
        }
        json.push('}');
        match self {
            Self::AsciiJson | Self::Utf8 => Ok(json.into_bytes()),
            Self::Gbk => match GBK.encode(&json) {
                (_, _, true) => Err(BuildError::Conflict {
                    fields: "characterSet",
                    problem: "a value has characters that GBK does not have",
                }),
                (bytes, _, false) => Ok(bytes.into_owned()),
            },
        }
    }
}

fn quote(out: &mut String, text: &str, ascii: bool) {
    out.push('"');
    for character in text.chars() {
        match character {
            '"' => out.push_str("\\\""),
            '\\' => out.push_str("\\\\"),
            '\n' => out.push_str("\\n"),
            '\r' => out.push_str("\\r"),
            '\t' => out.push_str("\\t"),
            control if control < ' ' => escape(out, control),
            beyond if ascii && !beyond.is_ascii() => escape(out, beyond),
            plain => out.push(plain),
        }
    }
    out.push('"');
}

fn escape(out: &mut String, character: char) {
    for unit in character.encode_utf16(&mut [0; 2]) {
        _ = write!(out, "\\u{unit:04x}");
    }
}

/// Reads a flat JSON body: UTF-8 where it is UTF-8, GBK otherwise.
pub(crate) fn read(body: &[u8]) -> Result<Object, ObjectError> {
    let limits = Limits::DEFAULT.with_bytes(64 << 10);
    match Object::parse(body, &limits) {
        Err(not_utf8 @ ObjectError::NotUtf8 { .. }) => {
            match GBK.decode_without_bom_handling_and_without_replacement(body) {
                Some(text) => Object::parse(text.as_bytes(), &limits),
                None => Err(not_utf8),
            }
        }
        other => other,
    }
}

/// Decodes a form-style percent-encoding once. What is none, or decodes to no UTF-8, stays as it came.
pub(crate) fn percent_decode(text: &str) -> Cow<'_, str> {
    if !text.contains(['%', '+']) {
        return Cow::Borrowed(text);
    }
    let spaced = text.replace('+', " ");
    match percent_decode_str(&spaced).decode_utf8() {
        Ok(decoded) => Cow::Owned(decoded.into_owned()),
        Err(_) => Cow::Borrowed(text),
    }
}
