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
