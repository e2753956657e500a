//! What a query finds is the event that the notice tells of: the same key, and no fact that both name and that differs.

use std::time::Duration;

use yuanfen::core::{
    EventKey, Facts, Fen, Finding, Notice, NotificationSource, Operation, OrderNo, PayAmount, Provider, RefundNo,
    Standing, Transition,
};
use yuanfen::transport::Client;
use yuanfen::wechat_v3::Account as V3;
use yuanfen::{fshows, mpgateway, starpos, wechat_v2, wechat_v3};
use yuanfen_sandbox::{Account as Orders, Platform, RefundState};

use crate::acquirers::starpos_receiver;
use crate::combined;
use crate::shop::{
    Shop, amount, fshows_order, mpgateway_order, notify_url, order_no, starpos_order, v2_order, v3_order,
};
use crate::v2_provider;

const REFUND_ENDS: [(RefundState, Transition, bool); 3] = [
    (RefundState::Succeeded, Transition::RefundSucceeded, true),
    (RefundState::Closed, Transition::RefundClosed, true),
    // It still has to be handled.
    (RefundState::Abnormal, Transition::RefundAbnormal, false),
];

fn refund_no() -> RefundNo {
    RefundNo::new("REFUND20251009000001").unwrap()
}

fn part() -> PayAmount {
    PayAmount::from_fen(500).unwrap()
}

/// What a notice tells: its key, its facts, and whether nothing further is to be heard.
type Told = (EventKey, Facts, bool);

fn read_notice<P: NotificationSource>(account: &P, notice: &Notice<P::Event>) -> Told {
    let Notice::Settles(event) = notice else {
        panic!("a hint settles nothing")
    };
    let event = event.get();
    (account.key(event), account.facts(event), account.is_over(event))
}

/// What the one notice that is due tells.
fn told<P: NotificationSource>(shop: &Shop, account: &P) -> Told {
    let [(Ok(notice), _)] = &shop.receive(account)[..] else {
        panic!("not one notice")
    };
    read_notice(account, notice)
}

/// What the query finds, answered or refused.
async fn found<P, Q>(client: &Client<P>, query: &Q, read: fn(&P, &Q::Reply) -> Finding) -> Finding
where
    P: Provider,
    Q: Operation<Provider = P>,
{
    Finding::of_query(client.call(query).await, |answer| read(client.provider(), answer)).unwrap()
}

/// Neither the notice nor the query could take effect after the other, and neither would be called a conflict.
fn expect_same((key, facts, is_over): &Told, finding: &Finding) {
    let [(found_key, found_facts)] = &finding.settled[..] else {
        panic!("one transition: {finding:?}")
    };
    assert_eq!((found_key, finding.is_over), (key, *is_over));
    assert_eq!(found_facts.contradiction(facts), None, "{found_facts:?} {facts:?}");
    for facts in [facts, found_facts] {
        assert!(facts.amount.is_some() && facts.order_no.is_some() && facts.merchant.is_some());
    }
}

fn expect_open(finding: &Finding, standing: Standing) {
    assert_eq!(*finding, Finding::open(standing));
}

/// `order_no`, and nothing of the money: what is told of an order that nobody paid.
fn expect_closed(finding: &Finding, end_state: &str) {
    assert_eq!((finding.standing, finding.is_over), (Standing::Failed, true));
    let [(key, facts)] = &finding.settled[..] else {
        panic!("one transition: {finding:?}")
    };
    assert_eq!(key.transition, Transition::OrderClosed);
    assert_eq!(facts.order_no.as_deref(), Some(&*key.subject));
    assert_eq!((&*facts.end_state, &facts.remote_id), (end_state, &None));
}

fn v2_query() -> wechat_v2::ops::QueryOrder {
    wechat_v2::ops::QueryOrder::by_order_no(order_no())
}

fn v3_query() -> wechat_v3::ops::QueryOrder {
    wechat_v3::ops::QueryOrder::by_order_no(order_no())
}

fn starpos_query() -> starpos::ops::QueryOrder {
    starpos::ops::QueryOrder::by_trade_no(&order_no())
}

