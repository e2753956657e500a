//! The same behaviour on both stores; every crash point; random operations against a model.

#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    missing_docs,
    unreachable_pub,
    reason = "tests"
)]

mod basics;
mod clocks;
mod conflicts;
mod converge;
mod counts;
mod crash;
mod deadline;
mod durability;
mod existing;
mod expectations;
mod logs;
mod migrate;
mod model;
mod numbers;
mod people;
mod place;
#[cfg(unix)]
mod postgres;
mod receive;
mod shop;
mod sqlite;
mod toy;
mod wires;
mod workers;
