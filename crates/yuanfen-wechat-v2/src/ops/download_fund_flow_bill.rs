//! `POST /pay/downloadfundflow` (下载资金账单), behind the merchant's client certificate: every movement of an account on a
//! day. Changes nothing.
//!
//! Signed with HMAC-SHA256 whatever the account's own way is, since nothing else is taken. Nobody signs the answer; its
//! header `Digest` guards the file against accidents. Contract: v2 sheet, section 6.9.

use http::Method;
use yuanfen_core::{
    Alphabet, Ambient, BuildError, CalendarDate, Effect, OpenError, Operation, Route, Rule, UnixTime, Unsigned,
    open_enum,
};

use super::download_trade_bill::{put_day, put_gzip};
use crate::bill::{BillCheck, BillFile, File, bill_ready_at};
use crate::message::Writer;
use crate::{Account, Message, SignType};

open_enum! {
    /// `account_type`: which of the merchant's accounts.
    pub enum AccountType {
        /// The basic account.
        Basic = "Basic",
        /// The operating account.
        Operation = "Operation",
        /// The fee account.
        Fees = "Fees",
    }
}

const ACCOUNT_TYPE: Rule = Rule::new("account_type", 32)
    .alphabet(Alphabet::WORD)
    .source("v2 sheet, section 6.9");

/// Downloads the fund-flow bill of a day: from 2017-06-01 on, and from [`ready_at`](Self::ready_at) on. A service
/// provider gets its own.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct DownloadFundFlowBill {
    /// `bill_date`: a day that is over in Beijing.
    pub date: CalendarDate,
    /// `account_type`.
    pub account_type: AccountType,
    /// `tar_type`: whether the file comes as gzip.
    pub gzip: bool,
}

impl DownloadFundFlowBill {
    /// The bill of that day and that account, not compressed.
    #[must_use]
    pub const fn new(date: CalendarDate, account_type: AccountType) -> Self {
        Self {
            date,
            account_type,
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

impl Operation for DownloadFundFlowBill {
    type Provider = Account;
    type Inbound = Unsigned<File>;
    /// `None` where that day has no bill, since nothing was traded.
    type Reply = Option<BillFile>;

    const ROUTE: Route = Route::new(
        "wechat-v2",
        "download_fund_flow_bill",
        Method::POST,
        "/pay/downloadfundflow",
        Effect::Read,
    )
    .with_client_certificate();

    fn encode(&self, _account: &Account, ambient: &dyn Ambient) -> Result<Message, BuildError> {
        let mut writer = Writer::default();
        put_day(&mut writer, self.date, ambient.now())?;
        writer.text(&ACCOUNT_TYPE, self.account_type.as_str())?;
        put_gzip(&mut writer, self.gzip)?;
        Ok(writer
            .into_message(Self::ROUTE.path)
            .signed_by(SignType::HmacSha256)
            .without_sub_merchant())
    }

    fn decode(&self, _: &Account, inbound: Unsigned<File>) -> Result<Option<BillFile>, OpenError> {
        BillFile::read(inbound.into_inner(), self.check())
    }
}
