//! Running a peer's script, with a limit on its time, and judging what it says: one JSON object for each step.

use std::io::Read;
use std::process::{Command, Stdio};
use std::sync::mpsc;
use std::thread;
use std::time::{Duration, Instant};

use serde::Deserialize;

use super::install::Program;
use super::list::{Peer, Route, Wire};
use super::sandbox::Running;
use crate::Error;
use crate::conformance::{Mode, Row, Verdict};

/// How long one walk may take; each takes a second or two.
const PATIENCE: Duration = Duration::from_secs(120);
const PAUSE: Duration = Duration::from_millis(20);

/// What every walk consists of, in any order. A script says something about each, once.
const STEPS: [&str; 17] = [
    "create",
    "query-unpaid",
    "pay",
    "query-paid",
    "forged-answer",
    "pay-notice",
    "forged-notice",
    "refund",
    "refund-notice",
    "query-refund",
    "close",
    "trade-bill",
    "trade-bill-gzip",
    "fund-flow-bill",
    "fund-flow-bill-gzip",
    "our-requests",
    "our-pay-parameters",
];

/// What only version 3 has.
const STEPS_OF_V3: [&str; 1] = ["upload-image"];

/// What every walk on a route consists of.
fn steps(route: Route) -> impl Iterator<Item = &'static str> {
    let more: &[&str] = match route {
        Route::WechatV2 => &[],
        Route::WechatV3 => &STEPS_OF_V3,
    };
    STEPS.iter().chain(more).copied()
}

/// What would lead a peer elsewhere than it is sent.
const NOT_INHERITED: [&str; 8] = [
    "HTTP_PROXY",
    "http_proxy",
    "HTTPS_PROXY",
    "https_proxy",
    "ALL_PROXY",
    "all_proxy",
    "no_proxy",
    "NODE_OPTIONS",
];

/// What a program did.
pub(super) struct Ended {
    pub(super) success: bool,
    output: String,
    complaints: String,
    in_time: bool,
}

impl Ended {
    /// The end of what it complained of.
    pub(super) fn last_words(&self) -> String {
        let words = self.complaints.trim();
        let start = words.char_indices().rev().nth(399).map_or(0, |(start, _)| start);
        match (self.in_time, words.get(start..).unwrap_or_default()) {
            (false, words) => format!("it was stopped, being too late; {words}"),
            (true, "") => "it says nothing".to_owned(),
            (true, words) => words.to_owned(),
        }
    }
}

/// Runs a program to its end, or stops it.
///
/// # Errors
/// When it cannot be started.
pub(super) fn finish(command: &mut Command, patience: Duration) -> std::io::Result<Ended> {
    let mut child = command
        .stdin(Stdio::null())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()?;
    let output = read_aside(child.stdout.take());
    let complaints = read_aside(child.stderr.take());
    let until = Instant::now() + patience;
    let (success, in_time) = loop {
        if let Some(status) = child.try_wait()? {
            break (status.success(), true);
        }
        if Instant::now() > until {
            child.kill()?;
            child.wait()?;
            break (false, false);
        }
        thread::sleep(PAUSE);
    };
    // A child of the child may hold the pipe open, so this ends too.
    let text = |read: mpsc::Receiver<String>| read.recv_timeout(Duration::from_secs(5)).unwrap_or_default();
    Ok(Ended {
        success,
        output: text(output),
        complaints: text(complaints),
        in_time,
    })
}

fn read_aside(pipe: Option<impl Read + Send + 'static>) -> mpsc::Receiver<String> {
    let (send, receive) = mpsc::channel();
    thread::spawn(move || {
        let mut bytes = Vec::new();
        // What came before an error is worth having.
        drop(pipe.map(|mut pipe| pipe.read_to_end(&mut bytes)));
        drop(send.send(String::from_utf8_lossy(&bytes).into_owned()));
    });
    receive
}

/// Runs a peer's script over one wire.
///
/// # Errors
/// When it cannot be started.
pub(super) fn run(
    program: &Program,
    sandbox: &Running,
    route: Route,
    mode: Wire,
    variant: &str,
) -> Result<Ended, Error> {
    let mut command = program.command();
    for name in NOT_INHERITED {
        command.env_remove(name);
    }
    command
        .env("PEER_CREDENTIALS", &sandbox.credentials)
        .env("PEER_EMITTED", &sandbox.emitted)
        .env("PEER_ROUTE", route.name())
        .env("PEER_MODE", mode.name())
        .env("PEER_VARIANT", variant)
        .env("NO_PROXY", "127.0.0.1,localhost");
    if mode != Wire::Plain {
        for name in ["NODE_EXTRA_CA_CERTS", "REQUESTS_CA_BUNDLE", "SSL_CERT_FILE"] {
            command.env(name, &sandbox.authority);
        }
    }
    if mode == Wire::Connect {
        command.env("HTTPS_PROXY", &sandbox.proxy);
    }
    Ok(finish(&mut command, PATIENCE)?)
}

/// What a script says of one step.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Line {
    peer: String,
    version: String,
    route: String,
    mode: String,
    variant: String,
    step: String,
    /// `null` where the SDK does not have it.
    ok: Option<bool>,
    detail: String,
}

