//! The list of what was sent, as JSON lines: for whoever wants to count for himself.

use std::fs::File;
use std::io::{BufWriter, Write as _};
use std::path::Path;
use std::sync::{Mutex, PoisonError};

use serde::Serialize;

use super::Trouble;
use super::plan::{Manner, Outcome, Parcel, Plan};

/// Every delivery, in the order in which they came to their end.
pub(super) const SENT: &str = "sent.jsonl";
/// Every event, with what must have become of it.
pub(super) const EVENTS: &str = "events.jsonl";

/// A delivery that came to its end: acknowledged if it was genuine, else refused.
#[derive(Serialize)]
pub(super) struct Sent<'a> {
    what: &'static str,
    /// The key that it is to be stored under, as the handler writes it; absent where nothing may be stored.
    event: Option<String>,
    amount: Option<i64>,
    remote_id: Option<&'a str>,
    acknowledged: bool,
    /// How often it was sent until then.
    requests: u32,
}

impl<'a> Sent<'a> {
    pub(super) fn of(plan: &'a Plan, parcel: Parcel, requests: u32) -> Self {
        let event = parcel.event().and_then(|event| plan.events.get(event));
        let is_otherwise = matches!(parcel, Parcel::Notice { otherwise: true, .. });
        let telling = event.map(|event| event.otherwise.as_ref().filter(|_| is_otherwise).unwrap_or(&event.told));
        Self {
            what: parcel.name(),
            event: event.map(|event| event.key.to_string()),
            amount: telling.map(|telling| telling.amount),
            remote_id: telling.and_then(|telling| telling.remote_id.as_deref()),
            acknowledged: event.is_some(),
            requests,
        }
    }
}

/// An event and what must have become of it.
#[derive(Serialize)]
struct Line {
    event: String,
    /// `done`, `parked`, or `either` for what was told in two ways.
    outcome: &'static str,
    parked_for: Option<&'static str>,
    amount: i64,
    /// What the shop expects of the order; absent where it expects none.
    expected: Option<i64>,
    /// What the handler does with it.
    handler: String,
    acknowledged: u32,
}

/// The file of deliveries, while it is written.
pub(super) struct List(Mutex<BufWriter<File>>);

impl List {
    pub(super) fn create(folder: &Path) -> Result<Self, Trouble> {
        Ok(Self(Mutex::new(BufWriter::new(File::create(folder.join(SENT))?))))
    }

    pub(super) fn push(&self, sent: &Sent<'_>) -> Result<(), Trouble> {
        let line = serde_json::to_string(sent)?;
        let mut file = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        writeln!(file, "{line}")?;
        Ok(())
    }

    pub(super) fn finish(&self) -> Result<(), Trouble> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).flush()?;
        Ok(())
    }
}

/// Writes the file of events.
pub(super) fn write_events(folder: &Path, plan: &Plan, acknowledged: &[u32]) -> Result<(), Trouble> {
    let mut file = BufWriter::new(File::create(folder.join(EVENTS))?);
    for (event, acknowledged) in plan.events.iter().zip(acknowledged) {
        let order = plan.orders.get(event.order).ok_or("an event of no order")?;
        let (outcome, parked_for) = match event.outcome {
            Outcome::Done => ("done", None),
            Outcome::Parked(reason) => ("parked", Some(reason.as_str())),
            Outcome::Either => ("either", None),
        };
        let line = Line {
            event: event.key.to_string(),
            outcome,
            parked_for,
            amount: event.told.amount,
            expected: order.expected,
            handler: Manner::of(&order.number).map_or_else(String::new, |manner| format!("{manner:?}")),
            acknowledged: *acknowledged,
        };
        writeln!(file, "{}", serde_json::to_string(&line)?)?;
    }
    file.flush()?;
    Ok(())
}
