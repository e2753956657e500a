//! The sandbox's admin API under Schemathesis: calls made from its own OpenAPI document, and answers held to it.

use std::fs;
use std::path::Path;
use std::process::{Child, Command, Stdio};
use std::thread::sleep;
use std::time::{Duration, Instant};

use crate::failure::Failure;
use crate::process::{Call, Done, root};

/// By whom the calls are made.
const TOOL: &str = "schemathesis==4.32.5";
/// Where it is installed and runs, below the root.
const FOLDER: &str = "target/admin-api";
/// What is looked at. That every call which fits its schema is taken is not: a schema knows no integers but by value, so
/// that `5.0` fits, and no rule of the book.
const CHECKS: &str = "not_a_server_error,status_code_conformance,content_type_conformance,response_schema_conformance,\
                      response_headers_conformance,negative_data_rejection,unsupported_method,allow_header_conformance";
/// Longest that a sandbox takes to start.
const PATIENCE: Duration = Duration::from_secs(60);

/// # Errors
///
/// When a call is answered otherwise than the document says, or the sandbox does not start.
pub(crate) fn run() -> Result<Done, Failure> {
    let folder = root().join(FOLDER);
    fs::create_dir_all(&folder).map_err(Failure::during(format!("making {FOLDER}")))?;
    if !Call::new("python3", "-m venv").arg(format!("{FOLDER}/venv")).works() {
        return Ok(Done::Skipped("python3 makes no virtual environment here".to_owned()));
    }
    let pip = Call::new(
        "target/admin-api/venv/bin/pip",
        "install --quiet --disable-pip-version-check",
    )
    .arg(TOOL);
    if !pip.works() {
        return Ok(Done::Skipped(format!("pip has no {TOOL} here")));
    }
    Call::cargo("build -p yuanfen-cli").run()?;
    let sandbox = Sandbox::start(&folder.join("sandbox"))?;
    // The stream of events has no end, and everything else must have one.
    Call::new("env", "-C")
        .arg(FOLDER)
        .arg("venv/bin/schemathesis")
        .arg("run")
        .arg(format!("{}/openapi.json", sandbox.admin))
        .arg("--url")
        .arg(&sandbox.admin)
        .arg("--exclude-path")
        .arg("/api/events")
        .arg("--phases")
        .arg("examples,coverage,fuzzing")
        .arg("--checks")
        .arg(CHECKS)
        .arg("--max-examples")
        .arg("20")
        .arg("--seed")
        .arg("1")
        .arg("--continue-on-failure")
        .arg("--warnings")
        .arg("off")
        .run()?;
    Ok(Done::Ran)
}

/// A sandbox of its own, until it is dropped.
struct Sandbox {
    process: Child,
    admin: String,
}

impl Sandbox {
    fn start(folder: &Path) -> Result<Self, Failure> {
        let credentials = folder.join("credentials.json");
        // What another run left would name another port.
        if credentials.exists() {
            fs::remove_file(&credentials).map_err(Failure::during("clearing the sandbox's folder"))?;
        }
        let process = Command::new(root().join("target/debug/yuanfen"))
            .args(["sandbox", "--listen", "127.0.0.1:0", "--dir"])
            .arg(folder)
            .stdout(Stdio::null())
            .spawn()
            .map_err(Failure::during("starting the sandbox"))?;
        let mut sandbox = Self {
            process,
            admin: String::new(),
        };
        let begun = Instant::now();
        // The file is renamed into place once every port is open.
        while !credentials.exists() {
            if begun.elapsed() > PATIENCE {
                return Err(Failure::new("the sandbox writes no credentials.json"));
            }
            sleep(Duration::from_millis(50));
        }
        let text = fs::read_to_string(&credentials).map_err(Failure::during("reading credentials.json"))?;
        let read: serde_json::Value =
            serde_json::from_str(&text).map_err(Failure::during("reading credentials.json"))?;
        let url = read.pointer("/admin/url").and_then(serde_json::Value::as_str);
        sandbox.admin = url
            .ok_or_else(|| Failure::new("credentials.json names no admin.url"))?
            .to_owned();
        Ok(sandbox)
    }
}

impl Drop for Sandbox {
    fn drop(&mut self) {
        // It may have ended by itself; then there is nothing to end.
        let _ended = self.process.kill();
        let _reaped = self.process.wait();
    }
}
