//! Refunds: whatever the answer, the money goes back once.

use yuanfen::core::{Fate, PayAmount, RefundNo, SettleVerdict, Standing};
use yuanfen::transport::Client;
use yuanfen::{wechat_v2, wechat_v3};
use yuanfen_sandbox::{FaultKind, OrderState, Platform};

use super::Day;
use crate::shop::{amount, order_no, v2_order, v3_order};

const V2: Platform = Platform::WechatV2;
const V3: Platform = Platform::WechatV3;

fn refund_no() -> RefundNo {
    RefundNo::new("REFUND20251009000001").unwrap()
}

/// A part of the order, so that a second refund would fit.
fn part() -> PayAmount {
    PayAmount::from_fen(500).unwrap()
}

fn of_v3() -> wechat_v3::ops::Refund {
    let order = wechat_v3::OrderRef::OrderNo(order_no());
    wechat_v3::ops::Refund::new(order, refund_no(), part(), amount())
}

fn of_v2() -> wechat_v2::ops::Refund {
    let order = wechat_v2::ops::OrderKey::Merchant(order_no());
    wechat_v2::ops::Refund::new(order, refund_no(), part(), amount())
}

/// An order of each that is paid.
async fn paid(day: &Day) -> (Client<wechat_v2::Account>, Client<wechat_v3::Account>) {
    let (v2, v3) = (day.client(day.shop.wechat_v2()), day.client(day.shop.wechat_v3()));
    v2.call(&v2_order(&day.shop)).await.unwrap();
    v3.call(&v3_order(&day.shop)).await.unwrap();
    day.sandbox.pay(V2, order_no().as_str()).unwrap();
    day.sandbox.pay(V3, order_no().as_str()).unwrap();
    (v2, v3)
}

async fn settle_v3(day: &Day, client: &Client<wechat_v3::Account>) -> SettleVerdict {
    let (refund, query) = (of_v3(), wechat_v3::ops::QueryRefund::new(refund_no()));
    let standing = wechat_v3::RefundRecord::standing;
    let settling = client.settle(&refund, &query, &wechat_v3::settle::REFUND, standing);
    settling.call(&day.shop.sleep()).await.unwrap().verdict
}

async fn settle_v2(day: &Day, client: &Client<wechat_v2::Account>) -> SettleVerdict {
    let (refund, query) = (of_v2(), wechat_v2::ops::QueryRefund::by_refund_no(refund_no()));
    let standing = wechat_v2::ops::QueriedRefunds::standing;
    let settling = client.settle(&refund, &query, &wechat_v2::settle::REFUND, standing);
    settling.call(&day.shop.sleep()).await.unwrap().verdict
}

#[tokio::test]
pub async fn a_refund_whose_answer_was_cut_goes_back_once() {
    let day = Day::begin("refund-answer-cut").await;
    let (v2, v3) = paid(&day).await;
    let accepted = SettleVerdict::Happened(Standing::Accepted);
    assert_eq!(settle_v3(&day, &v3).await, accepted);
    assert_eq!(settle_v2(&day, &v2).await, accepted);
    for platform in [V2, V3] {
        assert_eq!(day.struck(platform, "refund", FaultKind::CutReply), 1);
        assert_eq!(day.shop.calls(platform, "refund"), 1);
        assert_eq!(day.book(platform), [(OrderState::Refunding, 500)]);
    }

    // Who asks again under a new number pays back twice.
    let day = Day::begin("refund-answer-cut").await;
    let (_, v3) = paid(&day).await;
    let mut refund = of_v3();
    assert_eq!(v3.call(&refund).await.unwrap_err().fate(), Fate::Unknown);
    refund.refund_no = RefundNo::new("REFUND20251009000002").unwrap();
    v3.call(&refund).await.unwrap();
    assert_eq!(day.book(V3), [(OrderState::Refunding, 1000)]);
}

#[tokio::test]
pub async fn a_refund_with_a_system_error_goes_back_once() {
    let day = Day::begin("system-error-on-refund").await;
    let (v2, v3) = paid(&day).await;
    // On APIv3 nothing had happened, so the query finds nothing and the same refund is sent again.
    assert_eq!(settle_v3(&day, &v3).await, SettleVerdict::Replied);
    assert_eq!(day.shop.calls(V3, "refund"), 2);
    let error = FaultKind::Refuse("SYSTEM_ERROR".parse().unwrap());
    assert_eq!(day.struck(V3, "refund", error), 1);
    // On v2 it had.
    assert_eq!(settle_v2(&day, &v2).await, SettleVerdict::Happened(Standing::Accepted));
    assert_eq!(day.shop.calls(V2, "refund"), 1);
    assert_eq!(day.struck(V2, "refund", FaultKind::SystemError), 1);
    for platform in [V2, V3] {
        assert_eq!(day.book(platform), [(OrderState::Refunding, 500)]);
    }
}

#[tokio::test]
pub async fn a_refund_that_lacked_balance_is_repeated_under_its_number() {
    let day = Day::begin("refund-without-balance").await;
    let (v2, v3) = paid(&day).await;
    let error = v3.call(&of_v3()).await.unwrap_err();
    let refusal = error.refusal().unwrap();
    assert_eq!((refusal.code.as_str(), refusal.verified), ("NOT_ENOUGH", true));
    assert_eq!(error.fate(), Fate::Refused);
    let error = v2.call(&of_v2()).await.err().unwrap();
    assert_eq!(error.refusal().unwrap().code, "NOTENOUGH");
    assert_eq!(error.fate(), Fate::Refused);
    for platform in [V2, V3] {
        assert_eq!(day.book(platform), [(OrderState::Paid, 0)]);
    }
    // The account is filled.
    v3.call(&of_v3()).await.unwrap();
    v2.call(&of_v2()).await.unwrap();
    for platform in [V2, V3] {
        assert_eq!(day.book(platform), [(OrderState::Refunding, 500)]);
    }
}
