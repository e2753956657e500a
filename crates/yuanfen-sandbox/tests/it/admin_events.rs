//! The stream of what changes, read from the wire.

use std::time::Duration;

use serde_json::{Value, json};
use tokio::io::{AsyncBufReadExt as _, AsyncWriteExt as _, BufReader};
use tokio::net::TcpStream;
use yuanfen_core::UnixTime;
use yuanfen_sandbox::{Clock, FaultKind, Platform, Sandbox};

use crate::shop::{self, clock, place};

/// Longest that a test waits for an event.
const PATIENCE: Duration = Duration::from_secs(10);

struct Stream(BufReader<TcpStream>);

impl Stream {
    async fn open(sandbox: &Sandbox, last: Option<u64>) -> Self {
        let mut stream = TcpStream::connect(sandbox.admin_address()).await.unwrap();
        let last = last.map_or(String::new(), |last| format!("last-event-id: {last}\r\n"));
        let call = format!(
            "GET /api/events HTTP/1.1\r\nhost: {}\r\n{last}\r\n",
            sandbox.admin_address()
        );
        stream.write_all(call.as_bytes()).await.unwrap();
        Self(BufReader::new(stream))
    }

    async fn line(&mut self) -> String {
        let mut line = String::new();
        tokio::time::timeout(PATIENCE, self.0.read_line(&mut line))
            .await
            .unwrap()
            .unwrap();
        line.trim_end().to_owned()
    }

    /// The next event's data, after a look at its name and id.
    async fn next(&mut self) -> Value {
        loop {
            let line = self.line().await;
            if line == "event: changed" {
                let id = self.line().await;
                let data = self.line().await;
                let data: Value = serde_json::from_str(data.strip_prefix("data: ").unwrap()).unwrap();
                assert_eq!(id, format!("id: {}", data["revision"]));
                return data;
            }
        }
    }
}

fn what(event: &Value) -> Vec<&str> {
    event["what"]
        .as_array()
        .unwrap()
        .iter()
        .map(|topic| topic.as_str().unwrap())
        .collect()
}

#[tokio::test]
async fn tells_all_at_first_and_then_what_changed() {
    let sandbox = Sandbox::builder().clock(clock()).start().await.unwrap();
    let mut stream = Stream::open(&sandbox, None).await;
    let all = ["orders", "exchanges", "notices", "faults", "clock", "settings"];
    assert_eq!(what(&stream.next().await), all);
    place(&sandbox, "order-1", 100, "http://127.0.0.1:9/notify");
    assert_eq!(what(&stream.next().await), ["orders", "exchanges"]);
    // A query changes no order.
    shop::query(&sandbox, "order-1");
    assert_eq!(what(&stream.next().await), ["exchanges"]);
    sandbox.cancel(Platform::WechatV3, "order-1").unwrap();
    assert_eq!(what(&stream.next().await), ["orders"]);
    sandbox.set_faults(FaultKind::AddFields);
    assert_eq!(what(&stream.next().await), ["faults"]);
    sandbox.use_public_key_only(true);
    assert_eq!(what(&stream.next().await), ["settings"]);
    sandbox.advance(Duration::from_secs(1)).await.unwrap();
    assert_eq!(what(&stream.next().await), ["clock"]);
}

#[tokio::test]
async fn a_thousand_changes_are_a_few_events_and_none_is_missed() {
    let sandbox = Sandbox::builder().clock(clock()).start().await.unwrap();
    let mut stream = Stream::open(&sandbox, None).await;
    let before = stream.next().await["revision"].as_u64().unwrap();
    for index in 0..1000 {
        sandbox.use_public_key_only(index % 2 == 0);
    }
    let mut events = 0;
    loop {
        let event = stream.next().await;
        events += 1;
        assert_eq!(what(&event), ["settings"]);
        if event["revision"].as_u64().unwrap() == before + 1000 {
            break;
        }
    }
    assert!(events <= 3, "{events}");
}

#[tokio::test]
async fn listeners_that_do_not_read_hold_nobody_up() {
    let sandbox = Sandbox::builder().clock(clock()).start().await.unwrap();
    let mut slow = Vec::new();
    for _ in 0..64 {
        slow.push(Stream::open(&sandbox, None).await);
    }
    let mut quick = Stream::open(&sandbox, None).await;
    quick.next().await;
    for round in 0..5 {
        sandbox.use_public_key_only(round % 2 == 0);
        assert_eq!(what(&quick.next().await), ["settings"]);
    }
    let last = revision(&sandbox);
    for stream in &mut slow {
        while stream.next().await["revision"].as_u64().unwrap() < last {}
    }
}

/// How far the sandbox is.
fn revision(sandbox: &Sandbox) -> u64 {
    let request = http::Request::get("http://127.0.0.1/api/state")
        .body(bytes::Bytes::new())
        .unwrap();
    shop::json_of(&sandbox.administer(&request))["revision"]
        .as_u64()
        .unwrap()
}

#[tokio::test]
async fn after_a_gap_it_tells_what_was_missed() {
    let sandbox = Sandbox::builder().clock(clock()).start().await.unwrap();
    let mut stream = Stream::open(&sandbox, None).await;
    sandbox.use_public_key_only(true);
    let mut last = stream.next().await;
    while last["revision"] == json!(0) {
        last = stream.next().await;
    }
    drop(stream);
    sandbox.set_faults(FaultKind::AddFields);
    let mut stream = Stream::open(&sandbox, last["revision"].as_u64()).await;
    assert_eq!(what(&stream.next().await), ["faults"]);
    // A number from another life of the sandbox says nothing here.
    let mut stream = Stream::open(&sandbox, Some(1_000_000)).await;
    assert_eq!(what(&stream.next().await).len(), 6);
}

#[tokio::test]
async fn orders_that_expire_by_themselves_and_a_clock_that_is_moved_show_too() {
    let clock = Clock::starting_at(UnixTime::from_seconds(shop::NOW));
    let sandbox = Sandbox::builder().clock(clock.clone()).start().await.unwrap();
    place(&sandbox, "order-1", 100, "http://127.0.0.1:9/notify");
    let mut stream = Stream::open(&sandbox, None).await;
    stream.next().await;
    clock.advance(Duration::from_secs(8 * 86_400)).unwrap();
    let mut seen = Vec::new();
    while seen.len() < 2 {
        let event = stream.next().await;
        seen.extend(what(&event).iter().map(|topic| (*topic).to_owned()));
    }
    seen.sort();
    assert_eq!(seen, ["clock", "orders"]);
}
