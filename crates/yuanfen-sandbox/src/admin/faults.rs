//! The fault plan, how often its rules struck, and the scenarios that ship.

use bytes::Bytes;
use http::Response;
use serde_json::{Value, json};

use super::answer::{Wrong, answer};
use super::ask::Ask;
use crate::{FarSide, FaultPlan, Scenario};

pub(super) fn show(far_side: &FarSide, _ask: &Ask<'_>) -> Result<Response<Bytes>, Wrong> {
    Ok(answer(&plan(far_side)))
}

pub(super) fn set(far_side: &FarSide, ask: &Ask<'_>) -> Result<Response<Bytes>, Wrong> {
    let wanted = FaultPlan::from_json(ask.body());
    far_side.set_faults(wanted.map_err(|error| Wrong::form(format!("not a fault plan: {error}")))?);
    Ok(answer(&plan(far_side)))
}

pub(super) fn clear(far_side: &FarSide, _ask: &Ask<'_>) -> Result<Response<Bytes>, Wrong> {
    far_side.set_faults(FaultPlan::none());
    Ok(answer(&plan(far_side)))
}

pub(super) fn list_scenarios(_far_side: &FarSide, _ask: &Ask<'_>) -> Result<Response<Bytes>, Wrong> {
    Ok(answer(&Scenario::all().map(|ships| scenario(&ships)).collect()))
}

/// Puts a scenario's agreements and fault plan in place.
pub(super) fn play(far_side: &FarSide, ask: &Ask<'_>) -> Result<Response<Bytes>, Wrong> {
    let wanted = Scenario::named(ask.part("name")).map_err(|error| Wrong::missing(error.to_string()))?;
    let value = scenario(&wanted);
    far_side.play(wanted);
    Ok(answer(&value))
}

/// The scenario as its file has it, with its page. The seed is a text: it may be longer than a script's numbers.
pub(super) fn scenario(scenario: &Scenario) -> Value {
    // What a scenario writes is JSON.
    let mut value: Value = serde_json::from_str(&scenario.to_json()).unwrap_or_default();
    if let Value::Object(members) = &mut value {
        members.insert("seed".to_owned(), json!(scenario.seed.to_string()));
        members.insert("page".to_owned(), json!(scenario.page));
    }
    value
}

/// The rules as they can be set again, and what each came to.
fn plan(far_side: &FarSide) -> Value {
    let tallies = far_side.faults();
    let rules: Vec<_> = tallies.iter().map(|tally| &tally.rule).collect();
    let counts = tallies
        .iter()
        .map(|tally| json!({ "matched": tally.matched, "struck": tally.struck }));
    json!({ "rules": rules, "counts": counts.collect::<Vec<_>>() })
}
