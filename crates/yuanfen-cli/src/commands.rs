//! One file for each command.

pub(crate) mod canonical;
pub(crate) mod demo;
pub(crate) mod inbox;
pub(crate) mod routes;
pub(crate) mod sandbox;
pub(crate) mod sign;
pub(crate) mod verify;

use std::error::Error;
use std::process::ExitCode;

/// What a command comes to: an exit status, or an error that `main` prints.
pub(crate) type Outcome = Result<ExitCode, Box<dyn Error>>;
