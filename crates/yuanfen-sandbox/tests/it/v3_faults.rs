//! Every trouble of the wire on every newer operation of APIv3: what the caller sees, and whether anything happened.

use bytes::Bytes;
use http::Request;
use serde_json::json;
use yuanfen_sandbox::{Account, FarSide, FaultKind, FaultRule, OrderState, Payer, Platform, RefundState};

use crate::shop::{far_side, json_of, refusal, v3_holds, v3_provider_request, v3_request};
use crate::v3_files::{Upload, abnormal};
use crate::v3_orders::{OWN_APP, own_ids, place_for};
use crate::{v3_combined, v3_orders, v3_till};

const V3: Platform = Platform::WechatV3;

/// One operation: a far side that is ready for it and the call, and what shows that it happened, if anything does.
struct Case {
    operation: &'static str,
    ready: fn() -> (FarSide, Request<Bytes>),
    happened: Option<fn(&FarSide) -> bool>,
}

fn placing(scene: &'static str) -> (FarSide, Request<Bytes>) {
    let far_side = far_side();
    let body = v3_orders::order(own_ids(), scene).to_string();
    let request = v3_request(&far_side, "POST", &format!("/v3/pay/transactions/{scene}"), &body);
    (far_side, request)
}

fn combining(scene: &'static str) -> (FarSide, Request<Bytes>) {
    let far_side = far_side();
    let body = v3_combined::order(scene, &json!({})).to_string();
    let request = v3_request(&far_side, "POST", &format!("/v3/combine-transactions/{scene}"), &body);
    (far_side, request)
}

/// A far side with a combined order, and a call about it.
fn combined(method: &str, end: &str, body: &str) -> (FarSide, Request<Bytes>) {
    let (far_side, place) = combining("native");
    assert!(far_side.answer(&place).unwrap().status().is_success());
    let target = format!("/v3/combine-transactions/out-trade-no/WHOLE_1{end}");
    let request = v3_request(&far_side, method, &target, body);
    (far_side, request)
}

fn charging() -> (FarSide, Request<Bytes>) {
    let far_side = far_side();
    let code = far_side.payment_code(V3, Payer::default());
    let body = v3_till::body(own_ids(), &code, "TILL_1", 100).to_string();
    let request = v3_request(&far_side, "POST", "/v3/pay/transactions/codepay", &body);
    (far_side, request)
}

fn reversing() -> (FarSide, Request<Bytes>) {
    let (far_side, charge) = charging();
    assert!(far_side.answer(&charge).unwrap().status().is_success());
    let target = "/v3/pay/transactions/out-trade-no/TILL_1/reverse";
    let request = v3_request(&far_side, "POST", target, &own_ids().to_string());
    (far_side, request)
}

fn sending_on() -> (FarSide, Request<Bytes>) {
    let far_side = far_side();
    let id = abnormal(&far_side);
    let target = format!("/v3/refund/domestic/refunds/{id}/apply-abnormal-refund");
    let body = json!({ "out_refund_no": "R1", "type": "MERCHANT_BANK_CARD" }).to_string();
    let request = v3_request(&far_side, "POST", &target, &body);
    (far_side, request)
}

fn sealed(path: &str) -> (FarSide, Request<Bytes>) {
    let far_side = far_side();
    assert!(place_for(&far_side, "native", &json!({})).status().is_success());
    far_side.pay(Account::provider(V3), "ORDER_1").unwrap();
    far_side
        .clock()
        .advance(std::time::Duration::from_secs(86_400))
        .unwrap();
    let target = format!("{path}bill_date=2025-10-09&algorithm=AEAD_AES_256_GCM");
    let request = v3_provider_request(&far_side, "GET", &target, "");
    (far_side, request)
}

fn uploading(path: &'static str, filename: &str) -> (FarSide, Request<Bytes>) {
    let far_side = far_side();
    let request = Upload::of(path, filename, b"content").request(&far_side);
    (far_side, request)
}

fn is_placed(far_side: &FarSide) -> bool {
    far_side.order(V3, "ORDER_1").is_some()
}

fn is_combined(far_side: &FarSide) -> bool {
    far_side.order(V3, "PART_1").is_some()
}

fn is_charged(far_side: &FarSide) -> bool {
    far_side.order(V3, "TILL_1").is_some()
}

