//! What the payer's page receives.

use yuanfen_core::{BuildError, FixedAmbient, OperationExt as _, UnixTime, Verify as _};
use yuanfen_sign::RsaSigningKey;
use yuanfen_wechat_v3::{Account, CashierApp, OpenId, Payer, PrepayId, SigningIdentity, sign};

use crate::far_side::{
    APP, MERCHANT, NOW, PROVIDER, PROVIDER_APP, SERIAL, SUB_APP, account, ambient, api_v3_key, now, partner,
    partner_without_app, pem, provider, reply,
};
use crate::requests::order;

const PREPAY_ID: &str = "wx201410272009395522657a690389285100";

fn prepay_id() -> PrepayId {
    PrepayId::issued(PREPAY_ID, now())
}

fn text<'a>(json: &'a serde_json::Value, name: &str) -> &'a str {
    json[name].as_str().unwrap_or_else(|| panic!("`{name}` is not a text"))
}

/// Checks a signature of parameters under the merchant's public key, over lines that are written here.
fn is_signed(lines: [&str; 4], signature: &str) {
    let text: String = lines.iter().flat_map(|line| [line, "\n"]).collect();
    let key = RsaSigningKey::parse(pem("doc_merchant_private")).unwrap();
    key.verifying_key().unwrap().verify(text.as_bytes(), signature).unwrap();
}

#[test]
fn gives_a_page_and_a_mini_program_exactly_their_members() {
    let account = account();
    let page = serde_json::to_value(account.jsapi_params(&prepay_id(), &ambient()).unwrap()).unwrap();
    let program = serde_json::to_value(account.request_payment_params(&prepay_id(), &ambient()).unwrap()).unwrap();
    let names = |json: &serde_json::Value| json.as_object().unwrap().keys().cloned().collect::<Vec<_>>();
    assert_eq!(
        names(&page),
        ["appId", "nonceStr", "package", "paySign", "signType", "timeStamp"]
    );
    assert_eq!(
        names(&program),
        ["nonceStr", "package", "paySign", "signType", "timeStamp"]
    );
    for json in [&page, &program] {
        assert_eq!(text(json, "signType"), "RSA");
        assert_eq!(text(json, "package"), format!("prepay_id={PREPAY_ID}"));
        assert_eq!(text(json, "timeStamp"), NOW.to_string());
        // The app id is signed whether it is passed or not.
        let signed = sign::invoke_text(
            APP,
            text(json, "timeStamp"),
            text(json, "nonceStr"),
            text(json, "package"),
        );
        let key = RsaSigningKey::parse(pem("doc_merchant_private")).unwrap();
        key.verifying_key()
            .unwrap()
            .verify(&signed, text(json, "paySign"))
            .unwrap();
    }
    assert_eq!(text(&page, "appId"), APP);
}

#[test]
fn refuses_a_prepay_id_whose_two_hours_are_over() {
    let account = account();
    let at = |seconds: i64| account.jsapi_params(&prepay_id(), &FixedAmbient::at(NOW + seconds));
    assert!(at(7199).is_ok());
    assert!(at(-60).is_ok(), "a clock that was set back");
    for late in [7200, 7201, i64::MAX - NOW] {
        let refused = at(late).unwrap_err();
        assert!(
            matches!(refused, BuildError::Time { field: "prepay_id", .. }),
            "{refused:?}"
        );
        assert!(
            refused
                .to_string()
                .contains("repeat the identical order under the same number")
        );
        assert!(
            account
                .request_payment_params(&prepay_id(), &FixedAmbient::at(NOW + late))
                .is_err()
        );
    }
}

