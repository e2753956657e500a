//! What each failure says of the money, and how it says it.

use std::error::Error as _;

use yuanfen_core::{
    Address, Advice, Again, BuildError, CodeMeaning, CodePaymentEvent, Effect, Error, ErrorKind, Fate, FieldError,
    KeysUnavailable, MoneyError, OpenError, OrderNo, ProtocolError, ProtocolErrorKind, Refusal, RefusalKind,
    ReplyTrust, Rule, Sent, SignError, SignatureError, Standing, TransportError, TransportErrorKind, ValueError,
};

use crate::fake::info;

const EFFECTS: [Effect; 3] = [Effect::Read, Effect::Repeatable, Effect::QueryFirst];
const WRITES: [Effect; 2] = [Effect::Repeatable, Effect::QueryFirst];
const TRUSTS: [ReplyTrust; 3] = [ReplyTrust::Signed, ReplyTrust::Unsigned, ReplyTrust::File];

fn build() -> ErrorKind {
    ErrorKind::Build(BuildError::Missing {
        field: "openid",
        when: "for JSAPI",
    })
}

fn transport(kind: TransportErrorKind, sent: Sent) -> ErrorKind {
    ErrorKind::Transport(TransportError::new(kind, sent, None))
}

pub(crate) fn refusal(fate: Fate, kind: RefusalKind, verified: bool) -> ErrorKind {
    let meaning = CodeMeaning::new(fate, kind, "read the sheet", "a test");
    let refusal = Refusal::new("CODE", "words", meaning);
    ErrorKind::Business(Box::new(if verified { refusal.verified() } else { refusal }))
}

fn of(effect: Effect, trust: ReplyTrust, kind: ErrorKind) -> (Fate, Advice) {
    let error = Error::new(info(effect, trust), kind);
    (error.fate(), error.advice())
}

#[test]
fn what_could_not_be_built_was_not_sent_and_is_not_repeated() {
    for effect in EFFECTS {
        for trust in TRUSTS {
            assert_eq!(of(effect, trust, build()), (Fate::NotSent, Advice::Stop));
        }
    }
}

#[test]
fn what_could_not_be_built_after_a_lost_reply_is_asked_about() {
    for (effect, earlier, advice) in [
        (Effect::Read, Fate::Unknown, Advice::Stop),
        (Effect::Repeatable, Fate::Unknown, Advice::QueryFirst),
        (Effect::QueryFirst, Fate::Unknown, Advice::QueryFirst),
        (Effect::Repeatable, Fate::Refused, Advice::Stop),
        (Effect::Repeatable, Fate::NotSent, Advice::Stop),
        (Effect::Repeatable, Fate::Already, Advice::Query),
    ] {
        let unbuilt = build();
        let unsendable = transport(TransportErrorKind::Refused, Sent::No);
        for kind in [unbuilt, unsendable] {
            let error = Error::new(info(effect, ReplyTrust::Signed), kind).after(earlier);
            assert_eq!(
                (error.fate(), error.advice()),
                (earlier, advice),
                "{effect:?} {earlier:?}"
            );
        }
    }
}

