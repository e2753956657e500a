//! A bill that was asked for: where its file is, for how long, and the digest that proves the file. v3 sheet, section 18.

mod check;
mod encrypted;
mod text;

pub use check::{BillCheck, BillMismatch};
pub(crate) use encrypted::ALGORITHM;
pub use encrypted::{EncryptedBill, EncryptedBillFile, EncryptedBillPart};
pub(crate) use text::text_of;

use std::fmt;
use std::time::Duration;

use bytes::Bytes;
use yuanfen_core::{
    Address, BuildError, CalendarDate, Extra, FieldError, JsonTaker, Object, OpenError, RefusalKind, Route, UnixTime,
    ValueError,
};

use crate::ops::DownloadBill;
use crate::private::Raw;
use crate::{Message, Reply};

/// Most bytes of a bill that are held in memory, packed or unpacked: 256 MiB. It is for encrypted bills, and for reading a
/// bill as text; what is larger and not encrypted goes to the disk as it comes.
pub const BILL_CEILING: usize = 256 << 20;

/// When the bills of a day are ready: at ten o'clock of the next morning in Beijing (v3 sheet, section 18.3). Asked for
/// before, the platform says that they are being made.
///
/// ```
/// use yuanfen_core::{CalendarDate, Rfc3339, WireText as _};
/// let day = CalendarDate::parse("2020-11-09")?;
/// assert_eq!(Rfc3339(yuanfen_wechat_v3::bill_ready_at(day)).to_text(), "2020-11-10T10:00:00+08:00");
/// # Ok::<(), yuanfen_core::TimeError>(())
/// ```
#[must_use]
pub fn bill_ready_at(date: CalendarDate) -> UnixTime {
    const UNTIL_TEN_THE_NEXT_DAY: Duration = Duration::from_secs(34 * 60 * 60);
    date.beijing_midnight().after(UNTIL_TEN_THE_NEXT_DAY)
}

/// The request for the bill of a day: those members behind the path, `name=value`, in that order.
pub(crate) fn ask(
    path: &str,
    date: CalendarDate,
    members: &[(&str, Option<&str>)],
    now: UnixTime,
) -> Result<Message, BuildError> {
    if date >= now.beijing_date() {
        return Err(BuildError::Time {
            field: "bill_date",
            problem: "is a day that is not over yet in Beijing",
        });
    }
    let members: Vec<_> = members
        .iter()
        .filter_map(|(name, value)| value.map(|value| format!("{name}={}", crate::segment(value))))
        .collect();
    Ok(Message::get(format!("{path}?{}", members.join("&"))))
}

/// `tar_type`: whether the file comes as gzip.
pub(crate) fn tar_type(gzip: bool) -> (&'static str, Option<&'static str>) {
    ("tar_type", gzip.then_some("GZIP"))
}

/// The answer about the bill of a day. That there was nothing to bill is an answer; that it is not ready yet is an error
/// that knows when it will be.
pub(crate) fn answer(reply: &Reply, route: &Route, date: CalendarDate) -> Result<Option<Object>, OpenError> {
    match reply.object(route) {
        Err(OpenError::Business(refusal)) if refusal.meaning.kind == RefusalKind::Nothing => Ok(None),
        Err(OpenError::Business(mut refusal)) if refusal.meaning.kind == RefusalKind::NotYet => {
            refusal.ready_at = Some(bill_ready_at(date));
            Err(OpenError::Business(refusal))
        }
        answered => answered.map(Some),
    }
}

/// What the answer says of one file: its address, and the digest of what is in it.
pub(crate) struct PromisedFile {
    pub(crate) address: Address,
    pub(crate) sha1: String,
}

impl PromisedFile {
    pub(crate) fn take(taker: &mut JsonTaker<'_>) -> Result<Self, FieldError> {
        let wrong = |field, expected| FieldError::new(field, ValueError::Form { expected });
        let hash_type: String = taker.need("hash_type")?;
        if !hash_type.eq_ignore_ascii_case("SHA1") {
            return Err(wrong("hash_type", "`SHA1`"));
        }
        let sha1: String = taker.need("hash_value")?;
        if sha1.len() != 40 || !sha1.bytes().all(|digit| digit.is_ascii_hexdigit()) {
            return Err(wrong("hash_value", "a SHA-1 of 40 hex digits"));
        }
        let address: String = taker.need("download_url")?;
        let address = Some(address)
            .filter(|address| address.len() <= 2048)
            .and_then(|address| Address::parse("download_url", &address).ok())
            .ok_or_else(|| wrong("download_url", "an absolute https address of at most 2048 characters"))?;
        Ok(Self {
            address,
            sha1: sha1.to_ascii_lowercase(),
        })
    }
}

/// The platform's answer to asking for a bill. `Debug` does not show the address, whose query is a token.
#[derive(Clone, PartialEq, Eq)]
#[non_exhaustive]
pub struct RequestedBill {
    /// `hash_value`: the SHA-1 of the uncompressed file, 40 hex digits in lower case.
    pub sha1: String,
    /// When the answer came, by this machine's clock.
    pub received_at: UnixTime,
    /// What this version does not know, as raw JSON text.
    pub extra: Extra,
    address: Address,
    raw: Raw,
}

impl RequestedBill {
    /// How long the address is sure to work, in seconds. Newer pages say five minutes, older ones this; v3 sheet,
    /// section 25.
    pub const LIFE: i64 = 30;

    pub(crate) fn read(reply: &Reply, route: &Route, date: CalendarDate) -> Result<Option<Self>, OpenError> {
        let Some(object) = answer(reply, route, date)? else {
            return Ok(None);
        };
        let mut taker = JsonTaker::new(&object);
        let file = PromisedFile::take(&mut taker)?;
        Ok(Some(Self {
            sha1: file.sha1,
            received_at: reply.received_at(),
            extra: taker.rest(),
            address: file.address,
            raw: Raw(reply.raw().clone()),
        }))
    }

    /// `download_url`: where the file is. Whoever has it can fetch the bill.
    #[must_use]
    pub const fn download_url(&self) -> &Address {
        &self.address
    }

    /// Whether the address may have stopped working, so that the bill should be asked for again.
    #[must_use]
    pub const fn is_stale(&self, now: UnixTime) -> bool {
        now.since(self.received_at) >= Self::LIFE
    }

    /// The call that fetches the file, and holds it against the digest when it is made in one piece. It is not built
    /// once the address [`is_stale`](Self::is_stale).
    #[must_use]
    pub fn download(&self) -> DownloadBill {
        let life = Duration::from_secs(Self::LIFE.unsigned_abs());
        DownloadBill::new(self.address.clone(), &self.sha1).until(self.received_at.after(life))
    }

    /// What the file is held against when it is fetched in pieces.
    #[must_use]
    pub fn check(&self) -> BillCheck {
        BillCheck::new(&self.sha1)
    }

    /// The answer's body as it came.
    #[must_use]
    pub const fn raw(&self) -> &Bytes {
        &self.raw.0
    }
}

impl fmt::Debug for RequestedBill {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("RequestedBill")
            .field("sha1", &self.sha1)
            .field("received_at", &self.received_at)
            .field("extra", &self.extra)
            .finish_non_exhaustive()
    }
}