#[test]
fn renews_by_repeating_the_identical_order() {
    let (account, clock) = (account(), ambient());
    let order = order();
    let first = order.request(&account, &clock).unwrap();
    let body = format!(r#"{{"prepay_id":"{PREPAY_ID}"}}"#);
    let placed = order.reply(&account, &reply(200, &body), now()).unwrap();
    clock.advance(2 * 3600);
    assert!(account.jsapi_params(&placed.prepay_id, &clock).is_err());
    let again = order.request(&account, &clock).unwrap();
    assert_eq!(first.body(), again.body());
    assert_eq!(first.uri(), again.uri());
    let renewed = PrepayId::issued(PREPAY_ID, UnixTime::from_seconds(NOW + 7200));
    assert!(account.jsapi_params(&renewed, &clock).is_ok());
}

#[test]
fn signs_elsewhere_through_a_draft() {
    let identity = SigningIdentity::elsewhere(MERCHANT, SERIAL).unwrap();
    let account = Account::direct(identity, APP, api_v3_key()).unwrap();
    assert!(matches!(
        account.jsapi_params(&prepay_id(), &ambient()),
        Err(BuildError::Sign(_))
    ));
    let draft = account.pay_params_draft(&prepay_id(), &ambient()).unwrap();
    let lines = draft.text();
    assert!(lines.ends_with(format!("\nprepay_id={PREPAY_ID}\n").as_bytes()));
    let page = draft.clone().into_jsapi("c2ln".to_owned());
    let program = draft.into_request_payment("c2ln".to_owned());
    assert_eq!((&*page.pay_sign, &*program.pay_sign), ("c2ln", "c2ln"));
    assert_eq!(page.nonce_str, program.nonce_str);
}

#[test]
fn refuses_a_prepay_id_that_would_change_the_text() {
    for bad in ["", "a b", "a\nb", "a\u{7f}", "单", &"x".repeat(129)] {
        let refused = account()
            .jsapi_params(&PrepayId::issued(bad, now()), &ambient())
            .unwrap_err();
        assert_eq!(refused.field(), Some("prepay_id"), "{bad}");
    }
    account()
        .jsapi_params(&PrepayId::issued("x".repeat(128), now()), &ambient())
        .unwrap();
}

/// Other names, another case and another last line than a page's: the two are not to be mixed up.
#[test]
fn gives_a_mobile_app_exactly_its_members() {
    for (account, app_id, merchant) in [
        (account(), APP, MERCHANT),
        (partner_without_app(), PROVIDER_APP, PROVIDER),
        (partner(), SUB_APP, PROVIDER),
    ] {
        let params = account.app_params(&prepay_id(), &ambient()).unwrap();
        let json = serde_json::to_value(&params).unwrap();
        let names: Vec<_> = json.as_object().unwrap().keys().collect();
        assert_eq!(
            names,
            [
                "appid",
                "noncestr",
                "package",
                "partnerid",
                "prepayid",
                "sign",
                "timestamp"
            ]
        );
        assert_eq!(text(&json, "appid"), app_id);
        assert_eq!(text(&json, "partnerid"), merchant, "the one who signs");
        assert_eq!(text(&json, "prepayid"), PREPAY_ID);
        assert_eq!(text(&json, "package"), "Sign=WXPay");
        assert_eq!(text(&json, "timestamp"), NOW.to_string());
        is_signed(
            [app_id, text(&json, "timestamp"), text(&json, "noncestr"), PREPAY_ID],
            text(&json, "sign"),
        );
        let page = account.jsapi_params(&prepay_id(), &ambient()).unwrap();
        let package = format!("prepay_id={PREPAY_ID}");
        is_signed([app_id, &page.time_stamp, &page.nonce_str, &package], &page.pay_sign);
        let shown = format!("{params:?}");
        assert!(!shown.contains(&params.sign) && shown.contains(merchant), "{shown}");
    }
}

/// Line 1 is the app that opens the cashier: the merchant's own where it has one, or whichever is chosen.
#[test]
fn opens_a_providers_cashier_in_the_app_that_is_chosen() {
    let own = |account: &Account| {
        let cashier = account.cashier(CashierApp::Own).unwrap();
        (
            cashier.app_id().to_owned(),
            cashier.jsapi_params(&prepay_id(), &ambient()).unwrap(),
        )
    };
    let (app_id, page) = own(&partner());
    assert_eq!((&*app_id, &*page.app_id), (PROVIDER_APP, PROVIDER_APP));
    let account = partner();
    let merchants = account.cashier(CashierApp::SubMerchant).unwrap();
    let page = merchants.jsapi_params(&prepay_id(), &ambient()).unwrap();
    assert_eq!(page.app_id, SUB_APP);
    let program = merchants.request_payment_params(&prepay_id(), &ambient()).unwrap();
    is_signed(
        [SUB_APP, &program.time_stamp, &program.nonce_str, &program.package],
        &program.pay_sign,
    );
    assert_eq!(merchants.app_params(&prepay_id(), &ambient()).unwrap().app_id, SUB_APP);
    // Without a choice.
    let usual = |account: &Account| account.jsapi_params(&prepay_id(), &ambient()).unwrap().app_id;
    assert_eq!(usual(&partner()), SUB_APP);
    assert_eq!(usual(&partner_without_app()), PROVIDER_APP);
    assert_eq!(usual(&provider()), PROVIDER_APP);
    // As the order's payer says.
    let payer = Payer::SubOpenId(OpenId::new("o"));
    assert_eq!(CashierApp::from(&payer), CashierApp::SubMerchant);
    assert_eq!(CashierApp::from(&order().payer), CashierApp::Own);
    for account in [partner_without_app(), provider(), crate::far_side::account()] {
        let refused = account.cashier(CashierApp::SubMerchant).unwrap_err();
        assert_eq!(refused.field(), Some("sub_appid"), "{refused}");
    }
}

/// The app that an order was placed for is the one that opens its cashier.
#[test]
fn opens_the_cashier_in_the_app_that_the_account_was_made_for() {
    let mobile = account().for_app("wx2421b1c4370ec43b").unwrap();
    let params = mobile.app_params(&prepay_id(), &ambient()).unwrap();
    assert_eq!((&*params.app_id, &*params.partner_id), ("wx2421b1c4370ec43b", MERCHANT));
    is_signed(
        ["wx2421b1c4370ec43b", &params.timestamp, &params.nonce, PREPAY_ID],
        &params.sign,
    );
    let provider = partner_without_app().for_app("wx1").unwrap();
    assert_eq!(provider.jsapi_params(&prepay_id(), &ambient()).unwrap().app_id, "wx1");
    // What came before is still ours, and going back and forth adds nothing.
    let back = mobile.for_app(APP).unwrap();
    assert_eq!(
        back.ids(),
        account().with_further_app("wx2421b1c4370ec43b").unwrap().ids()
    );
    assert_eq!(mobile.for_app("wx2421b1c4370ec43b").unwrap().ids(), mobile.ids());
    assert!(account().for_app("wx-1").is_err());
}

#[test]
fn signs_a_mobile_apps_parameters_elsewhere_through_a_draft() {
    let identity = SigningIdentity::elsewhere(MERCHANT, SERIAL).unwrap();
    let account = Account::direct(identity, APP, api_v3_key()).unwrap();
    assert!(matches!(
        account.app_params(&prepay_id(), &ambient()),
        Err(BuildError::Sign(_))
    ));
    let draft = account.app_params_draft(&prepay_id(), &ambient()).unwrap();
    assert!(draft.text().ends_with(format!("\n{PREPAY_ID}\n").as_bytes()));
    assert_eq!(draft.into_app("c2ln".to_owned()).sign, "c2ln");
    let late = FixedAmbient::at(NOW + 7200);
    assert_eq!(
        account.app_params_draft(&prepay_id(), &late).unwrap_err().field(),
        Some("prepay_id")
    );
    assert_eq!(
        account
            .app_params_draft(&PrepayId::issued("a\nb", now()), &ambient())
            .unwrap_err()
            .field(),
        Some("prepay_id")
    );
}
