//! What came of each order, as the clients and the shop saw it.

use std::sync::atomic::{AtomicU8, AtomicU32, Ordering};
use std::sync::{Mutex, PoisonError};
use std::time::Duration;

/// Most problems that are told one by one.
const MOST_TOLD: usize = 10;

pub(super) struct Tally {
    /// How often the shop was told of each order.
    times: Vec<AtomicU8>,
    told: AtomicU32,
    placed: AtomicU32,
    paid: AtomicU32,
    /// In microseconds.
    placing: Mutex<Vec<u32>>,
    paying: Mutex<Vec<u32>>,
    problems: Mutex<Vec<String>>,
}

impl Tally {
    pub(super) fn new(orders: u32) -> Self {
        let orders = usize::try_from(orders).unwrap_or(usize::MAX);
        Self {
            times: (0..orders).map(|_| AtomicU8::new(0)).collect(),
            told: AtomicU32::new(0),
            placed: AtomicU32::new(0),
            paid: AtomicU32::new(0),
            placing: Mutex::new(Vec::with_capacity(orders)),
            paying: Mutex::new(Vec::with_capacity(orders)),
            problems: Mutex::default(),
        }
    }

    pub(super) fn orders(&self) -> u32 {
        u32::try_from(self.times.len()).unwrap_or(u32::MAX)
    }

    /// The number of an order, counted from 0.
    pub(super) fn order_no(number: u32) -> String {
        format!("load-{number:08}")
    }

    pub(super) fn note_placed(&self, took: Duration) {
        self.placed.fetch_add(1, Ordering::Relaxed);
        push(&self.placing, took);
    }

    pub(super) fn note_paid(&self, took: Duration) {
        self.paid.fetch_add(1, Ordering::Relaxed);
        push(&self.paying, took);
    }

    /// The shop was told that this order is paid.
    pub(super) fn note_told(&self, order_no: &str) {
        let number: Option<usize> = order_no.strip_prefix("load-").and_then(|number| number.parse().ok());
        match number.and_then(|number| self.times.get(number)) {
            None => self.note_problem(format!("a notice of `{order_no}`, which nobody placed")),
            Some(times) => match times.fetch_add(1, Ordering::Relaxed) {
                0 => _ = self.told.fetch_add(1, Ordering::Relaxed),
                before => self.note_problem(format!("{order_no} was told {before} times before")),
            },
        }
    }

    pub(super) fn note_problem(&self, problem: String) {
        self.problems
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
            .push(problem);
    }

    pub(super) fn placed(&self) -> u32 {
        self.placed.load(Ordering::Relaxed)
    }

    pub(super) fn paid(&self) -> u32 {
        self.paid.load(Ordering::Relaxed)
    }

    pub(super) fn told(&self) -> u32 {
        self.told.load(Ordering::Relaxed)
    }

    /// What went wrong, the first few in words.
    pub(super) fn problems(&self) -> Vec<String> {
        let mut problems = self.problems.lock().unwrap_or_else(PoisonError::into_inner).clone();
        let untold = self.orders() - self.told();
        if untold > 0 {
            problems.insert(0, format!("{untold} orders were never told of"));
        }
        if problems.len() > MOST_TOLD {
            let more = problems.len() - MOST_TOLD;
            problems.truncate(MOST_TOLD);
            problems.push(format!("and {more} more"));
        }
        problems
    }

    pub(super) fn latencies(&self) -> [(&'static str, Latencies); 2] {
        [
            ("place order (signed, HTTP)", Latencies::of(&self.placing)),
            ("pay (admin API, HTTP)", Latencies::of(&self.paying)),
        ]
    }
}

fn push(list: &Mutex<Vec<u32>>, took: Duration) {
    let micros = u32::try_from(took.as_micros()).unwrap_or(u32::MAX);
    list.lock().unwrap_or_else(PoisonError::into_inner).push(micros);
}

/// In microseconds, sorted.
pub(super) struct Latencies(Vec<u32>);

impl Latencies {
    fn of(list: &Mutex<Vec<u32>>) -> Self {
        let mut list = list.lock().unwrap_or_else(PoisonError::into_inner).clone();
        list.sort_unstable();
        Self(list)
    }

    /// The latency that so many in a hundred do not exceed, in milliseconds.
    pub(super) fn at(&self, percent: usize) -> String {
        let last = self.0.len().saturating_sub(1);
        let micros = self.0.get(last * percent / 100).copied().unwrap_or(0);
        format!("{}.{:01} ms", micros / 1000, micros % 1000 / 100)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_told_twice_or_never_is_a_problem() {
        let tally = Tally::new(3);
        for order_no in ["load-00000000", "load-00000002", "load-00000002", "load-00000003", "x"] {
            tally.note_told(order_no);
        }
        assert_eq!(tally.told(), 2);
        assert_eq!(
            tally.problems(),
            [
                "1 orders were never told of",
                "load-00000002 was told 1 times before",
                "a notice of `load-00000003`, which nobody placed",
                "a notice of `x`, which nobody placed"
            ]
        );
        let tally = Tally::new(1);
        tally.note_told(&Tally::order_no(0));
        assert!(tally.problems().is_empty());
    }

    #[test]
    fn a_percentile_is_a_sample() {
        let tally = Tally::new(200);
        for micros in (1..=200).rev() {
            tally.note_paid(Duration::from_micros(micros * 1000));
        }
        let [_, (_, paying)] = tally.latencies();
        assert_eq!(
            (paying.at(50), paying.at(99)),
            ("100.0 ms".to_owned(), "198.0 ms".to_owned())
        );
    }
}
