//! What the payer's page receives.

use yuanfen_core::{BuildError, FixedAmbient, OperationExt as _, UnixTime, Verify as _};
use yuanfen_sign::RsaSigningKey;
use yuanfen_wechat_v3::{Account, PrepayId, SigningIdentity, sign};

use crate::far_side::{APP, MERCHANT, NOW, SERIAL, account, ambient, api_v3_key, now, pem, reply};
use crate::requests::order;

const PREPAY_ID: &str = "wx201410272009395522657a690389285100";

fn prepay_id() -> PrepayId {
    PrepayId::issued(PREPAY_ID, now())
}

fn text<'a>(json: &'a serde_json::Value, name: &str) -> &'a str {
    json[name].as_str().unwrap_or_else(|| panic!("`{name}` is not a text"))
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
