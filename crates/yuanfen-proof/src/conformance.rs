//! Provider by case by mode: every case of the vector files through the provider's public API and, where there is one,
//! through the second reading of the sheets; and every route against the sandbox.

mod direct;
mod gaps;
mod gateways;
mod report;
mod sandbox;
mod v3_calls;

use std::any::Any;
use std::panic::{self, AssertUnwindSafe};

use clap::Args;
use serde::Serialize;
use yuanfen_testkit::{Case, Vectors};

use crate::{Error, peers};

#[derive(Args)]
pub(crate) struct Arguments {
    /// One JSON object a line: every case in every mode
    #[arg(long)]
    json: bool,
    /// Leave out the sandbox, which builds and runs `yuanfen demo`
    #[arg(long)]
    no_sandbox: bool,
    /// Drive SDKs of other people as well: installs them from npm and PyPI into target/peers
    #[arg(long)]
    peers: bool,
    /// Only this peer (again for more)
    #[arg(long, value_name = "NAME", requires = "peers")]
    peer: Vec<String>,
}

/// Where the evidence comes from.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize)]
#[serde(rename_all = "kebab-case")]
pub(crate) enum Mode {
    /// The provider against the published case.
    Vectors,
    /// The second reading of the sheets, on other libraries, against the same case.
    Oracle,
    /// The provider against the sandbox.
    Sandbox,
    /// Somebody else's SDK against the sandbox.
    Peer,
}

/// What became of one case in one mode.
#[derive(Debug, Serialize)]
pub(crate) struct Row {
    pub(crate) provider: &'static str,
    pub(crate) case: String,
    pub(crate) mode: Mode,
    #[serde(flatten)]
    pub(crate) verdict: Verdict,
}

#[derive(Debug, PartialEq, Eq, Serialize)]
#[serde(tag = "verdict", rename_all = "kebab-case")]
pub(crate) enum Verdict {
    Passed,
    Failed {
        why: String,
    },
    /// Nothing here runs it.
    NotRun,
    /// Failed or not run, as `conformance.toml` says it does.
    Gap {
        reason: String,
    },
    /// The peer does not have it.
    NotOffered {
        reason: String,
    },
    /// The peer could not be installed here.
    Skipped {
        reason: String,
    },
}

/// Compares a case with what comes out, and panics where they differ, as the runner of the vectors does.
type Check = fn(Case<'_>);

/// How the cases of one kind are run.
struct Kind {
    name: &'static str,
    vectors: Check,
    oracle: Option<Check>,
}

/// A provider, the crates whose vectors are about it, and how their cases are run.
struct Subject {
    provider: &'static str,
    crates: &'static [&'static str],
    kinds: &'static [Kind],
}

/// Runs and prints; whether everything holds but the known gaps and what a peer does not have or is not there for.
///
/// # Errors
/// When vectors cannot be read, the sandbox does not run, the list of peers is not of its form, or the list of gaps is wrong: one of them passes by now, or is
/// about no case.
pub(crate) fn run(arguments: &Arguments) -> Result<bool, Error> {
    // What a check finds is printed below, with its case.
    let hook = panic::take_hook();
    panic::set_hook(Box::new(|_| {}));
    let published = published();
    panic::set_hook(hook);
    let mut rows = published?;
    if !arguments.no_sandbox {
        rows.extend(sandbox::rows()?);
    }
    if arguments.peers {
        rows.extend(peers::rows(&arguments.peer)?);
    }
    let ran = |mode| match mode {
        Mode::Vectors | Mode::Oracle => true,
        Mode::Sandbox => !arguments.no_sandbox,
        Mode::Peer => arguments.peers && arguments.peer.is_empty(),
    };
    let wrong = gaps::apply(&mut rows, &gaps::read()?, ran);
    report::print(&rows, arguments.json)?;
    for problem in &wrong {
        eprintln!("error: {problem}");
    }
    let fails = |row: &Row| matches!(row.verdict, Verdict::Failed { .. } | Verdict::NotRun);
    Ok(wrong.is_empty() && !rows.iter().any(fails))
}

/// Every case of every vector file, in the modes that its kind has.
fn published() -> Result<Vec<Row>, Error> {
    let mut rows = Vec::new();
    for subject in direct::SUBJECTS.iter().chain(gateways::SUBJECTS) {
        for name in subject.crates {
            let folder = format!("{}/../{name}", env!("CARGO_MANIFEST_DIR"));
            rows.extend(subject.rows(&Vectors::of_crate(folder)?));
        }
    }
    Ok(rows)
}

impl Subject {
    fn rows(&self, vectors: &Vectors) -> Vec<Row> {
        let row = |case: Case<'_>, mode, verdict| Row {
            provider: self.provider,
            case: case.name().to_owned(),
            mode,
            verdict,
        };
        let mut rows = Vec::new();
        for case in vectors.iter() {
            let Some(kind) = self.kinds.iter().find(|kind| kind.name == case.kind()) else {
                rows.push(row(case, Mode::Vectors, Verdict::NotRun));
                continue;
            };
            rows.push(row(case, Mode::Vectors, judge(kind.vectors, case)));
            rows.extend(kind.oracle.map(|oracle| row(case, Mode::Oracle, judge(oracle, case))));
        }
        rows
    }
}

/// Runs a check and catches what it finds.
fn judge(check: Check, case: Case<'_>) -> Verdict {
    match panic::catch_unwind(AssertUnwindSafe(|| check(case))) {
        Ok(()) => Verdict::Passed,
        Err(payload) => Verdict::Failed { why: words(&*payload) },
    }
}

fn words(payload: &(dyn Any + Send)) -> String {
    let text = payload.downcast_ref::<String>().map(String::as_str);
    let text = text.or_else(|| payload.downcast_ref::<&str>().copied());
    text.unwrap_or("panicked without words").to_owned()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn says_what_a_case_found_wrong() {
        let vectors = Vectors::load(
            r#"{ "about": "a case", "cases": [{ "name": "n", "kind": "k",
                 "origin": { "kind": "worked-by-hand", "where": "here" },
                 "stages": { "text": "a" } }] }"#,
        )
        .unwrap();
        let subject = |kinds| Subject {
            provider: "p",
            crates: &[],
            kinds,
        };
        let verdict = |subject: &Subject| {
            subject
                .rows(&vectors)
                .into_iter()
                .map(|row| row.verdict)
                .collect::<Vec<_>>()
        };
        const RIGHT: &[Kind] = &[Kind {
            name: "k",
            vectors: |case| case.run().text("a").done(),
            oracle: None,
        }];
        const WRONG: &[Kind] = &[Kind {
            name: "k",
            vectors: |case| case.run().text("b").done(),
            oracle: None,
        }];
        assert_eq!(verdict(&subject(RIGHT)), [Verdict::Passed]);
        assert_eq!(verdict(&subject(&[])), [Verdict::NotRun]);
        let [Verdict::Failed { why }] = &verdict(&subject(WRONG))[..] else {
            panic!("accepted")
        };
        assert!(why.contains("stage text"), "{why}");
    }

    #[test]
    fn no_published_case_fails() {
        let rows = published().unwrap();
        let failed: Vec<_> = rows
            .iter()
            .filter(|row| matches!(row.verdict, Verdict::Failed { .. }))
            .collect();
        assert!(rows.len() > 150, "{} rows", rows.len());
        assert!(failed.is_empty(), "{failed:?}");
    }
}
