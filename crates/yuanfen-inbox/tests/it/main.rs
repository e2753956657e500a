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
mod converge;
mod counts;
mod logs;
mod place;
mod toy;
mod wires;
