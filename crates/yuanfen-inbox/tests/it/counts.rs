//! What a recorder hears of it.

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex};
use std::time::Duration;

use metrics::{
    Counter, CounterFn, Gauge, GaugeFn, Histogram, HistogramFn, Key, KeyName, Metadata, Recorder, SharedString, Unit,
};
use yuanfen_inbox::store::Store as _;
use yuanfen_inbox::{HandlerError, SqliteStore, handler_fn};

use crate::place::{Shipping, inbox, sqlite};
use crate::toy::{Toy, order, paid, request};

type Book = Arc<Mutex<BTreeMap<String, Vec<f64>>>>;

/// Writes down each value under `name{label=value,…}`.
#[derive(Clone, Default)]
struct Listener {
    book: Book,
    described: Arc<Mutex<Vec<String>>>,
}

struct Line {
    book: Book,
    name: String,
}

impl Line {
    fn note(&self, value: f64) {
        let mut book = self.book.lock().unwrap();
        book.entry(self.name.clone()).or_default().push(value);
    }
}

impl CounterFn for Line {
    fn increment(&self, value: u64) {
        assert_eq!(value, 1, "{}", self.name);
        self.note(1.0);
    }

    fn absolute(&self, _value: u64) {
        panic!("{} is counted up", self.name);
    }
}

impl GaugeFn for Line {
    fn increment(&self, _value: f64) {
        panic!("{} is set", self.name);
    }

    fn decrement(&self, _value: f64) {
        panic!("{} is set", self.name);
    }

    fn set(&self, value: f64) {
        self.note(value);
    }
}

impl HistogramFn for Line {
    fn record(&self, value: f64) {
        self.note(value);
    }
}

impl Listener {
    fn line(&self, key: &Key) -> Arc<Line> {
        let labels: Vec<_> = key
            .labels()
            .map(|label| format!("{}={}", label.key(), label.value()))
            .collect();
        let name = format!("{}{{{}}}", key.name(), labels.join(","));
        let book = Arc::clone(&self.book);
        Arc::new(Line { book, name })
    }

    /// How often each counter was counted up, by its name without `yuanfen_inbox_`.
    fn counted(&self) -> BTreeMap<String, usize> {
        let book = self.book.lock().unwrap();
        book.iter()
            .filter(|(name, _)| name.contains("_total{"))
            .map(|(name, values)| (name.replace("yuanfen_inbox_", ""), values.len()))
            .collect()
    }

    fn values(&self, name: &str) -> Vec<f64> {
        let book = self.book.lock().unwrap();
        book.get(name)
            .unwrap_or_else(|| panic!("no {name} in {book:?}"))
            .clone()
    }
}

impl Recorder for Listener {
    fn describe_counter(&self, key: KeyName, _unit: Option<Unit>, _description: SharedString) {
        self.described.lock().unwrap().push(key.as_str().to_owned());
    }

    fn describe_gauge(&self, key: KeyName, unit: Option<Unit>, description: SharedString) {
        self.describe_counter(key, unit, description);
    }

    fn describe_histogram(&self, key: KeyName, unit: Option<Unit>, description: SharedString) {
        self.describe_counter(key, unit, description);
    }

    fn register_counter(&self, key: &Key, _metadata: &Metadata<'_>) -> Counter {
        Counter::from_arc(self.line(key))
    }

    fn register_gauge(&self, key: &Key, _metadata: &Metadata<'_>) -> Gauge {
        Gauge::from_arc(self.line(key))
    }

    fn register_histogram(&self, key: &Key, _metadata: &Metadata<'_>) -> Histogram {
        Histogram::from_arc(self.line(key))
    }
}

