//! `yuanfen inbox list`: stored events, one a row.

use std::process::ExitCode;

use yuanfen_inbox::store::Store;
use yuanfen_inbox::{EventFilter, Inbox};

use super::texts::{EventRow, note, short, time, yuan};
use crate::args::ListArguments;
use crate::commands::Outcome;
use crate::print;

pub(super) async fn run<S: Store>(inbox: &Inbox<S>, arguments: &ListArguments, json: bool) -> Outcome {
    let asked = &arguments.filter;
    let mut filter = EventFilter::default();
    filter.state = arguments.state.map(Into::into);
    filter.route.clone_from(&asked.route);
    filter.account.clone_from(&asked.account);
    filter.subject.clone_from(&asked.order);
    filter.contradicted = arguments.contradicted;
    filter.after = asked.after;
    filter.limit = asked.limit;
    let events = inbox.events(&filter).await?;
    if json {
        for event in &events {
            print::json(&EventRow::from(event))?;
        }
        return Ok(ExitCode::SUCCESS);
    }
    if events.is_empty() {
        print::line("no such events");
        return Ok(ExitCode::SUCCESS);
    }
    let rows: Vec<Vec<String>> = events
        .iter()
        .map(|event| {
            vec![
                event.id.to_string(),
                event.state.as_str().to_owned(),
                event.key.route.clone().into_owned(),
                event.key.account.clone(),
                event.key.transition.as_str().to_owned(),
                short(&event.key.subject, 40),
                yuan(event.facts.amount),
                time(event.received_at),
                event.attempts.to_string(),
                short(&note(event), 60),
            ]
        })
        .collect();
    print::table(
        &[
            "id", "state", "route", "account", "event", "number", "amount", "received", "attempts", "note",
        ],
        &rows,
    );
    if u32::try_from(events.len()).is_ok_and(|count| count == asked.limit)
        && let Some(last) = events.last()
    {
        print::line("");
        print::line(format_args!("there may be more: --after {}", last.id));
    }
    Ok(ExitCode::SUCCESS)
}
