//! Where things are, and that nothing is unfinished.

use crate::metadata::Metadata;
use crate::sources::Sources;

/// Written in two halves, so that this file does not find itself.
const UNFINISHED: [&str; 3] = [
    concat!("todo", "!("),
    concat!("unimplemented", "!("),
    concat!("FIX", "ME"),
];

const INCLUDES_README: &str = "#![doc = include_str!(\"../README.md\")]";

pub(super) fn check(metadata: &Metadata, sources: &Sources) -> Vec<String> {
    let mut problems = Vec::new();
    for package in metadata.members().filter(|package| package.name != "xtask") {
        problems.extend(readme_problems(&package.name, sources));
    }
    for (path, text) in sources.iter().filter(|(path, _)| path.ends_with(".rs")) {
        if path.ends_with("/mod.rs") {
            problems.push(format!("{path}: a module's file is named after it, beside its folder"));
        }
        for (line, number) in text.lines().zip(1_usize..) {
            if let Some(word) = UNFINISHED.iter().find(|word| line.contains(*word)) {
                problems.push(format!("{path}:{number}: `{word}` is left"));
            }
        }
    }
    problems
}

fn readme_problems(name: &str, sources: &Sources) -> Vec<String> {
    let mut problems = Vec::new();
    match sources.get(&format!("crates/{name}/README.md")) {
        None => problems.push(format!("{name} has no README.md in crates/{name}")),
        Some(text)
            if !text
                .lines()
                .next()
                .is_some_and(|line| line.starts_with("# ") && line.len() > 2) =>
        {
            problems.push(format!("crates/{name}/README.md does not open with a `# ` title"));
        }
        Some(_) => {}
    }
    let library = format!("crates/{name}/src/lib.rs");
    if sources
        .get(&library)
        .is_some_and(|text| !text.lines().any(|line| line == INCLUDES_README))
    {
        problems.push(format!(
            "{library} does not take its README as its docs: {INCLUDES_README}"
        ));
    }
    problems
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;
    use crate::metadata::fixture::{member, metadata};

    const README: (&str, &str) = ("crates/yuanfen-xml/README.md", "# yuanfen-xml\n");
    const LIBRARY: (&str, &str) = (
        "crates/yuanfen-xml/src/lib.rs",
        "#![doc = include_str!(\"../README.md\")]\n",
    );

    fn problems(files: &[(&str, &str)]) -> Vec<String> {
        check(
            &metadata(vec![member("yuanfen-xml", &[], &json!({}))], vec![]),
            &Sources::of(files),
        )
    }

    #[test]
    fn a_finished_crate_passes() {
        assert_eq!(problems(&[README, LIBRARY]), Vec::<String>::new());
    }

    #[test]
    fn each_fault_is_named_with_its_file() {
        let left = format!("fn a() {{}}\nfn b() {{ {}) }}\n", UNFINISHED[0]);
        for (files, expected) in [
            (vec![LIBRARY], "yuanfen-xml has no README.md in crates/yuanfen-xml"),
            (
                vec![("crates/yuanfen-xml/README.md", "yuanfen-xml\n"), LIBRARY],
                "does not open with a `# ` title",
            ),
            (
                vec![("crates/yuanfen-xml/README.md", ""), LIBRARY],
                "does not open with a `# ` title",
            ),
            (
                vec![README, ("crates/yuanfen-xml/src/lib.rs", "//! Docs.\n")],
                "does not take its README as its docs",
            ),
            (
                vec![README, LIBRARY, ("crates/yuanfen-xml/src/read/mod.rs", "")],
                "src/read/mod.rs: a module's file",
            ),
            (
                vec![README, LIBRARY, ("crates/yuanfen-xml/src/read.rs", left.as_str())],
                "src/read.rs:2: `todo",
            ),
        ] {
            let problems = problems(&files);
            assert_eq!(problems.len(), 1, "{problems:?}");
            assert!(problems[0].contains(expected), "{problems:?}");
        }
    }
}
