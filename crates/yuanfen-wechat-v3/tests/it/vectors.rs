//! Every case of `tests/vectors/*.json`, stage by stage.

use std::sync::Arc;

use bytes::Bytes;
use yuanfen_core::{
    FixedAmbient, Limits, NotificationSource as _, Object, Opens as _, Operation as _, OrderNo, PayAmount,
    Provider as _, Sign as _, UnixTime, Verified,
};
use yuanfen_sign::{ApiV3Key, Certificate, KeyError, RsaSigningKey};
use yuanfen_testkit::{Stage, Value, oracle};
use yuanfen_wechat_v3::ops::PlaceJsapiOrder;
use yuanfen_wechat_v3::{Account, BillCheck, MediaFile, Message, OpenId, OrderTerms, Reply, SigningIdentity, sign};

use crate::far_side::{
    API_V3_KEY, PUBLIC_KEY_ID, VECTORS, ambient, api_v3_key, fresh_account, notice, now, reason, response,
    signed_headers,
};
use crate::uploads::parts;

#[test]
fn every_kind_of_case_has_its_test() {
    let tested = [
        "authorization_format",
        "bill_file",
        "certificates",
        "encrypted_bill",
        "invoke_sign",
        "message_verify",
        "newest_certificate",
        "notification",
        "reply",
        "request",
        "request_payment",
        "request_sign",
    ];
    assert!(VECTORS.kinds().into_iter().eq(tested), "{:?}", VECTORS.kinds());
}

#[test]
fn reproduces_the_text_and_signature_of_every_published_request() {
    for case in VECTORS.of("request_sign") {
        let key = RsaSigningKey::parse(case.text("key")).unwrap();
        let (method, target) = (case.text("method"), case.text("target"));
        let (timestamp, nonce, body) = (case.text("timestamp"), case.text("nonce"), case.bytes("body"));
        let text = sign::request_text(method, target, timestamp, nonce, &body);
        assert_eq!(text, oracle::v3_request_text(method, target, timestamp, nonce, &body));
        let run = case.run();
        let signature = run.at(Stage::Signature, key.sign(&text, &ambient()));
        run.text(&text).signature(&signature).done();
    }
}

/// The same requests through an account: what is drafted is the published text but for the nonce, and what is sent is
/// what was drafted.
#[test]
fn drafts_every_published_request_and_sends_what_it_signed() {
    for case in VECTORS.of("request_sign") {
        let key = Arc::new(RsaSigningKey::parse(case.text("key")).unwrap());
        let identity = SigningIdentity::new(case.text("mchid"), case.text("serial_no"), key).unwrap();
        let account = Account::direct(identity, "wx1", api_v3_key()).unwrap();
        let body = case.bytes("body");
        let upload = case.text("target").ends_with("/image-upload");
        let message = if case.text("method") == "GET" {
            Message::get(case.text("target"))
        } else if upload {
            let file = MediaFile::new("wechatpay_logo.png", "the file itself is not signed");
            Message::upload(case.text("target"), body.clone(), &file, &ambient()).unwrap()
        } else {
            let raw: &serde_json::value::RawValue = serde_json::from_slice(&body).unwrap();
            Message::post(case.text("target"), &raw).unwrap()
        };
        let ambient = FixedAmbient::at(case.number("timestamp"));
        let draft = account.draft(message, &ambient).unwrap();
        let drafted = draft.text().to_vec();
        let request = draft.finish("c2lnbmF0dXJl").unwrap();
        let authorization = request.headers()["authorization"].to_str().unwrap().to_owned();
        let nonce = authorization
            .split_once("nonce_str=\"")
            .and_then(|(_, rest)| rest.split_once('"'))
            .unwrap()
            .0;
        let published = String::from_utf8(case.expected_text().unwrap().to_vec()).unwrap();
        let published = published.replacen(case.text("nonce"), nonce, 1);
        assert_eq!(String::from_utf8(drafted).unwrap(), published, "{case}");
        assert_eq!(request.uri().path_and_query().unwrap(), case.text("target"), "{case}");
        if upload {
            let (meta, file) = parts(&request);
            assert_eq!((&*meta.body, file.body.len()), (&*body, 29), "{case}");
        } else {
            assert_eq!(request.body().as_ref(), &*body, "{case}");
        }
        assert_eq!(
            authorization,
            format!(
                "WECHATPAY2-SHA256-RSA2048 mchid=\"{}\",nonce_str=\"{nonce}\",timestamp=\"{}\",serial_no=\"{}\",signature=\"c2lnbmF0dXJl\"",
                case.text("mchid"),
                case.text("timestamp"),
                case.text("serial_no"),
            ),
            "{case}"
        );
    }
}

