//! Large files: chunks to disk through a check, under the final name only when the check holds.

mod partial;

use std::io;
use std::path::{Path, PathBuf};
use std::{fmt, thread};

use bytes::Bytes;
use tokio::sync::{mpsc, oneshot};
use tracing::Instrument as _;
use yuanfen_core::{
    Error, ErrorKind, OpenError, Operation, OperationExt as _, ProtocolError, ProtocolErrorKind, Provider, RouteInfo,
    Sent, TransportError, TransportErrorKind,
};

use partial::Partial;

use crate::client::{call_span, record_fate};
use crate::{Chunks, Client, Transport};

/// How much of an answer that is no file is read: enough for any error message.
const ANSWER_LIMIT: usize = 1024 * 1024;

/// How many chunks may wait for the disk.
const WAITING_CHUNKS: usize = 8;

/// Holds a file against what was promised of it, piece by piece.
///
/// [`CheckWith`] makes one of any value with two functions, [`Unchecked`] promises nothing.
pub trait Check {
    /// Takes in the headers of the answer whose body the file is, before any piece of it. Some platforms promise a
    /// digest there.
    ///
    /// # Errors
    /// When they promise what cannot be held; nothing more is read.
    fn headers(&mut self, headers: &http::HeaderMap) -> Result<(), OpenError> {
        let _ = headers;
        Ok(())
    }

    /// Takes in the next piece.
    ///
    /// # Errors
    /// When the file can be seen to be wrong already; nothing more is read.
    fn push(&mut self, chunk: &[u8]) -> Result<(), OpenError>;

    /// Says whether the whole file is what was promised.
    ///
    /// # Errors
    /// When it is not; the file does not get its name.
    fn finish(self) -> Result<(), OpenError>;
}

/// A [`Check`] made of a state and what to do with it, for checks from crates that know no transport.
///
/// ```
/// use yuanfen_core::{OpenError, ProtocolError, ProtocolErrorKind};
/// use yuanfen_transport::CheckWith;
///
/// let promised: usize = 1024;
/// let check = CheckWith::new(
///     0_usize,
///     |length, chunk: &[u8]| { *length += chunk.len(); Ok(()) },
///     move |length| if length == promised { Ok(()) } else { Err(OpenError::Protocol(ProtocolError::new(ProtocolErrorKind::Digest))) },
/// );
/// # let _ = check;
/// ```
pub struct CheckWith<S, P, F> {
    state: S,
    headers: Option<TakesHeaders<S>>,
    push: P,
    finish: F,
}

/// What a check does with the headers of an answer.
type TakesHeaders<S> = fn(&mut S, &http::HeaderMap) -> Result<(), OpenError>;

impl<S, P, F> CheckWith<S, P, F>
where
    P: FnMut(&mut S, &[u8]) -> Result<(), OpenError>,
    F: FnOnce(S) -> Result<(), OpenError>,
{
    /// A check of that state.
    pub const fn new(state: S, push: P, finish: F) -> Self {
        Self {
            state,
            headers: None,
            push,
            finish,
        }
    }

    /// The same of a state that looks at the answer's headers as well.
    #[must_use]
    pub fn with_headers(mut self, headers: fn(&mut S, &http::HeaderMap) -> Result<(), OpenError>) -> Self {
        self.headers = Some(headers);
        self
    }
}

impl<S, P, F> Check for CheckWith<S, P, F>
where
    P: FnMut(&mut S, &[u8]) -> Result<(), OpenError>,
    F: FnOnce(S) -> Result<(), OpenError>,
{
    fn headers(&mut self, headers: &http::HeaderMap) -> Result<(), OpenError> {
        self.headers.map_or(Ok(()), |take| take(&mut self.state, headers))
    }

    fn push(&mut self, chunk: &[u8]) -> Result<(), OpenError> {
        (self.push)(&mut self.state, chunk)
    }

    fn finish(self) -> Result<(), OpenError> {
        (self.finish)(self.state)
    }
}

