//! A request's body as it comes off a socket: anybody can send one, so its size and its time are limited.

use std::time::Duration;

use bytes::Bytes;
use http_body::Body;
use http_body_util::{BodyExt as _, LengthLimitError, Limited};
use yuanfen_core::Limits;

type Cause = Box<dyn std::error::Error + Send + Sync>;

/// No source reads more than 1 MiB, so nothing that could be opened is cut off. Notices have a few thousand bytes.
const MOST: usize = Limits::DEFAULT.bytes;

/// A body has to be there so soon: the platforms wait five seconds in all, and whoever sends slowly holds memory.
const WITHIN: Duration = Duration::from_secs(2);

/// The body of a request was not taken in.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum BodyError {
    /// It has more than 1 MiB. No more than that was read of it.
    #[error("the body has more than {limit} bytes")]
    TooLarge {
        /// The limit, in bytes.
        limit: usize,
    },
    /// It was not complete two seconds after the request's head.
    #[error("the body was not complete after {} ms", within.as_millis())]
    TooSlow {
        /// The limit.
        within: Duration,
    },
    /// It broke off.
    #[error("the body broke off")]
    Cut(#[source] Cause),
}

/// The whole body.
pub(crate) async fn read<B>(body: B) -> Result<Bytes, BodyError>
where
    B: Body,
    B::Error: Into<Cause>,
{
    let too_large = BodyError::TooLarge { limit: MOST };
    // A length that is announced need not be waited for.
    if usize::try_from(body.size_hint().lower()).map_or(true, |least| least > MOST) {
        return Err(too_large);
    }
    match tokio::time::timeout(WITHIN, Limited::new(body, MOST).collect()).await {
        Ok(Ok(body)) => Ok(body.to_bytes()),
        Ok(Err(error)) if error.is::<LengthLimitError>() => Err(too_large),
        Ok(Err(error)) => Err(BodyError::Cut(error)),
        Err(_elapsed) => Err(BodyError::TooSlow { within: WITHIN }),
    }
}
