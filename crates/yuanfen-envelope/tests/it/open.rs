use std::error::Error as _;

use proptest::prelude::*;
use yuanfen_core::{Decimal, Fields, Limits, OpenError, ProtocolErrorKind, SignatureError, ValueError, Verify as _};
use yuanfen_envelope::{
    CallbackBody, CallbackRules, EmptyValues, EnvelopeError, Outcome, RULES, RULES_KEEPING_EMPTY, open_callback,
    open_reply,
};
use yuanfen_form::FormErrorKind;

use crate::{call_back, platform, rules, sign, signing_key, vectors, verifying_key};

fn open(body: &str) -> Result<Fields, EnvelopeError> {
    open_callback(body.as_bytes(), &platform().verifying_key(), &CallbackRules::default())
        .map(|verified| verified.into_inner())
}

fn fields(pairs: &[(&str, &str)]) -> Fields {
    Fields::try_from(pairs).unwrap()
}

fn word(error: &EnvelopeError) -> String {
    match error {
        EnvelopeError::Signature(SignatureError::Mismatch) => "mismatch".to_owned(),
        other => format!("another error: {other:?}"),
    }
}

#[test]
fn opens_or_refuses_every_call_back_of_the_sheet() {
    let vectors = vectors();
    for case in vectors.of("callback_verify") {
        let body = case.text("body").as_bytes();
        let rules = rules(&case);
        let received = yuanfen_form::read(body, &Limits::DEFAULT).unwrap();
        // The text that the case states is one of those that are tried.
        let text = [RULES, RULES_KEEPING_EMPTY]
            .map(|rules| rules.keyless_text(&received))
            .into_iter()
            .find(|text| Some(text.as_bytes()) == case.expected_text());
        let text = text.unwrap_or_else(|| panic!("{case}: no rule gives the text"));
        let run = case.run().fields(&received).text(text.as_bytes());

        let opened = open_callback(body, &verifying_key(&case), &rules);
        if case.refused().is_some() {
            run.refused(opened, word);
        } else {
            run.done();
            let kept: Vec<_> = received
                .iter()
                .filter(|(name, value)| !name.starts_with("sign") && !value.is_empty())
                .collect();
            assert_eq!(opened.unwrap().into_inner(), fields(&kept), "{case}");
        }
    }
}

#[test]
fn signs_every_call_back_of_the_sheet_as_the_platform_does() {
    let vectors = vectors();
    for case in vectors.of("callback_sign") {
        let text = RULES.keyless_text(&case.fields("fields"));
        let signature = sign(&signing_key(&case), std::str::from_utf8(text.as_bytes()).unwrap());
        case.run().text(text.as_bytes()).signature(&signature).done();
    }
}

#[test]
fn refuses_the_wrong_readings_of_the_sheet() {
    let vectors = vectors();
    for case in vectors.of("text_verify") {
        let verdict = verifying_key(&case).verify(case.text("text").as_bytes(), case.text("signature"));
        case.run().refused(verdict.map_err(EnvelopeError::from), word);
    }
}

#[test]
fn takes_fields_in_any_order_and_any_escaping() {
    let text = "a=1&b=x y+z&c=支付";
    let expected = fields(&[("a", "1"), ("b", "x y+z"), ("c", "支付")]);
    for front in [
        "a=1&b=x+y%2Bz&c=%E6%94%AF%E4%BB%98",
        "a=1&b=x%20y%2bz&c=%e6%94%af%e4%bb%98",
        "%61=1&b=x+y%2Bz&c=支付",
    ] {
        assert_eq!(open(&call_back(front, text)), Ok(expected.clone()), "{front}");
    }
    let other_order = open(&call_back("c=%E6%94%AF%E4%BB%98&b=x+y%2Bz&a=1", text)).unwrap();
    assert_eq!(other_order, fields(&[("c", "支付"), ("b", "x y+z"), ("a", "1")]));
}

