//! How many tests passed and failed, summed over every test binary that ran.

use std::fmt;

/// Read from the `test result:` lines of the standard test harness.
#[derive(Clone, Copy, Debug, Default, Eq, PartialEq)]
pub(crate) struct Totals {
    pub(crate) passed: u64,
    pub(crate) failed: u64,
    pub(crate) ignored: u64,
}

impl Totals {
    /// Adds what one line of output says, if it says anything.
    pub(crate) fn read_line(&mut self, line: &str) {
        let Some(counts) = line
            .strip_prefix("test result: ")
            .and_then(|rest| rest.split_once(". "))
        else {
            return;
        };
        for part in counts.1.split(';') {
            let mut words = part.split_whitespace();
            let (Some(count), Some(what)) = (words.next().and_then(|count| count.parse::<u64>().ok()), words.next())
            else {
                continue;
            };
            match what {
                "passed" => self.passed = self.passed.saturating_add(count),
                "failed" => self.failed = self.failed.saturating_add(count),
                "ignored" => self.ignored = self.ignored.saturating_add(count),
                _ => {}
            }
        }
    }
}

impl fmt::Display for Totals {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} passed, {} failed", self.passed, self.failed)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn sums_every_binary_and_nothing_else() {
        let mut totals = Totals::default();
        for line in [
            "running 3 tests",
            "test result: ok. 3 passed; 0 failed; 1 ignored; 0 measured; 2 filtered out; finished in 0.00s",
            "test result: FAILED. 4 passed; 2 failed; 0 ignored; 0 measured; 0 filtered out; finished in 0.01s",
            "test says_test_result ... ok",
            "  test result: ok. 100 passed; 100 failed",
        ] {
            totals.read_line(line);
        }
        assert_eq!(
            totals,
            Totals {
                passed: 7,
                failed: 2,
                ignored: 1
            }
        );
        assert_eq!(totals.to_string(), "7 passed, 2 failed");
    }
}
