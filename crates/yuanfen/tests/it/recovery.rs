//! An outcome that nobody knows is settled, and the money moves once.

use std::time::Duration;

use yuanfen::core::{
    Advice, Error, ErrorKind, Fate, Operation, PayAmount, Provider, RefundNo, SettleRule, SettleVerdict, Standing,
};
use yuanfen::transport::Settled;
use yuanfen::{wechat_v2, wechat_v3};
use yuanfen_sandbox::{FaultKind, FaultPlan, FaultRule, Platform};

use crate::shop::{Shop, amount, order_no, v2_order, v3_order};

/// Every way in which the reply to a call can fail to say what became of it. Where a row says so, nothing was done.
pub const LOSSES: &[(FaultKind, Done)] = &[
    (FaultKind::LoseReply, Done::Yes),
    (FaultKind::CutReply, Done::Yes),
    (FaultKind::Status(500), Done::Yes),
    (FaultKind::Status(502), Done::Yes),
    (FaultKind::Status(301), Done::Yes),
    (FaultKind::EmptyReply, Done::Yes),
    (FaultKind::Accepted, Done::Yes),
    (FaultKind::CorruptSignature, Done::Yes),
    (FaultKind::ProbeSignature, Done::Yes),
    (FaultKind::LoseRequest, Done::No),
    (FaultKind::UnsignedError, Done::No),
];

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Done {
    Yes,
    No,
}

/// Makes a call whose reply is lost, and settles it.
pub async fn call_and_settle<P, O, Q>(
    shop: &Shop,
    account: std::sync::Arc<P>,
    operation: &O,
    query: &Q,
    rule: &SettleRule,
    standing: impl Fn(&Q::Reply) -> Standing,
) -> (Error, Settled<O::Reply, Q::Reply>)
where
    P: Provider,
    O: Operation<Provider = P>,
    Q: Operation<Provider = P>,
{
    let client = shop.client(account);
    let Err(error) = client.call(operation).await else {
        panic!("the fault did not strike")
    };
    let settled = client
        .settle(operation, query, rule, standing)
        .after(error.fate(), &shop.sleep())
        .await;
    (error, settled)
}

#[tokio::test]
async fn a_v3_order_without_its_reply_is_replied_to_under_the_same_number() {
    // A platform whose clock is off finds our timestamp off, too: it refuses, and its refusal is as stale as it says.
    let skews = [
        (FaultKind::SkewSeconds(-301), Done::No),
        (FaultKind::SkewSeconds(301), Done::No),
    ];
    for (kind, done) in LOSSES.iter().chain(&skews) {
        let shop = Shop::open();
        let account = shop.wechat_v3();
        shop.fault(FaultRule::new(*kind).during("place-jsapi-order").nth(1));
        let query = wechat_v3::ops::QueryOrder::by_order_no(order_no());
        let (error, settled) = call_and_settle(
            &shop,
            account.clone(),
            &v3_order(&shop),
            &query,
            &wechat_v3::settle::ORDER,
            wechat_v3::ops::QueriedOrder::standing,
        )
        .await;
        assert_eq!(error.fate(), Fate::Unknown, "{kind}: {error}");
        assert_eq!(error.advice(), Advice::Repeat, "{kind}");
        assert_eq!(settled.verdict, SettleVerdict::Replied, "{kind}");
        assert_eq!(shop.far_side.orders(Platform::WechatV3).len(), 1, "{kind}");
        assert_eq!(shop.calls(Platform::WechatV3, "place-jsapi-order"), 2, "{kind}");
        // What was not done is not found, and is believed to be absent only when it was said twice.
        let queries = shop.calls(Platform::WechatV3, "query-order");
        assert_eq!(queries, if *done == Done::Yes { 1 } else { 2 }, "{kind}");
        // The reply that came at last opens the cashier on this order.
        let page = account
            .jsapi_params(&settled.reply.unwrap().prepay_id, &shop.time())
            .unwrap();
        let opened = shop.far_side.open_cashier(
            Platform::WechatV3,
            &[
                ("appId", &page.app_id),
                ("timeStamp", &page.time_stamp),
                ("nonceStr", &page.nonce_str),
                ("package", &page.package),
                ("signType", page.sign_type),
                ("paySign", &page.pay_sign),
            ],
        );
        assert_eq!(opened.unwrap(), order_no().as_str(), "{kind}");
    }
}

