//! A till of version 2 against the sandbox: what the payer does, what gets lost, and what is charged in the end.

use std::sync::Arc;
use std::sync::atomic::{AtomicU32, Ordering};
use std::time::Duration;

use yuanfen::core::{CodePaymentOutcome as Outcome, OperationExt as _};
use yuanfen::transport::{Sleep, TakenCodePayment};
use yuanfen::wechat_v2::ops::{
    AuthCode, ExchangeAuthCode, Micropay, PaidOrder, QueriedOrder, QueryComments, ReversedOrder, ShortenLink,
};
use yuanfen_sandbox::{FaultKind, FaultPlan, FaultRule, OrderState, Payer, Platform, Reaction};

use crate::shop::{START, Shop, amount, order_no};

const V2: Platform = Platform::WechatV2;

type Taken = TakenCodePayment<PaidOrder, QueriedOrder, ReversedOrder>;

fn code_of(shop: &Shop, reaction: Reaction) -> AuthCode {
    let mut payer = Payer::default();
    payer.reaction = reaction;
    AuthCode::new(shop.far_side.payment_code(V2, payer))
}

fn payment(shop: &Shop, reaction: Reaction) -> Micropay {
    let machine = "198.51.100.9".parse().unwrap();
    Micropay::new(order_no(), amount(), "noodles", machine, code_of(shop, reaction))
}

/// Sleeps on the sandbox's clock; at the nth time the payer does something.
fn sleeping<'a>(shop: &'a Shop, nth: u32, acts: impl Fn(&Shop) + Send + Sync + 'a) -> impl Sleep + 'a {
    let slept = Arc::new(AtomicU32::new(0));
    move |duration: Duration| {
        if slept.fetch_add(1, Ordering::Relaxed) + 1 == nth {
            acts(shop);
        }
        shop.pass(duration);
        async {}
    }
}

async fn take(shop: &Shop, reaction: Reaction) -> Taken {
    let client = shop.client(shop.wechat_v2());
    let payment = payment(shop, reaction);
    client.take_code_payment(&payment).call(&shop.sleep()).await
}

fn state(shop: &Shop) -> OrderState {
    shop.far_side.order(V2, order_no().as_str()).unwrap().state()
}

fn seconds(shop: &Shop) -> i64 {
    shop.now().seconds() - START
}

#[tokio::test]
async fn a_payer_who_pays_has_paid_at_once() {
    let shop = Shop::open();
    let taken = take(&shop, Reaction::Pays).await;
    assert_eq!(taken.outcome, Outcome::Paid);
    let paid = taken.reply.unwrap();
    assert_eq!((paid.total, paid.order_no), (amount().fen(), order_no()));
    assert_eq!(
        (
            shop.calls(V2, "micropay"),
            shop.calls(V2, "query-order"),
            seconds(&shop)
        ),
        (1, 0, 0)
    );
    assert_eq!(state(&shop), OrderState::Paid);
}

#[tokio::test]
async fn a_payer_who_types_is_waited_for() {
    for (reaction, nth, at) in [(Reaction::Types, 2, 20), (Reaction::BankSilent, 2, 15)] {
        let shop = Shop::open();
        let client = shop.client(shop.wechat_v2());
        let payment = payment(&shop, reaction);
        let sleep = sleeping(&shop, nth, |shop| {
            shop.far_side.pay(V2, order_no().as_str()).unwrap();
        });
        let taken = client.take_code_payment(&payment).call(&sleep).await;
        assert_eq!(taken.outcome, Outcome::Paid, "{reaction:?}");
        assert_eq!(taken.found.unwrap().total, Some(amount().fen()));
        assert_eq!(
            (seconds(&shop), shop.calls(V2, "reverse-order")),
            (at, 0),
            "{reaction:?}"
        );
    }
}

#[tokio::test]
async fn a_payer_who_never_types_is_reversed_and_charged_nothing() {
    for reaction in [Reaction::Types, Reaction::BankSilent] {
        let shop = Shop::open();
        let taken = take(&shop, reaction).await;
        assert_eq!(taken.outcome, Outcome::Reversed, "{reaction:?}");
        assert!(taken.reversed.unwrap().is_done());
        assert_eq!(
            (seconds(&shop), shop.calls(V2, "reverse-order")),
            (45, 1),
            "{reaction:?}"
        );
        assert_eq!(state(&shop), OrderState::Revoked);
        // The number is used up.
        let again = take(&shop, Reaction::Pays).await;
        assert_eq!(again.outcome, Outcome::Refused);
        assert_eq!(again.last_error.unwrap().refusal().unwrap().code, "ORDERREVERSED");
    }
}

#[tokio::test]
async fn a_payer_who_cannot_pay_is_told_so() {
    for (reaction, code) in [
        (Reaction::LacksMoney, "NOTENOUGH"),
        (Reaction::CardRefused, "NOTSUPORTCARD"),
        (Reaction::Refused, "TRADE_ERROR"),
    ] {
        let shop = Shop::open();
        let taken = take(&shop, reaction).await;
        assert_eq!(taken.outcome, Outcome::Refused);
        assert_eq!(taken.last_error.unwrap().refusal().unwrap().code, code);
        assert_eq!(shop.calls(V2, "query-order"), 0);
    }
}

