//! What an account can be made of.

use std::sync::Arc;

use yuanfen_core::{Ambient, BaseUrl, Operation as _, OrderNo, Provider as _, Sign, SignError};
use yuanfen_sign::{Certificate, KeyError, RsaVerifyingKey};
use yuanfen_wechat_v3::ops::QueryOrder;
use yuanfen_wechat_v3::{Account, DEFAULT_BASE, MerchantIds, SetupError, SigningIdentity};

use crate::far_side::{
    API_V3_KEY, APP, CERTIFICATE, MERCHANT, OTHER_CERTIFICATE, PUBLIC_KEY_ID, SERIAL, account, ambient, api_v3_key,
    fresh_account, identity, pem, public_key_account,
};

fn form(result: Result<impl Sized, SetupError>) -> &'static str {
    match result {
        Err(SetupError::Form { setting, .. }) => setting,
        Err(other) => panic!("{other:?}"),
        Ok(_) => panic!("accepted"),
    }
}

#[test]
fn refuses_ids_and_serials_that_are_none() {
    let identity_of = SigningIdentity::elsewhere;
    for number in ["", "19000x", "1 2", "190000\"", &"1".repeat(33)] {
        assert_eq!(form(identity_of(number, SERIAL)), "merchant number", "{number}");
    }
    for serial in ["", "40:8B", "xyz", &"A".repeat(65)] {
        assert_eq!(
            form(identity_of(MERCHANT, serial)),
            "merchant certificate serial",
            "{serial}"
        );
    }
    for app in ["", "wx-1", "wx 1", &"w".repeat(33)] {
        assert_eq!(form(Account::direct(identity(), app, api_v3_key())), "app id", "{app}");
        assert_eq!(form(account().with_further_app(app)), "app id", "{app}");
    }
    for id in [
        "",
        "PUB_KEY_ID_",
        "0119",
        "pub_key_id_1",
        "PUB_KEY_ID_1\r\n",
        "PUB_KEY_ID_1|2",
    ] {
        let refused = fresh_account().with_public_key(id, pem("go_public"));
        assert_eq!(form(refused), "platform public key id", "{id}");
    }
    assert!(identity_of(&"1".repeat(32), &"A".repeat(64)).is_ok());
}

#[test]
fn writes_the_serial_in_upper_case_as_the_platform_does() {
    let identity = SigningIdentity::elsewhere(MERCHANT, &SERIAL.to_ascii_lowercase()).unwrap();
    assert_eq!(identity.serial(), SERIAL);
}

#[test]
fn refuses_keys_that_are_none_and_names_the_setting() {
    let of = |result: Result<Account, SetupError>| match result {
        Err(SetupError::Key { setting, source }) => (setting, source),
        other => panic!("{other:?}"),
    };
    let (setting, _) = of(fresh_account().with_public_key(PUBLIC_KEY_ID, "no key"));
    assert_eq!(setting, "platform public key");
    let (setting, source) = of(fresh_account().with_certificate(pem("go_public")));
    assert_eq!(setting, "platform certificate");
    assert!(matches!(source, KeyError::Kind { .. }), "{source:?}");
    assert!(yuanfen_sign::ApiV3Key::new(&API_V3_KEY[1..]).is_err());
}

/// The usual cause of "certificate not found" in support.
#[test]
fn refuses_the_merchants_own_certificate_as_the_platforms() {
    let identity = SigningIdentity::elsewhere(MERCHANT, &CERTIFICATE.to_ascii_lowercase()).unwrap();
    let account = Account::direct(identity, APP, api_v3_key()).unwrap();
    let refused = account.with_certificate(pem("go_cert_D7CE")).unwrap_err();
    assert_eq!(
        refused,
        SetupError::OwnSerial {
            setting: "platform certificate"
        }
    );
}

#[test]
fn holds_certificates_and_public_keys_side_by_side() {
    let account = public_key_account()
        .with_certificate(pem("go_cert_D7CE"))
        .unwrap()
        .with_certificate(pem("go_cert_F576"))
        .unwrap();
    assert_eq!(
        account.platform_keys().serials(),
        [PUBLIC_KEY_ID, CERTIFICATE, OTHER_CERTIFICATE]
    );
    assert_eq!(account.public_key_id(), Some(PUBLIC_KEY_ID));
}

