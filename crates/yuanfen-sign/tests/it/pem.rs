//! Every armor in which keys are handed out, and what is said of what is none.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use yuanfen_sign::KeyError;

use crate::key_text;

fn der(pem: &str) -> Vec<u8> {
    let body: String = pem.lines().filter(|line| !line.starts_with("-----")).collect();
    STANDARD.decode(body).unwrap()
}

fn armored(label: &str, der: &[u8], width: usize, line_end: &str) -> String {
    let text = STANDARD.encode(der);
    let lines: Vec<&str> = text
        .as_bytes()
        .chunks(width)
        .map(|line| std::str::from_utf8(line).unwrap())
        .collect();
    format!(
        "-----BEGIN {label}-----{line_end}{}{line_end}-----END {label}-----{line_end}",
        lines.join(line_end)
    )
}

/// The same document in every dress that has been seen on a key.
fn dresses(label: &str, der: &[u8]) -> Vec<(String, String)> {
    let bare = STANDARD.encode(der);
    let usual = armored(label, der, 64, "\n");
    let mut dresses = vec![
        ("bare base64".to_owned(), bare.clone()),
        (
            "bare base64 with blanks around it".to_owned(),
            format!(" \r\n{bare}\n\n"),
        ),
        ("a byte order mark".to_owned(), format!("\u{feff}{usual}")),
        (
            "leading text".to_owned(),
            format!("Bag Attributes\n    friendlyName: Tenpay\n{usual}"),
        ),
        ("trailing text".to_owned(), format!("{usual}\nthe end")),
        ("no line end behind it".to_owned(), usual.trim_end().to_owned()),
        ("indented lines".to_owned(), usual.replace('\n', "\n  ")),
        ("armor on one line".to_owned(), usual.replace('\n', "")),
        (
            "bare base64 in CRLF lines".to_owned(),
            armored("", der, 64, "\r\n")
                .lines()
                .filter(|line| !line.starts_with('-'))
                .collect::<Vec<_>>()
                .join("\r\n"),
        ),
    ];
    for width in [1, 63, 64, 77, 100_000] {
        for (name, line_end) in [("LF", "\n"), ("CRLF", "\r\n"), ("CR", "\r")] {
            dresses.push((
                format!("lines of {width} ended by {name}"),
                armored(label, der, width, line_end),
            ));
        }
    }
    dresses
}

const PRIVATE: [(&str, &str); 2] = [
    ("openssl_2048", "PRIVATE KEY"),
    ("openssl_2048_pkcs1", "RSA PRIVATE KEY"),
];
const PUBLIC: [(&str, &str); 3] = [
    ("openssl_2048_public", "PUBLIC KEY"),
    ("openssl_2048_public_pkcs1", "RSA PUBLIC KEY"),
    ("openssl_certificate_zero", "CERTIFICATE"),
];

