//! A day's bill over sockets: asked for, streamed through its check, and under its name only when the digest holds.

use std::fs;
use std::io::Read as _;
use std::path::Path;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::task::Poll;
use std::time::Duration;

use bytes::Bytes;
use yuanfen::core::{
    Advice, CalendarDate, ErrorKind, OperationExt as _, OrderNo, ProtocolErrorKind, RefusalKind, UnixTime,
};
use yuanfen::transport::{
    Check, CheckWith, Chunks, Client, DownloadError, HyperTransport, Transport, TransportError, TransportErrorKind,
};
use yuanfen::wechat_v3::ops::{DownloadBill, RequestFundFlowBill, RequestTradeBill};
use yuanfen::wechat_v3::{Account, BillCheck, RequestedBill};
use yuanfen_sandbox::{Clock, FaultKind, FaultRule, Platform, Sandbox};

use crate::shop::{START, Shop, v3_order};

/// Enough that the plain trade bill does not fit into one chunk of hyper's.
const ORDERS: usize = 300;

/// Seconds that the sandbox keeps a download address; nobody relies on more than the 30 of the older pages.
const KEPT: u64 = 300;

/// What became of the file on its way.
#[derive(Clone, Copy, Debug)]
enum Way {
    Straight,
    /// The last byte is another one.
    LastByte,
    /// The last byte is missing, and the length in the head says so too: nothing but the digest shows it.
    Shorter,
    /// There is one byte more.
    Longer,
    /// Nothing is left.
    Empty,
}

/// Hyper with somebody in the middle who meddles with what is streamed, and nothing else.
struct Middle {
    inner: HyperTransport,
    way: Way,
}

impl Transport for Middle {
    async fn send(&self, request: http::Request<Bytes>) -> Result<http::Response<Bytes>, TransportError> {
        self.inner.send(request).await
    }

    async fn stream(&self, request: http::Request<Bytes>) -> Result<http::Response<Chunks>, TransportError> {
        let (head, mut chunks) = self.inner.stream(request).await?.into_parts();
        let mut file = Vec::new();
        while let Some(chunk) = chunks.next().await {
            file.extend_from_slice(&chunk?);
        }
        match self.way {
            Way::Straight => {}
            Way::LastByte => *file.last_mut().unwrap() ^= 1,
            Way::Shorter => drop(file.pop().unwrap()),
            Way::Longer => file.push(b'\n'),
            Way::Empty => file.clear(),
        }
        let pieces: Vec<Bytes> = file.chunks(1000).map(Bytes::copy_from_slice).collect();
        let mut pieces = pieces.into_iter();
        let chunks = Chunks::poll_fn(move |_| Poll::Ready(pieces.next().map(Ok)));
        Ok(http::Response::from_parts(head, chunks))
    }
}

/// A shop in the night after a day on which it sold something.
struct Night {
    sandbox: Sandbox,
    shop: Shop,
    day: CalendarDate,
}

impl Night {
    async fn fall(orders: usize) -> Self {
        let start = UnixTime::from_seconds(START);
        let sandbox = Sandbox::builder()
            .clock(Clock::starting_at(start))
            .seed(7)
            .start()
            .await
            .unwrap();
        let shop = Shop {
            far_side: sandbox.far_side().clone(),
        };
        let night = Self {
            sandbox,
            shop,
            day: start.beijing_date(),
        };
        let client = night.client(Way::Straight);
        for number in 0..orders {
            let mut order = v3_order(&night.shop);
            order.terms.order_no = OrderNo::portable(number_of(number)).unwrap();
            order.terms.description = "面".repeat(100);
            client.call(&order).await.unwrap();
            night.sandbox.pay(Platform::WechatV3, &number_of(number)).unwrap();
        }
        // From five in the afternoon to two in the night.
        night.shop.pass(Duration::from_secs(9 * 3600));
        night
    }

    /// The same, at eleven the next morning: the bills are there.
    async fn over(orders: usize) -> Self {
        let night = Self::fall(orders).await;
        night.shop.pass(Duration::from_secs(9 * 3600));
        night
    }

