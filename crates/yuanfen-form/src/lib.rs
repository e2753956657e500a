#![doc = include_str!("../README.md")]
#![warn(clippy::arithmetic_side_effects, clippy::integer_division)]

pub mod base64_json;
mod error;
mod pairs;

pub use error::{FormError, FormErrorKind};
pub use pairs::{read, write, write_query};
