//! Orders and refunds on a fake clock: what is done after an outcome is unknown, and what is said of it.

use std::time::Duration;

use proptest::prelude::*;
use yuanfen_core::{Fate, Observation, Repeat, Settle, SettleRule, SettleStep, SettleVerdict, Standing, UnixTime};

use Observation::{QueryFailed, RepeatFailed, Replied, Stands};
use Standing::{Accepted, Failed, NotFound, Pending, Succeeded};

const START: i64 = 1_700_000_000;

/// What a run did, one letter a step: `w`ait, `q`uery, `r`epeat.
struct Run {
    steps: String,
    waits: Vec<u64>,
    seconds: i64,
    verdict: SettleVerdict,
}

/// Drives a flow as the transport's client does. Each list's last answer is given again when the list is used up; a
/// call takes as many seconds as it is told.
fn run(rule: &SettleRule, fate: Fate, queries: &[Observation], repeats: &[Observation], call_seconds: i64) -> Run {
    let (mut steps, mut waits) = (String::new(), Vec::new());
    let (mut asked, mut repeated) = (0, 0);
    let mut now = START;
    let mut settle = Settle::new(rule, fate, UnixTime::from_seconds(now));
    loop {
        let step = settle.step(UnixTime::from_seconds(now));
        assert_eq!(
            settle.step(UnixTime::from_seconds(now)),
            step,
            "asking twice gives the same answer"
        );
        let observation = match step {
            SettleStep::Wait(duration) => {
                steps.push('w');
                waits.push(duration.as_secs());
                now += i64::try_from(duration.as_secs()).unwrap();
                Observation::Waited
            }
            SettleStep::Query => {
                steps.push('q');
                now += call_seconds;
                asked += 1;
                *queries
                    .get(asked - 1)
                    .or(queries.last())
                    .expect("no query was expected")
            }
            SettleStep::Repeat => {
                steps.push('r');
                now += call_seconds;
                repeated += 1;
                *repeats
                    .get(repeated - 1)
                    .or(repeats.last())
                    .expect("no repeat was expected")
            }
            SettleStep::Done(verdict) => {
                settle.observe(Replied);
                settle.observe(Stands(Failed));
                let again = settle.step(UnixTime::from_seconds(i64::MAX));
                assert_eq!(again, SettleStep::Done(verdict), "an end is an end");
                return Run {
                    steps,
                    waits,
                    seconds: now - START,
                    verdict,
                };
            }
            other => panic!("an unknown step: {other:?}"),
        };
        settle.observe(observation);
        assert!(steps.len() < 10_000, "no end");
    }
}

const ORDER: SettleRule = SettleRule::REPEATABLE_ORDER;
const REFUND: SettleRule = SettleRule::REFUND;
const NEVER: SettleRule = SettleRule::NEVER_REPEATED;
const RULES: [SettleRule; 3] = [ORDER, REFUND, NEVER];

#[test]
fn what_is_found_at_its_good_end_has_happened() {
    for rule in RULES {
        for fate in [Fate::Unknown, Fate::Already] {
            let run = run(&rule, fate, &[Stands(Succeeded)], &[], 1);
            assert_eq!(run.verdict, SettleVerdict::Happened(Succeeded));
            assert_eq!(run.steps.matches('q').count(), 1);
        }
    }
}

#[test]
fn what_is_found_at_an_end_without_money_has_failed() {
    for rule in RULES {
        let run = run(&rule, Fate::Unknown, &[Stands(Pending), Stands(Failed)], &[], 1);
        assert_eq!(run.verdict, SettleVerdict::Failed);
    }
}

#[test]
fn an_unpaid_order_is_repeated_for_the_reply_that_was_lost() {
    let run = run(&ORDER, Fate::Unknown, &[Stands(Accepted)], &[Replied], 1);
    assert_eq!((run.steps.as_str(), run.verdict), ("qr", SettleVerdict::Replied));
}

#[test]
fn an_order_that_is_there_already_is_asked_for_first() {
    let run = run(&ORDER, Fate::Already, &[Stands(Accepted)], &[Replied], 1);
    assert_eq!((run.steps.as_str(), run.verdict), ("qr", SettleVerdict::Replied));
}