    /// On the sandbox's clock.
    fn client(&self, way: Way) -> Client<Account> {
        let inner = HyperTransport::new().unwrap();
        let account = self.shop.wechat_v3();
        match way {
            Way::Straight => Client::new(account, inner),
            way => Client::new(account, Middle { inner, way }),
        }
        .with_ambient(self.shop.time())
    }

    async fn trade_bill(&self, client: &Client<Account>, gzip: bool) -> RequestedBill {
        let mut request = RequestTradeBill::new(self.day);
        request.gzip = gzip;
        client.call(&request).await.unwrap().expect("something was sold")
    }

    /// What the sandbox keeps at that address, past every client.
    fn kept(&self, client: &Client<Account>, bill: &RequestedBill) -> Bytes {
        let request = bill.download().request(client.provider(), &self.shop.time()).unwrap();
        self.sandbox.answer(&request).unwrap().into_body()
    }
}

fn number_of(index: usize) -> String {
    format!("SHOP20251009{index:06}")
}

fn checked(bill: &RequestedBill) -> impl Check + Send + use<> {
    CheckWith::new(bill.check(), BillCheck::push, BillCheck::finish)
}

fn file_of(bill: &Option<RequestedBill>) -> Option<(DownloadBill, impl Check + Send + use<>)> {
    bill.as_ref().map(|bill| (bill.download(), checked(bill)))
}

async fn save(client: &Client<Account>, bill: &RequestedBill, path: &Path) -> Result<u64, DownloadError> {
    client.download(&bill.download(), checked(bill), path).await
}

fn names(folder: &Path) -> Vec<String> {
    let entries = fs::read_dir(folder).unwrap();
    entries
        .map(|entry| entry.unwrap().file_name().into_string().unwrap())
        .collect()
}

fn unpacked(file: &[u8]) -> Vec<u8> {
    let mut plain = Vec::new();
    flate2::read::GzDecoder::new(file).read_to_end(&mut plain).unwrap();
    plain
}

fn protocol(error: &DownloadError) -> &ProtocolErrorKind {
    match error.call().map(yuanfen::core::Error::kind) {
        Some(ErrorKind::Protocol(error)) => &error.kind,
        _ => panic!("{error:?}"),
    }
}

#[tokio::test]
async fn a_day_s_bills_are_streamed_into_their_place() {
    let night = Night::over(ORDERS).await;
    let client = night.client(Way::Straight);
    let folder = tempfile::tempdir().unwrap();
    let path = |name: &str| folder.path().join(name);

    let trade = night.trade_bill(&client, false).await;
    let length = save(&client, &trade, &path("trade.csv")).await.unwrap();
    let plain = fs::read(path("trade.csv")).unwrap();
    assert_eq!(length, u64::try_from(plain.len()).unwrap());
    assert_eq!(plain, night.kept(&client, &trade));
    let text = String::from_utf8(plain).unwrap();
    assert!((0..ORDERS).all(|index| text.contains(&format!("`{}", number_of(index)))));

    // It comes in pieces, and each goes through the check.
    let pieces = Arc::new(AtomicUsize::new(0));
    let seen = Arc::clone(&pieces);
    let push = move |check: &mut BillCheck, chunk: &[u8]| {
        seen.fetch_add(1, Ordering::Relaxed);
        check.push(chunk)
    };
    let counted = CheckWith::new(trade.check(), push, BillCheck::finish);
    let again = client.download(&trade.download(), counted, &path("trade.csv")).await;
    assert_eq!(again.unwrap(), length);
    assert!(pieces.load(Ordering::Relaxed) > 1, "{length} bytes came in one piece");

    // The digest is of the file as it is unpacked; in place is the one that came.
    let packed = night.trade_bill(&client, true).await;
    assert_eq!(packed.sha1, trade.sha1);
    let length = save(&client, &packed, &path("trade.csv.gz")).await.unwrap();
    let gzip = fs::read(path("trade.csv.gz")).unwrap();
    assert_eq!(length, u64::try_from(gzip.len()).unwrap());
    assert_eq!(gzip, night.kept(&client, &packed));
    assert_eq!(unpacked(&gzip), text.as_bytes());

    for gzip in [false, true] {
        let mut request = RequestFundFlowBill::new(night.day);
        request.gzip = gzip;
        let flow = client.call(&request).await.unwrap().unwrap();
        assert_ne!(flow.sha1, trade.sha1);
        // What is there under the name is replaced.
        fs::write(path("flow"), "an older one").unwrap();
        save(&client, &flow, &path("flow")).await.unwrap();
        let file = fs::read(path("flow")).unwrap();
        assert_eq!(file, night.kept(&client, &flow));
        let plain = if gzip { unpacked(&file) } else { file };
        let text = String::from_utf8(plain).unwrap();
        assert_eq!(text.matches("`收入,").count(), ORDERS, "{text}");
    }
    assert_eq!(names(folder.path()).len(), 3, "nothing unfinished is left");
}

