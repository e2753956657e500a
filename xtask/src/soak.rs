//! A short soak of the inbox as a step of `ci`: on both databases, and broken on purpose, where it must fail.

use crate::failure::Failure;
use crate::process::{Call, Done};

/// In a debug build, which the tests have made most of.
const CALL: &str = "run -p yuanfen-proof -- soak-inbox";

/// Runs that must find nothing wrong.
const SOUND: [&str; 2] = [
    "--store sqlite --events 400 --kills 10 --seed 1",
    "--store postgres --events 400 --kills 10 --seed 1",
];

/// Runs of a broken shop, and what they must find.
const BROKEN: [(&str, &str); 3] = [
    (
        "--store sqlite --events 200 --kills 10 --seed 1 --break acknowledge-early",
        "lost",
    ),
    (
        "--store sqlite --events 200 --kills 10 --seed 1 --break own-connection",
        "doubled",
    ),
    (
        "--store postgres --events 200 --kills 10 --seed 1 --break own-connection",
        "doubled",
    ),
];

/// # Errors
///
/// When a sound run finds something, or a broken one does not.
pub(crate) fn check() -> Result<Done, Failure> {
    for arguments in SOUND {
        let (ended, last) = soak(arguments);
        ended?;
        for what in ["lost", "doubled"] {
            if count(&last, what) != Some(0) {
                return Err(Failure::new(format!("`{last}` does not say that nothing was {what}")));
            }
        }
    }
    for (arguments, what) in BROKEN {
        let (ended, last) = soak(arguments);
        if ended.is_ok() || count(&last, what).is_none_or(|count| count == 0) {
            return Err(Failure::new(format!(
                "`soak-inbox {arguments}` must fail and find something {what}; its last line is `{last}`"
            )));
        }
    }
    Ok(Done::Ran)
}

/// How it ended, and its last line.
fn soak(arguments: &str) -> (Result<(), Failure>, String) {
    let mut last = String::new();
    let ended = Call::cargo(&format!("{CALL} {arguments}")).watch(|line| line.clone_into(&mut last));
    (ended, last)
}

/// `events=400 delivered=1018 lost=0 …`: the count of that name.
fn count(line: &str, name: &str) -> Option<u64> {
    line.split(' ')
        .filter_map(|part| part.split_once('='))
        .find(|(what, _)| *what == name)
        .and_then(|(_, count)| count.parse().ok())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn reads_the_last_line_of_a_soak() {
        let line = "events=400 delivered=1018 lost=0 doubled=51 parked=58 kills=10 seconds=28";
        assert_eq!(count(line, "lost"), Some(0));
        assert_eq!(count(line, "doubled"), Some(51));
        assert_eq!(count(line, "seconds"), Some(28));
        assert_eq!(count(line, "found"), None);
        assert_eq!(count("error: no event has reached claimed in 90 s", "lost"), None);
    }
}
