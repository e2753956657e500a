//! Forged call-backs for your own tests: valid in every respect, from nobody.

use bytes::Bytes;
use yuanfen_core::{Ambient, BuildError, Fields, Sign as _};
use yuanfen_envelope::RULES;
use yuanfen_sign::legacy::LegacyRsaSigningKey;

/// A call-back that an account with the matching platform key accepts, as the raw request that would arrive at the
/// notify address. `fields` are its business fields; the signature is added.
///
/// # Errors
/// When a field stands twice, or signing fails.
pub fn forge_callback(
    platform: &LegacyRsaSigningKey,
    fields: &[(&str, &str)],
    ambient: &dyn Ambient,
) -> Result<http::Request<Bytes>, BuildError> {
    let mut message = Fields::try_from(fields).map_err(BuildError::encode)?;
    let signature = platform.sign(RULES.keyless_text(&message).as_bytes(), ambient)?;
    message.push("sign", &signature).map_err(BuildError::encode)?;
    message.push("sign_type", "RSA").map_err(BuildError::encode)?;
    let mut request = http::Request::new(Bytes::from(yuanfen_form::write(&message)));
    *request.method_mut() = http::Method::POST;
    Ok(request)
}