#[test]
fn an_order_whose_reply_stays_lost_is_there_all_the_same() {
    let run = run(
        &ORDER,
        Fate::Unknown,
        &[Stands(Accepted)],
        &[RepeatFailed(Fate::Unknown)],
        1,
    );
    assert_eq!(
        (run.steps.as_str(), run.verdict),
        ("qrwqrwq", SettleVerdict::Happened(Accepted))
    );
}

#[test]
fn an_order_that_is_there_is_not_called_unknown_when_time_runs_out() {
    let answers = [Stands(Accepted), QueryFailed];
    let run = run(&ORDER, Fate::Unknown, &answers, &[RepeatFailed(Fate::Unknown)], 5);
    assert_eq!(run.verdict, SettleVerdict::Happened(Accepted));
    assert_eq!(run.steps.matches('r').count(), 1);
}

#[test]
fn a_refund_that_is_in_the_works_is_not_repeated() {
    let run = run(&REFUND, Fate::Unknown, &[Stands(Accepted)], &[], 1);
    assert_eq!(
        (run.steps.as_str(), run.verdict),
        ("wq", SettleVerdict::Happened(Accepted))
    );
}

#[test]
fn a_refund_is_repeated_only_when_absent_more_than_once() {
    let refund = run(&REFUND, Fate::Unknown, &[Stands(NotFound)], &[Replied], 1);
    assert_eq!(
        (refund.steps.as_str(), refund.verdict),
        ("wqwqr", SettleVerdict::Replied)
    );
    assert_eq!(refund.waits, [1, 5]);
    let once = run(&REFUND, Fate::Unknown, &[Stands(NotFound), Stands(Succeeded)], &[], 1);
    assert_eq!(
        (once.steps.as_str(), once.verdict),
        ("wqwq", SettleVerdict::Happened(Succeeded))
    );
}

#[test]
fn a_query_that_failed_is_no_absence() {
    let answers = [Stands(NotFound), QueryFailed, QueryFailed, Stands(Succeeded)];
    let run = run(&REFUND, Fate::Unknown, &answers, &[], 1);
    assert_eq!(
        (run.steps.as_str(), run.verdict),
        ("wqwqwqwq", SettleVerdict::Happened(Succeeded))
    );
}

#[test]
fn a_repeat_of_unknown_outcome_is_asked_about_again() {
    let answers = [Stands(NotFound), Stands(NotFound), Stands(Succeeded)];
    let run = run(&REFUND, Fate::Unknown, &answers, &[RepeatFailed(Fate::Unknown)], 1);
    assert_eq!(
        (run.steps.as_str(), run.verdict),
        ("wqwqrwq", SettleVerdict::Happened(Succeeded))
    );
}

#[test]
fn absence_after_a_repeat_of_unknown_outcome_stays_unknown() {
    let run = run(
        &REFUND,
        Fate::Unknown,
        &[Stands(NotFound)],
        &[RepeatFailed(Fate::Unknown)],
        1,
    );
    assert_eq!(run.verdict, SettleVerdict::StillUnknown);
    assert_eq!(run.steps.matches('r').count(), 1);
}

#[test]
fn absence_after_a_repeat_that_never_left_is_absence() {
    let run = run(
        &REFUND,
        Fate::Unknown,
        &[Stands(NotFound)],
        &[RepeatFailed(Fate::NotSent)],
        1,
    );
    assert_eq!((run.steps.as_str(), run.verdict), ("wqwqrwq", SettleVerdict::Absent));
}

#[test]
fn a_refused_repeat_is_not_sent_a_third_time_and_proves_nothing_of_the_first() {
    let order = run(
        &ORDER,
        Fate::Unknown,
        &[Stands(NotFound)],
        &[RepeatFailed(Fate::Refused)],
        1,
    );
    assert_eq!(order.steps.matches('r').count(), 1);
    // Only the platform's own "no such number", heard anew as often as the rule asks, makes it absent.
    assert_eq!(order.verdict, SettleVerdict::Absent);
    assert!(order.steps.ends_with("rwqwq"), "{}", order.steps);
    let answers = [Stands(NotFound), Stands(NotFound), Stands(Succeeded)];
    let refund = run(&REFUND, Fate::Unknown, &answers, &[RepeatFailed(Fate::Refused)], 1);
    assert_eq!(refund.verdict, SettleVerdict::Happened(Succeeded));
    let silent = [Stands(NotFound), Stands(NotFound), QueryFailed];
    let refund = run(&REFUND, Fate::Unknown, &silent, &[RepeatFailed(Fate::Refused)], 1);
    assert_eq!(refund.verdict, SettleVerdict::StillUnknown);
}

