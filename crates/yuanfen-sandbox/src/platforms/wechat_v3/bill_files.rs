//! Bills: asked for, then fetched by an address that lives five minutes (section 18 of the sheet).

use bytes::Bytes;
use http::StatusCode;
use serde_json::json;
use yuanfen_core::{CalendarDate, Fields, UnixTime};
use yuanfen_sign::Sha1Stream;

use super::{Answer, Refusal, query_of};
use crate::bills::{self, Holder, TradeBill, Untimely, gzip};
use crate::keys;
use crate::platforms::{Call, Desk, Platform};

/// Seconds that a download address lives.
const LIFE: i64 = 300;
/// Whose bills these are.
fn holder() -> Holder<'static> {
    Holder {
        account: Platform::WechatV3.into(),
        app_id: keys::WECHAT_APP_ID,
        merchant_id: keys::WECHAT_MERCHANT_ID,
        sub_merchant: None,
    }
}

/// Most files that are kept at a time; a clock that stands still would keep them all.
const MOST: usize = 64;

/// Files that were asked for and not forgotten yet, the oldest first.
#[derive(Default)]
pub(super) struct BillFiles(Vec<BillFile>);

struct BillFile {
    token: String,
    made_at: UnixTime,
    /// As it is sent: compressed where that was asked for.
    content: Bytes,
}

impl BillFiles {
    pub(super) fn apply_trade(&mut self, call: &Call<'_>, desk: &Desk<'_>) -> Result<Answer, Refusal> {
        let query = query_of(call)?;
        only(&query, &["bill_date", "bill_type", "tar_type"])?;
        let kind = match query.get("bill_type") {
            None | Some("ALL") => TradeBill::All,
            Some("SUCCESS") => TradeBill::Success,
            Some("REFUND") => TradeBill::Refund,
            Some(_) => return Err(wrong("bill_type")),
        };
        let day = day_of(&query, desk.now())?;
        let bill = bills::trade(desk.book, holder(), day, kind);
        self.keep(bill, &query, desk)
    }

    pub(super) fn apply_fund_flow(&mut self, call: &Call<'_>, desk: &Desk<'_>) -> Result<Answer, Refusal> {
        let query = query_of(call)?;
        only(&query, &["bill_date", "account_type", "tar_type"])?;
        let day = day_of(&query, desk.now())?;
        let bill = match query.get("account_type") {
            None | Some("BASIC") => bills::fund_flow(desk.book, holder(), day),
            // Nothing moves on these accounts here.
            Some("OPERATION" | "FEES") => None,
            Some(_) => return Err(wrong("account_type")),
        };
        self.keep(bill, &query, desk)
    }

    fn keep(&mut self, bill: Option<String>, query: &Fields, desk: &Desk<'_>) -> Result<Answer, Refusal> {
        let bill = bill.ok_or_else(|| Refusal::new(400, "NO_STATEMENT_EXIST", "账单文件不存在"))?;
        let zipped = match query.get("tar_type") {
            None => false,
            Some("GZIP") => true,
            Some(_) => return Err(wrong("tar_type")),
        };
        // Over the file before it is compressed.
        let mut digest = Sha1Stream::new();
        digest.push(bill.as_bytes());
        let content = if zipped {
            gzip(bill.as_bytes()).ok_or_else(|| Refusal::new(500, "SYSTEM_ERROR", "系统错误"))?
        } else {
            bill.into_bytes()
        };
        let now = desk.now();
        self.0.retain(|file| now.since(file.made_at) <= LIFE);
        if self.0.len() >= MOST {
            self.0.remove(0);
        }
        let token = desk.ambient.letters(40);
        let suffix = if zipped { "&tartype=gzip" } else { "" };
        let address = format!("{}/v3/billdownload/file?token={token}{suffix}", desk.base_url);
        self.0.push(BillFile {
            token,
            made_at: now,
            content: Bytes::from(content),
        });
        Ok(Answer::Json(
            StatusCode::OK,
            json!({ "hash_type": "SHA1", "hash_value": digest.finish_hex(), "download_url": address }),
        ))
    }

    pub(super) fn download(&self, call: &Call<'_>, desk: &Desk<'_>) -> Result<Bytes, Refusal> {
        let query = query_of(call)?;
        let token = query.get("token").ok_or_else(|| wrong("token"))?;
        let now = desk.now();
        self.0
            .iter()
            .find(|file| file.token == token && now.since(file.made_at) <= LIFE)
            .map(|file| file.content.clone())
            .ok_or_else(|| Refusal::new(400, "INVALID_REQUEST", "下载地址不存在或已过期").unsigned())
    }
}

fn day_of(query: &Fields, now: UnixTime) -> Result<CalendarDate, Refusal> {
    let day = query
        .get("bill_date")
        .and_then(|text| CalendarDate::parse(text).ok())
        .ok_or_else(|| wrong("bill_date"))?;
    match bills::check_day(day, now) {
        Ok(()) => Ok(day),
        Err(Untimely::NoMore) => Err(wrong("bill_date")),
        Err(Untimely::NotYet) => Err(Refusal::new(400, "STATEMENT_CREATING", "账单生成中")),
    }
}

fn only(query: &Fields, names: &[&str]) -> Result<(), Refusal> {
    match query.iter().find(|(name, _)| !names.contains(name)) {
        None => Ok(()),
        Some((name, _)) => Err(wrong(name)),
    }
}

fn wrong(name: &str) -> Refusal {
    Refusal::new(400, "PARAM_ERROR", "参数错误")
        .with_detail(json!({ "field": name, "location": "query", "issue": "参数缺失、未知或取值错误" }))
}