fn fshows_query() -> fshows::ops::QueryOrder {
    fshows::ops::QueryOrder::by_order_no(order_no())
}

fn mpgateway_query() -> mpgateway::ops::QueryOrder {
    mpgateway::ops::QueryOrder::by_order_no(order_no())
}

/// A merchant's own v2 account, and a provider's for one of its merchants, each with an order of theirs.
fn v2_sides(shop: &Shop) -> [(wechat_v2::Account, Orders, wechat_v2::ops::PlaceOrder); 2] {
    let (_, of_a_merchant, _) = v2_provider::merchants(shop);
    let payer = wechat_v2::Payer::OpenId(shop.far_side.wechat_v2_provider().openid);
    [
        ((*shop.wechat_v2()).clone(), Platform::WechatV2.into(), v2_order(shop)),
        (
            (*of_a_merchant).clone(),
            Orders::provider(Platform::WechatV2),
            v2_provider::order(payer),
        ),
    ]
}

#[tokio::test]
async fn a_paid_v2_order_is_one_event_for_the_notice_and_the_query_also_when_it_is_refunded() {
    for side in 0..2 {
        let shop = Shop::open();
        let (account, orders, order) = v2_sides(&shop).into_iter().nth(side).unwrap();
        let client = shop.client(account.clone());
        client.call(&order).await.unwrap();
        let read = wechat_v2::Account::order_finding;
        expect_open(&found(&client, &v2_query(), read).await, Standing::Accepted);

        shop.far_side.pay(orders, order_no().as_str()).unwrap();
        let told = told(&shop, &account);
        let paid = found(&client, &v2_query(), read).await;
        expect_same(&told, &paid);
        assert_eq!((paid.standing, paid.is_over), (Standing::Succeeded, true));
        assert_eq!(paid.settled[0].1, told.1, "the query names every fact of the notice");

        let key = wechat_v2::ops::OrderKey::Merchant(order_no());
        let refund = wechat_v2::ops::Refund::new(key, refund_no(), part(), amount());
        client.call(&refund).await.unwrap();
        assert_eq!(
            client.call(&v2_query()).await.unwrap().trade_state,
            wechat_v2::TradeState::Refund
        );
        assert_eq!(found(&client, &v2_query(), read).await, paid);
    }
}

/// The notice of a v2 refund is a hint, so the query alone settles it.
#[tokio::test]
async fn a_v2_refund_is_settled_by_its_query() {
    for (end, transition, is_over) in REFUND_ENDS {
        let shop = Shop::open();
        let client = shop.client(shop.wechat_v2());
        client.call(&v2_order(&shop)).await.unwrap();
        shop.far_side.pay(Platform::WechatV2, order_no().as_str()).unwrap();
        shop.lose_notices();
        let query = wechat_v2::ops::QueryRefund::by_refund_no(refund_no());
        let read = wechat_v2::Account::refund_finding;
        expect_open(&found(&client, &query, read).await, Standing::NotFound);

        let key = wechat_v2::ops::OrderKey::Merchant(order_no());
        let mut refund = wechat_v2::ops::Refund::new(key.clone(), refund_no(), part(), amount());
        refund.notify_url = Some(notify_url());
        client.call(&refund).await.unwrap();
        expect_open(&found(&client, &query, read).await, Standing::Accepted);

        shop.far_side
            .settle_refund(Platform::WechatV2, refund_no().as_str(), end)
            .unwrap();
        let [(Ok(Notice::Hint(hint)), _)] = &shop.receive(client.provider())[..] else {
            panic!("not one hint")
        };
        let query = wechat_v2::ops::QueryRefund::of_hint(hint).unwrap();
        let finding = found(&client, &query, read).await;
        let given = shop.far_side.wechat_v2();
        let [(key, facts)] = &finding.settled[..] else {
            panic!("{finding:?}")
        };
        assert_eq!(
            *key,
            EventKey::new("wechat-v2", &*given.merchant_id, refund_no().as_str(), transition)
        );
        assert_eq!(facts.amount, Some(Fen::new(500)));
        assert_eq!(facts.currency.as_deref(), Some("CNY"));
        assert_eq!(facts.order_no.as_deref(), Some("SHOP20251009000001"));
        assert_eq!(facts.refund_no.as_deref(), Some("REFUND20251009000001"));
        assert_eq!(facts.merchant.as_deref(), Some(&*given.merchant_id));
        assert_eq!(facts.app.as_deref(), Some(&*given.app_id));
        let record = shop.far_side.order(Platform::WechatV2, order_no().as_str()).unwrap();
        assert_eq!(facts.remote_id, Some(record.refunds[0].refund_id.clone()));
        assert_eq!(finding.is_over, is_over, "{end:?}");

        // The list of an order's refunds names none in particular.
        let list = wechat_v2::ops::QueryRefund::by_order(wechat_v2::ops::OrderKey::Merchant(order_no()));
        expect_open(&found(&client, &list, read).await, Standing::Pending);
    }
}

