//! What is agreed with platforms outside their protocols, as JSON. Absent members stay as they are.

use bytes::Bytes;
use http::Response;
use serde_json::json;

use super::answer::{Wrong, answer};
use super::ask::Ask;
use crate::{FarSide, Settings};

/// Applies them all, or none where the JSON is not of this form.
pub(super) fn set(far_side: &FarSide, ask: &Ask<'_>) -> Result<Response<Bytes>, Wrong> {
    far_side.apply_settings(&ask.json::<Settings>("settings")?);
    Ok(answer(&json!({})))
}
