//! Tests of the envelope.
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::indexing_slicing,
    clippy::disallowed_methods,
    missing_docs,
    reason = "tests"
)]

mod open;
mod seal;
mod tamper;

use yuanfen_core::{FixedAmbient, Sign as _};
use yuanfen_envelope::{CallbackRules, EmptyValues};
use yuanfen_sign::legacy::{LegacyRsaSigningKey, LegacyRsaVerifyingKey, RsaDigest};
use yuanfen_testkit::{Case, Vectors};

fn vectors() -> Vectors {
    Vectors::of_crate(env!("CARGO_MANIFEST_DIR")).unwrap()
}

fn digest(case: &Case<'_>) -> RsaDigest {
    match case.text("digest") {
        "sha1" => RsaDigest::Sha1,
        "sha256" => RsaDigest::Sha256,
        other => panic!("{case}: digest {other}"),
    }
}

fn signing_key(case: &Case<'_>) -> LegacyRsaSigningKey {
    LegacyRsaSigningKey::parse(case.text("key"), digest(case)).unwrap()
}

fn verifying_key(case: &Case<'_>) -> LegacyRsaVerifyingKey {
    LegacyRsaVerifyingKey::parse(case.text("key"), digest(case)).unwrap()
}

fn rules(case: &Case<'_>) -> CallbackRules {
    let mut rules = CallbackRules::default();
    rules.empty_values = match case.text("empties") {
        "drop-then-keep" => EmptyValues::EitherWay,
        "drop" => EmptyValues::Drop,
        "keep" => EmptyValues::Keep,
        other => panic!("{case}: empties {other}"),
    };
    rules
}

/// The platform of the tests: a key pair that signs like it.
fn platform() -> LegacyRsaSigningKey {
    LegacyRsaSigningKey::parse(&vectors().key("platform_1024_pkcs8").text, RsaDigest::Sha1).unwrap()
}

fn sign(key: &LegacyRsaSigningKey, text: &str) -> String {
    key.sign(text.as_bytes(), &FixedAmbient::at(0)).unwrap()
}

/// A call-back over these pairs, written by hand: `text` is signed, `front` stands before the signature.
fn call_back(front: &str, text: &str) -> String {
    let signature = sign(&platform(), text)
        .replace('+', "%2B")
        .replace('/', "%2F")
        .replace('=', "%3D");
    format!("{front}&sign={signature}&sign_type=RSA")
}
