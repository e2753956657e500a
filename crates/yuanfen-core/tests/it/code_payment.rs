//! Payments by scanned code on a fake clock: what is sent and when, and what is said of it in the end.

use std::time::Duration;

use proptest::prelude::*;
use yuanfen_core::{
    CodePayment, CodePaymentEvent, CodePaymentOutcome, CodePaymentRule, CodePaymentStep, Fate, Standing, UnixTime,
};

use CodePaymentEvent::{PayFailed, QueryFailed, ReverseAgain, ReverseFailed, Reversed, Stands, Typing, Waited};
use CodePaymentOutcome as Outcome;
use CodePaymentStep as Step;
use Standing::{Accepted, Failed, NotFound, Pending, Succeeded};

const START: i64 = 1_700_000_000;
const RULE: CodePaymentRule = CodePaymentRule::WECHAT;
const LOST: CodePaymentEvent = PayFailed(Fate::Unknown);
const REVERSAL_LOST: CodePaymentEvent = ReverseFailed(Fate::Unknown);

fn at(seconds: i64) -> UnixTime {
    UnixTime::from_seconds(START + seconds)
}

/// What a run did, one letter a step: `p`ay, `w`ait, `q`uery, re`v`erse.
#[derive(Debug)]
struct Run {
    steps: String,
    waits: Vec<u64>,
    /// When the reversals were sent, in seconds after the start.
    reversals: Vec<i64>,
    seconds: i64,
    outcome: Outcome,
}

impl Run {
    fn count(&self, step: char) -> usize {
        self.steps.matches(step).count()
    }
}

/// The far side: what the payment call, the queries and the reversals come to. Each list's last answer is given again
/// when the list is used up.
struct FarSide<'a> {
    pay: CodePaymentEvent,
    queries: &'a [CodePaymentEvent],
    reversals: &'a [CodePaymentEvent],
}

/// Drives a payment as the transport's client does, on a clock that moves only while it waits.
fn drive(mut payment: CodePayment, far_side: &FarSide<'_>) -> Run {
    let nth = |list: &[CodePaymentEvent], n: usize| *list.get(n).or(list.last()).expect("nothing was expected here");
    let (mut steps, mut waits, mut reversals) = (String::new(), Vec::new(), Vec::new());
    let mut now = 0;
    loop {
        let event = match payment.step(at(now)) {
            Step::Pay => {
                steps.push('p');
                far_side.pay
            }
            Step::Query => {
                steps.push('q');
                nth(far_side.queries, steps.matches('q').count() - 1)
            }
            Step::Reverse => {
                steps.push('v');
                reversals.push(now);
                nth(far_side.reversals, reversals.len() - 1)
            }
            Step::Wait(duration) => {
                steps.push('w');
                waits.push(duration.as_secs());
                now += i64::try_from(duration.as_secs()).unwrap();
                Waited
            }
            Step::Done(outcome) => {
                payment.observe(Stands(Failed));
                payment.give_up();
                assert_eq!(
                    payment.step(at(i64::MAX - START)),
                    Step::Done(outcome),
                    "an end is an end"
                );
                return Run {
                    steps,
                    waits,
                    reversals,
                    seconds: now,
                    outcome,
                };
            }
            other => panic!("an unknown step: {other:?}"),
        };
        payment.observe(event);
        assert!(steps.len() < 1000, "no end: {steps}");
    }
}

fn run(pay: CodePaymentEvent, queries: &[CodePaymentEvent], reversals: &[CodePaymentEvent]) -> Run {
    let far_side = FarSide {
        pay,
        queries,
        reversals,
    };
    drive(CodePayment::new(&RULE, at(0)), &far_side)
}

fn resumed(queries: &[CodePaymentEvent], reversals: &[CodePaymentEvent]) -> Run {
    let far_side = FarSide {
        pay: CodePaymentEvent::Paid,
        queries,
        reversals,
    };
    drive(CodePayment::resume(&RULE, at(0)), &far_side)
}

#[test]
fn what_the_payment_call_settles_needs_no_more() {
    for (pay, outcome) in [
        (CodePaymentEvent::Paid, Outcome::Paid),
        (PayFailed(Fate::Refused), Outcome::Refused),
        (PayFailed(Fate::NotSent), Outcome::NotSent),
    ] {
        let run = run(pay, &[], &[]);
        assert_eq!((run.steps.as_str(), run.outcome), ("p", outcome));
    }
}

