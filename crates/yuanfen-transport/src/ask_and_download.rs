//! Files whose address has to be asked for, and works for a short time only.

use std::path::Path;

use yuanfen_core::{BuildError, Error, ErrorKind, Operation, Provider};

use crate::{Check, Client, DownloadError, Transport};

impl<P: Provider, T: Transport> Client<P, T> {
    /// Asks where a file is, and downloads it at once as [`download`](Self::download) does. Where the address has stopped
    /// working in between, it is asked for once more.
    ///
    /// `file` makes the download and its check out of the answer; `None` says that there is no file, and then nothing is
    /// downloaded. The result is the length of the file in bytes.
    ///
    /// What counts as an address that has stopped working: the far side refuses the download (a status from 400 to 499
    /// but 429), or the download is not built because the address is too old already.
    ///
    /// # Errors
    /// As [`call`](Self::call) where asking fails, and as [`download`](Self::download).
    pub async fn ask_and_download<A, O, C, F>(
        &self,
        ask: &A,
        file: F,
        path: &Path,
    ) -> Result<Option<u64>, DownloadError>
    where
        A: Operation<Provider = P>,
        O: Operation<Provider = P>,
        C: Check + Send + 'static,
        F: Fn(&A::Reply) -> Option<(O, C)>,
    {
        let mut asked_before = false;
        loop {
            let answer = self.call(ask).await.map_err(DownloadError::Call)?;
            let Some((download, check)) = file(&answer) else {
                return Ok(None);
            };
            match self.download(&download, check, path).await {
                Err(DownloadError::Call(error)) if !asked_before && has_stopped_working(&error) => {
                    tracing::info!("the address of a file has stopped working; asking for it again");
                    asked_before = true;
                }
                downloaded => return downloaded.map(Some),
            }
        }
    }
}

fn has_stopped_working(error: &Error) -> bool {
    match error.kind() {
        ErrorKind::Build(BuildError::Time { .. }) => true,
        ErrorKind::Business(refusal) => (400..500).contains(&refusal.status) && refusal.status != 429,
        _ => false,
    }
}
