//! The shops' programs: each places an order, has it paid through the admin API, and goes on to the next.

use std::sync::Arc;
use std::sync::atomic::{AtomicU32, Ordering};
use std::time::Instant;

use bytes::Bytes;
use http::{Request, StatusCode};
use serde::Deserialize;
use tokio::task::JoinSet;
use yuanfen::core::{Address, Fen, OrderNo, PayAmount, Standing};
use yuanfen::transport::{Client, HyperTransport, Transport as _};
use yuanfen::wechat_v3::ops::{PlaceJsapiOrder, QueryOrder};
use yuanfen::wechat_v3::{Account, OpenId, OrderTerms};

use super::sandbox::Served;
use super::tally::Tally;
use crate::Error;

/// What tasks may fail with.
type Trouble = Box<dyn std::error::Error + Send + Sync>;

/// How many orders the admin API gives at once.
const PAGE: usize = 1000;
/// Every so manieth order is queried at the end, through the platform's own call.
const SAMPLED: usize = 100;

pub(super) struct Clients {
    count: usize,
    client: Client<Account>,
    admin: HyperTransport,
    admin_url: String,
    openid: OpenId,
    notify_url: Address,
    amount: PayAmount,
    next: AtomicU32,
    tally: Arc<Tally>,
}

/// An order as the admin API tells of it; only what is looked at.
#[derive(Deserialize)]
struct Told {
    number: u64,
    order_no: String,
    state: String,
}

/// An attempt to deliver a notice, likewise.
#[derive(Deserialize)]
struct Attempt {
    number: u64,
}

impl Clients {
    pub(super) fn new(
        count: usize,
        account: Arc<Account>,
        openid: String,
        served: &Served,
        notify_url: &str,
        tally: Arc<Tally>,
    ) -> Result<Self, Error> {
        Ok(Self {
            count,
            client: Client::new(account, HyperTransport::new()?),
            admin: HyperTransport::new()?,
            admin_url: served.admin_url().to_owned(),
            openid: OpenId::new(openid),
            notify_url: Address::parse("notify_url", notify_url)?,
            amount: PayAmount::new(Fen::new(100))?,
            next: AtomicU32::new(0),
            tally,
        })
    }

    pub(super) const fn count(&self) -> usize {
        self.count
    }

    /// Until every order is placed and paid.
    ///
    /// # Errors
    /// When a call fails: nothing goes wrong by plan here.
    pub(super) async fn run(self) -> Result<Self, Trouble> {
        let clients = Arc::new(self);
        let mut tasks = JoinSet::new();
        for _ in 0..clients.count {
            let clients = Arc::clone(&clients);
            tasks.spawn(async move {
                while clients.one().await? {}
                Ok::<(), Trouble>(())
            });
        }
        while let Some(done) = tasks.join_next().await {
            done??;
        }
        Arc::into_inner(clients).ok_or_else(|| Trouble::from("a client did not end"))
    }

    /// Whether there was another one.
    async fn one(&self) -> Result<bool, Trouble> {
        let number = self.next.fetch_add(1, Ordering::Relaxed);
        if number >= self.tally.orders() {
            return Ok(false);
        }
        let order_no = Tally::order_no(number);
        let terms = OrderTerms::new(
            OrderNo::new(&order_no)?,
            self.amount,
            "load - noodles",
            self.notify_url.clone(),
        );
        let order = PlaceJsapiOrder::new(terms, self.openid.clone());
        let start = Instant::now();
        self.client.call(&order).await?;
        self.tally.note_placed(start.elapsed());
        let start = Instant::now();
        let request = Request::post(format!("{}/api/orders/wechat-v3/{order_no}/pay", self.admin_url));
        let response = self.admin.send(request.body(Bytes::new())?).await?;
        if response.status() != StatusCode::OK {
            return Err(format!("{order_no} could not be paid: {:?}", response.body()).into());
        }
        self.tally.note_paid(start.elapsed());
        Ok(true)
    }

    /// What is missing or wrong at the end, by what the sandbox says of itself: the book, the count of attempts to
    /// deliver, and a query of every hundredth order.
    ///
    /// # Errors
    /// When a call fails.
    pub(super) async fn check(&self, tally: &Tally) -> Result<Vec<String>, Error> {
        let orders = u64::from(tally.orders());
        let mut before = String::new();
        let mut paid = 0_u64;
        loop {
            let page: Vec<Told> = self
                .ask(&format!("orders?account=wechat-v3&limit={PAGE}{before}"))
                .await?;
            for told in &page {
                // The book is by the order in which they were placed; each number is there once.
                if told.state == "paid" {
                    paid += 1;
                } else {
                    tally.note_problem(format!("{} is {}", told.order_no, told.state));
                }
            }
            match page.last() {
                Some(last) if page.len() == PAGE => before = format!("&before={}", last.number),
                _ => break,
            }
        }
        if paid != orders {
            tally.note_problem(format!("{paid} of {orders} orders are paid in the book"));
        }
        let attempts: Vec<Attempt> = self.ask("notices?limit=1").await?;
        let attempts = attempts.first().map_or(0, |attempt| attempt.number);
        if attempts != orders {
            tally.note_problem(format!("{attempts} attempts to deliver {orders} notices"));
        }
        for number in (0..tally.orders()).step_by(SAMPLED) {
            let order_no = Tally::order_no(number);
            let queried = self
                .client
                .call(&QueryOrder::by_order_no(OrderNo::new(&order_no)?))
                .await?;
            if queried.standing() != Standing::Succeeded || queried.transaction.total != Some(self.amount.fen()) {
                tally.note_problem(format!(
                    "{order_no} is queried as {}",
                    queried.transaction.trade_state.as_str()
                ));
            }
        }
        Ok(tally.problems())
    }

    async fn ask<T: for<'de> Deserialize<'de>>(&self, what: &str) -> Result<T, Error> {
        let request = Request::get(format!("{}/api/{what}", self.admin_url)).body(Bytes::new())?;
        let response = self.admin.send(request).await?;
        if response.status() != StatusCode::OK {
            return Err(format!("the admin API does not tell of {what}: {:?}", response.body()).into());
        }
        Ok(serde_json::from_slice(response.body())?)
    }
}
