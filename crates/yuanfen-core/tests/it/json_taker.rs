//! Typed values pulled out of JSON: types, paths, leftovers.

use yuanfen_core::{
    Decimal, Fen, FieldError, JsonTaker, Limits, Loose, Object, OrderNo, Quoted, UnixTime, ValueError, Yuan,
};

fn object(text: &str) -> Object {
    Object::parse(text.as_bytes(), &Limits::DEFAULT).unwrap()
}

fn wrong(expected: &'static str, found: &'static str) -> ValueError {
    ValueError::WrongType { expected, found }
}

#[test]
fn takes_numbers_texts_and_booleans_as_the_contract_has_them() {
    let object =
        object(r#"{"fen":100,"text":"A1","yes":true,"big":"18446744073709551615","rate":0.00030,"rate2":"0.6"}"#);
    let mut taker = JsonTaker::new(&object);
    assert_eq!(taker.need::<Fen>("fen"), Ok(Fen::new(100)));
    assert_eq!(taker.need::<OrderNo>("text").unwrap().as_str(), "A1");
    assert_eq!(taker.need::<bool>("yes"), Ok(true));
    assert_eq!(taker.need::<Quoted<u64>>("big"), Ok(Quoted(u64::MAX)));
    assert_eq!(taker.need::<Decimal>("rate").unwrap().as_str(), "0.00030");
    assert_eq!(taker.need::<Decimal>("rate2").unwrap().as_str(), "0.6");
    assert!(taker.rest().is_empty());
}

#[test]
fn a_value_of_another_json_type_is_an_error() {
    let object = object(r#"{"number":1,"text":"1","yes":true,"object":{},"list":[]}"#);
    let mut taker = JsonTaker::new(&object);
    for (name, found) in [
        ("text", "a text"),
        ("yes", "a boolean"),
        ("object", "an object"),
        ("list", "a list"),
    ] {
        let expected = FieldError::new(name, wrong("a number", found));
        assert_eq!(taker.need::<Fen>(name), Err(expected));
    }
    for (name, found) in [
        ("number", "a number"),
        ("yes", "a boolean"),
        ("object", "an object"),
        ("list", "a list"),
    ] {
        let expected = FieldError::new(name, wrong("a text", found));
        assert_eq!(taker.need::<String>(name), Err(expected.clone()));
        assert_eq!(taker.maybe::<String>(name), Err(expected));
    }
    for name in ["number", "text"] {
        assert!(matches!(
            taker.need::<bool>(name),
            Err(FieldError {
                problem: ValueError::WrongType { .. },
                ..
            })
        ));
        assert!(taker.need::<Yuan>(name).is_ok(), "yuan come quoted and bare");
        assert!(taker.need::<UnixTime>(name).is_ok());
        assert!(taker.need::<Loose<u32>>(name).is_ok());
    }
    assert_eq!(
        taker.need::<Yuan>("yes"),
        Err(FieldError::new("yes", wrong("a text or a number", "a boolean")))
    );
    assert_eq!(taker.need::<Loose<bool>>("yes"), Ok(Loose(true)));
    assert_eq!(
        taker.need::<Loose<u32>>("list"),
        Err(FieldError::new("list", wrong("a single value", "a list")))
    );
}

#[test]
fn a_number_that_is_no_integer_is_no_amount_of_fen() {
    let object = object(r#"{"a":1e2,"b":1.0,"c":123456789012345678901234567890,"d":-0.5}"#);
    let mut taker = JsonTaker::new(&object);
    for name in ["a", "b", "c", "d"] {
        assert!(
            matches!(
                taker.need::<Fen>(name),
                Err(FieldError {
                    problem: ValueError::Money(_),
                    ..
                })
            ),
            "{name}"
        );
        assert_eq!(
            taker.need::<i64>(name),
            Err(FieldError::new(name, ValueError::NotInteger))
        );
    }
}

#[test]
fn null_and_the_empty_text_count_as_absent_for_every_type() {
    let object = object(r#"{"null":null,"empty":""}"#);
    let mut taker = JsonTaker::new(&object);
    for name in ["null", "empty", "absent"] {
        assert_eq!(taker.maybe::<Fen>(name), Ok(None), "{name}");
        assert_eq!(taker.maybe::<String>(name), Ok(None), "{name}");
        assert_eq!(taker.maybe::<bool>(name), Ok(None), "{name}");
        assert_eq!(taker.need::<Fen>(name), Err(FieldError::new(name, ValueError::Missing)));
    }
    assert_eq!(taker.raw("null"), None);
    assert!(taker.rest().is_empty(), "a null that was asked for is claimed");
}

#[test]
fn the_first_spelling_that_is_filled_is_taken() {
    let object = object(r#"{"orderNo":"","order_no":"A1","OrderNo":"B2"}"#);
    let mut taker = JsonTaker::new(&object);
    let taken: Option<String> = taker
        .maybe_any(&["order-no", "orderNo", "order_no", "OrderNo"])
        .unwrap();
    assert_eq!(taken.as_deref(), Some("A1"));
    assert_eq!(taker.rest().iter().collect::<Vec<_>>(), [("OrderNo", "\"B2\"")]);
}

#[test]
fn paths_lead_through_objects_and_lists() {
    let object =
        object(r#"{"data":[{"serial_no":"1"},{"serial_no":"2"},{"serial_no":3}],"amount":{"payer":{"total":"x"}}}"#);
    let mut taker = JsonTaker::new(&object);
    let error = taker
        .list("data", |entry| entry.need::<String>("serial_no"))
        .unwrap_err();
    assert_eq!(error, FieldError::new("data[2].serial_no", wrong("a text", "a number")));
    let error = taker
        .nested("amount", |amount| {
            amount.nested("payer", |payer| payer.need::<Fen>("total"))
        })
        .unwrap_err();
    assert_eq!(error.path, "amount.payer.total");
    assert_eq!(
        error.to_string(),
        "field `amount.payer.total`: a number expected, a text found"
    );
}

#[test]
fn lists_and_objects_of_another_type_are_named() {
    let object = object(r#"{"list":[1],"mixed":[{},[]],"object":{"a":1,"a":2},"text":"x","null":null,"nulls":[null]}"#);
    let mut taker = JsonTaker::new(&object);
    let nothing = |_: &mut JsonTaker<'_>| Ok(());
    let surrogate = self::object(r#"{"a":{"\ud800":1}}"#);
    assert_eq!(
        JsonTaker::new(&surrogate).nested("a", nothing).unwrap_err(),
        FieldError::new(
            "a",
            ValueError::Form {
                expected: "Unicode text"
            }
        )
    );
    let cases = [
        (
            taker.list("list", nothing).unwrap_err(),
            "list[0]",
            wrong("an object", "a number"),
        ),
        (
            taker.list("mixed", nothing).unwrap_err(),
            "mixed[1]",
            wrong("an object", "a list"),
        ),
        (
            taker.list("nulls", nothing).unwrap_err(),
            "nulls[0]",
            wrong("an object", "null"),
        ),
        (
            taker.list("object", nothing).unwrap_err(),
            "object",
            wrong("a list", "an object"),
        ),
        (
            taker.list("text", nothing).unwrap_err(),
            "text",
            wrong("a list", "a text"),
        ),
        (
            taker.nested("text", nothing).unwrap_err(),
            "text",
            wrong("an object", "a text"),
        ),
        (
            taker.nested("object", nothing).unwrap_err(),
            "object.a",
            ValueError::Duplicate,
        ),
        (taker.nested("null", nothing).unwrap_err(), "null", ValueError::Missing),
        (
            taker.nested("absent", nothing).unwrap_err(),
            "absent",
            ValueError::Missing,
        ),
    ];
    for (error, path, problem) in cases {
        assert_eq!(error, FieldError::new(path, problem));
    }
    assert_eq!(taker.maybe_nested("null", nothing), Ok(None));
    assert_eq!(taker.list("null", nothing), Ok(Vec::new()));
    assert_eq!(taker.list("absent", nothing), Ok(Vec::new()));
}

#[test]
fn escapes_are_undone_and_lone_surrogates_are_named() {
    let object = object(r#"{"a":"\u0031\u0030\u0030","b":"\ud800","c":"\"quoted\""}"#);
    let mut taker = JsonTaker::new(&object);
    assert_eq!(taker.need::<Quoted<Fen>>("a"), Ok(Quoted(Fen::new(100))));
    let expected = FieldError::new(
        "b",
        ValueError::Form {
            expected: "Unicode text",
        },
    );
    assert_eq!(taker.need::<String>("b"), Err(expected));
    assert_eq!(taker.need::<String>("c").unwrap(), "\"quoted\"");
}

#[test]
fn leftovers_keep_their_raw_text_and_order() {
    let object = object(r#"{"z":[ 1 ],"taken":1,"a":{"x":0.00030},"n":null}"#);
    let mut taker = JsonTaker::new(&object);
    assert!(taker.need::<Fen>("taken").is_ok());
    let rest = taker.rest();
    assert_eq!(
        rest.iter().collect::<Vec<_>>(),
        [("z", "[ 1 ]"), ("a", r#"{"x":0.00030}"#), ("n", "null")]
    );
}

#[test]
fn a_list_as_deep_as_the_message_costs_no_stack() {
    let depth = 100_000;
    let object = object(&format!("{{\"a\":{}{}}}", "[".repeat(depth), "]".repeat(depth)));
    let error = JsonTaker::new(&object).list("a", |_| Ok(())).unwrap_err();
    assert_eq!(error, FieldError::new("a[0]", wrong("an object", "a list")));
}
