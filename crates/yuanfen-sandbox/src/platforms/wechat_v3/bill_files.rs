//! Bills: asked for, then fetched by an address that lives half a minute, or five of them where the file is sealed
//! (section 18 of the sheet).

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use bytes::Bytes;
use http::StatusCode;
use serde_json::json;
use yuanfen_core::{CalendarDate, Fields, UnixTime};
use yuanfen_sign::{ApiV3Key, Sha1Stream};

use super::caller::Merchant;
use super::{Answer, Refusal, only, query_of, wrong_in_query as wrong};
use crate::bills::{self, Holder, TradeBill, Untimely, gzip};
use crate::book::Account;
use crate::platforms::{Call, Desk};

/// Seconds that a download address lives. Newer pages say five minutes of these too; the sheet assumes the shorter.
const LIFE: i64 = 30;
/// Seconds that the address of a sealed file lives.
const SEALED_LIFE: i64 = 300;

/// Most files that are kept at a time; a clock that stands still would keep them all.
const MOST: usize = 64;

/// Files that were asked for and not forgotten yet, the oldest first.
#[derive(Default)]
pub(super) struct BillFiles(Vec<BillFile>);

struct BillFile {
    token: String,
    /// Who asked for it, and alone may fetch it.
    account: Account,
    made_at: UnixTime,
    /// In seconds.
    life: i64,
    /// As it is sent: compressed where that was asked for.
    content: Bytes,
}

impl BillFile {
    fn lives(&self, now: UnixTime) -> bool {
        now.since(self.made_at) < self.life
    }
}

/// A file to be kept, as it is sent.
struct Content {
    bytes: Vec<u8>,
    zipped: bool,
    life: i64,
}

impl BillFiles {
    pub(super) fn apply_trade(
        &mut self,
        merchant: &Merchant,
        call: &Call<'_>,
        desk: &Desk<'_>,
    ) -> Result<Answer, Refusal> {
        let query = query_of(call)?;
        only(
            &query,
            shaped(merchant, &["bill_date", "bill_type", "tar_type", "sub_mchid"]),
        )?;
        let kind = match query.get("bill_type") {
            None | Some("ALL") => Some(TradeBill::All),
            Some("SUCCESS") => Some(TradeBill::Success),
            Some("REFUND") => Some(TradeBill::Refund),
            // Nobody recharges anything here.
            Some("RECHARGE_REFUND") => None,
            Some(_) => return Err(wrong("bill_type")),
        };
        let day = day_of(&query, desk)?;
        let sub_merchant = sub_merchant(merchant, &query)?;
        let bill = kind.and_then(|kind| bills::trade(desk.book, holder(merchant, sub_merchant), day, kind));
        self.keep(bill, merchant, &query, desk)
    }

    /// Of a service provider this is its own account, on which its merchants' money never is.
    pub(super) fn apply_fund_flow(
        &mut self,
        merchant: &Merchant,
        call: &Call<'_>,
        desk: &Desk<'_>,
    ) -> Result<Answer, Refusal> {
        let query = query_of(call)?;
        only(&query, &["bill_date", "account_type", "tar_type"])?;
        let day = day_of(&query, desk)?;
        let moves = is_basic(&query)? && !merchant.account.is_provider;
        let bill = moves
            .then(|| bills::fund_flow(desk.book, holder(merchant, None), day))
            .flatten();
        self.keep(bill, merchant, &query, desk)
    }

    /// The fund flow of a provider's merchants, one of them or all, sealed for the provider alone.
    pub(super) fn apply_sealed(
        &mut self,
        scope: Scope,
        merchant: &Merchant,
        call: &Call<'_>,
        desk: &Desk<'_>,
    ) -> Result<Answer, Refusal> {
        if !merchant.account.is_provider {
            return Err(Refusal::new(403, "NO_AUTH", "商户无此接口权限"));
        }
        let query = query_of(call)?;
        let names = ["bill_date", "account_type", "algorithm", "tar_type", "sub_mchid"];
        only(
            &query,
            match scope {
                Scope::One => &names,
                Scope::Every => names.get(..4).unwrap_or_default(),
            },
        )?;
        if query.get("algorithm") != Some("AEAD_AES_256_GCM") {
            return Err(wrong("algorithm"));
        }
        let day = day_of(&query, desk)?;
        let sub_merchant = sub_merchant(merchant, &query)?;
        if scope == Scope::One && sub_merchant.is_none() {
            return Err(wrong("sub_mchid"));
        }
        let bill = is_basic(&query)?
            .then(|| bills::fund_flow(desk.book, holder(merchant, sub_merchant), day))
            .flatten()
            .ok_or_else(nothing)?;
        let mut list = Vec::new();
        for (index, part) in halves(&bill).into_iter().enumerate() {
            let (content, zipped) = packed(part, &query)?;
            let (key, nonce) = (desk.ambient.letters(32), desk.ambient.letters(12));
            let sealed = Content {
                bytes: seal(&key, &nonce, &content)?,
                zipped,
                life: SEALED_LIFE,
            };
            let encrypt_key = merchant
                .key
                .encrypt_oaep_sha1(key.as_bytes(), desk.ambient)
                .map_err(|_| failed())?;
            list.push(json!({
                "bill_sequence": index.saturating_add(1),
                "download_url": self.store(sealed, merchant, desk),
                "encrypt_key": encrypt_key,
                "hash_type": "SHA1",
                "hash_value": digest(part),
                "nonce": nonce,
            }));
        }
        let body = json!({ "download_bill_count": list.len(), "download_bill_list": list });
        Ok(Answer::Json(StatusCode::OK, body))
    }