// On one thread, where the recorder is the thread's own.
#[tokio::test]
async fn notices_attempts_and_handlers_are_counted_by_route_and_outcome_and_nothing_else() {
    let listener = Listener::default();
    let _guard = metrics::set_default_local_recorder(&listener);
    let inbox = inbox(sqlite().await);
    let (turn, mut transaction) = inbox.store().begin().await.unwrap();
    for number in ["A1", "A2"] {
        inbox.expect(&mut transaction, order(number, 100)).await.unwrap();
    }
    inbox.store().commit(transaction).await.unwrap();
    drop(turn);

    let receiver = inbox.receiver(Toy);
    for notice in [
        paid("A1", 100),
        paid("A1", 100),
        paid("A1", 99),
        paid("A2", 100),
        paid("nobody's", 100),
        request("forged", "{}"),
        request("genuine", "{"),
        request("hint", "A2"),
        request("hint", "B1"),
    ] {
        receiver.receive(&notice).await;
    }
    let fails_at_a2 = handler_fn::<SqliteStore, _>(|_transaction, event| {
        Box::pin(async move {
            match &*event.key.subject {
                "A2" => Err(HandlerError::retry("no stock")),
                _ => Ok(()),
            }
        })
    });
    inbox.workers(fails_at_a2).drain().await.unwrap();

    let expected = [
        ("attempts_total{route=toy,outcome=failed}", 1),
        // A1, which was contradicted before it was handled, was parked by that.
        ("attempts_total{route=toy,outcome=parked}", 1),
        ("notices_total{route=toy,verdict=bad-signature}", 1),
        ("notices_total{route=toy,verdict=conflict}", 1),
        ("notices_total{route=toy,verdict=duplicate}", 1),
        ("notices_total{route=toy,verdict=hint}", 1),
        ("notices_total{route=toy,verdict=malformed}", 1),
        ("notices_total{route=toy,verdict=new}", 3),
        ("notices_total{route=toy,verdict=unknown-hint}", 1),
    ];
    let expected: BTreeMap<_, _> = expected.map(|(name, count)| (name.to_owned(), count)).into();
    assert_eq!(listener.counted(), expected);
    let handled = listener.values("yuanfen_inbox_handler_seconds{route=toy}");
    assert_eq!(handled.len(), 1);
    assert!((0.0..2.0).contains(&handled[0]), "{handled:?}");
}

#[tokio::test]
async fn running_workers_publish_how_the_inbox_is_doing() {
    let listener = Listener::default();
    let _guard = metrics::set_default_local_recorder(&listener);
    let inbox = inbox(sqlite().await);
    let (turn, mut transaction) = inbox.store().begin().await.unwrap();
    inbox.expect(&mut transaction, order("A1", 100)).await.unwrap();
    inbox.store().commit(transaction).await.unwrap();
    drop(turn);
    let receiver = inbox.receiver(Toy);
    receiver.receive(&paid("A1", 99)).await;
    inbox.workers(Shipping).drain().await.unwrap();
    receiver.receive(&paid("A2", 100)).await;

    let inbox = inbox.with_clock(|| crate::place::START.after(Duration::from_secs(90)));
    inbox.publish_health().await.unwrap();
    for (name, value) in [
        ("yuanfen_inbox_events{state=ready}", 1.0),
        ("yuanfen_inbox_events{state=parked}", 1.0),
        ("yuanfen_inbox_oldest_ready_seconds{}", 90.0),
        ("yuanfen_inbox_conflicts{}", 0.0),
        ("yuanfen_inbox_pending{state=open}", 1.0),
        ("yuanfen_inbox_pending{state=given-up}", 0.0),
        ("yuanfen_inbox_query_overdue_seconds{}", 60.0),
    ] {
        assert_eq!(listener.values(name), [value], "{name}");
    }

    let ready = "yuanfen_inbox_events{state=ready}";
    let published = async {
        while listener.values(ready).len() < 2 {
            tokio::time::sleep(Duration::from_millis(5)).await;
        }
    };
    inbox.workers(Shipping).run(published).await;
    // What is written in the manual is what there is.
    let mut described = listener.described.lock().unwrap().clone();
    described.sort();
    assert_eq!(
        described,
        [
            "yuanfen_inbox_attempts_total",
            "yuanfen_inbox_conflicts",
            "yuanfen_inbox_events",
            "yuanfen_inbox_handler_seconds",
            "yuanfen_inbox_notices_total",
            "yuanfen_inbox_oldest_ready_seconds",
            "yuanfen_inbox_pending",
            "yuanfen_inbox_queries_total",
            "yuanfen_inbox_query_overdue_seconds",
        ]
    );
}