/// Each way to be without keys, and whether the same may go well later.
fn without_keys() -> Vec<(KeysUnavailable, bool)> {
    let carried = |kind, sent| KeysUnavailable::not_carried(TransportError::new(kind, sent, None));
    let opened = |error: OpenError| KeysUnavailable::not_opened(error);
    let refused = |kind| match refusal(Fate::Refused, kind, true) {
        ErrorKind::Business(refusal) => opened(OpenError::Business(refusal)),
        other => panic!("{other:?}"),
    };
    let unknown = || SignatureError::UnknownKey { serial: "A".to_owned() };
    let not_configured = || SignatureError::KeyNotConfigured {
        serial: "A".to_owned(),
        remedy: "set it",
    };
    vec![
        (KeysUnavailable::not_configured(), false),
        (KeysUnavailable::not_valid(), false),
        (KeysUnavailable::not_built(BuildError::Setup { what: "key" }), false),
        (carried(TransportErrorKind::Refused, Sent::No), false),
        (carried(TransportErrorKind::Connect, Sent::No), true),
        (carried(TransportErrorKind::Timeout, Sent::Maybe), true),
        (opened(ProtocolError::new(ProtocolErrorKind::Decrypt).into()), false),
        (opened(ProtocolError::new(ProtocolErrorKind::Html).into()), true),
        (opened(SignatureError::Stale { skew_seconds: 400 }.into()), false),
        (opened(not_configured().into()), false),
        (opened(unknown().into()), true),
        (opened(SignatureError::Mismatch.into()), true),
        (refused(RefusalKind::Configuration), false),
        (refused(RefusalKind::Declined), false),
        (refused(RefusalKind::Throttled), true),
        (refused(RefusalKind::Unclear), true),
    ]
}

#[test]
fn what_nothing_could_have_checked_was_not_sent_and_waits_or_is_mended() {
    for (keys, may_pass) in without_keys() {
        assert_eq!(keys.may_pass(), may_pass, "{keys:?}");
        let advice = if may_pass { Advice::RepeatLater } else { Advice::Stop };
        for effect in EFFECTS {
            let outcome = of(effect, ReplyTrust::Signed, ErrorKind::Keys(keys.clone()));
            assert_eq!(outcome, (Fate::NotSent, advice), "{effect:?} {keys:?}");
        }
        // After a lost reply nothing is repeated for want of a key either.
        let error = Error::new(info(Effect::QueryFirst, ReplyTrust::Signed), ErrorKind::Keys(keys));
        let error = error.after(Fate::Unknown);
        assert_eq!((error.fate(), error.advice()), (Fate::Unknown, Advice::QueryFirst));
    }
}

/// Whoever waited for the same fetch is told the same, down to what failed and in its own type.
#[test]
fn a_lack_of_keys_names_what_failed() {
    let cause = TransportError::new(TransportErrorKind::Connect, Sent::No, None);
    let keys = KeysUnavailable::not_carried(cause);
    let error = Error::new(
        info(Effect::Repeatable, ReplyTrust::Signed),
        ErrorKind::Keys(keys.clone()),
    );
    assert!(
        error.to_string().contains("no key could have checked the reply"),
        "{error}"
    );
    let told = error.source().unwrap();
    assert_eq!(told.to_string(), "the platform's keys could not be fetched");
    assert!(told.source().unwrap().is::<TransportError>());
    assert!(keys.source().unwrap().is::<TransportError>());
    assert!(KeysUnavailable::not_valid().source().is_none());
    assert!(error.refusal().is_none() && error.remote_request_id().is_none());
}

#[test]
fn a_wire_that_failed_before_sending_may_be_tried_again() {
    use TransportErrorKind::{Connect, ConnectTimeout, Cut, Other, Signer, Timeout, Tls, TooLarge};
    for kind in [Connect, ConnectTimeout, Tls, Signer, Other] {
        for effect in EFFECTS {
            let outcome = of(effect, ReplyTrust::Signed, transport(kind, Sent::No));
            assert_eq!(outcome, (Fate::NotSent, Advice::Repeat));
        }
    }
    for kind in [Timeout, Cut, TooLarge, Other] {
        for (effect, advice) in EFFECTS
            .into_iter()
            .zip([Advice::Repeat, Advice::Repeat, Advice::QueryFirst])
        {
            let outcome = of(effect, ReplyTrust::Signed, transport(kind, Sent::Maybe));
            assert_eq!(outcome, (Fate::Unknown, advice));
        }
    }
}

