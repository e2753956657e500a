//! What was called, what was answered, and what the sandbox made of it.

use std::fmt;

use bytes::Bytes;
use http::{HeaderMap, Method, StatusCode, Uri};
use yuanfen_core::UnixTime;

use crate::diagnosis::{Divergence, Inquiry};
use crate::log::Entry;
use crate::{FaultKind, Platform};

/// One call and its answer. `Debug` shows neither the target's query nor headers, bodies and the canonical text, which
/// hold what a message holds.
#[derive(Clone)]
#[non_exhaustive]
pub struct Exchange {
    /// Counted from 1, in the order in which calls came.
    pub number: u64,
    /// When.
    pub at: UnixTime,
    /// Whose call it was; `None` where the path is nobody's.
    pub platform: Option<Platform>,
    /// The operation in the sandbox's words, such as `query-order`; `unknown` where the path is no operation's.
    pub operation: &'static str,
    /// The method.
    pub method: Method,
    /// The target as it was sent.
    pub target: Uri,
    /// The call's headers as they were sent, signature and all: show them to the developer, keep them out of logs.
    pub request_headers: HeaderMap,
    /// The call's body.
    pub request_body: KeptBody,
    /// The status of the answer; `None` where the connection was cut.
    pub status: Option<StatusCode>,
    /// The answer's headers; empty where the connection was cut.
    pub response_headers: HeaderMap,
    /// The answer's body; empty where the connection was cut.
    pub response_body: KeptBody,
    /// Whether the caller's signature held.
    pub signature: SignatureVerdict,
    /// The text that the sandbox checked the signature over, with keys masked; of a long one the first 16 KiB and an
    /// ellipsis. It holds what the message holds: show it to the developer, keep it out of logs.
    pub canonical_text: Option<String>,
    pub(crate) inquiry: Option<Inquiry>,
    /// What the answer proves; `None` where the connection was cut.
    pub trust: Option<ReplyTrust>,
    /// What went wrong by plan.
    pub faults: Vec<FaultKind>,
}

/// What the check of a caller's signature came to.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
#[non_exhaustive]
pub enum SignatureVerdict {
    /// It was not looked at: the call needs none, or something else was wrong before.
    #[default]
    NotChecked,
    /// It holds.
    Holds,
    /// There is none, or a part of it is missing or of the wrong form.
    Missing,
    /// Signed by a key that is not known.
    UnknownKey,
    /// Signed too long ago or in the future.
    Stale,
    /// It does not hold over the received bytes.
    Mismatch,
}

/// What an answer of a platform proves.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
#[non_exhaustive]
pub enum ReplyTrust {
    /// It is signed, and the signature holds.
    Signed,
    /// It carries a signature that does not hold, by plan.
    Spoiled,
    /// It carries none.
    #[default]
    Unsigned,
}

/// A body as the log keeps it: of a long one the first 64 KiB. `Debug` shows its length alone.
#[derive(Clone, Default, PartialEq, Eq)]
pub struct KeptBody {
    bytes: Bytes,
    whole: usize,
}

/// Most bytes of a body that the log keeps.
const MOST_BODY: usize = 64 << 10;
/// Most bytes of a canonical text that the log keeps; calls may have a mebibyte.
const MOST_TEXT: usize = 16 << 10;

impl KeptBody {
    /// Shares the bytes where they are few, else copies the beginning, so that the log does not keep the rest alive.
    pub(crate) fn of(body: &Bytes) -> Self {
        let bytes = match body.get(..MOST_BODY) {
            Some(start) if body.len() > MOST_BODY => Bytes::copy_from_slice(start),
            _ => body.clone(),
        };
        Self {
            bytes,
            whole: body.len(),
        }
    }

    /// What was kept.
    #[must_use]
    pub const fn bytes(&self) -> &Bytes {
        &self.bytes
    }

    /// How many bytes the body had.
    #[must_use]
    pub const fn whole_length(&self) -> usize {
        self.whole
    }

    /// Whether the end was not kept.
    #[must_use]
    pub const fn is_cut(&self) -> bool {
        self.bytes.len() < self.whole
    }
}

impl Exchange {
    /// Where the caller's text parts from [`canonical_text`](Self::canonical_text), if the signature does not hold and
    /// a common mistake explains it. Tries some hundred texts each time it is called.
    #[must_use]
    pub fn divergence(&self) -> Option<Divergence> {
        self.inquiry.as_ref().and_then(|inquiry| inquiry())
    }

    /// Whether a text stands in the target, the body or the answer, as it went over the wire.
    pub(crate) fn names(&self, text: &str) -> bool {
        let bodies = [self.request_body.bytes(), self.response_body.bytes()];
        let stands_in = |body: &[u8]| match std::str::from_utf8(body) {
            Ok(body) => body.contains(text),
            // GBK, a file, or a letter that was cut.
            Err(_) => !text.is_empty() && body.windows(text.len()).any(|window| window == text.as_bytes()),
        };
        self.target.to_string().contains(text) || bodies.into_iter().any(|body| stands_in(body))
    }

    /// The path, without the query.
    #[must_use]
    pub fn path(&self) -> &str {
        self.target.path()
    }
}

impl Entry for Exchange {
    fn set_number(&mut self, number: u64) {
        self.number = number;
    }

    fn size(&self) -> usize {
        [
            size_of::<Self>(),
            headers_size(&self.request_headers),
            headers_size(&self.response_headers),
            self.request_body.bytes.len(),
            self.response_body.bytes.len(),
            self.canonical_text.as_ref().map_or(0, String::len),
            // It holds the message once as it came and once as it is signed.
            self.inquiry
                .as_ref()
                .map_or(0, |_| self.request_body.bytes.len().saturating_mul(2)),
        ]
        .into_iter()
        .fold(0, usize::saturating_add)
    }
}

/// About what headers need, in bytes.
pub(crate) fn headers_size(headers: &HeaderMap) -> usize {
    let entries = headers.iter();
    entries
        .map(|(name, value)| name.as_str().len().saturating_add(value.len()))
        .fold(0, usize::saturating_add)
}

impl fmt::Debug for Exchange {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Exchange")
            .field("number", &self.number)
            .field("at", &self.at)
            .field("platform", &self.platform)
            .field("operation", &self.operation)
            .field("method", &self.method)
            .field("path", &self.path())
            .field("status", &self.status)
            .field("signature", &self.signature)
            .field("trust", &self.trust)
            .field("faults", &self.faults)
            .finish_non_exhaustive()
    }
}

impl fmt::Debug for KeptBody {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "KeptBody({} bytes)", self.whole)
    }
}

/// The beginning of a text that is too long to keep, with an ellipsis at its end.
pub(crate) fn kept_text(mut text: String) -> String {
    if text.len() > MOST_TEXT {
        text.truncate(text.floor_char_boundary(MOST_TEXT));
        text.push('…');
    }
    text
}
