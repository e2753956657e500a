//! The listeners: where they listen, and the loop that takes connections.

use std::future::Future;
use std::net::{IpAddr, Ipv4Addr, SocketAddr};
use std::sync::Arc;
use std::time::Duration;

use tokio::net::{TcpListener, TcpStream};
use tokio::sync::Semaphore;
use tokio::task::{AbortHandle, JoinSet};
use tokio_rustls::TlsAcceptor;

use super::connection::serve;
use super::line::{Line, Reset};
use super::proxy::{self, Doors};
use super::tls::{self, TlsError};
use crate::arrival::Arrival;
use crate::hosts::Hosts;
use crate::{CertifiedKey, FarSide, SandboxError};

/// Most connections that one listener holds; who comes then waits until another one ends.
const MOST_CONNECTIONS: usize = 4096;
/// How long a caller may take to agree on TLS.
const HANDSHAKE_PATIENCE: Duration = Duration::from_secs(10);

/// Where to listen.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Plan {
    /// In plain http, on loopback alone.
    pub(crate) plain: SocketAddr,
    pub(crate) tls: Option<SocketAddr>,
    pub(crate) proxy: Option<SocketAddr>,
}

/// Sockets that are open; nobody answers yet.
pub(crate) struct Listeners {
    plain: (TcpListener, SocketAddr),
    tls: Option<(TcpListener, SocketAddr)>,
    proxy: Option<(TcpListener, SocketAddr)>,
}

impl Listeners {
    /// Opens the sockets, all of them or none.
    pub(crate) async fn open(plan: Plan) -> Result<Self, SandboxError> {
        if !plan.plain.ip().is_loopback() {
            return Err(SandboxError::NotLoopback(plan.plain));
        }
        Ok(Self {
            plain: bind(plan.plain).await?,
            tls: bind_if(plan.tls).await?,
            proxy: bind_if(plan.proxy).await?,
        })
    }

    pub(crate) const fn plain(&self) -> SocketAddr {
        self.plain.1
    }

    pub(crate) fn tls(&self) -> Option<SocketAddr> {
        self.tls.as_ref().map(|(_, address)| *address)
    }

    pub(crate) fn proxy(&self) -> Option<SocketAddr> {
        self.proxy.as_ref().map(|(_, address)| *address)
    }

    /// Whether anything here speaks TLS.
    pub(crate) const fn want_tls(&self) -> bool {
        self.tls.is_some() || self.proxy.is_some()
    }

    /// The addresses beyond loopback on which callers find a listener by number.
    pub(crate) fn outer_addresses(&self) -> Vec<String> {
        let listening = self.tls().into_iter().chain(self.proxy());
        let outer = listening
            .map(|address| address.ip())
            .filter(|address| !address.is_loopback() && !address.is_unspecified());
        outer.map(|address| address.to_string()).collect()
    }

    /// Answers until the handles are aborted.
    pub(crate) fn answer(
        self,
        far_side: &FarSide,
        hosts: &Arc<Hosts>,
        identity: Option<&CertifiedKey>,
    ) -> Result<Vec<AbortHandle>, TlsError> {
        let acceptor = identity.map(tls::acceptor).transpose()?;
        let mut tasks = Vec::new();
        let (plain, tls) = (self.plain(), self.tls());
        if let (Some((listener, _)), Some(acceptor)) = (self.tls, &acceptor) {
            let (far_side, acceptor) = (far_side.clone(), acceptor.clone());
            tasks.push(accept(listener, move |stream, _| {
                let (far_side, acceptor) = (far_side.clone(), acceptor.clone());
                async move {
                    let (line, reset) = Line::of(stream);
                    encrypted(line, &acceptor, &far_side, &reset).await;
                }
            }));
        }
        if let (Some((listener, _)), Some(acceptor)) = (self.proxy, acceptor) {
            let far_side = far_side.clone();
            let doors = Arc::new(Doors {
                hosts: Arc::clone(hosts),
                plain,
                tls,
                acceptor,
            });
            tasks.push(accept(listener, move |stream, peer| {
                let (far_side, doors) = (far_side.clone(), Arc::clone(&doors));
                async move { proxy::serve(stream, peer, &doors, &far_side).await }
            }));
        }
        let far_side = far_side.clone();
        tasks.push(accept(self.plain.0, move |stream, _| {
            let far_side = far_side.clone();
            async move {
                let (line, reset) = Line::of(stream);
                serve(line, &far_side, &Arrival::plain(), &reset).await;
            }
        }));
        Ok(tasks)
    }
}

