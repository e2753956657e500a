//! APIv3 cashiers: a provider's in either app, and a mobile app's beside a page's.

use serde_json::json;
use yuanfen_core::{FixedAmbient, Sign as _};
use yuanfen_sandbox::{FarSide, PageRefused, Platform};
use yuanfen_sign::RsaSigningKey;
use yuanfen_testkit::oracle;

use crate::shop::{far_side, json_of};
use crate::v3_orders::{APP, OWN_APP, SUB_APP, place, place_for};

/// The parameters of a page, or of a mobile app, signed with the caller's key.
pub fn parameters(pem: &str, app: &str, prepay_id: &str, partner: Option<&str>) -> Vec<(&'static str, String)> {
    let (time, nonce) = ("1760000000", "5K8264ILTKCH16CQ2502SI8ZNMTM67VS");
    let key = RsaSigningKey::parse(pem).unwrap();
    let package = format!("prepay_id={prepay_id}");
    let line = if partner.is_some() { prepay_id } else { &package };
    let text = oracle::v3_invoke_text(app, time, nonce, prepay_id);
    // The oracle writes the page's text; a mobile app's has the bare id in the last line.
    let text = String::from_utf8(text).unwrap().replace(&package, line);
    let sign = key.sign(text.as_bytes(), &FixedAmbient::at(0)).unwrap();
    let owned = |pairs: &[(&'static str, &str)]| {
        let pairs = pairs.iter().map(|(name, value)| (*name, (*value).to_owned()));
        pairs.collect::<Vec<_>>()
    };
    match partner {
        Some(partner) => owned(&[
            ("appid", app),
            ("partnerid", partner),
            ("prepayid", prepay_id),
            ("package", "Sign=WXPay"),
            ("noncestr", nonce),
            ("timestamp", time),
            ("sign", &sign),
        ]),
        None => owned(&[
            ("appId", app),
            ("timeStamp", time),
            ("nonceStr", nonce),
            ("package", &package),
            ("signType", "RSA"),
            ("paySign", &sign),
        ]),
    }
}

pub fn open(far_side: &FarSide, parameters: &[(&'static str, String)]) -> Result<String, PageRefused> {
    let parameters: Vec<_> = parameters.iter().map(|(name, value)| (*name, value.as_str())).collect();
    far_side.open_cashier(Platform::WechatV3, &parameters)
}

#[test]
fn a_providers_cashier_opens_in_the_app_that_the_order_allows() {
    let pem = far_side()
        .wechat_v3_provider()
        .provider_private_key_pem
        .expose()
        .clone();
    let sub_payer = json!({ "sub_appid": SUB_APP, "payer": { "sub_openid": "oSub" } });
    for (scene, changes, good, bad) in [
        ("jsapi", json!({}), vec![APP], vec![SUB_APP, OWN_APP]),
        ("jsapi", json!({ "sub_appid": SUB_APP }), vec![APP], vec![SUB_APP]),
        ("jsapi", sub_payer, vec![SUB_APP], vec![APP]),
        ("app", json!({}), vec![APP], vec![SUB_APP]),
        (
            "app",
            json!({ "sub_appid": SUB_APP }),
            vec![APP, SUB_APP],
            vec![OWN_APP],
        ),
    ] {
        let far_side = far_side();
        let placed = json_of(&place_for(&far_side, scene, &changes));
        let prepay_id = placed["prepay_id"].as_str().unwrap();
        let partner = (scene == "app").then_some("1900000101");
        for app in good {
            let opened = open(&far_side, &parameters(&pem, app, prepay_id, partner));
            assert_eq!(opened.as_deref(), Ok("ORDER_1"), "{scene} {changes} {app}");
        }
        for app in bad {
            assert!(
                open(&far_side, &parameters(&pem, app, prepay_id, partner)).is_err(),
                "{scene} {app}"
            );
        }
        // Nobody else's key signs for the provider.
        let foreign = far_side.wechat_v3().merchant_private_key_pem.expose().clone();
        let app = if changes["payer"].is_null() { APP } else { SUB_APP };
        let forged = parameters(&foreign, app, prepay_id, partner);
        assert_eq!(open(&far_side, &forged), Err(PageRefused::Signature), "{scene}");
    }
}

#[test]
fn a_mobile_app_and_a_page_do_not_take_each_others_orders_nor_spellings() {
    let far_side = far_side();
    let pem = far_side.wechat_v3().merchant_private_key_pem.expose().clone();
    let prepay_id = |scene: &str, number: &str| {
        let placed = place(&far_side, scene, &json!({ "out_trade_no": number }));
        json_of(&placed)["prepay_id"].as_str().unwrap().to_owned()
    };
    let (page, app) = (prepay_id("jsapi", "PAGE_1"), prepay_id("app", "MOBILE_1"));
    let partner = Some("1900000001");
    let open = |parameters: &[(&'static str, String)]| open(&far_side, parameters);
    let good = parameters(&pem, OWN_APP, &app, partner);
    assert_eq!(open(&good).as_deref(), Ok("MOBILE_1"));
    assert_eq!(open(&parameters(&pem, OWN_APP, &page, None)).as_deref(), Ok("PAGE_1"));
    assert_eq!(
        open(&parameters(&pem, OWN_APP, &page, partner)),
        Err(PageRefused::Parameter("prepayid"))
    );
    assert_eq!(
        open(&parameters(&pem, OWN_APP, &app, None)),
        Err(PageRefused::Parameter("package"))
    );
    // Signed over the page's line where the app's is wanted.
    let mut mixed = good.clone();
    mixed[6].1 = parameters(&pem, OWN_APP, &app, None)[5].1.clone();
    assert_eq!(open(&mixed), Err(PageRefused::Signature));
    for (index, name) in [
        "appid",
        "partnerid",
        "prepayid",
        "package",
        "noncestr",
        "timestamp",
        "sign",
    ]
    .into_iter()
    .enumerate()
    {
        let mut without = good.clone();
        assert_eq!(without.remove(index).0, name);
        let answer = open(&without);
        // Without `partnerid` these are a page's parameters, and wrong ones.
        let expected = if name == "partnerid" { "timeStamp" } else { name };
        assert_eq!(answer, Err(PageRefused::Parameter(expected)), "{name}");
    }
    let mut foreign = good;
    foreign[1].1 = "1900000101".to_owned();
    assert_eq!(open(&foreign), Err(PageRefused::Parameter("partnerid")));
}
