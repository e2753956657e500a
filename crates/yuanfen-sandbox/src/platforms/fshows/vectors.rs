//! The vectors of `yuanfen-envelope`, from the other end: requests of the sheet's examples are taken, and call-backs are
//! signed as they are there.
#![allow(clippy::unwrap_used, reason = "tests")]

use yuanfen_core::{FixedAmbient, Sign as _, Verify as _};
use yuanfen_sign::legacy::{LegacyRsaSigningKey, LegacyRsaVerifyingKey, RsaDigest};
use yuanfen_testkit::{Case, Vectors};

use super::RULES;
use crate::keys::KeySet;

fn vectors() -> Vectors {
    Vectors::of_crate(concat!(env!("CARGO_MANIFEST_DIR"), "/../yuanfen-envelope")).unwrap()
}

/// Whether a case is about the very key and digest that the sandbox has.
fn is_ours(case: &Case<'_>, key: &str) -> bool {
    case.key_name("key") == key && case.text("digest") == "sha1"
}

#[test]
fn takes_the_requests_of_the_vectors() {
    let keys = KeySet::built_in();
    let merchant = LegacyRsaVerifyingKey::parse(&keys.fshows().merchant.public_key_pem, RsaDigest::Sha1).unwrap();
    let mut taken = 0;
    for case in vectors().of("request_sign") {
        let text = RULES.keyless_text(&case.fields("fields"));
        assert_eq!(Some(text.as_bytes()), case.expected_text(), "{}", case.name());
        let signature = case.expected_signature().unwrap();
        let holds = merchant.verify(text.as_bytes(), signature).is_ok();
        assert_eq!(holds, is_ours(&case, "merchant_1024_pkcs8"), "{}", case.name());
        taken += usize::from(holds);
    }
    assert_eq!(taken, 2, "T1a and T2");
}

#[test]
fn signs_the_call_backs_of_the_vectors() {
    let keys = KeySet::built_in();
    let platform =
        LegacyRsaSigningKey::parse(keys.fshows().platform.private_key_pem.expose(), RsaDigest::Sha1).unwrap();
    for case in vectors().of("callback_sign") {
        assert!(is_ours(&case, "platform_1024_pkcs8"), "{}", case.name());
        let text = RULES.keyless_text(&case.fields("fields"));
        let signature = platform.sign(text.as_bytes(), &FixedAmbient::at(0)).unwrap();
        case.run().text(text.as_bytes()).signature(&signature).done();
    }
}
