//! `yuanfen inbox show`: one event with all that belongs to it.

use std::process::ExitCode;

use serde::Serialize;
use yuanfen::core::Facts;
use yuanfen_inbox::store::Store;
use yuanfen_inbox::{
    EventId, EventState, Inbox, KeptRequest, PendingFilter, PendingKind, StoreError, StoredConflict, StoredEvent,
    StoredPending,
};

use super::pending::PendingRow;
use super::texts::{EventRow, FactsRow, NOTHING, json_time, note, or_nothing, time, yuan};
use crate::args::ShowArguments;
use crate::commands::Outcome;
use crate::print;

#[derive(Serialize)]
struct Shown {
    #[serde(flatten)]
    event: EventRow,
    expected: Option<PendingRow>,
    conflicts: Vec<ConflictRow>,
    request: Option<RequestRow>,
}

#[derive(Serialize)]
struct ConflictRow {
    id: i64,
    origin: &'static str,
    received_at: String,
    resolved_at: Option<String>,
    facts: FactsRow,
    request: Option<RequestRow>,
}

#[derive(Serialize)]
struct RequestRow {
    method: String,
    path: String,
    body_bytes: usize,
    /// Only where they were asked for.
    #[serde(skip_serializing_if = "Option::is_none")]
    headers: Option<Vec<(String, String)>>,
    #[serde(skip_serializing_if = "Option::is_none")]
    body: Option<String>,
}

impl RequestRow {
    fn of(request: &KeptRequest, whole: bool) -> Self {
        Self {
            method: request.method.to_string(),
            path: request.uri.path().to_owned(),
            body_bytes: request.body.len(),
            headers: whole.then(|| headers(request)),
            body: whole.then(|| String::from_utf8_lossy(&request.body).into_owned()),
        }
    }
}

pub(super) async fn run<S: Store>(inbox: &Inbox<S>, arguments: &ShowArguments, json: bool) -> Outcome {
    let Some(event) = inbox.event(EventId::new(arguments.id)).await? else {
        print::progress(format_args!(
            "there is no event {}; `yuanfen inbox list` prints them",
            arguments.id
        ));
        return Ok(ExitCode::FAILURE);
    };
    let conflicts = inbox.conflicts(event.id).await?;
    let expected = expected(inbox, &event).await?;
    let whole = arguments.request;
    if json {
        print::json(&Shown {
            event: EventRow::from(&event),
            expected: expected.as_ref().map(PendingRow::from),
            conflicts: conflicts
                .iter()
                .map(|conflict| ConflictRow {
                    id: conflict.id,
                    origin: conflict.origin.as_str(),
                    received_at: json_time(conflict.received_at),
                    resolved_at: conflict.resolved_at.map(json_time),
                    facts: FactsRow::from(&conflict.facts),
                    request: conflict.request.as_ref().map(|request| RequestRow::of(request, whole)),
                })
                .collect(),
            request: event.request.as_ref().map(|request| RequestRow::of(request, whole)),
        })?;
        return Ok(ExitCode::SUCCESS);
    }
    history(&event);
    print::line("");
    facts(&event, expected.as_ref(), &conflicts);
    let requests = std::iter::once(("stored".to_owned(), &event.request))
        .chain(conflicts.iter().map(|conflict| (title(conflict), &conflict.request)));
    for (title, request) in requests {
        print::line("");
        show_request(&title, request.as_ref(), whole);
    }
    Ok(ExitCode::SUCCESS)
}

/// What the shop expects of the same order or refund: by the number of ours that the event names, or else by the subject of its
/// key, which may be the platform's.
async fn expected<S: Store>(inbox: &Inbox<S>, event: &StoredEvent) -> Result<Option<StoredPending>, StoreError> {
    let Some(kind) = PendingKind::of(event.key.transition) else {
        return Ok(None);
    };
    let ours = match kind {
        PendingKind::Refund => &event.facts.refund_no,
        _ => &event.facts.order_no,
    };
    for number in ours.iter().chain([&event.key.subject]) {
        let mut filter = PendingFilter::default();
        filter.route = Some(event.key.route.clone().into_owned());
        filter.account = Some(event.key.account.clone());
        filter.number = Some(number.clone());
        let pending = inbox.pending(&filter).await?;
        let same = |pending: &StoredPending| {
            let names = [Some(&pending.expected.number), pending.expected.remote_id.as_ref()];
            pending.expected.kind == kind && names.contains(&Some(number))
        };
        if let Some(pending) = pending.into_iter().find(same) {
            return Ok(Some(pending));
        }
    }
    Ok(None)
}

