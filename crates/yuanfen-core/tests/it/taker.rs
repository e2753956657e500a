//! Typed values pulled out of flat fields: types, numbered families, leftovers.

use yuanfen_core::{
    Clock14, Decimal, Fen, FieldError, Fields, Loose, MoneyError, OrderNo, Quoted, Taker, ValueError, WireText, Yuan,
};

fn fields(pairs: &[(&str, &str)]) -> Fields {
    Fields::try_from(pairs).unwrap()
}

#[test]
fn takes_values_of_every_type() {
    let fields = fields(&[
        ("fen", "100"),
        ("yuan", "43.9"),
        ("rate", "0.00030"),
        ("order", "A1"),
        ("time", "20190402203420"),
        ("flag", "true"),
        ("count", "7"),
        ("text", " kept as it is "),
    ]);
    let mut taker = Taker::new(&fields);
    assert_eq!(taker.need::<Fen>("fen"), Ok(Fen::new(100)));
    assert_eq!(taker.need::<Yuan>("yuan"), Ok(Yuan(Fen::new(4390))));
    assert_eq!(taker.need::<Decimal>("rate").unwrap().as_str(), "0.00030");
    assert_eq!(taker.need::<OrderNo>("order").unwrap().as_str(), "A1");
    assert_eq!(taker.need::<Clock14>("time").unwrap().0.seconds(), 1_554_208_460);
    assert_eq!(taker.need::<bool>("flag"), Ok(true));
    assert_eq!(taker.need::<u8>("count"), Ok(7));
    assert_eq!(taker.need::<String>("text").unwrap(), " kept as it is ");
    assert!(taker.rest().is_empty());
}

#[test]
fn an_empty_value_counts_as_absent() {
    let fields = fields(&[("empty", "")]);
    let mut taker = Taker::new(&fields);
    for name in ["empty", "absent"] {
        assert_eq!(taker.maybe::<Fen>(name), Ok(None));
        assert_eq!(taker.need::<Fen>(name), Err(FieldError::new(name, ValueError::Missing)));
    }
    assert_eq!(taker.text("empty"), Some(""));
    assert_eq!(taker.text("absent"), None);
}

#[test]
fn an_error_names_the_field_and_not_its_value() {
    let fields = fields(&[("total_fee", "1e2"), ("flag", "TRUE"), ("count", "256")]);
    let mut taker = Taker::new(&fields);
    let error = taker.need::<Fen>("total_fee").unwrap_err();
    assert_eq!(
        error,
        FieldError::new("total_fee", ValueError::Money(MoneyError::NotDecimal { position: 1 }))
    );
    assert_eq!(
        error.to_string(),
        "field `total_fee`: amount is not a plain decimal number (byte 1)"
    );
    assert!(matches!(
        taker.need::<bool>("flag"),
        Err(FieldError {
            problem: ValueError::Form { .. },
            ..
        })
    ));
    assert_eq!(
        taker.need::<u8>("count"),
        Err(FieldError::new("count", ValueError::NotInteger))
    );
}

#[test]
fn integers_are_read_at_their_limits_and_not_past_them() {
    assert_eq!(u8::read("255"), Ok(255));
    assert_eq!(u16::read("65535"), Ok(u16::MAX));
    assert_eq!(i32::read("-2147483648"), Ok(i32::MIN));
    assert_eq!(u32::read("4294967295"), Ok(u32::MAX));
    assert_eq!(i64::read("9223372036854775807"), Ok(i64::MAX));
    assert_eq!(u64::read("18446744073709551615"), Ok(u64::MAX));
    assert_eq!(i64::MIN.to_text(), "-9223372036854775808");
    for text in ["", "+1", " 1", "1.0", "1e2", "-1", "4294967296", "0x1"] {
        assert_eq!(u32::read(text), Err(ValueError::NotInteger), "{text:?}");
    }
}

