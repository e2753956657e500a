//! The loader refuses what the format does not have, and the runner names case and stage.

use yuanfen_core::Fields;
use yuanfen_testkit::origin::OriginError;
use yuanfen_testkit::vectors::{Problem, to_fields};
use yuanfen_testkit::{Stage, Vectors, json};

/// What a test does with vectors.
type Use = fn(&Vectors);

fn file(case: &str) -> String {
    format!(r#"{{"about": "a test", "keys": {{"k": {{"text": "secret", "origin": {ORIGIN}}}}}, "cases": [{case}]}}"#)
}

const ORIGIN: &str = r#"{"kind": "third-party", "where": "somewhere"}"#;

fn good() -> String {
    format!(
        r#"{{"name": "a", "kind": "sign", "origin": {ORIGIN},
            "input": {{"key": {{"key": "k"}}, "fields": [["b", "2"], ["a", "1"]], "octets": {{"hex": "00fF"}}, "count": 3}},
            "stages": {{"fields": [["b", "2"], ["a", "1"]], "text": {{"base64": "YT0x"}}, "signature": "S",
                        "request": {{"method": "POST", "target": "/x?y=z", "headers": [["A", "1"]], "body": "hello"}},
                        "decoded": {{"total": 1}}}}}}"#
    )
}

fn problem(text: &str) -> Problem {
    Vectors::load(text).unwrap_err().problem
}

#[test]
fn reads_every_form_of_value() {
    let vectors = Vectors::load(&file(&good())).unwrap();
    let case = vectors.case("a");
    assert_eq!(case.text("key"), "secret");
    assert_eq!(case.key_name("key"), "k");
    assert_eq!(case.bytes("key"), b"secret");
    assert_eq!(case.bytes("octets"), [0, 255]);
    assert_eq!(case.number("count"), 3);
    assert_eq!(case.pairs("fields"), [("b", "2"), ("a", "1")]);
    assert_eq!(case.fields("fields").get("a"), Some("1"));
    assert_eq!(case.expected_text(), Some(b"a=1".as_slice()));
    assert_eq!(case.maybe_text("absent"), None);
}

#[test]
fn a_run_over_the_right_values_passes() {
    let vectors = Vectors::load(&file(&good())).unwrap();
    let case = vectors.case("a");
    let request = http::Request::post("https://host.example/x?y=z")
        .header("a", "1")
        .body(bytes::Bytes::from_static(b"hello"))
        .unwrap();
    case.run()
        .fields(&to_fields([("b", "2"), ("a", "1")]).unwrap())
        .text("a=1")
        .signature("S")
        .request(&request)
        .decoded(&json!({"total": 1}))
        .done();
}

/// The message of the panic that a closure ends in.
pub(crate) fn panic_of(run: impl FnOnce() + std::panic::UnwindSafe) -> String {
    let payload = std::panic::catch_unwind(run).expect_err("should have panicked");
    match payload.downcast::<String>() {
        Ok(text) => *text,
        Err(other) => (*other.downcast::<&str>().unwrap()).to_owned(),
    }
}

#[test]
fn a_failure_names_the_case_and_the_stage() {
    let cases: [(&str, Use); 5] = [
        ("stage fields", |vectors| {
            drop(
                vectors
                    .case("a")
                    .run()
                    .fields(&to_fields([("a", "1"), ("b", "2")]).unwrap()),
            );
        }),
        ("stage text", |vectors| drop(vectors.case("a").run().text("a=2"))),
        ("stage signature", |vectors| {
            drop(vectors.case("a").run().signature("s"));
        }),
        ("stage decoded", |vectors| {
            drop(vectors.case("a").run().decoded(&json!({"total": 2})));
        }),
        ("not compared: {Fields, Signature, Request, Decoded}", |vectors| {
            vectors.case("a").run().text("a=1").done();
        }),
    ];
    for (wanted, run) in cases {
        let message = panic_of(move || run(&Vectors::load(&file(&good())).unwrap()));
        assert!(message.contains("case `a`") && message.contains(wanted), "{message}");
    }
}

