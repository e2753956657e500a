//! The three acquirers: what creates an order there is never sent twice, and what nobody signed settles nothing.

use std::sync::Arc;
use std::time::Duration;

use yuanfen::core::{
    Advice, Error, Fate, Lookup, Notice, NotificationSource as _, OpenError, SettleVerdict, Standing, Transition,
};
use yuanfen::transport::Settled;
use yuanfen::{fshows, mpgateway, starpos};
use yuanfen_sandbox::{FaultKind, FaultRule, NoticeOutcome, Platform, StarposPush};

use crate::shop::{Shop, amount, fshows_order, mpgateway_order, order_no, starpos_order};

const ACQUIRERS: [Platform; 3] = [Platform::Starpos, Platform::Fshows, Platform::Mpgateway];

/// Where the call takes effect and its reply does not say so.
const DONE: &[FaultKind] = &[
    FaultKind::LoseReply,
    FaultKind::CutReply,
    FaultKind::Status(500),
    FaultKind::Status(502),
    FaultKind::EmptyReply,
    FaultKind::Accepted,
];

/// Where nothing was done and the reply does not say so.
const NOT_DONE: &[FaultKind] = &[FaultKind::LoseRequest, FaultKind::UnsignedError];

/// What a settlement came to, whatever the route.
struct Outcome {
    error: Error,
    verdict: SettleVerdict,
    replied: bool,
}

fn outcome<R, Q>(error: Error, settled: &Settled<R, Q>) -> Outcome {
    Outcome {
        error,
        verdict: settled.verdict,
        replied: settled.reply.is_some(),
    }
}

async fn place_and_settle(shop: &Shop, platform: Platform) -> Outcome {
    match platform {
        Platform::Starpos => {
            let client = shop.client(shop.starpos());
            let order = starpos_order(shop);
            let query = starpos::ops::QueryOrder::by_trade_no(&order_no());
            let error = client.call(&order).await.err().unwrap();
            let settling = client.settle(
                &order,
                &query,
                &starpos::settle::ORDER,
                starpos::ops::QueriedOrder::standing,
            );
            outcome(error, &settling.after(Fate::Unknown, &shop.sleep()).await)
        }
        Platform::Fshows => {
            let client = shop.client(shop.fshows());
            let order = fshows_order(shop);
            let query = fshows::ops::QueryOrder::by_order_no(order_no());
            let error = client.call(&order).await.err().unwrap();
            let settling = client.settle(
                &order,
                &query,
                &fshows::settle::ORDER,
                fshows::ops::QueriedOrder::standing,
            );
            outcome(error, &settling.after(Fate::Unknown, &shop.sleep()).await)
        }
        _ => {
            let client = shop.client(shop.mpgateway());
            let order = mpgateway_order(shop);
            let query = mpgateway::ops::QueryOrder::by_order_no(order_no());
            let error = client.call(&order).await.err().unwrap();
            let settling = client.settle(
                &order,
                &query,
                &mpgateway::settle::ORDER,
                mpgateway::ops::QueriedOrder::standing,
            );
            outcome(error, &settling.after(Fate::Unknown, &shop.sleep()).await)
        }
    }
}

#[tokio::test]
async fn an_acquirers_order_without_its_reply_is_found_and_not_sent_again() {
    for platform in ACQUIRERS {
        // Where the reply is signed, a spoiled signature is one more way.
        let spoiled = (platform == Platform::Mpgateway).then_some(&FaultKind::CorruptSignature);
        for kind in DONE.iter().chain(spoiled) {
            let shop = Shop::open();
            shop.fault(FaultRule::new(*kind).during("place-order").nth(1));
            let outcome = place_and_settle(&shop, platform).await;
            assert_eq!(
                outcome.error.fate(),
                Fate::Unknown,
                "{platform} {kind}: {}",
                outcome.error
            );
            assert_eq!(outcome.error.advice(), Advice::QueryFirst, "{platform} {kind}");
            assert_eq!(
                outcome.verdict,
                SettleVerdict::Happened(Standing::Accepted),
                "{platform} {kind}"
            );
            assert!(!outcome.replied, "{platform} {kind}");
            assert_eq!(shop.calls(platform, "place-order"), 1, "{platform} {kind}");
            assert_eq!(shop.far_side.orders(platform).len(), 1, "{platform} {kind}");
        }
    }
}

