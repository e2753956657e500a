//! Certificates: serials, validity, and what is none.

use yuanfen_sign::{Certificate, KeyError};
use yuanfen_testkit::{json, oracle};

use crate::{at, key_text, vectors};

#[test]
fn reads_serials_as_the_vectors_say() {
    for case in vectors().of("certificate_serial") {
        let run = case.run();
        let serial = Certificate::parse(case.text("certificate")).unwrap().serial;
        run.decoded(&json!(serial)).done();
    }
}

#[test]
fn agrees_with_another_reader_about_every_serial() {
    let vectors = vectors();
    let certificates: Vec<_> = vectors
        .keys()
        .filter(|(_, key)| key.text.contains("BEGIN CERTIFICATE"))
        .collect();
    assert!(certificates.len() >= 8);
    for (name, key) in certificates {
        let serial = Certificate::parse(&key.text).unwrap().serial;
        assert_eq!(Some(&serial), oracle::certificate_serial(&key.text).as_ref(), "{name}");
        if let Some(stated) = &key.serial {
            assert_eq!(&serial, stated, "{name}");
        }
    }
}

#[test]
fn is_valid_from_its_first_to_its_last_second() {
    // openssl x509 -dates: notBefore=May 10 02:04:30 2022 GMT, notAfter=May  9 02:04:30 2025 GMT
    let certificate = Certificate::parse(&key_text("java_wechat_pay_certificate")).unwrap();
    assert_eq!(
        (certificate.not_before, certificate.not_after),
        (at(1_652_148_270), at(1_746_756_270))
    );
    for (now, valid) in [
        (1_652_148_269, false),
        (1_652_148_270, true),
        (1_746_756_270, true),
        (1_746_756_271, false),
    ] {
        assert_eq!(certificate.is_valid_at(at(now)), valid, "{now}");
    }
}

#[test]
fn reads_years_beyond_2050() {
    // openssl x509 -enddate: notAfter=Apr  5 02:02:18 2294 GMT, which is written as GeneralizedTime.
    let certificate = Certificate::parse(&key_text("axios_client_cert")).unwrap();
    assert_eq!(certificate.not_after, at(10_232_618_538));
}

#[test]
fn of_a_chain_the_first_certificate_counts() {
    let (leaf, next) = (key_text("go_cert_0C4A"), key_text("java_wechat_pay_certificate"));
    let chain = Certificate::parse(&format!("subject=/CN=leaf\n{leaf}\nsubject=/CN=next\n{next}")).unwrap();
    assert_eq!(chain.serial, "0C4AEF34B89340881BB2B25226393DC2E47F094B");
}

#[test]
fn refuses_what_is_no_certificate() {
    for (name, expected) in [
        (
            "go_public",
            KeyError::Kind {
                expected: "certificate",
                found: "PUBLIC KEY".to_owned(),
            },
        ),
        (
            "go_private",
            KeyError::Kind {
                expected: "certificate",
                found: "PRIVATE KEY".to_owned(),
            },
        ),
        ("openssl_2048_encrypted", KeyError::Encrypted),
    ] {
        assert_eq!(Certificate::parse(&key_text(name)).unwrap_err(), expected, "{name}");
    }
    let wrong = KeyError::NotDer {
        expected: "certificate",
    };
    assert_eq!(Certificate::parse("AAAA").unwrap_err(), wrong);
    assert_eq!(Certificate::parse("").unwrap_err(), KeyError::Empty);
    assert_eq!(
        Certificate::parse("not base64 at all").unwrap_err(),
        KeyError::NotBase64
    );
    assert_eq!(Certificate::from_der(&[]).unwrap_err(), wrong);
    // A public key without armor is DER as well, and no certificate.
    let bare = bare(&key_text("go_public"));
    assert_eq!(Certificate::parse(&bare).unwrap_err(), wrong);
}

#[test]
fn refuses_a_certificate_that_is_cut_or_has_more_behind_it() {
    use base64::Engine as _;
    use base64::engine::general_purpose::STANDARD;
    let der = STANDARD.decode(bare(&key_text("go_cert_0C4A"))).unwrap();
    assert!(Certificate::from_der(&der).is_ok());
    for length in 0..der.len() {
        assert!(Certificate::from_der(&der[..length]).is_err(), "{length}");
    }
    let mut longer = der.clone();
    longer.push(0);
    assert!(Certificate::from_der(&longer).is_err());
}

fn bare(pem: &str) -> String {
    pem.lines().filter(|line| !line.starts_with("-----")).collect()
}
