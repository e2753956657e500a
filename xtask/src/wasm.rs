//! The pure-Rust build of a provider for a target without an operating system.

use crate::failure::Failure;
use crate::process::{Call, Done, root};

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
    // `cargo rustc --print` needs a build; rustc itself says where a target's libraries would be.
    let output = std::process::Command::new("rustc")
        .args(["--print", "target-libdir", "--target", TARGET])
        .current_dir(root())
        .output()
        .map_err(Failure::during("starting `rustc --print target-libdir`"))?;
    let folder = String::from_utf8(output.stdout).map_err(Failure::during("the output of `rustc --print`"))?;
    Ok(output.status.success() && std::path::Path::new(folder.trim()).is_dir())
}
