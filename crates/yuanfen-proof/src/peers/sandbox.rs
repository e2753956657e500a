//! The sandbox as anyone has it: the program `yuanfen sandbox`, built, started, and left alone until the end.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::thread;
use std::time::{Duration, Instant};

use serde::Deserialize;

use super::emitted::{self, WechatV2, WechatV3};
use crate::Error;

/// How long it may take until its listeners accept. It makes a dozen RSA keys, on a machine that may be busy.
const PATIENCE: Duration = Duration::from_secs(120);
const PAUSE: Duration = Duration::from_millis(50);

/// A sandbox that ends with this value.
pub(super) struct Running {
    child: Child,
    /// Its `credentials.json`.
    pub(super) credentials: PathBuf,
    /// What our own clients emit with these credentials.
    pub(super) emitted: PathBuf,
    /// Where it takes CONNECT.
    pub(super) proxy: String,
    /// The certificate that its TLS stands under.
    pub(super) authority: PathBuf,
}

impl Drop for Running {
    fn drop(&mut self) {
        drop(self.child.kill());
        drop(self.child.wait());
    }
}

/// The members of `credentials.json` that a peer's environment is made of.
#[derive(Deserialize)]
struct Credentials {
    tls: Tls,
    connect_proxy: ConnectProxy,
    wechat_v3: WechatV3,
    wechat_v2: WechatV2,
}

#[derive(Deserialize)]
struct Tls {
    ca_certificate_path: String,
}

#[derive(Deserialize)]
struct ConnectProxy {
    url: String,
}

impl Running {
    /// Builds the program, starts it on free ports and waits for its credentials.
    ///
    /// # Errors
    /// When it does not build, ends at once, or is not ready in time.
    pub(super) fn start(folder: &Path) -> Result<Self, Error> {
        let program = build()?;
        let folder = folder.join("sandbox");
        match fs::remove_dir_all(&folder) {
            Err(error) if error.kind() != std::io::ErrorKind::NotFound => return Err(error.into()),
            _ => fs::create_dir_all(&folder)?,
        }
        let folder = folder.canonicalize()?;
        let child = Command::new(program)
            .args(["sandbox", "--listen", "127.0.0.1:0", "--dir"])
            .arg(&folder)
            .stdin(Stdio::null())
            .stdout(Stdio::null())
            .spawn()?;
        // From here on the sandbox ends with this value, whatever happens.
        let mut running = Self {
            child,
            credentials: folder.join("credentials.json"),
            emitted: folder.join("emitted.json"),
            proxy: String::new(),
            authority: PathBuf::new(),
        };
        wait(&mut running.child, &running.credentials)?;
        let given: Credentials = serde_json::from_slice(&fs::read(&running.credentials)?)?;
        let emitted = emitted::of(&folder, &given.wechat_v3, &given.wechat_v2)?;
        fs::write(&running.emitted, serde_json::to_vec_pretty(&emitted)?)?;
        running.proxy = given.connect_proxy.url;
        running.authority = folder.join(given.tls.ca_certificate_path);
        Ok(running)
    }
}

/// Until the file is there, which is renamed into place once everything accepts.
fn wait(child: &mut Child, path: &Path) -> Result<(), Error> {
    let until = Instant::now() + PATIENCE;
    while !path.exists() {
        if let Some(status) = child.try_wait()? {
            return Err(format!("the sandbox ended with {status} before it was ready").into());
        }
        if Instant::now() > until {
            return Err(format!("the sandbox was not ready within {} s", PATIENCE.as_secs()).into());
        }
        thread::sleep(PAUSE);
    }
    Ok(())
}

/// A line of cargo's output, as far as it matters here.
#[derive(Deserialize)]
struct Artifact {
    executable: Option<PathBuf>,
}

/// Builds `yuanfen` and says where it is.
fn build() -> Result<PathBuf, Error> {
    let cargo = std::env::var("CARGO").unwrap_or_else(|_| "cargo".to_owned());
    let output = Command::new(cargo)
        .args([
            "build",
            "--quiet",
            "-p",
            "yuanfen-cli",
            "--message-format=json-render-diagnostics",
        ])
        .current_dir(concat!(env!("CARGO_MANIFEST_DIR"), "/../.."))
        .stderr(Stdio::inherit())
        .output()?;
    if !output.status.success() {
        return Err("yuanfen-cli does not build".into());
    }
    let mut executables = std::str::from_utf8(&output.stdout)?
        .lines()
        .filter_map(|line| serde_json::from_str::<Artifact>(line).ok()?.executable);
    executables.next_back().ok_or_else(|| "cargo names no program".into())
}
