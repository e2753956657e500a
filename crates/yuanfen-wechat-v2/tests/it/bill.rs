//! The text of a bill: the published case, and what no bill looks like.

use proptest::prelude::{Strategy, any, prop, prop_assert, prop_assert_eq, proptest};
use yuanfen_core::{CalendarDate, Decimal, Fen, MoneyError, ValueError};
use yuanfen_testkit::json;
use yuanfen_wechat_v2::BillText;
use yuanfen_wechat_v2::bill::BillError;
use yuanfen_wechat_v2::ops::DownloadTradeBill;

use crate::vectors::vectors;

fn fen(text: &str) -> Fen {
    Fen::from_yuan_text(text).unwrap()
}

/// A total, the column that it sums, and of which rows alone.
type Total = (&'static str, &'static str, Option<&'static str>);

const ALL: &[Total] = &[
    ("应结订单总金额", "应结订单金额", None),
    ("退款总金额", "退款金额", None),
    ("充值券退款总金额", "充值券退款金额", None),
    ("手续费总金额", "手续费", None),
    ("订单总金额", "订单金额", None),
    ("申请退款总金额", "申请退款金额", None),
];

const FUND_FLOW: &[Total] = &[
    ("收入金额", "收支金额(元)", Some("收入")),
    ("支出金额", "收支金额(元)", Some("支出")),
];

#[test]
fn splits_the_published_bills_and_their_sums_agree() {
    for case in vectors().of("bill") {
        let bill = BillText::parse(case.text("text")).unwrap();
        let rows: Vec<_> = bill.rows().collect::<Result<_, _>>().unwrap();
        let (columns, count, totals) = match case.text("bill_type") {
            "ALL" => (27, "总交易单数", ALL),
            "fund-flow" => (11, "资金流水总笔数", FUND_FLOW),
            other => panic!("{case}: {other}"),
        };
        assert_eq!(bill.header().len(), columns, "{case}: what the sheet counts");

        // Counts may have a fraction; as exact decimals they are whole all the same.
        let count = bill.summary().decimal(count).unwrap();
        let counted = Decimal::parse(&format!("{}.0", rows.len())).unwrap();
        assert!(count.same_value(&counted), "{case}: {count:?}");
        // Amounts have one to five decimals. Those that are whole fen are sums of their columns.
        for (total, column, of) in totals {
            let counted = rows
                .iter()
                .filter(|row| of.is_none_or(|kind| row.get("收支类型") == Some(kind)));
            let sum = Fen::try_sum(counted.map(|row| row.fen(column).unwrap()));
            assert_eq!(sum, Some(bill.summary().fen(total).unwrap()), "{case}: {total}");
        }
        let values = |line: &yuanfen_wechat_v2::bill::BillLine<'_>| -> Vec<String> {
            line.iter().map(|(_, value)| value.to_owned()).collect()
        };
        let rows: Vec<_> = rows.iter().map(values).collect();
        case.run()
            .decoded(&json!({
                "header": bill.header(),
                "rows": rows,
                "summary_header": bill.summary_header(),
                "summary": values(&bill.summary()),
            }))
            .done();
    }
}

const HEADER: &str = "交易时间,商户订单号,商品名称,手续费,费率,订单金额";
const SUMMARY: &str = "总交易单数,手续费总金额,订单总金额";

fn text(line_break: &str, rows: &[&str]) -> String {
    let mut lines = vec![HEADER];
    lines.extend(rows);
    lines.extend([SUMMARY, "`45.0,`-0.01234,`1234.5"]);
    lines.join(line_break) + line_break
}

