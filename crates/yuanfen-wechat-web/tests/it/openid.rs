use std::error::Error as _;
use std::time::Duration;

use bytes::Bytes;
use proptest::prelude::*;
use yuanfen_core::{
    Advice, BaseUrl, Effect, Error, ErrorKind, Fate, FixedAmbient, Operation, OperationExt as _, ProtocolErrorKind,
    Provider as _, RefusalKind, ReplyTrust, RouteInfo, Secret, UnixTime,
};
use yuanfen_wechat_web::{App, ExchangeCode, ExchangedCode, LogIn, LoggedIn};

const SECRET: &str = "5ECRE70123456789abcdef0123456789";
const NOW: UnixTime = UnixTime::from_seconds(1_414_587_457);

fn app() -> App {
    App::new("wx2421b1c4370ec43b", Secret::new(SECRET.to_owned())).unwrap()
}

fn response(status: u16, body: impl Into<Bytes>) -> http::Response<Bytes> {
    http::Response::builder().status(status).body(body.into()).unwrap()
}

fn exchanged(body: &str) -> Result<ExchangedCode, Error> {
    ExchangeCode::new("C").reply(&app(), &response(200, body.to_owned()), NOW)
}

fn logged_in(body: &str) -> Result<LoggedIn, Error> {
    LogIn::new("C").reply(&app(), &response(200, body.to_owned()), NOW)
}

#[test]
fn asks_with_the_parameters_of_the_documentation() {
    let ambient = FixedAmbient::at(0);
    let request = ExchangeCode::new("041N3n").request(&app(), &ambient).unwrap();
    assert_eq!(request.method(), http::Method::GET);
    assert_eq!(
        request.uri(),
        "https://api.weixin.qq.com/sns/oauth2/access_token?appid=wx2421b1c4370ec43b\
         &secret=5ECRE70123456789abcdef0123456789&code=041N3n&grant_type=authorization_code"
    );
    assert!(request.body().is_empty());
    assert!(
        request.headers()[http::header::USER_AGENT]
            .to_str()
            .unwrap()
            .starts_with("yuanfen/")
    );

    let request = LogIn::new("0b1x+/=& y").request(&app(), &ambient);
    assert!(request.is_err(), "a blank is in no code");
    let request = LogIn::new("0b1x+/=&#").request(&app(), &ambient).unwrap();
    assert_eq!(request.method(), http::Method::GET);
    assert_eq!(
        request.uri(),
        "https://api.weixin.qq.com/sns/jscode2session?appid=wx2421b1c4370ec43b\
         &secret=5ECRE70123456789abcdef0123456789&js_code=0b1x%2B%2F%3D%26%23&grant_type=authorization_code"
    );
}

#[test]
fn asks_a_sandbox() {
    let app = app().with_base(BaseUrl::parse("http://127.0.0.1:9000/wechat").unwrap());
    let request = LogIn::new("C").request(&app, &FixedAmbient::at(0)).unwrap();
    assert_eq!(request.uri().authority().unwrap(), "127.0.0.1:9000");
    assert_eq!(request.uri().path(), "/wechat/sns/jscode2session");
}

#[test]
fn is_unsigned_both_ways_and_changes_nothing() {
    for info in [RouteInfo::of::<ExchangeCode>(), RouteInfo::of::<LogIn>()] {
        assert_eq!(info.reply, ReplyTrust::Unsigned);
        assert_eq!(info.route.effect, Effect::Read);
        assert_eq!(info.route.method, http::Method::GET);
    }
    let ambient = FixedAmbient::at(0);
    let message = LogIn::new("C").encode(&app(), &ambient).unwrap();
    let draft = app().draft(message, &ambient).unwrap();
    assert!(!draft.wants_signature());
    assert!(draft.text().is_empty());
    assert!(app().signer().sign(b"text", &ambient).is_err());
}