#[test]
fn numbered_families_are_told_apart() {
    let fields = fields(&[
        ("coupon_fee", "30"),
        ("coupon_fee_0", "10"),
        ("coupon_fee_2", "20"),
        ("coupon_type_0", "CASH"),
        ("coupon_type_1", "CASH"),
        ("coupon_fee_01", "leading zero"),
        ("coupon_fee_", "no number"),
        ("coupon_fee_0_0", "two numbers"),
        ("coupon_fee_x", "a letter"),
        ("coupon_fee_-1", "a sign"),
        ("coupon_fee_+1", "a sign"),
        ("coupon_fee_１", "a wide digit"),
        ("coupon_fee_4294967296", "too large"),
        ("coupon_fee_4294967295", "1"),
        ("xcoupon_fee_7", "another family"),
        ("coupon_refund_fee_0_0", "5"),
        ("coupon_refund_fee_0_10", "6"),
        ("coupon_refund_fee_0", "11"),
    ]);
    let mut taker = Taker::new(&fields);
    assert_eq!(taker.indices(&["coupon_fee"]), [0, 2, u32::MAX]);
    assert_eq!(taker.indices(&["coupon_fee", "coupon_type"]), [0, 1, 2, u32::MAX]);
    assert_eq!(taker.indices(&["coupon_refund_fee"]), [0]);
    assert_eq!(taker.indices(&["coupon_refund_fee_0"]), [0, 10]);
    assert!(taker.indices(&["nothing"]).is_empty());
    assert!(taker.indices(&[]).is_empty());
    assert_eq!(taker.numbered::<Fen>("coupon_fee", 0), Ok(Some(Fen::new(10))));
    assert_eq!(taker.numbered::<Fen>("coupon_fee", 1), Ok(None));
    assert_eq!(taker.numbered::<Fen>("coupon_fee", 2), Ok(Some(Fen::new(20))));
    assert_eq!(taker.numbered::<Fen>("coupon_refund_fee_0", 10), Ok(Some(Fen::new(6))));
    assert_eq!(taker.need::<Fen>("coupon_fee"), Ok(Fen::new(30)));
    // What no family has stays as it came, in its order.
    let rest = taker.rest();
    let names: Vec<&str> = rest.iter().map(|(name, _)| name).collect();
    assert_eq!(
        names,
        [
            "coupon_type_0",
            "coupon_type_1",
            "coupon_fee_01",
            "coupon_fee_",
            "coupon_fee_0_0",
            "coupon_fee_x",
            "coupon_fee_-1",
            "coupon_fee_+1",
            "coupon_fee_１",
            "coupon_fee_4294967296",
            "coupon_fee_4294967295",
            "xcoupon_fee_7",
            "coupon_refund_fee_0_0",
            "coupon_refund_fee_0",
        ]
    );
}

#[test]
fn a_member_of_a_family_that_is_not_of_its_type_is_named_with_its_number() {
    let fields = fields(&[("coupon_fee_3", "-")]);
    let error = Taker::new(&fields).numbered::<Fen>("coupon_fee", 3).unwrap_err();
    assert_eq!(error.path, "coupon_fee_3");
}

#[test]
fn a_value_that_was_refused_is_claimed_all_the_same() {
    let fields = fields(&[("z", "1"), ("bad", "x"), ("a", "2"), ("taken", "3")]);
    let mut taker = Taker::new(&fields);
    assert!(taker.need::<Fen>("bad").is_err());
    assert!(taker.need::<Fen>("taken").is_ok());
    assert_eq!(taker.rest().iter().collect::<Vec<_>>(), [("z", "1"), ("a", "2")]);
}

#[test]
fn adapters_read_and_write_what_they_hold() {
    assert_eq!(Loose::<u32>::read("7"), Ok(Loose(7)));
    assert_eq!(Quoted::<u32>::read("7"), Ok(Quoted(7)));
    assert_eq!(
        (Loose(7_u32).to_text(), Quoted(7_u32).to_text()),
        ("7".to_owned(), "7".to_owned())
    );
    assert_eq!(Loose::<u32>::read("x"), Err(ValueError::NotInteger));
    assert_eq!(bool::read("false"), Ok(false));
    assert_eq!(
        (true.to_text(), false.to_text()),
        ("true".to_owned(), "false".to_owned())
    );
}
