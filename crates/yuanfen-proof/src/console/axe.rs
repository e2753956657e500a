//! The page under axe-core, which knows the rules of accessible pages: contrast, names, landmarks, tables, and more.

use std::fmt;
use std::path::Path;
use std::process::{Command, Stdio};

use serde_json::{Value, json};

use super::browser::Browser;
use crate::Error;

/// A fixed version: a new rule must not turn a green tree red.
const PACKAGE: &str = "axe-core@4.14.1";

/// axe-core could not be had.
#[derive(Debug)]
pub(super) struct Missing(String);

impl fmt::Display for Missing {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{PACKAGE} could not be had: {}", self.0)
    }
}

impl std::error::Error for Missing {}

/// axe-core as one script, from npm the first time.
///
/// # Errors
/// [`Missing`] where npm is not there or cannot bring it.
pub(super) fn script(folder: &Path) -> Result<String, Missing> {
    let file = folder.join("node_modules/axe-core/axe.min.js");
    if !file.is_file() {
        let mut call = Command::new("npm");
        call.args([
            "install",
            "--no-save",
            "--no-audit",
            "--no-fund",
            "--ignore-scripts",
            "--prefix",
        ])
        .arg(folder)
        .arg(PACKAGE)
        .stdout(Stdio::null());
        match call.status() {
            Ok(status) if status.success() => {}
            Ok(status) => return Err(Missing(format!("npm ended with {status}"))),
            Err(error) => return Err(Missing(format!("npm does not start: {error}"))),
        }
    }
    std::fs::read_to_string(&file).map_err(|error| Missing(error.to_string()))
}

/// Puts axe-core's rules to the page as it stands: WCAG 2 A and AA and its own best practices, or one rule by its name.
///
/// # Errors
/// With the first violations: the rule, and where.
pub(super) async fn check(browser: &Browser, script: &str, rule: &str, place: &str) -> Result<(), Error> {
    // It stays in the page until the next one is loaded.
    let run = format!(
        "const [rule, done] = arguments; if (!window.axe) {{ {script} }}
         const options = rule === '' ? {{}} : {{ runOnly: [rule] }};
         axe.run(document, {{ ...options, resultTypes: ['violations'] }}).then(done, (error) => done({{ error: String(error) }}));"
    );
    let found = browser.eval_later(&run, &[json!(rule)]).await?;
    let (Some(violations), Some(passes)) = (found["violations"].as_array(), found["passes"].as_array()) else {
        return Err(format!("axe-core did not run: {}", found["error"]).into());
    };
    if passes.is_empty() {
        return Err("axe-core checked nothing".into());
    }
    if violations.is_empty() {
        return Ok(());
    }
    let words = violations.iter().map(|violation| {
        let first = &violation["nodes"][0];
        format!(
            "{} at {}: {}",
            text(&violation["id"]),
            first["target"],
            text(&first["failureSummary"]).replace('\n', " ")
        )
    });
    let words: Vec<String> = words.collect();
    Err(format!("{place}: {}", words.join("\n  ")).into())
}

fn text(value: &Value) -> String {
    value.as_str().map_or_else(|| json!(value).to_string(), str::to_owned)
}
