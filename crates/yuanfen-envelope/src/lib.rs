#![doc = include_str!("../README.md")]
#![warn(clippy::arithmetic_side_effects, clippy::integer_division)]

mod error;
mod open;
mod rules;
mod seal;

pub use error::EnvelopeError;
pub use open::{CallbackBody, CallbackRules, EmptyValues, Outcome, Reply, ReturnValue, open_callback, open_reply};
pub use rules::{RULES, RULES_KEEPING_EMPTY};
pub use seal::Envelope;
