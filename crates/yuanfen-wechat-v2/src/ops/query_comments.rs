//! `POST /billcommentsp/batchquerycomment` (拉取订单评价), behind the merchant's client certificate: what payers said of
//! what they bought. Changes nothing.
//!
//! Signed with HMAC-SHA256 whatever the account's own way is. The answer is text that nobody signs, or XML that says why
//! there is none. Contract: v2 sheet, section 6.10.

use std::fmt;

use http::Method;
use yuanfen_core::{
    Ambient, BuildError, ClockDashed, Effect, FieldError, OpenError, Operation, ProtocolError, ProtocolErrorKind,
    RemoteId, Route, UnixTime, Unsigned, ValueError, WireText,
};

use crate::bill::{File, is_markup, refused};
use crate::message::Writer;
use crate::{Account, Message, SignType};

/// How many comments one answer has at most.
const PAGE: u32 = 200;

/// Asks for the comments of a time.
#[derive(Clone, Debug)]
#[non_exhaustive]
pub struct QueryComments {
    /// `begin_time`.
    pub begin: UnixTime,
    /// `end_time`.
    pub end: UnixTime,
    /// `offset`: where to go on, 0 at first and then what the last answer said.
    pub offset: u64,
    /// `limit`: how many comments at most, 1 to 200; 200 where absent.
    pub limit: Option<u32>,
}

impl QueryComments {
    /// The comments of that time, the first 200.
    #[must_use]
    pub const fn between(begin: UnixTime, end: UnixTime) -> Self {
        Self {
            begin,
            end,
            offset: 0,
            limit: None,
        }
    }

    /// The query of what is behind that answer; `None` behind an answer without comments, or one that would go on from
    /// the same place.
    #[must_use]
    pub fn next_page(&self, answer: &Comments) -> Option<Self> {
        (!answer.comments.is_empty() && answer.next_offset > self.offset).then(|| Self {
            offset: answer.next_offset,
            ..self.clone()
        })
    }
}

impl Operation for QueryComments {
    type Provider = Account;
    type Inbound = Unsigned<File>;
    type Reply = Comments;

    const ROUTE: Route = Route::new(
        "wechat-v2",
        "query_comments",
        Method::POST,
        "/billcommentsp/batchquerycomment",
        Effect::Read,
    )
    .with_client_certificate();

    fn encode(&self, account: &Account, _ambient: &dyn Ambient) -> Result<Message, BuildError> {
        if self.end < self.begin {
            return Err(BuildError::Time {
                field: "end_time",
                problem: "is before begin_time",
            });
        }
        let mut writer = Writer::default();
        writer.time("begin_time", Some(self.begin))?;
        writer.time("end_time", Some(self.end))?;
        writer.put("offset", &self.offset)?;
        if let Some(limit) = &self.limit {
            if !(1..=PAGE).contains(limit) {
                return Err(BuildError::Value {
                    field: "limit",
                    problem: ValueError::Form {
                        expected: "a number from 1 to 200 (v2 sheet, section 6.10)",
                    },
                });
            }
            writer.put("limit", limit)?;
        }
        Ok(writer
            .into_message(Self::ROUTE.path)
            .signed_by(SignType::HmacSha256)
            .of_one_or_all(account))
    }

    fn decode(&self, _: &Account, inbound: Unsigned<File>) -> Result<Comments, OpenError> {
        let file = inbound.into_inner();
        let body = file.bytes();
        if body.is_empty() {
            return Err(ProtocolError::new(ProtocolErrorKind::Empty).into());
        }
        if is_markup(body) {
            return Err(refused(body, &Self::ROUTE));
        }
        let text = std::str::from_utf8(body)
            .map_err(|error| ProtocolError::new(ProtocolErrorKind::Format).with_source(error))?;
        Ok(Comments::read(text)?)
    }
}

/// A page of comments.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct Comments {
    /// Where the next query goes on: [`QueryComments::next_page`].
    pub next_offset: u64,
    /// The comments.
    pub comments: Vec<Comment>,
}

/// What a payer said of an order.
#[derive(Clone, PartialEq, Eq)]
#[non_exhaustive]
pub struct Comment {
    /// When.
    pub time: UnixTime,
    /// Of which order, by the platform's number.
    pub transaction_id: RemoteId,
    /// How many stars.
    pub stars: u32,
    /// In the payer's words, which may be none.
    pub text: String,
}

/// Without the payer's words.
impl fmt::Debug for Comment {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Comment")
            .field("time", &self.time)
            .field("transaction_id", &self.transaction_id)
            .field("stars", &self.stars)
            .finish_non_exhaustive()
    }
}

impl Comments {
    /// The first line is the new offset. Each further line that begins with a back-quote is a comment, whose words come
    /// last and may hold anything, a line break too.
    fn read(text: &str) -> Result<Self, FieldError> {
        let text = text
            .strip_prefix('\u{feff}')
            .unwrap_or(text)
            .trim_end_matches(['\r', '\n']);
        let (offset, rows) = text.split_once('\n').unwrap_or((text, ""));
        let offset = offset.trim_end_matches('\r');
        let next_offset = read("offset", offset.strip_prefix('`').unwrap_or(offset))?;
        let mut comments = Vec::new();
        if !rows.is_empty() {
            let rows = rows.strip_prefix('`').ok_or_else(|| wrong("comments[0]"))?;
            for row in rows.split("\n`") {
                let at = format!("comments[{}]", comments.len());
                comments.push(Comment::read(row).map_err(|error| error.within(&at))?);
            }
        }
        Ok(Self { next_offset, comments })
    }
}

impl Comment {
    fn read(row: &str) -> Result<Self, FieldError> {
        let row = row.strip_suffix('\r').unwrap_or(row);
        let mut values = row.splitn(4, ",`");
        let mut next = |name| values.next().ok_or_else(|| FieldError::new(name, ValueError::Missing));
        Ok(Self {
            time: read::<ClockDashed>("time", next("time")?)?.0,
            transaction_id: read("transaction_id", next("transaction_id")?)?,
            stars: read("stars", next("stars")?)?,
            text: next("comment")?.to_owned(),
        })
    }
}

fn read<T: WireText>(name: &str, text: &str) -> Result<T, FieldError> {
    T::read(text).map_err(|problem| FieldError::new(name, problem))
}

fn wrong(name: &str) -> FieldError {
    let expected = "a row that begins with a back-quote";
    FieldError::new(name, ValueError::Form { expected })
}
