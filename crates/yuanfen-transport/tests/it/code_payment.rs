//! Payments by scanned code over the wire, on a clock that moves only when somebody sleeps.

use std::future::{Future, ready};
use std::sync::{Arc, Mutex};
use std::time::Duration;

use bytes::Bytes;
use http::Method;
use yuanfen_core::{
    Ambient, BuildError, CodePaymentCall, CodePaymentEvent, CodePaymentOutcome, CodePaymentRule, Effect, Fate,
    FixedAmbient, OpenError, Operation, OrderNo, Route, Standing, Verified,
};
use yuanfen_transport::{Client, Sent, TakenCodePayment, Transport, TransportError, TransportErrorKind};

use crate::toy::{Message, Outbound, Toy, no, ok, unsigned};

use CodePaymentOutcome as Outcome;

type Taken = TakenCodePayment<String, String, String>;

macro_rules! about_a_number {
    ($name:ident, $operation:literal, $method:ident, $effect:ident) => {
        #[derive(Debug)]
        struct $name {
            order_no: OrderNo,
        }

        impl Operation for $name {
            type Provider = Toy;
            type Inbound = Verified<Message>;
            type Reply = String;
            const ROUTE: Route = Route::new(
                "toy",
                $operation,
                Method::$method,
                concat!("/", $operation),
                Effect::$effect,
            );

            fn encode(&self, _: &Toy, _: &dyn Ambient) -> Result<Outbound, BuildError> {
                let number = self.order_no.as_str();
                if number == UNWRITABLE && $operation == "reverse" {
                    return Err(BuildError::Setup { what: "certificate" });
                }
                Ok(Outbound {
                    method: Method::$method,
                    path: format!("/{}/{number}", $operation),
                    body: "",
                })
            }

            fn decode(&self, _: &Toy, inbound: Verified<Message>) -> Result<String, OpenError> {
                Ok(inbound.into_inner().text)
            }
        }
    };
}

/// A number for which no reversal can be built.
const UNWRITABLE: &str = "A-UNWRITABLE";

about_a_number!(Charge, "charge", POST, QueryFirst);
about_a_number!(Ask, "ask", GET, Read);
about_a_number!(Undo, "reverse", POST, QueryFirst);

impl CodePaymentCall for Charge {
    type Query = Ask;
    type Reverse = Undo;
    const RULE: CodePaymentRule = CodePaymentRule::WECHAT.with_typing_pause(10);

    fn order_no(&self) -> &OrderNo {
        &self.order_no
    }

    fn query(order_no: OrderNo) -> Ask {
        Ask { order_no }
    }

    fn reverse(order_no: OrderNo) -> Undo {
        Undo { order_no }
    }

    fn read_reply(reply: &String) -> CodePaymentEvent {
        match reply.as_str() {
            "SUCCESS" => CodePaymentEvent::Paid,
            "PAYING" => CodePaymentEvent::Typing,
            _ => CodePaymentEvent::PayFailed(Fate::Unknown),
        }
    }

    fn read_standing(found: &String) -> Standing {
        match found.as_str() {
            "SUCCESS" => Standing::Succeeded,
            "NOTPAY" => Standing::Accepted,
            "REVOKED" => Standing::Failed,
            _ => Standing::Pending,
        }
    }

    fn read_reversal(reversed: &String) -> CodePaymentEvent {
        match reversed.as_str() {
            "N" => CodePaymentEvent::Reversed,
            _ => CodePaymentEvent::ReverseAgain,
        }
    }
}

