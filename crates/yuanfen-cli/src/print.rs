//! Everything that is printed goes through here: tables, JSON lines, and errors with their causes.
use std::error::Error;
use std::io::Write as _;

use serde::Serialize;

/// A line on standard output.
pub(crate) fn line(text: impl std::fmt::Display) {
    // A reader that has seen enough (`| head`) is no failure of ours.
    drop(writeln!(std::io::stdout(), "{text}"));
}

/// A line on standard error, for progress that must not mix with results.
pub(crate) fn progress(text: impl std::fmt::Display) {
    drop(writeln!(std::io::stderr(), "{text}"));
}

/// One JSON object on a line of its own.
pub(crate) fn json(value: &impl Serialize) -> Result<(), serde_json::Error> {
    line(serde_json::to_string(value)?);
    Ok(())
}

/// An error with its causes, one a line.
pub(crate) fn failure(error: &(dyn Error + 'static)) {
    progress(format_args!("yuanfen: {error}"));
    for cause in causes(error) {
        progress(format_args!("  because {cause}"));
    }
}

/// The causes of an error, outermost first, each in its own words.
pub(crate) fn causes(error: &(dyn Error + 'static)) -> Vec<String> {
    std::iter::successors(error.source(), |cause| (*cause).source())
        .map(ToString::to_string)
        .collect()
}

/// The error and its causes on one line.
pub(crate) fn one_line(error: &(dyn Error + 'static)) -> String {
    std::iter::once(error.to_string())
        .chain(causes(error))
        .collect::<Vec<_>>()
        .join(": ")
}

/// Text of others on one line: characters that would steer a terminal are blanks.
pub(crate) fn plain(text: &str) -> String {
    text.chars()
        .map(|character| if character.is_control() { ' ' } else { character })
        .collect()
}

/// A table with a header, columns as wide as their widest cell. Wide (CJK) characters count two.
pub(crate) fn table(header: &[&str], rows: &[Vec<String>]) {
    let mut widths: Vec<usize> = header.iter().map(|cell| width(cell)).collect();
    for row in rows {
        for (column, cell) in widths.iter_mut().zip(row) {
            *column = (*column).max(width(cell));
        }
    }
    let rule: Vec<String> = widths.iter().map(|width| "─".repeat(*width)).collect();
    row_line(&widths, header.iter().copied());
    row_line(&widths, rule.iter().map(String::as_str));
    for row in rows {
        row_line(&widths, row.iter().map(String::as_str));
    }
}

fn row_line<'a>(widths: &[usize], cells: impl Iterator<Item = &'a str>) {
    let cells: Vec<String> = widths
        .iter()
        .zip(cells)
        .map(|(column, cell)| format!("{cell}{}", " ".repeat(column.saturating_sub(width(cell)))))
        .collect();
    line(cells.join("  ").trim_end());
}

fn width(cell: &str) -> usize {
    cell.chars().map(|character| if matches!(character, '\u{1100}'..='\u{115f}' | '\u{2e80}'..='\u{a4cf}' | '\u{ac00}'..='\u{d7a3}' | '\u{f900}'..='\u{faff}' | '\u{fe30}'..='\u{fe6f}' | '\u{ff00}'..='\u{ff60}' | '\u{ffe0}'..='\u{ffe6}') { 2 } else { 1 }).sum()
}
