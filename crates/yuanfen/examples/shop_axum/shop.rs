//! The shop: its tables, and what it does when an event takes effect.

use std::collections::BTreeMap;
use std::error::Error;
use std::path::Path;
use std::sync::{Arc, Mutex, PoisonError};

use sqlx::{Row as _, Sqlite, Transaction};
use yuanfen::core::{OrderNo, PayAmount, RemoteId, Transition, UnixTime};
use yuanfen::inbox::store::{Store as _, Subject};
use yuanfen::inbox::{HandlerError, Inbox, PendingKind, PendingOrder, Received, SqliteStore, StoredEvent, TxHandler};

/// The ledger and the parcels take anything twice: it is the inbox that sees to it that nothing comes twice.
const TABLES: &str = "
    create table orders (order_no text primary key, route text not null, fen bigint not null, state text not null);
    create table ledger (order_no text not null, entry text not null, event text not null);
    create table parcels (order_no text not null);
";

#[derive(Clone)]
pub(crate) struct Shop {
    pub(crate) inbox: Inbox<SqliteStore>,
    /// What became of each request that came in as a notice, by route: for the table.
    notices: Arc<Mutex<BTreeMap<&'static str, Vec<&'static str>>>>,
}

pub(crate) struct NewOrder {
    pub(crate) order_no: OrderNo,
    pub(crate) amount: PayAmount,
    /// When it can no longer be paid. The inbox and the platform are told the same.
    pub(crate) expires_at: UnixTime,
}

/// An order as the shop's own tables have it.
pub(crate) struct OrderRow {
    pub(crate) order_no: String,
    pub(crate) route: String,
    pub(crate) fen: i64,
    pub(crate) state: String,
    pub(crate) entries: String,
    pub(crate) parcels: i64,
}

impl Shop {
    pub(crate) async fn open(
        file: &Path,
        clock: impl Fn() -> UnixTime + Send + Sync + 'static,
    ) -> Result<Self, Box<dyn Error>> {
        let store = SqliteStore::open(file).await?;
        sqlx::raw_sql(TABLES).execute(store.pool()).await?;
        Ok(Self {
            inbox: Inbox::new(store).with_clock(clock),
            notices: Arc::default(),
        })
    }

    /// What the workers run.
    pub(crate) fn books(&self) -> Books {
        Books {
            store: self.inbox.store().clone(),
        }
    }

    /// Takes an order: into the shop's table, and into what the inbox expects, or into neither.
    pub(crate) async fn take(&self, route: &str, account: &str, order: &NewOrder) -> Result<(), Box<dyn Error>> {
        let mut transaction = self.inbox.store().pool().begin_with("begin immediate").await?;
        sqlx::query("insert into orders (order_no, route, fen, state) values ($1, $2, $3, 'open')")
            .bind(order.order_no.as_str())
            .bind(route)
            .bind(order.amount.fen().get())
            .execute(&mut *transaction)
            .await?;
        let (order_no, expires_at) = (order.order_no.clone(), Some(order.expires_at));
        let expected = PendingOrder::new(route, account, order_no, order.amount, expires_at);
        self.inbox.expect(&mut transaction, expected).await?;
        transaction.commit().await?;
        Ok(())
    }

    /// Keeps the platform's number, where the reply to the order named one: StarPos' push knows the order by no other.
    pub(crate) async fn keep_remote_id(
        &self,
        route: &str,
        account: &str,
        order_no: &OrderNo,
        remote_id: &RemoteId,
    ) -> Result<(), Box<dyn Error>> {
        let mut connection = self.inbox.store().pool().acquire().await?;
        let subject = Subject::new(route, account, PendingKind::Order, order_no.as_str());
        self.inbox.keep_remote_id(&mut connection, subject, remote_id).await?;
        Ok(())
    }

    pub(crate) fn note(&self, route: &'static str, received: &Received) {
        let mut notices = self.notices.lock().unwrap_or_else(PoisonError::into_inner);
        notices.entry(route).or_default().push(received.as_str());
    }

    pub(crate) fn noted(&self, route: &str) -> String {
        let notices = self.notices.lock().unwrap_or_else(PoisonError::into_inner);
        notices
            .get(route)
            .map(|verdicts| verdicts.join(", "))
            .unwrap_or_default()
    }

    pub(crate) async fn orders(&self) -> Result<Vec<OrderRow>, Box<dyn Error>> {
        let rows = sqlx::query(
            "select o.order_no, o.route, o.fen, o.state, \
             (select count(*) from parcels p where p.order_no = o.order_no) as parcels from orders o order by o.order_no",
        )
        .fetch_all(self.inbox.store().pool())
        .await?;
        let mut orders = Vec::with_capacity(rows.len());
        for row in rows {
            let order_no: String = row.try_get("order_no")?;
            let entries: Vec<String> = sqlx::query_scalar("select entry from ledger where order_no = $1")
                .bind(&order_no)
                .fetch_all(self.inbox.store().pool())
                .await?;
            orders.push(OrderRow {
                order_no,
                route: row.try_get("route")?,
                fen: row.try_get("fen")?,
                state: row.try_get("state")?,
                entries: entries.join(", "),
                parcels: row.try_get("parcels")?,
            });
        }
        Ok(orders)
    }