/// A merchant's own v3 account, and a provider's for one of its merchants.
fn v3_sides(shop: &Shop) -> [(V3, Orders); 2] {
    [
        ((*shop.wechat_v3()).clone(), Platform::WechatV3.into()),
        (shop.wechat_v3_partner(), Orders::provider(Platform::WechatV3)),
    ]
}

async fn place_v3(shop: &Shop, client: &Client<V3>) {
    if client.provider().ids().sub_merchant().is_none() {
        client.call(&v3_order(shop)).await.unwrap();
    } else {
        let terms = wechat_v3::OrderTerms::new(order_no(), amount(), "noodles", notify_url());
        client
            .call(&wechat_v3::ops::PlaceNativeOrder::new(terms))
            .await
            .unwrap();
    }
}

#[tokio::test]
async fn a_paid_v3_order_and_its_refund_are_one_event_each_for_the_notice_and_the_query() {
    for side in 0..2 {
        for (end, transition, is_over) in REFUND_ENDS {
            let shop = Shop::open();
            let (account, orders) = v3_sides(&shop).into_iter().nth(side).unwrap();
            let client = shop.client(account.clone());
            place_v3(&shop, &client).await;
            expect_open(
                &found(&client, &v3_query(), V3::order_finding).await,
                Standing::Accepted,
            );
            shop.far_side.pay(orders, order_no().as_str()).unwrap();
            let payment = told(&shop, &account);
            let paid = found(&client, &v3_query(), V3::order_finding).await;
            expect_same(&payment, &paid);
            assert_eq!((paid.standing, paid.is_over), (Standing::Succeeded, true));
            assert_eq!(paid.settled[0].1, payment.1, "the query names every fact of the notice");

            let query = wechat_v3::ops::QueryRefund::new(refund_no());
            expect_open(&found(&client, &query, V3::refund_finding).await, Standing::NotFound);
            let mut refund = wechat_v3::ops::Refund::new(order_no(), refund_no(), part(), amount());
            refund.notify_url = Some(notify_url());
            client.call(&refund).await.unwrap();
            expect_open(&found(&client, &query, V3::refund_finding).await, Standing::Accepted);
            shop.far_side.settle_refund(orders, refund_no().as_str(), end).unwrap();
            let refunded = told(&shop, &account);
            assert_eq!(refunded.0.transition, transition);
            let finding = found(&client, &query, V3::refund_finding).await;
            expect_same(&refunded, &finding);
            for facts in [&refunded.1, &finding.settled[0].1] {
                assert_eq!(facts.refund_no.as_deref(), Some("REFUND20251009000001"));
            }
            assert_eq!(finding.is_over, is_over, "{end:?}");

            // Its order was paid all the same.
            let order = client.call(&v3_query()).await.unwrap();
            assert_eq!(order.transaction.trade_state, wechat_v3::TradeState::Refund);
            assert_eq!(found(&client, &v3_query(), V3::order_finding).await, paid);
        }
    }
}

