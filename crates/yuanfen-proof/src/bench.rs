//! Each flow beside the primitive that it cannot do without, as a ratio: that travels between machines, microseconds do
//! not.

mod direct;
mod gateways;
mod harness;
mod report;
mod sandbox;

use clap::Args;

use harness::{Flow, measure};
use report::Shape;

#[derive(Args)]
pub(crate) struct Arguments {
    /// One JSON object a line
    #[arg(long, conflicts_with = "markdown")]
    json: bool,
    /// A table for a README, with machine and command
    #[arg(long)]
    markdown: bool,
    /// Exit with 0 although a flow is beyond its reach
    #[arg(long)]
    no_gate: bool,
    /// Rounds, each with one batch of everything that is compared; odd numbers have a middle
    #[arg(long, default_value_t = 101, value_parser = clap::value_parser!(u32).range(41..))]
    rounds: u32,
    /// Only flows whose name holds this text
    filter: Option<String>,
}

/// Measures and prints; whether every flow stayed within its reach.
///
/// # Errors
/// When a flow cannot be set up or fails, or the filter names none.
pub(crate) fn run(arguments: &Arguments) -> Result<bool, crate::Error> {
    let flows: Vec<Flow> = direct::flows()?
        .into_iter()
        .chain(gateways::flows()?)
        .chain(sandbox::flows()?)
        .filter(|flow| arguments.filter.as_deref().is_none_or(|text| flow.name.contains(text)))
        .collect();
    if flows.is_empty() {
        return Err("no flow has a name like that".into());
    }
    let shape = match (arguments.json, arguments.markdown) {
        (true, _) => Shape::Json,
        (_, true) => Shape::Markdown,
        _ => Shape::Table,
    };
    report::begin(shape);
    let mut holds = true;
    for flow in flows {
        for comparison in measure(flow, arguments.rounds)? {
            report::print(shape, &comparison)?;
            holds &= comparison.holds() != Some(false);
        }
    }
    report::end(shape);
    Ok(holds || arguments.no_gate)
}
