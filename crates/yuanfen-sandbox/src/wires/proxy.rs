//! The proxy for clients whose hosts are built in: `CONNECT` to a platform's host ends at the sandbox, and to any
//! other nowhere. Nothing here ever opens a connection.

use std::net::SocketAddr;
use std::sync::{Arc, Mutex, PoisonError};

use bytes::Bytes;
use http::uri::Authority;
use http::{HeaderValue, Method, Request, Response, StatusCode, header};
use hyper::body::Incoming;
use hyper::ext::ReasonPhrase;
use hyper::service::service_fn;
use hyper::upgrade::OnUpgrade;
use hyper_util::rt::TokioIo;
use tokio::net::TcpStream;
use tokio_rustls::TlsAcceptor;

use super::connection::{self, http, respond};
use super::line::{Line, Reset};
use super::listen::encrypted;
use super::outgoing::{CutByPlan, Outgoing};
use crate::FarSide;
use crate::arrival::Arrival;
use crate::hosts::{Hosts, Tenant, bare, is_loopback};

/// Where a tunnel may lead.
pub(super) struct Doors {
    pub(super) hosts: Arc<Hosts>,
    /// The sandbox's own ports, for clients that send everything through the proxy.
    pub(super) plain: SocketAddr,
    pub(super) tls: Option<SocketAddr>,
    pub(super) acceptor: TlsAcceptor,
}

/// What is spoken inside a tunnel.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Inside {
    Tls,
    Plain,
}

/// Why something is not let through, in words for whoever set the proxy up.
struct Refusal(StatusCode, String);

/// The port of a TLS host.
const TLS_PORT: u16 = 443;
/// Ports on which platforms take plain http in life: the usual one, and that of StarPos' older test host.
const PLAIN_PORTS: [u16; 2] = [80, 8280];

/// A tunnel that was granted, once the answer to `CONNECT` is out.
type Granted = Mutex<Option<(OnUpgrade, Inside)>>;

pub(super) async fn serve(stream: TcpStream, peer: SocketAddr, doors: &Doors, far_side: &FarSide) {
    let granted = Granted::default();
    let (line, reset) = Line::of(stream);
    let service = service_fn(|request| relay(request, peer, doors, far_side, &granted, &reset));
    let served = http()
        .serve_connection(TokioIo::new(line), service)
        .with_upgrades()
        .await;
    if let Err(error) = served {
        tracing::debug!(%error, "a connection to the sandbox's proxy ended early");
        return;
    }
    let granted = granted.into_inner().unwrap_or_else(PoisonError::into_inner);
    let Some((upgrade, inside)) = granted else { return };
    match (upgrade.await, inside) {
        (Ok(stream), Inside::Tls) => encrypted(TokioIo::new(stream), &doors.acceptor, far_side, &reset).await,
        (Ok(stream), Inside::Plain) => {
            connection::serve(TokioIo::new(stream), far_side, &Arrival::plain(), &reset).await;
        }
        (Err(error), _) => tracing::debug!(%error, "a tunnel of the sandbox's proxy did not open"),
    }
}

async fn relay(
    mut request: Request<Incoming>,
    peer: SocketAddr,
    doors: &Doors,
    far_side: &FarSide,
    granted: &Granted,
    reset: &Reset,
) -> Result<Response<Outgoing>, CutByPlan> {
    let allowed = doors.allow(&request).and_then(|inside| {
        // What comes from another machine is encrypted, here as everywhere.
        if inside == Inside::Plain && !peer.ip().is_loopback() {
            return Err(Refusal(
                StatusCode::FORBIDDEN,
                "the sandbox takes plain http from its own machine only; use https".to_owned(),
            ));
        }
        Ok(inside)
    });
    match allowed {
        Err(refusal) => Ok(refusal.into_response().map(Outgoing::whole)),
        Ok(inside) if request.method() == Method::CONNECT => {
            let upgrade = hyper::upgrade::on(&mut request);
            *granted.lock().unwrap_or_else(PoisonError::into_inner) = Some((upgrade, inside));
            let mut response = Response::new(Outgoing::whole(Bytes::new()));
            response
                .extensions_mut()
                .insert(ReasonPhrase::from_static(b"Connection Established"));
            Ok(response)
        }
        Ok(_) => respond(request, far_side, &Arrival::plain(), reset).await,
    }
}

impl Doors {
    fn allow<B>(&self, request: &Request<B>) -> Result<Inside, Refusal> {
        let Some(authority) = request.uri().authority() else {
            return Err(Refusal(
                StatusCode::BAD_REQUEST,
                format!(
                    "this is the sandbox's proxy: set it as HTTPS_PROXY. Calls without a proxy go to http://{}",
                    self.plain
                ),
            ));
        };
        let is_tunnel = request.method() == Method::CONNECT;
        if !is_tunnel && request.uri().scheme_str() != Some("http") {
            return Err(Refusal(
                StatusCode::BAD_REQUEST,
                "the sandbox's proxy takes http in the request line; https goes through CONNECT".to_owned(),
            ));
        }
        let port = match authority.port_u16() {
            Some(port) => port,
            None if is_tunnel => {
                return Err(Refusal(
                    StatusCode::BAD_REQUEST,
                    "CONNECT names a host and a port".to_owned(),
                ));
            }
            None => 80,
        };
        let inside = self.inside(authority.host(), port);
        inside
            .filter(|inside| is_tunnel || *inside == Inside::Plain)
            .ok_or_else(|| self.stranger(authority))
    }

    /// What is spoken at that door; `None` where there is none.
    fn inside(&self, host: &str, port: u16) -> Option<Inside> {
        let tenant = self.hosts.tenant(host)?;
        if tenant == Tenant::Everybody {
            // Other servers live on this machine too, the shop among them: its own ports, and the usual ones of a name
            // that was given to the sandbox.
            if port == self.plain.port() {
                return Some(Inside::Plain);
            }
            if self.tls.is_some_and(|tls| tls.port() == port) {
                return Some(Inside::Tls);
            }
            if is_loopback(&bare(host)) {
                return None;
            }
        }
        match port {
            TLS_PORT => Some(Inside::Tls),
            port if PLAIN_PORTS.contains(&port) => Some(Inside::Plain),
            _ => None,
        }
    }

    fn stranger(&self, authority: &Authority) -> Refusal {
        let names = self.hosts.names().join(", ");
        Refusal(
            StatusCode::FORBIDDEN,
            format!(
                "the sandbox's proxy leads to the sandbox and never to the network, and {authority} is not the \
                 sandbox's. https goes to port 443 of: {names}. Keep other hosts away from the proxy with NO_PROXY"
            ),
        )
    }
}

impl Refusal {
    fn into_response(self) -> Response<Bytes> {
        let Self(status, words) = self;
        let mut response = Response::new(Bytes::from(format!("{words}\n")));
        *response.status_mut() = status;
        response.headers_mut().insert(
            header::CONTENT_TYPE,
            HeaderValue::from_static("text/plain; charset=utf-8"),
        );
        response
    }
}
