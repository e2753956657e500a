//! `sandbox` by itself: started for real, found through what it writes and prints.

mod credentials;
mod flags;
mod walk;

use std::io::{BufRead as _, BufReader};
use std::path::Path;
use std::process::{Child, ExitStatus, Stdio};
use std::time::{Duration, Instant};

use yuanfen_testkit::Value;

use crate::program::{Folder, command};

/// A sandbox of its own, with a line of JSON on its addresses. It ends with the test.
struct Running {
    child: Child,
    /// What it printed with `--json`.
    addresses: Value,
}

impl Running {
    /// Starts it and waits until it says where it is.
    fn start<'a>(arguments: impl IntoIterator<Item = &'a str>) -> Self {
        let mut child = command()
            .args(["sandbox", "--json"])
            .args(arguments)
            .stdout(Stdio::piped())
            .spawn()
            .unwrap();
        let mut line = String::new();
        BufReader::new(child.stdout.take().unwrap())
            .read_line(&mut line)
            .unwrap();
        let addresses = serde_json::from_str(&line).unwrap_or_else(|error| panic!("{error}: {line}"));
        Self { child, addresses }
    }

    /// With a folder, and the credentials in it.
    fn in_folder(folder: &Folder, more: &[&str]) -> (Self, Value) {
        let path = folder.path().to_str().unwrap();
        let running = Self::start(["--dir", path].into_iter().chain(more.iter().copied()));
        let credentials = read(&folder.path().join("credentials.json"));
        (running, credentials)
    }

    /// Ends it as a service manager does.
    #[cfg(unix)]
    fn terminate(mut self, signal: &str) -> ExitStatus {
        let id = self.child.id().to_string();
        let sent = std::process::Command::new("kill").args(["-s", signal, &id]).status();
        assert!(sent.unwrap().success());
        let until = Instant::now() + Duration::from_secs(10);
        loop {
            if let Some(status) = self.child.try_wait().unwrap() {
                return status;
            }
            assert!(Instant::now() < until, "{signal} does not end it");
            std::thread::sleep(Duration::from_millis(10));
        }
    }
}

impl Drop for Running {
    fn drop(&mut self) {
        drop(self.child.kill());
        drop(self.child.wait());
    }
}

fn read(path: &Path) -> Value {
    serde_json::from_slice(&std::fs::read(path).unwrap()).unwrap()
}
