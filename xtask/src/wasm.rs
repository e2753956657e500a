//! The pure-Rust build of a provider for a target without an operating system.

use std::path::Path;

use crate::failure::Failure;
use crate::process::{Call, Done};

const TARGET: &str = "wasm32-unknown-unknown";

/// # Errors
///
/// When the target is installed and the check fails.
pub(crate) fn check() -> Result<Done, Failure> {
    if !is_installed()? {
        return Ok(Done::Skipped(format!(
            "the standard library of {TARGET} is not installed (`rustup target add {TARGET}`)"
        )));
    }
    Call::cargo("check -p yuanfen-wechat-v3 --no-default-features --features pure-rust --target")
        .arg(TARGET)
        .run()?;
    Ok(Done::Ran)
}

fn is_installed() -> Result<bool, Failure> {
    // Printed for every target that rustc knows, whether anything is in that folder or not.
    let folder = Call::new("rustc", "--print target-libdir --target")
        .arg(TARGET)
        .text()?;
    Ok(Path::new(folder.trim()).is_dir())
}
