//! A headless Chromium with one page.

use std::time::Duration;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use serde_json::{Value, json};
use tempfile::TempDir;

use super::driver::Driver;
use crate::Error;

/// Runs as root, without a screen, and without asking anybody on the network for anything.
const FLAGS: [&str; 10] = [
    "--headless",
    "--no-sandbox",
    "--disable-gpu",
    "--disable-quic",
    "--disable-dev-shm-usage",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
    "--lang=en-US",
];
/// How often a condition is looked at, and how long it may take to come.
const GLANCE: Duration = Duration::from_millis(25);
const PATIENCE: Duration = Duration::from_secs(8);
/// Keys as WebDriver spells them.
pub(super) const TAB: &str = "\u{e004}";
pub(super) const ENTER: &str = "\u{e007}";
pub(super) const ESCAPE: &str = "\u{e00c}";

/// The browser. It ends when this is dropped.
pub(super) struct Browser {
    driver: Driver,
    _profile: TempDir,
}

impl Browser {
    /// # Errors
    /// When Debian's `chromium` or `chromium-driver` is not installed, or does not start.
    pub(super) async fn start() -> Result<Self, Error> {
        let profile = tempfile::tempdir()?;
        let mut flags: Vec<String> = FLAGS.iter().map(|flag| (*flag).to_owned()).collect();
        flags.push(format!("--user-data-dir={}", profile.path().display()));
        let capabilities = json!({
            "goog:chromeOptions": { "args": flags },
            "goog:loggingPrefs": { "browser": "ALL", "performance": "ALL" },
        });
        let driver = Driver::start(&capabilities).await?;
        Ok(Self {
            driver,
            _profile: profile,
        })
    }

    pub(super) fn name(&self) -> &str {
        &self.driver.browser
    }

    pub(super) async fn close(self) -> Result<(), Error> {
        self.driver.quit().await
    }

    /// Forgets what the case before left: the page and its logs. Wide, for who reads English.
    ///
    /// What a page remembers belongs to its origin, and each case has a sandbox on a port of its own.
    pub(super) async fn begin(&self) -> Result<(), Error> {
        self.go("about:blank").await?;
        self.resize(1440, 900).await?;
        self.log("browser").await?;
        self.log("performance").await?;
        Ok(())
    }

    /// Sets the width and height of the page.
    pub(super) async fn resize(&self, width: u32, height: u32) -> Result<(), Error> {
        // As on a phone: no room is kept for a scroll bar, so the page has all of the width.
        let size = json!({ "width": width, "height": height, "deviceScaleFactor": 1, "mobile": width < 500 });
        let command = json!({ "cmd": "Emulation.setDeviceMetricsOverride", "params": size });
        self.driver.post("/goog/cdp/execute", &command).await?;
        Ok(())
    }

    /// Loads an address anew, also where only its fragment is another one, and waits until the stream of events is open.
    pub(super) async fn open(&self, address: &str) -> Result<(), Error> {
        self.go("about:blank").await?;
        self.go(address).await?;
        self.until("document.querySelector('.link-connected') !== null").await
    }

    pub(super) async fn reload(&self) -> Result<(), Error> {
        self.driver.post("/refresh", &json!({})).await?;
        self.until("document.querySelector('.link-connected') !== null").await
    }

    async fn go(&self, address: &str) -> Result<(), Error> {
        self.driver.post("/url", &json!({ "url": address })).await.map(drop)
    }

    /// What an expression is worth in the page.
    pub(super) async fn eval(&self, expression: &str) -> Result<Value, Error> {
        let script = json!({ "script": format!("return ({expression});"), "args": [] });
        self.driver.post("/execute/sync", &script).await
    }

    /// Runs a script that gives what it found to the last of its arguments.
    pub(super) async fn eval_later(&self, script: &str, arguments: &[Value]) -> Result<Value, Error> {
        let script = json!({ "script": script, "args": arguments });
        self.driver.post("/execute/async", &script).await
    }

    /// Waits until an expression is true.
    pub(super) async fn until(&self, condition: &str) -> Result<(), Error> {
        let wait = async {
            while self.eval(condition).await? != Value::Bool(true) {
                tokio::time::sleep(GLANCE).await;
            }
            Ok(())
        };
        let waited = tokio::time::timeout(PATIENCE, wait).await;
        waited.unwrap_or_else(|_| Err(format!("this did not come true: {condition}").into()))
    }

    /// Waits until something that a selector finds has that text in it.
    pub(super) async fn until_text(&self, selector: &str, text: &str) -> Result<(), Error> {
        let (selector, text) = (json!(selector), json!(text));
        let condition =
            format!("[...document.querySelectorAll({selector})].some((found) => found.innerText.includes({text}))");
        self.until(&condition).await
    }

    /// Clicks what a selector finds, as soon as it is there and nothing covers it.
    pub(super) async fn click(&self, selector: &str) -> Result<(), Error> {
        self.until(&format!("document.querySelector({}) !== null", json!(selector)))
            .await?;
        let element = self.driver.find(selector).await?;
        self.driver
            .post(&format!("/element/{element}/click"), &json!({}))
            .await?;
        Ok(())
    }

    /// Types on whatever has the focus.
    pub(super) async fn press(&self, keys: &str) -> Result<(), Error> {
        let element = self.driver.focused().await?;
        let keys = json!({ "text": keys });
        self.driver.post(&format!("/element/{element}/value"), &keys).await?;
        Ok(())
    }

    /// The page as a PNG, as far as it is seen.
    pub(super) async fn picture(&self) -> Result<Vec<u8>, Error> {
        let picture = self.driver.get("/screenshot").await?;
        Ok(STANDARD.decode(picture.as_str().unwrap_or_default())?)
    }

    /// That the page wrote no error to its console and asked nobody but the sandbox, since the case began.
    ///
    /// # Errors
    /// With what it wrote or asked.
    pub(super) async fn expect_silence(&self, origin: &str, has_failing_calls: bool) -> Result<(), Error> {
        for entry in self.log("browser").await? {
            let text = entry["message"].as_str().unwrap_or_default();
            let is_expected = has_failing_calls && text.starts_with(origin) && text.contains("Failed to load resource");
            if matches!(entry["level"].as_str(), Some("SEVERE" | "WARNING")) && !is_expected {
                return Err(format!("the page wrote to its console: {text}").into());
            }
        }
        let mut asked = 0_usize;
        for entry in self.log("performance").await? {
            let event: Value = serde_json::from_str(entry["message"].as_str().unwrap_or_default())?;
            let event = &event["message"];
            if event["method"] != "Network.requestWillBeSent" {
                continue;
            }
            let address = event["params"]["request"]["url"].as_str().unwrap_or_default();
            if address.strip_prefix(origin).is_some_and(|rest| rest.starts_with('/')) {
                asked += 1;
            } else if address != "about:blank" && !address.starts_with("data:") {
                return Err(format!("the page asked {address}").into());
            }
        }
        // A log that is not kept would find nothing.
        if asked == 0 {
            return Err("no request of the page was seen".into());
        }
        Ok(())
    }

    async fn log(&self, kind: &str) -> Result<Vec<Value>, Error> {
        let entries = self.driver.post("/se/log", &json!({ "type": kind })).await?;
        Ok(entries.as_array().cloned().unwrap_or_default())
    }
}
