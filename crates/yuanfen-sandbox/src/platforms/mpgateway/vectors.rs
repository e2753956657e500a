//! The vectors of `yuanfen-mpgateway`, from the other end: the platform's own rules make the same texts and digests, and
//! what a shop must refuse is nothing that this platform would have sent.
#![allow(clippy::unwrap_used, reason = "tests")]

use yuanfen_core::{FixedAmbient, Sign as _, Verify as _};
use yuanfen_form::base64_json;
use yuanfen_sign::{KeyedSigner, SharedKey, keyed_text};
use yuanfen_testkit::Vectors;

use super::SCHEME;

fn vectors() -> Vectors {
    Vectors::of_crate(concat!(env!("CARGO_MANIFEST_DIR"), "/../yuanfen-mpgateway")).unwrap()
}

#[test]
fn makes_the_texts_and_signatures_of_the_vectors() {
    let vectors = vectors();
    for case in vectors.of("sign").into_iter().chain(vectors.of("page")) {
        let signer = KeyedSigner::new(SharedKey::new(case.text("key")).unwrap(), SCHEME);
        let base64 = base64_json::encode(case.text("payload").as_bytes());
        let text = keyed_text(base64.as_bytes(), signer.key());
        let signature = signer.sign(text.as_bytes(), &FixedAmbient::at(0)).unwrap();
        assert_eq!(Some(text.as_bytes()), case.expected_text(), "{}", case.name());
        assert_eq!(Some(signature.as_str()), case.expected_signature(), "{}", case.name());
    }
}

#[test]
fn tells_its_own_messages_from_others() {
    for case in vectors().of("verify") {
        let signer = KeyedSigner::new(SharedKey::new(case.text("key")).unwrap(), SCHEME);
        // What the way here did to a plus is the receiver's to mend.
        let base64 = case.text("base64").replace(' ', "+");
        let text = keyed_text(base64.as_bytes(), signer.key());
        let verdict = signer.verify(text.as_bytes(), case.text("sign"));
        assert_eq!(verdict.is_ok(), case.refused().is_none(), "{}", case.name());
    }
}
