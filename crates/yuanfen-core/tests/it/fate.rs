//! Every cell of the table, and the laws of joining.

use proptest::prelude::*;
use yuanfen_core::{Advice, Again, Effect, Fate};

const FATES: [Fate; 4] = [Fate::NotSent, Fate::Refused, Fate::Unknown, Fate::Already];

const EFFECTS: [Effect; 3] = [Effect::Read, Effect::Repeatable, Effect::QueryFirst];
const AGAINS: [Again; 6] = [
    Again::No,
    Again::Now,
    Again::Later,
    Again::AfterQuery,
    Again::WhenMended,
    Again::ByEffect,
];

#[test]
fn every_cell_of_the_table() {
    use Advice::{Query, QueryFirst, Repeat, RepeatLater, Stop};
    use Again::{AfterQuery, ByEffect, Later, No, Now, WhenMended};
    // Columns: read, repeatable, query first.
    let table = [
        (Fate::NotSent, No, [Stop, Stop, Stop]),
        (Fate::NotSent, Now, [Repeat, Repeat, Repeat]),
        (Fate::NotSent, Later, [RepeatLater, RepeatLater, RepeatLater]),
        (Fate::NotSent, AfterQuery, [QueryFirst, QueryFirst, QueryFirst]),
        (Fate::NotSent, WhenMended, [Stop, Stop, Stop]),
        (Fate::NotSent, ByEffect, [Repeat, Repeat, Repeat]),
        (Fate::Refused, No, [Stop, Stop, Stop]),
        (Fate::Refused, Now, [Repeat, Repeat, Repeat]),
        (Fate::Refused, Later, [RepeatLater, RepeatLater, RepeatLater]),
        (Fate::Refused, AfterQuery, [QueryFirst, QueryFirst, QueryFirst]),
        (Fate::Refused, WhenMended, [Stop, Stop, Stop]),
        (Fate::Refused, ByEffect, [Stop, Stop, Stop]),
        (Fate::Unknown, No, [Stop, QueryFirst, QueryFirst]),
        (Fate::Unknown, Now, [Repeat, Repeat, QueryFirst]),
        (Fate::Unknown, Later, [RepeatLater, RepeatLater, QueryFirst]),
        (Fate::Unknown, AfterQuery, [QueryFirst, QueryFirst, QueryFirst]),
        (Fate::Unknown, WhenMended, [Stop, QueryFirst, QueryFirst]),
        (Fate::Unknown, ByEffect, [Repeat, Repeat, QueryFirst]),
        (Fate::Already, No, [Query, Query, Query]),
        (Fate::Already, Now, [Query, Query, Query]),
        (Fate::Already, Later, [Query, Query, Query]),
        (Fate::Already, AfterQuery, [Query, Query, Query]),
        (Fate::Already, WhenMended, [Query, Query, Query]),
        (Fate::Already, ByEffect, [Query, Query, Query]),
    ];
    assert_eq!(table.len(), FATES.len() * AGAINS.len());
    for (fate, again, row) in table {
        for (effect, advice) in EFFECTS.into_iter().zip(row) {
            assert_eq!(Advice::of(fate, effect, again), advice, "{fate:?} {effect:?} {again:?}");
        }
    }
}

#[test]
fn advice_to_repeat_is_given_exactly_where_the_request_may_be_sent_again() {
    for fate in FATES {
        for effect in EFFECTS {
            for again in AGAINS {
                let settled = again.on(fate, effect);
                let advice = Advice::of(fate, effect, again);
                assert_eq!(
                    advice == Advice::Repeat,
                    settled == Again::Now,
                    "{fate:?} {effect:?} {again:?}"
                );
                assert_eq!(
                    advice == Advice::RepeatLater,
                    settled == Again::Later,
                    "{fate:?} {effect:?} {again:?}"
                );
                assert_ne!(settled, Again::ByEffect);
                assert_eq!(settled.on(fate, effect), settled);
            }
        }
    }
}

#[test]
fn what_is_done_or_may_be_done_is_never_sent_again_blindly() {
    for effect in EFFECTS {
        for again in AGAINS {
            assert_eq!(again.on(Fate::Already, effect), Again::No);
        }
    }
    for again in AGAINS {
        let settled = again.on(Fate::Unknown, Effect::QueryFirst);
        assert!(!matches!(settled, Again::Now | Again::Later), "{again:?} {settled:?}");
    }
}

#[test]
fn a_later_refusal_proves_nothing_about_an_earlier_attempt() {
    assert_eq!(Fate::Unknown.join(Fate::Refused), Fate::Unknown);
    assert_eq!(Fate::Unknown.join(Fate::NotSent), Fate::Unknown);
    assert_eq!(Fate::Unknown.join(Fate::Already), Fate::Already);
    assert_eq!(Fate::NotSent.join(Fate::Refused), Fate::Refused);
}

#[test]
fn fates_and_advice_read_as_fragments() {
    for text in FATES
        .map(|fate| fate.to_string())
        .into_iter()
        .chain(AGAINS.map(|again| again.to_string()))
    {
        assert!(text.starts_with(char::is_lowercase) && !text.ends_with('.'), "{text}");
    }
    assert_eq!(Fate::Unknown.to_string(), "it may have been done");
    assert_eq!(
        Advice::QueryFirst.to_string(),
        "query before anything else, never repeat blindly"
    );
    assert_eq!(Effect::QueryFirst.as_str(), "query-first");
}

fn fate() -> impl Strategy<Value = Fate> {
    prop::sample::select(FATES.to_vec())
}

proptest! {
    #[test]
    fn joining_is_associative_commutative_and_idempotent(a in fate(), b in fate(), c in fate()) {
        prop_assert_eq!(a.join(b).join(c), a.join(b.join(c)));
        prop_assert_eq!(a.join(b), b.join(a));
        prop_assert_eq!(a.join(a), a);
        prop_assert_eq!(a.join(Fate::NotSent), a);
        prop_assert!(a.join(b) >= a && (a.join(b) == a || a.join(b) == b));
    }
}
