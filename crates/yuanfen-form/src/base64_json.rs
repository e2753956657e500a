//! A JSON object inside a base64 field, as mpgateway's `req` and `resp` carry it.
//!
//! The signature covers the base64 text, so the order is: [`repair_spaces`] where the sender is known to forget its
//! escaping, check the signature over **that** text, then [`decode`] that same text.
//!
//! ```
//! use yuanfen_core::{JsonTaker, Limits};
//! use yuanfen_form::base64_json;
//!
//! let field = base64_json::encode("{\"resultmsg\":\"支付成功！\"}".as_bytes());
//! assert_eq!(field, "eyJyZXN1bHRtc2ciOiLmlK/ku5jmiJDlip/vvIEifQ==");
//!
//! let (json, object) = base64_json::decode(&field, &Limits::DEFAULT)?;
//! assert_eq!(json, "{\"resultmsg\":\"支付成功！\"}".as_bytes());
//! let message: String = JsonTaker::new(&object).need("resultmsg")?;
//! assert_eq!(message, "支付成功！");
//! # Ok::<(), Box<dyn std::error::Error>>(())
//! ```

use std::borrow::Cow;

use base64::engine::general_purpose::STANDARD;
use base64::{DecodeError, Engine as _};
use yuanfen_core::{LimitExceeded, Limits, Object};

use crate::{FormError, FormErrorKind};

/// Base64 of the standard alphabet, with padding, on one line. The bytes are taken as they are: whoever wrote the
/// JSON decides its spelling, and it is this text that is signed.
#[must_use]
pub fn encode(json: &[u8]) -> String {
    STANDARD.encode(json)
}

/// Undoes what form decoding does to base64 whose `+` was not escaped: every space becomes `+` again.
///
/// Base64 holds no spaces, so nothing else can be meant by one. The result is what was sent, and so what must be
/// checked and decoded; the damaged text proves nothing. It is a step of its own because only a sender that is known
/// to do this earns it: elsewhere a space is a broken message.
#[must_use]
pub fn repair_spaces(text: &str) -> Cow<'_, str> {
    if text.contains(' ') {
        Cow::Owned(text.replace(' ', "+"))
    } else {
        Cow::Borrowed(text)
    }
}

/// Decodes a field strictly: standard alphabet, padding required, no white space, no stray bits in the last symbol,
/// and one JSON object inside, within the limits (which are those of the decoded JSON).
///
/// The bytes are those that the sender signed, byte for byte; the object keeps its members' own texts.
///
/// # Errors
/// [`FormErrorKind::Base64`] with its position in `text`, [`FormErrorKind::Json`] with the reason as its source (its
/// position is 0: line and column are in the source), or [`FormErrorKind::Limit`].
pub fn decode(text: &str, limits: &Limits) -> Result<(Vec<u8>, Object), FormError> {
    // Three bytes for four symbols, less the padding; measured before anything is allocated for it.
    let whole = base64::decoded_len_estimate(text.len());
    let least = whole.saturating_sub(2);
    LimitExceeded::check("bytes", least, limits.bytes).map_err(|exceeded| FormErrorKind::Limit(exceeded).at(0))?;
    let json = STANDARD
        .decode(text)
        .map_err(|error| FormErrorKind::Base64.at(position_of(&error, text)))?;
    let object = Object::parse(&json, limits).map_err(|error| FormErrorKind::Json(error).at(0))?;
    Ok((json, object))
}

/// Where base64 went wrong. What is wrong with its end is put there.
fn position_of(error: &DecodeError, text: &str) -> usize {
    match error {
        DecodeError::InvalidByte(offset, _) | DecodeError::InvalidLastSymbol { offset, .. } => *offset,
        DecodeError::InvalidLength(_) | DecodeError::InvalidPadding => text.len(),
    }
}
