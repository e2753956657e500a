//! The allowed dependency edges between our own crates. Whatever is not in the table is an error, and so is a row or
//! a name in it that no crate answers to: the table describes the workspace, it does not outlive it.

use crate::metadata::{Dependency, Metadata, Package};

/// A crate and what it may depend on inside the workspace, with the reason where the reason is not the layer alone.
struct Row {
    name: &'static str,
    normal: &'static [&'static str],
    dev: &'static [&'static str],
}

const TESTKIT: &str = "yuanfen-testkit";

const ROWS: [Row; 19] = [
    Row {
        name: "yuanfen-core",
        normal: &[],
        dev: &[],
    },
    Row {
        name: "yuanfen-sign",
        normal: &["yuanfen-core"],
        dev: &[],
    },
    Row {
        name: "yuanfen-xml",
        normal: &["yuanfen-core"],
        dev: &[],
    },
    Row {
        name: "yuanfen-form",
        normal: &["yuanfen-core"],
        dev: &[],
    },
    Row {
        name: "yuanfen-envelope",
        normal: &["yuanfen-core", "yuanfen-sign", "yuanfen-form"],
        dev: &[],
    },
    Row {
        name: "yuanfen-wechat-web",
        normal: &["yuanfen-core", "yuanfen-sign"],
        dev: &[],
    },
    // Core alone: that is what makes it fit any provider, also those that others write.
    Row {
        name: "yuanfen-transport",
        normal: &["yuanfen-core"],
        dev: &[],
    },
    // Core alone as well: it knows no provider, and hand-written sources are as good.
    Row {
        name: "yuanfen-inbox",
        normal: &["yuanfen-core"],
        dev: &[],
    },
    Row {
        name: "yuanfen-wechat-v2",
        normal: &["yuanfen-core", "yuanfen-sign", "yuanfen-xml", "yuanfen-wechat-web"],
        dev: &[],
    },
    Row {
        name: "yuanfen-wechat-v3",
        normal: &["yuanfen-core", "yuanfen-sign", "yuanfen-wechat-web"],
        dev: &[],
    },
    Row {
        name: "yuanfen-starpos",
        normal: &["yuanfen-core", "yuanfen-sign", "yuanfen-wechat-web"],
        dev: &[],
    },
    Row {
        name: "yuanfen-fshows",
        normal: &["yuanfen-core", "yuanfen-sign", "yuanfen-form", "yuanfen-envelope"],
        dev: &[],
    },
    Row {
        name: "yuanfen-mpgateway",
        normal: &["yuanfen-core", "yuanfen-sign", "yuanfen-form"],
        dev: &[],
    },
    // No provider crate: a misreading of a fact sheet must not be able to agree with itself.
    Row {
        name: "yuanfen-sandbox",
        normal: &[
            "yuanfen-core",
            "yuanfen-sign",
            "yuanfen-xml",
            "yuanfen-form",
            "yuanfen-envelope",
        ],
        dev: &[],
    },
    Row {
        name: "yuanfen",
        normal: &[
            "yuanfen-core",
            "yuanfen-sign",
            "yuanfen-xml",
            "yuanfen-form",
            "yuanfen-envelope",
            "yuanfen-wechat-web",
            "yuanfen-transport",
            "yuanfen-inbox",
            "yuanfen-wechat-v2",
            "yuanfen-wechat-v3",
            "yuanfen-starpos",
            "yuanfen-fshows",
            "yuanfen-mpgateway",
        ],
        dev: &["yuanfen-sandbox"],
    },
    Row {
        name: "yuanfen-cli",
        // The inbox itself: it opens any shop's, so it needs both databases and none of the facade's routes for them.
        normal: &["yuanfen", "yuanfen-sandbox", "yuanfen-inbox"],
        dev: &[],
    },
    // Core alone: an oracle that leaned on `sign` or on a codec would vouch for what it is meant to check.
    Row {
        name: TESTKIT,
        normal: &["yuanfen-core"],
        dev: &[],
    },
    Row {
        name: "yuanfen-proof",
        normal: &[
            "yuanfen",
            "yuanfen-cli",
            "yuanfen-core",
            "yuanfen-sign",
            "yuanfen-xml",
            "yuanfen-form",
            "yuanfen-envelope",
            "yuanfen-wechat-web",
            "yuanfen-transport",
            "yuanfen-inbox",
            "yuanfen-wechat-v2",
            "yuanfen-wechat-v3",
            "yuanfen-starpos",
            "yuanfen-fshows",
            "yuanfen-mpgateway",
            "yuanfen-sandbox",
            TESTKIT,
        ],
        dev: &[],
    },
    // Nothing of ours: the chores must run while a crate does not compile.
    Row {
        name: "xtask",
        normal: &[],
        dev: &[],
    },
];