#[tokio::test]
async fn an_acquirers_order_that_never_arrived_is_not_sent_again_either() {
    for platform in ACQUIRERS {
        // Only fshows has a code for "no such order". The others' silence proves nothing, and is not taken for absence.
        let verdict = match platform {
            Platform::Fshows => SettleVerdict::Absent,
            _ => SettleVerdict::StillUnknown,
        };
        for kind in NOT_DONE {
            let shop = Shop::open();
            shop.fault(FaultRule::new(*kind).during("place-order").nth(1));
            let outcome = place_and_settle(&shop, platform).await;
            assert_eq!(
                outcome.error.fate(),
                Fate::Unknown,
                "{platform} {kind}: {}",
                outcome.error
            );
            assert_eq!(outcome.error.advice(), Advice::QueryFirst, "{platform} {kind}");
            assert_eq!(outcome.verdict, verdict, "{platform} {kind}");
            assert_eq!(shop.calls(platform, "place-order"), 1, "{platform} {kind}");
            assert!(shop.far_side.orders(platform).is_empty(), "{platform} {kind}");
        }
    }
}

#[tokio::test]
async fn a_plain_push_of_starpos_only_says_what_to_ask_for() {
    let shop = Shop::open();
    shop.far_side.set_starpos_push_url("https://shop.example/starpos");
    let account = shop.starpos();
    let client = shop.client(account.clone());
    client.call(&starpos_order(&shop)).await.unwrap();
    shop.far_side.pay(Platform::Starpos, order_no().as_str()).unwrap();

    let received = shop.receive(&*account);
    let [(Ok(Notice::Hint(hint)), NoticeOutcome::Acknowledged { .. })] = received.as_slice() else {
        panic!("{received:?}")
    };
    assert!(!hint.is_signed);
    assert_eq!(hint.lookup, Lookup::Order(order_no()));
    assert!(matches!(hint.alias, Some(Lookup::RemoteOrder(_))));
    let query = starpos::ops::QueryOrder::of_hint(hint).unwrap();
    let found = client.call(&query).await.unwrap();
    assert_eq!(
        (found.standing(), found.amount),
        (Standing::Succeeded, Some(amount().fen()))
    );
}

#[tokio::test]
async fn a_forged_push_leads_to_a_question_and_to_nothing_else() {
    let shop = Shop::open();
    let account = shop.starpos();
    let client = shop.client(account.clone());
    client.call(&starpos_order(&shop)).await.unwrap();
    // Anybody can write this: paid, the right numbers, a glorious amount.
    let forged = starpos::test_util::forge_push(
        &account,
        &[
            ("logNo", "20251009000000000001"),
            ("TxnCode", "N007"),
            ("TxnStatus", "1"),
            ("TxnAmt", "12.30"),
            ("ChannelId", order_no().as_str()),
        ],
    )
    .unwrap();
    let Ok(Notice::Hint(hint)) = account.open_notification(&forged, shop.now()) else {
        panic!("a push that nobody signed proved something")
    };
    let query = starpos::ops::QueryOrder::of_hint(&hint).unwrap();
    assert!(client.call(&query).await.is_err(), "there is no such payment");
    let query = starpos::ops::QueryOrder::by_trade_no(&order_no());
    assert_eq!(client.call(&query).await.unwrap().standing(), Standing::Accepted);
}

/// An account that opens encrypted pushes, on a side that sends them.
pub fn starpos_receiver(shop: &Shop) -> starpos::Account {
    shop.far_side.set_starpos_push_url("https://shop.example/starpos");
    shop.far_side.set_starpos_push(StarposPush::Encrypted);
    let given = shop.far_side.starpos();
    let keys = starpos::notify::PushKeys::new(
        given.push_md5_key.expose().clone(),
        given.push_private_key_pem.expose(),
        Arc::new(shop.time()),
    );
    (*shop.starpos()).clone().with_push_keys(keys.unwrap())
}

