//! Where PostgreSQL's programs are on this machine, and as whom they run.

use std::ffi::OsStr;
use std::fs;
use std::os::unix::fs::{MetadataExt as _, chown};
use std::os::unix::process::CommandExt as _;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::{cmp, env};

/// Debian keeps the programs of each major version apart and out of `PATH`.
const DEBIAN: &str = "/usr/lib/postgresql";

/// What is asked for by name; a machine may have the client alone.
const NAMES: [&str; 3] = ["initdb", "postgres", "psql"];

/// This machine has no PostgreSQL server.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{} are not together in any folder of PATH or of {DEBIAN}/*/bin", NAMES.join(", "))]
pub struct PostgresMissing(pub(super) ());

/// The programs of one version.
#[derive(Clone, Debug)]
pub(super) struct Programs {
    pub(super) initdb: PathBuf,
    pub(super) postgres: PathBuf,
    pub(super) psql: PathBuf,
}

impl Programs {
    /// From `PATH`, or else Debian's newest version.
    pub(super) fn find() -> Result<Self, PostgresMissing> {
        Self::find_among(&env::var_os("PATH").unwrap_or_default(), Path::new(DEBIAN))
    }

    fn find_among(path: &OsStr, debian: &Path) -> Result<Self, PostgresMissing> {
        env::split_paths(path)
            .filter(|folder| folder.is_absolute())
            .chain(versions(debian))
            .find(|folder| NAMES.iter().all(|name| folder.join(name).is_file()))
            .map(|folder| Self {
                initdb: folder.join("initdb"),
                postgres: folder.join("postgres"),
                psql: folder.join("psql"),
            })
            .ok_or(PostgresMissing(()))
    }
}

/// `…/17/bin` before `…/9.6/bin`.
fn versions(debian: &Path) -> Vec<PathBuf> {
    let mut found: Vec<(Vec<u32>, PathBuf)> = fs::read_dir(debian)
        .into_iter()
        .flatten()
        .flatten()
        .filter_map(|entry| {
            let name = entry.file_name().into_string().ok()?;
            let version: Option<Vec<u32>> = name.split('.').map(|part| part.parse().ok()).collect();
            Some((version?, entry.path().join("bin")))
        })
        .collect();
    found.sort_by_key(|(version, _)| cmp::Reverse(version.clone()));
    found.into_iter().map(|(_, folder)| folder).collect()
}

/// As whom a server runs: as ourselves, or, since it refuses root, as a user without rights.
#[derive(Clone, Copy, Debug)]
pub(super) struct Account(Option<(u32, u32)>);

impl Account {
    /// The one for a server in that folder, which must be ours; it is handed over.
    pub(super) fn of(folder: &Path) -> Self {
        let owner = fs::metadata(folder).unwrap_or_else(|error| panic!("{}: {error}", folder.display()));
        if !is_root() {
            return Self(None);
        }
        // A folder that was kept belongs to the server's user already.
        let ids = if owner.uid() == 0 {
            ["postgres", "nobody"]
                .into_iter()
                .find_map(ids)
                .unwrap_or_else(|| panic!("a server does not run as root, and there is no user postgres or nobody"))
        } else {
            (owner.uid(), owner.gid())
        };
        chown(folder, Some(ids.0), Some(ids.1)).unwrap_or_else(|error| panic!("{}: {error}", folder.display()));
        Self(Some(ids))
    }

    /// A program with that as its working directory, in an environment where nothing but `PATH` depends on the machine:
    /// `PGPORT` and its kin would change what it does, `TZ` and `LC_ALL` what it says.
    pub(super) fn command(self, program: &Path, folder: &Path) -> Command {
        let mut command = Command::new(program);
        command
            .env_clear()
            .envs(env::var_os("PATH").map(|path| ("PATH", path)))
            .envs([("TZ", "UTC"), ("LC_ALL", "C")])
            .current_dir(folder)
            .stdin(Stdio::null());
        if let Some((user, group)) = self.0 {
            command.uid(user).gid(group);
        }
        command
    }
}

fn is_root() -> bool {
    id(&["-u"]) == Some(0)
}

fn ids(user: &str) -> Option<(u32, u32)> {
    Some((id(&["-u", user])?, id(&["-g", user])?))
}

fn id(arguments: &[&str]) -> Option<u32> {
    let output = Command::new("id").args(arguments).output().ok()?;
    String::from_utf8(output.stdout).ok()?.trim().parse().ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    /// A folder with these empty files, deleted at the end.
    struct Tree(PathBuf);

    impl Tree {
        fn of(name: &str, files: &[&str]) -> Self {
            let root = env::temp_dir().join(format!("yuanfen-programs-{}-{name}", std::process::id()));
            for file in files {
                let path = root.join(file);
                fs::create_dir_all(path.parent().unwrap_or(&root)).unwrap();
                fs::write(path, "").unwrap();
            }
            Self(root)
        }

        fn find(&self) -> Option<PathBuf> {
            let found = Programs::find_among(self.0.join("path").as_os_str(), &self.0.join("debian")).ok()?;
            Some(found.postgres.strip_prefix(&self.0).unwrap().to_owned())
        }
    }

    impl Drop for Tree {
        fn drop(&mut self) {
            fs::remove_dir_all(&self.0).ok();
        }
    }

    fn all(folder: &str) -> Vec<String> {
        NAMES.iter().map(|name| format!("{folder}/{name}")).collect()
    }

    fn found(name: &str, folders: &[&str]) -> Option<PathBuf> {
        let files: Vec<String> = folders.iter().flat_map(|folder| all(folder)).collect();
        let files: Vec<&str> = files.iter().map(String::as_str).collect();
        Tree::of(name, &files).find()
    }

    #[test]
    fn the_newest_version_is_taken_by_number() {
        assert_eq!(
            found("newest", &["debian/9.6/bin", "debian/17/bin", "debian/15/bin"]),
            Some("debian/17/bin/postgres".into())
        );
        assert_eq!(
            found("older", &["debian/9.5/bin", "debian/9.6/bin"]),
            Some("debian/9.6/bin/postgres".into())
        );
    }

    #[test]
    fn path_comes_first() {
        assert_eq!(found("path", &["debian/17/bin", "path"]), Some("path/postgres".into()));
    }

    #[test]
    fn a_client_without_a_server_is_no_postgresql() {
        assert_eq!(
            Tree::of("client", &["path/psql", "debian/17/bin/psql", "debian/17/bin/initdb"]).find(),
            None
        );
    }

    #[test]
    fn what_is_missing_is_said_by_name() {
        assert_eq!(
            PostgresMissing(()).to_string(),
            "initdb, postgres, psql are not together in any folder of PATH or of /usr/lib/postgresql/*/bin"
        );
    }
}
