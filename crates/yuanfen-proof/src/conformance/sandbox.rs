//! Each route against the sandbox: the walk of `yuanfen demo`, which is a program of its own, so it is run as one.

use std::process::{Command, Stdio};

use serde::Deserialize;

use super::{Mode, Row, Verdict};
use crate::Error;

const ROUTES: [&str; 5] = ["wechat-v2", "wechat-v3", "starpos", "fshows", "mpgateway"];

/// The members of a line of `yuanfen demo --json` that matter here.
#[derive(Deserialize)]
struct Line {
    route: String,
    ok: bool,
    error: Option<String>,
}

/// One row for each route.
///
/// # Errors
/// When the program does not build or prints something else.
pub(super) fn rows() -> Result<Vec<Row>, Error> {
    let cargo = std::env::var("CARGO").unwrap_or_else(|_| "cargo".to_owned());
    let output = Command::new(cargo)
        .args(["run", "--quiet", "-p", "yuanfen-cli", "--", "demo", "--json"])
        .current_dir(concat!(env!("CARGO_MANIFEST_DIR"), "/../.."))
        .stderr(Stdio::inherit())
        .output()?;
    // Its exit status says what its lines say.
    verdicts(std::str::from_utf8(&output.stdout)?)
}

fn verdicts(text: &str) -> Result<Vec<Row>, Error> {
    let lines: Vec<Line> = text.lines().map(serde_json::from_str).collect::<Result<_, _>>()?;
    let row = |route| {
        let verdict = match lines.iter().find(|line| line.route == route) {
            None => Verdict::NotRun,
            Some(line) if line.ok => Verdict::Passed,
            Some(line) => Verdict::Failed {
                why: line.error.clone().unwrap_or_default(),
            },
        };
        Row {
            provider: route,
            case: "payment from order to query".to_owned(),
            mode: Mode::Sandbox,
            verdict,
        }
    };
    Ok(ROUTES.into_iter().map(row).collect())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_route_that_failed_or_is_missing_does_not_pass() {
        let text = concat!(
            r#"{"route":"wechat-v2","ok":true,"error":null,"calls":2}"#,
            "\n",
            r#"{"route":"fshows","ok":false,"error":"place: refused"}"#,
            "\n"
        );
        let verdicts: Vec<_> = verdicts(text).unwrap().into_iter().map(|row| row.verdict).collect();
        let why = "place: refused".to_owned();
        assert_eq!(
            verdicts,
            [
                Verdict::Passed,
                Verdict::NotRun,
                Verdict::NotRun,
                Verdict::Failed { why },
                Verdict::NotRun
            ]
        );
    }
}
