//! The platform's certificates: fetched, proven, rotated.

use bytes::Bytes;
use http::Response;
use yuanfen_core::{
    Fate, FixedAmbient, Opens as _, Operation as _, OperationExt as _, Provider as _, Readiness, RefusalKind, UnixTime,
    Verified,
};
use yuanfen_sign::{ApiV3Key, Certificate};
use yuanfen_wechat_v3::ops::{DownloadCertificates, Refund};
use yuanfen_wechat_v3::{Account, DownloadedCertificates};

use crate::far_side::{
    CERTIFICATE, NOW, OTHER_CERTIFICATE, PUBLIC_KEY_ID, account, all_sources, ambient, api_v3_key, fresh_account, now,
    pem, public_key_account, reason, reply, response, signed_headers, wrong_field,
};

fn entry(serial: &str, algorithm: &str, ciphertext: &str) -> String {
    format!(
        r#"{{"serial_no":"{serial}","effective_time":"2021-04-27T16:55:23+08:00","expire_time":"2031-04-25T16:55:23+08:00","encrypt_certificate":{{"algorithm":"{algorithm}","nonce":"61f9c719728a","associated_data":"certificate","ciphertext":"{ciphertext}"}}}}"#
    )
}

fn sealed(key: &ApiV3Key, plaintext: &str) -> String {
    key.seal("61f9c719728a", "certificate", plaintext.as_bytes()).unwrap()
}

fn good_entry(name: &str) -> String {
    let serial = Certificate::parse(pem(name)).unwrap().serial;
    entry(&serial, "AEAD_AES_256_GCM", &sealed(&api_v3_key(), pem(name)))
}

