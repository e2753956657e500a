//! Refunds whose reply is lost: asked for by their number, sent again only where that cannot pay twice.

use yuanfen::core::{Advice, Fate, Notice, RefundNo, SettleVerdict, Standing};
use yuanfen::{fshows, starpos, wechat_v2};
use yuanfen_sandbox::{FaultKind, FaultPlan, FaultRule, Platform, RefundState};

use crate::recovery::{Done, LOSSES, call_and_settle};
use crate::shop::{Shop, amount, fshows_order, notify_url, order_no, starpos_order, v2_order};

fn refund_no() -> RefundNo {
    RefundNo::new("REFUND20251009000001").unwrap()
}

/// A part of the order, 5 yuan.
fn part() -> yuanfen::core::PayAmount {
    yuanfen::core::PayAmount::from_fen(500).unwrap()
}

/// What the platform refunded, in fen.
fn refunded(shop: &Shop, platform: Platform) -> Vec<i64> {
    let order = shop.far_side.order(platform, order_no().as_str()).unwrap();
    order.refunds.iter().map(|refund| refund.amount.get()).collect()
}

/// A paid v2 order, a refund of a part of it, and its query.
async fn v2_refund(shop: &Shop) -> (wechat_v2::ops::Refund, wechat_v2::ops::QueryRefund) {
    shop.client(shop.wechat_v2()).call(&v2_order(shop)).await.unwrap();
    shop.far_side.pay(Platform::WechatV2, order_no().as_str()).unwrap();
    shop.lose_notices();
    let order = wechat_v2::ops::OrderKey::Merchant(order_no());
    let mut refund = wechat_v2::ops::Refund::new(order, refund_no(), part(), amount());
    refund.notify_url = Some(notify_url());
    (refund, wechat_v2::ops::QueryRefund::by_refund_no(refund_no()))
}

#[tokio::test]
async fn a_v2_refund_without_its_reply_moves_the_money_once() {
    for (kind, done) in LOSSES {
        let shop = Shop::open();
        let (refund, query) = v2_refund(&shop).await;
        shop.fault(FaultRule::new(*kind).during("refund").nth(1));
        let (error, settled) = call_and_settle(
            &shop,
            shop.wechat_v2(),
            &refund,
            &query,
            &wechat_v2::settle::REFUND,
            wechat_v2::ops::QueriedRefunds::standing,
        )
        .await;
        assert_eq!(error.fate(), Fate::Unknown, "{kind}: {error}");
        assert_eq!(error.advice(), Advice::QueryFirst, "{kind}");
        let (verdict, calls, queries) = match done {
            Done::Yes => (SettleVerdict::Happened(Standing::Accepted), 1, 1),
            // Its absence is believed when it was said twice, and signed.
            Done::No => (SettleVerdict::Replied, 2, 2),
        };
        assert_eq!(settled.verdict, verdict, "{kind}");
        assert_eq!(shop.calls(Platform::WechatV2, "refund"), calls, "{kind}");
        assert_eq!(shop.calls(Platform::WechatV2, "query-refund"), queries, "{kind}");
        assert_eq!(refunded(&shop, Platform::WechatV2), [500], "{kind}");
    }
}

#[tokio::test]
async fn a_v2_refund_is_not_repeated_on_an_absence_that_no_signature_proves() {
    for kind in [
        FaultKind::CorruptSignature,
        FaultKind::UnsignedError,
        FaultKind::Status(404),
    ] {
        let shop = Shop::open();
        let (refund, query) = v2_refund(&shop).await;
        shop.far_side.set_faults(
            FaultPlan::none()
                .with(FaultRule::new(FaultKind::LoseReply).during("refund").nth(1))
                .with(FaultRule::new(kind).during("query-refund")),
        );
        let (_, settled) = call_and_settle(
            &shop,
            shop.wechat_v2(),
            &refund,
            &query,
            &wechat_v2::settle::REFUND,
            wechat_v2::ops::QueriedRefunds::standing,
        )
        .await;
        assert_eq!(settled.verdict, SettleVerdict::StillUnknown, "{kind}");
        assert!(settled.last_error.is_some(), "{kind}");
        assert_eq!(shop.calls(Platform::WechatV2, "refund"), 1, "{kind}");
        assert!(shop.calls(Platform::WechatV2, "query-refund") > 3, "{kind}");
    }
}