#[tokio::test]
async fn a_v2_order_without_its_reply_is_replied_to_under_the_same_number() {
    for (kind, done) in LOSSES {
        let shop = Shop::open();
        shop.fault(FaultRule::new(*kind).during("place-order").nth(1));
        let query = wechat_v2::ops::QueryOrder::by_order_no(order_no());
        let (error, settled) = call_and_settle(
            &shop,
            shop.wechat_v2(),
            &v2_order(&shop),
            &query,
            &wechat_v2::settle::ORDER,
            wechat_v2::ops::QueriedOrder::standing,
        )
        .await;
        assert_eq!(error.fate(), Fate::Unknown, "{kind}: {error}");
        assert_eq!(error.advice(), Advice::Repeat, "{kind}");
        assert_eq!(settled.verdict, SettleVerdict::Replied, "{kind}");
        assert!(settled.reply.is_some(), "{kind}");
        assert_eq!(shop.far_side.orders(Platform::WechatV2).len(), 1, "{kind}");
        assert_eq!(shop.calls(Platform::WechatV2, "place-order"), 2, "{kind}");
        let queries = shop.calls(Platform::WechatV2, "query-order");
        assert_eq!(queries, if *done == Done::Yes { 1 } else { 2 }, "{kind}");
    }
}

#[tokio::test]
async fn an_order_that_was_paid_meanwhile_is_found_paid_and_not_placed_again() {
    let shop = Shop::open();
    let client = shop.client(shop.wechat_v3());
    let order = v3_order(&shop);
    let placed = client.call(&order).await.unwrap();
    assert!(!placed.prepay_id.as_str().is_empty());
    shop.far_side.pay(Platform::WechatV3, order_no().as_str()).unwrap();

    let error = client.call(&order).await.unwrap_err();
    assert_eq!(error.fate(), Fate::Already);
    assert_eq!(error.advice(), Advice::Query);
    let query = wechat_v3::ops::QueryOrder::by_order_no(order_no());
    let settled = client
        .settle(
            &order,
            &query,
            &wechat_v3::settle::ORDER,
            wechat_v3::ops::QueriedOrder::standing,
        )
        .after(error.fate(), &shop.sleep())
        .await;
    assert_eq!(settled.verdict, SettleVerdict::Happened(Standing::Succeeded));
    assert_eq!(settled.found.unwrap().transaction.total, Some(amount().fen()));
    assert_eq!(shop.calls(Platform::WechatV3, "place-jsapi-order"), 2);
}

/// A paid v3 order and a refund of a part of it.
async fn paid_order(shop: &Shop) -> (wechat_v3::ops::Refund, wechat_v3::ops::QueryRefund) {
    let client = shop.client(shop.wechat_v3());
    let placed = client.call(&v3_order(shop)).await.unwrap();
    assert!(!placed.prepay_id.as_str().is_empty());
    shop.far_side.pay(Platform::WechatV3, order_no().as_str()).unwrap();
    let refund_no = RefundNo::new("REFUND20251009000001").unwrap();
    let part = PayAmount::from_fen(500).unwrap();
    let order = wechat_v3::OrderRef::OrderNo(order_no());
    (
        wechat_v3::ops::Refund::new(order, refund_no.clone(), part, amount()),
        wechat_v3::ops::QueryRefund::new(refund_no),
    )
}

#[tokio::test]
async fn a_refund_without_its_reply_moves_the_money_once() {
    for (kind, done) in LOSSES {
        let shop = Shop::open();
        let (refund, query) = paid_order(&shop).await;
        shop.fault(FaultRule::new(*kind).during("refund").nth(1));
        let (error, settled) = call_and_settle(
            &shop,
            shop.wechat_v3(),
            &refund,
            &query,
            &wechat_v3::settle::REFUND,
            wechat_v3::RefundRecord::standing,
        )
        .await;
        assert_eq!(error.fate(), Fate::Unknown, "{kind}: {error}");
        assert_eq!(error.advice(), Advice::QueryFirst, "{kind}");
        let (verdict, calls) = match done {
            Done::Yes => (SettleVerdict::Happened(Standing::Accepted), 1),
            Done::No => (SettleVerdict::Replied, 2),
        };
        assert_eq!(settled.verdict, verdict, "{kind}");
        assert_eq!(shop.calls(Platform::WechatV3, "refund"), calls, "{kind}");
        let order = shop.far_side.order(Platform::WechatV3, order_no().as_str()).unwrap();
        assert_eq!(order.refunds.len(), 1, "{kind}");
        assert_eq!(order.refunds[0].amount.get(), 500, "{kind}");
    }
}

