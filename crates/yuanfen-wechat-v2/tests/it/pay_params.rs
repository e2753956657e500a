//! What the payer's page receives.

use std::collections::BTreeMap;

use yuanfen_core::{Ambient as _, BuildError, FixedAmbient, UnixTime};
use yuanfen_testkit::{Value, oracle};
use yuanfen_wechat_v2::{Account, PrepayId};

use crate::far_side::{APP_ID, KEY, NOW, PREPAY_ID, account, ambient, hmac_account, now};

fn members(value: impl serde::Serialize) -> BTreeMap<String, String> {
    let Value::Object(object) = serde_json::to_value(value).unwrap() else {
        panic!("no object")
    };
    object
        .into_iter()
        .map(|(name, value)| (name, value.as_str().expect("every member is a text").to_owned()))
        .collect()
}

/// An account, the name of its type of signature, and who computes such signatures independently.
type Signer = (Account, &'static str, fn(&oracle::Map, &str) -> String);

fn accounts() -> [Signer; 2] {
    [
        (account(), "MD5", oracle::v2_md5),
        (hmac_account(), "HMAC-SHA256", oracle::v2_hmac),
    ]
}

#[test]
fn hands_the_bridge_the_five_signed_members_and_the_signature() {
    for (account, sign_type, oracle) in accounts() {
        let prepay_id = PrepayId::issued(PREPAY_ID, now());
        let mut page = members(account.bridge_params(&prepay_id, &ambient()).unwrap());
        let signature = page.remove("paySign").unwrap();
        let names: Vec<_> = page.keys().map(String::as_str).collect();
        assert_eq!(names, ["appId", "nonceStr", "package", "signType", "timeStamp"]);
        assert_eq!(page["appId"], APP_ID);
        assert_eq!(page["timeStamp"], NOW.to_string(), "seconds, ten digits");
        assert_eq!(page["package"], format!("prepay_id={PREPAY_ID}"));
        assert_eq!(page["signType"], sign_type);
        assert_eq!(signature, oracle(&page, KEY));
    }
}

#[test]
fn hands_choose_wx_pay_a_lower_case_timestamp_while_another_spelling_is_signed() {
    for (account, sign_type, oracle) in accounts() {
        let prepay_id = PrepayId::issued(PREPAY_ID, now());
        let page = members(account.choose_wx_pay_params(&prepay_id, &ambient()).unwrap());
        let names: Vec<_> = page.keys().map(String::as_str).collect();
        assert_eq!(names, ["nonceStr", "package", "paySign", "signType", "timestamp"]);
        // The call's own default is SHA1, so the type is always there.
        assert_eq!(page["signType"], sign_type);
        let signed: oracle::Map = [
            ("appId", APP_ID),
            ("timeStamp", &page["timestamp"]),
            ("nonceStr", &page["nonceStr"]),
            ("package", &page["package"]),
            ("signType", sign_type),
        ]
        .map(|(name, value)| (name.to_owned(), value.to_owned()))
        .into();
        assert_eq!(page["paySign"], oracle(&signed, KEY));
    }
}

#[test]
fn signs_anew_for_every_page() {
    let ambient = ambient();
    let prepay_id = PrepayId::issued(PREPAY_ID, now());
    let first = account().bridge_params(&prepay_id, &ambient).unwrap();
    let second = account().bridge_params(&prepay_id, &ambient).unwrap();
    assert_ne!(first.nonce, second.nonce);
    assert_ne!(first.pay_sign, second.pay_sign);
}

#[test]
fn refuses_a_prepay_id_when_its_two_hours_are_over() {
    let prepay_id = PrepayId::issued(PREPAY_ID, now());
    let ambient = FixedAmbient::at(NOW + PrepayId::LIFE - 1);
    assert_eq!(PrepayId::LIFE, 7200);
    assert!(!prepay_id.is_expired(ambient.now()));
    assert!(account().bridge_params(&prepay_id, &ambient).is_ok());
    ambient.advance(1);
    assert!(prepay_id.is_expired(ambient.now()));
    for error in [
        account().bridge_params(&prepay_id, &ambient).unwrap_err(),
        account().choose_wx_pay_params(&prepay_id, &ambient).unwrap_err(),
    ] {
        assert!(
            matches!(error, BuildError::Time { field: "prepay_id", .. }),
            "{error:?}"
        );
        assert!(error.to_string().contains("repeat the identical order"), "{error}");
    }
    assert!(!prepay_id.is_expired(UnixTime::from_seconds(i64::MIN)), "no overflow");
}

#[test]
fn refuses_a_prepay_id_that_is_none() {
    for (id, accepted) in [
        ("a".repeat(118), true),
        ("a".repeat(119), false),
        (String::new(), false),
        ("a b".to_owned(), false),
    ] {
        let params = account().bridge_params(&PrepayId::issued(&*id, now()), &ambient());
        match params {
            Ok(params) => {
                assert!(accepted, "{id}");
                assert_eq!(params.package.len(), 128, "the sheet's limit for `package`");
            }
            Err(error) => assert_eq!((error.field(), accepted), (Some("prepay_id"), false), "{id}"),
        }
    }
}
