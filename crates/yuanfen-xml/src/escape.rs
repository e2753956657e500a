//! References both ways: what `&…;` stands for, and how a value is written so that every parser reads it back.

use crate::XmlErrorKind;
use crate::grammar::is_char;

/// The character behind a reference, given what stands between `&` and `;`.
///
/// Only the five predefined entities and numbers are known; there is no table that a message could add to.
pub(crate) fn resolve(reference: &str) -> Result<char, XmlErrorKind> {
    match reference {
        "lt" => Ok('<'),
        "gt" => Ok('>'),
        "amp" => Ok('&'),
        "apos" => Ok('\''),
        "quot" => Ok('"'),
        _ => {
            let digits = reference.strip_prefix('#').ok_or(XmlErrorKind::Reference)?;
            let code = match digits.strip_prefix('x') {
                Some(digits) => parse(digits, 16),
                None => parse(digits, 10),
            }?;
            char::from_u32(code)
                .filter(|character| is_char(*character))
                .ok_or(XmlErrorKind::ForbiddenCharacter)
        }
    }
}

fn parse(digits: &str, radix: u32) -> Result<u32, XmlErrorKind> {
    // `from_str_radix` alone would take a sign.
    if digits.is_empty() || !digits.chars().all(|digit| digit.is_digit(radix)) {
        return Err(XmlErrorKind::Reference);
    }
    // Nothing but digits, so what can go wrong is a number beyond 32 bits, which is no character either.
    u32::from_str_radix(digits, radix).map_err(|_| XmlErrorKind::ForbiddenCharacter)
}

/// Whether every reference in an attribute's value can be resolved.
pub(crate) fn references_hold(text: &str) -> bool {
    text.split('&').skip(1).all(|after| {
        after
            .split_once(';')
            .is_some_and(|(reference, _)| resolve(reference).is_ok())
    })
}

/// Writes a value as one text node or one CDATA section, so that a reader who stops at the first node has all of it.
///
/// What needs no quoting stands bare; other text is put into CDATA, as the platforms' own messages do and their
/// documents ask for where the value is JSON. Two things CDATA cannot hold, `]]>` and a carriage return (which would
/// reach the reader as a line feed), make the value an escaped text instead.
pub(crate) fn push_value(out: &mut String, value: &str) {
    if value
        .bytes()
        .all(|byte| byte.is_ascii_alphanumeric() || b"-_.:/".contains(&byte))
    {
        out.push_str(value);
    } else if value.contains('\r') || value.contains("]]>") {
        push_escaped(out, value);
    } else {
        out.push_str("<![CDATA[");
        out.push_str(value);
        out.push_str("]]>");
    }
}

fn push_escaped(out: &mut String, value: &str) {
    for character in value.chars() {
        match character {
            '&' => out.push_str("&amp;"),
            '<' => out.push_str("&lt;"),
            '>' => out.push_str("&gt;"),
            '\r' => out.push_str("&#13;"),
            _ => out.push(character),
        }
    }
}
