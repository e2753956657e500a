//! A good call with one byte changed is refused, or is the same call.

use bytes::Bytes;
use http::{HeaderValue, Request};
use yuanfen_sandbox::{FarSide, Payer, Platform, SignatureVerdict};

use crate::shop::{self, far_side, v2_request, v3_request, xml_fields};

fn verdict(far_side: &FarSide, request: &Request<Bytes>) -> SignatureVerdict {
    far_side.answer(request).unwrap();
    far_side.exchanges().last().unwrap().signature
}

#[test]
fn a_v3_call_with_another_byte_in_its_body_is_no_call() {
    let far_side = far_side();
    let body = shop::order("order-1", 100, "https://shop.example/n");
    let good = v3_request(&far_side, "POST", "/v3/pay/transactions/jsapi", &body);
    for index in 0..body.len() {
        for change in [1_u8, 0x20, 0x80] {
            let mut bytes = body.clone().into_bytes();
            bytes[index] ^= change;
            let mut twin = good.clone();
            *twin.body_mut() = Bytes::from(bytes);
            assert_eq!(verdict(&far_side, &twin), SignatureVerdict::Mismatch, "byte {index}");
        }
    }
    assert!(far_side.orders(Platform::WechatV3).is_empty());
    assert_eq!(verdict(&far_side, &good), SignatureVerdict::Holds);
}

#[test]
fn a_v3_call_with_another_byte_in_its_authorization_is_no_call() {
    let far_side = far_side();
    let good = v3_request(&far_side, "GET", "/v3/certificates", "");
    let header = good.headers()["authorization"].as_bytes().to_vec();
    let serial = header.windows(9).position(|window| window == b"serial_no").unwrap();
    let serial = serial + 11..serial + 51;
    for index in 0..header.len() {
        let mut bytes = header.clone();
        bytes[index] ^= 1;
        let mut twin = good.clone();
        let Ok(value) = HeaderValue::from_bytes(&bytes) else {
            continue;
        };
        twin.headers_mut().insert("authorization", value);
        assert_ne!(verdict(&far_side, &twin), SignatureVerdict::Holds, "byte {index}");
    }
    // The case of a serial's letters does not count; everything else's does.
    for index in 0..header.len() {
        let mut bytes = header.clone();
        if !bytes[index].is_ascii_alphabetic() {
            continue;
        }
        bytes[index] ^= 0x20;
        let mut twin = good.clone();
        twin.headers_mut()
            .insert("authorization", HeaderValue::from_bytes(&bytes).unwrap());
        let holds = verdict(&far_side, &twin) == SignatureVerdict::Holds;
        assert_eq!(holds, serial.contains(&index), "byte {index}");
    }
}

#[test]
fn a_v3_call_to_another_target_or_by_another_method_is_no_call() {
    let far_side = far_side();
    let good = v3_request(
        &far_side,
        "GET",
        "/v3/pay/transactions/out-trade-no/order-1?mchid=1900000001",
        "",
    );
    for target in [
        "/v3/pay/transactions/out-trade-no/order-2?mchid=1900000001",
        "/v3/pay/transactions/out-trade-no/order-1?mchid=1900000002",
        "/v3/pay/transactions/out-trade-no/order-1",
        "/v3/pay/transactions/out-trade-no/order%2D1?mchid=1900000001",
        "/v3/pay/transactions/out-trade-no/order-1?mchid=1900000001&",
    ] {
        let mut twin = good.clone();
        *twin.uri_mut() = target.parse().unwrap();
        assert_eq!(verdict(&far_side, &twin), SignatureVerdict::Mismatch, "{target}");
    }
}

#[test]
fn a_v2_message_with_another_byte_is_refused_or_the_same_order() {
    let fields = [
        ("body", "noodles"),
        ("out_trade_no", "v2-order-1"),
        ("total_fee", "100"),
        ("spbill_create_ip", "127.0.0.1"),
        ("notify_url", "https://shop.example/n"),
        ("trade_type", "JSAPI"),
        ("openid", "oSomebody"),
        ("attach", "table 7"),
    ];
    let far_side = far_side();
    let good = v2_request(&far_side, "/pay/unifiedorder", &fields);
    let placed = xml_fields(far_side.answer(&good).unwrap().body())["prepay_id"].clone();
    let mut same = 0;
    for index in 0..good.body().len() {
        for change in [1_u8, 0x20, 0x80] {
            let mut bytes = good.body().to_vec();
            bytes[index] ^= change;
            let mut twin = good.clone();
            *twin.body_mut() = Bytes::from(bytes);
            let answer = xml_fields(far_side.answer(&twin).unwrap().body());
            if answer["return_code"] == "SUCCESS" {
                assert_eq!(answer["prepay_id"], placed, "byte {index}");
                same += 1;
            }
        }
    }
    // Nothing in this message is said twice, so no change leaves it as it was.
    assert_eq!(same, 0);
    assert_eq!(far_side.orders(Platform::WechatV2).len(), 1);
}

#[test]
fn a_v2_call_that_moves_money_moves_none_with_another_byte() {
    let far_side = far_side();
    let code = far_side.payment_code(Platform::WechatV2, Payer::default());
    let charge = [
        ("body", "noodles"),
        ("out_trade_no", "T1"),
        ("total_fee", "100"),
        ("spbill_create_ip", "127.0.0.1"),
        ("auth_code", code.as_str()),
    ];
    let refund = [
        ("out_trade_no", "T1"),
        ("out_refund_no", "R1"),
        ("total_fee", "100"),
        ("refund_fee", "40"),
    ];
    let hmac = [("sign_type", "HMAC-SHA256")];
    // Each changes something only as it is, and leaves the next something to change.
    for (path, fields) in [
        ("/pay/micropay", [&charge[..], &hmac].concat()),
        ("/secapi/pay/refund", refund.to_vec()),
        (
            "/secapi/pay/refundv2",
            [&refund[2..], &[refund[0], ("out_refund_no", "R2")], &hmac].concat(),
        ),
        ("/secapi/pay/reverse", vec![("out_trade_no", "T1")]),
    ] {
        let before = format!("{:?}", far_side.orders(Platform::WechatV2));
        let good = v2_request(&far_side, path, &fields);
        for index in 0..good.body().len() {
            for change in [1_u8, 0x20, 0x80] {
                let mut bytes = good.body().to_vec();
                bytes[index] ^= change;
                let mut twin = good.clone();
                *twin.body_mut() = Bytes::from(bytes);
                let answer = xml_fields(far_side.answer(&twin).unwrap().body());
                assert_eq!(
                    (&*answer["return_code"], answer.len()),
                    ("FAIL", 2),
                    "{path} byte {index}"
                );
            }
        }
        assert_eq!(format!("{:?}", far_side.orders(Platform::WechatV2)), before, "{path}");
        let answer = xml_fields(far_side.answer(&good).unwrap().body());
        assert_eq!(answer["return_code"], "SUCCESS", "{path}");
    }
    let order = far_side.order(Platform::WechatV2, "T1").unwrap();
    assert_eq!((order.refunds.len(), order.refundable().get()), (2, 20));
}