/// What must be refused of private keys, and why; the least number of bits is that of the type.
fn wrong_private_keys() -> Vec<(String, String, KeyError)> {
    let not_private = KeyError::NotDer {
        expected: "private key",
    };
    let kind = |found: &str| KeyError::Kind {
        expected: "private key",
        found: found.to_owned(),
    };
    let text = |name: &str| (name.to_owned(), key_text(name));
    let good = der(&key_text("openssl_2048"));
    let mut wrong = Vec::new();
    let mut add = |(name, text): (String, String), error: KeyError| wrong.push((name, text, error));
    add(text("openssl_2048_encrypted"), KeyError::Encrypted);
    add(text("openssl_2048_encrypted_pkcs1"), KeyError::Encrypted);
    let bare_encrypted = STANDARD.encode(der(&key_text("openssl_2048_encrypted")));
    add(
        ("an encrypted key without armor".to_owned(), bare_encrypted),
        KeyError::Encrypted,
    );
    add(text("openssl_ec"), KeyError::NotRsa);
    let bare_ec = STANDARD.encode(der(&key_text("openssl_ec")));
    add(("an elliptic key without armor".to_owned(), bare_ec), KeyError::NotRsa);
    add(text("openssl_ec_sec1"), kind("EC PRIVATE KEY"));
    add(text("openssl_ec_with_parameters"), kind("EC PARAMETERS"));
    add(text("openssl_2048_public"), kind("PUBLIC KEY"));
    add(text("openssl_certificate_zero"), kind("CERTIFICATE"));
    let bare_public = STANDARD.encode(der(&key_text("openssl_2048_public")));
    add(
        ("a public key without armor".to_owned(), bare_public),
        not_private.clone(),
    );
    for (name, text, error) in [
        ("nothing", String::new(), KeyError::Empty),
        ("blanks", " \r\n\t".to_owned(), KeyError::Empty),
        ("an empty block", armored("PRIVATE KEY", &[], 64, "\n"), KeyError::Empty),
        ("words", "my private key!".to_owned(), KeyError::NotBase64),
        (
            "a block without end",
            "-----BEGIN PRIVATE KEY-----\nAAAA".to_owned(),
            KeyError::NotBase64,
        ),
        (
            "a block without label end",
            "-----BEGIN PRIVATE KEY".to_owned(),
            KeyError::NotBase64,
        ),
        (
            "a cut label",
            "-----BEGIN PRIVATE KEY-----\nAAAA\n-----END PRIVATE".to_owned(),
            KeyError::NotBase64,
        ),
        (
            "another label at the end",
            armored("PRIVATE KEY", &good, 64, "\n").replace("END PRIVATE", "END PUBLIC"),
            KeyError::NotBase64,
        ),
        (
            "what is no base64 inside",
            armored("PRIVATE KEY", &good, 64, "\n").replace('A', "*"),
            KeyError::NotBase64,
        ),
        (
            "bytes that are none",
            STANDARD.encode([1, 2, 3, 4]),
            not_private.clone(),
        ),
        ("an empty sequence", STANDARD.encode([0x30, 0]), not_private.clone()),
        (
            "a length without end",
            STANDARD.encode([0x30, 0x84, 0xff, 0xff, 0xff, 0xff]),
            not_private.clone(),
        ),
        (
            "a byte more",
            armored("PRIVATE KEY", &[good.as_slice(), &[0]].concat(), 64, "\n"),
            not_private.clone(),
        ),
        (
            "a byte less",
            armored("PRIVATE KEY", &good[..good.len() - 1], 64, "\n"),
            not_private.clone(),
        ),
        (
            "PKCS#8 under the label of PKCS#1",
            armored("RSA PRIVATE KEY", &good, 64, "\n"),
            not_private.clone(),
        ),
        (
            "PKCS#1 under the label of PKCS#8",
            armored("PRIVATE KEY", &der(&key_text("openssl_2048_pkcs1")), 64, "\n"),
            not_private.clone(),
        ),
    ] {
        add((name.to_owned(), text), error);
    }
    wrong
}

fn wrong_public_keys() -> Vec<(String, String, KeyError)> {
    let not_public = KeyError::NotDer { expected: "public key" };
    let kind = |found: &str| KeyError::Kind {
        expected: "public key or certificate",
        found: found.to_owned(),
    };
    let good = der(&key_text("openssl_2048_public"));
    let mut wrong: Vec<(String, String, KeyError)> = [
        ("openssl_ec_public", KeyError::NotRsa),
        ("openssl_ec_certificate", KeyError::NotRsa),
        ("openssl_2048", kind("PRIVATE KEY")),
        ("openssl_2048_pkcs1", kind("RSA PRIVATE KEY")),
        ("openssl_2048_encrypted", KeyError::Encrypted),
    ]
    .into_iter()
    .map(|(name, error)| (name.to_owned(), key_text(name), error))
    .collect();
    for (name, text, error) in [
        ("nothing", String::new(), KeyError::Empty),
        ("words", "my public key!".to_owned(), KeyError::NotBase64),
        ("bytes that are none", STANDARD.encode([1, 2, 3, 4]), not_public.clone()),
        (
            "a byte more",
            armored("PUBLIC KEY", &[good.as_slice(), &[0]].concat(), 64, "\n"),
            not_public.clone(),
        ),
        (
            "a byte less",
            armored("PUBLIC KEY", &good[..good.len() - 1], 64, "\n"),
            not_public.clone(),
        ),
        (
            "PKCS#1 under another label",
            armored("PUBLIC KEY", &der(&key_text("openssl_2048_public_pkcs1")), 64, "\n"),
            not_public.clone(),
        ),
        (
            "a certificate that is none",
            armored("CERTIFICATE", &good, 64, "\n"),
            KeyError::NotDer {
                expected: "certificate",
            },
        ),
    ] {
        wrong.push((name.to_owned(), text, error));
    }
    wrong
}

