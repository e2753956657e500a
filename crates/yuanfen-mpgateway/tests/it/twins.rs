//! Negative twins: every byte and both fields of a good notice, changed once.

use yuanfen_core::{Notice, NotificationSource as _};
use yuanfen_testkit::mutate::{Change, Mutation, Place};
use yuanfen_testkit::{Message, Mutant, Outcome, expect_twins};

use crate::far_side::{account, form, noticed, now, signed, word};

fn open(mutant: &Mutant) -> Outcome<String> {
    let account = account();
    let request = mutant.request("https://shop.example/notify").unwrap();
    let opened = account.open_notification(&request, now()).map(|notice| match notice {
        Notice::Settles(event) => {
            let event = event.into_inner();
            let extra: Vec<_> = event.extra.iter().collect();
            format!(
                "{:?} {:?} {:?} {:?} {extra:?} {:?}",
                account.key(&event),
                account.facts(&event),
                event.result_message,
                event.paid_text,
                event.raw
            )
        }
        other => format!("{other:?}"),
    });
    Outcome::of(opened, word)
}

#[test]
fn refuses_every_change_to_a_notice_that_a_reader_could_see() {
    let (resp, sign) = signed(&noticed().to_string());
    let message = Message::of_fields([("resp", &*resp), ("sign", &*sign)], |pairs| {
        form(pairs.iter().map(|(name, value)| (&**name, &**value))).into_bytes()
    });
    let body = String::from_utf8(message.original().body).unwrap();
    let sign_at = body.find("&sign=").unwrap() + "&sign=".len();
    let tally = expect_twins(&message, open);
    tally.expect_reasons(&["mismatch", "missing-signature", "missing resp", "format"]);
    tally.expect_same_only(|Mutation { place, change, .. }| match (place, change) {
        // Hex digits of the signature and of escapes, in the other case: both spellings mean the same.
        (Place::Body(at), Change::Case) => {
            *at >= sign_at || body.get(at - 1..*at) == Some("%") || body.get(at - 2..at - 1) == Some("%")
        }
        // A field that nobody knows beside the two.
        (Place::Field(name), Change::Added) => name == "unheard_of",
        _ => false,
    });
    assert!(tally.refused("mismatch") > 500, "{tally:?}");
    assert!(!tally.same().is_empty(), "{tally:?}");
}

#[test]
fn refuses_every_change_inside_the_payload() {
    // The payload's own bytes, changed before they are put into base64 under the old signature.
    let payload = noticed().to_string();
    let (_, sign) = signed(&payload);
    let tally = expect_twins(&Message::new(payload.clone()), |mutant| {
        let Ok(text) = std::str::from_utf8(&mutant.body) else {
            return Outcome::Refused("no text".to_owned());
        };
        let (resp, _) = signed(text);
        let mut twin = mutant.clone();
        twin.body = form([("resp", &*resp), ("sign", &*sign)]).into_bytes();
        open(&twin)
    });
    tally.expect_reasons(&["mismatch", "no text"]);
    tally.expect_same_only(|_| false);
}
