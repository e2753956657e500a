//! How much a codec reads from a stranger.

/// What a codec reads at most. The defaults fit every message of the five platforms with room to spare; bills are
/// not messages and do not pass through here.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct Limits {
    /// Bytes of the whole message. Default 1 MiB: an APIv3 notice may carry a ciphertext of that order.
    pub bytes: usize,
    /// Levels of nesting below the root. Default 1 for XML; JSON objects are read one level at a time.
    pub depth: usize,
    /// Number of fields on one level. Default 1024.
    pub fields: usize,
    /// Bytes of a field's name. Default 128.
    pub name_len: usize,
    /// Bytes of a field's value. Default 1 MiB.
    pub value_len: usize,
}

impl Limits {
    /// The defaults.
    pub const DEFAULT: Self = Self {
        bytes: 1 << 20,
        depth: 1,
        fields: 1024,
        name_len: 128,
        value_len: 1 << 20,
    };

    /// The defaults with another ceiling for the whole message.
    #[must_use]
    pub const fn with_bytes(self, bytes: usize) -> Self {
        Self { bytes, ..self }
    }
}

impl Default for Limits {
    fn default() -> Self {
        Self::DEFAULT
    }
}

/// Which limit a message went beyond.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{what} beyond the limit of {limit}")]
#[non_exhaustive]
pub struct LimitExceeded {
    /// What was counted: `bytes`, `fields`, `depth`, `name length`, `value length`.
    pub what: &'static str,
    /// The limit.
    pub limit: usize,
}

impl LimitExceeded {
    /// Refuses a count beyond its limit.
    ///
    /// # Errors
    /// When `count` is larger than `limit`.
    pub const fn check(what: &'static str, count: usize, limit: usize) -> Result<(), Self> {
        if count > limit {
            Err(Self { what, limit })
        } else {
            Ok(())
        }
    }
}
