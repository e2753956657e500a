//! What is agreed with platforms outside their protocols, as JSON. Absent members stay as they are.

use bytes::Bytes;
use http::Response;
use serde::Deserialize;
use serde_json::json;

use super::answer::{Wrong, answer};
use super::ask::Ask;
use crate::{FarSide, StarposPush};

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Settings {
    starpos_push_url: Option<String>,
    starpos_push: Option<StarposPush>,
    starpos_unsure: Option<bool>,
    starpos_signs_payments: Option<bool>,
    mpgateway_holds_payments: Option<bool>,
    wechat_v2_recalls_reversals: Option<u32>,
    wechat_v2_keeps_five_minutes: Option<bool>,
    wechat_v3_public_key_only: Option<bool>,
}

/// Applies them all, or none where the JSON is not of this form.
pub(super) fn set(far_side: &FarSide, ask: &Ask<'_>) -> Result<Response<Bytes>, Wrong> {
    let settings: Settings = ask.json("settings")?;
    if let Some(url) = settings.starpos_push_url {
        far_side.set_starpos_push_url(url);
    }
    if let Some(variant) = settings.starpos_push {
        far_side.set_starpos_push(variant);
    }
    if let Some(unsure) = settings.starpos_unsure {
        far_side.set_starpos_unsure(unsure);
    }
    if let Some(sign) = settings.starpos_signs_payments {
        far_side.sign_starpos_payments(sign);
    }
    if let Some(hold) = settings.mpgateway_holds_payments {
        far_side.hold_mpgateway_payments(hold);
    }
    if let Some(times) = settings.wechat_v2_recalls_reversals {
        far_side.recall_wechat_v2_reversals(times);
    }
    if let Some(keep) = settings.wechat_v2_keeps_five_minutes {
        far_side.keep_wechat_v2_five_minutes(keep);
    }
    if let Some(only) = settings.wechat_v3_public_key_only {
        far_side.use_public_key_only(only);
    }
    Ok(answer(&json!({})))
}
