//! Vectors are evidence only if they come from outside and somebody looks at them: every case and key says where from,
//! none says "from ourselves", and every kind of case is named by a test of its crate.
//!
//! What else a vector file may hold is the business of `yuanfen-testkit`, which refuses to load any other.

use std::collections::{BTreeMap, BTreeSet};

use serde_json::Value;

use crate::sources::Sources;

/// What an origin may be. A recording of our own output has no word here, on purpose.
const KINDS: [&str; 6] = [
    "vendor-document",
    "vendor-sdk",
    "third-party",
    "openssl",
    "worked-by-hand",
    "computed-independently",
];

/// The kinds where something other than a reading of the sheets agreed.
const INDEPENDENT: [&str; 5] = [
    "vendor-document",
    "vendor-sdk",
    "third-party",
    "openssl",
    "computed-independently",
];

/// The kinds that name the program besides the place.
const BY_PROGRAM: [&str; 2] = ["openssl", "computed-independently"];

/// Crates whose formats and rules must be held by vectors, at least one of them not worked by hand.
const MUST_HAVE: [&str; 8] = [
    "yuanfen-sign",
    "yuanfen-xml",
    "yuanfen-envelope",
    "yuanfen-wechat-v2",
    "yuanfen-wechat-v3",
    "yuanfen-starpos",
    "yuanfen-fshows",
    "yuanfen-mpgateway",
];

pub(super) fn check(sources: &Sources) -> Vec<String> {
    let mut folders: BTreeMap<&str, Folder> = BTreeMap::new();
    for (path, text) in sources.iter() {
        if let Some(name) = crate_of_vector_file(path) {
            folders.entry(name).or_default().read(path, text);
        }
    }
    let mut problems = Vec::new();
    for name in MUST_HAVE {
        if folders.get(name).is_none_or(|folder| !folder.independent) {
            problems.push(format!(
                "{name} has no vector that something else agreed to ({})",
                INDEPENDENT.join(", ")
            ));
        }
    }
    for (name, folder) in folders {
        problems.extend(folder.problems);
        for kind in folder.kinds {
            if !has_test_naming(name, &kind, sources) {
                problems.push(format!(
                    "{name}: no test names \"{kind}\", so nothing runs the vectors of that kind"
                ));
            }
        }
    }
    problems
}

/// `crates/<name>/tests/vectors/**/*.json`.
fn crate_of_vector_file(path: &str) -> Option<&str> {
    let (name, rest) = path.strip_prefix("crates/")?.split_once('/')?;
    (rest.starts_with("tests/vectors/") && rest.ends_with(".json")).then_some(name)
}

fn has_test_naming(name: &str, kind: &str, sources: &Sources) -> bool {
    let (of_crate, literal) = (format!("crates/{name}/"), format!("\"{kind}\""));
    sources
        .iter()
        .filter(|(path, _)| path.starts_with(&of_crate) && path.ends_with(".rs"))
        .filter(|(path, text)| path.contains("/tests/") || text.contains("#[cfg(test)]"))
        .any(|(_, text)| text.contains(&literal))
}

/// The vectors of one crate.
#[derive(Default)]
struct Folder {
    problems: Vec<String>,
    /// Names of cases and of keys; a name stands once in a folder.
    cases: BTreeSet<String>,
    keys: BTreeSet<String>,
    kinds: BTreeSet<String>,
    independent: bool,
}

impl Folder {
    fn read(&mut self, path: &str, text: &str) {
        let document: Value = match serde_json::from_str(text) {
            Ok(document) => document,
            Err(error) => return self.problems.push(format!("{path} is not JSON: {error}")),
        };
        let keys = document.get("keys").and_then(Value::as_object);
        for (name, key) in keys.into_iter().flatten() {
            if !self.keys.insert(name.clone()) {
                self.problems.push(format!("{path}: two keys are called {name}"));
            }
            if let Err(problem) = origin_of(key) {
                self.problems.push(format!("{path}: the key {name} {problem}"));
            }
        }
        let cases = document.get("cases").and_then(Value::as_array);
        if keys.is_none_or(serde_json::Map::is_empty) && cases.is_none_or(Vec::is_empty) {
            self.problems.push(format!("{path} holds neither cases nor keys"));
        }
        for (case, position) in cases.into_iter().flatten().zip(1_usize..) {
            self.read_case(path, case, position);
        }
    }