#[test]
fn an_unknown_answer_is_asked_about_after_five_seconds() {
    let run = run(LOST, &[Stands(Succeeded)], &[]);
    assert_eq!((run.steps.as_str(), run.outcome), ("pwq", Outcome::Paid));
    assert_eq!(run.waits, [5]);
}

/// v2 sheet, section 6.6; section 9: "never conclude failure".
#[test]
fn no_failure_is_concluded_from_an_unknown_answer() {
    for query in [QueryFailed, Stands(NotFound), Stands(Accepted), Stands(Pending)] {
        let run = run(LOST, &[query], &[Reversed]);
        assert_eq!(run.outcome, Outcome::Reversed, "{query:?}");
        assert_eq!(run.reversals, [45], "{query:?}");
    }
}

/// v2 sheet, section 6.6: about every ten seconds for up to 45, then reverse. Version 3 asks every five.
#[test]
fn the_payer_who_types_is_asked_about_on_schedule_and_the_payment_reversed_when_patience_is_over() {
    let rule = RULE.with_typing_pause(10);
    let far_side = FarSide {
        pay: Typing,
        queries: &[Stands(Pending)],
        reversals: &[Reversed],
    };
    let slow = drive(CodePayment::new(&rule, at(0)), &far_side);
    assert_eq!((slow.steps.as_str(), slow.outcome), ("pwqwqwqwqwqv", Outcome::Reversed));
    assert_eq!(slow.waits, [10, 10, 10, 10, 5]);
    let quick = run(Typing, &[Stands(Pending)], &[Reversed]);
    assert_eq!((quick.waits, quick.reversals), (vec![5; 9], vec![45]));
}

#[test]
fn the_pause_follows_what_was_heard_last() {
    let rule = RULE.with_typing_pause(11);
    let far_side = FarSide {
        pay: LOST,
        queries: &[Stands(Pending), QueryFailed, Stands(NotFound), Stands(Succeeded)],
        reversals: &[],
    };
    let run = drive(CodePayment::new(&rule, at(0)), &far_side);
    assert_eq!((run.waits, run.outcome), (vec![5, 11, 11, 5], Outcome::Paid));
}

#[test]
fn a_payer_who_finishes_typing_has_paid() {
    let run = run(Typing, &[Stands(Pending), Stands(Pending), Stands(Succeeded)], &[]);
    assert_eq!((run.steps.as_str(), run.outcome), ("pwqwqwq", Outcome::Paid));
}

#[test]
fn a_payment_that_is_found_failed_was_refused() {
    let run = run(Typing, &[Stands(Pending), Stands(Failed)], &[]);
    assert_eq!((run.steps.as_str(), run.outcome), ("pwqwq", Outcome::Refused));
}

/// Issue 3, "when to ask": before reversing.
#[test]
fn what_the_last_query_finds_paid_is_not_reversed() {
    let mut queries = vec![Stands(Pending); 8];
    queries.push(Stands(Succeeded));
    let run = run(Typing, &queries, &[]);
    assert_eq!((run.seconds, run.count('q'), run.outcome), (45, 9, Outcome::Paid));
}

#[test]
fn a_reversal_that_timed_out_is_repeated_after_a_pause() {
    let run = run(LOST, &[QueryFailed], &[REVERSAL_LOST, REVERSAL_LOST, Reversed]);
    assert_eq!(run.outcome, Outcome::Reversed);
    assert_eq!(run.reversals, [45, 50, 55]);
    assert!(run.steps.ends_with("qvwvwv"), "{}", run.steps);
}

/// v2 sheet, section 6.7: `recall=Y` is called again, never without a limit and a pause.
#[test]
fn a_reversal_that_is_to_be_called_again_is_within_limits() {
    let done = run(Typing, &[Stands(Pending)], &[ReverseAgain, Reversed]);
    assert_eq!((done.reversals, done.outcome), (vec![45, 50], Outcome::Reversed));
    let never = run(Typing, &[Stands(Pending)], &[ReverseAgain]);
    assert_eq!(never.reversals, [45, 50, 55, 60, 65]);
    assert_eq!((never.outcome, never.seconds), (Outcome::StillUnknown, 180));
}

#[test]
fn after_the_last_reversal_it_is_asked_about_at_once_and_until_the_deadline() {
    let mut queries = vec![QueryFailed; 9];
    queries.push(Stands(Failed));
    let run = run(LOST, &queries, &[REVERSAL_LOST]);
    assert_eq!((run.count('v'), run.outcome), (5, Outcome::Reversed));
    assert!(run.steps.ends_with("vwvq"), "{}", run.steps);
    assert_eq!(run.seconds, 65);
}

