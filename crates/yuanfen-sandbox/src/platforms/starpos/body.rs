//! Bodies: flat JSON of texts in GBK, UTF-8 or ASCII (section 3 of the sheet).

use encoding_rs::GBK;
use serde_json::Value;
use yuanfen_core::{Fields, Limits, Object};

/// What characters beyond ASCII are written in.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Charset {
    /// There are none: they are escaped as `\uXXXX`.
    Ascii,
    /// `characterSet` is `01`.
    Utf8,
    /// `characterSet` is `00` or absent.
    Gbk,
}

/// Reads a body. `characterSet` says how; a call that has none says it in its content type, and is GBK otherwise.
/// `None` where the body is no flat object of texts in that charset.
pub(super) fn read(body: &[u8], content_type: Option<&str>) -> Option<(Fields, Charset)> {
    if body.is_ascii() {
        return Some((fields(body)?, Charset::Ascii));
    }
    // The name and the values of `characterSet` are ASCII, so either reading shows them.
    if let Some(fields) = fields(body) {
        let is_utf8 = match fields.get("characterSet") {
            Some(charset) => charset == "01",
            None => content_type.is_some_and(names_utf8),
        };
        if is_utf8 {
            return Some((fields, Charset::Utf8));
        }
    }
    let text = GBK.decode_without_bom_handling_and_without_replacement(body)?;
    let fields = fields(text.as_bytes())?;
    (fields.get("characterSet") != Some("01")).then_some((fields, Charset::Gbk))
}

fn names_utf8(content_type: &str) -> bool {
    let mut parameters = content_type.split(';').skip(1);
    parameters.any(|parameter| {
        parameter
            .trim()
            .strip_prefix("charset=")
            .is_some_and(|charset| charset.trim_matches('"').eq_ignore_ascii_case("utf-8"))
    })
}

fn fields(json: &[u8]) -> Option<Fields> {
    let object = Object::parse(json, &Limits::DEFAULT).ok()?;
    let all_texts = object.iter().all(|(_, raw)| raw.starts_with('"'));
    all_texts.then(|| object.to_fields().ok()).flatten()
}

/// Writes a body, field by field. What GBK does not have is escaped.
pub(super) fn write(fields: &Fields, charset: Charset) -> Vec<u8> {
    let mut bytes = Vec::new();
    for (name, value) in fields.iter() {
        bytes.push(if bytes.is_empty() { b'{' } else { b',' });
        push_text(name, charset, &mut bytes);
        bytes.push(b':');
        push_text(value, charset, &mut bytes);
    }
    bytes.push(b'}');
    bytes
}

fn push_text(text: &str, charset: Charset, bytes: &mut Vec<u8>) {
    let mut buffer = [0_u8; 4];
    for character in Value::from(text).to_string().chars() {
        let utf8: &str = character.encode_utf8(&mut buffer);
        if character.is_ascii() || charset == Charset::Utf8 {
            bytes.extend_from_slice(utf8.as_bytes());
            continue;
        }
        let (gbk, _, is_beyond) = GBK.encode(utf8);
        if charset == Charset::Gbk && !is_beyond {
            bytes.extend_from_slice(&gbk);
            continue;
        }
        let mut units = [0_u16; 2];
        for unit in character.encode_utf16(&mut units) {
            bytes.extend_from_slice(format!("\\u{unit:04x}").as_bytes());
        }
    }
}
