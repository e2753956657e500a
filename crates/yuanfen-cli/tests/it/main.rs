//! The program as people run it: arguments and files in, text and exit status out.
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::indexing_slicing,
    missing_docs,
    reason = "tests"
)]

mod demo;
mod inbox;
mod logs;
mod program;
mod routes;
mod sandbox;
mod signatures;
