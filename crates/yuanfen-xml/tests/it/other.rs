//! Another XML parser, which takes nothing from ours.

/// The root's name and the fields as roxmltree sees them; `None` where it does not take the document.
///
pub(crate) fn read(text: &str) -> Option<(String, Vec<(String, String)>)> {
    let document = roxmltree::Document::parse(text).ok()?;
    let root = document.root_element();
    let fields = root
        .children()
        .filter(roxmltree::Node::is_element)
        .map(|field| {
            let value = field.children().filter_map(|piece| piece.text()).collect();
            (field.tag_name().name().to_owned(), value)
        })
        .collect();
    Some((root.tag_name().name().to_owned(), fields))
}

/// Whether it is known to leave the specification here: a raw carriage return beside a reference stays one, where
/// section 2.11 of XML 1.0 (and expat) make it a line feed.
pub(crate) fn is_wrong_about(text: &str) -> bool {
    text.contains(";\r") || text.contains("\r&")
}

/// A document of ours in the same shape.
pub(crate) fn same_shape(document: &yuanfen_xml::Document) -> (String, Vec<(String, String)>) {
    let fields = document
        .fields()
        .iter()
        .map(|(name, value)| (name.to_owned(), value.to_owned()))
        .collect();
    (document.root().to_owned(), fields)
}
