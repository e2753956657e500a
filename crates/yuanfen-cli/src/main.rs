//! The `yuanfen` program: a demonstration of all five routes, signatures by hand, the sandbox, a shop's inbox, and
//! the list of calls.

mod args;
mod commands;
mod input;
mod print;

use std::process::ExitCode;

use clap::Parser as _;

use crate::args::{Command, CommandLine};

fn main() -> ExitCode {
    let command_line = CommandLine::parse();
    let outcome = match command_line.command {
        Command::Demo(arguments) => commands::demo::run(&arguments),
        Command::Sign(arguments) => commands::sign::run(&arguments),
        Command::Verify(arguments) => commands::verify::run(&arguments),
        Command::Sandbox(arguments) => commands::sandbox::run(&arguments),
        Command::Inbox(arguments) => commands::inbox::run(&arguments),
        Command::Routes(arguments) => commands::routes::run(&arguments),
    };
    match outcome {
        Ok(code) => code,
        Err(error) => {
            print::failure(&*error);
            ExitCode::from(2)
        }
    }
}