#[tokio::test]
async fn a_combined_order_is_one_event_for_the_notice_and_the_query_also_when_a_part_is_refunded() {
    for side in 0..2 {
        let shop = Shop::open();
        let (account, orders) = combined::sides(&shop).into_iter().nth(side).unwrap();
        let client = shop.client(account.clone());
        let read = V3::combined_order_finding;
        expect_open(&found(&client, &combined::query(), read).await, Standing::NotFound);
        let order = combined::combined_order(&shop, &account);
        client.call(&order).await.unwrap();
        expect_open(&found(&client, &combined::query(), read).await, Standing::Accepted);
        shop.far_side.pay(orders, combined::WHOLE).unwrap();
        let told = told(&shop, &account);
        let paid = found(&client, &combined::query(), read).await;
        expect_same(&told, &paid);
        assert_eq!((paid.standing, paid.is_over), (Standing::Succeeded, true));

        let part = order.terms.sub_orders[1].clone();
        let refund = wechat_v3::ops::Refund::new(part.order_no, refund_no(), part.amount, part.amount);
        client.call(&refund).await.unwrap();
        assert_eq!(found(&client, &combined::query(), read).await, paid);

        let shop = Shop::open();
        let (account, _) = combined::sides(&shop).into_iter().nth(side).unwrap();
        let client = shop.client(account.clone());
        let order = combined::combined_order(&shop, &account);
        client.call(&order).await.unwrap();
        shop.pass(Duration::from_secs(301));
        let close = wechat_v3::ops::CloseCombinedOrder::from(&order.terms);
        client.call(&close).await.unwrap();
        expect_closed(&found(&client, &combined::query(), read).await, "CLOSED");
    }
}

#[tokio::test]
async fn paid_and_settled_are_two_events_of_an_mpgateway_order_each_the_same_for_the_query() {
    let shop = Shop::open();
    shop.far_side.hold_mpgateway_payments(true);
    let account = shop.mpgateway();
    let client = shop.client(account.clone());
    let read = mpgateway::Account::order_finding;
    client.call(&mpgateway_order(&shop)).await.unwrap();
    expect_open(&found(&client, &mpgateway_query(), read).await, Standing::Accepted);
    shop.far_side.pay(Platform::Mpgateway, order_no().as_str()).unwrap();

    let mut transitions = Vec::new();
    for _ in 0..60 {
        for (notice, _) in shop.receive(&*account) {
            let told = read_notice(&*account, &notice.unwrap());
            let finding = found(&client, &mpgateway_query(), read).await;
            expect_same(&told, &finding);
            assert_eq!(finding.settled[0].1, told.1);
            assert_eq!(finding.standing, Standing::Succeeded);
            transitions.push((told.0.transition, finding.is_over));
        }
        shop.pass(Duration::from_secs(10));
    }
    assert_eq!(
        transitions,
        [(Transition::OrderPaid, false), (Transition::OrderSettled, true)]
    );
}

#[tokio::test]
async fn an_mpgateway_order_that_was_canceled_is_found_failed_and_an_unknown_one_is_not_found_absent() {
    let shop = Shop::open();
    let client = shop.client(shop.mpgateway());
    // The gateway has no code for it, so its refusal says nothing.
    let refused = client.call(&mpgateway_query()).await;
    assert!(Finding::of_query(refused, |answer| client.provider().order_finding(answer)).is_err());

    client.call(&mpgateway_order(&shop)).await.unwrap();
    let cancel = mpgateway::ops::CancelOrder::by_order_no(order_no());
    client.call(&cancel).await.unwrap();
    let finding = found(&client, &mpgateway_query(), mpgateway::Account::order_finding).await;
    assert_eq!((finding.standing, finding.is_over), (Standing::Failed, true));
    let [(key, facts)] = &finding.settled[..] else {
        panic!("{finding:?}")
    };
    assert_eq!(key.transition, Transition::OrderFailed);
    assert_eq!((&*facts.end_state, facts.amount), ("1003", Some(Fen::new(1230))));
}

