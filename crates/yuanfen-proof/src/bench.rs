//! Each flow beside the primitive that it cannot do without, as a ratio: that travels between machines, microseconds do
//! not.

mod direct;
mod gateways;
mod harness;
mod inbox;
mod report;
mod sandbox;

use clap::{Args, Subcommand};

use harness::{Flow, measure};
use report::Shape;

#[derive(Args)]
#[command(args_conflicts_with_subcommands = true)]
pub(crate) struct Arguments {
    #[command(subcommand)]
    part: Option<Part>,
    #[command(flatten)]
    output: Output,
    /// Rounds, each with one batch of everything that is compared; odd numbers have a middle
    #[arg(long, default_value_t = 101, value_parser = clap::value_parser!(u32).range(41..))]
    rounds: u32,
    /// Only flows whose name holds this text
    filter: Option<String>,
}

/// What takes minutes and a disk, and so is measured only when it is asked for.
#[derive(Subcommand)]
enum Part {
    /// The inbox on SQLite and PostgreSQL beside bare inserts: events for each second, growth, memory
    Inbox(inbox::Arguments),
}

/// How it is told.
#[derive(Args)]
struct Output {
    /// One JSON object a line
    #[arg(long, conflicts_with = "markdown")]
    json: bool,
    /// A table for a README, with machine and command
    #[arg(long)]
    markdown: bool,
    /// Exit with 0 although something is beyond its reach
    #[arg(long)]
    no_gate: bool,
}

impl Output {
    const fn shape(&self) -> Shape {
        match (self.json, self.markdown) {
            (true, _) => Shape::Json,
            (_, true) => Shape::Markdown,
            _ => Shape::Table,
        }
    }
}

/// Measures and prints; whether every flow stayed within its reach.
///
/// # Errors
/// When a flow cannot be set up or fails, or the filter names none.
pub(crate) fn run(arguments: &Arguments) -> Result<bool, crate::Error> {
    if let Some(Part::Inbox(arguments)) = &arguments.part {
        return inbox::run(arguments);
    }
    let flows: Vec<Flow> = direct::flows()?
        .into_iter()
        .chain(gateways::flows()?)
        .chain(sandbox::flows()?)
        .filter(|flow| arguments.filter.as_deref().is_none_or(|text| flow.name.contains(text)))
        .collect();
    if flows.is_empty() {
        return Err("no flow has a name like that".into());
    }
    let shape = arguments.output.shape();
    report::begin(shape);
    let mut holds = true;
    for flow in flows {
        for comparison in measure(flow, arguments.rounds)? {
            report::print(shape, &comparison)?;
            holds &= comparison.holds() != Some(false);
        }
    }
    report::end(shape, "cargo xtask bench");
    Ok(holds || arguments.output.no_gate)
}
