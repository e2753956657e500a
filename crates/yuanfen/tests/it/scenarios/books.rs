//! A correct shop's books, and its door for notices.

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex};

use bytes::Bytes;
use http::{Request, Response};
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::{TcpListener, TcpStream};
use tokio::task::JoinHandle;
use yuanfen::core::{Address, EventKey, Facts, Fen, Notice, NotificationSource, Transition, Verdict};

use crate::shop::ShopTime;

/// What a shop did, by what it was for. Each entry is one delivery of goods or one refund taken down: an entry made twice
/// would be a loss, so there is only one of each key.
#[derive(Default)]
pub struct Books {
    /// Orders that were placed, written down before the call.
    ordered: BTreeMap<String, Fen>,
    done: BTreeMap<EventKey, Facts>,
    /// The order in which things were done.
    pub diary: Vec<Transition>,
    /// Every amount that a proven notice told, as a shop without a memory would count them.
    pub told: Vec<Option<Fen>>,
    /// Notices whose signature did not prove them.
    unproven: usize,
}

impl Books {
    pub fn shared() -> Arc<Mutex<Self>> {
        Arc::default()
    }

    pub fn write_down(&mut self, order_no: &str, amount: Fen) {
        self.ordered.insert(order_no.to_owned(), amount);
    }

    /// Takes an event down once. Refuses what contradicts the order or what was taken down before.
    fn take(&mut self, key: EventKey, facts: Facts) -> Verdict {
        self.told.push(facts.amount);
        let ordered = facts.order_no.as_ref().and_then(|number| self.ordered.get(number));
        let fits = match (key.transition, ordered) {
            (_, None) => false,
            (Transition::OrderPaid | Transition::OrderSettled, Some(amount)) => facts.amount == Some(*amount),
            (_, Some(amount)) => facts.amount.is_some_and(|back| back <= *amount),
        };
        if !fits {
            return Verdict::Rejected;
        }
        match self.done.get(&key) {
            Some(known) if *known == facts => Verdict::Accepted,
            Some(_) => Verdict::Rejected,
            None => {
                self.diary.push(key.transition);
                self.done.insert(key, facts);
                Verdict::Accepted
            }
        }
    }

    /// Unproven notices, and deliveries.
    pub fn counts(&self) -> (usize, usize) {
        (self.unproven, self.deliveries())
    }

    /// How often goods were handed out.
    pub fn deliveries(&self) -> usize {
        let paid = |transition: &&Transition| **transition == Transition::OrderPaid;
        self.diary.iter().filter(paid).count()
    }
}

/// Where the platform's notices arrive.
pub struct Door {
    pub url: Address,
    task: JoinHandle<()>,
}

impl Door {
    /// Opens notices as that account does, and takes them down in the books.
    pub async fn open<P>(account: Arc<P>, books: Arc<Mutex<Books>>, time: ShopTime) -> Self
    where
        P: NotificationSource + Send + Sync + 'static,
    {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let url = format!("http://{}/notify", listener.local_addr().unwrap());
        let task = tokio::spawn(async move {
            loop {
                let (mut stream, _) = listener.accept().await.unwrap();
                let request = read(&mut stream).await;
                let now = yuanfen::core::Ambient::now(&time);
                let verdict = match account.open_notification(&request, now) {
                    Ok(Notice::Settles(event)) => {
                        let (key, facts) = (account.key(event.get()), account.facts(event.get()));
                        books.lock().unwrap().take(key, facts)
                    }
                    // A hint settles nothing; whoever wants to know asks.
                    Ok(_) => Verdict::Accepted,
                    Err(_) => {
                        books.lock().unwrap().unproven += 1;
                        Verdict::Rejected
                    }
                };
                write(&mut stream, &account.acknowledge(verdict)).await;
            }
        });
        Self {
            url: Address::parse_plain("notify_url", &url).unwrap(),
            task,
        }
    }
}

impl Drop for Door {
    fn drop(&mut self) {
        self.task.abort();
    }
}

async fn read(stream: &mut TcpStream) -> Request<Bytes> {
    let mut message = Vec::new();
    loop {
        let mut chunk = [0_u8; 4096];
        let read = stream.read(&mut chunk).await.unwrap();
        message.extend_from_slice(&chunk[..read]);
        let Some(end) = message.windows(4).position(|window| window == b"\r\n\r\n") else {
            continue;
        };
        let head = String::from_utf8(message[..end].to_vec()).unwrap();
        let mut request = Request::post("/notify");
        let mut length = 0;
        for line in head.lines().skip(1) {
            let (name, value) = line.split_once(": ").unwrap();
            if name.eq_ignore_ascii_case("content-length") {
                length = value.parse().unwrap();
            }
            request = request.header(name, value);
        }
        let body = &message[end + 4..];
        if body.len() >= length {
            return request.body(Bytes::copy_from_slice(body)).unwrap();
        }
        assert_ne!(read, 0, "the notice is cut off");
    }
}

async fn write(stream: &mut TcpStream, answer: &Response<Bytes>) {
    let head = format!(
        "HTTP/1.1 {} X\r\ncontent-length: {}\r\nconnection: close\r\n\r\n",
        answer.status().as_u16(),
        answer.body().len()
    );
    stream.write_all(head.as_bytes()).await.unwrap();
    stream.write_all(answer.body()).await.unwrap();
}
