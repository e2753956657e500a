//! The generated part of the READMEs: the table of operations, made from what `yuanfen routes --json` prints.

use std::fs;

use serde::Deserialize;

use crate::failure::Failure;
use crate::process::{Call, root};
use crate::sources::Sources;

const FILES: [&str; 2] = ["README.md", "README.zh-CN.md"];
const START: &str = "<!-- routes:start -->";
const END: &str = "<!-- routes:end -->";

/// The commands that a newcomer is told to run; `cargo xtask ci` runs them in this spelling.
pub(crate) const COMMANDS: [&str; 2] = ["cargo demo", "cargo test --workspace"];

/// One operation, as `yuanfen routes --json` prints it.
#[derive(Debug, Deserialize)]
struct Operation {
    route: String,
    operation: String,
    method: String,
    path: String,
    partner_path: Option<String>,
    effect: String,
    client_certificate: bool,
    reply: String,
}

/// Writes the table between the markers of each README that has them.
///
/// # Errors
///
/// When no README has markers, when they do not pair, or when the program fails.
pub(crate) fn write() -> Result<(), Failure> {
    let table = table()?;
    let mut found = false;
    for file in FILES {
        let path = root().join(file);
        if !path.is_file() {
            continue;
        }
        let text = fs::read_to_string(&path).map_err(Failure::during(file))?;
        let Some((before, old, after)) = split(file, &text)? else {
            continue;
        };
        found = true;
        if old == table {
            println!("{file} is up to date");
        } else {
            fs::write(&path, format!("{before}{table}{after}")).map_err(Failure::during(file))?;
            println!("{file} was written");
        }
    }
    if found {
        Ok(())
    } else {
        Err(Failure::new(format!("neither of {} has {START}", FILES.join(", "))))
    }
}

/// What `tidy` asks: the tables are current, and each README prints the commands that CI runs.
pub(crate) fn check(sources: &Sources) -> Result<Vec<String>, Failure> {
    let mut problems = Vec::new();
    let mut old_tables = Vec::new();
    for file in FILES {
        let Some(text) = sources.get(file) else {
            println!("skipped: the table of routes in {file}, because there is no such file yet");
            continue;
        };
        problems.extend(missing_commands(file, text));
        match split(file, text) {
            Ok(Some((_, old, _))) => old_tables.push((file, old)),
            Ok(None) => println!("skipped: the table of routes in {file}, because it has no {START}"),
            Err(failure) => problems.push(failure.to_string()),
        }
    }
    // The program is built and run only for a table to compare with.
    if !old_tables.is_empty() {
        problems.extend(stale(&old_tables, &table()?));
    }
    Ok(problems)
}

fn stale(old_tables: &[(&str, &str)], table: &str) -> Vec<String> {
    old_tables
        .iter()
        .filter(|(_, old)| *old != table)
        .map(|(file, _)| format!("{file}'s table of routes is stale: run `cargo xtask readme`"))
        .collect()
}

fn missing_commands(file: &str, text: &str) -> Vec<String> {
    COMMANDS
        .iter()
        .filter(|command| {
            !text.lines().any(|line| {
                let line = line.trim();
                line == **command
                    || line
                        .strip_prefix(**command)
                        .is_some_and(|rest| rest.trim_start().starts_with('#'))
            })
        })
        .map(|command| format!("{file} does not print the line `{command}`, which CI runs"))
        .collect()
}

/// The text up to and with the first marker, between the markers, and from the second marker on.
fn split<'a>(file: &str, text: &'a str) -> Result<Option<(&'a str, &'a str, &'a str)>, Failure> {
    let starts = text.matches(START).count();
    let ends = text.matches(END).count();
    match (starts, ends) {
        (0, 0) => Ok(None),
        (1, 1) => {
            let after_start = text.find(START).map(|at| at.saturating_add(START.len()));
            let parts = after_start.and_then(|start| {
                let (before, rest) = text.split_at_checked(start)?;
                let (between, after) = rest.split_at_checked(rest.find(END)?)?;
                Some((before, between, after))
            });
            parts
                .map(Some)
                .ok_or_else(|| Failure::new(format!("{file} has {END} before {START}")))
        }
        _ => Err(Failure::new(format!(
            "{file} needs {START} and {END} once each, and has {starts} and {ends}"
        ))),
    }
}

