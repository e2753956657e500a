//! Attributes: checked, so that no other parser refuses the message, and then dropped.

use crate::escape::references_hold;
use crate::grammar::{is_blank, is_qualified_name, is_space};

/// Whether what follows the name in a start tag is a list of well-formed attributes, none of them twice.
pub(crate) fn are_well_formed(raw: &str) -> bool {
    if is_blank(raw) {
        return true;
    }
    let mut names = Vec::new();
    let mut rest = raw;
    while !is_blank(rest) {
        let Some((name, _, after)) = take(rest) else {
            return false;
        };
        names.push(name);
        rest = after;
    }
    names.sort_unstable();
    names.array_windows().all(|[left, right]| left != right)
}

/// Whether the content of `<?xml …?>` behind `xml` is a declaration of XML 1.0: a version, then perhaps an encoding,
/// then perhaps `standalone`.
///
/// The encoding's name is not acted on: a message is UTF-8 whatever it says.
pub(crate) fn are_declaration(raw: &str) -> bool {
    type Part = (&'static str, fn(&str) -> bool);
    let parts: [Part; 3] = [
        ("version", is_version),
        ("encoding", is_encoding),
        ("standalone", |value| matches!(value, "yes" | "no")),
    ];
    let mut rest = raw;
    for (wanted, accepts) in parts {
        match take(rest) {
            Some((name, value, after)) if name == wanted && accepts(value) => rest = after,
            _ if wanted == "version" => return false,
            _ => {}
        }
    }
    is_blank(rest)
}

/// Version 1.1 has other rules for line ends and control characters; 1.0 and whatever follows it in name are read by
/// the rules of 1.0, as its fifth edition says.
fn is_version(value: &str) -> bool {
    value
        .strip_prefix("1.")
        .is_some_and(|minor| minor != "1" && !minor.is_empty() && minor.bytes().all(|byte| byte.is_ascii_digit()))
}

fn is_encoding(value: &str) -> bool {
    value.starts_with(|first: char| first.is_ascii_alphabetic())
        && value
            .bytes()
            .all(|byte| byte.is_ascii_alphanumeric() || b"._-".contains(&byte))
}

/// The first attribute of a list: its name, its raw value, and what follows.
fn take(raw: &str) -> Option<(&str, &str, &str)> {
    let start = raw.trim_start_matches(is_space);
    if start.len() == raw.len() {
        return None;
    }
    let (name, after) = start.split_once('=')?;
    let name = name.trim_end_matches(is_space);
    let quoted = after.trim_start_matches(is_space);
    let quote = quoted.chars().next().filter(|quote| matches!(quote, '"' | '\''))?;
    let (value, rest) = quoted.strip_prefix(quote)?.split_once(quote)?;
    (is_qualified_name(name) && !value.contains('<') && references_hold(value)).then_some((name, value, rest))
}
