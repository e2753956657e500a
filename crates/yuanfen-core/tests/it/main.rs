//! The core vocabulary, held against its documentation from outside the crate.
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    missing_docs,
    reason = "tests: a failure is a panic, and a test's name is its documentation"
)]

mod address;
mod ambient;
mod attest;
mod code_payment;
mod decimal;
mod error;
mod fake;
mod fate;
mod fields;
mod finding;
mod json_taker;
mod money;
mod notification;
mod number;
mod object;
mod open_enum;
mod operation;
mod redact;
mod refund_ledger;
mod rule;
mod settle;
mod taker;
mod time;