#[test]
fn reads_values_by_name_whatever_parts_the_lines() {
    let row = "`2023-11-14 01:52:32,`A1,`tea, `green`, large,`-0.01234,`0.60%,`43.9";
    for line_break in ["\n", "\r\n"] {
        for mark in ["", "\u{feff}"] {
            let text = mark.to_owned() + &text(line_break, &[row, row]);
            for text in [&*text, text.trim_end()] {
                let bill = BillText::parse(text).unwrap();
                assert_eq!(bill.header().first(), Some(&"交易时间"), "without the mark");
                let rows: Vec<_> = bill.rows().map(Result::unwrap).collect();
                assert_eq!(rows.len(), 2);
                for row in rows {
                    assert_eq!(row.get("商品名称"), Some("tea, `green`, large"));
                    assert_eq!(row.get("费率"), Some("0.60%"));
                    assert_eq!(row.fen("订单金额"), Ok(Fen::new(4390)));
                    // A fee below one fen is an exact decimal, and not rounded into an amount.
                    assert_eq!(row.decimal("手续费").unwrap().as_str(), "-0.01234");
                    let error = row.fen("手续费").unwrap_err();
                    assert_eq!(error.path, "手续费");
                    assert_eq!(error.problem, ValueError::Money(MoneyError::NotWholeFen));
                    let none = row.fen("代金券金额").unwrap_err();
                    assert_eq!((&*none.path, none.problem), ("代金券金额", ValueError::Missing));
                    assert_eq!(row.get("代金券金额"), None);
                    assert!(row.decimal("费率").is_err() && row.decimal("商品名称").is_err());
                }
                assert_eq!(bill.summary().fen("订单总金额"), Ok(fen("1234.50")));
                assert_eq!(bill.summary().get("总交易单数"), Some("45.0"));
            }
        }
    }
}

#[test]
fn a_bill_without_rows_has_none() {
    for line_break in ["\n", "\r\n"] {
        let text = text(line_break, &[]);
        let bill = BillText::parse(&text).unwrap();
        assert_eq!(bill.rows().count(), 0);
        assert_eq!(bill.summary().fen("订单总金额"), Ok(fen("1234.50")));
    }
}

/// What a shop wrote may hold what parts values, or a line break. The first spoils its row and no other.
#[test]
fn a_row_with_other_than_its_number_of_values_is_an_error_for_itself() {
    let good = "`2023-11-14 01:52:32,`A1,`tea,`0.01,`0.60%,`43.9";
    let more = "`2023-11-14 01:52:32,`A2,`tea,`green,`0.01,`0.60%,`43.9";
    let fewer = "`2023-11-14 01:52:32,`A3,`tea";
    let broken = "`2023-11-14 01:52:32,`A4,`tea\ngreen,`0.01,`0.60%,`43.9";
    let text = text("\r\n", &[more, good, fewer, broken, good]);
    let bill = BillText::parse(&text).unwrap();
    let wrong = |row, found| BillError::Values {
        row: Some(row),
        expected: 6,
        found,
    };
    let rows: Vec<_> = bill
        .rows()
        .map(|row| row.map(|row| row.get("商品名称").unwrap()))
        .collect();
    assert_eq!(
        rows,
        [
            Err(wrong(1, 7)),
            Ok("tea"),
            Err(wrong(3, 3)),
            Ok("tea\ngreen"),
            Ok("tea")
        ]
    );
    assert_eq!(wrong(1, 7).to_string(), "row 1 has 7 values where 6 are named");
}

#[test]
fn what_is_no_bill_or_was_cut_is_an_error() {
    let row = "`2023-11-14 01:52:32,`A1,`tea,`0.01,`0.60%,`43.9";
    for (text, error) in [
        (String::new(), BillError::NoHeader),
        ("no bill".to_owned(), BillError::NoHeader),
        ("no bill\n".to_owned(), BillError::NoHeader),
        (format!("{row}\n{row}\n"), BillError::NoHeader),
        (HEADER.to_owned(), BillError::NoHeader),
        (format!("{HEADER}\n"), BillError::NoSummary),
        (format!("{HEADER}\n{row}\n"), BillError::NoSummary),
        (format!("{HEADER}\n{row}\n{row}\n"), BillError::NoSummary),
        (format!("{HEADER}\n{row}\n{SUMMARY}\n"), BillError::NoSummary),
        (format!("{HEADER}\n{row}\nx\n`1,`2,`3\n"), BillError::NoSummary),
        (
            format!("{HEADER}\n{row}\n{SUMMARY}\n`1,`2\n"),
            BillError::Values {
                row: None,
                expected: 3,
                found: 2,
            },
        ),
    ] {
        assert_eq!(BillText::parse(&text).err(), Some(error), "{text}");
    }
    let text = format!("{HEADER}\nnew: no row\n{row}\n{SUMMARY}\n`1,`2,`3\n");
    let bill = BillText::parse(&text).unwrap();
    let rows: Vec<_> = bill.rows().map(|row| row.is_ok()).collect();
    assert_eq!(rows, [false, true]);
    assert_eq!(bill.rows().next().unwrap().err(), Some(BillError::NoRow));
}

