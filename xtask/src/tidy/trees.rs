//! What a choice of crates and features compiles, read from `cargo tree`, which resolves features for that choice alone
//! (the resolved graph in `cargo metadata` is that of the whole workspace at once).

use std::collections::BTreeSet;

use super::PURE;
use crate::failure::Failure;
use crate::metadata::{Metadata, Package};
use crate::process::Call;

/// Crates that open sockets or speak what goes over them.
const WIRES: [&str; 11] = [
    "mio",
    "socket2",
    "hyper",
    "hyper-util",
    "hyper-rustls",
    "h2",
    "rustls",
    "tokio-rustls",
    "native-tls",
    "openssl",
    "reqwest",
];
/// Crates that wait: nothing below transport does.
const RUNTIMES: [&str; 5] = ["tokio", "futures-core", "futures-util", "async-trait", "smol"];
const XML: [&str; 4] = ["yuanfen-xml", "quick-xml", "roxmltree", "xml-rs"];
const HEAVY_CRYPTO: [&str; 4] = ["aws-lc-rs", "aws-lc-sys", "rsa", "ring"];
const PROVIDERS: [&str; 5] = [
    "yuanfen-wechat-v2",
    "yuanfen-wechat-v3",
    "yuanfen-starpos",
    "yuanfen-fshows",
    "yuanfen-mpgateway",
];
/// What builds C, C++ or assembly, or looks for it on the machine.
const C_BUILDERS: [&str; 5] = ["cc", "cmake", "bindgen", "pkg-config", "vcpkg"];

/// The choice under which the vectors run a second time, without C.
pub(crate) const PURE_RUST_TESTS: &str = "-p yuanfen-sign -p yuanfen-wechat-v3 --no-default-features --features \
    yuanfen-sign/pure-rust,yuanfen-sign/legacy-rsa,yuanfen-wechat-v3/pure-rust,yuanfen-wechat-v3/test-util";

/// One choice of crate and features, and what must not come with it.
struct Rule {
    /// Arguments of `cargo tree` that pick the choice.
    choice: &'static str,
    edges: &'static str,
    absent: Vec<&'static str>,
    /// Whether, besides, nothing in the tree may build or link C.
    without_c: bool,
}

impl Rule {
    fn new(choice: &'static str, absent: &[&[&'static str]]) -> Self {
        Self {
            choice,
            edges: "normal",
            absent: absent.concat(),
            without_c: false,
        }
    }

    /// Nothing of C: build scripts are looked at as well.
    fn without_c(choice: &'static str) -> Self {
        Self {
            choice,
            edges: "normal,build",
            absent: Vec::new(),
            without_c: true,
        }
    }
}

