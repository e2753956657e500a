//! The inbox and the sandbox: notices that are lost, late or signed anew, on every route.

mod ends;
mod hints;
mod refunds;

use std::sync::{Arc, Mutex};
use std::time::Duration;

use yuanfen::converge;
use yuanfen::core::{NotificationSource, Operation, PayAmount, Provider, RefundNo, UnixTime, Verdict};
use yuanfen::inbox::store::Store as _;
use yuanfen::inbox::{
    Expected, Inbox, PendingFilter, PendingOrder, PendingRefund, PendingState, Received, Receiver, RoutePlan,
    SqliteStore, StoredPending, handler_fn,
};
use yuanfen::transport::Client;
use yuanfen::{wechat_v2, wechat_v3};
use yuanfen_sandbox::{Account as Orders, NoticeOutcome, Platform};

use crate::acquirers::starpos_receiver;
use crate::shop::{
    Shop, amount, fshows_order, mpgateway_order, notify_url, order_no, starpos_order, v2_order, v3_order,
};
use crate::v2_provider;

/// An inbox on the sandbox's clock, and what its handler was run for.
struct Till {
    inbox: Inbox<SqliteStore>,
    took_effect: Arc<Mutex<Vec<String>>>,
    _folder: tempfile::TempDir,
}

impl Till {
    async fn open(shop: &Shop) -> Self {
        let folder = tempfile::tempdir().unwrap();
        let store = SqliteStore::open(folder.path().join("shop.db")).await.unwrap();
        let clock = shop.far_side.clock().clone();
        Self {
            inbox: Inbox::new(store).with_clock(move || clock.now()),
            took_effect: Arc::default(),
            _folder: folder,
        }
    }

    async fn expect(&self, pending: impl Into<Expected> + Send) {
        let (turn, mut transaction) = self.inbox.store().begin().await.unwrap();
        self.inbox.expect(&mut transaction, pending).await.unwrap();
        self.inbox.store().commit(transaction).await.unwrap();
        drop(turn);
    }

    async fn pending(&self) -> Vec<StoredPending> {
        self.inbox.pending(&PendingFilter::default()).await.unwrap()
    }

    /// Queries what is due, and lets take effect what was found.
    async fn converge(&self, plan: RoutePlan) {
        self.inbox
            .convergence([plan.with_pace(Duration::ZERO)])
            .drain()
            .await
            .unwrap();
        self.work().await;
    }

    async fn work(&self) {
        let took_effect = Arc::clone(&self.took_effect);
        let handler = handler_fn::<SqliteStore, _>(move |_, event| {
            let key = &event.key;
            let transition = key.transition.as_str();
            // Where the platform's number is the subject it is different in every run.
            let number = event.facts.order_no.as_ref().unwrap_or(&key.subject);
            let line = format!("{transition} {number}");
            took_effect.lock().unwrap().push(line);
            Box::pin(async { Ok(()) })
        });
        self.inbox.workers(handler).drain().await.unwrap();
    }

    fn took_effect(&self) -> Vec<String> {
        self.took_effect.lock().unwrap().clone()
    }

    /// Whether something waits for a person, or is still open.
    async fn is_settled(&self) -> bool {
        let health = self.inbox.health().await.unwrap();
        (health.parked, health.conflicts, health.pending, health.ready) == (0, 0, 0, 0)
    }
}

fn order_of(account: &impl NotificationSource) -> PendingOrder {
    PendingOrder::new(account.route(), account.account(), order_no(), amount(), None)
}

fn refund_no() -> RefundNo {
    RefundNo::new("REFUND20251009000001").unwrap()
}

fn refund_of(account: &impl NotificationSource, fen: i64) -> PendingRefund {
    let amount = PayAmount::from_fen(fen).unwrap();
    PendingRefund::new(account.route(), account.account(), refund_no(), order_no(), amount)
}

/// Hands every notice that is due to the inbox, and its answers to the platform; says what became of them.
async fn deliver<N>(shop: &Shop, receiver: &Receiver<SqliteStore, N>) -> Vec<Received>
where
    N: NotificationSource + Send + Sync + 'static,
{
    let mut received = Vec::new();
    for notice in shop.far_side.due_notices() {
        let receipt = receiver.receive(&notice.request).await;
        assert_eq!(receipt.received.verdict(), Verdict::Accepted, "{receipt:?}");
        let made = shop.far_side.answered(notice, Ok(&receipt.response));
        assert!(
            matches!(made.outcome, NoticeOutcome::Acknowledged { .. }),
            "{:?}",
            made.outcome
        );
        received.push(receipt.received);
    }
    received
}