#[test]
fn a_request_is_compared_part_by_part() {
    let right = |target: &str, value: &str, body: &'static str| {
        http::Request::post(target)
            .header("a", value)
            .body(bytes::Bytes::from_static(body.as_bytes()))
            .unwrap()
    };
    for request in [
        right("https://host.example/x?y=Z", "1", "hello"),
        right("https://host.example/x?y=z", "2", "hello"),
        right("https://host.example/x?y=z", "1", "hell0"),
    ] {
        let message = panic_of(std::panic::AssertUnwindSafe(|| {
            drop(Vectors::load(&file(&good())).unwrap().case("a").run().request(&request));
        }));
        assert!(message.contains("stage request"), "{message}");
    }
}

#[test]
fn a_run_that_is_dropped_halfway_panics() {
    let message = panic_of(|| drop(Vectors::load(&file(&good())).unwrap().case("a").run()));
    assert!(message.contains("not compared"), "{message}");
}

#[test]
fn a_stage_that_the_case_does_not_have_cannot_be_compared() {
    let text = file(&format!(
        r#"{{"name": "a", "kind": "x", "origin": {ORIGIN}, "stages": {{"text": "t"}}}}"#
    ));
    let message = panic_of(move || drop(Vectors::load(&text).unwrap().case("a").run().fields(&Fields::new())));
    assert!(
        message.contains("stage fields: the case does not have this stage"),
        "{message}"
    );
}

#[test]
fn a_refusal_is_compared_by_its_word() {
    let text = file(&format!(
        r#"{{"name": "a", "kind": "x", "origin": {ORIGIN}, "expect": {{"refused": "mismatch", "because": "it is"}}}}"#
    ));
    let vectors = Vectors::load(&text).unwrap();
    let case = vectors.case("a");
    assert_eq!((case.refused(), case.because()), (Some("mismatch"), Some("it is")));
    case.run()
        .refused(Err::<(), _>("mismatch"), |error| (*error).to_owned());
    let run = |result: Result<(), &'static str>| {
        let text = text.clone();
        panic_of(move || {
            Vectors::load(&text)
                .unwrap()
                .case("a")
                .run()
                .refused(result, |error| (*error).to_owned());
        })
    };
    assert!(run(Ok(())).contains("accepted"));
    assert!(run(Err("padding")).contains("stage refusal"));
    let at = panic_of({
        let text = text.clone();
        move || {
            let vectors = Vectors::load(&text).unwrap();
            vectors.case("a").run().at(Stage::Text, Err::<(), _>("no key"));
        }
    });
    assert!(at.contains("stage text: no key"), "{at}");
}

#[test]
fn an_unknown_member_is_refused_at_every_level() {
    let case = good();
    for (place, text) in [
        (
            "file",
            file(&case).replacen("\"about\"", "\"abut\": \"\", \"about\"", 1),
        ),
        (
            "key",
            file(&case).replacen("\"text\": \"secret\"", "\"text\": \"s\", \"use\": \"x\"", 1),
        ),
        (
            "case",
            file(&case.replacen("\"kind\": \"sign\"", "\"kind\": \"sign\", \"stage\": {}", 1)),
        ),
        (
            "origin",
            file(&case.replacen("\"where\"", "\"line\": \"1\", \"where\"", 1)),
        ),
        (
            "stages",
            file(&case.replacen("\"signature\"", "\"digest\": \"\", \"signature\"", 1)),
        ),
        (
            "request",
            file(&case.replacen("\"method\"", "\"path\": \"\", \"method\"", 1)),
        ),
        (
            "expect",
            file(&case.replacen(
                "\"stages\"",
                "\"expect\": {\"refused\": \"a\", \"why\": \"b\"}, \"stages\"",
                1,
            )),
        ),
    ] {
        let error = problem(&text);
        assert!(
            matches!(&error, Problem::Shape(shape) if shape.to_string().contains("unknown field")),
            "{place}: {error}"
        );
    }
    assert!(matches!(problem("not json"), Problem::Shape(_)));
}

