//! What the shop's handler makes of events in whatever order they come.

use std::time::Duration;

use yuanfen::core::{EventKey, Facts, Fen, OrderNo, PayAmount, RemoteId, Transition, UnixTime};
use yuanfen::inbox::store::{Store as _, Subject};
use yuanfen::inbox::{Handled, NewEvent, ParkReason, PendingKind};

use crate::shop::{NewOrder, Shop};

const ROUTE: &str = "mpgateway";
const ACCOUNT: &str = "10001";
const ORDER: &str = "SHOP2026112200001";
const NOW: UnixTime = UnixTime::from_seconds(1_790_000_000);

/// A shop that has taken one order.
struct Till {
    shop: Shop,
    _folder: tempfile::TempDir,
}

impl Till {
    async fn open() -> Self {
        let folder = tempfile::tempdir().unwrap();
        let shop = Shop::open(&folder.path().join("shop.db"), || NOW).await.unwrap();
        let order = NewOrder {
            order_no: OrderNo::portable(ORDER).unwrap(),
            amount: PayAmount::from_fen(1_001).unwrap(),
            expires_at: NOW.after(Duration::from_secs(7_200)),
        };
        shop.take(ROUTE, ACCOUNT, &order).await.unwrap();
        Self { shop, _folder: folder }
    }

    /// Lets an event take effect that names our number; says what became of it.
    async fn tell(&self, transition: Transition) -> Handled {
        self.tell_of(ORDER, Some(ORDER), transition).await
    }

    async fn tell_of(&self, subject: &str, order_no: Option<&str>, transition: Transition) -> Handled {
        let mut facts = Facts::new(transition.as_str());
        facts.amount = transition.is_payment().then_some(Fen::new(1_001));
        facts.order_no = order_no.map(str::to_owned);
        let key = EventKey::new(ROUTE, ACCOUNT, subject, transition);
        let event = NewEvent::from_query(key, facts, transition.is_end(), NOW);
        self.shop.inbox.store().insert_event(event).await.unwrap();
        let mut handled = self.work().await;
        assert_eq!(handled.len(), 1, "{handled:?}");
        handled.remove(0)
    }

    async fn work(&self) -> Vec<Handled> {
        self.shop.inbox.workers(self.shop.books()).drain().await.unwrap()
    }

    /// State, ledger and parcels of the order.
    async fn order(&self) -> (String, String, i64) {
        let order = self.shop.orders().await.unwrap().remove(0);
        (order.state, order.entries, order.parcels)
    }

    /// What a person does about it.
    async fn set(&self, state: &str) {
        sqlx::query("update orders set state = $1")
            .bind(state)
            .execute(self.shop.inbox.store().pool())
            .await
            .unwrap();
    }

    async fn is(&self, state: &str, entries: &str, parcels: i64) {
        assert_eq!(self.order().await, (state.to_owned(), entries.to_owned(), parcels));
    }
}

#[tokio::test]
async fn an_order_ships_once_whichever_of_its_two_payments_comes_first() {
    use Transition::{OrderPaid, OrderSettled};

    for (first, second) in [(OrderPaid, OrderSettled), (OrderSettled, OrderPaid)] {
        let till = Till::open().await;
        assert!(matches!(till.tell(first).await, Handled::Done(_)));
        till.is("paid", first.as_str(), 1).await;
        assert!(matches!(till.tell(second).await, Handled::Done(_)));
        till.is("paid", &format!("{}, {}", first.as_str(), second.as_str()), 1)
            .await;
    }
}

#[tokio::test]
async fn an_order_of_which_only_the_settlement_is_told_ships() {
    let till = Till::open().await;
    till.tell(Transition::OrderSettled).await;
    till.is("paid", "order-settled", 1).await;
}

#[tokio::test]
async fn a_payment_that_comes_after_the_release_waits_for_a_person_and_ships_late() {
    for end in [Transition::OrderClosed, Transition::OrderFailed] {
        let till = Till::open().await;
        till.tell(end).await;
        till.is("released", end.as_str(), 0).await;
        let Handled::Parked(id, ParkReason::Handler) = till.tell(Transition::OrderPaid).await else {
            panic!("a late payment was swallowed")
        };
        till.is("released", end.as_str(), 0).await;
        let parked = till.shop.inbox.event(id).await.unwrap().unwrap();
        assert!(parked.last_error.unwrap().contains("ship it late, or refund it"));

        till.set("open").await;
        till.shop.inbox.retry(id).await.unwrap();
        assert_eq!(till.work().await, [Handled::Done(id)]);
        till.is("paid", &format!("{}, order-paid", end.as_str()), 1).await;
    }
}

#[tokio::test]
async fn a_late_payment_that_was_refunded_is_booked_and_ships_nothing() {
    let till = Till::open().await;
    till.tell(Transition::OrderClosed).await;
    let Handled::Parked(id, _) = till.tell(Transition::OrderPaid).await else {
        panic!("a late payment was swallowed")
    };
    till.set("refunded").await;
    till.shop.inbox.retry(id).await.unwrap();
    assert_eq!(till.work().await, [Handled::Done(id)]);
    till.is("refunded", "order-closed, order-paid", 0).await;
}

#[tokio::test]
async fn an_order_that_is_closed_after_it_was_paid_waits_for_a_person() {
    let till = Till::open().await;
    till.tell(Transition::OrderPaid).await;
    let closed = till.tell(Transition::OrderClosed).await;
    assert!(matches!(closed, Handled::Parked(_, ParkReason::Handler)), "{closed:?}");
    till.is("paid", "order-paid", 1).await;
}

#[tokio::test]
async fn a_payment_that_names_the_platforms_number_alone_finds_its_order() {
    let till = Till::open().await;
    let mut connection = till.shop.inbox.store().pool().acquire().await.unwrap();
    let subject = Subject::new(ROUTE, ACCOUNT, PendingKind::Order, ORDER);
    let remote_id = RemoteId::new("LOG1").unwrap();
    let kept = till
        .shop
        .inbox
        .keep_remote_id(&mut connection, subject, &remote_id)
        .await;
    assert!(kept.unwrap());
    drop(connection);
    till.tell_of("LOG1", None, Transition::OrderPaid).await;
    till.is("paid", "order-paid", 1).await;
}
