//! Canonical texts as named choices.

use std::cmp::Ordering;
use std::fmt;

use yuanfen_core::{Fields, Secret, masked_text};
use zeroize::Zeroizing;

use crate::SharedKey;

/// How pairs become the text that is signed. A provider states its choices as a `const`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[expect(
    clippy::exhaustive_structs,
    reason = "providers write it as a literal, and a new choice must reach them all"
)]
pub struct PairRules {
    /// By what the names are sorted.
    pub order: NameOrder,
    /// What becomes of empty values.
    pub empties: Empties,
    /// How pairs are written.
    pub render: Render,
    /// What ends the text.
    pub tail: Tail,
    /// Names that take no part: the signature's own field, and what else the protocol leaves out.
    pub left_out: &'static [&'static str],
    /// What becomes of spaces.
    pub blanks: Blanks,
}

/// By what names are sorted.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum NameOrder {
    /// Byte order of the name: digits, upper case, `_`, lower case. Seen on WeChat v2 and fshows.
    Bytes,
    /// Byte order of the lower-cased name, ties by byte order. Seen on StarPos (its sheet, section 4.1).
    LowerCased,
}

/// What becomes of fields whose value is empty.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum Empties {
    /// They take no part. Seen on WeChat v2 and on fshows call-backs.
    Drop,
    /// They take part as `name=`. Seen on fshows call-backs as the second reading.
    Keep,
}

/// How pairs are written.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum Render {
    /// `name=value`, joined with `&`, values raw. Seen on WeChat v2 and fshows.
    NameEqualsValue,
    /// Values alone, without separator. Seen on StarPos.
    ValuesOnly,
}

/// What ends the text.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum Tail {
    /// Nothing. Seen on fshows.
    None,
    /// `&key=` and the key. Seen on WeChat v2.
    KeyField,
    /// The key, without separator. Seen on StarPos.
    BareKey,
}

/// What becomes of spaces (U+0020) anywhere in the text, the key included.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum Blanks {
    /// They stay.
    Keep,
    /// They are removed. Seen on StarPos (its sheet, section 4.1, step 5).
    Remove,
}

impl PairRules {
    /// The text over these fields under that key.
    #[must_use]
    pub fn text(&self, fields: &Fields, key: &SharedKey) -> CanonicalText {
        self.build(fields, key.expose().as_bytes())
    }

    /// The text over these fields where no key takes part ([`Tail::None`]); a tail that wants one ends without it.
    #[must_use]
    pub fn keyless_text(&self, fields: &Fields) -> CanonicalText {
        self.build(fields, b"")
    }

    fn build(&self, fields: &Fields, key: &[u8]) -> CanonicalText {
        let mut pairs: Vec<(&str, &str)> = Vec::with_capacity(fields.len());
        pairs.extend(fields.iter().filter(|(name, value)| {
            !self.left_out.contains(name) && (self.empties == Empties::Keep || !value.is_empty())
        }));
        match self.order {
            NameOrder::Bytes => pairs.sort_unstable_by(|left, right| left.0.cmp(right.0)),
            NameOrder::LowerCased => pairs.sort_unstable_by(|left, right| lower_cased(left.0, right.0)),
        }
        let size: usize = pairs
            .iter()
            .map(|(name, value)| name.len().saturating_add(value.len()).saturating_add(2))
            .sum();
        let mut text = Vec::with_capacity(size.saturating_add(key.len()).saturating_add(8));
        for (index, (name, value)) in pairs.iter().enumerate() {
            if self.render == Render::NameEqualsValue {
                if index > 0 {
                    text.push(b'&');
                }
                text.extend_from_slice(name.as_bytes());
                text.push(b'=');
            }
            text.extend_from_slice(value.as_bytes());
        }
        if self.tail == Tail::KeyField {
            text.extend_from_slice(if pairs.is_empty() { b"key=" } else { b"&key=" });
        }
        let mut key_length = 0;
        if self.tail != Tail::None {
            text.extend_from_slice(key);
            key_length = key.len();
        }
        if self.blanks == Blanks::Remove {
            text.retain(|byte| *byte != b' ');
            key_length = key_length.saturating_sub(key.iter().filter(|byte| **byte == b' ').count());
        }
        CanonicalText {
            bytes: Zeroizing::new(text),
            key_length,
        }
    }
}

fn lower_cased(left: &str, right: &str) -> Ordering {
    let lower = |name: &str| name.bytes().map(|byte| byte.to_ascii_lowercase()).collect::<Vec<u8>>();
    lower(left).cmp(&lower(right)).then_with(|| left.cmp(right))
}

/// A text that is signed, which may end in the key: it is wiped on drop and prints its length only.
#[derive(Clone)]
pub struct CanonicalText {
    bytes: Zeroizing<Vec<u8>>,
    key_length: usize,
}

impl CanonicalText {
    /// The text itself, key included.
    #[must_use]
    pub fn as_bytes(&self) -> &[u8] {
        &self.bytes
    }

    /// The text and the length of the key at its end, as `yuanfen_core::Draft` wants them.
    #[must_use]
    pub fn into_parts(mut self) -> (Vec<u8>, usize) {
        (std::mem::take(&mut *self.bytes), self.key_length)
    }

    /// The text with the key masked, for people. Bytes that are no UTF-8 are shown as `\xNN`.
    #[must_use]
    pub fn redacted(&self) -> String {
        masked_text(&self.bytes, self.key_length)
    }
}

impl fmt::Debug for CanonicalText {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "CanonicalText({} bytes)", self.bytes.len())
    }
}

/// A message followed directly by the key: mpgateway's text (the base64 of the request) and the text of StarPos'
/// encrypted push.
#[must_use]
pub fn keyed_text(message: &[u8], key: &SharedKey) -> CanonicalText {
    let key: &Secret<String> = key.secret();
    let mut bytes = Vec::with_capacity(message.len().saturating_add(key.expose().len()));
    bytes.extend_from_slice(message);
    bytes.extend_from_slice(key.expose().as_bytes());
    CanonicalText {
        bytes: Zeroizing::new(bytes),
        key_length: key.expose().len(),
    }
}

/// Lines, each ended by LF: the texts of WeChat APIv3.
///
/// ```
/// assert_eq!(yuanfen_sign::line_text(&[b"1554208460", b"nonce", b""]), b"1554208460\nnonce\n\n");
/// ```
#[must_use]
pub fn line_text(lines: &[&[u8]]) -> Vec<u8> {
    let mut text = Vec::with_capacity(lines.iter().map(|line| line.len().saturating_add(1)).sum());
    for line in lines {
        text.extend_from_slice(line);
        text.push(b'\n');
    }
    text
}
