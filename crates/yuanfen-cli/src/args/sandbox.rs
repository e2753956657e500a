//! The arguments of `sandbox`.

use std::net::{IpAddr, Ipv4Addr, SocketAddr};
use std::path::PathBuf;

use clap::Args;
use yuanfen_sandbox::Platform;

/// Where a listener goes unless told otherwise: a free port on loopback.
const FREE: &str = "127.0.0.1:0";

#[derive(Debug, Args)]
pub(crate) struct SandboxArguments {
    /// Write `credentials.json` and the key and certificate files that clients need into this folder.
    ///
    /// `credentials.json` comes last, by renaming, once every listener accepts; one that an earlier run left is removed
    /// at the start. Paths in it are relative to the folder. Keys are made fresh for the folder and kept there in
    /// `keys.secret`, so that a restart has the same ones; remove that file for new ones. Without a folder, keys are the
    /// built-in ones, which everybody has.
    #[arg(long, value_name = "FOLDER")]
    pub(crate) dir: Option<PathBuf>,
    /// Where to speak plain HTTP: a port (0 takes a free one), or an address with a port. Loopback only.
    #[arg(long, value_name = "PORT", default_value = FREE, value_parser = listen)]
    pub(crate) listen: SocketAddr,
    /// Where to speak TLS, for the platforms' own host names: a port, or an address with a port.
    #[arg(long, value_name = "PORT", default_value = FREE, value_parser = listen)]
    pub(crate) tls_listen: SocketAddr,
    /// Where to be the proxy that clients with built-in host names are given as `HTTPS_PROXY`.
    #[arg(long, value_name = "PORT", default_value = FREE, value_parser = listen)]
    pub(crate) proxy_listen: SocketAddr,
    /// Where the console and the admin API are. Beyond loopback they want a token.
    #[arg(long, value_name = "PORT", default_value = FREE, value_parser = listen)]
    pub(crate) admin_listen: SocketAddr,
    /// The token of the admin API: a file, or `-` for standard input. At least 16 letters, digits and `-._~`; one
    /// newline at its end is dropped.
    #[arg(long, value_name = "FILE")]
    pub(crate) admin_token_file: Option<PathBuf>,
    /// Another host name under which the admin API is reached, such as a container's.
    #[arg(long, value_name = "HOST")]
    pub(crate) admin_name: Vec<String>,
    /// Make the keys and the platforms' numbers from this number: the same seed, clock and calls give the same answers.
    /// Whoever knows the seed has the keys.
    #[arg(long, value_name = "NUMBER")]
    pub(crate) seed: Option<u64>,
    /// Run a bad day: the name of one that ships, or a file. `list` names those that ship.
    #[arg(long, value_name = "NAME|FILE")]
    pub(crate) scenario: Option<String>,
    /// Another name of the sandbox itself, such as its container's: every platform answers there, and its TLS
    /// certificate is for it too.
    #[arg(long, value_name = "HOST")]
    pub(crate) tls_name: Vec<String>,
    /// Another host of one platform, with the paths that it has in life: `mpgateway=pay.example`.
    #[arg(long, value_name = "PLATFORM=HOST", value_parser = platform_host)]
    pub(crate) platform_host: Vec<(Platform, String)>,
    /// Let notices go in plain HTTP to private addresses too, as in a network of containers. Everybody on that network
    /// can read them.
    #[arg(long)]
    pub(crate) notify_plain_http: bool,
    /// Another authority that the shop's https addresses may have their certificates of, PEM.
    #[arg(long, value_name = "FILE")]
    pub(crate) notify_ca: Vec<PathBuf>,
    /// Print one line of JSON with the addresses instead of the banner, once every listener accepts.
    #[arg(long)]
    pub(crate) json: bool,
}

/// A port on loopback, or an address with a port.
fn listen(text: &str) -> Result<SocketAddr, String> {
    let port = text.strip_prefix("localhost:").unwrap_or(text);
    if let Ok(port) = port.parse() {
        return Ok(SocketAddr::new(IpAddr::V4(Ipv4Addr::LOCALHOST), port));
    }
    text.parse().map_err(|_| {
        "a port such as 8080 (0 takes a free one) or an address with a port such as 127.0.0.1:8080 is needed".to_owned()
    })
}

fn platform_host(text: &str) -> Result<(Platform, String), String> {
    let (platform, host) = text
        .split_once('=')
        .ok_or("a platform and a host such as mpgateway=pay.example are needed")?;
    let platform = platform.parse().map_err(|_| {
        let names: Vec<&str> = Platform::ALL.iter().map(|platform| platform.name()).collect();
        format!("no such platform; there are {}", names.join(", "))
    })?;
    Ok((platform, host.to_owned()))
}
