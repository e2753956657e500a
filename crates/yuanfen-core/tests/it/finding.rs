//! What a query found: nothing settled until it says so.

use yuanfen_core::{Effect, Error, EventKey, Facts, Fate, Finding, RefusalKind, ReplyTrust, Standing, Transition};

use crate::error::refusal;
use crate::fake::info;

fn key(transition: Transition) -> EventKey {
    EventKey::new("mpgateway", "m1", "A1", transition)
}

#[test]
fn settles_nothing_and_goes_on_until_told_otherwise() {
    let open = Finding::open(Standing::Accepted);
    assert_eq!((open.standing, open.is_over), (Standing::Accepted, false));
    assert!(open.settled.is_empty());

    let paid = open.with(key(Transition::OrderPaid), Facts::new("1002"));
    assert!(!paid.is_over);
    let settled = paid.with(key(Transition::OrderSettled), Facts::new("0000")).over();
    assert_eq!((settled.standing, settled.is_over), (Standing::Accepted, true));
    assert_eq!(
        settled.settled,
        [
            (key(Transition::OrderPaid), Facts::new("1002")),
            (key(Transition::OrderSettled), Facts::new("0000"))
        ]
    );
}

#[test]
fn a_query_that_was_refused_finds_what_the_refusal_proves() {
    let found = |kind, verified| {
        let refusal = refusal(Fate::Refused, kind, verified);
        Finding::of_error(&Error::new(info(Effect::Read, ReplyTrust::Signed), refusal))
    };
    assert_eq!(
        found(RefusalKind::NotFound, true),
        Some(Finding::open(Standing::NotFound))
    );
    assert_eq!(
        found(RefusalKind::Pending, true),
        Some(Finding::open(Standing::Pending))
    );
    assert_eq!(found(RefusalKind::NotFound, false), None, "nothing proves it");
    assert_eq!(found(RefusalKind::Throttled, true), None);
}

#[test]
fn a_query_finds_what_its_answer_says_or_its_refusal_and_fails_otherwise() {
    let read = |paid: &bool| {
        let standing = if *paid { Standing::Succeeded } else { Standing::Accepted };
        Finding::open(standing)
    };
    let of_query = |answer| Finding::of_query(answer, read).map(|finding| finding.standing);
    let refused = |kind| {
        let refusal = refusal(Fate::Refused, kind, true);
        Err(Error::new(info(Effect::Read, ReplyTrust::Signed), refusal))
    };
    assert_eq!(of_query(Ok(true)).unwrap(), Standing::Succeeded);
    assert_eq!(of_query(Ok(false)).unwrap(), Standing::Accepted);
    assert_eq!(of_query(refused(RefusalKind::NotFound)).unwrap(), Standing::NotFound);
    let error = of_query(refused(RefusalKind::Throttled)).unwrap_err();
    assert_eq!(error.refusal().unwrap().meaning.kind, RefusalKind::Throttled);
}