async fn bind_if(address: Option<SocketAddr>) -> Result<Option<(TcpListener, SocketAddr)>, SandboxError> {
    match address {
        Some(address) => bind(address).await.map(Some),
        None => Ok(None),
    }
}

async fn bind(address: SocketAddr) -> Result<(TcpListener, SocketAddr), SandboxError> {
    let listening = SandboxError::listening(address);
    let listener = TcpListener::bind(address).await.map_err(listening)?;
    let address = listener.local_addr().map_err(listening)?;
    Ok((listener, address))
}

/// An address at which this machine reaches a listener: one that listens everywhere is on loopback too.
pub(crate) const fn reachable(address: SocketAddr) -> SocketAddr {
    if address.ip().is_unspecified() {
        let loopback = match address.ip() {
            IpAddr::V4(_) => IpAddr::V4(Ipv4Addr::LOCALHOST),
            IpAddr::V6(_) => IpAddr::V6(std::net::Ipv6Addr::LOCALHOST),
        };
        return SocketAddr::new(loopback, address.port());
    }
    address
}

/// Takes connections in a task of its own, and every connection in another. They end with it.
fn accept<S, F>(listener: TcpListener, serve: S) -> AbortHandle
where
    S: Fn(TcpStream, SocketAddr) -> F + Send + 'static,
    F: Future<Output = ()> + Send + 'static,
{
    let task = tokio::spawn(async move {
        let room = Arc::new(Semaphore::new(MOST_CONNECTIONS));
        let mut connections = JoinSet::new();
        loop {
            // Finished connections are taken off, or the set would grow as long as the sandbox runs.
            while connections.try_join_next().is_some() {}
            // Nobody closes the semaphore.
            let Ok(place) = Arc::clone(&room).acquire_owned().await else {
                return;
            };
            match listener.accept().await {
                Ok((stream, peer)) => {
                    // Head and body leave in one write; there is nothing to wait for.
                    if let Err(error) = stream.set_nodelay(true) {
                        tracing::debug!(%error, "a connection stays with Nagle's algorithm");
                    }
                    let served = serve(stream, peer);
                    connections.spawn(async move {
                        served.await;
                        drop(place);
                    });
                }
                Err(error) => {
                    // Out of descriptors, most likely: the next round may find one.
                    tracing::warn!(%error, "the sandbox could not take a connection");
                    tokio::time::sleep(Duration::from_millis(50)).await;
                }
            }
        }
    });
    task.abort_handle()
}

/// Ends TLS and answers what comes over it.
pub(super) async fn encrypted<S>(stream: S, acceptor: &TlsAcceptor, far_side: &FarSide, reset: &Reset)
where
    S: tokio::io::AsyncRead + tokio::io::AsyncWrite + Unpin,
{
    match tokio::time::timeout(HANDSHAKE_PATIENCE, acceptor.accept(stream)).await {
        Ok(Ok(stream)) => {
            let arrival = Arrival::tls(tls::presented(stream.get_ref().1));
            serve(stream, far_side, &arrival, reset).await;
        }
        Ok(Err(error)) => tracing::debug!(%error, "a caller and the sandbox did not agree on TLS"),
        Err(_) => tracing::debug!("a caller took too long over TLS"),
    }
}
