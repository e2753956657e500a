//! Negative twins: every byte, field and header of the positive vectors, changed once.
//!
//! Replies are not signed here, so a changed one may be read as something else; stated is what bounds that. Call-backs
//! are signed, so a changed one is refused or says the same.

use yuanfen_core::{Fen, Opens, OperationExt as _, OrderNo, PayAmount, ReplyTrust, Unsigned};
use yuanfen_fshows::{Account, Reply};
use yuanfen_testkit::mutate::{Change, Mutation, Place, Tally, Weakness};
use yuanfen_testkit::{Case, Message, Mutant, Outcome, expect_twins, expect_twins_but};

use crate::vectors::callback_account;
use crate::{account, envelope, now, open_word, pay, reply, vectors, word};

/// The positive vectors of that kind.
fn good<'a>(cases: Vec<Case<'a>>) -> Vec<Case<'a>> {
    let good: Vec<_> = cases.into_iter().filter(|case| case.refused().is_none()).collect();
    assert!(!good.is_empty());
    good
}

const UNSIGNED: Weakness = Weakness {
    why: "nobody signs a reply",
    explains: |mutation| matches!(mutation.place, Place::Body(_)),
};

/// Headers change nothing: nobody reads them.
fn is_of_a_header(mutation: &Mutation) -> bool {
    matches!(mutation.place, Place::Header(_) | Place::HeaderOctet(..))
}

fn response(mutant: &Mutant) -> http::Response<bytes::Bytes> {
    mutant.response(200).unwrap_or_else(|| reply(200, ""))
}

#[test]
fn a_changed_reply_is_refused_or_says_something_else_and_is_never_called_signed() {
    assert_eq!(<Unsigned<Reply> as Opens<Account>>::TRUST, ReplyTrust::Unsigned);
    for case in good(vectors().of("reply")) {
        let message = Message::new(case.bytes("body")).header("content-type", "application/json");
        let tally = expect_twins_but(
            &message,
            |mutant| {
                let opened = Unsigned::<Reply>::open(&account(), &response(mutant), now());
                Outcome::of(
                    opened.map(|reply| format!("{:?}", reply.into_inner().outcome)),
                    open_word,
                )
            },
            &[UNSIGNED],
        );
        // Broken JSON, and `success` that is gone, or is neither of its two words.
        tally.expect_reasons(&["field success", "format"]);
        // A letter doubled, dropped, changed or in the other case, which makes it another name.
        assert!(
            tally.refused("field success") >= 4 * "success".len(),
            "{case}: {tally:?}"
        );
        assert!(tally.same().iter().any(is_of_a_header), "{case}");
    }
}

#[test]
fn a_changed_answer_to_an_order_is_never_one_of_another_amount() {
    for case in good(vectors().of("reply")) {
        let body = case.bytes("body");
        let mut pay = pay();
        pay.amount = PayAmount::from_fen(1).unwrap();
        if pay.reply(&account(), &reply(200, body.clone()), now()).is_err() {
            continue;
        }
        let message = Message::new(body).header("content-type", "application/json");
        let tally = expect_twins_but(
            &message,
            |mutant| {
                let prepaid = pay.reply(&account(), &response(mutant), now()).map(|prepaid| {
                    assert!(prepaid.amount.is_none_or(|amount| amount == Fen::new(1)));
                    let extra: Vec<_> = prepaid.extra.iter().collect();
                    format!(
                        "{} {:?} {:?} {:?} {:?} {extra:?}",
                        prepaid.prepay_id.as_str(),
                        prepaid.amount,
                        prepaid.net_amount,
                        prepaid.fees,
                        prepaid.notify_url
                    )
                });
                // What `return_value` lacks is named; here it is enough that it is a part of it.
                Outcome::of(prepaid, |error| match word(error) {
                    word if word.starts_with("field return_value") => "field of return_value".to_owned(),
                    word => word,
                })
            },
            &[UNSIGNED],
        );
        tally.expect_reasons(&["field of return_value", "field success", "foreign total_fee", "format"]);
        assert!(tally.refused("foreign total_fee") > 1, "{case}: {tally:?}");
        assert!(tally.same().iter().any(is_of_a_header), "{case}");
    }
}

