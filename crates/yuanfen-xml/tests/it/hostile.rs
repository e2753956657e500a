//! What is refused: as which kind, and at which byte.

use yuanfen_core::{LimitExceeded, Limits};
use yuanfen_xml::{MESSAGE_LIMITS, XmlError, XmlErrorKind, read};

#[track_caller]
fn refused(bytes: impl AsRef<[u8]>) -> (XmlErrorKind, usize) {
    let error = read(bytes.as_ref(), &MESSAGE_LIMITS).unwrap_err();
    (error.kind(), error.position())
}

/// Refuses a text with the given kind at the byte where `¶` stands, which is cut out first.
#[track_caller]
fn check(kind: XmlErrorKind, marked: &str) {
    let position = marked.find('¶').expect("a mark");
    let text = marked.replace('¶', "");
    assert_eq!(refused(&text), (kind, position), "{marked:?}");
}

#[test]
fn refuses_every_document_type_declaration() {
    for marked in [
        "¶<!DOCTYPE html><html/>",
        "¶<!doctype html><html/>",
        "<?xml version=\"1.0\"?>¶<!DOCTYPE r [<!ENTITY x SYSTEM \"file:///etc/passwd\">]><xml><a>&x;</a></xml>",
        "¶<!DOCTYPE r SYSTEM \"http://127.0.0.1/x.dtd\"><xml/>",
        "¶<!DOCTYPE r [<!ENTITY a \"1\"><!ENTITY b \"&a;&a;\">]><xml><a>&b;</a></xml>",
        "<xml>¶<!DOCTYPE r><a>1</a></xml>",
        "<xml><a>¶<!DOCTYPE r></a></xml>",
        "<xml/>¶<!DOCTYPE r>",
        "¶<!DOCTYPE r [",
    ] {
        check(XmlErrorKind::Doctype, marked);
    }
}

#[test]
fn refuses_declarations_of_parts_of_a_document_type() {
    for marked in [
        "¶<!ENTITY a \"1\"><xml/>",
        "<xml>¶<!ELEMENT a ANY></xml>",
        "<xml><a>¶<![INCLUDE[1]]></a></xml>",
    ] {
        check(XmlErrorKind::Markup, marked);
    }
}

#[test]
fn refuses_references_that_are_not_predefined_or_numeric() {
    for marked in [
        "<xml><a>¶&nbsp;</a></xml>",
        "<xml><a>1¶&x;2</a></xml>",
        "<xml><a>¶&LT;</a></xml>",
        "<xml><a>¶&;</a></xml>",
        "<xml><a>¶& </a></xml>",
        "<xml><a>¶&amp</a></xml>",
        "<xml><a>¶&lt &amp;</a></xml>",
        "<xml><a>¶&#;</a></xml>",
        "<xml><a>¶&#x;</a></xml>",
        "<xml><a>¶&#X41;</a></xml>",
        "<xml><a>¶&#+65;</a></xml>",
        "<xml><a>¶&#-65;</a></xml>",
        "<xml><a>¶&#6 5;</a></xml>",
        "<xml><a>¶&#4A;</a></xml>",
        "<xml><a>¶&#１;</a></xml>",
    ] {
        check(XmlErrorKind::Reference, marked);
    }
}

#[test]
fn refuses_forbidden_characters_as_themselves_and_as_references() {
    for forbidden in [
        "\0", "\u{1}", "\u{8}", "\u{B}", "\u{C}", "\u{1F}", "\u{FFFE}", "\u{FFFF}",
    ] {
        check(
            XmlErrorKind::ForbiddenCharacter,
            &format!("<xml><a>1¶{forbidden}</a></xml>"),
        );
        check(
            XmlErrorKind::ForbiddenCharacter,
            &format!("<xml><a><![CDATA[，¶{forbidden}]]></a></xml>"),
        );
        check(
            XmlErrorKind::ForbiddenCharacter,
            &format!("<xml><!-- ¶{forbidden} --></xml>"),
        );
        check(XmlErrorKind::ForbiddenCharacter, &format!("<xml b='¶{forbidden}'/>"));
        check(XmlErrorKind::ForbiddenCharacter, &format!("<xml/>¶{forbidden}"));
    }
    for code in [
        "0",
        "x0",
        "1",
        "8",
        "11",
        "31",
        "xFFFE",
        "xFFFF",
        "xD800",
        "xDFFF",
        "x110000",
        "4294967296",
        "xFFFFFFFFFF",
    ] {
        check(
            XmlErrorKind::ForbiddenCharacter,
            &format!("<xml><a>1¶&#{code};</a></xml>"),
        );
    }
}