/// A public key as PKCS#1 whose modulus has that many bits. Nobody can sign under it; it has a size.
fn public_of_bits(bits: usize) -> String {
    let mut modulus = vec![0xff_u8; bits.div_ceil(8)];
    modulus[0] = u8::try_from((1_u16 << ((bits - 1) % 8 + 1)) - 1).unwrap();
    if modulus[0] & 0x80 != 0 {
        modulus.insert(0, 0);
    }
    let element = |tag: u8, content: &[u8]| match u8::try_from(content.len()) {
        Ok(length) => [&[tag, 0x81, length], content].concat(),
        Err(_) => {
            let length = u16::try_from(content.len()).unwrap().to_be_bytes();
            [&[tag, 0x82], length.as_slice(), content].concat()
        }
    };
    let numbers = [element(0x02, &modulus), vec![0x02, 0x03, 0x01, 0x00, 0x01]].concat();
    armored("RSA PUBLIC KEY", &element(0x30, &numbers), 64, "\n")
}

/// The key's own numbers with one digit of the private exponent changed.
fn inconsistent() -> String {
    let mut der = der(&key_text("openssl_2048_pkcs1"));
    // Behind version (3), modulus (4 + 257) and exponent (5), and four octets of head each: the private exponent.
    der[4 + 3 + 261 + 5 + 40] ^= 1;
    armored("RSA PRIVATE KEY", &der, 64, "\n")
}

#[cfg(any(feature = "aws-lc", feature = "pure-rust"))]
mod modern {
    use yuanfen_core::{FixedAmbient, Sign as _, Verify as _};
    use yuanfen_sign::{Certificate, KeyError, RsaSigningKey, RsaVerifyingKey};

    use super::{PRIVATE, PUBLIC, der, dresses, inconsistent, public_of_bits, wrong_private_keys, wrong_public_keys};
    use crate::key_text;

    #[test]
    fn reads_private_and_public_keys_in_every_dress() {
        let ambient = FixedAmbient::at(0);
        let signature = RsaSigningKey::parse(&key_text("openssl_2048"))
            .unwrap()
            .sign(b"text", &ambient)
            .unwrap();
        for (name, label) in PRIVATE {
            for (dress, text) in dresses(label, &der(&key_text(name))) {
                let key = RsaSigningKey::parse(&text).unwrap_or_else(|error| panic!("{name}, {dress}: {error}"));
                assert_eq!(key.sign(b"text", &ambient).unwrap(), signature, "{name}, {dress}");
            }
        }
        for (name, label) in PUBLIC {
            for (dress, text) in dresses(label, &der(&key_text(name))) {
                let key = RsaVerifyingKey::parse(&text).unwrap_or_else(|error| panic!("{name}, {dress}: {error}"));
                assert_eq!(key.verify(b"text", &signature), Ok(()), "{name}, {dress}");
            }
        }
    }

    #[test]
    fn says_what_is_wrong_with_every_wrong_key() {
        for (name, text, error) in wrong_private_keys() {
            assert_eq!(RsaSigningKey::parse(&text).unwrap_err(), error, "{name}");
        }
        for (name, text, error) in wrong_public_keys() {
            assert_eq!(RsaVerifyingKey::parse(&text).unwrap_err(), error, "{name}");
        }
    }

    #[test]
    fn refuses_short_keys_with_the_size_that_they_have() {
        for bits in [512, 1024, 2047] {
            let error = KeyError::TooShort { bits, least: 2048 };
            let name = format!("openssl_{bits}");
            assert_eq!(RsaSigningKey::parse(&key_text(&name)).unwrap_err(), error);
            let public = key_text(&format!("{name}_public"));
            assert_eq!(RsaVerifyingKey::parse(&public).unwrap_err(), error);
        }
        assert!(RsaVerifyingKey::parse(&public_of_bits(2048)).is_ok());
    }

    #[test]
    fn reads_public_keys_of_8192_bits_and_not_of_one_more() {
        assert!(RsaVerifyingKey::parse(&key_text("openssl_8192_public")).is_ok());
        assert!(RsaVerifyingKey::parse(&public_of_bits(8192)).is_ok());
        assert_eq!(
            RsaVerifyingKey::parse(&public_of_bits(8193)).unwrap_err(),
            KeyError::TooLong { bits: 8193, most: 8192 }
        );
    }