#[test]
fn a_reply_that_cannot_be_read_or_proven_settles_nothing() {
    let kinds = || {
        [
            ErrorKind::Protocol(ProtocolError::new(ProtocolErrorKind::Empty)),
            ErrorKind::Protocol(ProtocolError::new(ProtocolErrorKind::Status(502))),
            ErrorKind::Protocol(FieldError::new("prepay_id", ValueError::Missing).into()),
            ErrorKind::Signature(SignatureError::Mismatch),
            ErrorKind::Signature(SignatureError::Missing { part: "sign" }),
            ErrorKind::Signature(SignatureError::UnknownKey { serial: "S".to_owned() }),
            ErrorKind::Signature(SignatureError::Stale { skew_seconds: 301 }),
        ]
    };
    for trust in TRUSTS {
        for (effect, advice) in EFFECTS
            .into_iter()
            .zip([Advice::Repeat, Advice::Repeat, Advice::QueryFirst])
        {
            for kind in kinds() {
                assert_eq!(of(effect, trust, kind), (Fate::Unknown, advice));
            }
        }
    }
}

#[test]
fn a_proven_refusal_is_what_its_code_means() {
    for trust in TRUSTS {
        for effect in EFFECTS {
            for (fate, kind, advice) in [
                (Fate::Refused, RefusalKind::Declined, Advice::Stop),
                (Fate::Refused, RefusalKind::Throttled, Advice::RepeatLater),
                (Fate::Refused, RefusalKind::NotYet, Advice::RepeatLater),
                (Fate::Already, RefusalKind::Already, Advice::Query),
            ] {
                assert_eq!(of(effect, trust, refusal(fate, kind, true)), (fate, advice));
            }
        }
    }
}

#[test]
fn an_unproven_refusal_counts_only_where_the_route_signs_nothing_or_the_call_reads() {
    let declined = || refusal(Fate::Refused, RefusalKind::Declined, false);
    let already = || refusal(Fate::Already, RefusalKind::Already, false);
    for effect in WRITES {
        assert_eq!(of(effect, ReplyTrust::Signed, declined()).0, Fate::Unknown);
        assert_eq!(of(effect, ReplyTrust::Signed, already()).0, Fate::Unknown);
        assert_eq!(
            of(effect, ReplyTrust::Unsigned, declined()),
            (Fate::Refused, Advice::Stop)
        );
        assert_eq!(
            of(effect, ReplyTrust::Unsigned, already()),
            (Fate::Already, Advice::Query)
        );
    }
    assert_eq!(of(Effect::Repeatable, ReplyTrust::Signed, declined()).1, Advice::Repeat);
    assert_eq!(
        of(Effect::QueryFirst, ReplyTrust::Signed, declined()).1,
        Advice::QueryFirst
    );
    for trust in TRUSTS {
        assert_eq!(of(Effect::Read, trust, declined()), (Fate::Refused, Advice::Stop));
    }
    let throttled = || refusal(Fate::Refused, RefusalKind::Throttled, false);
    assert_eq!(
        of(Effect::Repeatable, ReplyTrust::Signed, throttled()),
        (Fate::Unknown, Advice::RepeatLater)
    );
    assert_eq!(
        of(Effect::QueryFirst, ReplyTrust::Signed, throttled()),
        (Fate::Unknown, Advice::QueryFirst)
    );
}

#[test]
fn an_earlier_fate_is_joined_in() {
    let declined = || refusal(Fate::Refused, RefusalKind::Declined, true);
    let error = |kind| Error::new(info(Effect::QueryFirst, ReplyTrust::Signed), kind);
    let after_timeout = error(declined()).after(Fate::Unknown);
    assert_eq!(
        (after_timeout.fate(), after_timeout.advice()),
        (Fate::Unknown, Advice::QueryFirst)
    );
    let settled = error(transport(TransportErrorKind::Timeout, Sent::Maybe)).after(Fate::Already);
    assert_eq!((settled.fate(), settled.advice()), (Fate::Already, Advice::Query));
    assert_eq!(
        error(declined()).after(Fate::Unknown).after(Fate::NotSent).fate(),
        Fate::Unknown
    );
}

