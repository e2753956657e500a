//! Ordered pairs, and what an error says of them.

use proptest::prelude::*;
use yuanfen_core::{Extra, FieldError, Fields, ValueError};

#[test]
fn keeps_names_values_and_their_order() {
    let mut fields = Fields::with_capacity(8, 2);
    fields.push("b", "2").unwrap();
    fields.push("a", "").unwrap();
    fields.push_parts("c", ["x", "", "<y>"]).unwrap();
    assert_eq!(
        fields.iter().collect::<Vec<_>>(),
        [("b", "2"), ("a", ""), ("c", "x<y>")]
    );
    assert_eq!((fields.len(), fields.is_empty()), (3, false));
    assert_eq!(fields.get("a"), Some(""));
    assert_eq!(fields.filled("a"), None);
    assert_eq!(fields.filled("c"), Some("x<y>"));
    assert_eq!(fields.get("d"), None);
    assert_eq!(fields.get(""), None);
    assert!(Fields::new().is_empty());
}

#[test]
fn refuses_a_name_twice_and_keeps_the_first() {
    let mut fields = Fields::new();
    fields.push("total_fee", "100").unwrap();
    for value in ["100", "1", ""] {
        assert_eq!(
            fields.push("total_fee", value),
            Err(FieldError::new("total_fee", ValueError::Duplicate))
        );
    }
    assert_eq!(fields.get("total_fee"), Some("100"));
    assert_eq!(fields.len(), 1);
    // Names that only look alike are different fields.
    for name in ["Total_fee", "total_fee ", "total_fe", "total_fees", "tоtal_fee"] {
        fields.push(name, "x").unwrap();
    }
    assert_eq!(fields.len(), 6);
}

#[test]
fn refuses_an_empty_name() {
    let error = Fields::new().push("", "x").unwrap_err();
    assert_eq!(error, FieldError::new("", ValueError::Unnamed));
    assert_eq!(error.to_string(), "field ``: has no name");
}

#[test]
fn a_name_is_not_mistaken_for_the_end_of_a_value() {
    let mut fields = Fields::new();
    fields.push("a", "bc").unwrap();
    fields.push("ab", "c").unwrap();
    assert_eq!(fields.get("bc"), None);
    assert_eq!(fields.get("ab"), Some("c"));
    assert_eq!(fields.get("a"), Some("bc"));
}

#[test]
fn equality_regards_order() {
    let of = |pairs: &[(&str, &str)]| Fields::try_from(pairs).unwrap();
    assert_eq!(of(&[("a", "1"), ("b", "2")]), of(&[("a", "1"), ("b", "2")]));
    assert_ne!(of(&[("a", "1"), ("b", "2")]), of(&[("b", "2"), ("a", "1")]));
    assert_ne!(of(&[("a", "bc")]), of(&[("ab", "c")]));
    assert!(Fields::try_from(&[("a", "1"), ("a", "1")][..]).is_err());
}

#[test]
fn a_path_leads_through_objects_and_lists() {
    let inner = FieldError::new("serial_no", ValueError::Missing);
    assert_eq!(inner.clone().within("[2]").within("data").path, "data[2].serial_no");
    assert_eq!(
        inner.within("certificate").within("data").path,
        "data.certificate.serial_no"
    );
    assert_eq!(FieldError::new("", ValueError::Missing).within("amount").path, "amount");
}

#[test]
fn an_error_is_one_line_whatever_the_name() {
    let error = FieldError::new("a\n2026-01-01 ERROR forged\u{1b}[31m", ValueError::Duplicate);
    let shown = error.to_string();
    assert!(!shown.contains(['\n', '\u{1b}']), "{shown:?}");
    assert_eq!(
        FieldError::new("订单", ValueError::Missing).to_string(),
        "field `订单`: required, and absent or empty"
    );
}

#[test]
fn extra_keeps_order_and_finds_by_name() {
    let mut extra = Extra::new();
    assert!(extra.is_empty());
    extra.push("z", "1");
    extra.push("a", "2");
    assert_eq!(extra.len(), 2);
    assert_eq!(extra.get("a"), Some("2"));
    assert_eq!(extra.get("b"), None);
    assert_eq!(extra.iter().collect::<Vec<_>>(), [("z", "1"), ("a", "2")]);
}

proptest! {
    #[test]
    fn agrees_with_a_plain_list(pairs in prop::collection::vec(("[ab]{0,3}|[ab]{0,2}_fee_type_[01]", "[abc]{0,3}"), 0..12)) {
        let mut fields = Fields::new();
        let mut model: Vec<(String, String)> = Vec::new();
        for (name, value) in &pairs {
            let fits = !name.is_empty() && model.iter().all(|(known, _)| known != name);
            prop_assert_eq!(fields.push(name, value).is_ok(), fits);
            if fits {
                model.push((name.clone(), value.clone()));
            }
        }
        let expected: Vec<(&str, &str)> = model.iter().map(|(name, value)| (&**name, &**value)).collect();
        prop_assert_eq!(fields.iter().collect::<Vec<_>>(), expected);
        for (name, value) in &model {
            prop_assert_eq!(fields.get(name), Some(&**value));
        }
    }
}
