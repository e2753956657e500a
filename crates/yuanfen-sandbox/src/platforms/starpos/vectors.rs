//! The vectors of `yuanfen-starpos`, from the other end: the platform's own rules make the same texts and digests, and
//! what a shop must refuse is nothing that this platform would have sent.
#![allow(clippy::unwrap_used, reason = "tests")]

use yuanfen_core::{Fields, FixedAmbient, Limits, Sign as _, Verify as _};
use yuanfen_sign::{KeyedSigner, SharedKey, keyed_text};
use yuanfen_testkit::{Case, Vectors};

use super::{RULES, SCHEME, push, put};

fn vectors() -> Vectors {
    Vectors::of_crate(concat!(env!("CARGO_MANIFEST_DIR"), "/../yuanfen-starpos")).unwrap()
}

fn signer(case: &Case<'_>, key: &str) -> KeyedSigner {
    KeyedSigner::new(SharedKey::new(case.text(key)).unwrap(), SCHEME)
}

/// What is signed is what `message` says, not how it travels.
fn decoded(message: &str) -> String {
    let form = yuanfen_form::read(format!("message={message}").as_bytes(), &Limits::DEFAULT).unwrap();
    form.get("message").unwrap().to_owned()
}

#[test]
fn makes_the_texts_and_signatures_of_the_vectors() {
    for case in vectors().of("sign") {
        let signer = signer(&case, "key");
        let text = RULES.text(&case.fields("fields"), signer.key());
        let signature = signer.sign(text.as_bytes(), &FixedAmbient::at(0)).unwrap();
        case.run().text(text.as_bytes()).signature(&signature).done();
    }
}

#[test]
fn tells_its_own_replies_from_others() {
    for case in vectors().of("verify") {
        // Shops are lenient towards the one order of names that this platform does not use.
        if case.name() == "v4-pub-sig-pay-reply-raw-order" {
            continue;
        }
        let signer = signer(&case, "key");
        let mut fields = Fields::new();
        for (name, value) in case.pairs("fields") {
            put(
                &mut fields,
                name,
                &if name == "message" {
                    decoded(value)
                } else {
                    value.to_owned()
                },
            );
        }
        let text = RULES.text(&fields, signer.key());
        let verdict = signer.verify(text.as_bytes(), fields.get("signValue").unwrap_or_default());
        assert_eq!(verdict.is_ok(), case.refused().is_none(), "{}", case.name());
    }
}

#[test]
fn makes_the_digests_of_encrypted_pushes() {
    for case in vectors().of("push_digest") {
        let signer = KeyedSigner::new(SharedKey::new(case.text("md5_key")).unwrap(), push::SCHEME);
        let text = keyed_text(case.text("datas").as_bytes(), signer.key());
        let signature = signer.sign(text.as_bytes(), &FixedAmbient::at(0)).unwrap();
        let is_same = signature.eq_ignore_ascii_case(case.text("signature"));
        let is_broken_inside = case.has("private_key");
        assert_eq!(is_same, is_broken_inside || case.refused().is_none(), "{}", case.name());
    }
}