#[test]
fn paid_is_not_believed_while_a_reversal_may_still_arrive() {
    let mut queries = vec![QueryFailed; 9];
    queries.push(Stands(Succeeded));
    for lost in [REVERSAL_LOST, ReverseAgain] {
        let run = run(LOST, &queries, &[lost]);
        assert_eq!((run.outcome, run.seconds), (Outcome::StillUnknown, 180));
        assert_eq!(run.count('v'), 5);
    }
    queries.push(Stands(Failed));
    assert_eq!(run(LOST, &queries, &[REVERSAL_LOST]).outcome, Outcome::Reversed);
}

#[test]
fn a_refused_reversal_is_not_repeated_but_asked_about() {
    let queries = |last| [vec![Stands(Pending); 9], vec![last]].concat();
    let refused = [ReverseFailed(Fate::Refused)];
    for (found, outcome) in [
        (Stands(Succeeded), Outcome::Paid),
        (Stands(Failed), Outcome::Refused),
        (Stands(Accepted), Outcome::StillUnknown),
        (QueryFailed, Outcome::StillUnknown),
    ] {
        let run = run(Typing, &queries(found), &refused);
        assert_eq!((run.count('v'), run.outcome), (1, outcome), "{found:?}");
        assert!(run.steps.contains("qvq"), "{}", run.steps);
    }
    // It was lost once and is refused now: the first may have done it.
    let run = run(Typing, &queries(Stands(Failed)), &[REVERSAL_LOST, refused[0]]);
    assert_eq!((run.count('v'), run.outcome), (2, Outcome::Reversed));
}

#[test]
fn a_reversal_of_what_was_reversed_before_is_asked_about() {
    let queries = [vec![QueryFailed; 9], vec![Stands(Failed)]].concat();
    let run = run(LOST, &queries, &[ReverseFailed(Fate::Already)]);
    assert_eq!((run.count('v'), run.outcome), (1, Outcome::Reversed));
}

#[test]
fn a_reversal_that_never_left_is_tried_again_after_another_query() {
    let not_sent = ReverseFailed(Fate::NotSent);
    let done = run(LOST, &[QueryFailed], &[not_sent, Reversed]);
    assert_eq!(done.outcome, Outcome::Reversed);
    assert!(done.steps.ends_with("qvwqv"), "{}", done.steps);
    let queries = [vec![QueryFailed; 9], vec![Stands(Succeeded)]].concat();
    let paid = run(LOST, &queries, &[not_sent]);
    assert_eq!((paid.count('v'), paid.outcome), (1, Outcome::Paid));
    let cut_off = run(LOST, &[QueryFailed], &[not_sent]);
    assert_eq!((cut_off.count('v'), cut_off.outcome), (5, Outcome::StillUnknown));
}

#[test]
fn what_the_platform_never_knew_is_absent_only_after_the_reversal_was_tried() {
    let refused = ReverseFailed(Fate::Refused);
    let nothing = run(LOST, &[Stands(NotFound)], &[refused]);
    assert_eq!((nothing.count('v'), nothing.outcome), (1, Outcome::Absent));
    // Heard again and again before; once more after the reversal is enough.
    assert!(nothing.steps.ends_with("qvq"), "{}", nothing.steps);
    let queries = [vec![QueryFailed; 9], vec![Stands(NotFound)]].concat();
    let late = run(LOST, &queries, &[refused]);
    assert!(late.steps.ends_with("vqwqwq"), "{}", late.steps);
    assert_eq!(late.outcome, Outcome::Absent);
}

#[test]
fn what_was_known_once_is_never_called_absent() {
    let refused = ReverseFailed(Fate::Refused);
    let queries = [Stands(Accepted), Stands(NotFound)];
    assert_eq!(run(LOST, &queries, &[refused]).outcome, Outcome::StillUnknown);
    let typing = run(Typing, &[Stands(NotFound)], &[refused]);
    assert_eq!(typing.outcome, Outcome::StillUnknown);
}

