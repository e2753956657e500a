//! Notices that come twice, late, spoiled, or never.

use std::time::Duration;

use yuanfen::core::{
    EventKey, Facts, Fen, Notice, NotificationSource, OpenError, SignatureError, Standing, Transition,
};
use yuanfen::wechat_v3;
use yuanfen_sandbox::{FaultKind, FaultRule, NoticeOutcome, Platform};

use crate::shop::{Shop, amount, order_no, v2_order, v3_order};

/// What a handler stores: under which key, and what must agree.
fn proven<P: NotificationSource>(account: &P, notice: &Notice<P::Event>) -> (EventKey, Facts) {
    let Notice::Settles(event) = notice else {
        panic!("a hint settles nothing")
    };
    (account.key(event.get()), account.facts(event.get()))
}

async fn v3_paid(shop: &Shop) -> std::sync::Arc<wechat_v3::Account> {
    let account = shop.wechat_v3();
    shop.client(account.clone()).call(&v3_order(shop)).await.unwrap();
    shop.far_side.pay(Platform::WechatV3, order_no().as_str()).unwrap();
    account
}

#[tokio::test]
async fn a_v3_notice_that_comes_twice_is_one_event() {
    let shop = Shop::open();
    shop.fault(FaultRule::new(FaultKind::DuplicateNotice));
    let account = v3_paid(&shop).await;
    let received = shop.receive(&*account);
    assert_eq!(received.len(), 2);
    let stored: Vec<_> = received
        .iter()
        .map(|(notice, _)| proven(&*account, notice.as_ref().unwrap()))
        .collect();
    assert_eq!(stored[0], stored[1]);
    let (key, facts) = &stored[0];
    assert_eq!((&*key.route, key.transition), ("wechat-v3", Transition::OrderPaid));
    assert_eq!(key.subject, order_no().as_str());
    assert_eq!(facts.amount, Some(Fen::new(1230)));
}

#[tokio::test]
async fn a_v2_notice_that_comes_twice_is_one_event() {
    let shop = Shop::open();
    let account = shop.wechat_v2();
    shop.client(account.clone()).call(&v2_order(&shop)).await.unwrap();
    shop.fault(FaultRule::new(FaultKind::DuplicateNotice));
    shop.far_side.pay(Platform::WechatV2, order_no().as_str()).unwrap();
    let received = shop.receive(&*account);
    assert_eq!(received.len(), 2);
    let stored: Vec<_> = received
        .iter()
        .map(|(notice, _)| proven(&*account, notice.as_ref().unwrap()))
        .collect();
    assert_eq!(stored[0], stored[1]);
    assert_eq!(stored[0].1.amount, Some(amount().fen()));
}

#[tokio::test]
async fn a_spoiled_notice_is_refused_and_comes_again() {
    for (kind, reason) in [
        (FaultKind::CorruptSignature, SignatureError::Mismatch),
        (FaultKind::ProbeSignature, SignatureError::Mismatch),
        (
            FaultKind::SkewSeconds(-301),
            SignatureError::Stale { skew_seconds: 301 },
        ),
        (
            FaultKind::SkewSeconds(301),
            SignatureError::Stale { skew_seconds: -301 },
        ),
    ] {
        let shop = Shop::open();
        let account = v3_paid(&shop).await;
        shop.fault(FaultRule::new(kind).during("pay-notice").nth(1));
        let received = shop.receive(&*account);
        let [(Err(OpenError::Signature(why)), NoticeOutcome::Refused { status, .. })] = received.as_slice() else {
            panic!("{kind}: {received:?}")
        };
        assert_eq!((why, status.as_u16()), (&reason, 500), "{kind}");

        assert!(shop.receive(&*account).is_empty(), "{kind}: not before its time");
        shop.pass(Duration::from_secs(15));
        let received = shop.receive(&*account);
        assert!(
            matches!(
                received.as_slice(),
                [(Ok(Notice::Settles(_)), NoticeOutcome::Acknowledged { .. })]
            ),
            "{kind}: {received:?}"
        );
        shop.pass(Duration::from_secs(86_400));
        assert!(
            shop.receive(&*account).is_empty(),
            "{kind}: what was acknowledged is not delivered again"
        );
    }
}

