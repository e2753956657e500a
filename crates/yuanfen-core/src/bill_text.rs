//! The text of a bill of WeChat Pay, which is the same on version 2 and 3: a header, a row for each trade, a summary.

use std::fmt;

use crate::{Decimal, Fen, FieldError, ValueError, WireText as _};

/// A bill that was split into its lines. Columns vary with the kind of bill, its era and the merchant, so values are read
/// by the names of the header.
///
/// The first line names the columns. In every further line each value has a back-quote before it, and values are joined by
/// commas; goods' names and the like may hold commas and back-quotes themselves, so only the two together part two values.
/// The last two lines are the names and the values of the summary. v2 sheet, section 6.8; v3 sheet, section 18.3.
///
/// ```
/// use yuanfen_core::{BillText, Fen};
///
/// let text = "商户订单号,商品名称,应结订单金额\r\n`A1,`tea, large,`0.03\r\n总交易单数,应结订单总金额\r\n`1.0,`0.03\r\n";
/// let bill = BillText::parse(text)?;
/// for row in bill.rows() {
///     let row = row?;
///     assert_eq!(row.get("商品名称"), Some("tea, large"));
///     assert_eq!(row.fen("应结订单金额")?, Fen::new(3));
/// }
/// assert_eq!(bill.summary().fen("应结订单总金额")?, Fen::new(3));
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[derive(Clone)]
pub struct BillText<'a> {
    header: Vec<&'a str>,
    rows: &'a str,
    summary_header: Vec<&'a str>,
    summary: Vec<&'a str>,
}

/// Why a text is no bill.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum BillError {
    /// The first line does not name columns.
    #[error("the text does not begin with the names of columns")]
    NoHeader,
    /// The text does not end in the names and the values of a summary: it was cut off, or it is no bill.
    #[error("the text does not end in a summary")]
    NoSummary,
    /// A line does not have as many values as there are names.
    #[error("{} has {found} values where {expected} are named", place(*.row))]
    Values {
        /// Which row, from 1; `None` is the summary.
        row: Option<usize>,
        /// How many names there are.
        expected: usize,
        /// How many values.
        found: usize,
    },
    /// A line among the rows does not begin as a row does.
    #[error("the first row does not begin with a back-quote")]
    NoRow,
}

fn place(row: Option<usize>) -> String {
    row.map_or_else(|| "the summary".to_owned(), |row| format!("row {row}"))
}

impl<'a> BillText<'a> {
    /// Splits a text, whose byte order mark is left out. The rows are not looked at before they are asked for.
    ///
    /// # Errors
    /// When it does not begin with a header or end in a whole summary.
    pub fn parse(text: &'a str) -> Result<Self, BillError> {
        let text = text.strip_prefix('\u{feff}').unwrap_or(text);
        let (header, rest) = text.split_once('\n').ok_or(BillError::NoHeader)?;
        let header = names(header).ok_or(BillError::NoHeader)?;
        let rest = rest.trim_end_matches(['\r', '\n']);
        let (rest, summary) = last_line(rest).ok_or(BillError::NoSummary)?;
        let (rows, summary_header) = last_line(rest).unwrap_or(("", rest));
        let summary_header = names(summary_header).ok_or(BillError::NoSummary)?;
        let summary = values(summary.strip_prefix('`').ok_or(BillError::NoSummary)?);
        let bill = Self {
            header,
            rows,
            summary_header,
            summary,
        };
        same_number(None, &bill.summary_header, &bill.summary)?;
        Ok(bill)
    }

    /// The names of the columns, in their order.
    #[must_use]
    pub fn header(&self) -> &[&'a str] {
        &self.header
    }

    /// The names of the summary's values, in their order.
    #[must_use]
    pub fn summary_header(&self) -> &[&'a str] {
        &self.summary_header
    }

