//! What was called, and what the sandbox made of it.

use std::fmt;

use http::{HeaderMap, StatusCode};
use yuanfen_core::UnixTime;

use crate::diagnosis::Divergence;
use crate::{FaultKind, Platform};

/// One call. `Debug` shows neither the target's query nor the canonical text, which hold what a message holds.
#[derive(Clone)]
#[non_exhaustive]
pub struct Exchange {
    /// When.
    pub at: UnixTime,
    /// Whose call it was; `None` where the path is nobody's.
    pub platform: Option<Platform>,
    /// The operation in the sandbox's words, such as `query-order`; `unknown` where the path is no operation's.
    pub operation: &'static str,
    /// The method.
    pub method: String,
    /// The path, without the query.
    pub path: String,
    /// The headers; of those that may hold a signature, a token or an openid only the length.
    pub headers: Vec<(String, String)>,
    /// The status of the answer; `None` where the connection was cut.
    pub status: Option<StatusCode>,
    /// Whether the caller's signature held.
    pub signature: SignatureVerdict,
    /// The text that the sandbox checked the signature over, with keys masked; of a long one the first 16 KiB and an
    /// ellipsis. It holds what the message holds: show it to the developer, keep it out of logs.
    pub canonical_text: Option<String>,
    /// Where the caller's text parts from that one, if a common mistake explains a signature that does not hold.
    pub divergence: Option<Divergence>,
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

impl fmt::Debug for Exchange {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Exchange")
            .field("at", &self.at)
            .field("platform", &self.platform)
            .field("operation", &self.operation)
            .field("method", &self.method)
            .field("path", &self.path)
            .field("status", &self.status)
            .field("signature", &self.signature)
            .field("faults", &self.faults)
            .finish_non_exhaustive()
    }
}

/// Headers whose values tell nobody anything.
const SHOWN: &[&str] = &[
    "accept",
    "accept-encoding",
    "accept-language",
    "connection",
    "content-length",
    "content-type",
    "host",
    "user-agent",
    "wechatpay-serial",
];

/// Most bytes of a canonical text that the log keeps; calls may have a mebibyte.
const MOST_TEXT: usize = 16 << 10;

/// The beginning of a text that is too long to keep, with an ellipsis at its end.
pub(crate) fn kept_text(mut text: String) -> String {
    if text.len() > MOST_TEXT {
        text.truncate(text.floor_char_boundary(MOST_TEXT));
        text.push('…');
    }
    text
}

pub(crate) fn safe_headers(headers: &HeaderMap) -> Vec<(String, String)> {
    headers
        .iter()
        .map(|(name, value)| {
            let shown = value.to_str().ok().filter(|_| SHOWN.contains(&name.as_str()));
            let text = shown.map_or_else(|| format!("<{} bytes>", value.len()), str::to_owned);
            (name.as_str().to_owned(), text)
        })
        .collect()
}
