//! `peers.toml`: who is driven, where they come from, and over which wires.

use serde::Deserialize;

use crate::Error;

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct File {
    peer: Vec<Peer>,
}

/// One SDK in one version.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields, rename_all = "kebab-case")]
pub(super) struct Peer {
    /// As its registry has it, and as the folder of its script.
    pub(super) name: String,
    pub(super) version: String,
    pub(super) registry: Registry,
    walk: Vec<Walk>,
    #[serde(default)]
    pub(super) not_offered: Vec<NotOffered>,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub(super) enum Registry {
    Npm,
    Pypi,
}

/// One route, walked in every variant over every wire.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Walk {
    pub(super) route: Route,
    /// Version 2: how is signed. Version 3: how the platform is trusted.
    variants: Vec<String>,
    modes: Vec<Wire>,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub(super) enum Route {
    WechatV2,
    WechatV3,
}

impl Route {
    pub(super) const fn name(self) -> &'static str {
        match self {
            Self::WechatV2 => "wechat-v2",
            Self::WechatV3 => "wechat-v3",
        }
    }
}

/// How the sandbox is reached.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub(super) enum Wire {
    /// A base address with `http`.
    Plain,
    /// The TLS port, under the sandbox's own authority.
    Tls,
    /// The platform's own address, through an HTTP proxy with CONNECT.
    Connect,
}

impl Wire {
    pub(super) const fn name(self) -> &'static str {
        match self {
            Self::Plain => "plain",
            Self::Tls => "tls",
            Self::Connect => "connect",
        }
    }
}

/// What the SDK does not have.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct NotOffered {
    pub(super) route: Route,
    /// A variant, a wire, or `every call`.
    pub(super) what: String,
    pub(super) reason: String,
}

impl Peer {
    /// Every walk to take: route, variant, wire.
    pub(super) fn walks(&self) -> impl Iterator<Item = (&Walk, &str, Wire)> {
        self.walk.iter().flat_map(|walk| {
            let variants = walk.variants.iter();
            variants.flat_map(move |variant| walk.modes.iter().map(move |mode| (walk, variant.as_str(), *mode)))
        })
    }
}

/// # Errors
/// When `peers.toml` is not of its form.
pub(super) fn read() -> Result<Vec<Peer>, Error> {
    let file: File = toml::from_str(include_str!("../../peers/peers.toml"))?;
    Ok(file.peer)
}

#[cfg(test)]
mod tests {
    use std::path::Path;

    use super::*;

    #[test]
    fn every_peer_of_the_list_has_a_script_and_pins_its_version() {
        let peers = read().unwrap();
        assert!(peers.len() >= 6, "{} peers", peers.len());
        for Peer {
            name,
            version,
            registry,
            ..
        } in &peers
        {
            let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("peers").join(name);
            let (script, pins, pinned) = match registry {
                Registry::Npm => ("main.js", "package.json", format!("\"{name}\": \"{version}\"")),
                Registry::Pypi => ("main.py", "requirements.txt", format!("{name}=={version}\n")),
            };
            assert!(folder.join(script).is_file(), "{name} has no {script}");
            let pins = std::fs::read_to_string(folder.join(pins)).unwrap();
            assert!(pins.contains(&pinned), "{name} is not pinned to {version}");
        }
    }

    #[test]
    fn what_is_not_offered_is_listed_with_a_reason() {
        for peer in read().unwrap() {
            for missing in &peer.not_offered {
                assert!(!missing.reason.trim().is_empty(), "{}, {}", peer.name, missing.what);
                let walked = |(walk, variant, mode): (&Walk, &str, Wire)| {
                    walk.route == missing.route && (variant == missing.what || mode.name() == missing.what)
                };
                assert!(!peer.walks().any(walked), "{} does walk {}", peer.name, missing.what);
            }
        }
    }
}