#[tokio::test]
async fn an_encrypted_push_of_starpos_settles_what_it_says() {
    let shop = Shop::open();
    let account = starpos_receiver(&shop);
    shop.client(account.clone()).call(&starpos_order(&shop)).await.unwrap();
    shop.fault(FaultRule::new(FaultKind::CorruptSignature).during("pay-notice").nth(1));
    shop.far_side.pay(Platform::Starpos, order_no().as_str()).unwrap();

    let mut received = Vec::new();
    for _ in 0..1440 {
        received.extend(shop.receive(&account));
        shop.pass(Duration::from_secs(60));
    }
    let [
        (Err(OpenError::Signature(_)), NoticeOutcome::Refused { .. }),
        (Ok(Notice::Settles(push)), NoticeOutcome::Acknowledged { .. }),
    ] = received.as_slice()
    else {
        panic!("{received:?}")
    };
    assert_eq!(account.key(push.get()).transition, Transition::OrderPaid);
    let facts = account.facts(push.get());
    assert_eq!(facts.amount, Some(amount().fen()));
    assert_eq!(facts.order_no.as_deref(), Some(order_no().as_str()));
}

#[tokio::test]
async fn a_call_back_of_fshows_is_checked_and_still_only_a_hint() {
    let shop = Shop::open();
    let account = shop.fshows();
    let client = shop.client(account.clone());
    client.call(&fshows_order(&shop)).await.unwrap();
    shop.fault(FaultRule::new(FaultKind::CorruptSignature).during("pay-notice").nth(1));
    shop.far_side.pay(Platform::Fshows, order_no().as_str()).unwrap();

    let received = shop.receive(&*account);
    assert!(
        matches!(
            received.as_slice(),
            [(Err(OpenError::Signature(_)), NoticeOutcome::Refused { .. })]
        ),
        "{received:?}"
    );
    // Nothing is published of when it comes again; the sandbox's own ladder is well within a day.
    let mut received = Vec::new();
    for _ in 0..1440 {
        shop.pass(Duration::from_secs(60));
        received.extend(shop.receive(&*account));
    }
    let [(Ok(Notice::Hint(hint)), NoticeOutcome::Acknowledged { .. })] = received.as_slice() else {
        panic!("{received:?}")
    };
    assert!(hint.is_signed);
    assert_eq!(hint.lookup, Lookup::Order(order_no()));
    let found = client
        .call(&fshows::ops::QueryOrder::of_hint(hint).unwrap())
        .await
        .unwrap();
    assert!(found.state.is_paid());
    assert_eq!(found.amount, Some(amount().fen()));
}

#[tokio::test]
async fn paid_and_settled_are_two_events_of_one_mpgateway_order() {
    let shop = Shop::open();
    shop.far_side.hold_mpgateway_payments(true);
    let account = shop.mpgateway();
    shop.client(account.clone())
        .call(&mpgateway_order(&shop))
        .await
        .unwrap();
    shop.fault(FaultRule::new(FaultKind::DuplicateNotice));
    shop.far_side.pay(Platform::Mpgateway, order_no().as_str()).unwrap();

    let mut events = Vec::new();
    for _ in 0..60 {
        for (notice, outcome) in shop.receive(&*account) {
            assert!(matches!(outcome, NoticeOutcome::Acknowledged { .. }), "{outcome:?}");
            let Ok(Notice::Settles(event)) = notice else {
                panic!("{notice:?}")
            };
            events.push((account.key(event.get()), account.facts(event.get())));
        }
        shop.pass(Duration::from_secs(10));
    }
    let transitions: Vec<_> = events.iter().map(|(key, _)| key.transition).collect();
    assert_eq!(
        transitions,
        [
            Transition::OrderPaid,
            Transition::OrderPaid,
            Transition::OrderSettled,
            Transition::OrderSettled
        ]
    );
    // Doubles agree in key and facts; the two events differ in both, and not in the amount.
    assert_eq!(events[0], events[1]);
    assert_eq!(events[2], events[3]);
    assert_ne!(events[0].0, events[2].0);
    assert!(events.iter().all(|(_, facts)| facts.amount == Some(amount().fen())));
}
