//! How many crates the lock file holds in more than one version. The number only falls: a new pair is a decision.

use std::collections::{BTreeMap, BTreeSet};

use crate::metadata::Metadata;

/// Crates that stand in the lock file more than once. Most are the digest 0.10 generation that `rsa` 0.9 brings beside
/// our 0.11 one; they leave with `rsa` 0.10. `pkcs8` is one of them since `p12-keystore` came with the newer one. sqlx 0.9
/// brings an older `base64` and `hashbrown` and, through `url`, a newer `synstructure`: three. Lower this when the count falls; raise it only with a reason here.
const CEILING: usize = 20;

pub(super) fn check(metadata: &Metadata) -> Vec<String> {
    compare(&duplicates(metadata), CEILING)
}

fn compare(duplicates: &[String], ceiling: usize) -> Vec<String> {
    let count = duplicates.len();
    if count == ceiling {
        return Vec::new();
    }
    let advice = if count > ceiling {
        "find out who brought the new one"
    } else {
        "good: lower the ceiling"
    };
    vec![format!(
        "{count} crates have several versions, the ceiling is {ceiling}: {advice} ({})",
        duplicates.join("; ")
    )]
}

/// `name 1.0.0 2.0.0`, by name.
fn duplicates(metadata: &Metadata) -> Vec<String> {
    let mut versions: BTreeMap<&str, BTreeSet<&str>> = BTreeMap::new();
    for package in &metadata.packages {
        versions.entry(&package.name).or_default().insert(&package.version);
    }
    versions
        .into_iter()
        .filter(|(_, versions)| versions.len() > 1)
        .map(|(name, versions)| format!("{name} {}", versions.into_iter().collect::<Vec<_>>().join(" ")))
        .collect()
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;
    use crate::metadata::fixture::metadata;

    #[test]
    fn counts_names_and_not_packages() {
        let package =
            |name: &str, version: &str| json!({ "id": format!("{name} {version}"), "name": name, "version": version });
        let found = duplicates(&metadata(
            vec![],
            vec![
                package("sha2", "0.10.9"),
                package("sha2", "0.11.1"),
                package("digest", "0.9.0"),
                package("digest", "0.10.7"),
                package("digest", "0.11.0"),
                package("bytes", "1.10.0"),
            ],
        ));
        assert_eq!(found, ["digest 0.10.7 0.11.0 0.9.0", "sha2 0.10.9 0.11.1"]);
    }

    #[test]
    fn the_count_is_held_from_both_sides() {
        let two = ["a 1 2".to_owned(), "b 1 2".to_owned()];
        assert_eq!(compare(&two, 2), Vec::<String>::new());
        assert!(compare(&two, 1)[0].contains("2 crates have several versions, the ceiling is 1: find out who"));
        assert!(compare(&two, 3)[0].contains("lower the ceiling"));
    }
}
