//! The few codes that are known, and what is concluded from those that are not.

use std::collections::BTreeSet;

use yuanfen_core::{Advice, Effect, Error, Fate, Operation, OperationExt as _, RefusalKind};
use yuanfen_mpgateway::Account;
use yuanfen_mpgateway::codes::{ResponseCode, ResultCode, TABLE, meaning};
use yuanfen_mpgateway::ops::{CancelOrder, QueryOrder, SubmitOrder};
use yuanfen_testkit::json;

use crate::far_side::{account, answer, now, order, order_no, query};

/// The gateway's signed "no", as it comes: a code and words, nothing else.
fn refusal<O: Operation<Provider = Account>>(operation: &O, code: &str) -> Error {
    let reply = answer(&json!({ "respcode": code, "respmsg": "words of the gateway" }));
    let Err(error) = operation.reply(&account(), &reply, now()) else {
        panic!("accepted {code}")
    };
    let refusal = error.refusal().unwrap();
    assert_eq!((&*refusal.code, &*refusal.message), (code, "words of the gateway"));
    assert!(refusal.verified);
    error
}

#[test]
fn takes_a_signed_refusal_of_a_submit_for_final() {
    for code in ["90", "45", "01", "0000", "new"] {
        let error = refusal(&order(), code);
        assert_eq!((error.fate(), error.advice()), (Fate::Refused, Advice::Stop), "{code}");
    }
    let kind = |code| refusal(&order(), code).refusal().unwrap().meaning.kind;
    assert_eq!(
        (kind("90"), kind("45")),
        (RefusalKind::Configuration, RefusalKind::Declined)
    );
}

#[test]
fn concludes_nothing_from_a_refused_cancel() {
    let cancel = CancelOrder::by_order_no(order_no());
    for code in ["90", "45", "new"] {
        let error = refusal(&cancel, code);
        assert_eq!(
            (error.fate(), error.advice()),
            (Fate::Unknown, Advice::QueryFirst),
            "{code}"
        );
    }
}

#[test]
fn takes_a_refused_query_for_no_answer_about_the_order() {
    for code in ["90", "45", "new"] {
        let error = refusal(&query(), code);
        assert_eq!((error.fate(), error.advice()), (Fate::Refused, Advice::Stop), "{code}");
        // No code means "no such order", so none settles an unknown outcome.
        assert_ne!(error.refusal().unwrap().meaning.kind, RefusalKind::NotFound, "{code}");
    }
}

#[test]
fn has_one_row_for_each_code_of_each_call() {
    let calls = [SubmitOrder::ROUTE, QueryOrder::ROUTE, CancelOrder::ROUTE];
    let mut seen = BTreeSet::new();
    for (operation, code, row) in TABLE {
        let route = calls
            .iter()
            .find(|route| route.operation == *operation)
            .expect(operation);
        assert!(seen.insert((*operation, *code)), "{operation} {code} twice");
        assert!(!row.sentence.is_empty() && !row.source.is_empty());
        assert_eq!(meaning(route, code), *row);
        assert_ne!(*code, "00", "that is no refusal");
    }
    assert_eq!(
        seen.len(),
        2,
        "the manual's own table is empty; one code is known from elsewhere, for two calls"
    );
    assert_eq!(CancelOrder::ROUTE.effect, Effect::QueryFirst);
}

#[test]
fn names_codes_and_keeps_the_others() {
    for (wire, code) in [
        ("00", ResponseCode::Ok),
        ("90", ResponseCode::Parameter),
        ("45", ResponseCode::Limit),
    ] {
        assert_eq!((ResponseCode::from(wire), code.as_str()), (code.clone(), wire));
    }
    for (wire, code) in [
        ("0000", ResultCode::Settled),
        ("1001", ResultCode::Unpaid),
        ("1002", ResultCode::Paid),
        ("1003", ResultCode::Failed),
        ("1004", ResultCode::Investigated),
    ] {
        assert_eq!((ResultCode::from(wire), code.as_str()), (code.clone(), wire));
    }
    assert_eq!(ResultCode::from("2003").as_str(), "2003");
}
