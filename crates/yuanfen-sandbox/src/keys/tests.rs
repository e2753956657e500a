//! The built-in certificates against the code that issues them, and what derived sets hold.
#![allow(clippy::unwrap_used, reason = "tests")]

use std::collections::BTreeSet;
use std::sync::{Arc, LazyLock};
use std::time::{SystemTime, UNIX_EPOCH};

use p12_keystore::{KeyStore, Pkcs12ImportPolicy};
use rustls::RootCertStore;
use rustls::client::WebPkiServerVerifier;
use rustls::client::danger::ServerCertVerifier as _;
use rustls_pki_types::pem::PemObject as _;
use rustls_pki_types::{CertificateDer, PrivatePkcs8KeyDer, ServerName};
use yuanfen_core::{FixedAmbient, Sign as _, UnixTime, Verify as _};
use yuanfen_sign::{Certificate, RsaSigningKey, RsaVerifyingKey, sha256_hex};

use super::certificates::{CertifiedKey, Subject, issue};
use super::derivation::{Derivation, Purpose};
use super::{KeySet, WECHAT_MERCHANT_ID, WECHAT_PROVIDER_ID, WechatV2Credentials};
use crate::platforms;

static SEVEN: LazyLock<KeySet> = LazyLock::new(|| KeySet::from_seed(7).unwrap());

/// Every certificate of a set with whom it is for.
fn certificates(keys: &KeySet) -> Vec<(Subject<'static>, CertifiedKey)> {
    let v3 = keys.wechat_v3();
    let mut all = vec![
        (Subject::Authority, keys.0.authority.clone()),
        (Subject::Merchant(WECHAT_MERCHANT_ID), v3.merchant.clone()),
        (Subject::Merchant(WECHAT_PROVIDER_ID), v3.provider.clone()),
        (Subject::Platform, v3.platform.clone()),
    ];
    let later = (0..).map_while(|rotations| v3.later_platform(rotations).unwrap());
    all.extend(later.map(|identity| (Subject::Platform, identity)));
    all
}

fn bytes_of(serial: &str) -> [u8; 20] {
    let digits = serial.as_bytes().chunks_exact(2);
    let bytes: Vec<u8> = digits
        .map(|pair| u8::from_str_radix(std::str::from_utf8(pair).unwrap(), 16).unwrap())
        .collect();
    bytes.try_into().unwrap()
}

/// A change in what is issued shows here; the files are then to be written anew from what this prints.
#[test]
fn the_built_in_certificates_are_what_the_authority_issues_today() {
    let keys = KeySet::built_in();
    for (subject, held) in certificates(&keys) {
        let serial = Certificate::parse(&held.certificate_pem).unwrap().serial;
        let authority = &keys.0.authority.private_key_pem;
        let issued = issue(subject, &held.private_key_pem, &bytes_of(&serial), authority).unwrap();
        assert_eq!(held.certificate_pem, issued, "{subject:?} {serial}:\n{issued}");
    }
}

#[test]
fn every_certificate_has_forty_digits_of_serial_and_its_own_key() {
    for keys in [&KeySet::built_in(), &*SEVEN] {
        let all = certificates(keys);
        assert_eq!(all.len(), 7, "the authority, two merchants and four of the platform");
        let mut serials = BTreeSet::new();
        for (subject, held) in all {
            let certificate = Certificate::parse(&held.certificate_pem).unwrap();
            assert_eq!(certificate.serial.len(), 40, "{subject:?}");
            assert!(certificate.is_valid_at(UnixTime::from_seconds(1_262_304_000)), "2010");
            assert!(certificate.is_valid_at(UnixTime::from_seconds(2_524_521_600)), "2049");
            let key = RsaSigningKey::parse(held.private_key_pem.expose()).unwrap();
            let signature = key.sign(b"text", &FixedAmbient::at(0)).unwrap();
            let verifying = RsaVerifyingKey::of_certificate(&certificate).unwrap();
            assert!(verifying.verify(b"text", &signature).is_ok(), "{subject:?}");
            assert!(serials.insert(certificate.serial), "{subject:?}");
        }
    }
}

/// All that a set holds, as one text.
fn whole(keys: &KeySet) -> String {
    let mut whole = String::new();
    for (_, held) in certificates(keys) {
        whole.push_str(&held.certificate_pem);
        whole.push_str(held.private_key_pem.expose());
    }
    let server = keys.server_certificate(&["api.mch.weixin.qq.com".to_owned(), "127.0.0.1".to_owned()]);
    let server = server.unwrap();
    let (v2, v3, starpos, fshows) = (keys.wechat_v2(), keys.wechat_v3(), keys.starpos(), keys.fshows());
    let shared = [
        &server.private_key_pem,
        &v2.api_key,
        &v2.provider_api_key,
        &v3.api_key,
        &v3.provider_api_key,
        &v3.app_secret,
        &v3.provider_app_secret,
        &v3.sub_app_secret,
        &v3.public_key.private_key_pem,
        &starpos.key,
        &starpos.app_secret,
        &starpos.push_md5_key,
        &starpos.push_private_key_pem,
        &starpos.wechat_key,
        &fshows.merchant.private_key_pem,
        &fshows.platform.private_key_pem,
        &keys.mpgateway().key,
    ];
    let different: BTreeSet<&str> = shared.iter().map(|key| key.expose().as_str()).collect();
    assert_eq!(different.len(), shared.len(), "no key serves two purposes");
    for key in shared {
        whole.push_str(key.expose());
    }
    let public = [
        &v3.public_key.public_key_pem,
        &fshows.merchant.public_key_pem,
        &fshows.platform.public_key_pem,
    ];
    for text in public {
        whole.push_str(text);
    }
    whole
}

