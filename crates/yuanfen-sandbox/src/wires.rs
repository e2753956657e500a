//! Wires: the listeners, and the courier's client. Plain http, TLS under the sandbox's own authority, and a proxy that
//! leads nowhere else.

mod connection;
mod courier;
mod kept;
mod line;
mod listen;
mod outgoing;
mod proxy;
mod tls;

pub(crate) use self::courier::Courier;
pub(crate) use self::listen::{Listeners, Plan, reachable};
pub use self::tls::TlsError;
