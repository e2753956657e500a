//! JSON objects: text that floats and maps would lose, and what a stranger may send.

use proptest::prelude::*;
use yuanfen_core::{FieldError, LimitExceeded, Limits, Object, ObjectError, ValueError};

fn parse(text: &str) -> Result<Object, ObjectError> {
    Object::parse(text.as_bytes(), &Limits::DEFAULT)
}

fn members(object: &Object) -> Vec<(&str, &str)> {
    object.iter().collect()
}

fn is_syntax(result: &Result<Object, ObjectError>) -> bool {
    matches!(result, Err(ObjectError::Syntax { .. }))
}

#[test]
fn keeps_text_that_floats_and_maps_would_lose() {
    let object = parse(
        r#" { "z" : 0.00030, "a":1e2 ,"big":123456789012345678901234567890,"neg":-0, "exp":1.0E+400,
        "text":"\u4e2d\/", "list":[ 1, 2 ], "inner" : { "b":1, "a":2 }, "t":true,"n":null } "#,
    )
    .unwrap();
    assert_eq!(
        members(&object),
        [
            ("z", "0.00030"),
            ("a", "1e2"),
            ("big", "123456789012345678901234567890"),
            ("neg", "-0"),
            ("exp", "1.0E+400"),
            ("text", r#""\u4e2d\/""#),
            ("list", "[ 1, 2 ]"),
            ("inner", r#"{ "b":1, "a":2 }"#),
            ("t", "true"),
            ("n", "null"),
        ]
    );
    assert_eq!(object.raw("big"), Some("123456789012345678901234567890"));
    assert_eq!(object.raw("absent"), None);
    assert_eq!((object.len(), object.is_empty()), (10, false));
    assert!(parse("{}").unwrap().is_empty());
}

#[test]
fn refuses_a_name_twice_however_it_is_spelled() {
    for text in [
        r#"{"a":1,"a":1}"#,
        r#"{"a":1,"b":2,"a":3}"#,
        r#"{"\u0061":1,"a":2}"#,
        r#"{"a":1,"\u0061":2}"#,
    ] {
        let expected = ObjectError::Field(FieldError::new("a", ValueError::Duplicate));
        assert_eq!(parse(text).unwrap_err(), expected, "{text}");
    }
    assert!(parse(r#"{"a":1,"A":2,"a ":3}"#).is_ok());
}

#[test]
fn refuses_an_empty_name() {
    let expected = ObjectError::Field(FieldError::new("", ValueError::Unnamed));
    assert_eq!(parse(r#"{"a":1,"":2}"#).unwrap_err(), expected);
}

#[test]
fn refuses_what_is_no_object() {
    for text in [
        "",
        " ",
        "null",
        "1",
        r#""a""#,
        "[]",
        r#"[{"a":1}]"#,
        "{",
        "}",
        "<xml/>",
        "<!DOCTYPE html>",
        r#"{"a":}"#,
        r#"{"a" 1}"#,
        r#"{"a":1 "b":2}"#,
        r#"{"a":1,}"#,
        "{'a':1}",
        "{a:1}",
        "{“a”:1}",
        r#"{1:"a"}"#,
        r#"{"a":01}"#,
        r#"{"a":+1}"#,
        r#"{"a":.5}"#,
        r#"{"a":5.}"#,
        r#"{"a":NaN}"#,
        r#"{"a":"\x"}"#,
        r#"{"a":"\u12"}"#,
        r#"{"a":"b}"#,
        r#"{"a":tru}"#,
        "{\"a\":\"line\nbreak\"}",
        "{\"a\":\"nul\0\"}",
        "{\"a\":1}\0",
        "\0{\"a\":1}",
        r#"{"a":1} {"#,
        r#"{"a":1}x"#,
        r#"{"a":1}{"a":1}"#,
        "\u{feff}{}",
        "/* comment */ {}",
    ] {
        assert!(is_syntax(&parse(text)), "{text:?} gave {:?}", parse(text));
    }
}

#[test]
fn says_where_the_json_broke() {
    let Err(ObjectError::Syntax { line, column }) = parse("{\n \"a\": 1\n \"b\": 2\n}") else {
        panic!("not refused");
    };
    assert_eq!((line, column), (3, 2));
}

#[test]
fn refuses_invalid_utf_8_and_says_where() {
    for (bytes, position) in [
        (&b"{\"a\":\"\xff\"}"[..], 6),
        (b"\xff", 0),
        (b"{\"\xed\xa0\x80\":1}", 2),
        (b"{\"a\":\"\xe4\xb8\"}", 6),
    ] {
        let refused = Object::parse(bytes, &Limits::DEFAULT);
        assert_eq!(refused.unwrap_err(), ObjectError::NotUtf8 { position });
    }
}

#[test]
fn nesting_costs_no_stack() {
    let depth = 100_000;
    let nested = format!("{{\"a\":{}{}}}", "[".repeat(depth), "]".repeat(depth));
    assert_eq!(parse(&nested).unwrap().raw("a").map(str::len), Some(2 * depth));
    let objects = format!("{{\"a\":{}1{}}}", "{\"b\":".repeat(depth), "}".repeat(depth));
    assert_eq!(parse(&objects).unwrap().len(), 1);
    for open in ["{\"a\":", "[", "{\"a\":["] {
        assert!(is_syntax(&parse(&open.repeat(depth))));
    }
}

#[test]
fn each_limit_holds_at_it_and_not_one_past() {
    let refused = |text: &str, limits: &Limits| match Object::parse(text.as_bytes(), limits) {
        Ok(_) => None,
        Err(ObjectError::Limit(LimitExceeded { what, limit, .. })) => Some((what, limit)),
        Err(other) => panic!("{other:?}"),
    };
    let mut limits = Limits::default();
    limits.bytes = 7;
    assert_eq!(refused(r#"{"a":1}"#, &limits), None);
    assert_eq!(refused(r#"{"a":12}"#, &limits), Some(("bytes", 7)));

    let mut limits = Limits::DEFAULT;
    limits.fields = 2;
    assert_eq!(refused(r#"{"a":1,"b":2}"#, &limits), None);
    assert_eq!(refused(r#"{"a":1,"b":2,"c":3}"#, &limits), Some(("fields", 2)));
    // The limit comes first: what stands behind it is not read any more.
    assert_eq!(refused(r#"{"a":1,"b":2,"a":3 broken"#, &limits), Some(("fields", 2)));

    let mut limits = Limits::DEFAULT;
    limits.name_len = 3;
    assert_eq!(refused(r#"{"abc":1}"#, &limits), None);
    assert_eq!(refused(r#"{"abcd":1}"#, &limits), Some(("name length", 3)));
    assert_eq!(refused(r#"{"中":1}"#, &limits), None);

    let mut limits = Limits::DEFAULT;
    limits.value_len = 3;
    assert_eq!(refused(r#"{"a":"b"}"#, &limits), None);
    assert_eq!(refused(r#"{"a":"bc"}"#, &limits), Some(("value length", 3)));
}

#[test]
fn a_body_of_10_mb_is_refused_unread_unless_it_is_asked_for() {
    let body = format!("{{\"a\":\"{}\"}}", "x".repeat(10_000_000));
    let refused = parse(&body).unwrap_err();
    assert_eq!(refused.to_string(), "bytes beyond the limit of 1048576");
    let mut limits = Limits::DEFAULT.with_bytes(20_000_000);
    let refused = Object::parse(body.as_bytes(), &limits).unwrap_err();
    assert_eq!(refused.to_string(), "value length beyond the limit of 1048576");
    limits.value_len = limits.bytes;
    assert!(Object::parse(body.as_bytes(), &limits).is_ok());
}

#[test]
fn a_doubled_name_in_an_error_is_no_longer_than_the_limit() {
    let name = "n".repeat(200_000);
    let refused = parse(&format!("{{\"{name}\":1,\"{name}\":2}}")).unwrap_err();
    assert!(refused.to_string().len() < 100, "{} bytes", refused.to_string().len());
}

#[test]
fn flat_fields_have_the_text_of_each_value() {
    let object = parse(r#"{"t":"a\"b\\\n\u4e2d\ud83d\ude00","n":0.00030,"b":false,"z":null,"e":""}"#).unwrap();
    let fields = object.to_fields().unwrap();
    let expected = [
        ("t", "a\"b\\\n中😀"),
        ("n", "0.00030"),
        ("b", "false"),
        ("z", ""),
        ("e", ""),
    ];
    assert_eq!(fields.iter().collect::<Vec<_>>(), expected);
}

#[test]
fn flat_fields_have_no_place_for_objects_and_lists() {
    for (text, found) in [(r#"{"a":{}}"#, "an object"), (r#"{"a":[1]}"#, "a list")] {
        let problem = ValueError::WrongType {
            expected: "a single value",
            found,
        };
        assert_eq!(parse(text).unwrap().to_fields(), Err(FieldError::new("a", problem)));
    }
}

#[test]
fn a_lone_surrogate_is_an_error_of_its_field() {
    for text in [r#"{"a":"\ud800"}"#, r#"{"a":"\udc00x"}"#, r#"{"a":"\ud83dA"}"#] {
        let object = parse(text).unwrap();
        let error = object.to_fields().unwrap_err();
        assert_eq!(
            error,
            FieldError::new(
                "a",
                ValueError::Form {
                    expected: "Unicode text"
                }
            ),
            "{text}"
        );
    }
    assert!(is_syntax(&parse(r#"{"\ud800":1}"#)));
}

proptest! {
    #[test]
    fn no_bytes_make_it_panic(bytes in prop::collection::vec(any::<u8>(), 0..64)) {
        drop(Object::parse(&bytes, &Limits::DEFAULT));
    }

    #[test]
    fn no_json_like_text_makes_it_panic(text in r#"[{}\[\]:,"\\u0-9a-fde. -]{0,40}"#) {
        if let Ok(object) = parse(&text) {
            drop(object.to_fields());
        }
    }

    #[test]
    fn texts_come_back_as_another_writer_wrote_them(pairs in prop::collection::btree_map("\\PC{1,6}", "\\PC*|[\\x00-\\x1f\"\\\\]{0,8}", 0..8)) {
        let written = serde_json::to_vec(&pairs).unwrap();
        let fields = Object::parse(&written, &Limits::DEFAULT).unwrap().to_fields().unwrap();
        let expected: Vec<(&str, &str)> = pairs.iter().map(|(name, value)| (&**name, &**value)).collect();
        prop_assert_eq!(fields.iter().collect::<Vec<_>>(), expected);
    }
}
