//! How a message is signed, and how an answer is opened.

use std::borrow::Cow;
use std::fmt;

use bytes::Bytes;
use http::header::{CONTENT_TYPE, USER_AGENT};
use http::{Method, Request, Response, StatusCode};
use yuanfen_core::{
    Ambient, BuildError, CodeMeaning, Draft, Fate, FieldError, Fields, OpenError, Opens, ProtocolError,
    ProtocolErrorKind, Provider, Refusal, RefusalKind, ReplyTrust, Route, Sign, SignError, UnixTime, Unsigned,
    ValueError, Verified, nonce_text,
};
use yuanfen_xml::MESSAGE_LIMITS;

use crate::sign::{RULES, verify};
use crate::sub_merchant::Trade;
use crate::{Account, Message, codes};

impl Provider for Account {
    type Outbound = Message;

    fn draft(&self, message: Message, ambient: &dyn Ambient) -> Result<Draft, BuildError> {
        let mut fields = Fields::with_capacity(1024, message.fields.len().saturating_add(7));
        let mut push = |name: &'static str, value: &str| {
            fields.push(name, value).map_err(|error| BuildError::Value {
                field: name,
                problem: error.problem,
            })
        };
        push("appid", &self.app_id)?;
        push("mch_id", &self.merchant_id)?;
        if message.names_sub_merchant {
            match &self.trade {
                Trade::Own => {}
                Trade::SubMerchant(sub_merchant) => {
                    if let Some(app_id) = sub_merchant.app_id() {
                        push("sub_appid", app_id)?;
                    }
                    push("sub_mch_id", sub_merchant.merchant_id())?;
                }
                Trade::EverySubMerchant => return Err(Trade::needs_one()),
            }
        }
        push("nonce_str", &nonce_text(ambient))?;
        let sign_type = message.sign_type.unwrap_or(self.sign_type);
        push("sign_type", sign_type.as_str())?;
        for (name, value) in message.fields.iter() {
            fields.push(name, value).map_err(BuildError::encode)?;
        }
        // Written once without the signature, so that a value which XML cannot carry is refused before it is signed.
        yuanfen_xml::write("xml", &fields).map_err(BuildError::encode)?;
        let uri = self.base.join(message.path);
        let (text, key_length) = RULES.text(&fields, self.signer.key()).into_parts();
        let mut fields = match &message.sent_as {
            None => fields,
            Some((name, spelling)) => respelled(&fields, name, spelling).map_err(BuildError::encode)?,
        };
        let draft = Draft::new(text, key_length, move |signature| {
            // Signed in two steps, a message that must be signed in its own way may meet the account's signer.
            if signature.len() != sign_type.hex_len() {
                return Err(SignError::new("the signature is not of the message's sign_type").into());
            }
            fields.push("sign", signature).map_err(BuildError::encode)?;
            let body = yuanfen_xml::write("xml", &fields).map_err(BuildError::encode)?;
            Request::builder()
                .method(Method::POST)
                .uri(uri)
                .header(CONTENT_TYPE, "text/xml; charset=utf-8")
                .header(USER_AGENT, concat!("yuanfen/", env!("CARGO_PKG_VERSION")))
                .body(Bytes::from(body))
                .map_err(BuildError::encode)
        });
        // As the message wants it, or else as the account does.
        Ok(match self.signer_of(sign_type) {
            Cow::Borrowed(_) => draft,
            Cow::Owned(signer) => draft.signed_with(signer),
        })
    }

    fn signer(&self) -> &dyn Sign {
        &self.signer
    }
}

/// The fields with another spelling of one of them.
fn respelled(fields: &Fields, name: &str, spelling: &str) -> Result<Fields, FieldError> {
    let mut respelled = Fields::new();
    for (candidate, value) in fields.iter() {
        respelled.push(candidate, if candidate == name { spelling } else { value })?;
    }
    Ok(respelled)
}

/// An untyped answer: verified, or of a call that is answered without signature.
#[derive(Clone)]
#[non_exhaustive]
pub struct Reply {
    /// All fields that came.
    pub fields: Fields,
    /// The body as it came.
    pub raw: Bytes,
    /// When it was opened; what it grants for a time is counted from here.
    pub received_at: UnixTime,
}

/// Names and lengths, no values.
impl fmt::Debug for Reply {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Reply")
            .field("fields", &self.fields)
            .field("raw", &format_args!("{} bytes", self.raw.len()))
            .field("received_at", &self.received_at)
            .finish()
    }
}

impl Opens<Account> for Verified<Reply> {
    const TRUST: ReplyTrust = ReplyTrust::Signed;

    fn open(account: &Account, response: &Response<Bytes>, now: UnixTime) -> Result<Self, OpenError> {
        let fields = through(response)?;
        verify(account, fields, &[account.sign_type])?.try_map(|fields| Ok(Reply::of(fields, response, now)))
    }
}