#[test]
fn refuses_what_is_not_utf_8_whatever_the_declaration_says() {
    let start = b"<?xml version=\"1.0\" encoding=\"GBK\"?><xml><a>1";
    for wrong in [
        &[0xD6, 0xD0][..],
        &[0xFF],
        &[0xC0, 0x80],
        &[0xED, 0xA0, 0x80],
        &[0xE4, 0xB8],
        &[0xF4, 0x90, 0x80, 0x80],
    ] {
        let bytes = [start, wrong, b"</a></xml>"].concat();
        assert_eq!(refused(bytes), (XmlErrorKind::NotUtf8, start.len()), "{wrong:02x?}");
    }
    assert_eq!(refused([0xFF, 0xFE, b'<', 0, b'a', 0]), (XmlErrorKind::NotUtf8, 0));
}

#[test]
fn refuses_the_same_element_twice() {
    for marked in [
        "<xml><total_fee>1</total_fee>¶<total_fee>100</total_fee></xml>",
        "<xml><a>1</a>¶<a>1</a></xml>",
        "<xml><a>1</a><b/>¶<a/></xml>",
        "<xml><a/>¶<a x='1'></a></xml>",
    ] {
        check(XmlErrorKind::Duplicate, marked);
    }
}

#[test]
fn refuses_nesting() {
    for marked in [
        "<xml><a>¶<b>1</b></a></xml>",
        "<xml><a>1¶<b/></a></xml>",
        "<html><head>¶<title>404</title></head><body>Not Found</body></html>",
    ] {
        check(XmlErrorKind::Nested, marked);
    }
    let deep = "<a>".repeat(20_000);
    assert_eq!(refused(deep), (XmlErrorKind::Nested, 6));
}

#[test]
fn refuses_text_outside_the_fields() {
    for marked in [
        "¶{\"return_code\":\"SUCCESS\"}",
        "¶error",
        "¶&lt;<xml/>",
        "¶<![CDATA[ ]]><xml/>",
        "¶\u{85}<xml/>",
        "\u{FEFF}¶\u{FEFF}<xml/>",
        "<xml>¶text</xml>",
        "<xml>¶ 1 <a>1</a></xml>",
        "<xml><a>1</a>¶x</xml>",
        "<xml>¶&#32;<a>1</a></xml>",
        "<xml>¶<![CDATA[ ]]></xml>",
        "<xml/>¶1",
        "<xml/>\n¶&amp;",
        "<xml></xml>¶<![CDATA[]]>",
        "<xml><a>¶1]]>2</a></xml>",
        "<xml><a>¶]]]></a></xml>",
    ] {
        check(XmlErrorKind::StrayText, marked);
    }
}

#[test]
fn refuses_a_second_root() {
    for marked in ["<xml/>¶<xml/>", "<xml><a>1</a></xml>\n¶<b>2</b>"] {
        check(XmlErrorKind::SecondRoot, marked);
    }
}

#[test]
fn refuses_an_empty_body() {
    for text in ["", " \r\n", "\u{FEFF}", "<?xml version=\"1.0\"?>", "<!-- nothing -->\n"] {
        assert_eq!(refused(text), (XmlErrorKind::Empty, text.len()), "{text:?}");
    }
}

