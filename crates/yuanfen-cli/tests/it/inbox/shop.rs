//! A shop's inbox with a bit of everything in it, in a SQLite file or on a PostgreSQL server.

use std::process::Output;
use std::time::Duration;

use bytes::Bytes;
use http::Request;
use yuanfen::core::{EventKey, Facts, Fen, Finding, OrderNo, PayAmount, RefundNo, Standing, Transition, UnixTime};
use yuanfen_inbox::store::{Inserted, Store};
use yuanfen_inbox::{
    EventId, Expected, HandlerError, Inbox, KeptRequest, NewEvent, PendingOrder, PendingRefund, QueryError, RoutePlan,
    Schedule, SqliteStore, handler_fn,
};

use crate::program::{Folder, command};

pub(super) const ROUTE: &str = "wechat-v3";
pub(super) const ACCOUNT: &str = "1900007291";
/// Whose refunds have keys with the platform's numbers.
const REFUNDING: &str = "starpos";
/// Whose orders nothing closes.
const UNCLOSED: &str = "fshows";
/// 2025-11-22 10:00:00 in Beijing. The program goes by the machine's clock, for which that is long ago.
const NOW: UnixTime = UnixTime::from_seconds(1_763_776_800);

/// An inbox with these events:
///
/// 1. A1, which took effect, and of which a second telling says 9.00
/// 2. A2, parked: it was paid 1.00 and 2.00 is expected
/// 3. A3, parked by the handler
/// 4. A4, parked: a second telling says 9.00
/// 5. A5, ready
/// 6. the refund R1 under the platform's number, ready
///
/// with these expectations:
///
/// - 1 to 6: the orders A1 to A6
/// - 7: the refund R1
/// - 8: the order B1, given up: no query of it was answered
/// - 9: the order B2, lapsed: nobody had paid it
pub(super) struct Shop {
    pub(super) url: String,
    /// Where SQLite's file is; it goes with the shop.
    _folder: Folder,
}

impl Shop {
    /// In a file.
    pub(super) fn sqlite() -> Self {
        let folder = Folder::new();
        let file = folder.path().join("shop.db");
        block_on(async { fill(SqliteStore::open(&file).await.unwrap()).await });
        Self {
            url: format!("sqlite:{}", file.display()),
            _folder: folder,
        }
    }

    /// On a server; `None` where there is none, which is said aloud.
    #[cfg(unix)]
    pub(super) fn postgres() -> Option<Self> {
        let url = yuanfen_testkit::PostgresServer::shared()?.create_database();
        let options = url.parse().unwrap();
        block_on(async { fill(yuanfen_inbox::PostgresStore::connect(options).await.unwrap()).await });
        Some(Self {
            url,
            _folder: Folder::new(),
        })
    }

    /// `yuanfen inbox` with these arguments on this database.
    pub(super) fn inbox<'a>(&self, arguments: impl IntoIterator<Item = &'a str>) -> Output {
        command()
            .arg("inbox")
            .args(arguments)
            .env("YUANFEN_INBOX", &self.url)
            .output()
            .unwrap()
    }
}

pub(super) fn block_on<F: Future>(future: F) -> F::Output {
    let runtime = tokio::runtime::Builder::new_multi_thread()
        .worker_threads(1)
        .enable_all()
        .build();
    runtime.unwrap().block_on(future)
}

