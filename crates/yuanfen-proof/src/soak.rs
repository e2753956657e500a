//! The inbox under fire: receivers and workers as separate processes, notices over HTTP, kills at every phase; then the
//! handler's own table beside what was sent.

mod accounts;
mod child;
mod database;
mod dice;
mod killer;
mod kills;
mod list;
mod pace;
mod plan;
mod process;
mod sender;
mod shop;
mod stops;
mod verdict;

use std::collections::HashMap;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::sync::atomic::Ordering;
use std::time::{Duration, Instant};

use clap::{Args, ValueEnum};
use tokio::task::JoinSet;
use yuanfen_core::{EventKey, Fen};
use yuanfen_inbox::{EventFilter, Inbox, PostgresStore, SqliteStore};
use yuanfen_testkit::PostgresServer;

use crate::{Error, machine};

pub(crate) use child::{Arguments as ChildArguments, receive, work};

use accounts::Accounts;
use database::Place;
use dice::Dice;
use killer::{Fleet, Killer};
use kills::Kills;
use list::List;
use pace::Pace;
use plan::{Plan, Telling};
use process::Launch;
use sender::{Sender, Tally};
use shop::Shop;
use verdict::{Found, Verdict, Wrong};

/// What tasks may fail with.
type Trouble = Box<dyn std::error::Error + Send + Sync>;

#[derive(Args)]
pub(crate) struct Arguments {
    /// Which database holds the inbox
    #[arg(long)]
    store: StoreKind,
    /// How many business events are told of
    #[arg(long, default_value_t = 20_000, value_parser = clap::value_parser!(u32).range(50..=10_000_000))]
    events: u32,
    /// How often something is killed
    #[arg(long, default_value_t = 30, value_parser = clap::value_parser!(u32).range(..=1000))]
    kills: u32,
    /// What the plan of the run is drawn from
    #[arg(long, default_value_t = 1)]
    seed: u64,
    /// Leave the database and the list of what was sent in this folder, which must be empty or not there
    #[arg(long)]
    keep: Option<PathBuf>,
    /// Break the promise on purpose: such a run must fail
    #[arg(long = "break")]
    broken: Option<Break>,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub(crate) enum StoreKind {
    Sqlite,
    Postgres,
}

/// What a shop does wrong.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub(crate) enum Break {
    /// Receivers acknowledge what they have in memory only: events are lost
    AcknowledgeEarly,
    /// The handler writes on a connection of its own: events are doubled
    OwnConnection,
}

/// Receivers of a run.
const RECEIVERS: usize = 2;

/// How long nothing may become done before what is ready counts as lost.
const PATIENCE: Duration = Duration::from_secs(60);

/// Runs, and prints what it found; whether nothing is wrong, and as much was killed as was asked for.
///
/// # Errors
/// When the processes, the database or the folder cannot be had, or no event comes to a phase in which something is to be
/// killed.
pub(crate) fn run(arguments: &Arguments) -> Result<bool, Error> {
    let scratch = tempfile::tempdir()?;
    let folder = match &arguments.keep {
        Some(folder) => {
            std::fs::create_dir_all(folder)?;
            if std::fs::read_dir(folder)?.next().is_some() {
                return Err(format!("{} is not empty", folder.display()).into());
            }
            folder.canonicalize()?
        }
        None => scratch.path().to_owned(),
    };
    let runtime = tokio::runtime::Builder::new_multi_thread().enable_all().build()?;
    let done = match arguments.store {
        StoreKind::Sqlite => {
            let file = folder.join("inbox.db").display().to_string();
            runtime.block_on(soak::<SqliteStore>(arguments, &folder, file, None, 2))
        }
        StoreKind::Postgres => {
            let server = match &arguments.keep {
                Some(_) => PostgresServer::start_in(&folder.join("postgres")),
                None => PostgresServer::start(),
            };
            let server = server.map_err(|error| format!("{error}; to have them: apt-get install postgresql"))?;
            server.psql(&server.url(), "create database inbox template template0");
            let url = server.url_of("inbox");
            runtime.block_on(soak::<PostgresStore>(
                arguments,
                &folder,
                url,
                Some(Arc::new(server)),
                3,
            ))
        }
    };
    done.map_err(|trouble| -> Error { trouble })
}