#[test]
fn shows_columns_and_never_who_paid_what() {
    let text = text("\n", &["`2023-11-14 01:52:32,`A1,`tea for Mrs Wang,`,`0.60%,`43.9"]);
    let bill = BillText::parse(&text).unwrap();
    let row = bill.rows().next().unwrap().unwrap();
    let shown = format!("{bill:?} {row:?} {:?}", bill.summary());
    for hidden in ["Wang", "43.9", "1234.5", "A1"] {
        assert!(!shown.contains(hidden), "{shown}");
    }
    assert!(shown.contains("商品名称") && shown.contains("总交易单数"), "{shown}");
    assert!(!format!("{row:?}").contains("手续费"), "an empty column");
}

/// What a shop or a payer can write without parting values or rows: commas, back-quotes and line breaks among it.
fn free_text() -> impl Strategy<Value = String> {
    "[,`a茶 \\n-]{0,12}".prop_filter("parts values or rows", |text| {
        !text.replace('\n', "").contains(",`") && !text.contains("\n`") && !text.ends_with('\n')
    })
}

proptest! {
    /// Whatever is in the rows comes out as it went in, and the file is whole; cut off anywhere before the last number it
    /// is not, neither to the check nor to the reader.
    #[test]
    fn reads_what_was_written_and_sees_every_cut(
        // The last text without line breaks: behind one it could look like the names of a summary.
        rows in prop::collection::vec(
            (free_text(), 0..1_000_000_i64, free_text().prop_map(|text| text.replace('\n', ""))),
            0..8,
        ),
        crlf in any::<bool>(),
        cut in any::<prop::sample::Index>(),
        size in 1..64_usize,
    ) {
        let end = if crlf { "\r\n" } else { "\n" };
        let mut text = format!("\u{feff}商品名称,订单金额,商户数据包{end}");
        for (name, fen, attach) in &rows {
            text += &format!("`{name},`{},`{attach}{end}", Fen::new(*fen).yuan());
        }
        let total = Fen::try_sum(rows.iter().map(|(_, fen, _)| Fen::new(*fen))).unwrap();
        text += &format!("总交易单数,订单总金额{end}`{}.0,`{}", rows.len(), total.yuan());
        let cut = cut.index(text.trim_end_matches(|character: char| character != '`').len());
        text += end;

        let bill = BillText::parse(&text).unwrap();
        let read: Vec<_> = bill
            .rows()
            .map(|row| row.unwrap())
            .map(|row| {
                let text = |name| row.get(name).unwrap().to_owned();
                (text("商品名称"), row.fen("订单金额").unwrap().get(), text("商户数据包"))
            })
            .collect();
        prop_assert_eq!(read, rows);
        prop_assert_eq!(bill.summary().fen("订单总金额"), Ok(total));

        let call = DownloadTradeBill::new(CalendarDate::parse("2023-11-14").unwrap());
        let whole = |bytes: &[u8]| {
            let mut check = call.check();
            bytes.chunks(size).try_for_each(|piece| check.push(piece)).and_then(|()| check.finish())
        };
        prop_assert!(whole(text.as_bytes()).is_ok());
        let short = &text.as_bytes()[..cut];
        prop_assert!(whole(short).is_err());
        if let Ok(short) = std::str::from_utf8(short) {
            prop_assert!(BillText::parse(short).is_err(), "{:?}", short);
        }
    }
}
