//! Form bodies and query strings to [`Fields`], and back.
//!
//! Reading has one meaning for every text it accepts, because a signature is checked over what is read; the rules are
//! the table on the crate's page. Names and values are decoded exactly once: what still holds percent signs then keeps
//! them (T4 of the fshows sheet has such a value, and its signature holds over it).

use yuanfen_core::{Fields, LimitExceeded, Limits};

use crate::{FormError, FormErrorKind};

/// Reads a form body, or a query string without its `?`. An empty text has no fields.
///
/// Names and values are measured decoded, the whole text as it stands; `limits.depth` means nothing here.
///
/// # Errors
/// When a rule of this crate's page does not hold, or a limit is exceeded. The error names the byte, never the text.
pub fn read(text: &[u8], limits: &Limits) -> Result<Fields, FormError> {
    within("bytes", text.len(), limits.bytes, limits.bytes)?;
    if text.is_empty() {
        return Ok(Fields::new());
    }
    let mut fields = Fields::with_capacity(text.len(), 16);
    let (mut name_buffer, mut value_buffer) = (Vec::new(), Vec::new());
    let mut start = 0_usize;
    for pair in text.split(|byte| *byte == b'&') {
        within("fields", fields.len().saturating_add(1), limits.fields, start)?;
        let mut halves = pair.splitn(2, |byte| *byte == b'=');
        let raw_name = halves.next().unwrap_or_default();
        if raw_name.is_empty() {
            return Err(FormErrorKind::NoName.at(start));
        }
        let raw_value = halves.next().ok_or(FormErrorKind::NoEquals.at(start))?;
        let value_start = start.saturating_add(raw_name.len()).saturating_add(1);

        let name = decode(raw_name, start, &mut name_buffer)?;
        within("name length", name.len(), limits.name_len, start)?;
        let value = decode(raw_value, value_start, &mut value_buffer)?;
        within("value length", value.len(), limits.value_len, value_start)?;
        // The name is not empty, so a duplicate is all that is left to refuse.
        fields
            .push(name, value)
            .map_err(|_| FormErrorKind::Duplicate.at(start))?;
        start = start.saturating_add(pair.len()).saturating_add(1);
    }
    Ok(fields)
}

/// Writes a form body (`application/x-www-form-urlencoded`), in the order of the fields and in one spelling.
///
/// Letters, digits and `*-._` stay, a space becomes `+`, every other byte `%XX` in upper case.
#[must_use]
pub fn write(fields: &Fields) -> String {
    write_with(fields, |byte, out| match byte {
        b' ' => out.push('+'),
        b'*' | b'-' | b'.' | b'_' => out.push(char::from(byte)),
        _ => push_escaped(byte, out),
    })
}

/// Writes a query string for a page, in the order of the fields and in one spelling.
///
/// Letters, digits and `-._~` stay, every other byte becomes `%XX` in upper case. A space is `%20`, not `+`: a page's
/// script takes its address apart with `decodeURIComponent`, which leaves `+` alone. [`read`] understands both.
#[must_use]
pub fn write_query(fields: &Fields) -> String {
    write_with(fields, |byte, out| match byte {
        b'-' | b'.' | b'_' | b'~' => out.push(char::from(byte)),
        _ => push_escaped(byte, out),
    })
}

/// Writes pairs; letters and digits stay, what becomes of other bytes is the caller's.
fn write_with(fields: &Fields, push_other: impl Fn(u8, &mut String)) -> String {
    let push_text = |text: &str, out: &mut String| {
        for byte in text.bytes() {
            if byte.is_ascii_alphanumeric() {
                out.push(char::from(byte));
            } else {
                push_other(byte, out);
            }
        }
    };
    let mut out = String::new();
    for (name, value) in fields.iter() {
        if !out.is_empty() {
            out.push('&');
        }
        push_text(name, &mut out);
        out.push('=');
        push_text(value, &mut out);
    }
    out
}

fn push_escaped(byte: u8, out: &mut String) {
    const DIGITS: [char; 16] = [
        '0', '1', '2', '3', '4', '5', '6', '7', '8', '9', 'A', 'B', 'C', 'D', 'E', 'F',
    ];
    out.push('%');
    out.extend(DIGITS.get(usize::from(byte >> 4)));
    out.extend(DIGITS.get(usize::from(byte & 15)));
}

/// Decodes one name or value, which begins at `start` of the whole text, into a buffer that is used again and again.
fn decode<'a>(raw: &[u8], start: usize, buffer: &'a mut Vec<u8>) -> Result<&'a str, FormError> {
    buffer.clear();
    for unit in units(raw, start) {
        buffer.push(unit?.1);
    }
    std::str::from_utf8(buffer).map_err(|error| {
        // Where the offending byte was before decoding.
        let unit = units(raw, start).nth(error.valid_up_to());
        let position = unit.and_then(Result::ok).map_or(start, |(position, _)| position);
        FormErrorKind::NotUtf8.at(position)
    })
}

/// The decoded bytes, each with its place in the whole text.
fn units(mut raw: &[u8], mut position: usize) -> impl Iterator<Item = Result<(usize, u8), FormError>> {
    std::iter::from_fn(move || {
        let (byte, width, rest) = match *raw {
            [] => return None,
            [b'+', ref rest @ ..] => (b' ', 1, rest),
            [b'%', high, low, ref rest @ ..] if let (Some(high), Some(low)) = (digit(high), digit(low)) => {
                (high << 4 | low, 3, rest)
            }
            [b'%', ..] => return Some(Err(FormErrorKind::Escape.at(position))),
            [..=b' ' | 0x7f, ..] => return Some(Err(FormErrorKind::Unescaped.at(position))),
            [byte, ref rest @ ..] => (byte, 1, rest),
        };
        let unit = (position, byte);
        position = position.saturating_add(width);
        raw = rest;
        Some(Ok(unit))
    })
}

fn digit(byte: u8) -> Option<u8> {
    char::from(byte).to_digit(16)?.try_into().ok()
}

fn within(what: &'static str, count: usize, limit: usize, position: usize) -> Result<(), FormError> {
    LimitExceeded::check(what, count, limit).map_err(|exceeded| FormErrorKind::Limit(exceeded).at(position))
}
