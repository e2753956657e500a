use proptest::prelude::*;
use yuanfen_core::{Address, BuildError, Fields, FixedAmbient, Sign as _};
use yuanfen_envelope::{CallbackRules, Envelope, open_callback};
use yuanfen_sign::legacy::{LegacyRsaVerifyingKey, RsaDigest};

use crate::{platform, signing_key, vectors};

const GATEWAY: &str = "https://gateway.example/gateway";
const METHOD: &str = "fshows.liquidation.wxpay.mppay";

fn gateway() -> Address {
    Address::parse("gateway", GATEWAY).unwrap()
}

fn envelope() -> Envelope {
    Envelope::new("20990101000000001", METHOD, r#"{"total_fee":"0.01"}"#)
}

#[test]
fn seals_every_request_of_the_sheet() {
    let vectors = vectors();
    for case in vectors.of("request_sign") {
        let fields = case.fields("fields");
        let mut envelope = Envelope::new(
            fields.get("app_id").unwrap(),
            fields.get("method").unwrap(),
            fields.get("content").unwrap(),
        );
        envelope.version = fields.get("version").unwrap().to_owned();
        assert_eq!(fields.len(), 4, "{case}: nothing is left over");

        let draft = envelope.draft(&gateway()).unwrap();
        let signature = signing_key(&case).sign(draft.text(), &FixedAmbient::at(0)).unwrap();
        assert_eq!(envelope.canonical_text().unwrap().as_bytes(), draft.text());
        assert_eq!(draft.redacted_text().as_bytes(), draft.text(), "no key stands in it");
        let run = case.run().text(draft.text()).signature(&signature);
        let request = draft.finish(&signature).unwrap();
        assert_eq!(envelope.body(&signature).unwrap(), request.body());
        if case.expected_request().is_some() {
            run.request(&request).done();
        } else {
            run.done();
        }

        // The platform's side of it, with the public half as it was handed over.
        let digest = crate::digest(&case);
        let public = LegacyRsaVerifyingKey::parse(case.text("public_key"), digest).unwrap();
        let seen = open_callback(request.body(), &public, &CallbackRules::default()).unwrap();
        let mut expected: Vec<_> = fields.iter().collect();
        expected.sort_unstable();
        assert_eq!(seen.get().iter().collect::<Vec<_>>(), expected);
    }
}

#[test]
fn signs_alike_with_every_form_of_the_same_key() {
    let vectors = vectors();
    let case = vectors.case("t1a-request-1024-sha1");
    let signature = case.expected_signature().unwrap();
    let text = case.expected_text().unwrap();
    let pem = &vectors.key("merchant_1024_pkcs8").text;
    let bare: String = pem.lines().filter(|line| !line.starts_with('-')).collect();
    for form in [pem, &vectors.key("merchant_1024_pkcs1").text, &bare] {
        let key = yuanfen_sign::legacy::LegacyRsaSigningKey::parse(form, RsaDigest::Sha1).unwrap();
        assert_eq!(key.sign(text, &FixedAmbient::at(0)).unwrap(), signature);
    }
}

#[test]
fn posts_a_form_to_the_gateway() {
    let draft = envelope().draft(&gateway()).unwrap();
    let request = draft.finish("AAAA").unwrap();
    assert_eq!(request.method(), http::Method::POST);
    assert_eq!(request.uri(), GATEWAY);
    assert_eq!(
        request.headers()[http::header::CONTENT_TYPE],
        "application/x-www-form-urlencoded; charset=UTF-8"
    );
    assert_eq!(request.headers()[http::header::ACCEPT], "application/json");
    let agent = request.headers()[http::header::USER_AGENT].to_str().unwrap();
    assert!(agent.starts_with("yuanfen/"), "{agent}");
    assert_eq!(
        request.body(),
        "app_id=20990101000000001&content=%7B%22total_fee%22%3A%220.01%22%7D&method=fshows.liquidation.wxpay.mppay\
         &sign=AAAA&version=1.0"
    );
}

#[test]
fn signs_additional_parameters_in_their_place() {
    let mut envelope = envelope();
    envelope.additional.push("zone", "华东 1+2").unwrap();
    envelope.additional.push("acquirer_id", "A&B=1").unwrap();
    let text = r#"acquirer_id=A&B=1&app_id=20990101000000001&content={"total_fee":"0.01"}&method=fshows.liquidation.wxpay.mppay&version=1.0&zone=华东 1+2"#;
    assert_eq!(envelope.canonical_text().unwrap().as_bytes(), text.as_bytes());
    assert_eq!(
        envelope.body("AAAA").unwrap(),
        "acquirer_id=A%26B%3D1&app_id=20990101000000001&content=%7B%22total_fee%22%3A%220.01%22%7D\
         &method=fshows.liquidation.wxpay.mppay&sign=AAAA&version=1.0&zone=%E5%8D%8E%E4%B8%9C+1%2B2"
    );
}

#[test]
fn sends_the_content_byte_for_byte() {
    for content in [
        "{}",
        " { \"a\" : 1.10 , \"b\":\"\\/\\u6d4b\" }\n",
        r#"{"b":1,"a":{"c":[1,2,{"d":null}]}}"#,
        "{\"a\":\"\u{1f35c}\"}",
    ] {
        let envelope = Envelope::new("1", METHOD, content);
        let body = envelope.body("AAAA").unwrap();
        let sent = yuanfen_form::read(&body, &yuanfen_core::Limits::DEFAULT).unwrap();
        assert_eq!(sent.get("content"), Some(content));
        let text = format!("app_id=1&content={content}&method={METHOD}&version=1.0");
        assert_eq!(envelope.canonical_text().unwrap().as_bytes(), text.as_bytes());
    }
}

#[test]
fn takes_each_parameter_at_its_limit_and_not_one_past_it() {
    type Set = fn(&mut Envelope, String);
    let app_id: Set = |envelope, text| envelope.app_id = text;
    let method: Set = |envelope, text| envelope.method = text;
    let version: Set = |envelope, text| envelope.version = text;
    for (field, set, max) in [("app_id", app_id, 28), ("method", method, 60), ("version", version, 5)] {
        let with = |text: String| {
            let mut envelope = envelope();
            set(&mut envelope, text);
            envelope.draft(&gateway()).map(|_| ())
        };
        with("1".to_owned()).unwrap();
        with("a.B-9_".chars().cycle().take(max).collect()).unwrap();
        for refused in [
            String::new(),
            "1".repeat(max + 1),
            "a b".to_owned(),
            "a&b".to_owned(),
            "a=b".to_owned(),
            "测".to_owned(),
            "a\n".to_owned(),
            "a\0".to_owned(),
        ] {
            let error = with(refused.clone()).expect_err(&refused);
            assert_eq!(error.field(), Some(field), "{refused:?}");
            assert!(error.to_string().contains("fshows sheet, section 4"), "{error}");
        }
    }
}

#[test]
fn refuses_content_that_is_not_the_text_of_one_object() {
    for content in [
        "",
        " ",
        "[]",
        "\"{}\"",
        "null",
        "{",
        "{}{}",
        "{}x",
        "{'a':1}",
        "{\"a\":1,}",
        "{\"a\":1,\"a\":2}",
        "{\u{201c}a\u{201d}:1}",
        "a=1",
    ] {
        let error = Envelope::new("1", METHOD, content).body("AAAA").expect_err(content);
        assert_eq!(error.field(), Some("content"), "{content}");
    }
}

#[test]
fn refuses_additional_parameters_that_could_pass_for_others() {
    for (name, value) in [
        ("app_id", "1"),
        ("content", "{}"),
        ("method", "x"),
        ("version", "1.0"),
        ("sign", "AAAA"),
        ("sign_type", "RSA"),
        ("empty", ""),
        ("a&b", "1"),
        ("a=b", "1"),
        ("a b", "1"),
        ("测", "1"),
        ("note", "a\nb"),
    ] {
        let mut envelope = envelope();
        envelope.additional.push(name, value).unwrap();
        let error = envelope.canonical_text().expect_err(name);
        let field = error.field().unwrap();
        assert!(field.starts_with("additional parameter"), "{name}: {field}");
    }
}

#[test]
fn refuses_a_signature_that_is_not_base64() {
    for signature in ["", "AA AA", "AAAA\n", "AAAA&version=2", "签名", "%2B"] {
        let draft = envelope().draft(&gateway()).unwrap();
        let error = draft.finish(signature).expect_err(signature);
        assert!(matches!(error, BuildError::Value { field: "sign", .. }), "{error:?}");
    }
}

#[test]
fn shows_neither_content_nor_numbers_when_debugged() {
    let mut envelope = Envelope::new("1", METHOD, r#"{"id_card_num":"SECRET"}"#);
    envelope.additional.push("acquirer_id", "SECRET").unwrap();
    let shown = format!("{envelope:?} {:?}", envelope.draft(&gateway()).unwrap());
    assert!(!shown.contains("SECRET") && shown.contains(METHOD), "{shown}");
    let refused = Envelope::new("SECRET SECRET", METHOD, "{}").body("AAAA").unwrap_err();
    assert!(!format!("{refused} {refused:?}").contains("SECRET"));
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(48))]

    #[test]
    fn opens_on_the_other_side_to_what_was_sealed(
        app_id in "[0-9]{1,28}",
        method in "[a-z.]{1,60}",
        value in "[^\\p{C}\"\\\\]{0,40}",
        additional in proptest::collection::btree_map("x_[a-z_]{1,8}", "[!-~支付]{1,12}", 0..4),
    ) {
        let content = format!("{{\"body\":\"{value}\"}}");
        let mut envelope = Envelope::new(app_id.as_str(), method.as_str(), content.as_str());
        for (name, value) in &additional {
            envelope.additional.push(name, value).unwrap();
        }
        let key = platform();
        let draft = envelope.draft(&gateway()).unwrap();
        let signature = key.sign(draft.text(), &FixedAmbient::at(0)).unwrap();
        let request = draft.finish(&signature).unwrap();
        let seen = open_callback(request.body(), &key.verifying_key(), &CallbackRules::default()).unwrap();

        let mut expected = vec![
            ("app_id", app_id.as_str()),
            ("content", content.as_str()),
            ("method", method.as_str()),
            ("version", "1.0"),
        ];
        expected.extend(additional.iter().map(|(name, value)| (name.as_str(), value.as_str())));
        expected.sort_unstable();
        prop_assert_eq!(seen.into_inner(), Fields::try_from(&expected[..]).unwrap());
    }
}
