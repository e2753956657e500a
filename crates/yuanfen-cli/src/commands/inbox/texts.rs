//! How stored values are written for people and for programs.

use std::time::Duration;

use serde::Serialize;
use yuanfen::core::{ClockDashed, Facts, Fen, Rfc3339, UnixTime};
use yuanfen_inbox::StoredEvent;

use crate::print;

/// What stands where there is nothing.
pub(super) const NOTHING: &str = "–";

/// As the platforms write it, at +08:00.
pub(super) fn time(time: UnixTime) -> String {
    ClockDashed(time).to_string()
}

pub(super) fn json_time(time: UnixTime) -> String {
    Rfc3339(time).to_string()
}

pub(super) fn yuan(amount: Option<Fen>) -> String {
    amount.map_or_else(|| NOTHING.to_owned(), |amount| amount.yuan().to_string())
}

pub(super) fn or_nothing(text: Option<&str>) -> String {
    text.unwrap_or(NOTHING).to_owned()
}

/// `3 s`, `12 min`, `7 h`, `4 days`: whole, rounded down.
#[expect(clippy::integer_division, reason = "rounded down on purpose")]
pub(super) fn age(age: Duration) -> String {
    let seconds = age.as_secs();
    match seconds {
        0..120 => format!("{seconds} s"),
        120..7_200 => format!("{} min", seconds / 60),
        7_200..172_800 => format!("{} h", seconds / 3600),
        _ => format!("{} days", seconds / 86_400),
    }
}

/// One line of at most so many characters, cut with an ellipsis: errors of handlers can be long.
pub(super) fn short(text: &str, most: usize) -> String {
    let line = print::plain(text);
    if line.chars().count() <= most {
        return line;
    }
    let cut: String = line.chars().take(most.saturating_sub(1)).collect();
    format!("{}…", cut.trim_end())
}

/// Why an event is where it is.
pub(super) fn note(event: &StoredEvent) -> String {
    let reason = event.parked_for.map(|reason| reason.as_str().to_owned());
    let parts: Vec<String> = reason.into_iter().chain(event.last_error.clone()).collect();
    parts.join(": ")
}

/// What an event settles.
#[derive(Serialize)]
pub(super) struct FactsRow {
    amount_fen: Option<i64>,
    currency: Option<String>,
    order_no: Option<String>,
    refund_no: Option<String>,
    remote_id: Option<String>,
    merchant: Option<String>,
    app: Option<String>,
    end_state: String,
}

impl From<&Facts> for FactsRow {
    fn from(facts: &Facts) -> Self {
        Self {
            amount_fen: facts.amount.map(Fen::get),
            currency: facts.currency.clone(),
            order_no: facts.order_no.clone(),
            refund_no: facts.refund_no.clone(),
            remote_id: facts.remote_id.clone(),
            merchant: facts.merchant.clone(),
            app: facts.app.clone(),
            end_state: facts.end_state.clone(),
        }
    }
}

/// An event without its request.
#[derive(Serialize)]
pub(super) struct EventRow {
    id: i64,
    /// The idempotency key of effects elsewhere.
    key: String,
    route: String,
    account: String,
    subject: String,
    transition: &'static str,
    state: &'static str,
    parked_for: Option<&'static str>,
    last_error: Option<String>,
    origin: &'static str,
    is_over: bool,
    attempts: u32,
    received_at: String,
    ready_at: String,
    finished_at: Option<String>,
    facts: FactsRow,
}

impl From<&StoredEvent> for EventRow {
    fn from(event: &StoredEvent) -> Self {
        Self {
            id: event.id.get(),
            key: event.key.to_string(),
            route: event.key.route.clone().into_owned(),
            account: event.key.account.clone(),
            subject: event.key.subject.clone(),
            transition: event.key.transition.as_str(),
            state: event.state.as_str(),
            parked_for: event.parked_for.map(yuanfen_inbox::ParkReason::as_str),
            last_error: event.last_error.clone(),
            origin: event.origin.as_str(),
            is_over: event.is_over,
            attempts: event.attempts,
            received_at: json_time(event.received_at),
            ready_at: json_time(event.ready_at),
            finished_at: event.finished_at.map(json_time),
            facts: FactsRow::from(&event.facts),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_age_is_written_in_the_unit_that_says_enough() {
        let ages = [0, 119, 120, 7_199, 7_200, 172_799, 172_800].map(|seconds| age(Duration::from_secs(seconds)));
        assert_eq!(ages, ["0 s", "119 s", "2 min", "119 min", "2 h", "47 h", "2 days"]);
    }

    #[test]
    fn a_long_error_is_cut_and_steers_no_terminal() {
        assert_eq!(short("no such table", 13), "no such table");
        assert_eq!(short("no such table", 9), "no such…");
        assert_eq!(short("red \u{1b}[31m\nline", 40), "red  [31m line");
        assert_eq!(short("订单不存在了", 3), "订单…");
    }
}
