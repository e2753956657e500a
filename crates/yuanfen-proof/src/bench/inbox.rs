//! The inbox beside the bare rate: autocommitted inserts of the same bytes into a table with the same columns and
//! indexes, over the same pool.
//!
//! A notice goes through the whole of `Receiver::receive`; its source alone is made up, so that no signature is verified
//! and nothing is parsed.

mod growth;
mod lanes;
mod notice;
mod place;
mod rates;
mod report;

use std::path::PathBuf;

use clap::{Args, ValueEnum};
use yuanfen_inbox::{PostgresStore, SqliteStore};
use yuanfen_testkit::PostgresServer;

use self::growth::Sizes;
use self::lanes::Rates;
use self::place::{CONNECTIONS, Place};
use self::report::{Line, Promise};
use super::Output;
use super::report::Shape;
use crate::Error;

/// The promises, in thousandths.
const RECEIVE: Promise = Promise::AtLeast(700);
const TOGETHER: Promise = Promise::AtLeast(2000);
const GROWN: Promise = Promise::AtMost(1500);
/// Flat: the second stage is beside the first, with two pools, two stores and a hundred times the events.
const FLAT: Promise = Promise::AtMost(1250);

#[derive(Args)]
pub(super) struct Arguments {
    #[command(flatten)]
    output: Output,
    /// Only this store; both where absent
    #[arg(long, value_enum)]
    store: Option<Name>,
    /// Rounds, each with one batch of everything that is compared; odd numbers have a middle
    #[arg(long, default_value_t = 15)]
    rounds: u32,
    /// Events in the full store; 0 leaves that part out
    #[arg(long, default_value_t = 1_000_000)]
    events: u64,
    /// Notices that are timed in each store
    #[arg(long, default_value_t = 4000)]
    timed: usize,
    /// Where SQLite's files go, on a disk whose commits take as long as yours; PostgreSQL's are in the folder for
    /// temporary files
    #[arg(long, value_name = "FOLDER")]
    folder: Option<PathBuf>,
}

#[derive(Clone, Copy, PartialEq, Eq, ValueEnum)]
enum Name {
    Sqlite,
    Postgres,
}

/// Measures and prints; whether every promise was kept.
///
/// # Errors
/// When a store fails, or PostgreSQL is asked for and not there.
pub(super) fn run(arguments: &Arguments) -> Result<bool, Error> {
    let runtime = tokio::runtime::Builder::new_multi_thread().enable_all().build()?;
    let mut printed = Printed {
        shape: arguments.output.shape(),
        holds: true,
    };
    report::begin(printed.shape);
    if arguments.store != Some(Name::Postgres) {
        let folder = match &arguments.folder {
            Some(folder) => tempfile::tempdir_in(folder)?,
            None => tempfile::tempdir()?,
        };
        runtime.block_on(sqlite(arguments, folder.path(), &mut printed))?;
    }
    if arguments.store != Some(Name::Sqlite) {
        let missing = "leave PostgreSQL out with --store sqlite, or: apt-get install postgresql";
        let server = PostgresServer::start().map_err(|error| format!("{error}; {missing}"))?;
        runtime.block_on(postgres(arguments, &server, &mut printed))?;
    }
    super::report::end(printed.shape, "cargo xtask bench inbox");
    Ok(printed.holds || arguments.output.no_gate)
}

async fn sqlite(arguments: &Arguments, folder: &std::path::Path, printed: &mut Printed) -> Result<(), Error> {
    let name = SqliteStore::NAME;
    let rates = rates::receive(place::sqlite(folder, "one.db").await?, 1, arguments.rounds).await?;
    printed.rates(name, "receive, 1 receiver", &rates, Some(RECEIVE))?;
    let rates = rates::receive(place::sqlite(folder, "sixteen.db").await?, 16, arguments.rounds).await?;
    printed.rates(name, "receive, 16 receivers", &rates, Some(TOGETHER))?;
    let rates = rates::handle(place::sqlite(folder, "handle.db").await?, 1, arguments.rounds).await?;
    printed.rates(name, "handle, 1 worker", &rates, None)?;
    if arguments.events > 0 {
        let few = place::sqlite(folder, "few.db").await?;
        let many = place::sqlite(folder, "many.db").await?;
        let stages = growth::measure(few, many, arguments.sizes()).await?;
        printed.all(&Line::of_growth(name, &stages, GROWN, FLAT))?;
    }
    Ok(())
}

async fn postgres(arguments: &Arguments, server: &PostgresServer, printed: &mut Printed) -> Result<(), Error> {
    let name = PostgresStore::NAME;
    let lanes = usize::try_from(CONNECTIONS)?;
    let rates = rates::receive(place::postgres(server).await?, lanes, arguments.rounds).await?;
    // One by one is told as well, but what is promised is that many connections are as good as bare ones.
    let what = format!("receive, {lanes} receivers");
    for (rates, promise) in rates.iter().zip([Some(RECEIVE), None]) {
        printed.one(&Line::of_rates(name, &what, rates, promise))?;
    }
    let rates = rates::handle(place::postgres(server).await?, 4, arguments.rounds).await?;
    printed.rates(name, "handle, 4 workers", &rates, None)?;
    if arguments.events > 0 {
        let (few, many) = (place::postgres(server).await?, place::postgres(server).await?);
        let stages = growth::measure(few, many, arguments.sizes()).await?;
        printed.all(&Line::of_growth(name, &stages, GROWN, FLAT))?;
    }
    Ok(())
}

impl Arguments {
    fn sizes(&self) -> Sizes {
        Sizes {
            few: 10_000.min(self.events),
            many: self.events,
            timed: self.timed,
        }
    }
}

/// What was printed so far.
struct Printed {
    shape: Shape,
    holds: bool,
}

impl Printed {
    fn rates(
        &mut self,
        store: &'static str,
        what: &str,
        rates: &[Rates],
        promise: Option<Promise>,
    ) -> Result<(), Error> {
        rates
            .iter()
            .try_for_each(|rates| self.one(&Line::of_rates(store, what, rates, promise)))
    }

    fn all(&mut self, lines: &[Line]) -> Result<(), Error> {
        lines.iter().try_for_each(|line| self.one(line))
    }

    fn one(&mut self, line: &Line) -> Result<(), Error> {
        self.holds &= line.holds() != Some(false);
        report::print(self.shape, line)
    }
}
