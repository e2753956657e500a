//! The route from outside: bytes in, bytes out.

#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::needless_pass_by_value,
    missing_docs,
    reason = "tests"
)]

mod codes;
mod debug;
mod far_side;
mod fields;
mod finding;
mod notify;
mod pages;
mod replies;
mod requests;
mod setup;
mod twins;
mod vectors;
