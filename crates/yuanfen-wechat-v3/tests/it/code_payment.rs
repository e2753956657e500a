//! A payment by code from the scan to its end, on a fake clock, with answers of the platform.

use std::collections::VecDeque;

use bytes::Bytes;
use http::Response;
use yuanfen_core::{
    CodePayment, CodePaymentCall, CodePaymentEvent, CodePaymentOutcome, CodePaymentRule, CodePaymentStep, Error,
    ErrorKind, Operation, OperationExt as _, RouteInfo, Sent, TransportError, TransportErrorKind, UnixTime,
};
use yuanfen_wechat_v3::Account;
use yuanfen_wechat_v3::ops::PayByCode;

use crate::far_side::{NOW, account, ambient, now, partner, reply, response};
use crate::till::{PAID, REVERSED, charge, order_no};

/// What becomes of one call.
#[derive(Clone)]
enum Answer {
    Comes(Response<Bytes>),
    /// The time ran out after it was sent.
    TimesOut,
    /// No connection.
    NotSent,
}

fn says(status: u16, body: &str) -> Answer {
    Answer::Comes(reply(status, body))
}

fn refuses(status: u16, code: &str) -> Answer {
    says(status, &format!(r#"{{"code":"{code}","message":"x"}}"#))
}

fn typing() -> Answer {
    says(202, r#"{"trade_state":"USERPAYING"}"#)
}

fn stands(state: &str) -> Answer {
    says(200, &PAID.replacen("SUCCESS", state, 1))
}

fn paid() -> Answer {
    says(200, PAID)
}

fn done() -> Answer {
    says(200, REVERSED)
}

/// The queries of the whole patience find the payer typing; those after it find this.
fn undecided_until(last: Answer) -> Vec<Answer> {
    let mut answers = vec![stands("USERPAYING"); 9];
    answers.push(last);
    answers
}

/// The answers to one kind of call, in order, the last one again and again.
struct Script(VecDeque<Answer>);

impl Script {
    fn of(answers: &[Answer]) -> Self {
        Self(answers.iter().cloned().collect())
    }

    fn answer<O: Operation<Provider = Account>>(&mut self, account: &Account, call: &O) -> Result<O::Reply, Error> {
        let answer = if self.0.len() > 1 {
            self.0.pop_front()
        } else {
            self.0.front().cloned()
        };
        let failed = |kind, sent| {
            let error = TransportError::new(kind, sent, None);
            Err(Error::new(RouteInfo::of::<O>(), ErrorKind::Transport(error)))
        };
        call.request(account, &ambient()).unwrap();
        match answer.expect("no answer to this call was expected") {
            Answer::Comes(response) => call.reply(account, &response, now()),
            Answer::TimesOut => failed(TransportErrorKind::Timeout, Sent::Maybe),
            Answer::NotSent => failed(TransportErrorKind::Connect, Sent::No),
        }
    }
}

/// What happened: the calls with the second in which each was sent, and the outcome with its own.
#[derive(Debug, PartialEq, Eq)]
struct Walk {
    outcome: CodePaymentOutcome,
    ended: i64,
    calls: Vec<(&'static str, i64)>,
}

impl Walk {
    fn at(&self, name: &str) -> Vec<i64> {
        let named = self.calls.iter().filter(|(call, _)| *call == name);
        named.map(|(_, second)| *second).collect()
    }
}

fn walk(pay: &[Answer], query: &[Answer], reverse: &[Answer]) -> Walk {
    walk_as(&account(), pay, query, reverse)
}

fn walk_as(account: &Account, pay: &[Answer], query: &[Answer], reverse: &[Answer]) -> Walk {
    let (mut pay, mut query, mut reverse) = (Script::of(pay), Script::of(query), Script::of(reverse));
    let payment = charge();
    let (mut clock, mut calls) = (NOW, Vec::new());
    let mut machine = CodePayment::new(&<PayByCode as CodePaymentCall>::RULE, now());
    loop {
        let second = clock - NOW;
        let event = match machine.step(UnixTime::from_seconds(clock)) {
            CodePaymentStep::Done(outcome) => {
                return Walk {
                    outcome,
                    ended: second,
                    calls,
                };
            }
            CodePaymentStep::Wait(duration) => {
                clock += i64::try_from(duration.as_secs()).unwrap();
                CodePaymentEvent::Waited
            }
            CodePaymentStep::Pay => {
                calls.push(("pay", second));
                match pay.answer(account, &payment) {
                    Ok(reply) => PayByCode::read_reply(&reply),
                    Err(error) => PayByCode::read_failure(&error),
                }
            }
            CodePaymentStep::Query => {
                calls.push(("query", second));
                match query.answer(account, &PayByCode::query(payment.order_no().clone())) {
                    Ok(found) => CodePaymentEvent::Stands(PayByCode::read_standing(&found)),
                    Err(error) => PayByCode::read_query_failure(&error),
                }
            }
            CodePaymentStep::Reverse => {
                calls.push(("reverse", second));
                match reverse.answer(account, &PayByCode::reverse(payment.order_no().clone())) {
                    Ok(reversed) => PayByCode::read_reversal(&reversed),
                    Err(error) => PayByCode::read_reversal_failure(&error),
                }
            }
            other => panic!("{other:?}"),
        };
        machine.observe(event);
        assert!(calls.len() < 100, "it comes to an end");
    }
}

/// Sheet, section 16.2: every five seconds, up to 45, and not reversed before 15.
#[test]
fn keeps_the_times_of_the_sheet() {
    let CodePaymentRule {
        unknown_pause,
        typing_pause,
        patience,
        reverse_after,
        ..
    } = PayByCode::RULE;
    assert_eq!((unknown_pause, typing_pause, reverse_after), (5, 5, 15));
    assert!((30..=45).contains(&patience), "{patience}");
    assert_eq!(charge().order_no(), &order_no());
}

#[test]
fn is_paid_at_once() {
    let walk = walk(&[paid()], &[], &[]);
    assert_eq!((walk.outcome, walk.ended), (CodePaymentOutcome::Paid, 0));
    assert_eq!(walk.calls, [("pay", 0)]);
}

#[test]
fn waits_while_the_payer_types() {
    for accepted in [
        typing(),
        says(202, ""),
        stands("USERPAYING"),
        refuses(202, "USERPAYING"),
    ] {
        let walk = walk(&[accepted], &[stands("USERPAYING"), stands("USERPAYING"), paid()], &[]);
        assert_eq!((walk.outcome, walk.ended), (CodePaymentOutcome::Paid, 15));
        assert_eq!(walk.at("query"), [5, 10, 15]);
        assert_eq!(walk.at("pay"), [0], "a code is charged once");
    }
}

/// The payer puts the phone away. Nobody waits for longer than the patience of the rule.
#[test]
fn reverses_what_stays_undecided() {
    for state in ["USERPAYING", "NOTPAY", "PAYERROR", "BRAND_NEW"] {
        let walk = walk(&[typing()], &[stands(state)], &[done()]);
        assert_eq!(
            (walk.outcome, walk.ended),
            (CodePaymentOutcome::Reversed, 45),
            "{state}"
        );
        assert_eq!(walk.at("reverse"), [45]);
    }
}

/// A 500, a lost answer, a bad signature, a page of a proxy: the payer may have paid.
#[test]
fn asks_after_whatever_leaves_it_open() {
    let mut unsigned = reply(200, PAID);
    unsigned.headers_mut().remove("wechatpay-signature");
    let mut probe = reply(200, PAID);
    let signature = "WECHATPAY/SIGNTEST/AAAA".parse().unwrap();
    probe.headers_mut().insert("wechatpay-signature", signature);
    for open in [
        refuses(500, "SYSTEM_ERROR"),
        refuses(500, "BANK_ERROR"),
        refuses(403, "BRAND_NEW"),
        refuses(429, "FREQUENCY_LIMITED"),
        Answer::TimesOut,
        Answer::Comes(unsigned),
        Answer::Comes(probe),
        Answer::Comes(response(502, &[], b"<html>")),
        // A refusal that nobody signed refuses nothing.
        Answer::Comes(response(400, &[], br#"{"code":"AUTH_CODE_INVALID"}"#)),
        // Paid, and not what was asked for.
        says(200, &PAID.replacen(r#""total":100"#, r#""total":1"#, 1)),
    ] {
        let found = walk(std::slice::from_ref(&open), &[paid()], &[]);
        assert_eq!((found.outcome, found.ended), (CodePaymentOutcome::Paid, 5));
        let undone = walk(&[open], &[stands("NOTPAY")], &[done()]);
        assert_eq!(undone.outcome, CodePaymentOutcome::Reversed);
        assert_eq!((undone.at("pay").len(), undone.at("reverse").len()), (1, 1));
    }
}

#[test]
fn ends_with_what_the_platform_refuses() {
    for refusal in [
        refuses(400, "AUTH_CODE_INVALID"),
        refuses(400, "AUTHCODEEXPIRE"),
        refuses(403, "NOT_ENOUGH"),
        refuses(403, "RULE_LIMIT"),
        refuses(401, "SIGN_ERROR"),
    ] {
        let walk = walk(&[refusal], &[], &[]);
        assert_eq!((walk.outcome, walk.ended), (CodePaymentOutcome::Refused, 0));
    }
    let walk = walk(&[Answer::NotSent], &[], &[]);
    assert_eq!(walk.outcome, CodePaymentOutcome::NotSent);
}

/// Somebody else's sale may be under that number: it is asked about, and never reversed.
#[test]
fn never_reverses_a_number_that_was_used_before() {
    for used in [refuses(403, "OUT_TRADE_NO_USED"), refuses(400, "ORDER_PAID")] {
        let found = walk(std::slice::from_ref(&used), &[paid()], &[]);
        assert_eq!((found.outcome, found.at("query")), (CodePaymentOutcome::Paid, vec![0]));
        let open = walk(&[used], &[stands("USERPAYING")], &[]);
        assert_eq!(open.outcome, CodePaymentOutcome::StillUnknown);
    }
}

/// The reversal answers with an error, or not at all: again, with a pause, and not for ever.
#[test]
fn reverses_again_when_the_reversal_itself_is_lost() {
    for lost in [
        Answer::TimesOut,
        refuses(500, "SYSTEM_ERROR"),
        refuses(403, "BRAND_NEW"),
        refuses(403, "USERPAYING"),
        Answer::NotSent,
        Answer::Comes(response(504, &[], b"")),
        says(200, &REVERSED.replacen("1217752501201407033233368018", "A1", 1)),
    ] {
        let walk = walk(&[typing()], &[stands("USERPAYING")], &[lost.clone(), lost, done()]);
        assert_eq!(walk.outcome, CodePaymentOutcome::Reversed);
        assert_eq!(walk.at("reverse"), [45, 50, 55]);
    }
}

/// "Paid" is not believed while a reversal may still arrive and give it back; "revoked" is.
#[test]
fn believes_what_a_query_says_after_a_lost_reversal_only_when_it_is_an_end() {
    let revoked = walk(&[typing()], &undecided_until(stands("REVOKED")), &[Answer::TimesOut]);
    assert_eq!(revoked.outcome, CodePaymentOutcome::Reversed);
    assert_eq!(revoked.at("reverse").len(), 5);
    let unclear = walk(&[typing()], &undecided_until(paid()), &[Answer::TimesOut]);
    assert_eq!(
        (unclear.outcome, unclear.ended),
        (CodePaymentOutcome::StillUnknown, 180)
    );
}

/// A reversal that is refused for good: what the query says then stands.
#[test]
fn asks_again_when_the_reversal_is_refused() {
    for refusal in [refuses(403, "NOT_ENOUGH"), refuses(403, "NO_AUTH")] {
        let walk = walk(&[typing()], &undecided_until(paid()), &[refusal]);
        assert_eq!((walk.outcome, walk.at("reverse").len()), (CodePaymentOutcome::Paid, 1));
    }
    let closed = undecided_until(stands("REVOKED"));
    let walk = walk(&[typing()], &closed, &[refuses(400, "ORDER_CLOSED")]);
    assert_eq!(walk.outcome, CodePaymentOutcome::Reversed);
}

/// The platform never heard of it: said once it may be slow, said thrice after a reversal it is believed.
#[test]
fn believes_that_there_is_none_only_when_it_is_signed_and_said_often() {
    let missing = [refuses(404, "ORDER_NOT_EXIST")];
    let found = walk(&[Answer::TimesOut], &missing, &missing);
    assert_eq!(found.outcome, CodePaymentOutcome::Absent);
    assert_eq!(found.at("reverse").len(), 1);
    let unsigned = [Answer::Comes(response(404, &[], br#"{"code":"ORDER_NOT_EXIST"}"#))];
    let walk = walk(&[Answer::TimesOut], &unsigned, &unsigned);
    assert_eq!((walk.outcome, walk.ended), (CodePaymentOutcome::StillUnknown, 180));
}

#[test]
fn walks_for_the_merchant_of_a_provider() {
    let in_partner_form = |state: &str| {
        let body = crate::partner::PAID.replace(r#""A1""#, r#""1217752501201407033233368018""#);
        says(200, &body.replacen("SUCCESS", state, 1))
    };
    let walk = walk_as(
        &partner(),
        &[typing()],
        &[in_partner_form("USERPAYING"), in_partner_form("SUCCESS")],
        &[],
    );
    assert_eq!((walk.outcome, walk.ended), (CodePaymentOutcome::Paid, 10));
    let undone = walk_as(
        &partner(),
        &[typing()],
        &[in_partner_form("USERPAYING")],
        &[says(
            200,
            r#"{"sp_mchid":"1900000100","sub_mchid":"1900000109","out_trade_no":"1217752501201407033233368018"}"#,
        )],
    );
    assert_eq!(undone.outcome, CodePaymentOutcome::Reversed);
}
