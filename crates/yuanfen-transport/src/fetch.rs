//! Files that are needed in memory whole before anything of them may be used.

use std::thread;

use tokio::sync::oneshot;
use tracing::Instrument as _;
use yuanfen_core::{
    Error, ErrorKind, OpenError, Operation, Provider, RouteInfo, Sent, TransportError, TransportErrorKind,
};

use crate::client::{call_span, record_fate};
use crate::{Client, Transport};

impl<P: Provider, T: Transport> Client<P, T> {
    /// Makes a call whose answer is a file, hands the body in chunks to `push`, and gives what `finish` makes of it when all
    /// of it is there: for files that come encrypted, of which nothing is known to be genuine before their end. How much
    /// is held is `push`'s business; [`download`](Self::download) is for what goes to the disk as it comes.
    ///
    /// `finish` runs on a thread of its own. An answer whose status is not 200 is no file: it is opened as the operation
    /// opens its answers.
    ///
    /// # Errors
    /// When the call fails or breaks off, and what `push` and `finish` say.
    pub async fn fetch<O, S, R>(
        &self,
        operation: &O,
        mut state: S,
        push: impl Fn(&mut S, &[u8]) -> Result<(), OpenError>,
        finish: impl FnOnce(S) -> Result<R, OpenError> + Send + 'static,
    ) -> Result<R, Error>
    where
        O: Operation<Provider = P>,
        S: Send + 'static,
        R: Send + 'static,
    {
        let info = RouteInfo::of::<O>();
        let span = call_span(&info.route, 1);
        let wire = |error| Error::new(info.clone(), ErrorKind::Transport(error));
        let wrong = |error: OpenError| Error::new(info.clone(), error.into());
        let result = async {
            let (_, mut chunks) = self.file_body(operation, &info).await?;
            while let Some(chunk) = chunks.next().await {
                push(&mut state, &chunk.map_err(wire)?).map_err(wrong)?;
            }
            on_its_own_thread(move || finish(state))
                .await
                .map_err(wire)?
                .map_err(wrong)
        }
        .instrument(span.clone())
        .await;
        record_fate(&span, result.as_ref().err());
        result
    }
}

async fn on_its_own_thread<R: Send + 'static>(work: impl FnOnce() -> R + Send + 'static) -> Result<R, TransportError> {
    // Nothing of the request is at stake any more: it was answered.
    let stopped = |source| TransportError::new(TransportErrorKind::Other, Sent::Maybe, Some(source));
    let (result_in, result) = oneshot::channel();
    // Nobody waits any more when the call was given up.
    let spawned = thread::Builder::new()
        .name("yuanfen-fetch".to_owned())
        .spawn(move || drop(result_in.send(work())));
    // The handle is let go: the result says when the thread is done.
    drop(spawned.map_err(|error| stopped(error.into()))?);
    result.await.map_err(|error| stopped(error.into()))
}
