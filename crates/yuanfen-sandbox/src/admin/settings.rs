//! What is agreed with platforms outside their protocols, as JSON.

use bytes::Bytes;
use http::Response;
use serde_json::{Value, json};

use super::answer::{Wrong, answer};
use super::ask::Ask;
use crate::{FarSide, Settings};

pub(super) fn show(far_side: &FarSide, _ask: &Ask<'_>) -> Result<Response<Bytes>, Wrong> {
    Ok(answer(&settings(far_side)))
}

/// Applies all that are named, or none where the JSON is not of this form. Absent members stay as they are.
pub(super) fn set(far_side: &FarSide, ask: &Ask<'_>) -> Result<Response<Bytes>, Wrong> {
    far_side.apply_settings(&ask.json::<Settings>("settings")?);
    Ok(answer(&settings(far_side)))
}

/// All of them, as they are.
pub(super) fn settings(far_side: &FarSide) -> Value {
    let settings = far_side.settings();
    let mut value = json!(settings);
    if let Value::Object(members) = &mut value {
        members.insert("starpos_push_url".to_owned(), json!(settings.starpos_push_url));
    }
    value
}
