//! The vector of a trade bill. This crate reads no bills yet: the splitter below is the test's own, from section 6.8 of
//! the sheet, and holds the vector consistent in itself, ready for the crate that will read bills.

use yuanfen_core::{Decimal, Fen};
use yuanfen_testkit::json;

use crate::vectors::vectors;

struct Bill<'a> {
    header: Vec<&'a str>,
    rows: Vec<Vec<&'a str>>,
    summary_header: Vec<&'a str>,
    summary: Vec<&'a str>,
}

/// A line is a back-quote and values joined by comma and back-quote; the headers have no back-quotes.
fn split(text: &str) -> Bill<'_> {
    let text = text.strip_prefix('\u{feff}').unwrap_or(text);
    let mut lines = text.lines();
    let header = lines.next().unwrap().split(',').collect();
    let mut rows = Vec::new();
    let mut summary_header = Vec::new();
    let mut summary = Vec::new();
    for line in lines {
        match line.strip_prefix('`') {
            Some(values) if summary_header.is_empty() => rows.push(values.split(",`").collect()),
            Some(values) => {
                assert!(summary.is_empty(), "two summary lines");
                summary = values.split(",`").collect();
            }
            None => {
                assert!(summary_header.is_empty(), "two summary headers");
                assert!(line.starts_with("总交易单数"), "{line}");
                summary_header = line.split(',').collect();
            }
        }
    }
    Bill {
        header,
        rows,
        summary_header,
        summary,
    }
}

impl Bill<'_> {
    fn column(&self, name: &str) -> Vec<&str> {
        let at = self.header.iter().position(|candidate| *candidate == name).unwrap();
        self.rows.iter().map(|row| *row.get(at).unwrap()).collect()
    }

    fn total(&self, name: &str) -> &str {
        let at = self
            .summary_header
            .iter()
            .position(|candidate| *candidate == name)
            .unwrap();
        self.summary.get(at).unwrap()
    }
}

fn fen(text: &str) -> Fen {
    Fen::from_yuan_text(text).unwrap()
}

#[test]
fn the_vector_of_a_bill_is_consistent_and_waits_for_the_bill_crate() {
    for case in vectors().of("bill") {
        assert_eq!(case.text("bill_type"), "ALL");
        let bill = split(case.text("text"));
        assert_eq!(bill.header.len(), 27, "{case}: the sheet counts 27 columns");
        for row in &bill.rows {
            assert_eq!(
                row.len(),
                bill.header.len(),
                "{case}: a comma in a value is no separator"
            );
        }
        assert_eq!(bill.summary.len(), bill.summary_header.len());

        // Counts may have a fraction; as exact decimals they are whole all the same.
        let count = Decimal::parse(bill.total("总交易单数")).unwrap();
        let counted = Decimal::parse(&format!("{}.0", bill.rows.len())).unwrap();
        assert!(count.same_value(&counted), "{case}: {count:?}");
        // Amounts have one to five decimals. Those that are whole fen are sums of their columns.
        for (total, column) in [
            ("应结订单总金额", "应结订单金额"),
            ("退款总金额", "退款金额"),
            ("充值券退款总金额", "充值券退款金额"),
            ("手续费总金额", "手续费"),
            ("订单总金额", "订单金额"),
            ("申请退款总金额", "申请退款金额"),
        ] {
            let sum = Fen::try_sum(bill.column(column).into_iter().map(fen));
            assert_eq!(sum, Some(fen(bill.total(total))), "{case}: {total}");
        }
        case.run()
            .decoded(&json!({
                "header": bill.header,
                "rows": bill.rows,
                "summary_header": bill.summary_header,
                "summary": bill.summary,
            }))
            .done();
    }
}
