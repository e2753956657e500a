//! `refuse=CODE`: the platform says no in its own form, signed where it signs that, and nothing happens.

use serde_json::json;
use yuanfen_sandbox::{FaultKind, FaultRule, Platform, RefusalCode, SignatureVerdict};
use yuanfen_testkit::oracle;

use super::{QUERY, UNIFIED, URL, V3};
use crate::shop::{self, far_side, place, v3, v3_holds};
use crate::{fshows, mpgateway, starpos};

fn refuse(code: &str) -> FaultKind {
    FaultKind::Refuse(code.parse().unwrap())
}

#[test]
fn v2_refuses_with_every_code_signed_and_in_the_vendors_words() {
    let far_side = far_side();
    let key = far_side.wechat_v2().api_key.expose().clone();
    for code in RefusalCode::of(Platform::WechatV2) {
        far_side.set_faults(FaultKind::Refuse(code));
        let answer = shop::v2(&far_side, "/pay/unifiedorder", &UNIFIED);
        assert_eq!((&*answer["return_code"], &*answer["result_code"]), ("SUCCESS", "FAIL"));
        assert_eq!(answer["err_code"], code.as_str());
        assert!(!answer["err_code_des"].is_empty(), "{code}");
        assert_eq!(answer["sign"], oracle::v2_md5(&answer, &key), "{code}");
    }
    assert!(far_side.orders(Platform::WechatV2).is_empty());
    far_side.set_faults(refuse("BIZERR_NEED_RETRY"));
    let answer = shop::v2(&far_side, "/secapi/pay/refund", &[("out_refund_no", "R1")]);
    assert_eq!(answer["err_code_des"], "退款业务流程错误，需要商户触发重试来解决");
}

#[test]
fn a_v2_reversal_and_bill_are_refused_in_their_own_form() {
    let far_side = far_side();
    for (code, recall) in [("SYSTEMERROR", "Y"), ("REVERSE_EXPIRE", "N")] {
        far_side.set_faults(refuse(code));
        let answer = shop::v2(&far_side, "/secapi/pay/reverse", &[("out_trade_no", "T1")]);
        assert_eq!((&*answer["err_code"], &*answer["recall"]), (code, recall));
    }
    let bill = [("bill_date", "20251008"), ("bill_type", "ALL")];
    for (code, words, number) in [
        ("BILL_CREATING", "Bill Creating", None),
        ("NO_BILL_EXIST", "No Bill Exist", Some("20002")),
    ] {
        far_side.set_faults(refuse(code));
        let answer = shop::v2(&far_side, "/pay/downloadbill", &bill);
        assert_eq!((&*answer["return_code"], &*answer["return_msg"]), ("FAIL", words));
        assert_eq!(answer.get("error_code").map(String::as_str), number);
    }
}

#[test]
fn v3_refuses_with_every_code_signed_under_its_status() {
    let far_side = far_side();
    place(&far_side, "order-1", 100, URL);
    let certificate = far_side.wechat_v3().platform_certificate_pem;
    for code in RefusalCode::of(V3) {
        far_side.set_faults(FaultKind::Refuse(code));
        let response = v3(
            &far_side,
            "POST",
            "/v3/pay/transactions/out-trade-no/order-1/close",
            "{\"mchid\":\"1900000001\"}",
        );
        let (status, said) = shop::refusal(&response);
        assert_eq!(said, code.as_str());
        assert!((400..=503).contains(&status), "{code} {status}");
        assert!(v3_holds(response.headers(), response.body(), &certificate), "{code}");
    }
    far_side.set_faults(refuse("FREQUENCY_LIMITED"));
    let response = v3(&far_side, "GET", QUERY, "");
    assert_eq!(shop::refusal(&response), (429, "FREQUENCY_LIMITED".to_owned()));
    let number = response.headers()["request-id"].to_str().unwrap();
    assert!(number.ends_with("-268447840"), "{number}");
    // The order is as open as before.
    far_side.set_faults(yuanfen_sandbox::FaultPlan::none());
    assert_eq!(shop::query(&far_side, "order-1")["trade_state"], "NOTPAY");
}

#[test]
fn a_wrong_signature_is_refused_for_that_and_other_platforms_do_not_know_the_code() {
    let far_side = far_side();
    far_side.set_faults(FaultRule::new(refuse("NOT_ENOUGH")));
    let mut request = shop::v3_request(&far_side, "GET", QUERY, "");
    *request.uri_mut() = format!("https://sandbox.example{QUERY}&x=1").parse().unwrap();
    let response = far_side.answer(&request).unwrap();
    assert_eq!(shop::refusal(&response), (401, "SIGN_ERROR".to_owned()));
    assert_eq!(far_side.exchanges()[0].signature, SignatureVerdict::Mismatch);
    let answer = shop::v2(&far_side, "/pay/unifiedorder", &UNIFIED);
    assert_eq!(answer["result_code"], "SUCCESS");
    assert!(far_side.exchanges()[1].faults.is_empty());
}

#[tokio::test]
async fn the_acquirers_refuse_with_each_of_their_codes() {
    let sandbox = super::sandbox().await;
    for code in RefusalCode::of(Platform::Fshows) {
        sandbox.set_faults(FaultKind::Refuse(code));
        let answer = fshows::call(&sandbox, fshows::PLACE, &fshows::order("FS_1")).await;
        assert_eq!(
            (&answer["success"], &answer["error_code"]),
            (&json!(false), &json!(code.as_str()))
        );
    }
    for code in RefusalCode::of(Platform::Mpgateway) {
        sandbox.set_faults(FaultKind::Refuse(code));
        let order = mpgateway::order("WxSao", "MPORDER1", URL);
        // Its signature holds, or this would not open.
        let answer = mpgateway::call(&sandbox, mpgateway::SUBMIT, &order).await;
        assert_eq!(
            (&answer["respcode"], &answer["orderid"]),
            (&json!(code.as_str()), &json!("MPORDER1"))
        );
    }
    for code in RefusalCode::of(Platform::Starpos) {
        sandbox.set_faults(FaultKind::Refuse(code));
        let query = starpos::signed(starpos::query("Q1", "T1", &[]));
        let answer = starpos::proven(&starpos::call(&sandbox, "sdkQryBarcodePay", &query).await);
        assert_eq!(answer["returnCode"], code.as_str());
    }
    for platform in [Platform::Fshows, Platform::Mpgateway, Platform::Starpos] {
        assert!(sandbox.orders(platform).is_empty(), "{platform}");
    }
}
