//! Values that are sent encrypted, and values that came encrypted.

use std::path::Path;
use std::sync::Arc;

use bytes::Bytes;
use http::Request;
use serde_json::Value;
use yuanfen_core::{
    Ambient, BuildError, Decrypt, DecryptError, FixedAmbient, Operation as _, OperationExt as _, Provider as _,
    Readiness, RefundNo, RemoteId, Secret, Sign as _, UnixTime,
};
use yuanfen_sign::{RsaSigningKey, RsaVerifyingKey};
use yuanfen_testkit::Vectors;
use yuanfen_wechat_v3::ops::{ApplyAbnormalRefund, PayerCard, QueryRefund};
use yuanfen_wechat_v3::{Account, EncryptedText, Message, Sensitive, SigningIdentity};

use crate::far_side::{
    API_V3_KEY, APP, CERTIFICATE, MERCHANT, NOW, OTHER_CERTIFICATE, PUBLIC_KEY_ID, SERIAL, account, all_sources,
    ambient, api_v3_key, fresh_account, now, pem, public_key_account,
};
use crate::requests::is_signed_over_what_is_sent;

const CARD: &str = "6222020200112233445";
const NAME: &str = "张三";

fn secret(text: &str) -> Sensitive {
    Sensitive::new(text.to_owned())
}

pub(crate) fn to_card() -> ApplyAbnormalRefund {
    ApplyAbnormalRefund::to_payer(
        RemoteId::new("50000000382019052709732678859").unwrap(),
        RefundNo::new("R1").unwrap(),
        PayerCard::new("CMB_DEBIT", secret(CARD), secret(NAME)),
    )
}

/// What the platform reads with the private key of those certificates and of that public key.
fn read_by_the_platform(ciphertext: &Value) -> String {
    let key = RsaSigningKey::parse(pem("go_private")).unwrap();
    let opened = key.decrypt_oaep_sha1(ciphertext.as_str().unwrap(), &ambient()).unwrap();
    String::from_utf8(opened.to_vec()).unwrap()
}

fn json(request: &Request<Bytes>) -> Value {
    serde_json::from_slice(request.body()).unwrap()
}

fn header(request: &Request<Bytes>) -> Option<&str> {
    request.headers().get("wechatpay-serial").map(|id| id.to_str().unwrap())
}

#[test]
fn values_are_sent_encrypted_under_the_key_that_the_request_names() {
    for (account, serial) in [(public_key_account(), PUBLIC_KEY_ID), (account(), CERTIFICATE)] {
        let request = to_card().request(&account, &ambient()).unwrap();
        assert_eq!(header(&request), Some(serial));
        let body = json(&request);
        assert_eq!(read_by_the_platform(&body["bank_account"]), CARD);
        assert_eq!(read_by_the_platform(&body["real_name"]), NAME);
        let text = std::str::from_utf8(request.body()).unwrap();
        assert!(!text.contains(CARD) && !text.contains(NAME));
        is_signed_over_what_is_sent(&request);
    }
}

/// Without the public key it is the certificate that began last among those that are valid now.
#[test]
fn the_newest_valid_certificate_encrypts() {
    const END: i64 = 1_934_873_723;
    let both = || account().with_certificate(pem("go_cert_F576")).unwrap();
    let named = |account: &Account, seconds: i64| {
        let request = to_card().request(account, &FixedAmbient::at(seconds)).unwrap();
        header(&request).map(str::to_owned)
    };
    assert_eq!(named(&both(), NOW).as_deref(), Some(CERTIFICATE));
    assert_eq!(
        named(&both(), 1_619_513_000).as_deref(),
        Some(OTHER_CERTIFICATE),
        "the other is not valid yet"
    );
    // Beside certificates the public key goes first, and it has no end.
    let switching = both().with_public_key(PUBLIC_KEY_ID, pem("go_public")).unwrap();
    assert_eq!(named(&switching, NOW).as_deref(), Some(PUBLIC_KEY_ID));
    assert_eq!(named(&switching, END + 1).as_deref(), Some(PUBLIC_KEY_ID));
    // A request that holds nothing encrypted names no certificate.
    let query = QueryRefund::new(RefundNo::new("R1").unwrap());
    assert_eq!(header(&query.request(&account(), &ambient()).unwrap()), None);
}

#[test]
fn nothing_is_encrypted_without_a_key_that_is_valid_now() {
    for (account, seconds) in [
        (fresh_account(), NOW),
        (account(), 1_934_873_724),
        (account(), 1_619_513_722),
    ] {
        let at = FixedAmbient::at(seconds);
        let refused = to_card().encode(&account, &at).unwrap_err();
        assert!(matches!(refused, BuildError::Setup { .. }), "{refused:?}");
        // So a client fetches one before it builds the call.
        assert_eq!(
            account.readiness(&ApplyAbnormalRefund::ROUTE, at.now()),
            Readiness::NoKeys
        );
    }
}