#[test]
fn writes_the_authorization_header_as_the_vendor_does() {
    for case in VECTORS.of("authorization_format") {
        let (timestamp, nonce) = (case.text("timestamp"), case.text("nonce"));
        let text = sign::request_text(
            case.text("method"),
            case.text("target"),
            timestamp,
            nonce,
            &case.bytes("body"),
        );
        let header = sign::authorization(
            case.text("scheme"),
            case.text("mchid"),
            nonce,
            timestamp,
            case.text("serial_no"),
            case.text("signature"),
        );
        case.run().text(&text).decoded(&Value::from(header)).done();
    }
}

#[test]
fn reproduces_the_signature_of_the_page_parameters() {
    for case in VECTORS.of("invoke_sign") {
        let key = RsaSigningKey::parse(case.text("key")).unwrap();
        let package = format!("prepay_id={}", case.text("prepay_id"));
        let text = sign::invoke_text(case.text("appid"), case.text("timestamp"), case.text("nonce"), &package);
        let run = case.run();
        let signature = run.at(Stage::Signature, key.sign(&text, &ambient()));
        run.text(&text).signature(&signature).done();
    }
}

#[test]
fn opens_genuine_answers_and_refuses_the_others() {
    for case in VECTORS.of("message_verify") {
        let (timestamp, nonce, body) = (case.text("timestamp"), case.text("nonce"), case.bytes("body"));
        let account = fresh_account()
            .with_public_key(PUBLIC_KEY_ID, case.text("key"))
            .unwrap();
        let headers = [
            ("Wechatpay-Timestamp", timestamp.to_owned()),
            ("Wechatpay-Nonce", nonce.to_owned()),
            ("Wechatpay-Serial", PUBLIC_KEY_ID.to_owned()),
            ("Wechatpay-Signature", case.text("signature").to_owned()),
        ];
        let status = if body.is_empty() { 204 } else { 200 };
        let answer = response(status, &headers, &body);
        let at = UnixTime::from_seconds(case.number("timestamp"));
        let opened = Verified::<Reply>::open(&account, &answer, at);
        let run = case.run().text(sign::answer_text(timestamp, nonce, &body));
        if case.refused().is_some() {
            run.refused(opened, reason);
        } else {
            let reply = run.at(Stage::Text, opened).into_inner();
            assert_eq!(reply.raw().as_ref(), &*body, "{case}");
            assert_eq!(reply.answered_at(), at, "{case}");
            run.done();
        }
    }
}

/// The published keys of these two have 16 bytes. They are refused where the account is set up; the signature of the
/// message holds all the same, which shows under another key.
#[test]
fn refuses_api_v3_keys_of_sixteen_bytes() {
    let length = |error: &KeyError| match error {
        KeyError::Length {
            expected: 32,
            found: 16,
        } => "key-length".to_owned(),
        other => panic!("{other:?}"),
    };
    for case in VECTORS.of("notification") {
        let at = UnixTime::from_seconds(case.number("timestamp"));
        let body = case.bytes("body");
        let account = fresh_account().with_certificate(case.text("key")).unwrap();
        let mut request = http::Request::post("/notify");
        for (name, member) in [
            ("Wechatpay-Timestamp", "timestamp"),
            ("Wechatpay-Nonce", "nonce"),
            ("Wechatpay-Serial", "serial"),
            ("Wechatpay-Signature", "signature"),
        ] {
            request = request.header(name, case.text(member));
        }
        let request = request.body(Bytes::copy_from_slice(&body)).unwrap();
        let refused = account.open_notification(&request, at).unwrap_err();
        assert_eq!(
            reason(&refused),
            "decrypt",
            "the signature holds and the key is another: {refused:?}"
        );
        case.run()
            .text(sign::answer_text(case.text("timestamp"), case.text("nonce"), &body))
            .refused(ApiV3Key::new(case.text("apiv3_key")), length);
    }
    for case in VECTORS.of("certificates") {
        let body = case.bytes("body");
        let serial = *case.texts("serials").first().unwrap();
        let answer = response(200, &signed_headers(serial, &body), &body);
        let refused = fresh_account().learn_keys(&answer, now()).unwrap_err();
        assert_eq!(reason(&refused), "decrypt");
        case.run().refused(ApiV3Key::new(case.text("apiv3_key")), length);
    }
}

