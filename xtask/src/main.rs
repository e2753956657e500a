//! The workspace's own chores, run as `cargo xtask <command>`.
//!
//! What needs the payment crates themselves is spawned (`yuanfen-proof`, `yuanfen-cli`), never linked, so that this
//! program builds in seconds and still runs while a crate does not compile.

#![allow(clippy::print_stdout, clippy::print_stderr, reason = "a program for the terminal")]

mod admin_api;
mod ci;
mod console;
mod failure;
mod fuzz;
mod metadata;
mod peers;
mod process;
mod proof;
mod readme;
mod soak;
mod sources;
mod tidy;
mod totals;
mod wasm;

use std::process::ExitCode;

use failure::Failure;

const USAGE: &str = "\
usage: cargo xtask <command>

  ci                   everything that must hold before a merge; the last line sums the tests
  tidy                 edges between crates, features, vectors' origins, dependency trees, purity, layout, README
  readme               writes the generated part of the READMEs
  fuzz-smoke           every seed on stable, then every fuzz target for a few seconds, where cargo-fuzz is
  admin-api            the sandbox's admin API, called by Schemathesis as its OpenAPI document has it, where pip is
  wasm                 checks yuanfen-wechat-v3 for wasm32-unknown-unknown, where that target is installed
  console [args]       the sandbox's console in headless Chromium; pictures in target/console
  bench [args]         each flow beside its raw primitive (release build of yuanfen-proof);
                       `bench inbox`: the inbox on both databases beside bare inserts
  bill-download [args] a bill of any size to the disk: time beside hashing it, and memory (the same)
  load [args]          the sandbox under load: 100,000 orders from 64 clients, nothing lost (the same)
  soak-inbox [args]    the inbox under kills: every event takes effect once, `--store sqlite|postgres` (the same)
  conformance [args]   provider by case by mode (release build of yuanfen-proof);
                       --peers drives SDKs from npm and PyPI as well";

fn main() -> ExitCode {
    let mut arguments = std::env::args().skip(1);
    let command = arguments.next().unwrap_or_default();
    let rest: Vec<String> = arguments.collect();
    match dispatch(&command, &rest) {
        Ok(()) => ExitCode::SUCCESS,
        Err(failure) => {
            eprintln!("error: {failure}");
            ExitCode::FAILURE
        }
    }
}

fn dispatch(command: &str, rest: &[String]) -> Result<(), Failure> {
    let takes_arguments = matches!(
        command,
        "bench" | "bill-download" | "load" | "soak-inbox" | "conformance" | "console"
    );
    if let (false, Some(extra)) = (takes_arguments, rest.first()) {
        return Err(Failure::new(format!(
            "`{command}` takes no argument, but `{extra}` was given\n\n{USAGE}"
        )));
    }
    match command {
        "ci" => ci::run(),
        "tidy" => tidy::run(),
        "readme" => readme::write(),
        "fuzz-smoke" => fuzz::smoke(&mut totals::Totals::default()).map(|done| done.print()),
        "admin-api" => admin_api::run().map(|done| done.print()),
        "wasm" => wasm::check().map(|done| done.print()),
        "console" => console::run(rest),
        "bench" | "bill-download" | "load" | "soak-inbox" | "conformance" => proof::run(command, rest),
        "help" | "--help" | "-h" => {
            println!("{USAGE}");
            Ok(())
        }
        "" => Err(Failure::new(format!("no command\n\n{USAGE}"))),
        other => Err(Failure::new(format!("no such command: `{other}`\n\n{USAGE}"))),
    }
}
