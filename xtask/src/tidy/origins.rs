//! Vectors are evidence only if they come from outside: each case says where from, and none says "from ourselves".

use std::collections::BTreeSet;

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

/// Crates whose formats and rules must be held by vectors that another program made.
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

pub(super) fn check(sources: &Sources) -> Vec<String> {
    let mut problems = Vec::new();
    let mut with_evidence = BTreeSet::new();
    for (path, text) in sources.iter() {
        let Some(name) = crate_of_vector_file(path) else {
            continue;
        };
        let found = check_file(path, text);
        problems.extend(found.problems);
        if found.independent {
            with_evidence.insert(name);
        }
    }
    for name in MUST_HAVE.iter().filter(|name| !with_evidence.contains(*name)) {
        problems.push(format!(
            "{name} has no vector that something else agreed to ({})",
            INDEPENDENT.join(", ")
        ));
    }
    problems
}

/// `crates/<name>/tests/vectors/**/*.json`.
fn crate_of_vector_file(path: &str) -> Option<&str> {
    let (name, rest) = path.strip_prefix("crates/")?.split_once('/')?;
    (rest.starts_with("tests/vectors/") && rest.ends_with(".json")).then_some(name)
}

#[derive(Default)]
struct Found {
    problems: Vec<String>,
    independent: bool,
}

fn check_file(path: &str, text: &str) -> Found {
    let mut found = Found::default();
    let document: Value = match serde_json::from_str(text) {
        Ok(document) => document,
        Err(error) => {
            found.problems.push(format!("{path} is not JSON: {error}"));
            return found;
        }
    };
    // A file of keys that the cases of others name is no evidence and needs no origin.
    let keys = document.get("keys").and_then(Value::as_object);
    if keys.is_some_and(|keys| !keys.is_empty()) && document.get("cases").is_none() {
        return found;
    }
    let cases = document.get("cases").unwrap_or(&document).as_array();
    let Some(cases) = cases.filter(|cases| !cases.is_empty()) else {
        found.problems.push(format!("{path} holds no list of cases"));
        return found;
    };
    let mut names = BTreeSet::new();
    for (case, position) in cases.iter().zip(1_usize..) {
        let name = match text_of(case, "name") {
            Some(name) => name.to_owned(),
            None => {
                found.problems.push(format!("{path}: case {position} has no name"));
                format!("case {position}")
            }
        };
        if !names.insert(name.clone()) {
            found.problems.push(format!("{path}: two cases are called {name}"));
        }
        match kind_of(case) {
            Ok(kind) => found.independent |= INDEPENDENT.contains(&kind),
            Err(problem) => found.problems.push(format!("{path}: {name}: {problem}")),
        }
    }
    found
}

/// The kind of a case's origin, if the origin is one.
fn kind_of(case: &Value) -> Result<&str, String> {
    let origin = case
        .get("origin")
        .filter(|origin| origin.is_object())
        .ok_or("has no origin")?;
    let kind = text_of(origin, "kind").ok_or("its origin has no kind")?;
    if !KINDS.contains(&kind) {
        return Err(format!(
            "its origin says \"{kind}\", which is none of {}",
            KINDS.join(", ")
        ));
    }
    let needed: &[&str] = if BY_PROGRAM.contains(&kind) {
        &["where", "program"]
    } else {
        &["where"]
    };
    match needed.iter().find(|name| text_of(origin, name).is_none()) {
        Some(name) => Err(format!("its origin is {kind} and has no `{name}`")),
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
        check_file("v.json", &document.to_string()).problems
    }

    fn origin(kind: &str) -> Value {
        json!({ "kind": kind, "where": "wiki, chapter 4_3", "program": "openssl dgst -md5" })
    }

    #[test]
    fn both_outer_shapes_are_read() {
        let cases =
            json!([{ "name": "a", "origin": origin("vendor-document") }, { "name": "b", "origin": origin("openssl") }]);
        assert_eq!(problems(&cases), Vec::<String>::new());
        assert_eq!(problems(&json!({ "keys": {}, "cases": cases })), Vec::<String>::new());
    }

    #[test]
    fn a_file_of_keys_needs_no_origin() {
        assert_eq!(
            problems(&json!({ "keys": { "merchant": { "pem": "…" } } })),
            Vec::<String>::new()
        );
    }

    #[test]
    fn a_recording_of_our_own_is_refused() {
        let found = problems(&json!([{ "name": "a", "origin": origin("self") }]));
        assert_eq!(found.len(), 1);
        assert!(
            found[0].starts_with("v.json: a: its origin says \"self\", which is none of vendor-document"),
            "{found:?}"
        );
    }

    #[test]
    fn every_missing_part_is_named() {
        for (document, expected) in [
            (json!([{ "name": "a" }]), "v.json: a: has no origin"),
            (
                json!([{ "name": "a", "origin": "openssl" }]),
                "v.json: a: has no origin",
            ),
            (
                json!([{ "name": "a", "origin": { "where": "x" } }]),
                "v.json: a: its origin has no kind",
            ),
            (json!([{ "origin": origin("openssl") }]), "v.json: case 1 has no name"),
            (json!([]), "v.json holds no list of cases"),
            (json!({ "cases": [] }), "v.json holds no list of cases"),
            (json!({ "keys": {} }), "v.json holds no list of cases"),
        ] {
            let found = problems(&document);
            assert_eq!(found.len(), 1, "{document}: {found:?}");
            assert!(found[0].contains(expected), "{found:?}");
        }
        assert!(check_file("v.json", "{").problems[0].starts_with("v.json is not JSON"));
    }

    #[test]
    fn a_name_stands_once() {
        let case = json!({ "name": "a", "origin": origin("openssl") });
        assert_eq!(problems(&json!([case, case])), ["v.json: two cases are called a"]);
    }

    #[test]
    fn a_crate_needs_one_case_that_was_not_worked_by_hand() {
        let ours = json!([{ "name": "a", "origin": origin("worked-by-hand") }]).to_string();
        let theirs = json!([{ "name": "a", "origin": origin("vendor-document") }]).to_string();
        let paths: Vec<String> = MUST_HAVE
            .iter()
            .map(|name| format!("crates/{name}/tests/vectors/sign.json"))
            .collect();
        let mut files: Vec<(&str, &str)> = paths.iter().map(|path| (path.as_str(), theirs.as_str())).collect();
        assert_eq!(check(&Sources::of(&files)), Vec::<String>::new());
        files[0].1 = &ours;
        files.pop();
        let problems = check(&Sources::of(&files));
        assert_eq!(problems.len(), 2, "{problems:?}");
        assert!(problems[0].starts_with("yuanfen-sign has no vector that something else agreed to"));
        assert!(problems[1].starts_with("yuanfen-mpgateway has no vector"));
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
