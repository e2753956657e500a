//! At the till: one charge, or everything back.

use yuanfen::core::{CodePaymentOutcome as Outcome, Fate, OrderNo};
use yuanfen::wechat_v2::ops::{AuthCode, Micropay};
use yuanfen::wechat_v3::ops::PayByCode;
use yuanfen::wechat_v3::{self, Till};
use yuanfen_sandbox::{FaultKind, OrderState, Payer, Platform, Reaction};

use super::Day;
use crate::shop::{amount, order_no};

const V2: Platform = Platform::WechatV2;
const V3: Platform = Platform::WechatV3;

fn code(day: &Day, platform: Platform, reaction: Reaction) -> String {
    let mut payer = Payer::default();
    payer.reaction = reaction;
    day.sandbox.payment_code(platform, payer)
}

fn of_v3(day: &Day, reaction: Reaction) -> PayByCode {
    let code = wechat_v3::AuthCode::new(code(day, V3, reaction));
    PayByCode::new(
        order_no(),
        amount(),
        "noodles",
        code,
        Till::at("198.51.100.9".parse().unwrap()),
    )
}

fn of_v2(day: &Day, reaction: Reaction) -> Micropay {
    let code = AuthCode::new(code(day, V2, reaction));
    Micropay::new(order_no(), amount(), "noodles", "198.51.100.9".parse().unwrap(), code)
}

#[tokio::test]
pub async fn a_payer_whose_charge_lost_its_reply_is_charged_once_on_v3() {
    let day = Day::begin("reply-lost-after-payment").await;
    let client = day.client(day.shop.wechat_v3());
    let payment = of_v3(&day, Reaction::Pays);
    let taken = client.take_code_payment(&payment).call(&day.shop.sleep()).await;
    assert_eq!(taken.outcome, Outcome::Paid);
    assert_eq!(day.struck(V3, "pay-by-code", FaultKind::LoseReply), 1);
    assert_eq!(day.shop.calls(V3, "pay-by-code"), 1);
    assert_eq!(day.book(V3), [(OrderState::Paid, 0)]);

    // Who asks for another code and takes a new number has the money twice.
    let day = Day::begin("reply-lost-after-payment").await;
    let client = day.client(day.shop.wechat_v3());
    let error = client.call(&of_v3(&day, Reaction::Pays)).await.err().unwrap();
    assert_eq!(error.fate(), Fate::Unknown);
    let mut again = of_v3(&day, Reaction::Pays);
    again.order_no = OrderNo::portable("SHOP20251009000002").unwrap();
    client.call(&again).await.unwrap();
    assert_eq!(day.book(V3), [(OrderState::Paid, 0), (OrderState::Paid, 0)]);
}

#[tokio::test]
pub async fn a_payer_whose_charge_lost_its_reply_is_charged_once_on_v2() {
    let day = Day::begin("reply-lost-after-payment").await;
    let client = day.client(day.shop.wechat_v2());
    let payment = of_v2(&day, Reaction::Pays);
    let taken = client.take_code_payment(&payment).call(&day.shop.sleep()).await;
    assert_eq!(taken.outcome, Outcome::Paid);
    assert_eq!(day.struck(V2, "micropay", FaultKind::LoseReply), 1);
    assert_eq!(day.shop.calls(V2, "micropay"), 1);
    assert_eq!(day.book(V2), [(OrderState::Paid, 0)]);
}

/// The order was paid at the last moment, and all of it went back.
fn all_back(day: &Day, platform: Platform) {
    assert_eq!(day.struck(platform, "reverse-order", FaultKind::PayBefore), 1);
    assert_eq!(day.struck(platform, "reverse-order", FaultKind::LoseReply), 1);
    assert_eq!(day.shop.calls(platform, "reverse-order"), 2);
    let order = day.sandbox.order(platform, order_no().as_str()).unwrap();
    assert!(order.payment.is_some(), "the payer did not type");
    assert_eq!(day.book(platform), [(OrderState::Revoked, amount().fen().get())]);
}

#[tokio::test]
pub async fn a_payer_who_typed_before_a_lost_reversal_has_everything_back_on_v3() {
    let day = Day::begin("till-reversal-lost").await;
    let client = day.client(day.shop.wechat_v3());
    let payment = of_v3(&day, Reaction::Types);
    let taken = client.take_code_payment(&payment).call(&day.shop.sleep()).await;
    assert_eq!(taken.outcome, Outcome::Reversed);
    all_back(&day, V3);
}

#[tokio::test]
pub async fn a_payer_who_typed_before_a_lost_reversal_has_everything_back_on_v2() {
    let day = Day::begin("till-reversal-lost").await;
    let client = day.client(day.shop.wechat_v2());
    let payment = of_v2(&day, Reaction::Types);
    let taken = client.take_code_payment(&payment).call(&day.shop.sleep()).await;
    assert_eq!(taken.outcome, Outcome::Reversed);
    all_back(&day, V2);
}
