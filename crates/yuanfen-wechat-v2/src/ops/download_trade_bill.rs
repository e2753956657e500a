//! `POST /pay/downloadbill` (下载交易账单): the orders and refunds of a day. Changes nothing.
//!
//! Nobody signs the answer: a file, as text or gzip, or an XML message that says why there is none, which comes as XML
//! also where gzip was asked for. Contract: v2 sheet, section 6.8.

use http::Method;
use yuanfen_core::{
    Alphabet, Ambient, BuildError, CalendarDate, Effect, OpenError, Operation, Route, Rule, UnixTime, Unsigned,
    open_enum,
};

use crate::bill::{BillCheck, BillFile, File, GZIP, bill_ready_at};
use crate::message::Writer;
use crate::{Account, Message};

open_enum! {
    /// `bill_type`: which trades a bill lists.
    pub enum BillType {
        /// All; the platform's default.
        All = "ALL",
        /// Payments that succeeded.
        Success = "SUCCESS",
        /// Refunds.
        Refund = "REFUND",
        /// Refunds of top-ups.
        RechargeRefund = "RECHARGE_REFUND",
    }
}

const SHEET: &str = "v2 sheet, section 6.8";
/// The sheet says eight characters; its own values are longer.
const BILL_TYPE: Rule = Rule::new("bill_type", 32).alphabet(Alphabet::WORD).source(SHEET);
const TAR_TYPE: Rule = Rule::new("tar_type", 8).alphabet(Alphabet::WORD).source(SHEET);

/// Downloads the trade bill of a day: of the last three months, and from [`ready_at`](Self::ready_at) on.
///
/// Only what was paid through the API is on it. A service provider's own account asks for the bill of all its merchants,
/// and an account [for one of them](Account::for_sub_merchant) for that one's.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct DownloadTradeBill {
    /// `bill_date`: a day that is over in Beijing.
    pub date: CalendarDate,
    /// `bill_type`.
    pub bill_type: Option<BillType>,
    /// `tar_type`: whether the file comes as gzip.
    pub gzip: bool,
}

impl DownloadTradeBill {
    /// The bill of that day, everything on it, not compressed.
    #[must_use]
    pub const fn new(date: CalendarDate) -> Self {
        Self {
            date,
            bill_type: None,
            gzip: false,
        }
    }

    /// When the bill is there: ten o'clock of the next morning in Beijing.
    #[must_use]
    pub fn ready_at(&self) -> UnixTime {
        bill_ready_at(self.date)
    }

    /// What the file is held against when it is downloaded in pieces.
    #[must_use]
    pub fn check(&self) -> BillCheck {
        BillCheck::new(Self::ROUTE, self.date)
    }
}

impl Operation for DownloadTradeBill {
    type Provider = Account;
    type Inbound = Unsigned<File>;
    /// `None` where that day has no bill, since nothing was traded.
    type Reply = Option<BillFile>;

    const ROUTE: Route = Route::new(
        "wechat-v2",
        "download_trade_bill",
        Method::POST,
        "/pay/downloadbill",
        Effect::Read,
    );

    fn encode(&self, account: &Account, ambient: &dyn Ambient) -> Result<Message, BuildError> {
        let mut writer = Writer::default();
        put_day(&mut writer, self.date, ambient.now())?;
        writer.maybe(&BILL_TYPE, self.bill_type.as_ref().map(BillType::as_str))?;
        put_gzip(&mut writer, self.gzip)?;
        Ok(writer.into_message(Self::ROUTE.path).of_one_or_all(account))
    }

    fn decode(&self, _: &Account, inbound: Unsigned<File>) -> Result<Option<BillFile>, OpenError> {
        BillFile::read(inbound.into_inner(), self.check())
    }
}

/// Writes `bill_date`, if that day is over.
pub(super) fn put_day(writer: &mut Writer, date: CalendarDate, now: UnixTime) -> Result<(), BuildError> {
    if date >= now.beijing_date() {
        return Err(BuildError::Time {
            field: "bill_date",
            problem: "is a day that is not over yet in Beijing",
        });
    }
    writer.text(&BILL_DATE, &date.compact())
}

const BILL_DATE: Rule = Rule::new("bill_date", 8).alphabet(Alphabet::DIGITS).source(SHEET);

/// Writes `tar_type`, if the file is to come as gzip.
pub(super) fn put_gzip(writer: &mut Writer, gzip: bool) -> Result<(), BuildError> {
    writer.maybe(&TAR_TYPE, gzip.then_some(GZIP))
}