fn history(event: &StoredEvent) {
    let mut rows = vec![
        ("event", event.id.to_string()),
        ("key", event.key.to_string()),
        ("state", event.state.as_str().to_owned()),
        (
            "received",
            format!("{} by {}", time(event.received_at), event.origin.as_str()),
        ),
        ("attempts", event.attempts.to_string()),
    ];
    if event.state == EventState::Ready {
        rows.push(("due", time(event.ready_at)));
    }
    let note = note(event);
    if !note.is_empty() {
        rows.push(("note", note));
    }
    if let Some(finished_at) = event.finished_at {
        rows.push((event.state.as_str(), time(finished_at)));
    }
    for (name, value) in rows {
        print::line(format_args!("{name:<9} {}", print::plain(&value)));
    }
}

/// The facts, what is expected of them, and what others say, side by side; `≠` where they differ from what is stored.
fn facts(event: &StoredEvent, expected: Option<&StoredPending>, conflicts: &[StoredConflict]) {
    let mut header = vec!["fact".to_owned(), "stored".to_owned()];
    let mut columns = vec![values(&event.facts)];
    if let Some(expected) = expected {
        header.push("expected".to_owned());
        let expected = &expected.expected;
        let (order_no, refund_no) = match expected.kind {
            PendingKind::Refund => (expected.order_no.as_deref(), Some(&*expected.number)),
            _ => (Some(&*expected.number), None),
        };
        columns.push([
            yuan(Some(expected.amount)),
            expected.currency.clone(),
            or_nothing(order_no),
            or_nothing(refund_no),
            or_nothing(expected.remote_id.as_deref()),
            or_nothing(expected.merchant.as_deref()),
            or_nothing(expected.app.as_deref()),
            NOTHING.to_owned(),
        ]);
    }
    for conflict in conflicts {
        header.push(title(conflict));
        columns.push(values(&conflict.facts));
    }
    let names = [
        "amount",
        "currency",
        "order",
        "refund",
        "platform's id",
        "merchant",
        "app",
        "end state",
    ];
    let rows: Vec<Vec<String>> = names
        .iter()
        .enumerate()
        .map(|(row, name)| {
            let cells: Vec<&String> = columns.iter().filter_map(|column| column.get(row)).collect();
            let stored = cells.first().map(|cell| cell.as_str()).unwrap_or_default();
            let marked = cells.iter().map(|cell| {
                // What is not told on one side differs in nothing.
                if *cell == stored || *cell == NOTHING || stored == NOTHING {
                    print::plain(cell)
                } else {
                    format!("{} ≠", print::plain(cell))
                }
            });
            std::iter::once((*name).to_owned()).chain(marked).collect()
        })
        .collect();
    let header: Vec<&str> = header.iter().map(String::as_str).collect();
    print::table(&header, &rows);
}

fn values(facts: &Facts) -> [String; 8] {
    [
        yuan(facts.amount),
        or_nothing(facts.currency.as_deref()),
        or_nothing(facts.order_no.as_deref()),
        or_nothing(facts.refund_no.as_deref()),
        or_nothing(facts.remote_id.as_deref()),
        or_nothing(facts.merchant.as_deref()),
        or_nothing(facts.app.as_deref()),
        facts.end_state.clone(),
    ]
}

fn title(conflict: &StoredConflict) -> String {
    let looked_at = if conflict.resolved_at.is_some() {
        ", looked at"
    } else {
        ""
    };
    format!("{} {}{looked_at}", conflict.origin.as_str(), time(conflict.received_at))
}

fn show_request(title: &str, request: Option<&KeptRequest>, whole: bool) {
    let Some(request) = request else {
        print::line(format_args!("{title}: no request; a query found it"));
        return;
    };
    let (method, path, bytes) = (&request.method, request.uri.path(), request.body.len());
    print::line(format_args!("{title}: {method} {path}, {bytes} bytes"));
    if !whole {
        print::line("  with --request: its headers and body, which may name people");
        return;
    }
    for (name, value) in headers(request) {
        print::line(format_args!("  {name}: {}", print::plain(&value)));
    }
    print::line("");
    for line in String::from_utf8_lossy(&request.body).lines() {
        print::line(format_args!("  {}", print::plain(line)));
    }
}

fn headers(request: &KeptRequest) -> Vec<(String, String)> {
    request
        .headers
        .iter()
        .map(|(name, value)| (name.to_string(), String::from_utf8_lossy(value.as_bytes()).into_owned()))
        .collect()
}
