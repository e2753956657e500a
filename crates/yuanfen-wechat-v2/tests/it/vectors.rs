//! Every vector of this crate, stage by stage. Bills are in `bill`, whole calls in `calls`.

use std::collections::BTreeSet;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use yuanfen_core::{
    Address, Notice, NotificationSource as _, OperationExt as _, ProtocolErrorKind, Sign as _, UnixTime,
};
use yuanfen_sign::legacy::{aes_256_ecb_open, aes_256_ecb_seal, md5_hex};
use yuanfen_sign::{AeadError, KeyedSigner, SharedKey};
use yuanfen_testkit::{Case, Run, Stage, Value, Vectors, json, oracle};
use yuanfen_wechat_v2::{Account, RULES, SignType};
use yuanfen_xml::MESSAGE_LIMITS;

use crate::far_side::{APP_ID, MERCHANT, ambient, now, order, posted, response, why, word};

pub(crate) fn vectors() -> Vectors {
    Vectors::of_crate(env!("CARGO_MANIFEST_DIR")).unwrap()
}

pub(crate) fn sign_type(case: &Case<'_>) -> SignType {
    match case.text("digest") {
        "md5" => SignType::Md5,
        "hmac-sha256" => SignType::HmacSha256,
        other => panic!("{case}: {other}"),
    }
}

/// The account that a case's messages are for.
pub(crate) fn account(case: &Case<'_>) -> Account {
    Account::new(APP_ID, MERCHANT, case.text("key")).unwrap()
}

/// Text and signature of the fields by the rule of this crate; the run still open, for what a kind has besides.
pub(crate) fn text_and_signature<'a>(case: &Case<'a>) -> (Run<'a>, String) {
    let run = case.run();
    let key = SharedKey::new(case.text("key")).unwrap();
    let text = RULES.text(&case.fields("fields"), &key);
    let signer = KeyedSigner::new(key, sign_type(case).scheme());
    let signature = run.at(Stage::Signature, signer.sign(text.as_bytes(), &ambient()));
    (run.text(text.as_bytes()).signature(&signature), signature)
}

#[test]
fn every_kind_of_vector_is_run() {
    let run_here = [
        "app",
        "bill",
        "bridge",
        "comments",
        "native_url",
        "notification",
        "notify_url",
        "refund_decrypt",
        "refund_key",
        "reply",
        "request",
        "sign",
        "xml",
    ];
    assert_eq!(vectors().kinds(), BTreeSet::from(run_here));
}

#[test]
fn signs_fields_as_the_documents_and_others_do() {
    let vectors = vectors();
    for kind in ["sign", "bridge", "app"] {
        for case in vectors.of(kind) {
            text_and_signature(&case).0.done();
        }
    }
}

#[test]
fn signs_the_link_of_a_static_code() {
    for case in vectors().of("native_url") {
        let (run, signature) = text_and_signature(&case);
        // All values here are of characters that a query carries as they are.
        let query: Vec<String> = std::iter::once(("sign", &*signature))
            .chain(case.pairs("fields"))
            .map(|(name, value)| format!("{name}={value}"))
            .collect();
        run.decoded(&json!(format!("weixin://wxpay/bizpayurl?{}", query.join("&"))))
            .done();
    }
}

#[test]
fn opens_the_payment_notices_or_refuses_them() {
    for case in vectors().of("notification") {
        let account = account(&case).with_sign_type(sign_type(&case));
        let run = case.run();
        let body = case.bytes("body");
        let document = run.at(Stage::Fields, yuanfen_xml::read(&body, &MESSAGE_LIMITS));
        let run = run.fields(document.fields());
        let opened = account.open_notification(&posted(body), now());
        if case.refused().is_some() {
            run.refused(opened, word);
            continue;
        }
        let Notice::Settles(event) = run.at(Stage::Decoded, opened) else {
            panic!("{case}: a hint")
        };
        let event = event.get();
        assert_eq!(event.order_no.as_str(), "1409811653");
        assert_eq!(event.transaction_id.as_str(), "1004400740201409030005092168");
        assert_eq!((event.total.get(), event.coupons.len()), (100, 2));
        assert_eq!(event.extra.get("some_future_field"), Some("x"));
        assert_eq!(event.extra.len(), 1, "{:?}", event.extra);
        run.done();
    }
}