#[test]
fn a_code_that_no_table_has_is_unknown_for_a_write() {
    assert_eq!(CodeMeaning::unknown(Effect::Read).fate, Fate::Refused);
    for effect in WRITES {
        let meaning = CodeMeaning::unknown(effect);
        assert_eq!((meaning.fate, meaning.kind), (Fate::Unknown, RefusalKind::Unclear));
    }
}

#[test]
fn a_row_says_whether_the_request_may_be_sent_again() {
    let row = |fate, kind| CodeMeaning::new(fate, kind, "read the sheet", "a test");
    for (fate, kind, again) in [
        (Fate::NotSent, RefusalKind::Declined, Again::Now),
        (Fate::Refused, RefusalKind::Declined, Again::No),
        (Fate::Refused, RefusalKind::Already, Again::No),
        (Fate::Refused, RefusalKind::NotFound, Again::No),
        (Fate::Refused, RefusalKind::Nothing, Again::No),
        (Fate::Refused, RefusalKind::Pending, Again::No),
        (Fate::Refused, RefusalKind::Unclear, Again::No),
        (Fate::Refused, RefusalKind::Configuration, Again::WhenMended),
        (Fate::Refused, RefusalKind::Throttled, Again::Later),
        (Fate::Refused, RefusalKind::NotYet, Again::Later),
        (Fate::Unknown, RefusalKind::Throttled, Again::Later),
        (Fate::Unknown, RefusalKind::Unclear, Again::ByEffect),
        (Fate::Unknown, RefusalKind::Pending, Again::ByEffect),
        (Fate::Already, RefusalKind::Already, Again::No),
        (Fate::Already, RefusalKind::Throttled, Again::No),
    ] {
        assert_eq!(row(fate, kind).again, again, "{fate:?} {kind:?}");
    }
    let balance_short = row(Fate::Refused, RefusalKind::Declined).with_again(Again::WhenMended);
    assert_eq!(balance_short.again, Again::WhenMended);
    assert_eq!(balance_short.fate, Fate::Refused);
}

#[test]
fn an_error_says_whether_the_request_may_be_sent_again() {
    let again = |effect, kind| Error::new(info(effect, ReplyTrust::Signed), kind).again();
    let timeout = || transport(TransportErrorKind::Timeout, Sent::Maybe);
    assert_eq!(again(Effect::Repeatable, build()), Again::WhenMended);
    let unsendable = transport(TransportErrorKind::Refused, Sent::No);
    assert_eq!(again(Effect::QueryFirst, unsendable), Again::WhenMended);
    let unreachable = transport(TransportErrorKind::Connect, Sent::No);
    assert_eq!(again(Effect::QueryFirst, unreachable), Again::Now);
    assert_eq!(again(Effect::Read, timeout()), Again::Now);
    assert_eq!(again(Effect::Repeatable, timeout()), Again::Now);
    assert_eq!(again(Effect::QueryFirst, timeout()), Again::AfterQuery);
    let declined = |verified| refusal(Fate::Refused, RefusalKind::Declined, verified);
    assert_eq!(again(Effect::QueryFirst, declined(true)), Again::No);
    assert_eq!(again(Effect::QueryFirst, declined(false)), Again::AfterQuery);
    let already = refusal(Fate::Already, RefusalKind::Already, true);
    assert_eq!(again(Effect::Repeatable, already), Again::No);
    let throttled = |verified| refusal(Fate::Unknown, RefusalKind::Throttled, verified);
    assert_eq!(again(Effect::Repeatable, throttled(true)), Again::Later);
    assert_eq!(again(Effect::Repeatable, throttled(false)), Again::Later);
    assert_eq!(again(Effect::QueryFirst, throttled(true)), Again::AfterQuery);
}

