//! A far side that speaks bytes: a plain listener that reads requests and writes what it is told.

use std::net::SocketAddr;
use std::sync::{Arc, Mutex};
use std::time::Duration;

use bytes::Bytes;
use http_body_util::Full;
use hyper_util::rt::{TokioExecutor, TokioIo};
use tokio::io::{AsyncRead, AsyncReadExt as _, AsyncWrite, AsyncWriteExt as _};
use tokio::net::TcpListener;
use yuanfen_transport::{HyperTransport, HyperTransportBuilder};

/// One thing that the far side does on a connection.
#[derive(Clone, Copy, Debug)]
pub enum Act {
    /// Reads one request with its body.
    Read,
    /// Writes these bytes.
    Write(&'static str),
    /// Lets so many milliseconds pass.
    Pause(u64),
    /// Holds the connection open and says nothing.
    Hang,
}

/// A listener and what it has seen. It stops with the test's runtime.
pub struct FarSide {
    pub address: SocketAddr,
    seen: Arc<Mutex<Seen>>,
}

#[derive(Default)]
struct Seen {
    connections: usize,
    requests: Vec<String>,
}

impl FarSide {
    /// Plays the same script on every connection, then closes it.
    pub async fn playing(script: &'static [Act]) -> Self {
        Self::serving(move |stream, seen| async move { play(stream, script, &seen).await }).await
    }

    /// Hands every connection to that function.
    async fn serving<F, Fut>(serve: F) -> Self
    where
        F: Fn(tokio::net::TcpStream, Arc<Mutex<Seen>>) -> Fut + Send + 'static,
        Fut: Future<Output = ()> + Send + 'static,
    {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let address = listener.local_addr().unwrap();
        let seen = Arc::<Mutex<Seen>>::default();
        tokio::spawn({
            let seen = Arc::clone(&seen);
            async move {
                loop {
                    let (stream, _) = listener.accept().await.unwrap();
                    seen.lock().unwrap().connections += 1;
                    tokio::spawn(serve(stream, Arc::clone(&seen)));
                }
            }
        });
        Self { address, seen }
    }

    /// Ends TLS first.
    pub async fn playing_over_tls(acceptor: tokio_rustls::TlsAcceptor, script: &'static [Act]) -> Self {
        Self::playing_over_late_tls(0, acceptor, script).await
    }

    /// The same after so many milliseconds.
    pub async fn playing_over_late_tls(
        milliseconds: u64,
        acceptor: tokio_rustls::TlsAcceptor,
        script: &'static [Act],
    ) -> Self {
        Self::serving(move |stream, seen| {
            let acceptor = acceptor.clone();
            async move {
                tokio::time::sleep(Duration::from_millis(milliseconds)).await;
                if let Ok(stream) = acceptor.accept(stream).await {
                    play(stream, script, &seen).await;
                }
            }
        })
        .await
    }

    /// Reads one CONNECT, answers it, and on 200 joins the connection to that address whatever host was asked for.
    pub async fn tunneling(to: SocketAddr, answer: &'static str) -> Self {
        Self::serving(move |mut stream, seen| async move {
            let head = read_request(&mut stream).await.unwrap_or_default();
            seen.lock().unwrap().requests.push(head);
            stream.write_all(answer.as_bytes()).await.unwrap();
            if answer.starts_with("HTTP/1.1 200") {
                let mut onward = tokio::net::TcpStream::connect(to).await.unwrap();
                drop(tokio::io::copy_bidirectional(&mut stream, &mut onward).await);
            }
        })
        .await
    }

    /// Answers each request with what that function makes of it; `None` closes the connection without an answer.
    pub async fn answering<F>(answer: F) -> Self
    where
        F: Fn(http::Request<Bytes>) -> Option<http::Response<Bytes>> + Send + Sync + 'static,
    {
        let answer = Arc::new(answer);
        Self::serving(move |mut stream, seen| {
            let answer = Arc::clone(&answer);
            async move {
                while let Some(text) = read_request(&mut stream).await {
                    seen.lock().unwrap().requests.push(text.clone());
                    let Some(response) = answer(parse(&text)) else { return };
                    let mut bytes = format!("HTTP/1.1 {}\r\n", response.status()).into_bytes();
                    for (name, value) in response.headers() {
                        bytes.extend([name.as_str().as_bytes(), b": ", value.as_bytes(), b"\r\n"].concat());
                    }
                    bytes.extend(format!("content-length: {}\r\n\r\n", response.body().len()).into_bytes());
                    bytes.extend(response.body());
                    stream.write_all(&bytes).await.unwrap();
                }
            }
        })
        .await
    }