/// Ciphertexts are random; what the platform compares is in them.
#[test]
fn a_repeat_encrypts_anew_and_after_a_rotation_under_the_new_key() {
    let account = fresh_account().with_certificate(pem("go_cert_F576")).unwrap();
    let operation = to_card();
    let ambient = ambient();
    let [first, second] = [(); 2].map(|()| operation.request(&account, &ambient).unwrap());
    assert_ne!(json(&first)["bank_account"], json(&second)["bank_account"]);
    assert_eq!(header(&first), Some(OTHER_CERTIFICATE));
    account
        .learn_keys(&crate::certificates::listed(&["go_cert_F576", "go_cert_D7CE"]), now())
        .unwrap();
    let third = operation.request(&account, &ambient).unwrap();
    assert_eq!(header(&third), Some(CERTIFICATE));
    for request in [&first, &second, &third] {
        assert_eq!(read_by_the_platform(&json(request)["bank_account"]), CARD);
    }
}

#[test]
fn values_are_held_to_what_a_key_can_encrypt() {
    let build = |account: Sensitive, name: Sensitive| {
        let card = PayerCard::new("CMB_DEBIT", account, name);
        let operation = ApplyAbnormalRefund::to_payer(RemoteId::new("5").unwrap(), RefundNo::new("R1").unwrap(), card);
        operation.encode(&public_key_account(), &ambient())
    };
    let long = "一".repeat(71);
    assert_eq!(long.len(), 213);
    for good in [&*format!("{long}a"), "a", NAME] {
        assert!(build(secret(good), secret(good)).is_ok(), "{} bytes", good.len());
    }
    for bad in [&*format!("{long}ab"), "", "\u{1f600}", "a\nb"] {
        let refused = build(secret(bad), secret(NAME)).unwrap_err();
        assert_eq!(refused.field(), Some("bank_account"), "{refused:?}");
        let refused = build(secret(CARD), secret(bad)).unwrap_err();
        assert_eq!(refused.field(), Some("real_name"), "{refused:?}");
        assert!(bad.len() < 2 || !format!("{refused} {refused:?}").contains(bad));
    }
}

#[test]
fn neither_values_nor_ciphertexts_are_shown() {
    let operation = to_card();
    let account = public_key_account();
    let mut seen = format!("{operation:?} {operation:#?} {:?}", secret(CARD));
    let message = Message::post_encrypted("/v3/x", &account, &ambient(), |cipher| {
        assert_eq!(cipher.serial(), PUBLIC_KEY_ID);
        let ciphertext = cipher.encrypt("x", &secret(CARD))?;
        let body = cipher.body(&ciphertext)?;
        seen.push_str(&format!("{cipher:?} {ciphertext:?} {body:?}"));
        Ok(body)
    });
    let message = message.unwrap();
    let ciphertext: String = serde_json::from_slice(message.body()).unwrap();
    let came = EncryptedText::from(&*ciphertext);
    seen.push_str(&format!("{message:?} {came:?}"));
    for hidden in [CARD, NAME, &ciphertext] {
        assert!(!seen.contains(hidden), "{seen}");
    }
    assert!(seen.contains(PUBLIC_KEY_ID), "which key is no secret");
}

/// The vendors' samples, opened with the merchant's private key through an account.
#[test]
fn opens_what_the_platform_encrypted_to_the_merchants_certificate() {
    let vectors = Vectors::of_crate(Path::new(env!("CARGO_MANIFEST_DIR")).join("../yuanfen-sign")).unwrap();
    let cases = vectors.of("oaep");
    assert!(cases.len() >= 3);
    for case in cases {
        let key = RsaSigningKey::parse(case.text("key")).unwrap();
        let identity = SigningIdentity::of_key(MERCHANT, SERIAL, key.clone()).unwrap();
        let account = Account::direct(identity, APP, api_v3_key()).unwrap();
        let ciphertext = EncryptedText::from(case.text("ciphertext"));
        let opened = account.decrypt(&ciphertext, &ambient()).unwrap();
        case.run().decoded(&opened.expose().into()).done();
        assert_eq!(
            account.decrypt_bytes(&ciphertext, &ambient()).unwrap().expose(),
            opened.expose().as_bytes()
        );
        // And the other way: what is encrypted to its public half opens.
        let public: RsaVerifyingKey = key.verifying_key().unwrap();
        let again = public
            .encrypt_oaep_sha1(opened.expose().as_bytes(), &ambient())
            .unwrap();
        let again = account.decrypt(&EncryptedText::from(&*again), &ambient()).unwrap();
        assert_eq!(again.expose(), opened.expose());
    }
}

