//! What is said at the start: every address, what to do with it, and what to beware of.

use std::net::SocketAddr;
use std::path::Path;

use serde_json::{Value, json};
use yuanfen_sandbox::{Sandbox, Scenario};

use super::keys::{Origin, SECRET_FILE};
use crate::print;

pub(super) struct Banner<'a> {
    pub(super) sandbox: &'a Sandbox,
    /// Where `credentials.json` is, if it was written.
    pub(super) credentials: Option<&'a Path>,
    pub(super) keys: Origin,
    pub(super) scenario: Option<&'a Scenario>,
    pub(super) has_token: bool,
}

impl Banner<'_> {
    pub(super) fn print(&self) {
        let sandbox = self.sandbox;
        // The first line is for programs as well: they wait for it.
        print::line(format_args!("sandbox at {}", sandbox.base_url()));
        print::line("");
        let row = |name: &str, text: &str| print::line(format_args!("  {name:<12} {text}"));
        row(
            "plain HTTP",
            &format!(
                "{} for WeChat Pay v2 and v3, and /starpos, /fshows, /mpgateway below it",
                sandbox.base_url()
            ),
        );
        let names = sandbox.server_names();
        if let Some(address) = sandbox.tls_address() {
            let shown = names.iter().take(2).map(String::as_str).collect::<Vec<_>>().join(", ");
            let rest = names.len().saturating_sub(2);
            row("TLS", &format!("{address} as {shown} and {rest} other names"));
        }
        if let Some(proxy) = sandbox.connect_proxy_url() {
            row(
                "proxy",
                &format!("HTTPS_PROXY={proxy} for clients whose hosts are built in"),
            );
        }
        let token = if self.has_token { " (asks for the token)" } else { "" };
        row("console", &format!("{}/{token}", sandbox.admin_url()));
        if let Some(path) = self.credentials {
            row("credentials", &path.display().to_string());
            row("authority", &path.with_file_name("ca.pem").display().to_string());
        }
        row("keys", &self.about_keys());
        row("seed", &sandbox.seed().to_string());
        if let Some(scenario) = self.scenario {
            row("scenario", &format!("{}: {}", scenario.name, scenario.title.en));
        }
        print::line("");
        for warning in self.warnings() {
            print::line(format_args!("warning: {warning}"));
        }
        print::line("Nothing here is real and no money moves. Ctrl-C ends it.");
    }

    /// The same for programs.
    pub(super) fn json(&self) -> Value {
        let sandbox = self.sandbox;
        json!({
            "base_url": sandbox.base_url(),
            "tls": sandbox.tls_address().map(|listen| json!({
                "listen": listen.to_string(),
                "server_names": sandbox.server_names(),
            })),
            "connect_proxy": sandbox.connect_proxy_url().map(|url| json!({ "url": url })),
            "admin": { "url": sandbox.admin_url() },
            "credentials": self.credentials.map(|path| path.display().to_string()),
            "keys": match self.keys {
                Origin::BuiltIn => "built-in",
                Origin::Seed => "seed",
                Origin::Fresh => "fresh",
                Origin::Kept => "kept",
            },
            "seed": sandbox.seed(),
            "scenario": self.scenario.map(|scenario| &scenario.name),
            "warnings": self.warnings(),
        })
    }

    fn about_keys(&self) -> String {
        match self.keys {
            Origin::BuiltIn => "the built-in ones, which everybody has; --dir makes fresh ones".to_owned(),
            Origin::Seed => "from the seed, which is as good as having them".to_owned(),
            Origin::Fresh => format!("fresh, kept in {SECRET_FILE} for the next run"),
            Origin::Kept => format!("those of the last run; remove {SECRET_FILE} for new ones"),
        }
    }

    fn warnings(&self) -> Vec<String> {
        let sandbox = self.sandbox;
        let mut warnings = Vec::new();
        let outside = |address: SocketAddr| !address.ip().is_loopback();
        if let Some(address) = sandbox.tls_address().filter(|address| outside(*address)) {
            warnings.push(format!("everybody who reaches {address} can call the platforms"));
            if matches!(self.keys, Origin::BuiltIn | Origin::Seed) {
                warnings.push("other machines reach a sandbox whose keys others can have".to_owned());
            }
        }
        if outside(sandbox.admin_address()) {
            warnings.push(format!(
                "the console is on {} in plain HTTP: whoever listens on that network sees its token",
                sandbox.admin_address()
            ));
        }
        if sandbox.sends_notices_in_private_http() {
            warnings.push(
                "notices go to private addresses in plain HTTP: everybody on that network can read them".to_owned(),
            );
        }
        warnings
    }
}
