//! A real PostgreSQL server for tests, benches and long runs: private, on a free port, and gone with the process that
//! started it, also when that is killed.
//!
//! The programs are the machine's own (`initdb`, `postgres`, `psql`). The server keeps what a shop's server keeps:
//! `fsync`, `full_page_writes` and `synchronous_commit` are on, so what it says it has committed it has. It listens on
//! 127.0.0.1 alone and trusts whoever calls.

mod keeper;
mod programs;

use std::fs::{self, DirBuilder, File, OpenOptions};
use std::hash::{BuildHasher as _, RandomState};
use std::io::{self, PipeWriter, Write as _};
use std::net::{Ipv4Addr, TcpListener};
use std::os::unix::fs::DirBuilderExt as _;
use std::path::{Path, PathBuf};
use std::process::{self, Output};
use std::sync::atomic::{AtomicU32, Ordering};
use std::sync::{Mutex, MutexGuard, OnceLock, PoisonError};
use std::time::{Duration, Instant};
use std::{env, thread};

use keeper::{Cleaner, Keeper, Stop};
pub use programs::PostgresMissing;
use programs::{Account, Programs};

/// With the value `1`, missing programs are a failure instead of a skip. `cargo xtask ci` sets it.
pub const REQUIRE: &str = "YUANFEN_REQUIRE_POSTGRES";

/// The superuser of every cluster made here; it has no password.
pub const USER: &str = "postgres";

/// How long a server may take until it answers. A second is usual; recovery after a crash and a busy machine add to it.
const PATIENCE: Duration = Duration::from_secs(60);

/// Below the ports that systems hand out by themselves (32768 and up on Linux). There, a client that calls while the
/// server is down may be given the server's own port, connect to itself, and keep the server from coming back.
const PORTS: std::ops::Range<u16> = 20_000..32_000;

/// A cluster and the server on it.
///
/// Dropped, it stops the server; so does the end of the process, however it ends. A folder of its own is deleted then.
#[derive(Debug)]
pub struct PostgresServer {
    programs: Programs,
    account: Account,
    folder: PathBuf,
    port: u16,
    keeper: Mutex<Option<Keeper>>,
    /// None where the folder is kept.
    cleaner: Option<Cleaner>,
    prefix: u64,
    databases: AtomicU32,
}

impl PostgresServer {
    /// A new cluster in a temporary folder, and a server on it that answers.
    ///
    /// # Errors
    /// When this machine has no PostgreSQL.
    ///
    /// # Panics
    /// When it has, but the server does not start; the message has the server's log.
    pub fn start() -> Result<Self, PostgresMissing> {
        let programs = Programs::find()?;
        let folder = env::temp_dir().join(format!("yuanfen-postgres-{}-{:016x}", process::id(), random()));
        make(&folder);
        // Before there is anything to clean up.
        let cleaner = Cleaner::start(&folder);
        Ok(Self::on(programs, folder, Some(cleaner)))
    }

    /// The same in that folder, which stays when the server ends, with the data, the server's log and no more. A cluster
    /// that an earlier call left there goes on with its data.
    ///
    /// # Errors
    /// When this machine has no PostgreSQL.
    ///
    /// # Panics
    /// When the folder holds anything else, when the server's user cannot reach it (root's server runs as the user
    /// postgres, to whom the folder is given), or when the server does not start.
    pub fn start_in(folder: &Path) -> Result<Self, PostgresMissing> {
        let programs = Programs::find()?;
        let empty = fs::read_dir(folder).map_or(true, |mut entries| entries.next().is_none());
        assert!(
            empty || folder.join("data/PG_VERSION").is_file(),
            "{} holds something that is no cluster",
            folder.display()
        );
        if !folder.is_dir() {
            make(folder);
        }
        let folder = folder
            .canonicalize()
            .unwrap_or_else(|error| panic!("{}: {error}", folder.display()));
        Ok(Self::on(programs, folder, None))
    }