impl<S, P, F> fmt::Debug for CheckWith<S, P, F> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("CheckWith(..)")
    }
}

/// The check that lets everything through, for files of which nothing is promised. A file that was cut off is still
/// refused where HTTP shows the cut.
#[derive(Clone, Copy, Debug, Default)]
#[expect(
    clippy::exhaustive_structs,
    reason = "it has nothing to configure and is written as a value"
)]
pub struct Unchecked;

impl Check for Unchecked {
    fn push(&mut self, _: &[u8]) -> Result<(), OpenError> {
        Ok(())
    }

    fn finish(self) -> Result<(), OpenError> {
        Ok(())
    }
}

/// Why there is no file.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum DownloadError {
    /// The call failed, or the file is not what was promised.
    #[error("the file was not obtained")]
    Call(#[source] Error),
    /// The disk failed.
    #[error("the file could not be {step}: {}", path.display())]
    File {
        /// What was tried: `created`, `written`, `put in place`.
        step: &'static str,
        /// Which file.
        path: PathBuf,
        /// What the operating system said.
        source: io::Error,
    },
}

impl DownloadError {
    /// The failed call, where it was the call that failed.
    #[must_use]
    pub const fn call(&self) -> Option<&Error> {
        match self {
            Self::Call(error) => Some(error),
            Self::File { .. } => None,
        }
    }
}

impl<P: Provider, T: Transport> Client<P, T> {
    /// Downloads a file: makes the call, hands the body in chunks through the check and to the disk, and puts the file
    /// in its place only when the check holds and all of it is on the disk. What was under that name is replaced.
    /// The result is its length in bytes.
    ///
    /// Memory stays constant whatever the length. Until the end the file is in the same folder under a name that ends
    /// in `.unfinished`; it is removed when anything fails, or when this future is dropped. Hashing and writing happen
    /// on a thread of their own.
    ///
    /// An answer whose status is not 200 is no file: it is opened as the operation opens its answers.
    ///
    /// # Errors
    /// [`DownloadError::Call`] when the call fails, breaks off, or the check does not hold; [`DownloadError::File`]
    /// when the disk fails. In every case nothing is under the final name that was not there before.
    pub async fn download<O, C>(&self, operation: &O, mut check: C, path: &Path) -> Result<u64, DownloadError>
    where
        O: Operation<Provider = P>,
        C: Check + Send + 'static,
    {
        let info = RouteInfo::of::<O>();
        let span = call_span(&info.route, 1);
        let result = async {
            let (headers, chunks) = self.file_body(operation, &info).await.map_err(DownloadError::Call)?;
            let refused = |error: OpenError| DownloadError::Call(Error::new(info.clone(), error.into()));
            check.headers(&headers).map_err(refused)?;
            let mut random = [0_u8; 8];
            self.ambient().fill(&mut random);
            let partial = Partial::create(path, random)?;
            save(chunks, partial, check, &info).await
        }
        .instrument(span.clone())
        .await;
        record_fate(&span, result.as_ref().err().and_then(DownloadError::call));
        result
    }

    /// Headers and body, where the answer is a file.
    pub(crate) async fn file_body<O>(&self, operation: &O, info: &RouteInfo) -> Result<(http::HeaderMap, Chunks), Error>
    where
        O: Operation<Provider = P>,
    {
        let wire = |error| Error::new(info.clone(), ErrorKind::Transport(error));
        let drafted = operation.draft(self.provider(), self.ambient())?;
        let signed = self.sign(drafted).await;
        let request = signed.map_err(|error| Error::new(info.clone(), error.into()))?;
        let response = self.transport().stream(request).await.map_err(wire)?;
        let status = response.status();
        let (head, mut chunks) = response.into_parts();
        if status == http::StatusCode::OK {
            return Ok((head.headers, chunks));
        }
        let mut body = Vec::new();
        while let Some(chunk) = chunks.next().await {
            let chunk = chunk.map_err(wire)?;
            if body.len().saturating_add(chunk.len()) > ANSWER_LIMIT {
                return Err(wire(TransportError::new(
                    TransportErrorKind::TooLarge,
                    Sent::Maybe,
                    None,
                )));
            }
            body.extend_from_slice(&chunk);
        }
        let response = http::Response::from_parts(head, Bytes::from(body));
        let unexpected = || {
            let status = status.as_u16();
            let error = ProtocolError::new(ProtocolErrorKind::Status(status)).with_status(status);
            Error::new(info.clone(), ErrorKind::Protocol(error))
        };
        match operation.reply(self.provider(), &response, self.ambient().now()) {
            Ok(_) => Err(unexpected()),
            Err(error) => Err(error),
        }
    }
}

