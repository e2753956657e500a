//! Forged notices for your own tests: valid in every respect, from nobody.

use bytes::Bytes;
use yuanfen_core::{Ambient, BuildError, Fields, Sign as _};
use yuanfen_form::base64_json;
use yuanfen_sign::keyed_text;

use crate::Account;

/// A notice that this account accepts, as the raw request that would arrive at `backurl`. `json` is its whole payload.
///
/// # Errors
/// When signing fails.
pub fn forge_notice(account: &Account, json: &str, ambient: &dyn Ambient) -> Result<http::Request<Bytes>, BuildError> {
    let resp = base64_json::encode(json.as_bytes());
    let text = keyed_text(resp.as_bytes(), account.signer.key());
    let signature = account.signer.sign(text.as_bytes(), ambient)?;
    let fields = Fields::try_from(&[("resp", &*resp), ("sign", &*signature)][..]).map_err(BuildError::encode)?;
    let mut request = http::Request::new(Bytes::from(yuanfen_form::write(&fields)));
    *request.method_mut() = http::Method::POST;
    Ok(request)
}
