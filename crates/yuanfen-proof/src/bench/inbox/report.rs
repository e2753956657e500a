//! What was measured of the inbox as a table, as Markdown, as JSON.

use serde::Serialize;
use serde_json::value::RawValue;

use super::growth::Stage;
use super::lanes::Rates;
use crate::Error;
use crate::bench::report::{Shape, number};

/// What is promised of a ratio, in thousandths.
#[derive(Clone, Copy)]
pub(super) enum Promise {
    AtLeast(u64),
    AtMost(u64),
}

#[derive(Clone, Copy)]
enum Unit {
    PerSecond,
    Microseconds,
    Kibibytes,
}

/// One figure beside another.
pub(super) struct Line {
    store: &'static str,
    what: String,
    beside: String,
    unit: Unit,
    ours: u64,
    bare: u64,
    /// Thousandths: first quartile, median, third quartile; one figure three times where there is one pair.
    ratio: [u64; 3],
    promise: Option<Promise>,
}

impl Line {
    pub(super) fn of_rates(store: &'static str, what: &str, rates: &Rates, promise: Option<Promise>) -> Self {
        Self {
            store,
            what: what.to_owned(),
            beside: rates.beside.to_owned(),
            unit: Unit::PerSecond,
            ours: rates.ours,
            bare: rates.bare,
            ratio: rates.ratio,
            promise,
        }
    }

    /// What growing did: latencies of the large store beside those of the small one at the same time, memory beside that
    /// before.
    pub(super) fn of_growth(store: &'static str, stages: &[Stage; 2], latency: Promise, memory: Promise) -> Vec<Self> {
        let [before, after] = stages;
        let micros = |duration: std::time::Duration| u64::try_from(duration.as_micros()).unwrap_or(u64::MAX);
        let pair = |what: String, beside: String, unit, ours: u64, bare: u64, promise| Self {
            store,
            what,
            beside,
            unit,
            ours,
            bare,
            // Rounded up: these are promised to be small.
            ratio: [(ours * 1000).div_ceil(bare.max(1)); 3],
            promise,
        };
        let mut lines = Vec::new();
        for (stage, promise) in [(before, None), (after, Some(latency))] {
            let (few, many) = (&stage.few, &stage.many);
            for (name, ours, bare, promise) in [
                ("median", many.median, few.median, None),
                ("p99", many.p99, few.p99, promise),
            ] {
                lines.push(pair(
                    format!("receive, {name} with {} stored", many.events),
                    format!("with {} stored", few.events),
                    Unit::Microseconds,
                    micros(ours),
                    micros(bare),
                    promise,
                ));
            }
        }
        let memory_of = |what: &str, ours: u64, bare: u64, promise| {
            pair(
                format!("{what} with {} stored", after.many.events),
                format!("with {} stored", before.many.events),
                Unit::Kibibytes,
                ours / 1024,
                bare / 1024,
                promise,
            )
        };
        lines.push(memory_of("memory", after.resident, before.resident, Some(memory)));
        if before.backends > 0 {
            let promise = Some(memory);
            lines.push(memory_of(
                "memory of its backends",
                after.backends,
                before.backends,
                promise,
            ));
        }
        lines
    }

    /// Whether the promise holds, where there is one.
    pub(super) fn holds(&self) -> Option<bool> {
        let [_, median, _] = self.ratio;
        self.promise.map(|promise| match promise {
            Promise::AtLeast(least) => median >= least,
            Promise::AtMost(most) => median <= most,
        })
    }

    fn promised(&self) -> String {
        match self.promise {
            None => String::new(),
            Some(Promise::AtLeast(least)) => format!("≥ {}", hundredths(least)),
            Some(Promise::AtMost(most)) => format!("≤ {}", hundredths(most)),
        }
    }

    fn figure(&self, figure: u64) -> String {
        match self.unit {
            Unit::PerSecond => format!("{figure} /s"),
            Unit::Microseconds => format!("{figure} µs"),
            Unit::Kibibytes => format!("{figure} KiB"),
        }
    }