#[test]
fn a_number_that_was_used_before_is_asked_about_and_never_reversed() {
    let already = PayFailed(Fate::Already);
    for (found, outcome) in [
        (Stands(Succeeded), Outcome::Paid),
        (Stands(Failed), Outcome::Refused),
        (Stands(Pending), Outcome::StillUnknown),
        (Stands(NotFound), Outcome::StillUnknown),
        (QueryFailed, Outcome::StillUnknown),
    ] {
        let run = run(already, &[found], &[]);
        assert_eq!(run.outcome, outcome, "{found:?}");
        assert!(run.steps.starts_with("pq") && run.count('v') == 0, "{}", run.steps);
    }
}

#[test]
fn a_number_that_was_used_before_is_never_called_absent() {
    let far_side = FarSide {
        pay: PayFailed(Fate::Already),
        queries: &[Stands(NotFound)],
        reversals: &[],
    };
    let run = drive(CodePayment::new(&RULE.with_reversals(0), at(0)), &far_side);
    assert_eq!(run.outcome, Outcome::StillUnknown);
}

#[test]
fn without_reversals_it_is_only_asked_about() {
    for (found, outcome) in [
        (Stands(Pending), Outcome::StillUnknown),
        (Stands(NotFound), Outcome::Absent),
    ] {
        let far_side = FarSide {
            pay: LOST,
            queries: &[found],
            reversals: &[],
        };
        let run = drive(CodePayment::new(&RULE.with_reversals(0), at(0)), &far_side);
        assert_eq!(run.outcome, outcome);
        assert!(run.seconds >= 45);
    }
}

/// Version 2 publishes fifteen seconds between payment and reversal.
#[test]
fn giving_up_reverses_as_soon_as_that_is_allowed_and_asks_first() {
    let mut payment = CodePayment::new(&RULE.with_typing_pause(10), at(0));
    assert_eq!(payment.step(at(0)), Step::Pay);
    payment.observe(Typing);
    assert_eq!(payment.step(at(2)), Step::Wait(Duration::from_secs(10)));
    payment.give_up();
    // The wait that was abandoned does not count.
    assert_eq!(payment.step(at(5)), Step::Wait(Duration::from_secs(15)));
    payment.give_up();
    assert_eq!(
        payment.step(at(5)),
        Step::Wait(Duration::from_secs(15)),
        "this wait has to be sat through"
    );
    payment.observe(Waited);
    assert_eq!(payment.step(at(20)), Step::Query);
    let mut paid = payment.clone();
    paid.observe(Stands(Succeeded));
    assert_eq!(paid.step(at(21)), Step::Done(Outcome::Paid));
    payment.observe(Stands(Pending));
    assert_eq!(payment.step(at(21)), Step::Reverse);
    payment.observe(Reversed);
    assert_eq!(payment.step(at(22)), Step::Done(Outcome::Reversed));
}

#[test]
fn giving_up_later_asks_anew_before_it_reverses() {
    let mut payment = CodePayment::new(&RULE, at(0));
    let mut now = 0;
    // Four queries: the earliest time of a reversal is past, and the last answer is getting old.
    let mut asked = 0;
    loop {
        match payment.step(at(now)) {
            Step::Pay => payment.observe(LOST),
            Step::Wait(_) if asked == 4 => break,
            Step::Wait(duration) => {
                now += i64::try_from(duration.as_secs()).unwrap();
                payment.observe(Waited);
            }
            Step::Query => {
                asked += 1;
                payment.observe(Stands(Pending));
            }
            other => panic!("{other:?}"),
        }
    }
    payment.give_up();
    assert_eq!(payment.step(at(now)), Step::Query);
    payment.observe(Stands(Pending));
    assert_eq!(payment.step(at(now)), Step::Reverse);
}

#[test]
fn giving_up_before_the_payment_sends_nothing() {
    let mut payment = CodePayment::new(&RULE, at(0));
    payment.give_up();
    assert_eq!(payment.step(at(0)), Step::Done(Outcome::NotSent));
}

#[test]
fn giving_up_while_the_payment_is_on_its_way_hears_its_answer_first() {
    let begun = || {
        let mut payment = CodePayment::new(&RULE, at(0));
        assert_eq!(payment.step(at(0)), Step::Pay);
        payment.give_up();
        payment
    };
    let mut paid = begun();
    paid.observe(CodePaymentEvent::Paid);
    assert_eq!(paid.step(at(9)), Step::Done(Outcome::Paid));
    let mut typing = begun();
    typing.observe(Typing);
    assert_eq!(typing.step(at(9)), Step::Wait(Duration::from_secs(15)));
}

