//! How a message is signed, and how an answer is opened.

use std::fmt;

use bytes::Bytes;
use http::header::{CONTENT_TYPE, USER_AGENT};
use http::{Method, Request, Response, StatusCode};
use yuanfen_core::{
    Ambient, BuildError, Draft, FieldError, Fields, OpenError, Opens, ProtocolError, ProtocolErrorKind, Provider,
    Refusal, ReplyTrust, Route, Sign, SignatureError, UnixTime, Unsigned, ValueError, Verified,
};

use crate::codes::TradeResult;
use crate::message::SignedAs;
use crate::sign::{Orders, decoded, verify, with_signature_named};
use crate::{Account, Message, charset, codes};

impl Provider for Account {
    type Outbound = Message;

    fn draft(&self, message: Message, _ambient: &dyn Ambient) -> Result<Draft, BuildError> {
        let mut fields = message.fields;
        let uri = self.base.join(message.path);
        let encoding = self.encoding;
        if message.signed_as == SignedAs::TypeAndValue {
            fields.push("signType", "MD5").map_err(BuildError::encode)?;
        }
        let build = move |fields: &Fields| {
            Request::builder()
                .method(Method::POST)
                .uri(uri)
                .header(CONTENT_TYPE, encoding.content_type())
                .header(USER_AGENT, concat!("yuanfen/", env!("CARGO_PKG_VERSION")))
                .body(Bytes::from(encoding.write(fields)?))
                .map_err(BuildError::encode)
        };
        if message.signed_as == SignedAs::Nothing {
            return Ok(Draft::unsigned(build(&fields)?));
        }
        // Written once without the signature, so that a value which the encoding cannot carry is refused first.
        encoding.write(&fields)?;
        let (text, key_length) = self.rules.text(&fields, self.signer.key()).into_parts();
        Ok(Draft::new(text, key_length, move |signature| {
            fields.push("signValue", signature).map_err(BuildError::encode)?;
            build(&fields)
        }))
    }

    fn signer(&self) -> &dyn Sign {
        &self.signer
    }
}

/// An untyped answer. Names have their documented spelling whatever case they came in; `message` is decoded. `Debug`
/// shows names and lengths.
#[derive(Clone)]
#[non_exhaustive]
pub struct Reply {
    /// All fields that came.
    pub fields: Fields,
    /// Whether a signature was there and held.
    pub proven: bool,
    /// When it came: what it grants for two hours, it grants from then on.
    pub received_at: UnixTime,
    /// The body as it came.
    pub raw: Bytes,
}

/// The bytes may hold an app secret, so only their number is shown.
impl fmt::Debug for Reply {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Reply")
            .field("fields", &self.fields)
            .field("proven", &self.proven)
            .field("received_at", &self.received_at)
            .field("raw", &format_args!("{} bytes", self.raw.len()))
            .finish()
    }
}

impl Opens<Account> for Verified<Reply> {
    const TRUST: ReplyTrust = ReplyTrust::Signed;

    fn open(account: &Account, response: &Response<Bytes>, now: UnixTime) -> Result<Self, OpenError> {
        let fields = fields_of(response)?;
        if fields.filled("signValue").is_none() {
            // Error replies may come without a signature. They prove nothing, and are reported so.
            let unproven = named(&decoded(&fields, |name| name == "message")?)?;
            return Err(match unproven.filled("returnCode") {
                Some("000000") => SignatureError::Missing { part: "signValue" }.into(),
                Some(_) => refusal(&unproven, None, false),
                None => FieldError::new("returnCode", ValueError::Missing).into(),
            });
        }
        let raw = response.body().clone();
        verify(account, &fields, Orders::Own)?.try_map(|fields| {
            Ok(Reply {
                fields: named(&fields)?,
                proven: true,
                received_at: now,
                raw,
            })
        })
    }
}

impl Opens<Account> for Unsigned<Reply> {
    const TRUST: ReplyTrust = ReplyTrust::Unsigned;

    /// A signature that is there is checked; one that is absent is normal on the calls that open this way.
    fn open(account: &Account, response: &Response<Bytes>, now: UnixTime) -> Result<Self, OpenError> {
        let fields = fields_of(response)?;
        let proven = fields.filled("signValue").is_some();
        let fields = if proven {
            verify(account, &fields, Orders::Either)?.into_inner()
        } else {
            decoded(&fields, |name| name == "message")?
        };
        Ok(Self::new(Reply {
            fields: named(&fields)?,
            proven,
            received_at: now,
            raw: response.body().clone(),
        }))
    }
}

