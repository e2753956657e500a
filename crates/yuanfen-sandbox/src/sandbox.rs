//! The far side with sockets and a courier.

mod builder;
mod courier;

use std::net::SocketAddr;
use std::ops::Deref;
use std::time::Duration;

use tokio::task::AbortHandle;

pub use self::builder::SandboxBuilder;
use crate::far_side::WaysIn;
use crate::hosts::HostNameError;
use crate::keys::{KeyError, KeySetError};
use crate::wires::{TlsError, reachable};
use crate::{ClockError, FarSide};

/// A running sandbox. It ends when it is dropped.
///
/// It is a [`FarSide`] that listens on a loopback port and delivers its own notices. Any number of them run side by
/// side; they share nothing.
#[derive(Debug)]
pub struct Sandbox {
    far_side: FarSide,
    address: SocketAddr,
    admin_address: SocketAddr,
    ways_in: WaysIn,
    private_http_notices: bool,
    tasks: Vec<AbortHandle>,
}

/// Why a sandbox does not start.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum SandboxError {
    /// It speaks plain http, which goes to this machine only.
    #[error("the sandbox listens in plain http on loopback only, not on {0}; others reach it over TLS")]
    NotLoopback(SocketAddr),
    /// The port cannot be had.
    #[error("cannot listen on {address}")]
    Listen {
        /// Where.
        address: SocketAddr,
        /// What the system said.
        #[source]
        source: std::io::Error,
    },
    /// A name that it is to answer to is none.
    #[error("the sandbox cannot answer to that name")]
    Name(#[source] HostNameError),
    /// Its certificate cannot be used, or a root for notices cannot be trusted.
    #[error("TLS cannot be set up")]
    Tls(#[source] TlsError),
    /// Its certificate cannot be made.
    #[error("the certificate for TLS cannot be made")]
    Certificate(#[source] KeySetError),
    /// A key of the set does not load.
    #[error("a key of the set does not load")]
    Key(#[source] KeyError),
    /// Who reaches the admin API moves the payer's hand.
    #[error("the admin API listens beyond loopback, on {0}, only with a token")]
    AdminWithoutToken(SocketAddr),
    /// A token that is easy to guess, or that a header cannot carry.
    #[error("a token of the admin API has at least 16 characters, letters, digits and `-._~`")]
    AdminToken,
    /// Not the name of a host, with or without a port.
    #[error("`{0}` is no host under which the admin API could be reached")]
    AdminName(String),
    /// The scenario's time of day is past the end of the clock.
    #[error("the clock cannot be moved to the scenario's time of day")]
    Clock(#[source] ClockError),
    /// The system has no randomness to offer.
    #[error("no random seed could be had; give one")]
    Seed,
}

impl SandboxError {
    pub(crate) fn listening(address: SocketAddr) -> impl Fn(std::io::Error) -> Self + Copy {
        move |source| Self::Listen { address, source }
    }
}

impl Sandbox {
    /// Starts on a free loopback port, on real time, with a random seed and nothing going wrong.
    ///
    /// # Errors
    /// When no port can be had.
    pub async fn start() -> Result<Self, SandboxError> {
        Self::builder().start().await
    }

    /// Another way to run.
    #[must_use]
    pub fn builder() -> SandboxBuilder {
        SandboxBuilder::default()
    }

    /// Where it listens in plain http.
    #[must_use]
    pub const fn address(&self) -> SocketAddr {
        self.address
    }

    /// Where the admin API listens.
    #[must_use]
    pub const fn admin_address(&self) -> SocketAddr {
        self.admin_address
    }

    /// Where the admin API answers, without a slash at its end: the payer's phone, the logs and the console. Where it
    /// listens on all addresses, this is the one that this machine reaches it by.
    #[must_use]
    pub fn admin_url(&self) -> String {
        format!("http://{}", reachable(self.admin_address))
    }

    /// Where it listens for TLS, if it does. Every one of [`server_names`](Self::server_names) is answered there, under
    /// a certificate of [`KeySet::ca_certificate_pem`](crate::KeySet::ca_certificate_pem).
    #[must_use]
    pub const fn tls_address(&self) -> Option<SocketAddr> {
        self.ways_in.tls
    }

    /// What `HTTPS_PROXY` is set to, if there is a proxy. It leads to the sandbox alone.
    #[must_use]
    pub fn connect_proxy_url(&self) -> Option<&str> {
        self.ways_in.connect_proxy_url.as_deref()
    }

    /// The names that the certificate is for: the platforms' own hosts, what was added, and this machine's.
    #[must_use]
    pub fn server_names(&self) -> &[String] {
        &self.ways_in.server_names
    }

    /// Whether notices go to private addresses in plain http too, where anybody on that network reads them.
    #[must_use]
    pub const fn sends_notices_in_private_http(&self) -> bool {
        self.private_http_notices
    }

    /// The sandbox without its wires; a clone of it outlives the listener.
    #[must_use]
    pub const fn far_side(&self) -> &FarSide {
        &self.far_side
    }

    /// Waits until no notice is due or on its way: each was acknowledged, waits for its next attempt, or was given up.
    pub async fn delivered(&self) {
        self.far_side.idle().await;
    }

    /// Moves the clock on, and delivers on the way what falls due, each attempt at its own moment. Returns when the last
    /// of them came back. Time in between is skipped: weeks take as long as the shop's answers do.
    ///
    /// # Errors
    /// When that is past the year 9999; nothing is delivered then.
    pub async fn advance(&self, by: Duration) -> Result<(), ClockError> {
        self.far_side.advance_delivering(by).await
    }
}

impl Deref for Sandbox {
    type Target = FarSide;

    fn deref(&self) -> &FarSide {
        &self.far_side
    }
}

impl Drop for Sandbox {
    fn drop(&mut self) {
        for task in &self.tasks {
            task.abort();
        }
    }
}