#[test]
fn a_resumed_payment_begins_with_a_query_and_never_pays() {
    let paid = resumed(&[Stands(Succeeded)], &[]);
    assert_eq!((paid.steps.as_str(), paid.outcome), ("q", Outcome::Paid));
    // Whoever began it may have reversed it, so this is all that can be said.
    let undone = resumed(&[Stands(Failed)], &[]);
    assert_eq!((undone.steps.as_str(), undone.outcome), ("q", Outcome::Reversed));
    let open = resumed(&[Stands(Pending)], &[Reversed]);
    assert_eq!(
        (open.count('p'), open.reversals, open.outcome),
        (0, vec![45], Outcome::Reversed)
    );
    let nothing = resumed(&[Stands(NotFound)], &[ReverseFailed(Fate::Refused)]);
    assert_eq!(nothing.outcome, Outcome::Absent);
}

#[test]
fn a_payment_is_handed_out_once_even_when_nobody_tells_what_came_of_it() {
    let mut payment = CodePayment::new(&RULE, at(0));
    assert_eq!(payment.step(at(0)), Step::Pay);
    assert_eq!(payment.step(at(0)), Step::Wait(Duration::from_secs(5)));
    payment.observe(CodePaymentEvent::Paid);
    assert_eq!(
        payment.step(at(0)),
        Step::Wait(Duration::from_secs(5)),
        "the wait was not over"
    );
    payment.observe(Waited);
    assert_eq!(payment.step(at(5)), Step::Query);
    assert_eq!(payment.step(at(5)), Step::Query);
    payment.observe(Typing);
    assert!(matches!(payment.step(at(5)), Step::Wait(_)), "no answer to a query");
}

#[test]
fn a_reversal_that_nobody_told_about_may_have_been_done() {
    let mut payment = CodePayment::resume(&RULE, at(0));
    payment.give_up();
    assert_eq!(payment.step(at(0)), Step::Wait(Duration::from_secs(15)));
    payment.observe(Waited);
    assert_eq!(payment.step(at(15)), Step::Query);
    payment.observe(QueryFailed);
    assert_eq!(payment.step(at(15)), Step::Reverse);
    assert_eq!(payment.step(at(15)), Step::Wait(Duration::from_secs(5)));
    payment.observe(Waited);
    assert_eq!(payment.step(at(20)), Step::Reverse);
    payment.observe(ReverseFailed(Fate::Refused));
    assert_eq!(payment.step(at(20)), Step::Query);
    payment.observe(Stands(Succeeded));
    assert!(matches!(payment.step(at(20)), Step::Wait(_)), "paid is not believed");
}

#[test]
fn a_clock_that_jumps_ahead_does_not_bring_the_reversal_forward() {
    let mut payment = CodePayment::new(&RULE, at(0));
    assert_eq!(payment.step(at(0)), Step::Pay);
    payment.observe(LOST);
    assert_eq!(payment.step(at(0)), Step::Wait(Duration::from_secs(5)));
    payment.observe(Waited);
    // Patience is over by the clock, and still nothing is reversed before fifteen seconds were waited.
    assert_eq!(payment.step(at(100)), Step::Wait(Duration::from_secs(10)));
    payment.observe(Waited);
    assert_eq!(payment.step(at(110)), Step::Query);
    payment.observe(QueryFailed);
    assert_eq!(payment.step(at(110)), Step::Reverse);
}

#[test]
fn a_clock_that_is_set_back_does_not_move_the_deadline_for_ever() {
    let mut payment = CodePayment::new(&RULE, at(0));
    let (mut waited, mut now) = (Duration::ZERO, 0);
    let outcome = loop {
        // An hour back at every look.
        now -= 3600;
        match payment.step(at(now)) {
            Step::Pay => payment.observe(LOST),
            Step::Query => payment.observe(QueryFailed),
            Step::Reverse => payment.observe(REVERSAL_LOST),
            Step::Wait(duration) => {
                waited += duration;
                payment.observe(Waited);
            }
            Step::Done(outcome) => break outcome,
            other => panic!("{other:?}"),
        }
        assert!(waited <= Duration::from_secs(RULE.deadline));
    };
    assert_eq!(
        (outcome, waited),
        (Outcome::StillUnknown, Duration::from_secs(RULE.deadline))
    );
}