fn rules() -> Vec<Rule> {
    vec![
        Rule::new(
            "-p yuanfen-core --all-features",
            &[&WIRES, &RUNTIMES, &XML, &HEAVY_CRYPTO],
        ),
        Rule::new("-p yuanfen-form", &[&WIRES, &RUNTIMES, &XML, &HEAVY_CRYPTO]),
        Rule::new("-p yuanfen-xml", &[&WIRES, &RUNTIMES, &HEAVY_CRYPTO]),
        Rule::new(
            "-p yuanfen-transport --no-default-features",
            &[&WIRES, &XML, &HEAVY_CRYPTO],
        ),
        Rule::new("-p yuanfen-transport", &[&XML, &["rsa", "ring", "openssl"]]),
        Rule::new("-p yuanfen-wechat-v2", &[&HEAVY_CRYPTO]),
        Rule::new("-p yuanfen-wechat-v3", &[&WIRES, &RUNTIMES, &XML, &["rsa"]]),
        Rule::new("-p yuanfen-starpos", &[&XML, &HEAVY_CRYPTO]),
        Rule::new("-p yuanfen-fshows", &[&XML, &["aws-lc-rs", "aws-lc-sys"]]),
        Rule::new("-p yuanfen-mpgateway", &[&XML, &HEAVY_CRYPTO]),
        // A shop that takes the facade for one provider gets that provider and nothing of the others.
        Rule::new("-p yuanfen", &[&PROVIDERS, &XML]),
        Rule::new(
            "-p yuanfen --no-default-features",
            &[&PROVIDERS, &WIRES, &XML, &HEAVY_CRYPTO],
        ),
        Rule::new(
            "-p yuanfen --no-default-features --features wechat-v3,aws-lc",
            &[&WIRES, &XML, &["rsa"]],
        ),
        Rule::new(
            "-p yuanfen --no-default-features --features wechat-v2",
            &[&WIRES, &HEAVY_CRYPTO],
        ),
        Rule::without_c("-p yuanfen-sign --no-default-features --features pure-rust,legacy-rsa"),
        Rule::without_c("-p yuanfen-wechat-v3 --no-default-features --features pure-rust"),
        Rule::without_c(
            "-p yuanfen --no-default-features --features \
             pure-rust,wechat-v2,wechat-v3,starpos,starpos-encrypted-push,fshows,mpgateway",
        ),
        // aws-lc wins when both backends are on: were it here, the second run of the vectors would test it twice.
        Rule {
            choice: PURE_RUST_TESTS,
            edges: "normal,dev",
            absent: vec!["aws-lc-rs"],
            without_c: false,
        },
    ]
}

pub(super) fn check(metadata: &Metadata) -> Result<Vec<String>, Failure> {
    let mut problems = Vec::new();
    for rule in rules() {
        // Every target, so that what only Windows compiles is seen here; C is asked about for this machine alone,
        // because bindings to an operating system link to it there.
        let target = if rule.without_c { "" } else { "--target all" };
        let tree = tree(&format!("{} --edges {} {target}", rule.choice, rule.edges))?;
        problems.extend(broken(&rule, &tree, metadata));
    }
    for name in PURE {
        let tree = tree(&format!("-p {name} --all-features --edges normal --target all"))?;
        for found in present(&tree, &[WIRES.as_slice(), &RUNTIMES].concat()) {
            problems.push(format!(
                "`cargo tree -p {name} --all-features` has {found}, and {name} is a pure crate"
            ));
        }
    }
    Ok(problems)
}

fn broken(rule: &Rule, tree: &Tree, metadata: &Metadata) -> Vec<String> {
    let choice = rule.choice;
    let mut problems: Vec<String> = present(tree, &rule.absent)
        .map(|name| format!("`cargo tree {choice}` has {name}"))
        .collect();
    if rule.without_c {
        for package in metadata.packages.iter().filter(|package| tree.contains(package)) {
            if let Some(reason) = builds_c(package, tree) {
                problems.push(format!("`cargo tree {choice}` builds C: {} {reason}", package.name));
            }
        }
    }
    problems
}

fn present<'a>(tree: &'a Tree, names: &'a [&'static str]) -> impl Iterator<Item = &'static str> + 'a {
    names
        .iter()
        .copied()
        .filter(|name| tree.0.iter().any(|(found, _)| found == name))
}

fn builds_c(package: &Package, tree: &Tree) -> Option<String> {
    if let Some(library) = &package.links {
        return Some(format!("links {library}"));
    }
    package
        .dependencies
        .iter()
        .filter(|dependency| dependency.kind.as_deref() == Some("build"))
        .find(|dependency| {
            C_BUILDERS.contains(&dependency.name.as_str()) && tree.0.iter().any(|(name, _)| *name == dependency.name)
        })
        .map(|dependency| format!("is built with {}", dependency.name))
}

/// Name and version of each package.
#[derive(Debug)]
struct Tree(BTreeSet<(String, String)>);

impl Tree {
    fn contains(&self, package: &Package) -> bool {
        self.0.contains(&(package.name.clone(), package.version.clone()))
    }
}