#[tokio::test]
async fn a_v2_refund_that_ended_meanwhile_is_found_at_its_end() {
    for (end, verdict) in [
        (RefundState::Succeeded, SettleVerdict::Happened(Standing::Succeeded)),
        (RefundState::Abnormal, SettleVerdict::Happened(Standing::Accepted)),
        (RefundState::Closed, SettleVerdict::Failed),
    ] {
        let shop = Shop::open();
        let (refund, query) = v2_refund(&shop).await;
        shop.fault(FaultRule::new(FaultKind::LoseReply).during("refund").nth(1));
        let client = shop.client(shop.wechat_v2());
        let error = client.call(&refund).await.unwrap_err();
        shop.far_side
            .settle_refund(Platform::WechatV2, refund_no().as_str(), end)
            .unwrap();
        let settling = client.settle(
            &refund,
            &query,
            &wechat_v2::settle::REFUND,
            wechat_v2::ops::QueriedRefunds::standing,
        );
        let settled = settling.after(error.fate(), &shop.sleep()).await;
        assert_eq!(settled.verdict, verdict, "{end:?}");
        assert_eq!(shop.calls(Platform::WechatV2, "refund"), 1, "{end:?}");
    }
}

#[tokio::test]
async fn a_v2_refund_notice_says_which_refund_to_ask_for() {
    let shop = Shop::open();
    let (refund, _) = v2_refund(&shop).await;
    let account = shop.wechat_v2();
    let client = shop.client(account.clone());
    let accepted = client.call(&refund).await.unwrap();
    assert_eq!(accepted.refund_no, refund_no());
    shop.far_side
        .settle_refund(Platform::WechatV2, refund_no().as_str(), RefundState::Succeeded)
        .unwrap();
    let received = shop.receive(&*account);
    let [(Ok(Notice::Hint(hint)), _)] = &*received else {
        panic!("{received:?}")
    };
    let query = wechat_v2::ops::QueryRefund::of_hint(hint).unwrap();
    let found = client.call(&query).await.unwrap();
    assert_eq!(found.standing(), Standing::Succeeded);
    let record = found.refund(&refund_no()).unwrap();
    assert_eq!((record.refund, &record.refund_id), (part().fen(), &accepted.refund_id));
}

/// A paid StarPos order, a refund of a part of it, and its query, which knows the payment's serial number.
async fn starpos_refund(shop: &Shop) -> (starpos::ops::Refund, starpos::ops::QueryRefund) {
    let client = shop.client(shop.starpos());
    client.call(&starpos_order(shop)).await.unwrap();
    shop.far_side.pay(Platform::Starpos, order_no().as_str()).unwrap();
    let paid = client
        .call(&starpos::ops::QueryOrder::by_trade_no(&order_no()))
        .await
        .unwrap();
    let refund = starpos::ops::Refund::part(paid.channel_order_no.unwrap(), refund_no(), part());
    let query = starpos::ops::QueryRefund::by_refund_no(refund_no(), paid.log_no);
    (refund, query)
}

#[tokio::test]
async fn a_starpos_refund_without_its_reply_is_asked_for_and_never_sent_again() {
    for (kind, done) in LOSSES {
        let shop = Shop::open();
        let (refund, query) = starpos_refund(&shop).await;
        shop.fault(FaultRule::new(*kind).during("refund").nth(1));
        let (error, settled) = call_and_settle(
            &shop,
            shop.starpos(),
            &refund,
            &query,
            &starpos::settle::REFUND,
            starpos::ops::QueriedRefund::standing,
        )
        .await;
        assert_eq!(error.fate(), Fate::Unknown, "{kind}: {error}");
        assert_eq!(error.advice(), Advice::QueryFirst, "{kind}");
        // No code says "no such refund", so what was not done stays unknown, and is a person's to settle.
        let (verdict, money) = match done {
            Done::Yes => (SettleVerdict::Happened(Standing::Succeeded), vec![500]),
            Done::No => (SettleVerdict::StillUnknown, vec![]),
        };
        assert_eq!(settled.verdict, verdict, "{kind}");
        assert_eq!(shop.calls(Platform::Starpos, "refund"), 1, "{kind}");
        assert_eq!(refunded(&shop, Platform::Starpos), money, "{kind}");
    }
}