fn fields_of(response: &Response<Bytes>) -> Result<Fields, OpenError> {
    if response.status() != StatusCode::OK {
        let status = response.status().as_u16();
        return Err(ProtocolError::new(ProtocolErrorKind::Status(status))
            .with_status(status)
            .into());
    }
    let body = response.body();
    let object = charset::read(body).map_err(|error| ProtocolError::unreadable(body, error))?;
    Ok(with_signature_named(&object.to_fields()?)?)
}

fn refusal(fields: &Fields, route: Option<&Route>, proven: bool) -> OpenError {
    let code = fields.get("returnCode").unwrap_or_default();
    let words = fields.get("message").unwrap_or_default();
    let meaning = codes::meaning(route, code);
    let refusal = Refusal::new(code, words, meaning);
    if proven {
        refusal.verified().into()
    } else {
        refusal.into()
    }
}

/// Replies spell some names with a leading capital in one edition and without in another (sheet, section 5.2): each
/// gets its documented spelling. Two spellings of one name in one reply are refused.
fn named(fields: &Fields) -> Result<Fields, FieldError> {
    const DOCUMENTED: &[&str] = &[
        "returnCode",
        "sysTime",
        "message",
        "mercId",
        "signValue",
        "appId",
        "appIdKey",
        "attach",
        "logNo",
        "result",
        "orderNo",
        "amount",
        "total_amount",
        "PrepayId",
        "apiAppid",
        "apiTimestamp",
        "apiNoncestr",
        "apiPackage",
        "apiSigntype",
        "apiPaysign",
        "subject",
        "selOrderNo",
        "goodsTag",
        "tradeNo",
        "payChannel",
        "refAmt",
        "txnAmt",
        "addField",
    ];
    let mut out = Fields::new();
    for (name, value) in fields.iter() {
        let documented = DOCUMENTED
            .iter()
            .find(|documented| documented.eq_ignore_ascii_case(name));
        out.push(documented.copied().unwrap_or(name), value)?;
    }
    Ok(out)
}

/// The signature covers the values alone, in the order of their names (sheet, section 4.1): under names of his own, whoever
/// rewrites an answer cuts the same text anew, and makes a letter of another value the `result`. No documented name sorts
/// between `result` and `returnCode`; with none there, only a letter right in front of `000000` can be made the result.
fn result_stands_before_its_code(fields: &Fields) -> Result<(), FieldError> {
    let between = |name: &str| {
        let name = name.to_ascii_lowercase();
        "result" < name.as_str() && name.as_str() < "returncode"
    };
    match fields.iter().find(|(name, _)| between(name)) {
        Some((name, _)) => Err(FieldError::new(
            name,
            ValueError::Form {
                expected: "a name that may stand between `result` and `returnCode`",
            },
        )),
        None => Ok(()),
    }
}

impl Reply {
    /// Lets a reply through that is about this merchant and says that the call worked.
    pub(crate) fn accepted(self, account: &Account, route: &Route) -> Result<Self, OpenError> {
        if self
            .fields
            .filled("mercId")
            .is_some_and(|theirs| theirs != &*account.merchant)
        {
            return Err(ProtocolError::new(ProtocolErrorKind::Foreign { field: "mercId" }).into());
        }
        match self.fields.filled("returnCode") {
            Some("000000") => {
                result_stands_before_its_code(&self.fields)?;
                Ok(self)
            }
            Some(_) => Err(refusal(&self.fields, Some(route), self.proven)),
            None => Err(FieldError::new("returnCode", ValueError::Missing).into()),
        }
    }

    /// Lets the reply to a refund through, if its `result` says that it was done. Any other letter becomes the code.
    pub(crate) fn refunded(self) -> Result<Self, OpenError> {
        let result = self.fields.filled("result").map(TradeResult::from);
        if result == Some(TradeResult::Success) {
            return Ok(self);
        }
        let letter = result.as_ref().map_or("", TradeResult::as_str);
        let words = self.fields.get("message").unwrap_or_default();
        let refusal = Refusal::new(letter, words, codes::refund_result(result.as_ref()));
        Err(if self.proven { refusal.verified() } else { refusal }.into())
    }

    /// Lets a reply of a call that starts a payment through, unless its `result` says that the payment failed: the
    /// vendor has callers decide by that, not by `returnCode` (sheet, section 7.2). The letter becomes the code.
    pub(crate) fn not_failed(self, route: &Route) -> Result<Self, OpenError> {
        match self.fields.filled("result") {
            Some(letter @ ("F" | "D")) => {
                let words = self.fields.get("message").unwrap_or_default();
                let refusal = Refusal::new(letter, words, codes::meaning(Some(route), letter));
                Err(if self.proven { refusal.verified() } else { refusal }.into())
            }
            _ => Ok(self),
        }
    }
}
