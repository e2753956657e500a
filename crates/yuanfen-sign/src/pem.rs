//! Every armor in which platforms hand out keys: PEM with any line width, bare base64 with or without line breaks.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use zeroize::Zeroizing;

use crate::KeyError;

/// A DER document and the label it came under; `None` for bare base64.
pub(crate) struct Armored {
    pub(crate) label: Option<String>,
    pub(crate) der: Zeroizing<Vec<u8>>,
}

/// Takes the armor off. Of several PEM blocks the first counts.
pub(crate) fn unarmor(text: &str) -> Result<Armored, KeyError> {
    let text = text.trim_start_matches('\u{feff}').trim();
    if text.is_empty() {
        return Err(KeyError::Empty);
    }
    let Some((_, after)) = text.split_once("-----BEGIN ") else {
        return Ok(Armored {
            label: None,
            der: decode(text)?,
        });
    };
    let (label, after) = after.split_once("-----").ok_or(KeyError::NotBase64)?;
    let (body, after) = after.split_once("-----END ").ok_or(KeyError::NotBase64)?;
    // Another label at the end: two blocks grown together by copying, of which neither is whole.
    if !after.strip_prefix(label).is_some_and(|rest| rest.starts_with("-----")) {
        return Err(KeyError::NotBase64);
    }
    if label.contains("ENCRYPTED") || body.contains("Proc-Type:") {
        return Err(KeyError::Encrypted);
    }
    Ok(Armored {
        label: Some(label.to_owned()),
        der: decode(body)?,
    })
}

fn decode(text: &str) -> Result<Zeroizing<Vec<u8>>, KeyError> {
    // With room for all of it: a buffer that grows leaves pieces of the key behind where nobody wipes them.
    let mut packed = Zeroizing::new(Vec::with_capacity(text.len()));
    packed.extend(text.bytes().filter(|byte| !byte.is_ascii_whitespace()));
    let der = STANDARD.decode(packed.as_slice()).map_err(|_| KeyError::NotBase64)?;
    if der.is_empty() {
        Err(KeyError::Empty)
    } else {
        Ok(Zeroizing::new(der))
    }
}