#[tokio::test]
async fn a_bill_that_was_altered_on_its_way_does_not_get_its_name() {
    let night = Night::over(3).await;
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("bill");
    for gzip in [false, true] {
        for way in [Way::LastByte, Way::Shorter, Way::Longer, Way::Empty] {
            let client = night.client(way);
            let bill = night.trade_bill(&client, gzip).await;
            let error = save(&client, &bill, &path).await.unwrap_err();
            // A gzip file that does not unpack has no digest at all.
            let expected = if gzip && !matches!(way, Way::Empty) {
                ProtocolErrorKind::Format
            } else {
                ProtocolErrorKind::Digest
            };
            assert_eq!(protocol(&error), &expected, "{way:?}, gzip {gzip}");
            assert_eq!(names(folder.path()), Vec::<String>::new(), "{way:?}, gzip {gzip}");
        }
    }
    // What was there before stays.
    fs::write(&path, "the one before").unwrap();
    let client = night.client(Way::LastByte);
    let bill = night.trade_bill(&client, false).await;
    save(&client, &bill, &path).await.unwrap_err();
    assert_eq!(fs::read(&path).unwrap(), b"the one before");
    assert_eq!(names(folder.path()), ["bill"]);
}

#[tokio::test]
async fn a_check_of_another_bill_does_not_let_a_whole_file_through() {
    let night = Night::over(3).await;
    let client = night.client(Way::Straight);
    let folder = tempfile::tempdir().unwrap();
    let trade = night.trade_bill(&client, false).await;
    let flow = client
        .call(&RequestFundFlowBill::new(night.day))
        .await
        .unwrap()
        .unwrap();
    let error = client
        .download(&trade.download(), checked(&flow), &folder.path().join("bill"))
        .await
        .unwrap_err();
    assert_eq!(protocol(&error), &ProtocolErrorKind::Digest);
    assert_eq!(names(folder.path()), Vec::<String>::new());
}

#[tokio::test]
async fn a_bill_that_breaks_off_is_gone_and_comes_whole_the_next_time() {
    let night = Night::over(ORDERS).await;
    let client = night.client(Way::Straight);
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("bill");
    for gzip in [false, true] {
        let bill = night.trade_bill(&client, gzip).await;
        night
            .shop
            .fault(FaultRule::new(FaultKind::CutReply).during("download-bill").nth(1));
        let error = save(&client, &bill, &path).await.unwrap_err();
        let Some(ErrorKind::Transport(wire)) = error.call().map(yuanfen::core::Error::kind) else {
            panic!("{error:?}")
        };
        assert_eq!(wire.kind, TransportErrorKind::Cut);
        assert_eq!(names(folder.path()), Vec::<String>::new());
        // The address is still good: the same call again, with a fresh check.
        save(&client, &bill, &path).await.unwrap();
        assert_eq!(fs::read(&path).unwrap(), night.kept(&client, &bill));
        fs::remove_file(&path).unwrap();
    }
}

