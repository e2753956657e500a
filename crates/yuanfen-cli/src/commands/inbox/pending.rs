//! `yuanfen inbox pending`: what the shop expects to hear about.

use std::process::ExitCode;

use serde::Serialize;
use yuanfen::core::Standing;
use yuanfen_inbox::store::Store;
use yuanfen_inbox::{Inbox, PendingFilter, PendingState, StoredPending};

use super::texts::{NOTHING, json_time, short, time, yuan};
use crate::args::PendingArguments;
use crate::commands::Outcome;
use crate::print;

#[derive(Serialize)]
pub(super) struct PendingRow {
    id: i64,
    state: &'static str,
    route: String,
    account: String,
    kind: &'static str,
    number: String,
    order_no: Option<String>,
    remote_id: Option<String>,
    amount_fen: i64,
    currency: String,
    merchant: Option<String>,
    app: Option<String>,
    placed_at: String,
    expires_at: Option<String>,
    next_query_at: Option<String>,
    last_query_at: Option<String>,
    queries: u32,
    standing: Option<&'static str>,
    last_error: Option<String>,
    over_at: Option<String>,
}

impl From<&StoredPending> for PendingRow {
    fn from(pending: &StoredPending) -> Self {
        let expected = &pending.expected;
        Self {
            id: pending.id,
            state: pending.state.as_str(),
            route: expected.route.clone(),
            account: expected.account.clone(),
            kind: expected.kind.as_str(),
            number: expected.number.clone(),
            order_no: expected.order_no.clone(),
            remote_id: expected.remote_id.clone(),
            amount_fen: expected.amount.get(),
            currency: expected.currency.clone(),
            merchant: expected.merchant.clone(),
            app: expected.app.clone(),
            placed_at: json_time(pending.placed_at),
            expires_at: expected.expires_at.map(json_time),
            next_query_at: (pending.state == PendingState::Open).then(|| json_time(pending.next_query_at)),
            last_query_at: pending.last_query_at.map(json_time),
            queries: pending.queries,
            standing: standing(pending),
            last_error: pending.last_error.clone(),
            over_at: pending.over_at.map(json_time),
        }
    }
}

/// What the last query said.
fn standing(pending: &StoredPending) -> Option<&'static str> {
    pending.standing.map(|standing| match standing {
        Standing::Accepted => "accepted",
        Standing::Pending => "pending",
        Standing::Succeeded => "succeeded",
        Standing::Failed => "failed",
        Standing::NotFound => "not-found",
        // Of a later version of the core.
        _ => "unknown",
    })
}

pub(super) async fn run<S: Store>(inbox: &Inbox<S>, arguments: &PendingArguments, json: bool) -> Outcome {
    let asked = &arguments.filter;
    let mut filter = PendingFilter::default();
    filter.state = arguments.state.map(Into::into);
    filter.route.clone_from(&asked.route);
    filter.account.clone_from(&asked.account);
    filter.number.clone_from(&asked.order);
    filter.after = asked.after;
    filter.limit = asked.limit;
    let pending = inbox.pending(&filter).await?;
    if json {
        for one in &pending {
            print::json(&PendingRow::from(one))?;
        }
        return Ok(ExitCode::SUCCESS);
    }
    if pending.is_empty() {
        print::line("nothing of that kind is expected");
        return Ok(ExitCode::SUCCESS);
    }
    let rows: Vec<Vec<String>> = pending.iter().map(row).collect();
    print::table(
        &[
            "id",
            "state",
            "route",
            "account",
            "kind",
            "number",
            "amount",
            "placed",
            "expires",
            "next query",
            "queries",
            "note",
        ],
        &rows,
    );
    if u32::try_from(pending.len()).is_ok_and(|count| count == asked.limit)
        && let Some(last) = pending.last()
    {
        print::line("");
        print::line(format_args!("there may be more: --after {}", last.id));
    }
    Ok(ExitCode::SUCCESS)
}

fn row(pending: &StoredPending) -> Vec<String> {
    let expected = &pending.expected;
    let next = match pending.state {
        PendingState::Open => time(pending.next_query_at),
        _ => NOTHING.to_owned(),
    };
    let note: Vec<String> = standing(pending)
        .map(str::to_owned)
        .into_iter()
        .chain(pending.last_error.clone())
        .collect();
    vec![
        pending.id.to_string(),
        pending.state.as_str().to_owned(),
        expected.route.clone(),
        expected.account.clone(),
        expected.kind.as_str().to_owned(),
        short(&expected.number, 40),
        yuan(Some(expected.amount)),
        time(pending.placed_at),
        expected.expires_at.map_or_else(|| NOTHING.to_owned(), time),
        next,
        pending.queries.to_string(),
        short(&note.join(": "), 60),
    ]
}