/// What the platform does with one request.
#[derive(Clone, Copy)]
enum Answer {
    Ok(&'static str),
    No(&'static str),
    Unproven(&'static str),
    /// An answer whose signature is wrong.
    Forged(&'static str),
    TimedOut,
    Refused,
}

/// A platform whose answers are listed for each call, the last one for good. What it saw and how long was waited is
/// written down in short: `charge`, `ask`, `reverse`, `wait 5`.
#[derive(Clone)]
struct Platform {
    clock: Arc<FixedAmbient>,
    seen: Arc<Mutex<Vec<String>>>,
    answers: Arc<Mutex<[Vec<Answer>; 3]>>,
    refuses_reversals: bool,
}

impl Platform {
    fn new(charge: &[Answer], ask: &[Answer], reverse: &[Answer]) -> Self {
        Self {
            clock: Arc::new(FixedAmbient::at(1_700_000_000)),
            seen: Arc::default(),
            answers: Arc::new(Mutex::new([charge.to_vec(), ask.to_vec(), reverse.to_vec()])),
            refuses_reversals: false,
        }
    }

    fn client(&self) -> Client<Toy> {
        Client::new(Toy::default(), self.clone()).with_ambient(Arc::clone(&self.clock))
    }

    /// Takes a payment to its end.
    async fn take(&self) -> Taken {
        self.client().take_code_payment(&charge("A1")).call(&self.sleep()).await
    }

    fn sleep(&self) -> impl Fn(Duration) -> std::future::Ready<()> + Send + Sync + use<> {
        let (clock, seen) = (Arc::clone(&self.clock), Arc::clone(&self.seen));
        move |duration| {
            clock.advance(i64::try_from(duration.as_secs()).unwrap());
            seen.lock().unwrap().push(format!("wait {}", duration.as_secs()));
            ready(())
        }
    }

    fn seen(&self) -> Vec<String> {
        self.seen.lock().unwrap().clone()
    }

    fn count(&self, call: &str) -> usize {
        self.seen().iter().filter(|seen| *seen == call).count()
    }
}

impl Transport for Platform {
    fn send(
        &self,
        request: http::Request<Bytes>,
    ) -> impl Future<Output = Result<http::Response<Bytes>, TransportError>> + Send {
        let (call, number) = request.uri().path()[1..].split_once('/').unwrap();
        assert_eq!(number, "A1", "every call is about the same number");
        let queue = ["charge", "ask", "reverse"]
            .iter()
            .position(|name| *name == call)
            .unwrap();
        let queue = &mut self.answers.lock().unwrap()[queue];
        let answer = if queue.len() > 1 { queue.remove(0) } else { queue[0] };
        self.seen.lock().unwrap().push(call.to_owned());
        let fails = |kind, sent| Err(TransportError::new(kind, sent, None));
        ready(match answer {
            Answer::Ok(body) => Ok(ok(body)),
            Answer::No(code) => Ok(no(code)),
            Answer::Unproven(code) => Ok(unsigned(400, code)),
            Answer::Forged(body) => Ok(crate::toy::signed("k1", 12, 200, body)),
            Answer::TimedOut => fails(TransportErrorKind::Timeout, Sent::Maybe),
            Answer::Refused => fails(TransportErrorKind::Connect, Sent::No),
        })
    }

    fn check(&self, request: &http::Request<Bytes>) -> Result<(), TransportError> {
        if self.refuses_reversals && request.uri().path().starts_with("/reverse/") {
            return Err(TransportError::new(TransportErrorKind::Refused, Sent::No, None));
        }
        Ok(())
    }
}

fn charge(order_no: &str) -> Charge {
    Charge {
        order_no: OrderNo::new(order_no).unwrap(),
    }
}

const TYPING: [Answer; 1] = [Answer::Ok("PAYING")];
const LOST: [Answer; 1] = [Answer::TimedOut];
/// For a call that is not expected: it would show in the outcome.
const UNUSED: [Answer; 1] = [Answer::Refused];

#[tokio::test]
async fn a_payment_that_is_answered_with_paid_is_over() {
    let platform = Platform::new(&[Answer::Ok("SUCCESS")], &UNUSED, &UNUSED);
    let taken = platform.take().await;
    assert_eq!(
        (taken.outcome, taken.reply.as_deref()),
        (Outcome::Paid, Some("SUCCESS"))
    );
    assert!(taken.last_error.is_none() && taken.found.is_none() && taken.reversed.is_none());
    assert_eq!(platform.seen(), ["charge"]);
}

#[tokio::test]
async fn a_payment_that_certainly_did_nothing_says_why() {
    for (answer, outcome, fate) in [
        (Answer::No("DECLINED"), Outcome::Refused, Fate::Refused),
        (Answer::No("BUSY"), Outcome::Refused, Fate::Refused),
        (Answer::Refused, Outcome::NotSent, Fate::NotSent),
    ] {
        let platform = Platform::new(&[answer], &UNUSED, &UNUSED);
        let taken = platform.take().await;
        assert_eq!((taken.outcome, taken.last_error.unwrap().fate()), (outcome, fate));
        assert_eq!(platform.seen(), ["charge"]);
    }
}

#[tokio::test]
async fn a_payer_who_types_is_waited_for() {
    for typing in [Answer::Ok("PAYING"), Answer::No("TYPING")] {
        let platform = Platform::new(
            &[typing],
            &[Answer::Ok("PAYING"), Answer::No("TYPING"), Answer::Ok("SUCCESS")],
            &UNUSED,
        );
        let taken = platform.take().await;
        assert_eq!(
            (taken.outcome, taken.found.as_deref()),
            (Outcome::Paid, Some("SUCCESS"))
        );
        assert_eq!(
            platform.seen(),
            ["charge", "wait 10", "ask", "wait 10", "ask", "wait 10", "ask"]
        );
    }
}

/// v2 sheet, section 9: system error, bank error and no answer are asked about; v3 sheet, section 5.4: so is an answer
/// with a wrong signature. "Refused" without a proof is no refusal.
#[tokio::test]
async fn whatever_leaves_it_open_is_asked_about_after_five_seconds() {
    for answer in [
        Answer::TimedOut,
        Answer::No("SYSTEMERROR"),
        Answer::No("BANKERROR"),
        Answer::Unproven("DECLINED"),
        Answer::Unproven("TYPING"),
        Answer::Forged("SUCCESS"),
        Answer::Ok("SOMETHING NEW"),
    ] {
        let platform = Platform::new(&[answer], &[Answer::Ok("SUCCESS")], &UNUSED);
        assert_eq!(platform.take().await.outcome, Outcome::Paid);
        assert_eq!(platform.seen(), ["charge", "wait 5", "ask"]);
    }
}

#[tokio::test]
async fn a_payment_that_failed_in_the_end_was_refused() {
    let platform = Platform::new(&TYPING, &[Answer::Ok("REVOKED")], &UNUSED);
    let taken = platform.take().await;
    assert_eq!(
        (taken.outcome, taken.found.as_deref()),
        (Outcome::Refused, Some("REVOKED"))
    );
}

#[tokio::test]
async fn when_patience_is_over_it_is_asked_about_once_more_and_reversed() {
    let platform = Platform::new(&TYPING, &[Answer::Ok("PAYING")], &[Answer::Ok("N")]);
    let taken = platform.take().await;
    assert_eq!(
        (taken.outcome, taken.reversed.as_deref()),
        (Outcome::Reversed, Some("N"))
    );
    let polls = ["wait 10", "ask"].repeat(4);
    let expected = [&["charge"][..], &polls, &["wait 5", "ask", "reverse"]].concat();
    assert_eq!(platform.seen(), expected);
}

#[tokio::test]
async fn what_the_last_query_finds_paid_is_not_reversed() {
    let asks = [[Answer::Ok("PAYING")].repeat(4), vec![Answer::Ok("SUCCESS")]].concat();
    let platform = Platform::new(&TYPING, &asks, &UNUSED);
    assert_eq!(platform.take().await.outcome, Outcome::Paid);
    assert_eq!((platform.count("ask"), platform.count("reverse")), (5, 0));
}

#[tokio::test]
async fn a_reversal_that_itself_timed_out_is_sent_again() {
    let platform = Platform::new(&LOST, &LOST, &[Answer::TimedOut, Answer::Ok("Y"), Answer::Ok("N")]);
    let taken = platform.take().await;
    assert_eq!(
        (taken.outcome, taken.reversed.as_deref()),
        (Outcome::Reversed, Some("N"))
    );
    assert_eq!(taken.last_error.unwrap().operation(), "reverse");
    let seen = platform.seen();
    assert_eq!(
        seen[seen.len() - 6..],
        ["ask", "reverse", "wait 5", "reverse", "wait 5", "reverse"]
    );
}

#[tokio::test]
async fn reversals_that_all_timed_out_end_in_a_query() {
    let asks = |last| [[Answer::TimedOut].repeat(9), vec![Answer::Ok(last)]].concat();
    let done = Platform::new(&LOST, &asks("REVOKED"), &LOST);
    let taken = done.take().await;
    assert_eq!((taken.outcome, done.count("reverse")), (Outcome::Reversed, 5));
    assert_eq!(done.seen().last().unwrap(), "ask");
    // It stands as paid, but one of the reversals may still arrive and refund it.
    let open = Platform::new(&LOST, &asks("SUCCESS"), &LOST);
    let taken = open.take().await;
    assert_eq!((taken.outcome, open.count("reverse")), (Outcome::StillUnknown, 5));
    assert_eq!(taken.found.as_deref(), Some("SUCCESS"), "what a person should read");
}

#[tokio::test]
async fn a_reversal_that_never_left_is_asked_about_and_tried_again() {
    let platform = Platform::new(&LOST, &LOST, &[Answer::Refused, Answer::Ok("N")]);
    assert_eq!(platform.take().await.outcome, Outcome::Reversed);
    let seen = platform.seen();
    assert_eq!(seen[seen.len() - 5..], ["ask", "reverse", "wait 5", "ask", "reverse"]);
}

#[tokio::test]
async fn a_throttled_reversal_is_sent_again_later() {
    let platform = Platform::new(
        &LOST,
        &LOST,
        &[Answer::No("BUSY"), Answer::No("TYPING"), Answer::Ok("N")],
    );
    assert_eq!(platform.take().await.outcome, Outcome::Reversed);
    assert_eq!(platform.count("reverse"), 3);
}

#[tokio::test]
async fn a_refused_reversal_is_asked_about() {
    for (found, outcome) in [
        ("SUCCESS", Outcome::Paid),
        ("REVOKED", Outcome::Refused),
        ("NOTPAY", Outcome::StillUnknown),
    ] {
        let asks = [[Answer::Ok("PAYING")].repeat(5), vec![Answer::Ok(found)]].concat();
        let platform = Platform::new(&TYPING, &asks, &[Answer::No("DECLINED")]);
        assert_eq!(platform.take().await.outcome, outcome);
        assert_eq!(platform.count("reverse"), 1, "{found}");
    }
}

#[tokio::test]
async fn a_refused_reversal_that_nothing_proves_may_have_been_done() {
    let asks = [[Answer::Ok("PAYING")].repeat(5), vec![Answer::Ok("REVOKED")]].concat();
    let platform = Platform::new(&TYPING, &asks, &[Answer::Unproven("DECLINED")]);
    assert_eq!(platform.take().await.outcome, Outcome::Reversed);
    assert_eq!(platform.count("reverse"), 5);
}

#[tokio::test]
async fn only_a_proven_absence_is_one() {
    let absent = Platform::new(&LOST, &[Answer::No("NOT_FOUND")], &[Answer::No("NOT_FOUND")]);
    let taken = absent.take().await;
    assert_eq!((taken.outcome, absent.count("reverse")), (Outcome::Absent, 1));
    let forged = Platform::new(&LOST, &[Answer::Unproven("NOT_FOUND")], &[Answer::No("NOT_FOUND")]);
    assert_eq!(forged.take().await.outcome, Outcome::StillUnknown);
}

#[tokio::test]
async fn a_number_that_was_used_before_is_never_reversed() {
    for (answer, outcome) in [("SUCCESS", Outcome::Paid), ("PAYING", Outcome::StillUnknown)] {
        let platform = Platform::new(&[Answer::No("PAID")], &[Answer::Ok(answer)], &[Answer::Ok("N")]);
        assert_eq!(platform.take().await.outcome, outcome);
        assert_eq!(platform.count("reverse"), 0);
    }
}

#[tokio::test]
async fn a_cashier_who_cancels_reverses_it_as_soon_as_that_is_allowed() {
    let platform = Platform::new(&TYPING, &[Answer::Ok("PAYING")], &[Answer::Ok("N")]);
    let (cancel, cancelled) = tokio::sync::oneshot::channel::<()>();
    let cancel = Mutex::new(Some(cancel));
    let passes = platform.sleep();
    // The cashier presses "cancel" during the first wait, which never ends by itself.
    let sleep = |duration| {
        let first = cancel.lock().unwrap().take();
        if first.is_none() {
            let () = passes(duration).into_inner();
        }
        async move {
            if let Some(cancel) = first {
                cancel.send(()).unwrap();
                std::future::pending::<()>().await;
            }
        }
    };
    let client = platform.client();
    let charge = charge("A1");
    let taken = client
        .take_code_payment(&charge)
        .give_up_when(cancelled)
        .call(&sleep)
        .await;
    assert_eq!(taken.outcome, Outcome::Reversed);
    assert_eq!(platform.seen(), ["charge", "wait 15", "ask", "reverse"]);
}

#[tokio::test]
async fn a_cashier_who_cancels_too_late_finds_it_paid() {
    let platform = Platform::new(&LOST, &[Answer::Ok("SUCCESS")], &UNUSED);
    let client = platform.client();
    let charge = charge("A1");
    let mut looks = 0;
    // Pressed while the payment call is under way.
    let cancelled = std::future::poll_fn(move |_| {
        looks += 1;
        if looks > 1 {
            std::task::Poll::Ready(())
        } else {
            std::task::Poll::Pending
        }
    });
    let taken = client
        .take_code_payment(&charge)
        .give_up_when(cancelled)
        .call(&platform.sleep())
        .await;
    assert_eq!(taken.outcome, Outcome::Paid);
    assert_eq!(platform.seen(), ["charge", "wait 15", "ask"]);
}

#[tokio::test]
async fn a_cashier_who_cancels_at_once_sends_nothing() {
    let platform = Platform::new(&UNUSED, &UNUSED, &UNUSED);
    let client = platform.client();
    let charge = charge("A1");
    let taken = client
        .take_code_payment(&charge)
        .give_up_when(ready(()))
        .call(&platform.sleep())
        .await;
    assert_eq!((taken.outcome, platform.seen().len()), (Outcome::NotSent, 0));
}

#[tokio::test]
async fn a_payment_whose_reversal_could_not_be_sent_is_not_begun() {
    let mut platform = Platform::new(&[Answer::Ok("SUCCESS")], &UNUSED, &UNUSED);
    platform.refuses_reversals = true;
    let taken = platform.take().await;
    let error = taken.last_error.unwrap();
    assert_eq!(
        (taken.outcome, error.operation(), error.fate()),
        (Outcome::NotSent, "reverse", Fate::NotSent)
    );
    platform.refuses_reversals = false;
    let client = platform.client();
    let unwritable = charge(UNWRITABLE);
    let taken = client.take_code_payment(&unwritable).call(&platform.sleep()).await;
    assert_eq!(
        (taken.outcome, taken.last_error.unwrap().operation()),
        (Outcome::NotSent, "reverse")
    );
    assert_eq!(platform.seen().len(), 0);
}

#[tokio::test]
async fn a_payment_is_taken_up_again_by_its_number_alone() {
    let number = || OrderNo::new("A1").unwrap();
    let platform = Platform::new(&UNUSED, &[Answer::Ok("SUCCESS")], &UNUSED);
    let taken = platform
        .client()
        .resume_code_payment::<Charge>(number())
        .call(&platform.sleep())
        .await;
    assert_eq!(
        (taken.outcome, platform.seen()),
        (Outcome::Paid, vec!["ask".to_owned()])
    );
    let open = Platform::new(&UNUSED, &[Answer::Ok("NOTPAY")], &[Answer::Ok("N")]);
    let taken = open
        .client()
        .resume_code_payment::<Charge>(number())
        .give_up_when(ready(()))
        .call(&open.sleep())
        .await;
    assert_eq!(taken.outcome, Outcome::Reversed);
    assert_eq!(open.seen(), ["wait 15", "ask", "reverse"]);
}

#[tokio::test]
async fn a_dropped_payment_sends_no_more_and_can_be_taken_up_again() {
    let platform = Platform::new(&TYPING, &[Answer::Ok("PAYING"), Answer::Ok("SUCCESS")], &UNUSED);
    let client = platform.client();
    let charge = charge("A1");
    let never = |_| std::future::pending::<()>();
    let taking = client.take_code_payment(&charge).call(&never);
    let dropped = tokio::time::timeout(Duration::from_millis(20), taking).await;
    assert!(dropped.is_err());
    assert_eq!(platform.seen(), ["charge"]);
    let taken = client
        .resume_code_payment::<Charge>(charge.order_no.clone())
        .call(&platform.sleep())
        .await;
    assert_eq!(taken.outcome, Outcome::Paid);
    assert_eq!((platform.count("charge"), platform.count("ask")), (1, 2));
}

#[tokio::test]
async fn its_rule_can_be_another() {
    let platform = Platform::new(&TYPING, &[Answer::Ok("PAYING")], &UNUSED);
    let client = platform.client();
    let charge = charge("A1");
    let rule = CodePaymentRule::WECHAT.with_reversals(0).with_deadline(20);
    let taken = client
        .take_code_payment(&charge)
        .with_rule(&rule)
        .call(&platform.sleep())
        .await;
    assert_eq!((taken.outcome, platform.count("reverse")), (Outcome::StillUnknown, 0));
}

#[tokio::test]
async fn its_future_can_be_spawned() {
    fn spawnable<T: Send>(future: T) -> T {
        future
    }
    let platform = Platform::new(&[Answer::Ok("SUCCESS")], &UNUSED, &UNUSED);
    let (client, sleep, charge) = (platform.client(), platform.sleep(), charge("A1"));
    let taken = spawnable(client.take_code_payment(&charge).call(&sleep)).await;
    assert_eq!(taken.outcome, Outcome::Paid);
}