#[test]
fn a_payment_call_that_hung_is_not_reversed_sooner_for_it() {
    let mut payment = CodePayment::new(&RULE, at(0));
    assert_eq!(payment.step(at(0)), Step::Pay);
    payment.observe(LOST);
    payment.give_up();
    assert_eq!(payment.step(at(40)), Step::Wait(Duration::from_secs(15)));
}

#[test]
fn whoever_sleeps_through_the_deadline_still_asks_once_and_reverses_nothing() {
    for (found, outcome) in [
        (Stands(Succeeded), Outcome::Paid),
        (Stands(Failed), Outcome::Refused),
        (Stands(Pending), Outcome::StillUnknown),
        (Stands(NotFound), Outcome::StillUnknown),
        (QueryFailed, Outcome::StillUnknown),
    ] {
        let mut payment = CodePayment::new(&RULE, at(0));
        assert_eq!(payment.step(at(0)), Step::Pay);
        payment.observe(LOST);
        assert!(matches!(payment.step(at(1)), Step::Wait(_)));
        assert_eq!(payment.step(at(1_000_000)), Step::Query, "{found:?}");
        payment.observe(found);
        assert_eq!(payment.step(at(1_000_000)), Step::Done(outcome));
    }
}

#[test]
fn a_deadline_before_patience_is_over_ends_it_without_a_reversal() {
    let far_side = FarSide {
        pay: Typing,
        queries: &[Stands(Pending)],
        reversals: &[],
    };
    let run = drive(CodePayment::new(&RULE.with_deadline(12), at(0)), &far_side);
    assert_eq!((run.steps.as_str(), run.outcome), ("pwqwqwq", Outcome::StillUnknown));
    assert_eq!(run.waits, [5, 5, 2]);
    let none = FarSide { pay: LOST, ..far_side };
    let none = drive(CodePayment::new(&RULE.with_deadline(0), at(0)), &none);
    assert_eq!((none.steps.as_str(), none.outcome), ("pq", Outcome::StillUnknown));
}

#[test]
fn absence_is_not_believed_before_the_reversal_was_tried() {
    let far_side = FarSide {
        pay: LOST,
        queries: &[Stands(NotFound)],
        reversals: &[],
    };
    let run = drive(CodePayment::new(&RULE.with_deadline(20), at(0)), &far_side);
    assert_eq!((run.count('q'), run.outcome), (4, Outcome::StillUnknown));
}

#[test]
fn a_reversal_that_lasts_beyond_the_deadline_is_asked_about_once() {
    let mut payment = CodePayment::resume(&RULE.with_deadline(30), at(0));
    payment.give_up();
    assert_eq!(payment.step(at(0)), Step::Wait(Duration::from_secs(15)));
    payment.observe(Waited);
    assert_eq!(payment.step(at(15)), Step::Query);
    payment.observe(Stands(Pending));
    assert_eq!(payment.step(at(16)), Step::Reverse);
    payment.observe(REVERSAL_LOST);
    assert_eq!(payment.step(at(46)), Step::Query);
    payment.observe(Stands(Failed));
    assert_eq!(payment.step(at(47)), Step::Done(Outcome::Reversed));
}

#[test]
fn without_any_wait_it_still_asks_before_it_reverses() {
    let mut rule = RULE.with_patience(0);
    rule.reverse_after = 0;
    let far_side = FarSide {
        pay: LOST,
        queries: &[Stands(Pending)],
        reversals: &[Reversed],
    };
    let run = drive(CodePayment::new(&rule, at(0)), &far_side);
    assert_eq!((run.steps.as_str(), run.outcome), ("pqv", Outcome::Reversed));
}

#[test]
fn the_ends_of_time_hold() {
    let ends = [i64::MIN, 0, i64::MAX].map(UnixTime::from_seconds);
    for now in ends {
        for then in ends {
            let mut payment = CodePayment::resume(&RULE, now);
            assert_eq!(payment.step(then), Step::Query);
            payment.observe(QueryFailed);
            assert!(matches!(payment.step(now), Step::Wait(_) | Step::Done(_)));
        }
    }
}

fn rules() -> impl Strategy<Value = CodePaymentRule> {
    let pauses = (0_u64..12, 0_u64..12, 0_u64..8);
    let limits = (0_u64..60, 0_u64..20, 0_u32..6, 0_u32..4, 0_u64..200);
    (pauses, limits).prop_map(
        |((unknown, typing, between), (patience, after, reversals, absences, deadline))| {
            let mut rule = RULE
                .with_typing_pause(typing)
                .with_patience(patience)
                .with_reversals(reversals)
                .with_deadline(deadline);
            rule.unknown_pause = unknown;
            rule.reverse_pause = between;
            rule.reverse_after = after;
            rule.absences = absences;
            rule
        },
    )
}

