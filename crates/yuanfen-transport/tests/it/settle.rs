//! `Settle` over the wire, on a clock that moves only when somebody sleeps.

use std::sync::{Arc, Mutex};
use std::time::Duration;

use bytes::Bytes;
use yuanfen_core::{Fate, FixedAmbient, SettleRule, SettleVerdict, Standing};
use yuanfen_transport::{Client, Sent, Settled, TransportError, TransportErrorKind};

use crate::toy::{Impossible, Place, Query, Refund, Toy, no, ok, unsigned};

/// What the platform does with one request.
#[derive(Clone)]
enum Answer {
    Ok(&'static str),
    No(&'static str),
    Unproven(&'static str),
    Lost,
    Refused,
}

/// A platform whose answers are listed per path, the last one for good.
struct Platform {
    clock: Arc<FixedAmbient>,
    seen: Arc<Mutex<Vec<String>>>,
    client: Client<Toy>,
}

impl Platform {
    fn new(write: &[Answer], query: &[Answer]) -> Self {
        let clock = Arc::new(FixedAmbient::at(1_700_000_000));
        let seen = Arc::<Mutex<Vec<String>>>::default();
        let queues = Arc::new(Mutex::new([write.to_vec(), query.to_vec()]));
        let transport = {
            let seen = Arc::clone(&seen);
            move |request: http::Request<Bytes>| {
                let path = request.uri().path().trim_start_matches('/').to_owned();
                let queue = &mut queues.lock().unwrap()[usize::from(path == "query")];
                let answer = if queue.len() > 1 {
                    queue.remove(0)
                } else {
                    queue[0].clone()
                };
                seen.lock().unwrap().push(path);
                let fails = |kind, sent| Err(TransportError::new(kind, sent, None));
                let answer = match answer {
                    Answer::Ok(body) => Ok(ok(body)),
                    Answer::No(code) => Ok(no(code)),
                    Answer::Unproven(code) => Ok(unsigned(404, code)),
                    Answer::Lost => fails(TransportErrorKind::Cut, Sent::Maybe),
                    Answer::Refused => fails(TransportErrorKind::Connect, Sent::No),
                };
                async { answer }
            }
        };
        let client = Client::new(Toy::default(), transport).with_ambient(Arc::clone(&clock));
        Self { clock, seen, client }
    }

    fn sleep(&self) -> impl Fn(Duration) -> std::future::Ready<()> + Send + Sync + use<> {
        let (clock, seen) = (Arc::clone(&self.clock), Arc::clone(&self.seen));
        move |duration| {
            clock.advance(i64::try_from(duration.as_secs()).unwrap());
            seen.lock().unwrap().push(format!("wait {}", duration.as_secs()));
            std::future::ready(())
        }
    }

    fn seen(&self) -> Vec<String> {
        self.seen.lock().unwrap().clone()
    }
}

fn standing(reply: &str) -> Standing {
    match reply {
        "NOTPAY" => Standing::Accepted,
        "PAYING" => Standing::Pending,
        "SUCCESS" => Standing::Succeeded,
        "CLOSED" => Standing::Failed,
        other => panic!("no such state: {other}"),
    }
}

async fn place(write: &[Answer], query: &[Answer]) -> (Settled<String, String>, Vec<String>) {
    let platform = Platform::new(write, query);
    let settling = platform
        .client
        .settle(&Place, &Query, &SettleRule::REPEATABLE_ORDER, |found| standing(found));
    let settled = settling.call(&platform.sleep()).await.unwrap();
    (settled, platform.seen())
}

async fn refund(write: &[Answer], query: &[Answer]) -> (Settled<String, String>, Vec<String>) {
    let platform = Platform::new(write, query);
    let settling = platform
        .client
        .settle(&Refund, &Query, &SettleRule::REFUND, |found| standing(found));
    let settled = settling.call(&platform.sleep()).await.unwrap();
    (settled, platform.seen())
}

#[tokio::test]
async fn a_call_that_is_answered_needs_no_settling() {
    let (settled, seen) = place(&[Answer::Ok("prepay")], &[Answer::Lost]).await;
    assert_eq!(
        (settled.verdict, settled.reply.as_deref()),
        (SettleVerdict::Replied, Some("prepay"))
    );
    assert!(settled.last_error.is_none());
    assert_eq!(seen, ["place"]);
}

#[tokio::test]
async fn a_call_that_certainly_did_nothing_is_an_error() {
    for (answer, fate) in [
        (Answer::Refused, Fate::NotSent),
        (Answer::No("DECLINED"), Fate::Refused),
    ] {
        let platform = Platform::new(&[answer], &[Answer::Ok("SUCCESS")]);
        let settling = platform
            .client
            .settle(&Refund, &Query, &SettleRule::REFUND, |found| standing(found));
        let error = settling.call(&platform.sleep()).await.unwrap_err();
        assert_eq!((error.fate(), platform.seen().len()), (fate, 1));
    }
}

#[tokio::test]
async fn an_order_whose_reply_was_lost_is_queried_and_its_reply_fetched_by_the_identical_repeat() {
    let (settled, seen) = place(&[Answer::Lost, Answer::Ok("prepay")], &[Answer::Ok("NOTPAY")]).await;
    assert_eq!(
        (settled.verdict, settled.reply.as_deref()),
        (SettleVerdict::Replied, Some("prepay"))
    );
    assert_eq!(settled.found.as_deref(), Some("NOTPAY"));
    assert_eq!(settled.last_error.unwrap().fate(), Fate::Unknown);
    assert_eq!(seen, ["place", "query", "place"]);
}

#[tokio::test]
async fn an_order_that_was_paid_meanwhile_is_not_repeated() {
    let (settled, seen) = place(&[Answer::Lost], &[Answer::Ok("SUCCESS")]).await;
    assert_eq!(settled.verdict, SettleVerdict::Happened(Standing::Succeeded));
    assert_eq!(settled.reply, None);
    assert_eq!(seen, ["place", "query"]);
}

#[tokio::test]
async fn a_refusal_that_says_it_is_there_already_leads_to_a_query() {
    let (settled, seen) = place(&[Answer::No("PAID")], &[Answer::Ok("SUCCESS")]).await;
    assert_eq!(settled.verdict, SettleVerdict::Happened(Standing::Succeeded));
    assert_eq!(seen, ["place", "query"]);
}

#[tokio::test]
async fn a_refund_is_repeated_only_when_it_is_provably_and_repeatedly_absent() {
    let (settled, seen) = refund(&[Answer::Lost, Answer::Ok("refunded")], &[Answer::No("NOT_FOUND")]).await;
    assert_eq!(
        (settled.verdict, settled.reply.as_deref()),
        (SettleVerdict::Replied, Some("refunded"))
    );
    assert_eq!(seen, ["refund", "wait 1", "query", "wait 5", "query", "refund"]);
}

#[tokio::test]
async fn an_absence_that_no_signature_proves_never_repeats_a_refund() {
    let (settled, seen) = refund(&[Answer::Lost], &[Answer::Unproven("NOT_FOUND")]).await;
    assert_eq!(settled.verdict, SettleVerdict::StillUnknown);
    assert_eq!(seen.iter().filter(|step| *step == "refund").count(), 1);
    assert!(seen.iter().filter(|step| *step == "query").count() > 3);
}

#[tokio::test]
async fn queries_that_fail_say_nothing_and_end_as_still_unknown() {
    for answer in [
        Answer::Lost,
        Answer::Refused,
        Answer::No("SYSTEM"),
        Answer::Unproven("SYSTEM"),
    ] {
        let (settled, seen) = refund(&[Answer::Lost], &[answer]).await;
        assert_eq!(settled.verdict, SettleVerdict::StillUnknown);
        assert!(settled.last_error.is_some());
        assert_eq!(seen.iter().filter(|step| *step == "refund").count(), 1);
    }
}

#[tokio::test]
async fn a_repeat_whose_reply_is_lost_as_well_is_followed_to_the_end() {
    let (settled, seen) = refund(
        &[Answer::Lost],
        &[
            Answer::No("NOT_FOUND"),
            Answer::No("NOT_FOUND"),
            Answer::Ok("PAYING"),
            Answer::Ok("SUCCESS"),
        ],
    )
    .await;
    assert_eq!(settled.verdict, SettleVerdict::Happened(Standing::Succeeded));
    assert_eq!(seen.iter().filter(|step| *step == "refund").count(), 2);
}

#[tokio::test]
async fn what_is_never_repeated_is_absent_or_failed_or_there() {
    for (query, verdict) in [
        (Answer::No("NOT_FOUND"), SettleVerdict::Absent),
        (Answer::Ok("CLOSED"), SettleVerdict::Failed),
        (Answer::Ok("NOTPAY"), SettleVerdict::Happened(Standing::Accepted)),
    ] {
        let platform = Platform::new(&[Answer::Lost], &[query]);
        let settling = platform
            .client
            .settle(&Refund, &Query, &SettleRule::NEVER_REPEATED, |found| standing(found));
        let settled = settling.after(Fate::Unknown, &platform.sleep()).await;
        assert_eq!(settled.verdict, verdict);
        assert!(!platform.seen().contains(&"refund".to_owned()));
    }
}

#[tokio::test]
async fn a_query_that_cannot_be_built_ends_it_at_once() {
    let platform = Platform::new(&[Answer::Lost], &[Answer::Lost]);
    let settling = platform
        .client
        .settle(&Refund, &Impossible, &SettleRule::REFUND, |found| standing(found));
    let settled = settling.after(Fate::Unknown, &platform.sleep()).await;
    assert_eq!(settled.verdict, SettleVerdict::StillUnknown);
    assert_eq!(platform.seen(), ["wait 1"]);
}

#[tokio::test]
async fn its_future_can_be_spawned() {
    fn spawnable<T: Send>(future: T) -> T {
        future
    }
    let platform = Platform::new(&[Answer::Lost], &[Answer::Ok("SUCCESS")]);
    let settling = platform
        .client
        .settle(&Place, &Query, &SettleRule::REPEATABLE_ORDER, |found| standing(found));
    let sleep = platform.sleep();
    let settled = spawnable(settling.call(&sleep)).await.unwrap();
    assert_eq!(settled.verdict, SettleVerdict::Happened(Standing::Succeeded));
}
