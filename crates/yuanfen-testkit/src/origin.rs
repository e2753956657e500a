//! What an origin may say: where the expected values of a vector come from.

use std::str::FromStr;

use serde::Deserialize;

/// Where the expected values of a case, or a key, come from.
///
/// The type has no value for "our own code printed it": a vector recorded from our own output proves nothing.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct Origin {
    /// `kind`: the kind of witness.
    pub kind: OriginKind,
    /// `where`: the document and section, the repository and file, or what was worked out and how.
    pub place: String,
    /// `date`: when the values were taken or computed, as `yyyy-mm-dd`.
    pub date: Option<String>,
    /// `program`: the program, library or command that computed or re-checked the values.
    pub program: Option<String>,
    /// `note`: anything else a reader should know about the evidence.
    pub note: Option<String>,
}

/// The kinds of witness.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
#[non_exhaustive]
pub enum OriginKind {
    /// `vendor-document`: printed in a document of the platform, the owner's copies of such documents included.
    VendorDocument,
    /// `vendor-sdk`: taken from the sources or tests of the platform's own SDK.
    VendorSdk,
    /// `third-party`: taken from an implementation or a test that others published.
    ThirdParty,
    /// `openssl`: made with the OpenSSL command line; `program` has the command.
    OpenSsl,
    /// `worked-by-hand`: follows from reading the rule; nothing had to be computed.
    WorkedByHand,
    /// `computed-independently`: computed by programs that share no code with this workspace; `program` names them.
    ComputedIndependently,
}

/// Why an origin does not count.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum OriginError {
    /// No kind of evidence; `self` and the empty text are among these.
    #[error("`{0}` is no kind of outside evidence")]
    Kind(String),
    /// `where` is empty.
    #[error("`where` is empty")]
    NoPlace,
    /// A computed value without the name of what computed it.
    #[error("`program` is required for values that a program computed")]
    NoProgram,
    /// A date of another form than `yyyy-mm-dd`.
    #[error("`date` is not written as yyyy-mm-dd")]
    Date,
    /// A text that is there but empty.
    #[error("`{0}` is empty")]
    Empty(&'static str),
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct RawOrigin {
    kind: String,
    #[serde(rename = "where")]
    place: String,
    date: Option<String>,
    program: Option<String>,
    note: Option<String>,
}

impl FromStr for OriginKind {
    type Err = OriginError;

    fn from_str(text: &str) -> Result<Self, OriginError> {
        match text {
            "vendor-document" => Ok(Self::VendorDocument),
            "vendor-sdk" => Ok(Self::VendorSdk),
            "third-party" => Ok(Self::ThirdParty),
            "openssl" => Ok(Self::OpenSsl),
            "worked-by-hand" => Ok(Self::WorkedByHand),
            "computed-independently" => Ok(Self::ComputedIndependently),
            other => Err(OriginError::Kind(other.to_owned())),
        }
    }
}

impl TryFrom<RawOrigin> for Origin {
    type Error = OriginError;

    fn try_from(raw: RawOrigin) -> Result<Self, OriginError> {
        let kind = raw.kind.parse()?;
        if raw.place.trim().is_empty() {
            return Err(OriginError::NoPlace);
        }
        for (name, text) in [("program", &raw.program), ("note", &raw.note)] {
            if text.as_ref().is_some_and(|text| text.trim().is_empty()) {
                return Err(OriginError::Empty(name));
            }
        }
        let computed = matches!(kind, OriginKind::OpenSsl | OriginKind::ComputedIndependently);
        if computed && raw.program.is_none() {
            return Err(OriginError::NoProgram);
        }
        if raw.date.as_deref().is_some_and(|date| !is_date(date)) {
            return Err(OriginError::Date);
        }
        Ok(Self {
            kind,
            place: raw.place,
            date: raw.date,
            program: raw.program,
            note: raw.note,
        })
    }
}

fn is_date(text: &str) -> bool {
    text.len() == 10
        && text.bytes().enumerate().all(|(at, byte)| match at {
            4 | 7 => byte == b'-',
            _ => byte.is_ascii_digit(),
        })
}
