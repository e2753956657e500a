//! Comparisons as a table, as Markdown, as JSON.

use serde::Serialize;
use serde_json::value::RawValue;

use super::harness::Comparison;
use crate::{Error, machine};

#[derive(Clone, Copy)]
pub(super) enum Shape {
    Table,
    Markdown,
    Json,
}

pub(super) fn begin(shape: Shape) {
    match shape {
        Shape::Table => println!(
            "{:<44} {:>9}   {:<40} {:>9}   {:>7}  {:^17}  reach",
            "flow", "ours", "beside", "takes", "ratio", "middle half"
        ),
        Shape::Markdown => {
            println!("| Flow | Takes | Beside | Takes | Ratio (middle half) | Promised |");
            println!("| --- | ---: | --- | ---: | --- | --- |");
        }
        Shape::Json => {}
    }
}

pub(super) fn print(shape: Shape, comparison: &Comparison) -> Result<(), Error> {
    let [low, median, high] = comparison.ratio;
    let Comparison { flow, primitive, .. } = comparison;
    match shape {
        Shape::Table => {
            let verdict = match comparison.holds() {
                None => "",
                Some(true) => "ok",
                Some(false) => "BEYOND",
            };
            println!(
                "{flow:<44} {:>9}   {primitive:<40} {:>9}   {:>5} ×  {:^17}  {:<7} {verdict}",
                microseconds(comparison.ours),
                microseconds(comparison.raw),
                hundredths(median),
                format!("{} – {}", hundredths(low), hundredths(high)),
                comparison
                    .reach
                    .map(|reach| format!("≤ {}", hundredths(reach)))
                    .unwrap_or_default(),
            );
        }
        Shape::Markdown => println!(
            "| {flow} | {} | {primitive} | {} | {} × ({} – {}) | {} |",
            microseconds(comparison.ours),
            microseconds(comparison.raw),
            hundredths(median),
            hundredths(low),
            hundredths(high),
            comparison
                .reach
                .map(|reach| format!("≤ {} ×", hundredths(reach)))
                .unwrap_or_default(),
        ),
        Shape::Json => {
            let line = Line {
                flow,
                beside: primitive,
                ours_picoseconds: comparison.ours,
                beside_picoseconds: comparison.raw,
                ratio: number(median)?,
                ratio_first_quartile: number(low)?,
                ratio_third_quartile: number(high)?,
                reach: comparison.reach.map(number).transpose()?,
                holds: comparison.holds(),
            };
            println!("{}", serde_json::to_string(&line)?);
        }
    }
    Ok(())
}

/// What measured it, and where.
pub(super) fn end(shape: Shape, command: &str) {
    let machine = machine::describe();
    match shape {
        Shape::Table => println!("\n{command}: {machine}"),
        Shape::Markdown => println!("\nMeasured with `{command}` on: {machine}."),
        Shape::Json => {}
    }
}

#[derive(Serialize)]
struct Line<'a> {
    flow: &'a str,
    beside: &'a str,
    ours_picoseconds: u64,
    beside_picoseconds: u64,
    ratio: Box<RawValue>,
    ratio_first_quartile: Box<RawValue>,
    ratio_third_quartile: Box<RawValue>,
    reach: Option<Box<RawValue>>,
    holds: Option<bool>,
}

/// Thousandths as a decimal of JSON.
pub(super) fn number(thousandths: u64) -> Result<Box<RawValue>, serde_json::Error> {
    RawValue::from_string(format!("{}.{:03}", thousandths / 1000, thousandths % 1000))
}

/// Thousandths, rounded up to two places.
fn hundredths(thousandths: u64) -> String {
    let hundredths = thousandths.div_ceil(10);
    format!("{}.{:02}", hundredths / 100, hundredths % 100)
}

/// Picoseconds as microseconds.
fn microseconds(picoseconds: u64) -> String {
    let hundredths = (picoseconds + 5_000) / 10_000;
    format!("{}.{:02} µs", hundredths / 100, hundredths % 100)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn writes_numbers_for_people_and_programs() {
        assert_eq!(microseconds(1_234_567), "1.23 µs");
        assert_eq!(hundredths(1051), "1.06");
        assert_eq!(hundredths(1050), "1.05");
        assert_eq!(number(1051).unwrap().get(), "1.051");
    }
}
