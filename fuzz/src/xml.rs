use yuanfen_core::{Fields, Limits, ValueError};
use yuanfen_xml::{Document, MESSAGE_LIMITS, read, write};

use crate::input;

/// No input panics; what is accepted keeps every limit and means the same to another parser; an error points into the
/// message.
pub fn xml_read(data: &[u8]) {
    let mut tight = Limits::DEFAULT.with_bytes(512);
    tight.fields = 3;
    tight.name_len = 5;
    tight.value_len = 7;
    for limits in [MESSAGE_LIMITS, tight] {
        match read(data, &limits) {
            Ok(document) => {
                limits_hold(data, &document, &limits);
                agrees(data, &document);
            }
            Err(error) => assert!(error.position() <= data.len(), "{error}"),
        }
    }
}

/// What is written is read back as it was, here and by another parser; what is not written cannot be.
pub fn xml_roundtrip(data: &[u8]) {
    let Some(texts) = input::texts(data) else { return };
    let (root, pairs) = (texts[0], &texts[1..]);
    let fields = input::fields(pairs);
    let limits = {
        let mut limits = Limits::DEFAULT.with_bytes(usize::MAX);
        limits.fields = usize::MAX;
        limits.name_len = usize::MAX;
        limits.value_len = usize::MAX;
        limits
    };
    match write(root, &fields) {
        Ok(text) => {
            let document = read(text.as_bytes(), &limits).expect("what was written");
            assert_eq!((document.root(), document.fields()), (root, &fields));
            assert!(same_elsewhere(&text, &document), "another parser reads it differently");
        }
        Err(error)
            if error.problem
                == ValueError::Form {
                    expected: "text that XML can carry",
                } =>
        {
            let value = fields.get(&error.path).expect("the field at fault");
            assert!(value.chars().any(is_forbidden), "refused without need");
        }
        Err(error) => {
            let name = error.path;
            let element = format!("<{name}/>");
            let taken = roxmltree::Document::parse(&element)
                .is_ok_and(|document| document.root_element().tag_name().name() == name);
            assert!(!taken, "an element's name refused");
        }
    }
}

fn is_forbidden(character: char) -> bool {
    (character < ' ' && !"\t\n\r".contains(character)) || "\u{FFFE}\u{FFFF}".contains(character)
}

fn limits_hold(data: &[u8], document: &Document, limits: &Limits) {
    let fields: &Fields = document.fields();
    assert!(data.len() <= limits.bytes && fields.len() <= limits.fields);
    assert!(document.root().len() <= limits.name_len);
    for (at, (name, value)) in fields.iter().enumerate() {
        assert!(!name.is_empty() && name.len() <= limits.name_len && value.len() <= limits.value_len);
        assert!(!value.chars().any(is_forbidden));
        assert!(fields.iter().skip(at + 1).all(|(other, _)| other != name));
    }
}

fn agrees(data: &[u8], document: &Document) {
    let text = std::str::from_utf8(data).expect("what was read is UTF-8");
    // The other parser keeps a raw carriage return beside a reference, where XML 1.0 (section 2.11) has a line feed.
    if !text.contains(";\r") && !text.contains("\r&") {
        assert!(same_elsewhere(text, document), "another parser reads it differently");
    }
}

/// Whether roxmltree reads the same, or refuses it for what concerns namespaces, which ours knows nothing of.
fn same_elsewhere(text: &str, document: &Document) -> bool {
    use roxmltree::Error;
    let theirs = match roxmltree::Document::parse(text) {
        Ok(theirs) => theirs,
        Err(
            Error::InvalidXmlPrefixUri(_)
            | Error::UnexpectedXmlUri(_)
            | Error::UnexpectedXmlnsUri(_)
            | Error::DuplicatedNamespace(..)
            | Error::UnknownNamespace(..)
            | Error::DuplicatedAttribute(..),
        ) => return true,
        Err(_) => return false,
    };
    let root = theirs.root_element();
    let fields = root.children().filter(roxmltree::Node::is_element).map(|field| {
        let value: String = field.children().filter_map(|piece| piece.text()).collect();
        (field.tag_name().name(), value)
    });
    root.tag_name().name() == document.root()
        && fields.eq(document.fields().iter().map(|(name, value)| (name, value.to_owned())))
}
