//! The same over sockets: what hyper makes of a far side that misbehaves.

use yuanfen::core::{Advice, ErrorKind, Fate, RefundNo, Sent, SettleVerdict};
use yuanfen::transport::{Client, HyperTransport, TokioSleep, TransportErrorKind};
use yuanfen::{wechat_v2, wechat_v3};
use yuanfen_sandbox::{FaultKind, FaultRule, Platform, Sandbox};

use crate::shop::{Shop, amount, order_no, v2_order, v3_order};

#[tokio::test]
async fn a_connection_cut_after_the_order_took_effect_is_settled_over_the_wire() {
    for kind in [FaultKind::LoseReply, FaultKind::CutReply, FaultKind::Status(502)] {
        let sandbox = Sandbox::builder().seed(7).start().await.unwrap();
        sandbox.set_faults(FaultRule::new(kind).during("place-jsapi-order").nth(1));
        let shop = Shop {
            far_side: sandbox.far_side().clone(),
        };
        let client = Client::new(shop.wechat_v3(), HyperTransport::new().unwrap());
        let order = v3_order(&shop);
        let query = wechat_v3::ops::QueryOrder::by_order_no(order_no());
        let settled = client
            .settle(
                &order,
                &query,
                &wechat_v3::settle::ORDER,
                wechat_v3::ops::QueriedOrder::standing,
            )
            .call(&TokioSleep)
            .await
            .unwrap();
        assert_eq!(settled.verdict, SettleVerdict::Replied, "{kind}");
        assert_eq!(sandbox.orders(Platform::WechatV3).len(), 1, "{kind}");
        assert_eq!(shop.calls(Platform::WechatV3, "place-jsapi-order"), 2, "{kind}");
    }
}

#[tokio::test]
async fn a_far_side_that_is_not_there_was_not_sent_to() {
    let sandbox = Sandbox::start().await.unwrap();
    let shop = Shop {
        far_side: sandbox.far_side().clone(),
    };
    drop(sandbox);
    tokio::task::yield_now().await;
    let client = Client::new(shop.wechat_v2(), HyperTransport::new().unwrap());
    let error = client.call(&v2_order(&shop)).await.unwrap_err();
    let ErrorKind::Transport(wire) = error.kind() else {
        panic!("{error:?}")
    };
    assert_eq!((wire.kind, wire.sent), (TransportErrorKind::Connect, Sent::No));
    assert_eq!((error.fate(), error.advice()), (Fate::NotSent, Advice::Repeat));

    // Version 3 does not even send an order whose answer nothing could check: it misses the platform's keys first.
    let client = Client::new(shop.wechat_v3(), HyperTransport::new().unwrap());
    let error = client.call(&v3_order(&shop)).await.unwrap_err();
    assert!(matches!(error.kind(), ErrorKind::Keys(_)), "{error:?}");
    assert_eq!((error.fate(), error.advice()), (Fate::NotSent, Advice::RepeatLater));
}

#[tokio::test]
async fn a_refund_that_wants_a_certificate_stays_here_without_one() {
    let sandbox = Sandbox::start().await.unwrap();
    let shop = Shop {
        far_side: sandbox.far_side().clone(),
    };
    let client = Client::new(shop.wechat_v2(), HyperTransport::new().unwrap());
    let refund = wechat_v2::ops::Refund::new(
        wechat_v2::ops::OrderKey::Merchant(order_no()),
        RefundNo::new("REFUND20251009000001").unwrap(),
        amount(),
        amount(),
    );
    let error = client.call(&refund).await.err().unwrap();
    let ErrorKind::Transport(wire) = error.kind() else {
        panic!("{error:?}")
    };
    assert_eq!((wire.kind, wire.sent), (TransportErrorKind::Refused, Sent::No));
    // The same again would be refused again; after an attempt that may have got out, there is something to ask.
    assert_eq!((error.fate(), error.advice()), (Fate::NotSent, Advice::Stop));
    let second = error.after(Fate::Unknown);
    assert_eq!((second.fate(), second.advice()), (Fate::Unknown, Advice::QueryFirst));
    assert_eq!(sandbox.calls(Platform::WechatV2), 0);
}
