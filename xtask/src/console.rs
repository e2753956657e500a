//! The sandbox's console in a browser: spawns `yuanfen-proof console`, which drives Debian's Chromium.

use crate::failure::Failure;
use crate::process::{Call, Done};
use crate::totals::Totals;

/// Built as the tests are, so that the crates below are compiled once.
const RUN: &str = "run --all-features --bin yuanfen-proof -- console";

/// # Errors
///
/// When a case fails, or there is no browser.
pub(crate) fn run(arguments: &[String]) -> Result<(), Failure> {
    let call = arguments
        .iter()
        .fold(Call::cargo(RUN), |call, argument| call.arg(argument));
    call.run()
}

/// The same, counted, where there is a browser.
///
/// # Errors
///
/// When a case fails.
pub(crate) fn check(totals: &mut Totals) -> Result<Done, Failure> {
    for program in ["chromium", "chromedriver"] {
        if !Call::new(program, "--version").works() {
            let reason = format!("{program} is not installed (Debian's packages chromium and chromium-driver)");
            return Ok(Done::Skipped(reason));
        }
    }
    Call::cargo(RUN).watch(|line| totals.read_line(line))?;
    Ok(Done::Ran)
}
