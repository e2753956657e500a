//! Key rings: names, validity, learning, and readers meanwhile.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use yuanfen_core::{FixedAmbient, Sign as _, Verify as _};
use yuanfen_sign::{Certificate, KeyError, KeyRing, PlatformKey, RsaSigningKey, RsaVerifyingKey};

use crate::{at, key_text, vectors};

/// Serial 440024045C4A427599D09BB4E3DE0279F2E813FD, valid from May 2022 to May 2025.
const JAVA: &str = "440024045C4A427599D09BB4E3DE0279F2E813FD";
const JAVA_START: i64 = 1_652_148_270;
const JAVA_END: i64 = 1_746_756_270;
const PUBLIC_ID: &str = "PUB_KEY_ID_0114232134912410000000000000";

fn certificate(name: &str) -> PlatformKey {
    PlatformKey::of_certificate(&Certificate::parse(&key_text(name)).unwrap()).unwrap()
}

fn public() -> PlatformKey {
    PlatformKey::public(PUBLIC_ID, RsaVerifyingKey::parse(&key_text("go_public")).unwrap()).unwrap()
}

fn ring(keys: impl IntoIterator<Item = PlatformKey>) -> KeyRing {
    let ring = KeyRing::new();
    ring.learn(keys, at(JAVA_START));
    ring
}

#[test]
fn finds_certificates_whatever_the_case_of_their_serial() {
    let ring = ring([certificate("java_wechat_pay_certificate")]);
    let now = at(JAVA_START);
    for name in [JAVA.to_owned(), JAVA.to_lowercase(), JAVA.replace('C', "c")] {
        assert!(ring.get(&name, now).is_some(), "{name}");
    }
    for name in ["", &JAVA[1..], &format!("0{JAVA}"), &format!("{JAVA} "), PUBLIC_ID] {
        assert!(ring.get(name, now).is_none(), "{name}");
    }
}

#[test]
fn finds_public_keys_by_their_exact_id() {
    let ring = ring([public()]);
    let now = at(0);
    assert!(ring.get(PUBLIC_ID, now).is_some());
    for name in ["", &PUBLIC_ID.to_lowercase(), &PUBLIC_ID[11..], "PUB_KEY_ID_"] {
        assert!(ring.get(name, now).is_none(), "{name}");
    }
    assert_eq!(
        PlatformKey::public("", RsaVerifyingKey::parse(&key_text("go_public")).unwrap()).unwrap_err(),
        KeyError::NoSerial
    );
}

#[test]
fn hands_out_the_key_of_the_name_and_no_other() {
    let own = RsaSigningKey::parse(&key_text("openssl_2048")).unwrap();
    let signature = own.sign(b"text", &FixedAmbient::at(0)).unwrap();
    let mine = PlatformKey::public("mine", own.verifying_key().unwrap()).unwrap();
    let ring = ring([public(), mine, certificate("java_wechat_pay_certificate")]);
    let verify = |name| ring.get(name, at(JAVA_START)).unwrap().verify(b"text", &signature);
    assert!(verify("mine").is_ok());
    assert!(verify(PUBLIC_ID).is_err());
    assert!(verify(JAVA).is_err());
}

#[test]
fn hands_out_no_certificate_before_its_start_or_after_its_end() {
    let ring = ring([certificate("java_wechat_pay_certificate"), public()]);
    for (now, valid) in [
        (JAVA_START - 1, false),
        (JAVA_START, true),
        (JAVA_END, true),
        (JAVA_END + 1, false),
    ] {
        assert_eq!(ring.get(JAVA, at(now)).is_some(), valid, "{now}");
        assert!(ring.get(PUBLIC_ID, at(now)).is_some());
    }
}

#[test]
fn learning_merges_replaces_the_same_serial_and_drops_what_has_ended() {
    let ring = ring([certificate("java_wechat_pay_certificate"), public()]);
    ring.learn([certificate("java_wechat_pay_certificate")], at(JAVA_START));
    assert_eq!(ring.serials(), [PUBLIC_ID, JAVA]);
    // The serial of a certificate is one number in any case.
    let mut lower = certificate("java_wechat_pay_certificate");
    lower.serial = JAVA.to_lowercase();
    ring.learn([lower], at(JAVA_START));
    assert_eq!(ring.serials(), [PUBLIC_ID.to_owned(), JAVA.to_lowercase()]);
    ring.learn([certificate("openssl_certificate_high")], at(JAVA_END));
    assert_eq!(ring.serials().len(), 3);
    ring.learn([], at(JAVA_END + 1));
    assert_eq!(ring.serials(), [PUBLIC_ID, "FF00000000000000000000000000000000000001"]);
}

#[test]
fn the_last_keys_are_never_dropped() {
    let ring = ring([certificate("java_wechat_pay_certificate")]);
    ring.learn([], at(JAVA_END + 1));
    assert_eq!(ring.serials(), [JAVA]);
    assert!(!ring.is_empty());
    // They are still not handed out, and go as soon as one is there that lives.
    assert!(ring.get(JAVA, at(JAVA_END + 1)).is_none());
    ring.learn([public()], at(JAVA_END + 1));
    assert_eq!(ring.serials(), [PUBLIC_ID]);
}

