//! The form that almost every message has, read in one pass: no declaration, no attributes, no comments, no references;
//! a value is bare text or one CDATA section.
//!
//! A message of another form, and one that is refused, is the parser's: it starts again and says what is wrong and where.
//! What is read here is read the same there, which the tests hold the two to. It saves a payment notice two thirds of
//! the time that reading it takes.

use yuanfen_core::Limits;

use crate::Document;
use crate::grammar::{is_plain_name, is_space, plain_name_len};
use crate::read::room_for;

/// Reads a message of the plain form; `None` where it is of another, or nothing that may be read.
///
/// The text is known to hold none but the characters of XML.
pub(crate) fn read(text: &str, limits: &Limits) -> Option<Document> {
    // A carriage return would have to become a line feed.
    if text.as_bytes().contains(&b'\r') || limits.depth == 0 {
        return None;
    }
    let (root, mut rest) = start_tag(text, limits)?;
    let mut fields = room_for(text.len(), limits);
    loop {
        rest = rest.trim_start_matches(is_space);
        if rest.starts_with("</") {
            let after = end_tag(rest, root)?;
            return after.chars().all(is_space).then(|| Document::new(root, fields));
        }
        let (name, after) = start_tag(rest, limits)?;
        let (value, after) = value(after)?;
        rest = end_tag(after, name)?;
        if fields.len() >= limits.fields || value.len() > limits.value_len {
            return None;
        }
        // Fails where the name was there before.
        fields.push(name, value).ok()?;
    }
}

/// The name in a start tag without attributes, and what follows the tag.
fn start_tag<'a>(text: &'a str, limits: &Limits) -> Option<(&'a str, &'a str)> {
    let tag = text.strip_prefix('<')?;
    let (name, rest) = tag.split_at_checked(plain_name_len(tag))?;
    let rest = rest.strip_prefix('>')?;
    (is_plain_name(name) && name.len() <= limits.name_len).then_some((name, rest))
}

/// What follows the end tag of that name.
fn end_tag<'a>(text: &'a str, name: &str) -> Option<&'a str> {
    text.strip_prefix("</")?.strip_prefix(name)?.strip_prefix('>')
}

/// A value, and what follows it.
fn value(text: &str) -> Option<(&str, &str)> {
    if let Some(section) = text.strip_prefix("<![CDATA[") {
        return section.split_once("]]>");
    }
    let length = text.bytes().position(|byte| matches!(byte, b'<' | b'&' | b'>'))?;
    text.split_at_checked(length)
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;
    use crate::read::general;
    use crate::{MESSAGE_LIMITS, grammar};

    /// Whether it was read here; the parser must then read the same.
    fn agrees(text: &str, limits: &Limits) -> bool {
        if grammar::first_forbidden(text).is_some() {
            return false;
        }
        match read(text, limits) {
            Some(document) => {
                assert_eq!(general(text, 0, limits), Ok(document), "{text:?}");
                true
            }
            None => false,
        }
    }

    const NOTICE: &str = "<xml><appid><![CDATA[wx2421b1c4370ec43b]]></appid>\n\t<attach><![CDATA[支付，]]]></attach>\
        <total_fee>1</total_fee><coupon_fee_0>10</coupon_fee_0><remark></remark><blank> </blank>\n</xml>\n";

    #[test]
    fn reads_the_plain_form() {
        assert!(agrees(NOTICE, &MESSAGE_LIMITS));
        for text in [
            "<xml></xml>",
            "<a><b></b></a>",
            "<a><b><![CDATA[]]></b></a>",
            "<a><a>1</a></a>",
            "<a> <_>]</_></a>",
        ] {
            assert!(agrees(text, &MESSAGE_LIMITS), "{text}");
        }
    }

    #[test]
    fn leaves_every_other_form_to_the_parser() {
        for text in [
            "",
            "xml",
            " <xml></xml>",
            "<xml/>",
            "<xml></xml><xml></xml>",
            "<xml></xml>x",
            "<xml></xml ><!---->",
            "<?xml version=\"1.0\"?><xml></xml>",
            "<xml a=\"1\"></xml>",
            "<xml><a/></xml>",
            "<xml><a>1</a></XML>",
            "<xml><a>1</b></xml>",
            "<xml><a>1</a><a>1</a></xml>",
            "<xml><1a>1</1a></xml>",
            "<xml><>1</></xml>",
            "<xml><a>&lt;</a></xml>",
            "<xml><a>></a></xml>",
            "<xml><a>1<![CDATA[2]]></a></xml>",
            "<xml><a><![CDATA[1]]>2</a></xml>",
            "<xml><a><b>1</b></a></xml>",
            "<xml><a>1\r\n</a></xml>",
            "<xml>1</xml>",
            "<xml><a>1</a>",
            "<xml><a><![CDATA[1</a></xml>",
            "<!DOCTYPE xml><xml></xml>",
        ] {
            assert_eq!(read(text, &MESSAGE_LIMITS), None, "{text}");
        }
    }

    #[test]
    fn leaves_what_is_beyond_a_limit_to_the_parser() {
        let of = |fields, name_len, value_len, depth| {
            let mut limits = Limits::DEFAULT;
            (limits.fields, limits.name_len, limits.value_len, limits.depth) = (fields, name_len, value_len, depth);
            limits
        };
        let text = "<xml><abc>1234</abc><abd>1</abd></xml>";
        assert!(agrees(text, &of(2, 3, 4, 1)));
        for limits in [of(1, 3, 4, 1), of(2, 2, 4, 1), of(2, 3, 3, 1), of(2, 3, 4, 0)] {
            assert_eq!(read(text, &limits), None, "{limits:?}");
            assert!(general(text, 0, &limits).is_err(), "{limits:?}");
        }
    }

    /// Every character of a notice left out, doubled, or replaced by one that means something.
    #[test]
    fn agrees_with_the_parser_about_every_small_change() {
        let mut read_here = 0;
        for (at, character) in NOTICE.char_indices() {
            let (before, rest) = NOTICE.split_at(at);
            let after = rest.strip_prefix(character).unwrap();
            let mut variants = vec![format!("{before}{after}"), format!("{before}{character}{rest}")];
            variants.extend(
                "<>/&![]\"'=?-:; \t\r0a_é\u{FF0C}"
                    .chars()
                    .map(|other| format!("{before}{other}{after}")),
            );
            read_here += variants
                .iter()
                .filter(|variant| agrees(variant, &MESSAGE_LIMITS))
                .count();
        }
        assert!(read_here > 500, "{read_here} of them were read here");
    }

    proptest! {
        #![proptest_config(ProptestConfig::with_cases(256))]

        /// Messages put together from whole pieces, so that many of them are almost right.
        #[test]
        fn agrees_with_the_parser_about_pieces(
            pieces in prop::collection::vec(prop::sample::select(vec![
                "<a>", "</a>", "<b>", "</b>", "<b>1</b>", "<c><![CDATA[x]]></c>", "<![CDATA[", "]]>", "]", ">", "&amp;", "&",
                "<!---->", "<?p?>", "<a/>", " ", "\n", "\r", "x", "支", "</xml>", "<a b='c'>", "\u{FEFF}",
            ]), 0..12),
        ) {
            let inner = pieces.concat();
            agrees(&inner, &MESSAGE_LIMITS);
            agrees(&format!("<xml>{inner}</xml>"), &MESSAGE_LIMITS);
        }
    }
}
