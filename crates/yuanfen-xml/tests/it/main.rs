#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::indexing_slicing,
    missing_docs,
    reason = "tests"
)]
//! One binary for all tests of the crate.

mod hostile;
mod other;
mod read;
mod roundtrip;
mod vectors;
mod write;