async fn soak<S: Place>(
    arguments: &Arguments,
    folder: &Path,
    at: String,
    server: Option<Arc<PostgresServer>>,
    workers: usize,
) -> Result<bool, Trouble> {
    let began = Instant::now();
    let accounts = Accounts::new()?;
    let events = usize::try_from(arguments.events)?;
    let plan = Arc::new(Plan::draw(events, arguments.seed, |route| accounts.of(route)));
    let (deliveries, kills) = (u64::try_from(plan.deliveries.len())?, u64::from(arguments.kills));
    let store = S::open_at(&at).await?;
    store.prepare().await?;
    let inbox = child::inbox(store);
    let elsewhere = folder.join("elsewhere.db").display().to_string();
    let broken = arguments.broken;
    let launch = Launch {
        store: arguments.store,
        at,
        broken,
        elsewhere: elsewhere.clone(),
    };
    let fleet = Fleet::start(launch, RECEIVERS, workers).await?;
    let sender = Arc::new(Sender::new(Arc::clone(&plan), List::create(folder)?)?);
    sender.set_ports(fleet.ports());
    println!(
        "{events} events of {} orders in {deliveries} deliveries, {kills} kills, seed {}; {RECEIVERS} receivers and \
         {workers} workers, each a process",
        plan.orders.len(),
        arguments.seed,
    );
    print_settings(&inbox);

    let (pace, count) = (
        Arc::new(Pace::new(deliveries, killer::blows(kills))),
        Arc::new(Kills::default()),
    );
    let mut dice = Dice::new(arguments.seed ^ 0x6b69_6c6c);
    let killer = Killer {
        inbox: inbox.clone(),
        server,
        fleet,
        sender: Arc::clone(&sender),
        pace: Arc::clone(&pace),
        kills: Arc::clone(&count),
        dice: dice.fork(),
    };
    let server = killer.server.clone();
    let watch = Watch {
        inbox: inbox.clone(),
        sender: Arc::clone(&sender),
        pace: Arc::clone(&pace),
        kills: Arc::clone(&count),
        deliveries,
    };
    let mut watching = JoinSet::new();
    watching.spawn(watch.run(began));
    let shop = Shop::new(inbox.clone(), Arc::clone(&plan))?;
    // Whichever fails first ends the run.
    let (fleet, ()) = tokio::try_join!(
        flat(tokio::spawn(killer.run(kills))),
        flat(tokio::spawn(send(shop, Arc::clone(&sender), Arc::clone(&pace), dice))),
    )?;
    settle(&inbox).await?;
    watching.shutdown().await;
    fleet.finish().await?;
    let tally = sender.tally();
    sender.finish_list()?;
    let acknowledged = tally.acknowledged();
    list::write_events(folder, &plan, &acknowledged)?;

    let rows = rows(inbox.store(), broken, &elsewhere).await?;
    let found = found(&inbox, &plan).await?;
    let verdict = Verdict::of(&plan, &acknowledged, &found, &rows);
    let is_clean = report(tally, &count, &verdict);
    println!("\ncargo xtask soak-inbox: {}", machine::describe());
    if arguments.keep.is_some() {
        println!("kept in {}", folder.display());
    }
    println!(
        "events={events} delivered={} lost={} doubled={} parked={} kills={} seconds={}",
        tally.requests.load(Ordering::Relaxed),
        verdict.count(Wrong::Lost),
        verdict.count(Wrong::Doubled),
        verdict.parked,
        count.all(),
        began.elapsed().as_secs(),
    );
    inbox.store().close().await;
    drop(server);
    Ok(is_clean && count.all() == kills)
}

async fn flat<T>(task: tokio::task::JoinHandle<Result<T, Trouble>>) -> Result<T, Trouble> {
    task.await?
}

fn print_settings<S: Place>(inbox: &Inbox<S>) {
    let settings = inbox.settings();
    println!(
        "settings: handler_deadline {} ms, lease {} s, attempts {}, first_pause {} s, longest_pause {} s, idle {} ms, \
         workers {}; all else as in a shop",
        settings.handler_deadline.as_millis(),
        settings.lease.as_secs(),
        settings.attempts,
        settings.first_pause.as_secs(),
        settings.longest_pause.as_secs(),
        settings.idle.as_millis(),
        settings.workers,
    );
}

/// Sends every delivery, each after its order was placed, and waits until all have come to their end.
async fn send<S: Place>(
    mut shop: Shop<S>,
    sender: Arc<Sender>,
    pace: Arc<Pace>,
    mut dice: Dice,
) -> Result<(), Trouble> {
    let mut under_way = JoinSet::new();
    for delivery in &sender.plan().deliveries {
        shop.place(delivery.after).await?;
        pace.send().await;
        let slot = sender.slot().await?;
        under_way.spawn(Arc::clone(&sender).deliver(delivery.parcel, dice.fork(), slot));
        while let Some(done) = under_way.try_join_next() {
            done??;
        }
    }
    while let Some(done) = under_way.join_next().await {
        done??;
    }
    Ok(())
}

