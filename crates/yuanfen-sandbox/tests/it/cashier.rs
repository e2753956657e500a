//! What the payer's app does with a page's parameters.

use std::time::Duration;

use yuanfen_core::{FixedAmbient, Sign as _};
use yuanfen_sandbox::{FarSide, PageRefused, Platform};
use yuanfen_sign::RsaSigningKey;
use yuanfen_testkit::oracle;

use crate::shop::{self, V2Digest, far_side, json_of};

const TIME: &str = "1760000000";
const NONCE: &str = "5K8264ILTKCH16CQ2502SI8ZNMTM67VS";

fn v3_prepay(far_side: &FarSide) -> String {
    let body = shop::order("order-1", 100, "http://127.0.0.1:9/notify");
    let placed = shop::v3(far_side, "POST", "/v3/pay/transactions/jsapi", &body);
    json_of(&placed)["prepay_id"].as_str().unwrap().to_owned()
}

fn v3_pay_sign(far_side: &FarSide, prepay_id: &str) -> String {
    let account = far_side.wechat_v3();
    let text = oracle::v3_invoke_text(&account.app_id, TIME, NONCE, prepay_id);
    let key = RsaSigningKey::parse(account.merchant_private_key_pem.expose()).unwrap();
    key.sign(&text, &FixedAmbient::at(0)).unwrap()
}

#[test]
fn opens_on_signed_v3_parameters_and_names_the_order() {
    let far_side = far_side();
    let prepay_id = v3_prepay(&far_side);
    let sign = v3_pay_sign(&far_side, &prepay_id);
    let package = format!("prepay_id={prepay_id}");
    let account = far_side.wechat_v3();
    let good = [
        ("appId", account.app_id.as_str()),
        ("timeStamp", TIME),
        ("nonceStr", NONCE),
        ("package", package.as_str()),
        ("signType", "RSA"),
        ("paySign", sign.as_str()),
    ];
    let open = |parameters: &[(&str, &str)]| far_side.open_cashier(Platform::WechatV3, parameters);
    assert_eq!(open(&good).unwrap(), "order-1");
    // A mini program hands over no app id.
    assert_eq!(open(&good[1..]).unwrap(), "order-1");
    for (name, value, reason) in [
        ("appId", "wx0000000000000000", PageRefused::Parameter("appId")),
        ("timeStamp", "1760000000000", PageRefused::Parameter("timeStamp")),
        ("timeStamp", "1760000001", PageRefused::Signature),
        ("nonceStr", "other", PageRefused::Signature),
        ("nonceStr", "", PageRefused::Parameter("nonceStr")),
        ("package", prepay_id.as_str(), PageRefused::Parameter("package")),
        ("signType", "MD5", PageRefused::Parameter("signType")),
        ("paySign", "AAAA", PageRefused::Signature),
    ] {
        let changed = good.map(|(given, old)| (given, if given == name { value } else { old }));
        assert_eq!(open(&changed).unwrap_err(), reason, "{name}");
    }
    far_side.clock().advance(Duration::from_secs(7199)).unwrap();
    assert_eq!(open(&good).unwrap(), "order-1");
    far_side.clock().advance(Duration::from_secs(1)).unwrap();
    assert_eq!(open(&good).unwrap_err(), PageRefused::Expired);
}

#[test]
fn opens_on_v2_parameters_signed_as_the_order_was() {
    let far_side = far_side();
    let account = far_side.wechat_v2();
    let placed = shop::v2(
        &far_side,
        "/pay/unifiedorder",
        &[
            ("body", "noodles"),
            ("out_trade_no", "v2-order-1"),
            ("total_fee", "1"),
            ("spbill_create_ip", "127.0.0.1"),
            ("notify_url", "http://127.0.0.1:9/notify"),
            ("trade_type", "JSAPI"),
            ("openid", "oSomebody"),
        ],
    );
    let package = format!("prepay_id={}", placed["prepay_id"]);
    let cases: [(&str, V2Digest, _); 2] = [
        ("MD5", oracle::v2_md5, Ok("v2-order-1".to_owned())),
        ("HMAC-SHA256", oracle::v2_hmac, Err(PageRefused::Signature)),
    ];
    for (sign_type, check, expected) in cases {
        let signed = [
            ("appId", account.app_id.as_str()),
            ("timeStamp", TIME),
            ("nonceStr", NONCE),
            ("package", package.as_str()),
            ("signType", sign_type),
        ];
        let map = signed
            .iter()
            .map(|(name, value)| ((*name).to_owned(), (*value).to_owned()));
        let sign = check(&map.collect(), account.api_key.expose());
        // `wx.chooseWXPay` is handed `timestamp` for the signed `timeStamp`, and no app id.
        for handed in ["timeStamp", "timestamp"] {
            let parameters = [
                (handed, TIME),
                ("nonceStr", NONCE),
                ("package", package.as_str()),
                ("signType", sign_type),
                ("paySign", sign.as_str()),
            ];
            assert_eq!(
                far_side.open_cashier(Platform::WechatV2, &parameters),
                expected,
                "{sign_type}"
            );
        }
    }
}
