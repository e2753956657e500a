use std::error::Error as _;

use proptest::prelude::*;
use yuanfen_core::{Fields, JsonTaker, Limits};
use yuanfen_form::base64_json::{decode, encode, repair_spaces};
use yuanfen_form::{FormErrorKind, read};

/// mpgateway sheet, section 5, V1 to V5: payload and base64.
const VECTORS: [(&str, &str); 5] = [
    (
        r#"{"action":"WxSao","txnamt":100,"merid":"00000001","orderid":"TEST20240102030405","backurl":"https://shop.example/notify"}"#,
        "eyJhY3Rpb24iOiJXeFNhbyIsInR4bmFtdCI6MTAwLCJtZXJpZCI6IjAwMDAwMDAxIiwib3JkZXJpZCI6IlRFU1QyMDI0MDEwMjAzMDQwNSIsImJhY2t1cmwiOiJodHRwczovL3Nob3AuZXhhbXBsZS9ub3RpZnkifQ==",
    ),
    (
        r#"{"respcode":"00","respmsg":"成功！","txnamt":100,"merid":"00000001","orderid":"TEST20240102030405","queryid":"H0000000000000000000000001","formaction":"weixin://wxpay/bizpayurl?pr=TESTpr1"}"#,
        "eyJyZXNwY29kZSI6IjAwIiwicmVzcG1zZyI6IuaIkOWKn++8gSIsInR4bmFtdCI6MTAwLCJtZXJpZCI6IjAwMDAwMDAxIiwib3JkZXJpZCI6IlRFU1QyMDI0MDEwMjAzMDQwNSIsInF1ZXJ5aWQiOiJIMDAwMDAwMDAwMDAwMDAwMDAwMDAwMDAwMSIsImZvcm1hY3Rpb24iOiJ3ZWl4aW46Ly93eHBheS9iaXpwYXl1cmw/cHI9VEVTVHByMSJ9",
    ),
    (
        r#"{"resultcode":"0000","resultmsg":"支付成功！","txnamt":100,"merid":"00000001","orderid":"TEST20240102030405","queryid":"H0000000000000000000000001","paytime":"2024-01-02 03:05:06"}"#,
        "eyJyZXN1bHRjb2RlIjoiMDAwMCIsInJlc3VsdG1zZyI6IuaUr+S7mOaIkOWKn++8gSIsInR4bmFtdCI6MTAwLCJtZXJpZCI6IjAwMDAwMDAxIiwib3JkZXJpZCI6IlRFU1QyMDI0MDEwMjAzMDQwNSIsInF1ZXJ5aWQiOiJIMDAwMDAwMDAwMDAwMDAwMDAwMDAwMDAwMSIsInBheXRpbWUiOiIyMDI0LTAxLTAyIDAzOjA1OjA2In0=",
    ),
    (
        r#"{"merid":"00000001","orderid":"TEST20240102030405"}"#,
        "eyJtZXJpZCI6IjAwMDAwMDAxIiwib3JkZXJpZCI6IlRFU1QyMDI0MDEwMjAzMDQwNSJ9",
    ),
    (
        r#"{"merid":"00000001","orderid":"TEST20240102030405","code":"PAYID-TEST-0001"}"#,
        "eyJtZXJpZCI6IjAwMDAwMDAxIiwib3JkZXJpZCI6IlRFU1QyMDI0MDEwMjAzMDQwNSIsImNvZGUiOiJQQVlJRC1URVNULTAwMDEifQ==",
    ),
];

#[test]
fn encodes_and_decodes_the_payloads_of_the_mpgateway_sheet() {
    for (payload, text) in VECTORS {
        assert_eq!(encode(payload.as_bytes()), text);
        let (json, object) = decode(text, &Limits::DEFAULT).unwrap();
        assert_eq!(json, payload.as_bytes());
        let order: String = JsonTaker::new(&object).need("orderid").unwrap();
        assert_eq!(order, "TEST20240102030405");
    }
}

#[test]
fn repairs_a_notice_whose_plus_signs_were_not_escaped() {
    let (payload, text) = VECTORS[2];
    let body = format!("resp={text}&sign=c5cc6254ec1d4547f6ac083ee200cc63");
    let fields = read(body.as_bytes(), &Limits::DEFAULT).unwrap();
    let damaged = fields.get("resp").unwrap();
    assert_ne!(damaged, text);
    let refused = decode(damaged, &Limits::DEFAULT).unwrap_err();
    assert_eq!(refused.kind, FormErrorKind::Base64, "decoding alone repairs nothing");
    assert_eq!(Some(refused.position), damaged.find(' '));
    assert_eq!(repair_spaces(damaged), text);
    assert_eq!(
        decode(&repair_spaces(damaged), &Limits::DEFAULT).unwrap().0,
        payload.as_bytes()
    );
}

#[test]
fn leaves_a_whole_text_alone_when_repairing() {
    for (_, text) in VECTORS {
        let body = yuanfen_form::write(&Fields::try_from(&[("resp", text)][..]).unwrap());
        let fields = read(body.as_bytes(), &Limits::DEFAULT).unwrap();
        assert_eq!(repair_spaces(fields.get("resp").unwrap()), text);
    }
    // Only spaces: a line break or tab is another kind of damage.
    assert_eq!(repair_spaces("a\tb\nc\u{a0}d"), "a\tb\nc\u{a0}d");
}