#[test]
fn treats_an_empty_value_exactly_like_an_absent_one() {
    let expected = fields(&[("a", "1"), ("b", "2")]);
    let without = call_back("a=1&b=2", "a=1&b=2");
    assert_eq!(open(&without), Ok(expected.clone()));
    // Anybody can append one where empty values are not signed, so nothing may follow from it.
    assert_eq!(open(&format!("{without}&trade_status=")), Ok(expected.clone()));
    assert_eq!(open(&format!("trade_status=&{without}")), Ok(expected.clone()));
    let kept = call_back("a=1&b=2&trade_status=", "a=1&b=2&trade_status=");
    assert_eq!(open(&kept), Ok(expected.clone()));
    // Where it is signed it cannot be taken away, and a second one cannot be added.
    let cut = kept.replace("&trade_status=", "");
    assert_eq!(open(&cut), Err(SignatureError::Mismatch.into()));
    assert_eq!(open(&format!("{kept}&more=")), Err(SignatureError::Mismatch.into()));
    // An empty `sign_type` takes no part either way.
    let no_type = without.replace("&sign_type=RSA", "&sign_type=");
    assert_eq!(open(&no_type), Ok(expected));
}

#[test]
fn keeps_to_one_policy_where_one_is_set() {
    let dropped = call_back("a=1&b=", "a=1");
    let kept = call_back("a=1&b=", "a=1&b=");
    let neither = call_back("a=1&b=", "a=1&b=2");
    let plain = call_back("a=1&b=2", "a=1&b=2");
    for (policy, accepted) in [
        (EmptyValues::EitherWay, [true, true, false, true]),
        (EmptyValues::Drop, [true, false, false, true]),
        (EmptyValues::Keep, [false, true, false, true]),
    ] {
        let mut rules = CallbackRules::default();
        rules.empty_values = policy;
        for (body, accepted) in [&dropped, &kept, &neither, &plain].into_iter().zip(accepted) {
            let opened = open_callback(body.as_bytes(), &platform().verifying_key(), &rules);
            assert_eq!(opened.is_ok(), accepted, "{policy:?} {body}");
        }
    }
}

#[test]
fn leaves_sign_type_out_of_the_text_and_out_of_the_decision() {
    let body = call_back("a=1", "a=1");
    for sign_type in ["&sign_type=RSA2", "&sign_type=MD5", ""] {
        let body = body.replace("&sign_type=RSA", sign_type);
        assert_eq!(open(&body), Ok(fields(&[("a", "1")])), "{body}");
    }
    let signed_in = call_back("a=1", "a=1&sign_type=RSA");
    assert_eq!(open(&signed_in), Err(SignatureError::Mismatch.into()));
}

#[test]
fn refuses_a_call_back_without_a_signature() {
    for body in [
        "",
        "a=1",
        "a=1&sign=",
        "a=1&sign=&sign_type=RSA",
        "a=1&Sign=AAAA",
        "a=1&SIGN=AAAA",
    ] {
        let error = open(body).expect_err(body);
        assert_eq!(error, SignatureError::Missing { part: "sign" }.into(), "{body}");
    }
}

#[test]
fn refuses_a_signature_in_another_spelling() {
    let body = call_back("a=1", "a=1");
    let start = body.find("sign=").unwrap() + 5;
    let end = body.find("&sign_type").unwrap();
    let signature = &body[start..end];
    let swapped: String = signature
        .chars()
        .map(|c| {
            if c.is_ascii_lowercase() {
                c.to_ascii_uppercase()
            } else {
                c.to_ascii_lowercase()
            }
        })
        .collect();
    for other in [
        swapped,
        signature.trim_end_matches("%3D").to_owned(),
        format!("{signature}%3D"),
        format!("+{signature}"),
        format!("{signature}%0A"),
        signature.replace("%2B", "-").replace("%2F", "_") + "%0D",
        "AAAA".to_owned(),
        "not base64".replace(' ', "+"),
    ] {
        let body = format!("{}{other}{}", &body[..start], &body[end..]);
        assert_eq!(open(&body), Err(SignatureError::Mismatch.into()), "{other}");
    }
}

