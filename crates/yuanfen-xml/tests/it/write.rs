//! What is written, byte for byte, and what is not.

use yuanfen_core::{Fields, ValueError};
use yuanfen_xml::{MESSAGE_LIMITS, read, write};

use crate::other;

fn fields(pairs: &[(&str, &str)]) -> Fields {
    Fields::try_from(pairs).unwrap()
}

#[test]
fn writes_each_value_in_the_spelling_that_carries_it() {
    for (value, written) in [
        ("", ""),
        ("0", "0"),
        ("wx2421b1c4370ec43b", "wx2421b1c4370ec43b"),
        (
            "https://shop.example/notify_url-1.0",
            "https://shop.example/notify_url-1.0",
        ),
        ("元分", "<![CDATA[元分]]>"),
        ("a b", "<![CDATA[a b]]>"),
        (" 1 ", "<![CDATA[ 1 ]]>"),
        ("1\n2\t", "<![CDATA[1\n2\t]]>"),
        ("x < y & z", "<![CDATA[x < y & z]]>"),
        (
            "{\"h5_info\":{\"type\":\"Wap\"}}",
            "<![CDATA[{\"h5_info\":{\"type\":\"Wap\"}}]]>",
        ),
        ("]]", "<![CDATA[]]]]>"),
        ("]]>", "]]&gt;"),
        ("<a>]]>&", "&lt;a&gt;]]&gt;&amp;"),
        ("1\r\n2", "1&#13;\n2"),
        ("\r", "&#13;"),
        ("😀\u{7F}\u{FFFD}", "<![CDATA[😀\u{7F}\u{FFFD}]]>"),
    ] {
        let text = write("xml", &fields(&[("a", value)])).unwrap();
        assert_eq!(text, format!("<xml><a>{written}</a></xml>"));
        let expected = vec![("a".to_owned(), value.to_owned())];
        assert_eq!(other::read(&text), Some(("xml".to_owned(), expected)), "{value:?}");
        let read = read(text.as_bytes(), &MESSAGE_LIMITS).unwrap();
        assert_eq!(read.fields().get("a"), Some(value), "{value:?}");
    }
}

#[test]
fn writes_the_fields_in_their_order_and_nothing_else() {
    let order = fields(&[("mch_id", "10000100"), ("body", "测试"), ("appid", "wx1")]);
    assert_eq!(
        write("xml", &order).unwrap(),
        "<xml><mch_id>10000100</mch_id><body><![CDATA[测试]]></body><appid>wx1</appid></xml>"
    );
    assert_eq!(write("root", &Fields::new()).unwrap(), "<root></root>");
}

#[test]
fn refuses_characters_that_xml_cannot_carry_and_names_the_field() {
    for forbidden in [
        "\0", "\u{1}", "\u{8}", "\u{B}", "\u{C}", "\u{E}", "\u{1F}", "\u{FFFE}", "\u{FFFF}",
    ] {
        let error = write(
            "xml",
            &fields(&[("body", "1"), ("attach", &format!("秘密{forbidden}"))]),
        )
        .unwrap_err();
        assert_eq!(error.path, "attach");
        assert_eq!(
            error.problem,
            ValueError::Form {
                expected: "text that XML can carry"
            }
        );
        assert!(!error.to_string().contains("秘密"));
    }
    for allowed in [
        "\t",
        "\n",
        "\r",
        " ",
        "\u{D7FF}",
        "\u{E000}",
        "\u{FFFD}",
        "\u{10000}",
        "\u{10FFFF}",
    ] {
        assert!(write("xml", &fields(&[("a", allowed)])).is_ok(), "{allowed:?}");
    }
}

#[test]
fn refuses_names_that_are_no_element() {
    for name in [
        "1", "a b", "a>", "<", "a/", "-a", ".a", "a:b", "a&", "a\n", "\u{D7}", "$n",
    ] {
        assert_eq!(write("xml", &fields(&[(name, "1")])).unwrap_err().path, name);
        assert_eq!(write(name, &Fields::new()).unwrap_err().path, name);
    }
    assert!(write("", &Fields::new()).is_err());
}
