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

/// A text that ends in a key of that many bytes, for people: the key masked, bytes that are no UTF-8 as `\xNN`.
///
/// ```
/// assert_eq!(yuanfen_core::masked_text(b"a=1&key=secret", 6), "a=1&key=<key>");
/// assert_eq!(yuanfen_core::masked_text(b"caf\xe9", 0), r"caf\xe9");
/// ```
#[must_use]
pub fn masked_text(text: &[u8], key_length: usize) -> String {
    let shown = text.len().saturating_sub(key_length);
    let mut masked: String = text
        .get(..shown)
        .unwrap_or_default()
        .utf8_chunks()
        .flat_map(|chunk| {
            let escaped = chunk.invalid().iter().map(|byte| format!("\\x{byte:02x}"));
            std::iter::once(chunk.valid().to_owned()).chain(escaped)
        })
        .collect();
    if key_length > 0 {
        masked.push_str("<key>");
    }
    masked
}
