//! What the console shows at its head, and the clock.

use std::time::Duration;

use bytes::Bytes;
use http::Response;
use serde::Deserialize;
use serde_json::json;
use yuanfen_core::Rfc3339;

use super::answer::{Wrong, answer};
use super::ask::Ask;
use super::{faults, settings};
use crate::{Account, FarSide};

pub(super) fn show(far_side: &FarSide, _ask: &Ask<'_>) -> Result<Response<Bytes>, Wrong> {
    let accounts: Vec<String> = Account::all().map(|account| account.to_string()).collect();
    let ways_in = far_side.ways_in();
    let tls = ways_in
        .tls
        .map(|listen| json!({ "listen": listen.to_string(), "server_names": ways_in.server_names }));
    let proxy = ways_in.connect_proxy_url.map(|url| json!({ "url": url }));
    let (now, real_now) = (far_side.clock().now(), far_side.clock().real_now());
    Ok(answer(&json!({
        "now": Rfc3339(now).to_string(),
        "real_now": Rfc3339(real_now).to_string(),
        "clock_is_real": far_side.clock().runs(),
        "clock_ahead_seconds": now.since(real_now),
        "seed": far_side.seed().to_string(),
        "base_url": far_side.base_url(),
        "tls": tls,
        "connect_proxy": proxy,
        "accounts": accounts,
        "settings": settings::settings(far_side),
        "scenario": far_side.scenario().as_ref().map(faults::scenario),
        "platform_serial": far_side.wechat_v3().platform_serial,
        "revision": far_side.changes().revision(),
    })))
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Step {
    seconds: u64,
}

/// How far the clock is to be moved.
///
/// # Errors
/// When the body does not say so.
pub(super) fn step(ask: &Ask<'_>) -> Result<Duration, Wrong> {
    let Step { seconds } = ask.json("a step such as {\"seconds\":60}")?;
    Ok(Duration::from_secs(seconds))
}

/// Moves the clock without a courier.
pub(super) fn advance(far_side: &FarSide, ask: &Ask<'_>) -> Result<Response<Bytes>, Wrong> {
    let step = step(ask)?;
    let moved = far_side.clock().advance(step);
    moved.map_err(|error| Wrong::conflict(error.to_string()))?;
    far_side.pass_time();
    Ok(advanced(far_side))
}

/// What is answered once the clock was moved.
pub(super) fn advanced(far_side: &FarSide) -> Response<Bytes> {
    answer(&json!({ "now": Rfc3339(far_side.clock().now()).to_string() }))
}
