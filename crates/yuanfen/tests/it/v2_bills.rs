//! The bills of version 2: a file that nobody signs, streamed into its place when it is whole, and no file otherwise.

use std::fs;
use std::path::Path;
use std::time::Duration;

use bytes::Bytes;
use yuanfen::core::{Advice, CalendarDate, Error, ErrorKind, Operation, ProtocolErrorKind, RefusalKind, UnixTime};
use yuanfen::transport::{Check, CheckWith, Client, DownloadError, TransportError};
use yuanfen::wechat_v2::ops::{AccountType, BillType, DownloadFundFlowBill, DownloadTradeBill};
use yuanfen::wechat_v2::{Account, BillCheck, BillFile, BillText};
use yuanfen_sandbox::Platform;

use crate::shop::{START, Shop, amount, order_no, v2_order};

const MORNING: Duration = Duration::from_secs(18 * 3600);

fn day() -> CalendarDate {
    UnixTime::from_seconds(START).beijing_date()
}

/// A shop in the morning after it sold something.
async fn morning() -> Shop {
    let shop = Shop::open();
    shop.client(shop.wechat_v2()).call(&v2_order(&shop)).await.unwrap();
    shop.far_side.pay(Platform::WechatV2, order_no().as_str()).unwrap();
    shop.pass(MORNING);
    shop
}

fn checked(check: BillCheck) -> impl Check + Send + use<> {
    CheckWith::new(check, BillCheck::push, BillCheck::finish).with_headers(BillCheck::headers)
}

fn why(error: &DownloadError) -> &ErrorKind {
    error.call().map(Error::kind).unwrap()
}

fn names(folder: &Path) -> usize {
    fs::read_dir(folder).unwrap().count()
}

fn file(bill: &Option<BillFile>) -> (Bytes, String) {
    let file = bill.as_ref().expect("something was sold");
    (file.bytes().clone(), file.text().unwrap())
}

#[tokio::test]
async fn a_days_bills_come_whole_and_say_what_was_sold() {
    let shop = morning().await;
    let client = shop.client(shop.wechat_v2());
    for (gzip, kind) in [(false, None), (true, None), (true, Some(BillType::Success))] {
        let mut call = DownloadTradeBill::new(day());
        call.gzip = gzip;
        call.bill_type = kind;
        let (bytes, text) = file(&client.call(&call).await.unwrap());
        assert_eq!(bytes.starts_with(&[0x1f, 0x8b]), gzip);
        let bill = BillText::parse(&text).unwrap();
        let rows: Vec<_> = bill.rows().collect::<Result<_, _>>().unwrap();
        let [row] = &rows[..] else { panic!("{rows:?}") };
        assert_eq!(row.get("商户订单号"), Some(order_no().as_str()));
        assert_eq!(row.fen("订单金额"), Ok(amount().fen()));
        assert_eq!(bill.summary().fen("订单总金额"), Ok(amount().fen()));

        let mut call = DownloadFundFlowBill::new(day(), AccountType::Basic);
        call.gzip = gzip;
        let (bytes, text) = file(&client.call(&call).await.unwrap());
        assert_eq!(bytes.starts_with(&[0x1f, 0x8b]), gzip);
        let bill = BillText::parse(&text).unwrap();
        let came_in: Vec<_> = bill
            .rows()
            .map(|row| row.unwrap().fen("收支金额(元)").unwrap())
            .collect();
        assert!(came_in.contains(&amount().fen()), "{came_in:?}");
        assert!(bill.summary().fen("收入金额").unwrap() >= amount().fen());
    }
}

#[tokio::test]
async fn a_bill_is_streamed_into_its_place() {
    let shop = morning().await;
    let client = shop.client(shop.wechat_v2());
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("bill");
    for gzip in [false, true] {
        let mut trade = DownloadTradeBill::new(day());
        trade.gzip = gzip;
        let whole = file(&client.call(&trade).await.unwrap()).0;
        client.download(&trade, checked(trade.check()), &path).await.unwrap();
        assert_eq!(fs::read(&path).unwrap(), whole);
        let mut flow = DownloadFundFlowBill::new(day(), AccountType::Basic);
        flow.gzip = gzip;
        let length = client.download(&flow, checked(flow.check()), &path).await.unwrap();
        assert_eq!(length, fs::metadata(&path).unwrap().len());
    }
    assert_eq!(names(folder.path()), 1);
}

/// Somebody in the middle who meddles with what comes.
fn meddling(shop: &Shop, meddle: fn(Vec<u8>) -> Vec<u8>) -> Client<Account> {
    let far_side = shop.far_side.clone();
    let transport = move |request: http::Request<Bytes>| {
        let answer = far_side.answer(&request).unwrap();
        let answer = answer.map(|body| Bytes::from(meddle(body.to_vec())));
        async move { Ok::<_, TransportError>(answer) }
    };
    Client::new(shop.wechat_v2(), transport).with_ambient(shop.time())
}

