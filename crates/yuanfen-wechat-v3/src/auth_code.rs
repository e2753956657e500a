//! The code that a payer shows at the till. v3 sheet, section 16.1.

use yuanfen_core::{Alphabet, Rule, Secret};

/// `payer.auth_code`: the code on a payer's phone. Whoever has it can charge the payer while it is fresh, for a minute, so
/// it is not shown and wiped when it is dropped.
///
/// Today it is 18 digits that begin with 10 to 15. Only its length is checked, and that it is letters and digits: a
/// scanner that sends a line break behind the code is set up wrongly.
#[derive(Clone, Debug)]
pub struct AuthCode(Secret<String>);

impl AuthCode {
    pub(crate) const RULE: Rule = Rule::new("payer.auth_code", 32)
        .alphabet(Alphabet::ALPHANUMERIC)
        .source("v3 sheet, section 16.1");

    /// What the scanner read. Checked when it is sent: at most 32 letters and digits.
    #[must_use]
    pub fn new(text: impl Into<String>) -> Self {
        Self(Secret::new(text.into()))
    }

    /// The code itself, for whoever sends it.
    #[must_use]
    pub fn expose(&self) -> &str {
        self.0.expose()
    }
}

impl From<&str> for AuthCode {
    fn from(text: &str) -> Self {
        Self::new(text)
    }
}