#[test]
fn takes_id_secret_and_code_at_their_limits_and_not_one_past_them() {
    let new = |app_id: &str, secret: &str| App::new(app_id, Secret::new(secret.to_owned()));
    for (app_id, secret) in [("w", "s"), (&"a".repeat(32), &"f".repeat(64))] {
        assert!(new(app_id, secret).is_ok());
    }
    for app_id in ["", &"a".repeat(33), "wx-1", "wx1\n", "wx1&code=2", "测"] {
        assert_eq!(new(app_id, "s").expect_err(app_id).field(), Some("appid"));
    }
    for secret in ["", &"5ECRE7".repeat(11), "5ECRE7\n", "5ECRE7 ", "5ECRE7&", "5ECRE7测"] {
        let error = new("w", secret).expect_err(secret);
        assert_eq!(error.field(), Some("secret"));
        assert!(!format!("{error} {error:?}").contains("5ECRE7"), "{error:?}");
    }
    let ambient = FixedAmbient::at(0);
    for code in ["c", &"c".repeat(512)] {
        assert!(ExchangeCode::new(code).request(&app(), &ambient).is_ok());
        assert!(LogIn::new(code).request(&app(), &ambient).is_ok());
    }
    for code in ["", &"c".repeat(513), "a b", "a\r\nHost: x", "测", "a\0"] {
        for error in [
            ExchangeCode::new(code).request(&app(), &ambient).expect_err(code),
            LogIn::new(code).request(&app(), &ambient).expect_err(code),
        ] {
            assert!(matches!(error.kind(), ErrorKind::Build(error) if error.field() == Some("code")));
            assert_eq!((error.fate(), error.advice()), (Fate::NotSent, Advice::Stop));
        }
    }
}

