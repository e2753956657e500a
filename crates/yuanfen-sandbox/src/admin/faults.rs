//! The fault plan.

use bytes::Bytes;
use http::Response;
use serde_json::json;

use super::answer::{Wrong, answer};
use super::ask::Ask;
use crate::{FarSide, FaultPlan};

pub(super) fn set(far_side: &FarSide, ask: &Ask<'_>) -> Result<Response<Bytes>, Wrong> {
    far_side.set_faults(ask.json::<FaultPlan>("a fault plan")?);
    Ok(answer(&json!({})))
}
