//! The driver's end of a process: starts it, gives it orders, hears where it is, kills it.

use std::io::{BufRead as _, BufReader, Write as _};
use std::process::{Child, ChildStdin, Command, Stdio};
use std::time::{Duration, Instant};

use clap::ValueEnum as _;
use tokio::sync::mpsc;

use super::{Break, StoreKind, Trouble};

/// How long a process may take until it is ready, and until it has ended.
const PATIENCE: Duration = Duration::from_secs(30);

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Role {
    Receiver,
    Worker,
}

/// How processes of this run are started.
pub(super) struct Launch {
    pub(super) store: StoreKind,
    pub(super) at: String,
    pub(super) broken: Option<Break>,
    pub(super) elsewhere: String,
}

/// A process. It is killed when this is dropped.
pub(super) struct Process {
    pub(super) role: Role,
    /// Of a receiver.
    pub(super) port: u16,
    child: Child,
    orders: Option<ChildStdin>,
    said: mpsc::UnboundedReceiver<String>,
}

impl Launch {
    /// Starts one and waits until it is ready.
    pub(super) async fn start(&self, role: Role) -> Result<Process, Trouble> {
        let name = |value: Option<clap::builder::PossibleValue>| value.map(|value| value.get_name().to_owned());
        let mut command = Command::new(std::env::current_exe()?);
        command.arg(match role {
            Role::Receiver => "soak-receive",
            Role::Worker => "soak-work",
        });
        command.args(["--at", &self.at, "--elsewhere", &self.elsewhere, "--store"]);
        command.args(name(self.store.to_possible_value()));
        if let Some(broken) = self.broken.and_then(|broken| name(broken.to_possible_value())) {
            command.args(["--break", &broken]);
        }
        let mut child = command.stdin(Stdio::piped()).stdout(Stdio::piped()).spawn()?;
        let (orders, output) = (child.stdin.take(), child.stdout.take());
        let (say, said) = mpsc::unbounded_channel();
        // From here on it is ended with this value, whatever it says.
        let mut process = Process {
            role,
            port: 0,
            child,
            orders,
            said,
        };
        let output = output.ok_or("a process has no output")?;
        std::thread::spawn(move || {
            for line in BufReader::new(output).lines().map_while(Result::ok) {
                if say.send(line).is_err() {
                    break;
                }
            }
        });
        let line = process.hear(PATIENCE).await?.ok_or("a process does not get ready")?;
        let port = line
            .strip_prefix("ready ")
            .ok_or("a process says something else first")?;
        process.port = port.parse()?;
        Ok(process)
    }
}

impl Process {
    /// Gives it an order.
    pub(super) fn order(&mut self, order: &str) -> Result<(), Trouble> {
        let orders = self.orders.as_mut().ok_or("a process takes no orders any more")?;
        writeln!(orders, "{order}")?;
        Ok(())
    }

    /// The next line that it says; `None` when it says nothing for so long.
    ///
    /// # Errors
    /// When it has ended, which nobody asked it to.
    pub(super) async fn hear(&mut self, patience: Duration) -> Result<Option<String>, Trouble> {
        match tokio::time::timeout(patience, self.said.recv()).await {
            Ok(Some(line)) => Ok(Some(line)),
            Ok(None) => {
                let status = self.child.wait()?;
                Err(format!("a {:?} ended by itself: {status}", self.role).into())
            }
            Err(_elapsed) => Ok(None),
        }
    }

    /// SIGKILL. Says whether that is what it died of.
    pub(super) fn kill(&mut self) -> Result<bool, Trouble> {
        use std::os::unix::process::ExitStatusExt as _;

        const SIGKILL: i32 = 9;
        self.child.kill()?;
        Ok(self.child.wait()?.signal() == Some(SIGKILL))
    }

    /// `STOP` or `CONT`.
    pub(super) fn signal(&self, name: &str) -> Result<(), Trouble> {
        let process = self.child.id().to_string();
        let status = Command::new("kill").args(["-s", name, &process]).status()?;
        if status.success() {
            Ok(())
        } else {
            Err(format!("`kill -s {name} {process}` ended with {status}").into())
        }
    }

    /// Tells it to end and waits for that.
    ///
    /// # Errors
    /// When it does not end, or not well.
    pub(super) async fn finish(mut self) -> Result<(), Trouble> {
        drop(self.orders.take());
        let deadline = Instant::now() + PATIENCE;
        while Instant::now() < deadline {
            if let Some(status) = self.child.try_wait()? {
                return if status.success() {
                    Ok(())
                } else {
                    Err(format!("a {:?} ended with {status}", self.role).into())
                };
            }
            tokio::time::sleep(Duration::from_millis(10)).await;
        }
        Err(format!("a {:?} does not end", self.role).into())
    }
}

impl Drop for Process {
    fn drop(&mut self) {
        // It may have ended by itself.
        drop(self.child.kill());
        drop(self.child.wait());
    }
}
