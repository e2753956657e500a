//! Tests of the form codec.
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::as_conversions,
    clippy::indexing_slicing,
    missing_docs,
    reason = "tests"
)]

mod base64_json;
mod pairs;