fn list_of(entries: &[String], signed_by: &str) -> Response<Bytes> {
    let body = format!(r#"{{"data":[{}]}}"#, entries.join(","));
    response(200, &signed_headers(signed_by, body.as_bytes()), body.as_bytes())
}

/// The list of these certificates, signed under the first.
pub(crate) fn listed(names: &[&str]) -> Response<Bytes> {
    let entries: Vec<_> = names.iter().map(|name| good_entry(name)).collect();
    let signed_by = Certificate::parse(pem(names[0])).unwrap().serial;
    list_of(&entries, &signed_by)
}

fn refused(account: &Account, answer: &Response<Bytes>) -> yuanfen_core::OpenError {
    let before = account.platform_keys().serials();
    let error = account.learn_keys(answer, now()).expect_err("accepted");
    assert_eq!(
        account.platform_keys().serials(),
        before,
        "a failed fetch changes nothing"
    );
    error
}

#[test]
fn the_first_list_proves_itself() {
    let account = fresh_account();
    let clone = account.clone();
    account
        .learn_keys(&listed(&["go_cert_F576", "go_cert_D7CE"]), now())
        .unwrap();
    assert_eq!(account.platform_keys().serials(), [OTHER_CERTIFICATE, CERTIFICATE]);
    assert_eq!(clone.platform_keys().serials(), [OTHER_CERTIFICATE, CERTIFICATE]);
}

#[test]
fn a_later_list_is_checked_with_what_is_known() {
    let account = account();
    let list = list_of(&[good_entry("go_cert_F576")], CERTIFICATE);
    account.learn_keys(&list, now()).unwrap();
    assert_eq!(account.platform_keys().serials(), [CERTIFICATE, OTHER_CERTIFICATE]);
    // In public-key mode the list is signed with the public key.
    let both = public_key_account().with_certificates();
    let list = list_of(&[good_entry("go_cert_F576")], PUBLIC_KEY_ID);
    both.learn_keys(&list, now()).unwrap();
    assert_eq!(both.platform_keys().serials(), [PUBLIC_KEY_ID, OTHER_CERTIFICATE]);
}

/// A refresh whose answer is signed by a certificate that is new with it does not lock itself out.
#[test]
fn a_later_list_under_a_new_certificate_proves_itself_again() {
    let account = account();
    account.learn_keys(&listed(&["go_cert_F576"]), now()).unwrap();
    assert_eq!(account.platform_keys().serials(), [CERTIFICATE, OTHER_CERTIFICATE]);
}

#[test]
fn refuses_lists_that_do_not_prove_themselves() {
    let good = good_entry("go_cert_D7CE");
    // Signed under a certificate that is not in it.
    let error = refused(
        &fresh_account(),
        &list_of(std::slice::from_ref(&good), OTHER_CERTIFICATE),
    );
    assert_eq!(reason(&error), "unknown-key");
    let error = refused(&fresh_account(), &list_of(std::slice::from_ref(&good), PUBLIC_KEY_ID));
    assert_eq!(reason(&error), "not-configured");
    // The signature is of another body.
    let body = format!(r#"{{"data":[{good}]}}"#);
    let forged = response(200, &signed_headers(CERTIFICATE, b"{}"), body.as_bytes());
    assert_eq!(reason(&refused(&fresh_account(), &forged)), "mismatch");
    // Somebody else's APIv3 key.
    let other = ApiV3Key::new("00000000000000000000000000000000").unwrap();
    let foreign = entry(CERTIFICATE, "AEAD_AES_256_GCM", &sealed(&other, pem("go_cert_D7CE")));
    assert_eq!(
        reason(&refused(&fresh_account(), &list_of(&[foreign], CERTIFICATE))),
        "decrypt"
    );
    // A genuine certificate whose key did not sign.
    let own = Certificate::parse(&crate::far_side::VECTORS.key("go_cert_D7CE").text).unwrap();
    assert_eq!(own.serial, CERTIFICATE);
    // Unsigned, stale.
    let unsigned = response(200, &[], body.as_bytes());
    assert_eq!(reason(&refused(&fresh_account(), &unsigned)), "missing-signature");
    let late = fresh_account().learn_keys(&listed(&["go_cert_D7CE"]), UnixTime::from_seconds(NOW + 301));
    assert_eq!(reason(&late.unwrap_err()), "stale");
}

#[test]
fn refuses_entries_that_are_not_what_they_say() {
    let sealed = sealed(&api_v3_key(), pem("go_cert_D7CE"));
    let other = good_entry("go_cert_D7CE").replacen(CERTIFICATE, OTHER_CERTIFICATE, 1);
    let field = |entries: &[String]| {
        let serial = if entries.first().is_some_and(|entry| entry.contains(OTHER_CERTIFICATE)) {
            OTHER_CERTIFICATE
        } else {
            CERTIFICATE
        };
        wrong_field(&refused(&fresh_account(), &list_of(entries, serial)))
    };
    assert_eq!(field(&[other]), "data[0].serial_no");
    assert_eq!(field(&[]), "data");
    assert_eq!(
        field(&[entry(CERTIFICATE, "AEAD_SM4_GCM", &sealed)]),
        "data[0].encrypt_certificate.algorithm"
    );
    let no_certificate = entry(
        CERTIFICATE,
        "AEAD_AES_256_GCM",
        &crate::certificates::sealed(&api_v3_key(), "hello"),
    );
    assert_eq!(field(&[no_certificate]), "data[0].encrypt_certificate");
    let no_time = good_entry("go_cert_D7CE").replacen("2021-04-27T16:55:23+08:00", "yesterday", 1);
    assert_eq!(field(&[no_time]), "data[0].effective_time");
    let second = good_entry("go_cert_F576").replacen(OTHER_CERTIFICATE, "0000", 1);
    assert_eq!(field(&[good_entry("go_cert_D7CE"), second]), "data[1].serial_no");
    for (from, to) in [("61f9c719728a", "61f9c719728"), ("61f9c719728a", "")] {
        let entry = good_entry("go_cert_D7CE").replacen(from, to, 1);
        let error = refused(&fresh_account(), &list_of(&[entry], CERTIFICATE));
        assert!(["decrypt", "field"].contains(&&*reason(&error)), "{error:?}");
    }
}

#[test]
fn leaves_out_certificates_that_are_over_and_refuses_a_list_of_only_such() {
    let after_end = UnixTime::from_seconds(2_000_000_000);
    let timestamp = after_end.seconds().to_string();
    let body = format!(r#"{{"data":[{}]}}"#, good_entry("go_cert_D7CE"));
    let signed = |serial: &str| {
        let signature = crate::far_side::platform_signature(&timestamp, "n", body.as_bytes());
        let headers = [
            ("Wechatpay-Timestamp", timestamp.clone()),
            ("Wechatpay-Nonce", "n".to_owned()),
            ("Wechatpay-Serial", serial.to_owned()),
            ("Wechatpay-Signature", signature),
        ];
        response(200, &headers, body.as_bytes())
    };
    let error = fresh_account().learn_keys(&signed(CERTIFICATE), after_end).unwrap_err();
    assert_eq!(reason(&error), "unknown-key");
    let account = public_key_account().with_certificates();
    let error = account.learn_keys(&signed(PUBLIC_KEY_ID), after_end).unwrap_err();
    assert_eq!(reason(&error), "field");
}

/// Merchants opened since 2024 have no certificates.
#[test]
fn points_to_public_key_mode_where_there_are_no_certificates() {
    let body = br#"{"code":"RESOURCE_NOT_EXISTS","message":"no usable platform certificate"}"#;
    for answer in [response(404, &[], body), reply(404, std::str::from_utf8(body).unwrap())] {
        let error = refused(&account(), &answer);
        let text = all_sources(&error);
        assert!(text.contains("public-key mode"), "{text}");
        let error = DownloadCertificates::new()
            .reply(&account(), &answer, now())
            .unwrap_err();
        assert_eq!(error.refusal().unwrap().meaning.kind, RefusalKind::Configuration);
        assert_eq!(
            error.refusal().unwrap().verified,
            answer.headers().contains_key("wechatpay-signature")
        );
        assert_eq!(error.fate(), Fate::Refused);
    }
}

#[test]
fn is_an_operation_whose_reply_is_adopted() {
    let account = fresh_account();
    let answer = listed(&["go_cert_D7CE"]);
    let downloaded = DownloadCertificates::new().reply(&account, &answer, now()).unwrap();
    assert!(account.platform_keys().is_empty(), "reading alone teaches nothing");
    let [certificate] = &*downloaded.get().certificates else {
        panic!("one certificate")
    };
    assert_eq!(certificate.serial, CERTIFICATE);
    assert_eq!(certificate.not_before, UnixTime::from_seconds(1_619_513_723));
    account.adopt(&downloaded, now());
    assert_eq!(account.platform_keys().serials(), [CERTIFICATE]);
    let again: Verified<DownloadedCertificates> = Verified::open(&account, &answer, now()).unwrap();
    assert_eq!(again.get().certificates.len(), 1);
}

#[test]
fn fetches_for_certificates_only_and_not_twice_a_minute() {
    let wants =
        |account: &Account, serial: &str, at: i64| account.fetch_keys(Some(serial), &FixedAmbient::at(at)).is_some();
    let account = account();
    assert!(wants(&account, OTHER_CERTIFICATE, NOW));
    assert!(
        !wants(&account, PUBLIC_KEY_ID, NOW),
        "public keys come from the console"
    );
    assert!(
        !wants(&public_key_account(), CERTIFICATE, NOW),
        "there is none in public-key mode"
    );
    assert!(wants(&public_key_account().with_certificates(), CERTIFICATE, NOW));
    account.learn_keys(&listed(&["go_cert_D7CE"]), now()).unwrap();
    assert!(!wants(&account, "0000", NOW + 59), "forged serials cause no storm");
    assert!(wants(&account, "0000", NOW + 60));
    assert!(wants(&account, "0000", NOW - 1), "the clock was set back");
}

#[test]
fn says_when_certificates_should_be_fetched_again() {
    let at = |account: &Account, seconds: i64| account.refresh_due(UnixTime::from_seconds(seconds));
    assert!(!at(&public_key_account(), NOW));
    let account = fresh_account();
    assert!(at(&account, NOW), "none was fetched yet");
    account.learn_keys(&listed(&["go_cert_D7CE"]), now()).unwrap();
    assert!(!at(&account, NOW + 12 * 3600 - 1));
    assert!(at(&account, NOW + 12 * 3600));
    assert!(at(&account, NOW - 1), "the clock was set back");
    // Ten days before the end it is every hour: the successor appears then.
    const END: i64 = 1_934_873_723;
    let downloaded = DownloadCertificates::new()
        .reply(&account, &listed(&["go_cert_D7CE"]), now())
        .unwrap();
    let late = UnixTime::from_seconds(END - 10 * 86_400);
    account.adopt(&downloaded, late);
    assert!(!at(&account, late.seconds() + 3599));
    assert!(at(&account, late.seconds() + 3600));
    account.adopt(&downloaded, UnixTime::from_seconds(END + 1));
    assert!(at(&account, END + 61), "nothing is valid any more");
    assert_eq!(
        account.platform_keys().serials(),
        [CERTIFICATE],
        "the last set is never dropped"
    );
    assert!(account.fetch_keys(Some(CERTIFICATE), &ambient()).is_some());
}

/// What a client asks before every call: whether an answer could be checked.
#[test]
fn says_whether_an_answer_could_be_checked() {
    const END: i64 = 1_934_873_723;
    const START: i64 = 1_619_513_723;
    let at = |account: &Account, seconds: i64| account.readiness(&Refund::ROUTE, UnixTime::from_seconds(seconds));
    // A public key has no end, and nothing is fetched beside it.
    for seconds in [i64::MIN, NOW, i64::MAX] {
        assert_eq!(at(&public_key_account(), seconds), Readiness::Ready);
    }
    // Without certificates there is none yet; configured ones count as long as they are valid.
    assert_eq!(at(&fresh_account(), NOW), Readiness::NoKeys);
    assert_eq!(at(&account(), NOW), Readiness::RefreshDue, "none was fetched yet");
    assert_eq!(at(&account(), START - 1), Readiness::NoKeys, "not valid yet");
    assert_eq!(at(&account(), END), Readiness::RefreshDue);
    assert_eq!(at(&account(), END + 1), Readiness::NoKeys, "expired");
    let both = public_key_account().with_certificate(pem("go_cert_D7CE")).unwrap();
    assert_eq!(at(&both, END + 1), Readiness::RefreshDue, "the public key remains");
    // What was fetched holds for twelve hours.
    let account = account();
    account.learn_keys(&listed(&["go_cert_D7CE"]), now()).unwrap();
    assert_eq!(at(&account, NOW), Readiness::Ready);
    assert_eq!(at(&account, NOW + 12 * 3600), Readiness::RefreshDue);
    // The list proves itself, so the call for it needs no key and refreshes nothing on the side.
    let route = &DownloadCertificates::ROUTE;
    assert_eq!(fresh_account().readiness(route, now()), Readiness::Ready);
    assert_eq!(crate::far_side::account().readiness(route, now()), Readiness::Ready);
}

#[test]
fn fetches_without_a_serial_whenever_it_is_asked_to() {
    let wants = |account: &Account| account.fetch_keys(None, &ambient()).is_some();
    let account = account();
    account.learn_keys(&listed(&["go_cert_D7CE"]), now()).unwrap();
    assert!(wants(&account) && wants(&fresh_account()));
    assert!(!wants(&public_key_account()), "there is nothing to fetch");
    assert!(wants(&public_key_account().with_certificates()));
}

/// The same key seals notices: what was sealed for one of them is no certificate, whatever is in it.
#[test]
fn refuses_a_certificate_that_was_sealed_for_something_else() {
    let serial = Certificate::parse(pem("go_cert_F576")).unwrap().serial;
    for associated_data in ["transaction", "refund", ""] {
        let ciphertext = api_v3_key()
            .seal("61f9c719728a", associated_data, pem("go_cert_F576").as_bytes())
            .unwrap();
        let entry = entry(&serial, "AEAD_AES_256_GCM", &ciphertext).replacen(
            r#""associated_data":"certificate""#,
            &format!(r#""associated_data":"{associated_data}""#),
            1,
        );
        let error = refused(&account(), &list_of(&[entry], CERTIFICATE));
        assert!(format!("{error:?}").contains("associated_data"), "{error:?}");
    }
}
