//! What must not be seen is not seen. The same search finds what may be seen, so it can fail.

use yuanfen_core::{Extra, Fields, JsonTaker, Limits, Object, Redacted, Secret, Taker, constant_time_eq};

const PLANTED: &str = "oUpF8uMuAJO_M2pxb1Q9zNjWeS6o";

fn shows(debug: &str) -> bool {
    debug.contains(PLANTED) || debug.contains(&format!("{:?}", PLANTED.as_bytes()))
}

#[test]
fn the_search_finds_what_is_shown() {
    assert!(shows(&format!("{:?}", Some(PLANTED))));
    assert!(shows(&format!("{:?}", PLANTED.as_bytes())));
}

#[test]
fn no_debug_shows_a_value() {
    let fields = Fields::try_from(&[("openid", PLANTED)][..]).unwrap();
    let object = Object::parse(format!(r#"{{"openid":"{PLANTED}"}}"#).as_bytes(), &Limits::DEFAULT).unwrap();
    let mut extra = Extra::new();
    extra.push("openid", PLANTED);
    for debug in [
        format!("{:?}", Secret::new(PLANTED.to_owned())),
        format!("{:?}", Secret::new(PLANTED.as_bytes().to_vec())),
        format!("{:#?}", Some(Secret::from(PLANTED.to_owned()))),
        format!("{fields:?} {fields:#?}"),
        format!("{object:?} {object:#?}"),
        format!("{extra:?} {extra:#?}"),
        format!("{:?}", Taker::new(&fields)),
        format!("{:?}", Taker::new(&fields).rest()),
        format!("{:?}", JsonTaker::new(&object)),
        format!("{:?}", Redacted::new(&fields, &["openid"])),
        Redacted::new(&fields, &[]).to_string(),
    ] {
        assert!(!shows(&debug), "{debug}");
    }
    assert_eq!(format!("{fields:?}"), r#"{"openid": 28 bytes}"#);
    assert_eq!(format!("{object:?}"), r#"{"openid": 30 bytes}"#);
    assert_eq!(format!("{extra:?}"), r#"["openid"]"#);
}

#[test]
fn an_error_about_a_value_does_not_quote_it() {
    let object = Object::parse(format!(r#"{{"a":"{PLANTED}"}}"#).as_bytes(), &Limits::DEFAULT).unwrap();
    let error = JsonTaker::new(&object).need::<u32>("a").unwrap_err();
    assert!(!shows(&format!("{error} {error:?}")));
    let fields = Fields::try_from(&[("a", PLANTED)][..]).unwrap();
    let error = Taker::new(&fields).need::<yuanfen_core::Fen>("a").unwrap_err();
    assert!(!shows(&format!("{error} {error:?}")));
}

#[test]
fn redacted_shows_what_is_listed_on_one_line() {
    let pairs = [
        ("out_trade_no", "A1\n\"forged\u{202e} line\""),
        ("openid", PLANTED),
        ("empty", ""),
    ];
    let fields = Fields::try_from(&pairs[..]).unwrap();
    let shown = Redacted::new(&fields, &["out_trade_no", "not there"]).to_string();
    assert_eq!(shown, r#"out_trade_no=A1\n"forged\u{202e} line"&openid=***&empty=***"#);
    assert_eq!(Redacted::new(&Fields::new(), &["a"]).to_string(), "");
}

#[test]
fn secrets_compare_by_their_bytes() {
    let secret = |text: &str| Secret::new(text.to_owned());
    assert!(secret("key").ct_eq(&secret("key")));
    for other in ["kez", "ke", "keyy", ""] {
        assert!(!secret("key").ct_eq(&secret(other)), "{other}");
    }
    assert!(constant_time_eq(b"", b""));
    assert!(!constant_time_eq(b"a", b"b"));
    assert_eq!(secret("key").clone().expose(), "key");
}
