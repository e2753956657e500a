#![doc = include_str!("../README.md")]
#![warn(clippy::indexing_slicing, clippy::string_slice, clippy::arithmetic_side_effects)]

mod attributes;
mod error;
mod escape;
mod grammar;
mod limits;
mod plain;
mod read;
mod write;

pub use error::{XmlError, XmlErrorKind};
pub use limits::MESSAGE_LIMITS;
pub use read::{Document, read};
pub use write::write;
