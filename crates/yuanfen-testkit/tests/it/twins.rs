//! Twins find verifiers that accept too much.

use std::collections::BTreeSet;
use std::panic::{AssertUnwindSafe, catch_unwind};

use yuanfen_testkit::oracle::{Map, v2_md5};
use yuanfen_testkit::{Change, Message, Mutant, Outcome, Place, Weakness, expect_twins, expect_twins_but};

const KEY: &str = "a key";

fn pairs() -> Vec<(String, String)> {
    let fields: Map = [("amount", "100"), ("order", "A1"), ("note", "")]
        .map(|(name, value)| (name.to_owned(), value.to_owned()))
        .into();
    let mut pairs: Vec<_> = fields.clone().into_iter().collect();
    pairs.push(("sign".to_owned(), v2_md5(&fields, KEY)));
    pairs
}

fn render(pairs: &[(String, String)]) -> Vec<u8> {
    let lines: Vec<_> = pairs.iter().map(|(name, value)| format!("{name}={value}")).collect();
    lines.join("\n").into_bytes()
}

fn message() -> Message {
    let pairs = pairs();
    Message::of_fields(
        pairs.iter().map(|(name, value)| (name.as_str(), value.as_str())),
        render,
    )
}

fn read(mutant: &Mutant) -> Result<Map, &'static str> {
    let text = std::str::from_utf8(&mutant.body).map_err(|_| "not-text")?;
    let mut fields = Map::new();
    for line in text.split('\n') {
        let (name, value) = line.split_once('=').ok_or("form")?;
        if fields.insert(name.to_owned(), value.to_owned()).is_some() {
            return Err("duplicate");
        }
    }
    Ok(fields)
}

/// A verifier of the same small protocol, with a switch for each mistake.
fn open(mutant: &Mutant, careless: bool) -> Result<(String, String), &'static str> {
    let fields = read(mutant)?;
    let sign = fields.get("sign").filter(|sign| !sign.is_empty());
    if !careless && sign.ok_or("missing-signature")?.to_uppercase() != v2_md5(&fields, KEY) {
        return Err("mismatch");
    }
    let take = |name: &str| fields.get(name).cloned().ok_or("field-missing");
    Ok((take("amount")?, take("order")?))
}

fn outcome<T>(result: Result<T, &'static str>) -> Outcome<T> {
    Outcome::of(result, |error| (*error).to_owned())
}

fn panic_of<T: std::fmt::Debug>(run: impl FnOnce() -> T) -> String {
    *catch_unwind(AssertUnwindSafe(run))
        .expect_err("should have panicked")
        .downcast::<String>()
        .unwrap()
}

#[test]
fn an_honest_verifier_passes_and_the_tally_says_why() {
    let message = message();
    let tally = expect_twins(&message, |mutant| outcome(open(mutant, false)));
    tally.expect_reasons(&["duplicate", "form", "mismatch", "missing-signature"]);
    tally.expect_same_only(|mutation| match &mutation.place {
        // The name of an empty field is not signed, and the case of the hex digits does not count.
        Place::Body(11..=14) => true,
        Place::Body(31..) => mutation.change == Change::Case,
        Place::Field(name) => name == "note" && mutation.change == Change::Removed,
        _ => false,
    });
    assert_eq!(tally.refused("missing-signature"), 2 + removed_equals_sign());
    let total: usize = tally.by_reason().values().sum();
    assert_eq!(total + tally.same().len(), message.mutants().count());
    assert!(!tally.same().is_empty());
}

/// Twins that lose the signature beside the two of the field itself: the four letters of its name changed, in the
/// ways that leave another name, without its line growing into a duplicate or losing its form.
fn removed_equals_sign() -> usize {
    let message = message();
    message
        .mutants()
        .filter(|mutant| {
            matches!(
                mutant.mutation.as_ref().map(|mutation| &mutation.place),
                Some(Place::Body(_))
            )
        })
        .filter(|mutant| read(mutant).is_ok_and(|fields| fields.get("sign").is_none_or(String::is_empty)))
        .count()
}

#[test]
fn a_verifier_that_always_says_yes_is_found() {
    let message = panic_of(|| expect_twins(&message(), |mutant| outcome(open(mutant, true))));
    assert!(message.contains("opened into something else"), "{message}");
}

#[test]
fn a_verifier_that_always_says_yes_to_headers_is_found() {
    let message = Message::new("body").header("nonce", "n1").header("signature", "s1");
    let seen = panic_of(|| {
        expect_twins(&message, |mutant| match mutant.header("signature") {
            Some("s1") if mutant.body == b"body" => Outcome::Opened(mutant.header("nonce").map(str::to_owned)),
            _ => Outcome::Refused("mismatch".to_owned()),
        })
    });
    assert!(seen.contains("header `nonce`"), "{seen}");
}

#[test]
fn a_reader_that_says_no_to_everything_is_found() {
    let seen = panic_of(|| expect_twins(&message(), |_| Outcome::<()>::Refused("mismatch".to_owned())));
    assert!(seen.contains("the message unchanged: refused for `mismatch`"), "{seen}");
}

