//! Events for each second: received, and handled.

use std::sync::Arc;
use std::time::{Duration, Instant, SystemTime};

use tokio::task::JoinSet;
use yuanfen_core::UnixTime;
use yuanfen_inbox::{Handled, HandlerError, Inbox, Received, Receiver, StoredEvent, TxHandler};

use super::lanes::{Failure, Lane, Rates, at_a_time, measure};
use super::notice::{Free, Row, numbers, order, paid};
use super::place::Place;
use crate::Error;

/// Receives, `lanes` at a time, beside bare inserts: as many at a time, and, where that is another thing, one by one.
pub(super) async fn receive<S: Place>(store: S, lanes: usize, rounds: u32) -> Result<Vec<Rates>, Error> {
    let mut besides = vec![("as many bare inserts at a time", bare(store.clone(), lanes))];
    if lanes > 1 {
        besides.push(("bare inserts, one by one", bare(store.clone(), 1)));
    }
    let receiver = Inbox::new(store).receiver(Free);
    let ours = Lane::new(move |count| {
        let receiver = receiver.clone();
        async move {
            received(&receiver, lanes, &numbers(count).collect::<Vec<_>>())
                .await
                .map(|(all, _)| all)
        }
    });
    measure(ours, besides, rounds).await
}

/// Lets take effect, with so many workers, what was received before and is expected, beside bare inserts.
pub(super) async fn handle<S: Place>(store: S, workers: usize, rounds: u32) -> Result<Vec<Rates>, Error>
where
    S::Connection: 'static,
{
    let besides = vec![("as many bare inserts at a time", bare(store.clone(), workers))];
    let inbox = Inbox::new(store);
    let ours = Lane::new(move |count| {
        let inbox = inbox.clone();
        async move {
            let numbers: Vec<String> = numbers(count).collect();
            let (turn, mut transaction) = inbox.store().begin().await?;
            for number in &numbers {
                inbox.expect(&mut transaction, order(number)?).await?;
            }
            inbox.store().commit(transaction).await?;
            drop(turn);
            received(&inbox.receiver(Free), 16, &numbers).await?;
            handled(&inbox, workers, count).await
        }
    });
    measure(ours, besides, rounds).await
}

/// Receives notices of those orders, each of which must be new.
pub(super) async fn received<S: Place>(
    receiver: &Receiver<S, Free>,
    lanes: usize,
    numbers: &[String],
) -> Result<(Duration, Vec<Duration>), Error> {
    let requests = numbers
        .iter()
        .map(|number| paid(number))
        .collect::<Result<Vec<_>, _>>()?;
    let receiver = receiver.clone();
    at_a_time(lanes, requests, move |request| {
        let receiver = receiver.clone();
        async move {
            match receiver.receive(&request).await.received {
                Received::New(_) => Ok(()),
                other => Err(Failure::from(format!("a new notice became {other:?}"))),
            }
        }
    })
    .await
}

async fn handled<S: Place>(inbox: &Inbox<S>, workers: usize, count: usize) -> Result<Duration, Error> {
    let mut tasks = JoinSet::new();
    let began = Instant::now();
    for _ in 0..workers {
        let inbox = inbox.clone();
        tasks.spawn(async move {
            let mut done = 0_usize;
            while let Some(handled) = inbox.handle_next(&Shipping).await? {
                match handled {
                    Handled::Done(_) => done += 1,
                    other => return Err(Failure::from(format!("an event became {other:?}"))),
                }
            }
            Ok(done)
        });
    }
    let mut done = 0;
    while let Some(task) = tasks.join_next().await {
        done += task?.map_err(|failure| -> Error { failure })?;
    }
    let took = began.elapsed();
    if done == count {
        Ok(took)
    } else {
        Err(format!("{done} of {count} events took effect").into())
    }
}

/// Writes one row.
#[derive(Debug)]
struct Shipping;

impl<S: Place> TxHandler<S> for Shipping {
    async fn apply(&self, transaction: &mut S::Transaction, event: &StoredEvent) -> Result<(), HandlerError> {
        Ok(S::ship(transaction, &event.key.to_string()).await?)
    }
}

fn bare<S: Place>(store: S, lanes: usize) -> Lane {
    let store = Arc::new(store);
    Lane::new(move |count| {
        let store = Arc::clone(&store);
        async move {
            let now = now()?;
            let rows = numbers(count)
                .map(|number| Row::of(&paid(&number)?, now))
                .collect::<Result<Vec<_>, Error>>()?;
            let (took, _) = at_a_time(lanes, rows, move |row| {
                let store = Arc::clone(&store);
                async move { Ok(store.bare(&row).await?) }
            })
            .await?;
            Ok(took)
        }
    })
}

pub(super) fn now() -> Result<UnixTime, Error> {
    let elapsed = SystemTime::now().duration_since(SystemTime::UNIX_EPOCH)?;
    Ok(UnixTime::from_seconds(i64::try_from(elapsed.as_secs())?))
}
