//! What the payer's page receives.

use std::collections::BTreeMap;

use yuanfen_core::{Address, Ambient as _, BuildError, FixedAmbient, OperationExt as _, UnixTime};
use yuanfen_testkit::{Value, oracle};
use yuanfen_wechat_v2::ops::PlaceOrder;
use yuanfen_wechat_v2::{Account, Payer, PayerApp, PrepayId, SubMerchant};

use crate::far_side::{
    APP_ID, KEY, MERCHANT, NOW, OPENID, PLACED, PREPAY_ID, account, ambient, answer, changed, hmac_account, notify_url,
    now, order,
};
use crate::sub_merchant::{SUB_APP_ID, SUB_MERCHANT, shop};

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
        let mut page = members(
            account
                .bridge_params(&prepay_id, PayerApp::Account, &ambient())
                .unwrap(),
        );
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
        let page = members(
            account
                .choose_wx_pay_params(&prepay_id, PayerApp::Account, &ambient())
                .unwrap(),
        );
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
    let first = account()
        .bridge_params(&prepay_id, PayerApp::Account, &ambient)
        .unwrap();
    let second = account()
        .bridge_params(&prepay_id, PayerApp::Account, &ambient)
        .unwrap();
    assert_ne!(first.nonce, second.nonce);
    assert_ne!(first.pay_sign, second.pay_sign);
}

#[test]
fn refuses_a_prepay_id_when_its_two_hours_are_over() {
    let prepay_id = PrepayId::issued(PREPAY_ID, now());
    let ambient = FixedAmbient::at(NOW + PrepayId::LIFE - 1);
    assert_eq!(PrepayId::LIFE, 7200);
    assert!(!prepay_id.is_expired(ambient.now()));
    assert!(account().bridge_params(&prepay_id, PayerApp::Account, &ambient).is_ok());
    ambient.advance(1);
    assert!(prepay_id.is_expired(ambient.now()));
    for error in [
        account()
            .bridge_params(&prepay_id, PayerApp::Account, &ambient)
            .unwrap_err(),
        account()
            .choose_wx_pay_params(&prepay_id, PayerApp::Account, &ambient)
            .unwrap_err(),
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
        let params = account().bridge_params(&PrepayId::issued(&*id, now()), PayerApp::Account, &ambient());
        match params {
            Ok(params) => {
                assert!(accepted, "{id}");
                assert_eq!(params.package.len(), 128, "the sheet's limit for `package`");
            }
            Err(error) => assert_eq!((error.field(), accepted), (Some("prepay_id"), false), "{id}"),
        }
    }
}

#[test]
fn hands_a_mini_program_everything_but_the_app_id_that_is_signed() {
    for (account, sign_type, oracle) in accounts() {
        let prepay_id = PrepayId::issued(PREPAY_ID, now());
        let params = account.mini_program_params(&prepay_id, PayerApp::Account, &ambient());
        let mut page = members(params.unwrap());
        let signature = page.remove("paySign").unwrap();
        let names: Vec<_> = page.keys().map(String::as_str).collect();
        assert_eq!(names, ["nonceStr", "package", "signType", "timeStamp"]);
        assert_eq!(page["signType"], sign_type);
        assert_eq!(page["package"], format!("prepay_id={PREPAY_ID}"));
        page.insert("appId".to_owned(), APP_ID.to_owned());
        assert_eq!(signature, oracle(&page, KEY));
    }
}

#[test]
fn hands_the_app_six_lower_case_names_and_a_constant_package() {
    for (account, _, oracle) in accounts() {
        let prepay_id = PrepayId::issued(PREPAY_ID, now());
        let mut app = members(account.app_params(&prepay_id, &ambient()).unwrap());
        let signature = app.remove("sign").unwrap();
        let names: Vec<_> = app.keys().map(String::as_str).collect();
        assert_eq!(
            names,
            ["appid", "noncestr", "package", "partnerid", "prepayid", "timestamp"]
        );
        assert_eq!((&*app["appid"], &*app["partnerid"]), (APP_ID, MERCHANT));
        assert_eq!((&*app["prepayid"], &*app["package"]), (PREPAY_ID, "Sign=WXPay"));
        assert_eq!(app["timestamp"], NOW.to_string());
        // The algorithm is nowhere named, and is the order's all the same.
        assert_eq!(signature, oracle(&app, KEY));
    }
    for id in [String::new(), "a b".to_owned()] {
        let error = account()
            .app_params(&PrepayId::issued(&*id, now()), &ambient())
            .unwrap_err();
        assert_eq!(error.field(), Some("prepay_id"));
    }
    let late = FixedAmbient::at(NOW + PrepayId::LIFE);
    let error = account()
        .app_params(&PrepayId::issued(PREPAY_ID, now()), &late)
        .unwrap_err();
    assert!(matches!(error, BuildError::Time { field: "prepay_id", .. }));
}

