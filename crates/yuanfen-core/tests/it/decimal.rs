//! Exact decimals keep their text.

use proptest::prelude::*;
use yuanfen_core::{Decimal, DecimalError, WireText};

#[test]
fn keeps_text_that_a_float_would_lose() {
    for (text, scale) in [
        ("0.00030", 5),
        ("0.1", 1),
        ("100", 0),
        ("-0.50", 2),
        ("-0", 0),
        ("00.10", 2),
        ("123456789012345678901234567890.123456789", 9),
    ] {
        let decimal = Decimal::parse(text).unwrap();
        assert_eq!(decimal.as_str(), text);
        assert_eq!(decimal.to_string(), text);
        assert_eq!(decimal.to_text(), text);
        assert_eq!(decimal.scale(), scale, "{text}");
    }
}

#[test]
fn refuses_everything_but_plain_decimals() {
    for (text, position) in [
        ("+1", 0),
        (" 1", 0),
        ("1 ", 1),
        ("1e2", 1),
        (".5", 0),
        ("5.", 2),
        ("-", 1),
        ("-.5", 1),
        ("--1", 1),
        ("1-", 1),
        ("1.2.3", 3),
        ("1,5", 1),
        ("一", 0),
    ] {
        assert_eq!(
            Decimal::parse(text),
            Err(DecimalError::NotDecimal { position }),
            "{text:?}"
        );
    }
    assert_eq!(Decimal::parse(""), Err(DecimalError::Empty));
}

#[test]
fn reads_as_many_characters_as_the_limit_and_not_one_more() {
    let longest = "9".repeat(Decimal::MAX_LEN);
    assert_eq!(Decimal::parse(&longest).unwrap().as_str(), longest);
    assert_eq!(Decimal::parse(&format!("{longest}9")), Err(DecimalError::TooLong));
}

#[test]
fn compares_values_whatever_their_scale() {
    let same = |left: &str, right: &str| {
        let (left, right) = (Decimal::parse(left).unwrap(), Decimal::parse(right).unwrap());
        assert_eq!(left.same_value(&right), right.same_value(&left));
        left.same_value(&right)
    };
    assert!(same("0.00030", "0.0003"));
    assert!(same("1", "001.000"));
    assert!(same("-0", "0.00"));
    assert!(!same("-1", "1"));
    assert!(!same("10", "1"));
    assert!(!same("0.1", "0.01"));
    assert_ne!(Decimal::parse("1.0"), Decimal::parse("1"));
}

#[test]
fn no_format_option_cuts_a_decimal() {
    let rate = Decimal::parse("0.00030").unwrap();
    assert_eq!(format!("{rate:.2}"), "0.00030");
    assert_eq!(format!("{rate:>9}"), "  0.00030");
    assert_eq!(format!("{:08}", Decimal::parse("-1.5").unwrap()), "-00001.5");
}

proptest! {
    #[test]
    fn accepts_exactly_the_grammar(text in prop_oneof!["-?[0-9]{1,6}(\\.[0-9]{1,6})?", "[-+0-9.e ]{0,6}", "\\PC{0,4}"]) {
        let unsigned = text.strip_prefix('-').unwrap_or(&text);
        let parts: Vec<&str> = unsigned.split('.').collect();
        let plain = parts.len() <= 2
            && parts.iter().all(|part| !part.is_empty() && part.bytes().all(|byte| byte.is_ascii_digit()));
        prop_assert_eq!(Decimal::parse(&text).is_ok(), plain);
    }
}