#[tokio::test]
async fn a_starpos_refund_of_unknown_end_is_settled_by_its_query() {
    for (end, verdict) in [
        (
            Some(RefundState::Succeeded),
            SettleVerdict::Happened(Standing::Succeeded),
        ),
        (Some(RefundState::Closed), SettleVerdict::Failed),
        (None, SettleVerdict::StillUnknown),
    ] {
        let shop = Shop::open();
        let (refund, query) = starpos_refund(&shop).await;
        shop.far_side.set_starpos_unsure(true);
        let client = shop.client(shop.starpos());
        let error = client.call(&refund).await.unwrap_err();
        assert_eq!(error.refusal().unwrap().code, "Z");
        assert_eq!((error.fate(), error.advice()), (Fate::Unknown, Advice::QueryFirst));
        if let Some(end) = end {
            shop.far_side
                .settle_refund(Platform::Starpos, refund_no().as_str(), end)
                .unwrap();
        }
        let settling = client.settle(
            &refund,
            &query,
            &starpos::settle::REFUND,
            starpos::ops::QueriedRefund::standing,
        );
        let settled = settling.after(error.fate(), &shop.sleep()).await;
        assert_eq!(settled.verdict, verdict, "{end:?}");
        assert_eq!(shop.calls(Platform::Starpos, "refund"), 1, "{end:?}");
    }
}

#[tokio::test]
async fn a_starpos_refund_beyond_the_payment_did_nothing() {
    let shop = Shop::open();
    let (mut refund, _) = starpos_refund(&shop).await;
    refund.amount = Some(yuanfen::core::PayAmount::from_fen(1231).unwrap());
    let error = shop.client(shop.starpos()).call(&refund).await.unwrap_err();
    assert_eq!((error.fate(), error.advice()), (Fate::Refused, Advice::Stop));
    assert_eq!(refunded(&shop, Platform::Starpos), [0_i64; 0]);
}

/// A paid fshows order, the refund of all of it, and its query. Numbers there have no hyphens and at most 32 characters.
async fn fshows_refund(shop: &Shop) -> (fshows::ops::Refund, fshows::ops::QueryRefund) {
    shop.client(shop.fshows()).call(&fshows_order(shop)).await.unwrap();
    shop.far_side.pay(Platform::Fshows, order_no().as_str()).unwrap();
    let order = fshows::ops::OrderKey::Liquidator(order_no());
    (
        fshows::ops::Refund::new(order.clone(), refund_no()),
        fshows::ops::QueryRefund::by_refund_no(order, refund_no()),
    )
}

#[tokio::test]
async fn an_fshows_refund_without_its_reply_is_asked_for_and_never_sent_again() {
    // Nobody signs a reply there, so a spoiled signature is no loss.
    let unsigned = |kind: &FaultKind| !matches!(kind, FaultKind::CorruptSignature | FaultKind::ProbeSignature);
    for (kind, done) in LOSSES.iter().filter(|(kind, _)| unsigned(kind)) {
        let shop = Shop::open();
        let (refund, query) = fshows_refund(&shop).await;
        shop.fault(FaultRule::new(*kind).during("refund").nth(1));
        let (error, settled) = call_and_settle(
            &shop,
            shop.fshows(),
            &refund,
            &query,
            &fshows::settle::REFUND,
            fshows::ops::RefundRecord::standing,
        )
        .await;
        assert_eq!(error.fate(), Fate::Unknown, "{kind}: {error}");
        assert_eq!(error.advice(), Advice::QueryFirst, "{kind}");
        let (verdict, money) = match done {
            Done::Yes => (SettleVerdict::Happened(Standing::Accepted), vec![amount().fen().get()]),
            Done::No => (SettleVerdict::StillUnknown, vec![]),
        };
        assert_eq!(settled.verdict, verdict, "{kind}");
        assert_eq!(shop.calls(Platform::Fshows, "refund"), 1, "{kind}");
        assert_eq!(refunded(&shop, Platform::Fshows), money, "{kind}");
    }
}

#[tokio::test]
async fn an_fshows_refund_is_settled_by_no_status_that_may_not_be_its_end() {
    for (end, verdict) in [
        (RefundState::Succeeded, SettleVerdict::Happened(Standing::Succeeded)),
        (RefundState::Closed, SettleVerdict::StillUnknown),
    ] {
        let shop = Shop::open();
        let (refund, query) = fshows_refund(&shop).await;
        let client = shop.client(shop.fshows());
        let taken = client.call(&refund).await.unwrap();
        assert_eq!(taken.standing(), Standing::Accepted);
        shop.far_side
            .settle_refund(Platform::Fshows, refund_no().as_str(), end)
            .unwrap();
        let settling = client.settle(
            &refund,
            &query,
            &fshows::settle::REFUND,
            fshows::ops::RefundRecord::standing,
        );
        let settled = settling.after(Fate::Unknown, &shop.sleep()).await;
        assert_eq!(settled.verdict, verdict, "{end:?}");
        assert_eq!(settled.found.unwrap().refund_no, Some(refund_no()), "{end:?}");
        assert_eq!(shop.calls(Platform::Fshows, "refund"), 1, "{end:?}");
    }
}
