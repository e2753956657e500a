//! AES-256-ECB of v2 refund notices, and the key that it takes.

use proptest::prelude::*;
use yuanfen_sign::AeadError;
use yuanfen_sign::legacy::{aes_256_ecb_open, aes_256_ecb_seal, md5_hex};
use yuanfen_testkit::json;

use crate::vectors;

const KEY: &[u8; 32] = b"0123456789abcdef0123456789abcdef";

#[test]
fn opens_as_the_vectors_say() {
    for case in vectors().of("aes_ecb") {
        let key: [u8; 32] = case.text("key").as_bytes().try_into().unwrap();
        let opened = aes_256_ecb_open(&key, &case.bytes("ciphertext")).unwrap();
        assert_eq!(aes_256_ecb_seal(&key, &opened), case.bytes("ciphertext"), "{case}");
        case.run().decoded(&json!(String::from_utf8(opened).unwrap())).done();
    }
}

#[test]
fn refuses_a_wrong_padding() {
    use base64::Engine as _;
    // printf 'sixteen octets!\000' (\021; \002\003\003) | openssl enc -aes-256-ecb -K (hex of the key) -nopad | base64
    for sealed in [
        "OG0Hia0YrIhCc58hJcQfHA==", // a padding of nothing is none
        "7WaBHEOznrDAJM9Uq3BbSQ==", // longer than a block
        "xzMnK6UjtnQxMo3R8EPY+g==", // 3 says three octets of 3; the first of them is a 2
    ] {
        let sealed = base64::engine::general_purpose::STANDARD.decode(sealed).unwrap();
        assert_eq!(aes_256_ecb_open(KEY, &sealed).unwrap_err(), AeadError::Refused);
    }
}

#[test]
fn a_ciphertext_is_whole_blocks_and_at_least_one() {
    for length in [0, 1, 15, 17, 31, 33] {
        assert_eq!(
            aes_256_ecb_open(KEY, &vec![0; length]).unwrap_err(),
            AeadError::Length,
            "{length}"
        );
    }
}

#[test]
fn every_octet_of_the_padding_is_looked_at() {
    // A block that ends in 16 octets of 16 is padding alone. Each of them changed is a padding no more.
    let sealed = aes_256_ecb_seal(KEY, b"");
    assert_eq!(aes_256_ecb_open(KEY, &sealed).unwrap(), b"");
    for length in 0..16 {
        let block: Vec<u8> = (0..16_usize).map(|at| if at == length { 1 } else { 16 }).collect();
        // Sealed as a plaintext, of which the first block is what it seals to without padding of its own.
        let crafted = &aes_256_ecb_seal(KEY, &block)[..16];
        let opened = aes_256_ecb_open(KEY, crafted);
        // Only the last octet can make it a padding of another length: one octet of 1.
        let expected = if length == 15 {
            Ok(block[..15].to_vec())
        } else {
            Err(AeadError::Refused)
        };
        assert_eq!(opened, expected, "{length}");
    }
}

#[test]
fn the_refund_key_is_the_lower_case_md5_of_the_api_key() {
    // RFC 1321, appendix A.5.
    assert_eq!(*md5_hex(b""), "d41d8cd98f00b204e9800998ecf8427e");
    assert_eq!(*md5_hex(b"message digest"), "f96b697d7cb7938d525a2f31aaf161d0");
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(128))]

    #[test]
    fn what_was_sealed_opens_unchanged(plaintext in proptest::collection::vec(any::<u8>(), 0..70)) {
        let sealed = aes_256_ecb_seal(KEY, &plaintext);
        prop_assert_eq!(sealed.len(), (plaintext.len() / 16 + 1) * 16);
        prop_assert_eq!(aes_256_ecb_open(KEY, &sealed).unwrap(), plaintext);
    }

    #[test]
    fn opening_anything_never_panics(ciphertext in proptest::collection::vec(any::<u8>(), 0..70)) {
        if let Ok(plaintext) = aes_256_ecb_open(KEY, &ciphertext) {
            prop_assert!(plaintext.len() < ciphertext.len());
        }
    }
}