impl Opens<Account> for Unsigned<Reply> {
    const TRUST: ReplyTrust = ReplyTrust::Unsigned;

    fn open(_: &Account, response: &Response<Bytes>, now: UnixTime) -> Result<Self, OpenError> {
        let fields = through(response)?;
        if fields.filled("return_code").is_none() {
            return Err(FieldError::new("return_code", ValueError::Missing).into());
        }
        Ok(Self::new(Reply::of(fields, response, now)))
    }
}

/// The fields of an answer that says of itself that the message got through, or leaves that open.
fn through(response: &Response<Bytes>) -> Result<Fields, OpenError> {
    if response.status() != StatusCode::OK {
        let status = response.status().as_u16();
        return Err(ProtocolError::new(ProtocolErrorKind::Status(status))
            .with_status(status)
            .into());
    }
    let fields = read(response.body())?;
    // A message that did not get through is answered without signature. Its codes are nobody's word, so it is a
    // refusal that proves nothing; everything else must be signed, where the call's answers are.
    if let Some(return_code) = fields.filled("return_code")
        && return_code != "SUCCESS"
    {
        let message = fields.get("return_msg").unwrap_or_default();
        let meaning = if return_code == "FAIL" {
            NOT_THROUGH
        } else {
            NOT_UNDERSTOOD
        };
        return Err(Refusal::new(return_code, message, meaning).into());
    }
    Ok(fields)
}

/// `return_code=FAIL`: the platform says it could not read or check the message, and signs nothing.
const NOT_THROUGH: CodeMeaning = CodeMeaning::new(
    Fate::Refused,
    RefusalKind::Configuration,
    "the platform could not read or check the request: compare key, sign_type and fields with `yuanfen sign`",
    "v2 sheet, section 1",
);

/// Users report others, `SYSTEMERROR` among them. No page documents any, so nothing is concluded from them.
const NOT_UNDERSTOOD: CodeMeaning = CodeMeaning::new(
    Fate::Unknown,
    RefusalKind::Unclear,
    "the platform answered with a return code that no page documents: query before anything else",
    "v2 sheet, section 9",
);

pub(crate) fn read(body: &Bytes) -> Result<Fields, OpenError> {
    let document = yuanfen_xml::read(body, &MESSAGE_LIMITS).map_err(|error| ProtocolError::unreadable(body, error))?;
    // A small page for people can be a flat document as well. It has no signature, and that is not what is wrong.
    if document.root().eq_ignore_ascii_case("html") {
        return Err(ProtocolError::new(ProtocolErrorKind::Html).into());
    }
    Ok(document.into_fields())
}

impl Reply {
    fn of(fields: Fields, response: &Response<Bytes>, now: UnixTime) -> Self {
        Self {
            fields,
            raw: response.body().clone(),
            received_at: now,
        }
    }

    /// Lets a reply through that is about this account and says that the call worked.
    pub(crate) fn accepted(self, account: &Account, route: &Route) -> Result<Self, OpenError> {
        match self.fields.filled("result_code") {
            Some("SUCCESS") => {
                must_be_ours(&self.fields, account)?;
                Ok(self)
            }
            None => Err(FieldError::new("result_code", ValueError::Missing).into()),
            Some(_) => {
                // `APPID_NOT_EXIST` may come without an app id; one that comes is ours.
                may_not_be_others(&self.fields, account)?;
                let code = self.fields.get("err_code").unwrap_or_default();
                let words = self.fields.get("err_code_des").unwrap_or_default();
                Err(Refusal::new(code, words, codes::meaning(route, code)).verified().into())
            }
        }
    }
}

/// Refuses a message that does not name this account's app id and merchant number, and its sub-merchant's.
pub(crate) fn must_be_ours(fields: &Fields, account: &Account) -> Result<(), OpenError> {
    for (field, _) in numbers(account) {
        if fields.filled(field).is_none() {
            return Err(FieldError::new(field, ValueError::Missing).into());
        }
    }
    are_ours_where_named(fields, account)?;
    account.trade.must_be_of(fields, &account.merchant_id, true)
}

/// Refuses a message that names another account, or another sub-merchant.
fn may_not_be_others(fields: &Fields, account: &Account) -> Result<(), OpenError> {
    are_ours_where_named(fields, account)?;
    account.trade.must_be_of(fields, &account.merchant_id, false)
}

fn are_ours_where_named(fields: &Fields, account: &Account) -> Result<(), OpenError> {
    for (field, ours) in numbers(account) {
        if fields.filled(field).is_some_and(|theirs| theirs != ours) {
            return Err(ProtocolError::new(ProtocolErrorKind::Foreign { field }).into());
        }
    }
    Ok(())
}

fn numbers(account: &Account) -> [(&'static str, &str); 2] {
    [("appid", &account.app_id), ("mch_id", &account.merchant_id)]
}
