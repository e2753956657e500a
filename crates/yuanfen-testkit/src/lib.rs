#![doc = include_str!("../README.md")]
#![expect(
    clippy::panic,
    reason = "a test library reports by panicking, with the case in the message"
)]

pub mod origin;
pub mod vectors;

pub use serde_json::{Value, json};
pub use vectors::{Case, Run, Stage, Vectors};