#[test]
fn a_repeat_that_finds_it_done_is_asked_about_at_once() {
    let answers = [Stands(NotFound), Stands(NotFound), Stands(Succeeded)];
    let run = run(&REFUND, Fate::Unknown, &answers, &[RepeatFailed(Fate::Already)], 1);
    assert_eq!(
        (run.steps.as_str(), run.verdict),
        ("wqwqrq", SettleVerdict::Happened(Succeeded))
    );
}

#[test]
fn the_platform_does_not_unsay_that_it_is_there() {
    for rule in RULES {
        let run = run(&rule, Fate::Already, &[Stands(NotFound)], &[], 1);
        assert_eq!(run.verdict, SettleVerdict::StillUnknown);
        assert!(!run.steps.contains('r'), "{}", run.steps);
    }
    let answers = [Stands(Accepted), Stands(NotFound)];
    let run = run(&ORDER, Fate::Unknown, &answers, &[RepeatFailed(Fate::Unknown)], 1);
    assert_eq!(run.verdict, SettleVerdict::Happened(Accepted));
    assert_eq!(run.steps.matches('r').count(), 1);
}

#[test]
fn what_is_never_repeated_is_absent_when_the_platform_says_so_often_enough() {
    let run = run(&NEVER, Fate::Unknown, &[Stands(NotFound)], &[], 1);
    assert_eq!((run.steps.as_str(), run.verdict), ("wqwqwq", SettleVerdict::Absent));
    assert_eq!(run.waits, [2, 5, 10]);
}

#[test]
fn a_refusal_is_an_end() {
    for rule in RULES {
        let run = run(&rule, Fate::Refused, &[], &[], 1);
        assert_eq!((run.steps.as_str(), run.verdict), ("", SettleVerdict::Failed));
    }
}

#[test]
fn what_was_not_sent_is_sent_again_where_the_rule_allows_it() {
    for rule in [ORDER, REFUND] {
        let run = run(&rule, Fate::NotSent, &[], &[Replied], 1);
        assert_eq!((run.steps.as_str(), run.verdict), ("r", SettleVerdict::Replied));
    }
    for repeats in [0, 1, 7] {
        let mut rule = NEVER;
        rule.repeats = repeats;
        let run = run(&rule, Fate::NotSent, &[], &[], 1);
        assert_eq!((run.steps.as_str(), run.verdict), ("", SettleVerdict::Absent));
    }
}

#[test]
fn what_can_never_be_sent_ends_as_absent_without_a_query() {
    let order = run(&ORDER, Fate::NotSent, &[], &[RepeatFailed(Fate::NotSent)], 1);
    assert_eq!((order.steps.as_str(), order.verdict), ("rwr", SettleVerdict::Absent));
    let refund = run(&REFUND, Fate::NotSent, &[], &[RepeatFailed(Fate::NotSent)], 1);
    assert_eq!((refund.steps.as_str(), refund.verdict), ("r", SettleVerdict::Absent));
    let mut many = REFUND;
    many.repeats = u32::MAX;
    let run = run(&many, Fate::NotSent, &[], &[RepeatFailed(Fate::NotSent)], 0);
    assert_eq!(run.verdict, SettleVerdict::Absent);
    assert_eq!(run.seconds, 180, "the deadline ends it, {}", run.steps);
}

#[test]
fn a_refused_repeat_of_what_was_not_sent_is_the_whole_outcome() {
    let run = run(
        &ORDER,
        Fate::NotSent,
        &[],
        &[RepeatFailed(Fate::NotSent), RepeatFailed(Fate::Refused)],
        1,
    );
    assert_eq!((run.steps.as_str(), run.verdict), ("rwr", SettleVerdict::Failed));
}

#[test]
fn a_lost_repeat_of_what_was_not_sent_is_asked_about() {
    let run = run(
        &REFUND,
        Fate::NotSent,
        &[Stands(NotFound)],
        &[RepeatFailed(Fate::Unknown)],
        1,
    );
    assert_eq!(run.verdict, SettleVerdict::StillUnknown);
    assert_eq!(run.steps.matches('r').count(), 1);
    assert!(run.steps.contains('q'));
}