#[tokio::test]
async fn a_paid_starpos_order_is_one_event_for_the_encrypted_push_and_the_query() {
    let shop = Shop::open();
    let account = starpos_receiver(&shop);
    let client = shop.client(account.clone());
    let read = starpos::Account::order_finding;
    client.call(&starpos_order(&shop)).await.unwrap();
    expect_open(&found(&client, &starpos_query(), read).await, Standing::Accepted);
    shop.far_side.pay(Platform::Starpos, order_no().as_str()).unwrap();
    let told = told(&shop, &account);
    let paid = found(&client, &starpos_query(), read).await;
    expect_same(&told, &paid);
    assert_eq!((paid.standing, paid.is_over), (Standing::Succeeded, true));
    assert_eq!(paid.settled[0].1, told.1, "the query names every fact of the push");
}

/// A plain push is a hint; what it leads to has the key of the encrypted one.
#[tokio::test]
async fn a_starpos_order_and_its_refund_are_settled_by_their_queries() {
    for (end, transition, end_state) in [
        (RefundState::Succeeded, Transition::RefundSucceeded, "1"),
        (RefundState::Closed, Transition::RefundClosed, "F"),
    ] {
        let shop = Shop::open();
        shop.far_side.set_starpos_push_url("https://shop.example/starpos");
        let client = shop.client(shop.starpos());
        client.call(&starpos_order(&shop)).await.unwrap();
        shop.far_side.pay(Platform::Starpos, order_no().as_str()).unwrap();
        let [(Ok(Notice::Hint(hint)), _)] = &shop.receive(client.provider())[..] else {
            panic!("not one hint")
        };
        let query = starpos::ops::QueryOrder::of_hint(hint).unwrap();
        let finding = found(&client, &query, starpos::Account::order_finding).await;
        let given = shop.far_side.starpos();
        let [(key, facts)] = &finding.settled[..] else {
            panic!("{finding:?}")
        };
        let log_no = facts.remote_id.clone().unwrap();
        assert_eq!(
            *key,
            EventKey::new("starpos", &*given.merchant, &*log_no, Transition::OrderPaid)
        );
        assert_eq!(facts.amount, Some(Fen::new(1230)));
        assert_eq!(facts.merchant.as_deref(), Some(&*given.merchant));
        assert_eq!(facts.end_state, "1");
        // Asked for by the platform's number, it does not say which number of ours it was sent with.
        assert_eq!(facts.order_no, None);
        let by_ours = found(&client, &starpos_query(), starpos::Account::order_finding).await;
        let [(same_key, named)] = &by_ours.settled[..] else {
            panic!("{by_ours:?}")
        };
        assert_eq!((same_key, named.contradiction(facts)), (key, None));
        assert_eq!(named.order_no.as_deref(), Some("SHOP20251009000001"));

        let paid = client.call(&query).await.unwrap();
        let refund = starpos::ops::Refund::part(paid.channel_order_no.unwrap(), refund_no(), part());
        let by_refund_no = starpos::ops::QueryRefund::by_refund_no(refund_no(), paid.log_no);
        shop.far_side.set_starpos_unsure(true);
        client.call(&refund).await.unwrap_err();
        let read = starpos::Account::refund_finding;
        expect_open(&found(&client, &by_refund_no, read).await, Standing::Pending);
        shop.far_side
            .settle_refund(Platform::Starpos, refund_no().as_str(), end)
            .unwrap();
        let finding = found(&client, &by_refund_no, read).await;
        let [(key, facts)] = &finding.settled[..] else {
            panic!("{finding:?}")
        };
        let refund_log_no = facts.remote_id.clone().unwrap();
        assert_ne!(refund_log_no, log_no);
        assert_eq!(
            *key,
            EventKey::new("starpos", &*given.merchant, &*refund_log_no, transition)
        );
        assert_eq!(facts.amount, Some(Fen::new(500)));
        assert_eq!(facts.order_no.as_deref(), Some("SHOP20251009000001"));
        assert_eq!(facts.refund_no.as_deref(), Some("REFUND20251009000001"));
        assert_eq!((&*facts.end_state, finding.is_over), (end_state, true));
    }
}

