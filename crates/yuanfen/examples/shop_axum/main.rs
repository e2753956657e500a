//! A shop on axum and SQLite that is paid over all five routes, each with trouble of its own, against a sandbox in the same
//! process. Every order must be paid exactly once; the exit code says whether it was.
//!
//! Offline: `cargo run -p yuanfen --example shop_axum`. With `-- --serve` it goes on, with the table at `/`. What the handler
//! makes of a payment that comes late is in `tests.rs`.
//!
//! For PostgreSQL say `PostgresStore` and `Postgres` for `SqliteStore` and `Sqlite`, `connect` for `open`, and a plain `begin`; the
//! statements are the same.

#![allow(clippy::print_stdout, reason = "an example for the terminal")]

mod platforms;
mod shop;
mod table;
#[cfg(test)]
mod tests;

use std::error::Error;
use std::net::Ipv4Addr;
use std::time::Duration;

use axum::Router;
use axum::routing::get;
use tokio::net::TcpListener;
use tokio::sync::oneshot;
use yuanfen::core::{OrderNo, PayAmount, PrepayId};
use yuanfen_sandbox::{FaultKind, FaultPlan, FaultRule, NoticeOutcome, Platform, Sandbox};

use platforms::Platforms;
use shop::{NewOrder, Shop};

/// How long an order can be paid: WeChat is told so, and what the others hand out for the payer's cashier lives as long.
const TIME_TO_PAY: Duration = Duration::from_secs(PrepayId::LIFE.unsigned_abs());

/// How far the sandbox's clock is moved on: what comes by itself comes within this.
const A_WHILE: Duration = Duration::from_secs(90);

/// How long all of it may take on a loaded machine.
const PATIENCE: Duration = Duration::from_secs(30);

/// What goes wrong on each route.
fn troubles(sandbox: &Sandbox) {
    let on_notices = |kind, platform| FaultRule::new(kind).on(platform).during("pay-notice");
    sandbox.set_faults(
        FaultPlan::none()
            // Its notices come twice, and the first of them is spoiled on the way.
            .with(on_notices(FaultKind::DuplicateNotice, Platform::WechatV2))
            .with(on_notices(FaultKind::CorruptSignature, Platform::WechatV2).nth(1))
            // Its notices are lost, all of them.
            .with(on_notices(FaultKind::LoseNotice, Platform::WechatV3)),
    );
    // It pays first and says a minute later that the money can be had: two events of one order.
    sandbox.hold_mpgateway_payments(true);
    // StarPos and fshows need no fault: nothing proves the push of the one, and the call-back of the other has no state.
}

#[tokio::main]
async fn main() -> Result<(), Box<dyn Error>> {
    let sandbox = Sandbox::start().await?;
    troubles(&sandbox);

    // The shop's own tables and the inbox's are in one file, so that one transaction writes both.
    let folder = tempfile::tempdir()?;
    let clock = sandbox.clock().clone();
    let shop = Shop::open(&folder.path().join("shop.db"), move || clock.now()).await?;

    let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).await?;
    let address = listener.local_addr()?;
    let platforms = Platforms::connect(&sandbox, format!("http://{address}/notify"))?;
    let page = {
        let shop = shop.clone();
        get(move || async move { table::of(&shop).await.unwrap_or_else(|error| error.to_string()) })
    };
    let router = Router::new().route("/", page).nest("/notify", platforms.doors(&shop));
    tokio::spawn(async move { axum::serve(listener, router).await });

    // Workers let events take effect; convergence asks where none comes. In a shop both run until the process is told to stop.
    let (stop_workers, workers_stop) = oneshot::channel::<()>();
    let (stop_queries, queries_stop) = oneshot::channel::<()>();
    let workers = shop.inbox.workers(shop.books());
    let workers = tokio::spawn(workers.run(async move { drop(workers_stop.await) }));
    let convergence = shop.inbox.convergence(platforms.plans());
    let queries = tokio::spawn(convergence.run(async move { drop(queries_stop.await) }));

    for (number, platform) in (1..).zip(Platform::ALL.iter().copied()) {
        let order = NewOrder {
            order_no: OrderNo::portable(format!("SHOP2026112200{number:02}"))?,
            amount: PayAmount::from_fen(1_000 + number)?,
            expires_at: sandbox.clock().now().after(TIME_TO_PAY),
        };
        // The order is written and expected in one transaction, and committed, right before the platform hears of it.
        let (route, account) = platforms.route(platform);
        shop.take(route, account, &order).await?;
        let remote_id = platforms.place(platform, &order).await?;
        if let Some(remote_id) = remote_id {
            shop.keep_remote_id(route, account, &order.order_no, &remote_id).await?;
        }
        sandbox.pay(platform, order.order_no.as_str())?;
    }
    sandbox.delivered().await;
    sandbox.advance(A_WHILE).await?;

    let settled = async {
        while !shop.is_settled().await? {
            tokio::time::sleep(Duration::from_millis(50)).await;
        }
        Ok::<_, Box<dyn Error>>(())
    };
    match tokio::time::timeout(PATIENCE, settled).await {
        Ok(settled) => settled?,
        Err(_elapsed) => println!("not all of it came within {} seconds", PATIENCE.as_secs()),
    }
    println!("{}", table::of(&shop).await?);
    if std::env::args().any(|argument| argument == "--serve") {
        println!(
            "the same at http://{address}/, the platforms' side at {}",
            sandbox.admin_url()
        );
        std::future::pending::<()>().await;
    }
    drop((stop_workers, stop_queries));
    workers.await?;
    queries.await?;
    understood(&sandbox)?;
    shop.audit().await
}

/// Each platform that reached the shop took its answer for one in its own form.
fn understood(sandbox: &Sandbox) -> Result<(), Box<dyn Error>> {
    let attempts = sandbox.notices();
    let taken = |platform| {
        let mut of_it = attempts.iter().filter(|attempt| attempt.platform == platform);
        of_it.any(|attempt| matches!(attempt.outcome, NoticeOutcome::Acknowledged { .. }))
    };
    let reached = Platform::ALL.iter().filter(|platform| **platform != Platform::WechatV3);
    match reached.copied().find(|platform| !taken(*platform)) {
        Some(platform) => Err(format!("{platform:?} did not take the shop's answer").into()),
        None => Ok(()),
    }
}
