//! Every seed goes through its target, on any toolchain; and no target is without seeds, a binary, and its name in the
//! list.

use std::collections::BTreeSet;
use std::fs;
use std::path::{Path, PathBuf};

use yuanfen_fuzz::TARGETS;

fn folder(name: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join(name)
}

fn entries(folder: &Path) -> Vec<PathBuf> {
    let mut paths: Vec<_> = fs::read_dir(folder)
        .unwrap_or_else(|error| panic!("{}: {error}", folder.display()))
        .map(|entry| entry.expect("an entry").path())
        .collect();
    paths.sort();
    paths
}

#[test]
fn every_seed_holds() {
    for (name, target) in TARGETS {
        let seeds = entries(&folder("seeds").join(name));
        assert!(!seeds.is_empty(), "{name} has no seed");
        for path in seeds {
            println!("{}", path.display());
            target(&fs::read(&path).expect("a seed"));
        }
    }
}

/// Cheap neighbors of the seeds: cut off, and with one byte changed, at up to 64 places of each.
#[test]
fn every_neighbor_of_a_seed_holds() {
    for (name, target) in TARGETS {
        for path in entries(&folder("seeds").join(name)) {
            println!("{}", path.display());
            let seed = fs::read(&path).expect("a seed");
            for at in (0..seed.len()).step_by(seed.len() / 64 + 1) {
                target(&seed[..at]);
                let mut changed = seed.clone();
                changed[at] ^= 0x01;
                target(&changed);
            }
        }
    }
}

#[test]
fn targets_binaries_and_seed_folders_have_the_same_names() {
    let listed: BTreeSet<_> = TARGETS.iter().map(|(name, _)| (*name).to_owned()).collect();
    let stems = |name: &str| -> BTreeSet<_> {
        entries(&folder(name))
            .iter()
            .map(|path| path.file_stem().expect("a name").to_string_lossy().into_owned())
            .collect()
    };
    assert_eq!(stems("targets"), listed);
    assert_eq!(stems("seeds"), listed);
    let manifest = fs::read_to_string(folder("Cargo.toml")).expect("the manifest");
    let binaries: BTreeSet<_> = manifest
        .lines()
        .filter_map(|line| line.strip_prefix("path = \"targets/")?.strip_suffix(".rs\""))
        .map(str::to_owned)
        .collect();
    assert_eq!(binaries, listed);
}
