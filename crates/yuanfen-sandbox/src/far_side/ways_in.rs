//! How clients reach a far side, and what those hear that reach nobody in it.

use std::net::SocketAddr;

use bytes::Bytes;
use http::{Response, StatusCode};

use super::{FarSide, troubles};
use crate::platforms;

/// How clients reach a sandbox beside plain http.
#[derive(Clone, Debug, Default)]
pub(crate) struct WaysIn {
    pub(crate) tls: Option<SocketAddr>,
    pub(crate) server_names: Vec<String>,
    pub(crate) connect_proxy_url: Option<String>,
}

impl FarSide {
    /// Told once, by who listens.
    pub(crate) fn reached_by(&self, ways_in: WaysIn) {
        // Nobody listens twice for one far side.
        let _first = self.0.ways_in.set(ways_in);
    }

    /// What was told; nothing where nobody listens.
    pub(crate) fn ways_in(&self) -> WaysIn {
        self.0.ways_in.get().cloned().unwrap_or_default()
    }

    /// What the gateway says of a call that reaches no platform's module: JSON where APIv3 is, else a page.
    pub(crate) fn turn_away(path: &str, status: StatusCode) -> Response<Bytes> {
        platforms::gateway_refusal(path, status).unwrap_or_else(|| troubles::gateway_page(status))
    }
}
