//! Connections to shops that wait a moment for the next notice: many notices in a row would use up the ports.

use std::collections::BTreeMap;
use std::fmt;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError, Weak};
use std::time::Duration;

use bytes::Bytes;
use http::uri::Authority;
use http_body_util::Full;
use hyper::client::conn::http1::SendRequest;
use tokio::time::Instant;

/// How long a connection waits for the next notice. Servers that close idle ones wait longer than that.
const IDLE: Duration = Duration::from_secs(1);

/// The near end of a connection.
pub(super) type Sender = SendRequest<Full<Bytes>>;

/// Whose connection, and whether it is over TLS.
pub(super) type Shop = (Authority, bool);

/// The connections that wait. Clones share them.
#[derive(Clone, Default)]
pub(super) struct Kept(Arc<Mutex<Waiting>>);

#[derive(Default)]
struct Waiting {
    /// Since when each waits, the last one at the end.
    of: BTreeMap<String, Vec<(Instant, Sender)>>,
    /// Whether somebody closes what has waited too long.
    is_swept: bool,
}

impl Kept {
    /// A connection to that shop, if one waits.
    pub(super) fn take(&self, shop: &Shop) -> Option<Sender> {
        let mut waiting = lock(&self.0);
        let senders = waiting.of.get_mut(&name(shop))?;
        std::iter::from_fn(|| senders.pop())
            .map(|(_, sender)| sender)
            .find(|sender| !sender.is_closed())
    }

    /// Lets a connection wait.
    pub(super) fn keep(&self, shop: &Shop, sender: Sender) {
        if sender.is_closed() {
            return;
        }
        let mut waiting = lock(&self.0);
        waiting.of.entry(name(shop)).or_default().push((Instant::now(), sender));
        if !waiting.is_swept {
            waiting.is_swept = true;
            tokio::spawn(sweep(Arc::downgrade(&self.0)));
        }
    }
}

/// Closes what has waited too long, until nothing waits.
async fn sweep(kept: Weak<Mutex<Waiting>>) {
    loop {
        tokio::time::sleep(IDLE).await;
        let Some(kept) = kept.upgrade() else { return };
        let mut waiting = lock(&kept);
        waiting.of.retain(|_, senders| {
            senders.retain(|(since, sender)| since.elapsed() < IDLE && !sender.is_closed());
            !senders.is_empty()
        });
        if waiting.of.is_empty() {
            waiting.is_swept = false;
            return;
        }
    }
}

fn name((authority, is_tls): &Shop) -> String {
    let scheme = if *is_tls { "https" } else { "http" };
    format!("{scheme}://{authority}")
}

/// Nothing here panics while it holds the lock.
fn lock(waiting: &Mutex<Waiting>) -> MutexGuard<'_, Waiting> {
    waiting.lock().unwrap_or_else(PoisonError::into_inner)
}

impl fmt::Debug for Kept {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Kept").finish_non_exhaustive()
    }
}
