//! The command line as data. Keys come from files or standard input, never from arguments: arguments show in process
//! lists and shell histories.

mod inbox;
mod sandbox;

use std::path::PathBuf;

use clap::{Args, Parser, Subcommand, ValueEnum};

pub(crate) use self::inbox::{
    HealthArguments, InboxArguments, InboxCommand, ListArguments, PendingArguments, ShowArguments,
};
pub(crate) use self::sandbox::SandboxArguments;

/// Yuanfen: WeChat payments on five routes.
#[derive(Debug, Parser)]
#[command(name = "yuanfen", version, about, max_term_width = 100)]
pub(crate) struct CommandLine {
    #[command(subcommand)]
    pub(crate) command: Command,
}

#[derive(Debug, Subcommand)]
pub(crate) enum Command {
    /// Take one official-account payment through each of the five routes, on the embedded sandbox.
    Demo(DemoArguments),
    /// Print the canonical text of a message (key masked) and its signature.
    Sign(SignArguments),
    /// Check a signature over a message; exits with 1 when it does not hold.
    Verify(VerifyArguments),
    /// Run the sandbox: five platforms on this machine, for any SDK, until it is interrupted.
    Sandbox(SandboxArguments),
    /// Look into a shop's inbox: events, what waits for a person, and what to do about it.
    Inbox(InboxArguments),
    /// List every call of every route.
    Routes(RoutesArguments),
}

#[derive(Debug, Args)]
pub(crate) struct DemoArguments {
    /// Print one JSON object a line instead of a table.
    #[arg(long)]
    pub(crate) json: bool,
    /// Let something go wrong on purpose, to see it found out.
    #[arg(long, value_enum)]
    pub(crate) fault: Option<DemoFault>,
    /// Only these routes; all five where absent.
    #[arg(long, value_enum)]
    pub(crate) route: Vec<RouteName>,
    /// Log what the HTTP stack and Yuanfen do, to standard error (a filter such as `trace` or `yuanfen=debug`).
    #[arg(long, value_name = "FILTER")]
    pub(crate) log: Option<String>,
}

/// What goes wrong in a demonstration.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub(crate) enum DemoFault {
    /// Every signature that the platforms make is spoiled.
    CorruptSignature,
}

/// A route.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, ValueEnum)]
pub(crate) enum RouteName {
    #[value(name = "wechat-v2")]
    WechatV2,
    #[value(name = "wechat-v3")]
    WechatV3,
    Starpos,
    Fshows,
    Mpgateway,
}

impl RouteName {
    pub(crate) const ALL: [Self; 5] = [
        Self::WechatV2,
        Self::WechatV3,
        Self::Starpos,
        Self::Fshows,
        Self::Mpgateway,
    ];

    pub(crate) const fn as_str(self) -> &'static str {
        match self {
            Self::WechatV2 => "wechat-v2",
            Self::WechatV3 => "wechat-v3",
            Self::Starpos => "starpos",
            Self::Fshows => "fshows",
            Self::Mpgateway => "mpgateway",
        }
    }
}

/// A digest.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub(crate) enum Digest {
    Md5,
    HmacSha256,
    Sha1,
    Sha256,
}

/// What is signed or checked, and with what. Exactly the given fields take part; none is added.
#[derive(Debug, Args)]
pub(crate) struct MessageArguments {
    /// Whose rules.
    #[arg(long, value_enum)]
    pub(crate) route: RouteName,
    /// The key: a file, or `-` for standard input. One newline at its end is dropped.
    #[arg(long, value_name = "FILE")]
    pub(crate) key_file: PathBuf,
    /// The message: a file, or `-` for standard input (XML for wechat-v2, flat JSON for starpos and fshows, the exact
    /// body for wechat-v3, the JSON inside `req` for mpgateway).
    #[arg(long = "in", value_name = "FILE")]
    pub(crate) input: PathBuf,
    /// wechat-v2: md5 (default) or hmac-sha256; fshows: sha1 (default) or sha256.
    #[arg(long, value_enum)]
    pub(crate) digest: Option<Digest>,
    /// wechat-v3: the HTTP method of a request. Without it, the three-line text of answers and notices is meant.
    #[arg(long, requires = "target")]
    pub(crate) method: Option<String>,
    /// wechat-v3: path and query of a request, exactly as sent.
    #[arg(long, requires = "method")]
    pub(crate) target: Option<String>,
    /// wechat-v3: the timestamp, exactly as sent.
    #[arg(long)]
    pub(crate) timestamp: Option<String>,
    /// wechat-v3: the nonce, exactly as sent.
    #[arg(long)]
    pub(crate) nonce: Option<String>,
    /// fshows: by the rules of call-backs (`sign` and `sign_type` left out, empty values dropped; `verify` then tries
    /// them kept).
    #[arg(long)]
    pub(crate) callback: bool,
    /// Print one JSON object.
    #[arg(long)]
    pub(crate) json: bool,
}

#[derive(Debug, Args)]
pub(crate) struct SignArguments {
    #[command(flatten)]
    pub(crate) message: MessageArguments,
}

#[derive(Debug, Args)]
pub(crate) struct VerifyArguments {
    #[command(flatten)]
    pub(crate) message: MessageArguments,
    /// The signature to check. It is no secret.
    #[arg(long)]
    pub(crate) signature: String,
}

#[derive(Debug, Args)]
pub(crate) struct RoutesArguments {
    /// Print one JSON object a line.
    #[arg(long)]
    pub(crate) json: bool,
}
