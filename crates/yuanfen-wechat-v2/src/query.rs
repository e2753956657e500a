//! Values behind a question mark.

use percent_encoding::{AsciiSet, NON_ALPHANUMERIC, utf8_percent_encode};

/// Every byte but letters, digits and `-._~` is escaped.
const QUERY: &AsciiSet = &NON_ALPHANUMERIC.remove(b'-').remove(b'.').remove(b'_').remove(b'~');

/// A value as it stands in an address. What is signed is the value itself.
pub(crate) fn escape(text: &str) -> impl std::fmt::Display {
    utf8_percent_encode(text, QUERY)
}
