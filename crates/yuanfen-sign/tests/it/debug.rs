//! Nothing that holds a key prints any of it; what is not secret is found by the same search.

use std::fmt::Debug;

use yuanfen_sign::{
    AeadError, Blanks, Certificate, DigestScheme, Empties, HexCase, HexSpelling, KeyError, KeyedDigest, KeyedSigner,
    NameOrder, PairRules, Render, Sha1Stream, Tail, keyed_text,
};

use crate::{fields, key_text, shared};

const SECRET: &str = "MyVerySecretKey0MyVerySecretKey0";
const PLANTED: &str = "planted-value";

const RULES: PairRules = PairRules {
    order: NameOrder::Bytes,
    empties: Empties::Drop,
    render: Render::NameEqualsValue,
    tail: Tail::KeyField,
    left_out: &["sign"],
    blanks: Blanks::Keep,
};

fn shown(values: &[&dyn Debug]) -> String {
    values.iter().map(|value| format!("{value:?}\n{value:#?}\n")).collect()
}

/// Whether any run of eight characters of a secret is in the text.
fn shows(text: &str, secret: &str) -> bool {
    secret
        .as_bytes()
        .windows(8)
        .any(|part| text.as_bytes().windows(8).any(|other| other == part))
}

#[test]
fn shared_keys_and_texts_show_nothing() {
    let key = shared(SECRET);
    let scheme = DigestScheme {
        digest: KeyedDigest::Md5,
        spelling: HexSpelling::Upper,
        case: HexCase::Exact,
    };
    let text = RULES.text(&fields(&[("openid", "oUpF8uMuAJO_M2pxb1Q9zNjWeS6o")]), &key);
    let keyed = keyed_text(b"message", &key);
    let signer = KeyedSigner::new(key.clone(), scheme);
    let found = shown(&[&key, &signer, &text, &keyed, &RULES]);
    assert!(!shows(&found, SECRET), "{found}");
    assert!(!shows(&found, "oUpF8uMuAJO_M2pxb1Q9zNjWeS6o"), "{found}");
    assert!(!shows(&text.redacted(), SECRET) && text.redacted().contains("<key>"));
    assert!(format!("{text:?}").contains("CanonicalText("));
}

#[test]
fn the_search_finds_what_is_not_secret() {
    assert!(shows(&shown(&[&fields(&[(PLANTED, "value")])]), PLANTED));
    assert!(shows(
        &format!(
            "{:?}",
            KeyError::Kind {
                expected: "x",
                found: PLANTED.to_owned()
            }
        ),
        PLANTED
    ));
}

#[test]
fn errors_show_no_key_text() {
    let errors: [KeyError; 3] = [
        KeyError::Length {
            expected: 32,
            found: 31,
        },
        KeyError::NotBase64,
        KeyError::TooShort {
            bits: 1024,
            least: 2048,
        },
    ];
    for error in errors {
        assert!(
            error.to_string().chars().next().is_some_and(char::is_lowercase) || error.to_string().starts_with("RSA")
        );
        assert!(!error.to_string().ends_with('.'));
    }
    // A key in the place of another, and a key with a slip of the finger in it.
    for text in [
        SECRET.to_owned(),
        format!("{SECRET}*"),
        key_text("go_private").replace("-----END", "----END"),
    ] {
        let error = Certificate::parse(&text).unwrap_err();
        assert!(!shows(&format!("{error} {error:?}"), &text), "{error:?}");
    }
    assert!(!AeadError::Refused.to_string().is_empty());
    assert!(!shows(
        &format!("{:?}", Sha1Stream::new()),
        "da39a3ee5e6b4b0d3255bfef95601890afd80709"
    ));
}

#[cfg(any(feature = "aws-lc", feature = "pure-rust"))]
#[test]
fn asymmetric_keys_and_rings_show_serials_at_most() {
    use yuanfen_sign::{ApiV3Key, KeyRing, PlatformKey, RsaSigningKey, RsaVerifyingKey};

    let private = key_text("go_private");
    let signing = RsaSigningKey::parse(&private).unwrap();
    let verifying = RsaVerifyingKey::parse(&key_text("go_public")).unwrap();
    let certificate = Certificate::parse(&key_text("go_cert_0C4A")).unwrap();
    let platform = PlatformKey::of_certificate(&certificate).unwrap();
    let ring = KeyRing::new();
    ring.learn([platform.clone()], certificate.not_before);
    let found = shown(&[
        &ApiV3Key::new(SECRET).unwrap(),
        &signing,
        &verifying,
        &certificate,
        &platform,
        &ring,
    ]);
    for line in private.lines().filter(|line| !line.starts_with('-')) {
        assert!(!shows(&found, line), "{found}");
    }
    assert!(!shows(&found, SECRET), "{found}");
    assert!(found.contains("0C4AEF34B89340881BB2B25226393DC2E47F094B"));
    assert!(found.contains("RsaSigningKey(..)") && found.contains("ApiV3Key(..)"));
}

#[cfg(feature = "legacy-rsa")]
#[test]
fn old_keys_show_their_digest_at_most() {
    use yuanfen_sign::legacy::{LegacyRsaSigningKey, RsaDigest};

    let private = key_text("openssl_1024");
    let key = LegacyRsaSigningKey::parse(&private, RsaDigest::Sha1).unwrap();
    let found = shown(&[&key, &key.verifying_key()]);
    for line in private.lines().filter(|line| !line.starts_with('-')) {
        assert!(!shows(&found, line), "{found}");
    }
    assert!(found.contains("LegacyRsaSigningKey(Sha1)"));
}