    /// The same over TLS and HTTP/2; `None` resets the stream.
    pub async fn answering_http_2<F>(acceptor: tokio_rustls::TlsAcceptor, answer: F) -> Self
    where
        F: Fn(http::Request<Bytes>) -> Option<http::Response<Bytes>> + Send + Sync + 'static,
    {
        let answer = Arc::new(answer);
        Self::serving(move |stream, _| {
            let (acceptor, answer) = (acceptor.clone(), Arc::clone(&answer));
            async move {
                let Ok(stream) = acceptor.accept(stream).await else {
                    return;
                };
                let service = hyper::service::service_fn(move |request: http::Request<hyper::body::Incoming>| {
                    let answered = answer(request.map(|_| Bytes::new()));
                    async { answered.map(|response| response.map(Full::new)).ok_or("reset") }
                });
                let serving = hyper::server::conn::http2::Builder::new(TokioExecutor::new());
                drop(serving.serve_connection(TokioIo::new(stream), service).await);
            }
        })
        .await
    }

    pub fn base(&self) -> String {
        format!("http://{}", self.address)
    }

    pub fn connections(&self) -> usize {
        self.seen.lock().unwrap().connections
    }

    pub fn requests(&self) -> Vec<String> {
        self.seen.lock().unwrap().requests.clone()
    }
}

async fn play(mut stream: impl AsyncRead + AsyncWrite + Unpin, script: &[Act], seen: &Mutex<Seen>) {
    for act in script {
        match act {
            Act::Read => match read_request(&mut stream).await {
                Some(request) => seen.lock().unwrap().requests.push(request),
                None => return,
            },
            // The near side may have given up already.
            Act::Write(text) => drop(stream.write_all(text.as_bytes()).await),
            Act::Pause(milliseconds) => tokio::time::sleep(Duration::from_millis(*milliseconds)).await,
            Act::Hang => std::future::pending().await,
        }
    }
    drop(stream.shutdown().await);
}

/// One request, head and body; nothing when the connection ends first.
async fn read_request(stream: &mut (impl AsyncRead + Unpin)) -> Option<String> {
    let mut bytes = Vec::new();
    loop {
        let text = String::from_utf8(bytes.clone()).unwrap();
        if let Some((head, body)) = text.split_once("\r\n\r\n") {
            let length = head.lines().find_map(|line| line.strip_prefix("content-length: "));
            if body.len() >= length.map_or(0, |length| length.parse().unwrap()) {
                return Some(text);
            }
        }
        let mut buffer = [0; 4096];
        match stream.read(&mut buffer).await {
            Ok(0) | Err(_) => return None,
            Ok(count) => bytes.extend(&buffer[..count]),
        }
    }
}

fn parse(text: &str) -> http::Request<Bytes> {
    let (head, body) = text.split_once("\r\n\r\n").unwrap();
    let mut first = head.lines().next().unwrap().split(' ');
    http::Request::builder()
        .method(first.next().unwrap())
        .uri(first.next().unwrap())
        .body(Bytes::from(body.to_owned()))
        .unwrap()
}

/// Limits that end no test by accident on a slow machine.
pub fn patient() -> HyperTransportBuilder {
    let long = Duration::from_secs(60);
    HyperTransport::builder()
        .connect_timeout(long)
        .first_byte_timeout(long)
        .total_timeout(long)
        .stall_timeout(long)
}

/// An address on which nobody listens: it was taken and given back.
pub async fn nobody() -> String {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = listener.local_addr().unwrap();
    drop(listener);
    format!("http://{address}")
}