#[test]
fn derives_the_key_of_refund_notices() {
    for case in vectors().of("refund_key") {
        let derived = md5_hex(case.text("key").as_bytes());
        case.run().decoded(&json!(derived.as_str())).done();
        assert_eq!(derived.as_str(), oracle::v2_refund_key(case.text("key")));
        // The account derives the same: what is sealed with the vector's key opens with the account's.
        let aes: [u8; 32] = derived.as_bytes().try_into().unwrap();
        let sealed = STANDARD.encode(aes_256_ecb_seal(
            &aes,
            b"<root><out_refund_no>R1</out_refund_no></root>",
        ));
        let error = account(&case).decrypt_refund_notice(&sealed).unwrap_err();
        assert_eq!(word(&error), "field refund_id", "it was opened and read");
    }
}

#[test]
fn opens_refund_notices_or_refuses_them_all_alike() {
    for case in vectors().of("refund_decrypt") {
        let run = case.run();
        let account = account(&case);
        let aes: [u8; 32] = oracle::v2_refund_key(case.text("key")).into_bytes().try_into().unwrap();
        let sealed = STANDARD.decode(case.text("req_info")).unwrap();
        let opened = aes_256_ecb_open(&aes, &sealed);
        let typed = account.decrypt_refund_notice(case.text("req_info"));
        if case.refused().is_some() {
            assert_eq!(word(&typed.unwrap_err()), "decrypt", "{case}: nobody learns why");
            run.refused(opened, |error| {
                match error {
                    AeadError::Length => "ciphertext-length",
                    AeadError::Refused => "padding",
                    other => panic!("{other}"),
                }
                .to_owned()
            });
            continue;
        }
        let plaintext = run.at(Stage::Decoded, opened);
        let document = run.at(Stage::Fields, yuanfen_xml::read(&plaintext, &MESSAGE_LIMITS));
        assert_eq!(document.root(), "root");
        let notice = typed.unwrap().into_inner();
        assert_eq!(notice.refund_no.as_str(), "131811191610442717309");
        assert_eq!((notice.total.get(), notice.refund.get()), (3960, 3960));
        // 2018-11-19 16:24:13 in Beijing.
        assert_eq!(notice.succeeded_at, Some(UnixTime::from_seconds(1_542_615_853)));
        assert_eq!(notice.extra.get("refund_recv_accout"), Some("支付用户零钱"));
        run.fields(document.fields())
            .decoded(&Value::from(String::from_utf8(plaintext).unwrap()))
            .done();
    }
}

#[test]
fn reads_the_sample_messages_and_refuses_them_as_printed() {
    for case in vectors().of("xml") {
        let body = case.bytes("body");
        let read = yuanfen_xml::read(&body, &MESSAGE_LIMITS);
        let run = case.run();
        // Whatever the sample is, as an answer it is a typed error: its signatures are fillers.
        let answered = order()
            .reply(&account_of_samples(), &response(200, body), now())
            .unwrap_err();
        if case.refused().is_some() {
            assert_eq!(why(&answered), "format", "{case}");
            run.refused(read, |_| "not-xml".to_owned());
        } else {
            assert_eq!(why(&answered), "mismatch", "{case}");
            let document = run.at(Stage::Fields, read);
            run.fields(document.fields()).done();
        }
    }
}

fn account_of_samples() -> Account {
    Account::new("*********", "*********", "192006250b4c09247ec02edce69f6a2d").unwrap()
}

#[test]
fn reads_the_sample_of_a_notify_address_and_refuses_it_as_printed() {
    for case in vectors().of("notify_url") {
        let run = case.run();
        let address = Address::parse_plain("notify_url", case.text("address"));
        if case.refused().is_some() {
            run.refused(address, |error| {
                assert_eq!(error.field, "notify_url");
                "address".to_owned()
            });
        } else {
            let address = run.at(Stage::Decoded, address);
            run.decoded(&json!(address.as_str())).done();
        }
    }
}

#[test]
fn says_that_json_where_xml_is_meant_is_not_of_the_format() {
    let case_text = vectors().case("unified-order-as-printed").bytes("body");
    let error = account_of_samples()
        .open_notification(&posted(case_text), now())
        .unwrap_err();
    let yuanfen_core::OpenError::Protocol(error) = error else {
        panic!("{error:?}")
    };
    assert_eq!(error.kind, ProtocolErrorKind::Format);
    assert!(error.source.is_some(), "the codec's own words are the source");
}
