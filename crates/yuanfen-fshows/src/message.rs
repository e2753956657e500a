//! What an operation encodes into.

use std::fmt;

use serde::Serialize;
use yuanfen_core::{BuildError, Fields};

/// A method and its content: no app id, no signature. `Debug` shows the content's length, since it names the payer.
#[derive(Clone)]
#[non_exhaustive]
pub struct Message {
    /// `method`, such as `fshows.liquidation.wxpay.mppay`.
    pub method: &'static str,
    /// `content`: the text of a JSON object, signed and sent as it stands here.
    pub content: String,
    /// Further signed parameters beside the envelope's four.
    pub additional: Fields,
}

impl Message {
    /// A call of that method with that content.
    #[must_use]
    pub const fn new(method: &'static str, content: String) -> Self {
        Self {
            method,
            content,
            additional: Fields::new(),
        }
    }

    pub(crate) fn of(method: &'static str, content: &impl Serialize) -> Result<Self, BuildError> {
        serde_json::to_string(content)
            .map(|content| Self::new(method, content))
            .map_err(BuildError::encode)
    }
}

impl fmt::Debug for Message {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Message")
            .field("method", &self.method)
            .field("content", &format_args!("{} bytes", self.content.len()))
            .field("additional", &self.additional)
            .finish()
    }
}
