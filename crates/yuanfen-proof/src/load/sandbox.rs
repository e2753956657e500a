//! The sandbox in a process of its own, so that its memory and its time are its own.

use std::io::{self, BufRead as _, BufReader, Read as _};
use std::process::{Child, Command, Stdio};

use clap::Args;
use yuanfen_sandbox::{Clock, FarSide, Sandbox, WechatV3Credentials};

use crate::Error;

/// The process needs to be told nothing.
#[derive(Args)]
pub(crate) struct Arguments {}

/// The process. It ends when this is dropped.
pub(super) struct Served {
    process: Child,
    base_url: String,
    admin_url: String,
}

impl Served {
    /// Starts it, and gives what a client needs: the keys are the built-in ones.
    ///
    /// # Errors
    /// When it does not start.
    pub(super) fn start() -> Result<(Self, WechatV3Credentials), Error> {
        let mut process = Command::new(std::env::current_exe()?)
            .arg("serve-sandbox")
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .spawn()?;
        let output = process.stdout.take();
        // From here on it is ended with this value, whatever it wrote.
        let mut served = Self {
            process,
            base_url: String::new(),
            admin_url: String::new(),
        };
        let mut lines = BufReader::new(output.ok_or("the sandbox has no output")?).lines();
        let mut next = || lines.next().ok_or("the sandbox does not say where it is");
        served.base_url = next()??;
        served.admin_url = next()??;
        let given = FarSide::new(served.base_url.clone(), Clock::real(), 0)?.wechat_v3();
        Ok((served, given))
    }

    pub(super) fn id(&self) -> u32 {
        self.process.id()
    }

    pub(super) fn base_url(&self) -> &str {
        &self.base_url
    }

    /// Without a slash at its end.
    pub(super) fn admin_url(&self) -> &str {
        self.admin_url.trim_end_matches('/')
    }
}

impl Drop for Served {
    fn drop(&mut self) {
        // It may have ended by itself.
        drop(self.process.kill());
        drop(self.process.wait());
    }
}

/// Says where the platforms and the admin API are, then serves until the standard input ends: when whoever started this
/// is gone.
///
/// # Errors
/// When the sandbox does not start, or standard input cannot be read.
pub(crate) fn serve(_: &Arguments) -> Result<bool, Error> {
    let runtime = tokio::runtime::Builder::new_multi_thread().enable_all().build()?;
    let sandbox = runtime.block_on(Sandbox::start())?;
    println!("{}\n{}", sandbox.base_url(), sandbox.admin_url());
    io::stdin().read_to_end(&mut Vec::new())?;
    Ok(true)
}
