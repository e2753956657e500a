//! The pure crates stay pure: one list of disallowed methods for all of them, and none of the words in their sources
//! that clippy's list cannot express (a keyword, a crate, a whole module).

use super::PURE;
use crate::sources::Sources;

/// The crate whose list the others repeat, because clippy does not merge configuration files.
const LIST_OWNER: &str = "yuanfen-core";

/// What may not stand in the library code of a pure crate, and why.
const WORDS: [(&str, &str); 16] = [
    ("tokio", "runtimes belong to transport"),
    ("async fn", "nothing below transport is async"),
    ("async move", "nothing below transport is async"),
    ("async {", "nothing below transport is async"),
    (".await", "nothing below transport is async"),
    ("std::net::Tcp", "sockets belong to transport"),
    ("std::net::Udp", "sockets belong to transport"),
    ("std::fs", "files belong to transport and the programs"),
    ("std::process", "processes belong to the programs"),
    ("std::thread", "threads belong to the programs"),
    ("std::env", "no library crate reads the environment"),
    ("SystemTime::now", "time is an argument: take it from Ambient"),
    ("Instant::now", "time is an argument: take it from Ambient"),
    ("getrandom", "randomness is an argument: take it from Ambient"),
    ("f32", "money is counted in whole fen, and rates keep their text"),
    ("f64", "money is counted in whole fen, and rates keep their text"),
];

pub(super) fn check(sources: &Sources) -> Vec<String> {
    let mut problems = same_lists(sources);
    for name in PURE {
        let folder = format!("crates/{name}/src/");
        for (path, text) in sources
            .iter()
            .filter(|(path, _)| path.starts_with(&folder) && path.ends_with(".rs"))
        {
            problems.extend(impure_words(path, text));
        }
    }
    problems
}

fn same_lists(sources: &Sources) -> Vec<String> {
    let list = |name: &str| sources.get(&format!("crates/{name}/.clippy.toml"));
    let Some(expected) = list(LIST_OWNER) else {
        return vec![format!("crates/{LIST_OWNER}/.clippy.toml is missing")];
    };
    PURE.iter()
        .filter_map(|name| match list(name) {
            None => Some(format!("crates/{name}/.clippy.toml is missing")),
            Some(text) if text != expected => Some(format!(
                "crates/{name}/.clippy.toml differs from {LIST_OWNER}'s: all pure crates have one list"
            )),
            Some(_) => None,
        })
        .collect()
}

fn impure_words(path: &str, text: &str) -> Vec<String> {
    let mut problems = Vec::new();
    for (number, line) in library_lines(text) {
        for (word, reason) in WORDS {
            if line.contains(word) {
                problems.push(format!("{path}:{number}: `{}` in a pure crate: {reason}", word.trim()));
            }
        }
    }
    problems
}

/// The lines that are library code, with their numbers: no comments, and no `#[cfg(test)] mod … { … }`.
///
/// It leans on rustfmt: a module's closing brace stands where its first line started.
fn library_lines(text: &str) -> Vec<(usize, &str)> {
    let mut lines = Vec::new();
    let mut test_module_end: Option<String> = None;
    let mut after_cfg_test = false;
    for (line, number) in text.lines().zip(1_usize..) {
        let trimmed = line.trim_start();
        if let Some(end) = &test_module_end {
            if line == end {
                test_module_end = None;
            }
            continue;
        }
        if trimmed.starts_with("//") {
            continue;
        }
        if after_cfg_test && trimmed.starts_with("#[") {
            continue;
        }
        let is_module = trimmed.split_whitespace().any(|word| word == "mod") && trimmed.ends_with('{');
        if after_cfg_test && is_module {
            let indent = line.get(..line.len().saturating_sub(trimmed.len())).unwrap_or_default();
            test_module_end = Some(format!("{indent}}}"));
            after_cfg_test = false;
            continue;
        }
        after_cfg_test = trimmed == "#[cfg(test)]";
        lines.push((number, line.split(" // ").next().unwrap_or_default()));
    }
    lines
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_the_line_the_word_and_the_reason() {
        for (code, expected) in [
            ("use std::fs;", "`std::fs` in a pure crate: files belong"),
            (
                "    let now = SystemTime::now();",
                "`SystemTime::now` in a pure crate: time is an argument",
            ),
            ("    let start = std::time::Instant::now();", "`Instant::now`"),
            ("pub async fn pay() {}", "`async fn`"),
            ("    getrandom::fill(&mut nonce)?;", "`getrandom`"),
            ("    let yuan = fen as f64 / 100.0;", "`f64` in a pure crate: money"),
            ("    rate: f32,", "`f32`"),
            ("    let reply = call.await?;", "`.await`"),
            ("use tokio::sync::Mutex;", "`tokio`"),
            ("    std::net::TcpStream::connect(a)", "`std::net::Tcp`"),
            ("    std::env::var(\"KEY\")", "`std::env`"),
        ] {
            let problems = impure_words("crates/yuanfen-sign/src/lib.rs", &format!("//! Docs.\n{code}\n"));
            assert_eq!(problems.len(), 1, "{code}: {problems:?}");
            assert!(
                problems[0].starts_with("crates/yuanfen-sign/src/lib.rs:2: "),
                "{problems:?}"
            );
            assert!(problems[0].contains(expected), "{problems:?}");
        }
    }

    #[test]
    fn comments_and_test_modules_may_say_it() {
        let text = "\
//! Works with tokio or without.
fn pure() {} // unlike tokio
#[cfg(test)]
#[allow(clippy::unwrap_used, reason = \"tests\")]
mod tests {
    fn reads() {
        std::fs::read(\"x\");
    }
}
";
        assert_eq!(impure_words("x.rs", text), Vec::<String>::new());
    }

    #[test]
    fn code_after_a_test_module_is_library_code_again() {
        let text = "#[cfg(test)]\nmod tests {\n    use std::fs;\n}\n\nuse std::fs;\n";
        assert_eq!(impure_words("x.rs", text).len(), 1);
        assert!(impure_words("x.rs", text)[0].starts_with("x.rs:6: "));
    }

    #[test]
    fn a_pure_crate_with_another_list_or_none_is_named() {
        let mut files: Vec<(String, &str)> = PURE
            .iter()
            .map(|name| (format!("crates/{name}/.clippy.toml"), "the list"))
            .collect();
        let load = |files: &[(String, &str)]| {
            Sources::of(
                &files
                    .iter()
                    .map(|(path, text)| (path.as_str(), *text))
                    .collect::<Vec<_>>(),
            )
        };
        assert_eq!(check(&load(&files)), Vec::<String>::new());
        files[2].1 = "the list, shorter";
        files.remove(1);
        assert_eq!(
            check(&load(&files)),
            [
                "crates/yuanfen-sign/.clippy.toml is missing",
                "crates/yuanfen-xml/.clippy.toml differs from yuanfen-core's: all pure crates have one list",
            ]
        );
    }
}
