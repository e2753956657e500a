//! Rules at their limit and one past it.

use yuanfen_core::{Alphabet, BuildError, Rule, RuleBroken, Unit};

fn broken(rule: &Rule, value: &str) -> Option<RuleBroken> {
    match rule.check(value) {
        Ok(()) => None,
        Err(BuildError::Rule(broken)) => Some(broken),
        Err(other) => panic!("{other:?}"),
    }
}

#[test]
fn characters_are_counted_as_characters() {
    let rule = Rule::new("body", 4).min(2).source("the sheet");
    assert_eq!((rule.unit, rule.min, rule.max), (Unit::Characters, 2, 4));
    assert_eq!(broken(&rule, "商品"), None);
    assert_eq!(broken(&rule, "商品描述"), None);
    let error = rule.check("商品描述啊").unwrap_err();
    assert_eq!(
        error.to_string(),
        "`body` has 5 characters, at most 4 are allowed (the sheet)"
    );
    assert_eq!(error.field(), Some("body"));
    let error = rule.check("商").unwrap_err();
    assert_eq!(
        error.to_string(),
        "`body` has 1 characters, at least 2 are required (the sheet)"
    );
}

#[test]
fn bytes_are_counted_as_bytes_of_utf_8() {
    let rule = Rule::new("attach", 6).bytes();
    assert_eq!(broken(&rule, "商品"), None);
    assert_eq!(broken(&rule, "abcdef"), None);
    assert!(matches!(
        broken(&rule, "商品a"),
        Some(RuleBroken::TooLong {
            length: 7,
            max: 6,
            unit: "bytes",
            ..
        })
    ));
    assert!(matches!(
        broken(&rule, "abcdefg"),
        Some(RuleBroken::TooLong { length: 7, .. })
    ));
}

#[test]
fn an_empty_value_is_refused_unless_the_rule_says_otherwise() {
    let rule = Rule::new("attach", 5);
    assert!(matches!(
        broken(&rule, ""),
        Some(RuleBroken::TooShort { length: 0, min: 1, .. })
    ));
    assert_eq!(broken(&rule.min(0), ""), None);
    assert!(rule.check_maybe(None).is_ok());
    assert!(rule.check_maybe(Some("")).is_err());
    assert!(rule.check_maybe(Some("x")).is_ok());
}

#[test]
fn each_alphabet_takes_its_edges_and_refuses_their_neighbors() {
    for (alphabet, taken, refused) in [
        (Alphabet::PRINTABLE, " ~中😀\u{a0}", "\0\n\t\u{7f}\u{85}"),
        (Alphabet::TEXT, " ~中😀\n\r\t", "\0\u{b}\u{1f}\u{7f}\u{fffe}\u{ffff}"),
        (Alphabet::BASIC_PLANE, " ~中\u{ffff}", "😀\n\u{10000}"),
        (Alphabet::ASCII, " ~", "\u{1f}\u{7f}é中"),
        (Alphabet::DIGITS, "09", "/:a１"),
        (Alphabet::ALPHANUMERIC, "azAZ09", "@[`{/:_-é"),
        (Alphabet::WORD, "azAZ09_", "-|* é"),
        (Alphabet::WORD_HYPHEN, "azAZ09_-", "|*@. "),
        (Alphabet::WECHAT_ORDER, "azAZ09_-|*", "@ .+,/\\中"),
        (Alphabet::WECHAT_NUMBER, "azAZ09_-|*@", " .+,/\\中"),
        (Alphabet::new("only x", |character| character == 'x'), "x", "yX"),
    ] {
        for character in taken.chars() {
            assert!(alphabet.accepts(character), "{}: {character:?}", alphabet.words);
        }
        for character in refused.chars() {
            assert!(!alphabet.accepts(character), "{}: {character:?}", alphabet.words);
        }
    }
}

#[test]
fn a_character_outside_the_alphabet_is_named_by_its_place() {
    let rule = Rule::new("out_trade_no", 32).alphabet(Alphabet::WECHAT_ORDER);
    let error = broken(&rule, "中A@").unwrap();
    assert!(matches!(
        error,
        RuleBroken::Character {
            field: "out_trade_no",
            position: 0,
            ..
        }
    ));
    let RuleBroken::Character { position, .. } =
        broken(&Rule::new("f", 9).alphabet(Alphabet::BASIC_PLANE), "中文😀").unwrap()
    else {
        panic!("another error");
    };
    assert_eq!(position, 2);
    assert!(!error.to_string().contains('中'), "the value is no part of the error");
}