#[test]
fn an_origin_that_says_self_is_refused() {
    let with = |origin: &str| {
        problem(&file(&format!(
            r#"{{"name": "a", "kind": "x", "origin": {origin}, "stages": {{"text": "t"}}}}"#
        )))
    };
    let table = [
        (
            r#"{"kind": "self", "where": "our output"}"#,
            OriginError::Kind("self".to_owned()),
        ),
        (r#"{"kind": "", "where": "x"}"#, OriginError::Kind(String::new())),
        (r#"{"kind": "third-party", "where": " "}"#, OriginError::NoPlace),
        (
            r#"{"kind": "computed-independently", "where": "x"}"#,
            OriginError::NoProgram,
        ),
        (r#"{"kind": "openssl", "where": "x"}"#, OriginError::NoProgram),
        (
            r#"{"kind": "openssl", "where": "x", "program": ""}"#,
            OriginError::Empty("program"),
        ),
        (
            r#"{"kind": "third-party", "where": "x", "note": ""}"#,
            OriginError::Empty("note"),
        ),
        (
            r#"{"kind": "third-party", "where": "x", "date": "21.11.2026"}"#,
            OriginError::Date,
        ),
    ];
    for (origin, wanted) in table {
        match with(origin) {
            Problem::Origin(found) => assert_eq!(found, wanted),
            other => panic!("{origin}: {other}"),
        }
    }
    assert!(matches!(with("{}"), Problem::Shape(_)));
}

#[test]
fn a_case_that_expects_nothing_is_refused() {
    let case = |rest: &str| file(&format!(r#"{{"name": "a", "kind": "x", "origin": {ORIGIN}{rest}}}"#));
    assert!(matches!(problem(&case("")), Problem::ExpectsNothing));
    assert!(matches!(problem(&case(r#", "stages": {}"#)), Problem::ExpectsNothing));
    assert!(matches!(
        problem(&case(r#", "expect": {"refused": ""}"#)),
        Problem::Reason(_)
    ));
    assert!(matches!(
        problem(&case(r#", "expect": {"refused": "Wrong key"}"#)),
        Problem::Reason(_)
    ));
}

#[test]
fn names_are_not_given_twice() {
    let twice = format!("{}, {}", good(), good());
    assert!(matches!(problem(&file(&twice)), Problem::Taken));
    let again = Vectors::load(&file(&good())).unwrap().and(&file(&good()));
    assert!(matches!(again.unwrap_err().problem, Problem::Taken));
}

#[test]
fn empty_files_and_empty_names_are_refused() {
    assert!(matches!(problem(r#"{"about": "x"}"#), Problem::Nothing));
    assert!(matches!(
        problem(r#"{"about": "", "cases": []}"#),
        Problem::Empty("about")
    ));
    let unnamed = good().replacen("\"name\": \"a\"", "\"name\": \"\"", 1);
    assert!(matches!(problem(&file(&unnamed)), Problem::Empty("name")));
}

#[test]
fn octets_that_are_not_octets_are_refused() {
    for text in [
        r#"{"hex": "0"}"#,
        r#"{"hex": "0g"}"#,
        r#"{"base64": "YT0"}"#,
        "3",
        r#"{"hex": "00", "base64": ""}"#,
    ] {
        let case = format!(r#"{{"name": "a", "kind": "x", "origin": {ORIGIN}, "stages": {{"text": {text}}}}}"#);
        assert!(matches!(problem(&file(&case)), Problem::Value { .. }), "{text}");
    }
}

#[test]
fn an_absent_member_kind_case_or_key_panics_by_name() {
    let load = || Vectors::load(&file(&good())).unwrap();
    let table: [(&str, Use); 5] = [
        ("the input has no `kee`", |vectors| _ = vectors.case("a").text("kee")),
        ("`count` is neither text nor the name of a key", |vectors| {
            _ = vectors.case("a").text("count");
        }),
        ("no case of kind `sing`", |vectors| drop(vectors.of("sing"))),
        ("no case `b`", |vectors| _ = vectors.case("b")),
        ("no key `c`", |vectors| _ = vectors.key("c")),
    ];
    for (wanted, run) in table {
        let message = panic_of(move || run(&load()));
        assert!(message.contains(wanted), "{message}");
    }
}