#[test]
fn signs_the_app_under_which_the_payer_is_known() {
    let prepay_id = PrepayId::issued(PREPAY_ID, now());
    let own = Payer::OpenId(OPENID.to_owned());
    let sub = Payer::SubOpenId("oSub".to_owned());
    for (payer, app_id) in [(&own, APP_ID), (&sub, SUB_APP_ID)] {
        let page = members(shop().bridge_params(&prepay_id, payer, &ambient()).unwrap());
        assert_eq!(page["appId"], app_id);
        let mut signed = page.clone();
        let signature = signed.remove("paySign").unwrap();
        assert_eq!(signature, oracle::v2_md5(&signed, KEY));
        // The same signature goes into the calls that pass no app id.
        let choose = shop().choose_wx_pay_params(&prepay_id, payer, &ambient()).unwrap();
        let mini = shop().mini_program_params(&prepay_id, payer, &ambient()).unwrap();
        assert_eq!((choose.pay_sign, mini.pay_sign), (signature.clone(), signature));
    }
    let without_app = account()
        .for_sub_merchant(SubMerchant::new(SUB_MERCHANT).unwrap())
        .unwrap();
    for account in [account(), without_app] {
        assert!(account.bridge_params(&prepay_id, &own, &ambient()).is_ok());
        let error = account.bridge_params(&prepay_id, &sub, &ambient()).unwrap_err();
        assert_eq!(error.field(), Some("sub_appid"), "never the wrong app in silence");
    }
}

#[test]
fn hands_a_sub_merchants_app_its_own_numbers() {
    let prepay_id = PrepayId::issued(PREPAY_ID, now());
    let without_app = account()
        .for_sub_merchant(SubMerchant::new(SUB_MERCHANT).unwrap())
        .unwrap();
    for (account, app_id) in [(shop(), SUB_APP_ID), (without_app, APP_ID)] {
        let mut app = members(account.app_params(&prepay_id, &ambient()).unwrap());
        assert_eq!((&*app["appid"], &*app["partnerid"]), (app_id, SUB_MERCHANT));
        let signature = app.remove("sign").unwrap();
        assert_eq!(signature, oracle::v2_md5(&app, KEY));
    }
    let error = account().for_every_sub_merchant().app_params(&prepay_id, &ambient());
    assert!(matches!(error, Err(BuildError::Setup { .. })), "{error:?}");
}

#[test]
fn brings_the_payer_of_an_h5_order_back_to_a_page() {
    let (no, amount, ip) = (order().order_no, order().amount, order().payer_ip);
    let mweb = PlaceOrder::mweb(no, amount, "b", ip, notify_url(), "{}");
    let placed = |address: &str| {
        let changes = [("trade_type", Some("MWEB")), ("mweb_url", Some(address))];
        mweb.reply(&account(), &answer(&changed(PLACED, &changes)), now())
            .unwrap()
    };
    let page = Address::parse("redirect_url", "https://shop.example/paid?no=1&x=a~b-c_d.e").unwrap();
    let start = "https://wx.tenpay.com/cgi-bin/mmpayweb-bin/checkmweb?prepay_id=wx20161110163838f231619da20804912345&package=1037687096";
    assert_eq!(
        placed(start).mweb_url_returning_to(&page).unwrap(),
        format!("{start}&redirect_url=https%3A%2F%2Fshop.example%2Fpaid%3Fno%3D1%26x%3Da~b-c_d.e")
    );
    assert_eq!(
        placed("https://wx.tenpay.com/x").mweb_url_returning_to(&page).unwrap(),
        "https://wx.tenpay.com/x?redirect_url=https%3A%2F%2Fshop.example%2Fpaid%3Fno%3D1%26x%3Da~b-c_d.e"
    );
    let jsapi = order()
        .reply(&account(), &answer(&changed(PLACED, &[])), now())
        .unwrap();
    assert_eq!(jsapi.mweb_url_returning_to(&page), None);
}
