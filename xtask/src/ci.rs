//! Everything that must hold before a merge, step by step, up to the first step that fails.
//!
//! `.ci/run` installs what is missing and calls this; its last line is ours.

use std::collections::BTreeSet;
use std::time::{Duration, Instant};

use serde::Deserialize;

use crate::failure::Failure;
use crate::process::{Call, Done};
use crate::readme;
use crate::totals::Totals;
use crate::{console, fuzz, peers, soak, tidy, wasm};

/// The facade with one provider, or with one store of the inbox, as a shop would take it. Only WeChat Pay v3 needs a
/// backend.
const ALONE: [&str; 9] = [
    "wechat-v2",
    "wechat-v3,aws-lc",
    "wechat-v3,pure-rust",
    "starpos",
    "fshows",
    "mpgateway",
    "wechat-web",
    "inbox-sqlite",
    "inbox-postgres,inbox-axum",
];

const ROUTES: [&str; 5] = ["wechat-v2", "wechat-v3", "starpos", "fshows", "mpgateway"];

/// The facade's examples.
const EXAMPLES: [&str; 5] = ["blocking", "jsapi_order", "notification", "remote_signer", "shop_axum"];

struct Step {
    name: &'static str,
    run: fn(&mut Totals) -> Result<Done, Failure>,
}

/// Cheap ones first; the tests build what the later ones need.
const STEPS: [Step; 18] = [
    Step {
        name: "the lock files are current",
        run: |_| fetch(),
    },
    Step {
        name: "format",
        run: |_| format(),
    },
    Step {
        name: "test, as the README prints it",
        run: |totals| test_as_printed(totals),
    },
    Step {
        name: "clippy, every feature and target",
        run: |_| clippy("--workspace --all-features --all-targets"),
    },
    Step {
        name: "clippy, no default features",
        run: |_| clippy("--workspace --no-default-features"),
    },
    Step {
        name: "clippy, each provider and store alone",
        run: |_| clippy_alone(),
    },
    Step {
        name: "docs",
        run: |_| docs(),
    },
    Step {
        name: "test, the vectors under pure-rust",
        run: |totals| test(&format!("test {}", tidy::PURE_RUST_TESTS), totals),
    },
    Step {
        name: "tidy",
        run: |_| tidy::run().map(|()| Done::Ran),
    },
    Step {
        name: "wasm32",
        run: |_| wasm::check(),
    },
    Step {
        name: "licenses, bans, sources",
        run: |_| plain("deny check --hide-inclusion-graph licenses bans sources"),
    },
    Step {
        name: "fuzz, a few seconds each",
        run: fuzz::smoke,
    },
    Step {
        name: "demo",
        run: |_| demo(),
    },
    Step {
        name: "demo with a corrupted signature",
        run: |_| demo_with_fault(),
    },
    Step {
        name: "the examples",
        run: |_| examples(),
    },
    Step {
        name: "the inbox under kills, and broken",
        run: |_| soak::check(),
    },
    Step {
        name: "other people's SDKs",
        run: peers::run,
    },
    Step {
        name: "the console in a browser",
        run: console::check,
    },
];

/// # Errors
///
/// At the first step that fails, with its name.
pub(crate) fn run() -> Result<(), Failure> {
    let mut totals = Totals::default();
    let mut times = Vec::new();
    let mut skipped = Vec::new();
    for step in STEPS {
        println!("\n=== {}", step.name);
        let start = Instant::now();
        let done = (step.run)(&mut totals)
            .map_err(|failure| Failure::new(format!("the step \"{}\" failed: {failure}", step.name)))?;
        let time = start.elapsed();
        println!("=== {}: {}", step.name, seconds(time));
        if let Done::Skipped(reason) = &done {
            skipped.push(format!("{}: {reason}", step.name));
        }
        done.print();
        times.push((step.name, time));
    }
    println!();
    for (name, time) in &times {
        println!("{:>9}  {name}", seconds(*time));
    }
    println!("{:>9}  all steps", seconds(times.iter().map(|(_, time)| *time).sum()));
    for reason in skipped {
        println!("skipped: {reason}");
    }
    if totals.ignored > 0 {
        println!("{} tests were ignored", totals.ignored);
    }
    finish(totals)
}

/// The last line. A run without tests, or with a failed one, is no success, whatever the exit statuses said.
fn finish(totals: Totals) -> Result<(), Failure> {
    if totals.passed == 0 {
        return Err(Failure::new("no test ran"));
    }
    println!("{totals}");
    if totals.failed == 0 {
        Ok(())
    } else {
        Err(Failure::new("some tests failed"))
    }
}

/// Tenths, without a float.
fn seconds(time: Duration) -> String {
    format!("{}.{} s", time.as_secs(), time.subsec_millis() / 100)
}

fn plain(arguments: &str) -> Result<Done, Failure> {
    Call::cargo(arguments).run().map(|()| Done::Ran)
}