/// What is told while it runs, and what the pace needs to know.
struct Watch<S> {
    inbox: Inbox<S>,
    sender: Arc<Sender>,
    pace: Arc<Pace>,
    kills: Arc<Kills>,
    deliveries: u64,
}

impl<S: Place> Watch<S> {
    async fn run(self, began: Instant) {
        const LOOK: Duration = Duration::from_millis(100);
        const TELL: Duration = Duration::from_secs(5);

        let mut told = Instant::now();
        loop {
            // A server that is down is asked again.
            if let Ok(ready) = self.inbox.store().ready().await {
                self.pace.note_ready(ready);
            }
            if told.elapsed() >= TELL {
                told = Instant::now();
                println!(
                    "{:>4} s  {:>8} of {} deliveries ended  {:>6} ready  {:>4} kills",
                    began.elapsed().as_secs(),
                    self.sender.tally().ended.load(Ordering::Relaxed),
                    self.deliveries,
                    self.pace.ready(),
                    self.kills.all(),
                );
            }
            tokio::time::sleep(LOOK).await;
        }
    }
}

/// Waits until no event is ready any more, or nothing moves.
async fn settle<S: Place>(inbox: &Inbox<S>) -> Result<(), Trouble> {
    let (mut last, mut since) = (i64::MAX, Instant::now());
    while since.elapsed() < PATIENCE {
        let ready = inbox.store().ready().await?;
        if ready == 0 {
            break;
        }
        if ready < last {
            (last, since) = (ready, Instant::now());
        }
        tokio::time::sleep(Duration::from_millis(50)).await;
    }
    Ok(())
}

/// The handler's own table, counted by event.
async fn rows<S: Place>(store: &S, broken: Option<Break>, elsewhere: &str) -> Result<HashMap<String, u64>, Trouble> {
    let events = match broken {
        Some(Break::OwnConnection) => {
            let pool = child::elsewhere(elsewhere).await?;
            sqlx::query_scalar("select event from effect").fetch_all(&pool).await?
        }
        _ => store.effects().await?,
    };
    let mut rows = HashMap::new();
    for event in events {
        *rows.entry(event).or_default() += 1;
    }
    Ok(rows)
}

/// Every event as the inbox has it.
async fn found<S: Place>(inbox: &Inbox<S>, plan: &Plan) -> Result<HashMap<EventKey, Found>, Trouble> {
    let on_one_number = |key: &EventKey, amount: Option<Fen>, remote_id: Option<String>| Telling {
        amount: amount.map_or(0, Fen::get),
        remote_id: remote_id.filter(|_| key.route != accounts::Route::V3.name()),
    };
    let mut found = HashMap::with_capacity(plan.events.len());
    let mut filter = EventFilter::default();
    filter.limit = 1000;
    loop {
        let page = inbox.events(&filter).await?;
        let Some(last) = page.last() else { return Ok(found) };
        filter.after = last.id.get();
        for event in page {
            let conflicts = inbox.conflicts(event.id).await?.into_iter().map(|conflict| {
                let facts = conflict.facts;
                (
                    on_one_number(&event.key, facts.amount, facts.remote_id),
                    conflict.received_at,
                )
            });
            let as_found = Found {
                state: event.state,
                parked_for: event.parked_for,
                conflicts: conflicts.collect(),
                told: on_one_number(&event.key, event.facts.amount, event.facts.remote_id),
                finished_at: event.finished_at,
            };
            found.insert(event.key, as_found);
        }
    }
}

/// Prints what was sent, killed and found; whether nothing is wrong.
fn report(tally: &Tally, kills: &Kills, verdict: &Verdict) -> bool {
    let of = |count: &std::sync::atomic::AtomicU64| count.load(Ordering::Relaxed);
    println!(
        "\nrequests: {} sent, {} cut off by the platform, {} without an answer, {} answered as not taken and sent again; \
         {} bad ones refused",
        of(&tally.requests),
        of(&tally.cut),
        of(&tally.unanswered),
        of(&tally.not_taken),
        of(&tally.refused),
    );
    println!("slowest acknowledgement: {} ms", of(&tally.slowest) / 1000);
    println!("contradictions kept: {}", verdict.conflicts);
    println!("{kills}");
    let problems = tally.problems();
    for problem in &problems {
        println!("WRONG: {problem}");
    }
    if kills.not_overtaken() > 0 {
        println!(
            "WRONG: {} stopped workers were overtaken by no other",
            kills.not_overtaken()
        );
    }
    print!("{verdict}");
    problems.is_empty() && kills.not_overtaken() == 0 && verdict.is_clean()
}