#[test]
fn a_row_that_forbids_a_repeat_is_obeyed_and_one_that_allows_it_is_not_obeyed_blindly() {
    let with = |effect, fate, again| {
        let meaning = CodeMeaning::new(fate, RefusalKind::Unclear, "read the sheet", "a test").with_again(again);
        let refusal = Refusal::new("CODE", "words", meaning).verified();
        let error = Error::new(info(effect, ReplyTrust::Signed), ErrorKind::Business(Box::new(refusal)));
        (error.again(), error.advice())
    };
    let never = with(Effect::Repeatable, Fate::Unknown, Again::No);
    assert_eq!(never, (Again::No, Advice::QueryFirst));
    let asked = with(Effect::Repeatable, Fate::Unknown, Again::AfterQuery);
    assert_eq!(asked, (Again::AfterQuery, Advice::QueryFirst));
    let allowed = with(Effect::QueryFirst, Fate::Unknown, Again::Now);
    assert_eq!(allowed, (Again::AfterQuery, Advice::QueryFirst));
    let busy = with(Effect::QueryFirst, Fate::Refused, Again::Now);
    assert_eq!(busy, (Again::Now, Advice::Repeat));
    let mended = with(Effect::QueryFirst, Fate::Refused, Again::WhenMended);
    assert_eq!(mended, (Again::WhenMended, Advice::Stop));
}

#[test]
fn a_final_refusal_after_a_lost_reply_is_asked_about_not_repeated() {
    let declined = refusal(Fate::Refused, RefusalKind::Declined, true);
    let error = Error::new(info(Effect::Repeatable, ReplyTrust::Signed), declined).after(Fate::Unknown);
    assert_eq!(
        (error.fate(), error.again(), error.advice()),
        (Fate::Unknown, Again::No, Advice::QueryFirst)
    );
}

#[test]
fn an_error_says_what_and_its_source_says_why() {
    let error = Error::new(
        info(Effect::QueryFirst, ReplyTrust::Signed),
        refusal(Fate::Refused, RefusalKind::Declined, true),
    );
    assert_eq!(
        error.to_string(),
        "fake.call: the platform said no; nothing was done; mend the request, do not repeat it"
    );
    assert_eq!(
        error.source().unwrap().to_string(),
        "the platform refused with CODE (words): read the sheet"
    );
    let unproven = Refusal::new("", "words", CodeMeaning::unknown(Effect::Read));
    assert!(
        unproven
            .to_string()
            .starts_with("the platform refused with no code (words)")
    );
    assert!(unproven.to_string().ends_with("(no signature proves this answer)"));
}

#[test]
fn no_display_repeats_its_source() {
    let cause = || Box::<dyn std::error::Error + Send + Sync>::from("the cause itself");
    let protocol = ProtocolError::new(ProtocolErrorKind::Format)
        .with_status(200)
        .with_source(cause());
    let errors: Vec<ErrorKind> = vec![
        ErrorKind::Build(BuildError::encode(cause())),
        ErrorKind::Build(BuildError::Sign(SignError::with_source("the HSM is away", cause()))),
        ErrorKind::Transport(TransportError::new(TransportErrorKind::Cut, Sent::Maybe, Some(cause()))),
        ErrorKind::Protocol(protocol),
        OpenError::from(SignatureError::Mismatch).into(),
        OpenError::from(FieldError::new("sign", ValueError::Missing)).into(),
        refusal(Fate::Refused, RefusalKind::Declined, false),
    ];
    for kind in errors {
        let error = Error::new(info(Effect::Read, ReplyTrust::Signed), kind);
        let mut outer = error.to_string();
        let mut next = error.source();
        assert!(next.is_some());
        while let Some(inner) = next {
            let text = inner.to_string();
            assert!(!outer.contains(&text), "{outer:?} repeats {text:?}");
            assert!(!text.ends_with('.'), "{text}");
            outer = text;
            next = inner.source();
        }
    }
}

