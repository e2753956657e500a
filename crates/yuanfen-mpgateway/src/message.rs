//! What an operation encodes into.

use std::fmt;

use serde::Serialize;
use yuanfen_core::BuildError;

/// A path and the JSON of a call: no base64, no signature.
#[derive(Clone)]
#[non_exhaustive]
pub struct Message {
    /// The path, such as `/api/mpgateway`.
    pub path: &'static str,
    /// The JSON, exactly as it is signed.
    pub json: String,
}

/// The path and a length: the JSON may name the payer.
impl fmt::Debug for Message {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Message")
            .field("path", &self.path)
            .field("json", &format_args!("{} bytes", self.json.len()))
            .finish()
    }
}

impl Message {
    /// A call of that path with that JSON.
    #[must_use]
    pub const fn new(path: &'static str, json: String) -> Self {
        Self { path, json }
    }

    pub(crate) fn of(path: &'static str, body: &impl Serialize) -> Result<Self, BuildError> {
        serde_json::to_string(body)
            .map(|json| Self::new(path, json))
            .map_err(BuildError::encode)
    }
}
