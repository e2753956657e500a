use percent_encoding::percent_decode_str;
use proptest::prelude::*;
use yuanfen_core::{Address, BaseUrl, FixedAmbient};
use yuanfen_testkit::Stage;
use yuanfen_wechat_web::{Authorize, Scope, State};

use crate::vectors;

fn authorize(redirect_uri: &str) -> Authorize {
    let back = Address::parse("redirect_uri", redirect_uri).unwrap();
    Authorize::new("wx2421b1c4370ec43b", back, State::new("S1").unwrap())
}

#[test]
fn makes_the_addresses_of_the_documentation() {
    let vectors = vectors();
    for case in vectors.of("authorize") {
        let run = case.run();
        let back = Address::parse("redirect_uri", case.text("redirect_uri"));
        if case.refused().is_some() {
            run.refused(back, |error| {
                assert_eq!(error.field, "redirect_uri");
                "address".to_owned()
            });
            continue;
        }
        let back = run.at(Stage::Request, back);
        let mut authorize = Authorize::new(case.text("appid"), back, State::new(case.text("state")).unwrap());
        authorize.scope = match case.text("scope") {
            "snsapi_base" => Scope::Base,
            "snsapi_userinfo" => Scope::UserInfo,
            other => panic!("{case}: scope {other}"),
        };
        run.decoded(&authorize.address().unwrap().into()).done();
    }
}

#[test]
fn asks_for_more_only_when_told_to() {
    let mut authorize = authorize("https://shop.example/");
    assert_eq!(
        authorize.address().unwrap(),
        "https://open.weixin.qq.com/connect/oauth2/authorize?appid=wx2421b1c4370ec43b\
         &redirect_uri=https%3A%2F%2Fshop.example%2F&response_type=code&scope=snsapi_base&state=S1#wechat_redirect"
    );
    authorize.scope = Scope::UserInfo;
    assert!(authorize.address().unwrap().contains("&scope=snsapi_userinfo&"));
}

#[test]
fn sends_the_visitor_to_a_sandbox() {
    let mut authorize = authorize("http://127.0.0.1:8080/back");
    authorize.base = Some(BaseUrl::parse("http://127.0.0.1:9000/wechat/").unwrap());
    let address = authorize.address().unwrap();
    assert!(
        address.starts_with("http://127.0.0.1:9000/wechat/connect/oauth2/authorize?appid="),
        "{address}"
    );
}

#[test]
fn escapes_every_reserved_character_of_the_redirect_address() {
    for (redirect_uri, escaped) in [
        (
            "https://a.example/p?x=1&y=2",
            "https%3A%2F%2Fa.example%2Fp%3Fx%3D1%26y%3D2",
        ),
        (
            "https://a.example/p?x=a+b%20c",
            "https%3A%2F%2Fa.example%2Fp%3Fx%3Da%2Bb%2520c",
        ),
        ("https://a.example/-._~", "https%3A%2F%2Fa.example%2F-._~"),
        (
            "https://a.example/!*'();@$,[]",
            "https%3A%2F%2Fa.example%2F%21%2A%27%28%29%3B%40%24%2C%5B%5D",
        ),
        ("https://a.example:8443/#top", "https%3A%2F%2Fa.example%3A8443%2F%23top"),
    ] {
        let address = authorize(redirect_uri).address().unwrap();
        assert!(
            address.contains(&format!("&redirect_uri={escaped}&response_type=")),
            "{address}"
        );
    }
}

#[test]
fn takes_a_state_of_1_to_128_letters_and_digits() {
    for state in ["a", "0", "aZ09", &"x".repeat(128)] {
        assert_eq!(State::new(state).unwrap().as_str(), state);
    }
    for state in [
        "",
        &"x".repeat(129),
        "a b",
        "a-b",
        "a_b",
        "a&b",
        "a#",
        "测",
        "a\n",
        "a\0",
    ] {
        let error = State::new(state).expect_err(state);
        assert_eq!(error.field(), Some("state"), "{state}");
    }
}

#[test]
fn takes_an_app_id_of_1_to_32_letters_and_digits() {
    let with = |app_id: &str| {
        let back = Address::parse("redirect_uri", "https://shop.example/").unwrap();
        Authorize::new(app_id, back, State::new("S1").unwrap()).address()
    };
    for app_id in ["w", &"a".repeat(32)] {
        assert!(with(app_id).is_ok());
    }
    for app_id in ["", &"a".repeat(33), "wx 1", "wx&secret=1", "wx1\n", "测"] {
        assert_eq!(with(app_id).expect_err(app_id).field(), Some("appid"), "{app_id}");
    }
}

#[test]
fn tells_its_own_state_from_another() {
    let ambient = FixedAmbient::at(0);
    let (one, other) = (State::random(&ambient), State::random(&ambient));
    assert_eq!(one.as_str().len(), 32);
    assert!(State::new(one.as_str()).is_ok());
    assert!(one.matches(one.as_str()));
    for returned in [other.as_str(), "", &one.as_str()[1..], &one.as_str().to_lowercase()] {
        assert!(!one.matches(returned), "{returned}");
    }
    assert_eq!(format!("{one:?}"), "State(..)");
    let shown = format!("{:?}", {
        let back = Address::parse("redirect_uri", "https://shop.example/").unwrap();
        Authorize::new("wx1", back, one.clone())
    });
    assert!(
        !shown.contains(one.as_str()) && shown.contains("shop.example"),
        "{shown}"
    );
}

proptest! {
    #[test]
    fn hands_the_redirect_address_over_unchanged(path in "[!-~&&[^#\\\\^`{|}\"<>]]{0,40}", state in "[a-zA-Z0-9]{1,128}") {
        let redirect_uri = format!("https://shop.example/{path}");
        prop_assume!(Address::parse("redirect_uri", &redirect_uri).is_ok());
        let mut authorize = authorize(&redirect_uri);
        authorize.state = State::new(state.as_str()).unwrap();
        let address = authorize.address().unwrap();
        let query = address
            .strip_prefix("https://open.weixin.qq.com/connect/oauth2/authorize?")
            .and_then(|rest| rest.strip_suffix("#wechat_redirect"))
            .unwrap();
        let pairs: Vec<(&str, String)> = query
            .split('&')
            .map(|pair| pair.split_once('=').unwrap())
            .map(|(name, value)| (name, percent_decode_str(value).decode_utf8().unwrap().into_owned()))
            .collect();
        let expected = [
            ("appid", "wx2421b1c4370ec43b".to_owned()),
            ("redirect_uri", redirect_uri),
            ("response_type", "code".to_owned()),
            ("scope", "snsapi_base".to_owned()),
            ("state", state),
        ];
        prop_assert_eq!(pairs, expected);
    }
}
