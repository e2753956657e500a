//! What no compiler checks about the workspace as a whole. Every check runs, and every problem is printed.

mod duplicates;
mod edges;
mod features;
mod layout;
mod origins;
mod purity;
mod trees;

pub(crate) use trees::PURE_RUST_TESTS;

use crate::failure::Failure;
use crate::metadata::Metadata;
use crate::process::root;
use crate::readme;
use crate::sources::Sources;

/// The crates of layers 0 to 2: no clock, environment, network, file or randomness but what `Ambient` hands in.
const PURE: [&str; 11] = [
    "yuanfen-core",
    "yuanfen-sign",
    "yuanfen-xml",
    "yuanfen-form",
    "yuanfen-envelope",
    "yuanfen-wechat-web",
    "yuanfen-wechat-v2",
    "yuanfen-wechat-v3",
    "yuanfen-starpos",
    "yuanfen-fshows",
    "yuanfen-mpgateway",
];

/// What one check found: nothing, or sentences that each name a crate or file and what is wrong there.
struct Check {
    name: &'static str,
    problems: Vec<String>,
}

/// # Errors
///
/// When any check finds a problem, after all of them were printed.
pub(crate) fn run() -> Result<(), Failure> {
    let metadata = Metadata::of_workspace()?;
    let sources = Sources::load(&root())?;
    let mut edge_problems = edges::check(&metadata);
    if root().join("fuzz/Cargo.toml").is_file() {
        edge_problems.extend(edges::check_fuzz(&Metadata::of_fuzz()?));
    }
    let checks = [
        Check {
            name: "edges: which crate may depend on which",
            problems: edge_problems,
        },
        Check {
            name: "features: the facade reaches every one",
            problems: features::check(&metadata),
        },
        Check {
            name: "origins: vectors come from outside",
            problems: origins::check(&sources),
        },
        Check {
            name: "trees: what a choice of crates and features compiles",
            problems: trees::check(&metadata)?,
        },
        Check {
            name: "purity: no clock, network, files or async below transport",
            problems: purity::check(&sources),
        },
        Check {
            name: "layout: READMEs, module files, nothing unfinished",
            problems: layout::check(&metadata, &sources),
        },
        Check {
            name: "duplicates: versions of one crate",
            problems: duplicates::check(&metadata),
        },
        Check {
            name: "readme: the table of routes",
            problems: readme::check(&sources)?,
        },
    ];
    let mut count = 0_usize;
    for check in &checks {
        println!(
            "{} {}",
            if check.problems.is_empty() { "ok  " } else { "FAIL" },
            check.name
        );
        for problem in &check.problems {
            println!("       {problem}");
        }
        count = count.saturating_add(check.problems.len());
    }
    if count == 0 {
        Ok(())
    } else {
        Err(Failure::new(format!("tidy found {count} problem(s)")))
    }
}
