//! Everything that is logged, at the finest level, while notices are received and handled.

use std::io;
use std::sync::{Arc, Mutex};

use serde_json::json;
use tracing_subscriber::fmt::format::FmtSpan;
use yuanfen_inbox::store::Store as _;

use crate::place::{Shipping, inbox, sqlite};
use crate::toy::{Toy, order, request, signed};

#[derive(Clone, Default)]
struct Log(Arc<Mutex<Vec<u8>>>);

impl io::Write for Log {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        self.0.lock().unwrap().extend(bytes);
        Ok(bytes.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

/// One notice that takes effect, one of another amount that is parked, and one that is forged.
async fn three_notices() {
    let inbox = inbox(sqlite().await);
    for number in ["A1", "A2"] {
        let (_turn, mut transaction) = inbox.store().begin().await.unwrap();
        inbox.expect(&mut transaction, order(number, 100)).await.unwrap();
        inbox.store().commit(transaction).await.unwrap();
    }
    let receiver = inbox.receiver(Toy);
    for (number, fen) in [("A1", 100), ("A2", 99)] {
        let notice = json!({
            "order": number, "amount": fen, "transition": "order-paid", "openid": "oUpF8uMuAJO_M2pxb1Q9zNjWeS6o",
        });
        receiver.receive(&signed(&notice)).await;
    }
    receiver.receive(&request("forged-signature", "{}")).await;
    inbox.workers(Shipping).drain().await.unwrap();
}

#[tokio::test]
async fn a_notice_is_one_span_and_each_attempt_is_one_and_none_shows_a_body_a_header_or_a_payer() {
    let log = Log::default();
    let subscriber = tracing_subscriber::fmt()
        .with_max_level(tracing::Level::TRACE)
        .with_span_events(FmtSpan::CLOSE)
        .with_ansi(false)
        .with_writer({
            let log = log.clone();
            move || log.clone()
        })
        .finish();
    // Whether a call site is of interest is found out when it is first reached, which other tests do on other threads:
    // so it is reached before, and a second subscriber makes sure that all of them are asked, not only the thread's.
    three_notices().await;
    let second = tracing::Dispatch::new(tracing::subscriber::NoSubscriber::new());
    let guard = tracing::subscriber::set_default(subscriber);
    three_notices().await;
    drop((guard, second));

    let log = String::from_utf8(log.0.lock().unwrap().clone()).unwrap();
    let spans: Vec<_> = log
        .lines()
        .filter(|line| line.contains(" yuanfen_inbox::") && line.contains(": close "))
        .filter_map(|line| line.split_once("yuanfen.")?.1.split_once('}'))
        .map(|(span, _)| span)
        .collect();
    assert_eq!(
        spans,
        [
            r#"receive{route="toy" account="M1" verdict="new""#,
            r#"receive{route="toy" account="M1" verdict="new""#,
            r#"receive{route="toy" account="M1" verdict="bad-signature""#,
            r#"handle{route="toy" account="M1" key=toy/M1/order-paid/A1 attempt=1 outcome="done""#,
            r#"handle{route="toy" account="M1" key=toy/M1/order-paid/A2 attempt=1 outcome="parked""#,
        ],
        "{log}"
    );
    assert!(log.contains("an event is parked: look at it"), "{log}");
    assert!(log.contains("`amount` is 99 fen, and 100 fen is expected"), "{log}");
    for secret in [
        "oUpF8uMuAJO",
        "forged-signature",
        "genuine",
        "not for the inbox",
        "delivery",
    ] {
        assert!(!log.contains(secret), "{secret} in {log}");
    }
}