#[tokio::test]
async fn a_notice_that_comes_hours_late_counts_like_the_first() {
    let shop = Shop::open();
    let account = v3_paid(&shop).await;
    // The shop is down for ten attempts; each one later is signed anew, so the window of 300 seconds holds.
    let mut lost = 0;
    while lost < 10 {
        lost += shop.lose_notices();
        shop.pass(Duration::from_secs(60));
    }
    let paid_at = shop
        .far_side
        .order(Platform::WechatV3, order_no().as_str())
        .unwrap()
        .payment
        .unwrap()
        .at;
    shop.pass(Duration::from_secs(3600));
    let received = shop.receive(&*account);
    let [(Ok(notice), NoticeOutcome::Acknowledged { .. })] = received.as_slice() else {
        panic!("{received:?}")
    };
    assert!(shop.now().since(paid_at) > 3600);
    let (key, facts) = proven(&*account, notice);
    assert_eq!(key.subject, order_no().as_str());
    assert_eq!(facts.amount, Some(amount().fen()));
}

#[tokio::test]
async fn an_order_whose_notices_never_came_is_found_by_asking() {
    let shop = Shop::open();
    let account = v3_paid(&shop).await;
    let mut attempts = 0;
    for _ in 0..3 * 1440 {
        attempts += shop.lose_notices();
        shop.pass(Duration::from_secs(60));
    }
    // One at once and one after each of the fifteen waits; then the platform gives up.
    assert_eq!(attempts, 16);
    let query = wechat_v3::ops::QueryOrder::by_order_no(order_no());
    let found = shop.client(account).call(&query).await.unwrap();
    assert_eq!(found.standing(), Standing::Succeeded);
    assert_eq!(found.transaction.total, Some(amount().fen()));
}

#[tokio::test]
async fn fields_and_values_that_nobody_documented_change_nothing() {
    for kind in [FaultKind::AddFields, FaultKind::UnknownValues] {
        let shop = Shop::open();
        shop.fault(FaultRule::new(kind));
        let v3 = v3_paid(&shop).await;
        let v2 = shop.wechat_v2();
        shop.client(v2.clone()).call(&v2_order(&shop)).await.unwrap();
        let received = shop.receive(&*v3);
        assert!(
            matches!(received.as_slice(), [(Ok(Notice::Settles(_)), _)]),
            "{kind}: {received:?}"
        );
        shop.far_side.pay(Platform::WechatV2, order_no().as_str()).unwrap();
        let received = shop.receive(&*v2);
        assert!(
            matches!(received.as_slice(), [(Ok(Notice::Settles(_)), _)]),
            "{kind}: {received:?}"
        );
    }
}

#[tokio::test]
async fn one_routes_notice_is_nothing_to_another_route() {
    let shop = Shop::open();
    let v3 = v3_paid(&shop).await;
    let v2 = shop.wechat_v2();
    let due = shop.far_side.due_notices().pop().unwrap();
    assert!(v2.open_notification(&due.request, shop.now()).is_err());
    assert!(v3.open_notification(&due.request, shop.now()).is_ok());
}

#[tokio::test]
async fn the_end_of_a_refund_is_told_under_a_key_of_its_own() {
    use yuanfen::core::{PayAmount, RefundNo};
    use yuanfen_sandbox::RefundState;
    for (end, transition) in [
        (RefundState::Succeeded, Transition::RefundSucceeded),
        (RefundState::Closed, Transition::RefundClosed),
        (RefundState::Abnormal, Transition::RefundAbnormal),
    ] {
        let shop = Shop::open();
        let account = v3_paid(&shop).await;
        let (paid, _) = shop.receive(&*account).pop().unwrap();
        let refund_no = RefundNo::new("REFUND20251009000001").unwrap();
        let order = wechat_v3::OrderRef::OrderNo(order_no());
        let mut refund =
            wechat_v3::ops::Refund::new(order, refund_no.clone(), PayAmount::from_fen(500).unwrap(), amount());
        refund.notify_url = Some(crate::shop::notify_url());
        shop.client(account.clone()).call(&refund).await.unwrap();
        shop.far_side
            .settle_refund(Platform::WechatV3, refund_no.as_str(), end)
            .unwrap();
        let (refunded, _) = shop.receive(&*account).pop().unwrap();
        let (paid_key, _) = proven(&*account, &paid.unwrap());
        let (key, facts) = proven(&*account, &refunded.unwrap());
        assert_ne!(key, paid_key);
        assert_eq!((key.subject.as_str(), key.transition), (refund_no.as_str(), transition));
        assert_eq!(facts.amount, Some(Fen::new(500)));
    }
}