/// What the notice of the vendor's test holds, under a key of 32 bytes and signed anew.
#[test]
fn opens_the_vendors_notice_sealed_under_a_key_of_the_right_length() {
    for case in VECTORS.of("notification") {
        let mut envelope: Value = serde_json::from_slice(&case.bytes("body")).unwrap();
        let resource = &mut envelope["resource"];
        let nonce = resource["nonce"].as_str().unwrap().to_owned();
        let associated_data = resource["associated_data"].as_str().unwrap_or_default().to_owned();
        let key = ApiV3Key::new(API_V3_KEY).unwrap();
        let ciphertext = key
            .seal(&nonce, &associated_data, case.text("plaintext").as_bytes())
            .unwrap();
        resource["ciphertext"] = ciphertext.into();
        let account = fresh_account().with_certificate(case.text("key")).unwrap();
        let opened = account
            .open_notification(&notice(&envelope.to_string()), now())
            .unwrap();
        let yuanfen_core::Notice::Settles(event) = opened else {
            panic!("a hint")
        };
        let yuanfen_wechat_v3::Event::Other(other) = event.into_inner() else {
            panic!("typed")
        };
        assert_eq!(other.event_type, case.text("event_type"));
        assert_eq!(other.plaintext().as_ref(), case.text("plaintext").as_bytes());
    }
}

#[test]
fn takes_the_certificate_that_began_last_for_the_newest() {
    for case in VECTORS.of("newest_certificate") {
        let account = case
            .texts("certificates")
            .into_iter()
            .fold(fresh_account(), |account, name| {
                account.with_certificate(&VECTORS.key(name).text).unwrap()
            });
        let newest = account.platform_keys().newest_certificate(now()).unwrap();
        case.run().decoded(&Value::from(newest.serial)).done();
    }
}

#[test]
fn knows_the_serials_that_the_keys_were_published_under() {
    let mut checked = 0;
    for (name, key) in VECTORS.keys() {
        if let Some(serial) = key.serial.as_deref().filter(|_| key.text.contains("CERTIFICATE")) {
            assert_eq!(Certificate::parse(&key.text).unwrap().serial, serial, "{name}");
            checked += 1;
        }
    }
    assert!(checked >= 2, "{checked} certificates with a serial");
}

#[test]
fn holds_the_published_bill_against_its_digest() {
    for case in VECTORS.of("bill_file") {
        let gzip = case.bytes("gzip");
        case.run()
            .decoded_with(|expected| {
                for size in [1, 2, 3, 7, 1024, gzip.len()] {
                    let mut check = BillCheck::new(expected["sha1"].as_str().unwrap());
                    for chunk in gzip.chunks(size) {
                        check.push(chunk).unwrap();
                    }
                    check.finish().unwrap();
                }
            })
            .done();
    }
}

/// The vendor's own sample has its members in the order in which this crate writes them: the whole body is the same.
#[test]
fn writes_the_vendors_sample_order_byte_for_byte() {
    let case = VECTORS.case("sign-post-jsapi");
    let identity = SigningIdentity::elsewhere(case.text("mchid"), case.text("serial_no")).unwrap();
    let account = Account::direct(identity, "wxd678efh567hg6787", api_v3_key()).unwrap();
    let terms = OrderTerms::new(
        OrderNo::new("1217752501201407033233368018").unwrap(),
        PayAmount::from_fen(100).unwrap(),
        "Image形象店-深圳腾大-QQ公仔",
        yuanfen_core::Address::parse("notify_url", "https://www.weixin.qq.com/wxpay/pay.php").unwrap(),
    );
    let order = PlaceJsapiOrder::new(terms, OpenId::new("oUpF8uMuAJO_M2pxb1Q9zNjWeS6o"));
    let message = order.encode(&account, &ambient()).unwrap();
    assert_eq!(message.body().as_ref(), &*case.bytes("body"));
}

/// What the document prints for the mini program is a script with functions in it; corrected it is JSON with the members
/// that this crate writes.
#[test]
fn reads_the_sample_parameters_only_when_they_are_corrected() {
    for case in VECTORS.of("request_payment") {
        let read = Object::parse(&case.bytes("body"), &Limits::DEFAULT);
        let run = case.run();
        if case.refused().is_some() {
            run.refused(read, |_| "not-json".to_owned());
            continue;
        }
        let fields = run.at(Stage::Fields, read.map(|object| object.to_fields().unwrap()));
        let account = crate::far_side::account();
        let prepay_id = yuanfen_wechat_v3::PrepayId::issued("wx201410272009395522657a690389285100", now());
        let ours = account.request_payment_params(&prepay_id, &ambient()).unwrap();
        let ours = serde_json::to_vec(&ours).unwrap();
        let ours = Object::parse(&ours, &Limits::DEFAULT).unwrap();
        let names: Vec<_> = fields.iter().map(|(name, _)| name).collect();
        assert!(ours.iter().map(|(name, _)| name).eq(names), "{case}");
        run.fields(&fields).done();
    }
}
