//! Showing a message without showing what must not be seen.

use std::fmt::{self, Write as _};

use crate::Fields;

/// Shows the values of allow-listed fields and masks all others. Control characters are escaped: one message is one
/// line of a log.
///
/// ```
/// use yuanfen_core::{Fields, Redacted};
/// let fields = Fields::try_from(&[("out_trade_no", "A1"), ("openid", "oUpF8uMuAJO")][..])?;
/// assert_eq!(Redacted::new(&fields, &["out_trade_no"]).to_string(), "out_trade_no=A1&openid=***");
/// # Ok::<(), yuanfen_core::FieldError>(())
/// ```
#[derive(Debug)]
pub struct Redacted<'a> {
    fields: &'a Fields,
    shown: &'a [&'a str],
}

impl<'a> Redacted<'a> {
    /// These fields, of which these may be shown.
    #[must_use]
    pub const fn new(fields: &'a Fields, shown: &'a [&'a str]) -> Self {
        Self { fields, shown }
    }
}

impl fmt::Display for Redacted<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for (index, (name, value)) in self.fields.iter().enumerate() {
            if index > 0 {
                f.write_str("&")?;
            }
            let shown = if self.shown.contains(&name) { value } else { "***" };
            write!(f, "{}={}", OneLine(name), OneLine(shown))?;
        }
        Ok(())
    }
}

/// A stranger's text on one line of a log: what does not print is escaped, quotes and backslashes stay.
pub(crate) struct OneLine<'a>(pub(crate) &'a str);

impl fmt::Display for OneLine<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.chars().try_for_each(|character| match character {
            '"' | '\'' | '\\' => f.write_char(character),
            other => write!(f, "{}", other.escape_debug()),
        })
    }
}
