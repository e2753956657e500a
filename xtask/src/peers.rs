//! Other people's SDKs against the sandbox, as a step of `ci`: what was really run joins the sum.

use crate::failure::Failure;
use crate::process::{Call, Done};
use crate::totals::Totals;

/// In a debug build, which the tests have made most of.
const CALL: &str = "run -p yuanfen-proof -- conformance --peers --no-sandbox";

/// What the last line of a run says.
#[derive(Debug, Default, PartialEq, Eq)]
struct Counts {
    passed: u64,
    failed: u64,
    skipped: u64,
}

/// # Errors
///
/// When a step of an SDK failed, or the run says nothing about them.
pub(crate) fn run(totals: &mut Totals) -> Result<Done, Failure> {
    let mut counts = None;
    let run = Call::cargo(CALL).watch(|line| counts = read(line).or(counts.take()));
    let counts: Counts = counts.unwrap_or_default();
    totals.passed += counts.passed;
    totals.failed += counts.failed;
    run?;
    match counts {
        Counts {
            passed: 0, skipped: 0, ..
        } => Err(Failure::new("no SDK was driven and none was skipped")),
        Counts { skipped: 0, .. } => Ok(Done::Ran),
        Counts { skipped, .. } => Ok(Done::Skipped(format!(
            "{skipped} walks with SDKs that could not be installed here; their registries' clients say why above"
        ))),
    }
}

/// `peers: 520 passed, 0 failed, 61 not offered, 0 skipped`.
fn read(line: &str) -> Option<Counts> {
    let mut counts = Counts::default();
    for part in line.strip_prefix("peers: ")?.split(", ") {
        let (count, what) = part.split_once(' ')?;
        let count = count.parse().ok()?;
        match what {
            "passed" => counts.passed = count,
            "failed" => counts.failed = count,
            "skipped" => counts.skipped = count,
            _ => {}
        }
    }
    Some(counts)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn reads_the_line_of_the_peers_and_no_other() {
        let counts = Counts {
            passed: 520,
            failed: 1,
            skipped: 3,
        };
        assert_eq!(
            read("peers: 520 passed, 1 failed, 61 not offered, 3 skipped"),
            Some(counts)
        );
        assert_eq!(read("wechat-v2    66 of 66"), None);
        assert_eq!(read("peers: many passed"), None);
    }
}