#[tokio::test]
async fn a_refund_is_not_repeated_on_an_absence_that_no_signature_proves() {
    // The refund went through; whoever stands between answers every query with a forged or broken one.
    for kind in [
        FaultKind::CorruptSignature,
        FaultKind::UnsignedError,
        FaultKind::Status(404),
    ] {
        let shop = Shop::open();
        let (refund, query) = paid_order(&shop).await;
        shop.far_side.set_faults(
            FaultPlan::none()
                .with(FaultRule::new(FaultKind::LoseReply).during("refund").nth(1))
                .with(FaultRule::new(kind).during("query-refund")),
        );
        let began = shop.now();
        let (_, settled) = call_and_settle(
            &shop,
            shop.wechat_v3(),
            &refund,
            &query,
            &wechat_v3::settle::REFUND,
            wechat_v3::RefundRecord::standing,
        )
        .await;
        assert_eq!(settled.verdict, SettleVerdict::StillUnknown, "{kind}");
        assert_eq!(shop.calls(Platform::WechatV3, "refund"), 1, "{kind}");
        assert!(shop.calls(Platform::WechatV3, "query-refund") > 3, "{kind}");
        // It gave up when its rule says so, and said why.
        let deadline = i64::try_from(wechat_v3::settle::REFUND.deadline).unwrap();
        assert_eq!(shop.now().since(began), deadline, "{kind}");
        assert!(settled.last_error.is_some(), "{kind}");
    }
}

#[tokio::test]
async fn a_refund_that_ended_meanwhile_is_found_at_its_end() {
    use yuanfen_sandbox::RefundState;
    for (end, verdict) in [
        (RefundState::Succeeded, SettleVerdict::Happened(Standing::Succeeded)),
        (RefundState::Closed, SettleVerdict::Failed),
    ] {
        let shop = Shop::open();
        let (refund, query) = paid_order(&shop).await;
        shop.fault(FaultRule::new(FaultKind::LoseReply).during("refund").nth(1));
        let client = shop.client(shop.wechat_v3());
        let error = client.call(&refund).await.unwrap_err();
        shop.far_side
            .settle_refund(Platform::WechatV3, refund.refund_no.as_str(), end)
            .unwrap();
        let settled = client
            .settle(
                &refund,
                &query,
                &wechat_v3::settle::REFUND,
                wechat_v3::RefundRecord::standing,
            )
            .after(error.fate(), &shop.sleep())
            .await;
        assert_eq!(settled.verdict, verdict);
        assert_eq!(shop.calls(Platform::WechatV3, "refund"), 1);
    }
}

#[tokio::test]
async fn what_was_never_sent_is_sent_again_and_what_was_refused_is_not() {
    let shop = Shop::open();
    let client = shop.client(shop.wechat_v3());
    let query = wechat_v3::ops::QueryOrder::by_order_no(order_no());
    let standing = wechat_v3::ops::QueriedOrder::standing;
    let order = v3_order(&shop);
    let settling = client.settle(&order, &query, &wechat_v3::settle::ORDER, standing);

    let settled = settling.after(Fate::Refused, &shop.sleep()).await;
    assert_eq!(settled.verdict, SettleVerdict::Failed);
    assert_eq!(shop.far_side.calls(Platform::WechatV3), 0);

    let settled = settling.after(Fate::NotSent, &shop.sleep()).await;
    assert_eq!(settled.verdict, SettleVerdict::Replied);
    assert_eq!(shop.calls(Platform::WechatV3, "place-jsapi-order"), 1);
    assert_eq!(shop.calls(Platform::WechatV3, "query-order"), 0);
}

#[tokio::test]
async fn a_prepay_id_that_is_two_hours_old_is_renewed_by_the_identical_order() {
    let shop = Shop::open();
    let account = shop.wechat_v3();
    let client = shop.client(account.clone());
    let order = v3_order(&shop);
    let first = client.call(&order).await.unwrap().prepay_id;
    shop.pass(Duration::from_secs(2 * 3600));
    let expired = account.jsapi_params(&first, &shop.time()).err().unwrap();
    assert_eq!(expired.field(), Some("prepay_id"));

    let second = client.call(&order).await.unwrap().prepay_id;
    assert_ne!(first.as_str(), second.as_str());
    assert!(account.jsapi_params(&second, &shop.time()).is_ok());
    assert_eq!(shop.far_side.orders(Platform::WechatV3).len(), 1);
}

#[tokio::test]
async fn other_parameters_under_a_used_number_are_not_taken_for_the_same_order() {
    let shop = Shop::open();
    let client = shop.client(shop.wechat_v3());
    let order = v3_order(&shop);
    client.call(&order).await.unwrap();
    let mut other = order.clone();
    other.terms.amount = PayAmount::from_fen(1).unwrap();
    let error = client.call(&other).await.unwrap_err();
    assert!(
        matches!(error.kind(), ErrorKind::Business(refusal) if refusal.verified),
        "{error:?}"
    );
    assert_ne!(error.fate(), Fate::NotSent);
    let order = shop.far_side.order(Platform::WechatV3, order_no().as_str()).unwrap();
    assert_eq!(order.amount, amount().fen());
}
