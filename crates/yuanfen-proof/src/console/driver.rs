//! WebDriver as far as it is needed here: JSON over HTTP to Chromium's own driver.
//!
//! By hand, because the crates for it bring more than they carry: `fantoccini` fifteen second versions and a licence of
//! its own, `thirtyfour` a feature of `serde_json` that `.deny.toml` bans.

use std::io::{BufRead as _, BufReader};
use std::process::{Child, Command, Stdio};

use bytes::Bytes;
use http::{Method, Request};
use serde_json::{Value, json};
use yuanfen::transport::{HyperTransport, Transport as _};

use crate::Error;

/// Under which name an element stands in JSON.
const ELEMENT: &str = "element-6066-11e4-a52e-4f735466cecf";

/// One session of a driver. The driver's process ends when this is dropped, and the browser with it.
pub(super) struct Driver {
    process: Child,
    transport: HyperTransport,
    /// Below which address the session's commands are.
    session: String,
    /// Name and version, as the browser says them.
    pub(super) browser: String,
}

impl Driver {
    /// Starts the driver on a free port, and a browser with these capabilities.
    ///
    /// # Errors
    /// When one of them is not installed or does not start.
    pub(super) async fn start(capabilities: &Value) -> Result<Self, Error> {
        let mut process = Command::new("chromedriver")
            .arg("--port=0")
            .stdout(Stdio::piped())
            .stderr(Stdio::null())
            .spawn()
            .map_err(|error| format!("chromedriver does not start (Debian's chromium-driver): {error}"))?;
        let port = port(&mut process)?;
        let mut driver = Self {
            process,
            transport: HyperTransport::new()?,
            session: format!("http://127.0.0.1:{port}/session"),
            browser: String::new(),
        };
        let wanted = json!({ "capabilities": { "alwaysMatch": capabilities } });
        let session = driver.send(Method::POST, "", Some(&wanted)).await?;
        let id = session["sessionId"].as_str().ok_or("the session has no number")?;
        driver.session = format!("{}/{id}", driver.session);
        let told = |name: &str| session["capabilities"][name].as_str().unwrap_or("?").to_owned();
        driver.browser = format!("{} {}", told("browserName"), told("browserVersion"));
        Ok(driver)
    }

    /// # Errors
    /// With what the driver says, or that there is none any more.
    pub(super) async fn get(&self, command: &str) -> Result<Value, Error> {
        self.send(Method::GET, command, None).await
    }

    /// # Errors
    /// As [`get`](Self::get).
    pub(super) async fn post(&self, command: &str, body: &Value) -> Result<Value, Error> {
        self.send(Method::POST, command, Some(body)).await
    }

    /// Closes the browser.
    ///
    /// # Errors
    /// As [`get`](Self::get).
    pub(super) async fn quit(&self) -> Result<(), Error> {
        self.send(Method::DELETE, "", None).await.map(drop)
    }

    /// What a selector finds first, as the name that commands call it by.
    ///
    /// # Errors
    /// When it finds nothing.
    pub(super) async fn find(&self, selector: &str) -> Result<String, Error> {
        let found = json!({ "using": "css selector", "value": selector });
        named(&self.post("/element", &found).await?)
    }

    /// What has the focus.
    ///
    /// # Errors
    /// When nothing has it.
    pub(super) async fn focused(&self) -> Result<String, Error> {
        named(&self.get("/element/active").await?)
    }

    async fn send(&self, method: Method, command: &str, body: Option<&Value>) -> Result<Value, Error> {
        let body = body.map(ToString::to_string).unwrap_or_default();
        let request = Request::builder()
            .method(method)
            .uri(format!("{}{command}", self.session))
            .header("content-type", "application/json")
            .body(Bytes::from(body))?;
        let response = self.transport.send(request).await?;
        let mut answer: Value = serde_json::from_slice(response.body())?;
        let value = answer["value"].take();
        if response.status().is_success() {
            return Ok(value);
        }
        let words = value["message"].as_str().unwrap_or("no words");
        Err(format!("{command}: {}", words.lines().next().unwrap_or_default()).into())
    }
}

impl Drop for Driver {
    fn drop(&mut self) {
        // It may have ended by itself; either way there is nothing left to do.
        drop(self.process.kill().and_then(|()| self.process.wait()));
    }
}

fn named(element: &Value) -> Result<String, Error> {
    Ok(element[ELEMENT].as_str().ok_or("no element")?.to_owned())
}

/// The port that the driver took, which it says on a line of its own.
fn port(driver: &mut Child) -> Result<u16, Error> {
    let output = driver.stdout.take().ok_or("chromedriver has no output")?;
    for line in BufReader::new(output).lines() {
        let line = line?;
        if let Some((_, port)) = line.rsplit_once("started successfully on port ") {
            return Ok(port.trim_end_matches('.').parse()?);
        }
    }
    Err("chromedriver did not say where it listens".into())
}