fn fates() -> impl Strategy<Value = Fate> {
    prop::sample::select(vec![Fate::NotSent, Fate::Refused, Fate::Unknown, Fate::Already])
}

fn pays() -> impl Strategy<Value = CodePaymentEvent> {
    let failed = fates().prop_map(PayFailed);
    prop_oneof![1 => Just(CodePaymentEvent::Paid), 4 => Just(Typing), 4 => Just(LOST), 3 => failed]
}

fn answers() -> impl Strategy<Value = CodePaymentEvent> {
    let standings = prop::sample::select(vec![Accepted, NotFound, NotFound, Succeeded, Failed]);
    prop_oneof![6 => Just(QueryFailed), 9 => Just(Stands(Pending)), 2 => standings.prop_map(Stands)]
}

fn reversals() -> impl Strategy<Value = CodePaymentEvent> {
    prop_oneof![1 => Just(Reversed), 3 => Just(ReverseAgain), 5 => fates().prop_map(ReverseFailed)]
}

/// What the clock does between two steps: mostly a call's duration, at times a jump.
fn drifts() -> impl Strategy<Value = i64> {
    prop_oneof![8 => 0_i64..4, 1 => -5000_i64..5000]
}

proptest! {
    /// Whatever a platform answers and whatever the clock does, a payment that is driven as told ends within bounds, is
    /// sent at most once, is reversed only after a query, never too early and never too often, and says nothing that was
    /// not heard.
    #[test]
    fn every_run_ends_within_bounds_and_says_what_it_heard(
        rule in rules(),
        resume in prop::bool::weighted(0.2),
        pay in pays(),
        answers in prop::collection::vec(answers(), 1..20),
        reversals in prop::collection::vec(reversals(), 1..6),
        drifts in prop::collection::vec(drifts(), 1..20),
        give_up in prop::option::of(0_usize..12),
    ) {
        let mut now = 0;
        let mut payment = if resume { CodePayment::resume(&rule, at(now)) } else { CodePayment::new(&rule, at(now)) };
        let (mut paid, mut asked, mut reversed, mut steps) = (0_usize, 0_usize, 0_usize, 0_usize);
        // Time that has certainly passed since the payment call.
        let mut waited = 0;
        let mut since_reversal = 0;
        let mut before = None;
        let mut told: Vec<CodePaymentEvent> = Vec::new();
        let may_be_reversed = |told: &[CodePaymentEvent]| told.iter().any(|event| matches!(
            event,
            ReverseAgain | ReverseFailed(Fate::Unknown | Fate::Already)
        ));
        let outcome = loop {
            if give_up == Some(steps) {
                payment.give_up();
            }
            let step = payment.step(at(now));
            now += drifts[steps % drifts.len()];
            steps += 1;
            let event = match step {
                Step::Pay => {
                    paid += 1;
                    pay
                }
                Step::Wait(duration) => {
                    let seconds = duration.as_secs();
                    prop_assert!((1..=60).contains(&seconds));
                    waited += seconds;
                    since_reversal += seconds;
                    prop_assert!(waited <= rule.deadline, "waits beyond the deadline");
                    now += i64::try_from(seconds).unwrap();
                    Waited
                }
                Step::Query => {
                    asked += 1;
                    answers[(asked - 1) % answers.len()]
                }
                Step::Reverse => {
                    prop_assert!(waited >= rule.reverse_after, "reversed after {waited}");
                    prop_assert!(reversed == 0 || since_reversal >= rule.reverse_pause.max(1));
                    prop_assert!(before == Some(Step::Query) || may_be_reversed(&told), "{told:?}");
                    prop_assert_ne!(told.first(), Some(&PayFailed(Fate::Already)));
                    since_reversal = 0;
                    reversed += 1;
                    reversals[(reversed - 1) % reversals.len()]
                }
                Step::Done(outcome) => break outcome,
                other => panic!("an unknown step: {other:?}"),
            };
            before = Some(step);
            payment.observe(event);
            if event != Waited {
                told.push(event);
            }
            let bound = 3 * usize::try_from(rule.deadline).unwrap() + 4 * usize::try_from(rule.reversals).unwrap() + 10;
            prop_assert!(steps < bound, "no end");
        };
        prop_assert!(paid <= usize::from(!resume));
        prop_assert!(reversed <= usize::try_from(rule.reversals).unwrap());
        let last = told.last().copied();
        match outcome {
            Outcome::Paid => prop_assert!(
                last == Some(CodePaymentEvent::Paid) || last == Some(Stands(Succeeded)) && !may_be_reversed(&told),
                "{told:?}"
            ),
            Outcome::Refused => prop_assert!(
                last == Some(PayFailed(Fate::Refused)) || last == Some(Stands(Failed)) && !may_be_reversed(&told),
                "{told:?}"
            ),
            Outcome::Reversed => prop_assert!(
                last == Some(Reversed) || last == Some(Stands(Failed)) && (resume || may_be_reversed(&told)),
                "{told:?}"
            ),
            Outcome::Absent => {
                let absences = told.iter().rev()
                    .filter(|event| matches!(event, Stands(_)))
                    .take_while(|event| **event == Stands(NotFound))
                    .count();
                prop_assert!(absences >= usize::try_from(rule.absences.max(1)).unwrap(), "{told:?}");
                prop_assert!(told.iter().all(|event| !matches!(event, Typing | Stands(Accepted | Pending))));
                prop_assert!(reversed > 0 || rule.reversals == 0);
            }
            Outcome::NotSent => prop_assert!(paid == 0 || last == Some(PayFailed(Fate::NotSent)), "{told:?}"),
            Outcome::StillUnknown => prop_assert!(asked > 0, "{told:?}"),
            other => panic!("an unknown outcome: {other:?}"),
        }
    }

    /// On a clock that tells the truth nothing is given up before the deadline, and little is done after it.
    #[test]
    fn a_true_clock_is_used_up_before_it_is_given_up(
        rule in rules(),
        pay in pays(),
        answers in prop::collection::vec(answers(), 1..20),
        reversals in prop::collection::vec(reversals(), 1..6),
        call_seconds in 0_i64..20,
    ) {
        let mut now = 0;
        let mut payment = CodePayment::new(&rule, at(now));
        let (mut asked, mut reversed, mut late, mut answered) = (0, 0, 0, 0);
        let deadline = i64::try_from(rule.deadline).unwrap();
        let outcome = loop {
            let spent = now - answered;
            let event = match payment.step(at(now)) {
                Step::Pay => {
                    now += call_seconds;
                    answered = now;
                    pay
                }
                Step::Wait(duration) => {
                    now += i64::try_from(duration.as_secs()).unwrap();
                    Waited
                }
                Step::Query => {
                    late += i64::from(spent >= deadline);
                    now += call_seconds;
                    asked += 1;
                    answers[(asked - 1) % answers.len()]
                }
                Step::Reverse => {
                    prop_assert!(spent < deadline, "reverses beyond the deadline");
                    now += call_seconds;
                    reversed += 1;
                    reversals[(reversed - 1) % reversals.len()]
                }
                Step::Done(outcome) => break outcome,
                other => panic!("an unknown step: {other:?}"),
            };
            payment.observe(event);
        };
        prop_assert!(late <= 1);
        if outcome == Outcome::StillUnknown {
            prop_assert!(now - answered >= deadline, "gives up early");
        }
    }

    /// Even a driver that tells things at random, out of turn, is never told to pay twice, and is led to an end when time
    /// is up.
    #[test]
    fn events_out_of_turn_end_as_well(
        rule in rules(),
        events in prop::collection::vec(prop_oneof![pays(), answers(), reversals(), Just(Waited)], 1..40),
        give_up in prop::option::of(0_usize..40),
        seconds in 0_i64..20,
    ) {
        let mut payment = CodePayment::new(&rule, at(0));
        let (mut now, mut paid, mut reversed) = (0, 0, 0_u32);
        for (index, event) in events.iter().enumerate() {
            if give_up == Some(index) {
                payment.give_up();
            }
            let step = payment.step(at(now));
            paid += i32::from(step == Step::Pay);
            reversed += u32::from(step == Step::Reverse);
            payment.observe(*event);
            now += seconds;
        }
        prop_assert!(paid <= 1 && reversed <= rule.reversals);
        let mut steps = Vec::new();
        for event in events.iter().cycle().take(5) {
            now += 1_000_000;
            steps.push(payment.step(at(now)));
            payment.observe(*event);
        }
        prop_assert!(matches!(payment.step(at(now)), Step::Done(_)), "{steps:?}");
    }
}