fn fetch() -> Result<Done, Failure> {
    plain("fetch --locked")?;
    plain("fetch --locked --manifest-path fuzz/Cargo.toml")
}

fn format() -> Result<Done, Failure> {
    plain("fmt --all --check")?;
    plain("fmt --manifest-path fuzz/Cargo.toml --check")
}

fn clippy(choice: &str) -> Result<Done, Failure> {
    plain(&format!("clippy {choice} -- -D warnings"))
}

fn clippy_alone() -> Result<Done, Failure> {
    for features in ALONE {
        clippy(&format!("-p yuanfen --no-default-features --features {features}"))?;
    }
    Ok(Done::Ran)
}

fn docs() -> Result<Done, Failure> {
    Call::cargo("doc --workspace --no-deps --all-features")
        .env("RUSTDOCFLAGS", "-Dwarnings")
        .run()?;
    Ok(Done::Ran)
}

/// Tests that need PostgreSQL skip themselves where there is none. Here they fail: a merge must have seen them run.
fn test(arguments: &str, totals: &mut Totals) -> Result<Done, Failure> {
    Call::cargo(arguments)
        .env("YUANFEN_REQUIRE_POSTGRES", "1")
        .watch(|line| totals.read_line(line))?;
    Ok(Done::Ran)
}

fn test_as_printed(totals: &mut Totals) -> Result<Done, Failure> {
    let [_, test_command] = readme::COMMANDS;
    test(test_command.trim_start_matches("cargo "), totals)
}

/// What `cargo demo --json` prints about one route, as far as it is checked here.
#[derive(Debug, Deserialize)]
struct DemoLine {
    route: String,
    ok: bool,
}

/// Once for people, once for programs: the exit status of the first, every line of the second.
fn demo() -> Result<Done, Failure> {
    plain("demo")?;
    let call = Call::cargo("demo --json");
    println!("$ {call}");
    let output = call.text()?;
    print!("{output}");
    expect_every_route(&output).map(|()| Done::Ran)
}

fn expect_every_route(output: &str) -> Result<(), Failure> {
    let mut paid = BTreeSet::new();
    for line in output.lines() {
        let line: DemoLine =
            serde_json::from_str(line).map_err(Failure::during(format!("the demo's line `{line}`")))?;
        if !line.ok {
            return Err(Failure::new(format!("the demo says that {} is not ok", line.route)));
        }
        paid.insert(line.route);
    }
    match ROUTES.iter().find(|route| !paid.contains(**route)) {
        Some(route) => Err(Failure::new(format!("the demo has no line for {route}"))),
        None => Ok(()),
    }
}

/// A demo that cannot fail would prove nothing.
fn demo_with_fault() -> Result<Done, Failure> {
    let call = Call::cargo("demo --fault corrupt-signature");
    match call.status()?.code() {
        Some(1) => Ok(Done::Ran),
        Some(code) => Err(Failure::new(format!(
            "`{call}` exited with {code} and should exit with 1"
        ))),
        None => Err(Failure::new(format!("`{call}` was killed and should exit with 1"))),
    }
}

/// Each runs offline, and says by its exit status whether its story ended well.
fn examples() -> Result<Done, Failure> {
    for name in EXAMPLES {
        plain(&format!("run -p yuanfen --example {name}"))?;
    }
    Ok(Done::Ran)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn time_is_printed_in_tenths() {
        assert_eq!(seconds(Duration::from_millis(12_399)), "12.3 s");
        assert_eq!(seconds(Duration::from_millis(99)), "0.0 s");
    }

    #[test]
    fn success_needs_tests_that_ran_and_none_that_failed() {
        assert!(
            finish(Totals {
                passed: 3,
                failed: 0,
                ignored: 0
            })
            .is_ok()
        );
        assert!(
            finish(Totals {
                passed: 0,
                failed: 0,
                ignored: 5
            })
            .is_err()
        );
        assert!(
            finish(Totals {
                passed: 3,
                failed: 1,
                ignored: 0
            })
            .is_err()
        );
    }

    #[test]
    fn the_demo_must_have_paid_on_every_route() {
        let line = |route: &str, ok: bool| format!("{{\"route\":\"{route}\",\"ok\":{ok},\"calls\":4}}\n");
        let all: String = ROUTES.iter().map(|route| line(route, true)).collect();
        assert!(expect_every_route(&all).is_ok());
        for (output, expected) in [
            (all.replacen("true", "false", 1), "wechat-v2 is not ok"),
            (line("wechat-v2", true), "no line for wechat-v3"),
            (String::new(), "no line for wechat-v2"),
            (format!("{all}panicked"), "the demo's line `panicked`"),
        ] {
            let error = expect_every_route(&output).unwrap_err().to_string();
            assert!(error.contains(expected), "{error}");
        }
    }
}