#[test]
fn refuses_what_is_no_strict_form() {
    let body = call_back("a=1&b=2", "a=1&b=2");
    for (mutant, kind) in [
        (format!("{body}&a=1"), FormErrorKind::Duplicate),
        (format!("{body}&%61=2"), FormErrorKind::Duplicate),
        (format!("{body}&sign=AAAA"), FormErrorKind::Duplicate),
        (format!("{body}&sign="), FormErrorKind::Duplicate),
        (format!("{body}&"), FormErrorKind::NoName),
        (format!("{body}&c"), FormErrorKind::NoEquals),
        (format!("{body}&c=%"), FormErrorKind::Escape),
        (format!("{body}&c=%FF"), FormErrorKind::NotUtf8),
        (format!("{body}\n"), FormErrorKind::Unescaped),
    ] {
        match open(&mutant) {
            Err(EnvelopeError::Form(error)) => assert_eq!(error.kind, kind, "{mutant}"),
            other => panic!("{mutant}: {other:?}"),
        }
    }
}

#[test]
fn refuses_a_json_call_back_unless_asked_to_read_it() {
    let key = platform();
    let json = |text: &str| {
        let signature = sign(&key, text);
        format!(
            r#" {{"status":0,"total_fee":0.0100,"desc":"支付","note":null,"sign":"{signature}","sign_type":"RSA"}}"#
        )
    };
    let without_type = json("desc=支付&status=0&total_fee=0.0100");
    let with_type = json("desc=支付&sign_type=RSA&status=0&total_fee=0.0100");
    let kept = json("desc=支付&note=&sign_type=RSA&status=0&total_fee=0.0100");
    let expected = fields(&[("status", "0"), ("total_fee", "0.0100"), ("desc", "支付")]);
    let mut lenient = CallbackRules::default();
    lenient.body = CallbackBody::FormOrJson;
    for body in [&without_type, &with_type, &kept] {
        assert!(matches!(open(body), Err(EnvelopeError::Form(_))), "off by default");
        let opened = open_callback(body.as_bytes(), &key.verifying_key(), &lenient).unwrap();
        assert_eq!(opened.into_inner(), expected);
        let altered = body.replace("0.0100", "0.1000");
        let refused = open_callback(altered.as_bytes(), &key.verifying_key(), &lenient);
        assert_eq!(refused.unwrap_err(), SignatureError::Mismatch.into());
    }
    // A form body still opens, and only without `sign_type`.
    let form = call_back("a=1", "a=1");
    assert!(open_callback(form.as_bytes(), &key.verifying_key(), &lenient).is_ok());
    let form = call_back("a=1", "a=1&sign_type=RSA");
    assert!(open_callback(form.as_bytes(), &key.verifying_key(), &lenient).is_err());

    for body in [
        r#"{"a":{"b":1},"sign":"AAAA"}"#,
        r#"{"a":[1],"sign":"AAAA"}"#,
        r#"{"a":1,"a":1,"sign":"AAAA"}"#,
        r#"{"a":1"#,
    ] {
        let error = open_callback(body.as_bytes(), &key.verifying_key(), &lenient).expect_err(body);
        assert!(
            matches!(error, EnvelopeError::Field(_) | EnvelopeError::Json(_)),
            "{body}: {error:?}"
        );
    }
    for body in [r#"{"a":1}"#, r#"{"a":1,"sign":null}"#, r#"{"a":1,"sign":""}"#] {
        let error = open_callback(body.as_bytes(), &key.verifying_key(), &lenient).expect_err(body);
        assert_eq!(error, SignatureError::Missing { part: "sign" }.into(), "{body}");
    }
}

#[test]
fn reads_a_successful_reply_without_losing_a_digit() {
    // fshows sheet, section 7, T6.
    let body = r#"{"return_value":{"prepay_id":"wx2099010112000000000000000000000001","total_fee":0.01,"net_receipt_amount":0.01,"bank_commission_rate":0.00030,"bank_commission_fee":0.00,"pay_platform_rate":0.00200,"pay_platform_fee":0.00,"liquidator_commission_rate":0.00140,"liquidator_commission_fee":0.00,"gatewayCommissionRate":0.00,"gatewayCommissionFee":0.00,"notify_url":"https://merchant.example/notify"},"success":true}"#;
    let reply = open_reply(body.as_bytes(), &Limits::DEFAULT).unwrap().into_inner();
    assert!(reply.extra.is_empty());
    let Outcome::Success(value) = reply.outcome else {
        panic!("success")
    };
    let (prepay_id, rate): (String, Decimal) = value
        .read(|taker| Ok((taker.need("prepay_id")?, taker.need("bank_commission_rate")?)))
        .unwrap();
    assert_eq!(prepay_id, "wx2099010112000000000000000000000001");
    assert_eq!(rate.to_string(), "0.00030");
    let error = value.read(|taker| taker.need::<String>("trade_no")).unwrap_err();
    assert_eq!(
        (error.path.as_str(), error.problem),
        ("return_value.trade_no", ValueError::Missing)
    );
    assert_eq!(value.text().unwrap_err().path, "return_value");
}

