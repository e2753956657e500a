//! Installing: by npm and pip, from lists with fixed versions, below `target`, with no script of a package run.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::time::Duration;

use super::list::{Peer, Registry};
use super::script::{self, Ended};
use crate::Error;

/// How long a registry may take for one peer.
const PATIENCE: Duration = Duration::from_secs(240);
/// Holds what was installed, so that the next run need not ask a registry.
const STAMP: &str = ".installed";

/// A peer that can be run, or why it cannot.
pub(super) enum Installed {
    Ready(Program),
    Absent(String),
}

/// What runs a peer's script, and where.
pub(super) struct Program {
    registry: Registry,
    folder: PathBuf,
}

impl Program {
    /// The call of the script, without what it learns from its environment.
    pub(super) fn command(&self) -> Command {
        let mut command = match self.registry {
            Registry::Npm => {
                let mut node = Command::new("node");
                node.arg("main.js");
                node
            }
            Registry::Pypi => {
                let mut python = Command::new("python3");
                python.arg("main.py").env("PYTHONPATH", self.folder.join("site"));
                python.env("PYTHONDONTWRITEBYTECODE", "1");
                python
            }
        };
        command.current_dir(&self.folder);
        command
    }
}

/// Copies the scripts to where the packages will be; what is installed there stays.
///
/// # Errors
/// When a file cannot be read or written.
pub(super) fn copy_scripts(folder: &Path) -> Result<(), Error> {
    copy(&Path::new(env!("CARGO_MANIFEST_DIR")).join("peers"), folder)?;
    Ok(())
}

fn copy(from: &Path, to: &Path) -> std::io::Result<()> {
    fs::create_dir_all(to)?;
    for entry in fs::read_dir(from)? {
        let entry = entry?;
        let target = to.join(entry.file_name());
        if entry.file_type()?.is_dir() {
            copy(&entry.path(), &target)?;
        } else {
            fs::copy(entry.path(), target)?;
        }
    }
    Ok(())
}

/// Installs one peer, unless the very same list was installed before.
pub(super) fn install(peer: &Peer, folder: &Path) -> Installed {
    let folder = folder.join(&peer.name);
    let (list, mut command) = match peer.registry {
        Registry::Npm => {
            let mut npm = Command::new("npm");
            npm.args(["ci", "--ignore-scripts", "--no-audit", "--no-fund", "--loglevel=error"]);
            // A machine without a way to the registry learns so in seconds.
            npm.args([
                "--fetch-retries=1",
                "--fetch-retry-maxtimeout=2000",
                "--fetch-timeout=30000",
            ]);
            ("package-lock.json", npm)
        }
        Registry::Pypi => {
            let mut pip = Command::new("python3");
            pip.args([
                "-m",
                "pip",
                "install",
                "--quiet",
                "--disable-pip-version-check",
                "--no-input",
                "--no-deps",
            ]);
            pip.args(["--retries=1", "--timeout=30"]);
            pip.args(["--upgrade", "--target", "site", "--requirement", "requirements.txt"]);
            pip.env("PIP_ROOT_USER_ACTION", "ignore");
            ("requirements.txt", pip)
        }
    };
    let wanted = fs::read(folder.join(list)).ok();
    let ready = || {
        Installed::Ready(Program {
            registry: peer.registry,
            folder: folder.clone(),
        })
    };
    let stamp = folder.join(STAMP);
    if wanted.is_some() && fs::read(&stamp).ok() == wanted {
        return ready();
    }
    eprintln!("installing {} {}", peer.name, peer.version);
    match script::finish(command.current_dir(&folder), PATIENCE) {
        Ok(Ended { success: true, .. }) => {
            // Without its stamp it is installed anew the next time, which is slow and right.
            drop(fs::write(&stamp, wanted.unwrap_or_default()));
            ready()
        }
        Ok(ended) => Installed::Absent(format!("it cannot be installed: {}", ended.last_words())),
        Err(error) => Installed::Absent(format!("its registry's client cannot be run: {error}")),
    }
}
