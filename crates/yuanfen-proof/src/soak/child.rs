//! The processes that are killed: receivers, each an HTTP server on a port of its own, and workers.

mod receive;
mod work;

use std::io::BufRead as _;
use std::time::Duration;

use clap::Args;
use tokio::sync::oneshot;
use yuanfen_inbox::{Inbox, PostgresStore, SqliteStore};

use super::database::Place;
use super::stops::Stops;
use super::{Break, StoreKind, Trouble};
use crate::Error;

pub(super) use work::elsewhere;

/// What a process is told at its start.
#[derive(Args)]
pub(crate) struct Arguments {
    #[arg(long)]
    store: StoreKind,
    /// The file, or the URL
    #[arg(long)]
    at: String,
    #[arg(long = "break")]
    broken: Option<Break>,
    /// The file that a broken handler writes to
    #[arg(long)]
    elsewhere: String,
}

/// How long a handler may take in a soak.
pub(super) const DEADLINE: Duration = Duration::from_millis(300);

/// The inbox of every process of a soak, with what takes minutes or an hour in a shop cut down to seconds.
pub(super) fn inbox<S: Place>(store: S) -> Inbox<S> {
    Inbox::new(store).with_settings(|settings| {
        settings.handler_deadline = DEADLINE;
        settings.lease = Duration::from_secs(2);
        settings.attempts = 6;
        settings.first_pause = Duration::from_secs(1);
        settings.longest_pause = Duration::from_secs(2);
        settings.idle = Duration::from_millis(20);
    })
}

/// A receiver, until its standard input ends.
///
/// # Errors
/// When the database or a port cannot be opened.
pub(crate) fn receive(arguments: &Arguments) -> Result<bool, Error> {
    start(arguments, false)
}

/// A worker, until its standard input ends and what it has begun is finished.
///
/// # Errors
/// When the database cannot be opened.
pub(crate) fn work(arguments: &Arguments) -> Result<bool, Error> {
    start(arguments, true)
}

fn start(arguments: &Arguments, is_worker: bool) -> Result<bool, Error> {
    let runtime = tokio::runtime::Builder::new_multi_thread().enable_all().build()?;
    let done = match arguments.store {
        StoreKind::Sqlite => runtime.block_on(run::<SqliteStore>(arguments, is_worker)),
        StoreKind::Postgres => runtime.block_on(run::<PostgresStore>(arguments, is_worker)),
    };
    done.map_err(|trouble| -> Error { trouble })?;
    Ok(true)
}

async fn run<S: Place>(arguments: &Arguments, is_worker: bool) -> Result<(), Trouble> {
    let stops = Stops::default();
    let end = listen(stops.clone());
    let inbox = inbox(S::open_at(&arguments.at).await?).with_phase_hook(stops.hook());
    if is_worker {
        work::run(&inbox, arguments, end).await
    } else {
        receive::run(&inbox, arguments.broken, end).await
    }
}

/// Takes the driver's orders from standard input. It ends when the driver says so, or is gone.
fn listen(stops: Stops) -> oneshot::Receiver<()> {
    /// What is under way may finish; what hangs may not.
    const PATIENCE: Duration = Duration::from_secs(15);

    let (ended, end) = oneshot::channel();
    std::thread::spawn(move || {
        for line in std::io::stdin().lock().lines() {
            match line {
                Ok(line) if stops.take(&line) => {}
                Ok(line) => eprintln!("a process of the soak was told `{line}`, which is no order"),
                Err(_) => break,
            }
        }
        ended.send(()).ok();
        std::thread::sleep(PATIENCE);
        std::process::exit(1);
    });
    end
}
