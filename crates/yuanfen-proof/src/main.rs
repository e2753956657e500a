//! `yuanfen-proof`: what is claimed of the Yuanfen crates, measured and counted. `cargo xtask bench`,
//! `bill-download`, `load`, `soak-inbox`, `conformance` and `console` run it.

#![allow(clippy::print_stdout, clippy::print_stderr, reason = "a program for the terminal")]

mod bench;
mod bill_download;
mod conformance;
mod console;
mod load;
mod machine;
mod peers;
#[cfg(unix)]
mod soak;

use std::process::ExitCode;

use clap::{Parser, Subcommand};

/// What is claimed of the Yuanfen crates, measured and counted.
#[derive(Parser)]
#[command(name = "yuanfen-proof", version)]
struct Arguments {
    #[command(subcommand)]
    command: Command,
}

#[derive(Subcommand)]
enum Command {
    /// Each flow beside its raw primitive, interleaved in this process
    Bench(bench::Arguments),
    /// A bill of any size over a socket to the disk: time beside hashing it, and memory
    BillDownload(bill_download::Arguments),
    /// The far side of that, in its own process
    #[command(hide = true)]
    ServeBill(bill_download::ServeArguments),
    /// The sandbox under load: so many orders placed, paid and told of by so many clients, and nothing lost
    Load(load::Arguments),
    /// The sandbox of that, in its own process
    #[command(hide = true)]
    ServeSandbox(load::ServeArguments),
    /// The inbox under fire: processes killed at every phase, and every effect there once
    #[cfg(unix)]
    SoakInbox(soak::Arguments),
    /// A receiver of that, in its own process
    #[cfg(unix)]
    #[command(hide = true)]
    SoakReceive(soak::ChildArguments),
    /// A worker of that, in its own process
    #[cfg(unix)]
    #[command(hide = true)]
    SoakWork(soak::ChildArguments),
    /// Provider by case by mode: which published cases hold
    Conformance(conformance::Arguments),
    /// The sandbox's console in Chromium
    Console(console::Arguments),
}

/// Something went wrong that is not a verdict.
type Error = Box<dyn std::error::Error>;

fn main() -> ExitCode {
    let done = match Arguments::parse().command {
        Command::Bench(arguments) => bench::run(&arguments),
        Command::BillDownload(arguments) => bill_download::run(&arguments),
        Command::ServeBill(arguments) => bill_download::serve(&arguments),
        Command::Load(arguments) => load::run(&arguments),
        Command::ServeSandbox(arguments) => load::serve(&arguments),
        #[cfg(unix)]
        Command::SoakInbox(arguments) => soak::run(&arguments),
        #[cfg(unix)]
        Command::SoakReceive(arguments) => soak::receive(&arguments),
        #[cfg(unix)]
        Command::SoakWork(arguments) => soak::work(&arguments),
        Command::Conformance(arguments) => conformance::run(&arguments),
        Command::Console(arguments) => console::run(&arguments),
    };
    match done {
        Ok(true) => ExitCode::SUCCESS,
        Ok(false) => ExitCode::FAILURE,
        Err(error) => {
            eprintln!("error: {error}");
            let mut source = error.source();
            while let Some(cause) = source {
                eprintln!("  because: {cause}");
                source = cause.source();
            }
            ExitCode::FAILURE
        }
    }
}
