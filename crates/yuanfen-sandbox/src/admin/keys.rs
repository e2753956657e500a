//! What APIv3 signs with.

use bytes::Bytes;
use http::Response;
use serde::Deserialize;
use serde_json::json;

use super::answer::{Wrong, answer};
use super::ask::Ask;
use crate::FarSide;

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Switch {
    on: bool,
}

pub(super) fn rotate(far_side: &FarSide, _ask: &Ask<'_>) -> Result<Response<Bytes>, Wrong> {
    match far_side.rotate_platform_certificate() {
        Some(serial) => Ok(answer(&json!({ "serial": serial }))),
        None => Err(Wrong::conflict("the platform certificates of this key set are used up")),
    }
}

pub(super) fn public_key_mode(far_side: &FarSide, ask: &Ask<'_>) -> Result<Response<Bytes>, Wrong> {
    let Switch { on } = ask.json("a switch such as {\"on\":true}")?;
    far_side.use_public_key_only(on);
    Ok(answer(&json!({ "on": on })))
}
