//! The refunds of one order: never more than it, never two numbers for one refund.

use std::collections::BTreeMap;

use proptest::prelude::*;
use yuanfen_core::{Fen, LedgerError, PayAmount, RefundEntry, RefundLedger, RefundNo, Standing, UnixTime};

const START: i64 = 1_700_000_000;
const STANDINGS: [Standing; 5] = [
    Standing::Accepted,
    Standing::Pending,
    Standing::Succeeded,
    Standing::Failed,
    Standing::NotFound,
];

fn at(seconds: i64) -> UnixTime {
    UnixTime::from_seconds(START + seconds)
}

fn fen(fen: i64) -> PayAmount {
    PayAmount::from_fen(fen).unwrap()
}

fn number(text: &str) -> RefundNo {
    RefundNo::new(text).unwrap()
}

/// A ledger of an order of ten yuan with these rows, a minute apart.
fn ledger(rows: &[(&str, i64, Option<Standing>)]) -> RefundLedger {
    let entries = rows
        .iter()
        .zip(0..)
        .map(|((no, amount, standing), row)| RefundEntry::new(number(no), fen(*amount), *standing, at(row * 60)));
    RefundLedger::from_entries(fen(1000), entries).unwrap()
}

/// Long after every row.
const LATER: i64 = 100_000;

#[test]
fn the_first_refund_is_granted_as_asked() {
    let mut ledger = RefundLedger::new(fen(1000));
    let grant = ledger.grant(number("R1"), fen(1000), at(0)).unwrap();
    assert_eq!(
        (grant.refund_no(), grant.amount(), grant.order_total()),
        (&number("R1"), fen(1000), fen(1000))
    );
    assert!(!grant.is_repeat());
    assert_eq!(
        ledger.entries(),
        [RefundEntry::new(number("R1"), fen(1000), None, at(0))]
    );
    assert_eq!((ledger.left(), ledger.order_total()), (Fen::ZERO, fen(1000)));
}

/// v3 sheet, section 24, item 19: changing the number after a timeout refunds twice.
#[test]
fn a_refund_of_which_nobody_knows_keeps_its_number_whatever_number_is_asked_for() {
    for standing in [None, Some(Standing::NotFound)] {
        let mut ledger = ledger(&[("R1", 300, standing)]);
        for asked in ["R1", "R2", "R3"] {
            let grant = ledger.grant(number(asked), fen(300), at(5)).unwrap();
            assert_eq!((grant.refund_no(), grant.is_repeat()), (&number("R1"), true), "{asked}");
        }
        assert_eq!((ledger.entries().len(), ledger.left()), (1, Fen::new(700)));
        assert_eq!(ledger.entries()[0].at, at(5), "when it was last granted");
    }
}

#[test]
fn a_refund_that_is_known_to_have_arrived_does_not_take_the_next_one_of_its_amount() {
    for standing in [Standing::Accepted, Standing::Pending, Standing::Succeeded] {
        let mut ledger = ledger(&[("R1", 300, Some(standing))]);
        let next = ledger.grant(number("R2"), fen(300), at(LATER)).unwrap();
        assert_eq!((next.refund_no(), next.is_repeat()), (&number("R2"), false));
        assert_eq!(ledger.left(), Fen::new(400));
        let same = ledger.grant(number("R1"), fen(300), at(LATER)).unwrap();
        assert_eq!((same.refund_no(), same.is_repeat()), (&number("R1"), true));
        assert_eq!(ledger.left(), Fen::new(400));
    }
}

#[test]
fn a_number_stands_for_one_amount_for_ever() {
    for standing in STANDINGS.map(Some).into_iter().chain([None]) {
        let mut ledger = ledger(&[("R1", 300, standing)]);
        let before = ledger.clone();
        let error = ledger.grant(number("R1"), fen(301), at(LATER)).unwrap_err();
        assert_eq!(
            error,
            LedgerError::OtherAmount {
                refund_no: number("R1"),
                first: Fen::new(300),
                asked: Fen::new(301)
            }
        );
        assert_eq!(
            error.to_string(),
            "refund number `R1` is that of a refund of 300 fen, not of 301 fen"
        );
        assert_eq!((error.field(), ledger), ("refund number", before));
    }
}

