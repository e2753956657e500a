#![doc = include_str!("../README.md")]
#![expect(
    clippy::panic,
    clippy::missing_panics_doc,
    reason = "a test library reports by panicking, with the case in the message; the types say so"
)]

pub mod kept;
pub mod log;
pub mod mutate;
pub mod oracle;
pub mod origin;
pub mod pair;
#[cfg(unix)]
pub mod postgres;
pub mod vectors;
pub mod word;

pub use kept::expect_kept;
pub use log::Log;
pub use mutate::{Change, Message, Mutant, Mutation, Outcome, Place, Tally, Weakness, expect_twins, expect_twins_but};
pub use pair::{Clock, Link, Loss, Pair, Passage, Plan};
#[cfg(unix)]
pub use postgres::{PostgresMissing, PostgresServer};
pub use serde_json::{Value, json};
pub use vectors::{Case, Run, Stage, Vectors};
pub use word::protocol_word;
