//! AES-256-GCM of APIv3: the vectors, and whatever a stranger may send.

use proptest::prelude::*;
use yuanfen_sign::{AeadError, ApiV3Key, FileKey, KeyError};
use yuanfen_testkit::{Value, json};

use crate::vectors;

const KEY: &str = "a7cde1ZJB1kG2e7VfTs3jQzaWizur8Gb";
const NONCE: &str = "uluk4a9R25RW";

/// What opening says, in the words of the vector format.
fn open(key: &str, nonce: &str, associated_data: &str, ciphertext: &str) -> Result<Vec<u8>, &'static str> {
    let key = ApiV3Key::new(key).map_err(|error| match error {
        KeyError::Length { expected: 32, .. } => "key-length",
        other => panic!("{other:?}"),
    })?;
    key.open(nonce, associated_data, ciphertext).map_err(word)
}

fn word(error: AeadError) -> &'static str {
    match error {
        AeadError::NotBase64 => "not-base64",
        AeadError::NonceLength { .. } => "nonce-length",
        AeadError::Length => "ciphertext-length",
        AeadError::Refused => "mismatch",
        other => panic!("{other:?}"),
    }
}

#[test]
fn opens_or_refuses_as_the_vectors_say() {
    for case in vectors().of("aead") {
        let opened = open(
            case.text("key"),
            case.text("nonce"),
            case.text("associated_data"),
            case.text("ciphertext"),
        );
        let run = case.run();
        if case.refused().is_some() {
            run.refused(opened, |error| (*error).to_owned());
        } else {
            let plaintext = String::from_utf8(opened.unwrap()).unwrap();
            run.decoded(&json!(plaintext)).done();
        }
    }
}

#[test]
fn a_published_ciphertext_is_what_sealing_makes() {
    let vectors = vectors();
    let case = vectors.case("aead-32-byte-key");
    let sealed = ApiV3Key::new(case.text("key"))
        .unwrap()
        .seal(case.text("nonce"), case.text("associated_data"), b"message")
        .unwrap();
    assert_eq!(sealed, case.text("ciphertext"));
    assert_eq!(case.expected_decoded().and_then(Value::as_str), Some("message"));
}

#[test]
fn a_key_has_exactly_32_bytes() {
    for length in [0, 1, 16, 24, 31, 33, 64] {
        let error = ApiV3Key::new(&"k".repeat(length)).unwrap_err();
        assert_eq!(
            error,
            KeyError::Length {
                expected: 32,
                found: length
            }
        );
    }
    assert!(ApiV3Key::new(&"k".repeat(32)).is_ok());
    // 32 characters are more bytes when they are Chinese; bytes count.
    assert_eq!(
        ApiV3Key::new(&"密".repeat(32)).unwrap_err(),
        KeyError::Length {
            expected: 32,
            found: 96
        }
    );
}

#[test]
fn a_nonce_has_exactly_12_bytes_also_when_sealing() {
    let key = ApiV3Key::new(KEY).unwrap();
    for nonce in [
        "",
        "1",
        "12345678901",
        "1234567890123",
        "0123456789abcdef",
        "随机随机随机随机随机随机",
    ] {
        let error = AeadError::NonceLength { found: nonce.len() };
        assert_eq!(key.open(nonce, "", "AAAAAAAAAAAAAAAAAAAAAA==").unwrap_err(), error);
        assert_eq!(key.seal(nonce, "", b"").unwrap_err(), error);
    }
    // Four Chinese characters are twelve bytes.
    assert!(key.seal("随机随机", "", b"").is_ok());
}

