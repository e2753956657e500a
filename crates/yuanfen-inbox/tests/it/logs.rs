//! Everything that is logged, at the finest level, while notices are received and handled.

use serde_json::json;
use yuanfen_inbox::store::Store as _;
use yuanfen_testkit::Log;

use crate::place::{Shipping, inbox, sqlite};
use crate::toy::{Toy, order, request, signed};

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
    // Reached once before it is listened to: see `Log`.
    three_notices().await;
    let log = Log::listen(tracing::Level::TRACE);
    three_notices().await;
    let log = log.end();

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
