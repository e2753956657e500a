//! Tests of the signing primitives: every vector, every armor, and what a stranger may send.
//!
//! They pass with either backend, with `legacy-rsa` alone, and with no feature at all; a module that needs a backend
//! says so here.
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::indexing_slicing,
    clippy::disallowed_methods,
    missing_docs,
    reason = "tests"
)]

#[cfg(any(feature = "aws-lc", feature = "pure-rust"))]
mod aead;
mod canonical;
mod debug;
#[cfg(any(feature = "aws-lc", feature = "pure-rust"))]
mod keyring;
mod legacy;
mod mac;
mod oracle;
#[cfg(any(feature = "aws-lc", feature = "pure-rust", feature = "legacy-rsa"))]
mod pem;
#[cfg(any(feature = "aws-lc", feature = "pure-rust", feature = "legacy-rsa"))]
mod rsa;
mod x509;

use yuanfen_core::{Fields, UnixTime};
use yuanfen_sign::SharedKey;
use yuanfen_testkit::Vectors;

fn vectors() -> Vectors {
    Vectors::of_crate(env!("CARGO_MANIFEST_DIR")).unwrap()
}

fn key_text(name: &str) -> String {
    vectors().key(name).text.clone()
}

fn fields(pairs: &[(&str, &str)]) -> Fields {
    Fields::try_from(pairs).unwrap()
}

fn shared(key: &str) -> SharedKey {
    SharedKey::new(key).unwrap()
}

fn at(seconds: i64) -> UnixTime {
    UnixTime::from_seconds(seconds)
}

#[test]
fn every_vector_is_of_a_kind_that_a_test_here_runs() {
    let known = [
        "aead",
        "aes_ecb",
        "canonical_join",
        "certificate_serial",
        "digest",
        "oaep",
        "pkcs1v15_decrypt",
        "rsa_sign",
        "rsa_verify",
    ];
    assert_eq!(vectors().kinds().into_iter().collect::<Vec<_>>(), known);
}