#[test]
fn time_runs_out_as_still_unknown() {
    for rule in RULES {
        for answer in [QueryFailed, Stands(Pending)] {
            let run = run(&rule, Fate::Unknown, &[answer], &[], 3);
            assert_eq!(run.verdict, SettleVerdict::StillUnknown);
            assert!(!run.steps.contains('r'));
            let deadline = i64::try_from(rule.deadline).unwrap();
            assert!((deadline..deadline + 7).contains(&run.seconds), "{}", run.seconds);
        }
    }
}

#[test]
fn the_last_pause_goes_on() {
    let rule = REFUND.with_pauses(&[1, 2]).with_deadline(10);
    let run = run(&rule, Fate::Unknown, &[QueryFailed], &[], 0);
    assert_eq!(run.waits, [1, 2, 2, 2, 2, 1]);
}

#[test]
fn a_wait_ends_at_the_deadline_with_one_last_query() {
    let rule = REFUND.with_pauses(&[1, 600]).with_deadline(60);
    let found = run(&rule, Fate::Unknown, &[QueryFailed, Stands(Succeeded)], &[], 0);
    assert_eq!(found.waits, [1, 59]);
    assert_eq!(
        (found.steps.as_str(), found.verdict),
        ("wqwq", SettleVerdict::Happened(Succeeded))
    );
    let pending = run(&rule, Fate::Unknown, &[QueryFailed, Stands(Pending)], &[], 0);
    assert_eq!(
        (pending.steps.as_str(), pending.verdict),
        ("wqwq", SettleVerdict::StillUnknown)
    );
    // Absent for the second time, but no repeat is begun when its outcome could not be followed.
    let absent = run(&rule, Fate::Unknown, &[Stands(NotFound)], &[], 0);
    assert_eq!(
        (absent.steps.as_str(), absent.verdict),
        ("wqwq", SettleVerdict::StillUnknown)
    );
    let accepted = run(
        &ORDER.with_pauses(&[600]).with_deadline(60),
        Fate::Unknown,
        &[Stands(Accepted)],
        &[],
        0,
    );
    assert_eq!(
        (accepted.steps.as_str(), accepted.verdict),
        ("wq", SettleVerdict::Happened(Accepted))
    );
}

#[test]
fn whoever_sleeps_through_the_deadline_still_asks_once() {
    for rule in RULES {
        let late = UnixTime::from_seconds(START + 1_000_000);
        let mut settle = Settle::new(&rule, Fate::Unknown, UnixTime::from_seconds(START));
        assert_eq!(settle.step(late), SettleStep::Query);
        settle.observe(Stands(Succeeded));
        assert_eq!(settle.step(late), SettleStep::Done(SettleVerdict::Happened(Succeeded)));
    }
}

#[test]
fn a_repeat_that_was_handed_out_and_never_told_about_is_unknown() {
    let late = UnixTime::from_seconds(START + 1_000_000);
    let begin = || Settle::new(&REFUND, Fate::NotSent, UnixTime::from_seconds(START));
    let mut begun = begin();
    assert_eq!(begun.step(UnixTime::from_seconds(START)), SettleStep::Repeat);
    assert_eq!(begun.step(late), SettleStep::Done(SettleVerdict::StillUnknown));
    let mut not_begun = begin();
    assert_eq!(not_begun.step(late), SettleStep::Done(SettleVerdict::Absent));
}

#[test]
fn a_wait_that_nobody_asked_for_changes_nothing() {
    let now = UnixTime::from_seconds(START);
    let mut repeating = Settle::new(&REFUND, Fate::NotSent, now);
    let mut asking = Settle::new(&REFUND, Fate::Already, now);
    for _ in 0..3 {
        assert_eq!(repeating.step(now), SettleStep::Repeat);
        assert_eq!(asking.step(now), SettleStep::Query);
        repeating.observe(Observation::Waited);
        asking.observe(Observation::Waited);
    }
}

#[test]
fn a_clock_that_is_set_back_does_not_move_the_deadline_for_ever() {
    let mut settle = Settle::new(&REFUND, Fate::Unknown, UnixTime::from_seconds(START));
    let mut waited = Duration::ZERO;
    loop {
        match settle.step(UnixTime::from_seconds(START - 3600)) {
            SettleStep::Wait(duration) => {
                waited += duration;
                settle.observe(Observation::Waited);
            }
            SettleStep::Query => settle.observe(QueryFailed),
            step => {
                assert_eq!(step, SettleStep::Done(SettleVerdict::StillUnknown));
                break;
            }
        }
        assert!(waited <= Duration::from_secs(REFUND.deadline));
    }
    assert_eq!(waited, Duration::from_secs(REFUND.deadline));
}