/// One row for each step, whatever the script said or left out.
pub(super) fn judge(peer: &Peer, route: Route, mode: Wire, variant: &str, ended: &Ended) -> Vec<Row> {
    let lines: Vec<Result<Line, String>> = ended
        .output
        .lines()
        .map(|text| line(text, peer, route, mode, variant))
        .collect();
    let row = |step: &str, verdict| Row {
        provider: route.name(),
        case: case(peer, variant, mode, step),
        mode: Mode::Peer,
        verdict,
    };
    let said = |step: &str| {
        let mut found = lines.iter().flatten().filter(|line| line.step == step);
        match (found.next(), found.next()) {
            (Some(line), None) => verdict(line),
            (Some(_), Some(_)) => failed("the script speaks of it twice"),
            (None, _) => failed(&format!("the script says nothing of it: {}", ended.last_words())),
        }
    };
    let mut rows: Vec<Row> = steps(route).map(|step| row(step, said(step))).collect();
    let unknown = lines.iter().filter_map(|line| match line {
        Ok(line) if steps(route).any(|step| step == line.step) => None,
        Ok(line) => Some(format!("there is no step `{}`", line.step)),
        Err(problem) => Some(problem.clone()),
    });
    rows.extend(unknown.map(|problem| row("the script's own lines", failed(&problem))));
    rows
}

/// A line that is of its form and about this very run.
fn line(text: &str, peer: &Peer, route: Route, mode: Wire, variant: &str) -> Result<Line, String> {
    let line: Line =
        serde_json::from_str(text).map_err(|error| format!("not a line of the contract: {error}: {text}"))?;
    let told = [&line.peer, &line.version, &line.route, &line.mode, &line.variant].map(String::as_str);
    let meant = [&peer.name, &peer.version, route.name(), mode.name(), variant];
    if told == meant {
        Ok(line)
    } else {
        Err(format!("a line about {told:?}, but {meant:?} was run"))
    }
}

fn verdict(line: &Line) -> Verdict {
    match line.ok {
        Some(true) => Verdict::Passed,
        Some(false) => failed(&line.detail),
        None => Verdict::NotOffered {
            reason: line.detail.clone(),
        },
    }
}

fn failed(why: &str) -> Verdict {
    Verdict::Failed { why: why.to_owned() }
}

/// The name of a case: who, in which variant, over which wire, which step.
pub(super) fn case(peer: &Peer, variant: &str, mode: Wire, step: &str) -> String {
    format!("{} {}, {variant}, {}: {step}", peer.name, peer.version, mode.name())
}

#[cfg(test)]
mod tests {
    use super::super::list;
    use super::*;

    fn rows(output: &str) -> Vec<Row> {
        let peers = list::read().unwrap();
        let peer = peers.iter().find(|peer| peer.name == "wechatpy").unwrap();
        let ended = Ended {
            success: false,
            output: output.to_owned(),
            complaints: "Traceback: it broke".to_owned(),
            in_time: true,
        };
        judge(peer, Route::WechatV2, Wire::Tls, "md5", &ended)
    }

    fn line(step: &str, ok: &str) -> String {
        format!(
            r#"{{"peer":"wechatpy","version":"1.8.18","route":"wechat-v2","mode":"tls","variant":"md5","step":"{step}","ok":{ok},"detail":"d"}}"#
        ) + "\n"
    }

    #[test]
    fn a_step_that_failed_or_was_left_out_or_came_twice_does_not_pass() {
        let output = [
            line("create", "true"),
            line("pay", "false"),
            line("close", "true"),
            line("close", "true"),
        ]
        .concat();
        let rows = rows(&output);
        assert_eq!(rows.len(), STEPS.len());
        let of = |step: &str| &rows[STEPS.iter().position(|name| *name == step).unwrap()].verdict;
        assert_eq!(*of("create"), Verdict::Passed);
        assert_eq!(*of("pay"), failed("d"));
        assert_eq!(*of("close"), failed("the script speaks of it twice"));
        assert_eq!(
            *of("refund"),
            failed("the script says nothing of it: Traceback: it broke")
        );
    }

    #[test]
    fn what_the_sdk_does_not_have_is_neither_passed_nor_failed() {
        let rows = rows(&line("trade-bill-gzip", "null"));
        let reason = "d".to_owned();
        assert!(
            rows.iter()
                .any(|row| row.verdict == Verdict::NotOffered { reason: reason.clone() })
        );
    }

    #[test]
    fn lines_about_something_else_or_of_no_form_are_failures() {
        let foreign = line("create", "true").replace("1.8.18", "1.8.17");
        for output in [foreign, "npm notice\n".to_owned(), line("dance", "true")] {
            let rows = rows(&output);
            assert!(rows.iter().all(|row| row.verdict != Verdict::Passed), "{output}");
            assert_eq!(rows.len(), STEPS.len() + 1, "{output}");
        }
    }

    #[test]
    fn a_program_that_does_not_end_is_stopped() {
        let ended = finish(Command::new("sleep").arg("60"), Duration::from_millis(50)).unwrap();
        assert!(!ended.success);
        assert!(
            ended.last_words().starts_with("it was stopped"),
            "{}",
            ended.last_words()
        );
    }
}
