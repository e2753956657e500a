//! The arguments of `inbox`.

use std::time::Duration;

use clap::{Args, Subcommand, ValueEnum};
use yuanfen::core::Secret;
use yuanfen_inbox::{EventState, PendingState};

#[derive(Debug, Args)]
pub(crate) struct InboxArguments {
    /// The database: `sqlite:shop.db`, or `postgres://user@host/database`.
    ///
    /// A URL with a password belongs into the environment variable: arguments show in process lists and shell histories.
    /// Nothing is made in the database and none of its tables is upgraded.
    #[arg(
        long,
        global = true,
        value_name = "URL",
        env = "YUANFEN_INBOX",
        hide_env_values = true,
        value_parser = secret
    )]
    pub(crate) database: Option<Secret<String>>,
    /// Print one JSON object a line.
    #[arg(long, global = true)]
    pub(crate) json: bool,
    #[command(subcommand)]
    pub(crate) command: InboxCommand,
}

#[derive(Debug, Subcommand)]
pub(crate) enum InboxCommand {
    /// List stored events, the oldest first.
    List(ListArguments),
    /// Show one event: facts, history, and what contradicts it or is expected of it.
    Show(ShowArguments),
    /// Make parked events ready: workers try them again at once.
    Retry(IdArguments),
    /// Park ready events, or such as were dismissed: no worker takes them until they are retried.
    Park(IdArguments),
    /// Dismiss parked events, to which somebody has seen by other means: they take no effect, and are counted no more.
    Dismiss(IdArguments),
    /// Note that somebody has looked at what contradicts events that were done, or that stay parked: they stay what they are.
    Resolve(IdArguments),
    /// List the orders and refunds that the shop expects to hear about.
    Pending(PendingArguments),
    /// Open expectations that were given up, have lapsed or were never placed: convergence queries them now.
    Requery(PendingIdArguments),
    /// End expectations of which nothing more is to be heard: convergence queries them no more.
    Withdraw(PendingIdArguments),
    /// Say how the inbox is doing; exits with 1 when a person is needed.
    Health(HealthArguments),
}

#[derive(Debug, Args)]
pub(crate) struct ListArguments {
    /// Only events in this state.
    #[arg(long, value_enum)]
    pub(crate) state: Option<EventStateName>,
    /// Only events that a later telling contradicts, as long as nobody has looked at that.
    #[arg(long)]
    pub(crate) contradicted: bool,
    #[command(flatten)]
    pub(crate) filter: FilterArguments,
}

#[derive(Debug, Args)]
pub(crate) struct PendingArguments {
    /// Only what is in this state.
    #[arg(long, value_enum)]
    pub(crate) state: Option<PendingStateName>,
    #[command(flatten)]
    pub(crate) filter: FilterArguments,
}

#[derive(Debug, Args)]
pub(crate) struct FilterArguments {
    /// Only of this route, such as wechat-v3.
    #[arg(long)]
    pub(crate) route: Option<String>,
    /// Only of this merchant.
    #[arg(long)]
    pub(crate) account: Option<String>,
    /// Only about this order or refund number, refunds of this order included.
    #[arg(long, value_name = "NUMBER")]
    pub(crate) order: Option<String>,
    /// Only with a larger id: where the last page ended.
    #[arg(long, value_name = "ID", default_value_t = 0)]
    pub(crate) after: i64,
    /// At most so many.
    #[arg(long, value_name = "COUNT", default_value_t = 100, value_parser = clap::value_parser!(u32).range(1..))]
    pub(crate) limit: u32,
}

#[derive(Debug, Args)]
pub(crate) struct ShowArguments {
    /// The event's id, as `list` prints it.
    pub(crate) id: i64,
    /// Print headers and bodies of the kept requests too. They may name people: payers, banks, phone numbers.
    #[arg(long)]
    pub(crate) request: bool,
}

#[derive(Debug, Args)]
pub(crate) struct IdArguments {
    /// The events' ids, as `list` prints them.
    #[arg(required = true, value_name = "ID")]
    pub(crate) ids: Vec<i64>,
}

#[derive(Debug, Args)]
pub(crate) struct PendingIdArguments {
    /// The expectations' ids, as `pending` prints them.
    #[arg(required = true, value_name = "ID")]
    pub(crate) ids: Vec<i64>,
}

#[derive(Debug, Args)]
pub(crate) struct HealthArguments {
    /// Exit with 1 when the oldest ready event has been here for longer: the workers are not running, or fail.
    #[arg(long, value_name = "SECONDS", default_value = "300", value_parser = seconds)]
    pub(crate) max_age: Duration,
    /// Exit with 1 when a query is overdue for longer: convergence is not running, or the platform does not answer.
    #[arg(long, value_name = "SECONDS", default_value = "600", value_parser = seconds)]
    pub(crate) max_overdue: Duration,
}

/// A state of an event.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub(crate) enum EventStateName {
    /// Waits for a worker, or is with one.
    Ready,
    /// Took effect.
    Done,
    /// Waits for a person.
    Parked,
    /// A person has seen to it by other means.
    Dismissed,
}

impl From<EventStateName> for EventState {
    fn from(name: EventStateName) -> Self {
        match name {
            EventStateName::Ready => Self::Ready,
            EventStateName::Done => Self::Done,
            EventStateName::Parked => Self::Parked,
            EventStateName::Dismissed => Self::Dismissed,
        }
    }
}

/// A state of what is expected.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub(crate) enum PendingStateName {
    /// Has not come to its end.
    Open,
    /// Its end is known.
    Over,
    /// The schedule of queries ran out, and nobody knows its end: a person finds it out.
    GivenUp,
    /// The schedule of queries ran out, and to the last of them the platform said that nobody had paid.
    Lapsed,
}

impl From<PendingStateName> for PendingState {
    fn from(name: PendingStateName) -> Self {
        match name {
            PendingStateName::Open => Self::Open,
            PendingStateName::Over => Self::Over,
            PendingStateName::GivenUp => Self::GivenUp,
            PendingStateName::Lapsed => Self::Lapsed,
        }
    }
}

/// Taken as it is: clap would print what it cannot read.
fn secret(text: &str) -> Result<Secret<String>, std::convert::Infallible> {
    Ok(Secret::new(text.to_owned()))
}

fn seconds(text: &str) -> Result<Duration, std::num::ParseIntError> {
    text.parse().map(Duration::from_secs)
}