#[tokio::test]
async fn a_payment_whose_answer_is_no_answer_is_found_by_its_number() {
    for kind in [
        FaultKind::LoseReply,
        FaultKind::CutReply,
        FaultKind::Status(502),
        FaultKind::EmptyReply,
        FaultKind::CorruptSignature,
    ] {
        let shop = Shop::open();
        shop.fault(FaultRule::new(kind).on(V2).during("micropay"));
        let taken = take(&shop, Reaction::Pays).await;
        assert_eq!(taken.outcome, Outcome::Paid, "{kind:?}");
        assert_eq!(taken.found.unwrap().order_no, order_no());
        assert_eq!((shop.calls(V2, "micropay"), seconds(&shop)), (1, 5), "{kind:?}");
    }
}

/// It never arrived: asked about, the reversal tried, and then believed to be absent.
#[tokio::test]
async fn a_payment_that_never_arrived_charges_nothing() {
    for kind in [FaultKind::LoseRequest, FaultKind::UnsignedError] {
        let shop = Shop::open();
        shop.fault(FaultRule::new(kind).on(V2).during("micropay"));
        let taken = take(&shop, Reaction::Pays).await;
        assert_eq!(taken.outcome, Outcome::Absent, "{kind:?}");
        assert!(shop.far_side.order(V2, order_no().as_str()).is_none());
        assert_eq!(shop.calls(V2, "reverse-order"), 1, "{kind:?}");
    }
}

/// Nothing that is asked is answered, and the reversal refunds what had been paid.
#[tokio::test]
async fn what_stays_unclear_is_reversed_and_a_payer_who_had_paid_gets_it_back() {
    let shop = Shop::open();
    let plan = FaultPlan::from(FaultRule::new(FaultKind::LoseReply).on(V2).during("micropay"))
        .with(FaultRule::new(FaultKind::Status(502)).on(V2).during("query-order"));
    shop.far_side.set_faults(plan);
    let taken = take(&shop, Reaction::Pays).await;
    assert_eq!((taken.outcome, seconds(&shop)), (Outcome::Reversed, 45));
    let order = shop.far_side.order(V2, order_no().as_str()).unwrap();
    let back: Vec<_> = order.refunds.iter().map(|refund| refund.amount).collect();
    assert_eq!(back, [amount().fen()]);
}

#[tokio::test]
async fn a_reversal_is_called_again_until_it_is_answered() {
    // The platform says so, or the reversal itself has timed out.
    let shop = Shop::open();
    shop.far_side.recall_wechat_v2_reversals(2);
    assert_eq!(take(&shop, Reaction::Types).await.outcome, Outcome::Reversed);
    assert_eq!((shop.calls(V2, "reverse-order"), seconds(&shop)), (3, 55));

    for kind in [
        FaultKind::LoseReply,
        FaultKind::LoseRequest,
        FaultKind::Status(504),
        FaultKind::CorruptSignature,
    ] {
        let shop = Shop::open();
        shop.fault(FaultRule::new(kind).on(V2).during("reverse-order").first(2));
        let taken = take(&shop, Reaction::Types).await;
        assert_eq!(taken.outcome, Outcome::Reversed, "{kind:?}");
        assert_eq!((shop.calls(V2, "reverse-order"), seconds(&shop)), (3, 55), "{kind:?}");
        assert_eq!(state(&shop), OrderState::Revoked);
    }
    // None is ever answered: the query finds it reversed.
    let shop = Shop::open();
    shop.fault(FaultRule::new(FaultKind::LoseReply).on(V2).during("reverse-order"));
    let taken = take(&shop, Reaction::Types).await;
    assert_eq!(taken.outcome, Outcome::Reversed);
    assert!(taken.reversed.is_none());
    assert_eq!(state(&shop), OrderState::Revoked);
}

#[tokio::test]
async fn a_payment_is_taken_up_again_by_its_number_and_never_charged_twice() {
    let shop = Shop::open();
    let client = shop.client(shop.wechat_v2());
    // The first process died right behind the payment call.
    let request = payment(&shop, Reaction::Types)
        .request(client.provider(), &shop.time())
        .unwrap();
    drop(shop.far_side.answer(&request).unwrap());
    let taken = client
        .resume_code_payment::<Micropay>(order_no())
        .give_up_when(std::future::ready(()))
        .call(&shop.sleep())
        .await;
    assert_eq!(taken.outcome, Outcome::Reversed);
    assert_eq!(shop.calls(V2, "micropay"), 1);
    assert_eq!(state(&shop), OrderState::Revoked);
}

#[tokio::test]
async fn the_small_calls_are_answered() {
    let shop = Shop::open();
    let account = shop.wechat_v2();
    let client = shop.client(Arc::clone(&account));
    let code = code_of(&shop, Reaction::Pays);
    let whose = client.call(&ExchangeAuthCode::new(code.clone())).await.unwrap();
    let mut payment = payment(&shop, Reaction::Pays);
    payment.auth_code = code;
    let paid = client.call(&payment).await.unwrap();
    assert_eq!(paid.openid, whose.openid);

    // Signed raw, sent escaped: the sandbox checks the signature over what it unescaped.
    let link = account.native_link("item 1/é&x=1", &shop.time()).unwrap();
    let short = client.call(&ShortenLink::new(link)).await.unwrap();
    assert!(short.short_url.starts_with("weixin://"), "{}", short.short_url);

    let words = "good, `very` good,`yes";
    shop.far_side.comment(V2, order_no().as_str(), 4, words).unwrap();
    let day = QueryComments::between(shop.now(), shop.now());
    let page = client.call(&day).await.unwrap();
    let [comment] = &page.comments[..] else {
        panic!("{page:?}")
    };
    assert_eq!((comment.stars, &*comment.text), (4, words));
    assert_eq!(comment.transaction_id, paid.transaction_id);
    let next = day.next_page(&page).unwrap();
    assert!(client.call(&next).await.unwrap().comments.is_empty());
}