fn is_reversed(far_side: &FarSide) -> bool {
    far_side.order(V3, "TILL_1").unwrap().state() == OrderState::Revoked
}

fn is_closed(far_side: &FarSide) -> bool {
    far_side.order(V3, "PART_1").unwrap().state() == OrderState::Closed
}

fn is_sent_on(far_side: &FarSide) -> bool {
    far_side.order(V3, "order-1").unwrap().refunds[0].state == RefundState::Processing
}

fn closing() -> (FarSide, Request<Bytes>) {
    let part = |number: &str| json!({ "mchid": "1900000001", "out_trade_no": number });
    let body = json!({ "combine_appid": OWN_APP, "sub_orders": [part("PART_0"), part("PART_1")] });
    combined("POST", "/close", &body.to_string())
}

const fn case(
    operation: &'static str,
    happened: Option<fn(&FarSide) -> bool>,
    ready: fn() -> (FarSide, Request<Bytes>),
) -> Case {
    Case {
        operation,
        ready,
        happened,
    }
}

const CASES: &[Case] = &[
    case("place-native-order", Some(is_placed), || placing("native")),
    case("place-app-order", Some(is_placed), || placing("app")),
    case("place-h5-order", Some(is_placed), || placing("h5")),
    case("pay-by-code", Some(is_charged), charging),
    case("reverse-order", Some(is_reversed), reversing),
    case("place-combined-jsapi-order", Some(is_combined), || combining("jsapi")),
    case("place-combined-app-order", Some(is_combined), || combining("app")),
    case("place-combined-native-order", Some(is_combined), || combining("native")),
    case("place-combined-h5-order", Some(is_combined), || combining("h5")),
    case("query-combined-order", None, || combined("GET", "", "")),
    case("close-combined-order", Some(is_closed), closing),
    case("apply-abnormal-refund", Some(is_sent_on), sending_on),
    case("sub-merchant-fund-flow-bill", None, || {
        sealed("/v3/bill/sub-merchant-fundflowbill?sub_mchid=1900000111&")
    }),
    case("ecommerce-fund-flow-bill", None, || {
        sealed("/v3/ecommerce/bill/fundflowbill?")
    }),
    case("upload-image", None, || uploading("/v3/merchant/media/upload", "a.png")),
    case("upload-video", None, || {
        uploading("/v3/merchant/media/video_upload", "a.mp4")
    }),
    case("upload-marketing-image", None, || {
        uploading("/v3/marketing/favor/media/image-upload", "a.png")
    }),
    case("upload-complaint-image", None, || {
        uploading("/v3/merchant-service/images/upload", "a.png")
    }),
];

#[test]
fn every_trouble_of_a_reply_is_what_it_says_on_every_operation() {
    for Case {
        operation,
        ready,
        happened,
    } in CASES
    {
        let sound = {
            let (far_side, request) = ready();
            far_side.answer(&request).unwrap().status()
        };
        for kind in [
            FaultKind::CorruptSignature,
            FaultKind::ProbeSignature,
            FaultKind::SkewSeconds(200),
            FaultKind::AddFields,
            FaultKind::UnknownValues,
            FaultKind::DelayMs(1),
            FaultKind::LoseRequest,
            FaultKind::LoseReply,
            FaultKind::CutReply,
            FaultKind::Status(503),
            FaultKind::EmptyReply,
            FaultKind::Accepted,
            FaultKind::UnsignedError,
            FaultKind::SystemError,
        ] {
            let (far_side, request) = ready();
            far_side.set_faults(FaultRule::new(kind).on(V3).during(*operation));
            let answer = far_side.answer(&request).ok();
            assert_eq!(far_side.exchanges().last().unwrap().operation, *operation);
            let status = match kind {
                FaultKind::LoseRequest | FaultKind::LoseReply | FaultKind::CutReply => None,
                FaultKind::Status(status) => Some(status),
                FaultKind::EmptyReply => Some(200),
                FaultKind::Accepted => Some(202),
                FaultKind::UnsignedError | FaultKind::SystemError => Some(500),
                _ => Some(sound.as_u16()),
            };
            let told = answer.as_ref().map(|answer| answer.status().as_u16());
            assert_eq!(told, status, "{operation} {kind}");
            if let Some(happened) = happened {
                let expected = !matches!(kind, FaultKind::LoseRequest | FaultKind::UnsignedError);
                assert_eq!(happened(&far_side), expected, "{operation} {kind}");
            }
            let Some(answer) = answer else { continue };
            let (headers, body) = (answer.headers(), answer.body());
            let holds = || v3_holds(headers, body, &far_side.wechat_v3().platform_certificate_pem);
            match kind {
                FaultKind::Status(_) | FaultKind::EmptyReply | FaultKind::Accepted => {
                    assert!(!headers.contains_key("wechatpay-signature"), "{operation} {kind}");
                }
                FaultKind::UnsignedError | FaultKind::SystemError => {
                    assert!(!headers.contains_key("wechatpay-signature"), "{operation} {kind}");
                    assert_eq!(refusal(&answer), (500, "SYSTEM_ERROR".to_owned()), "{operation} {kind}");
                }
                FaultKind::CorruptSignature => assert!(!holds(), "{operation}"),
                FaultKind::ProbeSignature => {
                    let signature = headers["wechatpay-signature"].to_str().unwrap();
                    assert!(signature.starts_with("WECHATPAY/SIGNTEST/"), "{operation}");
                }
                FaultKind::SkewSeconds(_) => {
                    let skewed = far_side.clock().now().seconds() + 200;
                    assert_eq!(
                        headers["wechatpay-timestamp"],
                        skewed.to_string().as_str(),
                        "{operation}"
                    );
                    assert!(holds(), "{operation}");
                }
                FaultKind::AddFields if !body.is_empty() => {
                    assert!(json_of(&answer)["sandbox_new_field"].is_object(), "{operation}");
                    assert!(holds(), "{operation}");
                }
                _ => assert!(holds(), "{operation} {kind}"),
            }
        }
    }
}

