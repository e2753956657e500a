//! The rows as a table of counts with what failed below, or as JSON.

use std::collections::BTreeMap;

use super::{Mode, Row, Verdict};
use crate::Error;

#[derive(Default)]
struct Count {
    passed: usize,
    all: usize,
    gaps: usize,
}

/// What became of the peers' steps: the line that `cargo xtask ci` reads.
fn peers(rows: &[Row]) -> Option<String> {
    let rows: Vec<_> = rows.iter().filter(|row| row.mode == Mode::Peer).collect();
    let count = |wanted: fn(&Verdict) -> bool| rows.iter().filter(|row| wanted(&row.verdict)).count();
    let passed = count(|verdict| *verdict == Verdict::Passed);
    let failed = count(|verdict| matches!(verdict, Verdict::Failed { .. } | Verdict::NotRun));
    let not_offered = count(|verdict| matches!(verdict, Verdict::NotOffered { .. }));
    let skipped = count(|verdict| matches!(verdict, Verdict::Skipped { .. }));
    (!rows.is_empty())
        .then(|| format!("peers: {passed} passed, {failed} failed, {not_offered} not offered, {skipped} skipped"))
}

pub(super) fn print(rows: &[Row], json: bool) -> Result<(), Error> {
    if json {
        for row in rows {
            println!("{}", serde_json::to_string(row)?);
        }
        return Ok(());
    }
    let mut counts: BTreeMap<&str, BTreeMap<Mode, Count>> = BTreeMap::new();
    for row in rows {
        let modes = counts.entry(row.provider).or_default();
        if matches!(row.verdict, Verdict::NotOffered { .. } | Verdict::Skipped { .. }) {
            // No case of ours: whoever counts them would count what nobody can do, or nobody did.
            continue;
        }
        let count = modes.entry(row.mode).or_default();
        match row.verdict {
            Verdict::Passed => count.passed += 1,
            Verdict::Gap { .. } => count.gaps += 1,
            Verdict::Failed { .. } | Verdict::NotRun | Verdict::NotOffered { .. } | Verdict::Skipped { .. } => {}
        }
        count.all += 1;
    }
    println!(
        "{:<12} {:>18} {:>18} {:>18} {:>18}",
        "", "vectors", "oracle", "sandbox", "peers"
    );
    for (provider, modes) in &counts {
        let cell = |mode| modes.get(&mode).map_or("–".to_owned(), Count::text);
        println!(
            "{provider:<12} {:>18} {:>18} {:>18} {:>18}",
            cell(Mode::Vectors),
            cell(Mode::Oracle),
            cell(Mode::Sandbox),
            cell(Mode::Peer)
        );
    }
    println!();
    for row in rows {
        let Row {
            provider, case, mode, ..
        } = row;
        match &row.verdict {
            Verdict::Passed => {}
            Verdict::Failed { why } => println!("failed: {provider}, {case}, {mode:?}: {why}"),
            Verdict::NotRun => println!("not run: {provider}, {case}, {mode:?}"),
            Verdict::Gap { reason } => println!("known gap: {provider}, {case}: {reason}"),
            Verdict::NotOffered { reason } => println!("not offered by the SDK: {provider}, {case}: {reason}"),
            Verdict::Skipped { reason } => println!("skipped: {provider}, {case}: {reason}"),
        }
    }
    if let Some(line) = peers(rows) {
        println!("\n{line}");
    }
    Ok(())
}

impl Count {
    fn text(&self) -> String {
        let gaps = match self.gaps {
            0 => String::new(),
            gaps => format!(" + {gaps} gap{}", if gaps == 1 { "" } else { "s" }),
        };
        format!("{} of {}{gaps}", self.passed, self.all)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_nobody_did_counts_neither_as_passed_nor_as_failed() {
        let row = |verdict| Row {
            provider: "p",
            case: "c".to_owned(),
            mode: Mode::Peer,
            verdict,
        };
        let reason = || "r".to_owned();
        let rows = [
            row(Verdict::Passed),
            row(Verdict::Failed { why: reason() }),
            row(Verdict::NotOffered { reason: reason() }),
            row(Verdict::Skipped { reason: reason() }),
            row(Verdict::Skipped { reason: reason() }),
        ];
        let line = peers(&rows).unwrap();
        assert_eq!(line, "peers: 1 passed, 1 failed, 1 not offered, 2 skipped");
        assert_eq!(peers(&[]), None);
    }
}
