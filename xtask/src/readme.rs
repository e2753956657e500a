//! The generated part of the README: the table of operations, made from what `yuanfen routes --json` prints.

use std::fs;

use serde::Deserialize;

use crate::failure::Failure;
use crate::process::{Call, root};
use crate::sources::Sources;

const FILE: &str = "README.md";
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
    effect: String,
    client_certificate: bool,
    reply: String,
}

/// Writes the table between the README's markers.
///
/// # Errors
///
/// When there is no README, no pair of markers, or the program fails.
pub(crate) fn write() -> Result<(), Failure> {
    let path = root().join(FILE);
    let text = fs::read_to_string(&path).map_err(Failure::during(FILE))?;
    let (before, old, after) = split(&text)?.ok_or_else(|| Failure::new(format!("{FILE} has no {START}")))?;
    let table = table()?;
    if old == table {
        println!("{FILE} is up to date");
        return Ok(());
    }
    fs::write(&path, format!("{before}{table}{after}")).map_err(Failure::during(FILE))?;
    println!("{FILE} was written");
    Ok(())
}

/// What `tidy` asks: the table is the current one, and the README prints the commands that CI runs.
pub(crate) fn check(sources: &Sources) -> Result<Vec<String>, Failure> {
    let Some(text) = sources.get(FILE) else {
        println!("skipped: the table of routes, because there is no {FILE} yet");
        return Ok(Vec::new());
    };
    let mut problems = missing_commands(text);
    match split(text) {
        Ok(Some((_, old, _))) => {
            if old != table()? {
                problems.push(format!("{FILE}'s table of routes is stale: run `cargo xtask readme`"));
            }
        }
        Ok(None) => println!("skipped: the table of routes, because {FILE} has no {START}"),
        Err(failure) => problems.push(failure.to_string()),
    }
    Ok(problems)
}

fn missing_commands(text: &str) -> Vec<String> {
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
        .map(|command| format!("{FILE} does not print the line `{command}`, which CI runs"))
        .collect()
}

/// The text up to and with the first marker, between the markers, and from the second marker on.
fn split(text: &str) -> Result<Option<(&str, &str, &str)>, Failure> {
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
                .ok_or_else(|| Failure::new(format!("{FILE} has {END} before {START}")))
        }
        _ => Err(Failure::new(format!(
            "{FILE} needs {START} and {END} once each, and has {starts} and {ends}"
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
            &format!("`{} {}`", operation.method, operation.path),
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
{"route":"wechat-v3","operation":"PlaceJsapiOrder","method":"POST","path":"/v3/pay/transactions/jsapi","effect":"repeatable","client_certificate":false,"reply":"signed"}
{"route":"mpgateway","operation":"QueryOrder","method":"POST","path":"/a|b","effect":"read","client_certificate":true,"reply":"unsigned"}
"#;

    #[test]
    fn the_table_has_a_row_for_each_operation() {
        assert_eq!(
            render(&parse(LINES).unwrap()).unwrap(),
            "
| route | operation | request | effect | reply | client certificate |
| --- | --- | --- | --- | --- | --- |
| wechat-v3 | `PlaceJsapiOrder` | `POST /v3/pay/transactions/jsapi` | repeatable | signed | no |
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
        let (before, old, after) = split(&text).unwrap().unwrap();
        assert_eq!(
            (before, old, after),
            (
                format!("a\n{START}").as_str(),
                "\nold\n",
                format!("{END}\nb\n").as_str()
            )
        );
        assert!(split("no markers").unwrap().is_none());
        for wrong in [
            START.to_owned(),
            format!("{END} {START}"),
            format!("{START} {END} {END}"),
        ] {
            assert!(split(&wrong).is_err(), "{wrong}");
        }
    }

    #[test]
    fn the_commands_are_lines_of_their_own() {
        assert_eq!(
            missing_commands("```sh\ncargo demo   # pays\ncargo test --workspace\n```\n"),
            Vec::<String>::new()
        );
        assert_eq!(
            missing_commands("cargo demonstrate\ncargo test --workspace --lib\n").len(),
            2
        );
    }
}
