//! Tests of the way from a visitor to an openid.
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::indexing_slicing,
    clippy::disallowed_methods,
    missing_docs,
    reason = "tests"
)]

mod authorize;
mod openid;
mod page;

use yuanfen_testkit::Vectors;

fn vectors() -> Vectors {
    Vectors::of_crate(env!("CARGO_MANIFEST_DIR")).unwrap()
}
