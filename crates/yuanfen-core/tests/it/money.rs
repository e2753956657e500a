//! Whole fen read, one spelling written, overflow.

use proptest::prelude::*;
use yuanfen_core::{Decimal, Fen, MoneyError, PayAmount, ValueError, WireText, Yuan};

#[test]
fn reads_every_exact_decimal_that_is_whole_fen() {
    for (text, fen) in [
        ("0", 0),
        ("0.0", 0),
        ("-0", 0),
        ("-0.00", 0),
        ("0.01", 1),
        ("0.0100", 1),
        ("0.1", 10),
        ("1", 100),
        ("43.9", 4390),
        ("45.0", 4500),
        ("45.00", 4500),
        ("007.50", 750),
        ("-1", -100),
        ("-12.34", -1234),
        ("12.340000000000000000000000000000", 1234),
        ("100000000.00", 10_000_000_000),
        ("92233720368547758.07", i64::MAX),
        ("-92233720368547758.08", i64::MIN),
        ("0000000000000000000000000000000000000001", 100),
    ] {
        assert_eq!(Fen::from_yuan_text(text), Ok(Fen::new(fen)), "{text}");
        assert_eq!(Yuan::read(text), Ok(Yuan(Fen::new(fen))), "{text}");
    }
}

#[test]
fn refuses_what_is_not_a_plain_decimal_and_says_where() {
    for (text, position) in [
        ("+1", 0),
        (" 1", 0),
        ("1 ", 1),
        ("1e2", 1),
        ("1E2", 1),
        (".5", 0),
        ("5.", 2),
        (".", 0),
        ("-", 1),
        ("--1", 1),
        ("-+1", 1),
        ("-.5", 1),
        ("1.-5", 2),
        ("1.2.3", 3),
        ("1,234.00", 1),
        ("１", 0),
        ("1\0", 1),
        ("¥1", 0),
        ("NaN", 0),
        ("inf", 0),
        ("0x10", 1),
        ("1_000", 1),
        ("-1.0a", 4),
    ] {
        assert_eq!(
            Fen::from_yuan_text(text),
            Err(MoneyError::NotDecimal { position }),
            "{text:?}"
        );
    }
    assert_eq!(Fen::from_yuan_text(""), Err(MoneyError::Empty));
}

#[test]
fn refuses_digits_below_one_fen() {
    for text in ["0.001", "-0.001", "1.005", "0.0000000000000000000001", "12.340000001"] {
        assert_eq!(Fen::from_yuan_text(text), Err(MoneyError::NotWholeFen), "{text}");
    }
}

#[test]
fn refuses_what_64_bits_do_not_hold() {
    for text in [
        "92233720368547758.08",
        "-92233720368547758.09",
        "184467440737095516.16",
        "184467440737095517",
        "18446744073709551616",
        "999999999999999999999999999999",
    ] {
        assert_eq!(Fen::from_yuan_text(text), Err(MoneyError::TooLarge), "{text}");
    }
}

#[test]
fn writes_yuan_in_one_spelling() {
    for (fen, text) in [
        (0, "0.00"),
        (1, "0.01"),
        (-1, "-0.01"),
        (10, "0.10"),
        (100, "1.00"),
        (4390, "43.90"),
        (-4390, "-43.90"),
        (i64::MAX, "92233720368547758.07"),
        (i64::MIN, "-92233720368547758.08"),
    ] {
        assert_eq!(Fen::new(fen).yuan().to_string(), text);
        assert_eq!(Yuan(Fen::new(fen)).to_text(), text);
    }
}

#[test]
fn no_format_option_cuts_an_amount() {
    let yuan = Fen::new(1230).yuan();
    assert_eq!(format!("{yuan:.0}"), "12.30");
    assert_eq!(format!("{yuan:.2}"), "12.30");
    assert_eq!(format!("{yuan:.9}"), "12.30");
    assert_eq!(format!("{yuan:8}|"), "   12.30|");
    assert_eq!(format!("{yuan:<8}|"), "12.30   |");
    assert_eq!(format!("{:08.1}", Fen::new(-1230).yuan()), "-0012.30");
}

#[test]
fn reads_an_integer_of_fen() {
    for (text, fen) in [
        ("0", 0),
        ("1", 1),
        ("-1", -1),
        ("007", 7),
        ("9223372036854775807", i64::MAX),
        ("-9223372036854775808", i64::MIN),
    ] {
        assert_eq!(Fen::from_fen_text(text), Ok(Fen::new(fen)));
        assert_eq!(Fen::read(text), Ok(Fen::new(fen)));
    }
    for (text, error) in [
        ("", MoneyError::Empty),
        ("-", MoneyError::NotDecimal { position: 1 }),
        ("+1", MoneyError::NotDecimal { position: 0 }),
        (" 1", MoneyError::NotDecimal { position: 0 }),
        ("1.0", MoneyError::NotDecimal { position: 1 }),
        ("1e2", MoneyError::NotDecimal { position: 1 }),
        ("9223372036854775808", MoneyError::TooLarge),
        ("-9223372036854775809", MoneyError::TooLarge),
    ] {
        assert_eq!(Fen::from_fen_text(text), Err(error), "{text:?}");
        assert_eq!(Fen::read(text), Err(ValueError::Money(error)), "{text:?}");
    }
}

