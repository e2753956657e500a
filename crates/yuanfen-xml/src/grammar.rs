//! The productions of XML 1.0 (fifth edition) that reading and writing share: `S`, `Char` and, without colons, `Name`.

/// `S`: the white space that may stand between elements.
pub(crate) const fn is_space(character: char) -> bool {
    matches!(character, ' ' | '\t' | '\n' | '\r')
}

/// Whether a text is white space or nothing.
pub(crate) fn is_blank(text: &str) -> bool {
    text.bytes().all(|byte| is_space(char::from(byte)))
}

/// `Char`: what a document may be made of. Surrogates are no `char` to begin with.
pub(crate) const fn is_char(character: char) -> bool {
    matches!(character, '\t' | '\n' | '\r' | ' '..='\u{FFFD}' | '\u{10000}'..)
}

/// Where the first character stands that XML forbids.
pub(crate) fn first_forbidden(text: &str) -> Option<usize> {
    // One pass over the bytes without a branch, which compiles to vector code: only control characters and the lead
    // byte of U+FFFE and U+FFFF (shared with full-width forms, hence "suspicious") deserve the slow look.
    let suspicious = text.bytes().fold(false, |found, byte| {
        found | ((byte < b' ') & (byte != b'\n') & (byte != b'\t')) | (byte == 0xEF)
    });
    if !suspicious {
        return None;
    }
    text.char_indices()
        .find(|(_, character)| !is_char(*character))
        .map(|(position, _)| position)
}

/// ASCII letters, digits and `_`, by their bytes: one look instead of three comparisons for each byte of a name.
const IN_PLAIN_NAME: [bool; 256] = {
    let mut plain = [false; 256];
    let mut byte = 0_u8;
    while byte < 0x80 {
        #[expect(
            clippy::indexing_slicing,
            clippy::as_conversions,
            reason = "evaluated when it is compiled"
        )]
        {
            plain[byte as usize] = byte.is_ascii_alphanumeric() || byte == b'_';
        }
        byte += 1;
    }
    plain
};

/// A name of ASCII letters, digits and `_`.
pub(crate) fn is_plain_name(text: &str) -> bool {
    text.as_bytes().first().is_some_and(|first| !first.is_ascii_digit()) && plain_name_len(text) == text.len()
}

/// How many bytes at the start of a text may stand in a plain name.
pub(crate) fn plain_name_len(text: &str) -> usize {
    text.bytes()
        .take_while(|byte| IN_PLAIN_NAME.get(usize::from(*byte)) == Some(&true))
        .count()
}

/// `NCName`: a name without a colon.
pub(crate) fn is_name(text: &str) -> bool {
    // Every name on the five platforms' wires is of this form.
    if is_plain_name(text) {
        return true;
    }
    let mut characters = text.chars();
    characters.next().is_some_and(starts_name) && characters.all(continues_name)
}

/// `QName`: a name, or two of them around a colon.
pub(crate) fn is_qualified_name(text: &str) -> bool {
    match text.split_once(':') {
        Some((prefix, local)) => is_name(prefix) && is_name(local),
        None => is_name(text),
    }
}

const fn starts_name(character: char) -> bool {
    matches!(
        character,
        'a'..='z'
            | 'A'..='Z'
            | '_'
            | '\u{C0}'..='\u{D6}'
            | '\u{D8}'..='\u{F6}'
            | '\u{F8}'..='\u{2FF}'
            | '\u{370}'..='\u{37D}'
            | '\u{37F}'..='\u{1FFF}'
            | '\u{200C}'..='\u{200D}'
            | '\u{2070}'..='\u{218F}'
            | '\u{2C00}'..='\u{2FEF}'
            | '\u{3001}'..='\u{D7FF}'
            | '\u{F900}'..='\u{FDCF}'
            | '\u{FDF0}'..='\u{FFFD}'
            | '\u{10000}'..='\u{EFFFF}'
    )
}

const fn continues_name(character: char) -> bool {
    starts_name(character)
        || matches!(
            character,
            '0'..='9' | '-' | '.' | '\u{B7}' | '\u{300}'..='\u{36F}' | '\u{203F}'..='\u{2040}'
        )
}