/// The fuzz workspace reaches layers 0 to 3 and no program.
const FUZZ: [&str; 14] = [
    "yuanfen-core",
    "yuanfen-sign",
    "yuanfen-xml",
    "yuanfen-form",
    "yuanfen-envelope",
    "yuanfen-wechat-web",
    "yuanfen-transport",
    "yuanfen-wechat-v2",
    "yuanfen-wechat-v3",
    "yuanfen-starpos",
    "yuanfen-fshows",
    "yuanfen-mpgateway",
    "yuanfen-sandbox",
    TESTKIT,
];

/// The vocabulary pulls no crypto, XML or async into anyone's build, so what it may use is a closed list.
const CORE_OUTSIDE: [&str; 7] = ["bytes", "http", "serde", "serde_json", "subtle", "thiserror", "zeroize"];

pub(super) fn check(metadata: &Metadata) -> Vec<String> {
    let mut problems = Vec::new();
    for package in metadata.members() {
        match ROWS.iter().find(|row| row.name == package.name) {
            Some(row) => problems.extend(forbidden_edges(row, package)),
            None => problems.push(format!(
                "{} has no row in xtask's table of edges: add one with its reason",
                package.name
            )),
        }
        if package.name == "yuanfen-core" {
            problems.extend(core_outsiders(package));
        }
    }
    for row in &ROWS {
        for name in std::iter::once(&row.name).chain(row.normal).chain(row.dev) {
            if metadata.member(name).is_none() {
                problems.push(format!(
                    "the row of {} names {name}, which is not in the workspace",
                    row.name
                ));
            }
        }
    }
    problems
}

pub(super) fn check_fuzz(metadata: &Metadata) -> Vec<String> {
    metadata
        .members()
        .flat_map(|package| {
            ours(package)
                .filter(|dependency| !FUZZ.contains(&dependency.name.as_str()))
                .map(|dependency| format!("{} (fuzz) must not depend on {}", package.name, dependency.name))
        })
        .collect()
}

fn forbidden_edges(row: &Row, package: &Package) -> Vec<String> {
    let mut problems = Vec::new();
    for dependency in ours(package) {
        let to = dependency.name.as_str();
        let normal = row.normal.contains(&to);
        // A crate may name itself among its dev-dependencies: that is how it turns its own features on for its tests.
        let dev = normal || to == TESTKIT || to == row.name || row.dev.contains(&to);
        let (allowed, kind, list) = match dependency.kind.as_deref() {
            None => (normal, "depend on", row.normal.join(", ")),
            Some("dev") => (
                dev,
                "dev-depend on",
                [row.normal, row.dev, &[TESTKIT]].concat().join(", "),
            ),
            Some(_) => (false, "build-depend on", String::new()),
        };
        if !allowed {
            let list = if list.is_empty() {
                "nothing of ours".to_owned()
            } else {
                list
            };
            problems.push(format!("{} must not {kind} {to} (allowed: {list})", package.name));
        }
    }
    problems
}

fn core_outsiders(core: &Package) -> impl Iterator<Item = String> + '_ {
    core.dependencies
        .iter()
        .filter(|dependency| dependency.kind.is_none() && !CORE_OUTSIDE.contains(&dependency.name.as_str()))
        .map(|dependency| {
            format!(
                "yuanfen-core must not depend on {}: its list of outside crates is closed",
                dependency.name
            )
        })
}

fn ours(package: &Package) -> impl Iterator<Item = &Dependency> {
    package
        .dependencies
        .iter()
        .filter(|dependency| dependency.path.is_some())
}

#[cfg(test)]
mod tests {
    use serde_json::{Value, json};

    use super::*;
    use crate::metadata::fixture::{edge, member, metadata};

    /// The whole workspace without edges, but for one crate that has these.
    fn workspace(name: &str, dependencies: &[Value]) -> Metadata {
        let members = ROWS.iter().map(|row| {
            let dependencies = if row.name == name { dependencies } else { &[] };
            member(row.name, dependencies, &json!({}))
        });
        metadata(members.collect(), vec![])
    }

