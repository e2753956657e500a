//! Answers and notices that are validly signed and tell other facts than the book has.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use serde_json::{Value, json};
use yuanfen_core::PayAmount;
use yuanfen_sandbox::{FarSide, FaultKind, FaultPlan, FaultRule, OrderState, Platform, RefundState, Sandbox};
use yuanfen_sign::legacy::aes_256_ecb_open;
use yuanfen_testkit::oracle;

use super::{QUERY, UNIFIED, URL, V3};
use crate::shop::{self, Listener, far_side, json_of, place, v3, v3_holds, xml_fields};
use crate::wire::field;
use crate::{fshows, mpgateway, notices, starpos};

/// One fen, and another order.
fn lies() -> FaultPlan {
    FaultPlan::from(FaultKind::ChangeAmount(PayAmount::from_fen(1).unwrap()))
        .with(FaultRule::new(FaultKind::ChangeOrder))
}

fn paid_v3(notify_url: &str) -> FarSide {
    let far_side = far_side();
    place(&far_side, "order-1", 990, notify_url);
    far_side.pay(V3, "order-1").unwrap();
    far_side
}

#[test]
fn a_v3_query_tells_another_order_and_amount_under_a_signature_that_holds() {
    let far_side = paid_v3(URL);
    far_side.set_faults(lies());
    let response = v3(&far_side, "GET", QUERY, "");
    let certificate = far_side.wechat_v3().platform_certificate_pem;
    assert!(v3_holds(response.headers(), response.body(), &certificate));
    let answer = json_of(&response);
    assert_eq!(answer["out_trade_no"], "order-0");
    assert_eq!(
        (&answer["amount"]["total"], &answer["amount"]["payer_total"]),
        (&json!(1), &json!(1))
    );
    // The book has the right ones.
    let order = far_side.order(V3, "order-1").unwrap();
    assert_eq!((order.amount.get(), order.state()), (990, OrderState::Paid));
    assert!(far_side.order(V3, "order-0").is_none());

    far_side.set_faults(FaultPlan::none());
    shop::refund(&far_side, "order-1", "R1", 100, 990);
    far_side.set_faults(lies());
    let found = json_of(&v3(&far_side, "GET", "/v3/refund/domestic/refunds/R1", ""));
    assert_eq!(found["out_trade_no"], "order-0");
    assert_eq!(found["out_refund_no"], "R1");
    assert_eq!(found["amount"]["refund"], 1);
}

#[tokio::test]
async fn a_v3_notice_tells_another_order_and_amount_under_a_signature_that_holds() {
    let sandbox = super::sandbox().await;
    let listener = Listener::start(&[(204, "")]).await;
    place(&sandbox, "order-1", 990, &listener.url);
    sandbox.set_faults(lies());
    sandbox.pay(V3, "order-1").unwrap();
    sandbox.delivered().await;
    let (_, told) = notices::opened(&sandbox, &listener.received()[0]);
    assert_eq!(told["out_trade_no"], "order-0");
    assert_eq!(told["amount"]["total"], 1);
    // The log says which order it really is.
    let attempt = sandbox.notices().remove(0);
    assert_eq!(attempt.order_no, "order-1");
    assert_eq!(attempt.faults.len(), 2);
}