#[test]
fn the_ends_of_time_hold() {
    for now in [i64::MIN, 0, i64::MAX].map(UnixTime::from_seconds) {
        for then in [i64::MIN, 0, i64::MAX].map(UnixTime::from_seconds) {
            let mut settle = Settle::new(&REFUND, Fate::Unknown, now);
            let step = settle.step(then);
            assert!(matches!(step, SettleStep::Wait(_) | SettleStep::Query));
        }
    }
    let rule = REFUND.with_pauses(&[]).with_deadline(u64::MAX);
    let mut settle = Settle::new(&rule, Fate::Unknown, UnixTime::from_seconds(0));
    assert_eq!(
        settle.step(UnixTime::from_seconds(0)),
        SettleStep::Wait(Duration::from_secs(5))
    );
}

fn rules() -> impl Strategy<Value = SettleRule> {
    let repeat = prop::sample::select(vec![Repeat::ForTheReply, Repeat::WhenAbsent, Repeat::Never]);
    let pauses = prop::sample::select(vec![&[1][..], &[0, 2, 5, 10], &[30], &[1, 600], &[]]);
    (repeat, pauses, 0_u32..4, 0_u32..4, 0_u64..120).prop_map(|(repeat, pauses, absences, repeats, deadline)| {
        let mut rule = REFUND.with_pauses(pauses).with_deadline(deadline);
        rule.repeat = repeat;
        rule.absences = absences;
        rule.repeats = repeats;
        rule
    })
}

fn fates() -> impl Strategy<Value = Fate> {
    prop::sample::select(vec![Fate::NotSent, Fate::Refused, Fate::Unknown, Fate::Already])
}

fn answers() -> impl Strategy<Value = Observation> {
    let standings = prop::sample::select(vec![Accepted, Pending, NotFound, NotFound, NotFound, Succeeded, Failed]);
    prop_oneof![2 => Just(QueryFailed), 1 => Just(Stands(Pending)), 5 => standings.prop_map(Stands)]
}

fn repeats() -> impl Strategy<Value = Observation> {
    prop_oneof![1 => Just(Replied), 4 => fates().prop_map(RepeatFailed)]
}