#[test]
fn a_reader_that_panics_is_found_with_the_twin() {
    let seen = panic_of(|| {
        expect_twins(&Message::new("body"), |mutant| {
            assert_eq!(mutant.body.len(), 4, "length");
            Outcome::Opened(())
        })
    });
    assert!(
        seen.starts_with("octet 0 of the body: deleted: opening it panicked"),
        "{seen}"
    );
}

#[test]
fn a_weakness_is_stated_and_must_be_real() {
    let open = |mutant: &Mutant| match mutant.body.as_slice() {
        [b'a', rest @ ..] => Outcome::Opened(rest.to_vec()),
        _ => Outcome::Refused("form".to_owned()),
    };
    let message = Message::new("ab");
    let stated = Weakness {
        why: "only the first octet is proven",
        explains: |mutation| mutation.place == Place::Body(1) || mutation.change == Change::Repeated,
    };
    let tally = expect_twins_but(&message, open, &[stated]);
    tally.expect_reasons(&["form"]);
    let seen = panic_of(|| {
        let unreal = Weakness {
            why: "nobody looks",
            explains: |_| false,
        };
        expect_twins_but(&message, open, &[stated, unreal])
    });
    assert!(seen.contains("no twin shows the weakness `nobody looks`"), "{seen}");
}

#[test]
fn the_tally_panics_for_reasons_and_twins_that_were_not_stated() {
    let tally = || expect_twins(&message(), |mutant| outcome(open(mutant, false)));
    let seen = panic_of(|| tally().expect_reasons(&["mismatch"]));
    assert!(seen.contains("missing-signature"), "{seen}");
    let seen = panic_of(|| tally().expect_same_only(|_| false));
    assert!(seen.contains("opened into the same: octet"), "{seen}");
}

#[test]
fn every_octet_every_header_and_every_field_has_its_twins() {
    let message = Message::of_fields([("a", "1"), ("b", "")], render).header("h", "xY");
    let described: BTreeSet<String> = message.mutants().map(|mutant| mutant.to_string()).collect();
    for wanted in [
        "octet 0 of the body: lowest bit flipped",
        "octet 0 of the body: in the other case",
        "octet 5 of the body: deleted",
        "octet 5 of the body: repeated",
        "header `h`: removed",
        "header `h`: emptied",
        "header `h`: another value",
        "header `h`: twice, first with another value",
        "header `h`: twice, second with another value",
        "octet 1 of header `h`: in the other case",
        "field `a`: removed",
        "field `a`: emptied",
        "field `a`: another value",
        "field `b`: twice, first with another value",
        "field `b`: twice, second with another value",
        "field `unheard_of`: added",
    ] {
        assert!(described.contains(wanted), "{wanted}: not among {described:#?}");
    }
    assert!(
        !described.contains("octet 1 of the body: in the other case"),
        "`=` has no case"
    );
    assert!(!described.contains("field `b`: emptied"), "`b` is empty already");
    // Six octets of body, two of them letters; two of header, both letters; five header and nine field twins, one more added.
    assert_eq!(message.mutants().count(), 6 * 3 + 2 + 2 * 4 + 5 + 9 + 1);
    let original = message.original();
    for mutant in message.mutants() {
        assert!(
            mutant.body != original.body || mutant.headers != original.headers,
            "{mutant}: changes nothing"
        );
    }
}

#[test]
fn long_bodies_are_sampled_evenly() {
    let message = Message::new(vec![b'1'; 10_000]).octets_at_most(100);
    let places: BTreeSet<usize> = message
        .mutants()
        .filter_map(|mutant| match mutant.mutation?.place {
            Place::Body(at) => Some(at),
            _ => None,
        })
        .collect();
    assert_eq!(places.len(), 100);
    assert_eq!((places.first(), places.last()), (Some(&0), Some(&9900)));
    assert_eq!(Message::new("body").octets_at_most(0).mutants().count(), 0);
    assert_eq!(Message::new("").mutants().count(), 0);
}

#[test]
fn headers_stay_text_whatever_is_changed() {
    let message = Message::new("").header("h", "é1");
    let flipped: Vec<_> = message.mutants().map(|mutant| mutant.headers).collect();
    assert!(flipped.contains(&vec![("h".to_owned(), "é0".to_owned())]));
    // A changed octet inside a character leaves no text: only those twins that are texts are there.
    assert!(
        flipped
            .iter()
            .flatten()
            .all(|(_, value)| value.chars().all(|letter| letter != '\u{fffd}'))
    );
}

#[test]
fn a_mutant_becomes_a_request_or_a_response() {
    let original = Message::new("body").header("X-Nonce", "n").original();
    let request = original.request("https://host.example/notify").unwrap();
    assert_eq!(
        (
            request.method().as_str(),
            request.headers().get("x-nonce").unwrap().as_bytes()
        ),
        ("POST", b"n".as_slice())
    );
    assert_eq!(original.response(200).unwrap().body().as_ref(), b"body");
    let broken = Message::new("").header("a b", "n").original();
    assert!(broken.request("/").is_none() && broken.response(200).is_none());
}
