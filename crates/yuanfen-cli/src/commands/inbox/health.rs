//! `yuanfen inbox health`: whether a person is needed.

use std::process::ExitCode;

use serde::Serialize;
use yuanfen_inbox::store::{Health, Store};
use yuanfen_inbox::{EventFilter, EventState, Inbox, StoreError};

use super::texts::{NOTHING, age};
use crate::args::HealthArguments;
use crate::commands::Outcome;
use crate::print;

#[derive(Serialize)]
struct HealthRow {
    ready: u64,
    oldest_ready_seconds: Option<u64>,
    parked: u64,
    conflicts: u64,
    pending: u64,
    query_overdue_seconds: Option<u64>,
    given_up: u64,
    /// What a person has to look at, in words.
    needs: Vec<String>,
}

pub(super) async fn run<S: Store>(inbox: &Inbox<S>, arguments: &HealthArguments, json: bool) -> Outcome {
    let health = inbox.health().await?;
    let needs = needs(&health, contradicted(inbox, &health).await?, arguments);
    let calm = needs.is_empty();
    if json {
        print::json(&HealthRow {
            ready: health.ready,
            oldest_ready_seconds: health.oldest_ready.map(|age| age.as_secs()),
            parked: health.parked,
            conflicts: health.conflicts,
            pending: health.pending,
            query_overdue_seconds: health.query_overdue.map(|age| age.as_secs()),
            given_up: health.given_up,
            needs,
        })?;
    } else {
        let or_nothing = |time: Option<_>| time.map_or_else(|| NOTHING.to_owned(), age);
        let rows = [
            ("events ready", health.ready.to_string()),
            ("the oldest of them", or_nothing(health.oldest_ready)),
            ("events parked", health.parked.to_string()),
            ("contradictions that nobody has looked at", health.conflicts.to_string()),
            ("orders and refunds expected", health.pending.to_string()),
            ("the longest overdue query", or_nothing(health.query_overdue)),
            ("orders and refunds given up", health.given_up.to_string()),
        ];
        print::table(&["inbox", ""], &rows.map(|(what, count)| vec![what.to_owned(), count]));
        print::line("");
        if calm {
            print::line("nobody is needed");
        }
        for need in &needs {
            print::line(need);
        }
    }
    Ok(if calm { ExitCode::SUCCESS } else { ExitCode::FAILURE })
}

/// Whether a later telling contradicts something that was done or dismissed, and nobody has looked at that. The contradictions of a parked
/// event are looked at with it.
async fn contradicted<S: Store>(inbox: &Inbox<S>, health: &Health) -> Result<bool, StoreError> {
    if health.conflicts == 0 {
        return Ok(false);
    }
    for state in [EventState::Done, EventState::Dismissed] {
        let mut filter = EventFilter::state(state);
        filter.contradicted = true;
        filter.limit = 1;
        if !inbox.events(&filter).await?.is_empty() {
            return Ok(true);
        }
    }
    Ok(false)
}

/// What to do next, one line each.
fn needs(health: &Health, contradicted: bool, limits: &HealthArguments) -> Vec<String> {
    let mut needs = Vec::new();
    if let Some(oldest) = health.oldest_ready.filter(|oldest| *oldest > limits.max_age) {
        needs.push(format!(
            "an event has been ready for {}: do the workers run? `yuanfen inbox list --state ready`",
            age(oldest)
        ));
    }
    if let Some(overdue) = health.query_overdue.filter(|overdue| *overdue > limits.max_overdue) {
        needs.push(format!(
            "a query is overdue for {}: does convergence run, with a plan for each account? `yuanfen inbox pending --state open`",
            age(overdue)
        ));
    }
    if health.parked > 0 {
        needs.push(format!(
            "{} parked: `yuanfen inbox list --state parked`, `show`, then `retry` or `dismiss`",
            health.parked
        ));
    }
    if contradicted {
        needs.push(
            "what was done or dismissed is contradicted: `yuanfen inbox list --contradicted`, `show`, then `resolve`"
                .to_owned(),
        );
    }
    if health.given_up > 0 {
        needs.push(format!(
            "{} given up before their end was known: `yuanfen inbox pending --state given-up`, the platform's bill, then `withdraw`",
            health.given_up
        ));
    }
    needs
}
