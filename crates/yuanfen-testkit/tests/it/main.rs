//! The testkit's own tests, and every vector of the workspace held against the oracle.
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    missing_docs,
    reason = "tests"
)]

mod files;
mod format;
mod link;
#[cfg(unix)]
mod postgres;
mod second_reading;
mod twins;