    /// The server that all tests of a process share, each with its own database; started by the first call.
    ///
    /// `None` where this machine has no PostgreSQL: then the tests are skipped, and one line on standard error says so,
    /// past the harness, which would keep it from whoever reads.
    ///
    /// # Panics
    /// When the server does not start, and, where [`REQUIRE`] is `1`, when there is no PostgreSQL.
    pub fn shared() -> Option<&'static Self> {
        static SHARED: OnceLock<Option<PostgresServer>> = OnceLock::new();
        SHARED
            .get_or_init(|| match Self::start() {
                Ok(server) => Some(server),
                Err(missing) => {
                    let line = skip(&missing, env::var(REQUIRE).is_ok_and(|value| value == "1"));
                    // Not `eprintln!`, which the harness captures. Whoever has no standard error reads no skips either.
                    io::stderr().write_all(line.as_bytes()).ok();
                    None
                }
            })
            .as_ref()
    }

    /// A new, empty database that nobody else uses. Returns its URL, `postgres://postgres@127.0.0.1:port/name`.
    pub fn create_database(&self) -> String {
        let number = self.databases.fetch_add(1, Ordering::Relaxed);
        let name = format!("test_{:08x}_{number}", self.prefix & 0xffff_ffff);
        // Nobody connects to template0, so no number of tests at once can be in each other's way.
        self.psql(&self.url(), &format!("create database {name} template template0"));
        self.url_of(&name)
    }

    /// The URL of the database `postgres`, which every cluster has.
    #[must_use]
    pub fn url(&self) -> String {
        self.url_of("postgres")
    }

    /// The URL of the database of that name.
    #[must_use]
    pub fn url_of(&self, database: &str) -> String {
        format!("postgres://{USER}@{}:{}/{database}", Ipv4Addr::LOCALHOST, self.port)
    }

    /// The port on 127.0.0.1. It stays the same across [`restart`](Self::restart).
    #[must_use]
    pub const fn port(&self) -> u16 {
        self.port
    }

    /// The folder: `data` is the cluster, `log` is what `initdb` and the server say.
    #[must_use]
    pub fn folder(&self) -> &Path {
        &self.folder
    }

    /// What PostgreSQL's own client prints for that SQL, without headings, columns parted by `|`: a look at the database
    /// past the driver under test. Of a statement without rows, it is the command's tag.
    ///
    /// # Panics
    /// When the server refuses it or does not answer; the message has its words.
    pub fn psql(&self, url: &str, sql: &str) -> String {
        let mut command = self.account.command(&self.programs.psql, &self.folder);
        command.args(["--no-psqlrc", "--tuples-only", "--no-align"]);
        command.args(["--set", "ON_ERROR_STOP=1", "--command", sql, url]);
        let output = command.output().unwrap_or_else(|error| panic!("psql: {error}"));
        assert!(output.status.success(), "psql, `{sql}`: {}", words(&output));
        words(&output)
    }

    /// Stops the server in immediate mode: no session is ended, nothing is written, as if the machine had stopped.
    /// Returns when it is gone. What it had committed is there after [`restart`](Self::restart).
    pub fn kill_immediately(&self) {
        self.stop(Stop::Immediately);
    }

    /// Starts the server again on the same port and data, and returns when it answers. One that still runs is stopped
    /// first, in fast mode: sessions are ended, data is written.
    ///
    /// # Panics
    /// When it does not start; the message has its log.
    pub fn restart(&self) {
        self.stop(Stop::Fast);
        let mut keeper = self.keeper();
        let deadline = Instant::now() + PATIENCE;
        let started = loop {
            match self.launch() {
                Ok(started) => break started,
                Err(log) if is_taken(&log) && Instant::now() < deadline => thread::sleep(Duration::from_millis(100)),
                Err(log) => panic!("PostgreSQL did not start again on port {}:\n{log}", self.port),
            }
        };
        *keeper = Some(started);
    }

    fn on(programs: Programs, folder: PathBuf, cleaner: Option<Cleaner>) -> Self {
        let account = Account::of(&folder);
        let mut server = Self {
            programs,
            account,
            folder,
            port: 0,
            keeper: Mutex::default(),
            cleaner,
            prefix: random(),
            databases: AtomicU32::new(1),
        };
        if !server.folder.join("data/PG_VERSION").is_file() {
            server.initialize();
        }
        let deadline = Instant::now() + PATIENCE;
        let started = loop {
            server.port = free_port();
            match server.launch() {
                Ok(started) => break started,
                // Somebody was faster.
                Err(log) if is_taken(&log) && Instant::now() < deadline => {}
                Err(log) => panic!("PostgreSQL did not start on port {}:\n{log}", server.port),
            }
        };
        server.keeper = Mutex::new(Some(started));
        server
    }

    fn initialize(&self) {
        let mut command = self.account.command(&self.programs.initdb, &self.folder);
        command.args(["--pgdata", "data", "--username", USER, "--auth", "trust"]);
        // Without waiting for the disk: there is nothing to lose yet. The server itself waits.
        command.args(["--encoding", "UTF8", "--locale", "C", "--no-sync"]);
        if let Some(alive) = self.alive() {
            // Nothing reads it. It is there so that the cleaner waits for the end of this program too.
            command.stdin(alive);
        }
        let output = command.output().unwrap_or_else(|error| {
            let folder = self.folder.display();
            panic!("initdb in {folder}, which the server's user must be able to reach: {error}")
        });
        assert!(output.status.success(), "initdb: {}", words(&output));
    }

    /// One attempt on `self.port`; in the error is what the server said.
    fn launch(&self) -> Result<Keeper, String> {
        let path = self.folder.join("log");
        let before = fs::metadata(&path).map_or(0, |log| log.len());
        let log = open_log(&path);
        let state = || fs::read_to_string(self.folder.join("data/postmaster.pid")).unwrap_or_default();
        let stale = state();
        let mut command = self.account.command(Path::new("/bin/sh"), &self.folder);
        let server = [self.programs.postgres.display().to_string(), "-D".into(), "data".into()];
        let mut keeper = Keeper::start(
            &mut command,
            self.at_the_end(),
            server.into_iter().chain(self.settings()),
            log,
            self.alive(),
        );
        let deadline = Instant::now() + PATIENCE;
        loop {
            let now = state();
            // The eighth line is the server's state; a file that a killed server left is not about this one.
            if now != stale && now.lines().nth(7).is_some_and(|state| state.trim() == "ready") {
                return Ok(keeper);
            }
            let ended = keeper.has_ended();
            if ended || Instant::now() > deadline {
                keeper.stop(Stop::Immediately);
                let log = fs::read(&path).unwrap_or_default();
                let said = usize::try_from(before).ok().and_then(|before| log.get(before..));
                return Err(String::from_utf8_lossy(said.unwrap_or(&log)).into_owned());
            }
            thread::sleep(Duration::from_millis(5));
        }
    }

    fn settings(&self) -> impl Iterator<Item = String> {
        // A path longer than 107 bytes is no address of a socket; everybody comes over TCP.
        let socket = Some(self.folder.display().to_string()).filter(|folder| folder.len() < 80);
        [
            ("listen_addresses", "127.0.0.1".to_owned()),
            ("port", self.port.to_string()),
            ("unix_socket_directories", socket.unwrap_or_default()),
            ("max_connections", "200".to_owned()),
            ("fsync", "on".to_owned()),
            ("full_page_writes", "on".to_owned()),
            ("synchronous_commit", "on".to_owned()),
            ("log_checkpoints", "off".to_owned()),
        ]
        .into_iter()
        .flat_map(|(name, value)| ["-c".to_owned(), format!("{name}={value}")])
    }

    fn alive(&self) -> Option<PipeWriter> {
        self.cleaner.as_ref().map(Cleaner::alive)
    }

    /// Data that nobody will read need not be written.
    const fn at_the_end(&self) -> Stop {
        if self.cleaner.is_some() {
            Stop::Immediately
        } else {
            Stop::Fast
        }
    }

    fn stop(&self, how: Stop) {
        if let Some(mut keeper) = self.keeper().take() {
            keeper.stop(how);
        }
    }

    fn keeper(&self) -> MutexGuard<'_, Option<Keeper>> {
        self.keeper.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Drop for PostgresServer {
    fn drop(&mut self) {
        self.stop(self.at_the_end());
        if let Some(cleaner) = self.cleaner.take() {
            cleaner.finish();
        }
    }
}

