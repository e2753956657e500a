//! SDKs of other people, unmodified, against the sandbox: each is installed by its registry's own client and driven by a
//! small script through a shop's whole walk. `peers/README.md` has the contract with the scripts.

mod emitted;
mod install;
mod list;
mod sandbox;
mod script;

use std::path::{Path, PathBuf};
use std::thread;

use self::install::Installed;
use self::list::{Peer, Registry};
use self::sandbox::Running;
use crate::Error;
use crate::conformance::{Mode, Row, Verdict};

/// Every step of every peer, on every route and over every wire that it takes; those named in `only`, or all.
///
/// # Errors
/// When the list of peers is not of its form or lacks one that was named, or the sandbox does not build or start.
pub(crate) fn rows(only: &[String]) -> Result<Vec<Row>, Error> {
    let mut peers = list::read()?;
    if let Some(unknown) = only.iter().find(|name| peers.iter().all(|peer| peer.name != **name)) {
        return Err(format!("there is no peer `{unknown}` in peers.toml").into());
    }
    peers.retain(|peer| only.is_empty() || only.contains(&peer.name));
    let folder = folder();
    install::copy_scripts(&folder)?;
    let installed = install_all(&peers, &folder);
    let mut rows = Vec::new();
    let mut running = None;
    for (peer, installed) in peers.iter().zip(installed) {
        rows.extend(not_offered(peer));
        match installed {
            Installed::Absent(reason) => rows.extend(skipped(peer, &reason)),
            Installed::Ready(program) => {
                let sandbox = match &mut running {
                    Some(sandbox) => sandbox,
                    none => none.insert(Running::start(&folder)?),
                };
                for (walk, variant, mode) in peer.walks() {
                    let lines = script::run(&program, sandbox, walk.route, mode, variant)?;
                    rows.extend(script::judge(peer, walk.route, mode, variant, &lines));
                }
            }
        }
    }
    Ok(rows)
}

/// Where everything is installed: below the workspace's `target`, which is nobody's home and easily thrown away.
fn folder() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../../target/peers")
}

/// One registry beside the other, since most of it is waiting; the peers of one after another.
fn install_all(peers: &[Peer], folder: &Path) -> Vec<Installed> {
    let of = |registry: Registry| {
        let mine = peers.iter().filter(move |peer| peer.registry == registry);
        mine.map(|peer| install::install(peer, folder)).collect::<Vec<_>>()
    };
    let (npm, pypi) = thread::scope(|scope| {
        let npm = scope.spawn(|| of(Registry::Npm));
        let pypi = of(Registry::Pypi);
        (npm.join().unwrap_or_default(), pypi)
    });
    let (mut npm, mut pypi) = (npm.into_iter(), pypi.into_iter());
    let next = |peer: &Peer| match peer.registry {
        Registry::Npm => npm.next(),
        Registry::Pypi => pypi.next(),
    };
    let absent = || Installed::Absent("its installation broke off".to_owned());
    peers
        .iter()
        .map(next)
        .map(|installed| installed.unwrap_or_else(absent))
        .collect()
}

fn not_offered(peer: &Peer) -> impl Iterator<Item = Row> {
    peer.not_offered.iter().map(|missing| Row {
        provider: missing.route.name(),
        case: format!("{} {}, {}", peer.name, peer.version, missing.what),
        mode: Mode::Peer,
        verdict: Verdict::NotOffered {
            reason: missing.reason.clone(),
        },
    })
}

fn skipped(peer: &Peer, reason: &str) -> impl Iterator<Item = Row> {
    peer.walks().map(move |(walk, variant, mode)| Row {
        provider: walk.route.name(),
        case: script::case(peer, variant, mode, "every step"),
        mode: Mode::Peer,
        verdict: Verdict::Skipped {
            reason: reason.to_owned(),
        },
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_peer_that_is_not_there_is_skipped_and_nothing_of_it_passes() {
        let peers = list::read().unwrap();
        let peer = peers.iter().find(|peer| peer.name == "wechatpy").unwrap();
        let rows: Vec<_> = skipped(peer, "no pip").collect();
        assert_eq!(rows.len(), 3);
        let reason = "no pip".to_owned();
        assert!(
            rows.iter()
                .all(|row| row.verdict == Verdict::Skipped { reason: reason.clone() })
        );
        assert_eq!(rows[0].case, "wechatpy 1.8.18, md5, plain: every step");
        assert_eq!(rows[0].provider, "wechat-v2");
    }
}