#[test]
fn a_ciphertext_is_standard_base64_with_a_whole_tag() {
    let key = ApiV3Key::new(KEY).unwrap();
    let sealed = key.seal(NONCE, "a", b"").unwrap();
    assert_eq!(key.open(NONCE, "a", &sealed).unwrap(), b"");
    for (ciphertext, reason) in [
        ("", AeadError::Length),
        ("AAAA", AeadError::Length),
        ("AAAAAAAAAAAAAAAAAAAA", AeadError::Length), // 15 octets
        ("AAAAAAAAAAAAAAAAAAAAAA==", AeadError::Refused),
        (sealed.trim_end_matches('='), AeadError::NotBase64),
        ("AAAAAAAAAAAAAAAAAAAAA-==", AeadError::NotBase64),
        ("AAAAAAAAAA AAAAAAAAAAAA==", AeadError::NotBase64),
        ("AAAAAAAAAAAAAAAAAAAAAA==\n", AeadError::NotBase64),
        ("AAAAAAAAAAAAAAAAAAAAAB==", AeadError::NotBase64), // bits behind the last octet
        ("密文", AeadError::NotBase64),
    ] {
        assert_eq!(key.open(NONCE, "a", ciphertext).unwrap_err(), reason, "{ciphertext:?}");
    }
}

#[test]
fn refuses_every_changed_octet_of_the_ciphertext() {
    use base64::Engine as _;
    use base64::engine::general_purpose::STANDARD;
    let key = ApiV3Key::new(KEY).unwrap();
    let sealed = STANDARD
        .decode(key.seal(NONCE, "associated", "消息".as_bytes()).unwrap())
        .unwrap();
    for at in 0..sealed.len() {
        for bit in 0..8 {
            let mut wrong = sealed.clone();
            wrong[at] ^= 1 << bit;
            let wrong = STANDARD.encode(wrong);
            assert_eq!(key.open(NONCE, "associated", &wrong).unwrap_err(), AeadError::Refused);
        }
    }
    let whole = STANDARD.encode(&sealed);
    for (nonce, associated) in [(NONCE, ""), (NONCE, "associated "), ("uluk4a9R25RX", "associated")] {
        assert_eq!(key.open(nonce, associated, &whole).unwrap_err(), AeadError::Refused);
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(256))]

    #[test]
    fn opening_anything_never_panics(
        nonce in prop_oneof!["\\PC{0,20}", Just(NONCE.to_owned())],
        associated in "\\PC{0,40}",
        ciphertext in prop_oneof!["\\PC{0,80}", "[A-Za-z0-9+/]{0,80}={0,2}"],
    ) {
        let key = ApiV3Key::new(KEY).unwrap();
        prop_assert!(key.open(&nonce, &associated, &ciphertext).is_err());
    }

    #[test]
    fn what_was_sealed_opens_unchanged(
        plaintext in proptest::collection::vec(any::<u8>(), 0..100), associated in "\\PC{0,40}",
    ) {
        let key = ApiV3Key::new(KEY).unwrap();
        let sealed = key.seal(NONCE, &associated, &plaintext).unwrap();
        prop_assert_eq!(key.open(NONCE, &associated, &sealed).unwrap(), plaintext);
    }
}

/// A file is bytes where a notice is base64; what opens it is the same.
#[test]
fn a_file_s_key_opens_what_the_apiv3_key_of_the_same_bytes_sealed() {
    let file = ApiV3Key::new(KEY).unwrap().seal(NONCE, "", b"a bill").unwrap();
    let file = base64::Engine::decode(&base64::engine::general_purpose::STANDARD, file).unwrap();
    let key = FileKey::from_bytes(KEY.as_bytes()).unwrap();
    assert_eq!(key.open(NONCE, "", file.clone()).unwrap(), b"a bill");
    assert_eq!(key.seal(NONCE, "", b"a bill".to_vec()).unwrap(), file);
    assert_eq!(word(key.open(NONCE, "x", file.clone()).unwrap_err()), "mismatch");
    assert_eq!(word(key.open("short", "", file.clone()).unwrap_err()), "nonce-length");
    assert_eq!(word(key.open(NONCE, "", vec![0; 15]).unwrap_err()), "ciphertext-length");
    for length in [0, 16, 31, 33] {
        let refused = FileKey::from_bytes(&vec![7; length]).unwrap_err();
        assert!(matches!(refused, KeyError::Length { expected: 32, found } if found == length));
    }
    assert_eq!(format!("{key:?}"), "FileKey(..)");
}
