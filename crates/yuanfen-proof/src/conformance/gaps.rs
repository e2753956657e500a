//! What is knowingly not supported. The list can only shrink: a listed case that passes is an error.

use serde::Deserialize;

use super::{Mode, Row, Verdict};
use crate::Error;

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct File {
    #[serde(default)]
    gap: Vec<Gap>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Gap {
    provider: String,
    case: String,
    mode: Named,
    reason: String,
}

#[derive(Clone, Copy, Deserialize)]
#[serde(rename_all = "kebab-case")]
enum Named {
    Vectors,
    Oracle,
    Sandbox,
    Peer,
}

impl Gap {
    const fn mode(&self) -> Mode {
        match self.mode {
            Named::Vectors => Mode::Vectors,
            Named::Oracle => Mode::Oracle,
            Named::Sandbox => Mode::Sandbox,
            Named::Peer => Mode::Peer,
        }
    }
}

/// # Errors
/// When `conformance.toml` is not of its form.
pub(super) fn read() -> Result<Vec<Gap>, Error> {
    let file: File = toml::from_str(include_str!("../../conformance.toml"))?;
    Ok(file.gap)
}

/// Marks what is listed, in the modes that ran; what is wrong with the list.
pub(super) fn apply(rows: &mut [Row], gaps: &[Gap], ran: impl Fn(Mode) -> bool) -> Vec<String> {
    let mut wrong = Vec::new();
    for gap in gaps.iter().filter(|gap| ran(gap.mode())) {
        let name = format!("{} {}", gap.provider, gap.case);
        if gap.reason.trim().is_empty() {
            wrong.push(format!("conformance.toml: {name} has no reason"));
        }
        let row = rows
            .iter_mut()
            .find(|row| row.provider == gap.provider && row.case == gap.case && row.mode == gap.mode());
        match row {
            None => wrong.push(format!("conformance.toml: there is no case {name}")),
            Some(row) if row.verdict == Verdict::Passed => {
                wrong.push(format!("conformance.toml: {name} passes by now; take it off the list"));
            }
            Some(row) => {
                row.verdict = Verdict::Gap {
                    reason: gap.reason.clone(),
                };
            }
        }
    }
    wrong
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_gap_that_passes_or_is_about_nothing_is_an_error() {
        let gap = |case: &str| Gap {
            provider: "p".to_owned(),
            case: case.to_owned(),
            mode: Named::Vectors,
            reason: "later".to_owned(),
        };
        let row = |case: &str, verdict| Row {
            provider: "p",
            case: case.to_owned(),
            mode: Mode::Vectors,
            verdict,
        };
        let mut rows = [row("passes", Verdict::Passed), row("open", Verdict::NotRun)];
        let wrong = apply(&mut rows, &[gap("passes"), gap("open"), gap("none")], |_| true);
        assert_eq!(wrong.len(), 2, "{wrong:?}");
        assert!(wrong.iter().any(|problem| problem.contains("passes by now")));
        assert!(wrong.iter().any(|problem| problem.contains("no case p none")));
        let marked = Verdict::Gap {
            reason: "later".to_owned(),
        };
        assert_eq!(rows.map(|row| row.verdict), [Verdict::Passed, marked]);
    }
}
