//! Signatures from a shared key, against published digests.

use yuanfen_core::{FixedAmbient, Sign as _, SignatureError, Verify as _};
use yuanfen_sign::{
    DigestScheme, HexCase, HexSpelling, KeyError, KeyedDigest, KeyedSigner, Sha1Stream, SharedKey, hex_lower,
    hex_upper, sha256_hex,
};
use yuanfen_testkit::json;

use crate::{shared, vectors};

const V2_TEXT: &[u8] = b"appid=wxd930ea5d5a258f4f&body=test&device_info=1000&mch_id=10000100&nonce_str=ibuaiVcKdpRxkhJA&key=192006250b4c09247ec02edce69f6a2d";
const V2_KEY: &str = "192006250b4c09247ec02edce69f6a2d";
// Both printed in WeChat's v2 documentation, chapter 4_3.
const V2_MD5: &str = "9A0A8659F005D6984697E2CA0A9CF3B7";
const V2_HMAC: &str = "6A9AE1657590FD6257D693A078E1C3E4BB6BA4DC30B23E0EE2496E54170DACD6";

fn signer(digest: KeyedDigest, spelling: HexSpelling, case: HexCase) -> KeyedSigner {
    KeyedSigner::new(shared(V2_KEY), DigestScheme { digest, spelling, case })
}

fn sign(signer: &KeyedSigner, text: &[u8]) -> String {
    signer.sign(text, &FixedAmbient::at(0)).unwrap()
}

#[test]
fn makes_wechats_published_digests() {
    let md5 = signer(KeyedDigest::Md5, HexSpelling::Upper, HexCase::Exact);
    let hmac = signer(KeyedDigest::HmacSha256, HexSpelling::Upper, HexCase::Exact);
    assert_eq!(sign(&md5, V2_TEXT), V2_MD5);
    assert_eq!(sign(&hmac, V2_TEXT), V2_HMAC);
    assert_eq!(md5.verify(V2_TEXT, V2_MD5), Ok(()));
    assert_eq!(hmac.verify(V2_TEXT, V2_HMAC), Ok(()));
}

#[test]
fn spells_in_the_case_of_its_scheme() {
    let lower = signer(KeyedDigest::Md5, HexSpelling::Lower, HexCase::Ignored);
    assert_eq!(sign(&lower, V2_TEXT), V2_MD5.to_lowercase());
}

#[test]
fn an_exact_scheme_refuses_the_other_case_and_a_tolerant_one_takes_it() {
    for (spelling, wrong) in [
        (HexSpelling::Upper, V2_MD5.to_lowercase()),
        (HexSpelling::Lower, V2_MD5.to_owned()),
    ] {
        let exact = signer(KeyedDigest::Md5, spelling, HexCase::Exact);
        let tolerant = signer(KeyedDigest::Md5, spelling, HexCase::Ignored);
        assert_eq!(exact.verify(V2_TEXT, &wrong), Err(SignatureError::Mismatch));
        assert_eq!(tolerant.verify(V2_TEXT, &wrong), Ok(()));
        assert_eq!(tolerant.verify(V2_TEXT, "9a0A8659f005D6984697E2CA0A9CF3B7"), Ok(()));
    }
}

#[test]
fn refuses_every_changed_character_and_every_other_length() {
    for case in [HexCase::Exact, HexCase::Ignored] {
        let signer = signer(KeyedDigest::Md5, HexSpelling::Upper, case);
        for at in 0..V2_MD5.len() {
            let mut wrong = V2_MD5.to_owned();
            let other = if &V2_MD5[at..=at] == "0" { "1" } else { "0" };
            wrong.replace_range(at..=at, other);
            assert_eq!(signer.verify(V2_TEXT, &wrong), Err(SignatureError::Mismatch), "{wrong}");
        }
        for wrong in [
            "",
            " ",
            &V2_MD5[1..],
            &V2_MD5[..31],
            &format!("{V2_MD5}0"),
            &format!(" {V2_MD5}"),
            &format!("{V2_MD5}\n"),
            &V2_MD5.replace('0', "O"),
            V2_HMAC,
            "９A0A8659F005D6984697E2CA0A9CF3B7",
        ] {
            assert_eq!(
                signer.verify(V2_TEXT, wrong),
                Err(SignatureError::Mismatch),
                "{wrong:?}"
            );
        }
        assert!(signer.verify(&V2_TEXT[1..], V2_MD5).is_err());
    }
}

#[test]
fn hmac_depends_on_the_key_besides_the_text() {
    let scheme = signer(KeyedDigest::HmacSha256, HexSpelling::Upper, HexCase::Exact).scheme();
    let other = KeyedSigner::new(shared("192006250b4c09247ec02edce69f6a2e"), scheme);
    assert_eq!(other.verify(V2_TEXT, V2_HMAC), Err(SignatureError::Mismatch));
    // Longer than a block of the hash, so it is hashed first. The value is that of OpenSSL:
    // 131 letters stands in, with the value of `openssl dgst -sha256 -hmac`).
    let long = KeyedSigner::new(shared(&"a".repeat(131)), scheme);
    assert_eq!(
        sign(&long, b"text"),
        "F13CAD014B0C8FCF7BFF320B87CFD041D15AA63E0564ED58876C0ACDD3660F08".to_owned()
    );
}

#[test]
fn refuses_an_empty_key_and_takes_any_other() {
    assert_eq!(SharedKey::new("").unwrap_err(), KeyError::Empty);
    for key in ["k", " ", "密钥", &"k".repeat(1000)] {
        assert!(SharedKey::new(key).is_ok());
    }
}

#[test]
fn digests_as_the_vectors_say() {
    for case in vectors().of("digest") {
        let octets = case.bytes("octets");
        let mut sha1 = Sha1Stream::new();
        for octet in &octets {
            sha1.push(std::slice::from_ref(octet));
            sha1.push(b"");
        }
        let found = json!({"sha1": sha1.finish_hex(), "sha256": sha256_hex(&octets)});
        case.run().decoded(&found).done();
    }
}

#[test]
fn hex_has_two_digits_for_every_octet() {
    assert_eq!(hex_lower(b""), "");
    assert_eq!(hex_lower(&[0, 9, 0x0a, 0xff]), "00090aff");
    assert_eq!(hex_upper(&[0, 9, 0x0a, 0xff]), "00090AFF");
}