async fn fill<S: Store>(store: S) {
    let inbox = Inbox::new(store).with_clock(|| NOW);
    for (number, fen) in [
        ("A1", 100),
        ("A2", 200),
        ("A3", 100),
        ("A4", 100),
        ("A5", 100),
        ("A6", 100),
    ] {
        expect(&inbox, order(ROUTE, number, fen)).await;
    }
    let (refund_no, order_no) = (RefundNo::new("R1").unwrap(), OrderNo::new("C1").unwrap());
    let amount = PayAmount::from_fen(100).unwrap();
    expect(
        &inbox,
        PendingRefund::new(REFUNDING, ACCOUNT, refund_no, order_no, amount),
    )
    .await;
    for number in ["B1", "B2"] {
        expect(&inbox, order(UNCLOSED, number, 100)).await;
    }
    for number in ["A1", "A2", "A3"] {
        store_event(&inbox, told(number, 100)).await;
    }
    let handler = handler_fn::<S, _>(|_, event| {
        Box::pin(async move {
            if event.key.subject == "A3" {
                return Err(HandlerError::park("the warehouse is closed"));
            }
            Ok(())
        })
    });
    assert_eq!(inbox.workers(handler).drain().await.unwrap().len(), 3);
    contradict(&inbox, EventId::new(1), "A1").await;
    let contradicted = store_event(&inbox, told("A4", 100)).await;
    contradict(&inbox, contradicted, "A4").await;
    assert_eq!(store_event(&inbox, told("A5", 100)).await, EventId::new(5));
    assert_eq!(store_event(&inbox, found_refund()).await, EventId::new(6));
    run_out(&inbox).await;
}

fn order(route: &str, number: &str, fen: i64) -> PendingOrder {
    let amount = PayAmount::from_fen(fen).unwrap();
    PendingOrder::new(route, ACCOUNT, OrderNo::new(number).unwrap(), amount, None)
}

async fn expect<S: Store>(inbox: &Inbox<S>, pending: impl Into<Expected> + Send) {
    let (_turn, mut transaction) = inbox.store().begin().await.unwrap();
    inbox.expect(&mut transaction, pending).await.unwrap();
    inbox.store().commit(transaction).await.unwrap();
}

async fn store_event<S: Store>(inbox: &Inbox<S>, event: NewEvent) -> EventId {
    match inbox.store().insert_event(event).await.unwrap() {
        Inserted::New(id) => id,
        other => panic!("{other:?}"),
    }
}

async fn contradict<S: Store>(inbox: &Inbox<S>, id: EventId, number: &str) {
    let is_new = inbox.store().insert_conflict(id, told(number, 900)).await;
    assert!(is_new.unwrap());
}

/// The first query of these orders is their last.
async fn run_out<S: Store>(inbox: &Inbox<S>) {
    let schedule = Schedule::new(Vec::new(), Duration::from_secs(60), Duration::ZERO);
    let plan = RoutePlan::new(UNCLOSED, ACCOUNT, schedule, |pending| async move {
        match &*pending.expected.number {
            "B1" => Err(QueryError::new("no answer")),
            _ => Ok(Finding::open(Standing::Accepted)),
        }
    });
    let later = inbox.clone().with_clock(|| NOW.after(Duration::from_secs(60)));
    let asked = later.convergence([plan.with_pace(Duration::ZERO)]).drain().await;
    assert_eq!(asked.unwrap().len(), 2);
}

/// What a query proves of a refund whose number at the platform is another than ours.
fn found_refund() -> NewEvent {
    let mut facts = Facts::new("S");
    facts.amount = Some(Fen::new(100));
    facts.refund_no = Some("R1".to_owned());
    facts.remote_id = Some("LOG1".to_owned());
    let key = EventKey::new(REFUNDING, ACCOUNT, "LOG1", Transition::RefundSucceeded);
    NewEvent::from_query(key, facts, true, NOW)
}

/// What a notice proves that says that an order was paid.
fn told(number: &str, fen: i64) -> NewEvent {
    let mut facts = Facts::new("SUCCESS");
    facts.amount = Some(Fen::new(fen));
    facts.currency = Some("CNY".to_owned());
    facts.order_no = Some(number.to_owned());
    let request = Request::post("/notify?secret=1")
        .header("wechatpay-serial", "SERIAL")
        .header("cookie", "not kept")
        .body(Bytes::from(format!("{{\"payer\":\"Li Lei\",\"fen\":{fen}}}")))
        .unwrap();
    let kept = KeptRequest::of(&request, &["wechatpay-serial"]);
    NewEvent::from_notice(
        EventKey::new(ROUTE, ACCOUNT, number, Transition::OrderPaid),
        facts,
        true,
        kept,
        NOW,
    )
}
