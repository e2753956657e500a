//! The vectors of `yuanfen-wechat-v3`, from the other end: calls that the vendor's documents sign are taken, and every
//! letter that is changed makes them refused.
#![allow(clippy::unwrap_used, reason = "tests")]

use http::{HeaderMap, Method};
use yuanfen_core::{UnixTime, Verify as _};
use yuanfen_sign::RsaSigningKey;
use yuanfen_testkit::{Vectors, vectors};

use super::caller::Merchant;
use super::page::page_text;
use super::placing::{Product, tables};
use super::{authorization, put, schema};
use crate::Clock;
use crate::ambient::SeededAmbient;
use crate::arrival::ClientCertificate;
use crate::book::Book;
use crate::exchange::SignatureVerdict;
use crate::faults::Strikes;
use crate::keys::KeySet;
use crate::platforms::{Call, Desk};

fn vectors() -> Vectors {
    Vectors::of_crate(concat!(env!("CARGO_MANIFEST_DIR"), "/../yuanfen-wechat-v3")).unwrap()
}

/// What the check comes to for a case whose target, body and signature may have been changed.
fn verdict(case: &vectors::Case<'_>, target: &str, body: &[u8], signature: &str) -> SignatureVerdict {
    let seconds = case.number("timestamp");
    let ambient = SeededAmbient::new(Clock::starting_at(UnixTime::from_seconds(seconds)), 1);
    let (mut book, calm) = (Book::default(), Strikes::default());
    let mut desk = Desk::new(&mut book, &ambient, "", &calm);
    let merchant = Merchant {
        id: case.text("mchid").to_owned().leak(),
        serial: case.text("serial_no").to_owned(),
        key: RsaSigningKey::parse(case.text("key")).unwrap().verifying_key().unwrap(),
        ..Merchant::own(KeySet::built_in().wechat_v3()).unwrap()
    };
    let mut headers = HeaderMap::new();
    let header = format!(
        "WECHATPAY2-SHA256-RSA2048 serial_no=\"{}\",mchid=\"{}\",signature=\"{signature}\",timestamp=\"{seconds}\",\
         nonce_str=\"{}\"",
        case.text("serial_no"),
        case.text("mchid"),
        case.text("nonce"),
    );
    put(&mut headers, "authorization", &header);
    let method = Method::from_bytes(case.text("method").as_bytes()).unwrap();
    let call = Call {
        method: &method,
        target,
        path: target,
        query: None,
        headers: &headers,
        body,
        base_url: "",
        certificate: &ClientCertificate::NotAsked,
    };
    let checked = authorization::check(&call, body, &[merchant], &mut desk);
    let verdict = desk.into_checked().verdict;
    assert_eq!(checked.is_ok(), verdict == SignatureVerdict::Holds);
    verdict
}

#[test]
fn takes_the_calls_of_the_vectors_and_no_changed_one() {
    for case in vectors().of("request_sign") {
        let (target, body) = (case.text("target"), case.text("body").as_bytes());
        let signature = case.expected_signature().unwrap();
        assert_eq!(
            verdict(&case, target, body, signature),
            SignatureVerdict::Holds,
            "{}",
            case.name()
        );
        let mut longer = body.to_vec();
        longer.push(b' ');
        let case_changed = format!("{target}x");
        for (target, body, signature) in [
            (target, longer.as_slice(), signature),
            (case_changed.as_str(), body, signature),
            (target, body, "AAAA"),
            (target, body, "not base64!"),
        ] {
            assert_eq!(
                verdict(&case, target, body, signature),
                SignatureVerdict::Mismatch,
                "{}",
                case.name()
            );
        }
    }
}

#[test]
fn takes_the_order_bodies_that_the_documents_print() {
    let (mut taken, vectors) = (0, vectors());
    for case in vectors.of("request_sign").into_iter().chain(vectors.of("request")) {
        if case.maybe_text("target") == Some("/v3/pay/transactions/jsapi") {
            assert!(
                schema::read(
                    case.text("body").as_bytes(),
                    &tables(Product::Jsapi, &Merchant::own(KeySet::built_in().wechat_v3()).unwrap())
                )
                .is_ok(),
                "{}",
                case.name()
            );
            taken += 1;
        }
    }
    assert!(taken >= 2);
}

#[test]
fn opens_the_cashier_on_the_texts_of_the_vectors() {
    for case in vectors().of("invoke_sign") {
        let key = RsaSigningKey::parse(case.text("key")).unwrap().verifying_key().unwrap();
        let package = format!("prepay_id={}", case.text("prepay_id"));
        let text = page_text(case.text("appid"), case.text("timestamp"), case.text("nonce"), &package);
        assert_eq!(case.expected_text(), Some(text.as_slice()), "{}", case.name());
        let signature = case.expected_signature().unwrap();
        assert_eq!(key.verify(&text, signature), Ok(()), "{}", case.name());
    }
}
