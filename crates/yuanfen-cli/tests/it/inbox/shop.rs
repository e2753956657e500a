//! A shop's inbox with a bit of everything in it, in a SQLite file or on a PostgreSQL server.

use std::process::Output;

use bytes::Bytes;
use http::Request;
use yuanfen::core::{EventKey, Facts, Fen, OrderNo, PayAmount, Transition, UnixTime};
use yuanfen_inbox::store::{Inserted, Store};
use yuanfen_inbox::{EventId, HandlerError, Inbox, KeptRequest, NewEvent, PendingOrder, SqliteStore, handler_fn};

use crate::program::{Folder, command};

pub(super) const ROUTE: &str = "wechat-v3";
pub(super) const ACCOUNT: &str = "1900007291";
/// 2026-11-22 10:00:00 in Beijing.
const NOW: UnixTime = UnixTime::from_seconds(1_795_312_800);

/// An inbox with these events:
///
/// 1. A1, which took effect
/// 2. A2, parked: it was paid 1.00 and 2.00 is expected
/// 3. A3, parked by the handler
/// 4. A4, parked: a second telling says 9.00
/// 5. A5, ready
///
/// and an order A6 that is expected.
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
        let (_turn, mut transaction) = inbox.store().begin().await.unwrap();
        let amount = PayAmount::from_fen(fen).unwrap();
        let order = PendingOrder::new(ROUTE, ACCOUNT, OrderNo::new(number).unwrap(), amount, None);
        inbox.expect(&mut transaction, order).await.unwrap();
        inbox.store().commit(transaction).await.unwrap();
    }
    for number in ["A1", "A2", "A3"] {
        store_event(&inbox, number, 100).await;
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
    let contradicted = store_event(&inbox, "A4", 100).await;
    let is_new = inbox.store().insert_conflict(contradicted, told("A4", 900)).await;
    assert!(is_new.unwrap());
    assert_eq!(store_event(&inbox, "A5", 100).await, EventId::new(5));
}

async fn store_event<S: Store>(inbox: &Inbox<S>, number: &str, fen: i64) -> EventId {
    match inbox.store().insert_event(told(number, fen)).await.unwrap() {
        Inserted::New(id) => id,
        other => panic!("{other:?}"),
    }
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