fn table() -> Result<String, Failure> {
    let call = Call::cargo("run --quiet -p yuanfen-cli -- routes --json");
    render(&parse(&call.text()?).map_err(Failure::during(format!("the output of `{call}`")))?)
}

/// One object after the other.
fn parse(text: &str) -> Result<Vec<Operation>, serde_json::Error> {
    serde_json::Deserializer::from_str(text).into_iter().collect()
}

fn render(operations: &[Operation]) -> Result<String, Failure> {
    if operations.is_empty() {
        return Err(Failure::new("`yuanfen routes --json` printed no operation"));
    }
    let mut table = String::from(
        "\n| route | operation | request | effect | reply | client certificate |\n| --- | --- | --- | --- | --- | --- |\n",
    );
    for operation in operations {
        let row = [
            operation.route.as_str(),
            &format!("`{}`", operation.operation),
            &match &operation.partner_path {
                None => format!("`{} {}`", operation.method, operation.path),
                Some(partner) => format!("`{} {}`<br>partner: `{partner}`", operation.method, operation.path),
            },
            &operation.effect,
            &operation.reply,
            if operation.client_certificate { "yes" } else { "no" },
        ];
        // A bar inside a cell would end it.
        let cells: Vec<String> = row.iter().map(|cell| cell.replace('|', "\\|")).collect();
        table.push_str(&format!("| {} |\n", cells.join(" | ")));
    }
    Ok(table)
}

#[cfg(test)]
mod tests {
    use super::*;

    const LINES: &str = r#"
{"route":"wechat-v3","operation":"PlaceJsapiOrder","method":"POST","path":"/v3/pay/transactions/jsapi","partner_path":"/v3/pay/partner/transactions/jsapi","effect":"repeatable","client_certificate":false,"reply":"signed"}
{"route":"mpgateway","operation":"QueryOrder","method":"POST","path":"/a|b","effect":"read","client_certificate":true,"reply":"unsigned"}
"#;

    #[test]
    fn the_table_has_a_row_for_each_operation() {
        assert_eq!(
            render(&parse(LINES).unwrap()).unwrap(),
            "
| route | operation | request | effect | reply | client certificate |
| --- | --- | --- | --- | --- | --- |
| wechat-v3 | `PlaceJsapiOrder` | `POST /v3/pay/transactions/jsapi`<br>partner: `/v3/pay/partner/transactions/jsapi` | repeatable | signed | no |
| mpgateway | `QueryOrder` | `POST /a\\|b` | read | unsigned | yes |
"
        );
    }

    #[test]
    fn output_that_is_not_operations_is_an_error() {
        assert!(parse("{\"route\":\"wechat-v3\"}").is_err());
        assert!(parse("error: no such command").is_err());
        assert!(render(&parse("").unwrap()).is_err());
    }

    #[test]
    fn the_markers_stand_once_and_in_order() {
        let text = format!("a\n{START}\nold\n{END}\nb\n");
        let (before, old, after) = split("README.md", &text).unwrap().unwrap();
        assert_eq!(
            (before, old, after),
            (
                format!("a\n{START}").as_str(),
                "\nold\n",
                format!("{END}\nb\n").as_str()
            )
        );
        assert!(split("README.md", "no markers").unwrap().is_none());
        for wrong in [
            START.to_owned(),
            format!("{END} {START}"),
            format!("{START} {END} {END}"),
        ] {
            assert!(split("README.md", &wrong).is_err(), "{wrong}");
        }
    }

    #[test]
    fn a_table_that_differs_is_stale() {
        assert_eq!(
            stale(
                &[("README.md", "\n| a |\n"), ("README.zh-CN.md", "\n| b |\n")],
                "\n| a |\n"
            ),
            ["README.zh-CN.md's table of routes is stale: run `cargo xtask readme`"]
        );
    }

    #[test]
    fn the_commands_are_lines_of_their_own() {
        assert_eq!(
            missing_commands("README.md", "```sh\ncargo demo   # pays\ncargo test --workspace\n```\n"),
            Vec::<String>::new()
        );
        assert_eq!(
            missing_commands("README.md", "cargo demonstrate\ncargo test --workspace --lib\n").len(),
            2
        );
    }
}