#[test]
fn a_build_error_names_its_field() {
    let rule = Rule::new("body", 1).check("ab").unwrap_err();
    let address = BuildError::from(Address::parse("notify_url", "ftp://a.example").unwrap_err());
    for (error, field, words) in [
        (
            rule,
            Some("body"),
            "`body` has 2 characters, at most 1 are allowed (the platform's field table)",
        ),
        (
            address,
            Some("notify_url"),
            "`notify_url` is neither https nor http to loopback",
        ),
        (
            BuildError::money("total_fee", MoneyError::Zero),
            Some("total_fee"),
            "`total_fee`: amount is zero, at least 1 fen is required",
        ),
        (
            BuildError::number("out_trade_no", OrderNo::new("").unwrap_err()),
            Some("out_trade_no"),
            "`out_trade_no`: order number is empty",
        ),
        (
            BuildError::Missing {
                field: "openid",
                when: "for JSAPI",
            },
            Some("openid"),
            "`openid` is required for JSAPI",
        ),
        (
            BuildError::Setup { what: "certificate" },
            None,
            "the account has no certificate",
        ),
    ] {
        assert_eq!(error.field(), field);
        assert_eq!(error.to_string(), words);
    }
}

#[test]
fn an_unreadable_body_is_told_apart() {
    for (body, kind) in [
        (&b""[..], ProtocolErrorKind::Empty),
        (b" \r\n\t", ProtocolErrorKind::Empty),
        (b"\xef\xbb\xbf", ProtocolErrorKind::Empty),
        (b"<!DOCTYPE html><p>", ProtocolErrorKind::Html),
        (b"\n <html lang=\"zh\">", ProtocolErrorKind::Html),
        (b"\xef\xbb\xbf<HTML>", ProtocolErrorKind::Html),
        (b"<head><title>502", ProtocolErrorKind::Html),
        (b"<xml><a>", ProtocolErrorKind::Format),
        (b"{\"a\":", ProtocolErrorKind::Format),
        (b"<!DOCTYPE xml [", ProtocolErrorKind::Format),
        (b"\xff\xfe", ProtocolErrorKind::Format),
    ] {
        let error = ProtocolError::unreadable(body, "the codec's words");
        assert_eq!(error.kind, kind, "{body:?}");
        assert_eq!(error.source().unwrap().to_string(), "the codec's words");
    }
}

#[test]
fn a_refusal_is_reachable_from_the_error() {
    let mut refused = Refusal::new("FREQ_LIMITED", "slow down", CodeMeaning::unknown(Effect::Read));
    refused.remote_request_id = Some("08F7".to_owned());
    refused.detail = Some("planted-detail".into());
    let error = Error::new(info(Effect::Read, ReplyTrust::Signed), OpenError::from(refused).into());
    assert_eq!(error.refusal().unwrap().code, "FREQ_LIMITED");
    assert_eq!(error.remote_request_id(), Some("08F7"));
    let shown = format!("{error} {error:?} {}", error.source().unwrap());
    assert!(shown.contains("08F7") && !shown.contains("planted-detail"));
    assert!(
        Error::new(info(Effect::Read, ReplyTrust::Signed), build())
            .refusal()
            .is_none()
    );
}