#[test]
fn reads_the_visitor_of_an_official_account() {
    let visitor = exchanged(
        r#"{"access_token":"A-T","expires_in":7200,"refresh_token":"R-T","openid":"oUpF8uMuAJO","scope":"snsapi_userinfo",
            "unionid":"o6_bmasdasdsad6_2sgVt7hMZOPfL","is_snapshotuser":1,"new":{"a":0.10}}"#,
    )
    .unwrap();
    assert_eq!(visitor.openid, "oUpF8uMuAJO");
    assert!(visitor.snapshot);
    assert_eq!(visitor.union_id.as_deref(), Some("o6_bmasdasdsad6_2sgVt7hMZOPfL"));
    assert_eq!(visitor.access_token.unwrap().expose(), "A-T");
    assert_eq!(visitor.refresh_token.unwrap().expose(), "R-T");
    assert_eq!(visitor.expires_in, Some(Duration::from_secs(7200)));
    assert_eq!(visitor.scope.as_deref(), Some("snsapi_userinfo"));
    assert_eq!(visitor.extra.iter().collect::<Vec<_>>(), [("new", r#"{"a":0.10}"#)]);

    for (body, snapshot) in [
        (r#"{"openid":"o"}"#, false),
        (r#"{"openid":"o","is_snapshotuser":0}"#, false),
        (r#"{"openid":"o","is_snapshotuser":"1"}"#, true),
        (r#"{"openid":"o","errcode":0,"errmsg":"ok"}"#, false),
    ] {
        let visitor = exchanged(body).unwrap();
        assert_eq!((visitor.openid.as_str(), visitor.snapshot), ("o", snapshot), "{body}");
        assert!(visitor.access_token.is_none() && visitor.union_id.is_none() && visitor.extra.is_empty());
    }
}

#[test]
fn reads_the_visitor_of_a_mini_program() {
    // The sample of the documentation.
    let visitor =
        logged_in(r#"{"openid":"OPENID","session_key":"SESSIONKEY","unionid":"oHAUs6LSuwgHq-mlnFrffKXw3QYM"}"#)
            .unwrap();
    assert_eq!(visitor.openid, "OPENID");
    assert_eq!(visitor.session_key.expose(), "SESSIONKEY");
    assert_eq!(visitor.union_id.as_deref(), Some("oHAUs6LSuwgHq-mlnFrffKXw3QYM"));
    assert!(visitor.extra.is_empty());
    assert!(logged_in(r#"{"openid":"o","session_key":"k","errcode":0,"errmsg":""}"#).is_ok());
}

#[test]
fn refuses_what_wechat_refuses_and_says_what_to_do() {
    for (code, fate, kind, advice) in [
        ("-1", Fate::Unknown, RefusalKind::Unclear, Advice::Repeat),
        ("40001", Fate::Refused, RefusalKind::Configuration, Advice::Stop),
        ("40013", Fate::Refused, RefusalKind::Configuration, Advice::Stop),
        ("40029", Fate::Refused, RefusalKind::Declined, Advice::Stop),
        ("40125", Fate::Refused, RefusalKind::Configuration, Advice::Stop),
        ("40163", Fate::Refused, RefusalKind::Declined, Advice::Stop),
        ("40226", Fate::Refused, RefusalKind::Declined, Advice::Stop),
        ("42003", Fate::Refused, RefusalKind::Declined, Advice::Stop),
        ("45009", Fate::Refused, RefusalKind::Throttled, Advice::RepeatLater),
        ("45011", Fate::Refused, RefusalKind::Throttled, Advice::RepeatLater),
        ("48001", Fate::Refused, RefusalKind::Configuration, Advice::Stop),
        ("48004", Fate::Refused, RefusalKind::Configuration, Advice::Stop),
        ("50002", Fate::Refused, RefusalKind::Declined, Advice::Stop),
        ("99999", Fate::Refused, RefusalKind::Unclear, Advice::Stop),
    ] {
        // The documentation shows the code as a number and as a text.
        for spelled in [code.to_owned(), format!("\"{code}\"")] {
            let body = format!(r#"{{"errcode":{spelled},"errmsg":"words, rid: 6583f22d-35b1b023-4a6d02b6"}}"#);
            for error in [exchanged(&body).unwrap_err(), logged_in(&body).unwrap_err()] {
                let refusal = error.refusal().unwrap_or_else(|| panic!("{body}: {error:?}"));
                assert_eq!(refusal.code, code);
                assert_eq!(refusal.message, "words, rid: 6583f22d-35b1b023-4a6d02b6");
                assert_eq!(refusal.meaning.kind, kind, "{code}");
                assert_eq!((error.fate(), error.advice()), (fate, advice), "{code}");
                assert_eq!(error.remote_request_id(), Some("6583f22d-35b1b023-4a6d02b6"));
            }
        }
    }
    // A refusal counts whatever stands beside it, and needs no words.
    let error = exchanged(r#"{"openid":"o","access_token":"t","errcode":40029}"#).unwrap_err();
    assert_eq!(error.refusal().unwrap().message, "");
    assert_eq!(error.remote_request_id(), None);
}

#[test]
fn refuses_an_answer_that_is_not_of_the_contract() {
    for (body, path) in [
        ("{}", "openid"),
        (r#"{"openid":""}"#, "openid"),
        (r#"{"openid":null}"#, "openid"),
        (r#"{"openid":1}"#, "openid"),
        (r#"{"openid":"o","expires_in":-1}"#, "expires_in"),
        (r#"{"openid":"o","expires_in":7200.5}"#, "expires_in"),
        (r#"{"openid":"o","access_token":{}}"#, "access_token"),
        (r#"{"openid":"o","is_snapshotuser":true}"#, "is_snapshotuser"),
        (r#"{"errcode":"invalid"}"#, "errcode"),
        (r#"{"errcode":40029.0}"#, "errcode"),
        (r#"{"errcode":40029,"errmsg":1}"#, "errmsg"),
    ] {
        match exchanged(body).expect_err(body).kind() {
            ErrorKind::Protocol(error) => match &error.kind {
                ProtocolErrorKind::Field(error) => assert_eq!(error.path, path, "{body}"),
                other => panic!("{body}: {other:?}"),
            },
            other => panic!("{body}: {other:?}"),
        }
    }
    for body in [
        r#"{"openid":"o"}"#,
        r#"{"openid":"o","session_key":""}"#,
        r#"{"session_key":"k"}"#,
    ] {
        assert!(
            matches!(logged_in(body).expect_err(body).kind(), ErrorKind::Protocol(_)),
            "{body}"
        );
    }
    let deep = format!(r#"{{"openid":"o","x":"{}"}}"#, "x".repeat(64 << 10));
    for (body, kind) in [
        ("", ProtocolErrorKind::Empty),
        ("<html></html>", ProtocolErrorKind::Html),
        ("null", ProtocolErrorKind::Format),
        ("[]", ProtocolErrorKind::Format),
        (r#"{"openid":"a","openid":"b"}"#, ProtocolErrorKind::Format),
        (r#"{"openid":"a""#, ProtocolErrorKind::Format),
        (deep.as_str(), ProtocolErrorKind::Format),
    ] {
        match exchanged(body).expect_err("refused").kind() {
            ErrorKind::Protocol(error) => assert_eq!((&error.kind, error.status), (&kind, Some(200)), "{body:.40}"),
            other => panic!("{body:.40}: {other:?}"),
        }
    }
}

#[test]
fn refuses_every_other_status_even_with_a_good_body() {
    for status in [201, 202, 204, 301, 302, 400, 401, 404, 429, 500, 502, 503] {
        let reply = LogIn::new("C").reply(&app(), &response(status, r#"{"openid":"o","session_key":"k"}"#), NOW);
        match reply.expect_err("refused").kind() {
            ErrorKind::Protocol(error) => {
                assert_eq!(error.kind, ProtocolErrorKind::Status(status));
                assert_eq!(error.status, Some(status));
            }
            other => panic!("{status}: {other:?}"),
        }
    }
}

#[test]
fn shows_no_secret_in_debug_or_error() {
    let ambient = FixedAmbient::at(0);
    let operation = ExchangeCode::new("C0DE5ECRE7");
    let message = operation.encode(&app(), &ambient).unwrap();
    let draft = app()
        .draft(operation.encode(&app(), &ambient).unwrap(), &ambient)
        .unwrap();
    let visitor = exchanged(
        r#"{"openid":"o5ECRE7","access_token":"5ECRE7","refresh_token":"5ECRE7","unionid":"5ECRE7","x":"5ECRE7"}"#,
    )
    .unwrap();
    let other = logged_in(r#"{"openid":"o5ECRE7","session_key":"5ECRE7","unionid":"5ECRE7","x":"5ECRE7"}"#).unwrap();
    let mut shown = format!("{:?} {operation:?} {message:?} {draft:?} {visitor:?} {other:?}", app());
    shown += &format!("{:?}", LogIn::new("C0DE5ECRE7"));
    for body in [
        r#"{"openid":1,"access_token":"5ECRE7"}"#,
        r#"{"openid":"5ECRE7","openid":"5ECRE7"}"#,
        "5ECRE7",
        r#"{"errcode":"5ECRE7"}"#,
    ] {
        let error = exchanged(body).unwrap_err();
        let mut cause = error.source();
        shown += &format!("{error} {error:?}");
        while let Some(inner) = cause {
            shown += &inner.to_string();
            cause = inner.source();
        }
    }
    let error = ExchangeCode::new("5ECRE7 5ECRE7")
        .request(&app(), &ambient)
        .unwrap_err();
    shown += &format!("{error} {error:?}");
    assert!(!shown.contains("5ECRE7"), "{shown}");
    assert!(
        shown.contains("wx2421b1c4370ec43b"),
        "what is no secret is shown: {shown}"
    );
}

proptest! {
    #[test]
    fn never_panics(status in 100_u16..600, body in prop_oneof![
        proptest::collection::vec(any::<u8>(), 0..80),
        "\\{(\"(openid|errcode|errmsg|expires_in|session_key)\":(\"[a-z0-9]{0,4}\"|-?[0-9]{1,22}|null|\\{\\}),){0,3}\"z\":1\\}"
            .prop_map(String::into_bytes),
    ]) {
        let response = response(status, body);
        drop(ExchangeCode::new("C").reply(&app(), &response, NOW));
        drop(LogIn::new("C").reply(&app(), &response, NOW));
    }
}