/// All that a call-back says.
type Said = (OrderNo, String, Option<String>, Fen, Vec<(String, String)>);

fn open(account: &Account, body: &[u8]) -> Outcome<Said> {
    let said = account.open_callback(body).map(|event| {
        let event = event.into_inner();
        let extra = event
            .extra
            .iter()
            .map(|(name, value)| (name.to_owned(), value.to_owned()));
        (
            event.order_no,
            format!("{:?}", event.state),
            event.trade_no.map(|number| number.as_str().to_owned()),
            event.amount,
            extra.collect(),
        )
    });
    Outcome::of(said, open_word)
}

/// Whether this change may go unnoticed: of the unsigned `sign_type`, of the case of escapes' digits, and, where empty
/// values are dropped, of fields that have none.
fn may_stay_unnoticed(body: &str, empty: Option<&str>, Mutation { place, change, .. }: &Mutation) -> bool {
    match place {
        Place::Header(_) | Place::HeaderOctet(..) => true,
        Place::Body(at) => {
            let is_escape = body.get(at - 1..*at) == Some("%") || body.get(at.saturating_sub(2)..at - 1) == Some("%");
            let is_empty_field = empty
                .and_then(|name| body.find(&format!("{name}=")))
                .is_some_and(|from| {
                    let to = from + empty.unwrap_or_default().len();
                    (from..to).contains(at)
                });
            let from = body.find("&sign_type=").unwrap();
            *at >= from || (is_escape && *change == Change::Case) || is_empty_field
        }
        Place::Field(name) => {
            name == "sign_type" && !matches!(change, Change::DoubledBefore | Change::DoubledAfter)
                || Some(&**name) == empty && *change == Change::Removed
        }
        _ => false,
    }
}

fn tally_of(account: &Account, message: &Message, empty: Option<&str>) -> Tally {
    let body = String::from_utf8(message.original().body).unwrap();
    let tally = expect_twins(message, |mutant| open(account, &mutant.body));
    tally.expect_reasons(&["format", "mismatch", "missing-signature"]);
    tally.expect_same_only(|mutation| may_stay_unnoticed(&body, empty, mutation));
    tally
}

#[test]
fn refuses_every_change_to_the_call_backs_of_the_vectors() {
    for case in good(envelope().of("callback_verify")) {
        let account = callback_account(&case);
        let fields = case.expected_fields().unwrap();
        // The signer of T5a drops the empty `retn_info`; that of T5b signs it.
        let empty = case.name().starts_with("t5a").then_some("retn_info");
        let message = Message::new(case.bytes("body")).header("content-type", "application/x-www-form-urlencoded");
        let tally = tally_of(&account, &message, empty);
        assert!(tally.refused("mismatch") > 1000, "{case}: {tally:?}");
        assert!(tally.same().iter().any(is_of_a_header), "{case}");

        // The fields alone: whatever stands twice is no call-back.
        let pairs = fields.iter().map(|(name, value)| (&**name, &**value));
        let message = Message::of_fields(pairs, |pairs| {
            let pairs = pairs
                .iter()
                .map(|(name, value)| format!("{}={}", escaped(name), escaped(value)));
            pairs.collect::<Vec<_>>().join("&").into_bytes()
        });
        let tally = tally_of(&account, &message.octets_at_most(0), empty);
        assert_eq!(tally.refused("format"), 2 * fields.len(), "{case}");
        assert_eq!(tally.refused("missing-signature"), 2, "{case}");
        // `sign_type` removed, emptied and altered; the empty value that was dropped, removed.
        assert_eq!(tally.same().len(), 3 + empty.iter().len(), "{case}");
    }
}

/// A text with every octet that is no letter or digit as an escape.
fn escaped(text: &str) -> String {
    text.bytes()
        .map(|octet| match octet {
            b'0'..=b'9' | b'a'..=b'z' | b'A'..=b'Z' | b'_' => char::from(octet).to_string(),
            _ => format!("%{octet:02X}"),
        })
        .collect()
}
