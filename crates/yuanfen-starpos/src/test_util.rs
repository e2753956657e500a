//! Forged pushes for your own tests.

use bytes::Bytes;
use yuanfen_core::{BuildError, Fields};

use crate::{Account, BodyEncoding};

/// A plain push as the raw request that would arrive. `fields` are its business fields (`logNo`, `TxnCode`, …); the
/// account's own numbers are added.
///
/// # Errors
/// When a field stands twice.
pub fn forge_push(account: &Account, fields: &[(&str, &str)]) -> Result<http::Request<Bytes>, BuildError> {
    let mut message = Fields::new();
    let own = [("AgentId", account.organization()), ("BusinessId", account.merchant())];
    for (name, value) in own.iter().chain(fields) {
        message.push(name, value).map_err(BuildError::encode)?;
    }
    let mut request = http::Request::new(Bytes::from(BodyEncoding::AsciiJson.write(&message)?));
    *request.method_mut() = http::Method::POST;
    Ok(request)
}