fn cut(mut body: Vec<u8>) -> Vec<u8> {
    body.truncate(body.len() - 20);
    body
}

fn altered(mut body: Vec<u8>) -> Vec<u8> {
    let at = body.iter().position(|byte| *byte == b'`').unwrap() + 4;
    body[at] ^= 1;
    body
}

async fn fails<O>(client: &Client<Account>, call: &O, check: BillCheck) -> ProtocolErrorKind
where
    O: Operation<Provider = Account, Reply = Option<BillFile>>,
{
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("bill");
    fs::write(&path, "yesterday's").unwrap();
    let streamed = client.download(call, checked(check), &path).await.unwrap_err();
    assert_eq!(fs::read(&path).unwrap(), b"yesterday's");
    assert_eq!(names(folder.path()), 1);
    let ErrorKind::Protocol(streamed) = why(&streamed) else {
        panic!("{streamed:?}")
    };
    let whole = client.call(call).await.unwrap_err();
    let ErrorKind::Protocol(whole) = whole.kind() else {
        panic!("{whole:?}")
    };
    assert_eq!(streamed.kind, whole.kind);
    streamed.kind.clone()
}

#[tokio::test]
async fn a_file_that_was_cut_off_or_altered_leaves_nothing() {
    let shop = morning().await;
    for gzip in [false, true] {
        let mut trade = DownloadTradeBill::new(day());
        trade.gzip = gzip;
        let mut flow = DownloadFundFlowBill::new(day(), AccountType::Basic);
        flow.gzip = gzip;
        let client = meddling(&shop, cut);
        assert_eq!(fails(&client, &trade, trade.check()).await, ProtocolErrorKind::Format);
        let kind = fails(&client, &flow, flow.check()).await;
        assert_eq!(
            kind,
            if gzip {
                ProtocolErrorKind::Format
            } else {
                ProtocolErrorKind::Digest
            }
        );
    }
    let flow = DownloadFundFlowBill::new(day(), AccountType::Basic);
    let client = meddling(&shop, altered);
    assert_eq!(fails(&client, &flow, flow.check()).await, ProtocolErrorKind::Digest);
    let page = meddling(&shop, |_| b"<html><body>502</body></html>".to_vec());
    assert_eq!(fails(&page, &flow, flow.check()).await, ProtocolErrorKind::Html);
}

#[tokio::test]
async fn a_bill_is_not_there_before_ten_and_never_of_an_empty_day() {
    let shop = Shop::open();
    shop.client(shop.wechat_v2()).call(&v2_order(&shop)).await.unwrap();
    shop.far_side.pay(Platform::WechatV2, order_no().as_str()).unwrap();
    // From five in the afternoon to two in the night.
    shop.pass(Duration::from_secs(9 * 3600));
    let client = shop.client(shop.wechat_v2());
    let trade = DownloadTradeBill::new(day());
    let flow = DownloadFundFlowBill::new(day(), AccountType::Basic);
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("bill");
    let streamed = client
        .download(&trade, checked(trade.check()), &path)
        .await
        .unwrap_err();
    for error in [
        client.call(&trade).await.unwrap_err(),
        client.call(&flow).await.unwrap_err(),
    ] {
        assert_eq!(error.refusal().unwrap().meaning.kind, RefusalKind::NotYet);
        assert_eq!(error.advice(), Advice::RepeatLater);
        assert_eq!(error.refusal().unwrap().ready_at, Some(trade.ready_at()));
    }
    assert_eq!(
        streamed.call().unwrap().refusal().unwrap().meaning.kind,
        RefusalKind::NotYet
    );

    // At the time that the call names, and not a second before.
    let wait = u64::try_from(trade.ready_at().since(shop.now())).unwrap();
    shop.pass(Duration::from_secs(wait - 1));
    assert!(client.call(&trade).await.is_err());
    shop.pass(Duration::from_secs(1));
    assert!(client.call(&trade).await.unwrap().is_some());

    let mut empty = trade.clone();
    empty.bill_type = Some(BillType::Refund);
    empty.gzip = true;
    assert!(client.call(&empty).await.unwrap().is_none());
    let fees = DownloadFundFlowBill::new(day(), AccountType::Fees);
    assert!(client.call(&fees).await.unwrap().is_none());
    let nothing = client
        .download(&empty, checked(empty.check()), &path)
        .await
        .unwrap_err();
    assert_eq!(
        nothing.call().unwrap().refusal().unwrap().meaning.kind,
        RefusalKind::Nothing
    );
    assert_eq!(names(folder.path()), 0);
}