    #[test]
    fn names_the_crate_and_the_edge_that_is_not_allowed() {
        for (from, to, kind, expected) in [
            (
                "yuanfen-sandbox",
                "yuanfen-wechat-v2",
                None,
                "yuanfen-sandbox must not depend on yuanfen-wechat-v2",
            ),
            (
                "yuanfen-wechat-v3",
                "yuanfen-xml",
                None,
                "yuanfen-wechat-v3 must not depend on yuanfen-xml",
            ),
            (
                "yuanfen-fshows",
                "yuanfen-wechat-web",
                None,
                "yuanfen-fshows must not depend on yuanfen-wechat-web",
            ),
            (
                "yuanfen-transport",
                "yuanfen-sign",
                None,
                "yuanfen-transport must not depend on yuanfen-sign",
            ),
            (
                "yuanfen",
                "yuanfen-sandbox",
                None,
                "yuanfen must not depend on yuanfen-sandbox",
            ),
            (
                "yuanfen-testkit",
                "yuanfen-sign",
                None,
                "yuanfen-testkit must not depend on yuanfen-sign",
            ),
            (
                "yuanfen-xml",
                "yuanfen-testkit",
                None,
                "yuanfen-xml must not depend on yuanfen-testkit",
            ),
            (
                "yuanfen-sign",
                "yuanfen-sandbox",
                Some("dev"),
                "yuanfen-sign must not dev-depend on yuanfen-sandbox",
            ),
            (
                "yuanfen-wechat-v2",
                "yuanfen-wechat-v3",
                Some("dev"),
                "must not dev-depend on yuanfen-wechat-v3",
            ),
            (
                "yuanfen-wechat-v2",
                "yuanfen-core",
                Some("build"),
                "must not build-depend on yuanfen-core",
            ),
            (
                "xtask",
                "yuanfen-core",
                None,
                "xtask must not depend on yuanfen-core (allowed: nothing of ours)",
            ),
        ] {
            let problems = check(&workspace(from, &[edge(to, kind)]));
            assert_eq!(problems.len(), 1, "{from} -> {to}: {problems:?}");
            assert!(problems[0].contains(expected), "{problems:?}");
        }
    }

    #[test]
    fn lets_the_edges_of_the_table_pass() {
        for (from, to, kind) in [
            ("yuanfen-wechat-v2", "yuanfen-xml", None),
            ("yuanfen-wechat-v2", "yuanfen-testkit", Some("dev")),
            ("yuanfen-wechat-v2", "yuanfen-core", Some("dev")),
            ("yuanfen-core", "yuanfen-core", Some("dev")),
            ("yuanfen", "yuanfen-sandbox", Some("dev")),
            ("yuanfen-cli", "yuanfen", None),
            ("yuanfen-proof", "yuanfen-testkit", None),
        ] {
            assert_eq!(
                check(&workspace(from, &[edge(to, kind)])),
                Vec::<String>::new(),
                "{from} -> {to}"
            );
        }
    }

    #[test]
    fn a_crate_without_a_row_is_an_error() {
        let mut members: Vec<Value> = ROWS.iter().map(|row| member(row.name, &[], &json!({}))).collect();
        members.push(member("yuanfen-ledger", &[], &json!({})));
        assert_eq!(
            check(&metadata(members, vec![])),
            ["yuanfen-ledger has no row in xtask's table of edges: add one with its reason"]
        );
    }

    #[test]
    fn a_row_without_a_crate_is_an_error() {
        let members = ROWS
            .iter()
            .filter(|row| row.name != "yuanfen-xml")
            .map(|row| member(row.name, &[], &json!({})));
        let problems = check(&metadata(members.collect(), vec![]));
        assert!(
            problems.contains(&"the row of yuanfen-xml names yuanfen-xml, which is not in the workspace".to_owned())
        );
        assert!(
            problems.iter().all(|problem| problem.contains("yuanfen-xml")),
            "{problems:?}"
        );
    }

    #[test]
    fn core_takes_nothing_new_from_outside() {
        let outside = |name: &str, kind: Value| json!({ "name": name, "kind": kind });
        let dependencies = vec![
            outside("bytes", json!(null)),
            outside("md-5", json!(null)),
            outside("jiff", json!("dev")),
        ];
        assert_eq!(
            check(&workspace("yuanfen-core", &dependencies)),
            ["yuanfen-core must not depend on md-5: its list of outside crates is closed"]
        );
    }

    #[test]
    fn fuzz_reaches_no_program() {
        let fuzz = |to| metadata(vec![member("yuanfen-fuzz", &[edge(to, None)], &json!({}))], vec![]);
        assert_eq!(check_fuzz(&fuzz("yuanfen-xml")), Vec::<String>::new());
        assert_eq!(
            check_fuzz(&fuzz("yuanfen-cli")),
            ["yuanfen-fuzz (fuzz) must not depend on yuanfen-cli"]
        );
    }
}
