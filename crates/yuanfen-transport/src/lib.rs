#![doc = include_str!("../README.md")]

mod ambient;
mod ask_and_download;
mod client;
mod code_payment;
mod download;
mod failover;
mod fetch;
#[cfg(feature = "hyper")]
mod hyper;
mod refresh;
mod remote;
mod retry;
mod settle;
mod sleep;
#[cfg(feature = "test-util")]
pub mod test_util;
mod transport;

pub use yuanfen_core::{Sent, TransportError, TransportErrorKind};

pub use ambient::OsAmbient;
pub use client::Client;
pub use code_payment::{TakenCodePayment, TakingCodePayment};
pub use download::{Check, CheckWith, DownloadError, Unchecked};
pub use failover::Failover;
#[cfg(feature = "hyper")]
pub use hyper::{ClientIdentity, HyperTransport, HyperTransportBuilder, SetupError};
pub use remote::RemoteSign;
pub use retry::{Attempt, Retry};
pub use settle::{Settled, Settling};
pub use sleep::Sleep;
#[cfg(feature = "hyper")]
pub use sleep::TokioSleep;
pub use transport::{Chunks, SharedTransport, Transport};
