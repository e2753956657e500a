//! A server that dies, and connections that are left in the middle of something.

use std::time::{Duration, Instant};

use tokio::sync::oneshot;
use yuanfen_inbox::{EventFilter, EventState, Inbox, PostgresStore, Received, handler_fn};
use yuanfen_testkit::PostgresServer;

use crate::place::{Place, Shipping, inbox, postgres};
use crate::shop::{deliver, expect};
use crate::toy::{Toy, order, paid};

/// Web servers drop a handler whose client hangs up, and sqlx 0.9 leaves a transaction open where it was beginning one.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_notice_never_comes_into_a_transaction_that_the_shop_left_open() {
    let Some(store) = postgres().await else { return };
    let beside = inbox(store.beside().await);
    let inbox = inbox(store);
    let pool = inbox.store().pool().clone();
    for round in 0..24_u64 {
        let begins: Vec<_> = (0..8)
            .map(|number| {
                let pool = pool.clone();
                let patience = Duration::from_micros(35 * round + 50 * number);
                tokio::spawn(async move { tokio::time::timeout(patience, pool.begin()).await.map(drop) })
            })
            .collect();
        for begun in begins {
            begun.await.unwrap().ok();
        }
        let id = deliver(&inbox.receiver(Toy), &paid(&format!("A{round}"), 100)).await;
        // Acknowledged is committed, for everybody to see.
        assert!(beside.event(id).await.unwrap().is_some(), "round {round}");
        expect(&beside, order(&format!("A{round}"), 100)).await;
        assert_eq!(inbox.workers(Shipping).drain().await.unwrap().len(), 1);
        assert_eq!(
            beside.event(id).await.unwrap().unwrap().state,
            EventState::Done,
            "round {round}"
        );
    }
}

/// A shop that works on through whatever happens to its server, by the machine's clock.
fn shop(store: PostgresStore) -> Inbox<PostgresStore> {
    Inbox::new(store).with_settings(|settings| {
        settings.handler_deadline = Duration::from_millis(500);
        settings.lease = Duration::from_secs(1);
        settings.idle = Duration::from_millis(100);
        settings.attempts = 1000;
        settings.longest_pause = Duration::from_secs(1);
    })
}

const NOTICES: usize = 120;

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_was_acknowledged_before_the_server_died_takes_effect_once_when_it_is_back() {
    let Ok(server) = PostgresServer::start() else {
        // Said aloud by those who share one.
        assert!(PostgresServer::shared().is_none());
        return;
    };
    let url = server.create_database();
    let store = PostgresStore::connect(url.parse().unwrap()).await.unwrap();
    let table = "create table shipped (id bigint generated always as identity primary key, event text not null)";
    sqlx::query(table).execute(store.pool()).await.unwrap();
    let inbox = shop(store);
    for number in 0..NOTICES {
        expect(&inbox, order(&format!("A{number}"), 100)).await;
    }
    let (stop, stopped) = oneshot::channel::<()>();
    let handler = handler_fn::<PostgresStore, _>(|transaction, event| {
        Box::pin(async move {
            PostgresStore::ship(transaction, &event.key.to_string()).await?;
            // So that the server often dies in the middle of one.
            tokio::time::sleep(Duration::from_millis(20)).await;
            Ok(())
        })
    });
    let working = tokio::spawn(inbox.workers(handler).run(async move { drop(stopped.await) }));
    // Two senders, each of which delivers until it is acknowledged, as platforms do.
    let senders: Vec<_> = (0..2)
        .map(|sender| {
            let receiver = inbox.receiver(Toy);
            tokio::spawn(async move {
                for number in (sender..NOTICES).step_by(2) {
                    let notice = paid(&format!("A{number}"), 100);
                    while !matches!(
                        receiver.receive(&notice).await.received,
                        Received::New(_) | Received::Duplicate(_)
                    ) {
                        tokio::time::sleep(Duration::from_millis(50)).await;
                    }
                    tokio::time::sleep(Duration::from_millis(25)).await;
                }
            })
        })
        .collect();
    let killer = tokio::task::spawn_blocking(move || {
        for _kill in 0..3 {
            let next = Instant::now() + Duration::from_millis(400);
            while Instant::now() < next {
                std::thread::yield_now();
            }
            server.kill_immediately();
            server.restart();
        }
        server
    });
    for sender in senders {
        sender.await.unwrap();
    }
    let server = killer.await.unwrap();
    let deadline = Instant::now() + Duration::from_secs(30);
    let mut all = EventFilter::state(EventState::Done);
    all.limit = 1000;
    loop {
        let done = inbox.events(&all).await.map_or(0, |events| events.len());
        if done == NOTICES {
            break;
        }
        assert!(Instant::now() < deadline, "{done} of {NOTICES} are done");
        tokio::time::sleep(Duration::from_millis(100)).await;
    }
    stop.send(()).unwrap();
    working.await.unwrap();
    let counts = "select count(*), count(distinct event) from shipped";
    assert_eq!(server.psql(&url, counts), format!("{NOTICES}|{NOTICES}"));
}
