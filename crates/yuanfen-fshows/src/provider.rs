//! How a message is signed, and how an answer is opened.

use std::fmt;

use bytes::Bytes;
use http::{Response, StatusCode};
use yuanfen_core::{
    Ambient, BuildError, Draft, Limits, OpenError, Opens, ProtocolError, ProtocolErrorKind, Provider, Refusal,
    ReplyTrust, Route, Sign, UnixTime, Unsigned,
};
use yuanfen_envelope::{Envelope, Outcome, ReturnValue, open_reply};

use crate::{Account, Message, codes};

impl Provider for Account {
    type Outbound = Message;

    fn draft(&self, message: Message, _ambient: &dyn Ambient) -> Result<Draft, BuildError> {
        let mut envelope = Envelope::new(&*self.app_id, message.method, message.content);
        envelope.additional = message.additional;
        envelope.draft(&self.gateway)
    }

    fn signer(&self) -> &dyn Sign {
        &self.signer
    }
}

/// An untyped answer. This platform signs none, so what it says rests on TLS alone. `Debug` shows sizes.
#[derive(Clone)]
#[non_exhaustive]
pub struct Reply {
    /// What became of the call.
    pub outcome: Outcome,
    /// The body as it came.
    pub raw: Bytes,
    /// When it was opened; what it grants for a time is counted from here.
    pub received_at: UnixTime,
}

/// The bytes may hold the payer's openid, so only their number is shown.
impl fmt::Debug for Reply {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Reply")
            .field("outcome", &self.outcome)
            .field("raw", &format_args!("{} bytes", self.raw.len()))
            .field("received_at", &self.received_at)
            .finish()
    }
}

impl Opens<Account> for Unsigned<Reply> {
    const TRUST: ReplyTrust = ReplyTrust::Unsigned;

    fn open(_account: &Account, response: &Response<Bytes>, now: UnixTime) -> Result<Self, OpenError> {
        if response.status() != StatusCode::OK {
            let status = response.status().as_u16();
            return Err(ProtocolError::new(ProtocolErrorKind::Status(status))
                .with_status(status)
                .into());
        }
        let body = response.body();
        let reply = open_reply(body, &Limits::DEFAULT).map_err(|error| error.into_open_error(body))?;
        let outcome = reply.into_inner().outcome;
        Ok(Self::new(Reply {
            outcome,
            raw: body.clone(),
            received_at: now,
        }))
    }
}

impl Reply {
    /// Lets a reply through that says that the call worked.
    pub(crate) fn accepted(self, route: &Route) -> Result<(ReturnValue, UnixTime), OpenError> {
        match self.outcome {
            Outcome::Success(value) => Ok((value, self.received_at)),
            Outcome::Failure { code, message } => {
                let meaning = codes::meaning(route, &code);
                Err(Refusal::new(code, message, meaning).into())
            }
            _ => Err(ProtocolError::new(ProtocolErrorKind::Format).into()),
        }
    }
}