/// A call-back is a hint; no message of this route names a merchant.
#[tokio::test]
async fn an_fshows_order_and_its_refund_are_settled_by_their_queries() {
    let shop = Shop::open();
    let client = shop.client(shop.fshows());
    let read = fshows::Account::order_finding;
    expect_open(&found(&client, &fshows_query(), read).await, Standing::NotFound);
    client.call(&fshows_order(&shop)).await.unwrap();
    expect_open(&found(&client, &fshows_query(), read).await, Standing::Accepted);
    shop.far_side.pay(Platform::Fshows, order_no().as_str()).unwrap();
    let [(Ok(Notice::Hint(hint)), _)] = &shop.receive(client.provider())[..] else {
        panic!("not one hint")
    };
    let query = fshows::ops::QueryOrder::of_hint(hint).unwrap();
    let paid = found(&client, &query, read).await;
    let app_id = shop.far_side.fshows().app_id;
    let [(key, facts)] = &paid.settled[..] else {
        panic!("{paid:?}")
    };
    assert_eq!(
        *key,
        EventKey::new("fshows", &*app_id, "SHOP20251009000001", Transition::OrderPaid)
    );
    assert_eq!(facts.amount, Some(Fen::new(1230)));
    assert_eq!(facts.order_no.as_deref(), Some("SHOP20251009000001"));
    assert!(facts.remote_id.is_some());
    assert_eq!((&*facts.end_state, paid.is_over), ("SUCCESS", true));

    let order = fshows::ops::OrderKey::Liquidator(order_no());
    let refund = fshows::ops::Refund::new(order.clone(), refund_no());
    client.call(&refund).await.unwrap();
    let query = fshows::ops::QueryRefund::by_refund_no(order, refund_no());
    let read_refund = fshows::Account::refund_finding;
    expect_open(&found(&client, &query, read_refund).await, Standing::Accepted);
    shop.far_side
        .settle_refund(Platform::Fshows, refund_no().as_str(), RefundState::Succeeded)
        .unwrap();
    let finding = found(&client, &query, read_refund).await;
    let [(key, facts)] = &finding.settled[..] else {
        panic!("{finding:?}")
    };
    assert_eq!(
        *key,
        EventKey::new("fshows", &*app_id, "REFUND20251009000001", Transition::RefundSucceeded)
    );
    assert_eq!(facts.order_no.as_deref(), Some("SHOP20251009000001"));
    assert_eq!(facts.refund_no.as_deref(), Some("REFUND20251009000001"));
    assert_eq!((&*facts.end_state, finding.is_over), ("4", true));
    assert_eq!(
        found(&client, &fshows_query(), read).await,
        paid,
        "it was paid all the same"
    );
}

#[tokio::test]
async fn an_order_that_was_closed_is_over_and_one_that_is_not_known_is_not() {
    let shop = Shop::open();
    let other = OrderNo::portable("SHOP20251009000002").unwrap();

    let client = shop.client(shop.wechat_v2());
    let read = wechat_v2::Account::order_finding;
    let unknown = wechat_v2::ops::QueryOrder::by_order_no(other.clone());
    expect_open(&found(&client, &unknown, read).await, Standing::NotFound);
    client.call(&v2_order(&shop)).await.unwrap();
    shop.pass(Duration::from_secs(301));
    client.call(&wechat_v2::ops::CloseOrder::new(order_no())).await.unwrap();
    expect_closed(&found(&client, &v2_query(), read).await, "CLOSED");

    let client = shop.client(shop.wechat_v3());
    let unknown = wechat_v3::ops::QueryOrder::by_order_no(other);
    expect_open(&found(&client, &unknown, V3::order_finding).await, Standing::NotFound);
    client.call(&v3_order(&shop)).await.unwrap();
    shop.pass(Duration::from_secs(301));
    client.call(&wechat_v3::ops::CloseOrder::new(order_no())).await.unwrap();
    expect_closed(&found(&client, &v3_query(), V3::order_finding).await, "CLOSED");
}
