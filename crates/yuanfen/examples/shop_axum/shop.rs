//! The shop: its tables, and what it does when an event takes effect.

use std::collections::BTreeMap;
use std::error::Error;
use std::path::Path;
use std::sync::{Arc, Mutex, PoisonError};

use sqlx::{Row as _, Sqlite, Transaction};
use yuanfen::core::{OrderNo, PayAmount, RemoteId, Transition, UnixTime};
use yuanfen::inbox::store::Subject;
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

    /// Takes an order: into the shop's table, and into what the inbox expects, or into neither.
    pub(crate) async fn take(&self, route: &str, account: &str, order: &NewOrder) -> Result<(), Box<dyn Error>> {
        let mut transaction = self.inbox.store().pool().begin_with("begin immediate").await?;
        sqlx::query("insert into orders (order_no, route, fen, state) values ($1, $2, $3, 'open')")
            .bind(order.order_no.as_str())
            .bind(route)
            .bind(order.amount.fen().get())
            .execute(&mut *transaction)
            .await?;
        let expected = PendingOrder::new(route, account, order.order_no.clone(), order.amount, None);
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
pub(crate) struct Books;

impl TxHandler<SqliteStore> for Books {
    async fn apply(
        &self,
        transaction: &mut Transaction<'static, Sqlite>,
        event: &StoredEvent,
    ) -> Result<(), HandlerError> {
        // The inbox has compared amount, currency and merchant with what was expected.
        let order_no = event.facts.order_no.as_deref().unwrap_or(&event.key.subject);
        sqlx::query("insert into ledger (order_no, entry, event) values ($1, $2, $3)")
            .bind(order_no)
            .bind(event.key.transition.as_str())
            .bind(event.key.to_string())
            .execute(&mut **transaction)
            .await?;
        if matches!(event.key.transition, Transition::OrderPaid | Transition::OrderSettled) {
            let paid = sqlx::query("update orders set state = 'paid' where order_no = $1 and state = 'open'")
                .bind(order_no)
                .execute(&mut **transaction)
                .await?;
            // The second of mpgateway's two events finds it paid, and sends no second parcel.
            if paid.rows_affected() == 1 {
                sqlx::query("insert into parcels (order_no) values ($1)")
                    .bind(order_no)
                    .execute(&mut **transaction)
                    .await?;
            }
        }
        Ok(())
    }
}