#[test]
fn an_empty_ring_knows_nothing() {
    let ring = KeyRing::new();
    assert!(ring.is_empty());
    assert!(ring.get("", at(0)).is_none());
    assert!(ring.newest_certificate(at(0)).is_none());
    ring.learn([], at(0));
    assert!(ring.is_empty());
}

#[test]
fn says_whether_any_key_could_check_a_message_now() {
    assert!(!KeyRing::new().has_valid(at(JAVA_START)));
    let certificates = ring([certificate("java_wechat_pay_certificate")]);
    for (now, expected) in [
        (JAVA_START - 1, false),
        (JAVA_START, true),
        (JAVA_END, true),
        (JAVA_END + 1, false),
    ] {
        assert_eq!(certificates.has_valid(at(now)), expected, "{now}");
    }
    // A public key has no end.
    certificates.learn([public()], at(JAVA_END + 1));
    assert!(certificates.has_valid(at(i64::MAX)) && certificates.has_valid(at(i64::MIN)));
}

#[test]
fn the_newest_certificate_is_the_one_that_began_last_and_is_valid() {
    let (mut old, mut new, mut future) = (
        certificate("java_wechat_pay_certificate"),
        certificate("java_wechat_pay_certificate"),
        certificate("java_wechat_pay_certificate"),
    );
    (old.serial, old.validity) = ("01".to_owned(), Some((at(100), at(400))));
    (new.serial, new.validity) = ("02".to_owned(), Some((at(200), at(300))));
    (future.serial, future.validity) = ("03".to_owned(), Some((at(350), at(900))));
    let ring = KeyRing::new();
    ring.learn([new, old, future, public()], at(100));
    let newest = |now| ring.newest_certificate(at(now)).map(|key| key.serial);
    for (now, expected) in [
        (99, None),
        (100, Some("01")),
        (200, Some("02")),
        (300, Some("02")),
        (301, Some("01")),
        (350, Some("03")),
        (901, None),
    ] {
        assert_eq!(newest(now).as_deref(), expected, "{now}");
    }
}

#[test]
fn a_swap_shows_in_every_clone_and_not_in_keys_handed_out_before() {
    let ring = ring([public()]);
    let clone = ring.clone();
    let before = clone.get(PUBLIC_ID, at(0)).unwrap();
    let own = RsaSigningKey::parse(&key_text("openssl_2048")).unwrap();
    ring.learn(
        [PlatformKey::public(PUBLIC_ID, own.verifying_key().unwrap()).unwrap()],
        at(0),
    );
    let signature = own.sign(b"text", &FixedAmbient::at(0)).unwrap();
    assert!(clone.get(PUBLIC_ID, at(0)).unwrap().verify(b"text", &signature).is_ok());
    assert!(before.verify(b"text", &signature).is_err());
}

#[test]
fn readers_find_a_key_at_every_moment_of_a_refresh() {
    let ring = ring([public()]);
    let over = Arc::new(AtomicBool::new(false));
    let readers: Vec<_> = (0..3)
        .map(|_| {
            let (ring, over) = (ring.clone(), Arc::clone(&over));
            std::thread::spawn(move || {
                let mut reads = 0_u32;
                while !over.load(Ordering::Relaxed) || reads == 0 {
                    assert!(ring.get(PUBLIC_ID, at(0)).is_some());
                    assert!(!ring.serials().is_empty());
                    reads += 1;
                }
            })
        })
        .collect();
    for round in 0..500 {
        let mut other = certificate_once();
        other.serial = format!("{round:04X}");
        ring.learn([public(), other], at(JAVA_START));
    }
    over.store(true, Ordering::Relaxed);
    for reader in readers {
        reader.join().unwrap();
    }
    assert_eq!(ring.serials().len(), 501);
}

fn certificate_once() -> PlatformKey {
    static KEY: std::sync::OnceLock<PlatformKey> = std::sync::OnceLock::new();
    KEY.get_or_init(|| certificate("java_wechat_pay_certificate")).clone()
}

#[test]
fn two_writers_lose_nothing() {
    let ring = KeyRing::new();
    std::thread::scope(|scope| {
        for writer in 0..4 {
            let ring = ring.clone();
            scope.spawn(move || {
                for round in 0..50 {
                    let mut key = certificate_once();
                    key.serial = format!("{writer}{round:03}");
                    ring.learn([key], at(JAVA_START));
                }
            });
        }
    });
    assert_eq!(ring.serials().len(), 200);
}

#[test]
fn refuses_the_key_of_a_certificate_that_is_not_rsa() {
    let vectors = vectors();
    let elliptic = Certificate::parse(&vectors.key("openssl_ec_certificate").text).unwrap();
    assert_eq!(PlatformKey::of_certificate(&elliptic).unwrap_err(), KeyError::NotRsa);
}
