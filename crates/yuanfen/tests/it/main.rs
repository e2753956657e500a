//! The client against the sandbox, which was written apart from it: what a shop does on its worst days.

#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::disallowed_methods,
    missing_docs,
    unreachable_pub,
    reason = "tests"
)]

mod abnormal_refunds;
mod acquirers;
mod bills;
mod combined;
mod converge;
mod features;
mod findings;
mod notices;
mod recovery;
mod refunds;
mod remote;
mod rotation;
mod scenarios;
mod shop;
mod tills;
mod troubles;
mod trust;
mod v2_bills;
mod v2_calls;
mod v2_provider;
mod v3_provider;
mod v3_tills;
mod wires;