#[test]
fn keeps_who_signs_apart_from_whose_ids_are_sent() {
    let account = account();
    let MerchantIds::Direct(ids) = account.ids() else {
        panic!("another kind")
    };
    assert_eq!((&*ids.merchant_id, &*ids.app_id), (MERCHANT, APP));
    assert_eq!(account.identity().merchant_id(), MERCHANT);
    assert_eq!(account.base().as_str(), DEFAULT_BASE);
}

struct Kms;

impl Sign for Kms {
    fn sign(&self, text: &[u8], _: &dyn Ambient) -> Result<String, SignError> {
        assert!(text.starts_with(b"GET\n"));
        Ok("a21z".to_owned())
    }
}

#[test]
fn takes_any_signer() {
    let identity = SigningIdentity::new(MERCHANT, SERIAL, Arc::new(Kms)).unwrap();
    let account = Account::direct(identity, APP, api_v3_key()).unwrap();
    let message = QueryOrder::by_order_no(OrderNo::new("A1").unwrap())
        .encode(&account, &ambient())
        .unwrap();
    let request = account.seal(message, &ambient()).unwrap();
    let header = request.headers()["authorization"].to_str().unwrap();
    assert!(header.ends_with(r#",signature="a21z""#), "{header}");
}

/// The key is on another host: sealing in one step says so, and a draft is finished with the signature from there.
#[test]
fn signs_elsewhere_through_a_draft() {
    let identity = SigningIdentity::elsewhere(MERCHANT, SERIAL).unwrap();
    let account = Account::direct(identity, APP, api_v3_key()).unwrap();
    let message = || {
        QueryOrder::by_order_no(OrderNo::new("A1").unwrap())
            .encode(&account, &ambient())
            .unwrap()
    };
    let refused = account.seal(message(), &ambient()).unwrap_err();
    assert!(matches!(refused, yuanfen_core::BuildError::Sign(_)), "{refused:?}");
    let draft = account.draft(message(), &ambient()).unwrap();
    let merchant = yuanfen_sign::RsaSigningKey::parse(pem("doc_merchant_private")).unwrap();
    let text = draft.text().to_vec();
    let signature = merchant.sign(&text, &ambient()).unwrap();
    let request = draft.finish(&signature).unwrap();
    let header = request.headers()["authorization"].to_str().unwrap();
    assert!(header.contains(&signature));
    for not_base64 in ["", "a\"b", "a\nb", "签名"] {
        let draft = account.draft(message(), &ambient()).unwrap();
        assert!(draft.finish(not_base64).is_err(), "{not_base64}");
    }
}

#[test]
fn talks_to_the_base_it_is_given_and_signs_the_path_in_front() {
    let base = BaseUrl::parse("http://127.0.0.1:8080/wechat-v3/").unwrap();
    let account = account().with_base(base);
    let message = QueryOrder::by_order_no(OrderNo::new("A1").unwrap())
        .encode(&account, &ambient())
        .unwrap();
    let draft = account.draft(message, &ambient()).unwrap();
    let target = "/wechat-v3/v3/pay/transactions/out-trade-no/A1?mchid=1900007291";
    assert!(draft.text().starts_with(format!("GET\n{target}\n").as_bytes()));
    let request = draft.finish("c2ln").unwrap();
    assert_eq!(request.uri().to_string(), format!("http://127.0.0.1:8080{target}"));
}

/// Where a vector's key is used as the platform's, it must be one.
#[test]
fn the_keys_of_these_tests_belong_together() {
    let certificate = Certificate::parse(pem("go_cert_D7CE")).unwrap();
    let text = b"1\nn\n\n";
    let signature = crate::far_side::platform_signature("1", "n", b"");
    for key in [
        RsaVerifyingKey::of_certificate(&certificate).unwrap(),
        RsaVerifyingKey::parse(pem("go_public")).unwrap(),
    ] {
        yuanfen_core::Verify::verify(&key, text, &signature).unwrap();
    }
}