    /// Whether nothing more is to be heard of any order.
    pub(crate) async fn is_settled(&self) -> Result<bool, Box<dyn Error>> {
        let health = self.inbox.health().await?;
        Ok(health.pending == 0 && health.ready == 0)
    }

    /// # Errors
    /// When an order was not paid exactly once, or the inbox wants a person.
    pub(crate) async fn audit(&self) -> Result<(), Box<dyn Error>> {
        let orders = self.orders().await?;
        for order in &orders {
            // mpgateway tells of one payment in two events, and either may be booked once.
            let booked_once = match &*order.entries {
                "order-paid" => order.route != "mpgateway",
                "order-paid, order-settled" => order.route == "mpgateway",
                _ => false,
            };
            if order.state != "paid" || order.parcels != 1 || !booked_once {
                return Err(format!("{} was not paid exactly once", order.order_no).into());
            }
        }
        let health = self.inbox.health().await?;
        if orders.len() != 5 || health.parked + health.conflicts + health.pending > 0 {
            return Err(format!("{} orders, and {health:?}", orders.len()).into());
        }
        Ok(())
    }
}

/// What the shop does when an event takes effect, in the transaction that marks the event done.
pub(crate) struct Books {
    pub(crate) store: SqliteStore,
}

impl TxHandler<SqliteStore> for Books {
    async fn apply(
        &self,
        transaction: &mut Transaction<'static, Sqlite>,
        event: &StoredEvent,
    ) -> Result<(), HandlerError> {
        // The inbox has compared amount, currency and merchant with what was expected.
        let order_no = self.order_no(transaction, event).await?;
        let transition = event.key.transition;
        sqlx::query("insert into ledger (order_no, entry, event) values ($1, $2, $3)")
            .bind(&order_no)
            .bind(transition.as_str())
            .bind(event.key.to_string())
            .execute(&mut **transaction)
            .await?;
        match transition {
            // mpgateway tells of both, or of the latter alone: what ships at one ships at the other.
            payment if payment.is_payment() => ship(transaction, &order_no).await,
            Transition::OrderClosed | Transition::OrderFailed => release(transaction, &order_no).await,
            _ => Ok(()),
        }
    }
}

impl Books {
    /// Our number of the order. Where the event does not name it, the subject of its key may be the platform's number (StarPos);
    /// the inbox knows for which order of ours that stands.
    async fn order_no(
        &self,
        transaction: &mut Transaction<'static, Sqlite>,
        event: &StoredEvent,
    ) -> Result<String, HandlerError> {
        if let Some(order_no) = &event.facts.order_no {
            return Ok(order_no.clone());
        }
        let key = &event.key;
        let subject = Subject::new(&key.route, &key.account, PendingKind::Order, &key.subject);
        let expected = self.store.expected(transaction, subject).await?;
        match expected {
            Some(pending) => Ok(pending.expected.number),
            None => Err(HandlerError::park(
                "it names no order of ours: find it by the number in its key",
            )),
        }
    }
}

/// A parcel for an order that is open. Where the order is not, it is never as if there were nothing to do: a payment can come
/// after the shop has released the order, and nobody but the shop can see that.
async fn ship(transaction: &mut Transaction<'static, Sqlite>, order_no: &str) -> Result<(), HandlerError> {
    if changed(transaction, order_no, "paid").await? {
        sqlx::query("insert into parcels (order_no) values ($1)")
            .bind(order_no)
            .execute(&mut **transaction)
            .await?;
        return Ok(());
    }
    match state(transaction, order_no).await?.as_deref() {
        // By the other event of the same payment; the inbox parks a second payment. Or a person has sent the money back.
        Some("paid" | "refunded") => Ok(()),
        Some("released") => Err(HandlerError::park(
            "paid after the order was released: set it to open to ship it late, or refund it and set it to refunded; then retry",
        )),
        Some(state) => Err(HandlerError::park(format!("paid, and the order is {state}"))),
        None => Err(HandlerError::park(
            "paid, and there is no order of this number: whose is it?",
        )),
    }
}

/// What is held for an order that nobody will pay is free again.
async fn release(transaction: &mut Transaction<'static, Sqlite>, order_no: &str) -> Result<(), HandlerError> {
    if changed(transaction, order_no, "released").await? {
        return Ok(());
    }
    match state(transaction, order_no).await?.as_deref() {
        Some("released" | "refunded") => Ok(()),
        Some("paid") => Err(HandlerError::park(
            "closed after it was paid: the money went back or never came. Stop the parcel and set it to refunded; then retry",
        )),
        Some(state) => Err(HandlerError::park(format!("closed, and the order is {state}"))),
        None => Err(HandlerError::park(
            "closed, and there is no order of this number: whose is it?",
        )),
    }
}

/// Moves an order that is open on, and says whether it was.
async fn changed(
    transaction: &mut Transaction<'static, Sqlite>,
    order_no: &str,
    state: &str,
) -> Result<bool, HandlerError> {
    let changed = sqlx::query("update orders set state = $1 where order_no = $2 and state = 'open'")
        .bind(state)
        .bind(order_no)
        .execute(&mut **transaction)
        .await?;
    Ok(changed.rows_affected() == 1)
}

async fn state(transaction: &mut Transaction<'static, Sqlite>, order_no: &str) -> Result<Option<String>, HandlerError> {
    let state = sqlx::query_scalar("select state from orders where order_no = $1").bind(order_no);
    Ok(state.fetch_optional(&mut **transaction).await?)
}