    /// The rows, in their order. A line break inside a value belongs to it, though the platform is not known to let one in.
    ///
    /// A row is an error for itself when it does not have as many values as there are columns: a payer's or a shop's text
    /// holds what parts two values. The rows behind it can be read all the same.
    pub fn rows(&self) -> impl Iterator<Item = Result<BillLine<'_>, BillError>> {
        let mut first = true;
        let rows = Some(self.rows).filter(|rows| !rows.is_empty());
        let lines = rows.into_iter().flat_map(|rows| rows.split("\n`"));
        lines.zip(1..).map(move |(line, number)| {
            let line = if std::mem::take(&mut first) {
                line.strip_prefix('`').ok_or(BillError::NoRow)?
            } else {
                line
            };
            let values = values(line.strip_suffix('\r').unwrap_or(line));
            same_number(Some(number), &self.header, &values)?;
            Ok(BillLine {
                names: &self.header,
                values,
            })
        })
    }

    /// The summary.
    #[must_use]
    pub fn summary(&self) -> BillLine<'_> {
        BillLine {
            names: &self.summary_header,
            values: self.summary.clone(),
        }
    }
}

/// Its columns. Who paid what is in its rows.
impl fmt::Debug for BillText<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("BillText")
            .field("header", &self.header)
            .field("rows", &format_args!("{} bytes", self.rows.len()))
            .field("summary_header", &self.summary_header)
            .finish_non_exhaustive()
    }
}

/// One line of a bill: values by the names of their columns.
#[derive(Clone)]
pub struct BillLine<'a> {
    names: &'a [&'a str],
    values: Vec<&'a str>,
}

/// The columns that hold anything, without what they hold.
impl fmt::Debug for BillLine<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let filled = self.iter().filter(|(_, value)| !value.is_empty());
        f.debug_set().entries(filled.map(|(name, _)| name)).finish()
    }
}

impl<'a> BillLine<'a> {
    /// The value in the column of that name, which may be empty; `None` where there is no such column.
    #[must_use]
    pub fn get(&self, name: &str) -> Option<&'a str> {
        self.iter()
            .find_map(|(candidate, value)| (candidate == name).then_some(value))
    }

    /// Names and values, in the order of the columns.
    pub fn iter(&self) -> impl Iterator<Item = (&'a str, &'a str)> {
        self.names.iter().copied().zip(self.values.iter().copied())
    }

    /// An exact number: an amount in yuan of up to five decimals, or a count, which may read `45.0`.
    ///
    /// # Errors
    /// Names the column when there is none, or nothing or no number in it.
    pub fn decimal(&self, name: &str) -> Result<Decimal, FieldError> {
        Decimal::read(self.need(name)?).map_err(|problem| FieldError::new(name, problem))
    }

    /// An amount that is written in yuan and is whole fen. Fees are often none: ask for their [`decimal`](Self::decimal).
    ///
    /// # Errors
    /// Names the column when there is none, or nothing or no amount of whole fen in it.
    pub fn fen(&self, name: &str) -> Result<Fen, FieldError> {
        Fen::from_yuan_text(self.need(name)?).map_err(|problem| FieldError::new(name, ValueError::Money(problem)))
    }

    fn need(&self, name: &str) -> Result<&'a str, FieldError> {
        self.get(name)
            .filter(|value| !value.is_empty())
            .ok_or_else(|| FieldError::new(name, ValueError::Missing))
    }
}

/// The names in the header of rows or of a summary: two at least, without back-quotes. The rest of a row whose text holds a
/// line break has some.
fn names(line: &str) -> Option<Vec<&str>> {
    let line = line.strip_suffix('\r').unwrap_or(line);
    (!line.contains('`') && line.contains(',')).then(|| line.split(',').collect())
}

/// The values of a line whose first back-quote is gone.
fn values(line: &str) -> Vec<&str> {
    line.split(",`").collect()
}

/// What stands before the last line, and that line.
fn last_line(text: &str) -> Option<(&str, &str)> {
    text.rsplit_once('\n')
}

fn same_number(row: Option<usize>, names: &[&str], values: &[&str]) -> Result<(), BillError> {
    let (expected, found) = (names.len(), values.len());
    if expected == found {
        Ok(())
    } else {
        Err(BillError::Values { row, expected, found })
    }
}