#[test]
fn reads_a_failed_reply() {
    // fshows sheet, section 7, T6, and the variants of section 5.
    for (body, expected) in [
        (
            r#"{"error_code":"-101","error_message":"无效参数","success":false}"#,
            ("-101", "无效参数"),
        ),
        (r#"{"error_code":-101,"success":"false"}"#, ("-101", "")),
        (
            r#"{"error_code":100,"error_message":"用户正在支付中 >> x","success":false}"#,
            ("100", "用户正在支付中 >> x"),
        ),
        (r#"{"success":false}"#, ("", "")),
        (r#"{"success":false,"error_code":null,"error_message":null}"#, ("", "")),
    ] {
        let reply = open_reply(body.as_bytes(), &Limits::DEFAULT).unwrap().into_inner();
        match reply.outcome {
            Outcome::Failure { code, message } => assert_eq!((code.as_str(), message.as_str()), expected, "{body}"),
            Outcome::Success(_) | _ => panic!("{body}"),
        }
    }
}

#[test]
fn reads_the_variants_of_a_successful_reply() {
    for (body, raw, text) in [
        (
            r#"{"success":true,"return_value":"配置成功"}"#,
            Some("\"配置成功\""),
            Some("配置成功"),
        ),
        (r#"{"success":"true","return_value":{}}"#, Some("{}"), None),
        (r#"{"success":true,"return_value":[1]}"#, Some("[1]"), None),
        (r#"{"success":true,"return_value":""}"#, Some("\"\""), None),
        (r#"{"success":true,"return_value":null}"#, None, None),
        (r#"{"success":true}"#, None, None),
    ] {
        let reply = open_reply(body.as_bytes(), &Limits::DEFAULT).unwrap().into_inner();
        let Outcome::Success(value) = reply.outcome else {
            panic!("{body}")
        };
        assert_eq!(value.raw(), raw, "{body}");
        assert_eq!(value.text().ok().as_deref(), text, "{body}");
    }
}

#[test]
fn keeps_what_takes_no_part_in_the_outcome() {
    let body = br#"{"success":true,"return_value":{},"error_code":"0","trace":0.10}"#;
    let reply = open_reply(body, &Limits::DEFAULT).unwrap().into_inner();
    let extra: Vec<_> = reply.extra.iter().collect();
    assert_eq!(extra, [("error_code", "\"0\""), ("trace", "0.10")]);
}

#[test]
fn refuses_a_reply_that_does_not_say_what_became_of_the_call() {
    for (body, path) in [
        ("{}", "success"),
        (r#"{"return_value":{}}"#, "success"),
        (r#"{"success":null}"#, "success"),
        (r#"{"success":""}"#, "success"),
        (r#"{"success":"TRUE"}"#, "success"),
        (r#"{"success":1}"#, "success"),
        (r#"{"success":"yes"}"#, "success"),
        (r#"{"success":{}}"#, "success"),
        (r#"{"success":false,"error_code":{}}"#, "error_code"),
        (r#"{"success":false,"error_message":1}"#, "error_message"),
    ] {
        match open_reply(body.as_bytes(), &Limits::DEFAULT) {
            Err(EnvelopeError::Field(error)) => assert_eq!(error.path, path, "{body}"),
            other => panic!("{body}: {other:?}"),
        }
    }
}

#[test]
fn tells_an_empty_body_and_a_page_for_people_from_a_broken_one() {
    let t6 = r#"{"return_value":{"gatewayCommissionRate":0.00,“gatewayCommissionFee”:0.00},"success":true}"#;
    for (body, kind) in [
        ("", ProtocolErrorKind::Empty),
        (" \r\n", ProtocolErrorKind::Empty),
        ("<html><body>502</body></html>", ProtocolErrorKind::Html),
        ("<!DOCTYPE HTML PUBLIC>", ProtocolErrorKind::Html),
        (t6, ProtocolErrorKind::Format),
        ("success", ProtocolErrorKind::Format),
        ("[]", ProtocolErrorKind::Format),
        (r#"{"success":true,"success":false}"#, ProtocolErrorKind::Format),
        (r#"{"success":true"#, ProtocolErrorKind::Format),
    ] {
        let error = open_reply(body.as_bytes(), &Limits::DEFAULT).expect_err(body);
        let source = error.source().expect("a cause").to_string();
        assert!(!error.to_string().contains(&source));
        match error.into_open_error(body.as_bytes()) {
            OpenError::Protocol(error) => assert_eq!(error.kind, kind, "{body}"),
            other => panic!("{body}: {other:?}"),
        }
    }
    let page = "<html><body>502</body></html>";
    match open(page).unwrap_err().into_open_error(page.as_bytes()) {
        OpenError::Protocol(error) => assert_eq!(error.kind, ProtocolErrorKind::Html),
        other => panic!("{other:?}"),
    }
    let unsigned = open("a=1").unwrap_err().into_open_error(b"a=1");
    assert!(matches!(
        unsigned,
        OpenError::Signature(SignatureError::Missing { part: "sign" })
    ));
    let field = open_reply(b"{}", &Limits::DEFAULT).unwrap_err().into_open_error(b"{}");
    assert!(matches!(field, OpenError::Protocol(error) if matches!(error.kind, ProtocolErrorKind::Field(_))));
}

#[test]
fn reads_no_more_than_its_limits() {
    let mut rules = CallbackRules::default();
    let body = call_back("a=1", "a=1");
    rules.limits = Limits::DEFAULT.with_bytes(body.len());
    assert!(open_callback(body.as_bytes(), &platform().verifying_key(), &rules).is_ok());
    rules.limits = Limits::DEFAULT.with_bytes(body.len() - 1);
    assert!(open_callback(body.as_bytes(), &platform().verifying_key(), &rules).is_err());
    let huge = vec![b' '; 10 << 20];
    assert!(open_reply(&huge, &Limits::DEFAULT).is_err());
    assert!(open_callback(&huge, &platform().verifying_key(), &CallbackRules::default()).is_err());
}

#[test]
fn shows_nothing_of_a_message_in_debug_or_error() {
    let body = br#"{"success":true,"return_value":{"id_card_num":"SECRET"},"x":"SECRET"}"#;
    let reply = open_reply(body, &Limits::DEFAULT).unwrap();
    assert!(!format!("{reply:?}").contains("SECRET"), "{reply:?}");
    let verified = open_callback(
        call_back("openid=SECRET", "openid=SECRET").as_bytes(),
        &platform().verifying_key(),
        &CallbackRules::default(),
    )
    .unwrap();
    assert!(!format!("{verified:?}").contains("SECRET"), "{verified:?}");
    for body in ["openid=SECRET&openid=SECRET", "openid=SECRET&sign=SECRET", "SECRET"] {
        let error = open(body).unwrap_err();
        assert!(!format!("{error} {error:?}").contains("SECRET"), "{error:?}");
    }
}

proptest! {
    #[test]
    fn never_panics_and_never_trusts_a_stranger(body in prop_oneof![
        proptest::collection::vec(any::<u8>(), 0..120),
        "(a=[0-9]{0,2}&|b=%[0-9A-F]{2}&|sign=[A-Za-z0-9+/=]{0,20}&|sign_type=RSA&|\\{\"sign\":\"AAAA\"\\}){0,5}"
            .prop_map(String::into_bytes),
    ]) {
        let mut lenient = CallbackRules::default();
        lenient.body = CallbackBody::FormOrJson;
        let key = platform().verifying_key();
        for rules in [CallbackRules::default(), lenient] {
            prop_assert!(open_callback(&body, &key, &rules).is_err());
        }
        drop(open_reply(&body, &Limits::DEFAULT));
    }
}
