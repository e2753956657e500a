//! The route from outside: bytes in, bytes out.

#![cfg(any(feature = "aws-lc", feature = "pure-rust"))]
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::needless_pass_by_value,
    missing_docs,
    reason = "tests"
)]

mod bills;
mod calls;
mod certificates;
mod code_payment;
mod codes;
mod combined;
mod debug;
mod encrypted_bills;
mod far_side;
mod fields;
mod finding;
mod notify;
mod partner;
mod pay_params;
mod pitfalls;
mod placements;
mod published;
mod refunds;
mod replies;
mod requests;
mod sensitive;
mod settle;
mod setup;
mod till;
mod twins;
mod uploads;
mod vectors;
