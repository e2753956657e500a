//! The vector files: bodies and their fields, bodies and why they are refused.

use yuanfen_testkit::{Stage, Vectors};
use yuanfen_xml::{MESSAGE_LIMITS, XmlErrorKind, read, write};

fn vectors() -> Vectors {
    Vectors::of_crate(env!("CARGO_MANIFEST_DIR")).unwrap()
}

#[test]
fn reads_every_vector() {
    for case in vectors().of("xml_read") {
        let run = case.run();
        let document = run.at(Stage::Fields, read(&case.bytes("body"), &MESSAGE_LIMITS));
        run.fields(document.fields()).done();
    }
}

#[test]
fn refuses_every_vector_for_its_reason() {
    for case in vectors().of("xml_refuse") {
        let result = read(&case.bytes("body"), &MESSAGE_LIMITS);
        case.run().refused(result, |error| error.kind().code().to_owned());
    }
}

/// Each byte of each message is changed in three ways. A mutant is refused, or its fields are others, so that a
/// signature over them fails, or the byte is one that carries no value.
#[test]
fn a_changed_byte_is_refused_or_changes_the_fields_or_is_outside_of_them() {
    for case in vectors().of("xml_read") {
        let body = case.bytes("body");
        let fields = read(&body, &MESSAGE_LIMITS).unwrap().into_fields();
        for at in 0..body.len() {
            for mask in [0x01, 0x20, 0x80] {
                let mut mutant = body.clone();
                mutant[at] ^= mask;
                match read(&mutant, &MESSAGE_LIMITS) {
                    Err(error) => assert!(error.position() <= mutant.len(), "{case}: byte {at}"),
                    Ok(document) if *document.fields() != fields => {}
                    Ok(_) => assert!(
                        carries_nothing(&body, at),
                        "{case}: byte {at} ^ {mask:#x} changes nothing"
                    ),
                }
            }
        }
    }
}

/// Whether a byte stands where no value is carried: in a declaration or an attribute, in the white space between
/// elements; or in a reference, where the case of a hexadecimal digit changes nothing.
fn carries_nothing(body: &[u8], at: usize) -> bool {
    let before = std::str::from_utf8(&body[..at]).unwrap_or_default();
    let tag = before.rsplit_once('<').map_or("", |(_, tag)| tag);
    let in_declaration = tag.starts_with('?') && !tag.contains('>');
    let in_attribute = !tag.contains('>') && tag.contains(' ');
    let between = body[at].is_ascii_whitespace() && before.trim_end().ends_with('>');
    let in_reference = before
        .rsplit_once('&')
        .is_some_and(|(_, reference)| !reference.contains(';'));
    in_declaration || in_attribute || between || in_reference
}

#[test]
fn writes_what_was_read_so_that_it_reads_the_same() {
    for case in vectors().of("xml_read") {
        let document = read(&case.bytes("body"), &MESSAGE_LIMITS).unwrap();
        let text = write(document.root(), document.fields()).unwrap();
        assert_eq!(read(text.as_bytes(), &MESSAGE_LIMITS).unwrap(), document, "{case}");
    }
}

#[test]
fn the_vectors_cover_the_kinds_that_matter() {
    let vectors = vectors();
    let covered: Vec<_> = vectors
        .of("xml_refuse")
        .iter()
        .filter_map(|case| case.refused())
        .collect();
    for kind in [
        XmlErrorKind::Doctype,
        XmlErrorKind::Duplicate,
        XmlErrorKind::Reference,
        XmlErrorKind::Nested,
        XmlErrorKind::Empty,
        XmlErrorKind::ForbiddenCharacter,
        XmlErrorKind::NotUtf8,
        XmlErrorKind::Truncated,
        XmlErrorKind::Comment,
    ] {
        assert!(covered.contains(&kind.code()), "{kind:?}");
    }
}
