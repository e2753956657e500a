//! Why a signature does not hold: what the caller most likely signed instead, and where the two texts part.
//!
//! A digest does not tell what it was made of. So the mistakes that people make are tried, one by one and then two at a
//! time, until one of them explains the signature that came. That is some hundred texts, so it is done when somebody
//! looks, and not while a call is answered. Nothing here is any platform's: a platform hands over its
//! text, what the text is made of, and how to check a signature.

mod judges;
mod lines;
mod pairs;
mod payload;
mod respell;

use std::sync::Arc;

use serde::ser::{Serialize, SerializeStruct as _, Serializer};
use yuanfen_core::masked_text;

pub(crate) use self::judges::{Keyed, Rsa};
pub(crate) use self::lines::Lines;
pub(crate) use self::pairs::Pairs;
pub(crate) use self::payload::Payload;
use crate::exchange::kept_text;

/// Where a caller's text parts from the platform's. It holds what the message holds: show it to the developer, keep it
/// out of logs. `Debug` shows the mistakes alone.
#[derive(Clone, PartialEq, Eq)]
#[non_exhaustive]
pub struct Divergence {
    /// What the caller did otherwise; together they explain the signature that came.
    pub mistakes: Vec<Mistake>,
    /// The field that it is about, where it is about one.
    pub field: Option<String>,
    /// The byte at which the two texts part, counted from 0; `None` where the texts agree as they are shown here, and
    /// the key or the digest does not.
    pub at: Option<usize>,
    /// The platform's text, with keys masked; of a long one the first 16 KiB and an ellipsis.
    pub ours: String,
    /// What the caller signed, likewise.
    pub theirs: String,
}

/// Finds out what a caller signed, when it is asked to.
pub(crate) type Inquiry = Arc<dyn Fn() -> Option<Divergence> + Send + Sync>;

/// What callers do otherwise.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
#[non_exhaustive]
pub enum Mistake {
    /// The whole address was signed.
    WholeAddress,
    /// The query was left out.
    QueryLeftOut,
    /// The path or query was signed with its escapes undone.
    TargetUnescaped,
    /// The path or query was signed with more escapes than were sent, or with others.
    TargetEscaped,
    /// A slash at the beginning or the end of the path is missing or too many.
    TargetSlash,
    /// The beginning of the path was left out.
    TargetShortened,
    /// The method was spelled otherwise, or is another one.
    MethodSpelling,
    /// The body was left out.
    BodyLeftOut,
    /// A body was signed and none was sent.
    BodyInvented,
    /// The body was written a second time, with other blanks, escapes or order of names.
    BodyRespelled,
    /// Blanks or line breaks around the body were signed, or sent, alone.
    BodyTrimmed,
    /// The whole upload was signed, where its description alone is.
    UploadWhole,
    /// The last line has no line break.
    LastLineBreak,
    /// Line breaks were written otherwise.
    LineBreakSpelling,
    /// Two lines stand in each other's place.
    LinesSwapped,
    /// The fields were sorted otherwise, or not at all.
    FieldOrder,
    /// Fields with empty values were signed, or left out, where it is the other way round.
    EmptyValues,
    /// A field that was sent was not signed.
    FieldLeftOut,
    /// Values were signed with percent escapes.
    ValuesEscaped,
    /// Values were signed with XML's escapes.
    ValuesInXml,
    /// Values were signed without the blanks around them.
    ValuesTrimmed,
    /// Spaces were signed where they are removed, or removed where they are signed.
    Spaces,
    /// Names were signed where values stand alone, or the other way round.
    NamesAndValues,
    /// The key was added otherwise.
    KeyTail,
    /// The key ends in a line break, as it does when it is read from a file.
    KeyLineBreak,
    /// The text was signed in GBK.
    CharsetGbk,
    /// What stands inside the base64 was signed.
    PayloadDecoded,
    /// The base64 was signed in another spelling than was sent.
    PayloadRespelled,
    /// Another account's key was used.
    OtherKey,
    /// Another digest was used.
    OtherDigest,
    /// The signature is spelled otherwise: hex for base64, another case.
    SignatureSpelling,
}