#[test]
fn refuses_comments_inside_values_and_malformed_ones() {
    for marked in [
        "<xml><total_fee>1¶<!-- -->00</total_fee></xml>",
        "<xml><a>¶<!----></a></xml>",
        "<xml><!-- a ¶-- b --></xml>",
        "<xml><!-- a ¶---></xml>",
    ] {
        let position = marked.find('¶').expect("a mark");
        let (kind, at) = refused(marked.replace('¶', ""));
        assert_eq!(kind, XmlErrorKind::Comment, "{marked}");
        // Inside a malformed comment the place is the comment's, not always the hyphens'.
        assert!(at <= position, "{marked}: {at}");
    }
    for marked in ["<xml>¶<!-- ", "<xml>¶<!-->", "<xml>¶<!--->"] {
        check(XmlErrorKind::Truncated, marked);
    }
}

#[test]
fn refuses_processing_instructions() {
    for marked in [
        "¶<?php echo 1 ?><xml/>",
        "<xml>¶<?x?></xml>",
        "<xml><a>¶<?x y?></a></xml>",
        "<xml/>¶<?x?>",
        "¶<?xml-stylesheet href='x'?><xml/>",
        "¶<?XML version='1.0'?><xml/>",
    ] {
        check(XmlErrorKind::ProcessingInstruction, marked);
    }
}

#[test]
fn refuses_malformed_and_misplaced_declarations() {
    for marked in [
        " ¶<?xml version=\"1.0\"?><xml/>",
        "<xml/>¶<?xml version=\"1.0\"?>",
        "<xml>¶<?xml version=\"1.0\"?></xml>",
        "<xml><a>¶<?xml version=\"1.0\"?></a></xml>",
        "<?xml version=\"1.0\"?>¶<?xml version=\"1.0\"?><xml/>",
        "¶<?xml?><xml/>",
        "¶<?xml ?><xml/>",
        "¶<?xml encoding=\"UTF-8\"?><xml/>",
        "¶<?xml version=\"1.1\"?><xml/>",
        "¶<?xml version=\"2.0\"?><xml/>",
        "¶<?xml version=\"1.\"?><xml/>",
        "¶<?xml version=1.0?><xml/>",
        "¶<?xml version=\"1.0\"encoding=\"UTF-8\"?><xml/>",
        "¶<?xml version=\"1.0\" standalone=\"yes\" encoding=\"UTF-8\"?><xml/>",
        "¶<?xml version=\"1.0\" encoding=\"\"?><xml/>",
        "¶<?xml version=\"1.0\" standalone=\"maybe\"?><xml/>",
        "¶<?xml version=\"1.0\" x=\"y\"?><xml/>",
    ] {
        check(XmlErrorKind::Declaration, marked);
    }
}

#[test]
fn refuses_what_is_no_name() {
    for marked in [
        "¶<1/>",
        "¶< xml/>",
        "¶<>",
        "¶<-a/>",
        "¶<a:b/>",
        "¶<:a/>",
        "<xml>¶<a&b>1</a&b></xml>",
        "<xml>¶<a/b>1</a/b></xml>",
        "<xml>¶<a/ ></xml>",
        "<xml>¶<a=\"1\"/></xml>",
        "<xml>¶<xs:a>1</xs:a></xml>",
        "<xml>¶<\u{2028}/></xml>",
    ] {
        check(XmlErrorKind::Name, marked);
    }
}

#[test]
fn refuses_malformed_attributes() {
    for marked in [
        "¶<xml a/>",
        "¶<xml a=1/>",
        "¶<xml a='1'b='2'/>",
        "¶<xml a='1' a='2'/>",
        "¶<xml a='1' b='2' a=\"3\"/>",
        "¶<xml a='<'/>",
        "¶<xml a='&x;'/>",
        "¶<xml a='&'/>",
        "¶<xml a='&#0;'/>",
        "¶<xml 1='1'/>",
        "¶<xml a:b:c='1'/>",
        "¶<xml ='1'/>",
        "<xml>¶<a x>1</a></xml>",
        "<xml>¶<a x='1' / ></xml>",
    ] {
        check(XmlErrorKind::Attribute, marked);
    }
}

