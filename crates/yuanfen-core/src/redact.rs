//! Showing a message without showing what must not be seen.

use std::fmt;

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
            write!(f, "{}={}", name.escape_debug(), shown.escape_debug())?;
        }
        Ok(())
    }
}
