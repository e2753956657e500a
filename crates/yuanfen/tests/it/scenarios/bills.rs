//! Bills that are not there yet, and bills that are not whole.

use std::fs;
use std::time::Duration;

use yuanfen::core::{Advice, CalendarDate, UnixTime};
use yuanfen::transport::{Check, CheckWith};
use yuanfen::wechat_v2::ops::DownloadTradeBill;
use yuanfen::wechat_v3::ops::{DownloadBill, RequestTradeBill};
use yuanfen::wechat_v3::{BillCheck, RequestedBill};
use yuanfen_sandbox::{FaultKind, Platform};

use super::Day;
use crate::shop::{START, order_no, v2_order, v3_order};

const V2: Platform = Platform::WechatV2;
const V3: Platform = Platform::WechatV3;

fn date() -> CalendarDate {
    UnixTime::from_seconds(START).beijing_date()
}

/// The morning after a day with one order of each, at about eleven.
async fn morning(name: &str) -> Day {
    let day = Day::begin(name).await;
    day.client(day.shop.wechat_v2())
        .call(&v2_order(&day.shop))
        .await
        .unwrap();
    day.client(day.shop.wechat_v3())
        .call(&v3_order(&day.shop))
        .await
        .unwrap();
    for platform in [V2, V3] {
        day.sandbox.pay(platform, order_no().as_str()).unwrap();
    }
    day.shop.pass(Duration::from_secs(18 * 3600));
    day
}

fn file_of(bill: &Option<RequestedBill>) -> Option<(DownloadBill, impl Check + Send + use<>)> {
    let checked = |bill: &RequestedBill| CheckWith::new(bill.check(), BillCheck::push, BillCheck::finish);
    bill.as_ref().map(|bill| (bill.download(), checked(bill)))
}

#[tokio::test]
pub async fn a_bill_in_the_making_is_asked_for_again() {
    let day = morning("bill-not-ready").await;
    let client = day.client(day.shop.wechat_v3());
    let request = RequestTradeBill::new(date());
    for _ in 0..2 {
        let error = client.call(&request).await.unwrap_err();
        assert_eq!(error.refusal().unwrap().code, "STATEMENT_CREATING");
        assert_eq!(error.advice(), Advice::RepeatLater);
        day.shop.pass(Duration::from_secs(600));
    }
    let bill = client.call(&request).await.unwrap().expect("something was sold");
    let file = client.call(&bill.download()).await.unwrap();
    assert!(!format!("{file:?}").is_empty());
    assert_eq!(day.shop.calls(V3, "trade-bill"), 3);

    let client = day.client(day.shop.wechat_v2());
    let request = DownloadTradeBill::new(date());
    for _ in 0..2 {
        let error = client.call(&request).await.err().unwrap();
        assert_eq!(error.advice(), Advice::RepeatLater, "{error:?}");
        day.shop.pass(Duration::from_secs(600));
    }
    let bill = client.call(&request).await.unwrap().expect("something was sold");
    assert!(bill.text().unwrap().contains(order_no().as_str()));
    assert_eq!(day.shop.calls(V2, "download-trade-bill"), 3);
}

#[tokio::test]
pub async fn a_damaged_bill_never_gets_its_name() {
    let day = morning("bill-damaged").await;
    let client = day.client(day.shop.wechat_v3());
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("bill.csv");
    let request = RequestTradeBill::new(date());
    for kind in [FaultKind::TruncateReply, FaultKind::AlterReply] {
        client.ask_and_download(&request, file_of, &path).await.unwrap_err();
        assert_eq!(day.struck(V3, "download-bill", kind), 1);
        assert_eq!(fs::read_dir(folder.path()).unwrap().count(), 0, "{kind}");
    }
    client
        .ask_and_download(&request, file_of, &path)
        .await
        .unwrap()
        .unwrap();
    let text = fs::read_to_string(&path).unwrap();
    assert!(text.contains(order_no().as_str()));
}
