//! Every cell of the table, and the laws of joining.

use proptest::prelude::*;
use yuanfen_core::{Advice, Effect, Fate};

const FATES: [Fate; 4] = [Fate::NotSent, Fate::Refused, Fate::Unknown, Fate::Already];

#[test]
fn every_cell_of_the_table() {
    use Advice::{Query, QueryFirst, Repeat, RepeatLater, Stop};
    // Columns: read, repeatable, query first.
    let table = [
        (Fate::NotSent, false, [Repeat, Repeat, Repeat]),
        (Fate::NotSent, true, [Repeat, Repeat, Repeat]),
        (Fate::Refused, false, [Stop, Stop, Stop]),
        (Fate::Refused, true, [RepeatLater, RepeatLater, RepeatLater]),
        (Fate::Unknown, false, [Repeat, Repeat, QueryFirst]),
        (Fate::Unknown, true, [RepeatLater, RepeatLater, QueryFirst]),
        (Fate::Already, false, [Query, Query, Query]),
        (Fate::Already, true, [Query, Query, Query]),
    ];
    for (fate, later, row) in table {
        for (effect, advice) in [Effect::Read, Effect::Repeatable, Effect::QueryFirst]
            .into_iter()
            .zip(row)
        {
            assert_eq!(Advice::of(fate, effect, later), advice, "{fate:?} {effect:?} {later}");
        }
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
    for text in FATES.map(|fate| fate.to_string()) {
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
