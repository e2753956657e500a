//! Every vector file of the workspace can be loaded, and names outside evidence.

use std::path::{Path, PathBuf};

use yuanfen_testkit::Vectors;

/// The folder of a crate of this workspace.
pub(crate) fn folder(name: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR"))
        .join("..")
        .join(format!("yuanfen-{name}"))
}

/// The vectors of a crate of this workspace.
pub(crate) fn vectors(name: &str) -> Vectors {
    Vectors::of_crate(folder(name)).unwrap()
}

#[test]
fn every_vector_file_of_the_workspace_can_be_loaded() {
    let crates = Path::new(env!("CARGO_MANIFEST_DIR")).join("..");
    let mut loaded = Vec::new();
    for entry in std::fs::read_dir(crates).unwrap() {
        let path = entry.unwrap().path();
        if path.join("tests/vectors").is_dir() {
            let vectors = Vectors::of_crate(&path).unwrap();
            assert!(vectors.iter().count() > 0);
            loaded.push(path.file_name().unwrap().to_string_lossy().into_owned());
        }
    }
    for name in [
        "sign",
        "envelope",
        "wechat-v2",
        "wechat-v3",
        "starpos",
        "fshows",
        "mpgateway",
    ] {
        assert!(
            loaded.contains(&format!("yuanfen-{name}")),
            "{name}: no vectors among {loaded:?}"
        );
    }
}

#[test]
fn every_key_that_a_case_names_is_there() {
    for name in ["sign", "envelope", "wechat-v3"] {
        let vectors = vectors(name);
        for case in vectors.iter() {
            for member in ["key", "public_key", "certificate"] {
                if case.has(member) {
                    assert!(!case.text(member).is_empty());
                }
            }
        }
    }
}
