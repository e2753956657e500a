//! Notices that come late, out of order, twice under another number, or twice with other facts.

use std::time::Duration;

use serde_json::Value;
use yuanfen_core::PayAmount;
use yuanfen_sandbox::{FaultKind, FaultRule, Platform, Sandbox};

use super::{UNIFIED, V3};
use crate::notices::{V2_YES, opened};
use crate::shop::{self, Listener, place, xml_fields};

fn order_of(sandbox: &Sandbox, notice: &http::Request<bytes::Bytes>) -> String {
    opened(sandbox, notice).1["out_trade_no"].as_str().unwrap().to_owned()
}

fn id_of(sandbox: &Sandbox, notice: &http::Request<bytes::Bytes>) -> String {
    opened(sandbox, notice).0["id"].as_str().unwrap().to_owned()
}

#[tokio::test]
async fn a_held_notice_comes_late_on_the_sandboxs_clock() {
    let sandbox = super::sandbox().await;
    let listener = Listener::start(&[(204, "")]).await;
    place(&sandbox, "order-1", 100, &listener.url);
    sandbox.set_faults(FaultKind::HoldNoticeSeconds(3600));
    let paid_at = sandbox.pay(V3, "order-1").unwrap().payment.unwrap().at;
    sandbox.advance(Duration::from_secs(3599)).await.unwrap();
    assert!(listener.received().is_empty());
    sandbox.advance(Duration::from_secs(1)).await.unwrap();
    assert_eq!(listener.received().len(), 1);
    let attempt = sandbox.notices().remove(0);
    assert_eq!(attempt.at.since(paid_at), 3600);
    assert_eq!(attempt.faults, [FaultKind::HoldNoticeSeconds(3600)]);
    // It tells when the payment was, not when it is told.
    let (envelope, told) = opened(&sandbox, &listener.received()[0]);
    assert_eq!(envelope["create_time"], "2025-10-09T16:53:20+08:00");
    assert_eq!(told["success_time"], "2025-10-09T16:53:20+08:00");
}

#[tokio::test]
async fn an_overtaken_notice_comes_behind_the_next_of_its_platform() {
    let sandbox = super::sandbox().await;
    let listener = Listener::start(&[(204, "")]).await;
    let other = Listener::start(&[(200, V2_YES)]).await;
    for order_no in ["order-1", "order-2", "order-3"] {
        place(&sandbox, order_no, 100, &listener.url);
    }
    let unified = UNIFIED.map(|(name, value)| {
        (
            name,
            if name == "notify_url" {
                other.url.as_str()
            } else {
                value
            },
        )
    });
    shop::v2(&sandbox, "/pay/unifiedorder", &unified);
    sandbox.set_faults(FaultRule::new(FaultKind::OvertakeNotice).nth(1));
    sandbox.pay(V3, "order-1").unwrap();
    sandbox.delivered().await;
    // One of another platform does not count.
    sandbox.pay(Platform::WechatV2, "v2-order-1").unwrap();
    sandbox.delivered().await;
    assert_eq!((listener.received().len(), other.received().len()), (0, 1));
    sandbox.pay(V3, "order-2").unwrap();
    sandbox.delivered().await;
    sandbox.pay(V3, "order-3").unwrap();
    sandbox.delivered().await;
    let order: Vec<String> = listener
        .received()
        .iter()
        .map(|notice| order_of(&sandbox, notice))
        .collect();
    assert_eq!(order, ["order-2", "order-1", "order-3"]);
    // Nothing is left to be sent.
    sandbox.advance(Duration::from_secs(2 * 3600)).await.unwrap();
    assert_eq!(listener.received().len(), 3);
}

#[tokio::test]
async fn an_overtaken_notice_that_nobody_overtakes_comes_after_an_hour() {
    let sandbox = super::sandbox().await;
    let listener = Listener::start(&[(500, ""), (204, "")]).await;
    place(&sandbox, "order-1", 100, &listener.url);
    sandbox.set_faults(FaultKind::OvertakeNotice);
    sandbox.pay(V3, "order-1").unwrap();
    sandbox.advance(Duration::from_secs(3599)).await.unwrap();
    assert!(listener.received().is_empty());
    // Its own ladder goes on from there.
    sandbox.advance(Duration::from_secs(1 + 15)).await.unwrap();
    assert_eq!(listener.received().len(), 2);
}

#[tokio::test]
async fn a_renumbered_duplicate_says_the_same_under_another_id() {
    let sandbox = super::sandbox().await;
    let listener = Listener::start(&[(204, "")]).await;
    place(&sandbox, "order-1", 100, &listener.url);
    sandbox.set_faults(FaultKind::RenumberNotice);
    sandbox.pay(V3, "order-1").unwrap();
    sandbox.delivered().await;
    let received = listener.received();
    assert_eq!(received.len(), 2);
    assert_ne!(id_of(&sandbox, &received[0]), id_of(&sandbox, &received[1]));
    let told: Vec<Value> = received.iter().map(|notice| opened(&sandbox, notice).1).collect();
    assert_eq!(told[0], told[1]);
}

#[tokio::test]
async fn a_contradiction_comes_under_the_same_id_validly_signed_with_another_amount() {
    let sandbox = super::sandbox().await;
    let listener = Listener::start(&[(204, "")]).await;
    place(&sandbox, "order-1", 100, &listener.url);
    sandbox.set_faults(FaultKind::ContradictNotice(PayAmount::from_fen(1).unwrap()));
    sandbox.pay(V3, "order-1").unwrap();
    sandbox.delivered().await;
    assert_eq!(listener.received().len(), 1);
    sandbox.advance(Duration::from_secs(1)).await.unwrap();
    let received = listener.received();
    assert_eq!(received.len(), 2);
    assert_eq!(id_of(&sandbox, &received[0]), id_of(&sandbox, &received[1]));
    let totals: Vec<Value> = received
        .iter()
        .map(|notice| opened(&sandbox, notice).1["amount"]["total"].clone())
        .collect();
    assert_eq!(totals, [100, 1]);

    // Elsewhere too: a v2 notice that nobody numbers.
    let other = Listener::start(&[(200, V2_YES)]).await;
    let unified = UNIFIED.map(|(name, value)| {
        (
            name,
            if name == "notify_url" {
                other.url.as_str()
            } else {
                value
            },
        )
    });
    shop::v2(&sandbox, "/pay/unifiedorder", &unified);
    sandbox.pay(Platform::WechatV2, "v2-order-1").unwrap();
    sandbox.advance(Duration::from_secs(1)).await.unwrap();
    let totals: Vec<String> = other
        .received()
        .iter()
        .map(|notice| xml_fields(notice.body())["total_fee"].clone())
        .collect();
    assert_eq!(totals, ["990", "1"]);
}