#[test]
fn refuses_end_tags_that_do_not_match() {
    for marked in [
        "<xml><a>1¶</b></xml>",
        "<xml><a>1¶</A></a></xml>",
        "<xml><a>1¶</xml>",
        "¶</xml>",
        "<xml/>¶</xml>",
        "<xml><a>1¶</a b='c'></xml>",
        "<xml><a>1¶</ a></xml>",
    ] {
        check(XmlErrorKind::EndTag, marked);
    }
}

#[test]
fn refuses_a_message_cut_off_at_any_byte() {
    let whole = "<?xml version=\"1.0\"?><!--c--><xml><a b='1'>x&lt;</a><c><![CDATA[中]]></c></xml>";
    assert!(read(whole.as_bytes(), &MESSAGE_LIMITS).is_ok());
    for end in 0..whole.len() {
        let error = read(&whole.as_bytes()[..end], &MESSAGE_LIMITS).unwrap_err();
        assert!(error.position() <= end, "{end}: {error}");
    }
    for marked in [
        "<xml><a>1¶",
        "<xml><a>1</a>¶",
        "<xml>¶<a",
        "<xml><a>¶<![CDATA[1",
        "<xml><a>¶<![CDATA[1]]",
        "<xml><a>1¶</a",
        "<xml>¶<a b='1>",
        "<xml>¶<?x",
        "<xml>¶<",
    ] {
        check(XmlErrorKind::Truncated, marked);
    }
}

#[test]
fn refuses_one_past_every_limit() {
    let limits = {
        let mut limits = Limits::DEFAULT.with_bytes(60);
        limits.fields = 2;
        limits.name_len = 3;
        limits.value_len = 4;
        limits
    };
    for (text, what, limit, position) in [
        (&*" ".repeat(61), "bytes", 60, 60),
        ("<xml><a>1</a><b>2</b><c>3</c></xml>", "fields", 2, 21),
        ("<xml><a/><b/><c/></xml>", "fields", 2, 13),
        ("<xml><abcd>1</abcd></xml>", "name length", 3, 5),
        ("<root/>", "name length", 3, 0),
        ("<xml><a>12345</a></xml>", "value length", 4, 5),
        ("<xml><a>123&#52;<![CDATA[5]]></a></xml>", "value length", 4, 5),
        ("<xml><a>中文</a></xml>", "value length", 4, 5),
    ] {
        let mut exceeded = LimitExceeded::check("", 1, 0).unwrap_err();
        exceeded.what = what;
        exceeded.limit = limit;
        let error = read(text.as_bytes(), &limits).unwrap_err();
        assert_eq!(
            (error.kind(), error.position()),
            (XmlErrorKind::Limit(exceeded), position),
            "{text}"
        );
    }
    let mut flat = limits;
    flat.depth = 0;
    assert!(
        matches!(read(b"<xml><a/></xml>", &flat).unwrap_err().kind(), XmlErrorKind::Limit(exceeded) if exceeded.what == "depth")
    );
    assert!(read(b"<xml></xml>", &flat).is_ok());
}

#[test]
fn refuses_ten_megabytes_before_looking_at_them() {
    let body = "<xml>".to_owned() + &"<a>1</a>".repeat(10 << 17);
    let error = read(body.as_bytes(), &MESSAGE_LIMITS).unwrap_err();
    assert_eq!(error.position(), 64 << 10);
    assert!(matches!(error.kind(), XmlErrorKind::Limit(_)));
}

#[test]
fn a_tag_full_of_attributes_costs_no_quadratic_time() {
    let attributes: String = (0..6000).map(|number| format!(" a{number}=''")).collect();
    let text = format!("<xml{attributes} a0=''/>");
    assert!(text.len() < 64 << 10);
    assert_eq!(refused(text), (XmlErrorKind::Attribute, 0));
}

#[test]
fn an_error_shows_nothing_of_the_message() {
    let error: XmlError = read(b"<xml><secret>1</secret><secret>2</secret></xml>", &MESSAGE_LIMITS).unwrap_err();
    assert_eq!(error.to_string(), "an element that stands twice (byte 23)");
    for shown in [format!("{error:?}"), error.to_string()] {
        assert!(!shown.contains("secret"), "{shown}");
    }
    assert_eq!(error.kind().code(), "duplicate");
}
