//! One JSON text in the spellings that writers give it. Whoever writes a body twice, once to sign it and once to send
//! it, gets two of them.

use serde_json::Value;

/// Longer bodies are not respelled.
const MOST: usize = 64 << 10;

/// How a writer spells what JSON leaves open.
#[derive(Clone, Copy)]
struct Style {
    /// What stands between members.
    comma: &'static str,
    /// What stands between a name and its value.
    colon: &'static str,
    escapes: Escapes,
}

/// What becomes of characters that need no escape.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Escapes {
    AsTheyCame,
    /// None.
    Least,
    /// Everything outside ASCII, as Python does.
    Ascii,
    /// Slashes too, as PHP does.
    AsciiAndSlashes,
    /// Slashes alone.
    Slashes,
    /// `<`, `>` and `&`, as Go does.
    Html,
}

/// The other spellings of a JSON text; none where it is no JSON, or too long.
pub(super) fn respellings(body: &[u8]) -> Vec<Vec<u8>> {
    let Some(text) = std::str::from_utf8(body).ok().filter(|text| text.len() <= MOST) else {
        return Vec::new();
    };
    let Ok(value) = serde_json::from_str::<Value>(text) else {
        return Vec::new();
    };
    let sorted = sorted(&value).to_string();
    let mut found = Vec::new();
    for text in [text, &sorted] {
        for (comma, colon) in [(",", ":"), (", ", ": "), (",", ": ")] {
            for escapes in [
                Escapes::AsTheyCame,
                Escapes::Least,
                Escapes::Ascii,
                Escapes::AsciiAndSlashes,
                Escapes::Slashes,
                Escapes::Html,
            ] {
                found.push(respell(text, Style { comma, colon, escapes }).into_bytes());
            }
        }
    }
    found.extend(serde_json::to_vec_pretty(&value).ok());
    found.sort_unstable();
    found.dedup();
    found.retain(|spelling| spelling != body);
    found
}

/// Names in byte order, whatever order the map keeps.
fn sorted(value: &Value) -> Value {
    match value {
        Value::Object(members) => {
            let mut members: Vec<(&String, &Value)> = members.iter().collect();
            members.sort_by_key(|(name, _)| *name);
            members
                .into_iter()
                .map(|(name, value)| (name.clone(), sorted(value)))
                .collect()
        }
        Value::Array(values) => values.iter().map(sorted).collect(),
        other => other.clone(),
    }
}

/// The same members in the same order, numbers as they came. The text is JSON, or nothing sensible comes out.
fn respell(text: &str, style: Style) -> String {
    let mut spelled = String::with_capacity(text.len());
    let mut rest = text;
    while let Some(first) = rest.chars().next() {
        if first == '"' {
            let (token, behind) = split_string(rest);
            match serde_json::from_str::<String>(token) {
                Ok(value) if style.escapes != Escapes::AsTheyCame => spell(&value, style.escapes, &mut spelled),
                _ => spelled.push_str(token),
            }
            rest = behind;
            continue;
        }
        match first {
            ' ' | '\t' | '\r' | '\n' => {}
            ',' => spelled.push_str(style.comma),
            ':' => spelled.push_str(style.colon),
            other => spelled.push(other),
        }
        rest = rest.get(first.len_utf8()..).unwrap_or_default();
    }
    spelled
}

/// A string with its quotes, and what stands behind it.
fn split_string(text: &str) -> (&str, &str) {
    let mut escaped = false;
    let end = text.bytes().enumerate().skip(1).find(|(_, byte)| {
        let ends = *byte == b'"' && !escaped;
        escaped = *byte == b'\\' && !escaped;
        ends
    });
    let end = end.map_or(text.len(), |(at, _)| at.saturating_add(1));
    text.split_at_checked(end).unwrap_or((text, ""))
}

fn spell(value: &str, escapes: Escapes, into: &mut String) {
    let ascii = matches!(escapes, Escapes::Ascii | Escapes::AsciiAndSlashes);
    let slashes = matches!(escapes, Escapes::Slashes | Escapes::AsciiAndSlashes);
    // What JSON must escape is serde_json's to escape.
    for character in Value::from(value).to_string().chars() {
        match character {
            '/' if slashes => into.push_str("\\/"),
            '<' | '>' | '&' if escapes == Escapes::Html => into.push_str(&format!("\\u{:04x}", u32::from(character))),
            other if ascii && !other.is_ascii() => {
                for unit in other.encode_utf16(&mut [0; 2]) {
                    into.push_str(&format!("\\u{unit:04x}"));
                }
            }
            other => into.push(other),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn found(body: &str, spelling: &str) -> bool {
        respellings(body.as_bytes())
            .iter()
            .any(|found| found == spelling.as_bytes())
    }

    #[test]
    fn a_body_is_found_in_the_spelling_of_every_common_writer() {
        let sent = r#"{"b":"牛肉/面 <大>","a":[1,2.50]}"#;
        // Python's json.dumps, PHP's json_encode, Go's encoding/json, Python with sort_keys: as those write it.
        for spelling in [
            r#"{"b": "\u725b\u8089/\u9762 <\u5927>", "a": [1, 2.50]}"#,
            r#"{"b":"\u725b\u8089\/\u9762 <\u5927>","a":[1,2.50]}"#,
            r#"{"b":"牛肉/面 \u003c大\u003e","a":[1,2.50]}"#,
            r#"{"a": [1, 2.5], "b": "\u725b\u8089/\u9762 <\u5927>"}"#,
        ] {
            assert!(found(sent, spelling), "{spelling}");
        }
    }

    #[test]
    fn what_stands_in_a_string_is_not_taken_for_structure() {
        assert!(found(r#"{"a": "x, y: \" {"}"#, r#"{"a":"x, y: \" {"}"#));
    }

    #[test]
    fn no_spelling_is_the_body_itself_and_no_json_has_none() {
        let body = br#"{"a":1}"#;
        assert!(respellings(body).iter().all(|spelling| spelling != body));
        assert!(respellings(b"a=1&b=2").is_empty());
    }
}