#[test]
fn new_values_reach_the_parts_of_a_combined_order_and_a_charge() {
    let (far_side, request) = combined("GET", "", "");
    far_side.pay(V3, "WHOLE_1").unwrap();
    far_side.set_faults(FaultKind::UnknownValues);
    let found = json_of(&far_side.answer(&request).unwrap());
    for part in found["sub_orders"].as_array().unwrap() {
        assert_eq!(part["bank_type"], "SANDBOX_NEW_VALUE");
    }
    let (far_side, request) = charging();
    far_side.set_faults(FaultKind::UnknownValues);
    let paid = json_of(&far_side.answer(&request).unwrap());
    assert_eq!(
        (&paid["trade_type"], &paid["trade_state"]),
        (&json!("SANDBOX_NEW_VALUE"), &json!("SUCCESS"))
    );
}

#[test]
fn notices_of_combined_orders_and_to_providers_have_the_same_troubles() {
    for kind in [
        FaultKind::CorruptSignature,
        FaultKind::ProbeSignature,
        FaultKind::SkewSeconds(-200),
        FaultKind::AddFields,
    ] {
        let (far_side, place) = combining("app");
        far_side.answer(&place).unwrap();
        place_for(&far_side, "native", &json!({}));
        far_side.set_faults(FaultRule::new(kind).on(V3).during("pay-notice"));
        far_side.pay(V3, "WHOLE_1").unwrap();
        far_side.pay(Account::provider(V3), "ORDER_1").unwrap();
        let certificate = far_side.wechat_v3().platform_certificate_pem;
        let notices = far_side.due_notices();
        assert_eq!(notices.len(), 2);
        for notice in &notices {
            let (headers, body) = (notice.request.headers(), notice.request.body());
            let signature = headers["wechatpay-signature"].to_str().unwrap();
            match kind {
                FaultKind::CorruptSignature => assert!(!v3_holds(headers, body, &certificate)),
                FaultKind::ProbeSignature => assert!(signature.starts_with("WECHATPAY/SIGNTEST/")),
                FaultKind::AddFields => {
                    let envelope: serde_json::Value = serde_json::from_slice(body).unwrap();
                    assert!(envelope["sandbox_new_field"].is_object());
                    assert!(v3_holds(headers, body, &certificate));
                }
                _ => {
                    assert_eq!(headers["wechatpay-timestamp"], "1759999800");
                    assert!(v3_holds(headers, body, &certificate));
                }
            }
        }
    }
    // The calls themselves are none of that rule's.
    let (far_side, request) = combining("jsapi");
    far_side.set_faults(FaultRule::new(FaultKind::LoseReply).on(V3).during("pay-notice"));
    assert!(far_side.answer(&request).unwrap().status().is_success());
}
