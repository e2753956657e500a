//! What is accepted, and as which values.

use yuanfen_core::Limits;
use yuanfen_xml::{MESSAGE_LIMITS, read};

use crate::other;

/// The fields, after another parser has agreed on them.
#[track_caller]
fn fields(text: &str) -> Vec<(String, String)> {
    let document = read(text.as_bytes(), &MESSAGE_LIMITS).unwrap();
    let ours = other::same_shape(&document);
    assert_eq!(other::read(text).expect("the other parser reads it too"), ours);
    ours.1
}

#[track_caller]
fn value(content: &str) -> String {
    let mut fields = fields(&format!("<xml><a>{content}</a></xml>"));
    assert_eq!(fields.len(), 1);
    fields.remove(0).1
}

#[test]
fn reads_every_spelling_of_a_value() {
    for (content, expected) in [
        ("", ""),
        ("1", "1"),
        ("<![CDATA[1]]>", "1"),
        ("<![CDATA[]]>", ""),
        ("<![CDATA[]]><![CDATA[]]>", ""),
        ("<![CDATA[a]]>b", "ab"),
        ("a<![CDATA[b]]>c<![CDATA[d]]>", "abcd"),
        ("<![CDATA[<a>&amp;]]>", "<a>&amp;"),
        ("<![CDATA[]]]>", "]"),
        ("<![CDATA[]]]]><![CDATA[>]]>", "]]>"),
        ("]]&gt;", "]]>"),
        ("]]<![CDATA[>]]>", "]]>"),
        ("] ]>", "] ]>"),
        ("a > b", "a > b"),
        ("&lt;&gt;&amp;&apos;&quot;", "<>&'\""),
        ("&#20013;&#x6587;&#x1F600;", "中文😀"),
        ("&#x000041;&#0065;", "AA"),
        ("&amp;lt;", "&lt;"),
        ("中文，😀", "中文，😀"),
        ("\u{FEFF}", "\u{FEFF}"),
        ("\u{FFFD}\u{85}\u{2028}\u{7F}", "\u{FFFD}\u{85}\u{2028}\u{7F}"),
    ] {
        assert_eq!(value(content), expected, "{content}");
    }
}

#[test]
fn trims_nothing() {
    for content in [" ", " 1", "1 ", "\n1\n", "\t", "\n", "  \n\t "] {
        assert_eq!(value(content), content);
        assert_eq!(value(&format!("<![CDATA[{content}]]>")), content);
    }
}

#[test]
fn reads_line_ends_as_xml_says() {
    for (content, expected) in [
        ("1\r\n2", "1\n2"),
        ("1\r2", "1\n2"),
        ("1\r\r\n\r2\r", "1\n\n\n2\n"),
        ("\r<![CDATA[\n]]>", "\n\n"),
        ("<![CDATA[1\r\n2\r]]>", "1\n2\n"),
        ("1&#13;2", "1\r2"),
        ("1&#xD;&#xA;2", "1\r\n2"),
        ("1&#13;\n2", "1\r\n2"),
    ] {
        assert_eq!(value(content), expected, "{content:?}");
    }
}

#[test]
fn a_carriage_return_beside_a_reference_is_a_line_feed_too() {
    // Here the other parser leaves the specification, so it is not asked; expat gives these values.
    let text = "<xml><a>&#65;\rB&amp;\r\nC</a><b>\r&lt;</b></xml>";
    assert!(other::is_wrong_about(text));
    let document = read(text.as_bytes(), &MESSAGE_LIMITS).unwrap();
    assert_eq!(document.fields().get("a"), Some("A\nB&\nC"));
    assert_eq!(document.fields().get("b"), Some("\n<"));
}

#[test]
fn reads_what_may_stand_around_the_fields() {
    let expected = [("a".to_owned(), "1".to_owned())];
    for text in [
        "<xml><a>1</a></xml>",
        "<xml>\n  <a>1</a>\r\n\t</xml>\n",
        "\u{FEFF}<xml><a>1</a></xml>",
        "\n <xml><a>1</a></xml>",
        "<?xml version=\"1.0\"?><xml><a>1</a></xml>",
        "<?xml version='1.0' encoding='UTF-8' standalone='yes' ?>\r\n<xml><a>1</a></xml>",
        "<?xml version=\"1.0\" standalone=\"no\"?><xml><a>1</a></xml>",
        "<?xml version = \"1.0\"\t?><xml><a>1</a></xml>",
        "<?xml version=\"1.2\"?><xml><a>1</a></xml>",
        "\u{FEFF}<?xml version=\"1.0\" encoding=\"GB2312\"?><xml><a>1</a></xml>",
        "<!-- before --><xml><!-- between --><a>1</a><!----></xml><!-- after -->",
        "<xml ><a >1</a ></xml\n>",
        "<xml a=\"1\"><a b = '2' c=\"'&gt;&#65;\">1</a></xml>",
    ] {
        assert_eq!(fields(text), expected, "{text:?}");
    }
}

#[test]
fn reads_empty_elements_as_empty_values() {
    let names = ["a", "b", "c", "d"].map(|name| (name.to_owned(), String::new()));
    assert_eq!(fields("<xml><a/><b></b><c /><d x='1'/></xml>"), names);
}

#[test]
fn reads_a_message_without_fields() {
    for text in ["<xml/>", "<xml></xml>", "<xml> </xml>"] {
        assert!(fields(text).is_empty());
    }
}

#[test]
fn tells_the_name_of_the_root() {
    for root in ["xml", "root", "html", "消息"] {
        let document = read(format!("<{root}><a>1</a></{root}>").as_bytes(), &MESSAGE_LIMITS).unwrap();
        assert_eq!(document.root(), root);
        assert_eq!(document.into_fields().get("a"), Some("1"));
    }
}

#[test]
fn keeps_the_order_and_the_case_of_names() {
    let names: Vec<_> =
        fields("<xml><b>1</b><A>2</A><a>3</a><coupon_fee_10>4</coupon_fee_10><coupon_fee>5</coupon_fee></xml>")
            .into_iter()
            .map(|(name, _)| name)
            .collect();
    assert_eq!(names, ["b", "A", "a", "coupon_fee_10", "coupon_fee"]);
}

#[test]
fn takes_the_names_that_xml_takes() {
    for name in ["_", "a-b.c", "a1", "é", "名字", "a\u{B7}", "a\u{300}", "\u{10000}"] {
        assert_eq!(
            fields(&format!("<xml><{name}>1</{name}></xml>")),
            [(name.to_owned(), "1".to_owned())]
        );
    }
}

#[test]
fn takes_everything_at_its_limit() {
    let limits = {
        let mut limits = Limits::DEFAULT.with_bytes(43);
        limits.fields = 2;
        limits.name_len = 3;
        limits.value_len = 4;
        limits
    };
    let document = read(
        b"<xml><abc>1234</abc><d>&#49;234</d></xml>\n\n\n\n"[..]
            .get(..43)
            .unwrap(),
        &limits,
    )
    .unwrap();
    assert_eq!(document.fields().get("d"), Some("1234"));
}

#[test]
fn debug_shows_no_value() {
    let document = read(
        b"<xml><openid>oUpF8uMEb4qRXf22hE3X68TekukE</openid></xml>",
        &MESSAGE_LIMITS,
    )
    .unwrap();
    let shown = format!("{document:?}");
    assert!(shown.contains("openid") && !shown.contains("oUpF8"), "{shown}");
}
