//! Random operations on both stores, and on a model of an inbox that fits on two pages. After every step the two must agree:
//! what is stored, where it is, how often it was tried, and what took effect.
//!
//! `YUANFEN_INBOX_MODEL_CASES` makes the run longer; a failure is shrunk to the fewest operations that show it.

mod compare;
mod event;
mod ops;
mod world;

use proptest::test_runner::{Config, TestRunner};
use tokio::runtime::Runtime;

use crate::place::{Place, postgres, sqlite};
use ops::histories;
use world::World;

#[expect(clippy::disallowed_methods, reason = "how long to run is asked of who runs it")]
fn cases(usual: u32) -> u32 {
    let asked = std::env::var("YUANFEN_INBOX_MODEL_CASES");
    asked.map_or(usual, |cases| cases.parse().expect("a number of cases"))
}

fn agrees<S: Place>(runtime: &Runtime, store: &S, usual: u32) {
    let config = Config {
        cases: cases(usual),
        failure_persistence: None,
        max_shrink_time: 60_000,
        ..Config::default()
    };
    let outcome = TestRunner::new(config).run(&histories(), |history| {
        runtime.block_on(async {
            let mut world = World::start(store).await;
            for step in &history {
                world.take(step).await;
            }
        });
        Ok(())
    });
    if let Err(failure) = outcome {
        panic!("{failure}");
    }
}

fn runtime() -> Runtime {
    tokio::runtime::Builder::new_multi_thread()
        .worker_threads(2)
        .enable_all()
        .build()
        .unwrap()
}

#[test]
fn a_sqlite_store_does_what_the_model_does() {
    let runtime = runtime();
    let store = runtime.block_on(sqlite());
    agrees(&runtime, &store, 12);
}

#[cfg(unix)]
#[test]
fn a_postgres_store_does_what_the_model_does() {
    let runtime = runtime();
    if let Some(store) = runtime.block_on(postgres()) {
        agrees(&runtime, &store, 12);
    }
}
