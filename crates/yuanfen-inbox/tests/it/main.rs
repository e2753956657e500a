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
mod conflicts;
mod converge;
mod counts;
mod crash;
mod deadline;
mod existing;
mod expectations;
mod logs;
mod people;
mod place;
mod receive;
mod shop;
mod toy;
mod wires;
mod workers;