    fn read_case(&mut self, path: &str, case: &Value, position: usize) {
        let Some(name) = text_of(case, "name") else {
            return self.problems.push(format!("{path}: case {position} has no name"));
        };
        if !self.cases.insert(name.to_owned()) {
            self.problems.push(format!("{path}: two cases are called {name}"));
        }
        match text_of(case, "kind") {
            Some(kind) => _ = self.kinds.insert(kind.to_owned()),
            None => self.problems.push(format!("{path}: {name} has no kind")),
        }
        match origin_of(case) {
            Ok(origin) => self.independent |= INDEPENDENT.contains(&origin),
            Err(problem) => self.problems.push(format!("{path}: {name} {problem}")),
        }
    }
}

/// The kind of the origin of a case or key, if the origin is one.
fn origin_of(owner: &Value) -> Result<&str, String> {
    let origin = owner
        .get("origin")
        .filter(|origin| origin.is_object())
        .ok_or("has no origin")?;
    let kind = text_of(origin, "kind").ok_or("has an origin without a kind")?;
    if !KINDS.contains(&kind) {
        return Err(format!(
            "has the origin \"{kind}\", which is none of {}",
            KINDS.join(", ")
        ));
    }
    let needed: &[&str] = if BY_PROGRAM.contains(&kind) {
        &["where", "program"]
    } else {
        &["where"]
    };
    match needed.iter().find(|name| text_of(origin, name).is_none()) {
        Some(name) => Err(format!("has the origin \"{kind}\" without its `{name}`")),
        None => Ok(kind),
    }
}

