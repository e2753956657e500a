//! Laws: what is written is read back, here and by another parser; what both parsers read is the same; nothing panics.

use proptest::collection::vec;
use proptest::prelude::*;
use yuanfen_core::Fields;
use yuanfen_xml::{Document, MESSAGE_LIMITS, XmlErrorKind, read, write};

use crate::other;

fn name() -> impl Strategy<Value = String> {
    prop_oneof![
        4 => "[a-z_]{1,12}",
        1 => "[a-zA-Z_][a-zA-Z0-9._-]{0,12}",
        1 => "[一-龥À-ÖØ-öø-˿]{1,4}",
    ]
}

/// Characters that XML can carry, those among them that are easy to lose in front.
fn character() -> impl Strategy<Value = char> {
    prop_oneof![
        4 => prop::char::range(' ', '~'),
        2 => prop::sample::select(vec!['<', '>', '&', ']', '[', '!', '\'', '"', '\r', '\n', '\t', ' ', ';', '#']),
        1 => prop::char::range('\u{80}', '\u{D7FF}'),
        1 => prop::char::range('\u{E000}', '\u{FFFD}'),
        1 => prop::char::range('\u{10000}', '\u{10FFFF}'),
    ]
}

fn value() -> impl Strategy<Value = String> {
    prop_oneof![
        3 => vec(character(), 0..24).prop_map(String::from_iter),
        1 => "(\\]\\]>|\\]|<!\\[CDATA\\[|&amp;|\r\n|x){0,6}",
        1 => "[0-9]{0,10}",
    ]
}

fn fields() -> impl Strategy<Value = Fields> {
    vec((name(), value()), 0..12).prop_map(|pairs| {
        let mut fields = Fields::new();
        for (name, value) in &pairs {
            if fields.get(name).is_none() {
                fields.push(name, value).unwrap();
            }
        }
        fields
    })
}

/// Pieces of documents in an order that makes sense often enough.
fn document() -> impl Strategy<Value = String> {
    let piece = prop_oneof![
        character().prop_map(String::from),
        prop::sample::select(vec![
            "<a>",
            "</a>",
            "<b/>",
            "<c x='1'>",
            "</c>",
            "<![CDATA[",
            "]]>",
            "]]",
            "&lt;",
            "&#13;",
            "&#x6587;",
            "&#0;",
            "&x;",
            "<!--",
            "-->",
            "-",
            "\r\n",
            "\r",
            "<?x?>",
            "<!DOCTYPE x>",
            "1",
            " ",
            "<",
            ">",
            "&",
        ])
        .prop_map(str::to_owned),
        value().prop_map(|value| format!("<a>{value}</a>")),
        (name(), "[a-z0-9<>&;\\]\r ]{0,8}")
            .prop_map(|(name, value)| format!("<{name}><![CDATA[{value}]]>{value}</{name}>")),
        (name(), "([a-z0-9\r\n ]|&(lt|gt|amp|#13|#x9);){0,8}")
            .prop_map(|(name, value)| format!("<{name}>{value}</{name}>")),
    ];
    vec(piece, 0..8).prop_map(|pieces| format!("<xml>{}</xml>", pieces.concat()))
}

/// What is accepted is accepted by the other parser too, with the same values.
fn agrees(text: &str, document: &Document) -> Result<(), TestCaseError> {
    if other::is_wrong_about(text) {
        return Ok(());
    }
    prop_assert_eq!(other::read(text), Some(other::same_shape(document)), "{:?}", text);
    Ok(())
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(256))]

    #[test]
    fn what_is_written_is_read_back(root in name(), fields in fields()) {
        let text = write(&root, &fields).unwrap();
        let document = read(text.as_bytes(), &MESSAGE_LIMITS).unwrap();
        prop_assert_eq!(document.root(), root);
        prop_assert_eq!(document.fields(), &fields);
        prop_assert_eq!(write(document.root(), document.fields()).unwrap(), text);
    }

    #[test]
    fn what_is_written_is_read_by_another_parser(root in name(), fields in fields()) {
        let text = write(&root, &fields).unwrap();
        let expected = fields.iter().map(|(name, value)| (name.to_owned(), value.to_owned())).collect();
        prop_assert!(!text.contains('\r'));
        prop_assert_eq!(other::read(&text), Some((root, expected)));
    }

    #[test]
    fn what_is_read_is_read_the_same_by_another_parser(text in document()) {
        if let Ok(document) = read(text.as_bytes(), &MESSAGE_LIMITS) {
            agrees(&text, &document)?;
        }
    }

    #[test]
    fn a_document_with_one_byte_changed_never_reads_differently_elsewhere(fields in fields(), at: prop::sample::Index, byte: u8) {
        let mut bytes = write("xml", &fields).unwrap().into_bytes();
        let at = at.index(bytes.len());
        bytes[at] = byte;
        match read(&bytes, &MESSAGE_LIMITS) {
            Ok(document) => agrees(std::str::from_utf8(&bytes).unwrap(), &document)?,
            Err(error) => prop_assert!(error.position() <= bytes.len()),
        }
    }

    #[test]
    fn no_bytes_panic(bytes in vec(any::<u8>(), 0..256)) {
        if let Err(error) = read(&bytes, &MESSAGE_LIMITS) {
            prop_assert!(error.position() <= bytes.len());
        }
    }

    #[test]
    fn a_field_pushed_in_twice_is_refused(fields in fields(), at: prop::sample::Index) {
        prop_assume!(!fields.is_empty());
        let (name, value) = fields.iter().nth(at.index(fields.len())).unwrap();
        let text = write("xml", &fields).unwrap();
        let mut once = Fields::new();
        once.push(name, value).unwrap();
        let again = write("xml", &once).unwrap().replacen("<xml>", "", 1);
        let twice = text.strip_suffix("</xml>").unwrap().to_owned() + &again;
        let error = read(twice.as_bytes(), &MESSAGE_LIMITS).unwrap_err();
        prop_assert_eq!((error.kind(), error.position()), (XmlErrorKind::Duplicate, text.len() - "</xml>".len()));
    }
}