proptest! {
    /// Whatever a platform answers, a flow that is driven as told ends in time, repeats no more than it may, and says
    /// nothing that it did not hear.
    #[test]
    fn every_run_ends_in_time_and_says_what_it_heard(
        rule in rules(),
        first in fates(),
        answers in prop::collection::vec(answers(), 1..12),
        repeats in prop::collection::vec(repeats(), 1..6),
        call_seconds in 0_i64..20,
    ) {
        let deadline = i64::try_from(rule.deadline).unwrap();
        let mut now = START;
        let mut settle = Settle::new(&rule, first, UnixTime::from_seconds(now));
        let mut heard: Vec<Observation> = Vec::new();
        let (mut asked, mut repeated, mut late_queries) = (0_usize, 0_usize, 0);
        let verdict = loop {
            let spent = now - START;
            let observation = match settle.step(UnixTime::from_seconds(now)) {
                SettleStep::Wait(duration) => {
                    let seconds = i64::try_from(duration.as_secs()).unwrap();
                    prop_assert!(seconds > 0 && spent + seconds <= deadline, "waits beyond the deadline");
                    now += seconds;
                    Observation::Waited
                }
                SettleStep::Query => {
                    late_queries += i64::from(spent >= deadline);
                    now += call_seconds;
                    asked += 1;
                    answers[(asked - 1) % answers.len()]
                }
                SettleStep::Repeat => {
                    prop_assert!(spent < deadline, "repeats beyond the deadline");
                    prop_assert_ne!(rule.repeat, Repeat::Never);
                    now += call_seconds;
                    repeated += 1;
                    repeats[(repeated - 1) % repeats.len()]
                }
                SettleStep::Done(verdict) => break verdict,
                other => panic!("an unknown step: {other:?}"),
            };
            settle.observe(observation);
            if observation != Observation::Waited {
                heard.push(observation);
            }
            prop_assert!(heard.len() < 2000, "no end");
        };
        prop_assert!(late_queries <= 1);
        prop_assert!(repeated <= usize::try_from(rule.repeats).unwrap());

        let tried: Vec<Fate> = std::iter::once(first)
            .chain(heard.iter().filter_map(|heard| match heard { RepeatFailed(fate) => Some(*fate), _ => None }))
            .collect();
        let fate = tried.iter().copied().fold(Fate::NotSent, Fate::join);
        let last = heard.last().copied();
        match verdict {
            SettleVerdict::Replied => prop_assert_eq!(last, Some(Replied)),
            SettleVerdict::Happened(Accepted) => prop_assert!(heard.contains(&Stands(Accepted))),
            SettleVerdict::Happened(standing) => {
                prop_assert_eq!(standing, Succeeded);
                prop_assert_eq!(last, Some(Stands(Succeeded)));
            }
            SettleVerdict::Failed => {
                let said = last == Some(Stands(Failed));
                prop_assert!(said || fate == Fate::Refused, "{:?} {:?}", tried, heard);
            }
            SettleVerdict::Absent => {
                if fate != Fate::NotSent {
                    prop_assert!(fate <= Fate::Unknown && !tried[1..].contains(&Fate::Unknown), "{:?}", tried);
                    let in_a_row = heard.iter().rev()
                        .filter(|heard| !matches!(heard, QueryFailed | RepeatFailed(Fate::NotSent)))
                        .take_while(|heard| **heard == Stands(NotFound))
                        .count();
                    prop_assert!(in_a_row >= usize::try_from(rule.absences.max(1)).unwrap(), "{:?}", heard);
                    prop_assert!(!heard.contains(&Stands(Accepted)));
                }
            }
            SettleVerdict::StillUnknown => {
                prop_assert!(now - START >= deadline, "gives up early");
                prop_assert!(fate >= Fate::Unknown && asked > 0, "{:?} {:?}", tried, heard);
                prop_assert!(!heard.contains(&Stands(Accepted)), "it was seen to be there");
            }
            other => panic!("an unknown verdict: {other:?}"),
        }
    }

    /// Even a driver that tells things at random, out of turn, is led to an end when time is up, and is never told to
    /// repeat what is never repeated.
    #[test]
    fn observations_out_of_turn_end_as_well(
        rule in rules(),
        first in fates(),
        observations in prop::collection::vec(prop_oneof![Just(Observation::Waited), answers(), repeats()], 1..30),
        seconds in 0_i64..20,
    ) {
        let mut now = START;
        let mut settle = Settle::new(&rule, first, UnixTime::from_seconds(now));
        for observation in &observations {
            let step = settle.step(UnixTime::from_seconds(now));
            if step == SettleStep::Repeat {
                prop_assert_ne!(rule.repeat, Repeat::Never);
                prop_assert!(now - START < i64::try_from(rule.deadline).unwrap());
            }
            settle.observe(*observation);
            now += seconds;
        }
        let late = UnixTime::from_seconds(START + 1_000_000);
        let mut steps = Vec::new();
        for observation in observations.iter().cycle().take(4) {
            steps.push(settle.step(late));
            settle.observe(*observation);
        }
        prop_assert!(matches!(settle.step(late), SettleStep::Done(_)), "{:?}", steps);
        prop_assert!(!steps.contains(&SettleStep::Repeat));
    }
}

#[test]
fn what_was_seen_pending_is_never_called_absent_or_sent_again() {
    for rule in [
        SettleRule::NEVER_REPEATED,
        SettleRule::REFUND,
        SettleRule::REPEATABLE_ORDER,
    ] {
        let start = UnixTime::from_seconds(1_700_000_000);
        let mut now = start;
        let mut settle = Settle::new(&rule, Fate::Unknown, start);
        let mut asked = 0;
        let verdict = loop {
            match settle.step(now) {
                SettleStep::Wait(pause) => {
                    now = now.after(pause);
                    settle.observe(Observation::Waited);
                }
                SettleStep::Query => {
                    asked += 1;
                    // The payer was typing; afterwards the platform has lost sight of the number.
                    let standing = if asked == 1 { Pending } else { NotFound };
                    settle.observe(Stands(standing));
                }
                SettleStep::Repeat => panic!("sent again under {rule:?}"),
                SettleStep::Done(verdict) => break verdict,
                _ => unreachable!(),
            }
        };
        assert_eq!(verdict, SettleVerdict::StillUnknown, "{rule:?}");
        assert!(asked > 3, "{rule:?}");
    }
}