#[tokio::test]
async fn an_address_that_lapsed_is_a_refusal_and_no_file() {
    let night = Night::over(1).await;
    let client = night.client(Way::Straight);
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("bill");
    let bill = night.trade_bill(&client, false).await;
    night.shop.pass(Duration::from_secs(29));
    save(&client, &bill, &path).await.unwrap();
    fs::remove_file(&path).unwrap();
    // Nothing is sent to an address that may be gone.
    night.shop.pass(Duration::from_secs(1));
    assert!(bill.is_stale(yuanfen::core::Ambient::now(&night.shop.time())));
    let error = save(&client, &bill, &path).await.unwrap_err();
    let Some(ErrorKind::Build(stale)) = error.call().map(yuanfen::core::Error::kind) else {
        panic!("{error:?}")
    };
    assert_eq!(stale.field(), Some("download_url"));
    // Whoever kept no time gets the platform's refusal.
    night.shop.pass(Duration::from_secs(KEPT - 30 + 1));
    let timeless = DownloadBill::new(bill.download_url().clone(), &bill.sha1);
    let error = client.download(&timeless, checked(&bill), &path).await.unwrap_err();
    let refusal = error.call().and_then(yuanfen::core::Error::refusal).unwrap();
    assert_eq!((&*refusal.code, refusal.verified), ("INVALID_REQUEST", false));
    assert_eq!(names(folder.path()), Vec::<String>::new());
    // The way out: asking anew gives a new address for the same file.
    let again = night.trade_bill(&client, false).await;
    assert_eq!(again.sha1, bill.sha1);
    save(&client, &again, &path).await.unwrap();
}

#[tokio::test]
async fn a_bill_is_not_there_before_ten_in_the_morning() {
    let night = Night::fall(1).await;
    let client = night.client(Way::Straight);
    let error = client.call(&RequestTradeBill::new(night.day)).await.unwrap_err();
    let refusal = error.refusal().unwrap();
    assert_eq!(&*refusal.code, "STATEMENT_CREATING");
    assert_eq!(refusal.meaning.kind, RefusalKind::NotYet);
    assert_eq!(error.advice(), Advice::RepeatLater);
    // It says when: ten o'clock of the next morning in Beijing, and not a second earlier.
    let ready_at = refusal.ready_at.unwrap();
    assert_eq!(ready_at, RequestTradeBill::new(night.day).ready_at());
    let wait = ready_at.since(yuanfen::core::Ambient::now(&night.shop.time()));
    night.shop.pass(Duration::from_secs(u64::try_from(wait).unwrap() - 1));
    client.call(&RequestTradeBill::new(night.day)).await.unwrap_err();
    night.shop.pass(Duration::from_secs(1));
    night.trade_bill(&client, false).await;
}

#[tokio::test]
async fn a_day_without_trade_is_an_answer_and_no_file() {
    let night = Night::over(0).await;
    let client = night.client(Way::Straight);
    let folder = tempfile::tempdir().unwrap();
    let request = RequestTradeBill::new(night.day);
    assert_eq!(client.call(&request).await.unwrap(), None);
    assert_eq!(client.call(&RequestFundFlowBill::new(night.day)).await.unwrap(), None);
    let saved = client
        .ask_and_download(&request, file_of, &folder.path().join("bill"))
        .await;
    assert_eq!(saved.unwrap(), None);
    assert_eq!(names(folder.path()), Vec::<String>::new());
}

/// The address stops working between the asking and the download; the shop sees nothing of it.
#[tokio::test]
async fn a_bill_whose_address_lapsed_is_asked_for_once_more() {
    let night = Night::over(1).await;
    let client = night.client(Way::Straight);
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("bill");
    let request = RequestTradeBill::new(night.day);
    for late in [0, 30, KEPT + 1] {
        let delays = AtomicUsize::new(0);
        let slowly = |bill: &Option<RequestedBill>| {
            if delays.fetch_add(1, Ordering::Relaxed) == 0 {
                night.shop.pass(Duration::from_secs(late));
            }
            file_of(bill)
        };
        client.ask_and_download(&request, slowly, &path).await.unwrap().unwrap();
        assert_eq!(delays.into_inner(), if late == 0 { 1 } else { 2 }, "{late}");
        assert!(path.exists());
        fs::remove_file(&path).unwrap();
    }
}