/// What goes to the writing thread.
enum Piece {
    Chunk(Bytes),
    /// The body is complete. Without it the file is not finished: the download failed or was given up.
    End,
}

/// Moves the body to the writing thread. That thread ends when it is told to, or when this future is gone.
async fn save<C>(mut chunks: Chunks, partial: Partial, check: C, info: &RouteInfo) -> Result<u64, DownloadError>
where
    C: Check + Send + 'static,
{
    let (pieces, inbox) = mpsc::channel(WAITING_CHUNKS);
    let (verdict_in, verdict) = oneshot::channel();
    let name = partial.name().to_owned();
    let spawned = thread::Builder::new()
        .name("yuanfen-download".to_owned())
        .spawn(move || {
            // Nobody waits any more when the download was given up; the file is gone then as well.
            drop(verdict_in.send(write(inbox, partial, check)));
        });
    // The handle is let go: the verdict says when the thread is done.
    drop(spawned.map_err(|source| DownloadError::File {
        step: "written",
        path: name.clone(),
        source,
    })?);
    let mut broken = None;
    loop {
        let piece = match chunks.next().await {
            Some(Ok(chunk)) => Piece::Chunk(chunk),
            Some(Err(error)) => {
                broken = Some(error);
                break;
            }
            None => Piece::End,
        };
        let last = matches!(piece, Piece::End);
        // A thread that stopped listening has its reason in the verdict.
        if pieces.send(piece).await.is_err() || last {
            break;
        }
    }
    drop(pieces);
    // Waited for in every case, so that the unfinished file is gone when this returns.
    let written = verdict.await;
    if let Some(error) = broken {
        return Err(DownloadError::Call(Error::new(
            info.clone(),
            ErrorKind::Transport(error),
        )));
    }
    match written {
        Ok(Ok(length)) => Ok(length),
        Ok(Err(Stopped::Check(error))) => Err(DownloadError::Call(Error::new(info.clone(), error.into()))),
        Ok(Err(Stopped::File(error))) => Err(error),
        Ok(Err(Stopped::GivenUp)) | Err(_) => Err(DownloadError::File {
            step: "written",
            path: name,
            source: io::Error::other("the writing thread stopped"),
        }),
    }
}

/// Why the writing thread stopped.
enum Stopped {
    Check(OpenError),
    File(DownloadError),
    GivenUp,
}

fn write(mut inbox: mpsc::Receiver<Piece>, mut partial: Partial, mut check: impl Check) -> Result<u64, Stopped> {
    let mut length: u64 = 0;
    loop {
        match inbox.blocking_recv() {
            Some(Piece::Chunk(chunk)) => {
                check.push(&chunk).map_err(Stopped::Check)?;
                partial.write(&chunk).map_err(Stopped::File)?;
                length = length.saturating_add(u64::try_from(chunk.len()).unwrap_or(u64::MAX));
            }
            Some(Piece::End) => {
                check.finish().map_err(Stopped::Check)?;
                partial.finish().map_err(Stopped::File)?;
                return Ok(length);
            }
            None => return Err(Stopped::GivenUp),
        }
    }
}