fn text_of<'a>(value: &'a Value, name: &str) -> Option<&'a str> {
    value.get(name).and_then(Value::as_str).filter(|text| !text.is_empty())
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn problems(document: &Value) -> Vec<String> {
        let mut folder = Folder::default();
        folder.read("v.json", &document.to_string());
        folder.problems
    }

    fn origin(kind: &str) -> Value {
        json!({ "kind": kind, "where": "wiki, chapter 4_3", "program": "openssl dgst -md5" })
    }

    fn case(name: &str, origin_kind: &str) -> Value {
        json!({ "name": name, "kind": "sign", "origin": origin(origin_kind) })
    }

    fn with_origin(origin: &Value) -> Value {
        json!({ "cases": [{ "name": "a", "kind": "sign", "origin": origin }] })
    }

    #[test]
    fn every_kind_of_origin_passes() {
        let cases: Vec<Value> = KINDS.iter().map(|kind| case(kind, kind)).collect();
        assert_eq!(problems(&json!({ "cases": cases })), Vec::<String>::new());
    }

    #[test]
    fn a_recording_of_our_own_is_refused() {
        let found = problems(&json!({ "cases": [case("a", "self")] }));
        assert_eq!(found.len(), 1);
        assert!(
            found[0].starts_with("v.json: a has the origin \"self\", which is none of vendor-document"),
            "{found:?}"
        );
    }

    #[test]
    fn every_missing_part_is_named() {
        let unnamed = json!({ "kind": "sign", "origin": origin("openssl") });
        for (document, expected) in [
            (
                json!({ "cases": [{ "name": "a", "kind": "sign" }] }),
                "v.json: a has no origin",
            ),
            (with_origin(&json!("openssl")), "v.json: a has no origin"),
            (
                with_origin(&json!({ "where": "x" })),
                "v.json: a has an origin without a kind",
            ),
            (
                with_origin(&json!({ "kind": "vendor-sdk" })),
                "the origin \"vendor-sdk\" without its `where`",
            ),
            (
                with_origin(&json!({ "kind": "vendor-sdk", "where": "" })),
                "without its `where`",
            ),
            (
                with_origin(&json!({ "kind": "openssl", "where": "x" })),
                "\"openssl\" without its `program`",
            ),
            (
                json!({ "cases": [{ "name": "a", "origin": origin("openssl") }] }),
                "v.json: a has no kind",
            ),
            (json!({ "cases": [unnamed] }), "v.json: case 1 has no name"),
            (
                json!({ "keys": { "k": { "pem": "…" } } }),
                "v.json: the key k has no origin",
            ),
            (
                json!({ "cases": [], "keys": {} }),
                "v.json holds neither cases nor keys",
            ),
            (json!([case("a", "openssl")]), "v.json holds neither cases nor keys"),
        ] {
            let found = problems(&document);
            assert_eq!(found.len(), 1, "{document}: {found:?}");
            assert!(found[0].contains(expected), "{found:?}");
        }
        let mut folder = Folder::default();
        folder.read("v.json", "{");
        assert!(folder.problems[0].starts_with("v.json is not JSON"));
    }

    #[test]
    fn a_name_stands_once_in_a_folder() {
        let mut folder = Folder::default();
        let document = json!({ "keys": { "k": { "origin": origin("openssl") } }, "cases": [case("a", "openssl")] });
        folder.read("one.json", &document.to_string());
        folder.read("two.json", &document.to_string());
        assert_eq!(
            folder.problems,
            ["two.json: two keys are called k", "two.json: two cases are called a"]
        );
    }

    /// A tree where every crate that must have a vector has one, and a test that names its kind.
    fn complete() -> Vec<(String, String)> {
        let vectors = json!({ "cases": [case("a", "vendor-document")] }).to_string();
        let test = "fn signs() { vectors.of(\"sign\") }".to_owned();
        MUST_HAVE
            .iter()
            .flat_map(|name| {
                [
                    (format!("crates/{name}/tests/vectors/sign.json"), vectors.clone()),
                    (format!("crates/{name}/tests/it/vectors.rs"), test.clone()),
                ]
            })
            .collect()
    }

    fn load(files: &[(String, String)]) -> Sources {
        Sources::of(
            &files
                .iter()
                .map(|(path, text)| (path.as_str(), text.as_str()))
                .collect::<Vec<_>>(),
        )
    }

    #[test]
    fn a_complete_tree_passes() {
        assert_eq!(check(&load(&complete())), Vec::<String>::new());
    }

    #[test]
    fn a_crate_needs_one_case_that_was_not_worked_by_hand() {
        let mut files = complete();
        files[0].1 = json!({ "cases": [case("a", "worked-by-hand")] }).to_string();
        files.retain(|(path, _)| path != "crates/yuanfen-mpgateway/tests/vectors/sign.json");
        let problems = check(&load(&files));
        assert_eq!(problems.len(), 2, "{problems:?}");
        assert!(problems[0].starts_with("yuanfen-sign has no vector that something else agreed to"));
        assert!(problems[1].starts_with("yuanfen-mpgateway has no vector"));
    }

    #[test]
    fn a_kind_that_no_test_names_is_an_error() {
        let mut files = complete();
        // The name in library code is not a test of it.
        files[1] = (
            "crates/yuanfen-sign/src/lib.rs".to_owned(),
            "const NAME: &str = \"sign\";".to_owned(),
        );
        assert_eq!(
            check(&load(&files)),
            ["yuanfen-sign: no test names \"sign\", so nothing runs the vectors of that kind"]
        );
    }

    #[test]
    fn snapshots_of_our_own_output_are_not_vectors() {
        assert_eq!(crate_of_vector_file("crates/yuanfen-xml/tests/snapshots/a.json"), None);
        assert_eq!(
            crate_of_vector_file("crates/yuanfen-xml/tests/vectors/a.json"),
            Some("yuanfen-xml")
        );
    }
}
