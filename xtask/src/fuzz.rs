//! Short runs of every fuzz target: every seed on stable, then cargo-fuzz where a nightly toolchain is present.

use std::fs;

use crate::failure::Failure;
use crate::metadata::Metadata;
use crate::process::{Call, Done, root};
use crate::totals::Totals;

/// Seconds for each target: enough to find a shallow panic, short enough for every merge.
const SECONDS: u32 = 5;

/// # Errors
///
/// When a target does not build, panics, or hangs.
pub(crate) fn smoke(totals: &mut Totals) -> Result<Done, Failure> {
    if !root().join("fuzz/Cargo.toml").is_file() {
        return Err(Failure::new("fuzz/Cargo.toml is missing"));
    }
    let metadata = Metadata::of_fuzz()?;
    let targets = targets(&metadata);
    if targets.is_empty() {
        return Err(Failure::new("fuzz/Cargo.toml names no target"));
    }
    Call::cargo("test --manifest-path fuzz/Cargo.toml").watch(|line| totals.read_line(line))?;
    if let Some(missing) = missing_tool() {
        return Ok(Done::Skipped(format!(
            "cargo-fuzz, because {missing}; every seed was replayed on stable instead"
        )));
    }
    // The crates forbid unsafe code and cargo-fuzz does not instrument C, so an address sanitizer would find nothing here.
    Call::cargo("+nightly fuzz build --sanitizer none").run()?;
    for target in &targets {
        let corpus = format!("fuzz/corpus/{target}");
        fs::create_dir_all(root().join(&corpus)).map_err(Failure::during(&corpus))?;
        // libFuzzer writes to the first folder and only reads the second.
        let mut call = Call::cargo("+nightly fuzz run --sanitizer none")
            .arg(*target)
            .arg(corpus);
        let seeds = format!("fuzz/seeds/{target}");
        if root().join(&seeds).is_dir() {
            call = call.arg(seeds);
        }
        call.arg("--")
            .arg(format!("-max_total_time={SECONDS}"))
            .arg("-timeout=10")
            .arg("-verbosity=0")
            .run()?;
    }
    println!("{} fuzz targets ran for {SECONDS} seconds each", targets.len());
    Ok(Done::Ran)
}

fn missing_tool() -> Option<&'static str> {
    if !Call::cargo("+nightly --version").works() {
        Some("there is no nightly toolchain")
    } else if !Call::cargo("+nightly fuzz --version").works() {
        Some("cargo-fuzz is not installed")
    } else if !Call::new("c++", "--version").works() {
        Some("there is no C++ compiler for libFuzzer")
    } else {
        None
    }
}

fn targets(metadata: &Metadata) -> Vec<&str> {
    metadata
        .members()
        .flat_map(|package| &package.targets)
        .filter(|target| target.kind.iter().any(|kind| kind == "bin"))
        .map(|target| target.name.as_str())
        .collect()
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;
    use crate::metadata::fixture::metadata;

    #[test]
    fn the_binaries_are_the_targets() {
        let member = json!({ "id": "f", "name": "yuanfen-fuzz", "version": "0.0.0", "targets": [
            { "name": "yuanfen_fuzz", "kind": ["lib"] },
            { "name": "xml_read", "kind": ["bin"] },
            { "name": "replay", "kind": ["test"] },
            { "name": "fen_text", "kind": ["bin"] },
        ] });
        assert_eq!(targets(&metadata(vec![member], vec![])), ["xml_read", "fen_text"]);
    }
}