#[test]
fn v2_tells_another_order_and_amount_in_queries_refunds_and_both_notices() {
    let far_side = far_side();
    let key = far_side.wechat_v2().api_key.expose().clone();
    shop::v2(&far_side, "/pay/unifiedorder", &UNIFIED);
    far_side.pay(Platform::WechatV2, "v2-order-1").unwrap();
    far_side.set_faults(lies());
    let notice = far_side.due_notices().remove(0);
    let query = shop::v2(&far_side, "/pay/orderquery", &[("out_trade_no", "v2-order-1")]);
    for told in [xml_fields(notice.request.body()), query] {
        assert_eq!((&*told["out_trade_no"], &*told["total_fee"]), ("v2-order-0", "1"));
        assert_eq!((&*told["cash_fee"], &*told["result_code"]), ("1", "SUCCESS"));
        assert_eq!(told["sign"], oracle::v2_md5(&told, &key));
    }

    let back = [
        ("out_trade_no", "v2-order-1"),
        ("out_refund_no", "R1"),
        ("total_fee", "990"),
        ("refund_fee", "990"),
        ("notify_url", URL),
    ];
    for told in [
        shop::v2(&far_side, "/secapi/pay/refund", &back),
        shop::v2(&far_side, "/pay/refundquery", &[("out_refund_no", "R1")]),
    ] {
        assert_eq!((&*told["out_trade_no"], &*told["total_fee"]), ("v2-order-0", "1"));
        let amount = told.get("refund_fee").or(told.get("refund_fee_0"));
        assert_eq!(amount.unwrap(), "1");
        assert_eq!(told["sign"], oracle::v2_md5(&told, &key));
    }
    far_side
        .settle_refund(Platform::WechatV2, "R1", RefundState::Succeeded)
        .unwrap();
    let notice = far_side.due_notices().pop().unwrap();
    let sealed = STANDARD.decode(&xml_fields(notice.request.body())["req_info"]).unwrap();
    let sealing_key: [u8; 32] = oracle::v2_refund_key(&key).into_bytes().try_into().unwrap();
    let plain = String::from_utf8(aes_256_ecb_open(&sealing_key, &sealed).unwrap()).unwrap();
    assert!(plain.contains("<out_trade_no>v2-order-0</out_trade_no>"), "{plain}");
    assert!(plain.contains("<refund_fee>1</refund_fee>"), "{plain}");
    // The money that moved is what was asked for.
    let order = far_side.order(Platform::WechatV2, "v2-order-1").unwrap();
    assert_eq!(order.state(), OrderState::Refunded);
}

async fn told(
    sandbox: &Sandbox,
    platform: Platform,
    order_no: &str,
    listener: &Listener,
) -> http::Request<bytes::Bytes> {
    sandbox.pay(platform, order_no).unwrap();
    sandbox.delivered().await;
    listener.received().pop().unwrap()
}

#[tokio::test]
async fn the_acquirers_tell_another_order_and_amount_too() {
    let sandbox = super::sandbox().await;
    let listener = Listener::start(&[(200, "success")]).await;
    let order = fshows::order_told_at("FS_1", &listener.url);
    fshows::call(&sandbox, fshows::PLACE, &order).await;
    sandbox.set_faults(lies());
    let notice = told(&sandbox, Platform::Fshows, "FS_1", &listener).await;
    let (fields, holds) = fshows::callback(&sandbox, notice.body());
    assert!(holds);
    assert_eq!(
        (field(&fields, "out_trade_no"), field(&fields, "total_fee")),
        ("FS_0", "0.01")
    );
    let found = fshows::call(&sandbox, fshows::QUERY, &json!({ "out_trade_no": "FS_1" })).await;
    assert_eq!(found["return_value"]["out_trade_no"], "FS_0");

    sandbox.set_faults(FaultPlan::none());
    let listener = Listener::start(&[(200, "0000")]).await;
    let order = mpgateway::order("WxJsApi", "MPORDER1", &listener.url);
    mpgateway::call(&sandbox, mpgateway::SUBMIT, &order).await;
    sandbox.set_faults(lies());
    let notice = told(&sandbox, Platform::Mpgateway, "MPORDER1", &listener).await;
    let payload = mpgateway::notice(notice.body());
    assert_eq!(
        (&payload["orderid"], &payload["txnamt"]),
        (&json!("MPORDER0"), &json!(1))
    );
    let ask = json!({ "merid": "00000001", "orderid": "MPORDER1" });
    let found = mpgateway::call(&sandbox, mpgateway::QUERY, &ask).await;
    assert_eq!(
        (&found["orderid"], &found["resultcode"]),
        (&json!("MPORDER0"), &json!("0000"))
    );

    sandbox.set_faults(FaultPlan::none());
    let listener = Listener::start(&[(200, r#"{"RspCode":"000000","RspDes":"ok"}"#)]).await;
    sandbox.set_starpos_push_url(listener.url.clone());
    starpos::call(&sandbox, "pubSigPay", &starpos::signed(starpos::pay(&[]))).await;
    sandbox.set_faults(lies());
    let notice = told(&sandbox, Platform::Starpos, "T20251009-0001", &listener).await;
    let push: Value = serde_json::from_slice(&notice.body()[..]).unwrap();
    assert_eq!(push["TxnAmt"], "0.01");
    let query = starpos::signed(starpos::query("Q1", "T20251009-0001", &[]));
    let found = starpos::proven(&starpos::call(&sandbox, "sdkQryBarcodePay", &query).await);
    assert_eq!((&*found["amount"], &*found["result"]), ("1", "S"));
}