    #[test]
    fn refuses_a_private_key_whose_numbers_do_not_fit() {
        assert_eq!(
            RsaSigningKey::parse(&inconsistent()).unwrap_err(),
            KeyError::Inconsistent
        );
    }

    #[test]
    fn refuses_the_key_of_an_elliptic_certificate() {
        let certificate = Certificate::parse(&key_text("openssl_ec_certificate")).unwrap();
        assert_eq!(
            RsaVerifyingKey::of_certificate(&certificate).unwrap_err(),
            KeyError::NotRsa
        );
    }

    #[test]
    fn no_garbage_makes_it_panic() {
        let good = der(&key_text("openssl_2048"));
        for at in (0..120).step_by(3) {
            for value in [0x00, 0x7f, 0x80, 0x84, 0xff] {
                let mut wrong = good.clone();
                wrong[at] = value;
                let text = super::armored("PRIVATE KEY", &wrong, 64, "\n");
                // Some octets, such as a version, may be changed without harm to the numbers.
                drop(RsaSigningKey::parse(&text));
                drop(RsaVerifyingKey::parse(&text.replace("PRIVATE", "PUBLIC")));
            }
        }
    }
}

#[cfg(feature = "legacy-rsa")]
mod old {
    use yuanfen_core::{FixedAmbient, Sign as _, Verify as _};
    use yuanfen_sign::KeyError;
    use yuanfen_sign::legacy::{LegacyRsaSigningKey, LegacyRsaVerifyingKey, RsaDigest};

    use super::{PRIVATE, PUBLIC, der, dresses, inconsistent, public_of_bits, wrong_private_keys, wrong_public_keys};
    use crate::key_text;

    fn signing(text: &str) -> Result<LegacyRsaSigningKey, KeyError> {
        LegacyRsaSigningKey::parse(text, RsaDigest::Sha1)
    }

    fn verifying(text: &str) -> Result<LegacyRsaVerifyingKey, KeyError> {
        LegacyRsaVerifyingKey::parse(text, RsaDigest::Sha1)
    }

    #[test]
    fn reads_private_and_public_keys_in_every_dress() {
        let ambient = FixedAmbient::at(0);
        let signature = signing(&key_text("openssl_2048"))
            .unwrap()
            .sign(b"text", &ambient)
            .unwrap();
        for (name, label) in PRIVATE {
            for (dress, text) in dresses(label, &der(&key_text(name))) {
                signing(&text).unwrap_or_else(|error| panic!("{name}, {dress}: {error}"));
            }
        }
        for (name, label) in PUBLIC {
            for (dress, text) in dresses(label, &der(&key_text(name))) {
                let key = verifying(&text).unwrap_or_else(|error| panic!("{name}, {dress}: {error}"));
                assert_eq!(key.verify(b"text", &signature), Ok(()), "{name}, {dress}");
            }
        }
    }

    #[test]
    fn says_what_is_wrong_with_every_wrong_key() {
        for (name, text, error) in wrong_private_keys() {
            assert_eq!(signing(&text).unwrap_err(), error, "{name}");
        }
        for (name, text, error) in wrong_public_keys() {
            assert_eq!(verifying(&text).unwrap_err(), error, "{name}");
        }
    }

    #[test]
    fn takes_1024_bits_and_refuses_less_with_the_size_that_it_has() {
        for name in ["openssl_1024", "openssl_2047", "openssl_2048"] {
            assert!(signing(&key_text(name)).is_ok(), "{name}");
            assert!(verifying(&key_text(&format!("{name}_public"))).is_ok(), "{name}");
        }
        let error = KeyError::TooShort { bits: 512, least: 1024 };
        assert_eq!(signing(&key_text("openssl_512")).unwrap_err(), error);
        assert_eq!(verifying(&key_text("openssl_512_public")).unwrap_err(), error);
        assert_eq!(
            verifying(&public_of_bits(1023)).unwrap_err(),
            KeyError::TooShort {
                bits: 1023,
                least: 1024
            }
        );
        assert!(verifying(&public_of_bits(4096)).is_ok());
        assert_eq!(
            verifying(&public_of_bits(4097)).unwrap_err(),
            KeyError::TooLong { bits: 4097, most: 4096 }
        );
    }

    #[test]
    fn refuses_a_private_key_whose_numbers_do_not_fit() {
        assert_eq!(signing(&inconsistent()).unwrap_err(), KeyError::Inconsistent);
    }
}