#[test]
fn refunds_are_together_not_more_than_the_order() {
    let mut ledger = ledger(&[("R1", 300, Some(Standing::Succeeded)), ("R2", 500, None)]);
    let error = ledger.grant(number("R3"), fen(201), at(LATER)).unwrap_err();
    assert_eq!(
        error,
        LedgerError::TooMuch {
            asked: Fen::new(201),
            left: Fen::new(200)
        }
    );
    assert_eq!(error.field(), "refund amount");
    assert_eq!(ledger.entries().len(), 2);
    assert!(ledger.grant(number("R3"), fen(200), at(LATER)).is_ok());
    assert_eq!(ledger.left(), Fen::ZERO);
}

#[test]
fn what_failed_does_not_count_and_may_be_tried_again_under_its_number() {
    let mut ledger = ledger(&[("R1", 800, Some(Standing::Failed))]);
    assert_eq!(ledger.left(), Fen::new(1000));
    let again = ledger.grant(number("R1"), fen(800), at(LATER)).unwrap();
    assert_eq!((again.refund_no(), again.is_repeat()), (&number("R1"), true));
    assert_eq!((ledger.left(), ledger.entries()[0].standing), (Fen::new(200), None));
}

#[test]
fn what_failed_is_not_tried_again_when_another_refund_took_its_place() {
    let rows = [
        ("R1", 800, Some(Standing::Failed)),
        ("R2", 800, Some(Standing::Accepted)),
    ];
    let error = ledger(&rows).grant(number("R1"), fen(800), at(LATER)).unwrap_err();
    assert!(matches!(error, LedgerError::TooMuch { .. }), "{error}");
    // One of the same amount that may have arrived is the same refund under its own number.
    let rows = [("R1", 800, Some(Standing::Failed)), ("R2", 800, None)];
    let grant = ledger(&rows).grant(number("R1"), fen(800), at(LATER)).unwrap();
    assert_eq!((grant.refund_no(), grant.is_repeat()), (&number("R2"), true));
}

#[test]
fn an_order_has_fifty_refunds_and_no_more() {
    let rows = |standing| {
        (0..50).map(move |row| {
            let standing = if row == 7 { standing } else { Standing::Succeeded };
            RefundEntry::new(number(&format!("R{row}")), fen(1), Some(standing), at(row * 60))
        })
    };
    let mut full = RefundLedger::from_entries(fen(1000), rows(Standing::Succeeded)).unwrap();
    let error = full.grant(number("R50"), fen(1), at(LATER)).unwrap_err();
    assert_eq!(error, LedgerError::TooMany { max: 50 });
    assert_eq!(error.field(), "refund number");
    assert!(
        full.grant(number("R3"), fen(1), at(LATER)).is_ok(),
        "the same refund again is no further one"
    );
    let mut one_failed = RefundLedger::from_entries(fen(1000), rows(Standing::Failed)).unwrap();
    assert!(one_failed.grant(number("R50"), fen(1), at(LATER)).is_ok());
}

#[test]
fn refunds_come_a_minute_apart() {
    let mut ledger = ledger(&[("R1", 300, Some(Standing::Succeeded))]);
    for seconds in [0, 1, 59] {
        let error = ledger.grant(number("R2"), fen(200), at(seconds)).unwrap_err();
        assert_eq!(error, LedgerError::NotYet { until: at(60) });
        assert_eq!(error.field(), "refund amount");
    }
    // The same refund again is not the next one.
    assert!(ledger.grant(number("R1"), fen(300), at(10)).unwrap().is_repeat());
    let error = ledger.grant(number("R2"), fen(200), at(60)).unwrap_err();
    assert_eq!(error, LedgerError::NotYet { until: at(70) });
    assert!(ledger.grant(number("R2"), fen(200), at(70)).is_ok());
}

#[test]
fn a_row_from_the_future_holds_nothing_up() {
    let mut ledger = ledger(&[("R1", 300, Some(Standing::Succeeded))]);
    assert!(ledger.grant(number("R2"), fen(200), at(-3600)).is_ok());
    let ends = [i64::MIN, i64::MAX].map(UnixTime::from_seconds);
    for (then, now) in [(ends[0], ends[1]), (ends[1], ends[0])] {
        let row = RefundEntry::new(number("R1"), fen(1), Some(Standing::Succeeded), then);
        let mut ledger = RefundLedger::from_entries(fen(1000), [row]).unwrap();
        assert!(ledger.grant(number("R2"), fen(1), now).is_ok());
    }
}