#[test]
fn refuses_base64_that_is_not_strict() {
    // `{}` is `e30=`, `{"a":1}` is `eyJhIjoxfQ==`, `{"a":"??>>"}` has a `+`.
    assert_eq!(encode(br#"{"a":"??>>"}"#), "eyJhIjoiPz8+PiJ9");
    for text in [
        "e30",
        "e30==",
        "=e30",
        "eyJhIjoxfQ",
        "eyJhIjoxfQ=",
        "eyJhIjoxfQ===",
        "e30=e30=",
        "e30%3D",
        "a",
        "=",
        "====",
    ] {
        let error = decode(text, &Limits::DEFAULT).expect_err(text);
        assert_eq!(error.kind, FormErrorKind::Base64, "{text:?}");
        assert!(error.position <= text.len());
    }
    for (text, position) in [
        (" e30=", 0),
        ("e3=0", 2),
        ("eyJhIj\noxfQ==", 6),
        ("eyJhIjoiPz8-PiJ9", 11),
        ("eyJhIjoiPz8 PiJ9", 11),
        ("eyJhIjoiPz8_PiJ9", 11),
        // Stray bits in the last symbol.
        ("e31=", 2),
        ("eyJhIjoxfR==", 9),
        ("支", 0),
    ] {
        let error = decode(text, &Limits::DEFAULT).expect_err(text);
        assert_eq!(
            (error.kind, error.position),
            (FormErrorKind::Base64, position),
            "{text:?}"
        );
    }
    for text in ["e30= ", "e30=\n", "e30=\r\n", "e30=\0"] {
        assert_eq!(
            decode(text, &Limits::DEFAULT).expect_err(text).kind,
            FormErrorKind::Base64
        );
    }
}

#[test]
fn refuses_what_is_no_object_within_the_limits_and_says_why() {
    for (json, why) in [
        (&b""[..], "not a JSON object (line 1, column 0)"),
        (b"[]", "not a JSON object (line 1, column 0)"),
        (b"\"text\"", "not a JSON object (line 1, column 6)"),
        (b"{\"a\":1", "not a JSON object (line 1, column 6)"),
        (b"{\"a\":1}{}", "not a JSON object (line 1, column 8)"),
        (b"{\"a\":1,\"a\":1}", "field `a`: stands twice in one message"),
        (b"{\"\":1}", "field ``: has no name"),
        (b"{\"a\":\"\xFF\"}", "not UTF-8 (byte 6)"),
        (b"<html></html>", "not a JSON object (line 1, column 1)"),
    ] {
        let error = decode(&encode(json), &Limits::DEFAULT).expect_err("refused");
        assert!(matches!(error.kind, FormErrorKind::Json(_)), "{error:?}");
        assert_eq!(error.source().unwrap().to_string(), why, "{}", json.escape_ascii());
        assert!(!error.to_string().contains(why), "Display repeats its source");
    }
}

#[test]
fn reads_up_to_the_limit_and_not_one_past_it() {
    let json = br#"{"a":"12345"}"#;
    let limits = |bytes| Limits::DEFAULT.with_bytes(bytes);
    assert!(decode(&encode(json), &limits(json.len())).is_ok());
    assert!(decode(&encode(json), &limits(json.len() - 1)).is_err());
    let huge = encode(&vec![b' '; 10 << 20]);
    let error = decode(&huge, &Limits::DEFAULT).unwrap_err();
    assert_eq!(error.to_string(), "bytes beyond the limit of 1048576 (byte 0)");
    // The estimate before decoding never refuses what would fit.
    for length in 2..20 {
        let json = format!("{{{}}}", " ".repeat(length - 2));
        assert!(decode(&encode(json.as_bytes()), &limits(length)).is_ok(), "{length}");
    }
}

#[test]
fn reads_deep_nesting_without_using_the_stack() {
    let json = format!("{{\"a\":{}{}}}", "[".repeat(120), "]".repeat(120));
    assert!(decode(&encode(json.as_bytes()), &Limits::DEFAULT).is_ok());
    let bomb = format!("{{\"a\":{}{}}}", "[".repeat(300_000), "]".repeat(300_000));
    // Refused or read, but without a panic and without overflowing the stack.
    drop(decode(&encode(bomb.as_bytes()), &Limits::DEFAULT));
}

proptest! {
    #[test]
    fn decodes_what_it_encoded(names in proptest::collection::btree_set("[a-z支+ ]{1,6}", 0..6), number in any::<u32>()) {
        let members: Vec<_> = names.iter().map(|name| format!("\"{name}\":{number}")).collect();
        let json = format!("{{{}}}", members.join(","));
        let text = encode(json.as_bytes());
        let (bytes, object) = decode(&text, &Limits::DEFAULT).unwrap();
        prop_assert_eq!(bytes, json.as_bytes());
        prop_assert_eq!(object.len(), names.len());
        let damaged = text.replace('+', " ");
        prop_assert_eq!(repair_spaces(&damaged), text);
    }

    #[test]
    fn accepts_one_spelling_of_the_same_bytes(text in "[A-Za-z0-9+/=]{0,24}") {
        if let Ok((json, _)) = decode(&text, &Limits::DEFAULT) {
            prop_assert_eq!(encode(&json), text);
        }
    }

    #[test]
    fn never_panics(text in any::<String>()) {
        drop(decode(&text, &Limits::DEFAULT));
        drop(repair_spaces(&text));
    }
}
