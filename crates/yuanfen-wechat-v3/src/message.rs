//! What an operation encodes into: method, path with query, JSON body. No credentials, no signature.

use std::fmt;

use bytes::Bytes;
use http::Method;
use percent_encoding::{AsciiSet, NON_ALPHANUMERIC, utf8_percent_encode};
use serde::Serialize;
use yuanfen_core::{Address, BaseUrl, BuildError};

/// A request before it is signed. `Debug` shows neither its query nor its body.
#[derive(Clone)]
pub struct Message {
    pub(crate) method: Method,
    target: Target,
    pub(crate) body: Bytes,
}

#[derive(Clone)]
enum Target {
    /// Behind the account's base address.
    Path(String),
    /// An address that the platform handed out, taken as it is.
    Whole(Address),
}

impl Message {
    /// A GET of that path and query, which go out exactly as given: encode segments with [`segment`] first.
    #[must_use]
    pub fn get(path_and_query: impl Into<String>) -> Self {
        Self {
            method: Method::GET,
            target: Target::Path(path_and_query.into()),
            body: Bytes::new(),
        }
    }

    /// A GET of an address that the platform handed out, taken as it is: the file of a bill.
    #[must_use]
    pub const fn get_whole(address: Address) -> Self {
        Self {
            method: Method::GET,
            target: Target::Whole(address),
            body: Bytes::new(),
        }
    }

    /// A POST of that value as JSON, written here and never again.
    ///
    /// # Errors
    /// When the value cannot be written as JSON.
    pub fn post(path_and_query: impl Into<String>, body: &impl Serialize) -> Result<Self, BuildError> {
        Ok(Self {
            method: Method::POST,
            target: Target::Path(path_and_query.into()),
            body: serde_json::to_vec(body).map_err(BuildError::encode)?.into(),
        })
    }

    /// The body, empty for a GET.
    #[must_use]
    pub const fn body(&self) -> &Bytes {
        &self.body
    }

    /// The whole address.
    pub(crate) fn address(&self, base: &BaseUrl) -> String {
        match &self.target {
            Target::Path(path_and_query) => base.join(path_and_query),
            Target::Whole(address) => address.as_str().to_owned(),
        }
    }
}

impl fmt::Debug for Message {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let address = match &self.target {
            Target::Path(path_and_query) => path_and_query,
            Target::Whole(address) => address.as_str(),
        };
        let shown = address.split_once('?').map_or(address, |(path, _)| path);
        f.debug_struct("Message")
            .field("method", &self.method)
            .field("path", &shown)
            .field("body", &format_args!("{} bytes", self.body.len()))
            .finish()
    }
}

/// One segment of a path, or one value of a query, percent-encoded except for letters, digits and `-._~`: `|` becomes
/// `%7C`, `*` becomes `%2A`. HTTP clients differ in what they encode on their own, so nothing is left to them.
///
/// ```
/// assert_eq!(yuanfen_wechat_v3::segment("AB|12_-*"), "AB%7C12_-%2A");
/// ```
#[must_use]
pub fn segment(text: &str) -> String {
    const KEPT: &AsciiSet = &NON_ALPHANUMERIC.remove(b'-').remove(b'.').remove(b'_').remove(b'~');
    utf8_percent_encode(text, KEPT).to_string()
}