fn tree(arguments: &str) -> Result<Tree, Failure> {
    let call = Call::cargo("tree --prefix none").arg("--format").arg("{p}");
    let call = arguments
        .split_whitespace()
        .fold(call, |call, argument| call.arg(argument));
    let tree = parse(&call.text()?);
    // An empty tree would make every rule hold.
    if tree.0.is_empty() {
        Err(Failure::new(format!("`{call}` printed no tree")))
    } else {
        Ok(tree)
    }
}

/// Lines of `name v1.2.3 (where from) (*)`.
fn parse(text: &str) -> Tree {
    Tree(
        text.lines()
            .filter_map(|line| {
                let mut words = line.split_whitespace();
                let name = words.next()?;
                let version = words.next()?.strip_prefix('v')?;
                Some((name.to_owned(), version.to_owned()))
            })
            .collect(),
    )
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;
    use crate::metadata::fixture::metadata;

    const TREE: &str = "\
yuanfen-wechat-v3 v0.1.0 (/w/crates/yuanfen-wechat-v3)
bytes v1.10.0
serde_derive v1.0.229 (proc-macro)

aws-lc-sys v0.47.0
bytes v1.10.0 (*)
";

    #[test]
    fn reads_names_and_versions() {
        let tree = parse(TREE);
        assert_eq!(tree.0.len(), 4);
        assert!(tree.0.contains(&("serde_derive".to_owned(), "1.0.229".to_owned())));
    }

    #[test]
    fn names_the_choice_and_what_came_with_it() {
        let nothing = metadata(vec![], vec![]);
        let rule = Rule::new("-p yuanfen-wechat-v3", &[&XML, &["bytes"]]);
        assert_eq!(
            broken(&rule, &parse(TREE), &nothing),
            ["`cargo tree -p yuanfen-wechat-v3` has bytes"]
        );
        let rule = Rule::new("-p yuanfen-wechat-v3", &[&XML, &WIRES]);
        assert_eq!(broken(&rule, &parse(TREE), &nothing), Vec::<String>::new());
    }

    #[test]
    fn a_name_is_the_whole_name() {
        let rule = Rule::new("x", &[&["aws-lc"]]);
        assert_eq!(
            broken(&rule, &parse(TREE), &metadata(vec![], vec![])),
            Vec::<String>::new()
        );
    }

    #[test]
    fn c_is_seen_by_what_it_links_and_by_what_builds_it() {
        let outside = |name: &str, links: Option<&str>, builder: Option<&str>| {
            let dependencies: Vec<_> = builder
                .into_iter()
                .map(|builder| json!({ "name": builder, "kind": "build" }))
                .collect();
            json!({ "id": name, "name": name, "version": "1.0.0", "links": links, "dependencies": dependencies })
        };
        let all = metadata(
            vec![],
            vec![
                outside("linker", Some("z"), None),
                outside("built", None, Some("cc")),
                outside("probing", None, Some("autocfg")),
                outside("elsewhere", Some("ssl"), None),
            ],
        );
        let rule = Rule::without_c("-p x");
        let tree = parse("linker v1.0.0\nbuilt v1.0.0\nprobing v1.0.0\ncc v1.2.0\nautocfg v1.0.0\nelsewhere v2.0.0\n");
        assert_eq!(
            broken(&rule, &tree, &all),
            [
                "`cargo tree -p x` builds C: linker links z",
                "`cargo tree -p x` builds C: built is built with cc",
            ]
        );
    }

    #[test]
    fn the_default_backend_is_seen_to_build_c() {
        let rule = Rule::without_c("-p yuanfen-wechat-v3");
        let tree = tree("-p yuanfen-wechat-v3 --edges normal,build").unwrap();
        let problems = broken(&rule, &tree, &Metadata::of_workspace().unwrap());
        assert!(
            problems.iter().any(|problem| problem.contains("aws-lc-sys links")),
            "{problems:?}"
        );
    }

    #[test]
    fn an_unknown_choice_is_an_error_and_not_an_empty_tree() {
        assert!(tree("-p no-such-package-here").is_err());
    }
}