/// The line that tells of the skip.
fn skip(missing: &PostgresMissing, required: bool) -> String {
    let why = format!("because {missing}; to have them: apt-get install postgresql");
    assert!(!required, "{REQUIRE} is 1, but the PostgreSQL tests cannot run, {why}");
    format!("skipped: the PostgreSQL tests, {why}\n")
}

fn make(folder: &Path) {
    DirBuilder::new()
        .mode(0o700)
        .create(folder)
        .unwrap_or_else(|error| panic!("{}: {error}", folder.display()));
}

fn open_log(path: &Path) -> File {
    OpenOptions::new()
        .create(true)
        .append(true)
        .open(path)
        .unwrap_or_else(|error| panic!("{}: {error}", path.display()))
}

fn is_taken(log: &str) -> bool {
    log.contains("Address already in use")
}

/// A port that was free a moment ago.
fn free_port() -> u16 {
    let width = u64::from(PORTS.end - PORTS.start);
    (0..1000)
        .filter_map(|_| u16::try_from(random() % width).ok())
        .map(|offset| PORTS.start + offset)
        .find(|port| TcpListener::bind((Ipv4Addr::LOCALHOST, *port)).is_ok())
        .unwrap_or_else(|| panic!("no free port in {PORTS:?}"))
}

/// The standard library seeds its hash maps differently in every process and every time.
fn random() -> u64 {
    RandomState::new().hash_one(Instant::now())
}

fn words(output: &Output) -> String {
    let both = [output.stdout.as_slice(), output.stderr.as_slice()].concat();
    String::from_utf8_lossy(&both).trim_end().to_owned()
}

#[cfg(test)]
mod tests {
    use super::*;

    const MISSING: PostgresMissing = PostgresMissing(());

    #[test]
    fn a_skip_says_what_is_missing_and_how_to_get_it() {
        let line = skip(&MISSING, false);
        assert!(
            line.starts_with("skipped: the PostgreSQL tests, because initdb, "),
            "{line}"
        );
        assert!(line.ends_with("; to have them: apt-get install postgresql\n"), "{line}");
    }

    #[test]
    #[should_panic = "YUANFEN_REQUIRE_POSTGRES is 1, but the PostgreSQL tests cannot run"]
    fn where_it_is_required_a_skip_is_a_failure() {
        drop(skip(&MISSING, true));
    }

    #[test]
    fn a_free_port_is_none_that_the_system_gives_to_a_client() {
        let Ok(range) = fs::read_to_string("/proc/sys/net/ipv4/ip_local_port_range") else {
            return;
        };
        let first: u16 = range.split_whitespace().next().unwrap().parse().unwrap();
        assert!(PORTS.contains(&free_port()));
        assert!(PORTS.end <= first, "clients get {range}");
    }
}
