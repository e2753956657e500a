//! Payments by scanned code to their end, on a fake clock: every branch, with the second at which each call is made.

use std::cell::RefCell;
use std::rc::Rc;
use std::time::Duration;

use bytes::Bytes;
use http::{Request, Response};
use yuanfen_core::{
    Ambient as _, CodePayment, CodePaymentCall as _, CodePaymentEvent, CodePaymentOutcome as Outcome, CodePaymentRule,
    CodePaymentStep, OrderNo, PayAmount,
};
use yuanfen_testkit::{Clock, Link, Loss, Pair, Passage, Plan};
use yuanfen_wechat_v2::{SignType, ops::Micropay, settle};

use crate::far_side::{
    APP_ID, MERCHANT, NOW, OPENID, ORDER_NO, TRANSACTION_ID, account, changed, response, sent, signed, xml,
};

use Call::{Ask, Pay, Undo};

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Call {
    Pay,
    Ask,
    Undo,
}

/// A call, the second at which it is made, and what the platform does: `PAID`, a `trade_state` behind `=`, `recall` as `Y`
/// or `N`, an `err_code` behind `!` with `recall` after a blank; unsigned behind `?`. Or what becomes of the connection.
type Turn = (i64, Call, &'static str);

/// The platform waits for 10 seconds in vain.
const LOST: &str = "the answer is lost";
/// The same in no time.
const CUT: &str = "the connection is cut";
const DOWN: &str = "no connection";

fn order_no() -> OrderNo {
    OrderNo::new(ORDER_NO).unwrap()
}

fn micropay() -> Micropay {
    Micropay::new(
        order_no(),
        PayAmount::from_fen(1200).unwrap(),
        "shop - noodles",
        "198.51.100.9".parse().unwrap(),
        "134567890123456789",
    )
}

/// What the platform answers to that call with that word.
fn answered(request: &Request<Bytes>, call: Call, word: &str) -> Response<Bytes> {
    let path = match call {
        Pay => "/pay/micropay",
        Ask => "/pay/orderquery",
        Undo => "/secapi/pay/reverse",
    };
    assert_eq!(request.uri().path(), path);
    assert_eq!(sent(request)["out_trade_no"], ORDER_NO);
    let (word, is_signed) = word.strip_prefix('?').map_or((word, true), |word| (word, false));
    let mut changes = vec![
        ("return_code", "SUCCESS"),
        ("appid", APP_ID),
        ("mch_id", MERCHANT),
        ("nonce_str", "IITRi8Iabbblz1Jc"),
    ];
    if let Some(code) = word.strip_prefix('!') {
        let (code, recall) = code.split_once(' ').unwrap_or((code, ""));
        changes.extend([("result_code", "FAIL"), ("err_code", code), ("recall", recall)]);
    } else {
        changes.push(("result_code", "SUCCESS"));
        let state = word.strip_prefix('=');
        if word == "PAID" || state.is_some_and(|state| ["SUCCESS", "REFUND"].contains(&state)) {
            changes.extend([
                ("openid", OPENID),
                ("trade_type", "MICROPAY"),
                ("bank_type", "CCB_DEBIT"),
                ("total_fee", "1200"),
                ("cash_fee", "1200"),
                ("transaction_id", TRANSACTION_ID),
                ("time_end", "20231115061330"),
            ]);
        }
        match (call, state) {
            (Pay, None) => changes.push(("out_trade_no", ORDER_NO)),
            (Ask, Some(state)) => changes.extend([("out_trade_no", ORDER_NO), ("trade_state", state)]),
            (Undo, None) => changes.push(("recall", word)),
            other => panic!("{other:?} is not answered with {word}"),
        }
    }
    let pairs = changed(&changes, &[]);
    response(
        200,
        xml(&if is_signed {
            signed(&pairs, SignType::Md5)
        } else {
            pairs
        }),
    )
}

/// Takes a payment through those turns, in that order and at those seconds; how it ended, and when.
fn takes_from(mut machine: CodePayment, turns: &[Turn], given_up_at: Option<i64>) -> (Outcome, i64) {
    let clock = Clock::at(NOW);
    let word: Rc<RefCell<(Call, &str)>> = Rc::new(RefCell::new((Pay, "")));
    let answers = Rc::clone(&word);
    let far = move |request: Request<Bytes>| {
        let (call, word) = *answers.borrow();
        answered(&request, call, word)
    };
    let pair = Pair::new(account(), Link::new(clock.clone(), Plan::default(), far));
    let seconds = || clock.now().seconds() - NOW;
    let mut turns = turns.iter();
    let mut turn = |call: Call| {
        let (at, expected, does) = *turns.next().unwrap_or_else(|| panic!("{call:?} at {}", seconds()));
        assert_eq!((seconds(), call), (at, expected));
        let (loss, said) = match does {
            LOST => (Loss::Reply, "PAID"),
            CUT => (Loss::ReplyCut, "PAID"),
            DOWN => (Loss::Connection, ""),
            word => (Loss::None, word),
        };
        // What is lost is nobody's business, but it must be an answer.
        let said = match (call, said) {
            (Ask, "PAID") => "=SUCCESS",
            (Undo, "PAID") => "N",
            (_, said) => said,
        };
        *word.borrow_mut() = (call, said);
        let passage = Passage::in_time().taking(Duration::ZERO, Duration::ZERO).losing(loss);
        pair.link().replan(Plan::first([passage]));
    };
    let mut is_sent = false;
    loop {
        if is_sent && given_up_at.is_some_and(|at| seconds() >= at) {
            machine.give_up();
        }
        let event = match machine.step(clock.now()) {
            CodePaymentStep::Done(outcome) => {
                assert_eq!(turns.next(), None, "something was not called");
                return (outcome, seconds());
            }
            CodePaymentStep::Wait(time) => {
                pair.link().wait(time);
                CodePaymentEvent::Waited
            }
            CodePaymentStep::Pay => {
                turn(Pay);
                match pair.call(&micropay()) {
                    Ok(paid) => Micropay::read_reply(&paid),
                    Err(error) => Micropay::read_failure(&error),
                }
            }
            CodePaymentStep::Query => {
                turn(Ask);
                match pair.call(&Micropay::query(order_no())) {
                    Ok(found) => CodePaymentEvent::Stands(Micropay::read_standing(&found)),
                    Err(error) => Micropay::read_query_failure(&error),
                }
            }
            CodePaymentStep::Reverse => {
                turn(Undo);
                match pair.call(&Micropay::reverse(micropay().order_no().clone())) {
                    Ok(reversed) => Micropay::read_reversal(&reversed),
                    Err(error) => Micropay::read_reversal_failure(&error),
                }
            }
            other => panic!("{other:?}"),
        };
        machine.observe(event);
        is_sent = true;
    }
}

fn takes(turns: &[Turn]) -> (Outcome, i64) {
    let machine = CodePayment::new(&Micropay::RULE, Clock::at(NOW).now());
    takes_from(machine, turns, None)
}

/// Five seconds after an answer that says nothing, ten while the payer types, for 45; not reversed before 15.
#[test]
fn keeps_the_times_of_the_sheet() {
    let rule = Micropay::RULE;
    assert_eq!(rule, settle::CODE_PAYMENT);
    assert_eq!(
        (rule.unknown_pause, rule.typing_pause, rule.patience, rule.reverse_after),
        (5, 10, 45, 15)
    );
    assert!(rule.reversals > 1 && rule.reversals < 10, "repeated, and bounded");
    assert!(rule.deadline > rule.patience);
}

#[test]
fn a_payment_that_is_answered_needs_no_more() {
    assert_eq!(takes(&[(0, Pay, "PAID")]), (Outcome::Paid, 0));
    for code in [
        "!AUTHCODEEXPIRE",
        "!AUTH_CODE_ERROR",
        "!AUTH_CODE_INVALID",
        "!NOTENOUGH",
        "!NOTSUPORTCARD",
        "!BUYER_MISMATCH",
        "!TRADE_ERROR",
        "!ORDERCLOSED",
        "!ORDERREVERSED",
        "!INVALID_REQUEST",
        "!PARAM_ERROR",
        "!NOAUTH",
        "!SIGNERROR",
    ] {
        assert_eq!(takes(&[(0, Pay, code)]), (Outcome::Refused, 0), "{code}");
    }
    assert_eq!(takes(&[(0, Pay, DOWN)]), (Outcome::NotSent, 0));
}

#[test]
fn nothing_is_concluded_from_an_answer_that_says_nothing() {
    for (says_nothing, at) in [
        ("!SYSTEMERROR", 5),
        ("!BANKERROR", 5),
        ("!NEW_CODE", 5),
        ("?!AUTHCODEEXPIRE", 5),
        ("?PAID", 5),
        (CUT, 5),
        (LOST, 15),
    ] {
        let asked = |word| [(0, Pay, says_nothing), (at, Ask, word)];
        assert_eq!(takes(&asked("=SUCCESS")), (Outcome::Paid, at), "{says_nothing}");
        assert_eq!(takes(&asked("=REVOKED")), (Outcome::Refused, at), "{says_nothing}");
        assert_eq!(takes(&asked("=CLOSED")), (Outcome::Refused, at), "{says_nothing}");
    }
    // A query that says nothing either is followed by another.
    let turns = [
        (0, Pay, "!SYSTEMERROR"),
        (5, Ask, "!SYSTEMERROR"),
        (10, Ask, "=NOTPAY"),
        (15, Ask, "?=SUCCESS"),
        (20, Ask, LOST),
        (35, Ask, "=SUCCESS"),
    ];
    assert_eq!(takes(&turns), (Outcome::Paid, 35));
}

#[test]
fn a_payer_who_types_is_waited_for() {
    let turns = [
        (0, Pay, "!USERPAYING"),
        (10, Ask, "=USERPAYING"),
        (20, Ask, "=USERPAYING"),
        (30, Ask, "=SUCCESS"),
    ];
    assert_eq!(takes(&turns), (Outcome::Paid, 30));
    // One who puts the phone away is reversed.
    let turns = [
        (0, Pay, "!USERPAYING"),
        (10, Ask, "=USERPAYING"),
        (20, Ask, "=USERPAYING"),
        (30, Ask, "=NOTPAY"),
        (35, Ask, "=PAYERROR"),
        (45, Ask, "=NOTPAY"),
        (45, Undo, "N"),
    ];
    assert_eq!(takes(&turns), (Outcome::Reversed, 45));
    // And one who pays at the last moment has paid.
    let mut late = turns;
    late[5].2 = "=SUCCESS";
    assert_eq!(takes(&late[..6]), (Outcome::Paid, 45));
}

/// The turns until patience is over.
fn patient(then: &[Turn]) -> Vec<Turn> {
    let mut turns = vec![
        (0, Pay, "!USERPAYING"),
        (10, Ask, "=USERPAYING"),
        (20, Ask, "=USERPAYING"),
        (30, Ask, "=USERPAYING"),
        (40, Ask, "=USERPAYING"),
        (45, Ask, "=USERPAYING"),
    ];
    turns.extend(then);
    turns
}

#[test]
fn is_reversed_again_while_the_platform_says_so_or_does_not_answer() {
    for again in [
        "Y",
        "y",
        "!SYSTEMERROR",
        "!SYSTEMERROR Y",
        "!USERPAYING",
        "!USERPAYING N",
        "!TRADE_ERROR Y",
        "?N",
        CUT,
    ] {
        let turns = patient(&[(45, Undo, again), (50, Undo, again), (55, Undo, "N")]);
        assert_eq!(takes(&turns), (Outcome::Reversed, 55), "{again}");
    }
    // The reversal itself has timed out; it is called again five seconds after that.
    let turns = patient(&[(45, Undo, LOST), (60, Undo, LOST), (75, Undo, "N")]);
    assert_eq!(takes(&turns), (Outcome::Reversed, 75));
    // Not even sent: the query between them may find it paid.
    let turns = patient(&[(45, Undo, DOWN), (50, Ask, "=USERPAYING"), (50, Undo, "N")]);
    assert_eq!(takes(&turns), (Outcome::Reversed, 50));
    let turns = patient(&[(45, Undo, DOWN), (50, Ask, "=SUCCESS")]);
    assert_eq!(takes(&turns), (Outcome::Paid, 50));
}

#[test]
fn a_reversal_that_is_never_answered_is_asked_about_and_paid_is_not_believed() {
    let five = [
        (45, Undo, LOST),
        (60, Undo, LOST),
        (75, Undo, LOST),
        (90, Undo, LOST),
        (105, Undo, LOST),
    ];
    let with = |then: &[Turn]| patient(&[&five[..], then].concat());
    assert_eq!(takes(&with(&[(115, Ask, "=REVOKED")])), (Outcome::Reversed, 115));
    let turns = with(&[(115, Ask, "=SUCCESS"), (120, Ask, "=REVOKED")]);
    assert_eq!(takes(&turns), (Outcome::Reversed, 120));
    let paid: Vec<Turn> = (0..14).map(|count| (115 + 5 * count, Ask, "=SUCCESS")).collect();
    assert_eq!(takes(&with(&paid)), (Outcome::StillUnknown, 180));
    let refunded: Vec<Turn> = (0..14).map(|count| (115 + 5 * count, Ask, "=REFUND")).collect();
    assert_eq!(takes(&with(&refunded)), (Outcome::StillUnknown, 180));
}

/// The reversal was refused for good: it did nothing, so what the query says is true.
#[test]
fn a_refused_reversal_did_nothing() {
    for refused in [
        "!SIGNERROR",
        "!TRADE_ERROR",
        "!TRADE_ERROR N",
        "!REVERSE_EXPIRE",
        "!INVALID_REQUEST N",
    ] {
        let turns = patient(&[(45, Undo, refused), (45, Ask, "=SUCCESS")]);
        assert_eq!(takes(&turns), (Outcome::Paid, 45), "{refused}");
    }
    // What nobody can say, and is not to be called again, is asked about and not believed.
    for unclear in ["!SYSTEMERROR N", "!NEW_CODE N"] {
        let turns = patient(&[(45, Undo, unclear), (45, Ask, "=SUCCESS"), (50, Ask, "=REVOKED")]);
        assert_eq!(takes(&turns), (Outcome::Reversed, 50), "{unclear}");
    }
}

#[test]
fn a_number_that_was_used_before_is_asked_about_and_never_reversed() {
    for used in ["!ORDERPAID", "!OUT_TRADE_NO_USED"] {
        assert_eq!(
            takes(&[(0, Pay, used), (0, Ask, "=SUCCESS")]),
            (Outcome::Paid, 0),
            "{used}"
        );
        let turns = [(0, Pay, used), (0, Ask, "!SYSTEMERROR"), (5, Ask, "=CLOSED")];
        assert_eq!(takes(&turns), (Outcome::Refused, 5), "{used}");
    }
}

/// "No such order" is believed when it was said often enough, signed, and the reversal was tried.
#[test]
fn a_payment_that_never_arrived_is_absent_in_the_end() {
    let no: &str = "!ORDERNOTEXIST";
    let mut turns: Vec<Turn> = vec![(0, Pay, CUT)];
    turns.extend((1..=9).map(|count| (5 * count, Ask, no)));
    turns.extend([(45, Undo, "!INVALID_REQUEST"), (45, Ask, no)]);
    assert_eq!(takes(&turns), (Outcome::Absent, 45));
    // Unsigned it says nothing.
    let last = turns.len() - 1;
    turns[last].2 = "?!ORDERNOTEXIST";
    turns.push((50, Ask, no));
    assert_eq!(takes(&turns), (Outcome::Absent, 50));
}

#[test]
fn what_is_given_up_is_reversed_when_that_is_allowed_and_not_before() {
    let new = || CodePayment::new(&Micropay::RULE, Clock::at(NOW).now());
    for pending in ["!USERPAYING", "!SYSTEMERROR"] {
        let turns = [(0, Pay, pending), (15, Ask, "=NOTPAY"), (15, Undo, "N")];
        assert_eq!(takes_from(new(), &turns, Some(0)), (Outcome::Reversed, 15), "{pending}");
        let turns = [(0, Pay, pending), (15, Ask, "=SUCCESS")];
        assert_eq!(takes_from(new(), &turns, Some(0)), (Outcome::Paid, 15), "{pending}");
    }
    let turns = [
        (0, Pay, "!USERPAYING"),
        (10, Ask, "=USERPAYING"),
        (20, Ask, "=USERPAYING"),
        (20, Undo, "N"),
    ];
    assert_eq!(takes_from(new(), &turns, Some(20)), (Outcome::Reversed, 20));
}

/// Another process takes it up again: it is never charged again.
#[test]
fn an_unfinished_payment_is_taken_up_again_by_its_number() {
    let resume = || CodePayment::resume(&Micropay::RULE, Clock::at(NOW).now());
    assert_eq!(takes_from(resume(), &[(0, Ask, "=SUCCESS")], None), (Outcome::Paid, 0));
    assert_eq!(
        takes_from(resume(), &[(0, Ask, "=REVOKED")], None),
        (Outcome::Reversed, 0)
    );
    let turns = [(0, Ask, "=USERPAYING"), (15, Ask, "=NOTPAY"), (15, Undo, "N")];
    assert_eq!(takes_from(resume(), &turns, Some(5)), (Outcome::Reversed, 15));
}

#[test]
fn without_reversals_it_is_only_asked_about() {
    let rule: CodePaymentRule = Micropay::RULE.with_reversals(0).with_deadline(60);
    let machine = CodePayment::new(&rule, Clock::at(NOW).now());
    let mut turns = patient(&[]);
    turns.extend([(55, Ask, "=USERPAYING"), (60, Ask, "=USERPAYING")]);
    assert_eq!(takes_from(machine, &turns, None), (Outcome::StillUnknown, 60));
}
