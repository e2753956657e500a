//! WeChat Pay APIv3 byte by byte over a socket, for a merchant and for a service provider: orders in every scene, payment
//! codes, combined orders, abnormal refunds, sealed bills and uploads, signed by openssl (`tests/calls/make.py`).

use serde_json::{Value, json};
use yuanfen_sandbox::{Account, Payer, Platform, RefundState, Sandbox, SignatureVerdict};

use crate::raw_http::{Answer, sandbox, send};
use crate::shop::v3_holds;

const V3: Platform = Platform::WechatV3;
/// In the calls that charge a code; the first one that a sandbox with this seed shows.
const CODE: &str = "159051853007042695";

/// The two shapes: how the calls of each begin, and whose orders those are.
fn shapes() -> [(&'static str, Account); 2] {
    [("v3", V3.into()), ("v3-provider", Account::provider(V3))]
}

/// Sends a call that must succeed as that operation, under a signature that holds on either side.
async fn call(sandbox: &Sandbox, name: &str, operation: &str) -> Answer {
    let answer = send(sandbox, name).await;
    assert!(
        (200..=204).contains(&answer.status),
        "{name}: {} {}",
        answer.status,
        String::from_utf8_lossy(&answer.body)
    );
    let exchange = sandbox.exchanges().pop().unwrap();
    assert_eq!(
        (exchange.operation, exchange.signature),
        (operation, SignatureVerdict::Holds),
        "{name}"
    );
    let asked_public = answer.headers["wechatpay-serial"]
        .to_str()
        .unwrap()
        .starts_with("PUB_KEY_ID_");
    let platform = sandbox.wechat_v3();
    let pem = if asked_public {
        platform.platform_public_key_pem
    } else {
        platform.platform_certificate_pem
    };
    assert!(v3_holds(&answer.headers, &answer.body, &pem), "{name}");
    answer
}

/// The members of an object, in the order in which they are written.
fn names(object: &Value) -> Vec<&str> {
    object.as_object().unwrap().keys().map(String::as_str).collect()
}

/// A sandbox whose payer shows the code of the calls.
async fn till() -> Sandbox {
    let sandbox = sandbox().await;
    assert_eq!(sandbox.payment_code(V3, Payer::default()), CODE);
    sandbox
}

#[tokio::test]
async fn places_orders_in_every_scene_in_either_form() {
    for (shape, account) in shapes() {
        for (scene, member, start) in [
            ("native", "code_url", "weixin://wxpay/bizpayurl?pr=wx2025"),
            ("app", "prepay_id", "wx20251009165320"),
            (
                "h5",
                "h5_url",
                "https://wx.tenpay.com/cgi-bin/mmpayweb-bin/checkmweb?prepay_id=wx2025",
            ),
        ] {
            let sandbox = sandbox().await;
            let name = format!("{shape}-place-{scene}");
            let answer = call(&sandbox, &name, &format!("place-{scene}-order")).await.json();
            assert_eq!(names(&answer), [member], "{name}");
            assert!(answer[member].as_str().unwrap().starts_with(start), "{answer}");
            let order = sandbox.order(account, "ORDER_1").unwrap();
            assert_eq!(order.amount.get(), 100);
        }
    }
}

#[tokio::test]
async fn a_provider_places_queries_and_closes_for_its_merchant() {
    let sandbox = sandbox().await;
    call(&sandbox, "v3-provider-place", "place-jsapi-order").await;
    let ids = json!({
        "sp_appid": "wx7c1d2e3f4a5b6c7d",
        "sp_mchid": "1900000101",
        "sub_appid": "wx8d2e3f4a5b6c7d8e",
        "sub_mchid": "1900000111",
    });
    let mut expected = ids.clone();
    let more = json!({
        "out_trade_no": "ORDER_1",
        "trade_state": "NOTPAY",
        "trade_state_desc": "订单未支付",
        "amount": { "total": 100, "currency": "CNY" },
    });
    expected
        .as_object_mut()
        .unwrap()
        .extend(more.as_object().unwrap().clone());
    let found = call(&sandbox, "v3-provider-query", "query-order").await;
    assert_eq!(found.json(), expected);

    sandbox.pay(Account::provider(V3), "ORDER_1").unwrap();
    let paid = call(&sandbox, "v3-provider-query", "query-order").await.json();
    for (name, value) in ids.as_object().unwrap() {
        assert_eq!(&paid[name], value, "{name}");
    }
    assert_eq!(paid["trade_state"], "SUCCESS");
    assert_eq!(
        paid["payer"],
        json!({ "sp_openid": "oSandbox_Payer-0123456789abc", "sub_openid": "oSubSandbox_Payer-0123456789abc" })
    );
    assert_eq!(
        send(&sandbox, "v3-provider-close").await.refusal(),
        (400, "ORDER_PAID".to_owned())
    );

    let sandbox = self::sandbox().await;
    call(&sandbox, "v3-provider-place", "place-jsapi-order").await;
    let closed = call(&sandbox, "v3-provider-close", "close-order").await;
    assert_eq!((closed.status, closed.body.len()), (204, 0));
}

#[tokio::test]
async fn charges_a_code_and_takes_it_back_in_either_form() {
    for (shape, account) in shapes() {
        let sandbox = till().await;
        let paid = call(&sandbox, &format!("{shape}-code-payment"), "pay-by-code").await;
        assert_eq!(paid.status, 200);
        let paid = paid.json();
        assert_eq!(
            (&paid["out_trade_no"], &paid["trade_state"], &paid["trade_type"]),
            (&json!("TILL_1"), &json!("SUCCESS"), &json!("MICROPAY"))
        );
        assert_eq!(
            paid["amount"],
            json!({ "total": 99, "payer_total": 99, "currency": "CNY", "payer_currency": "CNY" })
        );
        // Nothing is told of it but this.
        assert!(sandbox.notices().is_empty());

        // With a body, unlike a close.
        let back = call(&sandbox, &format!("{shape}-reverse"), "reverse-order").await;
        assert_eq!(back.status, 200);
        let ids = if account.is_provider {
            json!({
                "sp_appid": "wx7c1d2e3f4a5b6c7d", "sp_mchid": "1900000101",
                "sub_appid": "wx8d2e3f4a5b6c7d8e", "sub_mchid": "1900000111", "out_trade_no": "TILL_1",
            })
        } else {
            json!({ "appid": "wx5a6d0b0c5a1e4d21", "mchid": "1900000001", "out_trade_no": "TILL_1" })
        };
        assert_eq!(back.json(), ids);
        assert!(sandbox.notices().is_empty());
    }
}

#[tokio::test]
async fn sends_an_abnormal_refund_on_under_the_encrypted_card() {
    for (shape, account) in shapes() {
        let sandbox = till().await;
        call(&sandbox, &format!("{shape}-code-payment"), "pay-by-code").await;
        let refund = call(&sandbox, &format!("{shape}-refund"), "refund").await.json();
        assert_eq!(refund["status"], "PROCESSING");
        let name = format!("{shape}-abnormal-refund");
        // Only what did not arrive is sent on.
        assert_eq!(
            send(&sandbox, &name).await.refusal(),
            (400, "INVALID_REQUEST".to_owned()),
            "{}",
            refund["refund_id"]
        );
        sandbox.settle_refund(account, "R@1", RefundState::Abnormal).unwrap();
        let sent_on = call(&sandbox, &name, "apply-abnormal-refund").await.json();
        assert_eq!(
            (&sent_on["refund_id"], &sent_on["status"]),
            (&refund["refund_id"], &json!("PROCESSING"))
        );
    }
}

#[tokio::test]
async fn places_combined_orders_in_every_scene_and_queries_and_closes_them() {
    for (shape, account) in shapes() {
        for (scene, member) in [
            ("jsapi", "prepay_id"),
            ("app", "prepay_id"),
            ("native", "code_url"),
            ("h5", "h5_url"),
        ] {
            let sandbox = sandbox().await;
            let name = format!("{shape}-combined-{scene}");
            let answer = call(&sandbox, &name, &format!("place-combined-{scene}-order")).await;
            assert_eq!(names(&answer.json()), [member], "{name}");
            let order = sandbox.order(account, "WHOLE@1").unwrap();
            assert_eq!(order.amount.get(), 100);
            let found = call(&sandbox, &format!("{shape}-combined-query"), "query-combined-order").await;
            let found = found.json();
            assert_eq!(found["combine_out_trade_no"], "WHOLE@1");
            for (index, amount) in [60, 40].into_iter().enumerate() {
                let part = &found["sub_orders"][index];
                assert_eq!(part["out_trade_no"], format!("PART_{}", index + 1));
                assert_eq!(part["amount"], json!({ "total_amount": amount, "currency": "CNY" }));
                assert_eq!(part["trade_state"], "NOTPAY");
                assert_eq!(part.get("sub_mchid").is_some(), account.is_provider);
            }
            let closed = call(&sandbox, &format!("{shape}-combined-close"), "close-combined-order").await;
            assert_eq!((closed.status, closed.body.len()), (204, 0));
            let states = sandbox.orders(account).into_iter().map(|order| order.state());
            assert!(
                states
                    .into_iter()
                    .all(|state| state == yuanfen_sandbox::OrderState::Closed)
            );
        }
    }
}

#[tokio::test]
async fn lists_a_sealed_bill_of_one_merchant_and_of_all() {
    for (name, operation, ending) in [
        ("v3-provider-sealed-bill", "sub-merchant-fund-flow-bill", ""),
        (
            "v3-provider-sealed-bill-of-all",
            "ecommerce-fund-flow-bill",
            "&tartype=gzip",
        ),
    ] {
        let sandbox = till().await;
        call(&sandbox, "v3-provider-code-payment", "pay-by-code").await;
        sandbox.advance(std::time::Duration::from_secs(86_400)).await.unwrap();
        let list = call(&sandbox, name, operation).await.json();
        assert_eq!(names(&list), ["download_bill_count", "download_bill_list"], "{name}");
        let parts = list["download_bill_list"].as_array().unwrap();
        assert_eq!(list["download_bill_count"], parts.len());
        for (index, part) in parts.iter().enumerate() {
            assert_eq!(
                names(part),
                [
                    "bill_sequence",
                    "download_url",
                    "encrypt_key",
                    "hash_type",
                    "hash_value",
                    "nonce"
                ]
            );
            assert_eq!(part["bill_sequence"], index + 1);
            let address = part["download_url"].as_str().unwrap();
            assert!(
                address.contains("/v3/billdownload/file?token=") && address.ends_with(ending),
                "{address}"
            );
        }
    }
}

#[tokio::test]
async fn takes_uploads_whose_description_alone_is_signed() {
    for (name, operation, member) in [
        ("v3-upload-image", "upload-image", "media_id"),
        ("v3-upload-image-file-first", "upload-image", "media_id"),
        ("v3-upload-image-untyped-meta", "upload-image", "media_id"),
        ("v3-upload-video", "upload-video", "media_id"),
        ("v3-upload-marketing-image", "upload-marketing-image", "media_url"),
        ("v3-upload-complaint-image", "upload-complaint-image", "media_id"),
        ("v3-provider-upload-image", "upload-image", "media_id"),
    ] {
        let sandbox = sandbox().await;
        let answer = call(&sandbox, name, operation).await.json();
        assert_eq!(names(&answer), [member], "{name}");
    }
    // Where the description is not there, there is no text to check a signature over.
    let sandbox = sandbox().await;
    let refused = send(&sandbox, "v3-upload-image-without-meta").await;
    assert_eq!(refused.refusal(), (400, "PARAM_ERROR".to_owned()));
    assert!(!refused.is_signed());
    assert_eq!(sandbox.exchanges()[0].signature, SignatureVerdict::NotChecked);
}