    fn ratios(&self) -> String {
        let [low, median, high] = self.ratio.map(hundredths);
        if self.ratio.iter().all(|one| *one == self.ratio[0]) {
            format!("{median} ×")
        } else {
            format!("{median} × ({low} – {high})")
        }
    }
}

pub(super) fn begin(shape: Shape) {
    match shape {
        Shape::Table => println!(
            "{:<9} {:<46} {:>12}   {:<32} {:>12}   {:<22} promised",
            "store", "inbox", "", "beside", "", "ratio (middle half)"
        ),
        Shape::Markdown => {
            println!("| Store | Inbox | | Beside | | Ratio (middle half) | Promised |");
            println!("| --- | --- | ---: | --- | ---: | --- | --- |");
        }
        Shape::Json => {}
    }
}

pub(super) fn print(shape: Shape, line: &Line) -> Result<(), Error> {
    let (ours, bare) = (line.figure(line.ours), line.figure(line.bare));
    let Line {
        store, what, beside, ..
    } = line;
    let (ratios, promised) = (line.ratios(), line.promised());
    match shape {
        Shape::Table => {
            let verdict = match line.holds() {
                None => "",
                Some(true) => "ok",
                Some(false) => "BEYOND",
            };
            println!(
                "{store:<9} {what:<46} {ours:>12}   {beside:<32} {bare:>12}   {ratios:<22} {promised:<7} {verdict}"
            );
        }
        Shape::Markdown => println!("| {store} | {what} | {ours} | {beside} | {bare} | {ratios} | {promised} |"),
        Shape::Json => {
            let [low, median, high] = line.ratio;
            let (at_least, at_most) = match line.promise {
                None => (None, None),
                Some(Promise::AtLeast(least)) => (Some(number(least)?), None),
                Some(Promise::AtMost(most)) => (None, Some(number(most)?)),
            };
            let unit = match line.unit {
                Unit::PerSecond => "events per second",
                Unit::Microseconds => "microseconds",
                Unit::Kibibytes => "KiB",
            };
            let json = Json {
                store,
                what,
                beside,
                unit,
                ours: line.ours,
                bare: line.bare,
                ratio: number(median)?,
                ratio_first_quartile: number(low)?,
                ratio_third_quartile: number(high)?,
                at_least,
                at_most,
                holds: line.holds(),
            };
            println!("{}", serde_json::to_string(&json)?);
        }
    }
    Ok(())
}

#[derive(Serialize)]
struct Json<'a> {
    store: &'a str,
    what: &'a str,
    beside: &'a str,
    unit: &'a str,
    ours: u64,
    bare: u64,
    ratio: Box<RawValue>,
    ratio_first_quartile: Box<RawValue>,
    ratio_third_quartile: Box<RawValue>,
    at_least: Option<Box<RawValue>>,
    at_most: Option<Box<RawValue>>,
    holds: Option<bool>,
}

/// Thousandths to two places.
fn hundredths(thousandths: u64) -> String {
    format!("{}.{:02}", thousandths / 1000, thousandths % 1000 / 10)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn line(ratio: u64, promise: Option<Promise>) -> Line {
        let rates = Rates {
            beside: "bare",
            ours: ratio,
            bare: 1000,
            ratio: [ratio; 3],
        };
        Line::of_rates("sqlite", "receive", &rates, promise)
    }

    #[test]
    fn a_promise_is_kept_at_its_bound_and_not_beyond() {
        let least = Some(Promise::AtLeast(700));
        assert_eq!(line(700, least).holds(), Some(true));
        assert_eq!(line(699, least).holds(), Some(false));
        let most = Some(Promise::AtMost(1500));
        assert_eq!(line(1500, most).holds(), Some(true));
        assert_eq!(line(1501, most).holds(), Some(false));
        assert_eq!(line(1, None).holds(), None);
    }

    #[test]
    fn writes_what_was_promised() {
        assert_eq!(line(700, Some(Promise::AtLeast(700))).promised(), "≥ 0.70");
        assert_eq!(line(1234, None).ratios(), "1.23 ×");
    }
}
