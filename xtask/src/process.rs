//! Running other programs, always from the workspace root, always echoed as a line one can paste.

use std::env;
use std::fmt;
use std::io::{BufRead, BufReader};
use std::path::{Path, PathBuf};
use std::process::{Command, ExitStatus, Stdio};

use crate::failure::Failure;

/// The folder that holds the workspace's `Cargo.toml`.
pub(crate) fn root() -> PathBuf {
    let manifest =
        env::var_os("CARGO_MANIFEST_DIR").map_or_else(|| PathBuf::from(env!("CARGO_MANIFEST_DIR")), PathBuf::from);
    manifest.parent().map_or_else(|| PathBuf::from("."), Path::to_path_buf)
}

/// One program call.
#[derive(Clone, Debug)]
pub(crate) struct Call {
    program: &'static str,
    arguments: Vec<String>,
    environment: Vec<(&'static str, &'static str)>,
}

impl Call {
    /// A program with arguments written as one would type them; no argument may hold a blank.
    pub(crate) fn new(program: &'static str, arguments: &str) -> Self {
        let arguments = arguments.split_whitespace().map(str::to_owned).collect();
        Self {
            program,
            arguments,
            environment: Vec::new(),
        }
    }

    /// `cargo`, by its name in `PATH` instead of by `$CARGO`, because `+nightly` needs rustup's proxy.
    pub(crate) fn cargo(arguments: &str) -> Self {
        Self::new("cargo", arguments)
    }

    pub(crate) fn arg(mut self, argument: impl Into<String>) -> Self {
        self.arguments.push(argument.into());
        self
    }

    pub(crate) fn env(mut self, name: &'static str, value: &'static str) -> Self {
        self.environment.push((name, value));
        self
    }

    /// Runs it with its output on the terminal.
    ///
    /// # Errors
    ///
    /// When the program cannot be started or does not exit with 0.
    pub(crate) fn run(&self) -> Result<(), Failure> {
        let status = self.status()?;
        self.expect_success(status)
    }

    /// Runs it with its output on the terminal and returns how it ended.
    pub(crate) fn status(&self) -> Result<ExitStatus, Failure> {
        println!("$ {self}");
        self.command()
            .status()
            .map_err(Failure::during(format!("starting `{self}`")))
    }

    /// Runs it with its output on the terminal, and shows each line of its standard output to `watch` as well.
    pub(crate) fn watch(&self, mut watch: impl FnMut(&str)) -> Result<(), Failure> {
        println!("$ {self}");
        let mut child = self
            .command()
            .stdout(Stdio::piped())
            .spawn()
            .map_err(Failure::during(format!("starting `{self}`")))?;
        if let Some(output) = child.stdout.take() {
            for line in BufReader::new(output).split(b'\n') {
                let line = line.map_err(Failure::during(format!("reading the output of `{self}`")))?;
                let line = String::from_utf8_lossy(&line);
                println!("{line}");
                watch(&line);
            }
        }
        let status = child.wait().map_err(Failure::during(format!("waiting for `{self}`")))?;
        self.expect_success(status)
    }

    /// Runs it without echo and returns its standard output.
    pub(crate) fn text(&self) -> Result<String, Failure> {
        let output = self
            .command()
            .stderr(Stdio::inherit())
            .output()
            .map_err(Failure::during(format!("starting `{self}`")))?;
        self.expect_success(output.status)?;
        String::from_utf8(output.stdout).map_err(Failure::during(format!("the output of `{self}`")))
    }

    /// Whether it can be run at all and exits with 0; its output is dropped.
    pub(crate) fn works(&self) -> bool {
        self.command()
            .stdout(Stdio::null())
            .stderr(Stdio::null())
            .status()
            .is_ok_and(|status| status.success())
    }

    fn command(&self) -> Command {
        let mut command = Command::new(self.program);
        command
            .args(&self.arguments)
            .envs(self.environment.iter().copied())
            .current_dir(root());
        command
    }

    fn expect_success(&self, status: ExitStatus) -> Result<(), Failure> {
        if status.success() {
            Ok(())
        } else {
            Err(Failure::new(format!("`{self}` ended with {status}")))
        }
    }
}

impl fmt::Display for Call {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for (name, value) in &self.environment {
            write!(f, "{name}={value} ")?;
        }
        write!(f, "{} {}", self.program, self.arguments.join(" "))
    }
}

/// How a step that may not apply to this machine ended.
#[derive(Debug, Eq, PartialEq)]
pub(crate) enum Done {
    Ran,
    /// Nothing was checked, or not everything, for this reason.
    Skipped(String),
}

impl Done {
    /// A skipped step is never silent.
    pub(crate) fn print(self) {
        if let Self::Skipped(reason) = self {
            println!("skipped: {reason}");
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_call_prints_as_a_line_one_can_paste() {
        let call = Call::cargo("doc --workspace   --no-deps")
            .env("RUSTDOCFLAGS", "-Dwarnings")
            .arg("--lib");
        assert_eq!(
            call.to_string(),
            "RUSTDOCFLAGS=-Dwarnings cargo doc --workspace --no-deps --lib"
        );
    }

    #[test]
    fn a_failing_program_is_an_error_that_names_the_call() {
        let error = Call::cargo("no-such-subcommand-here").text().unwrap_err();
        assert!(error.to_string().contains("`cargo no-such-subcommand-here`"), "{error}");
    }

    #[test]
    fn watching_sees_every_line_of_the_output() {
        let mut seen = Vec::new();
        Call::cargo("--version --verbose")
            .watch(|line| seen.push(line.to_owned()))
            .unwrap();
        assert!(seen.iter().any(|line| line.starts_with("cargo ")), "{seen:?}");
        assert!(seen.iter().any(|line| line.starts_with("host: ")), "{seen:?}");
    }
}
