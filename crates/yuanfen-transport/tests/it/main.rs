#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::str_to_string,
    clippy::exhaustive_enums,
    clippy::exhaustive_structs,
    missing_debug_implementations,
    missing_docs,
    unnameable_types,
    unreachable_pub,
    reason = "tests"
)]

mod ask_and_download;
mod client;
mod closure;
mod code_payment;
mod download;
mod failover;
mod fetch;
mod hyper;
mod identity;
mod keys;
mod logs;
mod pkcs12;
mod proxy;
mod remote;
mod retry;
mod settle;
mod suite;
mod tls;
mod toy;
mod wire;