#[test]
fn what_was_heard_is_written_down_and_not_unsaid() {
    use Standing::{Accepted, Failed, NotFound, Pending, Succeeded};
    for (heard, stands) in [
        (&[NotFound][..], NotFound),
        (&[NotFound, Accepted], Accepted),
        (&[Accepted, NotFound], Accepted),
        (&[Pending, NotFound], Pending),
        (&[Accepted, Failed], Failed),
        (&[Failed, NotFound], Failed),
        (&[Failed, Succeeded], Succeeded),
        (&[Succeeded, Accepted], Succeeded),
        (&[Succeeded, Failed], Succeeded),
        (&[Succeeded, NotFound], Succeeded),
    ] {
        let mut ledger = ledger(&[("R1", 300, None)]);
        for standing in heard {
            ledger.record(&number("R1"), *standing).unwrap();
        }
        assert_eq!(ledger.entry(&number("R1")).unwrap().standing, Some(stands), "{heard:?}");
    }
    let error = ledger(&[]).record(&number("R9"), Succeeded).unwrap_err();
    assert_eq!(
        (error.field(), error.to_string().as_str()),
        ("refund number", "refund number `R9` is not in the ledger")
    );
}

#[test]
fn the_rows_of_the_books_are_taken_as_they_are_but_each_number_once() {
    let rows = [
        ("R1", 700, Some(Standing::Succeeded)),
        ("R2", 700, Some(Standing::Succeeded)),
    ];
    let over = ledger(&rows);
    assert_eq!(over.left(), Fen::ZERO);
    assert_eq!(RefundLedger::from_entries(fen(1000), over.entries().to_vec()), Ok(over));
    let twice = [("R1", 1), ("R1", 2)].map(|(no, amount)| RefundEntry::new(number(no), fen(amount), None, at(0)));
    let error = RefundLedger::from_entries(fen(1000), twice).unwrap_err();
    assert_eq!(
        error,
        LedgerError::Twice {
            refund_no: number("R1")
        }
    );
    let huge = [("R1", None), ("R2", None)]
        .map(|(no, standing)| RefundEntry::new(number(no), PayAmount::new(PayAmount::MAX).unwrap(), standing, at(0)));
    assert_eq!(RefundLedger::from_entries(fen(1000), huge).unwrap().left(), Fen::ZERO);
}

proptest! {
    /// Whatever is asked and heard in whatever order: the order is never refunded for more than it is, a number has one
    /// amount, an unknown refund one number, and new refunds a minute between them.
    #[test]
    fn nobody_is_refunded_twice(
        asks in prop::collection::vec(
            (0_usize..8, 1_i64..6, 0_i64..90, prop::option::of((0_usize..8, prop::sample::select(STANDINGS.to_vec())))),
            1..60,
        ),
    ) {
        let mut ledger = RefundLedger::new(fen(10));
        let mut amounts = BTreeMap::new();
        let mut now = 0;
        let mut last_new = None;
        for (no, amount, seconds, heard) in asks {
            now += seconds;
            let before = ledger.clone();
            let unsettled = ledger.entries().iter()
                .filter(|entry| matches!(entry.standing, None | Some(Standing::NotFound)))
                .find(|entry| entry.amount == fen(amount))
                .map(|entry| entry.refund_no.clone());
            let known = ledger.entry(&number(&format!("R{no}"))).cloned();
            match ledger.grant(number(&format!("R{no}")), fen(amount), at(now)) {
                Ok(grant) => {
                    let first = amounts.entry(grant.refund_no().clone()).or_insert(grant.amount());
                    prop_assert_eq!((grant.amount(), *first), (fen(amount), fen(amount)));
                    if let Some(unsettled) = unsettled {
                        let asked = known.filter(RefundEntry::counts).map_or(unsettled, |entry| entry.refund_no);
                        prop_assert_eq!(grant.refund_no(), &asked);
                        prop_assert!(grant.is_repeat());
                    }
                    if !grant.is_repeat() {
                        prop_assert!(last_new.is_none_or(|last| now - last >= 60));
                        last_new = Some(now);
                    }
                }
                Err(error) => {
                    prop_assert_eq!(&ledger, &before, "{}", error);
                    prop_assert!(!error.field().is_empty());
                }
            }
            // What failed is not heard to have succeeded after all: that would be taken as it is, beyond the order.
            if let Some((no, standing)) = heard {
                let no = number(&format!("R{no}"));
                let failed = ledger.entry(&no).is_some_and(|entry| !entry.counts());
                if !failed {
                    drop(ledger.record(&no, standing));
                }
            }
            let sum = Fen::try_sum(ledger.entries().iter().filter(|entry| entry.counts()).map(|entry| entry.amount.fen()));
            prop_assert_eq!(sum.unwrap().try_add(ledger.left()), Some(Fen::new(10)));
        }
    }
}