#[test]
fn the_platform_s_words_stay_on_one_line() {
    let refused = Refusal::new(
        "A\r",
        "it's \"so\"\n2026 ERROR 支付",
        CodeMeaning::unknown(Effect::Read),
    );
    assert!(
        refused
            .to_string()
            .starts_with(r#"the platform refused with A\r (it's "so"\n2026 ERROR 支付): "#)
    );
    let unknown = SignatureError::UnknownKey {
        serial: "S\nT".to_owned(),
    };
    assert!(unknown.to_string().starts_with(r"no key with serial `S\nT` is known"));
}

#[test]
fn errors_cross_threads() {
    fn crosses<T: std::error::Error + Send + Sync + 'static>() {}
    crosses::<Error>();
    crosses::<OpenError>();
    crosses::<BuildError>();
    crosses::<TransportError>();
    crosses::<Refusal>();
}

#[test]
fn a_question_that_got_no_good_answer_changed_nothing() {
    let timeout = || transport(TransportErrorKind::Timeout, Sent::Maybe);
    let asked = Error::new(info(Effect::Read, ReplyTrust::Signed), timeout());
    assert_eq!(asked.fate(), Fate::Unknown);
    assert_eq!(
        asked.verdict(),
        "nothing was learned, and nothing changed; repeat the identical request"
    );
    for effect in WRITES {
        let done = Error::new(info(effect, ReplyTrust::Signed), timeout());
        assert!(
            done.verdict().starts_with("it may have been done; "),
            "{}",
            done.verdict()
        );
        assert!(done.to_string().ends_with(&done.verdict()), "{done}");
    }
}

#[test]
fn a_failed_query_says_what_stands_only_where_that_is_proven() {
    let standing = |trust, kind, verified| {
        let refused = refusal(Fate::Refused, kind, verified);
        Error::new(info(Effect::Read, trust), refused).standing()
    };
    for (kind, found) in [
        (RefusalKind::NotFound, Some(Standing::NotFound)),
        (RefusalKind::Pending, Some(Standing::Pending)),
        (RefusalKind::Declined, None),
        (RefusalKind::Unclear, None),
    ] {
        assert_eq!(standing(ReplyTrust::Signed, kind, true), found);
        assert_eq!(standing(ReplyTrust::Signed, kind, false), None);
        assert_eq!(standing(ReplyTrust::Unsigned, kind, false), found);
    }
    let cut = transport(TransportErrorKind::Cut, Sent::Maybe);
    let cut = Error::new(info(Effect::Read, ReplyTrust::Signed), cut);
    assert_eq!(cut.standing(), None);
}

#[test]
fn a_failed_call_of_a_code_payment_is_read_for_what_it_proves() {
    use CodePaymentEvent as Event;
    let error = |kind| Error::new(info(Effect::QueryFirst, ReplyTrust::Signed), kind);
    let timeout = || error(transport(TransportErrorKind::Timeout, Sent::Maybe));
    let typing = |verified| error(refusal(Fate::Unknown, RefusalKind::Pending, verified));
    let declined = |verified| error(refusal(Fate::Refused, RefusalKind::Declined, verified));
    let throttled = |verified| error(refusal(Fate::Refused, RefusalKind::Throttled, verified));

    assert_eq!(Event::of_failed_payment(&timeout()), Event::PayFailed(Fate::Unknown));
    assert_eq!(
        Event::of_failed_payment(&error(build())),
        Event::PayFailed(Fate::NotSent)
    );
    assert_eq!(Event::of_failed_payment(&typing(true)), Event::Typing);
    assert_eq!(
        Event::of_failed_payment(&typing(false)),
        Event::PayFailed(Fate::Unknown)
    );
    assert_eq!(
        Event::of_failed_payment(&declined(true)),
        Event::PayFailed(Fate::Refused)
    );
    assert_eq!(
        Event::of_failed_payment(&declined(false)),
        Event::PayFailed(Fate::Unknown)
    );

    assert_eq!(Event::of_failed_query(&timeout()), Event::QueryFailed);
    assert_eq!(Event::of_failed_query(&typing(true)), Event::Stands(Standing::Pending));

    assert_eq!(
        Event::of_failed_reversal(&timeout()),
        Event::ReverseFailed(Fate::Unknown)
    );
    assert_eq!(Event::of_failed_reversal(&typing(true)), Event::ReverseAgain);
    assert_eq!(Event::of_failed_reversal(&throttled(true)), Event::ReverseAgain);
    assert_eq!(
        Event::of_failed_reversal(&throttled(false)),
        Event::ReverseFailed(Fate::Unknown)
    );
    assert_eq!(
        Event::of_failed_reversal(&declined(true)),
        Event::ReverseFailed(Fate::Refused)
    );
}