    fn keep(
        &mut self,
        bill: Option<String>,
        merchant: &Merchant,
        query: &Fields,
        desk: &Desk<'_>,
    ) -> Result<Answer, Refusal> {
        let bill = bill.ok_or_else(nothing)?;
        let (bytes, zipped) = packed(&bill, query)?;
        let life = LIFE;
        let address = self.store(Content { bytes, zipped, life }, merchant, desk);
        Ok(Answer::Json(
            StatusCode::OK,
            json!({ "hash_type": "SHA1", "hash_value": digest(&bill), "download_url": address }),
        ))
    }

    /// Keeps a file for a while, and gives the address under which it is.
    fn store(&mut self, content: Content, merchant: &Merchant, desk: &Desk<'_>) -> String {
        let now = desk.now();
        self.0.retain(|file| file.lives(now));
        if self.0.len() >= MOST {
            self.0.remove(0);
        }
        let token = desk.ambient.letters(40);
        let suffix = if content.zipped { "&tartype=gzip" } else { "" };
        let address = format!("{}/v3/billdownload/file?token={token}{suffix}", desk.base_url);
        self.0.push(BillFile {
            token,
            account: merchant.account,
            made_at: now,
            life: content.life,
            content: Bytes::from(content.bytes),
        });
        address
    }

    pub(super) fn download(&self, merchant: &Merchant, call: &Call<'_>, desk: &Desk<'_>) -> Result<Bytes, Refusal> {
        let query = query_of(call)?;
        let token = query.get("token").ok_or_else(|| wrong("token"))?;
        let now = desk.now();
        self.0
            .iter()
            .find(|file| file.token == token && file.account == merchant.account && file.lives(now))
            .map(|file| file.content.clone())
            .ok_or_else(|| Refusal::new(400, "INVALID_REQUEST", "下载地址不存在或已过期").unsigned())
    }
}

fn day_of(query: &Fields, desk: &Desk<'_>) -> Result<CalendarDate, Refusal> {
    let day = query
        .get("bill_date")
        .and_then(|text| CalendarDate::parse(text).ok())
        .ok_or_else(|| wrong("bill_date"))?;
    match bills::check_day(desk.book, day, desk.now()) {
        Ok(()) => Ok(day),
        Err(Untimely::NoMore) => Err(wrong("bill_date")),
        Err(Untimely::NotYet) => Err(Refusal::new(400, "STATEMENT_CREATING", "账单生成中")),
    }
}

/// Of how many merchants a sealed bill is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Scope {
    One,
    Every,
}

/// Without the parameter that service providers alone have, which is the last.
fn shaped<'n>(merchant: &Merchant, names: &'n [&'n str]) -> &'n [&'n str] {
    if merchant.account.is_provider {
        names
    } else {
        names.split_last().map_or(names, |(_, own)| own)
    }
}

fn sub_merchant(merchant: &Merchant, query: &Fields) -> Result<Option<&'static str>, Refusal> {
    let named = query.get("sub_mchid").map(|number| merchant.party_of(number, None));
    Ok(named.transpose()?.and_then(|party| party.merchant))
}

pub(super) const fn holder<'a>(merchant: &'a Merchant, sub_merchant: Option<&'a str>) -> Holder<'a> {
    Holder {
        account: merchant.account,
        app_id: merchant.app_id,
        merchant_id: merchant.id,
        sub_merchant,
    }
}

/// Whether it is the account on which money moves here.
fn is_basic(query: &Fields) -> Result<bool, Refusal> {
    match query.get("account_type") {
        None | Some("BASIC") => Ok(true),
        Some("OPERATION" | "FEES") => Ok(false),
        Some(_) => Err(wrong("account_type")),
    }
}

/// As it is sent, and whether that is compressed.
fn packed(bill: &str, query: &Fields) -> Result<(Vec<u8>, bool), Refusal> {
    match query.get("tar_type") {
        None => Ok((bill.as_bytes().to_vec(), false)),
        Some("GZIP") => gzip(bill.as_bytes()).map(|zipped| (zipped, true)).ok_or_else(failed),
        Some(_) => Err(wrong("tar_type")),
    }
}

/// Over the file before it is compressed or sealed.
fn digest(bill: &str) -> String {
    let mut digest = Sha1Stream::new();
    digest.push(bill.as_bytes());
    digest.finish_hex()
}

/// Ciphertext and tag as bytes, under a key that is used once.
fn seal(key: &str, nonce: &str, content: &[u8]) -> Result<Vec<u8>, Refusal> {
    let key = ApiV3Key::new(key).map_err(|_| failed())?;
    let sealed = key.seal(nonce, "", content).map_err(|_| failed())?;
    STANDARD.decode(sealed).map_err(|_| failed())
}

/// A bill in two files, so that shops have something to join; at a line's end, as in life.
fn halves(bill: &str) -> Vec<&str> {
    let middle = bill.len().div_euclid(2);
    let end = bill
        .match_indices("\r\n")
        .map(|(at, _)| at.saturating_add(2))
        .find(|end| *end >= middle);
    match end.and_then(|end| bill.split_at_checked(end)) {
        Some((first, second)) if !second.is_empty() => vec![first, second],
        _ => vec![bill],
    }
}

fn nothing() -> Refusal {
    Refusal::new(400, "NO_STATEMENT_EXIST", "账单文件不存在")
}

fn failed() -> Refusal {
    Refusal::new(500, "SYSTEM_ERROR", "系统错误")
}
