#![doc = include_str!("../README.md")]
#![warn(clippy::arithmetic_side_effects, clippy::integer_division)]

mod app;
mod authorize;
pub mod codes;
mod openid;
mod page;

pub use app::{App, Message};
pub use authorize::{Authorize, Scope, State};
pub use openid::{ExchangeCode, ExchangedCode, LogIn, LoggedIn};
pub use page::{PageConfig, page_signature};