impl Mistake {
    /// All of them.
    pub const ALL: &'static [Self] = &[
        Self::WholeAddress,
        Self::QueryLeftOut,
        Self::TargetUnescaped,
        Self::TargetEscaped,
        Self::TargetSlash,
        Self::TargetShortened,
        Self::MethodSpelling,
        Self::BodyLeftOut,
        Self::BodyInvented,
        Self::BodyRespelled,
        Self::BodyTrimmed,
        Self::UploadWhole,
        Self::LastLineBreak,
        Self::LineBreakSpelling,
        Self::LinesSwapped,
        Self::FieldOrder,
        Self::EmptyValues,
        Self::FieldLeftOut,
        Self::ValuesEscaped,
        Self::ValuesInXml,
        Self::ValuesTrimmed,
        Self::Spaces,
        Self::NamesAndValues,
        Self::KeyTail,
        Self::KeyLineBreak,
        Self::CharsetGbk,
        Self::PayloadDecoded,
        Self::PayloadRespelled,
        Self::OtherKey,
        Self::OtherDigest,
        Self::SignatureSpelling,
    ];

    /// The name, as in `query-left-out`.
    #[must_use]
    pub const fn name(self) -> &'static str {
        self.words().0
    }

    /// What was done and what to do instead, as one sentence.
    #[must_use]
    pub const fn advice(self) -> &'static str {
        self.words().1
    }

    const fn words(self) -> (&'static str, &'static str) {
        match self {
            Self::WholeAddress => (
                "whole-address",
                "The whole address was signed: sign path and query alone, without scheme and host.",
            ),
            Self::QueryLeftOut => (
                "query-left-out",
                "The query was not signed: sign everything that stands behind the host, `?` and parameters included.",
            ),
            Self::TargetUnescaped => (
                "target-unescaped",
                "The address was signed before it was escaped: sign it exactly as it is sent.",
            ),
            Self::TargetEscaped => (
                "target-escaped",
                "The address was signed with other escapes than were sent: take it from the finished request.",
            ),
            Self::TargetSlash => (
                "target-slash",
                "The signed path has another slash at its beginning or end than the path that was sent.",
            ),
            Self::TargetShortened => (
                "target-shortened",
                "The beginning of the path was not signed: sign all of it, from the first slash.",
            ),
            Self::MethodSpelling => (
                "method-spelling",
                "Another method was signed than was sent: it is in upper case.",
            ),
            Self::BodyLeftOut => (
                "body-left-out",
                "The body was not signed: sign the very bytes that are sent.",
            ),
            Self::BodyInvented => (
                "body-invented",
                "A body was signed and none was sent: sign an empty line where there is none.",
            ),
            Self::BodyRespelled => (
                "body-respelled",
                "The body was written once to be signed and once to be sent: write it once, sign and send those bytes.",
            ),
            Self::BodyTrimmed => (
                "body-trimmed",
                "Blanks or line breaks around the body were signed and not sent, or sent and not signed.",
            ),
            Self::UploadWhole => (
                "upload-whole",
                "The whole upload was signed: sign the JSON of its `meta` part alone.",
            ),
            Self::LastLineBreak => (
                "last-line-break",
                "The last line was signed without a line break: each line has one, the last too.",
            ),
            Self::LineBreakSpelling => (
                "line-break-spelling",
                "Line breaks were signed in another spelling: each is one byte, 0x0A.",
            ),
            Self::LinesSwapped => (
                "lines-swapped",
                "Lines were signed in another order: method, address, timestamp, nonce, body.",
            ),
            Self::FieldOrder => (
                "field-order",
                "The fields were signed in another order: sort their names as the platform does.",
            ),
            Self::EmptyValues => (
                "empty-values",
                "Fields without a value were signed where they take no part, or left out where they do.",
            ),
            Self::FieldLeftOut => (
                "field-left-out",
                "A field was sent that was not signed: sign everything that is sent, or do not send it.",
            ),
            Self::ValuesEscaped => (
                "values-escaped",
                "Values were signed with percent escapes: sign them as they read.",
            ),
            Self::ValuesInXml => (
                "values-in-xml",
                "Values were signed as XML spells them: sign them as they read, `&` and not `&amp;`.",
            ),
            Self::ValuesTrimmed => (
                "values-trimmed",
                "Values were signed without the blanks around them: sign what is sent.",
            ),
            Self::Spaces => (
                "spaces",
                "Spaces inside the text were kept where they are removed, or removed where they are kept.",
            ),
            Self::NamesAndValues => (
                "names-and-values",
                "Names and values were joined in another way than the platform does.",
            ),
            Self::KeyTail => (
                "key-tail",
                "The key was added to the text in another way than the platform does.",
            ),
            Self::KeyLineBreak => (
                "key-line-break",
                "The key ends in a line break: cut it off where the key is read from a file.",
            ),
            Self::CharsetGbk => (
                "charset-gbk",
                "The text was signed in GBK: it is signed in UTF-8, whatever the body is in.",
            ),
            Self::PayloadDecoded => (
                "payload-decoded",
                "What is inside the base64 was signed: sign the base64 itself.",
            ),
            Self::PayloadRespelled => (
                "payload-respelled",
                "The base64 was signed in another spelling: sign it as it is before the form escapes it.",
            ),
            Self::OtherKey => (
                "other-key",
                "The text is right, and it was signed with the key of another account.",
            ),
            Self::OtherDigest => (
                "other-digest",
                "The text is right, and it was signed with another digest than the message names.",
            ),
            Self::SignatureSpelling => (
                "signature-spelling",
                "The signature is right and spelled otherwise: look at base64, hex, and its case.",
            ),
        }
    }
}

