//! From a notice to its effect.

use yuanfen_inbox::store::Store;
use yuanfen_inbox::{EventState, Handled, Inbox, Received};

use crate::place::{Place, Shipping, inbox, on_both_stores};
use crate::toy::{Toy, order, paid};

async fn expect<S: Store>(inbox: &Inbox<S>, number: &str, fen: i64) {
    let (_turn, mut transaction) = inbox.store().begin().await.unwrap();
    inbox.expect(&mut transaction, order(number, fen)).await.unwrap();
    inbox.store().commit(transaction).await.unwrap();
}

async fn a_notice_that_comes_three_times_takes_effect_once<S: Place>(store: S) {
    let inbox = inbox(store);
    let receiver = inbox.receiver(Toy);
    expect(&inbox, "A1", 100).await;
    let first = receiver.receive(&paid("A1", 100)).await;
    let Received::New(id) = first.received else {
        panic!("{first:?}")
    };
    assert_eq!(first.response.status(), 200);
    let workers = inbox.workers(Shipping);
    let again = receiver.receive(&paid("A1", 100)).await;
    assert!(
        matches!(again.received, Received::Duplicate(same) if same == id),
        "{again:?}"
    );
    assert_eq!(workers.drain().await.unwrap(), [Handled::Done(id)]);
    let late = receiver.receive(&paid("A1", 100)).await;
    assert!(
        matches!(late.received, Received::Duplicate(same) if same == id),
        "{late:?}"
    );
    assert_eq!(workers.drain().await.unwrap(), []);
    assert_eq!(inbox.store().shipped().await, ["toy/M1/order-paid/A1"]);
    let event = inbox.event(id).await.unwrap().unwrap();
    assert_eq!((event.state, event.attempts), (EventState::Done, 1));
}

on_both_stores!(a_notice_that_comes_three_times_takes_effect_once);

#[tokio::test]
async fn a_store_can_be_opened_in_a_task() {
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("shop.db");
    let first = tokio::spawn(yuanfen_inbox::SqliteStore::open(file.clone()));
    first.await.unwrap().unwrap();
    // And once more, when its tables are there.
    let again = tokio::spawn(yuanfen_inbox::SqliteStore::open(file));
    again.await.unwrap().unwrap();
}

#[cfg(unix)]
#[tokio::test]
async fn so_can_one_in_postgresql() {
    let Some(server) = yuanfen_testkit::PostgresServer::shared() else {
        return;
    };
    let options: sqlx::postgres::PgConnectOptions = server.create_database().parse().unwrap();
    for _ in 0..2 {
        let opened = tokio::spawn(yuanfen_inbox::PostgresStore::connect(options.clone()));
        opened.await.unwrap().unwrap();
    }
}