/// Places an order, has it paid, loses its notice, and lets convergence find it; then the notice comes late.
async fn lose_and_find<P, O>(
    shop: &Shop,
    client: Client<P>,
    order: O,
    expected: PendingOrder,
    orders: impl Into<Orders>,
    plan: fn(&Client<P>) -> RoutePlan,
) -> Till
where
    P: Provider + NotificationSource + Clone + Send + Sync + 'static,
    O: Operation<Provider = P>,
{
    let till = Till::open(shop).await;
    till.expect(expected).await;
    client.call(&order).await.unwrap();
    // Not paid yet.
    shop.pass(Duration::from_secs(30));
    till.converge(plan(&client)).await;
    assert_eq!(till.took_effect(), Vec::<String>::new());
    assert_eq!(till.pending().await[0].last_error, None);

    shop.far_side.pay(orders, order_no().as_str()).unwrap();
    assert_eq!(shop.lose_notices(), 1);
    // The next step of every schedule.
    shop.pass(Duration::from_secs(100));
    // What was delivered again meanwhile is lost as well.
    shop.lose_notices();
    till.converge(plan(&client)).await;
    assert_eq!(till.took_effect().len(), 1, "{:?}", till.pending().await);
    assert!(till.is_settled().await, "{:?}", till.pending().await);

    let receiver = till.inbox.receiver(client.provider().clone());
    let mut late = Vec::new();
    while late.is_empty() {
        shop.pass(Duration::from_secs(60));
        late = deliver(shop, &receiver).await;
    }
    // A hint has nothing left to hasten.
    assert!(
        matches!(late[..], [Received::Duplicate(_)] | [Received::UnknownHint]),
        "{late:?}"
    );
    till.work().await;
    shop.pass(Duration::from_secs(86_400));
    till.converge(plan(&client)).await;
    assert_eq!(till.took_effect().len(), 1);
    till
}

#[tokio::test]
async fn a_v2_order_whose_notice_is_lost_is_found_and_its_late_notice_is_a_duplicate() {
    let shop = Shop::open();
    let client = shop.client(shop.wechat_v2());
    let (order, expected) = (v2_order(&shop), order_of(client.provider()));
    let till = lose_and_find(&shop, client, order, expected, Platform::WechatV2, converge::wechat_v2).await;
    assert_eq!(till.took_effect(), ["order-paid SHOP20251009000001"]);
}

#[tokio::test]
async fn a_v3_order_whose_notice_is_lost_is_found_and_its_late_notice_is_a_duplicate() {
    let shop = Shop::open();
    let client = shop.client(shop.wechat_v3());
    let (order, expected) = (v3_order(&shop), order_of(client.provider()));
    let till = lose_and_find(&shop, client, order, expected, Platform::WechatV3, converge::wechat_v3).await;
    assert_eq!(till.took_effect(), ["order-paid SHOP20251009000001"]);
}

#[tokio::test]
async fn a_starpos_order_whose_push_is_lost_is_found_under_the_platforms_number() {
    let shop = Shop::open();
    let client = shop.client(starpos_receiver(&shop));
    let (order, expected) = (starpos_order(&shop), order_of(client.provider()));
    let till = lose_and_find(&shop, client, order, expected, Platform::Starpos, converge::starpos).await;
    assert_eq!(till.took_effect(), ["order-paid SHOP20251009000001"]);
    // What a plain push would call it.
    assert!(till.pending().await[0].expected.remote_id.is_some());
}

#[tokio::test]
async fn an_fshows_order_whose_call_back_is_lost_is_found() {
    let shop = Shop::open();
    let client = shop.client(shop.fshows());
    // No message of this route names the merchant or the currency.
    let (order, expected) = (fshows_order(&shop), order_of(client.provider()));
    let till = lose_and_find(&shop, client, order, expected, Platform::Fshows, converge::fshows).await;
    assert_eq!(till.took_effect(), ["order-paid SHOP20251009000001"]);
}

#[tokio::test]
async fn an_mpgateway_order_whose_notice_is_lost_is_found_and_its_late_notice_is_a_duplicate() {
    let shop = Shop::open();
    let client = shop.client(shop.mpgateway());
    let (order, expected) = (mpgateway_order(&shop), order_of(client.provider()));
    let till = lose_and_find(&shop, client, order, expected, Platform::Mpgateway, converge::mpgateway).await;
    assert_eq!(till.took_effect(), ["order-settled SHOP20251009000001"]);
}