impl Divergence {
    /// What was done and what to do instead, a sentence for each mistake.
    #[must_use]
    pub fn what(&self) -> String {
        let sentences: Vec<&str> = self.mistakes.iter().map(|mistake| mistake.advice()).collect();
        sentences.join(" ")
    }

    /// The same with one more mistake.
    pub(crate) fn and(mut self, mistake: Mistake) -> Self {
        self.mistakes.push(mistake);
        self
    }
}

impl Serialize for Divergence {
    /// With `what` in words beside the names of the mistakes.
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let names: Vec<&str> = self.mistakes.iter().map(|mistake| mistake.name()).collect();
        let mut object = serializer.serialize_struct("Divergence", 6)?;
        object.serialize_field("what", &self.what())?;
        object.serialize_field("mistakes", &names)?;
        object.serialize_field("field", &self.field)?;
        object.serialize_field("at", &self.at)?;
        object.serialize_field("ours", &self.ours)?;
        object.serialize_field("theirs", &self.theirs)?;
        object.end()
    }
}

impl std::fmt::Display for Mistake {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.pad(self.name())
    }
}

impl std::fmt::Debug for Divergence {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Divergence")
            .field("mistakes", &self.mistakes)
            .field("at", &self.at)
            .finish_non_exhaustive()
    }
}

/// A text that may have been signed, and what was done to get it.
struct Suspect {
    mistakes: Vec<Mistake>,
    field: Option<String>,
    text: Vec<u8>,
    /// Bytes of key at the text's end.
    key_length: usize,
}

impl Suspect {
    const fn new(mistakes: Vec<Mistake>, text: Vec<u8>) -> Self {
        Self {
            mistakes,
            field: None,
            text,
            key_length: 0,
        }
    }
}

/// Says whether a signature was made over a text, and what is odd about it if it was.
pub(crate) trait Judge {
    fn judge(&self, text: &[u8]) -> Option<Vec<Mistake>>;
}

/// The first suspect that explains the signature. `ours` is the platform's text as it is shown.
fn explain(ours: &str, judge: &dyn Judge, suspects: impl IntoIterator<Item = Suspect>) -> Option<Divergence> {
    suspects.into_iter().find_map(|suspect| {
        let mut mistakes = judge.judge(&suspect.text)?;
        mistakes.extend(suspect.mistakes);
        let theirs = masked_text(&suspect.text, suspect.key_length);
        Some(Divergence {
            mistakes,
            field: suspect.field,
            at: parting(ours, &theirs),
            ours: kept_text(ours.to_owned()),
            theirs: kept_text(theirs),
        })
    })
}

/// Where two texts part, if they do; never inside a character.
fn parting(ours: &str, theirs: &str) -> Option<usize> {
    if ours == theirs {
        return None;
    }
    let differs = ours
        .char_indices()
        .zip(theirs.chars())
        .find(|((_, ours), theirs)| ours != theirs);
    Some(differs.map_or_else(|| ours.len().min(theirs.len()), |((at, _), _)| at))
}

/// Every one alone, then every two of them.
fn ones_and_twos<T: Copy>(all: &[T]) -> impl Iterator<Item = Vec<T>> {
    let ones = all.iter().map(|one| vec![*one]);
    let twos = all.iter().enumerate().flat_map(move |(index, one)| {
        let rest = all.get(index.saturating_add(1)..).unwrap_or_default();
        rest.iter().map(move |other| vec![*one, *other])
    });
    ones.chain(twos)
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use super::*;

    #[test]
    fn texts_part_at_the_first_character_that_differs() {
        assert_eq!(parting("a=1&b=2", "a=1&b=2"), None);
        assert_eq!(parting("a=1&b=2", "a=1&c=2"), Some(4));
        assert_eq!(parting("a=1", "a=1&b"), Some(3));
        assert_eq!(parting("牛肉面", "牛筋面"), Some("牛".len()));
    }

    #[test]
    fn every_mistake_has_a_name_of_its_own_and_says_what_to_do() {
        let names: BTreeSet<&str> = Mistake::ALL.iter().map(|mistake| mistake.name()).collect();
        assert_eq!(names.len(), Mistake::ALL.len());
        for mistake in Mistake::ALL {
            assert!(mistake.advice().ends_with('.'), "{mistake}");
        }
    }
}