#[test]
fn a_payment_is_at_least_one_fen_and_at_most_the_maximum() {
    let maximum = PayAmount::MAX.get();
    assert_eq!(maximum, 10_000_000_000);
    assert_eq!(PayAmount::from_fen(1).unwrap().fen(), Fen::new(1));
    assert_eq!(PayAmount::from_fen(maximum).unwrap().fen(), PayAmount::MAX);
    assert_eq!(PayAmount::from_fen(maximum + 1), Err(MoneyError::TooLarge));
    assert_eq!(PayAmount::from_fen(i64::MAX), Err(MoneyError::TooLarge));
    assert_eq!(PayAmount::from_fen(0), Err(MoneyError::Zero));
    assert_eq!(PayAmount::from_fen(-1), Err(MoneyError::Negative));
    assert_eq!(PayAmount::from_fen(i64::MIN), Err(MoneyError::Negative));
    for (text, result) in [
        ("0.01", Ok(Fen::new(1))),
        ("0.0100", Ok(Fen::new(1))),
        ("43.9", Ok(Fen::new(4390))),
        ("45.0", Ok(Fen::new(4500))),
        ("100000000.00", Ok(PayAmount::MAX)),
        ("100000000.01", Err(MoneyError::TooLarge)),
        ("0", Err(MoneyError::Zero)),
        ("-0", Err(MoneyError::Zero)),
        ("-1", Err(MoneyError::Negative)),
        ("0.001", Err(MoneyError::NotWholeFen)),
        ("1e2", Err(MoneyError::NotDecimal { position: 1 })),
        ("+1", Err(MoneyError::NotDecimal { position: 0 })),
        (" 1", Err(MoneyError::NotDecimal { position: 0 })),
        ("", Err(MoneyError::Empty)),
    ] {
        assert_eq!(PayAmount::from_yuan_text(text).map(Fen::from), result, "{text:?}");
    }
}

#[test]
fn sums_stop_at_64_bits() {
    let (most, least, one) = (Fen::new(i64::MAX), Fen::new(i64::MIN), Fen::new(1));
    assert_eq!(Fen::new(2).try_add(one), Some(Fen::new(3)));
    assert_eq!(most.try_add(one), None);
    assert_eq!(least.try_sub(one), None);
    assert_eq!(Fen::ZERO.try_sub(least), None);
    assert_eq!(Fen::new(1).try_sub(Fen::new(3)), Some(Fen::new(-2)));
    assert_eq!(Fen::try_sum([]), Some(Fen::ZERO));
    assert_eq!(Fen::try_sum([one, one, Fen::new(-5)]), Some(Fen::new(-3)));
    assert_eq!(Fen::try_sum([most, one, Fen::new(-1)]), None);
}

#[test]
fn a_decimal_becomes_fen_only_where_it_is_whole_fen() {
    let fen = |text| Fen::try_from(Decimal::parse(text).unwrap());
    assert_eq!(fen("12.300"), Ok(Fen::new(1230)));
    assert_eq!(fen("0.00030"), Err(MoneyError::NotWholeFen));
}

#[test]
fn json_carries_an_integer_of_fen() {
    assert_eq!(serde_json::to_string(&Fen::new(-7)).unwrap(), "-7");
    assert_eq!(
        serde_json::to_string(&PayAmount::from_fen(100).unwrap()).unwrap(),
        "100"
    );
}

/// Reads yuan by shuffling text: no arithmetic, so no mistake in common with the code under test.
fn oracle(text: &str) -> Option<String> {
    let (sign, digits) = match text.as_bytes() {
        [b'-', ..] => ("-", &text[1..]),
        _ => ("", text),
    };
    let (whole, fraction) = match digits.find('.') {
        Some(point) => (&digits[..point], &digits[point + 1..]),
        None => (digits, "0"),
    };
    let plain = |part: &str| !part.is_empty() && part.chars().all(|character| "0123456789".contains(character));
    if !plain(whole) || !plain(fraction) {
        return None;
    }
    let significant = fraction.trim_end_matches('0');
    if significant.len() > 2 {
        return None;
    }
    let joined = format!("{whole}{significant:0<2}");
    let fen = joined.trim_start_matches('0');
    let limit = if sign.is_empty() {
        "9223372036854775807"
    } else {
        "9223372036854775808"
    };
    if fen.len() > limit.len() || (fen.len() == limit.len() && fen > limit) {
        return None;
    }
    Some(if fen.is_empty() {
        "0".to_owned()
    } else {
        format!("{sign}{fen}")
    })
}

proptest! {
    #[test]
    fn what_is_printed_is_read_back(fen in any::<i64>()) {
        let fen = Fen::new(fen);
        prop_assert_eq!(Fen::from_yuan_text(&fen.yuan().to_string()), Ok(fen));
        prop_assert_eq!(Fen::from_fen_text(&fen.to_text()), Ok(fen));
    }

    #[test]
    fn reading_yuan_agrees_with_shuffled_text(
        text in prop_oneof![
            "-?[0-9]{1,4}(\\.[0-9]{1,3})?",
            "-?[0-9]{15,18}(\\.[0-9]{0,4})?",
            "-?922337203685477(57|58)(\\.0[0-9]0?)?",
            "[-+ 0-9.eE]{0,8}",
            "\\PC{0,6}",
        ]
    ) {
        let read = Fen::from_yuan_text(&text).ok().map(|fen| fen.to_text());
        prop_assert_eq!(read, oracle(&text));
    }

    #[test]
    fn one_amount_has_one_written_spelling(whole in 0_u32..100_000, cents in 0_u32..100, zeros in 0_usize..5) {
        let one = Fen::from_yuan_text(&format!("{whole}.{cents:02}")).unwrap();
        let other = Fen::from_yuan_text(&format!("000{whole}.{cents:02}{}", "0".repeat(zeros))).unwrap();
        prop_assert_eq!(one.yuan().to_string(), other.yuan().to_string());
    }
}
