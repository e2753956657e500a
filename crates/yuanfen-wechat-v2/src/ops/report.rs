//! `POST /payitil/report` (交易保障): tells the platform how long calls took and how they ended.
//!
//! Fire and forget: nothing follows from the answer, which nobody signs. Repeating it counts one call twice and does no
//! other harm. Contract: v2 sheet, section 6.10.

use std::fmt;
use std::net::IpAddr;
use std::time::Duration;

use http::Method;
use yuanfen_core::{
    Alphabet, Ambient, BuildError, Effect, Extra, FieldError, OpenError, Operation, OrderNo, Refusal, Route, Rule,
    Taker, UnixTime, Unsigned, ValueError,
};

use super::place_order::{claim_common, rules};
use crate::message::Writer;
use crate::{Account, DEFAULT_BASE, Message, Reply, codes};

const SHEET: &str = "v2 sheet, section 6.10";
const INTERFACE_URL: Rule = Rule::new("interface_url", 127).alphabet(Alphabet::ASCII).source(SHEET);
/// Too short for most addresses of version 6, which are refused here rather than cut.
const USER_IP: Rule = Rule::new("user_ip", 16).alphabet(Alphabet::ASCII).source(SHEET);
const RETURN_CODE: Rule = Rule::new("return_code", 16).alphabet(Alphabet::WORD).source(SHEET);
const RETURN_MSG: Rule = Rule::new("return_msg", 128).source(SHEET);
const RESULT_CODE: Rule = Rule::new("result_code", 16).alphabet(Alphabet::WORD).source(SHEET);
const ERR_CODE: Rule = Rule::new("err_code", 32).alphabet(Alphabet::WORD).source(SHEET);
const ERR_CODE_DES: Rule = Rule::new("err_code_des", 128).source(SHEET);
const TRADES: Rule = Rule::new("trades", 1024).alphabet(Alphabet::TEXT).source(SHEET);
/// Which interface a batch of payments by code is reported of.
const BATCH: &str = "/pay/batchreport/micropay/total";

/// Reports how calls went.
#[derive(Clone, Debug)]
#[non_exhaustive]
pub struct Report {
    /// `user_ip`: the machine that made the calls, at most 16 characters.
    pub machine_ip: IpAddr,
    /// What is reported.
    pub content: ReportContent,
}

/// What is reported.
#[derive(Clone)]
#[non_exhaustive]
pub enum ReportContent {
    /// One call.
    Call(CallReport),
    /// `trades`: a till's payments by code, as a list in JSON of at most 1024 characters.
    Payments(String),
}

/// What is in the list is the shop's business.
impl fmt::Debug for ReportContent {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Call(call) => call.fmt(f),
            Self::Payments(trades) => write!(f, "Payments({} bytes)", trades.len()),
        }
    }
}

/// How one call went.
#[derive(Clone, Debug)]
#[non_exhaustive]
pub struct CallReport {
    /// `interface_url`: what was called, at most 127 characters.
    pub interface_url: String,
    /// `execute_time`, in whole milliseconds: how long it took.
    pub duration: Duration,
    /// `return_code` of the answer.
    pub return_code: String,
    /// `return_msg` of the answer.
    pub return_msg: Option<String>,
    /// `result_code` of the answer.
    pub result_code: String,
    /// `err_code` of the answer.
    pub err_code: Option<String>,
    /// `err_code_des` of the answer.
    pub err_code_des: Option<String>,
    /// `out_trade_no`: which order it was about.
    pub order_no: Option<OrderNo>,
    /// `time`: when it was called.
    pub time: Option<UnixTime>,
}

impl CallReport {
    /// A call of that interface that took so long, and the two codes of its answer.
    pub fn new(
        interface_url: impl Into<String>,
        duration: Duration,
        return_code: impl Into<String>,
        result_code: impl Into<String>,
    ) -> Self {
        Self {
            interface_url: interface_url.into(),
            duration,
            return_code: return_code.into(),
            return_msg: None,
            result_code: result_code.into(),
            err_code: None,
            err_code_des: None,
            order_no: None,
            time: None,
        }
    }

    fn put(&self, writer: &mut Writer) -> Result<(), BuildError> {
        let milliseconds = u32::try_from(self.duration.as_millis()).map_err(|_| BuildError::Value {
            field: "execute_time",
            problem: ValueError::NotInteger,
        })?;
        writer.text(&INTERFACE_URL, &self.interface_url)?;
        writer.put("execute_time", &milliseconds)?;
        writer.text(&RETURN_CODE, &self.return_code)?;
        writer.maybe(&RETURN_MSG, self.return_msg.as_deref())?;
        writer.text(&RESULT_CODE, &self.result_code)?;
        writer.maybe(&ERR_CODE, self.err_code.as_deref())?;
        writer.maybe(&ERR_CODE_DES, self.err_code_des.as_deref())?;
        writer.maybe(&rules::ORDER_NO, self.order_no.as_ref().map(OrderNo::as_str))?;
        writer.time("time", self.time)
    }
}

impl Report {
    /// Reports one call.
    #[must_use]
    pub const fn call(machine_ip: IpAddr, call: CallReport) -> Self {
        Self {
            machine_ip,
            content: ReportContent::Call(call),
        }
    }

    /// Reports a till's payments by code: a list in JSON.
    pub fn payments(machine_ip: IpAddr, trades: impl Into<String>) -> Self {
        Self {
            machine_ip,
            content: ReportContent::Payments(trades.into()),
        }
    }
}

impl Operation for Report {
    type Provider = Account;
    type Inbound = Unsigned<Reply>;
    type Reply = Reported;

    const ROUTE: Route = Route::new(
        "wechat-v2",
        "report",
        Method::POST,
        "/payitil/report",
        Effect::Repeatable,
    );

    fn encode(&self, _account: &Account, _ambient: &dyn Ambient) -> Result<Message, BuildError> {
        let mut writer = Writer::default();
        match &self.content {
            ReportContent::Call(call) => call.put(&mut writer)?,
            ReportContent::Payments(trades) => {
                // The name of the interface, whichever host this account talks to.
                writer.text(&INTERFACE_URL, &format!("{DEFAULT_BASE}{BATCH}"))?;
                writer.text(&TRADES, trades)?;
            }
        }
        writer.text(&USER_IP, &self.machine_ip.to_string())?;
        Ok(writer.into_message(Self::ROUTE.path))
    }

    fn decode(&self, _account: &Account, inbound: Unsigned<Reply>) -> Result<Reported, OpenError> {
        let reply = inbound.into_inner();
        match reply.fields.filled("result_code") {
            Some("SUCCESS") => {
                let mut taker = Taker::new(&reply.fields);
                claim_common(&mut taker);
                Ok(Reported { extra: taker.rest() })
            }
            None => Err(FieldError::new("result_code", ValueError::Missing).into()),
            Some(_) => {
                let text = |name| reply.fields.get(name).unwrap_or_default();
                let code = text("err_code");
                Err(Refusal::new(code, text("err_code_des"), codes::meaning(&Self::ROUTE, code)).into())
            }
        }
    }
}

/// The platform took the report.
#[derive(Clone, Debug)]
#[non_exhaustive]
pub struct Reported {
    /// What else came.
    pub extra: Extra,
}
