//! The route from outside: bytes in, bytes out.

#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::needless_pass_by_value,
    missing_docs,
    reason = "tests"
)]

mod bill;
mod calls;
mod close;
mod code_payments;
mod codes;
mod debug;
mod downloads;
mod far_side;
mod fields;
mod finding;
mod item_refunds;
mod native_link;
mod notify;
mod pay_params;
mod refund_pages;
mod refunds;
mod replies;
mod requests;
mod scene;
mod seed;
mod setup;
mod sub_merchant;
mod till;
mod tools;
mod twins;
mod vectors;