#[test]
fn what_does_not_open_says_why_without_saying_what() {
    let merchant = RsaSigningKey::parse(pem("doc_merchant_private")).unwrap();
    let to_us = |plaintext: &[u8]| {
        let public = merchant.verifying_key().unwrap();
        EncryptedText::from(&*public.encrypt_oaep_sha1(plaintext, &ambient()).unwrap())
    };
    let identity = SigningIdentity::of_key(MERCHANT, SERIAL, merchant.clone()).unwrap();
    let able = Account::direct(identity, APP, api_v3_key()).unwrap();
    assert_eq!(
        able.decrypt(&to_us(NAME.as_bytes()), &ambient()).unwrap().expose(),
        NAME
    );
    let refused = |account: &Account, text: &EncryptedText| account.decrypt(text, &ambient()).unwrap_err();

    let to_another = RsaVerifyingKey::parse(pem("go_public")).unwrap();
    let to_another = to_another.encrypt_oaep_sha1(b"a", &ambient()).unwrap();
    for foreign in [&*to_another, "", "no base64", "AAAA"] {
        let error = refused(&able, &foreign.into());
        assert!(error.reason.contains("not encrypted to this key"), "{foreign}: {error}");
    }
    let error = refused(&able, &to_us(&[0xff, 0xfe]));
    assert!(error.reason.contains("no text"), "{error}");
    assert_eq!(
        able.decrypt_bytes(&to_us(&[0xff]), &ambient()).unwrap().expose(),
        &[0xff]
    );

    // An identity that only signs, or not even that, points to whoever holds the key.
    for account in [account(), elsewhere()] {
        let error = refused(&account, &to_us(NAME.as_bytes()));
        assert!(error.reason.contains("of_key"), "{error}");
        assert!(!all_sources(&error).contains(API_V3_KEY));
    }
}

fn elsewhere() -> Account {
    let identity = SigningIdentity::elsewhere(MERCHANT, SERIAL).unwrap();
    Account::direct(identity, APP, api_v3_key())
        .unwrap()
        .with_public_key(PUBLIC_KEY_ID, pem("go_public"))
        .unwrap()
}

struct Kms;

impl Decrypt for Kms {
    fn decrypt(&self, ciphertext: &str, _: &dyn Ambient) -> Result<Secret<Vec<u8>>, DecryptError> {
        match ciphertext {
            "a21z" => Ok(Secret::new(b"opened there".to_vec())),
            _ => Err(DecryptError::new("the KMS did not answer")),
        }
    }
}

/// A KMS that decrypts is a decrypter; one that cannot be called from here is handed the ciphertext.
#[test]
fn keys_that_are_elsewhere_decrypt_as_well() {
    let identity = SigningIdentity::elsewhere(MERCHANT, SERIAL).unwrap();
    let account = Account::direct(identity.with_decrypter(Arc::new(Kms)), APP, api_v3_key()).unwrap();
    let text = EncryptedText::from("a21z");
    assert_eq!(account.decrypt(&text, &ambient()).unwrap().expose(), "opened there");
    let error = account.decrypt(&"x".into(), &ambient()).unwrap_err();
    assert_eq!(error.to_string(), "decrypting failed: the KMS did not answer");
    assert_eq!(text.as_str(), "a21z");
}

/// The two halves with encrypted values: the draft holds the ciphertexts that are sent, so the signature made elsewhere
/// is over them.
#[test]
fn a_draft_with_encrypted_values_is_signed_elsewhere() {
    let account = elsewhere();
    let draft = account
        .draft(to_card().encode(&account, &ambient()).unwrap(), &ambient())
        .unwrap();
    let vault = RsaSigningKey::parse(pem("doc_merchant_private")).unwrap();
    let signature = vault.sign(draft.text(), &ambient()).unwrap();
    let text = draft.text().to_vec();
    let request = draft.finish(&signature).unwrap();
    assert!(
        text.windows(request.body().len())
            .any(|window| window == request.body()),
        "the body is part of what was signed"
    );
    assert_eq!(header(&request), Some(PUBLIC_KEY_ID));
    is_signed_over_what_is_sent(&request);
    assert_eq!(read_by_the_platform(&json(&request)["bank_account"]), CARD);
}

/// A time at which nothing is valid does not matter to the public key.
#[test]
fn the_public_key_encrypts_at_any_time() {
    for seconds in [0, i64::from(i32::MAX), 4_000_000_000] {
        let at = FixedAmbient::at(seconds);
        assert_eq!(at.now(), UnixTime::from_seconds(seconds));
        assert!(to_card().encode(&public_key_account(), &at).is_ok());
    }
}