/// The digest is of this crate's own making: what it holds is that neither a machine nor an update of a crate below
/// changes the keys of a seed unnoticed.
#[test]
fn a_seed_gives_the_same_keys_bit_for_bit() {
    assert_eq!(
        sha256_hex(whole(&SEVEN).as_bytes()),
        "99b15d8f0782f12834e657072e8eba05225ef397498dc4ec681d7d5e1e820be6"
    );
}

#[test]
fn another_seed_and_another_secret_give_other_keys() {
    let derivations = [
        Derivation::from_seed(7),
        Derivation::from_seed(8),
        Derivation::from_seed(7 << 56),
        Derivation::new(KeySet::new_secret().unwrap()),
        Derivation::new(KeySet::new_secret().unwrap()),
    ];
    let texts = derivations.map(|derivation| derivation.letters(Purpose::WECHAT_V3_API_KEY, 32));
    assert_eq!(texts[0].expose(), SEVEN.wechat_v3().api_key.expose());
    let different: BTreeSet<&str> = texts.iter().map(|text| text.expose().as_str()).collect();
    assert_eq!(different.len(), texts.len());
}

#[test]
fn a_fresh_set_works_on_every_platform() {
    let fresh = KeySet::fresh().unwrap();
    assert!(platforms::all(&fresh).is_ok());
    assert!(!fresh.wechat_v3().api_key.ct_eq(&KeySet::built_in().wechat_v3().api_key));
}

#[test]
fn a_pkcs_12_opens_with_the_merchant_number_alone() {
    let keys = KeySet::built_in();
    let v2 = WechatV2Credentials::at("http://127.0.0.1:1", &keys);
    let file = v2.pkcs12().unwrap();
    let open = |password| KeyStore::from_pkcs12(file.expose(), password, Pkcs12ImportPolicy::Strict);
    assert!(open("1900000101").is_err());
    let store = open("1900000001").unwrap();
    let (_, chain) = store.private_key_chain().unwrap();
    let der = |pem: &str| CertificateDer::from_pem_slice(pem.as_bytes()).unwrap();
    let held: Vec<&[u8]> = chain.certs().iter().map(|certificate| certificate.as_der()).collect();
    let own = der(&keys.wechat_v3().merchant.certificate_pem);
    let authority = der(keys.ca_certificate_pem());
    assert_eq!(held, [own.as_ref(), authority.as_ref()]);
    let key = PrivatePkcs8KeyDer::from_pem_slice(v2.certificate.private_key_pem.expose().as_bytes()).unwrap();
    assert_eq!(chain.key().as_der(), key.secret_pkcs8_der());
}

#[test]
fn a_server_certificate_is_for_its_names_and_for_today() {
    let names = ["api.mch.weixin.qq.com".to_owned(), "127.0.0.1".to_owned()];
    let keys = KeySet::built_in();
    let server = keys.server_certificate(&names).unwrap();
    let again = keys.server_certificate(&names).unwrap();
    let read = Certificate::parse(&server.certificate_pem).unwrap();
    let seconds = SystemTime::now().duration_since(UNIX_EPOCH).unwrap().as_secs();
    assert!(read.is_valid_at(UnixTime::from_seconds(seconds.try_into().unwrap())));
    assert!(read.not_after.since(read.not_before) <= 398 * 86_400);
    assert_ne!(read.serial, Certificate::parse(&again.certificate_pem).unwrap().serial);
    let mut roots = RootCertStore::empty();
    let der = |pem: &str| CertificateDer::from_pem_slice(pem.as_bytes()).unwrap();
    roots.add(der(keys.ca_certificate_pem())).unwrap();
    let provider = Arc::new(rustls::crypto::aws_lc_rs::default_provider());
    let verifier = WebPkiServerVerifier::builder_with_provider(Arc::new(roots), provider)
        .build()
        .unwrap();
    let certificate = der(&server.certificate_pem);
    for (name, is_known) in [
        ("api.mch.weixin.qq.com", true),
        ("127.0.0.1", true),
        ("api.weixin.qq.com", false),
    ] {
        let verified = verifier.verify_server_cert(
            &certificate,
            &[],
            &ServerName::try_from(name).unwrap(),
            &[],
            rustls_pki_types::UnixTime::now(),
        );
        assert_eq!(verified.is_ok(), is_known, "{name}");
    }
}

#[test]
fn a_name_that_is_no_host_name_gets_no_certificate() {
    let refused = KeySet::built_in().server_certificate(&["支付.example".to_owned()]);
    assert!(refused.is_err());
}

#[test]
fn shows_nothing() {
    let keys = KeySet::built_in();
    assert_eq!(format!("{keys:?}"), "KeySet(..)");
    let shown = format!("{:?}", keys.wechat_v3().merchant);
    assert!(!shown.contains("PRIVATE KEY"), "{shown}");
}