/// One plan for a service provider: each order is asked for as its merchant's.
#[tokio::test]
async fn a_providers_orders_are_found_for_the_merchants_that_they_were_expected_with() {
    let shop = Shop::open();
    let provider = shop.client(shop.wechat_v3_provider());
    let partner = shop.wechat_v3_partner();
    let placing = shop.client(partner.clone());
    let till = Till::open(&shop).await;
    let mut expected = order_of(&partner);
    expected.merchant = Some(partner.ids().sub_merchant().unwrap().merchant_id.to_string());
    till.expect(expected).await;
    let terms = wechat_v3::OrderTerms::new(order_no(), amount(), "noodles", notify_url());
    placing
        .call(&wechat_v3::ops::PlaceNativeOrder::new(terms))
        .await
        .unwrap();
    shop.far_side
        .pay(Orders::provider(Platform::WechatV3), order_no().as_str())
        .unwrap();
    shop.pass(Duration::from_secs(30));
    till.converge(converge::wechat_v3(&provider)).await;
    assert_eq!(
        till.took_effect(),
        ["order-paid SHOP20251009000001"],
        "{:?}",
        till.pending().await
    );
    assert!(till.is_settled().await);

    let shop = Shop::open();
    let (_, of_a_merchant, _) = v2_provider::merchants(&shop);
    let provider = shop.client(shop.wechat_v2_provider());
    let till = Till::open(&shop).await;
    let mut expected = order_of(&*of_a_merchant);
    expected.merchant = Some(of_a_merchant.sub_merchant().unwrap().merchant_id().to_owned());
    till.expect(expected).await;
    let payer = wechat_v2::Payer::OpenId(shop.far_side.wechat_v2_provider().openid);
    shop.client(of_a_merchant.clone())
        .call(&v2_provider::order(payer))
        .await
        .unwrap();
    shop.far_side
        .pay(Orders::provider(Platform::WechatV2), order_no().as_str())
        .unwrap();
    shop.pass(Duration::from_secs(30));
    till.converge(converge::wechat_v2(&provider)).await;
    assert_eq!(
        till.took_effect(),
        ["order-paid SHOP20251009000001"],
        "{:?}",
        till.pending().await
    );
    assert!(till.is_settled().await);
}

#[tokio::test]
async fn a_v3_notice_under_the_certificate_of_the_night_is_taken_at_once() {
    let shop = Shop::open();
    let client = shop.client(shop.wechat_v3());
    let till = Till::open(&shop).await;
    till.expect(order_of(client.provider())).await;
    client.call(&v3_order(&shop)).await.unwrap();
    let fetched = shop.calls(Platform::WechatV3, "certificates");
    let serial = shop.far_side.rotate_platform_certificate().unwrap();
    // A list that was fetched a moment ago is not fetched again.
    shop.pass(Duration::from_secs(61));
    shop.far_side.pay(Platform::WechatV3, order_no().as_str()).unwrap();

    let plain = till.inbox.receiver(client.provider().clone());
    let notice = shop.far_side.due_notices().pop().unwrap();
    let refused = plain.receive(&notice.request).await;
    assert!(matches!(refused.received, Received::Refused(_)), "{refused:?}");
    let fetching = plain.with_key_fetch(converge::key_fetch(&client));
    let receipt = fetching.receive(&notice.request).await;
    assert!(matches!(receipt.received, Received::New(_)), "{receipt:?}");
    assert!(client.provider().platform_keys().get(&serial, shop.now()).is_some());
    assert_eq!(shop.calls(Platform::WechatV3, "certificates"), fetched + 1);
    till.work().await;
    assert_eq!(till.took_effect(), ["order-paid SHOP20251009000001"]);

    // A serial that somebody made up has nothing fetched so soon after.
    let mut forged = notice.request.clone();
    forged.headers_mut().insert(
        "wechatpay-serial",
        "5157F09EFDC096DE15EBE81A47057A7232F1B8E1".parse().unwrap(),
    );
    let refused = fetching.receive(&forged).await;
    assert!(matches!(refused.received, Received::Refused(_)), "{refused:?}");
    assert_eq!(shop.calls(Platform::WechatV3, "certificates"), fetched + 1);
}

/// Where the gateway holds the money back it tells twice, and so does the query: each once.
#[tokio::test]
async fn an_mpgateway_payment_is_asked_about_until_its_money_is_available() {
    let shop = Shop::open();
    shop.far_side.hold_mpgateway_payments(true);
    let client = shop.client(shop.mpgateway());
    let till = Till::open(&shop).await;
    till.expect(order_of(client.provider())).await;
    client.call(&mpgateway_order(&shop)).await.unwrap();
    shop.far_side.pay(Platform::Mpgateway, order_no().as_str()).unwrap();
    let begin: UnixTime = shop.now();
    while till.pending().await[0].state == PendingState::Open && shop.now().since(begin) < 86_400 {
        shop.pass(Duration::from_secs(10));
        shop.lose_notices();
        till.converge(converge::mpgateway(&client)).await;
    }
    assert_eq!(
        till.took_effect(),
        ["order-paid SHOP20251009000001", "order-settled SHOP20251009000001"]
    );
    assert!(till.is_settled().await);
}
