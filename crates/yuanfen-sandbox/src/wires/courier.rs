//! The courier's client: carries a notice to a shop and brings the answer back. It follows no redirect.

use std::net::{IpAddr, SocketAddr};
use std::sync::Arc;
use std::time::Duration;

use bytes::Bytes;
use http::uri::Authority;
use http::{Request, Response, Uri};
use http_body_util::{BodyExt as _, Full, Limited};
use hyper::body::Incoming;
use hyper::client::conn::http1;
use hyper_util::rt::TokioIo;
use rustls::ClientConfig;
use rustls_pki_types::ServerName;
use tokio::io::{AsyncRead, AsyncWrite};
use tokio::net::{TcpStream, lookup_host};
use tokio_rustls::TlsConnector;
use yuanfen_core::Address;

use super::kept::{Kept, Sender, Shop};
use super::tls::{self, TlsError};
use crate::hosts::bare;

/// Most bytes of a shop's answer that are read.
const MOST_ANSWER: usize = 64 << 10;
/// How long a shop may take: five seconds, as WeChat Pay gives it.
const PATIENCE: Duration = Duration::from_secs(5);

/// Whom notices may reach. Clones share everything.
#[derive(Clone)]
pub(crate) struct Courier {
    tls: Arc<ClientConfig>,
    /// Whether plain http may go to private addresses, not to loopback alone.
    private_http: bool,
    kept: Kept,
}

impl Courier {
    /// `authority_pem` is the sandbox's own authority, `roots_pem` those of the shop's network.
    pub(crate) fn new(authority_pem: &str, roots_pem: &[String], private_http: bool) -> Result<Self, TlsError> {
        Ok(Self {
            tls: Arc::new(tls::courier(authority_pem, roots_pem)?),
            private_http,
            kept: Kept::default(),
        })
    }

    /// Carries a notice to a shop and brings its answer back, or the reason why there is none.
    pub(crate) async fn carry(&self, request: Request<Bytes>) -> Result<Response<Bytes>, String> {
        match tokio::time::timeout(PATIENCE, self.exchange(request)).await {
            Ok(answer) => answer,
            Err(_) => Err(format!("no answer within {} seconds", PATIENCE.as_secs())),
        }
    }

    async fn exchange(&self, request: Request<Bytes>) -> Result<Response<Bytes>, String> {
        let shop = self.look_at(request.uri())?;
        let request = outgoing(request, &shop.0)?;
        let kept = match self.kept.take(&shop) {
            // The shop may have closed it meanwhile. A notice may come twice, so it is sent again.
            Some(mut sender) => send(&mut sender, request.clone()).await.ok().map(|head| (sender, head)),
            None => None,
        };
        let (sender, response) = match kept {
            Some(answered) => answered,
            None => {
                let mut sender = self.connect(&shop).await?;
                let response = send(&mut sender, request).await;
                (sender, response.map_err(|error| format!("no answer: {error}"))?)
            }
        };
        let (head, body) = response.into_parts();
        let body = Limited::new(body, MOST_ANSWER)
            .collect()
            .await
            .map_err(|error| format!("the answer could not be read: {error}"))?;
        self.kept.keep(&shop, sender);
        Ok(Response::from_parts(head, body.to_bytes()))
    }

    async fn connect(&self, (authority, is_tls): &Shop) -> Result<Sender, String> {
        let host = bare(authority.host());
        let port = authority.port_u16().unwrap_or(if *is_tls { 443 } else { 80 });
        let found = lookup_host((host.as_str(), port))
            .await
            .map_err(|error| format!("no address for {host}: {error}"))?;
        let found: Vec<SocketAddr> = found
            .filter(|address| *is_tls || self.takes_plain_http(address.ip()))
            .collect();
        if found.is_empty() {
            return Err(format!(
                "plain http goes to this machine and to private networks, and {host} is in neither"
            ));
        }
        let stream = TcpStream::connect(found.as_slice())
            .await
            .map_err(|error| format!("no connection: {error}"))?;
        if !is_tls {
            return shake_hands(stream).await;
        }
        let name = ServerName::try_from(host).map_err(|_| "the notify address has a host that TLS cannot name")?;
        let stream = TlsConnector::from(Arc::clone(&self.tls))
            .connect(name, stream)
            .await
            .map_err(|error| format!("no TLS: {error}"))?;
        shake_hands(stream).await
    }

    /// Who is meant, and whether over TLS.
    fn look_at(&self, uri: &Uri) -> Result<(Authority, bool), String> {
        let address = uri.to_string();
        // The rule for plain http is the sandbox's own here; all others are those of every address.
        let private = self.private_http && uri.scheme_str() == Some("http");
        let checked = if private {
            address.replacen("http://", "https://", 1)
        } else {
            address
        };
        Address::parse("notify address", &checked).map_err(|error| error.to_string())?;
        let authority = uri.authority().ok_or("the notify address names no host")?.clone();
        Ok((authority, uri.scheme_str() == Some("https")))
    }

    fn takes_plain_http(&self, address: IpAddr) -> bool {
        let address = address.to_canonical();
        address.is_loopback() || (self.private_http && is_private(address))
    }
}

/// Addresses that no packet from the internet has: where containers and their hosts live.
fn is_private(address: IpAddr) -> bool {
    match address {
        IpAddr::V4(address) => address.is_private() || address.is_link_local(),
        IpAddr::V6(address) => address.is_unique_local() || address.is_unicast_link_local(),
    }
}

/// The request as it leaves: target in origin form, host in its header.
fn outgoing(mut request: Request<Bytes>, authority: &Authority) -> Result<Request<Bytes>, String> {
    let target = request.uri().path_and_query().map_or("/", |target| target.as_str());
    let target = target
        .parse()
        .map_err(|_| "the notify address has no path that can be sent")?;
    *request.uri_mut() = target;
    let host = authority
        .as_str()
        .parse()
        .map_err(|_| "the notify address has no host that can be sent")?;
    request.headers_mut().insert(http::header::HOST, host);
    Ok(request)
}

async fn shake_hands<S>(stream: S) -> Result<Sender, String>
where
    S: AsyncRead + AsyncWrite + Send + Unpin + 'static,
{
    let (sender, connection) = http1::Builder::new()
        .title_case_headers(true)
        .handshake(TokioIo::new(stream))
        .await
        .map_err(|error| format!("no connection: {error}"))?;
    // It ends with its sender. What goes wrong on it the sender says.
    tokio::spawn(async move { drop(connection.await) });
    Ok(sender)
}

async fn send(sender: &mut Sender, request: Request<Bytes>) -> hyper::Result<Response<Incoming>> {
    sender.ready().await?;
    sender.send_request(request.map(Full::new)).await
}
