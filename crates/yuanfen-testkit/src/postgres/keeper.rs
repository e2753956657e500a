//! Two shells that outlive the process, so that nothing else does: one stops the server, one deletes the folder.
//!
//! Both wait for the end of a pipe. The system closes a process's end of it however the process ended, so this holds for
//! one that was killed, where no destructor runs. They stand in process groups of their own: what interrupts or kills the
//! tests' group must not kill those who clean up after it.

use std::fs::File;
use std::io::{self, PipeWriter, Write as _};
use std::os::unix::process::CommandExt as _;
use std::path::Path;
use std::process::{Child, Command, Stdio};

/// How a server is told to stop. The names are those of `pg_ctl stop --mode`.
#[derive(Clone, Copy, Debug)]
pub(super) enum Stop {
    /// Sessions are ended, data is written.
    Fast,
    /// At once, as in a crash.
    Immediately,
}

impl Stop {
    const fn signal(self) -> &'static str {
        match self {
            Self::Fast => "INT",
            Self::Immediately => "QUIT",
        }
    }
}

/// `$1` is the signal for a pipe that closes without a word; the rest is the server's command. Its input, 3, is taken
/// aside because a shell gives its background programs none. It signals until the server is gone: a server that has
/// only just started does not hear yet.
const KEEP: &str = r#"
at_the_end=$1
shift
exec 3<&0
"$@" </dev/null >&2 3<&- &
server=$!
{
    read -r signal || signal=$at_the_end
    while kill -s "$signal" "$server"; do sleep 0.1; done
} <&3 >/dev/null 2>&1 3<&- &
watcher=$!
wait "$server"
kill "$watcher"
"#;

/// The shell that keeps one run of the server.
#[derive(Debug)]
pub(super) struct Keeper {
    shell: Child,
}

impl Keeper {
    /// Starts that server by that shell; both write to that log.
    pub(super) fn start(
        shell: &mut Command,
        at_the_end: Stop,
        server: impl Iterator<Item = String>,
        log: File,
        alive: Option<PipeWriter>,
    ) -> Self {
        let shell = shell
            .args(["-c", KEEP, "keeper", at_the_end.signal()])
            .args(server)
            .process_group(0)
            .stdin(Stdio::piped())
            .stdout(alive.map_or_else(Stdio::null, Stdio::from))
            .stderr(log)
            .spawn()
            .unwrap_or_else(|error| panic!("/bin/sh: {error}"));
        Self { shell }
    }

    /// Whether the server is gone.
    pub(super) fn has_ended(&mut self) -> bool {
        self.shell.try_wait().is_ok_and(|ended| ended.is_some())
    }

    /// Stops the server and waits until it is gone.
    pub(super) fn stop(&mut self, how: Stop) {
        if let Some(mut input) = self.shell.stdin.take() {
            // A shell that has ended does not read, and has nothing to stop.
            writeln!(input, "{}", how.signal()).ok();
        }
        self.shell.wait().ok();
    }
}

/// The shell that deletes the folder when everybody who uses it is gone: the owner, the keeper, `initdb`.
#[derive(Debug)]
pub(super) struct Cleaner {
    shell: Child,
    alive: PipeWriter,
}

impl Cleaner {
    pub(super) fn start(folder: &Path) -> Self {
        let start = || {
            let (closed, alive) = io::pipe()?;
            let shell = Command::new("/bin/sh")
                .args(["-c", r#"read -r _; rm -rf -- "$1""#, "cleaner"])
                .arg(folder)
                .current_dir("/")
                .process_group(0)
                .stdin(closed)
                .stdout(Stdio::null())
                .stderr(Stdio::null())
                .spawn()?;
            Ok(Self { shell, alive })
        };
        start().unwrap_or_else(|error: io::Error| panic!("/bin/sh: {error}"))
    }

    /// Another end of the pipe, for one more who uses the folder.
    pub(super) fn alive(&self) -> PipeWriter {
        self.alive
            .try_clone()
            .unwrap_or_else(|error| panic!("a pipe's end: {error}"))
    }

    /// Lets go of the folder and waits until it is deleted.
    pub(super) fn finish(self) {
        let Self { mut shell, alive } = self;
        drop(alive);
        shell.wait().ok();
    }
}
